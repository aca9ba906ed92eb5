/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir profiles`: what will go wrong with the certificates of Intune's profiles. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/array.h"
#include "base/background.h"
#include "cli/commands.h"
#include "cli/conf_file.h"
#include "cli/failure.h"
#include "cli/list.h"
#include "cli/profiles_print.h"
#include "cli/raddb_file.h"
#include "identity/certificate.h"
#include "identity/pem.h"
#include "import/input.h"
#include "sync/profiles.h"

#define LIST_DEFAULT "/var/lib/certdir/devices.db"

/* ---- certificates in files ---- */

struct chain {
	struct certdir_certificate *items;
	size_t count;
	bool failed;
};

static void add_certificate(void *context, const unsigned char *der, size_t length)
{
	struct chain *chain = context;
	struct certdir_certificate *certificate = certdir_array_next(&chain->items, chain->count, sizeof(*certificate));
	struct certdir_error error;

	if (!certificate) {
		chain->failed = true;
		return;
	}
	/* What certdir would refuse of a client is of no harm here: issuer and subject are there. */
	(void)certdir_certificate_parse(certificate, der, length, NULL, &error);
	chain->count++;
}

static bool read_chain(struct chain *chain, const char *filename)
{
	struct certdir_error error = {.text = "out of memory"};
	size_t length;
	char *bytes = certdir_input_read(filename, &length, &error);
	const bool named = !bytes;
	const bool ok = bytes && certdir_pem_each(bytes, length, add_certificate, chain, &error) && !chain->failed;

	free(bytes);
	if (!ok)
		(void)certdir_cli_fail(EX_DATAERR, filename, "%s%s%s", named ? "" : filename, named ? "" : ": ",
				       error.text);
	return ok;
}

static void clear_chain(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		certdir_certificate_clear(&chain->items[i]);
	free(chain->items);
}

/* ---- a run ---- */

struct run {
	const struct certdir_cli_options *options;
	struct certdir_cli_conf loaded;
	const struct certdir_tenant_config *tenant; /* NULL: saved answers */
	struct certdir_profiles profiles;
	struct chain server, authorities;
	struct raddb_file *raddb;
	struct certdir_rules rules;
	struct certdir_profiles_world world;
	struct certdir_fleet *fleet;
};

/* ---- profiles ---- */

static bool choose_tenant(struct run *run)
{
	const char *name = run->options->operands[0];
	const struct certdir_sync_config *config = &run->loaded.config;
	size_t count = 0;

	for (size_t i = 0; i < config->count; i++) {
		if (config->tenants[i].ldap || (name && strcmp(config->tenants[i].name, name) != 0))
			continue;
		run->tenant = &config->tenants[i];
		count++;
	}
	if (count == 1)
		return true;
	if (count)
		(void)certdir_cli_fail(EX_CONFIG, run->options->conf, "%s has several tenants: say which one",
				       run->options->conf);
	else
		(void)certdir_cli_fail(
			EX_CONFIG, run->options->conf,
			"%s has no [tenant %s]: see certdir.conf(5), or read saved answers with --from DIR",
			run->options->conf, name ? name : "NAME");
	return false;
}

static bool read_profiles(struct run *run, struct certdir_error *error)
{
	struct certdir_profiles_source source = {.directory = run->options->from};
	struct certdir_http_limits limits = {0};
	bool ok;

	if (!run->tenant)
		return certdir_profiles_read(&run->profiles, &source, error);
	limits.deadline = certdir_monotonic() + run->tenant->deadline * 1000000;
	source.graph = certdir_graph_open(run->tenant, &limits, error);
	source.host = run->tenant->graph;
	source.directory = run->options->save;
	ok = source.graph && certdir_profiles_read(&run->profiles, &source, error);
	certdir_graph_close(source.graph);
	return ok;
}

/* ---- devices ---- */

static bool count_device(void *context, int64_t row, const struct certdir_device *device,
			 const struct certdir_list_source *source)
{
	struct run *run = context;

	(void)row;
	if (source->kind == CERTDIR_SOURCE_LDAP || (run->tenant && strcmp(source->name, run->tenant->name) != 0))
		return true;
	return certdir_fleet_device(run->fleet, device);
}

static bool mark_groups(struct run *run, struct certdir_list_reader *reader, struct certdir_error *error)
{
	for (size_t i = 0; i < run->profiles.count; i++)
		for (size_t t = 0; t < run->profiles.items[i].target_count; t++) {
			struct certdir_profile_target *target = &run->profiles.items[i].targets[t];

			if (target->group && !certdir_list_has_group(reader, target->group, &target->known, error))
				return false;
		}
	return true;
}

/* The list's name; NULL when there is none to be looked for. */
static const char *list_name(const struct run *run)
{
	if (run->options->list)
		return run->options->list;
	if (run->tenant)
		return run->loaded.config.list;
	return access(LIST_DEFAULT, F_OK) == 0 ? LIST_DEFAULT : NULL;
}

/* 0 or an exit code. */
static int count_devices(struct run *run)
{
	struct certdir_cli_options options = *run->options;
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error = {.text = "out of memory"};
	bool ok = true;

	options.list = list_name(run);
	if (options.list && !certdir_cli_list_open(&options, &snapshot, &reader))
		return EX_NOINPUT;
	run->world.has_list = options.list;
	if (options.list)
		ok = mark_groups(run, reader, &error);
	run->fleet = ok ? certdir_fleet_open(&run->profiles, &run->world) : NULL;
	if (options.list) {
		ok = run->fleet && certdir_list_each(reader, count_device, run, &error);
		certdir_cli_list_close(snapshot, reader);
	}
	if (ok && run->fleet)
		return 0;
	return certdir_cli_fail(EX_NOINPUT, options.list, "%s", error.text);
}

/* ---- the server's side ---- */

static void take_tls(void *context, const struct raddb_tls *tls)
{
	struct run *run = context;

	if (tls->certificate_file && run->server.count == 0)
		(void)read_chain(&run->server, tls->certificate_file);
	if (tls->ca_file)
		(void)read_chain(&run->authorities, tls->ca_file);
}

/* Last of all: the process becomes the server's user. */
static bool open_raddb(struct run *run)
{
	const struct certdir_checker *checker;

	run->raddb = raddb_file_open(run->options->raddb, NULL);
	if (!run->raddb)
		return false;
	checker = raddb_file_checker(run->raddb);
	run->rules = certdir_checker_rules(checker);
	run->world.rules = &run->rules;
	run->world.accepted = checker->accepted;
	raddb_file_each_tls(run->raddb, take_tls, run);
	return true;
}

/* ---- all ---- */

static int report(struct run *run)
{
	struct certdir_profiles_report found;
	int status = EX_OSERR;

	run->world.server = run->server.items;
	run->world.server_count = run->server.count;
	run->world.authorities = run->authorities.items;
	run->world.authority_count = run->authorities.count;
	if (certdir_report_make(&found, run->fleet) &&
	    (run->options->json ? certdir_cli_profiles_json(&run->profiles, &found)
				: certdir_cli_profiles_text(&run->profiles, &found)))
		status = run->profiles.incomplete ? EX_UNAVAILABLE : found.faults ? 1 : 0;
	else
		(void)certdir_cli_fail(status, NULL, "out of memory");
	certdir_report_clear(&found);
	return status;
}

static int look(struct run *run)
{
	const struct certdir_cli_options *options = run->options;
	struct certdir_error error;
	int status;

	if (options->radius_certificate && !read_chain(&run->server, options->radius_certificate))
		return access(options->radius_certificate, F_OK) == 0 ? EX_DATAERR : EX_NOINPUT;
	if (!options->from && (!certdir_cli_conf_load(options->conf, false, &run->loaded) || !choose_tenant(run)))
		return EX_CONFIG;
	if (!read_profiles(run, &error))
		return certdir_cli_fail(options->from ? EX_DATAERR : EX_UNAVAILABLE, options->from, "%s", error.text);
	status = count_devices(run);
	if (!status && options->raddb && !open_raddb(run))
		status = EX_CONFIG;
	return status ? status : report(run);
}

/* What a directory of raddb has to say while it is opened is none of this. */
static void keep_quiet(enum certdir_log_level level, const char *text)
{
	(void)level, (void)text;
}

int certdir_cli_profiles(const struct certdir_cli_options *options)
{
	struct run run = {.options = options};
	int status;

	if (options->from && (options->save || options->operands[0]))
		return certdir_cli_misuse(options, "--from", "--from DIR asks no tenant: leave out %s",
					  options->save ? "--save" : options->operands[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	certdir_log_set(keep_quiet);
	status = look(&run);
	certdir_fleet_close(run.fleet);
	certdir_profiles_clear(&run.profiles);
	clear_chain(&run.server);
	clear_chain(&run.authorities);
	if (run.raddb)
		raddb_file_close(run.raddb);
	certdir_cli_conf_clear(&run.loaded);
	return status;
}
