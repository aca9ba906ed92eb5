/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wiring.h"

#include "base/file.h"
#include "freeradius/server.h"
#include "text/dn.h"
#include "identity/certificate.h"
#include "identity/pem.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

/*
 * More CAs than this are not a company's own: its roots and issuing CAs, old ones beside new ones, are a handful, and
 * the system's bundle has more than a hundred. Counted, because that bundle also has other names and copies.
 */
enum { OWN_CAS = 20 };

struct sections {
	CONF_SECTION **items;
	size_t count;
};

struct wiring {
	CONF_SECTION *root;
	certdir_finding_function tell;
	void *context;
	bool reads_sessions; /* some certdir { } has certificate = session: it is there for EAP-TLS */
	bool unguarded; /* some certdir { } says that it need not see every login */
	CONF_SECTION *certdir; /* the first certdir { } */
	char const *check; /* a server that calls certdir in authorize, or NULL */
	struct sections servers; /* that a request can reach; the root stands for the one without a name */
	struct sections eaps; /* eap modules called there in authenticate */
	struct sections lost; /* clients that are sent to a server that is not there */
	bool reached, told; /* certdir is reached by some EAP-TLS; an error was told */
};

/* ---- what is found ---- */

static void CC_HINT(format(printf, 4, 5)) say(struct wiring *wiring, CONF_ITEM *at, bool error, char const *format, ...)
{
	struct certdir_finding finding = {.error = error};
	va_list arguments;

	if (cf_item_is_pair(at)) {
		finding.file = cf_pair_filename(cf_item_to_pair(at));
		finding.line = cf_pair_lineno(cf_item_to_pair(at));
	} else {
		finding.file = cf_section_filename(cf_item_to_section(at));
		finding.line = cf_section_lineno(cf_item_to_section(at));
	}
	if (!finding.file)
		finding.file = "radiusd.conf";
	va_start(arguments, format);
	certdir_vsay(finding.text, format, arguments);
	va_end(arguments);
	wiring->told |= error;
	wiring->tell(wiring->context, &finding);
}

/* True when it was not there yet. */
static bool add(struct sections *set, CONF_SECTION *cs)
{
	CONF_SECTION **items;

	for (size_t i = 0; i < set->count; i++)
		if (set->items[i] == cs)
			return false;
	items = realloc(set->items, (set->count + 1) * sizeof(*items));
	if (!items)
		return false;
	items[set->count++] = cs;
	set->items = items;
	return true;
}

/* ---- names ---- */

static char const *instance_name(CONF_SECTION *cs)
{
	return cf_section_name2(cs) ? cf_section_name2(cs) : cf_section_name1(cs);
}

/* The name of a server, for a message. */
static char const *server_name(CONF_SECTION *server)
{
	return cf_section_name2(server) ? cf_section_name2(server) : "(without a name)";
}

static bool is_kind(CONF_SECTION *cs, char const *kind)
{
	return strcmp(cf_section_name1(cs), kind) == 0;
}

/* An instance of a module, and not a policy of that name. */
static bool is_module(CONF_SECTION *cs, char const *kind)
{
	return is_kind(cs, kind) && is_kind(cf_item_parent(cf_section_to_item(cs)), "modules");
}

/* "eap", "-eap" (load it where it is configured) and "eap.authorize" (that method of it) are all eap. */
static bool names_module(char const *call, char const *name)
{
	size_t const length = strlen(name);

	call += *call == '-';
	return strncmp(call, name, length) == 0 && (call[length] == '\0' || call[length] == '.');
}

static char const *value_of(CONF_SECTION *cs, char const *option)
{
	CONF_PAIR *pair = cf_pair_find(cs, option);
	char const *value = pair ? cf_pair_value(pair) : NULL;

	return value && *value ? value : NULL;
}

static bool is_yes(CONF_SECTION *cs, char const *option)
{
	char const *value = cs ? value_of(cs, option) : NULL;

	return value &&
	       (strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 || strcasecmp(value, "on") == 0);
}

/* Without a name: `server { }`, or what stands outside of all servers. */
static CONF_SECTION *server_find(struct wiring const *wiring, char const *name)
{
	if (name)
		return cf_section_sub_find_name2(wiring->root, "server", name);
	for (CONF_SECTION *server = cf_section_sub_find(wiring->root, "server"); server;
	     server = cf_subsection_find_next(wiring->root, server, "server"))
		if (!cf_section_name2(server))
			return server;
	return wiring->root;
}

