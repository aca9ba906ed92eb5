/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/raddb_file.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <freeradius/radpaths.h>

#include "base/array.h"
#include "cli/failure.h"
#include "raddb.h"
#include "raddb_directories.h"
#include "raddb_section.h"

struct raddb_file {
	CONF_SECTION *root;
	CONF_SECTION *module; /* certdir { }, or NULL */
	struct certdir_raddb raddb;
	struct certdir_finding *findings;
	size_t finding_count;
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
static CONF_SECTION *find_section(CONF_SECTION *root, char const *module)
{
	CONF_SECTION *modules = cf_section_sub_find(root, "modules");

	FOR_EACH_SECTION(cs, modules, "certdir")
		if (!module || strcmp(section_instance(cs), module) == 0)
			return cs;
	return NULL;
}

/* The parser looks at the attributes in conditions: load the server's dictionary, and the local one, which may be absent. */
static bool load_dictionaries(char const *directory)
{
	if (dict_init(DICTDIR, RADIUS_DICTIONARY) != 0 || dict_read(directory, RADIUS_DICTIONARY) == -1) {
		(void)certdir_cli_fail(EX_CONFIG, directory, "the server's dictionaries: %s", fr_strerror());
		return false;
	}
	return true;
}

static void keep_finding(void *context, const struct certdir_finding *finding)
{
	struct raddb_file *file = context;
	struct certdir_finding *kept = certdir_array_next(&file->findings, file->finding_count, sizeof(*kept));

	if (!kept)
		return;
	*kept = *finding;
	file->finding_count++;
}

/* `user` or `group`: in security { }, or where older configurations have it. */
static char const *server_account(CONF_SECTION *root, char const *option)
{
	CONF_SECTION *security = cf_section_sub_find(root, "security");
	CONF_PAIR *pair = security ? cf_pair_find(security, option) : NULL;

	if (!pair)
		pair = cf_pair_find(root, option);
	return pair ? cf_pair_value(pair) : NULL;
}

/* The server reads its configuration as root and all else as its own user. */
static bool become_server(CONF_SECTION *root)
{
	char const *user = server_account(root, "user"), *group = server_account(root, "group");
	struct passwd const *account = user ? getpwnam(user) : NULL;
	struct group const *own = group ? getgrnam(group) : NULL;

	if (!user)
		return true;
	if (!account || (group && !own)) {
		(void)certdir_cli_fail(EX_CONFIG, NULL, "the server's %s = %s does not exist here",
				       account ? "group" : "user", account ? group : user);
		return false;
	}
	if (geteuid() == account->pw_uid)
		return true;
	if (geteuid() != 0) {
		fprintf(stderr,
			"certdir: the server runs as %s and may read other files than you: run certdir as root to see "
			"what it sees\n",
			user);
		return true;
	}
	if (initgroups(user, own ? own->gr_gid : account->pw_gid) == 0 &&
	    setgid(own ? own->gr_gid : account->pw_gid) == 0 && setuid(account->pw_uid) == 0)
		return true;
	(void)certdir_cli_fail(EX_CONFIG, NULL, "cannot become the server's user %s: %s", user, strerror(errno));
	return false;
}

bool raddb_file_become_server(const struct raddb_file *file)
{
	return become_server(file->root);
}

static bool read_root(struct raddb_file *file, const char *directory)
{
	char path[PATH_MAX];

	default_log.dst = L_DST_STDERR;
	default_log.fd = STDERR_FILENO;
	snprintf(path, sizeof(path), "%s/radiusd.conf", directory);
	if (access(path, R_OK) != 0) {
		(void)certdir_cli_fail(EX_CONFIG, path, "cannot read %s: %s%s", path, strerror(errno),
				       errno == EACCES ? ": run certdir as root, or as the server's user" : "");
		return false;
	}
	file->root = cf_section_alloc(NULL, "main", NULL);
	root_config = file->root;
	if (!load_dictionaries(directory))
		return false;
	if (file->root && cf_file_read(file->root, path) == 0)
		return true;
	(void)certdir_cli_fail(EX_CONFIG, path, "cannot read %s", path);
	return false;
}

struct raddb_file *raddb_file_look(const char *directory, const char *module)
{
	struct raddb_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	if (!read_root(file, directory)) {
		talloc_free(file->root);
		free(file);
		return NULL;
	}
	file->module = find_section(file->root, module);
	return file;
}

void raddb_file_check_wiring(struct raddb_file *file)
{
	certdir_wiring_check(file->root, keep_finding, file);
}

bool raddb_file_enter(struct raddb_file *file)
{
	if (!become_server(file->root))
		return false;
	if (certdir_raddb_read(file->module, false, &file->raddb))
		return true;
	/* The server's parser writes past this program. */
	certdir_cli_failure_keep(raddb_file_place(file), NULL,
				 "the section certdir { } has a mistake: standard error says which");
	return false;
}

struct raddb_file *raddb_file_open(const char *directory, const char *module)
{
	struct raddb_file *file = raddb_file_look(directory, module);

