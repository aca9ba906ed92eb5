/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a host's name was not found: libcurl says only that it was not. */
#ifndef CERTDIR_SYNC_HOST_H
#define CERTDIR_SYNC_HOST_H

#include "sync/http.h"

/*
 * Whether the resolver says that there is no such name, and not that it cannot tell just now. Asks it once more, until `limits`
 * says stop; who has no answer by then has not said so.
 */
bool certdir_host_is_unknown(const char *name, const struct certdir_http_limits *limits);

#endif
