/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"

enum { DAY = 86400 };

bool certdir_figures_init(struct certdir_figures *figures, int64_t now)
{
	memset(figures, 0, sizeof(*figures));
	figures->now = now;
	figures->refused = calloc(CERTDIR_FIGURES_REFUSED, sizeof(*figures->refused));
	return figures->refused != NULL;
}

void certdir_figures_clear(struct certdir_figures *figures)
{
	for (size_t i = 0; figures->refused && i < CERTDIR_FIGURES_REFUSED; i++)
		free(figures->refused[i].name);
	free(figures->refused);
	figures->refused = NULL;
}

int64_t certdir_figures_first_day(const struct certdir_figures *figures)
{
	return (figures->now / DAY - CERTDIR_FIGURES_DAYS + 1) * DAY;
}

/* Which of its days; false for none of them. */
static bool day_of(const struct certdir_figures *figures, int64_t at, size_t *day)
{
	const int64_t since = at - certdir_figures_first_day(figures);

	*day = since >= 0 ? (size_t)(since / DAY) : CERTDIR_FIGURES_DAYS;
	return *day < CERTDIR_FIGURES_DAYS;
}

/* What is longer is cut: it is shown, and decides nothing. */
static void keep(char to[CERTDIR_FIGURES_NAME], const char *text)
{
	(void)snprintf(to, CERTDIR_FIGURES_NAME, "%s", text ? text : "");
}

static void count_word(struct certdir_figures_words *words, const char *word)
{
	size_t i = 0;

	while (i < words->count && strcasecmp(words->words[i].word, word) != 0)
		i++;
	if (i == CERTDIR_FIGURES_WORDS) {
		words->others++;
		return;
	}
	if (i == words->count) {
		keep(words->words[i].word, word);
		words->count++;
	}
	words->words[i].count++;
}

/* ---- devices ---- */

/* 0: less than a day, .. , 5: more than half a year, 6: not known. */
static size_t span_of(int64_t seconds)
{
	static const int64_t days[] = {1, 7, 30, 90, 180};
	size_t span = 0;

	while (span < sizeof(days) / sizeof(days[0]) && seconds > days[span] * DAY)
		span++;
	return span;
}

static void place_twins(struct certdir_figures *figures)
{
	struct certdir_figures_twins *const last = &figures->twins[CERTDIR_FIGURES_LISTED - 1];
	size_t i;

	if (figures->same.count < 2)
		return;
	figures->twin_names++;
	figures->twin_devices += figures->same.count;
	if (figures->same.count <= last->count)
		return;
	for (i = CERTDIR_FIGURES_LISTED - 1; i > 0 && figures->twins[i - 1].count < figures->same.count; i--)
		figures->twins[i] = figures->twins[i - 1];
	figures->twins[i] = figures->same;
}

static void count_name(struct certdir_figures *figures, const struct certdir_device *device,
		       const struct certdir_list_source *source)
{
	char name[CERTDIR_FIGURES_NAME], from[CERTDIR_FIGURES_NAME];

	keep(name, device->name);
	keep(from, source->name);
	if (!name[0])
		return;
	if (strcasecmp(figures->same.name, name) == 0 && strcmp(figures->same.source, from) == 0) {
		figures->same.count++;
		return;
	}
	place_twins(figures);
	memcpy(figures->same.name, name, sizeof(name));
	memcpy(figures->same.source, from, sizeof(from));
	figures->same.count = 1;
}

void certdir_figures_count_device(struct certdir_figures *figures, const struct certdir_device *device,
				  const struct certdir_list_source *source)
{
	figures->devices++;
	figures->enabled[device->enabled]++;
	figures->managed[device->managed]++;
	figures->joins[device->join_type]++;
	figures->seen[device->last_seen ? span_of(figures->now - device->last_seen) : CERTDIR_FIGURES_SPANS - 1]++;
	count_word(&figures->compliance, device->compliance ? device->compliance : "unknown");
	count_word(&figures->systems, device->operating_system ? device->operating_system : "unknown");
	count_name(figures, device, source);
}

void certdir_figures_count_end(struct certdir_figures *figures)
{
	place_twins(figures);
	memset(&figures->same, 0, sizeof(figures->same));
}

/* ---- certificates ---- */

