/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong for some devices of those that a profile is meant for. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "profiles/check.h"
#include "profiles/variable.h"
#include "text/canonical.h"

/* ---- the table ---- */

static bool wants_domain(const struct certdir_profile *profile)
{
	return certdir_profile_uses(profile, NULL, CERTDIR_ID_DNS);
}

static bool has_no_domain(const struct certdir_device *device)
{
	return device->join_type == CERTDIR_JOIN_ENTRA || device->join_type == CERTDIR_JOIN_REGISTERED;
}

static bool wants_entra(const struct certdir_profile *profile)
{
	return certdir_profile_uses(profile, NULL, CERTDIR_ID_ENTRA);
}

static bool is_unregistered(const struct certdir_device *device)
{
	bool zero = false;

	return !device->entra_device_id || (certdir_guid_is(device->entra_device_id, &zero) && zero);
}

static bool wants_hardware(const struct certdir_profile *profile)
{
	for (size_t i = 0; profile->platform == CERTDIR_PLATFORM_ANDROID_WORK && i < profile->name_count; i++)
		if (certdir_variable_hardware_in(profile->names[i].text))
			return true;
	return false;
}

static bool is_any(const struct certdir_device *device)
{
	(void)device;
	return true;
}

static bool wants_name(const struct certdir_profile *profile)
{
	return profile->platform == CERTDIR_PLATFORM_WINDOWS && certdir_profile_uses(profile, NULL, CERTDIR_ID_NAME) &&
	       !wants_domain(profile);
}

/* No name outvotes an id: then others alone go by the name. */
static bool wants_name_beside_id(const struct certdir_profile *profile)
{
	return wants_name(profile) && (wants_entra(profile) || certdir_profile_uses(profile, NULL, CERTDIR_ID_INTUNE));
}

static bool wants_name_alone(const struct certdir_profile *profile)
{
	return wants_name(profile) && !wants_name_beside_id(profile);
}

/* Autopilot enrols first and joins then; one that was joined before has its name when it asks for a certificate. */
static bool is_autopilot(const struct certdir_device *device)
{
	return device->join_type == CERTDIR_JOIN_HYBRID && device->enrollment_profile && *device->enrollment_profile;
}

static bool lacks_dns(const struct certdir_profile *profile)
{
	return profile->platform == CERTDIR_PLATFORM_WINDOWS && profile->machine &&
	       !certdir_profile_has(profile, "san.dns");
}

static bool has_configmgr(const struct certdir_device *device)
{
	return device->management_agent && strncasecmp(device->management_agent, "configurationManager", 20) == 0;
}

static bool lacks_sid(const struct certdir_profile *profile)
{
	return profile->platform == CERTDIR_PLATFORM_WINDOWS &&
	       !certdir_profile_uses(profile, "san.uri", CERTDIR_ID_SID_URI);
}

static bool is_hybrid(const struct certdir_device *device)
{
	return device->join_type == CERTDIR_JOIN_HYBRID;
}

static const struct {
	const char *code;
	bool note;
	bool (*applies)(const struct certdir_profile *profile);
	bool (*hits)(const struct certdir_device *device);
	const char *what; /* before the devices */
	const char *which; /* "Entra-joined " */
	const char *why; /* and the remedy, behind them */
} table[] = {
	{"no-domain", false, wants_domain, has_no_domain, "can never be issued to", "Entra-joined ",
	 "{{FullyQualifiedDomainName}} resolves only where Active Directory was joined, and the request waits for it; "
	 "give them a profile of their own with {{AAD_Device_ID}}"},
	{"not-registered", false, wants_entra, is_unregistered, "can never be issued to", "not registered ",
	 "{{AAD_Device_ID}} is empty where Entra ID does not know the device; register them, or use {{DeviceId}}"},
	{"work-profile", false, wants_hardware, is_any, "can never be issued to", "personal Android ",
	 "since Android 12 a work profile cannot read serial number, IMEI and MEID; use {{AAD_Device_ID}} or "
	 "{{DeviceId}}"},
	{"name-before-join", false, wants_name_alone, is_autopilot, "gets the name from before the join for",
	 "hybrid Autopilot ",
	 "{{DeviceName}} is DESKTOP-.. until then; {{FullyQualifiedDomainName}} in its place waits for the join"},
	{"name-before-join", true, wants_name_beside_id, is_autopilot, "gets the name from before the join for",
	 "hybrid Autopilot ",
	 "certdir goes by the id beside it, but what goes by names, such as NPS, finds nobody; "
	 "{{FullyQualifiedDomainName}} in place of {{DeviceName}} waits for the join"},
	{"configmgr", false, lacks_dns, has_configmgr, "gives no DNS name to", "ConfigMgr's ",
	 "its client takes no certificate without one; add a SAN DNS {{DeviceName}} or {{FullyQualifiedDomainName}}"},
	{"strong-mapping", true, lacks_sid, is_hybrid, "has no strong mapping (KB5014754) for", "hybrid ",
	 "where NPS decides it refuses them; a SAN URI {{OnPremisesSecurityIdentifier}} is one, or "
	 "altSecurityIdentities, which "
	 "[placeholders] keeps. certdir itself needs none"},
};

enum { CHECKS = sizeof(table) / sizeof(table[0]) };

/* ---- counting ---- */

