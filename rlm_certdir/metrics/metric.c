/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics/metric.h"

#include <inttypes.h>
#include <string.h>

#include "text/utf8.h"

static const struct {
	const char *name, *type, *help;
} metrics[CERTDIR_METRICS] = {
	[CERTDIR_METRIC_BUILD] = {"certdir_build_info", "gauge",
				  "Always 1; which certdir this is, and for which FreeRADIUS it was built."},
	[CERTDIR_METRIC_STARTED] = {"certdir_start_timestamp_seconds", "gauge",
				    "When the server began to count; counters were 0 then."},
	[CERTDIR_METRIC_ENFORCING] = {"certdir_enforcing", "gauge",
				      "Whether what is denied is kept out; 0 with mode = observe."},
	[CERTDIR_METRIC_DECISIONS] = {"certdir_decisions_total", "counter",
				      "Logins that were decided on; the directory is the one whose word counted."},
	[CERTDIR_METRIC_DECISION_SECONDS] = {"certdir_decision_seconds", "histogram",
					     "How long logins waited for certdir."},
	[CERTDIR_METRIC_ASKS] = {"certdir_asks_total", "counter",
				 "Logins for which certdir sync was asked for a device that no list had; known: it has "
				 "it now."},
	[CERTDIR_METRIC_JOURNAL_DROPPED] = {"certdir_journal_dropped_lines_total", "counter",
					    "Decisions that are missing in the journal, as the disk did not take "
					    "them."},
	[CERTDIR_METRIC_LIST_UP] = {"certdir_list_up", "gauge", "Whether there is a usable device list."},
	[CERTDIR_METRIC_LIST_LAST_GOOD] = {"certdir_list_last_good_timestamp_seconds", "gauge",
					   "When the list was published that a server which starts now uses, as the "
					   "present one is damaged."},
	[CERTDIR_METRIC_LIST_PUBLISHED] = {"certdir_list_published_timestamp_seconds", "gauge",
					   "When the list was published."},
	[CERTDIR_METRIC_LIST_DEVICES] = {"certdir_list_devices", "gauge", "Devices in the list."},
	[CERTDIR_METRIC_LIST_EDITIONS] = {"certdir_list_editions_total", "counter",
					  "Editions of the list that the server has taken into use."},
	[CERTDIR_METRIC_LIST_STALE] =
		{"certdir_list_stale_timestamp_seconds", "gauge",
		 "From when on the part of the source is too old to let anybody in; missing where "
		 "it never is."},
	[CERTDIR_METRIC_TENANT_UP] = {"certdir_tenant_up", "gauge", "Whether the last sync of the tenant went well."},
	[CERTDIR_METRIC_TENANT_ATTEMPT] = {"certdir_tenant_last_attempt_timestamp_seconds", "gauge",
					   "When the tenant was last synced, well or not."},
	[CERTDIR_METRIC_TENANT_DEVICES] = {"certdir_tenant_devices", "gauge", "Devices of the tenant in the list."},
	[CERTDIR_METRIC_TENANT_COMPLIANT] = {"certdir_tenant_devices_compliant", "gauge",
					     "Devices of the tenant that are compliant."},
	[CERTDIR_METRIC_TENANT_DISABLED] = {"certdir_tenant_devices_disabled", "gauge",
					    "Devices of the tenant that are disabled."},
	[CERTDIR_METRIC_TENANT_INTUNE] = {"certdir_tenant_devices_intune", "gauge",
					  "Devices of the tenant that have an Intune record."},
	[CERTDIR_METRIC_TENANT_CERTIFICATES] = {"certdir_tenant_certificates", "gauge",
						"Certificates in the tenant's table of issued ones."},
	[CERTDIR_METRIC_TENANT_DELTA_LINK] = {"certdir_tenant_delta_link_timestamp_seconds", "gauge",
					      "When Graph gave the delta link that the next sync goes on from."},
	[CERTDIR_METRIC_TENANT_CREDENTIAL] = {"certdir_tenant_credential_expires_timestamp_seconds", "gauge",
					      "When the tenant's client certificate expires."},
	[CERTDIR_METRIC_TENANT_SUCCESS] = {"certdir_tenant_last_success_timestamp_seconds", "gauge",
					   "When the part of the tenant was last listed whole; 0 is never."},
	[CERTDIR_METRIC_IMPORT_DEVICES] = {"certdir_import_devices", "gauge", "Devices of the import in the list."},
	[CERTDIR_METRIC_IMPORT_TIME] = {"certdir_import_timestamp_seconds", "gauge", "When the import was made."},
	[CERTDIR_METRIC_IMPORT_CERTIFICATES] = {"certdir_import_certificates", "gauge",
						"Certificates in the import's table of issued ones."},
	[CERTDIR_METRIC_IMPORT_CERTIFICATES_TIME] = {"certdir_import_certificates_timestamp_seconds", "gauge",
						     "When that table was made."},
	[CERTDIR_METRIC_PLACEHOLDERS_TIME] = {"certdir_placeholders_timestamp_seconds", "gauge",
					      "When the section was planned or applied last, with what outcome."},
	[CERTDIR_METRIC_PLACEHOLDERS_ACTIONS] = {"certdir_placeholders_actions", "gauge", "What was planned."},
	[CERTDIR_METRIC_PLACEHOLDERS_RESULTS] = {"certdir_placeholders_results", "gauge", "What came of it."},
	[CERTDIR_METRIC_LDAP_SERVER_UP] = {"certdir_ldap_server_up", "gauge",
					   "Whether the LDAP server is asked; 0 while it is sick."},
	[CERTDIR_METRIC_LDAP_SEARCHES] = {"certdir_ldap_searches_total", "counter",
					  "Searches on the LDAP server, by whether it answered in time."},
	[CERTDIR_METRIC_LDAP_MEMORY] = {"certdir_ldap_memory_answers_total", "counter",
					"Questions that were answered without a search: remembered, shared with "
					"another login, or outage: what the directory said before it was down."},
	[CERTDIR_METRIC_SESSIONS] = {"certdir_sessions", "gauge", "Sessions that the RADIUS server knows, by state."},
	[CERTDIR_METRIC_SESSIONS_HELD] = {"certdir_sessions_held", "gauge",
					  "Sessions that the RADIUS server holds: more devices are denied than "
					  "max_disconnect lets out."},
	[CERTDIR_METRIC_ORDERS] = {"certdir_session_orders_total", "counter",
				   "Times that network devices were asked to end or to change a session."},
	[CERTDIR_METRIC_ORDER_ANSWERS] = {"certdir_session_answers_total", "counter", "What came back of it."},
};

