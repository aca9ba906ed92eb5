/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows are compared as they come: one that says the same as before is not touched, so that a million certificates of which ten are new
 * change a few pages of the list. New ones go behind those that were there; the transaction takes them back where it has to.
 */
#include "list/issued.h"

#include <string.h>

#include "list/schema.h"
#include "list/text.h"
#include "text/canonical.h"
#include "text/dn.h"
#include "text/excerpt.h"
#include "text/hex.h"

#define COLUMNS                                                                                                        \
	"thumbprint,issuer,serial,intune_device_id,entra_device_id,user_id,upn,not_before,not_after,status,revoked,"   \
	"profile"
/* That a row says what the new one says beside thumbprint and serial number; values are those of its INSERT. */
#define SAME                                                                                                           \
	"source=?1 AND issuer IS ?3 AND intune_device_id IS ?5 AND entra_device_id IS ?6 AND user_id IS ?7 AND "       \
	"upn IS ?8 AND not_before IS ?9 AND not_after IS ?10 AND status IS ?11 AND revoked=?12 AND profile IS ?13 "    \
	"AND confirmed IS NULL"
/* Whether a row of the source has `c`'s certificate now: one that was met, or is new. */
#define HAS(key)                                                                                                       \
	"EXISTS(SELECT 1 FROM certificate n WHERE " key " AND n.source=?1 AND (n.id>?2 OR n.id IN(SELECT certificate " \
	"FROM temp.met)))"

bool certdir_list_issued_begin(struct certdir_list_writer *writer, int64_t source, struct certdir_error *error)
{
	writer->issued.source = source;
	writer->issued.next = 0;
	if (!certdir_list_writer_number(writer, &writer->issued.last, "SELECT max(id) FROM certificate", SQL_NOTHING,
					error) ||
	    !certdir_list_writer_run(writer,
				     "CREATE TEMP TABLE met(certificate INTEGER PRIMARY KEY);"
				     "CREATE TEMP TABLE unmet(certificate INTEGER PRIMARY KEY,changed INTEGER)",
				     error))
		return false;
	/* Indexes of a table that is filled are made at its end in a fraction of the time. */
	return certdir_list_writer_run(
		writer, writer->issued.last ? certdir_list_indexes_issued : certdir_list_indexes_issued_drop, error);
}

/* ---- a row, brought into form ---- */

enum { SHOWN_SIZE = 101 }; /* of a text that may not be stored, in a message */

enum { THUMBPRINT, ISSUER, SERIAL, INTUNE, ENTRA, USER, UPN, STATUS, PROFILE, TEXTS };

struct row {
	char room[TEXTS][CERTDIR_LIST_TEXT_MAX + 1];
	const char *made[TEXTS];
};

/* Upper-case hex of whole bytes, none of them a zero in front: whoever read it knew that it is hexadecimal. */
static bool make_serial(const char *text, char out[CERTDIR_LIST_TEXT_MAX + 1])
{
	const size_t length = strlen(text), odd = length % 2;
	size_t zeros = 0;

	if (length == 0 || length > CERTDIR_VALUE_MAX)
		return false;
	out[0] = '0';
	for (size_t i = 0; i < length; i++) {
		const int digit = certdir_hex_digit(text[i]);

		if (digit < 0)
			return false;
		out[odd + i] = "0123456789ABCDEF"[digit];
	}
	while (length + odd - zeros > 2 && out[zeros] == '0' && out[zeros + 1] == '0')
		zeros += 2;
	memmove(out, out + zeros, length + odd - zeros);
	out[length + odd - zeros] = '\0';
	return true;
}

static enum certdir_list_text make_text(int which, const char *text, char out[CERTDIR_LIST_TEXT_MAX + 1],
					const char **why)
{
	if (which != THUMBPRINT && which != SERIAL)
		return certdir_list_text_form(which == INTUNE || which == ENTRA || which == USER ? CERTDIR_FORM_GUID
												 : CERTDIR_FORM_TEXT,
					      text, out, why);
	if (text[strspn(text, " ")] == '\0')
		return CERTDIR_TEXT_NONE;
	*why = which == SERIAL ? "is no hexadecimal number" : "is no thumbprint, which has 40 hexadecimal digits";
	return (which == SERIAL ? make_serial(text, out)
				: strlen(text) <= CERTDIR_VALUE_MAX &&
					  certdir_canonical(CERTDIR_ID_CERTIFICATE, text, strlen(text), out))
		       ? CERTDIR_TEXT_MADE
		       : CERTDIR_TEXT_REFUSED;
}

