/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's own configuration, read by the server's own parser. Nothing of FreeRADIUS shows through this header. */
#ifndef CERTDIR_CLI_RADDB_FILE_H
#define CERTDIR_CLI_RADDB_FILE_H

#include "checker.h"
#include "directory/ldap.h"
#include "directory/list.h"
#include "wiring.h"

struct raddb_file;

/*
 * Reads DIR/radiusd.conf and makes a checker of its `certdir` section, or of `certdir MODULE` when module is not NULL. Run by root, the
 * process becomes the server's user for good, as that configuration names it: what the server cannot read then counts as
 * what it is. NULL when it cannot: the mistakes were printed on stderr with file and line.
 */
struct raddb_file *raddb_file_open(const char *directory, const char *module);
/*
 * The same without a checker and findings: nothing is opened, the process stays who it is, and there need be no `certdir` section. Then
 * there is none to be asked for with raddb_file_checker() and raddb_file_observes().
 */
struct raddb_file *raddb_file_look(const char *directory, const char *module);
/* Fills raddb_file_findings(). */
void raddb_file_check_wiring(struct raddb_file *file);
/* The rest of what raddb_file_open() does, for a file that has a `certdir` section. False: the mistakes were printed. */
bool raddb_file_enter(struct raddb_file *file);
/* The first half of that: the process becomes the server's user. False: what is wrong was said on stderr. */
bool raddb_file_become_server(const struct raddb_file *file);
/* The server's user, or NULL: it runs as who starts it. */
const char *raddb_file_user(const struct raddb_file *file);
/* Where the server looks for modules: directories, with colons between them. */
const char *raddb_file_libraries(const struct raddb_file *file);
/* What an option of the `certdir` section is set to, or NULL. */
const char *raddb_file_option(const struct raddb_file *file, const char *option);
/* The file of sessions, or NULL: none are kept, or sessions { } has a mistake. */
const char *raddb_file_sessions(const struct raddb_file *file);
/* Where the `certdir` section stands, or NULL when there is none. */
const char *raddb_file_place(const struct raddb_file *file);
const struct certdir_checker *raddb_file_checker(const struct raddb_file *file);
/* Whether that section denies nobody: policy { mode = observe }. */
bool raddb_file_observes(const struct raddb_file *file);
/* What is wrong on the way from the network to certdir; of all its instances. */
const struct certdir_finding *raddb_file_findings(const struct raddb_file *file, size_t *count);
/* Calls `each` with the address of each client { } of the configuration, as it stands there; it is borrowed. */
void raddb_file_each_client(const struct raddb_file *file, void (*each)(void *context, const char *address),
			    void *context);
/* A TLS configuration of an eap module. Texts are NULL where they are not set. */
struct raddb_tls {
	const char *certificate_file, *private_key_file, *ca_file;
	const char *least, *most; /* TLS versions: tls_min_version, tls_max_version */
	const char *sessions; /* where sessions are kept for resumption: persist_dir, when the cache is enabled */
};
void raddb_file_each_tls(const struct raddb_file *file, void (*each)(void *context, const struct raddb_tls *tls),
			 void *context);

/* A directory that the `certdir` section names in `directories`: one of both is set. */
struct raddb_directory {
	const char *name;
	const struct certdir_list_config *list;
	const struct certdir_ldap_directory_config *ldap;
};
/* Calls `each` for those that can be read; what it is given lives during the call, and its texts as long as the file. */
void raddb_file_each_directory(const struct raddb_file *file,
			       void (*each)(void *context, const struct raddb_directory *directory), void *context);
void raddb_file_close(struct raddb_file *file);

#endif
