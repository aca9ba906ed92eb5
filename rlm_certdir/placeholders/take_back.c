/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/take_back.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "directory/ldap_entry.h"
#include "placeholders/password.h"
#include "placeholders/signals.h"
#include "placeholders/value.h"
#include "text/dn.h"
#include "text/timestamp.h"

/* Seconds: how far our clock and the server's may be apart. */
enum { DAY = 86400 };

/* userAccountControl, MS-ADTS 2.2.16 */
enum { DISABLED = 0x2, WORKSTATION = 0x1000 };

/* What a dry run takes for done: that an entry is called otherwise, came back or went. */
struct pretence {
	const char *dn;
	const char *now; /* what the entry of that name is called in the directory; NULL = there is none */
	bool made; /* it would have come back */
};

struct take_back {
	const struct certdir_undo_file *file;
	const struct certdir_placeholders_config *config;
	const struct certdir_domain *domain;
	struct certdir_ldap_connection *connection;
	struct certdir_arena arena; /* of one record */
	struct certdir_error why; /* of an outcome */
	struct certdir_error *error;
	bool failed; /* `error` says why */
	struct pretence *pretences; /* of a dry run, room for two of each record; the last one of a name counts */
	size_t pretence_count;
	struct certdir_arena names; /* of those */
	struct certdir_accounts accounts; /* as they stood before the first of those that come back */
	struct certdir_arena accounts_arena;
	bool accounts_are_read;
};

static enum certdir_take_back_outcome nothing(struct take_back *run, const char *dn, const char *why)
{
	certdir_error_set(&run->why, "%s %s", dn, why);
	return CERTDIR_TAKE_BACK_NOTHING;
}

/* ---- the server ---- */

/* Sends an operation and waits for its answer. False: the connection is lost, and the run has failed. */
static bool ask(struct take_back *run, const struct certdir_ldap_operation *operation, bool password,
		struct certdir_ldap_answer *answer)
{
	enum certdir_ldap_status status;
	int id;

	*answer = (struct certdir_ldap_answer){.id = 0};
	status = password ? certdir_password_send(run->connection, operation, &id, run->error)
			  : certdir_ldap_send(run->connection, operation, &id, run->error);
	while (status == CERTDIR_LDAP_OK && answer->id != id)
		status = certdir_ldap_receive(run->connection, answer, run->error);
	run->failed = status != CERTDIR_LDAP_OK;
	return !run->failed;
}

/* ---- a dry run ---- */

static const struct pretence *find_pretence(const struct take_back *run, const char *dn)
{
	for (size_t i = run->pretence_count; i-- > 0;)
		if (certdir_dn_equal(run->pretences[i].dn, dn))
			return &run->pretences[i];
	return NULL;
}

/* From now on what is called `now` in the directory is `dn`. */
static void pretend(struct take_back *run, const char *dn, const char *now, bool made)
{
	run->pretences[run->pretence_count++] = (struct pretence){dn, now, made};
}

/* Later records of a file name entries as the ones before leave them. */
static void pretend_done(struct take_back *run, const struct certdir_ldap_operation *operation)
{
	const struct pretence *old = find_pretence(run, operation->dn);
	const char *now = old ? old->now : operation->dn, *dn;

	if (operation->verb == CERTDIR_LDAP_VERB_RENAME) {
		dn = certdir_arena_print(&run->names, "%s,%s", operation->rdn, operation->parent);
		if (dn)
			pretend(run, dn, now, old && old->made);
	}
	if (operation->verb == CERTDIR_LDAP_VERB_RENAME || operation->verb == CERTDIR_LDAP_VERB_DELETE)
		pretend(run, operation->dn, NULL, false);
	else if (operation->verb == CERTDIR_LDAP_VERB_ADD)
		pretend(run, operation->dn, NULL, true);
}

/* ---- the look before ---- */

bool certdir_undo_control(const struct certdir_ldap_bytes *value, uint32_t *control)
{
	const struct certdir_ldap_value number = {.bytes = (const unsigned char *)value->bytes,
						  .length = value->length};

	return certdir_value_flags(&number, control);
}