static bool is_name(const char *issuer)
{
	struct certdir_dn name;
	const bool is = certdir_dn_parse(&name, issuer);

	certdir_dn_clear(&name);
	return is;
}

static bool refuse(const char *label, const char *field, const char *text, const char *why, struct certdir_error *error)
{
	char shown_label[SHOWN_SIZE], shown_text[SHOWN_SIZE];

	certdir_excerpt_clean(shown_label, sizeof(shown_label), label);
	certdir_excerpt_clean(shown_text, sizeof(shown_text), text);
	certdir_error_set(error, "certificate \"%s\": %s \"%s\" %s", shown_label, field, shown_text, why);
	return false;
}

static bool make_row(const struct certdir_issued *given, struct row *row, struct certdir_error *error)
{
	static const char *const fields[TEXTS] = {"thumbprint",	     "issuer",	"serial number", "Intune device id",
						  "Entra device id", "user id", "UPN",		 "status",
						  "profile"};
	const char *const texts[TEXTS] = {
		given->thumbprint, given->issuer, given->serial, given->intune_device_id, given->entra_device_id,
		given->user_id,	   given->upn,	  given->status, given->profile};
	const char *label = given->thumbprint ? given->thumbprint : given->serial ? given->serial : "without a number";
	const char *why = "";

	for (int i = 0; i < TEXTS; i++) {
		const enum certdir_list_text form =
			texts[i] ? make_text(i, texts[i], row->room[i], &why) : CERTDIR_TEXT_NONE;

		row->made[i] = form == CERTDIR_TEXT_MADE ? row->room[i] : NULL;
		if (form == CERTDIR_TEXT_REFUSED)
			return refuse(label, fields[i], texts[i], why, error);
	}
	if (row->made[THUMBPRINT] || (row->made[SERIAL] && row->made[ISSUER] && is_name(row->made[ISSUER])))
		return true;
	return refuse(
		label, "issuer", given->issuer ? given->issuer : "",
		"is no distinguished name that would tell together with the serial number which certificate it is, "
		"and it has no thumbprint",
		error);
}

/* The row in which the same stands, 0 = none: where the order of the last time has it, or else by what it is known by. */
static bool find_same(struct certdir_list_writer *writer, struct certdir_sql_values values, bool by_thumbprint,
		      int64_t *same, struct certdir_error *error)
{
	*same = 0;
	if (writer->issued.last == 0)
		return true;
	if (!certdir_list_writer_number(writer, same,
					"SELECT id FROM certificate WHERE id=?14 AND thumbprint IS ?2 AND serial IS ?4 "
					"AND " SAME,
					values, error))
		return false;
	if (*same)
		return true;
	values.count--;
	return by_thumbprint ? certdir_list_writer_number(
				       writer, same,
				       "SELECT id FROM certificate WHERE thumbprint=?2 AND serial IS ?4 AND " SAME,
				       values, error)
			     : certdir_list_writer_number(
				       writer, same,
				       "SELECT id FROM certificate WHERE serial=?4 AND thumbprint IS NULL AND " SAME,
				       values, error);
}

static bool put_row(struct certdir_list_writer *writer, struct certdir_sql_values values, bool by_thumbprint,
		    struct certdir_error *error)
{
	int64_t same;

	if (!find_same(writer, values, by_thumbprint, &same, error))
		return false;
	values.count = 13;
	if (same == 0)
		return certdir_list_writer_do(writer,
					      "INSERT INTO certificate(source," COLUMNS
					      ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
					      values, error);
	writer->issued.next = same + 1;
	return same > writer->issued.last || certdir_list_writer_do(writer, "INSERT OR IGNORE INTO temp.met VALUES(?1)",
								    SQL_VALUES(SQL_NUMBER(same)), error);
}

/* What is known of a certificate's time before 1970, or not known, is NULL. */
bool certdir_list_issued_put(struct certdir_list_writer *writer, const struct certdir_issued *given, bool *taken,
			     struct certdir_error *error)
{
	struct row row;

