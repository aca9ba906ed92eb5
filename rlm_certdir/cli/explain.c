/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/explain.h"

#include "identity/mapping.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

size_t explain_devices(const struct certdir_check *check, size_t d, size_t i)
{
	const struct certdir_answer *answer = &check->answers[d];
	size_t count = 0;

	for (size_t m = 0; m < answer->count; m++)
		count += (answer->matches[m].by >> i) & 1;
	return count;
}

static const char *when(int64_t seconds, char text[32])
{
	const time_t t = (time_t)seconds;
	struct tm tm;

	if (!seconds || !gmtime_r(&t, &tm) || !strftime(text, 32, "%Y-%m-%d %H:%M:%SZ", &tm))
		return "not known";
	return text;
}

static const char *yes_no(enum certdir_tristate is)
{
	return is == CERTDIR_YES ? "yes" : is == CERTDIR_NO ? "no" : "not known";
}

const char *explain_configmgr(const struct certdir_certificate *certificate, const char *name)
{
	const size_t length = strlen(name);
	bool named = false;

	if (!certificate->client_auth)
		return "its extended key usage does not allow client authentication";
	if (!certificate->has_san)
		return "it has no subject alternative name";
	for (size_t i = 0; i < certificate->count && !named; i++) {
		const struct certdir_identity *id = &certificate->identities[i];
		const bool host = id->type == CERTDIR_ID_DNS || id->type == CERTDIR_ID_NAME;
		const char *rest = id->value + length;

		named = host && strncasecmp(id->value, name, length) == 0 &&
			(*rest == '\0' || (*rest == '.' && !strchr(name, '.')));
	}
	return named ? NULL : "neither its subject nor a DNS name in its SAN is the computer's name";
}

/* ---- for a person ---- */

static void print_names(const struct certdir_check *check)
{
	printf("  names in the certificate\n");
	if (!check->certificate.count)
		printf("    none\n");
	for (size_t i = 0; i < check->certificate.count; i++) {
		const struct certdir_identity *id = &check->certificate.identities[i];

		printf("    %-16s %-40s %-22s %s%s\n", certdir_identity_type_name(id->type), id->value, id->from,
		       id->immutable ? "an id" : "a name that can be chosen",
		       (check->asked >> i) & 1 ? "" : ", not an accepted type");
	}
}

static void print_lookup(const struct certdir_check *check, size_t d, size_t i)
{
	const struct certdir_identity *id = &check->certificate.identities[i];
	const size_t devices = explain_devices(check, d, i);

	printf("    %-16s %-40s ", certdir_identity_type_name(id->type), id->value);
	if ((check->answers[d].truncated >> i) & 1)
		printf("more than %zu devices\n", devices);
	else
		printf("%zu device%s\n", devices, devices == 1 ? "" : "s");
}

static void print_lookups(const struct certdir_checker *checker, const struct certdir_check *check)
{
	for (size_t d = 0; d < checker->directory_count; d++) {
		const struct certdir_answer *answer = &check->answers[d];

		if (!check->consulted[d])
			continue;
		printf("  looked up in %s\n", checker->directories[d]->name);
		if (answer->state != CERTDIR_ANSWERED) {
			printf("    no answer: %s\n", answer->detail);
			continue;
		}
		for (size_t i = 0; i < check->certificate.count; i++)
			if ((check->asked >> i) & 1)
				print_lookup(check, d, i);
		for (size_t m = 0; m < answer->count; m++)
			printf("    -> %s \"%s\"\n", answer->matches[m].device.id,
			       answer->matches[m].device.name ? answer->matches[m].device.name : "");
	}
}

static void print_device(const struct certdir_match *match)
{
	const struct certdir_device *device = &match->device;
	char seen[32], registered[32];

	printf("  the device\n");
	printf("    %s \"%s\"\n", device->id, device->name ? device->name : "");
	printf("    enabled %s, managed %s, compliance %s, joined as %s\n", yes_no(device->enabled),
	       yes_no(device->managed), device->compliance ? device->compliance : "not known",
	       certdir_join_type_name(device->join_type));
	printf("    last seen %s, registered %s\n", when(device->last_seen, seen),
	       when(device->registered, registered));
	for (size_t g = 0; g < device->group_count; g++)
		printf("    member of \"%s\"\n",
		       device->groups[g].name ? device->groups[g].name : device->groups[g].id);
}

/* NPS takes the outer identity host/NAME, looks for that SPN or NAME$, and then wants a strong mapping (KB5014754). */
static void print_nps(const struct certdir_certificate *certificate)
{
	const char *sid = NULL, *where = "";
	char *mapping;

	(void)certdir_mapping_issuer_serial(certificate, &mapping);
	printf("  what NPS would look for\n");
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		if (id->type == CERTDIR_ID_NAME)
			printf("    servicePrincipalName HOST/%s, or sAMAccountName %s$\n", id->value, id->value);
		else if (id->type == CERTDIR_ID_DNS)
			printf("    servicePrincipalName HOST/%s\n", id->value);
		else if (id->type == CERTDIR_ID_SID || (id->type == CERTDIR_ID_SID_URI && !sid))
			sid = id->value, where = id->from;
	}
	if (sid)
		printf("    mapped to the account with objectSid %s (%s)\n", sid, where);
	else
		printf("    no SID in the certificate: altSecurityIdentities must have one of\n      %s\n"
		       "      X509:<SHA1-PUKEY>%s\n",
		       mapping ? mapping : "X509:<I>..<SR>..", certificate->public_key_sha1);
	if (!sid && certificate->ski)
		printf("      X509:<SKI>%s\n", certificate->ski);
	free(mapping);
}

