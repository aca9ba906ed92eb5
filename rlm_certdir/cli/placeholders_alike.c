/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/placeholders_alike.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "cli/visible.h"

struct certdir_cli_alike_line {
	const char *label;
	char *name, *text; /* fit to print */
	char *shape; /* the text without the entry's own name */
	size_t order; /* as they came */
	size_t count; /* lines that are alike, of which this one is the first; 0 = it is another */
};

enum { NAMED = 5 };

/* `text` with "ENTRY" in place of `dn`; the caller frees it. NULL: memory is out. */
static char *shape_of(const char *text, const char *dn)
{
	const char *found = dn && *dn ? strstr(text, dn) : NULL;
	char *shape = NULL;

	if (!found)
		return strdup(text);
	return asprintf(&shape, "%.*sENTRY%s", (int)(found - text), text, found + strlen(dn)) < 0 ? NULL : shape;
}

void certdir_cli_alike_add(struct certdir_cli_alike *alike, const char *label, const char *name, const char *text,
			   const char *dn)
{
	char *clean = dn ? certdir_cli_visible_copy(dn) : NULL;
	struct certdir_cli_alike_line *line = certdir_array_next(&alike->lines, alike->count, sizeof(*line));

	if (line) {
		*line = (struct certdir_cli_alike_line){
			.label = label,
			.name = certdir_cli_visible_copy(name),
			.text = certdir_cli_visible_copy(text),
			.order = alike->count++,
		};
		line->shape = line->text ? shape_of(line->text, clean) : NULL;
		alike->failed |= !line->name || !line->shape;
	} else {
		alike->failed = true;
	}
	free(clean);
}

static int by_shape(const void *left, const void *right)
{
	const struct certdir_cli_alike_line *a = left, *b = right;
	int order = strcmp(a->label, b->label);

	order = order ? order : strcmp(a->shape, b->shape);
	return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool are_alike(const struct certdir_cli_alike_line *a, const struct certdir_cli_alike_line *b)
{
	return strcmp(a->label, b->label) == 0 && strcmp(a->shape, b->shape) == 0;
}

static int by_order(const void *left, const void *right)
{
	const struct certdir_cli_alike_line *const *a = left, *const *b = right;

	return ((*a)->order > (*b)->order) - ((*a)->order < (*b)->order);
}

static bool print_one(const struct certdir_cli_alike_line *line)
{
	if (line->count == 1)
		return printf("%-10s %s%s%s\n", line->label, line->name, *line->name ? ": " : "", line->text) >= 0;
	(void)printf("%-10s %zu alike (", line->label, line->count);
	for (size_t i = 0; i < line->count && i < NAMED; i++)
		(void)printf("%s%s", i ? "; " : "", line[i].name);
	return printf("%s): %s\n", line->count > NAMED ? "; .." : "", line->shape) >= 0;
}

static bool print_all(struct certdir_cli_alike *alike)
{
	struct certdir_cli_alike_line **firsts = calloc(alike->count + 1, sizeof(*firsts));
	size_t count = 0;
	bool ok = firsts;

	if (!firsts)
		return false;
	qsort(alike->lines, alike->count, sizeof(*alike->lines), by_shape);
	for (size_t i = 0; i < alike->count; i++) {
		if (i == 0 || !are_alike(&alike->lines[i - 1], &alike->lines[i]))
			firsts[count++] = &alike->lines[i];
		firsts[count - 1]->count++;
	}
	qsort(firsts, count, sizeof(*firsts), by_order);
	for (size_t i = 0; ok && i < count; i++)
		ok = print_one(firsts[i]);
	free(firsts);
	return ok;
}

bool certdir_cli_alike_print(struct certdir_cli_alike *alike)
{
	const bool ok = !alike->failed && (alike->count == 0 || print_all(alike));

	for (size_t i = 0; i < alike->count; i++) {
		free(alike->lines[i].name);
		free(alike->lines[i].text);
		free(alike->lines[i].shape);
	}
	free(alike->lines);
	*alike = (struct certdir_cli_alike){.lines = NULL};
	return ok;
}
