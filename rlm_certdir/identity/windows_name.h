/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A distinguished name as Windows writes it into altSecurityIdentities. */
#ifndef CERTDIR_IDENTITY_WINDOWS_NAME_H
#define CERTDIR_IDENTITY_WINDOWS_NAME_H

#include <stdbool.h>

/*
 * Writes a name that is given in RFC 4514's order, with the types and quotes of RFC 4514 or of Windows, as Active Directory has it
 * in altSecurityIdentities: RDNs from the root down with "," between them, types and quotes as CertNameToStr() writes them
 * (MS-PKCA 3.1.5.2.1.5): DC=com,O="Example, Inc.",S=Bayern,CN=CA. *text is malloc'ed; NULL when `name` is no such name, has a type that
 * nobody knows or a value that is no clean text. False when memory is out.
 */
bool certdir_windows_name(const char *name, char **text);

#endif
