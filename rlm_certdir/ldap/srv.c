/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/srv.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include <ldap.h>

#include "text/canonical.h"
#include "text/dn.h"

/* ---- the domain in a URI ---- */

bool certdir_ldap_srv_domain(const char *uri, char domain[CERTDIR_DOMAIN_MAX + 1])
{
	char name[CERTDIR_VALUE_MAX + 1];
	LDAPURLDesc *url = NULL;
	bool ok;

	/* What follows a NUL would be left out. */
	if (strstr(uri, "%00") || ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS)
		return false;
	ok = (!url->lud_host || !*url->lud_host) && url->lud_dn && *url->lud_dn &&
	     strcasecmp(url->lud_scheme, "ldapi") != 0 && certdir_dn_domain(url->lud_dn, true, name) &&
	     strlen(name) <= CERTDIR_DOMAIN_MAX;
	ldap_free_urldesc(url);
	if (ok)
		strcpy(domain, name);
	return ok;
}

/* ---- the records of an answer ---- */

struct reading {
	const unsigned char *message, *end;
	const char *scheme;
	uint16_t port;
	struct certdir_ldap_target *targets;
	size_t count;
	bool refused, broken;
};

static uint16_t get16(const unsigned char *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void keep(struct reading *in, const struct certdir_ldap_target *target)
{
	size_t worst = 0;

	for (size_t i = 0; i < in->count; i++) {
		if (strcmp(in->targets[i].uri, target->uri) == 0)
			return;
		if (in->targets[i].priority > in->targets[worst].priority)
			worst = i;
	}
	if (in->count < CERTDIR_LDAP_TARGETS_MAX)
		in->targets[in->count++] = *target;
	else if (target->priority < in->targets[worst].priority)
		in->targets[worst] = *target;
}

/* Priority, weight, port, target. */
static void read_record(struct reading *in, const unsigned char *data, size_t size)
{
	enum { PRIORITY = 0, WEIGHT = 2, PORT = 4, TARGET = 6 };
	char name[NS_MAXDNAME], host[CERTDIR_VALUE_MAX + 1];
	struct certdir_ldap_target target;
	uint16_t port;
	const int length = size > TARGET ? dn_expand(in->message, in->end, data + TARGET, name, sizeof(name)) : -1;

	if (length < 0 || (size_t)length > size - TARGET) {
		in->broken = true;
		return;
	}
	if (!*name || strcmp(name, ".") == 0) {
		in->refused = true;
		return;
	}
	port = in->port ? in->port : get16(data + PORT);
	if (port == 0 || !certdir_canonical(CERTDIR_ID_DNS, name, strlen(name), host) ||
	    strlen(host) > CERTDIR_DOMAIN_MAX) {
		in->broken = true;
		return;
	}
	target.priority = get16(data + PRIORITY);
	target.weight = get16(data + WEIGHT);
	(void)snprintf(target.uri, sizeof(target.uri), "%s://%s:%hu", in->scheme, host, port);
	keep(in, &target);
}

/* What stands behind the name at `at` and `fixed` bytes more; NULL when the message is not as long. */
static const unsigned char *skip(const struct reading *in, const unsigned char *at, ptrdiff_t fixed)
{
	const int name = at < in->end ? dn_skipname(at, in->end) : -1;

	return name < 0 || in->end - at - name < fixed ? NULL : at + name + fixed;
}

/* Each step moves on by a byte at least, so counts that lie end with the message. */
static void read_records(struct reading *in)
{
	const unsigned char *at = in->message + NS_HFIXEDSZ;

	for (unsigned left = get16(in->message + 4); left > 0 && at; left--)
		at = skip(in, at, NS_QFIXEDSZ);
	for (unsigned left = get16(in->message + 6); left > 0 && at; left--) {
		size_t size;

		at = skip(in, at, NS_RRFIXEDSZ); /* type, class, time to live, size: two, two, four, two bytes */
		size = at ? get16(at - 2) : 0;
		if (!at || (size_t)(in->end - at) < size) {
			at = NULL;
			break;
		}
		if (get16(at - NS_RRFIXEDSZ) == ns_t_srv && get16(at - NS_RRFIXEDSZ + 2) == ns_c_in)
			read_record(in, at, size);
		at += size;
	}
	if (!at)
		in->broken = true;
}

enum certdir_ldap_srv_answer certdir_ldap_srv_read(const unsigned char *message, size_t length, const char *scheme,
						   uint16_t port,
						   struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX],
						   size_t *count)
{
	struct reading in = {
		.message = message, .end = message + length, .scheme = scheme, .port = port, .targets = targets};

	if (length < NS_HFIXEDSZ)
		in.broken = true;
	else
		read_records(&in);
	*count = in.count;
	return in.count	    ? CERTDIR_LDAP_SRV_TARGETS
	       : in.broken  ? CERTDIR_LDAP_SRV_BROKEN
	       : in.refused ? CERTDIR_LDAP_SRV_REFUSED
			    : CERTDIR_LDAP_SRV_NONE;
}

/* ---- their order ---- */

static int compare(const void *a, const void *b)
{
	const struct certdir_ldap_target *one = a, *other = b;

	/* Those of weight 0 first, so that they have a small chance, too. */
	if (one->priority != other->priority)
		return one->priority < other->priority ? -1 : 1;
	return (one->weight != 0) - (other->weight != 0);
}

