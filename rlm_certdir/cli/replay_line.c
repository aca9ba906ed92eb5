/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By yajl's events, as a journal may have millions of lines, and a dozen values of each are wanted. */
#include "cli/replay_line.h"

#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

/* Which value comes next. */
enum place { OTHER, VERSION, DROPPED, TIME, MODULE, REASON, USER_NAME, DER, MODE, DEVICE, NAME, SUBJECT };

static const struct {
	const char *section; /* "" = at the top */
	const char *key;
	enum place place;
} places[] = {
	{"", "version", VERSION},
	{"", "dropped", DROPPED},
	{"", "time", TIME},
	{"", "module", MODULE},
	{"", "reason", REASON},
	{"login", "user_name", USER_NAME},
	{"certificate", "der", DER},
	{"", "mode", MODE},
	{"device", "id", DEVICE},
	{"device", "name", NAME},
	{"certificate", "subject", SUBJECT},
};

struct reading {
	struct certdir_cli_replay_line *line;
	char section[16]; /* the last key at the top */
	unsigned depth;
	enum place place;
};

static bool is(const char *text, const unsigned char *bytes, size_t length)
{
	return strlen(text) == length && memcmp(text, bytes, length) == 0;
}

static int take_key(void *context, const unsigned char *key, size_t length)
{
	struct reading *reading = context;

	reading->place = OTHER;
	if (reading->depth == 1) {
		const size_t kept = length < sizeof(reading->section) ? length : 0;

		memcpy(reading->section, key, kept);
		reading->section[kept] = '\0';
	}
	for (size_t i = 0; reading->depth <= 2 && i < sizeof(places) / sizeof(places[0]); i++)
		if (is(places[i].key, key, length) &&
		    strcmp(places[i].section, reading->depth == 1 ? "" : reading->section) == 0)
			reading->place = places[i].place;
	return 1;
}

/* What cannot be right of a wanted value ends the line; of others it is nobody's business. */
static int take_wrong(struct reading *reading)
{
	return reading->place == OTHER;
}

static int take_null(void *context)
{
	return take_wrong(context);
}

static int take_boolean(void *context, int value)
{
	(void)value;
	return take_wrong(context);
}

static int take_double(void *context, double value)
{
	(void)value;
	return take_wrong(context);
}

static int take_integer(void *context, long long value)
{
	struct reading *reading = context;

	if (reading->place == VERSION)
		reading->line->version = value;
	else if (reading->place == DROPPED)
		reading->line->dropped = value;
	else
		return take_wrong(reading);
	reading->place = OTHER;
	return 1;
}

/* A text without a NUL in it that fits. */
static int take_text(char *to, size_t size, const unsigned char *bytes, size_t length)
{
	if (length >= size || memchr(bytes, 0, length))
		return 0;
	memcpy(to, bytes, length);
	to[length] = '\0';
	return 1;
}

static int take_shown(char *to, size_t size, const unsigned char *bytes, size_t length)
{
	if (length >= size)
		length = size - 1;
	memcpy(to, bytes, length);
	to[length] = '\0';
	return 1;
}

static int take_bytes(struct certdir_cli_replay_bytes *to, const unsigned char *bytes, size_t length)
{
	memcpy(to->bytes, bytes, length);
	to->bytes[length] = '\0';
	to->length = length;
	to->there = true;
	return 1;
}

static int take_string(void *context, const unsigned char *bytes, size_t length)
{
	struct reading *reading = context;
	struct certdir_cli_replay_line *line = reading->line;
	const enum place place = reading->place;

	reading->place = OTHER;
	switch (place) {
	case OTHER:
		return 1;
	case TIME:
		return take_text(line->time, sizeof(line->time), bytes, length);
	case MODULE:
		return take_text(line->module, sizeof(line->module), bytes, length);
	case REASON:
		return take_text(line->reason, sizeof(line->reason), bytes, length);
	case USER_NAME:
		return take_bytes(&line->user_name, bytes, length);
	case DER:
		return take_bytes(&line->der, bytes, length);
	case MODE:
		return take_shown(line->mode, sizeof(line->mode), bytes, length);
	case DEVICE:
		return take_shown(line->device, sizeof(line->device), bytes, length);
	case NAME:
		return take_shown(line->name, sizeof(line->name), bytes, length);
	case SUBJECT:
		return take_shown(line->subject, sizeof(line->subject), bytes, length);
	case VERSION:
	case DROPPED:
		break;
	}
	return 0;
}

static int begin_map(void *context)
{
	struct reading *reading = context;

	reading->depth++;
	return take_wrong(reading);
}

/* The line itself is no array. */
static int begin_array(void *context)
{
	struct reading *reading = context;

	return take_wrong(reading) && reading->depth++ > 0;
}

static int end(void *context)
{
	((struct reading *)context)->depth--;
	return 1;
}

bool certdir_cli_replay_line_init(struct certdir_cli_replay_line *line)
{
	memset(line, 0, sizeof(*line));
	line->user_name.bytes = malloc(CERTDIR_CLI_REPLAY_LINE_MAX + 1);
	line->der.bytes = malloc(CERTDIR_CLI_REPLAY_LINE_MAX + 1);
	return line->user_name.bytes && line->der.bytes;
}

void certdir_cli_replay_line_clear(struct certdir_cli_replay_line *line)
{
	free(line->user_name.bytes);
	free(line->der.bytes);
}

bool certdir_cli_replay_line_read(struct certdir_cli_replay_line *line, const char *text, size_t length)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = take_null,
		.yajl_boolean = take_boolean,
		.yajl_integer = take_integer,
		.yajl_double = take_double,
		.yajl_string = take_string,
		.yajl_start_map = begin_map,
		.yajl_map_key = take_key,
		.yajl_end_map = end,
		.yajl_start_array = begin_array,
		.yajl_end_array = end,
	};
	struct reading reading = {.line = line};
	yajl_handle parser;
	bool read;

	line->version = line->dropped = 0;
	line->time[0] = line->module[0] = line->reason[0] = line->mode[0] = '\0';
	line->device[0] = line->name[0] = line->subject[0] = '\0';
	line->user_name.there = line->der.there = false;
	line->user_name.length = line->der.length = 0;
	parser = length <= CERTDIR_CLI_REPLAY_LINE_MAX ? yajl_alloc(&callbacks, NULL, &reading) : NULL;
	read = parser && yajl_parse(parser, (const unsigned char *)text, length) == yajl_status_ok &&
	       yajl_complete_parse(parser) == yajl_status_ok;
	if (parser)
		yajl_free(parser);
	return read;
}
