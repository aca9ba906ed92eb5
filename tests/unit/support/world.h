/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world for decisions: directories that hold records in memory, and answer searches as the true ones do. Tests
 * describe it in JSON, short, because they need hundreds of them:
 *
 *	{"cert": "URI:E1 CN:pc01 DNS:pc01.corp.x", "directories": [
 *	   {"list": [{"e": "E1", "i": "I1", "name": "pc01"}], "sources": {"t": {"tenant": "T", "age": 60}}},
 *	   {"ldap": [{"id": "cn=pc01", "sid": "S1", "name": "pc01"}], "domains": ["corp.x"]}], "policy": {}}
 *
 * In a certificate: URI (a GUID that is vouched for), ENTRA, INTUNE (the same, and its prefix says which), GUID
 * (taken for an id), EXT (a GUID that confirms), CN (with a dot it is a DNS name, too), DNS, SER, UPN, SID
 * (confirms), VSID, VDNS, VSER, VNAME, VUDID (vouched for by a section), UDID (taken for an id), MAP (a strong
 * mapping), PERSON (a person's CN); for a "holder" of "user" or "both" UPN, MAIL, UNAME (a user_name), UID (a user_id), VUID (vouched
 * for), USID (a person's SID, confirms). Who "people" are is as in "directories". "identities" limits the types that are accepted. A directory with an "issuer"
 * does not serve the certificate. "memory": 7200 is how old what an ldap says is, also where it is down. A record with "times": 17 is there so often, each "#" in it a letter of its own.
 */
#ifndef WORLD_H
#define WORLD_H

#include "checker.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORLD_NOW = 1800000000, WORLD_RECORDS = 256, WORLD_SOURCES = 8, WORLD_PEOPLE = 2 };

struct world_directory {
	struct certdir_directory base;
	enum certdir_answer_state fails; /* UNAVAILABLE, MISSING or ANSWERED */
	uint32_t keeps;
	struct certdir_source sources[WORLD_SOURCES];
	size_t source_count;
	struct certdir_record records[WORLD_RECORDS]; /* borrowed strings, never cleared */
	size_t count;
	unsigned asked; /* searches with values */
	const char *domains[4];
	const char *issuers[2];
};

void world_close(struct certdir_directory *base);
const char *world_text(const json_t *object, const char *key);

/* What a list with a tenant keeps, and Active Directory by the default attributes. */
uint32_t world_keeps(bool ldap);

struct world_words {
	const char *items[8];
};

struct world {
	struct world_directory directories[CERTDIR_DIRECTORIES_MAX];
	struct world_directory people[WORLD_PEOPLE];
	struct world_words words[3];
	struct certdir_checker checker;
	struct certdir_check check;
};

/* Reads the world; certdir_check_names() judges it, world_clear() frees it. */
void world_read(const json_t *vector, struct world *world);

void world_decide(struct world *world);
void world_clear(struct world *world);

#endif
