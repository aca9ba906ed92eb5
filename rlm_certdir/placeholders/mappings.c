/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/mappings.h"

#include "checker.h"
#include "identity/mapping.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	SAID_MAX = 20, /* lines about single certificates; an export of a whole CA has thousands that name no device */
	MAPPING_MAX = 32767 /* what altSecurityIdentities takes */
};

/* One certificate's mapping and whose it is. */
struct entry {
	const char *value; /* the arena's */
	struct certdir_wanted *device;
	bool ended;
};

struct certdir_mappings {
	const struct certdir_placeholders_config *config;
	struct certdir_wanted_list *wanted;
	struct certdir_arena *arena;
	struct certdir_checker checker; /* of the list alone, with a policy that everybody passes */
	struct certdir_mappings_report report;
	struct entry *entries;
	size_t count, room;
	size_t remarks; /* said or not */
};

/* ---- what a person has to know ---- */

static void __attribute__((format(printf, 3, 4)))
remark(struct certdir_mappings *mappings, const char *origin, const char *format, ...)
{
	char text[CERTDIR_TEXT_MAX];
	va_list arguments;

	if (mappings->remarks++ >= SAID_MAX)
		return;
	va_start(arguments, format);
	certdir_vsay(text, format, arguments);
	va_end(arguments);
	certdir_log(CERTDIR_LOG_WARN, "%s: no mapping: %s", origin, text);
}

void certdir_mappings_refuse(struct certdir_mappings *mappings, const char *origin, const char *why)
{
	mappings->report.certificates++;
	mappings->report.unmatched++;
	remark(mappings, origin, "%s: %s", certdir_reason_name(CERTDIR_MALFORMED_CERTIFICATE), why);
}

/* ---- begin ---- */

static void free_mappings(struct certdir_mappings *mappings)
{
	certdir_checker_clear(&mappings->checker);
	free(mappings->entries);
	free(mappings);
}

struct certdir_mappings *certdir_mappings_begin(const struct certdir_placeholders_config *config, const char *list,
						struct certdir_wanted_list *wanted, struct certdir_arena *arena,
						struct certdir_error *error)
{
	struct certdir_mappings *mappings = calloc(1, sizeof(*mappings));
	struct certdir_list_config directory = {.filename = certdir_arena_copy(arena, list, strlen(list))};

	if (!mappings || !directory.filename) {
		certdir_error_set(error, "out of memory");
		free(mappings);
		return NULL;
	}
	*mappings = (struct certdir_mappings){.config = config, .wanted = wanted, .arena = arena};
	mappings->checker.accepted = ~(CERTDIR_BIT(CERTDIR_ID_UPN) | CERTDIR_BIT(CERTDIR_ID_MAPPING));
	mappings->checker.policy.join_types = UINT32_MAX;
	mappings->checker.directories[0] = certdir_list_directory_open(&directory, false, error);
	if (!mappings->checker.directories[0]) {
		free_mappings(mappings);
		return NULL;
	}
	mappings->checker.directories[0]->name = "list";
	mappings->checker.directory_count = 1;
	return mappings;
}

/* ---- one certificate ---- */

/*
 * Sets *device to the one that a login with this certificate would be, or to NULL. Whether it may come in is another question: its
 * account says that. False with `error`.
 */
static bool find_device(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
			const char *origin, int64_t now, struct certdir_wanted **device, struct certdir_error *error)
{
	const struct certdir_login login = {.now = now};
	struct certdir_check check = {.certificate = *certificate}; /* borrowed: `parsed` stays unset */
	const struct certdir_decision *decision = &check.decision;
	bool ok = true;

	*device = NULL;
	certdir_check_names(&check, &mappings->checker, &login);
	if (certdir_reason_verdict(decision->reason) == CERTDIR_UNSURE) {
		certdir_error_set(error, "%s", decision->detail);
		ok = false;
	} else if (decision->record_count == 0 || decision->reason == CERTDIR_SID_MISMATCH) {
		remark(mappings, origin, "%s: %s", certdir_reason_name(decision->reason), decision->detail);
	} else {
		*device = certdir_wanted_find(mappings->wanted, decision->records[0]->device.id);
		if (!*device)
			remark(mappings, origin, "%s has come into the list only now: run it again",
			       decision->records[0]->device.id);
	}
	certdir_check_clear(&check);
	return ok;
}

/* The mapping in the section's form, malloc'ed, or NULL when there is none. False with `error`. */
static bool make_mapping(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
			 const char *origin, char **value, struct certdir_error *error)
{
	const char *why = NULL;
	bool ok = false;

	*value = NULL;
	switch (mappings->config->mapping) {
	case CERTDIR_MAPPING_ISSUER_SERIAL:
		ok = certdir_mapping_issuer_serial(certificate, value);
		why = "its issuer's name cannot be written in altSecurityIdentities: use mapping = ski or public-key";
		break;
	case CERTDIR_MAPPING_SKI:
		ok = certdir_mapping_ski(certificate, value);
		why = "it has no subject key identifier: use mapping = issuer-serial or public-key";
		break;
	case CERTDIR_MAPPING_PUBLIC_KEY:
		ok = certdir_mapping_public_key(certificate, value);
		why = "its public key is not known: hand in the certificate itself";
		break;
	}
	if (!ok) {
		certdir_error_set(error, "out of memory");
	} else if (!*value) {
		remark(mappings, origin, "%s", why);
	} else if (strlen(*value) > MAPPING_MAX) {
		remark(mappings, origin, "it would be longer than the %d characters that Active Directory takes",
		       MAPPING_MAX);
		free(*value);
		*value = NULL;
	}
	return ok;
}

