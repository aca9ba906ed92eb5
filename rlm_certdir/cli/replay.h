/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logins of journals, decided anew: what was found, for those who print it. */
#ifndef CERTDIR_CLI_REPLAY_H
#define CERTDIR_CLI_REPLAY_H

#include "base/certdir.h"

/* A certificate and outer identity that logged in, decided once. */
struct certdir_cli_replayed {
	char *subject, *serial; /* of the certificate, owned; NULL = not known */
	char *device; /* its id, owned; NULL = none was found */
	enum certdir_reason reason; /* now */
	char *detail; /* owned */
	uint64_t logins[CERTDIR_REASONS]; /* how many, by what was decided then */
};

struct certdir_cli_replay {
	struct certdir_cli_replayed *replayed;
	size_t count;
	uint64_t logins; /* decided anew */
	char from[32], to[32]; /* when the first and the last of them was, "" = none */
	uint64_t without; /* certificate: certdir never saw them, or took it from attributes */
	uint64_t elsewhere; /* of another instance than --module names */
	uint64_t newer; /* of another version */
	uint64_t broken;
	uint64_t missing; /* that the server could not write */
};

/* How many logins, of how many certificates, went from one reason to another. */
struct certdir_cli_replay_change {
	uint64_t logins;
	size_t certificates;
};
/* The change between two reasons; zeros where no login changed so. */
struct certdir_cli_replay_change certdir_cli_replay_change(const struct certdir_cli_replay *replay,
							   enum certdir_reason from, enum certdir_reason to);

/* Whether it is a change that a device would notice: in, and out before, or the other way. */
bool certdir_cli_replay_matters(enum certdir_reason from, enum certdir_reason to);

/* Print on stdout. The JSON is one object; false when memory is out. */
void certdir_cli_replay_print(const struct certdir_cli_replay *replay);
bool certdir_cli_replay_print_json(const struct certdir_cli_replay *replay);

#endif
