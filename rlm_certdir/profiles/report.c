/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "profiles/check.h"

void certdir_report_clear(struct certdir_profiles_report *report)
{
	free(report->findings);
	certdir_arena_clear(&report->arena);
	*report = (struct certdir_profiles_report){0};
}

void certdir_check_add(const struct certdir_profile_check *check, bool note, const char *code,
		       const struct certdir_hits *hits, const char *format, ...)
{
	struct certdir_profiles_report *report = check->report;
	struct certdir_profiles_finding *finding =
		certdir_array_next(&report->findings, report->count, sizeof(*finding));
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (finding && text) {
		*finding = (struct certdir_profiles_finding){.profile = check->profile, .code = code, .note = note};
		finding->text = certdir_arena_copy(&report->arena, text, strlen(text));
		if (hits) {
			finding->device_count = hits->sure ? hits->sure : hits->perhaps;
			memcpy(finding->devices, hits->names, sizeof(finding->devices));
		}
		report->count++;
		report->faults += !note;
	} else {
		report->arena.failed = true;
	}
	free(text);
}

const char *certdir_check_devices(const struct certdir_profile_check *check, const struct certdir_hits *hits,
				  const char *which)
{
	const size_t number = hits->sure ? hits->sure : hits->perhaps;
	struct certdir_arena *arena = &check->report->arena;
	const char *text = certdir_arena_print(arena, "%s%zu %sdevice%s of the list", hits->sure ? "" : "up to ",
					       number, which, number == 1 ? "" : "s");

	for (size_t i = 0; text && i < CERTDIR_FINDING_DEVICES && hits->names[i]; i++)
		text = certdir_arena_print(arena, "%s%s%s", text, i ? ", " : " (", hits->names[i]);
	if (text && number > CERTDIR_FINDING_DEVICES)
		text = certdir_arena_print(arena, "%s and %zu more", text, number - CERTDIR_FINDING_DEVICES);
	if (text && hits->sure && hits->perhaps)
		text = certdir_arena_print(arena, "%s; perhaps %zu others", text, hits->perhaps);
	text = text ? certdir_arena_print(arena, "%s)", text) : NULL;
	return text ? text : "";
}
