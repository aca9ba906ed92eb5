/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/placeholders.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/background.h"
#include "list/lock.h"
#include "placeholders/undo.h"

/* ---- the directory ---- */

static bool ask_claims(void *context, struct certdir_claim *claims, size_t count, struct certdir_error *error)
{
	struct certdir_placeholders *self = context;

	return certdir_claims_ask(&self->domain, self->session.connection, &self->arena, claims, count, error);
}

/* ---- the plan ---- */

static bool read_mappings(struct certdir_placeholders *self, const char *filename,
			  certdir_placeholders_certificates certificates, int64_t now, struct certdir_error *error)
{
	struct certdir_mappings *mappings;
	struct certdir_error ignored;

	if (self->config->rules.kind != CERTDIR_PLACEHOLDER_COMPUTER || (!self->config->certificates && !self->tables))
		return true;
	mappings = certdir_mappings_begin(self->config, filename, &self->wanted, &self->list_arena, error);
	if (!mappings)
		return false;
	if ((!self->config->certificates || certificates(self->config, mappings, now, error)) &&
	    certdir_mappings_add_issued(mappings, now, error))
		return certdir_mappings_finish(mappings, &self->mappings, error);
	(void)certdir_mappings_finish(mappings, &self->mappings, &ignored);
	return false;
}

/* Reading the list, beside reading the OU: each takes seconds with 100,000 of them, and one of them waits for a server. */
struct list_reading {
	struct certdir_placeholders *self;
	const char *filename;
	int64_t now;
	struct certdir_error error;
	enum certdir_placeholders_outcome outcome;
};

static bool read_wanted(struct list_reading *reading, struct certdir_list_snapshot *list)
{
	struct certdir_placeholders *self = reading->self;
	struct certdir_list_reader *reader = certdir_list_reader_get(list, &reading->error);
	const bool ok = reader && certdir_wanted_read(self->config, reader, self->domain.name, reading->now,
						      &self->list_arena, &self->wanted, &reading->error);

	if (reader)
		certdir_list_reader_put(reader);
	return ok;
}

static bool has_tables(const struct certdir_list_snapshot *list)
{
	const struct certdir_list_source *sources;
	bool has = false;
	size_t count;

	sources = certdir_list_sources(list, &count);
	for (size_t i = 0; i < count; i++)
		has |= sources[i].certificates_synced != 0;
	return has;
}

static void *read_list(void *context)
{
	struct list_reading *reading = context;
	struct certdir_list_snapshot *list = certdir_list_load(reading->filename, &reading->error);

	reading->self->tables = list && has_tables(list);
	/* A list that is missing or damaged is one that must not be acted on. */
	if (!list || !certdir_wanted_list_usable(reading->self->config, list, reading->now, &reading->error))
		reading->outcome = CERTDIR_PLACEHOLDERS_GUARD;
	else if (read_wanted(reading, list))
		reading->outcome = CERTDIR_PLACEHOLDERS_OK;
	/* Its memory is better used for the plan. */
	certdir_list_release(list);
	return NULL;
}

static enum certdir_placeholders_outcome read_both(struct certdir_placeholders *self, const char *filename, int64_t now,
						   struct certdir_error *error)
{
	struct list_reading reading = {
		.self = self, .filename = filename, .now = now, .outcome = CERTDIR_PLACEHOLDERS_FAILED};
	pthread_t thread;
	bool ok;

	if (!certdir_background_start(&thread, read_list, &reading, error))
		return CERTDIR_PLACEHOLDERS_FAILED;
	ok = certdir_accounts_read(self->config, &self->domain, self->session.connection, &self->arena, &self->accounts,
				   error);
	(void)pthread_join(thread, NULL);
	if (reading.outcome == CERTDIR_PLACEHOLDERS_GUARD || (ok && reading.outcome != CERTDIR_PLACEHOLDERS_OK))
		*error = reading.error;
	else if (!ok)
		return CERTDIR_PLACEHOLDERS_FAILED;
	return reading.outcome;
}

