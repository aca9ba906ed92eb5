/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/placeholders_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/json.h"
#include "cli/visible.h"
#include "cli/words.h"

static const char *const remark_names[] = {[CERTDIR_REMARK_PROBLEM] = "problem",
					   [CERTDIR_REMARK_FOREIGN] = "foreign",
					   [CERTDIR_REMARK_NO_MAPPING] = "no-mapping",
					   [CERTDIR_REMARK_NPS_REFUSES] = "nps-refuses",
					   [CERTDIR_REMARK_WARNING] = "warning"};

static size_t count_remarks(const struct certdir_plan *plan, enum certdir_remark_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->remark_count; i++)
		count += plan->remarks[i].kind == kind;
	return count;
}

enum certdir_cli_placeholders_exit certdir_cli_placeholders_exit(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_plan *plan = &run->placeholders->plan;

	if (run->outcome == CERTDIR_PLACEHOLDERS_GUARD)
		return CERTDIR_CLI_PLACEHOLDERS_REFUSED;
	if (run->outcome != CERTDIR_PLACEHOLDERS_OK)
		return run->report.stopped ? CERTDIR_CLI_PLACEHOLDERS_STOPPED : CERTDIR_CLI_PLACEHOLDERS_FAILED;
	if (plan->refused && !run->force)
		return CERTDIR_CLI_PLACEHOLDERS_REFUSED;
	if (run->tried && !run->ok)
		return run->report.stopped ? CERTDIR_CLI_PLACEHOLDERS_STOPPED : CERTDIR_CLI_PLACEHOLDERS_FAILED;
	if (!run->apply && plan->action_count > 0)
		return CERTDIR_CLI_PLACEHOLDERS_TO_DO;
	return count_remarks(plan, CERTDIR_REMARK_PROBLEM) + run->report.aside + run->report.begun > 0
		       ? CERTDIR_CLI_PLACEHOLDERS_PROBLEMS
		       : CERTDIR_CLI_PLACEHOLDERS_NOTHING;
}

/* ---- what servers say is fit for a terminal only without control characters, and for JSON only as UTF-8 ---- */

json_t *certdir_cli_placeholders_json(const char *text)
{
	char *copy = text ? certdir_cli_visible_copy(text) : NULL;
	json_t *json = copy ? json_string(copy) : json_null();

	free(copy);
	return json;
}

static json_t *text_or_null(const char *text)
{
	return certdir_cli_placeholders_json(text && *text ? text : NULL);
}

/* ---- the plan ---- */

static bool print_action_json(const struct certdir_cli_placeholders_run *run, const char *type,
			      const struct certdir_action *action)
{
	return certdir_cli_json_print(json_pack(
		"{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "type", type, "section", run->placeholders->config->rules.name,
		"kind", certdir_action_name(action->kind), "device", certdir_cli_placeholders_json(action->key), "name",
		certdir_cli_placeholders_json(action->name), "dn", certdir_cli_placeholders_json(action->dn),
		"account_name", certdir_cli_placeholders_json(action->account_name), "why",
		certdir_cli_placeholders_json(action->why)));
}

static bool print_action(const struct certdir_action *action)
{
	char *name = certdir_cli_visible_copy(action->name), *why = certdir_cli_visible_copy(action->why);
	int printed = -1;

	if (name && why && action->account_name)
		printed = printf("%-10s %s (%s): %s\n", certdir_action_name(action->kind), name, action->account_name,
				 why);
	else if (name && why)
		printed = printf("%-10s %s: %s\n", certdir_action_name(action->kind), name, why);
	free(name);
	free(why);
	return printed >= 0;
}

static bool print_remark_json(const struct certdir_cli_placeholders_run *run, const struct certdir_remark *remark)
{
	return certdir_cli_json_print(
		json_pack("{s:s,s:s,s:s,s:o,s:o}", "type", "remark", "section", run->placeholders->config->rules.name,
			  "kind", remark_names[remark->kind], "subject", certdir_cli_placeholders_json(remark->subject),
			  "text", certdir_cli_placeholders_json(remark->text)));
}

enum { REFUSED_MAX = 20 }; /* lines about devices whose certificates NPS refuses: it may be all of them */

