/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <ldap.h>

#include "base/background.h"

enum { ADDRESSES_MAX = 8 }; /* that are tried: each of them needs a share of the time that is worth something */

struct attempt {
	const char *uri;
	struct certdir_watched *watched;
	int64_t until; /* microseconds of certdir_monotonic(): the end of all attempts */
	bool late, halted;
	char words[CERTDIR_TEXT_MAX]; /* what came of each address so far */
};

/* "192.0.2.1: Connection refused", behind what is there already. */
static void note(struct attempt *attempt, const char *address, const char *what)
{
	const size_t used = strlen(attempt->words);

	(void)snprintf(attempt->words + used, sizeof(attempt->words) - used, "%s%s: %s", used ? "; " : "", address,
		       what);
}

static void address_print(const struct sockaddr *address, socklen_t length, char text[NI_MAXHOST])
{
	if (address->sa_family == AF_UNIX)
		(void)snprintf(text, NI_MAXHOST, "%s", ((const struct sockaddr_un *)(const void *)address)->sun_path);
	else if (getnameinfo(address, length, text, NI_MAXHOST, NULL, 0, NI_NUMERICHOST) != 0)
		(void)snprintf(text, NI_MAXHOST, "an address");
}

/* Half a minute to notice that an idle connection's peer is gone without a word. */
static bool set_options(int fd, int family)
{
	const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1}, {IPPROTO_TCP, TCP_NODELAY, 1},	{IPPROTO_TCP, TCP_KEEPIDLE, 15},
		{IPPROTO_TCP, TCP_KEEPCNT, 3}, {IPPROTO_TCP, TCP_KEEPINTVL, 5},
	};

	if (family == AF_UNIX)
		return true;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value)) != 0)
			return false;
	return true;
}

/* How long connect() may wait, and afterwards a write, where 0 is for ever: the watchdog ends that. */
static bool set_patience(int fd, int64_t patience)
{
	const struct timeval time = {.tv_sec = (time_t)(patience / 1000000),
				     .tv_usec = (suseconds_t)(patience % 1000000)};

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) == 0;
}

/* Linux ends a connect() after SO_SNDTIMEO, with these (socket(7); a full backlog of a local socket gives EAGAIN). */
static bool is_late(int number)
{
	return number == EINPROGRESS || number == EAGAIN || number == ETIMEDOUT;
}

/* A connected socket, or -1 with the address and why noted. */
static int try_address(struct attempt *attempt, const struct sockaddr *address, socklen_t length, int64_t patience)
{
	const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char name[NI_MAXHOST], why[CERTDIR_TEXT_MAX];
	bool connected = false;
	int number;

	if (fd >= 0 && set_options(fd, address->sa_family) && set_patience(fd, patience) &&
	    certdir_watched_socket(attempt->watched, fd)) {
		/* connect() ends by itself; the watchdog is for who halts it, and must not be the first otherwise. */
		certdir_watched_begin(attempt->watched, attempt->until + 1000000);
		connected = connect(fd, address, length) == 0 && set_patience(fd, 0);
		number = errno;
		attempt->halted = certdir_watched_end(attempt->watched);
	} else {
		number = errno;
	}
	if (connected && !attempt->halted)
		return fd;
	address_print(address, length, name);
	if (is_late(number)) {
		attempt->late = true;
		(void)snprintf(why, sizeof(why), "no answer within %g s", (double)((patience + 50000) / 100000) / 10);
	} else {
		(void)snprintf(why, sizeof(why), "%s", strerror(number));
	}
	note(attempt, name, why);
	(void)certdir_watched_socket(attempt->watched, -1);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static enum certdir_ldap_status conclude(const struct attempt *attempt, struct certdir_error *error)
{
	certdir_error_set(error, "%s: cannot connect: %s", attempt->uri, attempt->words);
	return attempt->late ? CERTDIR_LDAP_TIMEOUT : CERTDIR_LDAP_LOST;
}

static enum certdir_ldap_status connect_host(int *fd, const LDAPURLDesc *url, int64_t patience, struct attempt *attempt,
					     struct certdir_error *error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	const char *host = url->lud_host && *url->lud_host ? url->lud_host : "localhost";
	struct addrinfo *addresses = NULL;
	char port[sizeof("65535")];
	int64_t count = 0;
	int code;

	(void)snprintf(port, sizeof(port), "%hu", (unsigned short)url->lud_port);
	code = getaddrinfo(host, port, &hints, &addresses);
	if (code != 0) {
		certdir_error_set(error, "%s: the name \"%s\" cannot be resolved: %s", attempt->uri, host,
				  code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
		return CERTDIR_LDAP_LOST;
	}
	for (const struct addrinfo *address = addresses; address && count < ADDRESSES_MAX; address = address->ai_next)
		count++;
	attempt->until = certdir_monotonic() + patience;
	for (const struct addrinfo *address = addresses; count > 0 && *fd < 0 && !attempt->halted;
	     address = address->ai_next, count--) {
		const int64_t left = attempt->until - certdir_monotonic();

		*fd = try_address(attempt, address->ai_addr, address->ai_addrlen, left > count ? left / count : 1);
	}
	freeaddrinfo(addresses);
	return *fd < 0 ? conclude(attempt, error) : CERTDIR_LDAP_OK;
}

/* Where slapd makes its socket when nobody says otherwise: Debian's place, then that of others. */
static const char *default_path(void)
{
	static const char debian[] = "/run/slapd/ldapi", others[] = "/run/ldapi";

	return access(debian, F_OK) != 0 && access(others, F_OK) == 0 ? others : debian;
}

static enum certdir_ldap_status connect_path(int *fd, const LDAPURLDesc *url, int64_t patience, struct attempt *attempt,
					     struct certdir_error *error)
{
	const char *path = url->lud_host && *url->lud_host ? url->lud_host : default_path();
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		certdir_error_set(error, "%s: \"%s\" is too long for the path of a socket", attempt->uri, path);
		return CERTDIR_LDAP_LOST;
	}
	strcpy(address.sun_path, path);
	attempt->until = certdir_monotonic() + patience;
	*fd = try_address(attempt, (const struct sockaddr *)&address, sizeof(address), patience);
	return *fd < 0 ? conclude(attempt, error) : CERTDIR_LDAP_OK;
}

enum certdir_ldap_status certdir_ldap_socket_connect(int *fd, const char *uri, int64_t patience,
						     struct certdir_watched *watched, struct certdir_error *error)
{
	struct attempt attempt = {.uri = uri, .watched = watched};
	enum certdir_ldap_status status;
	LDAPURLDesc *url = NULL;

	*fd = -1;
	if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS || (url->lud_dn && *url->lud_dn)) {
		certdir_error_set(error, "%s: this is no URI of a server", uri);
		ldap_free_urldesc(url);
		return CERTDIR_LDAP_LOST;
	}
	if (strcasecmp(url->lud_scheme, "ldapi") == 0)
		status = connect_path(fd, url, patience, &attempt, error);
	else
		status = connect_host(fd, url, patience, &attempt, error);
	ldap_free_urldesc(url);
	return status;
}