/*
 * A method of an eap module. The server also calls it EAP-TLS, in any case, and of several sections for one method the
 * last one counts.
 */
static CONF_SECTION *method_find(CONF_SECTION *eap, char const *method)
{
	CONF_SECTION *found = NULL;

	for (CONF_SECTION *cs = cf_subsection_find_next(eap, NULL, NULL); cs;
	     cs = cf_subsection_find_next(eap, cs, NULL)) {
		char const *name = cf_section_name1(cs);

		name += strncasecmp(name, "eap-", 4) == 0 ? 4 : 0;
		if (strcasecmp(name, method) == 0)
			found = cs;
	}
	return found;
}

/* ---- what a section of a server calls ---- */

typedef void (*call_function)(void *context, CONF_SECTION *called);

struct calls {
	CONF_SECTION *root;
	char const *section; /* of a server, where the walk began */
	char const *leave_out; /* subsections of this kind are not looked into, or NULL */
	call_function take;
	void *context;
	struct sections entered; /* each once: a policy may call the module of its own name, and many may call one */
};

static void look_into(struct calls *calls, CONF_SECTION *cs);

static void enter(struct calls *calls, CONF_SECTION *cs)
{
	if (cs && add(&calls->entered, cs))
		look_into(calls, cs);
}

/* "server[other]" calls the same section of another server. In authenticate there is none of it that would run. */
static void call_server(struct calls *calls, char const *call)
{
	char const *name = call + strlen("server[");
	char *copy = strndup(name, strcspn(name, "]"));
	CONF_SECTION *server = copy ? cf_section_sub_find_name2(calls->root, "server", copy) : NULL;

	if (server && strcmp(calls->section, "authenticate") != 0)
		enter(calls, cf_section_sub_find(server, calls->section));
	free(copy);
}

/* A call means a module, or a policy, or a group of modules from instantiate { }. */
static void one_call(struct calls *calls, char const *call)
{
	static char const *const places[] = {"modules", "policy", "instantiate"};

	if (strncmp(call, "server[", 7) == 0)
		call_server(calls, call);
	for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
		CONF_SECTION *place = cf_section_sub_find(calls->root, places[p]);

		for (CONF_SECTION *cs = place ? cf_subsection_find_next(place, NULL, NULL) : NULL; cs;
		     cs = cf_subsection_find_next(place, cs, NULL)) {
			if (!names_module(call, instance_name(cs)) && !names_module(instance_name(cs), call))
				continue;
			calls->take(calls->context, cs);
			if (p > 0)
				enter(calls, cs);
		}
	}
}

static void look_into(struct calls *calls, CONF_SECTION *cs)
{
	for (CONF_ITEM *item = cf_item_find_next(cs, NULL); item; item = cf_item_find_next(cs, item)) {
		if (cf_item_is_pair(item) && !cf_pair_value(cf_item_to_pair(item))) {
			one_call(calls, cf_pair_attr(cf_item_to_pair(item)));
		} else if (cf_item_is_section(item)) {
			CONF_SECTION *sub = cf_item_to_section(item);

			if (calls->leave_out && is_kind(sub, calls->leave_out))
				continue;
			if (!cf_section_name2(sub))
				one_call(calls, cf_section_name1(sub));
			look_into(calls, sub);
		}
	}
}

/* Every module and policy that is called in a section of a server, whatever condition stands before it. */
static void each_call(struct calls calls, CONF_SECTION *server)
{
	enter(&calls, cf_section_sub_find(server, calls.section));
	free(calls.entered.items);
}

static void take_certdir(void *context, CONF_SECTION *called)
{
	*(bool *)context |= is_module(called, "certdir");
}

static bool calls_certdir(struct wiring const *wiring, CONF_SECTION *server, char const *section)
{
	bool found = false;

	each_call((struct calls){.root = wiring->root,
				 .section = section,
				 .leave_out = "Post-Auth-Type",
				 .take = take_certdir,
				 .context = &found},
		  server);
	return found;
}

/* ---- which servers and eap modules a request can reach ---- */

static void reach(struct wiring *wiring, CONF_SECTION *server)
{
	if (server)
		add(&wiring->servers, server);
}

