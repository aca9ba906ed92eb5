/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct certdir_sync_report_part *certdir_sync_part_report(struct certdir_sync_tenant *tenant)
{
	return &tenant->report->parts[tenant->part];
}

/* Errors that may be read alone begin with the tenant's name; in the tenant's own report it would stand twice. */
static void drop_name(char note[CERTDIR_TEXT_MAX], const char *name)
{
	const size_t length = strlen(name);

	if (strncmp(note, "tenant ", 7) == 0 && strncmp(note + 7, name, length) == 0 &&
	    strncmp(note + 7 + length, ": ", 2) == 0)
		memmove(note, note + length + 9, strlen(note + length + 9) + 1);
}

void certdir_sync_part_end(struct certdir_sync_tenant *tenant, enum certdir_sync_result result, const char *format, ...)
{
	struct certdir_sync_report_part *report = certdir_sync_part_report(tenant);
	va_list arguments;

	report->result = result;
	report->note[0] = '\0';
	if (!format)
		return;
	va_start(arguments, format);
	certdir_vsay(report->note, format, arguments);
	va_end(arguments);
	drop_name(report->note, tenant->config->name);
}

void certdir_sync_part_ended(struct certdir_sync_tenant *tenant, enum certdir_list_ended ended,
			     const struct certdir_list_tally *tally, const struct certdir_error *error)
{
	certdir_sync_part_report(tenant)->tally = *tally;
	switch (ended) {
	case CERTDIR_ENDED:
		certdir_sync_part_end(tenant, CERTDIR_SYNC_DONE, NULL);
		break;
	case CERTDIR_ENDED_SHRUNK:
		certdir_sync_part_end(tenant, CERTDIR_SYNC_SHRUNK, "%s", error->text);
		break;
	case CERTDIR_ENDED_FAILED:
		certdir_sync_part_end(tenant, CERTDIR_SYNC_FAILED, "%s", error->text);
		break;
	}
}

void certdir_sync_part_broken(struct certdir_sync_tenant *tenant, enum certdir_graph_outcome outcome,
			      const struct certdir_error *error)
{
	if (outcome == CERTDIR_GRAPH_STOPPED)
		certdir_sync_part_end(tenant, CERTDIR_SYNC_STOPPED, "stopped on request");
	else
		certdir_sync_part_end(tenant, CERTDIR_SYNC_FAILED, "%s", error->text);
}

static void paged(void *context, size_t pages, size_t objects)
{
	struct certdir_sync_tenant *tenant = context;
	const struct certdir_sync_options *options = tenant->options;
	const struct certdir_sync_report_part *report = certdir_sync_part_report(tenant);

	if (options->progress)
		options->progress(options->context, tenant->config->name, tenant->part, report->pages + pages,
				  report->objects + objects);
}

enum certdir_graph_outcome certdir_sync_part_list(struct certdir_sync_tenant *tenant, struct certdir_listing listing,
						  const char *url, struct certdir_listed *listed,
						  struct certdir_error *error)
{
	struct certdir_sync_report_part *report = certdir_sync_part_report(tenant);
	enum certdir_graph_outcome outcome;

	listing.context = tenant;
	listing.paged = paged;
	outcome = certdir_listing_run(tenant->graph, &listing, url, listed, error);
	report->pages += listed->pages;
	report->objects += listed->objects;
	return outcome;
}

char *certdir_sync_url(const struct certdir_sync_tenant *tenant, const char *format, ...)
{
	char *path = NULL, *url = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&path, format, arguments) < 0)
		path = NULL;
	va_end(arguments);
	if (path && asprintf(&url, "%s%s", certdir_graph_base(tenant->graph), path) < 0)
		url = NULL;
	free(path);
	return url;
}
