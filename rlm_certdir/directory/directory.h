/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identities -> devices. One small table of functions; list.c and ldap.c stand behind it. */
#ifndef CERTDIR_DIRECTORY_H
#define CERTDIR_DIRECTORY_H

#include "certdir.h"

enum certdir_answer_state {
	CERTDIR_ANSWERED, /* `matches` is the whole truth as of now */
	CERTDIR_ANSWER_UNAVAILABLE, /* could not ask; `detail` says why */
	CERTDIR_ANSWER_MISSING /* the list has no usable file; `detail` says why */
};

struct certdir_match {
	struct certdir_device device;
	uint64_t by; /* bit i: found by certificate->identities[i] */
	int64_t age; /* seconds since this device's source was last synced; 0 for a live directory */
	bool stale; /* older than the directory's max_age */
};

struct certdir_answer {
	enum certdir_answer_state state;
	char detail[CERTDIR_TEXT_MAX];
	uint32_t holds; /* CERTDIR_BIT(type) for each kind of identity that this directory knows devices by */
	/*
	 * Bit i: more devices carry identities[i] than are listed here ("iPhone"). A listed device's `by` is exact all the
	 * same, so another identity may still settle which one it is; these alone never can.
	 */
	uint64_t truncated;
	int64_t age; /* seconds since the oldest source was synced; 0 for a live directory */
	bool stale; /* some source is older than max_age: "not found" is not to be believed */
	struct certdir_match *matches;
	size_t count;
};

void certdir_answer_clear(struct certdir_answer *answer);
/* Adds an empty match and returns it, or NULL when memory is out (the answer becomes UNAVAILABLE). */
struct certdir_match *certdir_answer_add(struct certdir_answer *answer);

struct certdir_directory;

struct certdir_directory_type {
	/*
	 * Looks up the identities of `certificate` whose bit is set in `ask`, all in one go, at Unix time `now`.
	 * Always fills `answer` (zeroed by the caller, who clears it); never blocks on a broken file. Thread-safe.
	 */
	void (*search)(struct certdir_directory *directory, const struct certdir_certificate *certificate, uint64_t ask,
		       int64_t now, struct certdir_answer *answer);
	void (*close)(struct certdir_directory *directory);
};

/* First member of each kind's own structure. */
struct certdir_directory {
	const struct certdir_directory_type *type;
	const char *name; /* as it stands in `directories`; borrowed from the configuration */
	const char *const
		*issuers; /* DNs, NULL-terminated; only certificates of these CAs, or NULL for all; borrowed */
};

/* Configuration structures: every string is borrowed and must outlive the directory. NULL or "" = not set. */

struct certdir_list_config {
	const char *filename;
	const char *tenant; /* only devices of this tenant */
	uint32_t max_age; /* seconds, 0 = never stale */
};

/*
 * Opens a list. With `watch`, a thread of its own looks for a new file once a second and swaps it in (radiusd);
 * without, it is read once (CLI). A missing or broken file is no failure: it is logged and answers say so.
 * NULL only when `tenant` is no GUID or when memory or threads are out, with `error`.
 */
struct certdir_directory *certdir_list_directory_open(const struct certdir_list_config *config, bool watch,
						      struct certdir_error *error);

/* How a connection binds. */
enum certdir_ldap_bind {
	CERTDIR_LDAP_BIND_SIMPLE, /* identity and password; both empty = anonymous */
	CERTDIR_LDAP_BIND_EXTERNAL, /* SASL EXTERNAL: the TLS client certificate, or the user of an ldapi:// socket */
	CERTDIR_LDAP_BIND_GSSAPI /* SASL GSSAPI with the credentials that Kerberos' environment names */
};

struct certdir_ldap_config {
	const char *const *servers; /* URIs or host names, NULL-terminated; tried in order */
	enum certdir_ldap_bind bind;
	const char *identity; /* bind DN */
	const char *password;
	const char *base_dn;
	const char *filter; /* which entries are devices, e.g. "(objectClass=computer)" */
	const char *scope; /* "sub", "one", "base" */
	/* LDAP attributes, blank-separated, that hold each identity type; "" = this directory does not hold it */
	const char *attributes[CERTDIR_ID_TYPES];
	bool start_tls;
	const char *ca_file;
	const char *ca_path;
	const char *certificate_file;
	const char *private_key_file;
	const char *require_cert; /* "never", "allow", "demand", "hard" (libldap's words) */
	uint32_t net_timeout; /* seconds to connect */
	uint32_t res_timeout; /* seconds to wait for an answer */
	uint32_t srv_timelimit; /* seconds the server may search */
	uint16_t port; /* for servers given without a URI */
};

/* Opens an LDAP directory. Connects to nothing: radiusd starts with the directory down. NULL with `error` on bad config. */
struct certdir_directory *certdir_ldap_directory_open(const struct certdir_ldap_config *config,
						      struct certdir_error *error);

#endif
