/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decision_json.h"

#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "journal/json.h"
#include "text/timestamp.h"

enum { SECOND = 1000000 /* microseconds */ };

/* ---- what was decided ---- */

static void put_time(struct certdir_json *json, int64_t at)
{
	char seconds[CERTDIR_TIMESTAMP_SIZE], text[CERTDIR_TIMESTAMP_SIZE + 8];

	certdir_timestamp_print(at / SECOND, seconds);
	(void)snprintf(text, sizeof(text), "%.*s.%03dZ", (int)strcspn(seconds, "Z"), seconds,
		       (int)(at % SECOND / 1000));
	certdir_json_text(json, "time", text);
}

static void put_decision(struct certdir_json *json, const struct certdir_decision *decision)
{
	const struct certdir_identity *by = decision->matched_by;
	char matched_by[CERTDIR_MATCHED_BY_SIZE];

	certdir_json_text(json, "decision", certdir_verdict_name(certdir_reason_verdict(decision->reason)));
	certdir_json_text(json, "reason", certdir_reason_name(decision->reason));
	certdir_json_text(json, "detail", decision->detail);
	certdir_json_flag(json, "only_compliance", decision->only_compliance);
	certdir_json_text(json, "directory", decision->directory);
	if (by) {
		certdir_json_open(json, "matched", '{');
		certdir_json_text(json, "by", certdir_facts_matched_by(decision, matched_by));
		certdir_json_text(json, "from", by->from);
		certdir_json_text(json, "value", by->value);
		certdir_json_close(json, '}');
	}
	if (certdir_facts_have_age(decision))
		certdir_json_number(json, "age", decision->age);
}

/* ---- the login ---- */

static void put_login(struct certdir_json *json, const struct certdir_check *check, const struct certdir_told *told)
{
	certdir_json_open(json, "login", '{');
	if (told->user_name)
		certdir_json_bytes(json, "user_name", told->user_name, told->user_name_length);
	certdir_json_text(json, "upn", certdir_facts_upn(check));
	certdir_json_text(json, "station", told->station);
	certdir_json_text(json, "called_station", told->called_station);
	certdir_json_text(json, "ssid", told->ssid);
	certdir_json_text(json, "session", told->session);
	certdir_json_close(json, '}');
	certdir_json_open(json, "nas", '{');
	certdir_json_text(json, "client", told->client);
	certdir_json_text(json, "identifier", told->nas);
	certdir_json_text(json, "address", told->nas_address);
	if (told->port >= 0)
		certdir_json_number(json, "port", told->port);
	certdir_json_text(json, "port_id", told->port_id);
	certdir_json_close(json, '}');
}

/* ---- the certificate ---- */

static void put_identities(struct certdir_json *json, const struct certdir_check *check)
{
	const uint64_t deciding = check->deciding | (check->person && !check->owner ? check->person->deciding : 0);

	certdir_json_open(json, "identities", '[');
	for (size_t i = 0; i < check->certificate.count; i++) {
		const struct certdir_identity *id = &check->certificate.identities[i];

		certdir_json_open(json, NULL, '{');
		certdir_json_text(json, "type", certdir_identity_type_name(id->type));
		certdir_json_text(json, "value", id->value);
		certdir_json_text(json, "from", id->from);
		certdir_json_text(json, "rank", certdir_rank_name(id->rank));
		certdir_json_flag(json, "deciding", deciding >> i & 1);
		certdir_json_close(json, '}');
	}
	certdir_json_close(json, ']');
}

static void put_certificate(struct certdir_json *json, const struct certdir_check *check,
			    const struct certdir_told *told)
{
	static const char *const holders[] = {
		[CERTDIR_HOLDER_DEVICE] = "device", [CERTDIR_HOLDER_USER] = "user", [CERTDIR_HOLDER_BOTH] = "both"};
	const struct certdir_certificate *certificate = &check->certificate;

	certdir_json_open(json, "certificate", '{');
	certdir_json_text(json, "subject", certificate->subject);
	certdir_json_text(json, "issuer", certificate->issuer);
	certdir_json_text(json, "serial", certificate->serial);
	certdir_json_text(json, "thumbprint", certificate->thumbprint);
	certdir_json_text(json, "tenant", certificate->tenant);
	certdir_json_text(json, "section", certificate->section);
	certdir_json_text(json, "holder", holders[certificate->holder]);
	if (certificate->not_before)
		certdir_json_number(json, "not_before", certificate->not_before);
	if (certificate->not_after)
		certdir_json_number(json, "not_after", certificate->not_after);
	put_identities(json, check);
	if (told->der)
		certdir_json_base64(json, "der", told->der, told->der_length);
	certdir_json_close(json, '}');
}

/* ---- the directories ---- */

/* What of a source succeeded how long ago. What says what is there now has no age. */
static void put_source(struct certdir_json *json, const struct certdir_source *source, int64_t now)
{
	static const char *const parts[CERTDIR_PARTS] = {
		[CERTDIR_PART_OF_DEVICES] = "devices",
		[CERTDIR_PART_OF_INTUNE] = "intune",
		[CERTDIR_PART_OF_GROUPS] = "groups",
		[CERTDIR_PART_OF_CERTIFICATES] = "certificates",
	};

	certdir_json_open(json, NULL, '{');
	certdir_json_text(json, "name", source->name);
	for (size_t p = 0; p < CERTDIR_PARTS; p++)
		if (source->synced[p])
			certdir_json_number(json, parts[p], now - source->synced[p]);
	certdir_json_close(json, '}');
}