	*taken = make_row(given, &row, error);
	if (!*taken)
		return true;
	return put_row(writer,
		       SQL_VALUES(SQL_NUMBER(writer->issued.source), SQL_TEXT(row.made[THUMBPRINT]),
				  SQL_TEXT(row.made[ISSUER]), SQL_TEXT(row.made[SERIAL]), SQL_TEXT(row.made[INTUNE]),
				  SQL_TEXT(row.made[ENTRA]), SQL_TEXT(row.made[USER]), SQL_TEXT(row.made[UPN]),
				  SQL_TIME(given->not_before), SQL_TIME(given->not_after), SQL_TEXT(row.made[STATUS]),
				  SQL_NUMBER(given->revoked), SQL_TEXT(row.made[PROFILE]),
				  SQL_NUMBER(writer->issued.next)),
		       row.made[THUMBPRINT], error);
}

/* ---- old and new ---- */

/* Of a certificate of which there are several rows; in an index's order, which is a matter of a moment. */
#define TWICE                                                                                                          \
	"(thumbprint IS NULL OR thumbprint IN(SELECT thumbprint FROM certificate WHERE thumbprint IS NOT NULL GROUP "  \
	"BY "                                                                                                          \
	"thumbprint HAVING count(*)>1))"
/* Of equal rows, the first: while the table was empty, none was looked for. */
static const char single[] = "DELETE FROM certificate WHERE " TWICE
			     " AND id NOT IN(SELECT min(id) FROM certificate WHERE " TWICE " GROUP BY " COLUMNS ")";

/* ?1: the source, ?2: the last row that was there before. */
#define BY_SERIAL "n.serial=c.serial AND n.thumbprint IS NULL AND n.issuer=c.issuer"
#define BY_THUMBPRINT "n.thumbprint=c.thumbprint"
static const char meet[] = "INSERT INTO temp.unmet SELECT c.id,CASE WHEN c.thumbprint IS NULL THEN " HAS(
	BY_SERIAL) " ELSE " HAS(BY_THUMBPRINT) " END FROM certificate c WHERE c.source=?1 AND c.id<=?2 AND c.id NOT "
					       "IN(SELECT certificate FROM temp.met)";

#define LOST "id IN(SELECT certificate FROM temp.unmet WHERE NOT changed)"
#define VALID "(not_after IS NULL OR not_after>?1)"

bool certdir_list_issued_compare(struct certdir_list_writer *writer, int64_t now,
				 struct certdir_list_issued_counts *counts, struct certdir_error *error)
{
	const struct certdir_sql_values where =
		SQL_VALUES(SQL_NUMBER(writer->issued.source), SQL_NUMBER(writer->issued.last));
	int64_t met, lost, added, changed;

	if (!certdir_list_writer_run(writer, certdir_list_indexes_issued, error) ||
	    (writer->issued.last == 0 && !certdir_list_writer_run(writer, single, error)) ||
	    !certdir_list_writer_run(writer, "DELETE FROM temp.unmet", error) ||
	    !certdir_list_writer_do(writer, meet, where, error) ||
	    !certdir_list_writer_number(writer, &met, "SELECT count(*) FROM temp.met", SQL_NOTHING, error) ||
	    !certdir_list_writer_number(writer, &lost,
					"SELECT count(*) FROM certificate WHERE " LOST " AND NOT revoked AND " VALID,
					SQL_VALUES(SQL_NUMBER(now)), error) ||
	    !certdir_list_writer_number(writer, &changed, "SELECT count(*) FROM temp.unmet WHERE changed", SQL_NOTHING,
					error) ||
	    !certdir_list_writer_number(writer, &added, "SELECT count(*) FROM certificate WHERE source=?1 AND id>?2",
					where, error))
		return false;
	*counts = (struct certdir_list_issued_counts){
		.before = (size_t)(met + changed + lost),
		.lost = (size_t)lost,
		.changed = (size_t)changed,
		.added = (size_t)(added > changed ? added - changed : 0),
		.after = (size_t)(met + added),
	};
	return true;
}

