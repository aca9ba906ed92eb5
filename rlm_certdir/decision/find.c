/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which one device do the values that decide mean? */
#include <string.h>
#include <strings.h>

#include "decision/world.h"

static uint64_t bit(size_t i)
{
	return UINT64_C(1) << i;
}

/* Values that more records carry than were found, in some directory. */
static uint64_t many(const struct certdir_world *world)
{
	uint64_t bits = 0;

	for (size_t d = 0; d < world->known->count; d++)
		if (world->use >> d & 1)
			bits |= world->known->many[d];
	return bits & world->deciding;
}

static const char *id_of(const struct certdir_world *world, size_t device)
{
	return world->views[device].record->device.id;
}

static const struct certdir_identity *first_deciding(const struct certdir_world *world)
{
	const struct certdir_certificate *certificate = world->known->certificate;
	size_t i = 0;

	while (i < certificate->count && !(world->deciding & bit(i)))
		i++;
	return i < certificate->count ? &certificate->identities[i] : NULL;
}

/* The first view of each device stands for it. Takes those whose `by` has a bit in `mask`; returns how many. */
static size_t devices_by(const struct certdir_world *world, uint64_t mask, bool with_silent,
			 size_t devices[CERTDIR_VIEWS_MAX])
{
	size_t count = 0;

	for (size_t v = 0; v < world->count; v++) {
		const struct certdir_view *view = &world->views[v];
		size_t i = 0;

		if (!(view->by & mask) || (view->only_against && !with_silent))
			continue;
		while (i < count && devices[i] != view->device)
			i++;
		if (i == count)
			devices[count++] = view->device;
	}
	return count;
}

/* The first identity that found the device, one that it carries wholly before one by its first label. */
static void note_match(const struct certdir_world *world, size_t device, struct certdir_decision *decision)
{
	const struct certdir_certificate *certificate = world->known->certificate;
	uint64_t whole = 0, any = 0;

	FOR_EACH_VIEW_OF(world, device, view) {
		any |= view->by;
		whole |= view->by & ~view->label;
	}
	for (size_t i = certificate->count; i-- > 0;)
		if ((whole ? whole : any) & bit(i))
			decision->matched_by = &certificate->identities[i];
}

/* ---- by ids ---- */

static void note_ids(struct certdir_world *world)
{
	const struct certdir_certificate *certificate = world->known->certificate;

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		if (!(world->deciding & bit(i)) || certdir_is_filler(world, id->value))
			continue;
		for (size_t v = 0; v < world->count; v++) {
			struct certdir_view *view = &world->views[v];

			if (!(world->known->many[view->directory] & bit(i)) &&
			    certdir_view_carries(view, id) == CERTDIR_CARRIES_YES &&
			    (!id->exact || certdir_record_has_dns_name(view->record, id->value)))
				view->by |= bit(i);
		}
	}
}

/* Whether nothing is known of the device but that the certificate was issued to it. */
static bool issued_alone(const struct certdir_world *world, size_t device)
{
	FOR_EACH_VIEW_OF(world, device, view)
		if (!view->record->issued)
			return false;
	return true;
}

static bool conclude_unlisted(const struct certdir_world *world, size_t device, struct certdir_decision *decision)
{
	const struct certdir_view *view = &world->views[device];

	while (view->device != device)
		view++;
	return certdir_conclude(
		decision, CERTDIR_NOT_FOUND,
		"by the certificates of \"%s\", this one was issued to device %s, which is not there: it "
		"was deleted, or is not synced",
		view->source->name, view->record->device.id);
}

bool certdir_find_by_ids(struct certdir_world *world, size_t *device, struct certdir_decision *decision)
{
	const struct certdir_identity *id = first_deciding(world);
	size_t devices[CERTDIR_VIEWS_MAX], count;
	const char *silenced;

	note_ids(world);
	count = devices_by(world, world->deciding, true, devices);
	if (count == 0)
		return certdir_conclude(decision, CERTDIR_NOT_FOUND, "%s %s is unknown%s",
					certdir_identity_type_name(id->type), id->value,
					many(world) || certdir_is_filler(world, id->value)
						? ": so many records carry it that it is no id"
						: "");
	for (size_t i = 1; i < count; i++) {
		/* Intune learns a device's Entra id an hour after the CA has put both into its certificate. */
		for (size_t j = 0; j < i; j++)
			if (world->rank != CERTDIR_RANK_VOUCHED ||
			    certdir_devices_differ(world, devices[j], devices[i], false))
				return certdir_conclude(decision, CERTDIR_CONFLICT,
							"values of the certificate belong to %s and to %s",
							id_of(world, devices[j]), id_of(world, devices[i]));
	}
	*device = devices[0];
	for (size_t i = 1; i < count; i++)
		certdir_devices_join(world, *device, devices[i]);
	if (issued_alone(world, *device))
		return conclude_unlisted(world, *device, decision);
	silenced = certdir_device_silenced(world, *device);
	world->silenced = silenced != NULL;
	if (silenced)
		return certdir_conclude(decision, CERTDIR_NOT_FOUND, "%s: %s", id_of(world, *device), silenced);
	note_match(world, *device, decision);
	return true;
}

