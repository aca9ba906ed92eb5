/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "cli/json.h"
#include "cli/replay.h"
#include "cli/words.h"

/* Calls `each` for every pair of reasons between which some login changed so that it matters. */
static void each_change(const struct certdir_cli_replay *replay,
			void (*each)(const struct certdir_cli_replay *replay, enum certdir_reason from,
				     enum certdir_reason to, struct certdir_cli_replay_change change, void *context),
			void *context)
{
	for (unsigned f = CERTDIR_REASONS; f-- > 0;)
		for (unsigned t = 0; t < CERTDIR_REASONS; t++) {
			const enum certdir_reason from = (enum certdir_reason)f, to = (enum certdir_reason)t;
			struct certdir_cli_replay_change change = {0, 0};

			if (certdir_cli_replay_matters(from, to))
				change = certdir_cli_replay_change(replay, from, to);
			if (change.logins)
				each(replay, from, to, change, context);
		}
}

static const char *verdict(enum certdir_reason reason)
{
	return certdir_verdict_name(certdir_reason_verdict(reason));
}

/* ---- for people ---- */

static void print_change(const struct certdir_cli_replay *replay, enum certdir_reason from, enum certdir_reason to,
			 struct certdir_cli_replay_change change, void *context)
{
	*(bool *)context = true;
	printf("\n%s %s -> %s %s: %" PRIu64 " login%s of %zu certificate%s\n", verdict(from), certdir_reason_name(from),
	       verdict(to), certdir_reason_name(to), change.logins, certdir_cli_plural(change.logins),
	       change.certificates, certdir_cli_plural(change.certificates));
	for (size_t i = 0; i < replay->count; i++) {
		const struct certdir_cli_replayed *one = &replay->replayed[i];

		if (one->reason == to && one->logins[from])
			printf("  %6" PRIu64 "  %s, serial %s%s%s%s%s\n", one->logins[from],
			       certdir_cli_text_or(one->subject, "subject not readable"),
			       certdir_cli_text_or(one->serial, "not readable"), one->device ? ", device " : "",
			       certdir_cli_text_or(one->device, ""), one->detail ? ": " : "",
			       certdir_cli_text_or(one->detail, ""));
	}
}

static void print_rest(uint64_t count, const char *what)
{
	if (count)
		printf("%" PRIu64 " line%s %s\n", count, certdir_cli_plural(count), what);
}

void certdir_cli_replay_print(const struct certdir_cli_replay *replay)
{
	bool changes = false;

	printf("%" PRIu64 " login%s of %zu certificate%s%s%s%s%s, decided again as if they came now\n", replay->logins,
	       certdir_cli_plural(replay->logins), replay->count, certdir_cli_plural(replay->count),
	       replay->logins ? " from " : "", replay->from, replay->logins ? " to " : "", replay->to);
	each_change(replay, print_change, &changes);
	if (replay->logins && !changes)
		printf("the same would be allowed and denied as then; with mode = observe: as it was logged\n");
	if (replay->without + replay->elsewhere + replay->newer + replay->broken + replay->missing)
		printf("\n");
	print_rest(replay->without,
		   "without a certificate (certificate = attributes keeps none): such a login cannot be "
		   "decided again");
	print_rest(replay->elsewhere, "of other instances");
	print_rest(replay->newer, "of another version of the journal than 1");
	print_rest(replay->broken, "that are none of a journal");
	print_rest(replay->missing, "that the server could not write, and which are missing");
}

/* ---- for programs ---- */

static void append_change(const struct certdir_cli_replay *replay, enum certdir_reason from, enum certdir_reason to,
			  struct certdir_cli_replay_change change, void *context)
{
	json_t *certificates = json_array();

	for (size_t i = 0; i < replay->count; i++) {
		const struct certdir_cli_replayed *one = &replay->replayed[i];

		if (one->reason == to && one->logins[from])
			json_array_append_new(certificates, json_pack("{s:o, s:o, s:o, s:o, s:I}", "subject",
								      certdir_cli_json_text(one->subject), "serial",
								      certdir_cli_json_text(one->serial), "device",
								      certdir_cli_json_text(one->device), "detail",
								      certdir_cli_json_text(one->detail), "logins",
								      (json_int_t)one->logins[from]));
	}
	json_array_append_new(context, json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "from", verdict(from), "from_reason",
						 certdir_reason_name(from), "to", verdict(to), "to_reason",
						 certdir_reason_name(to), "logins", (json_int_t)change.logins,
						 "certificates", certificates));
}

bool certdir_cli_replay_print_json(const struct certdir_cli_replay *replay)
{
	json_t *changes = json_array();

	each_change(replay, append_change, changes);
	return certdir_cli_json_print(json_pack("{s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "logins",
						(json_int_t)replay->logins, "certificates", (json_int_t)replay->count,
						"from", certdir_cli_json_text(replay->logins ? replay->from : NULL),
						"to", certdir_cli_json_text(replay->logins ? replay->to : NULL),
						"changes", changes, "without_certificate", (json_int_t)replay->without,
						"other_instances", (json_int_t)replay->elsewhere, "other_versions",
						(json_int_t)replay->newer, "broken", (json_int_t)replay->broken,
						"missing", (json_int_t)replay->missing));
}
