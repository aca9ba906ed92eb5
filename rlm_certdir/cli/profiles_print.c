/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/profiles_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/color.h"
#include "cli/json.h"
#include "profiles/check.h"
#include "profiles/sections.h"
#include "profiles/specimen.h"

/* ---- what certdir reads ---- */

static const char *meaning(const struct certdir_identity *identity)
{
	if (CERTDIR_PERSONS & CERTDIR_BIT(identity->type))
		return "a person's name, which Intune fills in: looked up where a section says holder = user or both";
	switch (identity->rank) {
	case CERTDIR_RANK_VOUCHED:
		return "an id, which nobody can choose";
	case CERTDIR_RANK_ID:
		return "taken for an id, which nobody can choose as long as this profile puts it there";
	case CERTDIR_RANK_CHOSEN:
		return "a name, which whoever holds the device can choose";
	case CERTDIR_RANK_CONFIRMING:
		return "finds no device, and denies where it is another's";
	case CERTDIR_RANK_NONE:
	case CERTDIR_RANKS:
		break;
	}
	return "a name by which no device is looked up";
}

/* The variable that a value came from, where it is what the variable means; else NULL. */
static const struct certdir_variable *read_as(const struct certdir_identity *identity)
{
	const struct certdir_variable *variable = certdir_variable_of(identity->value);

	return variable && certdir_specimen_is(identity, variable) ? variable : NULL;
}

static void print_reads(const struct certdir_certificate *certificate)
{
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *identity = &certificate->identities[i];
		const struct certdir_variable *variable = read_as(identity);

		if (variable)
			printf("  reads {{%s}} in %s as %s: %s\n", variable->name, identity->from,
			       certdir_identity_type_name(identity->type), meaning(identity));
	}
}

/* Whether something is read that comes from the variable, whatever it is called there. */
static bool is_read(const struct certdir_certificate *certificate, const struct certdir_variable *variable)
{
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_variable *read = read_as(&certificate->identities[i]);

		if (read && strcmp(read->sample, variable->sample) == 0)
			return true;
	}
	return false;
}

static void print_unread(const struct certdir_certificate *certificate, const struct certdir_profile *profile)
{
	for (size_t i = 0; i < profile->name_count; i++) {
		const struct certdir_variable *variable;
		const char *text = profile->names[i].text, *name;
		size_t length;

		while (certdir_variable_next(&text, &name, &length)) {
			variable = certdir_variable_find(name, length);
			if (variable && !is_read(certificate, variable))
				printf("  does not read {{%s}} in %s%s\n", variable->name, profile->names[i].from,
				       variable->type == CERTDIR_ID_TYPES ? ""
									  : " unless a section says what stands there");
		}
	}
}

static json_t *reads_json(const struct certdir_certificate *certificate)
{
	json_t *reads = json_array();

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *identity = &certificate->identities[i];
		const struct certdir_variable *variable = read_as(identity);

		if (variable)
			json_array_append_new(
				reads, json_pack("{s:s, s:s, s:s, s:s, s:b}", "variable", variable->name, "from",
						 identity->from, "type", certdir_identity_type_name(identity->type),
						 "rank", certdir_rank_name(identity->rank), "chosen",
						 identity->rank == CERTDIR_RANK_CHOSEN &&
							 !(CERTDIR_PERSONS & CERTDIR_BIT(identity->type))));
	}
	return reads;
}

/* ---- for people ---- */

static void print_findings(const struct certdir_profiles_report *report, const struct certdir_profile *profile)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct certdir_profiles_finding *finding = &report->findings[i];

		if (finding->profile == profile)
			printf("  %s%s%s (%s): \"%s\" %s\n",
			       certdir_cli_color(finding->note ? CERTDIR_CLI_PLAIN : CERTDIR_CLI_RED),
			       finding->note ? "note" : "WRONG", certdir_cli_color(CERTDIR_CLI_PLAIN), finding->code,
			       profile->name, finding->text);
	}
}

