/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/certificate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "identity/asn1_time.h"
#include "identity/extension.h"
#include "identity/rank.h"
#include "text/canonical.h"
#include "text/hex.h"
#include "text/utf8.h"

/* Whole certificates have no field of their own. */
static bool refuse_certificate(struct certdir_reading *reading, const char *what, const char *why)
{
	const struct certdir_field field = {.from = "", .label = what};
	const struct certdir_place place = {.field = &field};

	return certdir_reading_refuse(reading, &place, "%s", why);
}

/* ---- subject ---- */

static const struct {
	int nid;
	const char *from;
} subject_fields[] = {
	{NID_commonName, "subject.cn"},
	{NID_serialNumber, "subject.serialNumber"},
	{NID_organizationalUnitName, "subject.ou"},
	{NID_organizationName, "subject.o"},
	{NID_userId, "subject.uid"},
	{NID_pkcs9_emailAddress, "subject.emailAddress"},
};

enum { SUBJECT_FIELDS = sizeof(subject_fields) / sizeof(subject_fields[0]) };

static size_t subject_field_of(const X509_NAME_ENTRY *entry)
{
	int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
	size_t i;

	for (i = 0; i < SUBJECT_FIELDS && subject_fields[i].nid != nid; i++)
		continue;
	return i;
}

/* Reads mail addresses, or all but these: they may say that a common name is a person's. */
static bool read_subject(struct certdir_reading *reading, X509 *x509, bool mail)
{
	X509_NAME *subject = X509_get_subject_name(x509);
	size_t position[SUBJECT_FIELDS] = {0};
	int entries = X509_NAME_entry_count(subject);

	for (int i = 0; i < entries; i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
		size_t field = subject_field_of(entry);
		struct certdir_place place;

		if (field == SUBJECT_FIELDS || mail != (subject_fields[field].nid == NID_pkcs9_emailAddress))
			continue;
		place = (struct certdir_place){
			.field = certdir_field_find(subject_fields[field].from),
			.position = ++position[field],
		};
		if (!certdir_place_string(
			    reading, &place, (unsigned)ASN1_STRING_type(value),
			    (struct certdir_der){ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)}))
			return false;
	}
	return true;
}

/* ---- what stands beside the names ---- */

static char *print_name(const X509_NAME *name, unsigned long flags)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text = NULL;
	const char *why;
	long length;

	if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
		length = BIO_get_mem_data(bio, &bytes);
		if (length >= 0 && certdir_text_clean(bytes, (size_t)length, &why))
			text = strndup(length ? bytes : "", (size_t)length);
	}
	BIO_free(bio);
	return text;
}

/* RFC 4514, readable; a name that is no clean text with everything outside of ASCII escaped. */
static char *name_text(const X509_NAME *name)
{
	char *text = print_name(name, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);

	return text ? text : print_name(name, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_UTF8_CONVERT);
}

/* Whether it is a T61String that holds UTF-8, and not ASCII alone. */
static bool is_misnamed(const ASN1_STRING *value)
{
	const char *at = (const char *)ASN1_STRING_get0_data(value);
	size_t left = (size_t)ASN1_STRING_length(value), size;
	uint32_t character;
	bool ascii = true;

	if (ASN1_STRING_type(value) != V_ASN1_T61STRING)
		return false;
	for (; left > 0; at += size, left -= size) {
		size = certdir_utf8_read(at, left, &character);
		if (size == 0)
			return false;
		ascii = ascii && size == 1;
	}
	return !ascii;
}

/* A copy of the name in which such strings are UTF8Strings; NULL when memory is out. */
static X509_NAME *name_as_meant(const X509_NAME *name)
{
	X509_NAME *copy = X509_NAME_dup(name);

	for (int i = 0; copy && i < X509_NAME_entry_count(copy); i++) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(copy, i);
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));

		if (is_misnamed(value) &&
		    !X509_NAME_ENTRY_set_data(entry, V_ASN1_UTF8STRING, ASN1_STRING_get0_data(value),
					      ASN1_STRING_length(value))) {
			X509_NAME_free(copy);
			copy = NULL;
		}
	}
	return copy;
}

