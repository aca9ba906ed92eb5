/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a text in a certificate means, by the field it stands in. */
#ifndef CERTDIR_IDENTITY_MEANING_H
#define CERTDIR_IDENTITY_MEANING_H

#include "identity/reading.h"

/*
 * Puts what a text at `place` means. It is not empty, and valid (certdir_text_valid()) where the field is not for `any`. False when it is
 * not acceptable.
 */
bool certdir_meaning_put(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			 size_t length);

#endif
