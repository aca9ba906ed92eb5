/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tenant/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/words.h"

static bool among(const char *const *words, const char *word)
{
	return !words || certdir_word_among(words, word);
}

bool certdir_tenant_filter_takes(const struct certdir_tenant_filter *filter, enum certdir_join_type join_type,
				 const char *operating_system, const char *ownership, enum certdir_tristate enabled)
{
	return (filter->join_types == 0 || filter->join_types & CERTDIR_BIT(join_type)) &&
	       among(filter->operating_systems, operating_system) && among(filter->ownerships, ownership) &&
	       (!filter->only_enabled || enabled == CERTDIR_YES);
}

bool certdir_tenant_filter_is_open(const struct certdir_tenant_filter *filter)
{
	return filter->join_types == 0 && !filter->operating_systems && !filter->ownerships && !filter->only_enabled;
}

static int compare_words(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_lower(FILE *out, const char *text)
{
	for (; *text; text++)
		(void)fputc(certdir_ascii_lower(*text), out);
}

/* "operating_system=ios,windows;": sorted, each once. False when memory is out. */
static bool write_words(FILE *out, const char *key, const char *const *words)
{
	size_t count = 0;
	const char **sorted;

	if (!words)
		return true;
	while (words[count])
		count++;
	sorted = malloc((count + 1) * sizeof(*sorted));
	if (!sorted)
		return false;
	memcpy(sorted, words, (count + 1) * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_words);
	(void)fprintf(out, "%s=", key);
	for (size_t i = 0; i < count; i++) {
		if (i && compare_words(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		if (i)
			(void)fputc(',', out);
		write_lower(out, sorted[i]);
	}
	(void)fputc(';', out);
	free(sorted);
	return true;
}

char *certdir_tenant_filter_text(const struct certdir_tenant_filter *filter)
{
	const char *join_types[CERTDIR_JOIN_TYPES + 1];
	size_t count = 0, size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	bool ok;

	if (!out)
		return NULL;
	for (unsigned type = 0; type < CERTDIR_JOIN_TYPES; type++)
		if (filter->join_types & CERTDIR_BIT(type))
			join_types[count++] = certdir_join_type_name((enum certdir_join_type)type);
	join_types[count] = NULL;
	ok = write_words(out, "join_type", count ? join_types : NULL) &&
	     write_words(out, "operating_system", filter->operating_systems) &&
	     write_words(out, "ownership", filter->ownerships) &&
	     (!filter->only_enabled || fputs("only_enabled;", out) >= 0);
	if (fclose(out) != 0 || !ok) {
		free(text);
		return NULL;
	}
	return text;
}