static bool put_entry(struct certdir_mappings *mappings, const char *value, struct certdir_wanted *device, bool ended,
		      struct certdir_error *error)
{
	struct entry *entry;

	if (mappings->count == mappings->room) {
		const size_t room = mappings->room ? 2 * mappings->room : 256;
		struct entry *grown = reallocarray(mappings->entries, room, sizeof(*grown));

		if (!grown)
			goto out;
		mappings->entries = grown;
		mappings->room = room;
	}
	entry = &mappings->entries[mappings->count];
	*entry = (struct entry){certdir_arena_copy(mappings->arena, value, strlen(value)), device, ended};
	if (entry->value) {
		mappings->count++;
		return true;
	}
out:
	certdir_error_set(error, "out of memory");
	return false;
}

bool certdir_mappings_add(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
			  const char *origin, int64_t now, struct certdir_error *error)
{
	const bool ended = now > certificate->not_after;
	struct certdir_wanted *device;
	char *value = NULL;
	bool ok;

	mappings->report.certificates++;
	ok = find_device(mappings, certificate, origin, now, &device, error) &&
	     (!device || make_mapping(mappings, certificate, origin, &value, error)) &&
	     (!value || put_entry(mappings, value, device, ended, error));
	if (ok)
		(*(!value  ? &mappings->report.unmatched
		   : ended ? &mappings->report.ended
			   : &mappings->report.matched))++;
	free(value);
	return ok;
}

/* ---- finish ---- */

/* Devices stand in one array, sorted by key: where they stand is their order. */
static int compare_devices(const struct entry *a, const struct entry *b)
{
	return (a->device > b->device) - (a->device < b->device);
}

/* By value as Active Directory compares it, by device, valid before ended. */
static int by_value(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = strcasecmp(a->value, b->value);

	if (order == 0)
		order = compare_devices(a, b);
	return order ? order : a->ended - b->ended;
}

/* By device, valid before ended, by value. */
static int by_device(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_devices(a, b);

	if (order == 0)
		order = a->ended - b->ended;
	return order ? order : strcmp(a->value, b->value);
}

/* How many entries from `at` on have the same value, and with `device` the same device. */
static size_t run_of(const struct certdir_mappings *mappings, size_t at, bool device)
{
	const struct entry *first = &mappings->entries[at];
	size_t end = at + 1;

	while (end < mappings->count && strcasecmp(mappings->entries[end].value, first->value) == 0 &&
	       (!device || mappings->entries[end].device == first->device))
		end++;
	return end - at;
}

static void refuse_shared(struct certdir_mappings *mappings, size_t at, size_t length)
{
	const struct entry *first = &mappings->entries[at], *last = first + length - 1;

	remark(mappings, first->value,
	       "certificates of several devices have it, of %s and %s among them: none of them gets it, since one "
	       "could log in as the other; issue them anew, each with a key of its own",
	       first->device->key, last->device->key);
	for (; first <= last; first++)
		if (!first->ended) {
			mappings->report.matched--;
			mappings->report.unmatched++;
		}
}

/*
 * Keeps one entry for each value of a device, the valid one if there is one; of a value that several devices have only those that
 * have ended everywhere on their device.
 */
static void settle(struct certdir_mappings *mappings)
{
	size_t kept = 0, length;

	if (mappings->count > 0)
		qsort(mappings->entries, mappings->count, sizeof(*mappings->entries), by_value);
	for (size_t at = 0; at < mappings->count; at += length) {
		const size_t end = at + (length = run_of(mappings, at, false));
		const bool shared = mappings->entries[at].device != mappings->entries[end - 1].device;

		if (shared)
			refuse_shared(mappings, at, length);
		for (size_t i = at; i < end;) {
			const struct entry entry = mappings->entries[i];

			i += run_of(mappings, i, true);
			if (!shared || entry.ended)
				mappings->entries[kept++] = entry;
		}
	}
	mappings->count = kept;
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
		const struct entry *entry = &mappings->entries[i];
		struct certdir_ldap_values *values = entry->ended ? &entry->device->ended : &entry->device->mappings;

		items[i] = (struct certdir_ldap_bytes){entry->value, strlen(entry->value)};
		if (values->count++ == 0)
			values->items = &items[i];
	}
	return true;
}

bool certdir_mappings_finish(struct certdir_mappings *mappings, struct certdir_mappings_report *report,
			     struct certdir_error *error)
{
	bool ok;

	settle(mappings);
	ok = hand_out(mappings, error);
	if (mappings->remarks > SAID_MAX)
		certdir_log(CERTDIR_LOG_WARN, "and %zu more certificates without a mapping",
			    mappings->remarks - SAID_MAX);
	*report = mappings->report;
	free_mappings(mappings);
	return ok;
}