bool certdir_list_issued_exchange(struct certdir_list_writer *writer, bool keep, int64_t now, int64_t known_at,
				  struct certdir_list_issued_counts *counts, struct certdir_error *error)
{
	if (!certdir_list_writer_do(writer,
				    "UPDATE certificate SET confirmed=coalesce(confirmed,?3) WHERE " LOST " AND " VALID
				    " AND (?2 OR revoked)",
				    SQL_VALUES(SQL_NUMBER(now), SQL_NUMBER(keep), SQL_TIME(known_at)), error))
		return false;
	counts->kept = (size_t)sqlite3_changes(writer->sql.db);
	counts->lost = keep ? 0 : counts->lost;
	counts->after += counts->kept;
	return certdir_list_writer_do(
		       writer,
		       "DELETE FROM certificate WHERE id IN(SELECT certificate FROM temp.unmet) AND NOT(" LOST
		       " AND " VALID " AND (?2 OR revoked))",
		       SQL_VALUES(SQL_NUMBER(now), SQL_NUMBER(keep)), error) &&
	       certdir_list_writer_run(writer, "DROP TABLE temp.met;DROP TABLE temp.unmet", error);
}

/* ---- a table that is imported ---- */

static bool make_source(struct certdir_list_writer *writer, const char *name, const char *tenant, int64_t *source,
			struct certdir_error *error)
{
	sqlite3_stmt *stmt;
	const char *of;
	bool ok;

	if (!certdir_list_writer_do(writer, "INSERT OR IGNORE INTO source(name,tenant,synced) VALUES(?1,?2,0)",
				    SQL_VALUES(SQL_TEXT(name), SQL_TEXT(tenant)), error))
		return false;
	stmt = certdir_sql_ask(&writer->sql, "SELECT id,tenant,kind<>'import' FROM source WHERE name=?1",
			       SQL_VALUES(SQL_TEXT(name)));
	if (certdir_list_writer_next(writer, stmt, error) != 1)
		return false;
	*source = sqlite3_column_int64(stmt, 0);
	of = certdir_sql_text_at(stmt, 1);
	ok = !sqlite3_column_int(stmt, 2) && (!tenant || (of && strcmp(of, tenant) == 0));
	if (sqlite3_column_int(stmt, 2))
		certdir_error_set(error,
				  "source \"%s\" is one that `certdir sync` fills: choose another name, with --source",
				  name);
	else if (!ok)
		certdir_error_set(error, "source \"%s\" is of %s%s already: choose another name, with --source", name,
				  of ? "tenant " : "no tenant", of ? of : "");
	(void)sqlite3_reset(stmt);
	return ok;
}

bool certdir_list_write_certificates_begin(struct certdir_list_writer *writer, const char *name, const char *tenant,
					   struct certdir_error *error)
{
	char guid[CERTDIR_VALUE_MAX + 1];
	int64_t source;

	if (!certdir_list_writer_end_source(writer, error) || !certdir_list_text_check("source", "name", name, error))
		return false;
	if (tenant && !certdir_canonical(CERTDIR_ID_GUID, tenant, strlen(tenant), guid)) {
		certdir_error_set(error, "source \"%s\": tenant \"%s\" is not a GUID", name, tenant);
		return false;
	}
	return certdir_list_writer_run(writer, "BEGIN", error) &&
	       make_source(writer, name, tenant ? guid : NULL, &source, error) &&
	       certdir_list_issued_begin(writer, source, error);
}

bool certdir_list_write_certificate(struct certdir_list_writer *writer, const struct certdir_issued *row, bool *taken,
				    struct certdir_error *error)
{
	return certdir_list_issued_put(writer, row, taken, error);
}

bool certdir_list_write_certificates_compare(struct certdir_list_writer *writer, int64_t now,
					     struct certdir_list_issued_counts *counts, struct certdir_error *error)
{
	return certdir_list_issued_compare(writer, now, counts, error);
}

bool certdir_list_write_certificates_end(struct certdir_list_writer *writer, int64_t now, int64_t as_of,
					 struct certdir_list_issued_counts *counts, struct certdir_error *error)
{
	int64_t known_at;

	return certdir_list_writer_number(writer, &known_at, "SELECT certificates_synced FROM source WHERE id=?1",
					  SQL_VALUES(SQL_NUMBER(writer->issued.source)), error) &&
	       certdir_list_issued_compare(writer, now, counts, error) &&
	       certdir_list_issued_exchange(writer, false, now, known_at, counts, error) &&
	       certdir_list_writer_do(writer, "UPDATE source SET certificates_synced=?2,certificates=?3 WHERE id=?1",
				      SQL_VALUES(SQL_NUMBER(writer->issued.source), SQL_NUMBER(as_of),
						 SQL_NUMBER((int64_t)counts->after)),
				      error) &&
	       certdir_list_writer_run(writer, "COMMIT", error);
}
