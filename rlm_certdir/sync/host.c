/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/host.h"
#include "base/background.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

/* What the resolver's thread reads and writes. */
struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	char name[];
};

bool certdir_host_is_unknown(const char *name, const struct certdir_http_limits *limits)
{
	static const struct timespec look = {.tv_nsec = 100000000};
	struct lookup *lookup = calloc(1, sizeof(*lookup) + strlen(name) + 1);
	struct gaicb *requests[] = {lookup ? &lookup->request : NULL};
	int result = EAI_INPROGRESS;

	if (!lookup)
		return false;
	lookup->hints.ai_socktype = SOCK_STREAM;
	lookup->request.ar_request = &lookup->hints;
	lookup->request.ar_name = strcpy(lookup->name, name);
	if (getaddrinfo_a(GAI_NOWAIT, requests, 1, NULL) != 0) {
		free(lookup);
		return false;
	}
	while ((result = gai_error(requests[0])) == EAI_INPROGRESS) {
		/* A thread that waits for a name server cannot be ended: it keeps what it works on. */
		if ((limits->stop && *limits->stop) || certdir_monotonic() >= limits->deadline) {
			if (gai_cancel(requests[0]) != EAI_NOTCANCELED)
				free(lookup);
			return false;
		}
		(void)gai_suspend((const struct gaicb *const *)requests, 1, &look);
	}
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	free(lookup);
	return result == EAI_NONAME || result == EAI_NODATA || result == EAI_ADDRFAMILY;
}
