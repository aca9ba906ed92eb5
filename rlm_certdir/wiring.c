/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wiring.h"

#include <stdio.h>

#include "authorities.h"
#include "wiring_calls.h"

/*
 * More CAs than this are not a company's own: its roots and issuing CAs, old ones beside new ones, are a handful, and
 * the system's bundle has more than a hundred. Counted, because that bundle also has other names and copies.
 */
enum { OWN_CAS = 20 };

struct wiring {
	CONF_SECTION *root;
	certdir_finding_function tell;
	void *context;
	bool reads_sessions; /* some certdir { } has certificate = session: it is there for EAP-TLS */
	bool unguarded; /* some certdir { } says that it need not see every login */
	CONF_SECTION *certdir; /* the first certdir { } */
	char const *check; /* a server that calls certdir in authorize, or NULL */
	struct section_set servers; /* that a request can reach; the root stands for the one without a name */
	struct section_set eaps; /* eap modules called there in authenticate */
	struct section_set lost; /* clients that are sent to a server that is not there */
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

/* ---- names ---- */

/* The name of a server, for a message. */
static char const *server_name(CONF_SECTION *server)
{
	return cf_section_name2(server) ? cf_section_name2(server) : "(without a name)";
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
	FOR_EACH_SECTION(server, wiring->root, "server")
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

	FOR_EACH_SECTION(cs, eap, NULL) {
		char const *name = cf_section_name1(cs);

		name += strncasecmp(name, "eap-", 4) == 0 ? 4 : 0;
		if (strcasecmp(name, method) == 0)
			found = cs;
	}
	return found;
}

/* ---- which servers and eap modules a request can reach ---- */

static void reach(struct wiring *wiring, CONF_SECTION *server)
{
	if (server)
		(void)section_set_add(&wiring->servers, server);
}

/* The methods of EAP that hold another login inside. */
static char const *const tunnels[] = {"peap", "ttls", "fast", "teap"};

enum { TUNNELS = sizeof(tunnels) / sizeof(tunnels[0]) };

/* The server that judges the inner login of a tunnel; NULL when there is none, or no such tunnel. */
static CONF_SECTION *inner_server(struct wiring const *wiring, CONF_SECTION *tunnel)
{
	char const *name = tunnel ? value_of(tunnel, "virtual_server") : NULL;

	return name ? server_find(wiring, name) : NULL;
}

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
	FOR_EACH_SECTION(client, clients, "client") {
		name = value_of(client, "virtual_server");
		if (name && !server_find(wiring, name) && section_set_add(&wiring->lost, client))
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
	FOR_EACH_SECTION(home, cs, "home_server") {
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

static void check_authorities(struct wiring *wiring, CONF_SECTION *config)
{
	static struct {
		char const *option;
		size_t (*count)(char const *path);
	} const places[] = {{"ca_file", certdir_authorities_in_file}, {"ca_path", certdir_authorities_in_directory}};

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

static bool is_certdir(void *context, CONF_SECTION *called)
{
	(void)context;
	return section_is_module(called, "certdir");
}

static bool calls_certdir(struct wiring const *wiring, CONF_SECTION *server, char const *section)
{
	return section_calls(wiring->root, server, section, is_certdir, NULL);
}

static bool is_this(void *context, CONF_SECTION *called)
{
	return called == context;
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

		if (!section_calls(wiring->root, server, "authenticate", is_this, eap) ||
		    (fit && !fit(wiring, server, eap)))
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
		    section_instance(eap), callers, cf_section_lineno(tls));
	else
		say(wiring, cf_section_to_item(tls), wiring->reads_sessions,
		    "tls { } of %s (in %s) has no virtual_server, so certdir never sees its logins: write "
		    "virtual_server = \"%s\" here, or unguarded = yes in certdir { } if they are none of its business",
		    section_instance(eap), callers, wiring->check ? wiring->check : "certdir-check");
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
	    name, section_instance(eap), callers, wiring->check ? wiring->check : "certdir-check");
}

/* The server that EAP-TLS of an eap module asks about certificates, or NULL. */
static CONF_SECTION *asked_server(struct wiring const *wiring, CONF_SECTION *eap)
{
	return inner_server(wiring, method_find(eap, "tls"));
}

static bool is_guarded(struct wiring const *wiring, CONF_SECTION *eap)
{
	CONF_SECTION *server = asked_server(wiring, eap);

	return server && calls_certdir(wiring, server, "authorize");
}

/* What says Auth-Type := Accept in a section itself, with no condition before it, or NULL. */
static CONF_SECTION *accepts_all(CONF_SECTION *cs)
{
	FOR_EACH_SECTION(update, cs, "update") {
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

static bool is_reject(void *context, CONF_SECTION *called)
{
	(void)context;
	return strcmp(section_instance(called), "reject") == 0;
}

/* In authorize the server goes on after notfound and noop, which certdir says of strangers, as after ok. */
static void check_outcome(struct wiring *wiring, CONF_SECTION *server)
{
	CONF_SECTION *authorize = cf_section_sub_find(server, "authorize"), *update = accepts_all(authorize);

	if (update && section_calls_plainly(wiring->root, authorize, is_certdir, NULL) &&
	    !section_calls(wiring->root, server, "authorize", is_reject, NULL))
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
		if (!file || (path && certdir_authorities_in_directory(path)) ||
		    certdir_authorities_in_file(file) > OWN_CAS || certdir_authorities_have(file, issuer))
			return NULL;
		looked = file;
	}
	return looked;
}

/* A misspelt issuer keeps all devices of that CA out. An intermediate CA may come with the login instead. */
static void check_issuers(struct wiring *wiring, CONF_SECTION *cs)
{
	FOR_EACH_PAIR(pair, cs, "issuer") {
		char const *issuer = cf_pair_value(pair);
		char const *file = issuer && strchr(issuer, '=') ? unknown_in(wiring, issuer) : NULL;

		if (file)
			say(wiring, cf_pair_to_item(pair), false,
			    "issuer = \"%s\": no CA in %s has this name, so it is right only for an intermediate CA "
			    "that devices send along: compare it with what `certdir check` prints",
			    issuer, file);
	}
}

/* Sessions are known by their accounting alone. A server that takes none, whatever sends it elsewhere, has no such section. */
static void check_accounting(struct wiring *wiring, CONF_SECTION *cs)
{
	CONF_SECTION *sessions = cf_section_sub_find(cs, "sessions");
	bool known = false;

	if (!sessions)
		return;
	FOR_EACH_SECTION(server, wiring->root, "server")
		known |= section_calls(wiring->root, server, "accounting", is_this, cs);
	if (!known)
		say(wiring, cf_section_to_item(sessions), false,
		    "no server calls %s in accounting { }: sessions { } will know of none, and end none; write it "
		    "there, as sites-available/certdir-wifi does, or take sessions { } out",
		    section_instance(cs));
	for (size_t s = 0; known && s < wiring->servers.count; s++) {
		CONF_SECTION *server = wiring->servers.items[s],
			     *accounting = cf_section_sub_find(server, "accounting");

		if (accounting && section_calls(wiring->root, server, "post-auth", is_this, cs) &&
		    !section_calls(wiring->root, server, "accounting", is_this, cs))
			say(wiring, cf_section_to_item(accounting), false,
			    "%s is called in post-auth of this server and not in its accounting { }: sessions { } will "
			    "not know who logs in here, and not end it; write it there, as "
			    "sites-available/certdir-wifi "
			    "does",
			    section_instance(cs));
	}
}

static void check_certdirs(struct wiring *wiring)
{
	CONF_SECTION *modules = cf_section_sub_find(wiring->root, "modules");

	FOR_EACH_SECTION(cs, modules, "certdir") {
		FOR_EACH_SECTION(sub, cs, NULL)
			check_issuers(wiring, sub);
		check_accounting(wiring, cs);
	}
}

/* ---- tunnels, sites ---- */

static bool is_guarded_eap(void *context, CONF_SECTION *called)
{
	return section_is_module(called, "eap") && is_guarded(context, called);
}

static bool is_full_tunnel(void *context, CONF_SECTION *called)
{
	(void)context;
	return strcmp(cf_section_name1(called), "certdir_full_tunnel") == 0;
}

/* Whether tunnels of an eap module are resumed in a server that is not the inner one of such a tunnel itself. */
static bool resumes_tunnels(struct wiring const *wiring, CONF_SECTION *server, CONF_SECTION *eap)
{
	for (size_t t = 0; t < TUNNELS; t++)
		if (server == inner_server(wiring, method_find(eap, tunnels[t])))
			return false;
	return !section_calls(wiring->root, server, "authorize", is_full_tunnel, NULL);
}

/* A resumed tunnel has no inner login, so nothing asks certdir again. */
static void check_tunnel(struct wiring *wiring, CONF_SECTION *eap, CONF_SECTION *tunnel)
{
	CONF_SECTION *config = tls_config(eap, tunnel), *server = inner_server(wiring, tunnel);
	CONF_SECTION *cache = config ? cf_section_sub_find(config, "cache") : NULL;
	char callers[CALLERS_SIZE];

	if (!server || !is_yes(cache, "enable"))
		return;
	name_callers(wiring, eap, resumes_tunnels, callers);
	if (callers[0] && section_calls(wiring->root, server, "authenticate", is_guarded_eap, wiring))
		say(wiring, cf_section_to_item(cache), false,
		    "sessions of %s { } in %s are kept here, and a resumed one skips the inner EAP-TLS login and so "
		    "certdir: call certdir_full_tunnel behind eap in authorize of %s, or set enable = no",
		    cf_section_name1(tunnel), section_instance(eap), callers);
}

/* Sites that were set up for network devices, of which none is sent to any. One of several may well be unused. */
static void check_sites(struct wiring *wiring)
{
	CONF_SECTION *unused = NULL;

	FOR_EACH_SECTION(server, wiring->root, "server") {
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

	FOR_EACH_SECTION(cs, modules, "certdir") {
		char const *from = value_of(cs, "certificate");

		if (!wiring->certdir)
			wiring->certdir = cs;
		wiring->reads_sessions |= !from || strcmp(from, "session") == 0;
		wiring->unguarded |= is_yes(cs, "unguarded");
	}
}

/* Never true: all that are called are wanted. */
static bool take_eap(void *context, CONF_SECTION *called)
{
	struct wiring *wiring = context;

	if (section_is_module(called, "eap") && section_set_add(&wiring->eaps, called))
		for (size_t t = 0; t < TUNNELS; t++)
			reach(wiring, inner_server(wiring, method_find(called, tunnels[t])));
	return false;
}

static void find_servers(struct wiring *wiring)
{
	CONF_SECTION *const root = wiring->root;

	FOR_EACH_SECTION(cs, root, "listen")
		take_listener(wiring, cs, NULL);
	take_home_servers(wiring, root);
	FOR_EACH_SECTION(server, root, "server") {
		FOR_EACH_SECTION(cs, server, "listen")
			take_listener(wiring, cs, cf_section_name2(server));
		take_home_servers(wiring, server);
		if (!wiring->check && calls_certdir(wiring, server, "authorize"))
			wiring->check = cf_section_name2(server);
	}
	/* Grows while it is gone through: eap modules lead to inner servers. */
	for (size_t s = 0; s < wiring->servers.count; s++)
		(void)section_calls(root, wiring->servers.items[s], "authenticate", take_eap, wiring);
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
