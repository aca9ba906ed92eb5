/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/undo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "directory/mark.h"
#include "ldap/records.h"
#include "placeholders/ldif.h"
#include "text/dn.h"
#include "text/timestamp.h"

enum { NAMES_MAX = 1000 }; /* files of one section in one second */

/* ---- LDIF ---- */

static void print_text(FILE *out, const char *name, const char *text)
{
	certdir_ldif_print(out, name, text, strlen(text));
}

static void print_values(FILE *out, const char *attribute, const struct certdir_ldap_values *values)
{
	for (size_t i = 0; i < values->count; i++)
		certdir_ldif_print(out, attribute, values->items[i].bytes, values->items[i].length);
}

/* The mark is that of the entry, or of the member of a group: who is another device's by then is left alone. */
static void print_start(FILE *out, const char *dn, const char *mark, const char *type)
{
	print_text(out, "dn", dn);
	if (mark)
		print_text(out, "# mark", mark);
	print_text(out, "changetype", type);
}

/* "delete: a", its values, "-". A replacement without values takes the attribute away. */
static void print_part(FILE *out, const char *verb, const char *attribute, const struct certdir_ldap_values *values)
{
	print_text(out, verb, attribute);
	print_values(out, attribute, values);
	(void)fputs("-\n", out);
}

static void print_modify(FILE *out, const struct certdir_ldap_operation *operation, const char *mark)
{
	print_start(out, operation->dn, mark, "modify");
	for (size_t i = operation->count; i-- > 0;) {
		const struct certdir_ldap_change *change = &operation->changes[i];

		if (change->whole) {
			print_part(out, "replace", change->attribute, &change->deleted);
			continue;
		}
		if (change->added.count > 0)
			print_part(out, "delete", change->attribute, &change->added);
		if (change->deleted.count > 0)
			print_part(out, "add", change->attribute, &change->deleted);
	}
}

/* The new DN is made of the operation's own parts, so that it needs no escaping here. */
static bool print_rename(FILE *out, const struct certdir_ldap_operation *operation, const char *mark)
{
	const size_t rdn = certdir_dn_rdn_length(operation->dn);
	const char *parent = certdir_dn_parent(operation->dn);
	const size_t length = strlen(operation->rdn) + strlen(operation->parent) + 2;
	char *dn = malloc(length);

	if (!dn)
		return false;
	(void)snprintf(dn, length, "%s,%s", operation->rdn, operation->parent);
	/* Entries that have changed names must not change them again when the file is used twice. */
	print_start(out, dn, mark, "modrdn");
	certdir_ldif_print(out, "newrdn", operation->dn, rdn);
	print_text(out, "deleteoldrdn", "1");
	print_text(out, "newsuperior", parent);
	free(dn);
	return true;
}

static void print_add(FILE *out, const struct certdir_ldap_operation *operation)
{
	print_start(out, operation->dn, NULL, "add");
	for (size_t i = 0; i < operation->count; i++) {
		print_values(out, operation->changes[i].attribute, &operation->changes[i].deleted);
		print_values(out, operation->changes[i].attribute, &operation->changes[i].added);
	}
}

/* The mark that the entry was made with; NULL when it has none. */
static const char *find_mark(const struct certdir_ldap_operation *operation, const char *mark_attribute)
{
	struct certdir_mark mark;

	for (size_t i = 0; i < operation->count; i++) {
		const struct certdir_ldap_change *change = &operation->changes[i];

		for (size_t k = 0; strcasecmp(change->attribute, mark_attribute) == 0 && k < change->added.count; k++)
			if (certdir_mark_parse(change->added.items[k].bytes, change->added.items[k].length, &mark))
				return change->added.items[k].bytes;
	}
	return NULL;
}

/*
 * Nobody is to delete blindly who has become somebody: the record asks the server to do so only while the entry has its mark, and a
 * server that cannot be asked that (RFC 4528; Active Directory cannot) refuses it, as the control is critical. An id that is not known
 * yet takes the same room, so that the file does not grow when it is.
 */
static bool print_delete(FILE *out, const struct certdir_ldap_operation *operation, const char *mark_attribute,
			 const char *id)
{
	const char *mark = find_mark(operation, mark_attribute);
	size_t length;
	char *bytes;

	print_text(out, "dn", operation->dn);
	print_text(out, "# id", id && id[0] ? id : "00000000-0000-0000-0000-000000000000");
	if (mark) {
		print_text(out, "# mark", mark);
		if (!certdir_ldap_assertion_make(mark_attribute, mark, &bytes, &length))
			return false;
		certdir_ldif_print(out, "control: " CERTDIR_LDAP_ASSERTION " true", bytes, length);
		free(bytes);
	}
	print_text(out, "changetype", "delete");
	return true;
}