/* A line for all accounts without a mapping, too, and not each of them in each run. */
static bool print_remarks(const struct certdir_plan *plan)
{
	const size_t refused = count_remarks(plan, CERTDIR_REMARK_NPS_REFUSES);
	struct certdir_cli_alike alike = {.lines = NULL};
	size_t shown = 0;

	for (size_t i = 0; i < plan->remark_count; i++) {
		const struct certdir_remark *remark = &plan->remarks[i];

		if (remark->kind != CERTDIR_REMARK_NO_MAPPING &&
		    (remark->kind != CERTDIR_REMARK_NPS_REFUSES || shown++ < REFUSED_MAX))
			certdir_cli_alike_add(&alike, remark_names[remark->kind], remark->subject, remark->text, NULL);
	}
	if (plan->unmapped)
		certdir_cli_alike_add(&alike, remark_names[CERTDIR_REMARK_NO_MAPPING], "", plan->unmapped, NULL);
	return certdir_cli_alike_print(&alike) &&
	       (refused <= REFUSED_MAX || printf("%-10s and %zu more; --json has them all\n",
						 remark_names[CERTDIR_REMARK_NPS_REFUSES], refused - REFUSED_MAX) >= 0);
}

static bool print_plan_json(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_plan *plan = &run->placeholders->plan;
	bool ok = true;

	for (size_t i = 0; ok && i < plan->remark_count; i++)
		ok = print_remark_json(run, &plan->remarks[i]);
	for (size_t i = 0; ok && i < plan->action_count; i++)
		ok = print_action_json(run, "action", &plan->actions[i]);
	return ok && fflush(stdout) == 0;
}

bool certdir_cli_placeholders_print_plan(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_placeholders_config *config = run->placeholders->config;
	const struct certdir_plan *plan = &run->placeholders->plan;
	bool ok;

	if (run->json)
		return print_plan_json(run);
	printf("%s: ", config->rules.name);
	for (size_t i = 0; i < config->ou_count; i++)
		printf("%s%s", i ? "; " : "", config->ous[i]);
	ok = printf(" on %s\n", run->placeholders->session.uri) >= 0 && print_remarks(plan);
	for (size_t i = 0; ok && i < plan->action_count; i++)
		ok = print_action(&plan->actions[i]);
	return ok && fflush(stdout) == 0;
}

/* For people it is in the plan that was printed, and the summary tells how many. */
bool certdir_cli_placeholders_print_done(const struct certdir_cli_placeholders_run *run,
					 const struct certdir_action *action)
{
	return !run->json || print_action_json(run, "done", action);
}

static bool print_left_json(const struct certdir_cli_placeholders_run *run, const struct certdir_action *action,
			    const char *why, const char *left)
{
	return certdir_cli_json_print(json_pack(
		"{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "type", *left ? "begun" : "aside", "section",
		run->placeholders->config->rules.name, "kind", certdir_action_name(action->kind), "device",
		certdir_cli_placeholders_json(action->key), "name", certdir_cli_placeholders_json(action->name), "dn",
		certdir_cli_placeholders_json(action->dn), "error", text_or_null(why), "left", text_or_null(left)));
}

/* What the text about an action calls its entry, which may be renamed. */
static const char *dn_in(const struct certdir_cli_placeholders_run *run, const struct certdir_action *action,
			 const char *text)
{
	const char *before = run->placeholders->plan.steps[action->first].account;

	return before && strstr(text, before) ? before : action->dn;
}

bool certdir_cli_placeholders_print_left(struct certdir_cli_placeholders_run *run, const struct certdir_action *action,
					 const char *why, const char *left)
{
	char *text = NULL;

	if (run->json)
		return print_left_json(run, action, why, left);
	if (asprintf(&text, "%s%s%s%s%s", certdir_action_name(action->kind), *why ? ": " : "", why,
		     *left ? "; left: " : "", left) < 0)
		return false;
	certdir_cli_alike_add(&run->left, *left ? "begun" : "set aside", action->name, text, dn_in(run, action, text));
	free(text);
	return true;
}

/* ---- the summary ---- */

/* By what a device is left out: in JSON, and for people. */
static const struct {
	const char *name, *text;
} left_out[CERTDIR_LEFT_OUTS] = {
	[CERTDIR_LEFT_OUT_RETIRED] = {"retired", "to be wiped, retired or deleted in Intune"},
	[CERTDIR_LEFT_OUT_DISABLED] = {"disabled", "disabled"},
	[CERTDIR_LEFT_OUT_EXPIRED] = {"expired", "account expired"},
	[CERTDIR_LEFT_OUT_ENABLED_UNKNOWN] = {"enabled_unknown", "not known to be enabled"},
	[CERTDIR_LEFT_OUT_TRUST_TYPE] = {"trust_type", "a trust type that is not in trust_types"},
	[CERTDIR_LEFT_OUT_UNTYPED] = {"no_trust_type", "no trust type (\"none\" in trust_types takes them)"},
	[CERTDIR_LEFT_OUT_NOT_MANAGED] = {"not_managed", "not managed"},
	[CERTDIR_LEFT_OUT_NOT_COMPLIANT] = {"not_compliant", "not compliant"},
	[CERTDIR_LEFT_OUT_COMPLIANCE_UNKNOWN] = {"compliance_unknown", "compliance not known"},
	[CERTDIR_LEFT_OUT_NOT_IN_GROUP] = {"not_in_group", "in no group of require_group"},
	[CERTDIR_LEFT_OUT_OPERATING_SYSTEM] = {"operating_system", "another operating system"},
	[CERTDIR_LEFT_OUT_LDAP] = {"ldap", "listed from LDAP"},
	[CERTDIR_LEFT_OUT_OTHER] = {"other", "other reasons"}};

