/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `certdir setup` writes into certdir.conf. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/permissions.h"
#include "base/replace.h"
#include "cli/conf_file.h"
#include "cli/setup.h"
#include "conf/edit.h"

enum { MODE = 0640, CONF_MAX = 1 << 20 };

/* "" when there is none yet. NULL after saying why it cannot be read. */
static char *read_text(const char *filename)
{
	const int file = open(filename, O_RDONLY | O_CLOEXEC);
	size_t length;
	char *text;

	if (file < 0 && errno == ENOENT)
		return strdup("");
	text = file >= 0 ? certdir_file_load(file, CONF_MAX, &length) : NULL;
	if (!text)
		fprintf(stderr, "certdir: %s cannot be read: %s\n", filename, strerror(errno));
	if (file >= 0)
		(void)close(file);
	return text;
}

/* Whether certdir sync would take it, before it takes the place of what is there. */
static bool would_load(const char *text)
{
	const int file = memfd_create("certdir.conf", MFD_CLOEXEC);
	struct certdir_cli_conf loaded;
	char name[64];
	bool ok;

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	ok = file >= 0 && fchmod(file, 0600) == 0 && certdir_file_write(file, text, strlen(text)) &&
	     certdir_cli_conf_load(name, false, &loaded);
	if (ok)
		certdir_cli_conf_clear(&loaded);
	if (file >= 0)
		(void)close(file);
	return ok;
}

static char *edited(const struct certdir_cli_setup *setup, const char *text)
{
	static const char *const yes[] = {"yes", NULL}, *const no[] = {"no", NULL};
	const char *const tenant[] = {setup->tenant, NULL}, *const client[] = {setup->application.client_id, NULL};
	const char *const object[] = {setup->application.object_id, NULL}, *const file[] = {setup->key_file, NULL};
	struct certdir_conf_setting settings[] = {
		{"tenant_id", tenant},
		{"client_id", client},
		{"object_id", object},
		{"certificate_file", file},
		{"private_key_file", file},
		{"renew", yes},
		{"intune", setup->intune ? yes : no},
		{"users", setup->users ? yes : no},
		{"certificates", setup->certificates ? yes : no},
		{"group", setup->groups},
	};
	char *section = certdir_print("tenant %s", setup->name), *result = NULL;

	if (section)
		result = certdir_conf_edit(text, section, settings,
					   sizeof(settings) / sizeof(settings[0]) - (setup->groups ? 0 : 1));
	free(section);
	return result;
}

/* Who syncs has to read it, and need not be root. */
static void give_to_group(const char *filename)
{
	const struct passwd *user = getpwnam("certdir");

	if (user && !certdir_permissions_give(filename, (uid_t)-1, user->pw_gid))
		fprintf(stderr, "certdir: warning: %s cannot be given to the group of the user certdir: %s\n", filename,
			strerror(errno));
}

bool certdir_cli_setup_write(const struct certdir_cli_setup *setup)
{
	/* Where it is a link, into another place that somebody keeps, it stays one. */
	char *real = realpath(setup->options->conf, NULL);
	const char *filename = real ? real : setup->options->conf;
	char *before = read_text(filename), *after = before ? edited(setup, before) : NULL;
	struct stat status;
	bool ok = false;

	if (before && !after)
		fprintf(stderr, "certdir: out of memory\n");
	if (after && would_load(after)) {
		const bool is_new = stat(filename, &status) != 0;

		ok = strcmp(before, after) == 0 ||
		     certdir_replace(filename, after, is_new ? MODE : status.st_mode & 07777);
		if (!ok)
			fprintf(stderr, "certdir: %s cannot be written: %s\n", filename, strerror(errno));
		else if (is_new)
			give_to_group(filename);
	}
	free(real);
	free(before);
	free(after);
	return ok;
}
