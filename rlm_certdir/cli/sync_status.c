/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sync_status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FILE_MODE = 0640 }; /* as the list's: errors name tenants */

json_t *certdir_cli_sync_status_load(const char *list)
{
	json_t *status = NULL;
	char *name = NULL;

	if (asprintf(&name, "%s.status", list) < 0)
		return NULL;
	status = json_load_file(name, JSON_REJECT_DUPLICATES, NULL);
	free(name);
	return status;
}

json_t *certdir_cli_sync_status_tenant(const json_t *status, const char *tenant)
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

static bool take_over(const struct certdir_sync_config *config, json_t *report, const json_t *before)
{
	static const char expires[] = "credential_expires";

	for (size_t i = 0; i < config->count; i++) {
		json_t *former = certdir_cli_sync_status_tenant(before, config->tenants[i].name);
		json_t *present = certdir_cli_sync_status_tenant(report, config->tenants[i].name);

		if (!former)
			continue;
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

static bool write_text(int file, const char *text)
{
	size_t length = strlen(text);
	ssize_t written;

	while (length > 0) {
		written = write(file, text, length);
		if (written < 0)
			return false;
		text += written;
		length -= (size_t)written;
	}
	return fsync(file) == 0;
}

/*
 * The temporary name is always the same, so that what a killed run left is used again; its lock keeps two runs apart. False with
 * errno.
 */
static bool write_file(const char *name, const char *temporary, const char *text)
{
	int file = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE), code;

	if (file < 0)
		return false;
	if (flock(file, LOCK_EX | LOCK_NB) != 0) {
		code = errno;
	} else if (ftruncate(file, 0) == 0 && write_text(file, text) && rename(temporary, name) == 0) {
		code = 0;
	} else {
		code = errno;
		(void)unlink(temporary);
	}
	(void)close(file);
	errno = code;
	return code == 0;
}

bool certdir_cli_sync_status_save(const struct certdir_sync_config *config, json_t *report, struct certdir_error *error)
{
	json_t *before = certdir_cli_sync_status_load(config->list);
	char *name = NULL, *temporary = NULL, *text = NULL;
	bool ok = false;

	errno = ENOMEM;
	if (asprintf(&name, "%s.status", config->list) < 0)
		name = NULL;
	if (asprintf(&temporary, "%s.status.new", config->list) < 0)
		temporary = NULL;
	if (take_over(config, report, before))
		text = json_dumps(report, JSON_INDENT(1));
	ok = name && temporary && text && write_file(name, temporary, text);
	if (!ok)
		certdir_error_set(error, "%s.status cannot be written: %s; certdir status does not know of this run",
				  config->list, strerror(errno));
	json_decref(before);
	free(name);
	free(temporary);
	free(text);
	return ok;
}
