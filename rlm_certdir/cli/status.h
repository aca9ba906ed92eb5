/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir status`: how the list is doing, tenant by tenant. */
#ifndef CERTDIR_CLI_STATUS_H
#define CERTDIR_CLI_STATUS_H

#include "list/list.h"
#include "sync/sync.h"

#include <jansson.h>

enum { CERTDIR_CLI_DELTA_OLD = 6 * 86400 }; /* seconds; Graph forgets a delta link after about 7 days */

/* What configuration, list and the last report say about one tenant, or LDAP directory, that a sync lists. */
struct certdir_cli_tenant_status {
	const char *name;
	bool ldap; /* an LDAP directory, which has the devices part alone */
	const char *tenant_id; /* or NULL */
	bool configured; /* it stands in certdir.conf; else in the list alone */
	bool wanted[CERTDIR_SYNC_PARTS]; /* parts that certdir.conf asks for */
	bool has_numbers; /* the list could be read */
	int64_t synced[CERTDIR_SYNC_PARTS]; /* Unix seconds, 0 = never; with has_numbers */
	int64_t delta_since; /* 0 = none */
	struct certdir_list_numbers numbers;
	int64_t attempted; /* the last time, 0 = not known */
	enum certdir_tristate up; /* whether that went well */
	char note[CERTDIR_TEXT_MAX]; /* why it failed, or what was skipped; or "" */
	int64_t credential_expires; /* 0 = not known */
};

/* All of it. Strings are borrowed from the configuration and the list. */
struct certdir_cli_status {
	const char *list; /* file name */
	int64_t now;
	char list_error[CERTDIR_TEXT_MAX]; /* why it cannot be read, or "" */
	int64_t last_good; /* when the edition was published that a server which starts now has instead, 0 = there is none */
	char run_error[CERTDIR_TEXT_MAX]; /* why the last run could not publish anything, or "" */
	int64_t published;
	size_t devices;
	struct certdir_list_shared shared;
	struct certdir_cli_tenant_status *tenants;
	size_t tenant_count;
	const struct certdir_list_source *sources; /* all */
	size_t source_count;
	json_t *sections; /* of placeholders, as certdir_cli_placeholders_kept() has them */
};

/* Whether the tenant needs somebody: the last attempt failed, it was never synced, or its delta link, or LDAP listing, is old. */
bool certdir_cli_tenant_needs_help(const struct certdir_cli_status *status,
				   const struct certdir_cli_tenant_status *tenant);

/* Of placeholders: whether an apply of a section failed or was refused, its lines, its metrics. */
bool certdir_cli_status_section_needs_help(const json_t *section);
void certdir_cli_status_print_sections(const struct certdir_cli_status *status);
void certdir_cli_status_print_section_metrics(const struct certdir_cli_status *status);
/* "2026-11-22T10:00:00Z (5 min ago)", or "never" for 0. */
void certdir_cli_status_print_when(const struct certdir_cli_status *status, int64_t seconds);
/* A sample of a metric with two labels; head of the metric. */
void certdir_cli_status_print_metric_head(const char *metric, const char *help);
void certdir_cli_status_print_label(const char *name, const char *value);

/* Each prints all of it on stdout; false when that failed. */
bool certdir_cli_status_print(const struct certdir_cli_status *status);
bool certdir_cli_status_print_json(const struct certdir_cli_status *status);
/* Prometheus's text format, version 0.0.4. */
bool certdir_cli_status_print_prometheus(const struct certdir_cli_status *status);

#endif
