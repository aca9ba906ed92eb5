/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/conf.h"

#include "base/file.h"
#include "base/words.h"
#include "text/suggest.h"
#include "text/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_MAX = 1 << 20, /* bytes */
	LINE_MAX_BYTES = 4096,
	SHOWN_MAX = 80 /* bytes of a value in a message, so that the reason behind it has room */
};

/* ---- refusals ---- */

static bool vrefuse(struct certdir_conf *conf, int line, struct certdir_error *error, const char *what,
		    const char *format, va_list arguments)
{
	char text[CERTDIR_TEXT_MAX];

	if (conf->refused != 0 && conf->refused <= line)
		return false;
	conf->refused = line;
	certdir_vsay(text, format, arguments);
	certdir_error_set(error, "%s:%d: %s%s", conf->filename, line, what, text);
	return false;
}

bool certdir_conf_refuse(struct certdir_conf *conf, int line, struct certdir_error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vrefuse(conf, line, error, "", format, arguments);
	va_end(arguments);
	return false;
}

bool certdir_conf_refuse_value(struct certdir_conf *conf, const struct certdir_conf_entry *entry,
			       struct certdir_error *error, const char *format, ...)
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
	va_start(arguments, format);
	(void)vrefuse(conf, entry->line, error, what, format, arguments);
	va_end(arguments);
	return false;
}

/* A value that is wrong, and has what looks like a comment behind it. */
static const char *comment_hint(const char *value)
{
	return strstr(value, " ;") || strstr(value, " #") || strstr(value, "\t;") || strstr(value, "\t#")
		       ? "; a comment stands on a line of its own"
		       : "";
}

/* ---- reading the file ---- */

struct loading {
	struct certdir_conf *conf;
	struct certdir_error *error;
	int line;
	bool failed;
};

static bool no_memory(struct loading *loading)
{
	certdir_error_set(loading->error, "%s: out of memory", loading->conf->filename);
	loading->failed = true;
	return false;
}

