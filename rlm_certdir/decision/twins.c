/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A laptop that was set up anew leaves an object of the same name behind: dates tell which of them a certificate was issued to. */
#include "decision/world.h"

enum {
	DAY = 86400,
	/*
	 * Seconds. CAs date their certificates back, because clocks of clients are behind: minutes mostly, SCEPman a day. Less would take
	 * the very device that asked for the certificate for one that came later.
	 */
	DATED_BACK = DAY,
	ENTRA_LAG = 21 * DAY, /* Entra ID renews approximateLastSignInDateTime each fortnight or so */
	INTUNE_LAG = DAY /* a certificate comes by a check-in, which Intune notes at once */
};

/* The earlier of `first` and the times at which the record says that the device was there; 0 = none says. */
static int64_t earlier(int64_t first, const struct certdir_device *of)
{
	const int64_t times[] = {of->own.registered, of->intune.registered};

	for (size_t t = 0; t < 2; t++)
		if (times[t] && (!first || times[t] < first))
			first = times[t];
	return first;
}

static bool is_later(int64_t registered, int64_t not_before)
{
	return registered > not_before + DATED_BACK;
}

bool certdir_registered_later(const struct certdir_record *const *records, size_t count, int64_t not_before)
{
	int64_t first = 0;

	for (size_t i = 0; i < count; i++)
		first = earlier(first, &records[i]->device);
	return not_before && is_later(first, not_before);
}

/* Earliest time at which any record of the device says that it was there; 0 = none says. */
static int64_t registered(const struct certdir_world *world, size_t device)
{
	int64_t first = 0;

	FOR_EACH_VIEW_OF(world, device, view)
		first = earlier(first, &view->record->device);
	return first;
}

enum presence { NOT_TOLD, GONE, NOT_LISTED_SINCE, MAYBE_THERE };

/*
 * Was it there at that time? Intune notes each check-in, and a certificate comes by one, so its word counts alone where it has a record.
 * What was listed before that time cannot tell; what was listed since can, however long ago.
 */
static enum presence presence_of(const struct certdir_world *world, const struct certdir_view *view, int64_t then)
{
	const struct certdir_device *device = &view->record->device;
	const bool intune = device->intune.is && device->intune.last_seen;
	const int64_t seen = intune ? device->intune.last_seen : device->own.last_seen;
	const int64_t age = certdir_part_age(world, view, intune ? CERTDIR_PART_OF_INTUNE : CERTDIR_PART_OF_DEVICES);

	if (device->own.last_seen >= then || device->intune.last_seen >= then)
		return MAYBE_THERE;
	if (!seen)
		return NOT_TOLD;
	if (seen + (intune ? INTUNE_LAG : ENTRA_LAG) >= then)
		return MAYBE_THERE;
	return age >= 0 && world->now - age >= then ? GONE : NOT_LISTED_SINCE;
}

enum fate { IS_IN, IS_OUT, IS_OPEN };

/* Whether the certificate can have been issued to the device; open while its sources have not been listed since. */
static enum fate fate_of(const struct certdir_world *world, size_t device, int64_t not_before)
{
	const bool later = is_later(registered(world, device), not_before);
	enum presence most = NOT_TOLD;
	char detail[CERTDIR_TEXT_MAX];
	bool no = false;

	FOR_EACH_VIEW_OF(world, device, view) {
		const enum presence presence = presence_of(world, view, not_before);

		no |= certdir_view_no(world, view, detail) != CERTDIR_ALLOWED;
		if (presence > most)
			most = presence;
	}
	/*
	 * One that came later is not left out when something stands against it: it may be the very laptop, which somebody disabled, and
	 * the older object is what it left behind.
	 */
	if (most == GONE || (later && !no))
		return IS_OUT;
	return most == NOT_LISTED_SINCE ? IS_OPEN : IS_IN;
}

/* Dates of a part that is behind tell nothing of who came since. */
static bool devices_are_fresh(const struct certdir_world *world, const size_t *devices, size_t count)
{
	int64_t age;

	for (size_t i = 0; i < count; i++)
		FOR_EACH_VIEW_OF(world, devices[i], view)
			if (!certdir_part_fresh(world, view, CERTDIR_PART_OF_DEVICES, &age))
				return false;
	return true;
}

size_t certdir_twins_by_dates(const struct certdir_world *world, size_t *devices, size_t count, const char **why)
{
	const int64_t not_before = world->known->certificate->not_before;
	size_t left = 0;

	*why = NULL;
	if (world->policy->twins_deny)
		*why = "twins = deny";
	else if (!not_before)
		*why = "when it was issued is not known";
	else if (!devices_are_fresh(world, devices, count))
		*why = "the list is too old to tell which";
	for (size_t i = 0; i < count && !*why; i++)
		if (fate_of(world, devices[i], not_before) == IS_OPEN)
			*why = "not listed since it was issued";
	if (*why)
		return count;
	for (size_t i = 0; i < count; i++)
		if (fate_of(world, devices[i], not_before) == IS_IN)
			devices[left++] = devices[i];
	*why = "their dates do not tell which";
	return left;
}