const char *certdir_metric_name(enum certdir_metric metric)
{
	return metrics[metric].name;
}

/* Backslash, quote and line feed are escaped. */
static void print_value(FILE *out, const char *value)
{
	size_t length = strlen(value);

	while (length) {
		uint32_t character;
		const size_t taken = certdir_utf8_read(value, length, &character), step = taken ? taken : 1;

		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '\\' || *value == '"')
			fprintf(out, "\\%c", *value);
		else if (taken)
			(void)fwrite(value, taken, 1, out);
		else
			putc('?', out);
		value += step;
		length -= step;
	}
}

static void print_labels(FILE *out, const struct certdir_label *labels)
{
	if (!labels || !labels->name)
		return;
	for (const struct certdir_label *label = labels; label->name; label++) {
		fprintf(out, "%c%s=\"", label == labels ? '{' : ',', label->name);
		print_value(out, label->value);
		putc('"', out);
	}
	putc('}', out);
}

void certdir_metric_print_series(struct certdir_exposition *to, enum certdir_metric metric, const char *suffix,
				 const struct certdir_label *labels, const char *value)
{
	if (to->headed != metric + 1U)
		fprintf(to->out, "# HELP %s %s\n# TYPE %s %s\n", metrics[metric].name, metrics[metric].help,
			metrics[metric].name, metrics[metric].type);
	to->headed = metric + 1U;
	fprintf(to->out, "%s%s", metrics[metric].name, suffix);
	print_labels(to->out, labels);
	fprintf(to->out, " %s\n", value);
}

void certdir_metric_print(struct certdir_exposition *to, enum certdir_metric metric, const struct certdir_label *labels,
			  int64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	certdir_metric_print_series(to, metric, "", labels, text);
}
