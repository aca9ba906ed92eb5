/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CERTDIR_VERSION_H
#define CERTDIR_VERSION_H

/* Which certdir this is, and which server its headers were of: "certdir 1.2.3 (for FreeRADIUS 3.2.1)". */
extern const char certdir_version[];
/* The same apart: "1.2.3", "3.2.1". */
extern const char certdir_version_own[], certdir_version_server[];

#endif