/*
 * The issuer as Windows reads it, since a mapping has to have the same text: a T61String is taken for UTF-8 first, and for 8-bit
 * characters only if it is none (CERT_RDN_ATTR, CERT_RDN_DISABLE_IE4_UTF8_FLAG). OpenSSL always takes it for the latter.
 */
static char *issuer_text(const X509_NAME *name)
{
	X509_NAME *meant = NULL;
	char *text;

	for (int i = 0; !meant && i < X509_NAME_entry_count(name); i++)
		if (is_misnamed(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)))) {
			meant = name_as_meant(name);
			if (!meant)
				return NULL;
		}
	text = name_text(meant ? meant : name);
	X509_NAME_free(meant);
	return text;
}

/* The INTEGER's bytes as they stand there, without the zero that only keeps it positive. */
static char *serial_text(const X509 *x509)
{
	unsigned char *der = NULL;
	int length = i2d_ASN1_INTEGER((ASN1_INTEGER *)X509_get0_serialNumber(x509), &der);
	struct certdir_der content;
	char *text = NULL;

	if (length > 0 && certdir_der_only((struct certdir_der){der, (size_t)length}, CERTDIR_DER_INTEGER, &content)) {
		if (content.length > 1 && content.bytes[0] == 0) {
			content.bytes++;
			content.length--;
		}
		text = certdir_hex_copy(content.bytes, content.length);
	}
	OPENSSL_free(der);
	for (char *at = text; at && *at; at++)
		if (*at >= 'a')
			*at = (char)(*at - 'a' + 'A');
	return text;
}

static char *public_key_text(const X509 *x509)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length;

	if (!X509_pubkey_digest(x509, EVP_sha1(), digest, &length))
		return NULL;
	return certdir_hex_copy(digest, length);
}

static char *thumbprint_text(const X509 *x509)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length;

	return X509_digest(x509, EVP_sha1(), digest, &length) ? certdir_hex_copy(digest, length) : NULL;
}

static bool describe(struct certdir_reading *reading, X509 *x509)
{
	struct certdir_certificate *certificate = reading->certificate;

	certificate->client_auth = true; /* until an EKU says otherwise */
	certificate->issuer = issuer_text(X509_get_issuer_name(x509));
	if (!certificate->issuer)
		return refuse_certificate(reading, "issuer", "cannot be written as text");
	certificate->serial = serial_text(x509);
	if (!certificate->serial)
		return refuse_certificate(reading, "serial number", "cannot be read");
	certificate->thumbprint = thumbprint_text(x509);
	if (!certificate->thumbprint)
		return refuse_certificate(reading, "certificate", "its SHA-1 cannot be computed");
	certificate->public_key_sha1 = public_key_text(x509);
	if (!certificate->public_key_sha1)
		return refuse_certificate(reading, "public key", "its SHA-1 cannot be computed");
	if (!certdir_asn1_time_read(X509_get0_notBefore(x509), &certificate->not_before) ||
	    !certdir_asn1_time_read(X509_get0_notAfter(x509), &certificate->not_after))
		return refuse_certificate(reading, "validity", "not a time");
	return true;
}

/* ---- the certificate ---- */

static bool read_extensions(struct certdir_reading *reading, X509 *x509, bool names)
{
	uint32_t seen = 0;

	for (int i = 0; i < X509_get_ext_count(x509); i++) {
		X509_EXTENSION *extension = X509_get_ext(x509, i);
		const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
		const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(extension);

		if (!certdir_extension_read(
			    reading, names, (struct certdir_der){OBJ_get0_data(object), OBJ_length(object)},
			    (struct certdir_der){ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data)}, &seen))
			return false;
	}
	return true;
}

static void clear_identities(struct certdir_certificate *certificate)
{
	for (size_t i = 0; i < certificate->count; i++)
		free(certificate->identities[i].value);
	certificate->count = 0;
}

/* Where nobody has configured anything. */
static const struct certdir_rules no_rules;