static void put_lookups(struct certdir_json *json, const struct certdir_known *known, int64_t now)
{
	static const char *const states[] = {
		[CERTDIR_NOT_ASKED] = "not-asked",
		[CERTDIR_ANSWERED] = "answered",
		[CERTDIR_ANSWER_UNAVAILABLE] = "unavailable",
		[CERTDIR_ANSWER_MISSING] = "missing",
	};

	certdir_json_open(json, "lookups", '[');
	for (size_t d = 0; d < known->count; d++) {
		const struct certdir_answer *answer = &known->answers[d];

		certdir_json_open(json, NULL, '{');
		certdir_json_text(json, "directory", known->directories[d]->name);
		certdir_json_text(json, "state", states[answer->state]);
		certdir_json_text(json, "detail", answer->detail);
		certdir_json_number(json, "records", (int64_t)answer->count);
		certdir_json_open(json, "sources", '[');
		for (size_t s = 0; s < answer->source_count; s++)
			put_source(json, &answer->sources[s], now);
		certdir_json_close(json, ']');
		certdir_json_close(json, '}');
	}
	certdir_json_close(json, ']');
}

/* ---- the device, the person ---- */

static void put_item(void *context, const char *text)
{
	certdir_json_text(context, NULL, text);
}

static void put_groups(struct certdir_json *json, const struct certdir_decision *decision)
{
	certdir_json_open(json, "groups", '[');
	certdir_facts_groups(decision, put_item, json);
	certdir_json_close(json, ']');
}

static void put_device(struct certdir_json *json, const struct certdir_decision *decision)
{
	certdir_json_open(json, "device", '{');
	certdir_json_text(json, "id", CERTDIR_FACT(decision, id));
	certdir_json_text(json, "name", CERTDIR_FACT(decision, name));
	certdir_json_text(json, "object_id", CERTDIR_FACT(decision, object_id));
	certdir_json_text(json, "entra_device_id", CERTDIR_FACT(decision, entra_device_id));
	certdir_json_text(json, "intune_device_id", CERTDIR_FACT(decision, intune_device_id));
	certdir_json_text(json, "udid", CERTDIR_FACT(decision, udid));
	certdir_json_text(json, "serial_number", CERTDIR_FACT(decision, serial_number));
	certdir_json_text(json, "sid", CERTDIR_FACT(decision, sid));
	certdir_json_text(json, "tenant", CERTDIR_FACT(decision, tenant));
	certdir_json_text(json, "join_type", certdir_join_type_name(certdir_facts_join_type(decision)));
	certdir_json_text(json, "compliance", decision->compliance);
	certdir_json_text(json, "operating_system", CERTDIR_FACT(decision, operating_system));
	certdir_json_text(json, "ownership", CERTDIR_FACT(decision, ownership));
	certdir_json_text(json, "owner", CERTDIR_FACT(decision, owner));
	certdir_json_text(json, "category", CERTDIR_FACT(decision, category));
	certdir_json_text(json, "enrollment_profile", CERTDIR_FACT(decision, enrollment_profile));
	put_groups(json, decision);
	certdir_json_open(json, "extension_attributes", '[');
	json->failed |= !certdir_facts_extensions(decision, put_item, json);
	certdir_json_close(json, ']');
	certdir_json_close(json, '}');
}

static void put_person(struct certdir_json *json, const struct certdir_check *person, bool owner, int64_t now)
{
	const struct certdir_decision *decision = &person->decision;

	certdir_json_open(json, "person", '{');
	certdir_json_flag(json, "owner", owner);
	certdir_json_text(json, "reason", certdir_reason_name(decision->reason));
	certdir_json_text(json, "detail", decision->detail);
	if (decision->record_count) {
		certdir_json_text(json, "id", CERTDIR_FACT(decision, id));
		certdir_json_text(json, "name", certdir_facts_user_name(decision));
		put_groups(json, decision);
	}
	put_lookups(json, &person->known, now);
	certdir_json_close(json, '}');
}

char *certdir_decision_json(const struct certdir_check *check, const struct certdir_told *told, size_t *length)
{
	const int64_t now = told->at / SECOND;
	struct certdir_json json = {0};

	certdir_json_open(&json, NULL, '{');
	certdir_json_number(&json, "version", CERTDIR_JOURNAL_VERSION);
	put_time(&json, told->at);
	certdir_json_text(&json, "module", told->module);
	certdir_json_text(&json, "mode", told->observe ? "observe" : "enforce");
	put_decision(&json, &check->decision);
	certdir_json_number(&json, "took", told->took);
	put_login(&json, check, told);
	if (check->parsed)
		put_certificate(&json, check, told);
	put_lookups(&json, &check->known, now);
	if (check->decision.record_count)
		put_device(&json, &check->decision);
	if (check->person)
		put_person(&json, check->person, check->owner != NULL, now);
	certdir_json_close(&json, '}');
	return certdir_json_take(&json, length);
}
