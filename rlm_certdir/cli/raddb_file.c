/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/raddb_file.h"

#include "raddb.h"

#include <freeradius/radpaths.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct raddb_file {
	CONF_SECTION *root;
	struct certdir_raddb raddb;
};

/* libfreeradius-server calls these in the program it is linked to, so they must be seen. The parser never runs a program. */
__attribute__((visibility("default"))) pid_t rad_fork(void);
__attribute__((visibility("default"))) pid_t rad_waitpid(pid_t pid, int *status);

pid_t rad_fork(void)
{
	return fork();
}

pid_t rad_waitpid(pid_t pid, int *status)
{
	return waitpid(pid, status, 0);
}

extern CONF_SECTION *root_config;

/* modules { certdir [module] { .. } } */
static CONF_SECTION *find_section(CONF_SECTION *root, char const *directory, char const *module)
{
	CONF_SECTION *modules = cf_section_sub_find(root, "modules");
	CONF_SECTION *cs = modules ? cf_section_sub_find(modules, "certdir") : NULL;

	for (; cs; cs = cf_subsection_find_next(modules, cs, "certdir")) {
		char const *name = cf_section_name2(cs) ? cf_section_name2(cs) : cf_section_name1(cs);

		if (!module || strcmp(name, module) == 0)
			return cs;
	}
	fprintf(stderr, "certdir: %s has no certdir module%s%s: link mods-available/certdir into mods-enabled\n",
		directory, module ? " named " : "", module ? module : "");
	return NULL;
}

/* The parser looks at the attributes in conditions: load the server's dictionary, and the local one, which may be absent. */
static bool load_dictionaries(char const *directory)
{
	if (dict_init(DICTDIR, RADIUS_DICTIONARY) != 0 || dict_read(directory, RADIUS_DICTIONARY) == -1) {
		fprintf(stderr, "certdir: the server's dictionaries: %s\n", fr_strerror());
		return false;
	}
	return true;
}

struct raddb_file *raddb_file_open(const char *directory, const char *module)
{
	struct raddb_file *file = calloc(1, sizeof(*file));
	CONF_SECTION *cs;
	char path[PATH_MAX];

	if (!file)
		return NULL;
	default_log.dst = L_DST_STDERR;
	default_log.fd = STDERR_FILENO;
	snprintf(path, sizeof(path), "%s/radiusd.conf", directory);
	file->root = cf_section_alloc(NULL, "main", NULL);
	root_config = file->root;
	if (!load_dictionaries(directory))
		goto fail;
	if (!file->root || cf_file_read(file->root, path) < 0) {
		fprintf(stderr, "certdir: cannot read %s\n", path);
		goto fail;
	}
	cs = find_section(file->root, directory, module);
	if (cs && certdir_raddb_read(cs, false, &file->raddb))
		return file;
fail:
	talloc_free(file->root);
	free(file);
	return NULL;
}

const struct certdir_checker *raddb_file_checker(const struct raddb_file *file)
{
	return &file->raddb.checker;
}

void raddb_file_close(struct raddb_file *file)
{
	certdir_checker_clear(&file->raddb.checker);
	talloc_free(file->root);
	dict_free();
	free(file);
}
