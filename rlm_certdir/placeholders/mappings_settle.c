/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which device gets which mapping, once all certificates are known: none that two devices would share, and none that has ended. */
#include "placeholders/mappings_run.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Devices stand in one array, sorted by key: where they stand is their order. */
static int compare_devices(const struct certdir_mapping_entry *a, const struct certdir_mapping_entry *b)
{
	return (a->device > b->device) - (a->device < b->device);
}

/* By value as Active Directory compares it, by device, valid before ended. */
static int by_value(const void *left, const void *right)
{
	const struct certdir_mapping_entry *a = left, *b = right;
	int order = strcasecmp(a->value, b->value);

	if (order == 0)
		order = compare_devices(a, b);
	return order ? order : a->ended - b->ended;
}

/* By device, valid before ended, by value. */
static int by_device(const void *left, const void *right)
{
	const struct certdir_mapping_entry *a = left, *b = right;
	int order = compare_devices(a, b);

	if (order == 0)
		order = a->ended - b->ended;
	return order ? order : strcmp(a->value, b->value);
}

/* What tables say of certificates that were handed in comes last. */
static void update_entries(struct certdir_mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++) {
		struct certdir_mapping_entry *entry = &mappings->entries[i];
		const struct certdir_mapping_owned *owned = &mappings->owned[entry->certificate];

		entry->device = owned->device;
		entry->ended |= owned->ended;
	}
}

/* How many entries from `at` on have the same value, and with `device` the same device. */
static size_t run_of(const struct certdir_mappings *mappings, size_t at, bool device)
{
	const struct certdir_mapping_entry *first = &mappings->entries[at];
	size_t end = at + 1;

	while (end < mappings->count && strcasecmp(mappings->entries[end].value, first->value) == 0 &&
	       (!device || mappings->entries[end].device == first->device))
		end++;
	return end - at;
}

/* Says so unless none of them is to be given to anybody any more. */
static void refuse_shared(struct certdir_mappings *mappings, size_t at, size_t length)
{
	const struct certdir_mapping_entry *first = &mappings->entries[at], *last = first + length - 1;
	bool valid = false;

	for (const struct certdir_mapping_entry *entry = first; entry <= last; entry++) {
		valid |= !entry->ended;
		if (mappings->owned[entry->certificate].issued && entry->device->unmapped < CERTDIR_UNMAPPED_SHARED)
			entry->device->unmapped = CERTDIR_UNMAPPED_SHARED;
	}
	if (valid)
		certdir_mappings_remark(
			mappings, first->value,
			"certificates of several devices have it, of %s and %s among them: none of them gets it, since "
			"one could log in as the other; issue them again, each with a key of its own",
			first->device->key, last->device->key);
}

/* The valid certificates that have this value of a device have got a mapping. */
static void note_forms(struct certdir_mappings *mappings, size_t at, size_t length)
{
	for (size_t i = at; i < at + length; i++) {
		const struct certdir_mapping_entry *entry = &mappings->entries[i];

		if (!entry->ended)
			mappings->owned[entry->certificate].forms |= CERTDIR_BIT(entry->form);
	}
}

/*
 * Issuer and serial number are one certificate's, and once somebody says that it has ended, it has; a key may be that of an old one and of
 * its successor.
 */
static void end_certificate(struct certdir_mappings *mappings, size_t at, size_t length)
{
	struct certdir_mapping_entry *first = &mappings->entries[at];
	const bool ended = first[length - 1].ended;

	for (size_t i = 0; i < length && first->form == CERTDIR_MAPPING_ISSUER_SERIAL; i++)
		first[i].ended = ended;
}

/*
 * Keeps one entry for each value of a device, the valid one if there is one; of a value that several devices have only those that
 * have ended everywhere on their device.
 */
static void settle(struct certdir_mappings *mappings)
{
	size_t kept = 0, length, same;

	update_entries(mappings);
	if (mappings->count > 0)
		qsort(mappings->entries, mappings->count, sizeof(*mappings->entries), by_value);
	for (size_t at = 0; at < mappings->count; at += length) {
		const size_t end = at + (length = run_of(mappings, at, false));
		const bool shared = mappings->entries[at].device != mappings->entries[end - 1].device;

		if (shared)
			refuse_shared(mappings, at, length);
		for (size_t i = at; i < end; i += same) {
			struct certdir_mapping_entry entry;

			same = run_of(mappings, i, true);
			end_certificate(mappings, i, same);
			entry = mappings->entries[i];
			if (!shared)
				note_forms(mappings, i, same);
			if (!shared || entry.ended)
				mappings->entries[kept++] = entry;
		}
	}
	mappings->count = kept;
}

static void count_certificates(struct certdir_mappings *mappings)
{
	struct certdir_mappings_report *report = &mappings->report;

	for (size_t i = 0; i < mappings->owned_count; i++) {
		const struct certdir_mapping_owned *owned = &mappings->owned[i];

		if (owned->issued) {
			report->issued.ended += owned->ended;
			report->issued.matched += owned->forms != 0;
			continue;
		}
		report->ended += owned->ended;
		report->matched += owned->forms != 0;
		for (size_t form = 0; form < CERTDIR_MAPPING_FORMS; form++)
			report->forms[form] += owned->forms >> form & 1;
	}
	report->unmatched = report->certificates - report->ended - report->matched;
	report->issued.unmatched = report->issued.certificates - report->issued.ended - report->issued.matched;
}

static bool hand_out(struct certdir_mappings *mappings, struct certdir_error *error)
{
	struct certdir_ldap_bytes *items;

	if (mappings->count == 0)
		return true;
	items = certdir_arena_alloc(mappings->arena, mappings->count * sizeof(*items));
	if (!items) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	qsort(mappings->entries, mappings->count, sizeof(*mappings->entries), by_device);
	for (size_t i = 0; i < mappings->count; i++) {
		const struct certdir_mapping_entry *entry = &mappings->entries[i];
		struct certdir_ldap_values *values = entry->ended ? &entry->device->ended : &entry->device->mappings;

		items[i] = (struct certdir_ldap_bytes){entry->value, strlen(entry->value)};
		if (values->count++ == 0)
			values->items = &items[i];
	}
	return true;
}

bool certdir_mappings_settle(struct certdir_mappings *mappings, struct certdir_error *error)
{
	settle(mappings);
	count_certificates(mappings);
	return hand_out(mappings, error);
}
