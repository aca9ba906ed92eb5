/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics/tally.h"

#include <inttypes.h>
#include <string.h>

/* From a list in memory to a directory that takes all of a login's deadline. */
static const struct {
	int64_t microseconds;
	const char *seconds; /* as its label has it: no locale must write a comma into it */
} bounds[CERTDIR_TALLY_BUCKETS] = {{100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},	 {1000, "0.001"},
				   {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},	 {25000, "0.025"},
				   {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
				   {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},	 {10000000, "10"}};

static void add(atomic_uint_fast64_t *counter, uint64_t number)
{
	(void)atomic_fetch_add_explicit(counter, number, memory_order_relaxed);
}

static uint64_t count_of(atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static size_t row_of(const struct certdir_tally *tally, const char *directory)
{
	for (size_t d = 0; directory && d < CERTDIR_TALLY_DIRECTORIES - 1 && tally->directories[d]; d++)
		if (strcmp(tally->directories[d], directory) == 0)
			return d + 1;
	return 0;
}

void certdir_tally_add(struct certdir_tally *tally, enum certdir_reason reason, const char *directory,
		       int64_t microseconds)
{
	size_t bucket = 0;

	while (bucket < CERTDIR_TALLY_BUCKETS && microseconds > bounds[bucket].microseconds)
		bucket++;
	add(&tally->decisions[row_of(tally, directory)][reason], 1);
	add(&tally->buckets[bucket], 1);
	add(&tally->microseconds, (uint64_t)microseconds);
}

void certdir_tally_add_ask(struct certdir_tally *tally, bool known)
{
	add(&tally->asks[known], 1);
}

/* Those that never happened, too: who looks at how fast a counter grows sees no step from nothing to one. */
static void print_decisions(struct certdir_tally *tally, const char *module, struct certdir_exposition *to)
{
	for (size_t d = 0; d < CERTDIR_TALLY_DIRECTORIES && (d == 0 || tally->directories[d - 1]); d++)
		for (unsigned r = 0; r < CERTDIR_REASONS; r++) {
			const enum certdir_reason reason = (enum certdir_reason)r;
			const struct certdir_label labels[] = {
				{"module", module},
				{"decision", certdir_verdict_name(certdir_reason_verdict(reason))},
				{"reason", certdir_reason_name(reason)},
				{"directory", d ? tally->directories[d - 1] : ""},
				{NULL, NULL}};

			certdir_metric_print(to, CERTDIR_METRIC_DECISIONS, labels,
					     (int64_t)count_of(&tally->decisions[d][r]));
		}
}

static void print_series(struct certdir_exposition *to, const char *suffix, const char *module, const char *le,
			 uint64_t value)
{
	const struct certdir_label labels[] = {{"module", module}, {le ? "le" : NULL, le}, {NULL, NULL}};
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	certdir_metric_print_series(to, CERTDIR_METRIC_DECISION_SECONDS, suffix, labels, text);
}

static void print_seconds(struct certdir_tally *tally, const char *module, struct certdir_exposition *to)
{
	const struct certdir_label labels[] = {{"module", module}, {NULL, NULL}};
	const uint64_t sum = count_of(&tally->microseconds);
	uint64_t count = 0;
	char text[48];

	for (size_t b = 0; b <= CERTDIR_TALLY_BUCKETS; b++) {
		count += count_of(&tally->buckets[b]);
		print_series(to, "_bucket", module, b < CERTDIR_TALLY_BUCKETS ? bounds[b].seconds : "+Inf", count);
	}
	(void)snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, sum / 1000000, sum % 1000000);
	certdir_metric_print_series(to, CERTDIR_METRIC_DECISION_SECONDS, "_sum", labels, text);
	print_series(to, "_count", module, NULL, count);
}

void certdir_tally_print(struct certdir_tally *tally, const char *module, struct certdir_exposition *to)
{
	print_decisions(tally, module, to);
	print_seconds(tally, module, to);
	for (int known = 0; known < 2; known++) {
		const struct certdir_label labels[] = {
			{"module", module}, {"known", known ? "yes" : "no"}, {NULL, NULL}};

		certdir_metric_print(to, CERTDIR_METRIC_ASKS, labels, (int64_t)count_of(&tally->asks[known]));
	}
}
