/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints "name size offset" or "name value" for all that rlm_certdir/compat declares of FreeRADIUS. check.sh compiles it
 * twice, with our declarations (-DCOMPAT) and with the server's own headers, and compares what the two print.
 *
 * members.h is made by check.sh from our declarations, so that nothing in them can be forgotten here. The prototypes stand
 * here a third time: a compiler that has seen others, ours or the server's, refuses them.
 */
#ifdef COMPAT
#include "freeradius/eap.h"
#else
#include <freeradius-devel/radiusd.h>

#include <freeradius-devel/modpriv.h>

#include <eap.h>
#endif

#include <stddef.h>
#include <stdio.h>

int radlog(log_type_t type, char const *format, ...) CC_HINT(format(printf, 2, 3));
void radlog_request(log_type_t type, log_lvl_t level, REQUEST *request, char const *format, ...)
	CC_HINT(format(printf, 4, 5));
void radlog_request_error(log_type_t type, log_lvl_t level, REQUEST *request, char const *format, ...)
	CC_HINT(format(printf, 4, 5));
int paircompare_register_byname(char const *name, DICT_ATTR const *from, bool first_only, RAD_COMPARE_FUNC compare,
				void *instance);
fr_dlhandle fr_dlopenext(char const *name);
void *fr_dlsym(fr_dlhandle handle, char const *symbol);
int fr_dlclose(fr_dlhandle handle);
char const *fr_dlerror(void);

extern fr_log_t default_log;
extern log_lvl_t rad_debug_lvl;

/* A pointer to one of our function types must take one of theirs. */
static int (*const compare)(void *, REQUEST *, VALUE_PAIR *, VALUE_PAIR *, VALUE_PAIR *,
			    VALUE_PAIR **) = (RAD_COMPARE_FUNC)NULL;

#define MEMBER(_type, _member)                                                                                         \
	printf(#_type "." #_member " size %zu offset %zu\n", sizeof(((_type *)NULL)->_member),                         \
	       offsetof(_type, _member));
#define VALUE(_name) printf(#_name " = %lld\n", (long long)(_name));

int main(void)
{
#include "members.h"
	printf("rlm_rcode_t size %zu\n", sizeof(rlm_rcode_t));
	printf("module_t size %zu\n", sizeof(module_t));
	return compare != NULL;
}