static void print_left_out(const struct certdir_cli_placeholders_run *run)
{
	const size_t *counts = run->placeholders->wanted.left_out;
	size_t all = 0;
	const char *separator = ": ";

	for (size_t i = CERTDIR_LEFT_OUT_NOT + 1; i < CERTDIR_LEFT_OUTS; i++)
		all += counts[i];
	if (all == 0)
		return;
	printf("%s: %zu device%s of the list left out", run->placeholders->config->rules.name, all,
	       certdir_cli_plural(all));
	for (size_t i = CERTDIR_LEFT_OUT_NOT + 1; i < CERTDIR_LEFT_OUTS; i++)
		if (counts[i] > 0) {
			printf("%s%s %zu", separator, left_out[i].text, counts[i]);
			separator = ", ";
		}
	printf("\n");
}

/* Only what there is; NULL when memory is out. */
static json_t *left_out_json(const struct certdir_cli_placeholders_run *run)
{
	json_t *json = json_object();

	for (size_t i = CERTDIR_LEFT_OUT_NOT + 1; json && i < CERTDIR_LEFT_OUTS; i++) {
		const json_int_t count = (json_int_t)run->placeholders->wanted.left_out[i];

		if (count > 0 && json_object_set_new(json, left_out[i].name, json_integer(count)) != 0) {
			json_decref(json);
			json = NULL;
		}
	}
	return json;
}

/* Every certificate once, and which forms those gave that count. */
static void print_certificates(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_mappings_report *mappings = &run->placeholders->mappings;
	const char *separator = "";

	printf("%s: %zu certificate%s handed in: %zu valid and mapped", run->placeholders->config->rules.name,
	       mappings->certificates, certdir_cli_plural(mappings->certificates), mappings->matched);
	for (enum certdir_mapping_form form = 0; form < CERTDIR_MAPPING_FORMS; form++)
		if (run->placeholders->config->mapping & CERTDIR_BIT(form)) {
			printf("%s%s %zu", *separator ? separator : " (", certdir_mapping_form_name(form),
			       mappings->forms[form]);
			separator = ", ";
		}
	printf("), %zu ended or revoked, %zu without a device or a mapping\n", mappings->ended, mappings->unmatched);
}

static void print_issued(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_mappings_report *mappings = &run->placeholders->mappings;

	printf("%s: %zu certificates in the list that were not handed in: %zu valid and mapped, %zu expired or "
	       "revoked, "
	       "%zu without a device or a mapping\n",
	       run->placeholders->config->rules.name, mappings->issued.certificates, mappings->issued.matched,
	       mappings->issued.ended, mappings->issued.unmatched);
}

static void print_outcome(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_apply_report *report = &run->report;
	const char *name = run->placeholders->config->rules.name;

	printf("%s: %zu of %zu done", name, report->actions, run->placeholders->plan.action_count);
	if (report->begun > 0)
		printf(", %zu begun", report->begun);
	if (report->aside > 0)
		printf(", %zu set aside", report->aside);
	if (report->untried > 0)
		printf(", %zu not tried", report->untried);
	printf("%s%s\n", report->undo[0] ? "; to take it back: certdir placeholders undo " : "", report->undo);
}

static bool print_counts(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_plan *plan = &run->placeholders->plan;
	const char *name = run->placeholders->config->rules.name, *separator = "";

	printf("%s: %zu device%s to have an entry, %zu there: ", name, plan->wanted, certdir_cli_plural(plan->wanted),
	       plan->own);
	for (enum certdir_action_kind kind = 0; kind < CERTDIR_ACTION_KINDS; kind++)
		if (plan->kinds[kind] > 0) {
			printf("%s%s %zu", separator, certdir_action_name(kind), plan->kinds[kind]);
			separator = ", ";
		}
	printf("%s%zu stay as they are\n", *separator ? ", " : "nothing to do, ", plan->unchanged);
	print_left_out(run);
	if (run->placeholders->config->certificates)
		print_certificates(run);
	if (run->placeholders->mappings.issued.certificates > 0)
		print_issued(run);
	if (count_remarks(plan, CERTDIR_REMARK_PROBLEM) > 0)
		printf("%s: %zu problem%s, see above\n", name, count_remarks(plan, CERTDIR_REMARK_PROBLEM),
		       certdir_cli_plural(count_remarks(plan, CERTDIR_REMARK_PROBLEM)));
	if (run->tried)
		print_outcome(run);
	return !ferror(stdout);
}

