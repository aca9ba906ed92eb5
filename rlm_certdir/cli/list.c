/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/list.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/failure.h"
#include "cli/json.h"
#include "cli/words.h"
#include "text/timestamp.h"

bool certdir_cli_list_open(const struct certdir_cli_options *options, struct certdir_list_snapshot **snapshot,
			   struct certdir_list_reader **reader)
{
	struct certdir_error error;

	*reader = NULL;
	*snapshot = certdir_list_load(options->list, &error);
	if (*snapshot)
		*reader = certdir_list_reader_get(*snapshot, &error);
	if (*reader) {
		certdir_list_permissions_warn(options->list);
		return true;
	}
	(void)certdir_cli_fail(EX_NOINPUT, options->list, "%s", error.text);
	certdir_list_release(*snapshot);
	*snapshot = NULL;
	return false;
}

void certdir_cli_list_close(struct certdir_list_snapshot *snapshot, struct certdir_list_reader *reader)
{
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

struct certdir_list_writer *certdir_cli_list_change(const struct certdir_cli_options *options, bool fresh,
						    struct certdir_error *error)
{
	return options->dry_run ? certdir_list_write_private(options->list, fresh, error)
				: certdir_list_write_begin(options->list, fresh, options->signing_key, error);
}

/* ---- verify ---- */

static void print_problem(void *context, const char *text)
{
	json_t *problems = context;

	if (problems)
		(void)json_array_append_new(problems, json_string(text));
	else
		printf("%s\n", text);
}

void certdir_cli_list_print_laid(const struct certdir_list_snapshot *snapshot)
{
	char at[CERTDIR_TIMESTAMP_SIZE];
	struct certdir_list_laid laid;

	if (!certdir_list_laid(snapshot, &laid))
		return;
	certdir_timestamp_print(laid.made, at);
	printf("  changes     %zu page%s in a file of %llu bytes beside it, of %s\n", laid.pages,
	       certdir_cli_plural(laid.pages), (unsigned long long)laid.bytes, at);
}

json_t *certdir_cli_list_laid_json(const struct certdir_list_snapshot *snapshot)
{
	struct certdir_list_laid laid;

	if (!snapshot || !certdir_list_laid(snapshot, &laid))
		return json_null();
	return json_pack("{s:I,s:I,s:I,s:o}", "pages", (json_int_t)laid.pages, "bytes", (json_int_t)laid.bytes,
			 "behind", (json_int_t)laid.behind, "made", certdir_cli_json_time(laid.made));
}

/* `snapshot` is NULL when the list is not acceptable, which is one of the problems. */
static int print_verdict(const struct certdir_cli_options *options, const struct certdir_list_snapshot *snapshot,
			 json_t *problems, int64_t count)
{
	const size_t devices = snapshot ? certdir_list_device_count(snapshot) : 0;

	if (options->json) {
		if (!certdir_cli_json_print(json_pack("{s:s,s:b,s:I,s:o,s:o}", "file", options->list, "ok", count == 0,
						      "devices", (json_int_t)devices, "changes",
						      certdir_cli_list_laid_json(snapshot), "problems", problems)))
			return 1;
	} else if (count == 0) {
		printf("%s: %zu device%s; %sseal, database and ids are in order\n", options->list, devices,
		       certdir_cli_plural(devices), options->public_key ? "signature, " : "");
		certdir_cli_list_print_laid(snapshot);
	}
	return count == 0 ? 0 : 1;
}

/* What a server has that starts now. */
static void tell_last(const char *filename, const struct certdir_list_keys *keys, json_t *problems)
{
	struct certdir_error damage, error;
	struct certdir_list_snapshot *last = certdir_list_load_last(filename, keys, &damage, &error);
	char text[CERTDIR_TEXT_MAX], at[CERTDIR_TIMESTAMP_SIZE];

	if (last && damage.text[0]) {
		const char *files = certdir_list_files(last);

		certdir_timestamp_print(certdir_list_published(last), at);
		certdir_say(text, "%s%s is good, of %s, with %zu device%s: a server that starts now uses it", files,
			    strcmp(files, filename) == 0 ? " alone" : "", at, certdir_list_device_count(last),
			    certdir_cli_plural(certdir_list_device_count(last)));
		print_problem(problems, text);
	}
	certdir_list_release(last);
}

/* As good as whole to whoever starts with it, so that nobody else tells: the list of before is in use. */
static void warn_behind(const struct certdir_list_snapshot *snapshot)
{
	char at[CERTDIR_TIMESTAMP_SIZE];
	struct certdir_list_laid laid;

	if (!certdir_list_laid(snapshot, &laid) || !laid.behind)
		return;
	certdir_timestamp_print(laid.made, at);
	fprintf(stderr,
		"certdir: warning: %s: %llu bytes stand behind the last whole edition, of %s: one is being written "
		"now, or "
		"the copy was cut there: then copy it again\n",
		certdir_list_files(snapshot), (unsigned long long)laid.behind, at);
}

/* The keys of --public-key, if it is given. False: why not was said. */
static bool read_keys(const struct certdir_cli_options *options, struct certdir_list_keys **keys)
{
	const char *const filenames[] = {options->public_key, NULL};
	struct certdir_error error;

	*keys = options->public_key ? certdir_list_keys_public(filenames, &error) : NULL;
	if (*keys || !options->public_key)
		return true;
	(void)certdir_cli_fail(EX_NOINPUT, options->public_key, "%s", error.text);
	return false;
}

int certdir_cli_list_verify(const struct certdir_cli_options *options)
{
	json_t *problems;
	struct certdir_list_keys *keys;
	struct certdir_list_snapshot *snapshot = NULL;
	struct certdir_list_reader *reader = NULL;
	struct certdir_error error;
	int64_t count = 1;
	int code;

	if (!read_keys(options, &keys))
		return EX_NOINPUT;
	problems = options->json ? json_array() : NULL;
	snapshot = certdir_list_reload(options->list, keys, NULL, &error);
	if (snapshot)
		reader = certdir_list_reader_get(snapshot, &error);
	if (reader) {
		certdir_list_permissions_warn(options->list);
		warn_behind(snapshot);
		count = certdir_list_verify(reader, print_problem, problems, &error);
	}
	if (!reader || count < 0)
		print_problem(problems, error.text);
	if (!snapshot)
		tell_last(options->list, keys, problems);
	code = print_verdict(options, snapshot, problems, count);
	certdir_cli_list_close(snapshot, reader);
	certdir_list_keys_close(keys);
	return code;
}
