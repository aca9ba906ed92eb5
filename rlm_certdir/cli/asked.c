/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/asked.h"

size_t certdir_cli_asked_count(const struct certdir_check *check, size_t d, size_t i)
{
	const struct certdir_identity *id = &check->certificate.identities[i];
	const struct certdir_answer *answer = &check->known.answers[d];
	size_t count = 0;

	for (size_t r = 0; r < answer->count; r++) {
		const struct certdir_record *record = &answer->records[r];

		count += certdir_record_carries(record, answer->sources[record->source].kind, id->type, id->value) !=
			 CERTDIR_CARRIES_NOT;
	}
	return count;
}

/* When the directory's newest table of issued certificates was made that is in scope, 0 = it has none. */
static int64_t newest_table(const struct certdir_check *check, size_t d)
{
	const struct certdir_answer *answer = &check->known.answers[d];
	int64_t newest = 0;

	for (size_t s = 0; s < answer->source_count; s++) {
		const int64_t made = answer->sources[s].synced[CERTDIR_PART_OF_CERTIFICATES];

		if (made > newest && !certdir_is_foreign(&check->certificate, &answer->sources[s], NULL))
			newest = made;
	}
	return newest;
}

bool certdir_cli_asked_looked_up(const struct certdir_check *check, size_t d, size_t i)
{
	const struct certdir_identity *id = &check->certificate.identities[i];

	if (id->type == CERTDIR_ID_CERTIFICATE)
		return newest_table(check, d) != 0;
	return ((check->sought >> i) & 1) && check->known.answers[d].state != CERTDIR_NOT_ASKED &&
	       certdir_keeps(check->known.answers[d].keeps, id->type) &&
	       !(check->known.directories[d]->is_live && id->rank == CERTDIR_RANK_CONFIRMING);
}

size_t certdir_cli_asked_directory(const struct certdir_check *check, const struct certdir_record *record)
{
	size_t d = 0;

	for (; d + 1 < check->known.count; d++) {
		const struct certdir_answer *answer = &check->known.answers[d];

		if (answer->records && record >= answer->records && record < answer->records + answer->count)
			break;
	}
	return d;
}

const struct certdir_source *certdir_cli_asked_source(const struct certdir_check *check,
						      const struct certdir_record *record)
{
	return &check->known.answers[certdir_cli_asked_directory(check, record)].sources[record->source];
}

struct certdir_cli_asked_summary certdir_cli_asked_summary(const struct certdir_decision *decision)
{
	struct certdir_cli_asked_summary all = {CERTDIR_UNKNOWN, CERTDIR_UNKNOWN, 0, 0};

	for (size_t r = 0; r < decision->record_count; r++) {
		const struct certdir_device *device = &decision->records[r]->device;

		if (device->enabled == CERTDIR_NO || all.enabled == CERTDIR_UNKNOWN)
			all.enabled = device->enabled;
		if (all.managed == CERTDIR_UNKNOWN)
			all.managed = device->managed;
		if (device->last_seen > all.last_seen)
			all.last_seen = device->last_seen;
		if (!all.registered)
			all.registered = device->registered;
	}
	return all;
}

bool certdir_cli_asked_carries_any(const struct certdir_check *check, size_t d, const struct certdir_record *record)
{
	const struct certdir_source *source = &check->known.answers[d].sources[record->source];

	for (size_t i = 0; i < check->certificate.count; i++) {
		const struct certdir_identity *id = &check->certificate.identities[i];

		if (((check->sought >> i) & 1) &&
		    certdir_record_carries(record, source->kind, id->type, id->value) != CERTDIR_CARRIES_NOT)
			return true;
	}
	return false;
}

bool certdir_cli_asked_knows_any(const struct certdir_check *check, size_t d)
{
	for (size_t i = 0; i < check->certificate.count; i++)
		if (((check->sought >> i) & 1) &&
		    certdir_keeps(check->known.answers[d].keeps, check->certificate.identities[i].type))
			return true;
	return false;
}

static bool is_issued(const struct certdir_check *check)
{
	for (size_t d = 0; d < check->known.count; d++)
		for (size_t r = 0; r < check->known.answers[d].count; r++)
			if (check->known.answers[d].records[r].issued)
				return true;
	return false;
}

int64_t certdir_cli_asked_in_vain(const struct certdir_check *check, size_t d)
{
	if (!check->tables_asked || check->known.answers[d].state != CERTDIR_ANSWERED || is_issued(check))
		return 0;
	return newest_table(check, d);
}

void certdir_cli_asked_places(const unsigned char *der, size_t length, certdir_cli_place_function see, void *context)
{
	const struct certdir_rules rules = {.see = see, .context = context};
	struct certdir_certificate certificate;
	struct certdir_error error;

	(void)certdir_certificate_parse(&certificate, der, length, &rules, &error);
	certdir_certificate_clear(&certificate);
}
