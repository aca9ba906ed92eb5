/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/conf_file.h"

#include <string.h>
#include <sysexits.h>

#include "base/permissions.h"
#include "cli/failure.h"
#include "list/list.h"

/* A list that was made anew may lack a table that it is going to have again. */
static void expect_tables(struct certdir_cli_conf *loaded)
{
	bool expected = false;

	for (size_t i = 0; i < loaded->config.count; i++)
		expected |= loaded->config.tenants[i].certificates;
	for (size_t i = 0; i < loaded->placeholders.count; i++)
		loaded->placeholders.sections[i].issued = expected;
}

bool certdir_cli_conf_load(const char *filename, bool placeholders, struct certdir_cli_conf *loaded)
{
	static const char *const kinds[] = {"list", "tenant", "ldap", "placeholders", NULL};
	struct certdir_error error;
	bool ok;

	memset(loaded, 0, sizeof(*loaded));
	loaded->conf = certdir_conf_load(filename, &error);
	ok = loaded->conf;
	/* Reading goes on behind a mistake: of all of them the one that stands first is reported. */
	if (loaded->conf) {
		ok = certdir_sync_config_read(loaded->conf, &loaded->config, &error);
		if (placeholders)
			ok &= certdir_placeholders_config_read(loaded->conf, &loaded->placeholders, &error);
		ok &= certdir_conf_finish(loaded->conf, kinds, &error);
	}
	if (ok) {
		expect_tables(loaded);
		certdir_permissions_warn(filename);
		certdir_list_permissions_warn(loaded->config.list);
		return true;
	}
	(void)certdir_cli_fail(EX_CONFIG, filename, "%s", error.text);
	certdir_cli_conf_clear(loaded);
	return false;
}

void certdir_cli_conf_clear(struct certdir_cli_conf *loaded)
{
	certdir_placeholders_config_clear(&loaded->placeholders);
	certdir_sync_config_clear(&loaded->config);
	certdir_conf_free(loaded->conf);
	memset(loaded, 0, sizeof(*loaded));
}
