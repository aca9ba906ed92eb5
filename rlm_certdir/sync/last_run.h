/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report of the last sync, kept beside the list as LIST.status, because the list itself tells of successes only: the last
 * error and the expiry of credentials are read back by `certdir status`.
 */
#ifndef CERTDIR_SYNC_LAST_RUN_H
#define CERTDIR_SYNC_LAST_RUN_H

#include "sync/config.h"

#include <jansson.h>

/* A new reference to what is kept; NULL when there is nothing, or nothing that can be read. */
json_t *certdir_sync_last_run_load(const char *list);

/* The object of `tenant` in it, borrowed, or NULL. */
json_t *certdir_sync_last_run_tenant(const json_t *status, const char *tenant);

/*
 * Keeps `report`, whole or not at all. Configured tenants and parts that it says no end of (marked with "earlier": true), and
 * expiries that it does not know, are taken over from what was kept. False with `error`.
 */
bool certdir_sync_last_run_save(const struct certdir_sync_config *config, json_t *report, struct certdir_error *error);

#endif