/* Which of `count` targets of one priority comes first: the one at which the sum of weights reaches what was drawn. */
static size_t draw(const struct certdir_ldap_target *targets, size_t count, unsigned short seed[3])
{
	uint32_t sum = 0, drawn;
	size_t i;

	for (i = 0; i < count; i++)
		sum += targets[i].weight;
	drawn = (uint32_t)nrand48(seed) % (sum + 1);
	for (i = 0, sum = targets[0].weight; sum < drawn; sum += targets[i].weight)
		i++;
	return i;
}

void certdir_ldap_srv_order(struct certdir_ldap_target *targets, size_t count, unsigned short seed[3])
{
	qsort(targets, count, sizeof(*targets), compare);
	for (size_t first = 0; first + 1 < count; first++) {
		struct certdir_ldap_target chosen;
		size_t same = 1, at;

		while (first + same < count && targets[first + same].priority == targets[first].priority)
			same++;
		at = first + draw(targets + first, same, seed);
		/* The others keep their order. */
		chosen = targets[at];
		memmove(targets + first + 1, targets + first, (at - first) * sizeof(*targets));
		targets[first] = chosen;
	}
}

/* ---- asking ---- */

enum { ANSWER_MAX = 65535 };

/*
 * What the DNS has at `name`: NONE also when there is no such name. False with `error` when it does not say. Only ever one
 * packet: over TCP the resolver waits for ever for a server that says nothing. One packet has room for more records than are
 * kept, and what stands in one that was cut short is used.
 */
static bool ask(const char *name, const char *scheme, uint16_t port, struct certdir_ldap_target *targets, size_t *count,
		enum certdir_ldap_srv_answer *answer, struct certdir_error *error)
{
	unsigned char *message = malloc(ANSWER_MAX);
	struct __res_state state = {.options = 0};
	int length;

	if (!message || res_ninit(&state) != 0) {
		certdir_error_set(error, "%s", message ? "the resolver cannot be set up" : "out of memory");
		free(message);
		return false;
	}
	state.options |= RES_USE_EDNS0 | RES_IGNTC;
	state.retrans = 1;
	state.retry = 2;
	length = res_nquery(&state, name, ns_c_in, ns_t_srv, message, ANSWER_MAX);
	*answer = length < 0 ? CERTDIR_LDAP_SRV_NONE
			     : certdir_ldap_srv_read(message, (size_t)(length < ANSWER_MAX ? length : ANSWER_MAX),
						     scheme, port, targets, count);
	if (length < 0 && state.res_h_errno != HOST_NOT_FOUND && state.res_h_errno != NO_DATA)
		certdir_error_set(error, "%s",
				  state.res_h_errno == TRY_AGAIN ? "no name server has an answer"
								 : hstrerror(state.res_h_errno));
	else
		length = 0;
	res_nclose(&state);
	free(message);
	return length == 0;
}

static bool conclude(const char *uri, const char *name, enum certdir_ldap_srv_answer answer,
		     struct certdir_error *error)
{
	static const char *const words[] = {
		[CERTDIR_LDAP_SRV_NONE] = "has no SRV records in the DNS: check the name of the domain, or write the "
					  "servers' host names",
		[CERTDIR_LDAP_SRV_REFUSED] = "says in the DNS that the domain has no LDAP servers",
		[CERTDIR_LDAP_SRV_BROKEN] = "has no SRV records in the DNS that name a host",
	};

	if (answer == CERTDIR_LDAP_SRV_TARGETS)
		return true;
	certdir_error_set(error, "%s: %s %s", uri, name, words[answer]);
	return false;
}

bool certdir_ldap_srv_find(const char *uri, struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX], size_t *count,
			   struct certdir_error *error)
{
	const bool tls = strncasecmp(uri, "ldaps:", 6) == 0;
	const char *const scheme = tls ? "ldaps" : "ldap";
	char domain[CERTDIR_DOMAIN_MAX + 1], name[sizeof("_ldaps._tcp.") + CERTDIR_DOMAIN_MAX];
	enum certdir_ldap_srv_answer answer;
	struct certdir_error why;
	unsigned short seed[3];
	bool ok;

	*count = 0;
	if (!certdir_ldap_srv_domain(uri, domain)) {
		certdir_error_set(error, "%s: this names no domain: write ldap:///dc=example,dc=com", uri);
		return false;
	}
	(void)snprintf(name, sizeof(name), "_%s._tcp.%s", scheme, domain);
	ok = ask(name, scheme, 0, targets, count, &answer, &why);
	if (ok && tls && answer == CERTDIR_LDAP_SRV_NONE) {
		(void)snprintf(name, sizeof(name), "_ldap._tcp.%s", domain);
		ok = ask(name, scheme, LDAPS_PORT, targets, count, &answer, &why);
	}
	if (!ok) {
		certdir_error_set(error, "%s: the servers of %s cannot be found in the DNS: %s", uri, domain, why.text);
		return false;
	}
	if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		certdir_ldap_srv_order(targets, *count, seed);
	return conclude(uri, name, answer, error);
}
