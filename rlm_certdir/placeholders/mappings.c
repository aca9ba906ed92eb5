/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/mappings_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "directory/list.h"
#include "placeholders/issued.h"
#include "text/dn.h"
#include "text/excerpt.h"
#include "text/timestamp.h"

enum {
	SAID_MAX = 20, /* lines about single certificates */
	NAMED = 5, /* of those that name no device: an export of a whole CA has thousands */
	MAPPING_MAX = 32767 /* what altSecurityIdentities takes */
};

/* ---- what a person has to know ---- */

void certdir_mappings_remark(struct certdir_mappings *mappings, const char *origin, const char *format, ...)
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

void certdir_mappings_refuse(struct certdir_mappings *mappings, const char *origin, const char *format, ...)
{
	char text[CERTDIR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(text, format, arguments);
	va_end(arguments);
	mappings->report.certificates++;
	certdir_mappings_remark(mappings, origin, "%s", text);
}

/* Old ones are no news in each run, so it is one line for all of them. */
static void note_unknown(struct certdir_mappings *mappings, const char *origin, const struct certdir_decision *decision)
{
	struct certdir_arena *arena = mappings->arena;

	if (mappings->unknown++ == 0) {
		mappings->unknown_names = certdir_arena_copy(arena, origin, strlen(origin));
		mappings->why_unknown =
			certdir_arena_print(arena, "%s: %s", certdir_reason_name(decision->reason), decision->detail);
	} else if (mappings->unknown <= NAMED && mappings->unknown_names) {
		mappings->unknown_names = certdir_arena_print(arena, "%s, %s", mappings->unknown_names, origin);
	}
}

static void say_unknown(const struct certdir_mappings *mappings)
{
	const char *names = mappings->unknown_names ? mappings->unknown_names : "..",
		   *why = mappings->why_unknown ? mappings->why_unknown : "..";

	if (mappings->unknown == 1)
		certdir_log(CERTDIR_LOG_WARN, "%s: no mapping: %s", names, why);
	else if (mappings->unknown > 1)
		certdir_log(CERTDIR_LOG_WARN,
			    "%zu certificates are of no device of the list (%s%s): no mapping; the first: %s",
			    mappings->unknown, names, mappings->unknown > NAMED ? ", .." : "", why);
}

/* ---- begin ---- */

static void free_mappings(struct certdir_mappings *mappings)
{
	certdir_checker_clear(&mappings->checker);
	free(mappings->entries);
	free(mappings->owned);
	free(mappings->handed);
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

/* What a new object of a device that was set up anew has not from the old one. */
static bool is_of_object(enum certdir_identity_type type)
{
	return CERTDIR_BIT(type) &
	       (CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_INTUNE) | CERTDIR_BIT(CERTDIR_ID_GUID) |
		CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI) | CERTDIR_BIT(CERTDIR_ID_CERTIFICATE));
}

/* Whether the certificate must be an older device's whose name, or serial number, the found one has taken over. */
static bool is_of_predecessor(const struct certdir_decision *decision, const struct certdir_certificate *certificate)
{
	return !(decision->matched_by && is_of_object(decision->matched_by->type)) &&
	       certdir_registered_later(decision->records, decision->record_count, certificate->not_before);
}

/* The device of the list that the records are of, or NULL. */
static struct certdir_wanted *wanted_of(const struct certdir_mappings *mappings,
					const struct certdir_decision *decision)
{
	struct certdir_wanted *device = NULL;

	for (size_t i = 0; i < decision->record_count && !device; i++)
		if (!decision->records[i]->issued)
			device = certdir_wanted_find(mappings->wanted, decision->records[i]->device.id);
	return device;
}

static void remark_predecessor(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
			       const char *origin, const struct certdir_decision *decision)
{
	char then[CERTDIR_TIMESTAMP_SIZE];

	certdir_timestamp_print(certificate->not_before, then);
	certdir_mappings_remark(
		mappings, origin,
		"it was issued at %s, before %s was registered: it belongs to an older device of that name or serial "
		"number",
		then, decision->records[0]->device.id);
}

