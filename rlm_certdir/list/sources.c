/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a list says of its sources. */
#include "list/sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* "sid common_name" -> bits, with the types that are looked up among the same ids. Words of a later certdir are skipped. */
static uint32_t parse_holds(const char *text)
{
	uint32_t holds = 0;

	while (text && *text) {
		char word[32];
		size_t length = strcspn(text, " ");
		enum certdir_identity_type type;

		if (length < sizeof(word)) {
			memcpy(word, text, length);
			word[length] = '\0';
			if (certdir_identity_type_parse(word, &type))
				holds |= CERTDIR_BIT(type);
		}
		text += length + (text[length] == ' ');
	}
	if (holds & (CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_INTUNE) | CERTDIR_BIT(CERTDIR_ID_UDID)))
		holds |= CERTDIR_BIT(CERTDIR_ID_GUID);
	if (holds & CERTDIR_BIT(CERTDIR_ID_SID))
		holds |= CERTDIR_BIT(CERTDIR_ID_SID_URI);
	if (holds & CERTDIR_BIT(CERTDIR_ID_NAME))
		holds |= CERTDIR_BIT(CERTDIR_ID_DNS); /* a DNS name's first label is looked up among names */
	if (holds & (CERTDIR_BIT(CERTDIR_ID_SERIAL) | CERTDIR_BIT(CERTDIR_ID_UDID)))
		holds |= CERTDIR_BIT(CERTDIR_ID_PERMANENT);
	return holds;
}

static enum certdir_source_kind parse_kind(const char *text)
{
	if (text && strcmp(text, "tenant") == 0)
		return CERTDIR_SOURCE_TENANT;
	return text && strcmp(text, "ldap") == 0 ? CERTDIR_SOURCE_LDAP : CERTDIR_SOURCE_IMPORT;
}

static bool copy(const char *text, const char **out)
{
	*out = text ? strdup(text) : NULL;
	return *out || !text;
}

static bool add_source(struct certdir_list_sources *sources, sqlite3_stmt *row)
{
	const char *name = certdir_sql_text_at(row, 1);
	struct certdir_list_source *source = certdir_array_next(&sources->items, sources->count, sizeof(*source));

	if (!source)
		return false;
	sources->count++;
	*source = (struct certdir_list_source){
		.id = sqlite3_column_int64(row, 0),
		.synced = sqlite3_column_int64(row, 3),
		.devices = (size_t)sqlite3_column_int64(row, 4),
		.holds = parse_holds(certdir_sql_text_at(row, 5)),
		.kind = parse_kind(certdir_sql_text_at(row, 6)),
		.intune_synced = sqlite3_column_int64(row, 7),
		.groups_synced = sqlite3_column_int64(row, 8),
		.delta_since = sqlite3_column_int64(row, 9),
		.intune_interval = sqlite3_column_int64(row, 10),
		.says_enabled = sqlite3_column_int(row, 11),
		.good_for = sqlite3_column_int64(row, 12),
		.interval = sqlite3_column_int64(row, 13),
		.users_synced = sqlite3_column_int64(row, 15),
		.users = (size_t)sqlite3_column_int64(row, 16),
		.certificates_synced = sqlite3_column_int64(row, 17),
		.certificates_interval = sqlite3_column_int64(row, 18),
		.certificates = (size_t)sqlite3_column_int64(row, 19),
	};
	sources->devices += source->devices;
	return copy(name ? name : "", &source->name) && copy(certdir_sql_text_at(row, 2), &source->tenant) &&
	       copy(certdir_sql_text_at(row, 14), &source->domain);
}

bool certdir_list_sources_read(struct certdir_list_sources *sources, struct certdir_list_reader *reader,
			       struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_sql_ask(&reader->sql,
				"SELECT id,name,tenant,synced,devices,identities,kind,intune_synced,groups_synced,"
				"delta_since,intune_interval,says_enabled,good_for,interval,domain,users_synced,users,"
				"certificates_synced,certificates_interval,certificates FROM source ORDER BY id",
				SQL_NOTHING);
	int found;

	while ((found = certdir_sql_next(stmt)) == 1)
		if (!add_source(sources, stmt)) {
			certdir_error_set(error, "%s: out of memory", reader->image->filename);
			(void)sqlite3_reset(stmt);
			return false;
		}
	if (found < 0)
		certdir_error_set(error, "%s: its tables cannot be read: %s", reader->image->filename,
				  sqlite3_errmsg(reader->sql.db));
	return found == 0;
}

void certdir_list_sources_clear(struct certdir_list_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free((char *)sources->items[i].name);
		free((char *)sources->items[i].tenant);
		free((char *)sources->items[i].domain);
	}
	free(sources->items);
	memset(sources, 0, sizeof(*sources));
}

const struct certdir_list_source *certdir_list_sources_find(const struct certdir_list_sources *sources, int64_t id)
{
	for (size_t i = 0; i < sources->count; i++)
		if (sources->items[i].id == id)
			return &sources->items[i];
	return NULL;
}
