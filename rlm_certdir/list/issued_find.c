/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates in the tables of issued ones. */
#include <string.h>

#include "list/reader.h"
#include "list/snapshot.h"
#include "text/dn.h"

#define COLUMNS                                                                                                        \
	"thumbprint,issuer,serial,intune_device_id,entra_device_id,user_id,upn,status,profile,not_before,not_after,"   \
	"revoked,confirmed,source"

/* Behind the texts, in the order of struct certdir_issued's. */
enum { TEXTS = 9, AT_NOT_BEFORE = TEXTS, AT_NOT_AFTER, AT_REVOKED, AT_CONFIRMED, AT_SOURCE };

/* A CA gives a serial number once; so many rows of other CAs that happen to have it are looked at. */
enum { SERIALS_MAX = 64 };

/* False when memory is out. */
static bool take_texts(sqlite3_stmt *stmt, struct certdir_issued *issued)
{
	char **const texts[TEXTS] = {
		&issued->thumbprint,	  &issued->issuer,  &issued->serial, &issued->intune_device_id,
		&issued->entra_device_id, &issued->user_id, &issued->upn,    &issued->status,
		&issued->profile};

	for (int i = 0; i < TEXTS; i++) {
		const char *text = certdir_sql_text_at(stmt, i);

		*texts[i] = text ? strdup(text) : NULL;
		if (text && !*texts[i])
			return false;
	}
	return true;
}

static bool take_row(struct certdir_list_reader *reader, sqlite3_stmt *stmt, struct certdir_list_issued *row,
		     struct certdir_error *error)
{
	memset(row, 0, sizeof(*row));
	row->source = certdir_list_sources_find(&reader->snapshot->sources, sqlite3_column_int64(stmt, AT_SOURCE));
	if (!row->source) {
		certdir_error_set(error, "%s: an issued certificate is of no source", reader->image->filename);
		return false;
	}
	row->issued.not_before = sqlite3_column_int64(stmt, AT_NOT_BEFORE);
	row->issued.not_after = sqlite3_column_int64(stmt, AT_NOT_AFTER);
	row->issued.as_of = sqlite3_column_int64(stmt, AT_CONFIRMED);
	row->issued.revoked = sqlite3_column_int(stmt, AT_REVOKED);
	if (take_texts(stmt, &row->issued))
		return true;
	certdir_issued_clear(&row->issued);
	return certdir_list_reader_no_memory(reader, error);
}

static bool in_scope(const struct certdir_list_issued *row, const char *tenant)
{
	return !tenant || !row->source->tenant || strcmp(row->source->tenant, tenant) == 0;
}

struct found {
	struct certdir_list_issued *rows;
	int count;
	bool more;
};

/* `by_serial`: whose issuer a row has to have, unless NULL. */
static bool take_rows(struct certdir_list_reader *reader, sqlite3_stmt *stmt, const char *tenant,
		      const struct certdir_certificate *by_serial, struct found *found, struct certdir_error *error)
{
	int next = 0, looked_at = 0;

	while (!found->more && (next = certdir_sql_next(stmt)) == 1) {
		struct certdir_list_issued row;

		found->more = found->count == CERTDIR_LIST_FIND_MAX || (by_serial && looked_at++ == SERIALS_MAX);
		if (found->more)
			break;
		if (!take_row(reader, stmt, &row, error)) {
			(void)sqlite3_reset(stmt);
			return false;
		}
		if (in_scope(&row, tenant) &&
		    (!by_serial || (row.issued.issuer && certdir_dn_is_issuer(row.issued.issuer, by_serial))))
			found->rows[found->count++] = row;
		else
			certdir_issued_clear(&row.issued);
	}
	(void)sqlite3_reset(stmt);
	return found->more || next == 0 || certdir_list_reader_fail(reader, error);
}

static bool find(struct certdir_list_reader *reader, const char *tenant, const struct certdir_certificate *certificate,
		 struct found *found, struct certdir_error *error)
{
	if (certificate->thumbprint &&
	    !take_rows(reader,
		       certdir_sql_ask(&reader->sql, "SELECT " COLUMNS " FROM certificate WHERE thumbprint=?1",
				       SQL_VALUES(SQL_TEXT(certificate->thumbprint))),
		       tenant, NULL, found, error))
		return false;
	return !certificate->serial || !(certificate->issuer || certificate->issuer_hash) || found->more ||
	       take_rows(reader,
			 certdir_sql_ask(&reader->sql,
					 "SELECT " COLUMNS " FROM certificate WHERE serial=?1 AND thumbprint IS NULL",
					 SQL_VALUES(SQL_TEXT(certificate->serial))),
			 tenant, certificate, found, error);
}

int certdir_list_issued_find(struct certdir_list_reader *reader, const char *tenant,
			     const struct certdir_certificate *certificate,
			     struct certdir_list_issued rows[CERTDIR_LIST_FIND_MAX], bool *more,
			     struct certdir_error *error)
{
	struct certdir_list_steps outside;
	struct found found = {.rows = rows};
	bool ok = true;

	if (reader->snapshot->has_certificates) {
		outside = certdir_list_reader_begin(reader);
		ok = find(reader, tenant, certificate, &found, error);
		reader->steps = outside;
	}
	for (int i = 0; i < found.count && !ok; i++)
		certdir_issued_clear(&rows[i].issued);
	*more = found.more;
	return ok ? found.count : -1;
}

bool certdir_list_issued_each(struct certdir_list_reader *reader,
			      bool (*each)(void *context, const struct certdir_list_issued *row), void *context,
			      struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_sql_ask(&reader->sql, "SELECT " COLUMNS " FROM certificate ORDER BY id", SQL_NOTHING);
	bool more = true;
	int found = 0;

	while (more && (found = certdir_sql_next(stmt)) == 1) {
		struct certdir_list_issued row;

		if (!take_row(reader, stmt, &row, error)) {
			(void)sqlite3_reset(stmt);
			return false;
		}
		more = each(context, &row);
		certdir_issued_clear(&row.issued);
	}
	(void)sqlite3_reset(stmt);
	return found >= 0 || certdir_list_reader_fail(reader, error);
}
