/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/asked.h"
#include "cli/color.h"
#include "cli/words.h"
#include "facts.h"
#include "identity/mapping.h"

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

/* A date, of which 0 is none. */
static const char *known_date(int64_t seconds, char text[CERTDIR_CLI_DATE_SIZE])
{
	return seconds ? certdir_cli_date(seconds, text) : "not known";
}

/* Who says so: how far a name in the certificate is to be trusted. */
static void print_voucher(const struct certdir_checker *checker, const struct certdir_certificate *certificate,
			  const struct certdir_identity *id)
{
	const char *section = certificate->section;

	switch (id->rank) {
	case CERTDIR_RANK_VOUCHED:
		printf("vouched by the CA");
		if (section)
			printf(" (certificates %s)", section);
		break;
	case CERTDIR_RANK_ID:
		printf("taken for an id: somebody may have named a device so");
		break;
	case CERTDIR_RANK_CHOSEN:
		printf("can be chosen");
		break;
	case CERTDIR_RANK_CONFIRMING:
		printf("confirms only");
		break;
	case CERTDIR_RANK_NONE:
	case CERTDIR_RANKS:
		if (section)
			printf("not placed by certificates %s: not looked up", section);
		else
			printf("%s: not looked up",
			       checker->section_count ? "of no certificates section" : "a person's name");
	}
}

/* Why a name that could have decided did not. */
static void print_use(const struct certdir_check *check, size_t i)
{
	const struct certdir_identity *id = &check->certificate.identities[i];
	bool kept = false;

	if (((check->deciding >> i) & 1) || (check->person && !check->owner && ((check->person->deciding >> i) & 1))) {
		printf("; DECIDES");
		return;
	}
	if (!((check->known.accepted >> i) & 1) || id->rank < CERTDIR_RANK_CHOSEN || !check->known.count)
		return;
	for (size_t d = 0; d < check->known.count; d++)
		kept |= check->known.in_scope[d] && certdir_keeps(check->known.answers[d].keeps, id->type);
	if (!kept)
		printf(id->type == CERTDIR_ID_CERTIFICATE ? "; its table names no device that a directory could know"
							  : "; no directory knows devices by it");
	else if (id->type != CERTDIR_ID_MAPPING && id->type != CERTDIR_ID_CERTIFICATE)
		printf("; has no say beside an id");
}

static void print_names(const struct certdir_checker *checker, const struct certdir_check *check)
{
	const struct certdir_certificate *certificate = &check->certificate;

	printf("  names in the certificate\n");
	if (!certificate->count)
		printf("    none\n");
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		printf("    %-16s %-40s %-22s ", certdir_identity_type_name(id->type), id->value, id->from);
		print_voucher(checker, certificate, id);
		if (!((check->known.accepted >> i) & 1) && id->rank != CERTDIR_RANK_NONE &&
		    !(check->person && ((check->person->known.accepted >> i) & 1)))
			printf(", not an accepted type");
		print_use(check, i);
		printf("\n");
	}
	if (certificate->left_out)
		printf("    and %zu more for which there was no room\n", certificate->left_out);
}

/* How old a part is, or what a record has in it: ", Intune 5 min old". A part that a source does not have is not told. */
static void print_part(const struct certdir_source *source, enum certdir_part part, const char *name, int64_t as_of,
		       int64_t now)
{
	char age[CERTDIR_CLI_AGE_SIZE];

	if (!source->synced[part])
		return;
	printf(", %s%s old%s", name, certdir_cli_age(now - (as_of ? as_of : source->synced[part]), age),
	       as_of ? " (gone, and kept by max_shrink of the sync)" : "");
}

