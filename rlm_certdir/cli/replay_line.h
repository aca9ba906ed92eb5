/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of a journal -> what a login is decided anew by. */
#ifndef CERTDIR_CLI_REPLAY_LINE_H
#define CERTDIR_CLI_REPLAY_LINE_H

#include "base/certdir.h"

enum { CERTDIR_CLI_REPLAY_LINE_MAX = 1 << 20 /* bytes; a longer line is no decision of ours */ };

/* Bytes of a line; what a journal has of a certificate or a User-Name may be anything. */
struct certdir_cli_replay_bytes {
	char *bytes; /* room for CERTDIR_CLI_REPLAY_LINE_MAX and a NUL */
	size_t length;
	bool there;
};

struct certdir_cli_replay_line {
	int64_t version; /* 0 = none */
	int64_t dropped;
	char time[32], module[256], reason[64]; /* "" = none */
	/* For people; cut where they are longer. */
	char mode[16], device[64], name[128], subject[256];
	struct certdir_cli_replay_bytes user_name, der; /* the latter in base64 */
};

/* False when memory is out. */
bool certdir_cli_replay_line_init(struct certdir_cli_replay_line *line);
void certdir_cli_replay_line_clear(struct certdir_cli_replay_line *line);

/* False when it is no JSON object, or has one of these keys with something else behind it. */
bool certdir_cli_replay_line_read(struct certdir_cli_replay_line *line, const char *text, size_t length);

#endif
