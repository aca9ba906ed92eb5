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
 * Readers take what they know out of a section. They go on behind a mistake: of all that are refused the conf keeps the one that
 * stands first in the file. certdir_conf_finish() reports it, and refuses what nobody took, with the nearest word that would have been
 * right. So a misspelt option is never silently ignored.
 */
#ifndef CERTDIR_CONF_H
#define CERTDIR_CONF_H

#include "base/certdir.h"

#define CERTDIR_CONF_DEFAULT "/etc/certdir/certdir.conf"

/* A line of the file that says something: key = value. */
struct certdir_conf_entry {
	char *key;
	char *value; /* blanks around it are gone; never NULL */
	int line;
	bool taken; /* by a reader */
	const char **values; /* a list that was made of it, or NULL */
};

/* What stands below a line in brackets. Texts that are taken out of it are borrowed from here. */
struct certdir_conf_section {
	struct certdir_conf *conf; /* that it is in */
	char *kind; /* "tenant" of [tenant contoso] */
	char *name; /* "contoso", "" = none */
	int line;
	struct certdir_conf_entry *entries;
	size_t count;
	bool taken;
	bool wrong; /* something in it was refused */
	const char *known[64]; /* keys that readers asked for, to suggest from */
	size_t known_count;
};

struct certdir_conf {
	char *filename;
	struct certdir_conf_section *sections;
	size_t count;
	int refused; /* line of the mistake that `error` tells of, 0 = none */
	struct certdir_error error;
};

/* Reads `filename`. NULL with `error`: not there, not readable, file:line of what is no section, key or value. */
struct certdir_conf *certdir_conf_load(const char *filename, struct certdir_error *error);
void certdir_conf_free(struct certdir_conf *conf);

/* The section of this kind that stands first or after `after`, marked as taken; NULL when there is none. */
struct certdir_conf_section *certdir_conf_section(struct certdir_conf *conf, const char *kind,
						  const struct certdir_conf_section *after);

/*
 * Each takes the option `key` out of `section`. When it does not stand there, *value is left as it is: the caller has set the default.
 * So it is when it is refused ("FILE:LINE: key = value: why, and what would be right").
 */
void certdir_conf_text(struct certdir_conf_section *section, const char *key, const char **value);
void certdir_conf_yes_no(struct certdir_conf_section *section, const char *key, bool *value);
/* "90s", "15m", "12h", "30d" to seconds within [min, max]. */
void certdir_conf_duration(struct certdir_conf_section *section, const char *key, int64_t min, int64_t max,
			   int64_t *seconds);
/* "10%" or "10", 0 to 100. */
void certdir_conf_percent(struct certdir_conf_section *section, const char *key, unsigned *value);
/* The index of the value among `words` (NULL-terminated); the error lists them. */
void certdir_conf_word(struct certdir_conf_section *section, const char *key, const char *const *words, size_t *index);
/*
 * An absolute file name; ${CREDENTIALS_DIRECTORY}/ at its start is what the environment says. The value is not shown when it is none:
 * where a file's name is asked for, people write the secret itself.
 * `example` is one that would do.
 */
void certdir_conf_path(struct certdir_conf_section *section, const char *key, const char **value, const char *example);
/* "A, B" to a NULL-terminated array, which is borrowed, too. */
void certdir_conf_words(struct certdir_conf_section *section, const char *key, const char ***words);
/* The option trust_types, in Entra ID's words, to CERTDIR_BIT(type) of each join type. */
void certdir_conf_trust_types(struct certdir_conf_section *section, uint32_t *join_types);

/* The values of an option that may be repeated, as such an array. Refuses one that stands there twice; what: "this group". */
void certdir_conf_repeated(struct certdir_conf_section *section, const char *key, const char *what,
			   const char ***values);

/* The same for what only its reader understands: the entry itself, or NULL when there is none. */
struct certdir_conf_entry *certdir_conf_take(struct certdir_conf_section *section, const char *key);
/* The next entry of a key that may be repeated: NULL at the end. */
const struct certdir_conf_entry *certdir_conf_next(struct certdir_conf_section *section, const char *key,
						   const struct certdir_conf_entry *after);
/*
 * The next option that has a name in quotes behind its key, as group "Wi-Fi staff" = .., behind *entry (NULL: the first); *entry becomes
 * NULL at the end, and where there is no name, which is refused. The name is *length bytes of the entry's key.
 */
void certdir_conf_named(struct certdir_conf_section *section, const char *key, const struct certdir_conf_entry **entry,
			const char **name, size_t *length);

/* The first entry of a key, which is not taken by this; NULL when there is none. */
const struct certdir_conf_entry *certdir_conf_entry(const struct certdir_conf_section *section, const char *key);

/* "90s", "15m", "12h", "30d" to seconds; false when it is none. A number without a unit is none, but for 0. */
bool certdir_duration_parse(const char *text, int64_t *seconds);
/* Whether `text` has nothing but ASCII letters, digits and characters of `also` in it. */
bool certdir_conf_plain(const char *text, const char *also);

/* "FILE:LINE: " and the text, for what a reader itself finds wrong; always false. */
bool certdir_conf_refuse(struct certdir_conf_section *section, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "FILE:LINE: key = value: " and the text; not for what could be a secret. */
bool certdir_conf_refuse_value(struct certdir_conf_section *section, const struct certdir_conf_entry *entry,
			       const char *format, ...) __attribute__((format(printf, 3, 4)));
/*
 * Refuses an option that is the secret itself ("client_secret"; what: "a client secret"). It belongs into a file of its own, which
 * an option with "_file" behind its name is for; `suffix` is that of the file's name.
 */
void certdir_conf_refuse_secret(struct certdir_conf_section *section, const char *key, const char *what,
				const char *suffix);
/* Memory is out; always false. */
bool certdir_conf_no_memory(struct certdir_conf_section *section);
/* Refuses what was not taken of this section. False when anything in it was refused. */
bool certdir_conf_section_finish(struct certdir_conf_section *section);
/* The same of all taken sections, and of one whose kind is not in `kinds`. False with `error`, the first mistake of the file. */
bool certdir_conf_finish(struct certdir_conf *conf, const char *const *kinds, struct certdir_error *error);

#endif