	if (!file)
		return NULL;
	if (!file->module)
		(void)certdir_cli_fail(EX_CONFIG, directory,
				       "%s has no certdir module%s%s: link mods-available/certdir into mods-enabled",
				       directory, module ? " named " : "", module ? module : "");
	else
		raddb_file_check_wiring(file);
	if (file->module && raddb_file_enter(file))
		return file;
	free(file->findings);
	talloc_free(file->root);
	free(file);
	return NULL;
}

const struct certdir_checker *raddb_file_checker(const struct raddb_file *file)
{
	return &file->raddb.checker;
}

bool raddb_file_observes(const struct raddb_file *file)
{
	return file->raddb.observe;
}

const struct certdir_finding *raddb_file_findings(const struct raddb_file *file, size_t *count)
{
	*count = file->finding_count;
	return file->findings;
}

static char const *value_of(CONF_SECTION *cs, char const *option)
{
	CONF_PAIR *pair = cs ? cf_pair_find(cs, option) : NULL;

	return pair ? cf_pair_value(pair) : NULL;
}

const char *raddb_file_user(const struct raddb_file *file)
{
	return server_account(file->root, "user");
}

const char *raddb_file_libraries(const struct raddb_file *file)
{
	char const *set = value_of(file->root, "libdir");

	return set ? set : LIBDIR;
}

const char *raddb_file_option(const struct raddb_file *file, const char *option)
{
	return value_of(file->module, option);
}

const char *raddb_file_sessions(const struct raddb_file *file)
{
	struct certdir_raddb_sessions sessions = {.wanted = false};

	return file->module && raddb_sessions_read(file->module, &sessions) && sessions.wanted ? sessions.filename
											       : NULL;
}

const char *raddb_file_place(const struct raddb_file *file)
{
	return file->module ? cf_section_filename(file->module) : NULL;
}

static void each_client_in(CONF_SECTION *in, void (*each)(void *context, const char *address), void *context)
{
	static char const *const options[] = {"ipaddr", "ipv4addr", "ipv6addr"};

	FOR_EACH_SECTION(client, in, "client")
		for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
			char const *address = value_of(client, options[i]);

			if (address)
				each(context, address);
		}
}

void raddb_file_each_client(const struct raddb_file *file, void (*each)(void *context, const char *address),
			    void *context)
{
	static char const *const holders[] = {"clients", "server"};

	each_client_in(file->root, each, context);
	for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++)
		FOR_EACH_SECTION(holder, file->root, holders[i])
			each_client_in(holder, each, context);
}

void raddb_file_each_tls(const struct raddb_file *file, void (*each)(void *context, const struct raddb_tls *tls),
			 void *context)
{
	CONF_SECTION *modules = cf_section_sub_find(file->root, "modules");

	FOR_EACH_SECTION(eap, modules, "eap")
		FOR_EACH_SECTION(tls, eap, "tls-config") {
			CONF_SECTION *cache = cf_section_sub_find(tls, "cache");
			char const *enabled = value_of(cache, "enable");

			each(context, &(struct raddb_tls){.certificate_file = value_of(tls, "certificate_file"),
							  .private_key_file = value_of(tls, "private_key_file"),
							  .ca_file = value_of(tls, "ca_file"),
							  .least = value_of(tls, "tls_min_version"),
							  .most = value_of(tls, "tls_max_version"),
							  .sessions = enabled && strcmp(enabled, "yes") == 0
									      ? value_of(cache, "persist_dir")
									      : NULL});
		}
}

struct naming {
	char const *name;
	bool found;
};

static bool compare_name(CONF_ITEM *at, char const *word, void *context)
{
	struct naming *naming = context;

	(void)at;
	naming->found |= strcmp(word, naming->name) == 0;
	return true;
}

static bool is_named(CONF_SECTION *module, CONF_SECTION *cs)
{
	char const *directories = value_of(module, "directories");
	struct naming naming = {section_instance(cs), false};

	(void)section_words(section_place(module, "directories"), directories ? directories : "list", compare_name,
			    &naming);
	return naming.found;
}

void raddb_file_each_directory(const struct raddb_file *file,
			       void (*each)(void *context, const struct raddb_directory *directory), void *context)
{
	if (!file->module)
		return;
	FOR_EACH_SECTION(cs, file->module, "list") {
		struct certdir_list_config list = {.filename = NULL};

		if (is_named(file->module, cs) && raddb_list_read(cs, &list))
			each(context, &(struct raddb_directory){.name = section_instance(cs), .list = &list});
	}
	FOR_EACH_SECTION(cs, file->module, "ldap") {
		struct certdir_ldap_directory_config ldap = {.name = NULL};

		if (is_named(file->module, cs) && raddb_ldap_read(cs, &ldap))
			each(context, &(struct raddb_directory){.name = section_instance(cs), .ldap = &ldap});
	}
}

void raddb_file_close(struct raddb_file *file)
{
	free(file->findings);
	certdir_checker_clear(&file->raddb.checker);
	talloc_free(file->root);
	dict_free();
	free(file);
}
