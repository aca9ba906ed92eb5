/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over Intune's profiles as Graph tells them: whatever stands in them, a report and sections are made, and all their texts are fit
 * for a terminal and a configuration.
 */
#include "holds.h"

#include <stdlib.h>
#include <string.h>

#include "identity/certificate.h"
#include "profiles/report.h"
#include "profiles/sections.h"
#include "sync/profile_json.h"
#include "text/utf8.h"

static void look(const struct certdir_profiles *profiles)
{
	const struct certdir_profiles_world world = {.has_list = true};
	const struct certdir_device device = {
		.id = (char *)"x", .operating_system = (char *)"Windows", .managed = CERTDIR_YES};
	struct certdir_fleet *fleet = certdir_fleet_open(profiles, &world);
	char *sections = certdir_sections_print(profiles);
	struct certdir_profiles_report report;

	HOLDS(fleet && sections);
	HOLDS(certdir_fleet_device(fleet, &device));
	HOLDS(certdir_report_make(&report, fleet));
	for (size_t i = 0; i < report.count; i++)
		HOLDS(certdir_text_fault(report.findings[i].text, strlen(report.findings[i].text)) ==
		      CERTDIR_TEXT_CLEAN);
	for (const char *line = sections; (line = strchr(line, '\n')); line++)
		HOLDS(!line[1] || strchr("#\n\tcf}", line[1]));
	certdir_report_clear(&report);
	certdir_fleet_close(fleet);
	free(sections);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	json_t *root = json_loadb((const char *)data, size, 0, NULL);
	struct certdir_profile items[1] = {{0}};
	struct certdir_profiles profiles = {.items = items};
	const char *unread = NULL;
	struct certdir_error error;

	if (certdir_profile_json_read(&items[0], root, &profiles.arena, &unread, &error)) {
		/* One that needs itself, as nothing keeps Graph from saying. */
		items[0].related = true;
		items[0].roots = &items[0].id;
		items[0].root_count = 1;
		profiles.count = 1;
		look(&profiles);
	}
	certdir_certificate_clear(&items[0].certificate);
	certdir_arena_clear(&profiles.arena);
	json_decref(root);
	return 0;
}
