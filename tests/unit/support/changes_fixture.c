/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "changes_fixture.h"

char changes_file[112], changes_copy[112];

int changes_setup(void **state)
{
	if (fixture_setup(state) != 0)
		return -1;
	(void)snprintf(changes_file, sizeof(changes_file), "%s.changes", fixture_file);
	(void)snprintf(changes_copy, sizeof(changes_copy), "%s/copy", fixture_directory);
	return 0;
}

/* The next edition: its number is how long the source has been synced. */
bool changes_try(int edition, const char *sql, struct certdir_error *error)
{
	struct certdir_list_writer *writer = certdir_list_write_begin(fixture_file, false, NULL, error);
	char text[60];

	if (!writer)
		return false;
	(void)snprintf(text, sizeof(text), "UPDATE source SET synced=%d", edition);
	if (certdir_list_writer_run(writer, text, error) && certdir_list_writer_run(writer, sql, error))
		return certdir_list_write_publish(writer, error);
	certdir_list_write_abort(writer);
	return false;
}

void changes_next(int edition, const char *sql)
{
	struct certdir_error error;

	if (!changes_try(edition, sql, &error))
		fail_msg("%s", error.text);
}

int changes_edition_of(const struct certdir_list_snapshot *snapshot)
{
	size_t count;

	return (int)certdir_list_sources(snapshot, &count)[0].synced;
}

/* Which edition a server has that starts now, -1 = none; whether it says that something is damaged. */
int changes_start(bool *damaged)
{
	struct certdir_error damage, error;
	struct certdir_list_snapshot *snapshot = certdir_list_load_last(fixture_file, NULL, &damage, &error);
	const int edition = snapshot ? changes_edition_of(snapshot) : -1;

	*damaged = damage.text[0] != '\0';
	certdir_list_release(snapshot);
	return edition;
}

void changes_expect_start(int edition, bool damaged)
{
	bool is_damaged;

	assert_int_equal(changes_start(&is_damaged), edition);
	assert_int_equal(is_damaged, damaged);
}

off_t changes_size_of(const char *filename)
{
	struct stat status;

	return stat(filename, &status) == 0 ? status.st_size : -1;
}

static void note_problem(void *context, const char *text)
{
	print_message("%s\n", text);
	++*(int *)context;
}

/* What is published is a sound database, in which each index has what its table has. */
void changes_check_list(size_t devices)
{
	struct certdir_list_snapshot *snapshot = fixture_load();
	struct certdir_list_reader *reader = fixture_reader(snapshot);
	struct certdir_error error;
	int problems = 0;
	int64_t count;

	assert_int_equal(certdir_list_verify(reader, note_problem, &problems, &error), 0);
	assert_int_equal(certdir_sql_number(&reader->sql, &count, "SELECT count(*) FROM device", SQL_NOTHING), 1);
	assert_int_equal(count, devices);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}