/* ---- by names: who carries them ---- */

/* A former name counts where the certificate can have been issued for it: the device was registered before that and renamed later. */
static bool was_called(const struct certdir_view *view, const struct certdir_identity *id, int64_t not_before)
{
	const struct certdir_device *device = &view->record->device;
	const int64_t registered = device->own.registered ? device->own.registered : device->intune.registered;
	const struct certdir_former_name *then = NULL;

	/* Of the names that it gave up since, the one that it gave up first is what it was called. */
	for (size_t i = 0; i < device->former_name_count; i++)
		if (device->former_names[i].since >= not_before &&
		    (!then || device->former_names[i].since < then->since))
			then = &device->former_names[i];
	return then && registered && registered <= not_before && strcasecmp(then->name, id->value) == 0;
}

static void note_name(struct certdir_world *world, size_t i)
{
	const struct certdir_identity *id = &world->known->certificate->identities[i];
	unsigned char carries[CERTDIR_VIEWS_MAX];
	enum certdir_carries most = CERTDIR_CARRIES_NOT;

	for (size_t v = 0; v < world->count; v++) {
		carries[v] = (unsigned char)certdir_view_carries(&world->views[v], id);
		if (carries[v] > most)
			most = carries[v];
	}
	if (many(world) & bit(i))
		most = CERTDIR_CARRIES_YES;
	for (size_t v = 0; v < world->count; v++) {
		struct certdir_view *view = &world->views[v];

		if (carries[v] != most || most == CERTDIR_CARRIES_NOT ||
		    (most == CERTDIR_CARRIES_FORMER && !was_called(view, id, world->known->certificate->not_before)))
			continue;
		view->by |= bit(i);
		if (most == CERTDIR_CARRIES_LABEL)
			view->label |= bit(i);
	}
}

static uint64_t carried_by(const struct certdir_world *world, size_t device)
{
	uint64_t by = 0;

	FOR_EACH_VIEW_OF(world, device, view)
		by |= view->only_against ? 0 : view->by;
	return by;
}

/* ---- by names: who it is not ---- */

static bool is_below(const char *name, const char *domain)
{
	const size_t length = strlen(name), end = strlen(domain);

	return length > end && name[length - end - 1] == '.' && strcasecmp(name + length - end, domain) == 0;
}

/* Whether a full name lies in a domain whose computers some directory has: then that one would know it. */
static bool is_served(const struct certdir_world *world, const char *name)
{
	for (size_t d = 0; d < world->known->count; d++) {
		const char *const *domains = world->known->directories[d]->domains;
		const struct certdir_answer *answer = &world->known->answers[d];

		for (; world->known->in_scope[d] && domains && *domains; domains++)
			if (is_below(name, *domains))
				return true;
		for (size_t s = 0; world->known->in_scope[d] && s < answer->source_count; s++)
			if (answer->sources[s].domain && is_below(name, answer->sources[s].domain))
				return true;
	}
	return false;
}

/*
 * The device has values of this type, the certificate has, and they have none in common. Of a full name that counts only where some
 * directory would know it: companies whose certificates carry another domain than their directory are common.
 */
static bool has_others(const struct certdir_world *world, size_t device, enum certdir_identity_type type)
{
	const struct certdir_certificate *certificate = world->known->certificate;
	bool counts = false;

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		if (!(world->deciding & bit(i)) || id->type != type)
			continue;
		if (certdir_device_carries(world, device, id) == CERTDIR_CARRIES_YES)
			return false;
		counts |= type == CERTDIR_ID_SERIAL || is_served(world, id->value);
	}
	return counts && certdir_device_has(world, device, type);
}

