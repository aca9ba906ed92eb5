/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A decision as a line of the server's log. */
#ifndef CERTDIR_DECISION_LINE_H
#define CERTDIR_DECISION_LINE_H

#include "checker.h"
#include "freeradius/server.h"

/*
 * One line a decision, key=value, that a person and a log collector can read. Fields keep their order. took: microseconds from the
 * login's beginning to the decision. observe: verdict and reason are those that enforcing would have given, and the last field says so.
 */
void certdir_line_log(REQUEST *request, struct certdir_check const *check, int64_t took, bool observe);

#endif
