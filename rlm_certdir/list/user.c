/* SPDX-License-Identifier: GPL-2.0-or-later */
/* People of the list: which rows carry a value, and a row -> a person. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "list/reader.h"
#include "list/snapshot.h"

/* ?1 is the canonical value, ?2 the tenant or NULL. */
#define BY(column)                                                                                                     \
	"SELECT id FROM user WHERE " column                                                                            \
	"=?1 AND (?2 IS NULL OR (SELECT coalesce(tenant,?2) FROM source WHERE id=user.source)=?2)"

static const char *const ways[CERTDIR_ID_TYPES] = {
	[CERTDIR_ID_USER_ID] = BY("user_id"),
	[CERTDIR_ID_USER_SID] = BY("sid"),
	[CERTDIR_ID_USER_NAME] = BY("sam_account_name"),
	[CERTDIR_ID_UPN] = BY("upn"),
	[CERTDIR_ID_MAIL] = BY("mail"),
};

int certdir_list_find_user(struct certdir_list_reader *reader, const char *tenant, enum certdir_identity_type type,
			   const char *value, int64_t rows[CERTDIR_LIST_FIND_MAX], bool *more,
			   struct certdir_error *error)
{
	struct certdir_list_steps outside;
	sqlite3_stmt *stmt;
	int count = 0, next;

	*more = false;
	if (!ways[type])
		return 0;
	outside = certdir_list_reader_begin(reader);
	stmt = certdir_sql_ask(&reader->sql, ways[type], SQL_VALUES(SQL_TEXT(value), SQL_TEXT(tenant)));
	while ((next = certdir_sql_next(stmt)) == 1 && count < CERTDIR_LIST_FIND_MAX)
		rows[count++] = sqlite3_column_int64(stmt, 0);
	*more = next == 1;
	if (*more)
		(void)sqlite3_reset(stmt);
	reader->steps = outside;
	return next < 0 ? (certdir_list_reader_fail(reader, error), -1) : count;
}

enum { AT_SOURCE, AT_ID, AT_UPN, AT_SID, AT_SAM, AT_MAIL, AT_ENABLED, AT_CONFIRMED };

static const char read_user[] =
	"SELECT source,user_id,upn,sid,sam_account_name,mail,enabled,confirmed FROM user WHERE id=?1";

static bool copy(sqlite3_stmt *stmt, int column, char **out)
{
	const char *text = certdir_sql_text_at(stmt, column);

	*out = text ? strdup(text) : NULL;
	return *out || !text;
}

static bool add_value(struct certdir_list_person *record, sqlite3_stmt *stmt, int column,
		      enum certdir_identity_type type)
{
	struct certdir_value *value;

	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return true;
	value = certdir_array_next(&record->values, record->value_count, sizeof(*value));
	if (!value)
		return false;
	record->value_count++;
	value->type = type;
	return copy(stmt, column, &value->value);
}

static bool take_person(struct certdir_list_person *record, sqlite3_stmt *stmt)
{
	struct certdir_device *person = &record->person;

	person->enabled = certdir_sql_tristate_at(stmt, AT_ENABLED);
	person->own = (struct certdir_statement){.is = true, .as_of = sqlite3_column_int64(stmt, AT_CONFIRMED)};
	return copy(stmt, AT_ID, &person->id) && copy(stmt, AT_ID, &person->object_id) &&
	       copy(stmt, AT_UPN, &person->name) && copy(stmt, AT_SID, &person->sid) && person->id &&
	       add_value(record, stmt, AT_UPN, CERTDIR_ID_UPN) &&
	       add_value(record, stmt, AT_SAM, CERTDIR_ID_USER_NAME) &&
	       add_value(record, stmt, AT_MAIL, CERTDIR_ID_MAIL);
}

static bool take_groups(struct certdir_list_reader *reader, int64_t row, struct certdir_device *person)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&reader->sql,
					     "SELECT g.object_id,g.name,m.confirmed FROM user_group m JOIN grp g ON "
					     "g.id=m.grp WHERE m.user=?1 ORDER BY g.object_id",
					     SQL_VALUES(SQL_NUMBER(row)));
	int next;

	while ((next = certdir_sql_next(stmt)) == 1) {
		struct certdir_group *group = certdir_array_next(&person->groups, person->group_count, sizeof(*group));

		if (!group)
			break;
		person->group_count++;
		group->as_of = sqlite3_column_int64(stmt, 2);
		if (!copy(stmt, 0, &group->id) || !copy(stmt, 1, &group->name))
			break;
	}
	(void)sqlite3_reset(stmt);
	return next == 0;
}

/* The row's source, with the person in `record`; NULL with `error`. */
static const struct certdir_list_source *read_row(struct certdir_list_reader *reader, int64_t row,
						  struct certdir_list_person *record, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&reader->sql, read_user, SQL_VALUES(SQL_NUMBER(row)));
	const struct certdir_list_source *source = NULL;

	if (certdir_sql_next(stmt) == 1 && take_person(record, stmt))
		source = certdir_list_sources_find(&reader->snapshot->sources, sqlite3_column_int64(stmt, AT_SOURCE));
	(void)sqlite3_reset(stmt);
	if (source && source->tenant && !(record->person.tenant = strdup(source->tenant)))
		source = NULL;
	if (source && take_groups(reader, row, &record->person))
		return source;
	(void)certdir_list_reader_fail(reader, error);
	return NULL;
}

bool certdir_list_user(struct certdir_list_reader *reader, int64_t row, struct certdir_list_person *record,
		       const struct certdir_list_source **source, struct certdir_error *error)
{
	const struct certdir_list_steps outside = certdir_list_reader_begin(reader);

	*record = (struct certdir_list_person){.values = NULL};
	*source = read_row(reader, row, record, error);
	reader->steps = outside;
	if (*source)
		return true;
	for (size_t i = 0; i < record->value_count; i++)
		free(record->values[i].value);
	free(record->values);
	certdir_device_clear(&record->person);
	return false;
}