/* Whether anybody who can stand for the device carries a value of this type that the certificate has. */
static bool somebody_has(const struct certdir_world *world, enum certdir_identity_type type)
{
	const struct certdir_certificate *certificate = world->known->certificate;

	for (size_t i = 0; i < certificate->count; i++)
		for (size_t v = 0; v < world->count && (world->deciding & bit(i)); v++)
			if (certificate->identities[i].type == type && !world->views[v].only_against &&
			    certdir_view_carries(&world->views[v], &certificate->identities[i]) == CERTDIR_CARRIES_YES)
				return true;
	return false;
}

static bool somebody_says_no(const struct certdir_world *world, size_t device)
{
	char detail[CERTDIR_TEXT_MAX];

	FOR_EACH_VIEW_OF(world, device, view)
		if (certdir_view_no(world, view, detail) != CERTDIR_ALLOWED)
			return true;
	return false;
}

/* A value that nobody has must not take a "no" off its device: whoever requests the certificate could invent one. */
bool certdir_device_is_other(const struct certdir_world *world, size_t device)
{
	const bool no = somebody_says_no(world, device);

	return (has_others(world, device, CERTDIR_ID_SERIAL) && (!no || somebody_has(world, CERTDIR_ID_SERIAL))) ||
	       (has_others(world, device, CERTDIR_ID_DNS) && (!no || somebody_has(world, CERTDIR_ID_DNS)));
}

/* ---- by names: who is left ---- */

/* Several are one device when nothing tells them apart but that two sources each know it by its name alone. */
static bool join_sources(struct certdir_world *world, const size_t *devices, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (certdir_devices_share_source(world, devices[j], devices[i]) ||
			    certdir_devices_differ(world, devices[j], devices[i], true))
				return false;
	for (size_t i = 1; i < count; i++)
		certdir_devices_join(world, devices[0], devices[i]);
	return true;
}

/* Tells devices of the same names apart, or joins those that are one: devices[0] is the one then. */
static bool choose_twin(struct certdir_world *world, size_t *devices, size_t count, struct certdir_decision *decision)
{
	const struct certdir_identity *id = first_deciding(world);
	const char *first = id_of(world, devices[0]), *second = id_of(world, devices[1]), *why;
	size_t left;

	if (join_sources(world, devices, count))
		return true;
	left = certdir_twins_by_dates(world, devices, count, &why);
	decision->by_dates = left > 0 && join_sources(world, devices, left);
	if (!decision->by_dates)
		return certdir_conclude(decision, CERTDIR_AMBIGUOUS, "%s %s: %s and %s%s carry it (%s)",
					certdir_identity_type_name(id->type), id->value, first, second,
					count > 2 ? " and others" : "", why);
	certdir_say(decision->detail, "the one of %zu devices of that name that was there when it was issued", count);
	return true;
}

/*
 * Of a name that many carry, some of them were not looked at. They are others than a device that the same directory knows, by its ids;
 * of one that it does not know, one of them may say "no".
 */
static bool is_all_known(const struct certdir_world *world, size_t device)
{
	for (size_t d = 0; d < world->known->count; d++) {
		bool has = false;

		FOR_EACH_VIEW_OF(world, device, view)
			has |= view->directory == d;
		if ((world->use >> d & 1) && (world->known->many[d] & world->deciding) && !has)
			return false;
	}
	return true;
}

/* ---- by names: why nobody has it ---- */

