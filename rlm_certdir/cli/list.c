/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/list.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "base/permissions.h"
#include "cli/json.h"
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
		certdir_permissions_warn(options->list);
		return true;
	}
	fprintf(stderr, "certdir: %s\n", error.text);
	certdir_list_release(*snapshot);
	*snapshot = NULL;
	return false;
}

void certdir_cli_list_close(struct certdir_list_snapshot *snapshot, struct certdir_list_reader *reader)
{
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
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

static int print_verdict(const struct certdir_cli_options *options, size_t devices, json_t *problems, int64_t count)
{
	if (!options->json) {
		if (count == 0)
			printf("%s: %zu devices, seal, database and ids are in order\n", options->list, devices);
		return count == 0 ? 0 : 1;
	}
	if (!certdir_cli_json_print(json_pack("{s:s,s:b,s:I,s:o}", "file", options->list, "ok", count == 0, "devices",
					      (json_int_t)devices, "problems", problems)))
		return 1;
	return count == 0 ? 0 : 1;
}

/* What a server has that starts now. */
static void tell_last(const char *filename, json_t *problems)
{
	struct certdir_error damage, error;
	struct certdir_list_snapshot *last = certdir_list_load_last(filename, &damage, &error);
	char text[CERTDIR_TEXT_MAX], at[CERTDIR_TIMESTAMP_SIZE];

	if (last && damage.text[0]) {
		certdir_timestamp_print(certdir_list_published(last), at);
		certdir_say(text, "%s.last is good, of %s, with %zu devices: a server that starts now uses it",
			    filename, at, certdir_list_device_count(last));
		print_problem(problems, text);
	}
	certdir_list_release(last);
}

int certdir_cli_list_verify(const struct certdir_cli_options *options)
{
	json_t *problems = options->json ? json_array() : NULL;
	struct certdir_list_snapshot *snapshot = NULL;
	struct certdir_list_reader *reader = NULL;
	struct certdir_error error;
	int64_t count = 1;
	size_t devices = 0;

	snapshot = certdir_list_load(options->list, &error);
	if (snapshot)
		reader = certdir_list_reader_get(snapshot, &error);
	if (reader) {
		certdir_permissions_warn(options->list);
		devices = certdir_list_device_count(snapshot);
		count = certdir_list_verify(reader, true, print_problem, problems, &error);
	}
	if (!reader || count < 0)
		print_problem(problems, error.text);
	if (!snapshot)
		tell_last(options->list, problems);
	certdir_cli_list_close(snapshot, reader);
	return print_verdict(options, devices, problems, count);
}
