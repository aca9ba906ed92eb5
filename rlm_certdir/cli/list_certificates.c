/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `certdir list import --certificates`: a table of issued certificates becomes one of the list. Nothing is published before all of it was
 * good.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "base/shrink.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/list.h"
#include "cli/words.h"
#include "import/issued_file.h"

struct import {
	const struct certdir_cli_options *options;
	const char *source;
	struct certdir_list_writer *writer;
	struct certdir_list_snapshot *before; /* the list as it is, or NULL */
	struct certdir_list_reader *reader; /* of it */
	int64_t now;
	struct certdir_issued_counts read;
	struct certdir_list_issued_counts counts;
};

/* Which kind of id a GUID is, as the list has it: that of the place where it stays. False with `error` when the list cannot be read. */
static bool resolve(const struct import *import, struct certdir_issued *row, struct certdir_error *error)
{
	const char *guid = row->intune_device_id;
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	bool more, intune = false, entra = false;
	const struct certdir_list_source *source;
	struct certdir_device device;
	const char *against;
	int count = 0;

	if (import->reader)
		count = certdir_list_find(import->reader, import->options->tenant, CERTDIR_ID_GUID, guid, rows, &more,
					  error);
	for (int i = 0; i < count; i++) {
		if (!certdir_list_device(import->reader, rows[i], &device, &source, &against, error))
			return false;
		intune |= device.intune_device_id && strcmp(device.intune_device_id, guid) == 0;
		entra |= device.entra_device_id && strcmp(device.entra_device_id, guid) == 0;
		certdir_device_clear(&device);
	}
	if (!intune)
		row->intune_device_id = NULL;
	if (!entra || intune)
		row->entra_device_id = NULL;
	return count >= 0;
}

static bool take(void *context, const struct certdir_issued *given, bool *taken, struct certdir_error *error)
{
	const struct import *import = context;
	struct certdir_issued row = *given;

	*taken = false;
	if (row.intune_device_id && row.intune_device_id == row.entra_device_id && !resolve(import, &row, error))
		return false;
	if (given->intune_device_id && !row.intune_device_id && !row.entra_device_id && !row.revoked) {
		certdir_error_set(error, "no device of the list has the id %.36s: have the devices listed first",
				  given->intune_device_id);
		return true;
	}
	return certdir_list_write_certificate(import->writer, &row, taken, error);
}

/* When the table was made, as far as the file tells: it is not newer than its last change. */
static int64_t made_at(const struct import *import)
{
	struct stat status;

	if (stat(import->options->operands[0], &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_mtime < import->now)
		return status.st_mtime;
	return import->now;
}

/* A table that came short looks like one of certificates that are gone: then a person has to say so. */
static int check_shrink(const struct import *import, struct certdir_error *error)
{
	const struct certdir_list_issued_counts *counts = &import->counts;

	if (import->options->force || certdir_shrink_allowed(counts->before, counts->lost, CERTDIR_SHRINK))
		return 0;
	certdir_error_set(
		error,
		"%.100s: of the %zu certificates of source \"%.60s\", %zu that are still valid would be lost, "
		"and %d %% is the limit: is the file complete? If they are to go, import it with --force",
		import->options->operands[0], counts->before, import->source, counts->lost, CERTDIR_SHRINK);
	return CERTDIR_CLI_LIST_SHRUNK;
}

static bool begin(struct import *import, struct certdir_error *error)
{
	const struct certdir_cli_options *options = import->options;

	import->writer = certdir_cli_list_change(options, false, error);
	if (!import->writer)
		return false;
	/* The lock is held, so it stays as it is until we publish. There may be none yet. */
	import->before = certdir_list_load(options->list, error);
	if (import->before)
		import->reader = certdir_list_reader_get(import->before, error);
	return certdir_list_write_certificates_begin(import->writer, import->source, options->tenant, error);
}

static int end(struct import *import, struct certdir_error *error)
{
	struct certdir_list_writer *writer = import->writer;
	int status;

	if (!certdir_list_write_certificates_compare(writer, import->now, &import->counts, error))
		return EX_CANTCREAT;
	status = check_shrink(import, error);
	if (status)
		return status;
	if (!certdir_list_write_certificates_end(writer, import->now, made_at(import), &import->counts, error))
		return EX_CANTCREAT;
	if (import->options->dry_run)
		return 0;
	import->writer = NULL;
	return certdir_list_write_publish(writer, error) ? 0 : EX_CANTCREAT;
}

static int print_result(const struct import *import)
{
	const struct certdir_list_issued_counts *counts = &import->counts;
	const struct certdir_cli_options *options = import->options;
	char remarks[CERTDIR_TEXT_MAX];

	(void)certdir_issued_remarks(&import->read, remarks);
	if (options->json)
		return certdir_cli_json_print(json_pack(
			       "{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:b}", "list", options->list, "source",
			       import->source, "certificates", (json_int_t)counts->after, "before",
			       (json_int_t)counts->before, "added", (json_int_t)counts->added, "changed",
			       (json_int_t)counts->changed, "lost", (json_int_t)counts->lost, "rows",
			       (json_int_t)import->read.rows, "refused", (json_int_t)import->read.refused, "nobody",
			       (json_int_t)import->read.nobody, "doubtful", (json_int_t)import->read.doubtful, "note",
			       remarks, "dry_run", options->dry_run))
			       ? 0
			       : EX_IOERR;
	if (*remarks)
		fprintf(stderr, "certdir: warning: %s: %s\n", options->operands[0], remarks);
	printf("%zu certificate%s (before: %zu) of source %s in %s: %zu added, %zu removed, %zu changed%s\n",
	       counts->after, certdir_cli_plural(counts->after), counts->before, import->source, options->list,
	       counts->added, counts->lost, counts->changed,
	       options->dry_run ? "; nothing was published, this was a dry run" : "");
	return 0;
}

int certdir_cli_list_import_certificates(const struct certdir_cli_options *options)
{
	struct import import = {
		.options = options, .source = options->source ? options->source : "import", .now = (int64_t)time(NULL)};
	struct certdir_error error;
	int status = EX_CANTCREAT;

	if (options->format || options->good_for || options->replace)
		return certdir_cli_misuse(options, "--certificates",
					  "--certificates does not go with --format, --good-for and --replace");
	if (begin(&import, &error)) {
		status = EX_NOINPUT;
		if (certdir_issued_file_read(options->operands[0], take, &import, &import.read, &error))
			status = end(&import, &error);
	}
	certdir_list_write_abort(import.writer);
	certdir_list_reader_put(import.reader);
	certdir_list_release(import.before);
	if (status == 0)
		return print_result(&import);
	return certdir_cli_fail(status, status == EX_CANTCREAT ? options->list : options->operands[0],
				"%s; nothing was changed", error.text);
}