/* The methods of EAP that hold another login inside. */
static char const *const tunnels[] = {"peap", "ttls", "fast", "teap"};

enum { TUNNELS = sizeof(tunnels) / sizeof(tunnels[0]) };

/* The clients of a listener: those that it names, or those of its server, or all. */
static CONF_SECTION *clients_of(struct wiring const *wiring, CONF_SECTION *listener, CONF_SECTION *server)
{
	char const *name = value_of(listener, "clients");
	CONF_SECTION *named = name ? cf_section_sub_find_name2(wiring->root, "clients", name) : NULL;

	if (name && !named)
		named = cf_section_sub_find(wiring->root, name);
	if (named)
		return named;
	return cf_section_sub_find(server, "client") ? server : wiring->root;
}

/* A client's own virtual_server comes before that of the listener, which one inside of a named server cannot have. */
static void take_listener(struct wiring *wiring, CONF_SECTION *listener, char const *inside)
{
	CONF_SECTION *server = server_find(wiring, inside ? inside : value_of(listener, "virtual_server"));
	CONF_SECTION *clients = server ? clients_of(wiring, listener, server) : NULL;
	char const *type = value_of(listener, "type"), *name;
	bool own = clients && !cf_section_sub_find(clients, "client"); /* they come from elsewhere then */

	if (!clients || !type || strncasecmp(type, "auth", 4) != 0)
		return;
	for (CONF_SECTION *client = cf_section_sub_find(clients, "client"); client;
	     client = cf_subsection_find_next(clients, client, "client")) {
		name = value_of(client, "virtual_server");
		if (name && !server_find(wiring, name) && add(&wiring->lost, client))
			say(wiring, cf_pair_to_item(cf_pair_find(client, "virtual_server")), false,
			    "virtual_server = \"%s\": there is no such server, so every request of this client is "
			    "rejected "
			    "without a line in the log: write the name of a site in sites-enabled",
			    name);
		if (name)
			reach(wiring, server_find(wiring, name));
		else
			own = true;
	}
	if (own)
		reach(wiring, server);
}

/* A request may be proxied into a server of our own. */
static void take_home_servers(struct wiring *wiring, CONF_SECTION *cs)
{
	for (CONF_SECTION *home = cf_section_sub_find(cs, "home_server"); home;
	     home = cf_subsection_find_next(cs, home, "home_server")) {
		char const *name = value_of(home, "virtual_server");

		if (name)
			reach(wiring, server_find(wiring, name));
	}
}

/* ---- who gets through the handshake ---- */

/* The tls-config of a TLS-based method; the legacy form has it in tls { } itself. */
static CONF_SECTION *tls_config(CONF_SECTION *eap, CONF_SECTION *method)
{
	char const *name = value_of(method, "tls");

	return name ? cf_section_sub_find_name2(eap, "tls-config", name) : cf_section_sub_find(eap, "tls");
}

/* How many certificates a PEM file has. */
static size_t count_certificates(char const *file)
{
	FILE *stream = fopen(file, "re");
	char line[256];
	size_t count = 0;

	while (stream && fgets(line, sizeof(line), stream))
		count += strncmp(line, "-----BEGIN ", 11) == 0 && strstr(line, "CERTIFICATE-----") != NULL;
	if (stream)
		fclose(stream);
	return count;
}

/* How many a directory of certificates offers: OpenSSL looks for names like 5ed36f99.0 alone. */
static size_t count_hashed(char const *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	while (directory && (entry = readdir(directory)))
		count += strspn(entry->d_name, "0123456789abcdef") == 8 && entry->d_name[8] == '.' &&
			 isdigit((unsigned char)entry->d_name[9]);
	if (directory)
		closedir(directory);
	return count;
}

static void check_authorities(struct wiring *wiring, CONF_SECTION *config)
{
	static struct {
		char const *option;
		size_t (*count)(char const *path);
	} const places[] = {{"ca_file", count_certificates}, {"ca_path", count_hashed}};

	for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
		char const *path = value_of(config, places[p].option);
		size_t const count = path ? places[p].count(path) : 0;

		if (count > OWN_CAS)
			say(wiring, cf_pair_to_item(cf_pair_find(config, places[p].option)), false,
			    "%s = %s has %zu CAs, and a client certificate of any of them passes, with whatever "
			    "names it carries: name a file with your devices' own CA alone",
			    places[p].option, path, count);
	}
}