static const struct certdir_section *find_section(const struct certdir_rules *rules,
						  const struct certdir_certificate *certificate)
{
	return certdir_section_find(rules->sections, rules->section_count, certificate);
}

/* The section first: what it places has room before anything else. */
static bool read_names(struct certdir_reading *reading, X509 *x509)
{
	reading->section = find_section(reading->rules, reading->certificate);
	if (!read_subject(reading, x509, false) || !read_subject(reading, x509, true) ||
	    !read_extensions(reading, x509, true))
		return false;
	certdir_rank_settle(reading->certificate, reading->section);
	return true;
}

bool certdir_certificate_read(struct certdir_certificate *certificate, X509 *x509, const struct certdir_rules *rules,
			      struct certdir_error *error)
{
	struct certdir_reading reading = {certificate, rules ? rules : &no_rules, NULL, error};
	bool ok;

	memset(certificate, 0, sizeof(*certificate));
	/* An error that stayed in this thread's queue would be taken for one of the TLS session's. */
	ERR_set_mark();
	ok = describe(&reading, x509) && read_extensions(&reading, x509, false) && read_names(&reading, x509);
	ERR_pop_to_mark();
	/* Names beside one that cannot be trusted are not to be trusted either. */
	if (!ok)
		clear_identities(certificate);
	return ok;
}

bool certdir_certificate_subject(struct certdir_certificate *certificate, X509 *x509)
{
	if (!certificate->subject)
		certificate->subject = name_text(X509_get_subject_name(x509));
	return certificate->subject;
}

bool certdir_certificate_parse(struct certdir_certificate *certificate, const unsigned char *der, size_t length,
			       const struct certdir_rules *rules, struct certdir_error *error)
{
	struct certdir_reading reading = {.certificate = certificate, .error = error};
	const unsigned char *end = der;
	X509 *x509 = NULL;
	bool ok;

	memset(certificate, 0, sizeof(*certificate));
	ERR_set_mark();
	if (length <= INT_MAX)
		x509 = d2i_X509(NULL, &end, (long)length);
	if (!x509)
		ok = refuse_certificate(&reading, "certificate",
					"not an X.509 certificate in DER, or a name in it is no text of its type");
	else if (end != der + length)
		ok = refuse_certificate(&reading, "certificate", "bytes behind its end");
	else
		ok = certdir_certificate_read(certificate, x509, rules, error);
	if (x509 && !certdir_certificate_subject(certificate, x509) && ok)
		ok = refuse_certificate(&reading, "subject", "cannot be written as text");
	X509_free(x509);
	ERR_pop_to_mark();
	return ok;
}

void certdir_certificate_clear(struct certdir_certificate *certificate)
{
	clear_identities(certificate);
	free(certificate->subject);
	free(certificate->issuer);
	free(certificate->serial);
	free(certificate->thumbprint);
	free(certificate->ski);
	free(certificate->public_key_sha1);
	free(certificate->template);
	free(certificate->issuer_key);
	free(certificate->ekus);
	free(certificate->tenant);
	memset(certificate, 0, sizeof(*certificate));
}

bool certdir_certificate_add(struct certdir_certificate *certificate, const char *from, const char *value,
			     size_t length, const struct certdir_rules *rules, struct certdir_error *error)
{
	struct certdir_reading reading = {certificate, rules ? rules : &no_rules, NULL, error};
	const struct certdir_place place = {.field = certdir_field_find(from)};

	if (!place.field) {
		certdir_error_set(error, "no field \"%s\" in a certificate: use one of " CERTDIR_FIELD_NAMES, from);
		return false;
	}
	/* The server escapes and unescapes in attributes: behind these two, nobody knows what the certificate says. */
	if (memchr(value, '\\', length) || memchr(value, '%', length))
		return certdir_reading_refuse(&reading, &place,
					      "\\ or %% inside: attributes cannot carry it, use certificate = session");
	return certdir_place_text(&reading, &place, value, length);
}

void certdir_certificate_rank(struct certdir_certificate *certificate, const struct certdir_rules *rules)
{
	certdir_rank_settle(certificate, find_section(rules ? rules : &no_rules, certificate));
}
