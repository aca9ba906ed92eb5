/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/placeholders_certificates.h"

#include "import/certificates.h"

struct taking {
	struct certdir_mappings *mappings;
	int64_t now;
};

static bool take(void *context, const struct certdir_certificate *certificate, const char *origin, bool revoked,
		 struct certdir_error *error)
{
	const struct taking *taking = context;

	return certdir_mappings_add(taking->mappings, certificate, origin, revoked, taking->now, error);
}

static void refuse_certificate(void *context, const char *origin, const char *why)
{
	const struct taking *taking = context;

	certdir_mappings_refuse(taking->mappings, origin, "%s", why);
}

bool certdir_cli_placeholders_certificates(const struct certdir_placeholders_config *config,
					   struct certdir_mappings *mappings, int64_t now, struct certdir_error *error)
{
	struct taking taking = {mappings, now};
	const struct certdir_certificates_taker taker = {.issuer = config->certificate_issuer,
							 .by_serial = config->mapping &
								      CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL),
							 .take = take,
							 .refuse = refuse_certificate,
							 .context = &taking};

	return !config->certificates ||
	       certdir_certificates_read((const char *const *)config->certificates, &taker, error);
}