/* ---- EAP-TLS without certdir ---- */

struct calling {
	CONF_SECTION *module;
	bool found;
};

static void take_this(void *context, CONF_SECTION *called)
{
	struct calling *calling = context;

	calling->found |= called == calling->module;
}

static bool calls_module(struct wiring const *wiring, CONF_SECTION *server, CONF_SECTION *module)
{
	struct calling calling = {module, false};

	each_call(
		(struct calls){.root = wiring->root, .section = "authenticate", .take = take_this, .context = &calling},
		server);
	return calling.found;
}

enum { CALLERS_SIZE = 160 };

/* The servers that call an eap module, or those of them that `fit`: "default, vpn"; of many, the first and "..". */
static void name_callers(struct wiring const *wiring, CONF_SECTION *eap,
			 bool (*fit)(struct wiring const *wiring, CONF_SECTION *server, CONF_SECTION *eap),
			 char text[CALLERS_SIZE])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t s = 0; s < wiring->servers.count; s++) {
		CONF_SECTION *server = wiring->servers.items[s];

		if (!calls_module(wiring, server, eap) || (fit && !fit(wiring, server, eap)))
			continue;
		if (used + strlen(server_name(server)) + sizeof(", , ..") > CALLERS_SIZE) {
			strcpy(text + used, used ? ", .." : "..");
			return;
		}
		used += (size_t)sprintf(text + used, "%s%s", used ? ", " : "", server_name(server));
	}
}

static void tell_missing(struct wiring *wiring, CONF_SECTION *eap, CONF_SECTION *tls, char const *callers)
{
	CONF_SECTION *config = tls_config(eap, tls);
	CONF_PAIR *misplaced = config ? cf_pair_find(config, "virtual_server") : NULL;

	if (!misplaced)
		misplaced = cf_pair_find(eap, "virtual_server");
	if (misplaced)
		say(wiring, cf_pair_to_item(misplaced), wiring->reads_sessions,
		    "EAP-TLS does not look for virtual_server here, so certdir never sees the logins of %s (in %s): "
		    "move this line into its tls { } (line %d)",
		    instance_name(eap), callers, cf_section_lineno(tls));
	else
		say(wiring, cf_section_to_item(tls), wiring->reads_sessions,
		    "tls { } of %s (in %s) has no virtual_server, so certdir never sees its logins: write "
		    "virtual_server = \"%s\" here, or unguarded = yes in certdir { } if they are none of its business",
		    instance_name(eap), callers, wiring->check ? wiring->check : "certdir-check");
}

static void tell_no_server(struct wiring *wiring, CONF_PAIR *pair)
{
	char const *name = cf_pair_value(pair);

	if (wiring->check)
		say(wiring, cf_pair_to_item(pair), wiring->reads_sessions,
		    "virtual_server = \"%s\": there is no such server, so every EAP-TLS login is rejected: write "
		    "\"%s\"",
		    name, wiring->check);
	else
		say(wiring, cf_pair_to_item(pair), wiring->reads_sessions,
		    "virtual_server = \"%s\": there is no such server, so every EAP-TLS login is rejected: link "
		    "sites-available/certdir-check into sites-enabled%s",
		    name, strcmp(name, "certdir-check") == 0 ? "" : ", and write \"certdir-check\"");
}

static void tell_other_server(struct wiring *wiring, CONF_SECTION *eap, CONF_PAIR *pair, char const *callers)
{
	char const *name = cf_pair_value(pair);

	say(wiring, cf_pair_to_item(pair), wiring->reads_sessions,
	    "server \"%s\" does not call certdir in authorize, so certdir never sees the logins of %s (in %s): call "
	    "it there as certdir-check does, or write virtual_server = \"%s\" here, or unguarded = yes in certdir { } "
	    "if they are none of "
	    "its business",
	    name, instance_name(eap), callers, wiring->check ? wiring->check : "certdir-check");
}

/* The server that EAP-TLS of an eap module asks about certificates, or NULL. */
static CONF_SECTION *asked_server(struct wiring const *wiring, CONF_SECTION *eap)
{
	CONF_SECTION *tls = method_find(eap, "tls");
	char const *name = tls ? value_of(tls, "virtual_server") : NULL;

	return name ? server_find(wiring, name) : NULL;
}

