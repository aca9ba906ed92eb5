/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "raddb_section.h"

#include "text/suggest.h"

char const *section_instance(CONF_SECTION *cs)
{
	return cf_section_name2(cs) ? cf_section_name2(cs) : cf_section_name1(cs);
}

bool is_one_of(char const *const *names, char const *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static CONF_PARSER const *option_find(CONF_PARSER const *options, char const *name)
{
	for (; options->name; options++)
		if (strcmp(options->name, name) == 0)
			return options;
	return NULL;
}

/* The server's parser takes "1h" for 1 and "abc" for 0. */
static bool number_valid(CONF_PAIR *pair)
{
	char const *value = cf_pair_value(pair);
	size_t const digits = value ? strspn(value, "0123456789") : 0;

	if (digits > 0 && digits <= 9 && value[digits] == '\0')
		return true;
	cf_log_err_cp(pair, "%s = %s: must be a whole number (times are in seconds)", cf_pair_attr(pair),
		      value ? value : "\"\"");
	return false;
}

/* Seconds, with up to six decimals. The server's parser takes any text and reads what it can. */
static bool seconds_valid(CONF_PAIR *pair)
{
	char const *value = cf_pair_value(pair) ? cf_pair_value(pair) : "";
	size_t const whole = strspn(value, "0123456789");
	size_t const decimals = value[whole] == '.' ? strspn(value + whole + 1, "0123456789") : 0;
	char const *const end = value + whole + (value[whole] == '.' ? 1 + decimals : 0);

	if (whole > 0 && whole <= 6 && decimals <= 6 && (value[whole] != '.' || decimals > 0) && *end == '\0')
		return true;
	cf_log_err_cp(pair, "%s = %s: must be seconds, such as 1.0 or 2", cf_pair_attr(pair), value);
	return false;
}

/* The option, or the section, that may have been meant. */
static void suggest(struct section const *section, char const *name, bool is_section, char text[CERTDIR_TEXT_MAX])
{
	char const *known[64];
	size_t count = 0;

	for (char const *const *names = is_section ? section->sections : section->repeated; *names; names++)
		known[count++] = *names;
	for (CONF_PARSER const *option = section->options; !is_section && option->name && count < 64; option++)
		known[count++] = option->name;
	if (count > 0)
		certdir_suggest(name, known, count, text);
	else
		certdir_say(text, "it has none");
}

static bool pair_valid(CONF_SECTION *cs, CONF_PAIR *pair, struct section const *section)
{
	char const *const name = cf_pair_attr(pair);
	CONF_PARSER const *option = option_find(section->options, name);
	char text[CERTDIR_TEXT_MAX];

	if (is_one_of(section->repeated, name))
		return true;
	if (!option) {
		suggest(section, name, false, text);
		if (strcmp(name, "chase_referrals") == 0)
			certdir_say(text, "referrals are never followed; name the server that holds base_dn in "
					  "`server`, or ask a Global Catalog for a whole forest");
		cf_log_err_cp(pair, "unknown option \"%s\" in %s { }: %s", name, cf_section_name1(cs), text);
		return false;
	}
	if (cf_pair_find(cs, name) != pair) {
		cf_log_err_cp(pair, "%s is set twice in %s { }", name, cf_section_name1(cs));
		return false;
	}
	if ((option->type & 0xff) == PW_TYPE_INTEGER || (option->type & 0xff) == PW_TYPE_SHORT)
		return number_valid(pair);
	if ((option->type & 0xff) == PW_TYPE_TIMEVAL)
		return seconds_valid(pair);
	return true;
}

/* Of two sections of one name only the first would count. */
static bool section_is_first(CONF_SECTION *parent, CONF_SECTION *cs)
{
	char const *const name1 = cf_section_name1(cs), *const name2 = cf_section_name2(cs);

	FOR_EACH_SECTION(other, parent, name1) {
		char const *const other2 = cf_section_name2(other);

		if (other == cs)
			break;
		if (name2 && other2 ? strcmp(name2, other2) == 0 : name2 == other2) {
			cf_log_err_cs(cs, "section \"%s%s%s\" stands twice in %s { }", name1, name2 ? " " : "",
				      name2 ? name2 : "", cf_section_name1(parent));
			return false;
		}
	}
	return true;
}

bool section_valid(CONF_SECTION *cs, struct section const *section)
{
	char text[CERTDIR_TEXT_MAX];
	bool valid = true;

	for (CONF_ITEM *item = cf_item_find_next(cs, NULL); item; item = cf_item_find_next(cs, item)) {
		CONF_SECTION *sub;

		if (cf_item_is_pair(item)) {
			valid &= pair_valid(cs, cf_item_to_pair(item), section);
		} else if (cf_item_is_section(item)) {
			sub = cf_item_to_section(item);
			if (!is_one_of(section->sections, cf_section_name1(sub))) {
				suggest(section, cf_section_name1(sub), true, text);
				cf_log_err_cs(sub, "unknown section \"%s\" in %s { }: %s", cf_section_name1(sub),
					      cf_section_name1(cs), text);
				valid = false;
			}
			valid &= section_is_first(cs, sub);
		}
	}
	return valid;
}

bool section_parse(CONF_SECTION *cs, void *base, struct section const *section)
{
	return section_valid(cs, section) && cf_section_parse(cs, base, section->options) == 0;
}

bool subsection_parse(CONF_SECTION *parent, char const *name, void *base, struct section const *section)
{
	CONF_SECTION *cs = cf_section_sub_find(parent, name);

	if (!cs) {
		cs = cf_section_alloc(parent, name, NULL);
		if (!cs)
			return false;
		cf_section_add(parent, cs);
	}
	return section_parse(cs, base, section);
}

bool section_strings(CONF_SECTION *cs, char const *name, char const *const **list)
{
	char const **values;
	size_t count = 0;

	FOR_EACH_PAIR(pair, cs, name)
		count++;
	values = talloc_zero_array(cs, char const *, count + 1);
	if (!values) {
		cf_log_err_cs(cs, "%s: out of memory", name);
		return false;
	}
	count = 0;
	FOR_EACH_PAIR(pair, cs, name)
		if (cf_pair_value(pair) && *cf_pair_value(pair))
			values[count++] = cf_pair_value(pair);
	*list = count ? values : NULL;
	return true;
}

CONF_ITEM *section_place(CONF_SECTION *cs, char const *name)
{
	CONF_PAIR *pair = cf_pair_find(cs, name);

	return pair ? cf_pair_to_item(pair) : cf_section_to_item(cs);
}

bool section_words(CONF_ITEM *at, char const *text, bool (*take)(CONF_ITEM *at, char const *word, void *context),
		   void *context)
{
	char word[64];

	while (*(text += strspn(text, " \t,"))) {
		size_t const length = strcspn(text, " \t,");

		if (length >= sizeof(word)) {
			cf_log_err(at, "\"%.*s..\" is too long", 32, text);
			return false;
		}
		memcpy(word, text, length);
		word[length] = '\0';
		if (!take(at, word, context))
			return false;
		text += length;
	}
	return true;
}

bool section_choice(CONF_SECTION *cs, char const *option, char const *value, char const *a, char const *b, bool *second)
{
	*second = strcmp(value, b) == 0;
	if (*second || strcmp(value, a) == 0)
		return true;
	cf_log_err(section_place(cs, option), "%s = %s: must be %s or %s", option, value, a, b);
	return false;
}
