/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the RADIUS server needs so that certdir is asked: links in raddb, and another list's name. It is shown first. radiusd reads the
 * enabled folders and policy.d whole, so what is put aside goes into mods-available. What the server does not take is taken back at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/replace.h"
#include "cli/judge.h"
#include "cli/setup.h"

#define MODULE "mods-available/certdir"
#define NEW_LINK "mods-available/.certdir-setup"
#define SHIPPED_LIST "filename = /var/lib/certdir/devices.db"

enum { FILE_MAX = 1 << 20, OUTPUT_MAX = 4 << 20, TARGET_SIZE = 128, LINKS = 5 };

static const struct {
	const char *name, *target;
	const char *before; /* what may be replaced: the distribution's own; or NULL */
} links[LINKS] = {
	{"mods-enabled/certdir", "../mods-available/certdir", NULL},
	{"sites-enabled/certdir-check", "../sites-available/certdir-check", NULL},
	{"sites-enabled/certdir-wifi", "../sites-available/certdir-wifi", NULL},
	{"sites-enabled/certdir-wired", "../sites-available/certdir-wired", NULL},
	{"mods-enabled/eap", "../mods-available/certdir-eap", "../mods-available/eap"},
};

struct proposal {
	int raddb; /* directory */
	const char *directory;
	bool wanted[LINKS];
	bool had_eap; /* the distribution's link is there */
	bool other_eap; /* something else is: it stays */
	char *before, *after; /* the module's file, where it names another list; or NULL */
	mode_t mode; /* of it */
	const char *list;
};

/* ---- what is to be changed ---- */

/* Where the link leads to, "" = there is none, "?" = it is something else. */
static void read_link(const struct proposal *proposal, const char *name, char target[TARGET_SIZE])
{
	const ssize_t length = readlinkat(proposal->raddb, name, target, TARGET_SIZE - 1);

	target[length > 0 ? length : 0] = '\0';
	if (length < 0 && errno != ENOENT)
		(void)snprintf(target, TARGET_SIZE, "?");
}

static void propose_links(struct proposal *proposal)
{
	char target[TARGET_SIZE];

	for (size_t i = 0; i < LINKS; i++) {
		read_link(proposal, links[i].name, target);
		/* A link to what was not installed would stop the server. */
		if (faccessat(proposal->raddb, links[i].target + strlen("../"), F_OK, 0) != 0)
			continue;
		if (!target[0]) {
			proposal->wanted[i] = true;
		} else if (links[i].before && strcmp(target, links[i].before) == 0) {
			proposal->wanted[i] = proposal->had_eap = true;
		} else if (links[i].before && strcmp(target, links[i].target) != 0) {
			proposal->other_eap = true;
		}
	}
}

static char *read_module(struct proposal *proposal)
{
	const int file = openat(proposal->raddb, MODULE, O_RDONLY | O_CLOEXEC);
	struct stat status;
	size_t length;
	char *text = NULL;

	if (file >= 0 && fstat(file, &status) == 0) {
		proposal->mode = status.st_mode & 07777;
		text = certdir_file_load(file, FILE_MAX, &length);
	}
	if (file >= 0)
		(void)close(file);
	return text;
}

/* As shipped, it names the usual list. Whoever has written another name knows why. */
static void propose_list(struct proposal *proposal)
{
	char *text = read_module(proposal), *at = text ? strstr(text, SHIPPED_LIST) : NULL;

	if (at && strcmp(proposal->list, SHIPPED_LIST + strlen("filename = ")) != 0) {
		proposal->before = text;
		proposal->after = certdir_print("%.*sfilename = %s%s", (int)(at - text), text, proposal->list,
						at + strlen(SHIPPED_LIST));
	} else {
		free(text);
	}
}

static bool is_empty(const struct proposal *proposal)
{
	bool any = proposal->after;

	for (size_t i = 0; i < LINKS; i++)
		any |= proposal->wanted[i];
	return !any;
}

static void show(const struct proposal *proposal)
{
	printf("\nThe RADIUS server, %s, needs:\n", proposal->directory);
	for (size_t i = 0; i < LINKS; i++) {
		if (!proposal->wanted[i])
			continue;
		if (links[i].before && proposal->had_eap)
			printf("-%s -> %s\n", links[i].name, links[i].before);
		printf("+%s -> %s\n", links[i].name, links[i].target);
	}
	if (proposal->after)
		printf("--- " MODULE "\n-\t\t" SHIPPED_LIST "\n+\t\tfilename = %s\n", proposal->list);
	if (proposal->had_eap)
		printf("certdir-eap offers EAP-TLS alone, with certs/server.pem, server.key and device-ca.pem; where "
		       "people log in "
		       "with PEAP\nor the like, say no: README.md, Other EAP methods, has the two lines that change "
		       "instead.\n");
	if (proposal->other_eap)
		printf("mods-enabled/eap is the site's own and stays: its tls { } needs virtual_server = "
		       "certdir-check.\n");
	printf("In clients.conf, each network device gets virtual_server = certdir-wifi or certdir-wired.\n");
}

/* ---- changing it ---- */

/* A link is made under another name first, where the server reads nothing, so that one that is there is never gone. */
static bool put_link(const struct proposal *proposal, const char *name, const char *target)
{
	(void)unlinkat(proposal->raddb, NEW_LINK, 0);
	return symlinkat(target, proposal->raddb, NEW_LINK) == 0 &&
	       renameat(proposal->raddb, NEW_LINK, proposal->raddb, name) == 0;
}

