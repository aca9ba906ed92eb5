/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the list: what snapshot.c and reader.c share. Everybody else sees list.h. */
#ifndef CERTDIR_LIST_SNAPSHOT_H
#define CERTDIR_LIST_SNAPSHOT_H

#include "list/database.h"
#include "list/list.h"

#include <pthread.h>
#include <stdatomic.h>

enum certdir_list_statement {
	CERTDIR_FIND_GUID,
	CERTDIR_FIND_WAITING,
	CERTDIR_FIND_WAITING_NAME,
	CERTDIR_FIND_WAITING_DNS,
	CERTDIR_FIND_WAITING_SERIAL,
	CERTDIR_FIND_SID,
	CERTDIR_FIND_DNS,
	CERTDIR_FIND_NAME,
	CERTDIR_FIND_FORMER,
	CERTDIR_FIND_SERIAL,
	CERTDIR_FIND_VALUE,
	CERTDIR_READ_DEVICE,
	CERTDIR_READ_WAITING,
	CERTDIR_READ_DNS_NAMES,
	CERTDIR_READ_GROUPS,
	CERTDIR_READ_FORMER_NAMES,
	CERTDIR_READ_VALUES,
	CERTDIR_LIST_STATEMENTS
};

struct certdir_list_reader {
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *next; /* among the idle ones */
	sqlite3 *db;
	sqlite3_stmt *statements[CERTDIR_LIST_STATEMENTS];
	struct certdir_list_steps steps; /* that are left to it */
};

struct certdir_list_snapshot {
	atomic_size_t references;
	char *filename; /* for messages */
	unsigned char *file;
	size_t image; /* bytes of `file` that are the database; the seal stands behind it */
	pthread_mutex_t mutex; /* guards idle */
	struct certdir_list_reader *idle;
	struct certdir_list_source *sources;
	size_t source_count;
	size_t devices;
	bool has_waiting; /* what there is none of is not looked for */
	bool has_former_names;
	bool has_dns_names;
	bool has_groups;
	bool has_values;
	int64_t published;
	int64_t steps; /* thousands that one lookup may take */
	bool is_ours; /* its tables were compared, before it was shared */
};

/* Opens a connection to the snapshot's image, which it does not retain. NULL with `error`. */
struct certdir_list_reader *certdir_list_reader_open(struct certdir_list_snapshot *snapshot,
						     struct certdir_error *error);
void certdir_list_reader_close(struct certdir_list_reader *reader);

#endif