bool certdir_undo_print(FILE *out, const struct certdir_step *step, const char *mark_attribute, const char *id)
{
	const struct certdir_ldap_operation *operation = &step->operation;

	switch (operation->verb) {
	case CERTDIR_LDAP_VERB_ADD:
		if (!print_delete(out, operation, mark_attribute, id))
			return false;
		break;
	case CERTDIR_LDAP_VERB_MODIFY:
		print_modify(out, operation, step->mark ? step->mark : find_mark(operation, mark_attribute));
		break;
	case CERTDIR_LDAP_VERB_RENAME:
		if (!print_rename(out, operation, step->mark))
			return false;
		break;
	case CERTDIR_LDAP_VERB_DELETE:
		print_add(out, operation);
		break;
	case CERTDIR_LDAP_VERB_READ:
		return true;
	}
	(void)fputc('\n', out);
	return true;
}

static const char usage[] =
	"# Look at it first. Then: certdir placeholders undo THIS-FILE\n"
	"# That looks at each entry before it changes it, and leaves alone what is a real computer by now.\n"
	"# ldapmodify -c -f THIS-FILE does not; of the entries that are to go it deletes those that still have their "
	"mark,\n"
	"# and none where the server cannot be asked for that (Active Directory cannot).\n"
	"# An account that was removed comes back with a new SID, and not into its primary group.\n"
	"# The next apply does all of it again, unless the list or the configuration is another by then.\n";

/* The steps in the reverse of the order in which they are carried out: by phase, not by action. */
static bool print_plan(FILE *out, const struct certdir_placeholders_config *config, int64_t now,
		       const struct certdir_plan *plan, const bool *done, const struct certdir_undo_id *ids)
{
	char time[CERTDIR_TIMESTAMP_SIZE];

	certdir_timestamp_print(now, time);
	(void)fprintf(out, "%s%s] at %s.\n%s\n", CERTDIR_UNDO_HEAD, config->rules.name, time, usage);
	for (unsigned phase = CERTDIR_PHASES; phase-- > 0;)
		for (size_t i = plan->step_count; i-- > 0;) {
			const struct certdir_step *step = &plan->steps[i];

			if (step->phase != (enum certdir_phase)phase || (done && !done[i]))
				continue;
			/* Groups of an entry that was made: they go with it. */
			if (!step->account && step->operation.verb != CERTDIR_LDAP_VERB_ADD)
				continue;
			if (!certdir_undo_print(out, step, config->rules.mark_attribute, ids ? ids[i].text : NULL))
				return false;
		}
	(void)fputs(CERTDIR_UNDO_END, out);
	return true;
}

/* ---- the file ---- */

struct undo_file {
	const char *directory, *name;
	char time[20]; /* "20261122T100000Z" */
	char temporary[CERTDIR_TEXT_MAX];
	FILE *out;
};

static bool failed(const struct undo_file *file, struct certdir_error *error)
{
	certdir_error_set(error,
			  "the undo file cannot be written to %s: %s: nothing is changed without one; make room or set "
			  "undo_directory",
			  file->directory, strerror(errno));
	return false;
}

static bool begin(struct undo_file *file, int64_t now, struct certdir_error *error)
{
	const time_t seconds = (time_t)now;
	struct tm when;
	int fd, length;

	if (!gmtime_r(&seconds, &when) || strftime(file->time, sizeof(file->time), "%Y%m%dT%H%M%SZ", &when) == 0) {
		errno = EOVERFLOW;
		return failed(file, error);
	}
	if (mkdir(file->directory, 0700) != 0 && errno != EEXIST)
		return failed(file, error);
	length = snprintf(file->temporary, sizeof(file->temporary), "%s/.%s-%s-XXXXXX", file->directory, file->name,
			  file->time);
	if (length < 0 || (size_t)length >= sizeof(file->temporary)) {
		file->temporary[0] = '\0';
		errno = ENAMETOOLONG;
		return failed(file, error);
	}
	fd = mkostemp(file->temporary, O_CLOEXEC);
	if (fd < 0) {
		file->temporary[0] = '\0';
		return failed(file, error);
	}
	file->out = fdopen(fd, "w");
	if (file->out)
		return true;
	(void)failed(file, error);
	(void)close(fd);
	return false;
}

/* What was printed stands in the file and not only in memory. */
static bool flush(struct undo_file *file, bool printed, struct certdir_error *error)
{
	if (!printed)
		errno = ENOMEM;
	if (!printed || fflush(file->out) != 0 || ferror(file->out) || fsync(fileno(file->out)) != 0)
		return failed(file, error);
	return true;
}

