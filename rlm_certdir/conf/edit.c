/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/edit.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A conf on its way from one text to the other. */
struct edit {
	const char *section;
	const struct certdir_conf_setting *settings;
	size_t count;
	uint64_t written; /* bits of settings */
	bool inside; /* of the section */
	bool found; /* it */
	const char *blank; /* where a run of empty lines began that is not written yet, or NULL */
	FILE *out;
};

static const char *skip(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

static const char *cut(const char *start, const char *end)
{
	while (end > start && strchr(" \t\r\n", end[-1]))
		end--;
	return end;
}

static bool is_section(const struct edit *edit, const char *at, const char *end)
{
	const char *close = memchr(at, ']', (size_t)(end - at)), *name = skip(at + 1, end);

	if (!close)
		return false;
	close = cut(name, close);
	return (size_t)(close - name) == strlen(edit->section) &&
	       strncmp(name, edit->section, (size_t)(close - name)) == 0;
}

static void write_setting(struct edit *edit, size_t i)
{
	const struct certdir_conf_setting *setting = &edit->settings[i];

	if (!(edit->written & UINT64_C(1) << i))
		for (size_t v = 0; setting->values[v]; v++)
			(void)fprintf(edit->out, "%s = %s\n", setting->key, setting->values[v]);
	edit->written |= UINT64_C(1) << i;
}

/* What the section has not had. */
static void end_section(struct edit *edit)
{
	for (size_t i = 0; edit->inside && i < edit->count; i++)
		write_setting(edit, i);
	edit->inside = false;
}

static void write_blank(struct edit *edit, const char *until)
{
	if (edit->blank)
		(void)fwrite(edit->blank, 1, (size_t)(until - edit->blank), edit->out);
	edit->blank = NULL;
}

/* The setting whose key stands in the line, or count. */
static size_t setting_of(const struct edit *edit, const char *at, const char *end)
{
	const char *equals = memchr(at, '=', (size_t)(end - at));
	const size_t length = equals ? (size_t)(cut(at, equals) - at) : 0;
	size_t i = 0;

	while (i < edit->count &&
	       (strlen(edit->settings[i].key) != length || strncmp(edit->settings[i].key, at, length) != 0))
		i++;
	return i;
}

static void take_line(struct edit *edit, const char *line, const char *end)
{
	const char *at = skip(line, end);
	size_t i;

	if (cut(at, end) == at) {
		edit->blank = edit->blank ? edit->blank : line;
		return;
	}
	if (*at == '[')
		end_section(edit);
	write_blank(edit, line);
	if (*at == '[' && is_section(edit, at, end))
		edit->inside = edit->found = true;
	i = edit->inside ? setting_of(edit, at, end) : edit->count;
	if (i < edit->count)
		write_setting(edit, i);
	else
		(void)fwrite(line, 1, (size_t)(end - line), edit->out);
	if (i == edit->count && end[-1] != '\n')
		(void)fputc('\n', edit->out);
}

char *certdir_conf_edit(const char *text, const char *section, const struct certdir_conf_setting *settings,
			size_t count)
{
	struct edit edit = {.section = section, .settings = settings, .count = count};
	const char *line = text, *end;
	char *result = NULL;
	size_t size;

	edit.out = open_memstream(&result, &size);
	if (!edit.out)
		return NULL;
	for (; *line; line = end) {
		end = line + strcspn(line, "\n");
		end += *end == '\n';
		take_line(&edit, line, end);
	}
	end_section(&edit);
	write_blank(&edit, line);
	if (!edit.found) {
		(void)fprintf(edit.out, "%s[%s]\n", *text ? "\n" : "", section);
		edit.inside = true;
		end_section(&edit);
	}
	if (fclose(edit.out) == 0)
		return result;
	free(result);
	return NULL;
}
