/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/columns.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <unistr.h>
#include <uniwidth.h>

enum { GAP = 2 };

static const char encoding[] = "UTF-8";

static int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return columns ? atoi(columns) : 0;
}

static int least(const struct certdir_cli_column *column)
{
	return column->least ? column->least : column->width;
}

/* What is left when all have their least goes to the first that want more. */
static void share_room(struct certdir_cli_columns *table)
{
	int left = table->room;
	size_t count = 0;

	while (count < table->count && left >= least(&table->columns[count]) + (count ? GAP : 0)) {
		left -= least(&table->columns[count]) + (count ? GAP : 0);
		count++;
	}
	table->count = count ? count : 1;
	for (size_t i = 0; i < table->count; i++) {
		const int wish = table->columns[i].width - least(&table->columns[i]), more = wish < left ? wish : left;

		table->widths[i] = least(&table->columns[i]) + (more > 0 ? more : 0);
		left -= more > 0 ? more : 0;
	}
}

void certdir_cli_columns_begin(struct certdir_cli_columns *table, const struct certdir_cli_column *columns,
			       size_t count)
{
	const char *titles[CERTDIR_CLI_COLUMNS_MAX] = {""};

	*table = (struct certdir_cli_columns){.columns = columns, .count = count, .room = terminal_width()};
	for (size_t i = 0; i < count; i++) {
		table->widths[i] = columns[i].width;
		titles[i] = columns[i].title;
	}
	if (table->room > 0)
		share_room(table);
	certdir_cli_columns_print(table, titles);
}

/* How many bytes of `text` fit into `room` cells; `room` becomes those that stay empty. */
static size_t fitting(const char *text, int *room)
{
	const uint8_t *at = (const uint8_t *)text;
	const size_t length = strlen(text);
	size_t used = 0;

	while (used < length) {
		ucs4_t character;
		const int size = u8_mbtouc(&character, at + used, length - used);
		const int width = uc_width(character, encoding);

		if (width > *room)
			break;
		*room -= width > 0 ? width : 0;
		used += (size_t)size;
	}
	return used;
}

void certdir_cli_columns_print(const struct certdir_cli_columns *table, const char *const *cells)
{
	for (size_t i = 0; i < table->count; i++) {
		const bool last = i + 1 == table->count;
		int left = table->widths[i] - u8_strwidth((const uint8_t *)cells[i], encoding);

		if (i)
			fputs("  ", stdout);
		if (table->room && table->columns[i].least && left < 0) {
			left = table->widths[i] - 1;
			printf("%.*s\xe2\x80\xa6", (int)fitting(cells[i], &left), cells[i]);
		} else
			fputs(cells[i], stdout);
		printf("%*s", last || left < 0 ? 0 : left, "");
	}
	putchar('\n');
}