static json_t *certificates_json(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_mappings_report *mappings = &run->placeholders->mappings;
	json_t *json = json_pack("{s:I,s:I,s:I,s:I}", "handed_in", (json_int_t)mappings->certificates, "matched",
				 (json_int_t)mappings->matched, "ended", (json_int_t)mappings->ended, "unmatched",
				 (json_int_t)mappings->unmatched);

	for (enum certdir_mapping_form form = 0; json && form < CERTDIR_MAPPING_FORMS; form++)
		if (json_object_set_new(json, certdir_mapping_form_name(form),
					json_integer((json_int_t)mappings->forms[form])) != 0) {
			json_decref(json);
			json = NULL;
		}
	return json;
}

static json_t *issued_json(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_mappings_report *mappings = &run->placeholders->mappings;

	return json_pack("{s:I,s:I,s:I,s:I}", "in_list", (json_int_t)mappings->issued.certificates, "matched",
			 (json_int_t)mappings->issued.matched, "ended", (json_int_t)mappings->issued.ended, "unmatched",
			 (json_int_t)mappings->issued.unmatched);
}

json_t *certdir_cli_placeholders_summary(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_plan *plan = &run->placeholders->plan;
	json_t *summary = json_pack(
		"{s:s,s:s,s:o,s:I,s:I,s:I,s:o,s:I,s:o,s:o,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "type", "summary", "section",
		run->placeholders->config->rules.name, "server", text_or_null(run->placeholders->session.uri), "wanted",
		(json_int_t)plan->wanted, "accounts", (json_int_t)plan->own, "unchanged", (json_int_t)plan->unchanged,
		"left_out", left_out_json(run), "problems", (json_int_t)count_remarks(plan, CERTDIR_REMARK_PROBLEM),
		"refused", text_or_null(plan->refusal), "error", text_or_null(run->error.text), "done",
		(json_int_t)run->report.actions, "begun", (json_int_t)run->report.begun, "aside",
		(json_int_t)run->report.aside, "not_tried", (json_int_t)run->report.untried, "undo",
		text_or_null(run->report.undo), "certificates", certificates_json(run), "issued", issued_json(run));

	for (enum certdir_action_kind kind = 0; summary && kind < CERTDIR_ACTION_KINDS; kind++)
		if (json_object_set_new(summary, certdir_action_name(kind),
					json_integer((json_int_t)plan->kinds[kind])) != 0) {
			json_decref(summary);
			summary = NULL;
		}
	return summary;
}

bool certdir_cli_placeholders_print_summary(const struct certdir_cli_placeholders_run *run)
{
	const struct certdir_plan *plan = &run->placeholders->plan;
	bool ok = true;

	if (run->json)
		ok = certdir_cli_json_print(certdir_cli_placeholders_summary(run));
	else if (run->outcome == CERTDIR_PLACEHOLDERS_OK)
		ok = print_counts(run);
	ok &= fflush(stdout) == 0;
	if (plan->refused)
		fprintf(stderr, "certdir: %s: %s%s\n", run->placeholders->config->rules.name,
			run->force ? "forced although " : "refused: ", plan->refusal);
	if (run->error.text[0]) {
		char *text = certdir_cli_visible_copy(run->error.text);

		fprintf(stderr, "certdir: %s: %s%s\n", run->placeholders->config->rules.name,
			run->outcome == CERTDIR_PLACEHOLDERS_GUARD ? "refused: " : "", text ? text : "out of memory");
		free(text);
	}
	if (run->aside.text[0]) {
		char *text = certdir_cli_visible_copy(run->aside.text);

		fprintf(stderr,
			"certdir: %s: the server refused %zu entries, or they were changed meanwhile; the first: %s\n",
			run->placeholders->config->rules.name, run->report.aside + run->report.begun,
			text ? text : "out of memory");
		free(text);
	}
	if (run->report.stopped && !run->ok)
		fprintf(stderr, "certdir: %s: stopped by a signal; %s\n", run->placeholders->config->rules.name,
			run->tried ? "run apply again to go on" : "nothing was changed");
	return ok;
}