static bool is_guarded(struct wiring const *wiring, CONF_SECTION *eap)
{
	CONF_SECTION *server = asked_server(wiring, eap);

	return server && calls_certdir(wiring, server, "authorize");
}

/* What says Auth-Type := Accept in a section itself, with no condition before it, or NULL. */
static CONF_SECTION *accepts_all(CONF_SECTION *cs)
{
	for (CONF_SECTION *update = cf_section_sub_find(cs, "update"); update;
	     update = cf_subsection_find_next(cs, update, "update")) {
		CONF_PAIR *pair = cf_pair_find(update, "&Auth-Type");
		char const *list = cf_section_name2(update);

		if (!pair)
			pair = cf_pair_find(update, "Auth-Type");
		if (pair && cf_pair_value(pair) && strcasecmp(cf_pair_value(pair), "Accept") == 0 && list &&
		    (strcmp(list, "control") == 0 || strcmp(list, "config") == 0))
			return update;
	}
	return NULL;
}

static void take_reject(void *context, CONF_SECTION *called)
{
	*(bool *)context |= strcmp(instance_name(called), "reject") == 0;
}

/* In authorize the server goes on after notfound and noop, which certdir says of strangers, as after ok. */
static void check_outcome(struct wiring *wiring, CONF_SECTION *server)
{
	CONF_SECTION *authorize = cf_section_sub_find(server, "authorize"), *update = accepts_all(authorize);
	bool rejects = false, bare = false;
	struct calls calls = {.root = wiring->root, .section = "authorize", .take = take_certdir, .context = &bare};

	for (CONF_ITEM *item = cf_item_find_next(authorize, NULL); item; item = cf_item_find_next(authorize, item))
		if (cf_item_is_pair(item))
			one_call(&calls, cf_pair_attr(cf_item_to_pair(item)));
	free(calls.entered.items);
	each_call(
		(struct calls){.root = wiring->root, .section = "authorize", .take = take_reject, .context = &rejects},
		server);
	if (update && bare && !rejects)
		say(wiring, cf_section_to_item(update), false,
		    "accepts every login, also of a device that certdir does not know (notfound): call certdir as "
		    "certdir-check does, or with notfound = reject and noop = reject");
}

static void check_eap_tls(struct wiring *wiring, CONF_SECTION *eap, CONF_SECTION *tls)
{
	CONF_PAIR *pair = value_of(tls, "virtual_server") ? cf_pair_find(tls, "virtual_server") : NULL;
	char callers[CALLERS_SIZE];

	if (is_guarded(wiring, eap)) {
		wiring->reached = true;
		check_outcome(wiring, asked_server(wiring, eap));
		return;
	}
	name_callers(wiring, eap, NULL, callers);
	if (pair && !asked_server(wiring, eap))
		tell_no_server(wiring, pair);
	else if (!wiring->unguarded && pair)
		tell_other_server(wiring, eap, pair, callers);
	else if (!wiring->unguarded)
		tell_missing(wiring, eap, tls, callers);
}

/* ---- issuers that certdir { } names ---- */

enum { CA_FILE_MAX = 1 << 20 };

struct naming {
	char const *issuer;
	bool found;
};

static void take_authority(void *context, unsigned char const *der, size_t length)
{
	struct naming *naming = context;
	struct certdir_certificate certificate;
	struct certdir_error error;

	(void)certdir_certificate_parse(&certificate, der, length, NULL, &error);
	naming->found |= certificate.subject && certdir_dn_equal(certificate.subject, naming->issuer);
	certdir_certificate_clear(&certificate);
}

/* Whether a file with CAs has one of that name; true also for what cannot be read, since the server says so itself. */
static bool file_has(char const *path, char const *issuer)
{
	struct naming naming = {issuer, false};
	struct certdir_error error;
	int const file = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	char *bytes = file >= 0 ? certdir_file_load(file, CA_FILE_MAX, &length) : NULL;
	bool const read = length && certdir_pem_each(bytes, length, take_authority, &naming, &error);

	free(bytes);
	if (file >= 0)
		close(file);
	return !read || naming.found;
}