/* "DESKTOP-A1B2C3D" and the like: what Windows calls itself before anybody names it. */
static bool is_made_up(const char *name)
{
	static const struct {
		const char *prefix;
		size_t more;
	} forms[] = {{"DESKTOP-", 7}, {"LAPTOP-", 8}, {"WIN-", 11}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const size_t length = strlen(forms[i].prefix);

		if (strncasecmp(name, forms[i].prefix, length) == 0 && strlen(name) == length + forms[i].more &&
		    strspn(name + length, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
			    forms[i].more)
			return true;
	}
	return false;
}

/* What the device is called now, for people. */
static const char *name_now(const struct certdir_view *view)
{
	return view->record->device.name ? view->record->device.name : view->record->device.id;
}

/* The device that gave up this name, which then counts no more for this certificate. */
static bool tell_former(const struct certdir_world *world, const struct certdir_identity *id,
			char text[CERTDIR_TEXT_MAX])
{
	for (size_t v = 0; v < world->count; v++) {
		const struct certdir_view *view = &world->views[v];

		if (view->only_against || certdir_view_carries(view, id) != CERTDIR_CARRIES_FORMER)
			continue;
		certdir_say(
			text,
			": %s was called so once, but not as far as is known when the certificate was issued; a new "
			"certificate with its name of today helps",
			name_now(view));
		return true;
	}
	return false;
}

/* The device that something else in the certificate belongs to, which selects none. */
static bool tell_other(const struct certdir_world *world, char text[CERTDIR_TEXT_MAX])
{
	const struct certdir_certificate *certificate = world->known->certificate;

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		if ((world->deciding & bit(i)) || id->rank == CERTDIR_RANK_NONE || certdir_is_filler(world, id->value))
			continue;
		for (size_t v = 0; v < world->count; v++) {
			const struct certdir_view *view = &world->views[v];

			if (view->only_against || certdir_view_carries(view, id) != CERTDIR_CARRIES_YES)
				continue;
			certdir_say(
				text,
				", but its %s belongs to %s: the certificate may have the name from before that was "
				"joined or renamed; have it issued again",
				certdir_identity_type_name(id->type), name_now(view));
			return true;
		}
	}
	return false;
}

/* Concludes that no device has the name, with what is known of why: devices are joined and renamed after their certificate was issued. */
static bool conclude_unknown(const struct certdir_world *world, struct certdir_decision *decision)
{
	const struct certdir_certificate *certificate = world->known->certificate;
	const struct certdir_identity *id = first_deciding(world);
	const bool several = world->deciding & (world->deciding - 1);
	char why[CERTDIR_TEXT_MAX] = "";
	bool known = false;

	for (size_t i = 0; i < certificate->count && !known; i++)
		known = (world->deciding & bit(i)) && tell_former(world, &certificate->identities[i], why);
	if (!known && !tell_other(world, why) && id->type == CERTDIR_ID_NAME && is_made_up(id->value))
		certdir_say(why,
			    ": Windows makes up such names before a device gets its own; if it has another one now, "
			    "have the certificate issued again");
	return certdir_conclude(decision, CERTDIR_NOT_FOUND, "%s %s is unknown%s%s",
				certdir_identity_type_name(id->type), id->value,
				several ? ", and so are its other names" : "", why);
}

bool certdir_find_by_names(struct certdir_world *world, size_t *device, struct certdir_decision *decision)
{
	const struct certdir_identity *id = first_deciding(world);
	size_t devices[CERTDIR_VIEWS_MAX], count, all, left = 0;
	uint64_t anybody = 0;

	for (size_t i = 0; i < world->known->certificate->count; i++)
		if (world->deciding & bit(i))
			note_name(world, i);
	count = devices_by(world, world->deciding, false, devices);
	for (size_t i = 0; i < count; i++)
		anybody |= carried_by(world, devices[i]);
	if (many(world) && !(anybody & ~many(world)))
		return certdir_conclude(decision, CERTDIR_AMBIGUOUS, "%s %s: too many devices carry it",
					certdir_identity_type_name(id->type), id->value);
	anybody |= many(world);
	for (size_t i = 0; i < count; i++)
		if (!certdir_device_is_other(world, devices[i]))
			devices[left++] = devices[i];
	if (left == 0 && count > 0)
		return certdir_conclude(decision, CERTDIR_NOT_FOUND,
					"%s has a name of the certificate, but another serial number or full name",
					id_of(world, devices[0]));
	if (left == 0)
		return conclude_unknown(world, decision);
	all = left;
	left = 0;
	for (size_t i = 0; i < all; i++)
		if ((carried_by(world, devices[i]) & anybody) == anybody)
			devices[left++] = devices[i];
	if (left == 0)
		return certdir_conclude(
			decision, CERTDIR_CONFLICT,
			"%s %s and its other names are known, but not as one device's: %s is one of them",
			certdir_identity_type_name(id->type), id->value, id_of(world, devices[0]));
	if (left > 1 && !choose_twin(world, devices, left, decision))
		return false;
	if (!is_all_known(world, devices[0]))
		return certdir_conclude(decision, CERTDIR_AMBIGUOUS, "%s %s: too many devices carry it",
					certdir_identity_type_name(id->type), id->value);
	*device = devices[0];
	note_match(world, *device, decision);
	return true;
}
