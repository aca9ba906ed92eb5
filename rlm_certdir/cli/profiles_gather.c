/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/profiles_gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/array.h"
#include "base/background.h"
#include "cli/failure.h"
#include "cli/list.h"
#include "identity/certificate.h"
#include "identity/pem.h"
#include "import/input.h"
#include "sync/profiles.h"

#define LIST_DEFAULT "/var/lib/certdir/devices.db"

/* ---- certificates in files ---- */

static void add_certificate(void *context, const unsigned char *der, size_t length)
{
	struct certdir_cli_chain *chain = context;
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

static bool read_chain(struct certdir_cli_chain *chain, const char *filename)
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

static void clear_chain(struct certdir_cli_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		certdir_certificate_clear(&chain->items[i]);
	free(chain->items);
}

/* ---- profiles ---- */

static bool choose_tenant(struct certdir_cli_profiles *gathered)
{
	const char *name = gathered->options->operands[0];
	const struct certdir_sync_config *config = &gathered->loaded.config;
	size_t count = 0;

	for (size_t i = 0; i < config->count; i++) {
		if (config->tenants[i].ldap || (name && strcmp(config->tenants[i].name, name) != 0))
			continue;
		gathered->tenant = &config->tenants[i];
		count++;
	}
	if (count == 1)
		return true;
	if (count)
		(void)certdir_cli_fail(EX_CONFIG, gathered->options->conf, "%s has several tenants: say which one",
				       gathered->options->conf);
	else
		(void)certdir_cli_fail(
			EX_CONFIG, gathered->options->conf,
			"%s has no [tenant %s]: see certdir.conf(5), or read saved answers with --from DIR",
			gathered->options->conf, name ? name : "NAME");
	return false;
}

static bool read_profiles(struct certdir_cli_profiles *gathered, int64_t seconds, struct certdir_error *error)
{
	struct certdir_profiles_source source = {.directory = gathered->options->from};
	struct certdir_http_limits limits = {0};
	bool ok;

	if (!gathered->tenant)
		return certdir_profiles_read(&gathered->profiles, &source, error);
	if (seconds > gathered->tenant->deadline)
		seconds = gathered->tenant->deadline;
	limits.deadline = certdir_monotonic() + seconds * CERTDIR_SECOND;
	source.graph = certdir_graph_open(gathered->tenant, &limits, error);
	source.host = gathered->tenant->graph;
	source.directory = gathered->options->save;
	ok = source.graph && certdir_profiles_read(&gathered->profiles, &source, error);
	certdir_graph_close(source.graph);
	return ok;
}

/* ---- devices ---- */

static bool count_device(void *context, int64_t row, const struct certdir_device *device,
			 const struct certdir_list_source *source)
{
	struct certdir_cli_profiles *gathered = context;

	(void)row;
	if (source->kind == CERTDIR_SOURCE_LDAP ||
	    (gathered->tenant && strcmp(source->name, gathered->tenant->name) != 0))
		return true;
	return certdir_fleet_device(gathered->fleet, device);
}

static bool mark_groups(struct certdir_cli_profiles *gathered, struct certdir_list_reader *reader,
			struct certdir_error *error)
{
	for (size_t i = 0; i < gathered->profiles.count; i++)
		for (size_t t = 0; t < gathered->profiles.items[i].target_count; t++) {
			struct certdir_profile_target *target = &gathered->profiles.items[i].targets[t];

			if (target->group && !certdir_list_has_group(reader, target->group, &target->known, error))
				return false;
		}
	return true;
}

/* The list's name; NULL when there is none to be looked for. */
static const char *list_name(const struct certdir_cli_profiles *gathered)
{
	if (gathered->options->list)
		return gathered->options->list;
	if (gathered->tenant)
		return gathered->loaded.config.list;
	return access(LIST_DEFAULT, F_OK) == 0 ? LIST_DEFAULT : NULL;
}

/* 0 or an exit code. */
static int count_devices(struct certdir_cli_profiles *gathered)
{
	struct certdir_cli_options options = *gathered->options;
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error = {.text = "out of memory"};
	bool ok = true;

	options.list = list_name(gathered);
	if (options.list && !certdir_cli_list_open(&options, &snapshot, &reader))
		return EX_NOINPUT;
	gathered->world.has_list = options.list;
	if (options.list)
		ok = mark_groups(gathered, reader, &error);
	gathered->fleet = ok ? certdir_fleet_open(&gathered->profiles, &gathered->world) : NULL;
	if (options.list) {
		ok = gathered->fleet && certdir_list_each(reader, count_device, gathered, &error);
		certdir_cli_list_close(snapshot, reader);
	}
	if (ok && gathered->fleet)
		return 0;
	return certdir_cli_fail(EX_NOINPUT, options.list, "%s", error.text);
}

/* ---- the server's side ---- */

static void take_tls(void *context, const struct raddb_tls *tls)
{
	struct certdir_cli_profiles *gathered = context;

	if (tls->certificate_file && gathered->server.count == 0)
		(void)read_chain(&gathered->server, tls->certificate_file);
	if (tls->ca_file)
		(void)read_chain(&gathered->authorities, tls->ca_file);
}

void certdir_cli_profiles_server(struct certdir_cli_profiles *gathered, const struct raddb_file *raddb)
{
	const struct certdir_checker *checker = raddb_file_checker(raddb);

	gathered->rules = certdir_checker_rules(checker);
	gathered->world.rules = &gathered->rules;
	gathered->world.accepted = checker->accepted;
	raddb_file_each_tls(raddb, take_tls, gathered);
}

/* ---- all ---- */

int certdir_cli_profiles_gather(struct certdir_cli_profiles *gathered, const struct certdir_cli_options *options,
				int64_t seconds)
{
	struct certdir_error error;

	*gathered = (struct certdir_cli_profiles){.options = options};
	if (options->radius_certificate && !read_chain(&gathered->server, options->radius_certificate))
		return access(options->radius_certificate, F_OK) == 0 ? EX_DATAERR : EX_NOINPUT;
	if (!options->from &&
	    (!certdir_cli_conf_load(options->conf, false, &gathered->loaded) || !choose_tenant(gathered)))
		return EX_CONFIG;
	if (!read_profiles(gathered, seconds, &error))
		return certdir_cli_fail(options->from ? EX_DATAERR : EX_UNAVAILABLE, options->from, "%s", error.text);
	return count_devices(gathered);
}

bool certdir_cli_profiles_judge(struct certdir_cli_profiles *gathered, struct certdir_profiles_report *report)
{
	gathered->world.server = gathered->server.items;
	gathered->world.server_count = gathered->server.count;
	gathered->world.authorities = gathered->authorities.items;
	gathered->world.authority_count = gathered->authorities.count;
	return certdir_report_make(report, gathered->fleet);
}

void certdir_cli_profiles_clear(struct certdir_cli_profiles *gathered)
{
	certdir_fleet_close(gathered->fleet);
	certdir_profiles_clear(&gathered->profiles);
	clear_chain(&gathered->server);
	clear_chain(&gathered->authorities);
	certdir_cli_conf_clear(&gathered->loaded);
}