static bool put_module(const struct proposal *proposal, const char *suffix, const char *text)
{
	char *name = certdir_print("%s/" MODULE "%s", proposal->directory, suffix);
	const bool ok = name && certdir_replace(name, text, proposal->mode);

	free(name);
	return ok;
}

static bool apply(const struct proposal *proposal)
{
	bool ok = true;

	if (proposal->after)
		ok = put_module(proposal, ".before-setup", proposal->before) &&
		     put_module(proposal, "", proposal->after);
	for (size_t i = 0; ok && i < LINKS; i++)
		ok = !proposal->wanted[i] || put_link(proposal, links[i].name, links[i].target);
	if (!ok)
		fprintf(stderr, "certdir: %s cannot be changed: %s\n", proposal->directory, strerror(errno));
	return ok;
}

static void take_back(const struct proposal *proposal)
{
	if (proposal->after)
		(void)put_module(proposal, "", proposal->before);
	(void)unlinkat(proposal->raddb, NEW_LINK, 0);
	for (size_t i = 0; i < LINKS; i++) {
		if (!proposal->wanted[i])
			continue;
		if (links[i].before && proposal->had_eap)
			(void)put_link(proposal, links[i].name, links[i].before);
		else
			(void)unlinkat(proposal->raddb, links[i].name, 0);
	}
}

/* ---- does the server take it? ---- */

/* Runs the server's own check; what it says goes to `output`. The exit code, -1 = there is no server to be run. */
static int run_server(const char *directory, int output)
{
	static const char *const servers[] = {"/usr/sbin/freeradius", "/usr/sbin/radiusd"};
	posix_spawn_file_actions_t actions;
	int status = -1;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	(void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	for (size_t i = 0; i < 2 && status < 0; i++) {
		char *const arguments[] = {(char *)(uintptr_t)servers[i], (char *)(uintptr_t) "-XC",
					   (char *)(uintptr_t) "-d", (char *)(uintptr_t)directory, NULL};
		pid_t child;

		if (posix_spawn(&child, servers[i], &actions, NULL, arguments, environ) == 0 &&
		    waitpid(child, &status, 0) == child)
			status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return status;
}

/* The server's reasons stand in its last lines. */
static void print_end(int output)
{
	size_t length = 0, lines = 0, at;
	char *text = lseek(output, 0, SEEK_SET) == 0 ? certdir_file_load(output, OUTPUT_MAX, &length) : NULL;

	for (at = length; at > 0 && lines < 6; at--)
		lines += text[at - 1] == '\n';
	if (text)
		fprintf(stderr, "%s\n", text + at + (at > 0));
	free(text);
}

static int try_server(const struct proposal *proposal)
{
	const int output = memfd_create("radiusd", MFD_CLOEXEC);
	const int status = output >= 0 ? run_server(proposal->directory, output) : -1;

	if (status > 0) {
		take_back(proposal);
		print_end(output);
		fprintf(stderr, "certdir: the RADIUS server does not take this configuration, so all of it was taken "
				"back: mend what it "
				"says above, and run certdir setup again\n");
	} else if (status == 0) {
		printf("Done, and the server's own check (-XC) is content: restart it when clients.conf is ready.\n");
	} else {
		printf("Done. No radiusd was found to check it: run radiusd -XC before a restart.\n");
	}
	if (output >= 0)
		(void)close(output);
	return status > 0 ? EX_CONFIG : 0;
}

/* ---- all ---- */

static int decide(const struct certdir_cli_setup *setup, const struct proposal *proposal)
{
	if (is_empty(proposal)) {
		printf("\nThe RADIUS server, %s, has certdir enabled.\n", proposal->directory);
		return 0;
	}
	show(proposal);
	if (!setup->options->write_raddb && (!setup->asks || !certdir_cli_setup_yes("Change it so? [no] "))) {
		printf("Nothing of it was changed; certdir setup --write-raddb does it.\n");
		return 0;
	}
	if (!apply(proposal)) {
		take_back(proposal);
		return EX_CANTCREAT;
	}
	return try_server(proposal);
}

int certdir_cli_setup_raddb(const struct certdir_cli_setup *setup)
{
	struct proposal proposal = {.directory =
					    setup->options->raddb ? setup->options->raddb : certdir_cli_default_raddb(),
				    .list = setup->list};
	int status = 0;

	if (!proposal.directory)
		return 0;
	proposal.raddb = open(proposal.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proposal.raddb < 0) {
		printf("\nThe configuration of the RADIUS server, %s, cannot be read: %s; run certdir setup as root to "
		       "have "
		       "certdir enabled there.\n",
		       proposal.directory, strerror(errno));
	} else if (faccessat(proposal.raddb, MODULE, F_OK, 0) != 0) {
		printf("\n%s has no " MODULE ": make install puts it there, on the machine of the RADIUS server.\n",
		       proposal.directory);
	} else {
		propose_links(&proposal);
		propose_list(&proposal);
		status = decide(setup, &proposal);
	}
	if (proposal.raddb >= 0)
		(void)close(proposal.raddb);
	free(proposal.before);
	free(proposal.after);
	return status;
}
