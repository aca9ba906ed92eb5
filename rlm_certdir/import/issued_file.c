/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/issued_file.h"

#include <stdlib.h>
#include <string.h>

#include "import/certificates.h"
#include "import/input.h"
#include "import/zip.h"

/* ---- tables that say which device ---- */

static bool read_table(const char *text, size_t length, certdir_issued_take take, void *context,
		       struct certdir_issued_counts *counts, struct certdir_error *error)
{
	struct certdir_zip_memory memory = {text, length};
	const struct certdir_zip_source source = {length, certdir_zip_memory_read, &memory};
	struct certdir_issued_reader *reader = certdir_issued_open(take, context, error);
	bool ok = reader;

	if (ok && certdir_zip_is(text, length))
		ok = certdir_zip_read(&source, certdir_issued_bytes, reader, error);
	else if (ok)
		ok = certdir_issued_bytes(reader, text, length, error);
	ok = ok && certdir_issued_end(reader, counts, error);
	certdir_issued_close(reader);
	return ok;
}

/* ---- certificates, whose names say it ---- */

struct taking {
	certdir_issued_take take;
	void *context;
	struct certdir_issued_counts *counts;
};

static void refuse(void *context, const char *origin, const char *why)
{
	struct certdir_issued_counts *counts = ((struct taking *)context)->counts;

	counts->rows++;
	if (counts->refused++ == 0)
		certdir_say(counts->why, "%.200s: %s", origin, why);
}

/* The first value of a type, or NULL. */
static char *value_of(const struct certdir_certificate *certificate, enum certdir_identity_type type)
{
	for (size_t i = 0; i < certificate->count; i++)
		if (certificate->identities[i].type == type)
			return (char *)certificate->identities[i].value;
	return NULL;
}

static bool take_certificate(void *context, const struct certdir_certificate *certificate, const char *origin,
			     bool revoked, struct certdir_error *error)
{
	char *guid = value_of(certificate, CERTDIR_ID_GUID);
	char *intune = value_of(certificate, CERTDIR_ID_INTUNE), *entra = value_of(certificate, CERTDIR_ID_ENTRA);
	struct taking *taking = context;
	const struct certdir_issued row = {.thumbprint = certificate->thumbprint,
					   .issuer = certificate->issuer,
					   .serial = certificate->serial,
					   .intune_device_id = intune || entra ? intune : guid,
					   .entra_device_id = intune || entra ? entra : guid,
					   .upn = value_of(certificate, CERTDIR_ID_UPN),
					   .status = revoked ? (char *)"revoked" : (char *)"issued",
					   .not_before = certificate->not_before,
					   .not_after = certificate->not_after,
					   .revoked = revoked};
	bool taken = true;

	if (!row.intune_device_id && !row.entra_device_id && !row.upn && !revoked) {
		taking->counts->rows++;
		taking->counts->nobody++;
		return true;
	}
	if (!taking->take(taking->context, &row, &taken, error))
		return false;
	if (taken)
		taking->counts->rows++;
	else
		refuse(taking, origin, error->text);
	return true;
}

static bool read_certificates(const char *name, certdir_issued_take take, void *context,
			      struct certdir_issued_counts *counts, struct certdir_error *error)
{
	struct taking taking = {take, context, counts};
	const struct certdir_certificates_taker taker = {
		.by_serial = true, .take = take_certificate, .refuse = refuse, .context = &taking};

	return certdir_certificates_read((const char *const[]){name, NULL}, &taker, error);
}

/* ---- all of it ---- */

bool certdir_issued_file_read(const char *name, certdir_issued_take take, void *context,
			      struct certdir_issued_counts *counts, struct certdir_error *error)
{
	struct certdir_error why;
	size_t length;
	char *text = certdir_input_read(name, &length, error);
	bool ok;

	*counts = (struct certdir_issued_counts){0};
	if (!text)
		return false;
	if (certdir_zip_is(text, length) || certdir_issued_is(text, length)) {
		ok = read_table(text, length, take, context, counts, &why);
		if (!ok)
			certdir_error_set(error, "%.200s: %s", name, why.text);
		free(text);
		return ok;
	}
	free(text);
	return read_certificates(name, take, context, counts, error);
}
