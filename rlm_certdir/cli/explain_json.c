/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/asked.h"
#include "cli/explain.h"
#include "cli/json.h"
#include "facts.h"

/* "ca", or "section NAME" where a certificates section says that the CA vouches; null for what nobody vouches for. */
static json_t *json_voucher(const struct certdir_certificate *certificate, const struct certdir_identity *id)
{
	if (id->rank != CERTDIR_RANK_VOUCHED)
		return json_null();
	return certificate->section ? json_sprintf("section %s", certificate->section) : json_string("ca");
}

static json_t *json_identities(const struct certdir_check *check)
{
	json_t *array = json_array();

	for (size_t i = 0; i < check->certificate.count; i++) {
		const struct certdir_identity *id = &check->certificate.identities[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:o, s:s, s:s, s:b, s:o, s:b}", "type",
						certdir_identity_type_name(id->type), "value",
						certdir_cli_json_text(id->value), "from", id->from, "rank",
						certdir_rank_name(id->rank), "immutable", id->rank >= CERTDIR_RANK_ID,
						"vouched_by", json_voucher(&check->certificate, id), "deciding",
						(int)((check->deciding >> i) & 1)));
	}
	return array;
}

static json_t *json_lookup(const struct certdir_check *check, size_t d, enum certdir_identity_type type,
			   const char *value, json_t *devices)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "directory", check->known.directories[d]->name, "type",
			 certdir_identity_type_name(type), "value", certdir_cli_json_text(value), "devices", devices);
}

static json_t *json_lookups(const struct certdir_check *check)
{
	json_t *array = json_array();

	for (size_t d = 0; d < check->known.count; d++) {
		if (certdir_cli_asked_in_vain(check, d))
			json_array_append_new(array, json_lookup(check, d, CERTDIR_ID_CERTIFICATE,
								 check->certificate.thumbprint, json_integer(0)));
		for (size_t i = 0; i < check->certificate.count; i++) {
			const struct certdir_identity *id = &check->certificate.identities[i];

			if (!certdir_cli_asked_looked_up(check, d, i))
				continue;
			json_array_append_new(
				array,
				json_lookup(check, d, id->type, id->value,
					    check->known.answers[d].state == CERTDIR_ANSWERED
						    ? json_integer((json_int_t)certdir_cli_asked_count(check, d, i))
						    : json_null()));
		}
	}
	return array;
}

static void append(void *context, const char *value)
{
	json_array_append_new(context, certdir_cli_json_text(value));
}

/* The device's texts, by their names. */
static const struct {
	const char *name;
	size_t offset;
} texts[] = {
#define TEXT(_field)                                                                                                   \
	{                                                                                                              \
#_field, offsetof(struct certdir_device, _field)                                                       \
	}
	TEXT(id),
	TEXT(name),
	TEXT(object_id),
	TEXT(entra_device_id),
	TEXT(intune_device_id),
	TEXT(udid),
	TEXT(serial_number),
	TEXT(imei),
	TEXT(meid),
	TEXT(wifi_mac),
	TEXT(sid),
	TEXT(tenant),
	TEXT(operating_system),
	TEXT(ownership),
	TEXT(owner),
	TEXT(category),
	TEXT(enrollment_profile),
	TEXT(management_state),
	TEXT(management_agent),
#undef TEXT
};

static json_t *json_device(const struct certdir_decision *decision)
{
	const struct certdir_cli_asked_summary all = certdir_cli_asked_summary(decision);
	json_t *device = json_object(), *groups = json_array(), *extensions = json_array();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		json_object_set_new(device, texts[i].name,
				    certdir_cli_json_text(certdir_facts_text(decision, texts[i].offset)));
	json_object_set_new(device, "compliance", certdir_cli_json_text(decision->compliance));
	json_object_set_new(device, "enabled", certdir_cli_json_tristate(all.enabled));
	json_object_set_new(device, "managed", certdir_cli_json_tristate(all.managed));
	json_object_set_new(device, "join_type",
			    certdir_cli_json_text(certdir_join_type_name(certdir_facts_join_type(decision))));
	json_object_set_new(device, "last_seen", json_integer((json_int_t)all.last_seen));
	json_object_set_new(device, "registered", json_integer((json_int_t)all.registered));
	certdir_facts_groups(decision, append, groups);
	json_object_set_new(device, "groups", groups);
	(void)certdir_facts_extensions(decision, append, extensions);
	json_object_set_new(device, "extension_attributes", extensions);
	return device;
}

/* The records that the device is made of. */
static json_t *json_sources(const struct certdir_check *check)
{
	json_t *array = json_array();

	for (size_t r = 0; r < check->decision.record_count; r++) {
		const struct certdir_record *record = check->decision.records[r];

		json_array_append_new(
			array, json_pack("{s:s, s:o, s:o, s:o}", "directory",
					 check->known.directories[certdir_cli_asked_directory(check, record)]->name,
					 "source", certdir_cli_json_text(certdir_cli_asked_source(check, record)->name),
					 "id", certdir_cli_json_text(record->device.id), "only_against",
					 certdir_cli_json_text(record->only_against)));
	}
	return array;
}

