/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard against a mass event: a slip or an attacker in a directory must not empty the building. Pure. */
#ifndef CERTDIR_SESSIONS_GUARD_H
#define CERTDIR_SESSIONS_GUARD_H

#include "sessions/table.h"

enum {
	CERTDIR_GUARD_FLOOR = 10
}; /* devices that may always be put out: a small site has a few laptops to disable, too */

/* `percent` of so many, or the floor. */
static inline size_t certdir_guard_share(size_t known, uint32_t percent)
{
	const size_t share = known * percent / 100;

	return share > CERTDIR_GUARD_FLOOR ? share : CERTDIR_GUARD_FLOOR;
}

/* How many devices may be put out within CERTDIR_TABLE_GRACE seconds. */
static inline size_t certdir_guard_limit(const struct certdir_counts *counts, uint32_t percent)
{
	return certdir_guard_share(counts->devices, percent);
}

/*
 * Whether what is undecided may be ended: not more devices than the limit were denied lately. What came in small pieces, by several editions or
 * by Interim-Updates, counts together.
 */
static inline bool certdir_guard_lets_undecided(const struct certdir_counts *counts, uint32_t percent)
{
	return counts->undecided && counts->lately <= certdir_guard_limit(counts, percent);
}

/*
 * Whether all that is held may be ended when all sessions were judged at once: most of it was allowed again, or there was little. Not at other
 * times: where directories deny one session after the other, what is held would go piece by piece.
 */
static inline bool certdir_guard_lets_all(const struct certdir_counts *counts, uint32_t percent)
{
	return counts->held && counts->denied <= certdir_guard_limit(counts, percent);
}

#endif
