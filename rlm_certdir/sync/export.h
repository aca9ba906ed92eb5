/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report that Intune makes on request: a job is posted and asked after until it is done, and says where the file is. */
#ifndef CERTDIR_SYNC_EXPORT_H
#define CERTDIR_SYNC_EXPORT_H

#include "sync/graph.h"

/* The columns that the report of certificates is asked for, in JSON: what import/issued.h reads. */
extern const char certdir_export_request[];

/*
 * Has Intune make it (https://learn.microsoft.com/intune/intune-service/fundamentals/reports-export-graph-apis): *url, which the caller
 * frees, is where the zip is for some hours. The pauses between questions grow, up to the deadline of `limits`, which are those of
 * `graph`. BUSY with `error`: Intune failed to make it, and another job is worth while.
 */
enum certdir_graph_outcome certdir_export_make(struct certdir_graph *graph, const struct certdir_http_limits *limits,
					       char **url, struct certdir_error *error);

#endif
