/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

#include "base/shrink.h"

static bool starts(const struct certdir_ldap_bytes *value, const char *prefix)
{
	const size_t length = strlen(prefix);

	return value->length > length && strncasecmp(value->bytes, prefix, length) == 0;
}

static bool has_part(const struct certdir_ldap_bytes *mapping, const char *part)
{
	return starts(mapping, "X509:<I>") && memmem(mapping->bytes, mapping->length, part, strlen(part));
}

/* Issuer and SID: it is of no certificate, but of all that the issuer writes this SID into. */
static bool is_of_sid(const struct certdir_ldap_bytes *mapping)
{
	return has_part(mapping, "<SID>");
}

/*
 * KB5014754: issuer and serial number, key identifier, public key; and since September 2025 issuer and SID. The rest is weak, and
 * not ours to touch.
 */
bool certdir_plan_mapping_is_strong(const struct certdir_ldap_bytes *mapping)
{
	return starts(mapping, "X509:<SKI>") || starts(mapping, "X509:<SHA1-PUKEY>") || has_part(mapping, "<SR>") ||
	       is_of_sid(mapping);
}

/* Whether it is, or was, a mapping of a device that is not the pair's. */
static bool is_of_another(const struct certdir_planner *planner, const struct certdir_plan_pair *pair,
			  const struct certdir_ldap_bytes *mapping)
{
	const struct certdir_plan_name *name = certdir_plan_names_find(
		&planner->owned, 1 + (unsigned)planner->rules->column_count, mapping->bytes, mapping->length);

	for (; name; name = name->next)
		if (name->pair->device != pair->device)
			return true;
	return false;
}

bool certdir_plan_mapping_has_ended(const struct certdir_planner *planner, const struct certdir_ldap_bytes *mapping)
{
	const struct certdir_plan_name *name = certdir_plan_names_find(
		&planner->owned, 1 + (unsigned)planner->rules->column_count, mapping->bytes, mapping->length);

	for (; name; name = name->next)
		if (certdir_plan_has(&name->pair->device->ended, mapping, true))
			return true;
	return false;
}

bool certdir_plan_mapping_goes(const struct certdir_planner *planner, const struct certdir_plan_pair *pair,
			       const struct certdir_ldap_bytes *mapping)
{
	const struct certdir_wanted *device = pair->device;

	if (!certdir_plan_is_computer(planner) || !certdir_plan_mapping_is_strong(mapping))
		return false;
	/* Nothing that another device could log in with stays on an account that is taken over. */
	if (pair->from)
		return !certdir_plan_has(&device->mappings, mapping, true);
	if (!certdir_plan_maps(planner) || is_of_sid(mapping))
		return false;
	if (device && certdir_plan_has(&device->mappings, mapping, true))
		return false;
	if (pair->wanted && certdir_plan_has(&device->ended, mapping, true))
		return true;
	/* What a table has not may be of one that is lost, old or cut: only what was handed in is all there is. */
	if (pair->wanted && device->mappings.count > 0 && !planner->rules->issued)
		return true;
	return is_of_another(planner, pair, mapping);
}

/* ---- accounts that NPS would refuse ---- */

/* Whether the account of the pair is enabled in the end; of one that is created, too. */
static bool will_be_enabled(const struct certdir_planner *planner, const struct certdir_plan_pair *pair)
{
	if (certdir_plan_acts(pair))
		return planner->rules->enabled;
	return pair->wanted && pair->account && !pair->account->disabled && !pair->account->life &&
	       pair->account->mark->state == CERTDIR_MARK_WANTED;
}

static bool will_be_mapped(const struct certdir_planner *planner, const struct certdir_plan_pair *pair)
{
	const struct certdir_account *account = pair->account;

	if (certdir_plan_acts(pair) && certdir_plan_maps(planner) && pair->device->mappings.count > 0)
		return true;
	for (size_t i = 0; account && i < account->mappings.count; i++)
		if (certdir_plan_mapping_is_strong(&account->mappings.items[i]) &&
		    (pair->blocked || !certdir_plan_mapping_goes(planner, pair, &account->mappings.items[i])))
			return true;
	return false;
}

enum { NAMED = 5 }; /* the others are in the remarks */

/* Enabled accounts, and those of them that NPS would refuse. */
struct unmapped {
	struct certdir_planner *planner;
	size_t count, of;
	const char *names; /* of the first few */
};