static void print_source(const struct certdir_source *source, const struct certdir_record *record, int64_t now)
{
	char good_for[CERTDIR_CLI_AGE_SIZE];

	if (source->kind == CERTDIR_SOURCE_LDAP && !source->listed) {
		printf("live");
	} else {
		printf("source \"%s\"%s", source->name,
		       source->synced[CERTDIR_PART_OF_DEVICES] ? "" : ", never complete");
		print_part(source, CERTDIR_PART_OF_DEVICES, "", record->device.own.as_of, now);
		printf("%s", certdir_cli_good_for(source->good_for, good_for));
		if (record->issued)
			print_part(source, CERTDIR_PART_OF_CERTIFICATES, "certificates ", record->issued->as_of, now);
		if (record->device.intune.is)
			print_part(source, CERTDIR_PART_OF_INTUNE, "Intune ", record->device.intune.as_of, now);
		if (record->device.group_count)
			print_part(source, CERTDIR_PART_OF_GROUPS, "groups ", 0, now);
	}
	if (record->only_against)
		printf("; can only speak against a device: %s", record->only_against);
}

static void print_lookup(const struct certdir_check *check, size_t d, size_t i)
{
	const struct certdir_identity *id = &check->certificate.identities[i];
	const size_t records = certdir_cli_asked_count(check, d, i);

	printf("    %-16s %-40s %s%zu record%s\n", certdir_identity_type_name(id->type), id->value,
	       (check->known.many[d] >> i) & 1 ? "more than " : "", records, certdir_cli_plural(records));
}

/* Of a certificate that no table of issued ones has, where there is one. */
static void print_in_vain(const struct certdir_check *check, size_t d, int64_t now)
{
	const int64_t made = certdir_cli_asked_in_vain(check, d);

	if (!made)
		return;
	printf("    %-16s %-40s no table of issued certificates has it, the newest is of ",
	       certdir_identity_type_name(CERTDIR_ID_CERTIFICATE), check->certificate.thumbprint);
	certdir_cli_print_when(made, now);
	printf("\n");
}

static void print_answer(const struct certdir_check *check, size_t d, int64_t now)
{
	const struct certdir_answer *answer = &check->known.answers[d];

	if (answer->state != CERTDIR_ANSWERED) {
		printf("    no answer: %s\n", answer->detail);
		return;
	}
	print_in_vain(check, d, now);
	for (size_t i = 0; i < check->certificate.count; i++)
		if (certdir_cli_asked_looked_up(check, d, i))
			print_lookup(check, d, i);
	for (size_t r = 0; r < answer->count; r++) {
		const struct certdir_record *record = &answer->records[r];

		printf("    -> %s \"%s\" (", record->device.id, certdir_cli_text_or(record->device.name, ""));
		print_source(&answer->sources[record->source], record, now);
		printf("%s)\n", certdir_cli_asked_carries_any(check, d, record) ? "" : ", by an id of another record");
	}
}

static void print_answers(const struct certdir_check *check, int64_t now)
{
	for (size_t d = 0; d < check->known.count; d++) {
		const char *name = check->known.directories[d]->name;

		if (!check->known.in_scope[d]) {
			printf("  %s does not serve certificates of this issuer\n", name);
		} else if (check->known.answers[d].state == CERTDIR_NOT_ASKED) {
			printf("  %s %s\n", name,
			       certdir_cli_asked_knows_any(check, d) ? "did not have to be asked"
								     : "knows devices by none of these names");
		} else {
			printf("  looked up in %s\n", name);
			print_answer(check, d, now);
		}
	}
}

static void print_line(void *context, const char *text)
{
	printf("    %s %s\n", (const char *)context, text);
}

static void print_fact(const char *name, const char *text)
{
	if (text)
		printf("    %s %s\n", name, text);
}

