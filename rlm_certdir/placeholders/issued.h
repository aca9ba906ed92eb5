/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of a table of issued certificates -> what a strong mapping can be made of. Pure. */
#ifndef CERTDIR_PLACEHOLDERS_ISSUED_H
#define CERTDIR_PLACEHOLDERS_ISSUED_H

#include "plan/plan.h"

/*
 * What is known of the row's certificate, its strings borrowed: identities are the ids of the device that it was issued to, none where
 * it was issued to a user alone, and `tenant` (or NULL) is the table's, as a row tells of no other tenant's device.
 */
void certdir_issued_certificate(const struct certdir_issued *row, const char *tenant,
				struct certdir_certificate *certificate);

/*
 * Whether it gives its device a mapping by issuer and serial number at `now` (NOT), where `forms` (CERTDIR_BIT(form)) are what the section
 * asks for; or why not.
 */
enum certdir_unmapped certdir_issued_judge(const struct certdir_issued *row, uint32_t forms, int64_t now);

#endif
