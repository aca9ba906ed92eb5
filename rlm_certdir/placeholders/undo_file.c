/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "placeholders/take_back.h"
#include "placeholders/undo.h"
#include "text/timestamp.h"

enum { SIZE_MAX_MIB = 1024 };

/* ---- reading ---- */

/* The caller frees the text. NULL with `error`. */
static char *read_text(const char *filename, size_t *length, struct certdir_error *error)
{
	const int fd = open(filename, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0) {
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
		goto out;
	}
	if (!S_ISREG(status.st_mode) || status.st_size > (off_t)SIZE_MAX_MIB << 20) {
		certdir_error_set(error, "%s is no undo file of certdir: it is %s", filename,
				  S_ISREG(status.st_mode) ? "too large" : "no regular file");
		goto out;
	}
	text = certdir_file_load(fd, (size_t)SIZE_MAX_MIB << 20, length);
	if (!text)
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
out:
	if (fd >= 0)
		(void)close(fd);
	return text;
}

/* Whose file it is, and that nothing of it is missing. */
static bool read_frame(const char *text, size_t length, struct certdir_undo_file *file, struct certdir_error *error)
{
	const size_t head = strlen(CERTDIR_UNDO_HEAD), end = strlen(CERTDIR_UNDO_END);
	const char *name = text + head;
	char when[CERTDIR_TIMESTAMP_SIZE];
	size_t size;

	if (length < head || memcmp(text, CERTDIR_UNDO_HEAD, head) != 0) {
		certdir_error_set(error,
				  "%s is no undo file of certdir: those stand in undo_directory, and each apply that "
				  "changes something leaves one",
				  file->filename);
		return false;
	}
	size = strcspn(name, "]\n");
	if (size == 0 || size >= sizeof(file->section) || name[size] != ']') {
		certdir_error_set(error, "%s:2: there is no [placeholders NAME]", file->filename);
		return false;
	}
	memcpy(file->section, name, size);
	file->section[size] = '\0';
	(void)snprintf(when, sizeof(when), "%.20s", name + size + strspn(name + size, "] at"));
	if (!certdir_timestamp_parse(when, &file->time)) {
		certdir_error_set(error, "%s:2: there is no time behind [placeholders %s]", file->filename,
				  file->section);
		return false;
	}
	if (memcmp(text + length - end, CERTDIR_UNDO_END, end) == 0)
		return true;
	certdir_error_set(error, "%s was cut: its last line is not \"%.*s\", so nothing is done", file->filename,
			  (int)end - 1, CERTDIR_UNDO_END);
	return false;
}

bool certdir_undo_file_read(const char *filename, struct certdir_undo_file *file, struct certdir_error *error)
{
	size_t length = 0;
	char *text = read_text(filename, &length, error);
	bool ok;

	*file = (struct certdir_undo_file){.filename = filename};
	ok = text && read_frame(text, length, file, error) &&
	     certdir_ldap_records_read(text, length, filename, &file->records, error);
	free(text);
	return ok;
}

void certdir_undo_file_clear(struct certdir_undo_file *file)
{
	certdir_ldap_records_clear(&file->records);
}