static void print_device(const struct certdir_check *check, int64_t now)
{
	static char member[] = "member of", extension[] = "extension attribute";
	const struct certdir_decision *decision = &check->decision;
	const struct certdir_cli_asked_summary all = certdir_cli_asked_summary(decision);
	const char *name = CERTDIR_FACT(decision, name);
	char seen[CERTDIR_CLI_DATE_SIZE], registered[CERTDIR_CLI_DATE_SIZE];

	printf("  the device\n    %s \"%s\"\n", CERTDIR_FACT(decision, id), certdir_cli_text_or(name, ""));
	for (size_t r = 0; r < decision->record_count; r++) {
		const struct certdir_record *record = decision->records[r];

		printf("    known to %s as %s: ",
		       check->known.directories[certdir_cli_asked_directory(check, record)]->name, record->device.id);
		print_source(certdir_cli_asked_source(check, record), record, now);
		printf("\n");
	}
	printf("    enabled %s, managed %s, compliance %s, joined as %s\n",
	       certdir_cli_yes_no(all.enabled, "not known"), certdir_cli_yes_no(all.managed, "not known"),
	       certdir_cli_text_or(decision->compliance, "not known"),
	       certdir_join_type_name(certdir_facts_join_type(decision)));
	printf("    last seen %s, registered %s\n", known_date(all.last_seen, seen),
	       known_date(all.registered, registered));
	print_fact("operating system", CERTDIR_FACT(decision, operating_system));
	print_fact("ownership", CERTDIR_FACT(decision, ownership));
	print_fact("owner", CERTDIR_FACT(decision, owner));
	print_fact("category", CERTDIR_FACT(decision, category));
	print_fact("enrollment profile", CERTDIR_FACT(decision, enrollment_profile));
	print_fact("management state", CERTDIR_FACT(decision, management_state));
	print_fact("management agent", CERTDIR_FACT(decision, management_agent));
	(void)certdir_facts_extensions(decision, print_line, extension);
	certdir_facts_groups(decision, print_line, member);
}

/* Who the certificate's person is, or the device's owner. */
static void print_person(const struct certdir_check *check, int64_t now)
{
	static char member[] = "member of";
	const struct certdir_decision *decision = &check->person->decision;

	printf("  %s: %s%s%s\n", check->owner ? "the device's owner" : "the person",
	       certdir_reason_name(decision->reason), decision->detail[0] ? ": " : "", decision->detail);
	print_answers(check->person, now);
	if (!decision->record_count)
		return;
	printf("    %s \"%s\", enabled %s\n", CERTDIR_FACT(decision, id),
	       certdir_cli_text_or(certdir_facts_user_name(decision), ""),
	       certdir_cli_yes_no(certdir_cli_asked_summary(decision).enabled, "not known"));
	certdir_facts_groups(decision, print_line, member);
}

static void print_decision(const struct certdir_decision *decision, bool observes)
{
	static const enum certdir_cli_color colors[] = {[CERTDIR_ALLOW] = CERTDIR_CLI_GREEN,
							[CERTDIR_DENY] = CERTDIR_CLI_RED,
							[CERTDIR_UNSURE] = CERTDIR_CLI_YELLOW};
	const enum certdir_verdict verdict = certdir_reason_verdict(decision->reason);
	char age[CERTDIR_CLI_AGE_SIZE];

	printf("  decision %s%s%s: %s%s%s\n", certdir_cli_color(colors[verdict]), certdir_verdict_name(verdict),
	       certdir_cli_color(CERTDIR_CLI_PLAIN), certdir_reason_name(decision->reason),
	       decision->detail[0] ? ": " : "", decision->detail);
	printf("           %s\n", certdir_reason_advice(decision->reason));
	if (observes && decision->reason != CERTDIR_UNSEEN && certdir_reason_verdict(decision->reason) != CERTDIR_ALLOW)
		printf("           policy { mode = observe }: the server lets it in all the same.\n");
	if (decision->by_dates)
		printf("           Several devices bear these names: dates told which one it is.\n");
	if (decision->only_compliance)
		printf("           Nothing but its compliance stands against the device: certdir_quarantine would let "
		       "it in.\n");
	if (certdir_facts_have_age(decision) && decision->age) {
		printf("           The oldest fact that decided is %s old.\n", certdir_cli_age(decision->age, age));
	}
}