/* apply enables and disables. Whatever else differs, somebody has changed since, or has written into the file. */
static bool is_switched_only(struct take_back *run, const struct certdir_ldap_operation *operation,
			     const struct certdir_account *account)
{
	const uint32_t before = account->control ? account->control : WORKSTATION;
	uint32_t after;

	for (size_t i = 0; i < operation->count; i++) {
		const struct certdir_ldap_change *change = &operation->changes[i];

		if (strcasecmp(change->attribute, "userAccountControl") != 0 || change->added.count == 0)
			continue;
		if (certdir_undo_control(change->added.items, &after) && !((after ^ before) & ~(uint32_t)DISABLED))
			continue;
		certdir_error_set(
			&run->why,
			"%s has other flags in userAccountControl than when apply changed it, and is left alone",
			operation->dn);
		return false;
	}
	return true;
}

/*
 * Whether an entry may be touched: DONE means that it may. `mark` NULL: of whichever device. `operation`: what is to change it, or NULL.
 */
static enum certdir_take_back_outcome look_at(struct take_back *run, const char *dn, const struct certdir_mark *mark,
					      const struct certdir_ldap_operation *operation)
{
	const struct pretence *pretence = find_pretence(run, dn);
	struct certdir_account_look look = {.dn = pretence ? pretence->now : dn};
	const struct certdir_account *account = &look.account;

	if (pretence && pretence->made)
		return CERTDIR_TAKE_BACK_DONE;
	if (!look.dn)
		return nothing(run, dn, "is not there (any more)");
	run->failed =
		!certdir_accounts_look(run->config, run->domain, run->connection, &run->arena, &look, 1, run->error);
	if (run->failed)
		return CERTDIR_TAKE_BACK_LEFT;
	if (look.status == CERTDIR_LDAP_NO_OBJECT)
		return nothing(run, dn, "is not there (any more)");
	/* One that cannot be read does not keep the others from being taken back. */
	if (look.status != CERTDIR_LDAP_OK) {
		run->why = look.why;
		return CERTDIR_TAKE_BACK_LEFT;
	}
	if (!account->own || (mark && strcmp(account->mark->key, mark->key) != 0)) {
		certdir_error_set(&run->why, "%s has not the mark of %s%s and is left alone", dn,
				  mark ? "device " : "this section", mark ? mark->key : "");
		return CERTDIR_TAKE_BACK_LEFT;
	}
	if (!account->life)
		return !operation || is_switched_only(run, operation, account) ? CERTDIR_TAKE_BACK_DONE
									       : CERTDIR_TAKE_BACK_LEFT;
	certdir_error_set(&run->why, "%s is a real computer by now and is left alone: %s", dn, account->life);
	return CERTDIR_TAKE_BACK_LEFT;
}

/* ---- who comes back ---- */

/* The mark that an entry comes back with. */
static bool find_mark(const struct take_back *run, const struct certdir_ldap_operation *operation,
		      struct certdir_mark *mark)
{
	for (size_t i = 0; i < operation->count; i++) {
		const struct certdir_ldap_values *values = &operation->changes[i].added;

		for (size_t k = 0;
		     strcasecmp(operation->changes[i].attribute, run->config->rules.mark_attribute) == 0 &&
		     k < values->count;
		     k++)
			if (certdir_mark_parse(values->items[k].bytes, values->items[k].length, mark))
				return true;
	}
	return false;
}

static int compare_key(const void *key, const void *account)
{
	return strcmp(key, ((const struct certdir_account *)account)->mark->key);
}

/*
 * A device that came back to the list has an account by now, perhaps of another name, and must not get a second one. Those of two
 * that a run has removed both come back: what is read here stood there before.
 */
static enum certdir_take_back_outcome look_for_another(struct take_back *run,
						       const struct certdir_ldap_operation *operation)
{
	const struct certdir_account *found;
	struct certdir_mark mark;

	if (!run->accounts_are_read)
		run->failed = !certdir_accounts_read(run->config, run->domain, run->connection, &run->accounts_arena,
						     &run->accounts, run->error);
	run->accounts_are_read = true;
	if (run->failed || !find_mark(run, operation, &mark))
		return CERTDIR_TAKE_BACK_LEFT;
	found = bsearch(mark.key, run->accounts.own, run->accounts.own_count, sizeof(*found), compare_key);
	if (!found)
		return CERTDIR_TAKE_BACK_DONE;
	certdir_error_set(&run->why, "device %s has %s by now, so %s does not come back: it would be a second one",
			  mark.key, found->dn, operation->dn);
	return CERTDIR_TAKE_BACK_LEFT;
}