/* What was read of the certificate, and what the directories said. */
static json_t *json_check(const char *file, const struct certdir_check *check)
{
	const struct certdir_certificate *certificate = &check->certificate;
	const struct certdir_decision *decision = &check->decision;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "file",
			 certdir_cli_json_text(file), "subject", certdir_cli_json_text(certificate->subject), "issuer",
			 certdir_cli_json_text(certificate->issuer), "issuer_key",
			 certdir_cli_json_text(certificate->issuer_key), "serial",
			 certdir_cli_json_text(certificate->serial), "tenant",
			 certdir_cli_json_text(certificate->tenant), "template",
			 certdir_cli_json_text(certificate->template), "ekus", certdir_cli_json_text(certificate->ekus),
			 "ski", certdir_cli_json_text(certificate->ski), "public_key_sha1",
			 certdir_cli_json_text(certificate->public_key_sha1), "section",
			 certdir_cli_json_text(certificate->section), "identities", json_identities(check), "lookups",
			 json_lookups(check), "device", decision->record_count ? json_device(decision) : json_null(),
			 "sources", json_sources(check));
}

/* Who the certificate's person is, or the device's owner; null when nobody was asked. */
static json_t *json_person(const struct certdir_check *check)
{
	const struct certdir_decision *decision = check->person ? &check->person->decision : NULL;

	if (!decision)
		return json_null();
	return json_pack("{s:b, s:o, s:o, s:s, s:s, s:o}", "owner", check->owner != NULL, "id",
			 certdir_cli_json_text(decision->record_count ? CERTDIR_FACT(decision, id) : NULL), "name",
			 certdir_cli_json_text(certdir_facts_user_name(decision)), "reason",
			 certdir_reason_name(decision->reason), "detail", decision->detail, "lookups",
			 json_lookups(check->person));
}

static void append_place(void *context, const char *from, const char *value, size_t length)
{
	json_array_append_new(context, json_pack("{s:s, s:s%}", "from", from, "value", value, length));
}

static json_t *json_places(const struct explain_subject *subject)
{
	json_t *array = json_array();

	certdir_cli_asked_places(subject->der, subject->length, append_place, array);
	return array;
}

static json_t *json_findings(const struct explain_subject *subject)
{
	json_t *array = json_array();

	for (size_t i = 0; i < subject->finding_count; i++) {
		const struct certdir_finding *finding = &subject->findings[i];

		json_array_append_new(array, json_pack("{s:s, s:o, s:i, s:o}", "severity",
						       finding->error ? "error" : "warning", "file",
						       certdir_cli_json_text(finding->file), "line", finding->line,
						       "text", certdir_cli_json_text(finding->text)));
	}
	return array;
}

static json_t *json_decision(const struct certdir_decision *decision)
{
	char matched_by[CERTDIR_MATCHED_BY_SIZE];

	return json_pack(
		"{s:o, s:o, s:s, s:s, s:o}", "matched_by",
		certdir_cli_json_text(decision->matched_by ? certdir_facts_matched_by(decision, matched_by) : NULL),
		"age", certdir_facts_have_age(decision) ? json_integer((json_int_t)decision->age) : json_null(),
		"decision", certdir_verdict_name(certdir_reason_verdict(decision->reason)), "reason",
		certdir_reason_name(decision->reason), "detail", certdir_cli_json_text(decision->detail));
}

bool explain_json(const struct explain_subject *subject, const struct certdir_check *check)
{
	const char *name = subject->name;
	const struct certdir_certificate *certificate = &check->certificate;
	const bool malformed = check->decision.reason == CERTDIR_MALFORMED_CERTIFICATE;
	const char *refusal = name && !malformed ? explain_configmgr(certificate, name) : NULL;
	json_t *object = json_check(subject->file, check), *decision = json_decision(&check->decision);
	bool complete = object && decision && json_object_update(object, decision) == 0;
	char *line;

	json_decref(decision);
	complete = complete &&
		   json_object_set_new(object, "mode", json_string(subject->observes ? "observe" : "enforce")) == 0 &&
		   json_object_set_new(object, "person", json_person(check)) == 0 &&
		   json_object_set_new(object, "places", json_places(subject)) == 0 &&
		   json_object_set_new(object, "wiring", json_findings(subject)) == 0;
	if (complete && name)
		json_object_set_new(object, "configmgr",
				    json_pack("{s:b, s:o}", "takes", !malformed && !refusal, "because",
					      certdir_cli_json_text(refusal)));
	line = complete ? json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	if (line)
		puts(line);
	free(line);
	json_decref(object);
	return line != NULL;
}