static bool wrong_line(struct loading *loading, const char *why)
{
	loading->failed = true;
	return certdir_conf_refuse(loading->conf, loading->line, loading->error, "%s", why);
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
			"%s does not exist: name it with -c, or write it (certdir.conf(5)); a list that is imported "
			"needs none, `certdir list stats` tells of it",
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

/* One more in an array of `count`; NULL when memory is out. */
static void *append(void **array, size_t *count, size_t size)
{
	char *grown = realloc(*array, (*count + 1) * size);

	if (!grown)
		return NULL;
	*array = grown;
	memset(grown + *count * size, 0, size);
	return grown + (*count)++ * size;
}

static bool add_section(struct loading *loading, const char *kind, const char *name)
{
	struct certdir_conf *conf = loading->conf;
	struct certdir_conf_section *section;

	for (size_t i = 0; i < conf->count; i++) {
		section = &conf->sections[i];
		if (strcmp(section->kind, kind) == 0 && strcmp(section->name, name) == 0) {
			loading->failed = true;
			return certdir_conf_refuse(conf, loading->line, loading->error,
						   "[%s%s%s] stands in line %d already: put what belongs together into "
						   "one section",
						   kind, *name ? " " : "", name, section->line);
		}
	}
	section = append((void **)&conf->sections, &conf->count, sizeof(*section));
	if (!section)
		return no_memory(loading);
	section->line = loading->line;
	section->kind = strdup(kind);
	section->name = strdup(name);
	return (section->kind && section->name) || no_memory(loading);
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

/* Not by libinih, which would cut a long name, keep quiet about an empty section and join one that stands twice. */
static bool read_section(struct loading *loading, char *text)
{
	char *end = strchr(text, ']'), *kind = skip_blanks(text + 1), *name;

	if (!end)
		return wrong_line(loading, "a section's name ends with ], as in [tenant contoso]");
	if (*skip_blanks(end + 1))
		return wrong_line(loading, "nothing follows the ] of a section; a comment stands on a line of its own");
	*end = '\0';
	cut_blanks(kind);
	if (*kind == '\0')
		return wrong_line(loading, "this section has no name: [list] or [tenant NAME]");
	name = kind + strcspn(kind, " \t");
	if (*name) {
		*name = '\0';
		name = skip_blanks(name + 1);
	}
	return add_section(loading, kind, name);
}

/* libinih's handler: 0 is a failure. */
static int add_entry(void *context, const char *section_name, const char *key, const char *value)
{
	struct loading *loading = context;
	struct certdir_conf *conf = loading->conf;
	struct certdir_conf_section *section;
	struct certdir_conf_entry *entry;
	size_t length = strlen(value);

	(void)section_name;
	if (conf->count == 0)
		return wrong_line(loading, "this stands in no section: [list] or [tenant NAME] comes first");
	if (*key == '\0')
		return wrong_line(loading, "there is no option's name before the =");
	section = &conf->sections[conf->count - 1];
	entry = append((void **)&section->entries, &section->count, sizeof(*entry));
	if (!entry)
		return no_memory(loading);
	entry->line = loading->line;
	entry->key = strdup(key);
	entry->value = strdup(value);
	if (!entry->key || !entry->value)
		return no_memory(loading);
	if (length == 0)
		return wrong_line(loading, "there is no value behind the =: leave the line out, or give one");
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
		return wrong_line(loading, "write the value without quotes: blanks inside of it are kept");
	return 1;
}

static bool check_bytes(struct loading *loading, const char *text, size_t length)
{
	uint32_t character;
	size_t size;

	if (length > LINE_MAX_BYTES)
		return wrong_line(loading, "this line is longer than 4096 bytes");
	for (size_t i = 0; i < length; i += size) {
		size = certdir_utf8_read(text + i, length - i, &character);
		if (size == 0)
			return wrong_line(loading, "this is not UTF-8: save the file as UTF-8");
		if (character == 0)
			return wrong_line(loading, "there is a NUL byte in this line");
		if (certdir_utf8_control(character) && character != '\t')
			return wrong_line(loading, "there is a control character in this line");
	}
	return true;
}

static bool read_line(struct loading *loading, char *text, size_t length)
{
	char *start;

	if (length > 0 && text[length - 1] == '\r')
		length--;
	if (!check_bytes(loading, text, length))
		return false;
	text[length] = '\0';
	start = skip_blanks(text);
	if (*start == '[')
		return read_section(loading, start);
	/* One line at a time: so an indented line is never taken for the continuation of the last. */
	if (ini_parse_string(start, add_entry, loading) == 0)
		return true;
	return loading->failed ? false : wrong_line(loading, "this is neither a [section] nor option = value");
}

static bool read_lines(struct loading *loading, char *bytes, size_t length)
{
	char *at = bytes, *end = bytes + length, *newline;

	/* A group's name may contain ; and #, so they begin a comment at the start of a line only. */
	ini_allow_inline_comments = false;
	ini_allow_multiline = false;
	ini_allow_bom = false;
	ini_max_line = LINE_MAX_BYTES + 3;
	if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (loading->line = 1; at < end; loading->line++, at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			newline = end;
		if (!read_line(loading, at, (size_t)(newline - at)))
			return false;
	}
	return true;
}

struct certdir_conf *certdir_conf_load(const char *filename, struct certdir_error *error)
{
	struct certdir_conf *conf = calloc(1, sizeof(*conf));
	struct loading loading = {.conf = conf, .error = error};
	size_t length;
	char *bytes;

	if (!conf || !(conf->filename = strdup(filename))) {
		certdir_error_set(error, "%s: out of memory", filename);
		free(conf);
		return NULL;
	}
	bytes = read_file(filename, &length, error);
	if (!bytes || !read_lines(&loading, bytes, length)) {
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

/* The one entry of a key, or NULL when there is none. False when there are several. */
static bool take(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
		 struct certdir_conf_entry **entry, struct certdir_error *error)
{
	bool ok = true;

	*entry = NULL;
	learn(section, key);
	for (size_t i = 0; i < section->count; i++) {
		struct certdir_conf_entry *other = &section->entries[i];

		if (strcmp(other->key, key) != 0)
			continue;
		other->taken = true;
		if (*entry)
			ok = certdir_conf_refuse(conf, other->line, error,
						 "%s stands in line %d already, and only one can count", key,
						 (*entry)->line);
		else
			*entry = other;
	}
	return ok;
}

bool certdir_conf_text(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
		       const char **value, struct certdir_error *error)
{
	struct certdir_conf_entry *entry;

	if (!take(conf, section, key, &entry, error))
		return false;
	if (entry)
		*value = entry->value;
	return true;
}

bool certdir_conf_yes_no(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key, bool *value,
			 struct certdir_error *error)
{
	struct certdir_conf_entry *entry;

	if (!take(conf, section, key, &entry, error))
		return false;
	if (!entry)
		return true;
	*value = strcmp(entry->value, "yes") == 0;
	if (*value || strcmp(entry->value, "no") == 0)
		return true;
	return certdir_conf_refuse_value(conf, entry, error, "this is yes or no%s", comment_hint(entry->value));
}

static const struct {
	char letter;
	int64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

bool certdir_duration_parse(const char *text, int64_t *seconds)
{
	size_t digits = strspn(text, "0123456789");
	int64_t unit = 0;

	/* Ten digits of days are far from an int64_t's end. */
	if (digits == 0 || digits > 10)
		return false;
	if (strspn(text, "0") == digits && text[digits] == '\0')
		unit = 1; /* nothing is nothing in any unit */
	for (size_t i = 0; unit == 0 && i < sizeof(units) / sizeof(units[0]); i++)
		if (text[digits] == units[i].letter && text[digits + 1] == '\0')
			unit = units[i].seconds;
	*seconds = strtoll(text, NULL, 10) * unit;
	return unit != 0;
}

/* "90m" for 5400; in the largest unit that it is a whole number of. */
static void print_duration(int64_t seconds, char out[24])
{
	size_t i = 0;

	while (seconds % units[i].seconds != 0)
		i++;
	(void)snprintf(out, 24, "%" PRId64 "%c", seconds / units[i].seconds, units[i].letter);
}

bool certdir_conf_duration(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
			   int64_t min, int64_t max, int64_t *seconds, struct certdir_error *error)
{
	struct certdir_conf_entry *entry;
	char least[24], most[24];
	int64_t value;

	if (!take(conf, section, key, &entry, error))
		return false;
	if (!entry)
		return true;
	if (entry->value[strspn(entry->value, "0123456789")] == '\0' && strlen(entry->value) < 10 &&
	    !certdir_duration_parse(entry->value, &value))
		return certdir_conf_refuse_value(conf, entry, error, "a number of what: %sm, %sh or %sd?", entry->value,
						 entry->value, entry->value);
	if (!certdir_duration_parse(entry->value, &value))
		return certdir_conf_refuse_value(
			conf, entry, error,
			"this is a number with s, m, h or d for seconds, minutes, hours or days, such as 12h%s",
			comment_hint(entry->value));
	if (value < min || value > max) {
		print_duration(min, least);
		print_duration(max, most);
		return certdir_conf_refuse_value(conf, entry, error, "this is from %s to %s", least, most);
	}
	*seconds = value;
	return true;
}

bool certdir_conf_percent(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
			  unsigned *value, struct certdir_error *error)
{
	struct certdir_conf_entry *entry;
	unsigned long number;
	size_t digits;

	if (!take(conf, section, key, &entry, error))
		return false;
	if (!entry)
		return true;
	digits = strspn(entry->value, "0123456789");
	number = strtoul(entry->value, NULL, 10);
	if (digits == 0 || digits > 3 || number > 100 ||
	    (entry->value[digits] != '\0' && strcmp(entry->value + digits, "%") != 0))
		return certdir_conf_refuse_value(conf, entry, error, "this is a whole number from 0%% to 100%%%s",
						 comment_hint(entry->value));
	*value = (unsigned)number;
	return true;
}

bool certdir_conf_word(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
		       const char *const *words, size_t *index, struct certdir_error *error)
{
	struct certdir_conf_entry *entry;
	char text[CERTDIR_TEXT_MAX];
	size_t count;

	if (!take(conf, section, key, &entry, error))
		return false;
	if (!entry)
		return true;
	for (count = 0; words[count]; count++)
		if (strcmp(entry->value, words[count]) == 0) {
			*index = count;
			return true;
		}
	certdir_suggest(entry->value, words, count, text);
	return certdir_conf_refuse_value(conf, entry, error, "%s%s", text, comment_hint(entry->value));
}

const struct certdir_conf_entry *certdir_conf_next(struct certdir_conf_section *section, const char *key,
						   const struct certdir_conf_entry *after)
{
	if (!after)
		learn(section, key);
	for (size_t i = after ? (size_t)(after - section->entries) + 1 : 0; i < section->count; i++)
		if (strcmp(section->entries[i].key, key) == 0) {
			section->entries[i].taken = true;
			return &section->entries[i];
		}
	return NULL;
}

bool certdir_conf_named(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
			const struct certdir_conf_entry **entry, const char **name, size_t *length,
			struct certdir_error *error)
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
		if (*length < 3 || start[0] != '"' || start[*length - 1] != '"')
			return certdir_conf_refuse(
				conf, option->line, error,
				"behind %s stands a name in quotes: %s \"NAME\" = ..; a name that has = or "
				": in it cannot be written here: write the id in its place",
				key, key);
		*entry = option;
		*name = start + 1;
		*length -= 2;
		return true;
	}
	return true;
}

struct certdir_conf_entry *certdir_conf_entry(const struct certdir_conf_section *section, const char *key)
{
	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->entries[i].key, key) == 0)
			return &section->entries[i];
	return NULL;
}

bool certdir_conf_path(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
		       const char **value, const char *example, struct certdir_error *error)
{
	struct certdir_conf_entry *entry;

	if (!take(conf, section, key, &entry, error))
		return false;
	if (!entry)
		return true;
	*value = entry->value;
	return entry->value[0] == '/' ||
	       certdir_conf_refuse(conf, entry->line, error, "%s is the name of a file and begins with /, as %s does",
				   key, example);
}

bool certdir_conf_words(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
			const char ***words, struct certdir_error *error)
{
	struct certdir_conf_entry *entry;
	size_t count = 1;
	char *copy, *at;

	if (!take(conf, section, key, &entry, error))
		return false;
	if (!entry)
		return true;
	for (const char *comma = entry->value; (comma = strchr(comma, ',')); comma++)
		count++;
	*words = calloc(1, (count + 1) * sizeof(**words) + strlen(entry->value) + 1);
	if (!*words)
		return certdir_conf_refuse(conf, entry->line, error, "out of memory");
	copy = strcpy((char *)(*words + count + 1), entry->value);
	for (size_t i = 0; i < count; i++, copy = at + 1) {
		at = copy + strcspn(copy, ",");
		*at = '\0';
		copy = skip_blanks(copy);
		cut_blanks(copy);
		if (*copy == '\0')
			return certdir_conf_refuse_value(conf, entry, error,
							 "there is nothing before or behind a comma");
		if (strpbrk(copy, "\";"))
			return certdir_conf_refuse_value(conf, entry, error,
							 "write the names without quotes, with commas between them");
		(*words)[i] = copy;
	}
	return true;
}

bool certdir_conf_trust_types(struct certdir_conf *conf, struct certdir_conf_section *section, uint32_t *join_types,
			      struct certdir_error *error)
{
	const char **words = NULL;
	bool ok = certdir_conf_words(conf, section, "trust_types", &words, error);

	if (ok && words)
		*join_types = 0;
	for (size_t i = 0; ok && words && words[i]; i++) {
		const enum certdir_join_type type = certdir_word_trust_type(words[i]);

		if (type != CERTDIR_JOIN_UNKNOWN || strcasecmp(words[i], "none") == 0)
			*join_types |= CERTDIR_BIT(type);
		else
			ok = certdir_conf_refuse_value(
				conf, certdir_conf_entry(section, "trust_types"), error,
				"known are AzureAd (joined), ServerAd (hybrid joined), "
				"Workplace (registered), none (not said), with commas between them");
	}
	free(words);
	return ok;
}

bool certdir_conf_plain(const char *text, const char *also)
{
	for (; *text; text++)
		if (!(*text >= 'a' && *text <= 'z') && !(*text >= 'A' && *text <= 'Z') &&
		    !(*text >= '0' && *text <= '9') && !strchr(also, *text))
			return false;
	return true;
}

/* ---- what nobody took ---- */

/* Whether it may be shown: a line of a private key that was pasted into the file must not reach a log. */
static bool is_word(const char *text)
{
	return strlen(text) <= 32 &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-. ")] == '\0';
}

bool certdir_conf_section_finish(struct certdir_conf *conf, const struct certdir_conf_section *section,
				 struct certdir_error *error)
{
	char text[CERTDIR_TEXT_MAX];

	for (size_t i = 0; i < section->count; i++) {
		const struct certdir_conf_entry *entry = &section->entries[i];

		if (entry->taken)
			continue;
		certdir_suggest(entry->key, section->known, section->known_count, text);
		return certdir_conf_refuse(conf, entry->line, error, "[%s%s%.64s] has no option %s: %s", section->kind,
					   *section->name ? " " : "", section->name,
					   is_word(entry->key) ? entry->key : "of that name", text);
	}
	return true;
}

bool certdir_conf_finish(struct certdir_conf *conf, const char *const *kinds, struct certdir_error *error)
{
	char text[CERTDIR_TEXT_MAX];
	bool ok = true;
	size_t count;

	for (size_t i = 0; i < conf->count; i++) {
		const struct certdir_conf_section *section = &conf->sections[i];

		for (count = 0; kinds[count] && strcmp(section->kind, kinds[count]) != 0; count++)
			;
		if (section->taken)
			ok &= certdir_conf_section_finish(conf, section, error);
		else if (!kinds[count]) {
			certdir_suggest(section->kind, kinds, count, text);
			ok = certdir_conf_refuse(conf, section->line, error,
						 "there is no section of the kind %.80s: %s", section->kind, text);
		}
	}
	return ok;
}