/* An entry that comes back must not be there. */
static enum certdir_take_back_outcome look_for_room(struct take_back *run,
						    const struct certdir_ldap_operation *operation)
{
	const enum certdir_take_back_outcome found = look_at(run, operation->dn, NULL, NULL);

	if (run->failed)
		return found;
	if (found == CERTDIR_TAKE_BACK_DONE)
		return nothing(run, operation->dn, "is there already");
	if (found != CERTDIR_TAKE_BACK_NOTHING)
		return found;
	run->why.text[0] = '\0';
	return look_for_another(run, operation);
}

/* ---- who goes ---- */

/* Reads one attribute of the entry that is called `dn` now. False: it cannot be read, or the run has failed. */
static bool read_attribute(struct take_back *run, const char *dn, const char *attribute,
			   struct certdir_ldap_answer *answer)
{
	const struct certdir_ldap_operation reading = {
		.verb = CERTDIR_LDAP_VERB_READ, .dn = dn, .attribute = attribute};

	if (!ask(run, &reading, false, answer))
		return false;
	if (answer->status == CERTDIR_LDAP_OK && answer->length > 0)
		return true;
	certdir_error_set(&run->why, "%s is left alone: its %s cannot be read, so nobody knows whether the run made it",
			  dn, attribute);
	return false;
}

/* Of an entry whose id the file does not know: whether it was made when the run was. */
static bool is_of_that_time(struct take_back *run, const char *dn)
{
	const char *attribute = run->domain->active_directory ? "whenCreated" : "createTimestamp";
	char when[CERTDIR_TIMESTAMP_SIZE], then[CERTDIR_TIMESTAMP_SIZE];
	struct certdir_ldap_answer answer;
	int64_t time;

	if (!read_attribute(run, dn, attribute, &answer))
		return false;
	time = certdir_ldap_generalized_time(
		&(struct certdir_ldap_value){.bytes = (const unsigned char *)answer.value, .length = answer.length});
	if (time >= run->file->time - DAY && time <= run->file->time + DAY)
		return true;
	certdir_timestamp_print(time, when);
	certdir_timestamp_print(run->file->time, then);
	certdir_error_set(&run->why, "%s is another one by now and is left alone: it was made at %s, the run was at %s",
			  dn, when, then);
	return false;
}

/* Somebody may have deleted what the run made, and made another of the same name, which was given the mark. */
static enum certdir_take_back_outcome look_at_origin(struct take_back *run, const struct certdir_ldap_record *record)
{
	const struct pretence *pretence = find_pretence(run, record->operation.dn);
	const char *dn = pretence ? pretence->now : record->operation.dn;
	struct certdir_ldap_answer answer;
	char id[37];

	if (pretence && pretence->made)
		return CERTDIR_TAKE_BACK_DONE;
	if (!record->id[0])
		return is_of_that_time(run, dn) ? CERTDIR_TAKE_BACK_DONE : CERTDIR_TAKE_BACK_LEFT;
	if (!read_attribute(run, dn, run->domain->id_attribute, &answer))
		return CERTDIR_TAKE_BACK_LEFT;
	if (certdir_domain_id_read(run->domain, &answer, id) && strcmp(id, record->id) == 0)
		return CERTDIR_TAKE_BACK_DONE;
	certdir_error_set(&run->why,
			  "%s is another one by now and is left alone: its %s is not that of the one that was made", dn,
			  run->domain->id_attribute);
	return CERTDIR_TAKE_BACK_LEFT;
}

/* Those who come into a group or leave it. */
static enum certdir_take_back_outcome look_at_members(struct take_back *run, const struct certdir_ldap_change *change,
						      const struct certdir_mark *mark)
{
	const struct certdir_ldap_values *all[] = {&change->added, &change->deleted};

	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < all[list]->count; i++) {
			const enum certdir_take_back_outcome found =
				look_at(run, all[list]->items[i].bytes, mark, NULL);

			if (found != CERTDIR_TAKE_BACK_DONE)
				return found;
		}
	return CERTDIR_TAKE_BACK_DONE;
}

static enum certdir_take_back_outcome look_before(struct take_back *run, const struct certdir_ldap_record *record)
{
	const struct certdir_ldap_operation *operation = &record->operation;
	enum certdir_take_back_outcome found;
	struct certdir_mark parsed, *mark = NULL;