/* The file in which no eap module that was reached knows the CA, or NULL when one may. */
static char const *unknown_in(struct wiring const *wiring, char const *issuer)
{
	char const *looked = NULL;

	for (size_t e = 0; e < wiring->eaps.count; e++) {
		CONF_SECTION *tls = method_find(wiring->eaps.items[e], "tls");
		CONF_SECTION *config = tls ? tls_config(wiring->eaps.items[e], tls) : NULL;
		char const *file = config ? value_of(config, "ca_file") : NULL;
		char const *path = config ? value_of(config, "ca_path") : NULL;

		if (!config)
			continue;
		if (!file || (path && count_hashed(path)) || count_certificates(file) > OWN_CAS ||
		    file_has(file, issuer))
			return NULL;
		looked = file;
	}
	return looked;
}

/* A misspelt issuer keeps all devices of that CA out. An intermediate CA may come with the login instead. */
static void check_issuers(struct wiring *wiring, CONF_SECTION *cs)
{
	for (CONF_PAIR *pair = cf_pair_find(cs, "issuer"); pair; pair = cf_pair_find_next(cs, pair, "issuer")) {
		char const *issuer = cf_pair_value(pair);
		char const *file = issuer && strchr(issuer, '=') ? unknown_in(wiring, issuer) : NULL;

		if (file)
			say(wiring, cf_pair_to_item(pair), false,
			    "issuer = \"%s\": no CA in %s has this name, so it is right only for an intermediate CA "
			    "that devices send along: compare it with what `certdir check` prints",
			    issuer, file);
	}
}

static void check_certdirs(struct wiring *wiring)
{
	CONF_SECTION *modules = cf_section_sub_find(wiring->root, "modules");

	for (CONF_SECTION *cs = modules ? cf_section_sub_find(modules, "certdir") : NULL; cs;
	     cs = cf_subsection_find_next(modules, cs, "certdir"))
		for (CONF_SECTION *sub = cf_subsection_find_next(cs, NULL, NULL); sub;
		     sub = cf_subsection_find_next(cs, sub, NULL))
			check_issuers(wiring, sub);
}

/* ---- tunnels, sites ---- */

struct guarding {
	struct wiring const *wiring;
	bool guarded;
};

static void take_guarded(void *context, CONF_SECTION *called)
{
	struct guarding *guarding = context;

	guarding->guarded |= is_module(called, "eap") && is_guarded(guarding->wiring, called);
}

static void take_full_tunnel(void *context, CONF_SECTION *called)
{
	*(bool *)context |= is_kind(called, "certdir_full_tunnel");
}

/* Whether tunnels of an eap module are resumed in a server that is not the inner one of such a tunnel itself. */
static bool resumes_tunnels(struct wiring const *wiring, CONF_SECTION *server, CONF_SECTION *eap)
{
	bool full = false;

	for (size_t t = 0; t < TUNNELS; t++) {
		CONF_SECTION *tunnel = method_find(eap, tunnels[t]);
		char const *inner = tunnel ? value_of(tunnel, "virtual_server") : NULL;

		if (inner && server == server_find(wiring, inner))
			return false;
	}
	each_call(
		(struct calls){
			.root = wiring->root, .section = "authorize", .take = take_full_tunnel, .context = &full},
		server);
	return !full;
}

/* A resumed tunnel has no inner login, so nothing asks certdir again. */
static void check_tunnel(struct wiring *wiring, CONF_SECTION *eap, CONF_SECTION *tunnel)
{
	char const *inner = value_of(tunnel, "virtual_server"), *method = cf_section_name1(tunnel);
	CONF_SECTION *config = tls_config(eap, tunnel), *server = inner ? server_find(wiring, inner) : NULL;
	CONF_SECTION *cache = config ? cf_section_sub_find(config, "cache") : NULL;
	struct guarding inside = {wiring, false};
	char callers[CALLERS_SIZE];

	if (!server || !is_yes(cache, "enable"))
		return;
	each_call(
		(struct calls){
			.root = wiring->root, .section = "authenticate", .take = take_guarded, .context = &inside},
		server);
	name_callers(wiring, eap, resumes_tunnels, callers);
	if (inside.guarded && callers[0])
		say(wiring, cf_section_to_item(cache), false,
		    "sessions of %s { } in %s are kept here, and a resumed one skips the inner EAP-TLS login and so "
		    "certdir: call certdir_full_tunnel behind eap in authorize of %s, or set enable = no",
		    method, instance_name(eap), callers);
}

