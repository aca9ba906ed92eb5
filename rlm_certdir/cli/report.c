/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir report`: list and journals -> figures -> a page. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "base/replace.h"
#include "cli/commands.h"
#include "cli/conf_file.h"
#include "cli/journal_lines.h"
#include "cli/list.h"
#include "cli/replay_line.h"
#include "decision_json.h"
#include "report/page.h"
#include "text/timestamp.h"

enum { PAGE_MODE = 0640 };

/* ---- the list ---- */

static bool take_device(void *context, int64_t row, const struct certdir_device *device,
			const struct certdir_list_source *source)
{
	(void)row;
	certdir_figures_count_device(context, device, source);
	return true;
}

static bool take_certificate(void *context, const struct certdir_list_issued *row)
{
	certdir_figures_count_certificate(context, row);
	return true;
}

static bool take_change(void *context, const struct certdir_list_change *change)
{
	certdir_figures_count_change(context, change);
	return true;
}

static bool count_list(struct certdir_figures *figures, struct certdir_list_snapshot *snapshot,
		       struct certdir_list_reader *reader)
{
	struct certdir_error error;

	figures->published = certdir_list_published(snapshot);
	figures->sources = certdir_list_sources(snapshot, &figures->source_count);
	if (!certdir_list_each(reader, take_device, figures, &error) ||
	    !certdir_list_issued_each(reader, take_certificate, figures, &error) ||
	    !certdir_list_changes(reader, certdir_figures_first_day(figures), take_change, figures, &error)) {
		fprintf(stderr, "certdir: %s: %s\n", figures->list, error.text);
		return false;
	}
	certdir_figures_count_end(figures);
	return true;
}

/* ---- journals ---- */

struct reading {
	struct certdir_figures *figures;
	struct certdir_cli_replay_line line;
	bool failed; /* memory is out */
};

/* False when it is no line of a journal. */
static bool count_line(struct reading *reading)
{
	const struct certdir_cli_replay_line *line = &reading->line;
	struct certdir_figures_decision decision = {.observed = strcmp(line->mode, "observe") == 0,
						    .id = line->device,
						    .name = line->name,
						    .subject = line->subject};

	if (line->version != CERTDIR_JOURNAL_VERSION || !certdir_timestamp_parse(line->time, &decision.at) ||
	    !certdir_reason_read(line->reason, &decision.reason))
		return false;
	reading->figures->dropped += line->dropped > 0 ? (uint64_t)line->dropped : 0;
	reading->failed |= !certdir_figures_count_decision(reading->figures, &decision);
	return true;
}

static bool take_line(void *context, const char *text, size_t length, size_t number)
{
	struct reading *reading = context;

	(void)number;
	if (!(text && certdir_cli_replay_line_read(&reading->line, text, length) && count_line(reading)))
		reading->figures->broken++;
	return !reading->failed;
}

static bool count_journal(struct reading *reading, const char *name)
{
	FILE *in = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	bool read;

	if (!in) {
		fprintf(stderr, "certdir: %s: %s\n", name, strerror(errno));
		return false;
	}
	reading->failed |= !certdir_cli_journal_each(in, take_line, reading);
	read = !reading->failed && !ferror(in);
	if (!read)
		fprintf(stderr, "certdir: %s %s\n", name,
			reading->failed ? "is not read: out of memory" : "cannot be read to its end");
	(void)fclose(in);
	return read;
}

static bool count_journals(struct certdir_figures *figures, const struct certdir_cli_options *options)
{
	struct reading reading = {.figures = figures};
	bool ok = certdir_cli_replay_line_init(&reading.line);

	if (!ok)
		fprintf(stderr, "certdir: out of memory\n");
	for (size_t i = 0; ok && i < options->operand_count; i++)
		ok = count_journal(&reading, options->operands[i]);
	figures->has_journal = options->operand_count > 0;
	certdir_cli_replay_line_clear(&reading.line);
	return ok;
}

/* ---- the page ---- */

/* A device, such as /dev/null, or a link, such as /dev/stdout, is none of ours to put a file into the place of. */
static bool may_replace(const char *name)
{
	struct stat status;

	if (lstat(name, &status) != 0 || S_ISREG(status.st_mode))
		return true;
	fprintf(stderr, "certdir: %s is not a regular file: name one, or - for standard output\n", name);
	return false;
}

static int write_page(const struct certdir_figures *figures, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	bool ok;

	if (strcmp(name, "-") == 0) {
		certdir_page_print(figures, stdout);
		return 0;
	}
	if (!may_replace(name))
		return EX_CANTCREAT;
	out = open_memstream(&text, &size);
	ok = out != NULL;

	if (out) {
		certdir_page_print(figures, out);
		ok = fclose(out) == 0 && certdir_replace(name, text, PAGE_MODE);
	}
	if (!ok)
		fprintf(stderr, "certdir: %s cannot be written: %s\n", name, strerror(errno));
	free(text);
	return ok ? 0 : EX_CANTCREAT;
}

static int report_on(const struct certdir_cli_options *options)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_figures figures;
	int status = EX_NOINPUT;

	if (!certdir_cli_list_open(options, &snapshot, &reader))
		return EX_NOINPUT;
	if (!certdir_figures_init(&figures, (int64_t)time(NULL))) {
		fprintf(stderr, "certdir: out of memory\n");
		status = EX_OSERR;
	} else {
		figures.list = options->list;
		if (count_list(&figures, snapshot, reader) && count_journals(&figures, options))
			status = write_page(&figures, options->output);
	}
	certdir_figures_clear(&figures);
	certdir_cli_list_close(snapshot, reader);
	return status;
}

int certdir_cli_report(const struct certdir_cli_options *options)
{
	struct certdir_cli_options named = *options;
	struct certdir_cli_conf conf;
	int status;

	if (options->list)
		return report_on(options);
	if (!certdir_cli_conf_load(options->conf, false, &conf))
		return EX_CONFIG;
	named.list = conf.config.list;
	status = report_on(&named);
	certdir_cli_conf_clear(&conf);
	return status;
}
