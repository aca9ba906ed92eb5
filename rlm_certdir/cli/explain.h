/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One judged certificate, for a person or as JSON. */
#ifndef CERTDIR_CLI_EXPLAIN_H
#define CERTDIR_CLI_EXPLAIN_H

#include "checker.h"
#include "wiring.h"

/* What ConfigMgr's client setup would say about a certificate on the computer `name`: NULL when it would take it. */
const char *explain_configmgr(const struct certdir_certificate *certificate, const char *name);

/* What was judged. */
struct explain_subject {
	const char *file;
	const unsigned char *der;
	size_t length;
	const struct certdir_checker *checker;
	const struct certdir_finding *findings; /* of the server's configuration, or NULL */
	size_t finding_count;
	bool observes; /* the server lets in whom it would deny: policy { mode = observe } */
	const char *name; /* the computer's name for the ConfigMgr part, or NULL */
	int64_t now; /* Unix seconds */
};

/* Prints on stdout. */
void explain_findings(const struct certdir_finding *findings, size_t count);
void explain_text(const struct explain_subject *subject, const struct certdir_check *check);
/* One JSON object on one line. False when memory is out. */
bool explain_json(const struct explain_subject *subject, const struct certdir_check *check);

#endif
