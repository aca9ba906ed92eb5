/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard against a mass event: a slip or an attacker in a directory must not empty the building. Pure. */
#ifndef CERTDIR_SESSIONS_GUARD_H
#define CERTDIR_SESSIONS_GUARD_H

#include "sessions/table.h"

enum { CERTDIR_GUARD_FLOOR = 10 }; /* sessions that may always end: a small site has a few laptops to disable, too */

/* `percent` of the sessions that are known, or the floor. So many may be changed within a minute. */
static inline size_t certdir_guard_share(size_t known, uint32_t percent)
{
	const size_t share = known * percent / 100;

	return share > CERTDIR_GUARD_FLOOR ? share : CERTDIR_GUARD_FLOOR;
}

/* How many sessions may be ended within CERTDIR_TABLE_GRACE seconds. */
static inline size_t certdir_guard_limit(const struct certdir_counts *counts, uint32_t percent)
{
	return certdir_guard_share(counts->known + counts->ordered_recent, percent);
}

/*
 * Whether those that were denied just now, which are held and in `counts`, may be ended: not more than the limit were denied lately. What came
 * in small pieces, by several editions or by Interim-Updates, counts together.
 */
static inline bool certdir_guard_lets_recent(const struct certdir_counts *counts, uint32_t percent)
{
	return counts->held_recent + counts->ordered_recent <= certdir_guard_limit(counts, percent);
}

/* Whether all that is held may be ended by now: most of it was allowed again, or there was little. */
static inline bool certdir_guard_lets_all(const struct certdir_counts *counts, uint32_t percent)
{
	return counts->held + counts->ordered_recent <= certdir_guard_limit(counts, percent);
}

#endif
