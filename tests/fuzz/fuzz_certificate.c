/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over certdir_certificate_parse(), by the defaults and with a section. Beyond memory errors it looks for what must
 * hold of every certificate that is taken: valid text everywhere, canonical values, no identity twice, no rank that its
 * place has not.
 */
#include "holds.h"
#include "text/canonical.h"
#include "identity/certificate.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct certdir_form forms[2];

static void make_forms(void)
{
	struct certdir_error error;

	if (forms[0].pattern)
		return;
	HOLDS(certdir_form_compile(&forms[0], "asset", "san.uri", "^(?:urn:)*(?:[a-z]+:)+(.+)$", CERTDIR_ID_SERIAL,
				   &error));
	HOLDS(certdir_form_compile(&forms[1], "other", "san.other", "^(?:x|y.)?([^=]*)=?\\w*$", CERTDIR_ID_NAME,
				   &error));
}

/* It fits every certificate. */
static const struct certdir_section section = {
	.name = "s",
	.places =
		{[CERTDIR_ID_GUID] = "san.uri ext.mdm", [CERTDIR_ID_NAME] = "subject.cn", [CERTDIR_ID_DNS] = "san.dns"},
	.vouched = "san.dns ext.mdm",
};

static bool is_guid(enum certdir_identity_type type)
{
	return type == CERTDIR_ID_ENTRA || type == CERTDIR_ID_INTUNE || type == CERTDIR_ID_GUID;
}

static bool stands_in(const struct certdir_identity *identity, const char *from)
{
	return strcmp(identity->from, from) == 0;
}

/* What nobody vouches for must never look as if somebody did. */
static void check_default_rank(const struct certdir_certificate *certificate, const struct certdir_identity *identity)
{
	const bool common_name = stands_in(identity, "subject.cn") &&
				 (identity->type == CERTDIR_ID_NAME || identity->type == CERTDIR_ID_DNS);

	HOLDS(!identity->exact);
	if (identity->type == CERTDIR_ID_SID || identity->type == CERTDIR_ID_SID_URI)
		HOLDS(identity->rank == CERTDIR_RANK_CONFIRMING);
	else if (identity->type == CERTDIR_ID_UDID)
		HOLDS(identity->rank == CERTDIR_RANK_NONE);
	else if (!is_guid(identity->type))
		HOLDS(identity->rank == CERTDIR_RANK_CHOSEN ||
		      (identity->rank == CERTDIR_RANK_NONE && certificate->person && common_name));
	else if (identity->rank == CERTDIR_RANK_VOUCHED)
		HOLDS(stands_in(identity, "san.uri") || strncmp(identity->from, "ext.", 4) == 0);
	else
		HOLDS(identity->rank ==
		      (strncmp(identity->from, "ext.", 4) == 0 ? CERTDIR_RANK_CONFIRMING : CERTDIR_RANK_ID));
}

static void check_section_rank(const struct certdir_identity *identity)
{
	enum certdir_rank rank = CERTDIR_RANK_NONE;

	if (is_guid(identity->type) && (stands_in(identity, "san.uri") || stands_in(identity, "ext.mdm")))
		rank = stands_in(identity, "ext.mdm") ? CERTDIR_RANK_VOUCHED : CERTDIR_RANK_ID;
	else if (identity->type == CERTDIR_ID_NAME && stands_in(identity, "subject.cn"))
		rank = CERTDIR_RANK_CHOSEN;
	else if (identity->type == CERTDIR_ID_DNS && stands_in(identity, "san.dns"))
		rank = CERTDIR_RANK_VOUCHED;
	HOLDS(identity->rank == rank);
	HOLDS(identity->exact == (identity->type == CERTDIR_ID_DNS && rank == CERTDIR_RANK_VOUCHED));
}

static void check_identity(const struct certdir_certificate *certificate, size_t at)
{
	const struct certdir_identity *identity = &certificate->identities[at];
	char canonical[CERTDIR_VALUE_MAX + 1];
	size_t length = strlen(identity->value);
	const char *why;

	HOLDS((unsigned)identity->type < CERTDIR_ID_TYPES);
	HOLDS(certdir_text_valid(identity->value, length, &why));
	HOLDS(certdir_canonical(identity->type, identity->value, length, canonical));
	HOLDS(strcmp(canonical, identity->value) == 0);
	HOLDS((identity->type == CERTDIR_ID_SID) == (strcmp(identity->from, "ext.sid") == 0));
	if (certificate->section)
		check_section_rank(identity);
	else
		check_default_rank(certificate, identity);
	for (size_t i = 0; i < at; i++)
		HOLDS(certificate->identities[i].type != identity->type ||
		      strcmp(certificate->identities[i].value, identity->value) != 0);
}

static void check_text(const char *text)
{
	const char *why;

	HOLDS(!text || certdir_text_clean(text, strlen(text), &why));
}

static void check_certificate(const unsigned char *data, size_t size, const struct certdir_rules *rules)
{
	struct certdir_certificate certificate;
	struct certdir_error error = {.text = ""};

	if (certdir_certificate_parse(&certificate, data, size, rules, &error)) {
		HOLDS(certificate.count <= CERTDIR_NAMES_MAX);
		HOLDS(!certificate.section == !rules->sections);
		HOLDS(certificate.subject && certificate.issuer && certificate.serial && certificate.public_key_sha1);
		for (size_t i = 0; i < certificate.count; i++)
			check_identity(&certificate, i);
		check_text(certificate.template);
		check_text(certificate.ekus);
		check_text(certificate.issuer_key);
	} else {
		HOLDS(error.text[0]);
		HOLDS(certificate.count == 0);
	}
	certdir_certificate_clear(&certificate);
	HOLDS(ERR_peek_error() == 0);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct certdir_rules rules = {.forms = forms, .form_count = sizeof forms / sizeof *forms};

	make_forms();
	check_certificate(data, size, &rules);
	rules.sections = &section;
	rules.section_count = 1;
	check_certificate(data, size, &rules);
	return 0;
}
