/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the records of the one device say together, for attributes, log lines and explanations. It decides nothing. */
#ifndef CERTDIR_FACTS_H
#define CERTDIR_FACTS_H

#include "decision/decision.h"

/*
 * A text field of struct certdir_device, by its offset: that of the first record which has it, borrowed from there, or
 * NULL. The records come best first.
 */
const char *certdir_facts_text(const struct certdir_decision *decision, size_t offset);
#define CERTDIR_FACT(_decision, _field) certdir_facts_text(_decision, offsetof(struct certdir_device, _field))

/* What a person logs in as, of the first record that has a UPN, or else what the first is called; NULL = nobody is known. */
const char *certdir_facts_user_name(const struct certdir_decision *person);

struct certdir_check;
/*
 * The person's UPN as a directory has it, where the certificate is a person's and one was asked; else the first that the certificate has. "" = none.
 */
const char *certdir_facts_upn(const struct certdir_check *check);

/* How the device is joined, of the first record that knows. */
enum certdir_join_type certdir_facts_join_type(const struct certdir_decision *decision);

/*
 * Calls `take` for each group of the records whose groups count (decision->member), by its name, or by its id or DN where it
 * has none. Groups of two records that have one name are told once, as they are one for unlang.
 */
void certdir_facts_groups(const struct certdir_decision *decision, void (*take)(void *context, const char *group),
			  void *context);

/* Calls `take` with "1=value" for each of Entra's extension attributes. False when memory is out. */
bool certdir_facts_extensions(const struct certdir_decision *decision,
			      void (*take)(void *context, const char *extension), void *context);

/* How the device was found: "common_name", or "common_name+dates" where dates told twins apart; "" = not at all. */
enum { CERTDIR_MATCHED_BY_SIZE = 32 };
const char *certdir_facts_matched_by(const struct certdir_decision *decision, char text[CERTDIR_MATCHED_BY_SIZE]);

/* Whether the decision has an age to tell: it goes by a device's facts, or fails because they are old. */
bool certdir_facts_have_age(const struct certdir_decision *decision);

#endif