/* Names a file that has none yet, and never takes another's name. */
static bool name_new(const struct undo_file *file, char filename[CERTDIR_TEXT_MAX])
{
	for (unsigned i = 1; i <= NAMES_MAX; i++) {
		char number[16] = "";
		int length;

		if (i > 1)
			(void)snprintf(number, sizeof(number), "-%u", i);
		length = snprintf(filename, CERTDIR_TEXT_MAX, "%s/%s-%s%s.ldif", file->directory, file->name,
				  file->time, number);
		if (length < 0 || length >= CERTDIR_TEXT_MAX) {
			errno = ENAMETOOLONG;
			break;
		}
		if (link(file->temporary, filename) == 0)
			return true;
		if (errno != EEXIST)
			break;
	}
	filename[0] = '\0';
	return false;
}

bool certdir_undo_write(const struct certdir_placeholders_config *config, int64_t now, const struct certdir_plan *plan,
			const bool *done, const struct certdir_undo_id *ids, char filename[CERTDIR_TEXT_MAX],
			struct certdir_error *error)
{
	struct undo_file file = {.directory = config->undo_directory, .name = config->rules.name};
	const bool fresh = !filename[0];
	bool ok = false;

	if (!begin(&file, now, error))
		goto out;
	if (fresh && done) {
		if (!flush(&file, print_plan(file.out, config, now, plan, NULL, NULL), error))
			goto out;
		rewind(file.out);
		if (ftruncate(fileno(file.out), 0) != 0) {
			(void)failed(&file, error);
			goto out;
		}
	}
	if (!flush(&file, print_plan(file.out, config, now, plan, done, ids), error))
		goto out;
	ok = fresh ? name_new(&file, filename) : rename(file.temporary, filename) == 0;
	ok = ok && certdir_file_sync_directory(file.directory);
	if (!ok)
		(void)failed(&file, error);
out:
	if (file.out)
		(void)fclose(file.out);
	/* After a rename there is nothing of that name. */
	if (file.temporary[0])
		(void)unlink(file.temporary);
	return ok;
}

/* "NAME-20261122T100000Z.ldif", or with -2 and so on before the dot, as name_new() makes it. */
static bool is_undo_file(const struct certdir_placeholders_config *config, const char *name)
{
#define DIGITS "[0-9][0-9]"
	static const char pattern[] = "-" DIGITS DIGITS DIGITS DIGITS "T" DIGITS DIGITS DIGITS "Z*.ldif";
	const size_t length = strlen(config->rules.name);

	return strncmp(name, config->rules.name, length) == 0 && strlen(name) < CERTDIR_TEXT_MAX &&
	       fnmatch(pattern, name + length, 0) == 0;
}

/* Without ".ldif", which would make the second run of a second the earlier one. */
static bool is_later(const char *name, const char *than)
{
	char a[CERTDIR_TEXT_MAX], b[CERTDIR_TEXT_MAX];

	(void)snprintf(a, sizeof(a), "%.*s", (int)strlen(name) - 5, name);
	(void)snprintf(b, sizeof(b), "%.*s", (int)strlen(than) - 5, than);
	return strverscmp(a, b) > 0;
}

void certdir_undo_newest(const struct certdir_placeholders_config *config, const char *filename,
			 char newest[CERTDIR_TEXT_MAX])
{
	const char *slash = strrchr(filename, '/'), *name = slash ? slash + 1 : filename;
	DIR *directory = is_undo_file(config, name) ? opendir(config->undo_directory) : NULL;
	const struct dirent *entry;

	newest[0] = '\0';
	while (directory && (entry = readdir(directory)))
		if (is_undo_file(config, entry->d_name) && is_later(entry->d_name, newest[0] ? newest : name))
			(void)strcpy(newest, entry->d_name);
	if (directory)
		(void)closedir(directory);
}

void certdir_undo_sweep(const struct certdir_placeholders_config *config)
{
	DIR *directory = opendir(config->undo_directory);
	const size_t length = strlen(config->rules.name);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		const char *name = entry->d_name;

		/* ".NAME-20261122T100000Z-XXXXXX", as begin() makes it. */
		if (name[0] == '.' && strncmp(name + 1, config->rules.name, length) == 0 &&
		    strlen(name) == length + sizeof(".-20261122T100000Z-XXXXXX") - 1 &&
		    fnmatch("-[0-9]*T[0-9]*Z-??????", name + 1 + length, 0) == 0)
			(void)unlinkat(dirfd(directory), name, 0);
	}
	if (directory)
		(void)closedir(directory);
}
