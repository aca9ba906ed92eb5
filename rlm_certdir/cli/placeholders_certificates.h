/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of certificates that a section of placeholders names, for its mappings. */
#ifndef CERTDIR_CLI_PLACEHOLDERS_CERTIFICATES_H
#define CERTDIR_CLI_PLACEHOLDERS_CERTIFICATES_H

#include "placeholders/placeholders.h"

/* A certdir_placeholders_certificates: certdir_certificates_read() of config->certificates. */
bool certdir_cli_placeholders_certificates(const struct certdir_placeholders_config *config,
					   struct certdir_mappings *mappings, int64_t now, struct certdir_error *error);

#endif
