/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a module needs of the server and Debian's libfreeradius-dev does not ship: its radiusd.h includes eight headers that
 * are not in the package. Declared here is only what certdir touches; everything else stays opaque. The installed headers
 * (libradius.h, conffile.h, modules.h) are used as they are. `make check-compat` compares every size and offset below with the
 * true headers of the distribution's source package.
 *
 * Interface facts from FreeRADIUS 3.2.x: src/include/radiusd.h, log.h, xlat.h, modpriv.h.
 */
#ifndef CERTDIR_COMPAT_SERVER_H
#define CERTDIR_COMPAT_SERVER_H

/* RADIUSD_VERSION is written 030201: octal to the preprocessor, and no number at all for 030208. Put a 1 in front. */
#define COMPAT_PASTE_(a, b) a##b
#define COMPAT_PASTE(a, b) COMPAT_PASTE_(a, b)
#define COMPAT_FREERADIUS COMPAT_PASTE(1, RADIUSD_VERSION)

/* 3.0 would compile and fail when radiusd loads the module; 4 has another module interface. */
#if COMPAT_FREERADIUS < 1030200 || COMPAT_FREERADIUS >= 1040000
#error "certdir is for FreeRADIUS 3.2, and these are headers of another version: install that, or name its FREERADIUS_PREFIX"
#endif

#include <freeradius/libradius.h>

typedef struct rad_request REQUEST;
typedef struct main_config main_config_t;
typedef struct vp_tmpl_t vp_tmpl_t;

#include <freeradius/conf.h>
#include <freeradius/conffile.h>

typedef enum rlm_rcodes {
	RLM_MODULE_REJECT = 0,
	RLM_MODULE_FAIL,
	RLM_MODULE_OK,
	RLM_MODULE_HANDLED,
	RLM_MODULE_INVALID,
	RLM_MODULE_USERLOCK,
	RLM_MODULE_NOTFOUND,
	RLM_MODULE_NOOP,
	RLM_MODULE_UPDATED,
	RLM_MODULE_NUMCODES,
	RLM_MODULE_UNKNOWN
} rlm_rcode_t;

#include <freeradius/modules.h>

/* ---- log.h ---- */

typedef enum log_type { L_INFO = 3, L_ERR = 4, L_WARN = 5, L_DBG = 16, L_DBG_ERR = 18 } log_type_t;
typedef enum log_lvl {
	L_DBG_LVL_DISABLE = -1,
	L_DBG_LVL_OFF,
	L_DBG_LVL_1,
	L_DBG_LVL_2,
	L_DBG_LVL_3,
	L_DBG_LVL_MAX
} log_lvl_t;
typedef enum log_dst { L_DST_STDOUT, L_DST_FILES, L_DST_SYSLOG, L_DST_STDERR, L_DST_NULL, L_DST_NUM_DEST } log_dst_t;

typedef struct fr_log_t {
	bool colourise;
	int fd;
	log_dst_t dst;
	char const *file;
	char const *debug_file;
} fr_log_t;

extern fr_log_t default_log;
extern log_lvl_t rad_debug_lvl;

int radlog(log_type_t type, char const *format, ...) CC_HINT(format(printf, 2, 3));
void radlog_request(log_type_t type, log_lvl_t level, REQUEST *request, char const *format, ...)
	CC_HINT(format(printf, 4, 5));
/* As above, and sets Module-Failure-Message. */
void radlog_request_error(log_type_t type, log_lvl_t level, REQUEST *request, char const *format, ...)
	CC_HINT(format(printf, 4, 5));

/* ---- radiusd.h: the head of a request, as far as we look into it ---- */

struct rad_request {
#ifndef NDEBUG
	uint32_t magic;
#endif
	unsigned int number;
	time_t timestamp;
	void *data;
	void *listener;
	void *client;
	RADIUS_PACKET *packet;
	VALUE_PAIR *username;
	VALUE_PAIR *password;
	RADIUS_PACKET *reply;
	VALUE_PAIR *config; /* unlang's control list */
#if COMPAT_FREERADIUS >= 1030209
	TALLOC_CTX *ctx;
#endif
	TALLOC_CTX *state_ctx;
	VALUE_PAIR *state; /* unlang's session-state list */
#ifdef WITH_PROXY
	void *proxy_listener;
	RADIUS_PACKET *proxy;
	RADIUS_PACKET *proxy_reply;
	void *home_server;
	void *home_pool;
#endif
	void *process;
	struct timeval response_delay;
#if COMPAT_FREERADIUS < 1030209
	int timer_action; /* an enum */
#endif
	void *ev;
	void *handle;
#if COMPAT_FREERADIUS >= 1030209
	void *original_handle;
#endif
	rlm_rcode_t rcode;
	char const *module;
	char const *component;
	int delay;
	int master_state; /* an enum */
	int child_state; /* an enum */
	pthread_t child_pid;
	main_config_t *root;
	int simul_max;
#ifdef WITH_SESSION_MGMT
	int simul_count;
	int simul_mpp;
#endif
	int priority; /* an enum */
	bool max_time;
	bool in_request_hash;
#if COMPAT_FREERADIUS >= 1030207
	bool eap_inner_tunnel;
#endif
#ifdef WITH_PROXY
	bool in_proxy_hash;
	uint32_t num_proxied_requests;
	uint32_t num_proxied_responses;
#endif
	char const *server;
	REQUEST *parent; /* of a fake request, as check-eap-tls and inner tunnels run in */
	/* more follows; requests are only ever allocated by the server */
};

/* ---- clients.h: the head of a client ---- */

typedef struct radclient {
	void *list;
	fr_ipaddr_t ipaddr;
	fr_ipaddr_t src_ipaddr;
	char const *longname;
	char const *shortname;
	char const *secret;
	/* more follows; clients are only ever allocated by the server */
} RADCLIENT;

typedef int (*RAD_COMPARE_FUNC)(void *instance, REQUEST *request, VALUE_PAIR *packet, VALUE_PAIR *check,
				VALUE_PAIR *check_list, VALUE_PAIR **reply_list);
int paircompare_register_byname(char const *name, DICT_ATTR const *from, bool first_only, RAD_COMPARE_FUNC compare,
				void *instance);

/* ---- modpriv.h ---- */

typedef void *fr_dlhandle;
fr_dlhandle fr_dlopenext(char const *name);
void *fr_dlsym(fr_dlhandle handle, char const *symbol);
int fr_dlclose(fr_dlhandle handle);
char const *fr_dlerror(void);

#endif
