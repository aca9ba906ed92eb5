/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "text/suggest.h"
#include "text/utf8.h"

enum {
	FILE_MAX = 1 << 20, /* bytes */
	LINE_MAX_BYTES = 4096,
	SHOWN_MAX = 80 /* bytes of a value in a message, so that the reason behind it has room */
};

static struct certdir_conf_entry *find(const struct certdir_conf_section *section, const char *key,
				       const struct certdir_conf_entry *after)
{
	for (size_t i = after ? (size_t)(after - section->entries) + 1 : 0; i < section->count; i++)
		if (strcmp(section->entries[i].key, key) == 0)
			return &section->entries[i];
	return NULL;
}

/* ---- refusals ---- */

static bool vrefuse(struct certdir_conf *conf, int line, const char *what, const char *format, va_list arguments)
{
	char text[CERTDIR_TEXT_MAX];

	if (conf->refused != 0 && conf->refused <= line)
		return false;
	conf->refused = line;
	certdir_vsay(text, format, arguments);
	certdir_error_set(&conf->error, "%s:%d: %s%s", conf->filename, line, what, text);
	return false;
}

bool certdir_conf_refuse(struct certdir_conf_section *section, int line, const char *format, ...)
{
	va_list arguments;

	section->wrong = true;
	va_start(arguments, format);
	(void)vrefuse(section->conf, line, "", format, arguments);
	va_end(arguments);
	return false;
}

bool certdir_conf_refuse_value(struct certdir_conf_section *section, const struct certdir_conf_entry *entry,
			       const char *format, ...)
{
	char what[2 * SHOWN_MAX + 16];
	size_t length = strlen(entry->value);
	va_list arguments;

	/* What is cut, is cut before a whole character. */
	if (length > SHOWN_MAX)
		for (length = SHOWN_MAX; ((unsigned char)entry->value[length] & 0xc0) == 0x80; length--)
			;
	(void)snprintf(what, sizeof(what), "%.*s = %.*s%s: ", SHOWN_MAX, entry->key, (int)length, entry->value,
		       entry->value[length] ? ".." : "");
	section->wrong = true;
	va_start(arguments, format);
	(void)vrefuse(section->conf, entry->line, what, format, arguments);
	va_end(arguments);
	return false;
}

bool certdir_conf_no_memory(struct certdir_conf_section *section)
{
	return certdir_conf_refuse(section, section->line, "out of memory");
}

void certdir_conf_refuse_secret(struct certdir_conf_section *section, const char *key, const char *what,
				const char *suffix)
{
	struct certdir_conf_entry *entry = find(section, key, NULL);

	if (!entry)
		return;
	/* It is not learnt, either: nobody is to be told that there is such an option. */
	entry->taken = true;
	(void)certdir_conf_refuse(section, entry->line,
				  "%s does not belong into this file: put it alone into a file that nobody else can "
				  "read, and write %s_file = /etc/certdir/%.64s.%s",
				  what, key, section->name, suffix);
}

/* ---- reading the file ---- */

static bool no_memory(struct certdir_conf *conf)
{
	certdir_error_set(&conf->error, "%s: out of memory", conf->filename);
	return false;
}

