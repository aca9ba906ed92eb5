/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's headers, which the Makefile includes into glue, know its version; the Makefile knows ours from CHANGELOG.md. */
#include "version.h"

#define TEXT(x) #x
#define VALUE(x) TEXT(x)

const char certdir_version[] = "certdir " VALUE(CERTDIR_VERSION) " (for FreeRADIUS " RADIUSD_VERSION_STRING ")";
const char certdir_version_own[] = VALUE(CERTDIR_VERSION);
const char certdir_version_server[] = RADIUSD_VERSION_STRING;