/* That certificates of a table are of devices which are gone is no news. */
static void remark_none(struct certdir_mappings *mappings, const char *origin, bool issued,
			const struct certdir_decision *decision)
{
	if (decision->record_count > 0 && decision->reason != CERTDIR_SID_MISMATCH) {
		if (!issued)
			certdir_mappings_remark(mappings, origin, "%s has come into the list only now: run it again",
						decision->records[0]->device.id);
	} else if (decision->reason != CERTDIR_NOT_FOUND || decision->record_count > 0) {
		certdir_mappings_remark(mappings, origin, "%s: %s", certdir_reason_name(decision->reason),
					decision->detail);
	} else if (!issued) {
		note_unknown(mappings, origin, decision);
	}
}

/*
 * Sets *device to the one that a login with this certificate would be, or to NULL. Whether it may come in is another question: its
 * account says that. `issued`: all that is known of it is a table's row. False with `error`.
 */
static bool find_device(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
			const char *origin, bool issued, int64_t now, struct certdir_wanted **device,
			struct certdir_error *error)
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
	} else if (decision->record_count > 0 && decision->reason != CERTDIR_SID_MISMATCH &&
		   is_of_predecessor(decision, certificate)) {
		remark_predecessor(mappings, certificate, origin, decision);
	} else {
		if (decision->reason != CERTDIR_SID_MISMATCH)
			*device = wanted_of(mappings, decision);
		if (!*device)
			remark_none(mappings, origin, issued, decision);
	}
	/* What the flow has added is not borrowed. */
	for (size_t i = certificate->count; i < check.certificate.count; i++)
		free(check.certificate.identities[i].value);
	certdir_check_clear(&check);
	return ok;
}

static bool no_memory(struct certdir_error *error)
{
	certdir_error_set(error, "out of memory");
	return false;
}

/* Takes `value`, which may be NULL. */
static bool put_value(struct certdir_mappings *mappings, char *value, struct certdir_mapping_entry entry, size_t *count)
{
	struct certdir_mapping_entry *added;

	if (!value || strlen(value) > MAPPING_MAX) {
		free(value);
		return true;
	}
	entry.value = certdir_arena_copy(mappings->arena, value, strlen(value));
	free(value);
	added = certdir_array_next(&mappings->entries, mappings->count, sizeof(*added));
	if (!entry.value || !added)
		return false;
	*added = entry;
	mappings->count++;
	*count += !entry.ended;
	return true;
}

/* All values of one form; counts those that its device shall have. False when memory is out. */
static bool put_form(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
		     const struct certdir_mapping_entry *entry, size_t *count)
{
	char *value;

	switch (entry->form) {
	case CERTDIR_MAPPING_SKI:
		return certdir_mapping_ski(certificate, &value) && put_value(mappings, value, *entry, count);
	case CERTDIR_MAPPING_SHA1_PUKEY:
		return certdir_mapping_public_key(certificate, &value) && put_value(mappings, value, *entry, count);
	default:
		for (int zero = 0; zero < 2; zero++)
			if (!certdir_mapping_issuer_serial(certificate, zero, &value) ||
			    !put_value(mappings, value, *entry, count))
				return false;
		return true;
	}
}

/* Why a certificate has none of the forms that the section asks for. */
static const char *why_none(uint32_t forms)
{
	if (!(forms & CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL)))
		return forms & CERTDIR_BIT(CERTDIR_MAPPING_SHA1_PUKEY)
			       ? "its public key is not known: hand in the certificate itself"
			       : "it has no subject key identifier: add issuer_serial or sha1_pukey to mapping";
	return "its issuer's name cannot be written in altSecurityIdentities, or only in more than the 32767 "
	       "characters "
	       "that Active Directory takes: add ski or sha1_pukey to mapping";
}

/* The forms that are asked for, or all others; counts the values that the device shall have. */
static bool put_forms(struct certdir_mappings *mappings, const struct certdir_certificate *certificate, bool asked,
		      struct certdir_mapping_entry entry, size_t *count)
{
	for (size_t form = 0; form < CERTDIR_MAPPING_FORMS; form++) {
		if (asked != !!(mappings->config->mapping & CERTDIR_BIT(form)))
			continue;
		entry.form = (enum certdir_mapping_form)form;
		if (!put_form(mappings, certificate, &entry, count))
			return false;
	}
	return true;
}

static struct certdir_mapping_owned *add_owned(struct certdir_mappings *mappings, struct certdir_wanted *device,
					       bool issued, bool ended)
{
	struct certdir_mapping_owned *added =
		certdir_array_next(&mappings->owned, mappings->owned_count, sizeof(*added));

	if (added)
		*added = (struct certdir_mapping_owned){.device = device, .issued = issued, .ended = ended};
	mappings->owned_count += added != NULL;
	return added;
}

