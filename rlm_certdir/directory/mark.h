/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mark that `certdir placeholders` leaves on an entry: whose it is, which device it stands for, and whether that
 * device is still wanted. In adminDescription of a computer account, in description of other entries.
 *
 *	certdir:wifi:2c7e3f0a-..                             the device is wanted
 *	certdir:wifi:2c7e3f0a-..:disabled                    it is known and must not come in
 *	certdir:wifi:2c7e3f0a-..:gone=2026-11-22T10:00:00Z   it was not in the list any more, since then
 *
 * A key that itself ends in ":disabled", ":gone=.." or ":" is followed by one ":" more when the device is wanted.
 *
 * Directories match these attributes without regard to case and to blanks around them, so a mark means the same in any
 * such spelling. One whose time cannot be read counts as disabled.
 *
 * The LDAP directory reads it, too: an entry that is not in the first state is disabled, also in a directory
 * that has no other way to say so.
 */
#ifndef CERTDIR_DIRECTORY_MARK_H
#define CERTDIR_DIRECTORY_MARK_H

#include "base/certdir.h"

enum certdir_mark_state { CERTDIR_MARK_WANTED, CERTDIR_MARK_DISABLED, CERTDIR_MARK_GONE };

enum {
	CERTDIR_MARK_MAX = 226, /* bytes: what adminDescription holds (MS-ADA1 2.16, rangeUpper) */
	CERTDIR_MARK_SECTION_MAX = 32, /* bytes of a section's name */
	CERTDIR_MARK_KEY_MAX = CERTDIR_MARK_MAX - CERTDIR_MARK_SECTION_MAX - 36 /* bytes of a device's id */
};

struct certdir_mark {
	char section[CERTDIR_MARK_SECTION_MAX + 1];
	char key[CERTDIR_MARK_KEY_MAX + 1]; /* the device's id in the list; may contain ':' */
	enum certdir_mark_state state;
	int64_t gone; /* Unix seconds, with CERTDIR_MARK_GONE */
};

/*
 * Reads untrusted bytes; false when they are no mark of any section. The section's case is as it stands there, a GUID's
 * is lower.
 */
bool certdir_mark_parse(const char *bytes, size_t length, struct certdir_mark *mark);
/* Whether untrusted bytes mean to be a mark, also when they cannot be read as one. */
bool certdir_mark_begins(const char *bytes, size_t length);
/* "certdir:.." */
void certdir_mark_print(const struct certdir_mark *mark, char out[CERTDIR_MARK_MAX + 1]);

#endif
