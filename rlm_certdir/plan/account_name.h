/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sAMAccountName of a new account: from its CN, at most 15 characters and a "$" (NetBIOS; MS-SAMR 3.1.1.6 would take 20). */
#ifndef CERTDIR_PLAN_ACCOUNT_NAME_H
#define CERTDIR_PLAN_ACCOUNT_NAME_H

#include "base/certdir.h"

enum { CERTDIR_ACCOUNT_NAME_SIZE = 17 };

/*
 * The choice number `attempt` for a device: 0 is the first 15 characters of the CN; later ones keep the first eight and end in six
 * characters made of the key and the attempt, so that the choice does not depend on who else there is. Characters that an
 * account's name must not have (MS-SAMR 3.1.1.8.4, blanks, anything but ASCII) become "-". In upper case.
 */
void certdir_account_name(const char *cn, const char *key, unsigned attempt, char out[CERTDIR_ACCOUNT_NAME_SIZE]);

#endif