/* Of the certificate that was owned last. */
static bool add_handed(struct certdir_mappings *mappings, const struct certdir_certificate *certificate)
{
	struct certdir_arena *arena = mappings->arena;
	struct certdir_mapping_handed *handed =
		certdir_array_next(&mappings->handed, mappings->handed_count, sizeof(*handed));
	const char *thumbprint = certificate->thumbprint;

	if (!handed)
		return false;
	*handed = (struct certdir_mapping_handed){
		.serial = certdir_arena_copy(arena, certificate->serial, strlen(certificate->serial)),
		.issuer = certdir_arena_copy(arena, certificate->issuer, strlen(certificate->issuer)),
		.thumbprint = thumbprint ? certdir_arena_copy(arena, thumbprint, strlen(thumbprint)) : NULL,
		.certificate = mappings->owned_count - 1};
	mappings->handed_count++;
	return !arena->failed;
}

/* What another form stands in for has ended; where none does, it stays. */
static bool put_certificate(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
			    const char *origin, struct certdir_wanted *device, bool ended)
{
	struct certdir_mapping_entry entry = {.device = device, .certificate = mappings->owned_count, .ended = ended};
	size_t count = 0;

	if (!add_owned(mappings, device, false, ended) || !add_handed(mappings, certificate) ||
	    !put_forms(mappings, certificate, true, entry, &count))
		return false;
	if (!ended && count == 0) {
		certdir_mappings_remark(mappings, origin, "%s", why_none(mappings->config->mapping));
		return true;
	}
	entry.ended = true;
	return put_forms(mappings, certificate, false, entry, &count);
}

bool certdir_mappings_add(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
			  const char *origin, bool revoked, int64_t now, struct certdir_error *error)
{
	struct certdir_wanted *device;

	mappings->report.certificates++;
	return find_device(mappings, certificate, origin, false, now, &device, error) &&
	       (!device ||
		put_certificate(mappings, certificate, origin, device, revoked || now > certificate->not_after) ||
		no_memory(error));
}

/* ---- the tables of issued certificates ---- */

struct reading {
	struct certdir_mappings *mappings;
	int64_t now;
	struct certdir_error *error;
	bool failed;
};

static int by_serial(const void *left, const void *right)
{
	const struct certdir_mapping_handed *a = left, *b = right;

	return strcmp(a->serial, b->serial);
}

/* A row may be of another CA that has given the same number; a list of certificates may lack the thumbprint. */
static bool is_same(const struct certdir_mapping_handed *handed, const struct certdir_issued *row)
{
	if (handed->thumbprint && row->thumbprint)
		return strcmp(handed->thumbprint, row->thumbprint) == 0;
	return row->issuer && certdir_dn_equal(handed->issuer, row->issuer);
}

/*
 * Whether the row's certificate was handed in: then that tells the issuer's exact name, and the row whose it is (unless `device` is NULL)
 * and whether it was revoked.
 */
static bool meet_handed(struct certdir_mappings *mappings, const struct certdir_issued *row,
			struct certdir_wanted *device)
{
	const struct certdir_mapping_handed key = {.serial = row->serial};
	const struct certdir_mapping_handed *end = mappings->handed + mappings->handed_count, *at = NULL;
	bool met = false;

	if (row->serial && mappings->handed_count > 0)
		at = bsearch(&key, mappings->handed, mappings->handed_count, sizeof(key), by_serial);
	while (at && at > mappings->handed && by_serial(at - 1, &key) == 0)
		at--;
	for (; at && at < end && by_serial(at, &key) == 0; at++) {
		struct certdir_mapping_owned *owned = &mappings->owned[at->certificate];

		if (!is_same(at, row))
			continue;
		met = true;
		owned->ended |= row->revoked;
		if (device)
			owned->device = device;
	}
	return met;
}

/* Its values, those that it shall have no more as well as they can be told: they take away what is on its own device alone. */
static bool put_issued(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
		       struct certdir_wanted *device, enum certdir_unmapped why)
{
	const bool ended = why == CERTDIR_UNMAPPED_REVOKED || why == CERTDIR_UNMAPPED_EXPIRED;
	const struct certdir_mapping_entry entry = {.device = device,
						    .certificate = mappings->owned_count,
						    .form = CERTDIR_MAPPING_ISSUER_SERIAL,
						    .ended = ended};
	size_t count = 0;