static bool wrong_line(struct certdir_conf *conf, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool wrong_line(struct certdir_conf *conf, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vrefuse(conf, line, "", format, arguments);
	va_end(arguments);
	return false;
}

static char *read_open_file(int file, const char *filename, size_t *length, struct certdir_error *error)
{
	char *bytes = certdir_file_load(file, FILE_MAX, length);

	if (!bytes && errno == ENOMEM)
		certdir_error_set(error, "%s: out of memory", filename);
	else if (!bytes && errno == EFBIG)
		certdir_error_set(error, "%s is larger than 1 MiB: this is no certdir.conf", filename);
	else if (!bytes)
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
	else if (*length >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
		certdir_error_set(error, "%s:1: this is UTF-16: save the file as UTF-8", filename);
	else
		return bytes;
	free(bytes);
	return NULL;
}

static char *read_file(const char *filename, size_t *length, struct certdir_error *error)
{
	int file = open(filename, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	char *bytes = NULL;

	if (file < 0 && errno == ENOENT)
		certdir_error_set(
			error,
			"%s does not exist: name it with -c, or let certdir setup write it; a list that is imported "
			"needs none, `certdir list stats` shows it",
			filename);
	else if (file < 0 || fstat(file, &status) != 0)
		certdir_error_set(error, "%s cannot be read: %s%s", filename, strerror(errno),
				  errno == EACCES ? ": run certdir as root, or as the user that syncs" : "");
	else if (!S_ISREG(status.st_mode))
		certdir_error_set(error, "%s is no file", filename);
	else if (status.st_mode & S_IWOTH)
		certdir_error_set(
			error,
			"%s can be written by anybody, who could let any device in: chmod o-w %s, and check what "
			"it says",
			filename, filename);
	else
		bytes = read_open_file(file, filename, length, error);
	if (file >= 0)
		(void)close(file);
	return bytes;
}

static bool add_section(struct certdir_conf *conf, int line, const char *kind, const char *name)
{
	struct certdir_conf_section *section;

	for (size_t i = 0; i < conf->count; i++) {
		section = &conf->sections[i];
		if (strcmp(section->kind, kind) == 0 && strcmp(section->name, name) == 0)
			return wrong_line(conf, line,
					  "[%s%s%s] stands in line %d already: put what belongs together into one "
					  "section",
					  kind, *name ? " " : "", name, section->line);
	}
	section = certdir_array_next(&conf->sections, conf->count, sizeof(*section));
	if (!section)
		return no_memory(conf);
	conf->count++;
	section->conf = conf;
	section->line = line;
	section->kind = strdup(kind);
	section->name = strdup(name);
	return (section->kind && section->name) || no_memory(conf);
}

static char *skip_blanks(char *text)
{
	return text + strspn(text, " \t");
}

static void cut_blanks(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		text[--length] = '\0';
}

/* Whether it may be shown: a line of a private key that was pasted into the file must not reach a log. */
static bool is_word(const char *text)
{
	return strlen(text) <= 32 &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-. ")] == '\0';
}

static bool read_section(struct certdir_conf *conf, int line, char *text)
{
	char *end = strchr(text, ']'), *kind = skip_blanks(text + 1), *name;

	if (!end)
		return wrong_line(conf, line, "a section's name ends with ], as in [tenant contoso]");
	if (*skip_blanks(end + 1))
		return wrong_line(conf, line,
				  "nothing follows the ] of a section; a comment stands on a line of its own");
	*end = '\0';
	cut_blanks(kind);
	if (*kind == '\0')
		return wrong_line(conf, line, "this section has no name: [list] or [tenant NAME]");
	name = kind + strcspn(kind, " \t");
	if (*name) {
		*name = '\0';
		name = skip_blanks(name + 1);
	}
	return add_section(conf, line, kind, name);
}

static bool add_entry(struct certdir_conf *conf, int line, const char *key, const char *value)
{
	struct certdir_conf_section *section = &conf->sections[conf->count - 1];
	struct certdir_conf_entry *entry = certdir_array_next(&section->entries, section->count, sizeof(*entry));

	if (!entry)
		return no_memory(conf);
	section->count++;
	entry->line = line;
	entry->key = strdup(key);
	entry->value = strdup(value);
	return (entry->key && entry->value) || no_memory(conf);
}

/* Other INI files have a colon, too; in a name in quotes it is one that the name's reader refuses. */
static bool read_option(struct certdir_conf *conf, int line, char *key)
{
	char *end = strpbrk(key, "=:"), *value;
	const bool colon = end && *end == ':';
	size_t length;

	if (!end)
		return wrong_line(conf, line, "this is neither a [section] nor option = value");
	*end = '\0';
	value = skip_blanks(end + 1);
	cut_blanks(key);
	cut_blanks(value);
	length = strlen(value);
	if (conf->count == 0)
		return wrong_line(conf, line, "this stands in no section: [list] or [tenant NAME] comes first");
	if (*key == '\0')
		return wrong_line(conf, line, "there is no option's name before the %s", colon ? ":" : "=");
	if (colon && !strchr(key, '"'))
		return wrong_line(conf, line, "between an option and its value stands =, not a colon: write %s = ..",
				  is_word(key) ? key : "option");
	if (length == 0)
		return wrong_line(conf, line, "there is no value behind the =: leave the line out, or give one");
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
		return wrong_line(conf, line, "write the value without quotes: blanks inside of it are kept");
	return add_entry(conf, line, key, value);
}

static bool check_bytes(struct certdir_conf *conf, int line, const char *text, size_t length)
{
	uint32_t character;
	size_t size;

	if (length > LINE_MAX_BYTES)
		return wrong_line(conf, line, "this line is longer than 4096 bytes");
	for (size_t i = 0; i < length; i += size) {
		size = certdir_utf8_read(text + i, length - i, &character);
		if (size == 0)
			return wrong_line(conf, line, "this is not UTF-8: save the file as UTF-8");
		if (character == 0)
			return wrong_line(conf, line, "there is a NUL byte in this line");
		if (certdir_utf8_control(character) && character != '\t')
			return wrong_line(conf, line, "there is a control character in this line");
	}
	return true;
}

static bool read_line(struct certdir_conf *conf, int line, char *text, size_t length)
{
	if (length > 0 && text[length - 1] == '\r')
		length--;
	if (!check_bytes(conf, line, text, length))
		return false;
	text[length] = '\0';
	text = skip_blanks(text);
	/* A group's name may contain ; and #, so they begin a comment at the start of a line only. */
	if (*text == '\0' || *text == ';' || *text == '#')
		return true;
	return *text == '[' ? read_section(conf, line, text) : read_option(conf, line, text);
}

static bool read_lines(struct certdir_conf *conf, char *at, const char *end)
{
	char *newline;

	if (end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (int line = 1; at < end; line++, at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			newline = (char *)end;
		if (!read_line(conf, line, at, (size_t)(newline - at)))
			return false;
	}
	return true;
}

struct certdir_conf *certdir_conf_load(const char *filename, struct certdir_error *error)
{
	struct certdir_conf *conf = calloc(1, sizeof(*conf));
	size_t length;
	char *bytes;

	if (!conf || !(conf->filename = strdup(filename))) {
		certdir_error_set(error, "%s: out of memory", filename);
		free(conf);
		return NULL;
	}
	bytes = read_file(filename, &length, &conf->error);
	if (!bytes || !read_lines(conf, bytes, bytes + length)) {
		*error = conf->error;
		certdir_conf_free(conf);
		conf = NULL;
	}
	free(bytes);
	return conf;
}

void certdir_conf_free(struct certdir_conf *conf)
{
	if (!conf)
		return;
	for (size_t i = 0; i < conf->count; i++) {
		struct certdir_conf_section *section = &conf->sections[i];

		for (size_t j = 0; j < section->count; j++) {
			free(section->entries[j].key);
			free(section->entries[j].value);
			free(section->entries[j].values);
		}
		free(section->entries);
		free(section->kind);
		free(section->name);
	}
	free(conf->sections);
	free(conf->filename);
	free(conf);
}

/* ---- taking ---- */

struct certdir_conf_section *certdir_conf_section(struct certdir_conf *conf, const char *kind,
						  const struct certdir_conf_section *after)
{
	for (size_t i = after ? (size_t)(after - conf->sections) + 1 : 0; i < conf->count; i++)
		if (strcmp(conf->sections[i].kind, kind) == 0) {
			conf->sections[i].taken = true;
			return &conf->sections[i];
		}
	return NULL;
}

static void learn(struct certdir_conf_section *section, const char *key)
{
	if (section->known_count < sizeof(section->known) / sizeof(section->known[0]))
		section->known[section->known_count++] = key;
}

const struct certdir_conf_entry *certdir_conf_entry(const struct certdir_conf_section *section, const char *key)
{
	return find(section, key, NULL);
}

struct certdir_conf_entry *certdir_conf_take(struct certdir_conf_section *section, const char *key)
{
	struct certdir_conf_entry *entry = find(section, key, NULL), *other = entry;

	learn(section, key);
	if (entry)
		entry->taken = true;
	while (other && (other = find(section, key, other))) {
		other->taken = true;
		(void)certdir_conf_refuse(section, other->line, "%s stands in line %d already, and only one can count",
					  key, entry->line);
	}
	return entry;
}

void certdir_conf_words(struct certdir_conf_section *section, const char *key, const char ***words)
{
	struct certdir_conf_entry *entry = certdir_conf_take(section, key);
	size_t count = 0, room = 2;
	char *word, *at;

	if (!entry)
		return;
	for (const char *comma = entry->value; (comma = strchr(comma, ',')); comma++)
		room++;
	*words = entry->values = calloc(1, room * sizeof(**words) + strlen(entry->value) + 1);
	if (!*words) {
		(void)certdir_conf_no_memory(section);
		return;
	}
	at = strcpy((char *)(*words + room), entry->value);
	while ((word = strsep(&at, ","))) {
		word = skip_blanks(word);
		cut_blanks(word);
		if (*word == '\0')
			(void)certdir_conf_refuse_value(section, entry, "there is nothing before or behind a comma");
		else if (strpbrk(word, "\";"))
			(void)certdir_conf_refuse_value(section, entry,
							"write the names without quotes, with commas between them");
		(*words)[count++] = word;
	}
}

const struct certdir_conf_entry *certdir_conf_next(struct certdir_conf_section *section, const char *key,
						   const struct certdir_conf_entry *after)
{
	struct certdir_conf_entry *entry = find(section, key, after);

	if (!after)
		learn(section, key);
	if (entry)
		entry->taken = true;
	return entry;
}

void certdir_conf_repeated(struct certdir_conf_section *section, const char *key, const char *what,
			   const char ***values)
{
	const struct certdir_conf_entry *entry = certdir_conf_next(section, key, NULL);
	const char **found = entry ? calloc(section->count + 1, sizeof(*found)) : NULL;

	if (entry && !found)
		(void)certdir_conf_no_memory(section);
	if (!found)
		return;
	*values = find(section, key, NULL)->values = found;
	for (size_t count = 0; entry; entry = certdir_conf_next(section, key, entry)) {
		for (size_t i = 0; i < count; i++)
			if (strcasecmp(found[i], entry->value) == 0)
				(void)certdir_conf_refuse_value(section, entry, "%s stands there twice", what);
		found[count++] = entry->value;
	}
}

void certdir_conf_named(struct certdir_conf_section *section, const char *key, const struct certdir_conf_entry **entry,
			const char **name, size_t *length)
{
	const size_t size = strlen(key);
	size_t i = *entry ? (size_t)(*entry - section->entries) + 1 : 0;

	if (!*entry)
		learn(section, key);
	for (*entry = NULL; i < section->count; i++) {
		struct certdir_conf_entry *option = &section->entries[i];
		char *start = option->key + size;

		if (strncmp(option->key, key, size) != 0 || !strchr(" \t\"", *start))
			continue;
		option->taken = true;
		start = skip_blanks(start);
		*length = strlen(start);
		if (*length < 3 || start[0] != '"' || start[*length - 1] != '"') {
			(void)certdir_conf_refuse(
				section, option->line,
				"behind %s stands a name in quotes: %s \"NAME\" = ..; a name that has = or "
				": in it cannot be written here: write the id in its place",
				key, key);
			return;
		}
		*entry = option;
		*name = start + 1;
		*length -= 2;
		return;
	}
}

/* ---- what nobody took ---- */

bool certdir_conf_section_finish(struct certdir_conf_section *section)
{
	char text[CERTDIR_TEXT_MAX];

	for (size_t i = 0; i < section->count; i++) {
		const struct certdir_conf_entry *entry = &section->entries[i];

		if (entry->taken)
			continue;
		certdir_suggest(entry->key, section->known, section->known_count, text);
		return certdir_conf_refuse(section, entry->line, "[%s%s%.64s] has no option %s: %s", section->kind,
					   *section->name ? " " : "", section->name,
					   is_word(entry->key) ? entry->key : "of that name", text);
	}
	return !section->wrong;
}

bool certdir_conf_finish(struct certdir_conf *conf, const char *const *kinds, struct certdir_error *error)
{
	char text[CERTDIR_TEXT_MAX];
	size_t count;

	for (size_t i = 0; i < conf->count; i++) {
		struct certdir_conf_section *section = &conf->sections[i];

		for (count = 0; kinds[count] && strcmp(section->kind, kinds[count]) != 0; count++)
			;
		if (section->taken)
			(void)certdir_conf_section_finish(section);
		else if (!kinds[count]) {
			certdir_suggest(section->kind, kinds, count, text);
			(void)certdir_conf_refuse(section, section->line, "there is no section of the kind %.80s: %s",
						  section->kind, text);
		}
	}
	if (conf->refused)
		*error = conf->error;
	return !conf->refused;
}
