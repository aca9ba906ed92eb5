/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One judged certificate, for a person or as JSON. */
#ifndef CERTDIR_CLI_EXPLAIN_H
#define CERTDIR_CLI_EXPLAIN_H

#include "checker.h"

/* What ConfigMgr's client setup would say about a certificate on the computer `name`: NULL when it would take it. */
const char *explain_configmgr(const struct certdir_certificate *certificate, const char *name);

/* Prints on stdout. `name` (may be NULL) is the computer's name for the ConfigMgr part; `now` in Unix seconds. */
void explain_text(const char *file, const struct certdir_checker *checker, const struct certdir_check *check,
		  const char *name, int64_t now);
/* One JSON object on one line. False when memory is out. */
bool explain_json(const char *file, const struct certdir_check *check, const char *name);

#endif
