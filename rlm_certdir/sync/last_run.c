/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/last_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/replace.h"
#include "sync/sync.h"

json_t *certdir_sync_last_run_load(const char *list)
{
	json_t *status = NULL;
	char *name = NULL;

	if (asprintf(&name, "%s.status", list) < 0)
		return NULL;
	status = json_load_file(name, JSON_REJECT_DUPLICATES, NULL);
	free(name);
	return status;
}

json_t *certdir_sync_last_run_tenant(const json_t *status, const char *tenant)
{
	json_t *value;
	size_t index;

	json_array_foreach(json_object_get(status, "tenants"), index, value)
	{
		const char *name = json_string_value(json_object_get(value, "name"));

		if (name && strcmp(name, tenant) == 0)
			return value;
	}
	return NULL;
}

/* "running", "stopped": the part says nothing of how it goes; what an earlier run said is still the last word. */
static bool is_no_end(const json_t *part)
{
	const char *result = json_string_value(json_object_get(part, "result"));

	return result && (strcmp(result, certdir_sync_result_name(CERTDIR_SYNC_RUNNING)) == 0 ||
			  strcmp(result, certdir_sync_result_name(CERTDIR_SYNC_STOPPED)) == 0);
}

static bool is_well(const json_t *part)
{
	static const enum certdir_sync_result well[] = {CERTDIR_SYNC_DONE, CERTDIR_SYNC_SKIPPED, CERTDIR_SYNC_RUNNING};
	const char *result = json_string_value(json_object_get(part, "result"));

	for (size_t i = 0; result && i < sizeof(well) / sizeof(well[0]); i++)
		if (strcmp(result, certdir_sync_result_name(well[i])) == 0)
			return true;
	return false;
}

static bool take_over_parts(json_t *present, const json_t *former)
{
	const json_t *parts = json_object_get(present, "parts"), *old = json_object_get(former, "parts");
	bool ok = true;

	for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS; part++) {
		const char *name = certdir_sync_part_name(part);
		json_t *before = json_object_get(old, name);

		if (is_no_end(json_object_get(parts, name)) && json_is_object(before) &&
		    (json_object_set_new(before, "earlier", json_true()) != 0 ||
		     json_object_set((json_t *)parts, name, before) != 0))
			return false;
		ok &= is_well(json_object_get(parts, name));
	}
	return json_object_set_new(present, "ok", json_boolean(ok)) == 0;
}

static bool take_over(const struct certdir_sync_config *config, json_t *report, const json_t *before)
{
	static const char expires[] = "credential_expires";

	for (size_t i = 0; i < config->count; i++) {
		json_t *former = certdir_sync_last_run_tenant(before, config->tenants[i].name);
		json_t *present = certdir_sync_last_run_tenant(report, config->tenants[i].name);

		if (!former)
			continue;
		if (present && !take_over_parts(present, former))
			return false;
		if (!present && (json_object_set_new(former, "earlier", json_true()) != 0 ||
				 json_array_append(json_object_get(report, "tenants"), former) != 0))
			return false;
		/* Of a certificate that could not be read this time; no other credential tells when it expires. */
		if (present && config->tenants[i].credential == CERTDIR_CREDENTIAL_CERTIFICATE &&
		    json_is_null(json_object_get(present, expires)) && json_object_get(former, expires) &&
		    json_object_set(present, expires, json_object_get(former, expires)) != 0)
			return false;
	}
	return true;
}

bool certdir_sync_last_run_save(const struct certdir_sync_config *config, json_t *report, struct certdir_error *error)
{
	json_t *before = certdir_sync_last_run_load(config->list);
	char *name = NULL, *text = NULL;
	bool ok = false;

	errno = ENOMEM;
	if (asprintf(&name, "%s.status", config->list) < 0)
		name = NULL;
	if (take_over(config, report, before))
		text = json_dumps(report, JSON_INDENT(1));
	ok = name && text && certdir_replace(name, text, 0640);
	if (!ok)
		certdir_error_set(error, "%s.status cannot be written: %s; certdir status does not know of this run",
				  config->list, strerror(errno));
	json_decref(before);
	free(name);
	free(text);
	return ok;
}
