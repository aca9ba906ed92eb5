/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an option's value may be: each kind of value, and what is said of one that is none of its kind. */
#include "conf/conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "text/suggest.h"

/* A value that is wrong, and has what looks like a comment behind it. */
static const char *comment_hint(const char *value)
{
	return strstr(value, " ;") || strstr(value, " #") || strstr(value, "\t;") || strstr(value, "\t#")
		       ? "; a comment stands on a line of its own"
		       : "";
}

void certdir_conf_text(struct certdir_conf_section *section, const char *key, const char **value)
{
	const struct certdir_conf_entry *entry = certdir_conf_take(section, key);

	if (entry)
		*value = entry->value;
}

void certdir_conf_yes_no(struct certdir_conf_section *section, const char *key, bool *value)
{
	const struct certdir_conf_entry *entry = certdir_conf_take(section, key);
	const bool yes = entry && strcmp(entry->value, "yes") == 0;

	if (entry && !yes && strcmp(entry->value, "no") != 0)
		(void)certdir_conf_refuse_value(section, entry, "this is yes or no%s", comment_hint(entry->value));
	else if (entry)
		*value = yes;
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

void certdir_conf_duration(struct certdir_conf_section *section, const char *key, int64_t min, int64_t max,
			   int64_t *seconds)
{
	const struct certdir_conf_entry *entry = certdir_conf_take(section, key);
	const char *text = entry ? entry->value : "0";
	char least[24], most[24];
	int64_t value;

	if (!certdir_duration_parse(text, &value)) {
		if (text[strspn(text, "0123456789")] == '\0' && strlen(text) < 10)
			(void)certdir_conf_refuse_value(section, entry, "a number of what: %sm, %sh or %sd?", text,
							text, text);
		else
			(void)certdir_conf_refuse_value(section, entry,
							"this is a number with s, m, h or d for seconds, minutes, "
							"hours or days, such as 12h%s",
							comment_hint(text));
	} else if (entry && (value < min || value > max)) {
		print_duration(min, least);
		print_duration(max, most);
		(void)certdir_conf_refuse_value(section, entry, "this is from %s to %s", least, most);
	} else if (entry) {
		*seconds = value;
	}
}

void certdir_conf_percent(struct certdir_conf_section *section, const char *key, unsigned *value)
{
	const struct certdir_conf_entry *entry = certdir_conf_take(section, key);
	const char *text = entry ? entry->value : "0";
	const size_t digits = strspn(text, "0123456789");
	const unsigned long number = strtoul(text, NULL, 10);

	if (digits == 0 || digits > 3 || number > 100 || (text[digits] != '\0' && strcmp(text + digits, "%") != 0))
		(void)certdir_conf_refuse_value(section, entry, "this is a whole number from 0%% to 100%%%s",
						comment_hint(text));
	else if (entry)
		*value = (unsigned)number;
}

void certdir_conf_word(struct certdir_conf_section *section, const char *key, const char *const *words, size_t *index)
{
	const struct certdir_conf_entry *entry = certdir_conf_take(section, key);
	char text[CERTDIR_TEXT_MAX];
	size_t count;

	if (!entry)
		return;
	for (count = 0; words[count]; count++)
		if (strcmp(entry->value, words[count]) == 0) {
			*index = count;
			return;
		}
	certdir_suggest(entry->value, words, count, text);
	(void)certdir_conf_refuse_value(section, entry, "%s%s", text, comment_hint(entry->value));
}

/* What systemd has given to the service that this runs in (systemd.exec(5), LoadCredential=), by the name that it has in each of them. */
static void find_credential(struct certdir_conf_section *section, struct certdir_conf_entry *entry)
{
	static const char variable[] = "${CREDENTIALS_DIRECTORY}/";
	const char *directory = secure_getenv("CREDENTIALS_DIRECTORY");
	char *found;

	if (strncmp(entry->value, variable, sizeof(variable) - 1) != 0)
		return;
	if (!directory || directory[0] != '/') {
		(void)certdir_conf_refuse(
			section, entry->line,
			"%s is in ${CREDENTIALS_DIRECTORY}, which systemd sets for a service that has "
			"LoadCredential=; by hand, run systemd-run with it, or name the file itself",
			entry->key);
		return;
	}
	found = certdir_print("%s/%s", directory, entry->value + sizeof(variable) - 1);
	if (!found) {
		(void)certdir_conf_no_memory(section);
		return;
	}
	free(entry->value);
	entry->value = found;
}

void certdir_conf_path(struct certdir_conf_section *section, const char *key, const char **value, const char *example)
{
	struct certdir_conf_entry *entry = certdir_conf_take(section, key);

	if (entry) {
		find_credential(section, entry);
		*value = entry->value;
	}
	if (entry && entry->value[0] != '/')
		(void)certdir_conf_refuse(section, entry->line,
					  "%s is the name of a file and begins with /, as %s does", key, example);
}

void certdir_conf_trust_types(struct certdir_conf_section *section, uint32_t *join_types)
{
	static const char key[] = "trust_types";
	const char **words = NULL;

	certdir_conf_words(section, key, &words);
	if (words)
		*join_types = 0;
	for (size_t i = 0; words && words[i]; i++) {
		const enum certdir_join_type type = certdir_word_trust_type(words[i]);

		*join_types |= CERTDIR_BIT(type);
		if (type == CERTDIR_JOIN_UNKNOWN && strcasecmp(words[i], "none") != 0)
			(void)certdir_conf_refuse_value(
				section, certdir_conf_entry(section, key),
				"known are AzureAd (joined), ServerAd (hybrid joined), "
				"Workplace (registered), none (not said), with commas between them");
	}
}

bool certdir_conf_plain(const char *text, const char *also)
{
	for (; *text; text++)
		if (!(*text >= 'a' && *text <= 'z') && !(*text >= 'A' && *text <= 'Z') &&
		    !(*text >= '0' && *text <= '9') && !strchr(also, *text))
			return false;
	return true;
}
