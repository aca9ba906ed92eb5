/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/database.h"

#include <pthread.h>

/*
 * SQLite counts its memory under one lock for all threads of the process, several times a lookup, and Debian's is built
 * without the lookaside that would spare it. Nobody in radiusd asks for that count. Where the library is in use already, by
 * rlm_sql_sqlite, say, it declines, and all is as before but slower.
 */
static void count_no_memory(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* Before SQLite is used for anything else. */
static void configure(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, count_no_memory);
}

bool certdir_list_database_open(const char *filename, sqlite3 **db)
{
	configure();
	return sqlite3_open_v2(filename, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			       NULL) == SQLITE_OK;
}

bool certdir_list_database_temporary(const char *directory)
{
	char *copy;

	configure();
	copy = directory ? sqlite3_mprintf("%s", directory) : NULL;
	sqlite3_free(sqlite3_temp_directory);
	sqlite3_temp_directory = copy;
	return copy || !directory;
}