/* NPS takes the outer identity host/NAME, looks for that SPN or NAME$, and then wants a strong mapping (KB5014754). */
static void print_nps(const struct certdir_certificate *certificate)
{
	const char *sid = NULL, *where = "";
	char *mapping, *with_zero;

	(void)certdir_mapping_issuer_serial(certificate, false, &mapping);
	(void)certdir_mapping_issuer_serial(certificate, true, &with_zero);
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
		printf("    no SID in the certificate: altSecurityIdentities must have one of\n      %s\n%s%s%s"
		       "      X509:<SHA1-PUKEY>%s\n",
		       mapping ? mapping : "X509:<I>..<SR>..", with_zero ? "      " : "", with_zero ? with_zero : "",
		       with_zero ? "\n" : "", certificate->public_key_sha1);
	if (!sid && certificate->ski)
		printf("      X509:<SKI>%s\n", certificate->ski);
	free(mapping);
	free(with_zero);
}

static void print_certificate(const struct certdir_certificate *certificate, int64_t now)
{
	char from[CERTDIR_CLI_DATE_SIZE], until[CERTDIR_CLI_DATE_SIZE];

	printf("  subject  %s\n  issuer   %s\n  serial   %s\n  valid    %s to %s%s\n", certificate->subject,
	       certificate->issuer, certificate->serial, known_date(certificate->not_before, from),
	       known_date(certificate->not_after, until),
	       now < certificate->not_before  ? ": NOT YET VALID, the TLS handshake would fail"
	       : now > certificate->not_after ? ": EXPIRED, the TLS handshake would fail"
					      : "");
	if (certificate->issuer_key)
		printf("  key id   %s (of the issuer)\n", certificate->issuer_key);
	if (certificate->template)
		printf("  template %s\n", certificate->template);
	if (certificate->ekus)
		printf("  ekus     %s\n", certificate->ekus);
	if (certificate->section)
		printf("  section  certificates %s\n", certificate->section);
	if (!certificate->client_auth)
		printf("  usage    not for client authentication: the TLS handshake would fail\n");
}

static void print_place(void *context, const char *from, const char *value, size_t length)
{
	(void)context;
	printf("    %-22s %.*s\n", from, (int)length, value);
}

void explain_findings(const struct certdir_finding *findings, size_t count)
{
	if (count)
		printf("the way of a login to certdir\n");
	for (size_t i = 0; i < count; i++)
		printf("  %s  %s[%d]: %s\n", findings[i].error ? "error" : "warning", findings[i].file,
		       findings[i].line, findings[i].text);
	if (count)
		printf("\n");
}

void explain_text(const struct explain_subject *subject, const struct certdir_check *check)
{
	const struct certdir_checker *checker = subject->checker;
	const struct certdir_decision *decision = &check->decision;
	const bool malformed = decision->reason == CERTDIR_MALFORMED_CERTIFICATE;
	const char *refusal, *name = subject->name;
	const int64_t now = subject->now;

	printf("%s\n", subject->file);
	if (check->certificate.subject && check->certificate.issuer && check->certificate.serial)
		print_certificate(&check->certificate, now);
	printf("  what stands where\n");
	certdir_cli_asked_places(subject->der, subject->length, print_place, NULL);
	if (!malformed) {
		print_names(checker, check);
		print_answers(check, now);
	}
	if (decision->record_count)
		print_device(check, now);
	if (check->person)
		print_person(check, now);
	print_decision(decision, subject->observes);
	if (!malformed)
		print_nps(&check->certificate);
	if (!malformed && name) {
		refusal = explain_configmgr(&check->certificate, name);
		printf("  ConfigMgr's client on %s would %s%s\n", name, refusal ? "not take it: " : "take it",
		       refusal ? refusal : "");
	}
	printf("\n");
}