	if (record->mark.bytes && certdir_mark_parse(record->mark.bytes, record->mark.length, &parsed))
		mark = &parsed;
	if (operation->verb == CERTDIR_LDAP_VERB_ADD)
		return look_for_room(run, operation);
	if (operation->verb == CERTDIR_LDAP_VERB_MODIFY && strcasecmp(operation->changes[0].attribute, "member") == 0)
		return look_at_members(run, operation->changes, mark);
	found = look_at(run, operation->dn, mark, operation);
	return found == CERTDIR_TAKE_BACK_DONE && operation->verb == CERTDIR_LDAP_VERB_DELETE
		       ? look_at_origin(run, record)
		       : found;
}

/* ---- one record ---- */

static enum certdir_take_back_outcome conclude(struct take_back *run, const struct certdir_ldap_operation *operation,
					       const struct certdir_ldap_answer *answer)
{
	switch (answer->status) {
	case CERTDIR_LDAP_OK:
		return CERTDIR_TAKE_BACK_DONE;
	case CERTDIR_LDAP_LOST:
	case CERTDIR_LDAP_TIMEOUT:
	case CERTDIR_LDAP_REFUSED:
		certdir_error_set(run->error, "%s: %s: %s", certdir_ldap_connection_uri(run->connection), operation->dn,
				  answer->text);
		run->failed = true;
		return CERTDIR_TAKE_BACK_LEFT;
	case CERTDIR_LDAP_CHANGED:
		certdir_error_set(&run->why, "%s is not as apply left it, or it is taken back already: %s",
				  operation->dn, answer->text);
		return CERTDIR_TAKE_BACK_LEFT;
	default:
		certdir_error_set(&run->why, "%s: the server refused: %s", operation->dn, answer->text);
		return CERTDIR_TAKE_BACK_LEFT;
	}
}

static enum certdir_take_back_outcome carry_out(struct take_back *run, const struct certdir_ldap_operation *operation)
{
	const bool password = operation->verb == CERTDIR_LDAP_VERB_ADD && run->domain->active_directory &&
			      run->config->rules.kind == CERTDIR_PLACEHOLDER_COMPUTER;
	struct certdir_ldap_answer answer;

	return ask(run, operation, password, &answer) ? conclude(run, operation, &answer) : CERTDIR_TAKE_BACK_LEFT;
}

static enum certdir_take_back_outcome take_back_one(struct take_back *run, const struct certdir_ldap_record *record)
{
	enum certdir_take_back_outcome found;
	sigset_t before;

	run->why.text[0] = '\0';
	certdir_signals_hold(&before);
	found = look_before(run, record);
	if (found == CERTDIR_TAKE_BACK_DONE && run->pretences)
		pretend_done(run, &record->operation);
	else if (found == CERTDIR_TAKE_BACK_DONE)
		found = carry_out(run, &record->operation);
	certdir_signals_release(&before);
	certdir_arena_clear(&run->arena);
	return found;
}

bool certdir_take_back(const struct certdir_undo_file *file, const struct certdir_placeholders_config *config,
		       const struct certdir_domain *domain, struct certdir_ldap_connection *connection,
		       const struct certdir_take_back_options *options, struct certdir_take_back_report *report,
		       struct certdir_error *error)
{
	struct take_back run = {
		.file = file, .config = config, .domain = domain, .connection = connection, .error = error};

	*report = (struct certdir_take_back_report){.records = file->records.count};
	if (!certdir_undo_file_check(file, config, domain, error))
		return false;
	if (options->dry_run) {
		run.pretences = calloc(2 * file->records.count + 1, sizeof(*run.pretences));
		run.failed = !run.pretences;
		if (run.failed)
			certdir_error_set(error, "out of memory");
	}
	for (size_t i = 0; i < file->records.count && !run.failed; i++) {
		const struct certdir_ldap_record *record = &file->records.items[i];
		enum certdir_take_back_outcome found;

		if (options->stop && *options->stop) {
			report->stopped = true;
			certdir_error_set(error, "stopped by a signal");
			break;
		}
		found = take_back_one(&run, record);
		if (run.failed)
			break;
		report->counts[found]++;
		options->told(options->context, found, &record->operation, run.why.text);
	}
	free(run.pretences);
	certdir_arena_clear(&run.names);
	certdir_arena_clear(&run.accounts_arena);
	if (run.failed || report->stopped)
		return false;
	error->text[0] = '\0';
	return true;
}
