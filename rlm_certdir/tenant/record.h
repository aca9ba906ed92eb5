/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intune's record in the row of a device: how it gets there, and where it is while there is no such row. A device has the record that
 * names its Entra device id. A record that names a device which Entra ID does not know waits in a table of its own; one that names none is
 * a device of its own, which Intune alone knows.
 */
#ifndef CERTDIR_TENANT_RECORD_H
#define CERTDIR_TENANT_RECORD_H

#include "list/schema.h"
#include "tenant/state.h"

#define RECORD CERTDIR_LIST_RECORD_COLUMNS
#define RECORD_OF(table)                                                                                               \
	table ".intune_device_id," table ".serial_number," table ".owner," table ".intune_compliance," table           \
	      ".intune_ownership," table ".intune_last_seen," table ".intune_registered," table ".wifi_mac," table     \
	      ".ethernet_mac," table ".intune_name," table ".management_state," table ".management_agent," table       \
	      ".category," table ".enrollment_profile," table ".imei," table ".meid," table ".intune_confirmed"
/* A device that Intune alone knows. */
#define OF_INTUNE_ALONE "object_id IS NULL AND intune_compliance IS NOT NULL"

/* Gives `row` the record that names the device id that it has now, if there is one. */
bool certdir_tenant_record_take(struct certdir_tenant *tenant, int64_t row, const char *entra_device_id,
				struct certdir_error *error);
/* Takes the record away from `row`, if it has one, which has or had that device id: it waits, unless another device has it too. */
bool certdir_tenant_record_leave(struct certdir_tenant *tenant, int64_t row, const char *entra_device_id,
				 struct certdir_error *error);
/* The row has no record any more. */
bool certdir_tenant_record_clear(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error);
/* Intune has the record of the row no more, and the shrink guard keeps it: it is as old as the last listing. */
bool certdir_tenant_record_keep(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error);
/* The row of the device that Intune alone knows by that id; 0 = there is none. */
bool certdir_tenant_record_own(struct certdir_tenant *tenant, const char *intune_device_id, int64_t *row,
			       struct certdir_error *error);
/* A device that Intune alone knew is removed when one that Entra ID knows, and still does, has its record. */
bool certdir_tenant_record_merge(struct certdir_tenant *tenant, struct certdir_error *error);
/* Records outlive the devices that are removed in this part. */
bool certdir_tenant_record_outlive(struct certdir_tenant *tenant, struct certdir_error *error);

#endif