/* Connects and learns what the server is. */
static bool begin(struct certdir_placeholders *self, struct certdir_error *error)
{
	const struct certdir_placeholders_config *config = self->config;

	/* A plan and its apply are one server's, since others may lag behind it. */
	return certdir_ldap_session_open(&self->session, &config->ldap, config->password_file, config->rules.ou,
					 error) &&
	       certdir_domain_read(self->config, self->session.connection, &self->arena, &self->domain, error);
}

bool certdir_placeholders_look(struct certdir_placeholders *self, const struct certdir_placeholders_config *config,
			       struct certdir_error *error)
{
	*self = (struct certdir_placeholders){.config = config};
	return begin(self, error) && certdir_accounts_read(config, &self->domain, self->session.connection,
							   &self->arena, &self->accounts, error);
}

static bool make_plan(struct certdir_placeholders *self, const char *filename,
		      certdir_placeholders_certificates certificates, int64_t now, struct certdir_error *error)
{
	const struct certdir_claims_source claims = {ask_claims, self};
	struct certdir_plan_rules rules = self->config->rules;

	/* A table of issued certificates gives issuer and serial number, and no other form of mapping. */
	rules.issued = (self->tables || self->config->issued) &&
		       self->config->mapping & CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL);
	if (self->config->adopt)
		return certdir_plan_adopt(&rules, &self->domain, &self->wanted, &self->accounts, now, &self->arena,
					  &self->plan, error);
	return read_mappings(self, filename, certificates, now, error) &&
	       certdir_plan_make(&rules, &self->domain, &self->wanted, &self->accounts, &claims, now, &self->arena,
				 &self->plan, error);
}

enum certdir_placeholders_outcome certdir_placeholders_plan(struct certdir_placeholders *self,
							    const struct certdir_placeholders_config *config,
							    const char *filename,
							    certdir_placeholders_certificates certificates, int64_t now,
							    struct certdir_error *error)
{
	enum certdir_placeholders_outcome outcome;

	*self = (struct certdir_placeholders){.config = config};
	if (!begin(self, error))
		return CERTDIR_PLACEHOLDERS_FAILED;
	outcome = read_both(self, filename, now, error);
	if (outcome == CERTDIR_PLACEHOLDERS_OK && !make_plan(self, filename, certificates, now, error))
		outcome = CERTDIR_PLACEHOLDERS_FAILED;
	return outcome;
}

bool certdir_placeholders_apply(struct certdir_placeholders *self, const struct certdir_apply_options *options,
				struct certdir_apply_report *report, struct certdir_error *error)
{
	return certdir_apply(self->config, &self->domain, self->session.connection, &self->plan, options, report,
			     error);
}

bool certdir_placeholders_undo(struct certdir_placeholders *self, const struct certdir_placeholders_config *config,
			       const struct certdir_undo_file *file, const struct certdir_take_back_options *options,
			       struct certdir_take_back_report *report, struct certdir_error *error)
{
	*self = (struct certdir_placeholders){.config = config};
	*report = (struct certdir_take_back_report){.records = file->records.count};
	return begin(self, error) &&
	       certdir_take_back(file, config, &self->domain, self->session.connection, options, report, error);
}

enum { LOCK_PATIENCE = 600 }; /* seconds: an apply that makes 100,000 accounts takes some minutes */

bool certdir_placeholders_lock(const struct certdir_placeholders_config *config, int *lock, struct certdir_error *error)
{
	char name[CERTDIR_TEXT_MAX];

	*lock = -1;
	certdir_say(name, "%s/%s", config->undo_directory, config->rules.name);
	(void)mkdir(config->undo_directory, 0700);
	if (access(config->undo_directory, W_OK | X_OK) != 0)
		return true;
	*lock = certdir_list_lock(name, config->undo_directory, LOCK_PATIENCE, error);
	if (*lock < 0)
		return false;
	certdir_undo_sweep(config);
	return true;
}

void certdir_placeholders_close(struct certdir_placeholders *self)
{
	certdir_ldap_session_close(&self->session);
	certdir_arena_clear(&self->arena);
	certdir_arena_clear(&self->list_arena);
	*self = (struct certdir_placeholders){.config = NULL};
}
