/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory side of placeholders for the tests: one JSON object on stdin, lines of JSON on stdout.
 *   {"config": {"server": "ldap://..", "identity": .., "password": .., "ou": .., "columns": ["description", ..], ..},
 *    "accounts": true,                                      read the OU, too
 *    "claims": [["sAMAccountName", "PC$"], ..],             ask who holds them
 *    "plan": [{"name": "pc", "steps": [{"phase": "create", "verb": "add", "dn": .., "changes": [..]}, ..]}, ..],
 *    "undo": "/undo/wifi-..ldif",                            take back what this file says
 *    "accents": false,                                      compare names as Active Directory does
 *    "file_size": 4096,                                     no file may be larger
 *    "hang_at": 1}                                          wait to be killed when so many actions are done
 * Answers are of "type" domain, accounts, claims, done and left (an action), end. SIGINT stops an apply.
 */
#include "placeholders/apply.h"
#include "placeholders/take_back.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static volatile int stop;
static json_int_t hang_at; /* actions after which it waits to be killed */
static struct certdir_arena arena;

static void on_signal(int number)
{
	stop = number;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void say(json_t *object)
{
	if (!object)
		abort();
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

static unsigned word_of(const json_t *object, const char *key, const char *const *words)
{
	const char *word = text_of(object, key);

	for (unsigned i = 0; word && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	fprintf(stderr, "%s = %s\n", key, word ? word : "nothing");
	abort();
}

static void *room(size_t size)
{
	void *memory = certdir_arena_alloc(&arena, size + 1);

	if (!memory)
		abort();
	return memory;
}

/* ---- the request ---- */

static void read_config(const json_t *options, struct certdir_placeholders_config *config)
{
	static const char *classes[] = {"computer", NULL};
	const json_t *columns = json_object_get(options, "columns");
	struct certdir_column *column = room(json_array_size(columns) * sizeof(*column));
	const char **servers = room(2 * sizeof(*servers));
	const char *kind = text_of(options, "kind"), **ous = room(sizeof(*ous));
	struct certdir_target *targets = room(sizeof(*targets));

	ous[0] = text_of(options, "ou");
	targets[0] = (struct certdir_target){text_of(options, "member_of"), "member_of"};
	servers[0] = text_of(options, "server");
	*config = (struct certdir_placeholders_config){
		.rules = {.name = "wifi",
			  .ou = ous[0],
			  .kind = kind && strcmp(kind, "device") == 0 ? CERTDIR_PLACEHOLDER_DEVICE
								      : CERTDIR_PLACEHOLDER_COMPUTER,
			  .mark_attribute = text_of(options, "mark_attribute"),
			  .object_classes = classes,
			  .columns = column,
			  .column_count = json_array_size(columns),
			  .primary_group = json_is_true(json_object_get(options, "primary_group"))},
		.ldap = {.servers = servers,
			 .identity = text_of(options, "identity"),
			 .password = text_of(options, "password"),
			 .ca_file = text_of(options, "ca_file"),
			 .net_timeout = 5,
			 .res_timeout = (uint32_t)json_integer_value(json_object_get(options, "res_timeout"))},
		.ous = ous,
		.ou_count = 1,
		.member_of = targets[0].dn,
		.targets = targets,
		.target_count = targets[0].dn ? 1 : 0,
		.undo_directory = text_of(options, "undo_directory"),
	};
	for (size_t i = 0; i < config->rules.column_count; i++)
		column[i].attribute = json_string_value(json_array_get(columns, i));
}

static struct certdir_ldap_values read_values(const json_t *list)
{
	const size_t count = json_array_size(list);
	struct certdir_ldap_bytes *items = room(count * sizeof(*items));

	for (size_t i = 0; i < count; i++) {
		items[i].bytes = json_string_value(json_array_get(list, i));
		items[i].length = json_string_length(json_array_get(list, i));
	}
	return (struct certdir_ldap_values){items, count};
}

static void read_step(const json_t *request, size_t action, struct certdir_step *step)
{
	static const char *const phases[] = {"disable", "yield",   "aside", "rename", "change", "create",
					     "join",	"primary", "leave", "delete", NULL};
	static const char *const verbs[] = {"add", "modify", "rename", "delete", NULL};
	const json_t *list = json_object_get(request, "changes");
	const size_t count = json_array_size(list);
	struct certdir_ldap_change *changes = room(count * sizeof(*changes));

	for (size_t i = 0; i < count; i++) {
		const json_t *change = json_array_get(list, i);

		changes[i] = (struct certdir_ldap_change){
			.attribute = text_of(change, "attribute"),
			.deleted = read_values(json_object_get(change, "gone")),
			.added = read_values(json_object_get(change, "come")),
			.whole = json_is_true(json_object_get(change, "whole")),
		};
	}
	*step = (struct certdir_step){
		.phase = (enum certdir_phase)word_of(request, "phase", phases),
		.operation = {.verb = (enum certdir_ldap_verb)word_of(request, "verb", verbs),
			      .dn = text_of(request, "dn"),
			      .changes = changes,
			      .count = count,
			      .rdn = text_of(request, "rdn"),
			      .parent = text_of(request, "parent")},
		.password = json_is_true(json_object_get(request, "password")),
		.action = action,
		.account = text_of(request, "account"),
		.version = text_of(request, "version"),
		.mark = text_of(request, "mark"),
	};
}

static void read_plan(const json_t *actions, struct certdir_plan *plan)
{
	plan->action_count = json_array_size(actions);
	for (size_t i = 0; i < plan->action_count; i++)
		plan->step_count += json_array_size(json_object_get(json_array_get(actions, i), "steps"));
	plan->actions = room(plan->action_count * sizeof(*plan->actions));
	plan->steps = room(plan->step_count * sizeof(*plan->steps));
	for (size_t i = 0, at = 0; i < plan->action_count; i++) {
		const json_t *action = json_array_get(actions, i), *steps = json_object_get(action, "steps");

		plan->actions[i].name = text_of(action, "name");
		plan->actions[i].first = at;
		plan->actions[i].count = json_array_size(steps);
		for (size_t s = 0; s < json_array_size(steps); s++)
			read_step(json_array_get(steps, s), i, &plan->steps[at++]);
	}
}

/* ---- answers ---- */

static json_t *values_json(const struct certdir_ldap_values *values)
{
	json_t *list = json_array();

	for (size_t i = 0; i < values->count; i++)
		json_array_append_new(list, json_stringn(values->items[i].bytes, values->items[i].length));
	return list;
}

static json_t *account_json(const struct certdir_placeholders_config *config, const struct certdir_account *account)
{
	json_t *columns = json_object();

	for (size_t i = 0; account->values && i < config->rules.column_count; i++)
		json_object_set_new(columns, config->rules.columns[i].attribute, values_json(&account->values[i]));
	return json_pack("{s:s, s:s, s:b, s:b, s:s?, s:s?, s:s?, s:s?, s:I, s:b, s:I, s:b, s:I, s:s?, s:s?, s:o, s:o}",
			 "dn", account->dn, "cn", account->cn, "direct", (int)account->direct, "own", (int)account->own,
			 "key", account->mark ? account->mark->key : NULL, "mark", account->mark_text, "version",
			 account->version, "account_name", account->account_name, "control",
			 (json_int_t)account->control, "disabled", (int)account->disabled, "groups",
			 (json_int_t)account->groups, "in_computers", (int)account->in_computers, "primary_group",
			 (json_int_t)account->primary_group, "sid", account->sid, "guid", account->guid, "columns",
			 columns, "mappings", values_json(&account->mappings));
}

static json_t *list_json(const struct certdir_placeholders_config *config, const struct certdir_account *accounts,
			 size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, account_json(config, &accounts[i]));
	return list;
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void say_domain(const struct certdir_placeholders_config *config, const struct certdir_domain *domain)
{
	json_t *groups = json_array();

	for (size_t i = 0; i < config->target_count; i++)
		json_array_append_new(groups,
				      json_pack("{s:s, s:I, s:s}", "dn", domain->groups[i].dn, "id",
						(json_int_t)domain->groups[i].id, "name", domain->groups[i].name));
	say(json_pack("{s:s, s:b, s:s, s:s, s:s?, s:s?, s:o}", "type", "domain", "active_directory",
		      (int)domain->active_directory, "version_attribute", domain->version_attribute, "base",
		      domain->base, "name", domain->name, "computers", domain->computers, "groups", groups));
}

static bool run_accounts(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
			 struct certdir_ldap_connection *connection, bool whole, struct certdir_error *error)
{
	const double start = monotonic();
	struct certdir_accounts accounts;
	bool ok = certdir_accounts_read(config, domain, connection, &arena, &accounts, error);
	double seconds = monotonic() - start;

	if (ok)
		say(json_pack("{s:s, s:f, s:I, s:I, s:o, s:o}", "type", "accounts", "seconds", seconds, "own_count",
			      (json_int_t)accounts.own_count, "foreign_count", (json_int_t)accounts.foreign_count,
			      "own", list_json(config, accounts.own, whole ? accounts.own_count : 0), "foreign",
			      list_json(config, accounts.foreign, whole ? accounts.foreign_count : 0)));
	return ok;
}

static bool run_claims(const json_t *list, const struct certdir_domain *domain,
		       struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	const size_t count = json_array_size(list);
	struct certdir_claim *claims = room(count * sizeof(*claims));
	json_t *holders = json_array();
	bool ok;

	for (size_t i = 0; i < count; i++) {
		claims[i].attribute = json_string_value(json_array_get(json_array_get(list, i), 0));
		claims[i].value = json_string_value(json_array_get(json_array_get(list, i), 1));
	}
	ok = certdir_claims_ask(domain, connection, &arena, claims, count, error);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(holders, claims[i].holder ? json_string(claims[i].holder) : json_null());
	say(json_pack("{s:s, s:o}", "type", "claims", "holders", holders));
	return ok;
}

static void limit_files(json_int_t size)
{
	const struct rlimit limit = {(rlim_t)size, (rlim_t)size};

	(void)signal(SIGXFSZ, SIG_IGN);
	if (size > 0 && setrlimit(RLIMIT_FSIZE, &limit) != 0)
		abort();
}

static void on_done(void *context, const struct certdir_action *action)
{
	(void)context;
	say(json_pack("{s:s, s:s}", "type", "done", "name", action->name));
	if (--hang_at == 0)
		(void)pause();
}

static json_int_t hang_at; /* actions after which it waits to be killed */
static struct certdir_error first; /* why an action was set aside, the first of them */

static void on_left(void *context, const struct certdir_action *action, const char *why, const char *left)
{
	(void)context;
	say(json_pack("{s:s, s:s, s:s, s:s}", "type", "left", "name", action->name, "why", why, "left", left));
	if (!first.text[0])
		certdir_say(first.text, "%s", why);
}

static void on_told(void *context, enum certdir_take_back_outcome outcome,
		    const struct certdir_ldap_operation *operation, const char *why)
{
	static const char *const types[] = {"undone", "nothing", "left alone"};

	(void)context;
	say(json_pack("{s:s, s:s, s:s}", "type", types[outcome], "dn", operation->dn, "why", why));
}

static bool run_undo(const char *filename, const struct certdir_placeholders_config *config,
		     const struct certdir_domain *domain, struct certdir_ldap_connection *connection,
		     struct certdir_error *error)
{
	const struct certdir_take_back_options options = {.stop = &stop, .told = on_told};
	struct certdir_take_back_report report;
	struct certdir_undo_file file;
	bool ok = certdir_undo_file_read(filename, &file, error);

	ok = ok && certdir_take_back(&file, config, domain, connection, &options, &report, error);
	certdir_undo_file_clear(&file);
	return ok;
}

static size_t most; /* of the progress that was told */

static void on_progress(void *context, size_t steps, size_t of)
{
	(void)context;
	if (steps < most || steps > of)
		abort();
	most = steps;
}

int main(void)
{
	const struct certdir_apply_options options = {
		.stop = &stop, .done = on_done, .left = on_left, .progress = on_progress};
	json_t *request = json_loadf(stdin, 0, NULL), *plan_json = json_object_get(request, "plan");
	struct certdir_placeholders_config config;
	struct certdir_apply_report report = {.undo = ""};
	struct certdir_ldap_connection *connection = NULL;
	struct certdir_plan plan = {.step_count = 0};
	struct certdir_error error = {.text = ""};
	struct certdir_domain domain;
	struct certdir_watchdog *watchdog = certdir_watchdog_start(&error);
	const double start = monotonic();
	bool ok;

	if (!request || !watchdog)
		abort();
	(void)signal(SIGINT, on_signal);
	hang_at = json_integer_value(json_object_get(request, "hang_at"));
	limit_files(json_integer_value(json_object_get(request, "file_size")));
	read_config(json_object_get(request, "config"), &config);
	ok = certdir_ldap_connection_open(&connection, config.ldap.servers[0], &config.ldap, watchdog, &error) ==
	     CERTDIR_LDAP_OK;
	ok = ok && certdir_domain_read(&config, connection, &arena, &domain, &error);
	domain.active_directory |= json_is_false(json_object_get(request, "accents"));
	if (ok)
		say_domain(&config, &domain);
	if (json_object_get(request, "accounts"))
		ok = ok && run_accounts(&config, &domain, connection,
					json_is_true(json_object_get(request, "accounts")), &error);
	if (json_object_get(request, "claims"))
		ok = ok && run_claims(json_object_get(request, "claims"), &domain, connection, &error);
	if (json_object_get(request, "undo"))
		ok = ok && run_undo(text_of(request, "undo"), &config, &domain, connection, &error);
	if (ok && plan_json) {
		read_plan(plan_json, &plan);
		ok = certdir_apply(&config, &domain, connection, &plan, &options, &report, &error);
	}
	certdir_ldap_connection_close(connection);
	certdir_watchdog_stop(watchdog);
	certdir_arena_clear(&arena);
	say(json_pack("{s:s, s:b, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:s, s:f}", "type", "end", "ok",
		      (int)(ok && report.aside + report.begun == 0), "failed", (int)!ok, "error",
		      ok ? first.text : error.text, "begun", (json_int_t)report.begun, "aside",
		      (json_int_t)report.aside, "untried", (json_int_t)report.untried, "actions",
		      (json_int_t)report.actions, "steps", (json_int_t)report.steps, "stopped", (int)report.stopped,
		      "undo", report.undo, "seconds", monotonic() - start));
	json_decref(request);
	return 0;
}