	if (why > device->unmapped)
		device->unmapped = why;
	if (!add_owned(mappings, device, true, ended))
		return false;
	return (why && !ended) || !certificate->serial || !certificate->issuer ||
	       put_form(mappings, certificate, &entry, &count);
}

static void note_inexact(struct certdir_mappings *mappings, const char *issuer)
{
	char shown[CERTDIR_EXCERPT_QUOTED];

	if (mappings->inexact++ == 0)
		certdir_log(CERTDIR_LOG_WARN,
			    "the table of issued certificates has an issuer whose name in Active Directory cannot be "
			    "told for certain, %s: no mapping of its certificates; hand them in (certificates = ..)",
			    certdir_excerpt_quote(issuer, strlen(issuer), shown));
}

static bool take_row(struct reading *reading, const struct certdir_list_issued *row)
{
	struct certdir_mappings *mappings = reading->mappings;
	const struct certdir_issued *issued = &row->issued;
	const char *const name = issued->thumbprint ? issued->thumbprint : issued->serial ? issued->serial : "";
	struct certdir_wanted *device = NULL;
	struct certdir_certificate certificate;
	enum certdir_unmapped why;

	certdir_issued_certificate(issued, row->source->tenant, &certificate);
	if (certificate.count > 0 &&
	    !find_device(mappings, &certificate, name, true, reading->now, &device, reading->error))
		return false;
	if (meet_handed(mappings, issued, device) || certificate.count == 0)
		return true;
	mappings->report.issued.certificates++;
	if (!device)
		return true;
	why = certdir_issued_judge(issued, mappings->config->mapping, reading->now);
	if (why == CERTDIR_UNMAPPED_ISSUER)
		note_inexact(mappings, issued->issuer);
	return put_issued(mappings, &certificate, device, why) || no_memory(reading->error);
}

static bool each_row(void *context, const struct certdir_list_issued *row)
{
	struct reading *reading = context;

	reading->failed = !take_row(reading, row);
	return !reading->failed;
}

/* What was renewed since has no mapping yet. */
static void say_old(const struct certdir_mappings *mappings, const struct certdir_list_snapshot *list, int64_t now)
{
	const struct certdir_list_source *sources;
	size_t count;

	sources = certdir_list_sources(list, &count);
	for (size_t i = 0; i < count; i++) {
		const int64_t age = now - sources[i].certificates_synced;

		if (sources[i].kind == CERTDIR_SOURCE_TENANT && sources[i].certificates_synced &&
		    age > mappings->config->max_age && age > 2 * sources[i].certificates_interval)
			certdir_log(CERTDIR_LOG_WARN,
				    "the certificates of tenant \"%.80s\" were last synced %lld hours ago: no mapping "
				    "goes for that, and what was renewed since has none yet; see certdir status",
				    sources[i].name, (long long)(age / 3600));
	}
}

static bool read_tables(struct reading *reading, struct certdir_list_snapshot *list)
{
	struct certdir_mappings *mappings = reading->mappings;
	struct certdir_list_reader *reader = certdir_list_reader_get(list, reading->error);
	bool ok;

	if (!reader)
		return false;
	if (mappings->handed_count > 0)
		qsort(mappings->handed, mappings->handed_count, sizeof(*mappings->handed), by_serial);
	ok = certdir_list_issued_each(reader, each_row, reading, reading->error) && !reading->failed;
	certdir_list_reader_put(reader);
	return ok;
}

bool certdir_mappings_add_issued(struct certdir_mappings *mappings, int64_t now, struct certdir_error *error)
{
	struct certdir_list_snapshot *list = certdir_list_directory_edition(mappings->checker.directories[0]);
	struct reading reading = {.mappings = mappings, .now = now, .error = error};
	bool ok;

	if (!list)
		return true;
	say_old(mappings, list, now);
	ok = read_tables(&reading, list);
	certdir_list_release(list);
	return ok;
}

/* ---- finish ---- */

bool certdir_mappings_finish(struct certdir_mappings *mappings, struct certdir_mappings_report *report,
			     struct certdir_error *error)
{
	bool ok;

	ok = certdir_mappings_settle(mappings, error);
	say_unknown(mappings);
	if (mappings->remarks > SAID_MAX)
		certdir_log(CERTDIR_LOG_WARN, "and %zu more certificates without a mapping",
			    mappings->remarks - SAID_MAX);
	*report = mappings->report;
	free_mappings(mappings);
	return ok;
}