struct row {
	bool applies[CHECKS];
	struct certdir_hits hits[CHECKS];
	const struct certdir_profile **needed; /* those profiles, looked up once */
	struct certdir_hits *lacking; /* for each of them */
};

struct certdir_fleet {
	const struct certdir_profiles *profiles;
	const struct certdir_profiles_world *world;
	struct certdir_arena arena;
	struct row *rows; /* one for each profile */
};

struct certdir_fleet *certdir_fleet_open(const struct certdir_profiles *profiles,
					 const struct certdir_profiles_world *world)
{
	struct certdir_fleet *fleet = calloc(1, sizeof(*fleet));

	if (!fleet)
		return NULL;
	*fleet = (struct certdir_fleet){.profiles = profiles, .world = world};
	fleet->rows = calloc(profiles->count + 1, sizeof(*fleet->rows));
	for (size_t i = 0; fleet->rows && i < profiles->count; i++) {
		const struct certdir_profile *profile = &profiles->items[i];
		struct row *row = &fleet->rows[i];

		const size_t needs = certdir_profile_needs(profile);

		row->lacking = certdir_arena_alloc(&fleet->arena, (needs + 1) * sizeof(*row->lacking));
		row->needed = certdir_arena_alloc(&fleet->arena, (needs + 1) * sizeof(const struct certdir_profile *));
		for (size_t n = 0; row->needed && n < needs; n++)
			row->needed[n] = certdir_profile_needed(profiles, profile, n);
		for (size_t c = 0; c < CHECKS; c++)
			row->applies[c] = certdir_profile_issues(profile) && table[c].applies(profile);
	}
	if (fleet->rows && !fleet->arena.failed)
		return fleet;
	certdir_fleet_close(fleet);
	return NULL;
}

void certdir_fleet_close(struct certdir_fleet *fleet)
{
	if (!fleet)
		return;
	certdir_arena_clear(&fleet->arena);
	free(fleet->rows);
	free(fleet);
}

/* A device that is sure takes the place of those that are not. */
static void count(struct certdir_fleet *fleet, struct certdir_hits *hits, const struct certdir_device *device,
		  bool sure)
{
	const char *name = device->name ? device->name : device->id;
	size_t *number = sure ? &hits->sure : &hits->perhaps;

	if (*number < CERTDIR_FINDING_DEVICES && (sure || !hits->sure)) {
		if (sure && *number == 0)
			memset(hits->names, 0, sizeof(hits->names));
		hits->names[*number] = certdir_arena_copy(&fleet->arena, name, strlen(name));
	}
	++*number;
}

static void count_lacking(struct certdir_fleet *fleet, struct row *row, const struct certdir_profile *profile,
			  const struct certdir_device *device, enum certdir_meant meant)
{
	for (size_t i = 0; i < certdir_profile_needs(profile); i++) {
		const enum certdir_meant by =
			row->needed[i] ? certdir_target_means(row->needed[i], device) : CERTDIR_MEANT_YES;

		if (by != CERTDIR_MEANT_YES)
			count(fleet, &row->lacking[i], device, by == CERTDIR_MEANT_NOT && meant == CERTDIR_MEANT_YES);
	}
}

bool certdir_fleet_device(struct certdir_fleet *fleet, const struct certdir_device *device)
{
	for (size_t i = 0; i < fleet->profiles->count; i++) {
		const struct certdir_profile *profile = &fleet->profiles->items[i];
		const enum certdir_meant meant = certdir_target_means(profile, device);

		for (size_t c = 0; meant && c < CHECKS; c++)
			if (fleet->rows[i].applies[c] && table[c].hits(device))
				count(fleet, &fleet->rows[i].hits[c], device, meant == CERTDIR_MEANT_YES);
		if (meant)
			count_lacking(fleet, &fleet->rows[i], profile, device, meant);
	}
	return !fleet->arena.failed;
}

/* ---- telling ---- */

static void tell(const struct certdir_profile_check *check, size_t c, const struct certdir_hits *hits)
{
	const bool sure = hits->sure > 0;

	if (!check->world->has_list)
		certdir_check_add(check, true, table[c].code, NULL,
				  "%s %sdevices, which nobody has counted without a list: %s", table[c].what,
				  table[c].which, table[c].why);
	else if (sure || hits->perhaps)
		certdir_check_add(check, table[c].note || !sure, table[c].code, hits, "%s %s%s: %s", table[c].what,
				  certdir_check_devices(check, hits, table[c].which),
				  sure ? "" : ", as far as the profile goes to them, which the list cannot tell",
				  table[c].why);
}

bool certdir_report_make(struct certdir_profiles_report *report, const struct certdir_fleet *fleet)
{
	*report = (struct certdir_profiles_report){0};
	for (size_t i = 0; i < fleet->profiles->count; i++) {
		const struct row *row = &fleet->rows[i];
		const struct certdir_profile_check check = {fleet->profiles, fleet->world, &fleet->profiles->items[i],
							    row->lacking, report};

		certdir_check_certificate(&check);
		for (size_t c = 0; c < CHECKS; c++)
			if (row->applies[c])
				tell(&check, c, &row->hits[c]);
		certdir_check_network(&check);
		certdir_check_server(&check);
		certdir_check_targets(&check);
	}
	return !report->arena.failed;
}
