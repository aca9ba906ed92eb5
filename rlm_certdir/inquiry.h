/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of one certificate, asked of directories as far as that is needed, and decided: of devices, or of people. For checker.c alone,
 * which knows what a login is.
 */
#ifndef CERTDIR_INQUIRY_H
#define CERTDIR_INQUIRY_H

#include "checker.h"

/* Of whom, who is asked, and by which policy; all of it is borrowed. */
struct certdir_inquiry {
	struct certdir_directory *const *directories;
	size_t count;
	const struct certdir_policy *policy;
	bool persons;
	bool by_certificate; /* the certificate itself is looked up, too */
	uint32_t asked; /* bit d: directories[d] is asked, whatever others say */
};

/*
 * Asks for those names of check->certificate that check->known.accepted says, and decides: check->known, sought, deciding and decision are
 * filled, and a row of issued certificates adds an identity to the certificate. *without_groups, or NULL, is the decision as it would be
 * if no group was required. `now` is in Unix seconds.
 */
void certdir_inquiry_make(struct certdir_check *check, const struct certdir_inquiry *inquiry, int64_t now,
			  struct certdir_decision *without_groups);

/* The decision on a certificate that has no name by which anybody could be found. */
void certdir_inquiry_no_identity(struct certdir_check *check);
/* The decision where memory is out. */
void certdir_inquiry_no_memory(struct certdir_check *check);

#endif