static void place_ending(struct certdir_figures *figures, const struct certdir_issued *issued)
{
	const bool full = figures->ending_count == CERTDIR_FIGURES_LISTED;
	struct certdir_figures_ending ending = {.at = issued->not_after};
	size_t i = figures->ending_count;

	if (full && figures->ending[CERTDIR_FIGURES_LISTED - 1].at <= ending.at)
		return;
	keep(ending.whose, issued->upn);
	keep(ending.id, issued->intune_device_id ? issued->intune_device_id : issued->entra_device_id);
	keep(ending.issuer, issued->issuer);
	for (i -= full; i > 0 && figures->ending[i - 1].at > ending.at; i--)
		figures->ending[i] = figures->ending[i - 1];
	figures->ending[i] = ending;
	figures->ending_count += !full;
}

void certdir_figures_count_certificate(struct certdir_figures *figures, const struct certdir_list_issued *row)
{
	const struct certdir_issued *issued = &row->issued;

	figures->certificates++;
	if (issued->revoked) {
		figures->revoked++;
		return;
	}
	if (!issued->not_after) {
		figures->ends[CERTDIR_FIGURES_SPANS - 1]++;
		return;
	}
	if (issued->not_after <= figures->now)
		return;
	figures->ends[span_of(issued->not_after - figures->now)]++;
	if (issued->not_after <= figures->now + 30 * DAY)
		place_ending(figures, issued);
}

/* ---- changes ---- */

void certdir_figures_count_change(struct certdir_figures *figures, const struct certdir_list_change *change)
{
	static const char *const names[CERTDIR_FIGURES_OTHER] = {"added", "removed", "enabled", "compliance"};
	size_t kind = 0, day;

	while (kind < CERTDIR_FIGURES_OTHER && strcmp(names[kind], change->what) != 0)
		kind++;
	if (day_of(figures, change->at, &day))
		figures->changes[kind][day]++;
}

/* ---- decisions ---- */

/* The place of a key, or a free one, or NULL: all are taken. A quarter stays free, so that looking stays short. */
static struct certdir_figures_refused *place_of(struct certdir_figures *figures, uint64_t key)
{
	size_t i = key % CERTDIR_FIGURES_REFUSED;

	while (figures->refused[i].key && figures->refused[i].key != key)
		i = (i + 1) % CERTDIR_FIGURES_REFUSED;
	if (!figures->refused[i].key && figures->refused_count >= CERTDIR_FIGURES_REFUSED / 4 * 3)
		return NULL;
	return &figures->refused[i];
}

static bool count_refused(struct certdir_figures *figures, const struct certdir_figures_decision *decision)
{
	const char *const what = decision->id[0] ? decision->id : decision->subject;
	const char *const name = decision->name[0] ? decision->name : what;
	const uint64_t hash = certdir_hash_text(what), key = hash ? hash : 1;
	struct certdir_figures_refused *refused = what[0] ? place_of(figures, key) : NULL;

	if (!refused) {
		figures->unplaced++;
		return true;
	}
	if (!refused->key) {
		refused->name = strndup(name, CERTDIR_FIGURES_NAME - 1);
		if (!refused->name)
			return false;
		refused->key = key;
		figures->refused_count++;
	}
	refused->count++;
	refused->reasons |= UINT32_C(1) << decision->reason;
	if (decision->at >= refused->at) {
		refused->at = decision->at;
		refused->last = decision->reason;
	}
	return true;
}

bool certdir_figures_count_decision(struct certdir_figures *figures, const struct certdir_figures_decision *decision)
{
	size_t day;

	_Static_assert(CERTDIR_REASONS <= 32, "a reason is a bit of `reasons`");
	figures->lines++;
	if (!day_of(figures, decision->at, &day)) {
		figures->older++;
		return true;
	}
	if (decision->observed)
		figures->observed[decision->reason][day]++;
	else
		figures->decided[decision->reason][day]++;
	return certdir_reason_verdict(decision->reason) == CERTDIR_ALLOW || count_refused(figures, decision);
}

size_t certdir_figures_worst(const struct certdir_figures *figures,
			     const struct certdir_figures_refused *worst[CERTDIR_FIGURES_LISTED])
{
	size_t count = 0;

	for (size_t i = 0; i < CERTDIR_FIGURES_REFUSED; i++) {
		const struct certdir_figures_refused *const one = &figures->refused[i];
		size_t at = count;

		if (!one->key || (count == CERTDIR_FIGURES_LISTED && worst[count - 1]->count >= one->count))
			continue;
		for (at -= count == CERTDIR_FIGURES_LISTED; at > 0 && worst[at - 1]->count < one->count; at--)
			worst[at] = worst[at - 1];
		worst[at] = one;
		count += count < CERTDIR_FIGURES_LISTED;
	}
	return count;
}
