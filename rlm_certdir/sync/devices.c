/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entra ID's devices: all of them the first time, what changed after that (delta query). */
#include "sync/part.h"
#include "sync/record.h"

#include <stdlib.h>
#include <string.h>

static bool put(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct certdir_sync_tenant *tenant = context;
	char room[CERTDIR_RECORD_ROOM];
	struct certdir_device device;
	uint32_t present;

	if (!certdir_record_entra(object, tenant->config->extension_attributes, room, &device, &present, error))
		return false;
	if (object->removed)
		return certdir_list_devices_remove(tenant->list, device.object_id, error);
	return certdir_list_devices_put(tenant->list, &device, present, error);
}

/*
 * Where the listing starts; the caller frees it. After a 410 it is our own first request again, which is what its Location stands
 * for, with the properties that we need.
 */
static char *start_of(const struct certdir_sync_tenant *tenant, bool full)
{
	struct certdir_list_tenant_state state;

	if (full)
		return certdir_sync_url(tenant, "/devices/delta?$select=%s",
					tenant->config->extension_attributes ? CERTDIR_RECORD_EXTENDED_SELECT
									     : CERTDIR_RECORD_ENTRA_SELECT);
	certdir_list_tenant_state(tenant->list, &state);
	return strdup(state.delta_link);
}

/* One attempt: lists, and ends the part when the listing is whole. CERTDIR_GRAPH_OK: the part has ended, however. */
static enum certdir_graph_outcome attempt(struct certdir_sync_tenant *tenant, bool full, const char *url,
					  struct certdir_error *error)
{
	const struct certdir_listing listing = {.permission = "Device.Read.All",
						.delta = true,
						.properties = tenant->config->extension_attributes
								      ? certdir_record_extended_properties
								      : certdir_record_entra_properties,
						.each = put};
	struct certdir_list_tally tally = {0};
	enum certdir_graph_outcome outcome;
	enum certdir_list_ended ended;
	struct certdir_listed listed;

	certdir_sync_part_report(tenant)->full = full;
	if (!certdir_list_devices_begin(tenant->list, full, error))
		return CERTDIR_GRAPH_FAILED;
	outcome = certdir_sync_part_list(tenant, listing, url, &listed, error);
	if (outcome == CERTDIR_GRAPH_OK) {
		ended = certdir_list_devices_end(tenant->list, listed.delta_link, &tally, error);
		certdir_sync_part_ended(tenant, ended, &tally, error);
	} else {
		certdir_list_part_abandon(tenant->list);
	}
	certdir_listed_clear(&listed);
	return outcome;
}

/* Where cloud or graph has changed, the stored link leads to the former host: it is of no use, and nothing else is lost. */
static bool has_moved(const struct certdir_sync_tenant *tenant, const char *delta_link)
{
	struct certdir_error why;

	return delta_link && !certdir_graph_link_check(tenant->graph, delta_link, &why);
}

void certdir_sync_devices(struct certdir_sync_tenant *tenant)
{
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_FAILED;
	struct certdir_list_tenant_state state;
	struct certdir_error error;
	bool full, moved;
	char *url;

	certdir_list_tenant_state(tenant->list, &state);
	moved = has_moved(tenant, state.delta_link);
	full = tenant->options->full || !state.delta_link || moved;
	for (int attempts = 0; attempts <= CERTDIR_SYNC_RESTARTS; attempts++) {
		url = start_of(tenant, full);
		if (!url) {
			certdir_error_set(&error, "out of memory");
			break;
		}
		outcome = attempt(tenant, full, url, &error);
		free(url);
		if (outcome != CERTDIR_GRAPH_RESYNC && outcome != CERTDIR_GRAPH_EXPIRED_PAGE)
			break;
		full = full || outcome == CERTDIR_GRAPH_RESYNC;
	}
	if (outcome != CERTDIR_GRAPH_OK)
		certdir_sync_part_broken(tenant, outcome, &error);
	else if (moved && certdir_sync_part_report(tenant)->result == CERTDIR_SYNC_DONE)
		certdir_sync_part_end(tenant, CERTDIR_SYNC_DONE,
				      "all were listed anew, because graph is another host than at the last sync");
}
