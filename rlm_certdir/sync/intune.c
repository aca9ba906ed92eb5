/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intune's managedDevices: always all of them, since Graph has no delta for them. */
#include "sync/part.h"
#include "sync/record.h"

#include <stdlib.h>

static bool put(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct certdir_sync_tenant *tenant = context;
	struct certdir_device record;

	return certdir_record_intune(object, &record, error) && certdir_list_intune_put(tenant->list, &record, error);
}

/* CERTDIR_GRAPH_OK: the part has ended, however. */
static enum certdir_graph_outcome attempt(struct certdir_sync_tenant *tenant, const char *url,
					  struct certdir_error *error)
{
	const struct certdir_listing listing = {.permission = "DeviceManagementManagedDevices.Read.All",
						.properties = certdir_record_intune_properties,
						.each = put};
	struct certdir_list_tally tally = {0};
	enum certdir_graph_outcome outcome;
	enum certdir_list_ended ended;
	struct certdir_listed listed;

	if (!certdir_list_intune_begin(tenant->list, error))
		return CERTDIR_GRAPH_FAILED;
	outcome = certdir_sync_part_list(tenant, listing, url, &listed, error);
	certdir_listed_clear(&listed);
	if (outcome != CERTDIR_GRAPH_OK) {
		certdir_list_part_abandon(tenant->list);
		return outcome;
	}
	ended = certdir_list_intune_end(tenant->list, &tally, error);
	certdir_sync_part_ended(tenant, ended, &tally, error);
	return CERTDIR_GRAPH_OK;
}

/* A tenant that had Intune yesterday does not lose it overnight: then the answer is not believed. */
static void end_without_intune(struct certdir_sync_tenant *tenant)
{
	struct certdir_list_tenant_state state;

	certdir_list_tenant_state(tenant->list, &state);
	if (state.intune_records == 0)
		certdir_sync_part_end(tenant, CERTDIR_SYNC_SKIPPED,
				      "the tenant has no Intune: devices are listed without its data; `intune = no` in "
				      "[tenant %s] stops asking",
				      tenant->config->name);
	else
		certdir_sync_part_end(
			tenant, CERTDIR_SYNC_FAILED,
			"Graph says that the tenant has no Intune, but %zu of its records are known: they are "
			"kept; when the licence is really gone, set `intune = no` in [tenant %s]",
			state.intune_records, tenant->config->name);
}

/*
 * `intune = no`: records of former times would stay as they were for ever, so they go. It is an empty listing, and the shrink
 * guard asks once whether that is meant.
 */
static void end_unwanted(struct certdir_sync_tenant *tenant, const struct certdir_list_tenant_state *state)
{
	struct certdir_list_tally tally = {0};
	struct certdir_error error;
	enum certdir_list_ended ended;

	if (state->intune_records == 0) {
		certdir_sync_part_end(tenant, CERTDIR_SYNC_SKIPPED, "intune = no");
		return;
	}
	ended = certdir_list_intune_begin(tenant->list, &error) ? certdir_list_intune_end(tenant->list, &tally, &error)
								: CERTDIR_ENDED_FAILED;
	certdir_sync_part_ended(tenant, ended, &tally, &error);
}

void certdir_sync_intune(struct certdir_sync_tenant *tenant)
{
	struct certdir_list_tenant_state state;
	enum certdir_graph_outcome outcome;
	struct certdir_error error;
	char *url;

	certdir_list_tenant_state(tenant->list, &state);
	if (!tenant->config->intune) {
		end_unwanted(tenant, &state);
		return;
	}
	if (!tenant->options->full && state.intune_synced != 0 && tenant->now >= state.intune_synced &&
	    tenant->now - state.intune_synced < tenant->config->intune_interval) {
		certdir_sync_part_end(tenant, CERTDIR_SYNC_SKIPPED, "not due yet (intune_interval)");
		return;
	}
	url = certdir_sync_url(tenant,
			       "/deviceManagement/managedDevices?$select=" CERTDIR_RECORD_INTUNE_SELECT "&$top=1000");
	if (!url) {
		certdir_sync_part_end(tenant, CERTDIR_SYNC_FAILED, "out of memory");
		return;
	}
	outcome = attempt(tenant, url, &error);
	for (int i = 0; i < CERTDIR_SYNC_RESTARTS && outcome == CERTDIR_GRAPH_EXPIRED_PAGE; i++)
		outcome = attempt(tenant, url, &error);
	free(url);
	if (outcome == CERTDIR_GRAPH_NOT_APPLICABLE)
		end_without_intune(tenant);
	else if (outcome != CERTDIR_GRAPH_OK)
		certdir_sync_part_broken(tenant, outcome, &error);
}
