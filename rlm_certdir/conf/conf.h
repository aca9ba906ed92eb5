/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/certdir/certdir.conf: an INI file, read whole, with the line of everything.
 *
 *	; a comment, which stands on a line of its own: a value may contain ; and #
 *	[section name]
 *	key = value
 *	key = value
 *
 * UTF-8, with or without a byte order mark; lines of at most 4096 bytes, each for itself. A key may stand several times where
 * its reader says so.
 *
 * Readers take what they know out of a section; certdir_conf_finish() refuses what nobody took, with the nearest word that
 * would have been right. So a misspelt option is never silently ignored.
 */
#ifndef CERTDIR_CONF_H
#define CERTDIR_CONF_H

#include "base/certdir.h"

#define CERTDIR_CONF_DEFAULT "/etc/certdir/certdir.conf"

struct certdir_conf_entry {
	char *key;
	char *value; /* blanks around it are gone; never NULL */
	int line;
	bool taken;
};

struct certdir_conf_section {
	char *kind; /* "tenant" of [tenant contoso] */
	char *name; /* "contoso", "" = none */
	int line;
	struct certdir_conf_entry *entries;
	size_t count;
	bool taken;
	const char *known[64]; /* keys that readers asked for, to suggest from */
	size_t known_count;
};

struct certdir_conf {
	char *filename;
	struct certdir_conf_section *sections;
	size_t count;
	int refused; /* line of the mistake that certdir_conf_refuse() reports, 0 = none */
};

/* Reads `filename`. NULL with `error`: not there, not readable, file:line of what is no section, key or value. */
struct certdir_conf *certdir_conf_load(const char *filename, struct certdir_error *error);
void certdir_conf_free(struct certdir_conf *conf);

/* The section of this kind that stands first or after `after`, marked as taken; NULL when there is none. */
struct certdir_conf_section *certdir_conf_section(struct certdir_conf *conf, const char *kind,
						  const struct certdir_conf_section *after);

/*
 * Each takes the option `key` out of `section`. When it does not stand there, *value is left as it is (the caller has set the
 * default) and the answer is true. False with `error` ("FILE:LINE: key = value: why, and what would be right").
 * Texts are borrowed from the conf.
 */
bool certdir_conf_text(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
		       const char **value, struct certdir_error *error);
bool certdir_conf_yes_no(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key, bool *value,
			 struct certdir_error *error);
/* "90s", "15m", "12h", "30d" to seconds; false when it is none. A number without a unit is none, but for 0. */
bool certdir_duration_parse(const char *text, int64_t *seconds);
/* The same within [min, max]. */
bool certdir_conf_duration(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
			   int64_t min, int64_t max, int64_t *seconds, struct certdir_error *error);
/* "10%" or "10", 0 to 100. */
bool certdir_conf_percent(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
			  unsigned *value, struct certdir_error *error);
/* The index of the value among `words` (NULL-terminated); the error lists them. */
bool certdir_conf_word(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
		       const char *const *words, size_t *index, struct certdir_error *error);
/* The next entry of a key that may be repeated: NULL at the end. */
const struct certdir_conf_entry *certdir_conf_next(struct certdir_conf_section *section, const char *key,
						   const struct certdir_conf_entry *after);

/*
 * The next option that has a name in quotes behind its key, as group "Wi-Fi staff" = .., behind *entry (NULL: the first); *entry becomes
 * NULL at the end. The name is *length bytes of the entry's key. False with `error` when there is no name: then it ends there.
 */
bool certdir_conf_named(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
			const struct certdir_conf_entry **entry, const char **name, size_t *length,
			struct certdir_error *error);

/* The first entry of a key, taken or not; NULL when there is none. */
struct certdir_conf_entry *certdir_conf_entry(const struct certdir_conf_section *section, const char *key);
/*
 * An absolute file name. The value is not shown when it is none: where a file's name is asked for, people write the secret itself.
 * `example` is one that would do.
 */
bool certdir_conf_path(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
		       const char **value, const char *example, struct certdir_error *error);
/* "A, B" to a NULL-terminated array that holds its texts, too: one free() is the caller's, on false as well. */
bool certdir_conf_words(struct certdir_conf *conf, struct certdir_conf_section *section, const char *key,
			const char ***words, struct certdir_error *error);
/* The option trust_types, in Entra ID's words, to CERTDIR_BIT(type) of each join type. */
bool certdir_conf_trust_types(struct certdir_conf *conf, struct certdir_conf_section *section, uint32_t *join_types,
			      struct certdir_error *error);
/* Whether `text` has nothing but ASCII letters, digits and characters of `also` in it. */
bool certdir_conf_plain(const char *text, const char *also);

/*
 * "FILE:LINE: " and the text, for what a reader itself finds wrong; always false. Of several mistakes the one that stands first
 * in the file stays in `error`, so readers may go on after one.
 */
bool certdir_conf_refuse(struct certdir_conf *conf, int line, struct certdir_error *error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* "FILE:LINE: key = value: " and the text; not for what could be a secret. */
bool certdir_conf_refuse_value(struct certdir_conf *conf, const struct certdir_conf_entry *entry,
			       struct certdir_error *error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* False with `error` when something in this section was not taken. */
bool certdir_conf_section_finish(struct certdir_conf *conf, const struct certdir_conf_section *section,
				 struct certdir_error *error);
/* The same of all taken sections, and when a section of a kind not in `kinds` stands there. */
bool certdir_conf_finish(struct certdir_conf *conf, const char *const *kinds, struct certdir_error *error);

#endif