static void print_profile(const struct certdir_profile *profile, const struct certdir_profiles_report *report)
{
	struct certdir_certificate certificate;
	struct certdir_error error;

	printf("%s (%s)\n", profile->name, profile->type);
	if (certdir_profile_issues(profile)) {
		if (certdir_specimen_read(&certificate, profile, NULL, NULL, &error)) {
			print_reads(&certificate);
			print_unread(&certificate, profile);
		}
		certdir_certificate_clear(&certificate);
		if (certdir_profile_uses(profile, "san.uri", CERTDIR_ID_SID_URI))
			printf("  has a strong mapping for NPS\n");
	} else if (profile->kind == CERTDIR_PROFILE_PFX) {
		printf("  imports certificates, of which Intune does not say what stands in them\n");
	} else if (profile->kind == CERTDIR_PROFILE_NETWORK && !profile->tls) {
		printf("  logs in without a certificate of the client\n");
	}
	print_findings(report, profile);
}

bool certdir_cli_profiles_text(const struct certdir_profiles *profiles, const struct certdir_profiles_report *report)
{
	char *sections = certdir_sections_print(profiles);

	if (!sections)
		return false;
	for (size_t i = 0; i < profiles->count; i++)
		print_profile(&profiles->items[i], report);
	for (size_t i = 0; i < profiles->unread_count; i++)
		printf("not read: %s: %s\n", profiles->unread[i].name, profiles->unread[i].why);
	if (*sections)
		printf("\n"
		       "# For certdir { } in mods-available/certdir. issuer is the CA that signs: where that is one "
		       "below the\n"
		       "# root, put its name there, as `certdir check CERT` prints it. Once a section stands, "
		       "certificates that\n"
		       "# fit none are refused. vouched is true of a CA that issues for Intune alone: else take that "
		       "line out.\n"
		       "%s\n",
		       sections);
	free(sections);
	printf("%zu wrong, %zu to look at\n", report->faults, report->count - report->faults);
	return true;
}

/* ---- JSON ---- */

static json_t *finding_json(const struct certdir_profiles_finding *finding)
{
	json_t *names = json_array();

	for (size_t i = 0; i < CERTDIR_FINDING_DEVICES && finding->devices[i]; i++)
		json_array_append_new(names, json_string(finding->devices[i]));
	return json_pack("{s:s, s:s, s:s, s:I, s:o}", "code", finding->code, "level", finding->note ? "note" : "wrong",
			 "text", finding->text, "devices", (json_int_t)finding->device_count, "names", names);
}

static json_t *profile_json(const struct certdir_profile *profile, const struct certdir_profiles_report *report)
{
	struct certdir_certificate certificate = {0};
	json_t *findings = json_array(), *reads = NULL;
	struct certdir_error error;

	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].profile == profile)
			json_array_append_new(findings, finding_json(&report->findings[i]));
	if (certdir_profile_issues(profile)) {
		if (certdir_specimen_read(&certificate, profile, NULL, NULL, &error))
			reads = reads_json(&certificate);
		certdir_certificate_clear(&certificate);
	}
	return json_pack("{s:s, s:s, s:s, s:o*, s:b, s:o}", "id", profile->id, "name", profile->name, "type",
			 profile->type, "reads", reads, "strong_mapping",
			 certdir_profile_uses(profile, "san.uri", CERTDIR_ID_SID_URI), "findings", findings);
}

bool certdir_cli_profiles_json(const struct certdir_profiles *profiles, const struct certdir_profiles_report *report)
{
	char *sections = certdir_sections_print(profiles);
	json_t *all = json_array(), *unread = json_array(), *object = NULL;

	for (size_t i = 0; i < profiles->count; i++)
		json_array_append_new(all, profile_json(&profiles->items[i], report));
	for (size_t i = 0; i < profiles->unread_count; i++)
		json_array_append_new(unread, json_pack("{s:s, s:s}", "name", profiles->unread[i].name, "why",
							profiles->unread[i].why));
	if (sections)
		object = json_pack("{s:O, s:O, s:s, s:I, s:I}", "profiles", all, "not_read", unread, "sections",
				   sections, "wrong", (json_int_t)report->faults, "notes",
				   (json_int_t)(report->count - report->faults));
	json_decref(all);
	json_decref(unread);
	free(sections);
	return certdir_cli_json_print(object);
}
