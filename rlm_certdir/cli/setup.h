/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of `certdir setup`. setup.c is the way through it; each of the others one thing that it does. */
#ifndef CERTDIR_CLI_SETUP_H
#define CERTDIR_CLI_SETUP_H

#include "cli/options.h"
#include "sync/application.h"
#include "sync/config.h"

struct certdir_cli_setup {
	const struct certdir_cli_options *options;
	bool asks; /* there is a terminal */
	struct certdir_conf *conf; /* certdir.conf as it is, or NULL */
	struct certdir_conf_section *section; /* [tenant NAME] as it is, or NULL */
	struct certdir_tenant_config place; /* where Graph is, and ca_file */
	char *tenant; /* id or domain; from then on that it was looked up, the id */
	char *name; /* of the section */
	const char *client_id; /* of the application that is there, or NULL */
	bool intune, users, certificates, profiles;
	const char **groups; /* NULL-terminated; NULL: those of the section stay */
	char *list; /* file name of the device list */
	char *key_file;
	int lock; /* on it, or -1 */
	struct certdir_own_credential key;
	struct certdir_application application;
};

/*
 * setup_ask.c: what is chosen, by options, by certdir.conf, by asking. 0, or the exit code after saying what is wrong.
 */
int certdir_cli_setup_ask(struct certdir_cli_setup *setup);
/* A line of the terminal, without its end; the caller frees it. NULL at the end of input. */
char *certdir_cli_setup_line(const char *question);
bool certdir_cli_setup_yes(const char *question);

/* CERTDIR_BIT of the permissions that are needed for it. */
uint32_t certdir_cli_setup_permissions(const struct certdir_cli_setup *setup);

/* setup_conf.c: writes the section into certdir.conf. False after saying why not. */
bool certdir_cli_setup_write(const struct certdir_cli_setup *setup);

/* setup_print.c: the commands that do the same elsewhere. */
void certdir_cli_setup_print(const struct certdir_cli_setup *setup);

/* setup_raddb.c: shows what is to be changed at the RADIUS server, and changes it where that is wanted. 0 or an exit code. */
int certdir_cli_setup_raddb(const struct certdir_cli_setup *setup);

#endif
