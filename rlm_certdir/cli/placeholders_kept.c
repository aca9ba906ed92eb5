/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/placeholders_kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/replace.h"
#include "text/timestamp.h"

static json_t *outcome_json(const struct certdir_cli_placeholders_run *run)
{
	static const char *const names[] = {
		[CERTDIR_CLI_PLACEHOLDERS_NOTHING] = "ok",	  [CERTDIR_CLI_PLACEHOLDERS_FAILED] = "failed",
		[CERTDIR_CLI_PLACEHOLDERS_TO_DO] = "to do",	  [CERTDIR_CLI_PLACEHOLDERS_REFUSED] = "refused",
		[CERTDIR_CLI_PLACEHOLDERS_PROBLEMS] = "problems", [CERTDIR_CLI_PLACEHOLDERS_STOPPED] = "stopped"};

	return json_string(names[certdir_cli_placeholders_exit(run)]);
}

static char *name_of(const struct certdir_placeholders_config *config, bool apply)
{
	char *name = NULL;

	if (asprintf(&name, "%s/%s.%s", config->undo_directory, config->rules.name, apply ? "apply" : "plan") < 0)
		return NULL;
	return name;
}

void certdir_cli_placeholders_keep(const struct certdir_cli_placeholders_run *run)
{
	json_t *summary = certdir_cli_placeholders_summary(run);
	char *name = name_of(run->placeholders->config, run->apply), *text = NULL, at[CERTDIR_TIMESTAMP_SIZE];

	certdir_timestamp_print((int64_t)time(NULL), at);
	if (summary && json_object_set_new(summary, "time", json_string(at)) == 0 &&
	    json_object_set_new(summary, "outcome", outcome_json(run)) == 0)
		text = json_dumps(summary, JSON_INDENT(1));
	if (name && text)
		(void)certdir_replace(name, text, 0640);
	free(name);
	free(text);
	json_decref(summary);
}

static json_t *load(const struct certdir_placeholders_config *config, bool apply)
{
	char *name = name_of(config, apply);
	json_t *summary = name ? json_load_file(name, JSON_REJECT_DUPLICATES, NULL) : NULL;

	free(name);
	if (json_is_object(summary))
		return summary;
	json_decref(summary);
	return json_null();
}

json_t *certdir_cli_placeholders_kept(const struct certdir_placeholders_configs *configs)
{
	json_t *sections = json_array();

	for (size_t i = 0; i < configs->count; i++) {
		const struct certdir_placeholders_config *config = &configs->sections[i];

		if (json_array_append_new(sections, json_pack("{s:s,s:o,s:o}", "name", config->rules.name, "plan",
							      load(config, false), "apply", load(config, true))) != 0) {
			json_decref(sections);
			return NULL;
		}
	}
	return sections;
}
