/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the sync: the three listings of a tenant, each from Graph into its part of the list. */
#ifndef CERTDIR_SYNC_PART_H
#define CERTDIR_SYNC_PART_H

#include "list/tenant.h"
#include "sync/listing.h"
#include "sync/sync.h"

/* Times that a listing may begin anew because a token of its pages was gone on the way. */
enum { CERTDIR_SYNC_RESTARTS = 2 };

/* One tenant's sync while it runs. */
struct certdir_sync_tenant {
	const struct certdir_tenant_config *config;
	const struct certdir_sync_options *options;
	struct certdir_graph *graph;
	struct certdir_list_tenant *list;
	struct certdir_sync_report_tenant *report;
	enum certdir_sync_part part; /* the one that is going on */
	int64_t now; /* Unix seconds, when it began */
};

/* Each runs one part to its end and fills report->parts[part]; what failed left the list's part as it was. */
void certdir_sync_devices(struct certdir_sync_tenant *tenant);
void certdir_sync_intune(struct certdir_sync_tenant *tenant);
void certdir_sync_groups(struct certdir_sync_tenant *tenant);

/* The report of the part that is going on. */
struct certdir_sync_report_part *certdir_sync_part_report(struct certdir_sync_tenant *tenant);
/* Sets its result and its note (`format` may be NULL: none). */
void certdir_sync_part_end(struct certdir_sync_tenant *tenant, enum certdir_sync_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends it with what the list said. */
void certdir_sync_part_ended(struct certdir_sync_tenant *tenant, enum certdir_list_ended ended,
			     const struct certdir_list_tally *tally, const struct certdir_error *error);
/* Ends it with a request that did not come to a good end; `error` may have no text when it was stopped. */
void certdir_sync_part_broken(struct certdir_sync_tenant *tenant, enum certdir_graph_outcome outcome,
			      const struct certdir_error *error);

/* Runs a listing whose `context` is the tenant, adding its pages and objects to the report, with progress. */
enum certdir_graph_outcome certdir_sync_part_list(struct certdir_sync_tenant *tenant, struct certdir_listing listing,
						  const char *url, struct certdir_listed *listed,
						  struct certdir_error *error);

/* base + the formatted rest; the caller frees it. NULL when memory is out. */
char *certdir_sync_url(const struct certdir_sync_tenant *tenant, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