/* Its certificates are known, and NPS refuses them. */
static void remark_refused(struct certdir_planner *planner, const struct certdir_plan_pair *pair, const char *cn)
{
	static const char *const why[CERTDIR_UNMAPPED_REASONS] = {
		[CERTDIR_UNMAPPED_EXPIRED] = "all have expired",
		[CERTDIR_UNMAPPED_REVOKED] = "those that have not expired are revoked",
		[CERTDIR_UNMAPPED_FORM] = "mapping lacks issuer_serial, and a table can give no other form",
		[CERTDIR_UNMAPPED_NUMBER] = "the table lacks a serial number or issuer",
		[CERTDIR_UNMAPPED_ISSUER] = "the table's text of the issuer does not tell its name in Active Directory "
					    "for certain: hand in the certificate (certificates = ..)",
		[CERTDIR_UNMAPPED_SHARED] = "another device has a certificate of the same issuer and serial number",
	};

	certdir_plan_remark(planner, CERTDIR_REMARK_NPS_REFUSES, pair->key,
			    certdir_arena_print(planner->arena,
						"%s was issued certificates, and none gives it a strong mapping: %s",
						cn, why[pair->device->unmapped]));
}

static void note_unmapped(struct unmapped *unmapped, const struct certdir_plan_pair *pair)
{
	struct certdir_planner *planner = unmapped->planner;
	const bool by_account = !pair->device || (pair->blocked && pair->account);
	const char *cn = by_account ? pair->account->cn : pair->device->cn;

	if (unmapped->count++ == 0)
		unmapped->names = cn;
	else if (unmapped->count <= NAMED && unmapped->names)
		unmapped->names = certdir_arena_print(planner->arena, "%s, %s", unmapped->names, cn);
	if (pair->device && pair->device->unmapped)
		remark_refused(planner, pair, cn);
	else if (certdir_plan_maps(planner))
		certdir_plan_remark(planner, CERTDIR_REMARK_NO_MAPPING, pair->key,
				    certdir_arena_print(planner->arena,
							"%s has no strong mapping: NPS refuses its certificate, "
							"unless the CA writes the account's SID into it",
							cn));
}

/*
 * New devices have no certificate yet, and nobody wants mail for them each day. More than a few, and more than one in a hundred,
 * are certificates that nobody handed in.
 */
static bool are_many(const struct unmapped *unmapped)
{
	return unmapped->count > CERTDIR_SHRINK_FLOOR && unmapped->count > unmapped->of / 100;
}

static void sum_up(struct unmapped *unmapped)
{
	struct certdir_planner *planner = unmapped->planner;
	struct certdir_arena *arena = planner->arena;

	if (unmapped->count == 0)
		return;
	if (!certdir_plan_maps(planner)) {
		certdir_plan_remark(planner, CERTDIR_REMARK_WARNING, "",
				    certdir_arena_print(arena,
							"%zu enabled accounts have no strong mapping: NPS refuses a "
							"certificate without the account's SID; `certificates = ` "
							"here says where the devices' certificates are, and "
							"`certificates = yes` in [tenant ..] asks Intune for them",
							unmapped->count));
		return;
	}
	planner->plan->unmapped = certdir_arena_print(
		arena,
		"%zu of %zu enabled accounts have no strong mapping (%s%s): NPS refuses their certificates, "
		"unless the CA writes the account's SID into them",
		unmapped->count, unmapped->of, unmapped->names ? unmapped->names : "",
		unmapped->count > NAMED ? ", .." : "");
	/* What a table lacks was issued by others. */
	if (planner->rules->mapped && are_many(unmapped))
		certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, "",
				    certdir_arena_print(arena,
							"%zu of %zu enabled accounts have no strong mapping, more than "
							"new devices explain: hand in all certificates of the devices",
							unmapped->count, unmapped->of));
}

void certdir_plan_remark_unmapped(struct certdir_planner *planner)
{
	struct unmapped unmapped = {.planner = planner};

	if (!certdir_plan_is_computer(planner))
		return;
	for (size_t i = 0; i < planner->pair_count; i++) {
		const struct certdir_plan_pair *pair = &planner->pairs[i];

		if (!will_be_enabled(planner, pair))
			continue;
		unmapped.of++;
		if (!will_be_mapped(planner, pair))
			note_unmapped(&unmapped, pair);
	}
	sum_up(&unmapped);
}