static void print_certificate(const struct certdir_certificate *certificate, int64_t now)
{
	char from[32], until[32];

	printf("  subject  %s\n  issuer   %s\n  serial   %s\n  valid    %s to %s%s\n", certificate->subject,
	       certificate->issuer, certificate->serial, when(certificate->not_before, from),
	       when(certificate->not_after, until),
	       now < certificate->not_before  ? ": NOT YET VALID, the TLS handshake would fail"
	       : now > certificate->not_after ? ": EXPIRED, the TLS handshake would fail"
					      : "");
	if (!certificate->client_auth)
		printf("  usage    not for client authentication: the TLS handshake would fail\n");
}

void explain_text(const char *file, const struct certdir_checker *checker, const struct certdir_check *check,
		  const char *name, int64_t now)
{
	const struct certdir_decision *decision = &check->decision;
	const bool malformed = decision->reason == CERTDIR_MALFORMED_CERTIFICATE;
	const char *refusal;

	printf("%s\n", file);
	if (check->certificate.subject && check->certificate.issuer && check->certificate.serial)
		print_certificate(&check->certificate, now);
	if (!malformed) {
		print_names(check);
		print_lookups(checker, check);
	}
	if (decision->match)
		print_device(decision->match);
	printf("  decision %s: %s%s%s\n", certdir_verdict_name(certdir_reason_verdict(decision->reason)),
	       certdir_reason_name(decision->reason), decision->detail[0] ? ": " : "", decision->detail);
	printf("           %s\n", certdir_reason_advice(decision->reason));
	if (!malformed)
		print_nps(&check->certificate);
	if (!malformed && name) {
		refusal = explain_configmgr(&check->certificate, name);
		printf("  ConfigMgr's client on %s would %s%s\n", name, refusal ? "not take it: " : "take it",
		       refusal ? refusal : "");
	}
	printf("\n");
}

/* ---- JSON ---- */

static json_t *text(const char *value)
{
	json_t *string = value ? json_string(value) : NULL;

	return string ? string : json_null();
}

static json_t *json_identities(const struct certdir_certificate *certificate)
{
	json_t *array = json_array();

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:o, s:s, s:b, s:b}", "type",
						certdir_identity_type_name(id->type), "value", text(id->value), "from",
						id->from, "immutable", id->immutable, "tentative", id->tentative));
	}
	return array;
}

static json_t *json_lookups(const struct certdir_checker *checker, const struct certdir_check *check)
{
	json_t *array = json_array();

	for (size_t d = 0; d < checker->directory_count; d++)
		for (size_t i = 0; check->consulted[d] && i < check->certificate.count; i++) {
			const struct certdir_identity *id = &check->certificate.identities[i];

			if (!((check->asked >> i) & 1))
				continue;
			json_array_append_new(
				array,
				json_pack("{s:s, s:s, s:o, s:o}", "directory", checker->directories[d]->name, "type",
					  certdir_identity_type_name(id->type), "value", text(id->value), "devices",
					  check->answers[d].state == CERTDIR_ANSWERED
						  ? json_integer((json_int_t)explain_devices(check, d, i))
						  : json_null()));
		}
	return array;
}

static json_t *tristate(enum certdir_tristate is)
{
	return is == CERTDIR_UNKNOWN ? json_null() : json_boolean(is == CERTDIR_YES);
}

static json_t *json_device(const struct certdir_device *device)
{
	json_t *groups = json_array();

	for (size_t g = 0; g < device->group_count; g++)
		json_array_append_new(groups,
				      text(device->groups[g].name ? device->groups[g].name : device->groups[g].id));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:o, s:o}", "id",
			 text(device->id), "name", text(device->name), "entra_device_id", text(device->entra_device_id),
			 "intune_device_id", text(device->intune_device_id), "serial_number",
			 text(device->serial_number), "sid", text(device->sid), "enabled", tristate(device->enabled),
			 "managed", tristate(device->managed), "compliance", text(device->compliance), "join_type",
			 certdir_join_type_name(device->join_type), "last_seen", (json_int_t)device->last_seen,
			 "registered", (json_int_t)device->registered, "tenant", text(device->tenant), "groups",
			 groups);
}

bool explain_json(const char *file, const struct certdir_checker *checker, const struct certdir_check *check,
		  const char *name)
{
	const struct certdir_certificate *certificate = &check->certificate;
	const struct certdir_decision *decision = &check->decision;
	const bool malformed = decision->reason == CERTDIR_MALFORMED_CERTIFICATE;
	const char *refusal = name && !malformed ? explain_configmgr(certificate, name) : NULL;
	json_t *object;
	char *line;

	object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o}", "file", text(file),
			   "subject", text(certificate->subject), "issuer", text(certificate->issuer), "serial",
			   text(certificate->serial), "tenant", text(certificate->tenant), "template",
			   text(certificate->template), "ski", text(certificate->ski), "public_key_sha1",
			   text(certificate->public_key_sha1), "identities", json_identities(certificate), "lookups",
			   json_lookups(checker, check), "device",
			   decision->match ? json_device(&decision->match->device) : json_null(), "decision",
			   certdir_verdict_name(certdir_reason_verdict(decision->reason)), "reason",
			   certdir_reason_name(decision->reason), "detail", text(decision->detail));
	if (object && name)
		json_object_set_new(object, "configmgr",
				    json_pack("{s:b, s:o}", "takes", !malformed && !refusal, "because", text(refusal)));
	line = object ? json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	if (line)
		puts(line);
	free(line);
	json_decref(object);
	return line != NULL;
}
