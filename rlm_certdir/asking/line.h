/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a RADIUS server asks the certdir sync beside it, and what that answers: one line of ASCII each, over a local socket.
 *
 *	certdir 1 device entra_device_id 5a8ff6fb-.. 72f988bf-..	whether Graph knows the device; - = of any tenant
 *	certdir 1 round							begin a round of the sync now
 *	certdir 1 known | unknown | busy | done | refused
 */
#ifndef CERTDIR_ASKING_LINE_H
#define CERTDIR_ASKING_LINE_H

#include "base/certdir.h"

enum {
	CERTDIR_ASKING_LINE = 160, /* bytes of the longest line, its end included */
	CERTDIR_GUID_SIZE = 37
};

enum certdir_asking_what { CERTDIR_ASKING_DEVICE, CERTDIR_ASKING_ROUND };

struct certdir_question {
	enum certdir_asking_what what;
	enum certdir_identity_type type; /* entra_device_id, intune_device_id, or device_guid: either of them */
	char id[CERTDIR_GUID_SIZE]; /* canonical */
	char tenant[CERTDIR_GUID_SIZE]; /* canonical, or "" */
};

enum certdir_reply {
	CERTDIR_REPLY_NONE, /* nothing that can be understood */
	CERTDIR_REPLY_KNOWN, /* it is in the list that is published now */
	CERTDIR_REPLY_UNKNOWN,
	CERTDIR_REPLY_BUSY, /* too much was asked, or Graph does not answer */
	CERTDIR_REPLY_DONE,
	CERTDIR_REPLY_REFUSED /* whoever asks has no right to */
};

/* Lines with their end. Reading takes untrusted bytes, and gives false, or NONE, for anything but a whole line of the kind. */
void certdir_question_print(const struct certdir_question *question, char line[CERTDIR_ASKING_LINE]);
bool certdir_question_read(struct certdir_question *question, const char *line, size_t length);
void certdir_reply_print(enum certdir_reply reply, char line[CERTDIR_ASKING_LINE]);
enum certdir_reply certdir_reply_read(const char *line, size_t length);

#endif
