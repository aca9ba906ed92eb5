/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Histories of a tenant in a line of text, and a list as text, so that tests are tables and a failure can be read.
 *
 * A history is commands with ";" between them:
 *	full, delta             begin the devices part        end, shrunk, failed   end the part, and how that must go
 *	put 1 d=1 n=A ..        object 1; d=- clears          abandon
 *	rm 1                                                  publish               and begin the next edition
 *	asked                   begin the part of devices that were asked for
 *	intune                  begin the Intune part         now 500, shrink 10, former 100, changes 100, filter own=company
 *	rec 1 d=1 n=A ..        Intune record 1               name contoso, guid 2  of the tenant
 *	group 1 Staff           begin the part of group 1     member 1
 *	users full, users delta begin the users part, in which put and rm are of user 1: put 1 upn=a@b e=y s=S-1-.. sam=a dn=.. mail=..
 *	people 1 Staff          the users' part of group 1    forget                all users
 *	keep 1 2                groups_keep             interval 60, attributes 1 7
 * Device ids: d=1 is Entra device 1, d=i1 the Intune id of record 1, d=0 all zero. Keys: d n s sn c own os e m j t r u w, x (extension
 * attributes), st (management state, "managed" unless given), ma (agent), cat, ep. A list tells Intune's name as in=B where it is not
 * the device's, st where it is not "managed", and what the shrink guard keeps: kept, rkept (Intune's record) or, behind a group, since, with
 * the time as of which it was known.
 */
#ifndef TENANT_SCRIPT_H
#define TENANT_SCRIPT_H

#include "list_fixture.h"
#include "tenant/tenant.h"

#include <sqlite3.h>

enum { TEXT = 16384 };

struct world {
	struct certdir_list_writer *writer;
	struct certdir_tenant *tenant;
	struct certdir_tenant_options options;
	const char *systems[4], *ownerships[4];
	char words[8][32]; /* what those point at, and the name */
	char part; /* 'd', 'a', 'i', 'u', 'g', or 0 */
	char failure[CERTDIR_TEXT_MAX];
	struct certdir_tenant_counts counts;
};

/* kind: 'a' object, 'd' Entra device, 'c' Intune record, 'e' group, 'b' tenant. */
char *make_guid(char kind, int number, char out[40]);

/* The reverse: "1", "i1" for an Intune id that is not where one is expected. */
const char *number_of(const char *guid, char kind, char out[24]);

void world_open(struct world *world);
void world_publish(struct world *world);
void world_begin(struct world *world);
enum certdir_tristate yes_no(const char *text);

/* A history that is longer than what cmocka prints. */
extern const char *script_so_far;

void run(struct world *world, const char *script);

/* Whether a list tells since when Entra ID says what it says of compliance: cs=1000. */
extern bool tell_since;

/* and what the guard keeps */
extern bool tell_kept;

/* "1 d=1 n=A": what is not known is not there. */
void device_text(const struct certdir_device *device, char out[TEXT]);

struct lines {
	struct certdir_list_reader *reader;
	const char *source;
	char *items[256];
	size_t count;
	uint32_t holds; /* the kinds of identities that its devices have */
};

void lines_add(struct lines *lines, const char *line);

/* All of them, sorted, with "; " between; frees them. */
void lines_join(struct lines *lines, char out[TEXT]);

/* What a published list holds of a source; its counts must be right, too. */
void list_text(const char *name, char out[TEXT]);

/* The first column of what SQLite answers about the published file, with " " between. */
void query_text(const char *sql, char out[TEXT]);

bool take_change(void *context, const struct certdir_list_change *change);

/* Its change log: "1000 renamed d1 B A>B", sorted. */
void changes_text(const char *name, int64_t since, char out[TEXT]);

/* That a history, published, gives that list of contoso. */
void expect(const char *script, const char *wanted);

struct history {
	const char *script;
	const char *list;
};

#define TABLE(name, ...)                                                                                               \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		static const struct history table[] = {__VA_ARGS__};                                                   \
                                                                                                                       \
		(void)state;                                                                                           \
		for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)                                            \
			expect(table[i].script, table[i].list);                                                        \
	}

/* Objects, and Intune records, of so many numbers. */
void put_many(struct world *world, int from, int to);

void rec_many(struct world *world, int from, int to);

#endif
