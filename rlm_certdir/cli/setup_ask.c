/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `certdir setup` needs to know: options say it, or certdir.conf, or somebody at the terminal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/setup.h"
#include "text/canonical.h"

#define LIST_DEFAULT "/var/lib/certdir/devices.db"

char *certdir_cli_setup_line(const char *question)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	printf("%s", question);
	(void)fflush(stdout);
	length = getline(&line, &size, stdin);
	if (length < 0) {
		free(line);
		return NULL;
	}
	while (length > 0 && strchr(" \t\r\n", line[length - 1]))
		line[--length] = '\0';
	return line;
}

bool certdir_cli_setup_yes(const char *question)
{
	char *line = certdir_cli_setup_line(question);
	const bool yes = line && (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0);

	free(line);
	return yes;
}

/* ---- certdir.conf ---- */

static bool load_conf(struct certdir_cli_setup *setup)
{
	struct certdir_error error;

	if (access(setup->options->conf, F_OK) != 0 && errno == ENOENT)
		return true;
	setup->conf = certdir_conf_load(setup->options->conf, &error);
	if (!setup->conf)
		fprintf(stderr, "certdir: %s\n", error.text);
	return setup->conf != NULL;
}

static const char *option_of(const struct certdir_cli_setup *setup, const char *key)
{
	const struct certdir_conf_entry *entry = setup->section ? certdir_conf_entry(setup->section, key) : NULL;

	return entry ? entry->value : NULL;
}

static bool is_yes(const struct certdir_cli_setup *setup, const char *key, bool usual)
{
	const char *value = option_of(setup, key);

	return value ? strcmp(value, "yes") == 0 : usual;
}

/* The section of the name that is given; without one, the only one that there is. */
static void find_section(struct certdir_cli_setup *setup)
{
	const char *name = setup->options->name;
	size_t count = 0;

	for (struct certdir_conf_section *at = NULL;
	     setup->conf && (at = certdir_conf_section(setup->conf, "tenant", at));) {
		if (name && strcmp(at->name, name) != 0)
			continue;
		setup->section = at;
		count++;
	}
	if (count != 1)
		setup->section = NULL;
}

