/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every metric of certdir, of the module and of its commands, with one name and one meaning, in Prometheus' text format. Who reads several
 * of our files at once, as the node exporter does, needs the same words in all of them.
 */
#ifndef CERTDIR_METRICS_METRIC_H
#define CERTDIR_METRICS_METRIC_H

#include <stdio.h>

#include "base/certdir.h"

enum certdir_metric {
	CERTDIR_METRIC_BUILD,
	CERTDIR_METRIC_STARTED,
	CERTDIR_METRIC_ENFORCING,
	CERTDIR_METRIC_DECISIONS,
	CERTDIR_METRIC_DECISION_SECONDS,
	CERTDIR_METRIC_ASKS,
	CERTDIR_METRIC_JOURNAL_DROPPED,
	CERTDIR_METRIC_LIST_UP,
	CERTDIR_METRIC_LIST_LAST_GOOD,
	CERTDIR_METRIC_LIST_PUBLISHED,
	CERTDIR_METRIC_LIST_DEVICES,
	CERTDIR_METRIC_LIST_EDITIONS,
	CERTDIR_METRIC_LIST_STALE,
	CERTDIR_METRIC_TENANT_UP,
	CERTDIR_METRIC_TENANT_ATTEMPT,
	CERTDIR_METRIC_TENANT_DEVICES,
	CERTDIR_METRIC_TENANT_COMPLIANT,
	CERTDIR_METRIC_TENANT_DISABLED,
	CERTDIR_METRIC_TENANT_INTUNE,
	CERTDIR_METRIC_TENANT_CERTIFICATES,
	CERTDIR_METRIC_TENANT_DELTA_LINK,
	CERTDIR_METRIC_TENANT_CREDENTIAL,
	CERTDIR_METRIC_TENANT_SUCCESS,
	CERTDIR_METRIC_IMPORT_DEVICES,
	CERTDIR_METRIC_IMPORT_TIME,
	CERTDIR_METRIC_IMPORT_CERTIFICATES,
	CERTDIR_METRIC_IMPORT_CERTIFICATES_TIME,
	CERTDIR_METRIC_PLACEHOLDERS_TIME,
	CERTDIR_METRIC_PLACEHOLDERS_ACTIONS,
	CERTDIR_METRIC_PLACEHOLDERS_RESULTS,
	CERTDIR_METRIC_LDAP_SERVER_UP,
	CERTDIR_METRIC_LDAP_SEARCHES,
	CERTDIR_METRIC_LDAP_MEMORY,
	CERTDIR_METRIC_SESSIONS,
	CERTDIR_METRIC_SESSIONS_HELD,
	CERTDIR_METRIC_ORDERS,
	CERTDIR_METRIC_ORDER_ANSWERS,
	CERTDIR_METRICS
};

/* Zeroed but for `out`, it has nothing yet. `headed`: the metric whose HELP and TYPE stand there, and one more. */
struct certdir_exposition {
	FILE *out;
	unsigned headed;
};

/* Borrowed; an array of them ends with one without a name. */
struct certdir_label {
	const char *name, *value;
};

/*
 * A sample. All of one metric have to come one after the other: the first brings its HELP and TYPE. `labels` may be NULL. Bytes of a value
 * that are no UTF-8 become "?", as a reader would refuse all of the file for them.
 */
void certdir_metric_print(struct certdir_exposition *to, enum certdir_metric metric, const struct certdir_label *labels,
			  int64_t value);
/* The same for one of a histogram's own series: `suffix` is "_bucket", "_sum" or "_count", the value a text. */
void certdir_metric_print_series(struct certdir_exposition *to, enum certdir_metric metric, const char *suffix,
				 const struct certdir_label *labels, const char *value);

/* "certdir_decisions_total"; never NULL. */
const char *certdir_metric_name(enum certdir_metric metric);

#endif