/* Sites that were set up for network devices, of which none is sent to any. One of several may well be unused. */
static void check_sites(struct wiring *wiring)
{
	CONF_SECTION *unused = NULL;

	for (CONF_SECTION *server = cf_section_sub_find(wiring->root, "server"); server;
	     server = cf_subsection_find_next(wiring->root, server, "server")) {
		if (!calls_certdir(wiring, server, "post-auth"))
			continue;
		for (size_t s = 0; s < wiring->servers.count; s++)
			if (wiring->servers.items[s] == server)
				return;
		unused = server;
	}
	if (unused)
		say(wiring, cf_section_to_item(unused), false,
		    "no client is sent to server %s: write virtual_server = %s into client { } of its network devices, "
		    "or remove it from sites-enabled; no other site that calls certdir has a client either",
		    server_name(unused), server_name(unused));
}

/* ---- all of it ---- */

static void read_certdirs(struct wiring *wiring)
{
	CONF_SECTION *modules = cf_section_sub_find(wiring->root, "modules");

	for (CONF_SECTION *cs = modules ? cf_section_sub_find(modules, "certdir") : NULL; cs;
	     cs = cf_subsection_find_next(modules, cs, "certdir")) {
		char const *from = value_of(cs, "certificate");

		if (!wiring->certdir)
			wiring->certdir = cs;
		wiring->reads_sessions |= !from || strcmp(from, "session") == 0;
		wiring->unguarded |= is_yes(cs, "unguarded");
	}
}

static void take_eap(void *context, CONF_SECTION *called)
{
	struct wiring *wiring = context;

	if (!is_module(called, "eap") || !add(&wiring->eaps, called))
		return;
	for (size_t t = 0; t < TUNNELS; t++) {
		CONF_SECTION *tunnel = method_find(called, tunnels[t]);
		char const *inner = tunnel ? value_of(tunnel, "virtual_server") : NULL;

		if (inner)
			reach(wiring, server_find(wiring, inner));
	}
}

static void find_servers(struct wiring *wiring)
{
	CONF_SECTION *const root = wiring->root;

	for (CONF_SECTION *cs = cf_section_sub_find(root, "listen"); cs;
	     cs = cf_subsection_find_next(root, cs, "listen"))
		take_listener(wiring, cs, NULL);
	take_home_servers(wiring, root);
	for (CONF_SECTION *server = cf_section_sub_find(root, "server"); server;
	     server = cf_subsection_find_next(root, server, "server")) {
		for (CONF_SECTION *cs = cf_section_sub_find(server, "listen"); cs;
		     cs = cf_subsection_find_next(server, cs, "listen"))
			take_listener(wiring, cs, cf_section_name2(server));
		take_home_servers(wiring, server);
		if (!wiring->check && calls_certdir(wiring, server, "authorize"))
			wiring->check = cf_section_name2(server);
	}
	/* Grows while it is gone through: eap modules lead to inner servers. */
	for (size_t s = 0; s < wiring->servers.count; s++)
		each_call((struct calls){.root = root, .section = "authenticate", .take = take_eap, .context = wiring},
			  wiring->servers.items[s]);
}

static void check_eap(struct wiring *wiring, CONF_SECTION *eap)
{
	CONF_SECTION *tls = method_find(eap, "tls");

	if (tls) {
		check_eap_tls(wiring, eap, tls);
		if (tls_config(eap, tls))
			check_authorities(wiring, tls_config(eap, tls));
	}
	for (size_t t = 0; t < TUNNELS; t++)
		if (method_find(eap, tunnels[t]))
			check_tunnel(wiring, eap, method_find(eap, tunnels[t]));
}

void certdir_wiring_check(struct conf_part *root, certdir_finding_function tell, void *context)
{
	struct wiring wiring = {.root = root, .tell = tell, .context = context};

	read_certdirs(&wiring);
	find_servers(&wiring);
	for (size_t e = 0; e < wiring.eaps.count; e++)
		check_eap(&wiring, wiring.eaps.items[e]);
	check_sites(&wiring);
	check_certdirs(&wiring);
	if (wiring.certdir && wiring.reads_sessions && !wiring.reached && !wiring.told)
		say(&wiring, cf_section_to_item(wiring.certdir), false,
		    "no EAP-TLS login reaches certdir: no eap module that a client's requests can reach has tls { } "
		    "with a virtual_server that calls certdir");
	free(wiring.servers.items);
	free(wiring.lost.items);
	free(wiring.eaps.items);
}