/* False after saying so, when it authenticates in another way that somebody has chosen. */
static bool may_change(const struct certdir_cli_setup *setup)
{
	static const char *const others[] = {"client_secret_file", "managed_identity", "federated_token_file"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (option_of(setup, others[i])) {
			fprintf(stderr,
				"certdir: %s:%d: [tenant %s] has %s: certdir setup makes a certificate, and a tenant "
				"has one "
				"credential; take that line out first\n",
				setup->options->conf, certdir_conf_entry(setup->section, others[i])->line,
				setup->section->name, others[i]);
			return false;
		}
	if (option_of(setup, "certificate_file") && !is_yes(setup, "renew", false)) {
		fprintf(stderr,
			"certdir: %s:%d: [tenant %s] has a certificate that certdir setup did not make: take "
			"certificate_file and private_key_file out first\n",
			setup->options->conf, certdir_conf_entry(setup->section, "certificate_file")->line,
			setup->section->name);
		return false;
	}
	return true;
}

/* Where Graph is: the section says it, or --cloud, which is read as if it stood in one. False after saying what is wrong. */
static bool read_place(struct certdir_cli_setup *setup)
{
	struct certdir_conf options = {.filename = (char *)(uintptr_t) "--cloud"};
	struct certdir_conf_entry cloud = {
		.key = (char *)(uintptr_t) "cloud", .value = (char *)(uintptr_t)setup->options->cloud, .line = 1};
	struct certdir_conf_section given = {
		.conf = &options, .entries = &cloud, .count = setup->options->cloud ? 1 : 0};
	struct certdir_conf_section *section = setup->section ? setup->section : &given;

	certdir_sync_config_place(section, &setup->place);
	if (section->conf->refused)
		fprintf(stderr, "certdir: %s\n", section->conf->error.text);
	return !section->conf->refused;
}

/* ---- answers ---- */

static bool is_domain_or_id(const char *text)
{
	return *text && strlen(text) < 200 && certdir_conf_plain(text, ".-");
}

/* What an option, or else the terminal, says; NULL after saying which option lacks. The caller frees it. */
static char *answer(const struct certdir_cli_setup *setup, const char *given, const char *option, const char *question,
		    const char *usual)
{
	char *line;

	if (given)
		return strdup(given);
	if (!setup->asks && usual)
		return strdup(usual);
	if (!setup->asks) {
		fprintf(stderr, "certdir: %s is missing, and there is no terminal to ask at\n", option);
		return NULL;
	}
	line = certdir_cli_setup_line(question);
	if (line && *line)
		return line;
	free(line);
	if (!usual)
		fprintf(stderr, "certdir: %s is needed\n", option);
	return usual ? strdup(usual) : NULL;
}

static bool choose_tenant(struct certdir_cli_setup *setup)
{
	const char *given = setup->options->tenant ? setup->options->tenant : option_of(setup, "tenant_id");

	setup->tenant = answer(setup, given, "--tenant",
			       "Tenant, by a domain of it or its ID (contoso.onmicrosoft.com): ", NULL);
	if (setup->tenant && is_domain_or_id(setup->tenant))
		return true;
	if (setup->tenant)
		fprintf(stderr, "certdir: --tenant is a domain of the tenant, or its ID, and not %s\n", setup->tenant);
	return false;
}

/* contoso of contoso.onmicrosoft.com; of an ID nothing can be made. */
static bool choose_name(struct certdir_cli_setup *setup)
{
	const char *given = setup->section ? setup->section->name : setup->options->name;
	char *usual = strndup(setup->tenant, strcspn(setup->tenant, ".")), *question = NULL;
	const bool domain = strchr(setup->tenant, '.');

	if (usual && domain)
		question =
			certdir_print("What is the tenant to be called in certdir.conf and in the list? [%s] ", usual);
	else if (usual)
		question = strdup("What is the tenant to be called in certdir.conf and in the list? (contoso) ");
	if (question)
		setup->name = answer(setup, given, "--name", question, domain ? usual : NULL);
	free(question);
	free(usual);
	if (setup->name && *setup->name && strlen(setup->name) <= 64 && certdir_conf_plain(setup->name, "._-"))
		return true;
	if (setup->name)
		fprintf(stderr, "certdir: --name has 1 to 64 letters, digits, dots, dashes and underscores\n");
	return false;
}

static bool take_feature(struct certdir_cli_setup *setup, const char *word)
{
	bool *const features[] = {&setup->intune, &setup->users, &setup->certificates, &setup->profiles};
	static const char *const names[] = {"intune", "users", "certificates", "profiles"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(word, names[i]) == 0)
			return *features[i] = true;
	if (strcmp(word, "none") == 0)
		return true;
	fprintf(stderr, "certdir: --features are intune, users, certificates, profiles, or none, and not %s\n", word);
	return false;
}

static bool choose_features(struct certdir_cli_setup *setup)
{
	static const char question[] = "What is to be read beside the devices of Entra ID, with blanks between?\n"
				       "  intune        compliance, serial numbers, who is to be wiped\n"
				       "  users         people, for certificates of people\n"
				       "  certificates  which certificate Intune gave to which device\n"
				       "  profiles      Intune's profiles, for `certdir profiles`\n"
				       "[intune] ";
	char *text, *at, *word;
	bool ok = true;

	if (!setup->options->features && setup->section) {
		setup->intune = is_yes(setup, "intune", true);
		setup->users = is_yes(setup, "users", false);
		setup->certificates = is_yes(setup, "certificates", false);
		return true;
	}
	at = text = answer(setup, setup->options->features, "--features", question, setup->asks ? "intune" : NULL);
	while (ok && at && (word = strsep(&at, ", \t")))
		ok = !*word || take_feature(setup, word);
	ok = ok && text;
	free(text);
	return ok;
}

static bool choose_groups(struct certdir_cli_setup *setup)
{
	char **given = setup->options->operands;
	size_t count = 0;
	char *line;

	if (!given[0] && (setup->section || !setup->asks))
		return true;
	setup->groups = calloc(setup->options->operand_count + 64, sizeof(*setup->groups));
	for (; setup->groups && given[count]; count++) {
		const char *why;

		if (!certdir_text_valid(given[count], strlen(given[count]), &why)) {
			fprintf(stderr,
				"certdir: --group is the name of a group, and has something in it that no name has: "
				"%s\n",
				why);
			return false;
		}
		setup->groups[count] = strdup(given[count]);
	}
	while (setup->groups && !given[0] && count < 63) {
		line = certdir_cli_setup_line(
			"A group whose members are to be known, by its name (none: press Return): ");
		if (!line || !*line) {
			free(line);
			break;
		}
		setup->groups[count++] = line;
	}
	return setup->groups != NULL;
}

/* ---- files ---- */

static bool choose_files(struct certdir_cli_setup *setup)
{
	struct certdir_conf_section *list = setup->conf ? certdir_conf_section(setup->conf, "list", NULL) : NULL;
	const struct certdir_conf_entry *entry = list ? certdir_conf_entry(list, "filename") : NULL;
	const char *slash, *file = option_of(setup, "certificate_file");

	setup->list = strdup(entry ? entry->value : LIST_DEFAULT);
	slash = setup->list ? strrchr(setup->list, '/') : NULL;
	if (file)
		setup->key_file = strdup(file);
	else if (slash)
		setup->key_file = certdir_print("%.*s/%s.pem", (int)(slash - setup->list), setup->list, setup->name);
	return setup->key_file != NULL;
}

uint32_t certdir_cli_setup_permissions(const struct certdir_cli_setup *setup)
{
	const struct certdir_conf_entry *group = setup->section ? certdir_conf_entry(setup->section, "group") : NULL;
	uint32_t wanted = CERTDIR_BIT(CERTDIR_PERMISSION_DEVICES);

	if (setup->intune)
		wanted |= CERTDIR_BIT(CERTDIR_PERMISSION_INTUNE);
	if (setup->groups ? setup->groups[0] != NULL : group != NULL)
		wanted |= CERTDIR_BIT(CERTDIR_PERMISSION_GROUPS);
	if (setup->users)
		wanted |= CERTDIR_BIT(CERTDIR_PERMISSION_USERS);
	if (setup->certificates || setup->profiles)
		wanted |= CERTDIR_BIT(CERTDIR_PERMISSION_CONFIGURATION);
	return wanted;
}

int certdir_cli_setup_ask(struct certdir_cli_setup *setup)
{
	if (!load_conf(setup))
		return EX_CONFIG;
	find_section(setup);
	if (!may_change(setup))
		return EX_CONFIG;
	if (!choose_tenant(setup) || !choose_name(setup) || !choose_features(setup) || !choose_groups(setup) ||
	    !choose_files(setup))
		return EX_USAGE;
	if (!read_place(setup))
		return setup->section ? EX_CONFIG : EX_USAGE;
	setup->client_id = option_of(setup, "client_id");
	return 0;
}
