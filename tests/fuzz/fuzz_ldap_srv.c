/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer over an answer of the DNS with a domain's servers: at most as many as there is room for, each a URI. */
#include "holds.h"
#include "ldap/srv.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX];
	unsigned short seed[3] = {1, 2, 3};
	size_t count;
	const enum certdir_ldap_srv_answer answer = certdir_ldap_srv_read(data, size, "ldap", 0, targets, &count);

	HOLDS((answer == CERTDIR_LDAP_SRV_TARGETS) == (count > 0) && count <= CERTDIR_LDAP_TARGETS_MAX);
	certdir_ldap_srv_order(targets, count, seed);
	for (size_t i = 0; i < count; i++) {
		HOLDS(strncmp(targets[i].uri, "ldap://", 7) == 0 && !strpbrk(targets[i].uri + 7, " ,;/?%@\t\n"));
		HOLDS(i == 0 || targets[i - 1].priority <= targets[i].priority);
	}
	return 0;
}
