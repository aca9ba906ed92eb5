/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FreeRADIUS module: glue between a request and the check flow. What decides is in the rooms, not here. */
#include <ctype.h>
#include <time.h>

#include <openssl/x509.h>

#include "accounting.h"
#include "checker.h"
#include "decision_json.h"
#include "decision_line.h"
#include "eap_tls_session.h"
#include "journal/journal.h"
#include "metering.h"
#include "raddb.h"
#include "raddb_section.h"
#include "reply.h"
#include "request.h"
#include "version.h"
#include "wiring.h"

typedef struct rlm_certdir {
	struct certdir_raddb raddb; /* filled in instantiate; the server allocates this structure zeroed */
	char const *name; /* the instance */
	struct certdir_journal *journal; /* or NULL */
	struct certdir_metering *metering; /* or NULL */
	struct certdir_metrics_file *metrics; /* or NULL */
	bool hooked;
	struct certdir_accounting *accounting; /* NULL without sessions { } */
} rlm_certdir_t;

/* A login on its way through here. */
struct judged {
	struct timespec begin;
	X509 *certificate; /* owned; NULL = it is not at hand */
	struct certdir_check check;
};

static void begin_login(struct judged *judged)
{
	clock_gettime(CLOCK_MONOTONIC, &judged->begin);
	judged->certificate = NULL;
	memset(&judged->check, 0, sizeof(judged->check));
}

/* ---- the outcome: return code and log ---- */

static rlm_rcode_t rcode(enum certdir_reason reason)
{
	switch (reason) {
	case CERTDIR_ALLOWED:
	case CERTDIR_ALLOWED_STALE:
		return RLM_MODULE_OK;
	case CERTDIR_NOT_FOUND:
		return RLM_MODULE_NOTFOUND;
	case CERTDIR_DISABLED:
	case CERTDIR_REVOKED:
	case CERTDIR_RETIRED:
		return RLM_MODULE_USERLOCK;
	case CERTDIR_NO_CERTIFICATE:
		return RLM_MODULE_NOOP;
	case CERTDIR_MALFORMED_CERTIFICATE:
	case CERTDIR_NO_IDENTITY:
	case CERTDIR_AMBIGUOUS:
	case CERTDIR_CONFLICT:
	case CERTDIR_SID_MISMATCH:
	case CERTDIR_NAME_MISMATCH:
		return RLM_MODULE_INVALID;
	case CERTDIR_NOT_MANAGED:
	case CERTDIR_NOT_COMPLIANT:
	case CERTDIR_COMPLIANCE_UNKNOWN:
	case CERTDIR_INACTIVE:
	case CERTDIR_JOIN_TYPE:
	case CERTDIR_NOT_IN_GROUP:
	case CERTDIR_ISSUER:
	case CERTDIR_OWNERSHIP:
	case CERTDIR_SYSTEM:
	case CERTDIR_UNSEEN:
		return RLM_MODULE_REJECT;
	case CERTDIR_DIRECTORY_UNAVAILABLE:
	case CERTDIR_LIST_STALE:
	case CERTDIR_LIST_MISSING:
	case CERTDIR_REASONS:
		break;
	}
	return RLM_MODULE_FAIL;
}

static int64_t microseconds_since(struct timespec const *begin)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	return (int64_t)(end.tv_sec - begin->tv_sec) * 1000000 + (end.tv_nsec - begin->tv_nsec) / 1000;
}

static void record(rlm_certdir_t const *inst, REQUEST *request, struct judged const *judged, int64_t took)
{
	struct certdir_told told = {.took = took, .module = inst->name, .observe = inst->raddb.observe};
	struct certdir_request_texts texts;
	unsigned char *der = NULL;
	struct timespec now;
	size_t size;
	int length;
	char *line;

	if (!inst->journal)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	told.at = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	certdir_request_told(request, &told, &texts);
	length = judged->certificate ? i2d_X509(judged->certificate, &der) : 0;
	told.der = length > 0 ? der : NULL;
	told.der_length = length > 0 ? (size_t)length : 0;
	line = certdir_decision_json(&judged->check, &told, &size);
	certdir_journal_add(inst->journal, line, size);
	OPENSSL_free(der);
}

static rlm_rcode_t finish(rlm_certdir_t const *inst, REQUEST *request, struct judged *judged)
{
	struct certdir_check *check = &judged->check;
	enum certdir_reason const reason = check->decision.reason;
	bool const observe = inst->raddb.observe;
	char class[CERTDIR_CLASS_MAX + 1];
	int64_t const took = microseconds_since(&judged->begin);

	certdir_line_log(request, check, took, observe);
	record(inst, request, judged, took);
	if (inst->metering)
		certdir_metering_add(inst->metering, check, took);
	if (!observe && certdir_reason_verdict(reason) != CERTDIR_ALLOW)
		radlog_request_error(L_DBG_ERR, L_DBG_LVL_1, request, "%s%s%s", certdir_reason_name(reason),
				     check->decision.detail[0] ? ": " : "", check->decision.detail);
	certdir_reply_put(request, check, observe);
	if (inst->accounting && certdir_accounting_class(inst->accounting, check, class))
		certdir_reply_put_class(request, class);
	certdir_check_clear(check);
	X509_free(judged->certificate);
	return observe ? RLM_MODULE_OK : rcode(reason);
}

static struct certdir_login login_of(REQUEST *request)
{
	VALUE_PAIR const *user = request->username;

	return (struct certdir_login){.user_name = user ? user->vp_strvalue : NULL,
				      .user_name_length = user ? user->vp_length : 0,
				      .now = (int64_t)time(NULL)};
}

/* ---- certificate = session ---- */

static void check_session(REQUEST *request, struct certdir_checker const *checker, struct judged *judged)
{
	struct certdir_check *check = &judged->check;
	struct certdir_login const login = login_of(request);
	struct certdir_error error;

	switch (eap_tls_session_certificate(request, &judged->certificate, &error)) {
	case EAP_TLS_SESSION_FOUND:
		certdir_check_x509(check, checker, judged->certificate, &login);
		break;
	case EAP_TLS_SESSION_NONE:
		(void)certdir_conclude(&check->decision, CERTDIR_NO_CERTIFICATE, "%s", error.text);
		break;
	case EAP_TLS_SESSION_UNREACHABLE:
		(void)certdir_conclude(&check->decision, CERTDIR_DIRECTORY_UNAVAILABLE, "%s", error.text);
		break;
	}
}

/* ---- certificate = attributes ---- */

static struct {
	char const *name;
	char const *from;
	DICT_ATTR const *da;
} certificate_attributes[] = {
	{"TLS-Client-Cert-Common-Name", "subject.cn", NULL},
	{"TLS-Client-Cert-Subject-Alt-Name-Dns", "san.dns", NULL},
	{"TLS-Client-Cert-Subject-Alt-Name-Upn", "san.upn", NULL},
	{"TLS-Client-Cert-Subject-Alt-Name-Uri", "san.uri", NULL}, /* since 3.2.7 */
	{"TLS-Client-Cert-Subject-Alt-Name-Email", "san.email", NULL},
};

enum { CERTIFICATE_ATTRIBUTES = sizeof(certificate_attributes) / sizeof(certificate_attributes[0]) };

static bool add_attributes(REQUEST *request, struct certdir_rules const *rules, struct certdir_certificate *certificate,
			   struct certdir_error *error)
{
	for (size_t i = 0; i < CERTIFICATE_ATTRIBUTES; i++) {
		DICT_ATTR const *da = certificate_attributes[i].da;

		for (VALUE_PAIR *vp = request->packet->vps; vp; vp = vp->next)
			if (vp->da == da && da &&
			    !certdir_certificate_add(certificate, certificate_attributes[i].from, vp->vp_strvalue,
						     vp->vp_length, rules, error))
				return false;
	}
	certdir_certificate_rank(certificate, rules);
	return true;
}

/* Texts of the server's own making, for issuer limits and log lines. */
static char *copy_attribute(REQUEST *request, enum certdir_login_attribute attribute)
{
	VALUE_PAIR *vp = certdir_request_pair(request, attribute);

	return strdup(vp ? vp->vp_strvalue : "");
}

/* The server writes serial numbers in lower case, we in upper, as most certificate tools do. */
static void upper_case(char *text)
{
	for (; text && *text; text++)
		*text = (char)toupper((unsigned char)*text);
}

/* The server puts the issuer's CN into TLS-Client-Cert-Common-Name when the certificate has none of its own. */
static bool has_foreign_cn(REQUEST *request, struct certdir_certificate const *certificate)
{
	DICT_ATTR const *da = certificate_attributes[0].da;

	return da && certificate->subject[0] && !strstr(certificate->subject, "/CN=") &&
	       fr_pair_find_by_da(request->packet->vps, da, TAG_ANY);
}

static void check_attributes(REQUEST *request, struct certdir_checker const *checker, struct certdir_check *check)
{
	struct certdir_login const login = login_of(request);
	struct certdir_rules const rules = certdir_checker_rules(checker);
	struct certdir_certificate *certificate = &check->certificate;
	struct certdir_decision *decision = &check->decision;
	struct certdir_error error;

	certificate->subject = copy_attribute(request, CERTDIR_LOGIN_SUBJECT);
	certificate->issuer = copy_attribute(request, CERTDIR_LOGIN_ISSUER);
	certificate->serial = copy_attribute(request, CERTDIR_LOGIN_SERIAL);
	upper_case(certificate->serial);
	check->parsed = true;
	if (!certificate->subject || !certificate->issuer || !certificate->serial)
		(void)certdir_conclude(decision, CERTDIR_DIRECTORY_UNAVAILABLE, "out of memory");
	/* The server decoded these strings: CN=\160c01 is pc01 in them. Where the certificate itself can be read, it is. */
	else if (eap_tls_session_present(request))
		(void)certdir_conclude(decision, CERTDIR_MALFORMED_CERTIFICATE,
				       "this is an EAP-TLS login, and its attributes are not the certificate: set "
				       "certificate = session");
	else if (has_foreign_cn(request, certificate))
		(void)certdir_conclude(decision, CERTDIR_MALFORMED_CERTIFICATE,
				       "the subject has no CN: TLS-Client-Cert-Common-Name is the issuer's");
	else if (!add_attributes(request, &rules, certificate, &error))
		(void)certdir_conclude(decision, CERTDIR_MALFORMED_CERTIFICATE, "%s", error.text);
	else if (!certificate->count && !certificate->subject[0])
		(void)certdir_conclude(decision, CERTDIR_NO_CERTIFICATE,
				       "the request carries no TLS-Client-Cert-* attributes");
	else
		certdir_check_names(check, checker, &login);
}

/* ---- authorize ---- */

static rlm_rcode_t CC_HINT(nonnull) mod_authorize(void *instance, REQUEST *request)
{
	rlm_certdir_t const *inst = instance;
	struct judged judged;

	begin_login(&judged);
	if (inst->raddb.from_attributes)
		check_attributes(request, &inst->raddb.checker, &judged.check);
	else
		check_session(request, &inst->raddb.checker, &judged);
	return finish(inst, request, &judged);
}

/* ---- post-auth: no login ends without certdir ---- */

static VALUE_PAIR *packet_pair(REQUEST *request, unsigned attribute)
{
	return fr_pair_find_by_num(certdir_request_outermost(request)->packet->vps, attribute, 0, TAG_ANY);
}

/* Why certdir was not asked, as far as the request shows it. What the server has to say itself comes last. */
static void say_why_unseen(REQUEST *request, char text[CERTDIR_TEXT_MAX])
{
	enum { EAP_TLS = 13, EAP_TTLS = 21, EAP_PEAP = 25, EAP_FAST = 43 };
	VALUE_PAIR *const type = packet_pair(request, PW_EAP_TYPE);
	VALUE_PAIR *const failure = packet_pair(request, PW_MODULE_FAILURE_MESSAGE);
	bool const rejected = request->reply->code == PW_CODE_ACCESS_REJECT;
	char const *name = type ? dict_valnamebyattr(PW_EAP_TYPE, 0, type->vp_integer) : NULL, *why;

	if (!type)
		why = "no EAP in this login";
	else if (type->vp_integer == EAP_TLS && rejected)
		why = "it ended in the TLS handshake, or `virtual_server` in tls { } of the eap module is wrong";
	else if (type->vp_integer == EAP_TLS)
		why = "tls { } of the eap module has no `virtual_server` that calls certdir";
	else if (type->vp_integer != EAP_TTLS && type->vp_integer != EAP_PEAP && type->vp_integer != EAP_FAST)
		why = "only EAP-TLS shows a client certificate";
	else if (packet_pair(request, PW_EAP_SESSION_RESUMED))
		why = "a resumed session has no inner login: set cache { enable = no } in the tls-config that it uses, "
		      "or "
		      "call certdir_full_tunnel in authorize of the site";
	else
		why = "no EAP-TLS inside, no `virtual_server` in tls { } of the inner eap module that calls certdir, "
		      "or a "
		      "resumed session, which certdir_full_tunnel ends (the next login is a full one)";
	certdir_say(text, "certdir never saw this login (EAP-Type %s): %s%s%s", name ? name : "-", why,
		    rejected && failure ? "; the server says: " : "", rejected && failure ? failure->vp_strvalue : "");
}

/*
 * In post-auth of the site that the network devices send to. The server runs the section again, as Post-Auth-Type REJECT, for
 * what it rejects; the code of the reply tells which of the two it is. The decision in session-state is this login's
 * own: session-state is found by State, and is new for each login. Of what is not allowed, quarantine alone gets through here; where nobody
 * is denied, all.
 */
static rlm_rcode_t CC_HINT(nonnull) mod_post_auth(void *instance, REQUEST *request)
{
	rlm_certdir_t const *inst = instance;
	bool quarantine;
	char const *const decision = certdir_reply_decision(request, &quarantine);
	bool const accepted = request->reply->code == PW_CODE_ACCESS_ACCEPT;
	struct judged judged;
	rlm_rcode_t code;

	if (!accepted && (decision || request->reply->code != PW_CODE_ACCESS_REJECT))
		return RLM_MODULE_NOOP;
	if (decision && strcmp(decision, certdir_verdict_name(CERTDIR_ALLOW)) == 0)
		return RLM_MODULE_OK;
	/* What another instance denied is the site's to let in, where this one denies nobody. */
	if (decision && (quarantine || inst->raddb.observe))
		return RLM_MODULE_NOOP;
	if (decision) {
		/* The line with the reason is in the log already; this one says where the site lets go of it. */
		radlog_request(L_ERR, L_DBG_LVL_OFF, request,
			       "the site accepts what certdir decided to %s: rejected; have the server that "
			       "tls { virtual_server } names reject all but ok, as sites-available/certdir-check does",
			       decision);
		return RLM_MODULE_REJECT;
	}
	begin_login(&judged);
	judged.check.decision.reason = CERTDIR_UNSEEN;
	say_why_unseen(request, judged.check.decision.detail);
	code = finish(inst, request, &judged);
	return accepted ? code : RLM_MODULE_NOOP;
}

/* ---- accounting: which sessions there are ---- */

static rlm_rcode_t CC_HINT(nonnull) mod_accounting(void *instance, REQUEST *request)
{
	rlm_certdir_t const *inst = instance;

	return inst->accounting ? certdir_accounting_take(inst->accounting, request) : RLM_MODULE_NOOP;
}

/* ---- the server's side ---- */

static void log_to_server(enum certdir_log_level level, char const *text)
{
	static log_type_t const types[] = {L_INFO, L_WARN, L_ERR};

	radlog(types[level], "rlm_certdir: %s", text);
}

static int mod_bootstrap(CONF_SECTION *cs, UNUSED void *instance)
{
	static bool told;

	certdir_log_set(log_to_server);
	if (!told)
		radlog(L_INFO, "rlm_certdir: %s", certdir_version);
	told = true;
	if (!certdir_reply_define(cs))
		return -1;
	for (size_t i = 0; i < CERTIFICATE_ATTRIBUTES; i++)
		certificate_attributes[i].da = dict_attrbyname(certificate_attributes[i].name);
	certdir_request_attributes();
	return 0;
}

static void tell_finding(void *context, struct certdir_finding const *finding)
{
	*(bool *)context &= !finding->error;
	radlog(finding->error ? L_ERR : L_WARN, "%s[%d]: rlm_certdir: %s", finding->file, finding->line, finding->text);
}

/* Once for all instances: what one of them does not see, another may. */
static bool wiring_sound(CONF_SECTION *cs)
{
	static bool checked, sound = true;

	if (!checked)
		certdir_wiring_check(cf_top_section(cs), tell_finding, &sound);
	checked = true;
	return sound;
}

/* Under -C nothing is written. */
static bool journal_opened(rlm_certdir_t *inst, CONF_SECTION *cs)
{
	struct certdir_error error;

	if (check_config || !*inst->raddb.journal)
		return true;
	inst->journal = certdir_journal_open(inst->raddb.journal, &error);
	if (!inst->journal)
		cf_log_err_cs(cs, "journal: %s", error.text);
	return inst->journal;
}

/* Under -C its options are looked at, and nothing begins. */
static bool accounting_opened(rlm_certdir_t *inst, CONF_SECTION *cs)
{
	struct certdir_error error;
	bool opened = true;

	if (inst->raddb.sessions.wanted && check_config)
		opened = certdir_accounting_check(cs, &inst->raddb, &error);
	else if (inst->raddb.sessions.wanted)
		opened = (inst->accounting = certdir_accounting_open(cs, &inst->raddb, &error)) != NULL;
	if (!opened)
		cf_log_err_cs(cf_section_sub_find(cs, "sessions"), "%s", error.text);
	return opened;
}

/* The last to be opened and the first to be closed: it looks at all the others. */
static bool metrics_opened(rlm_certdir_t *inst, CONF_SECTION *cs)
{
	struct certdir_error error = {.text = "out of memory"};

	if (check_config || !*inst->raddb.metrics)
		return true;
	inst->metering = calloc(1, sizeof(*inst->metering));
	if (inst->metering) {
		inst->metering->module = inst->name;
		inst->metering->version = certdir_version_own;
		inst->metering->server = certdir_version_server;
		inst->metering->checker = &inst->raddb.checker;
		inst->metering->observe = inst->raddb.observe;
		inst->metering->journal = inst->journal;
		inst->metering->sessions = inst->accounting ? certdir_accounting_sessions(inst->accounting) : NULL;
		certdir_metering_begin(inst->metering);
		inst->metrics =
			certdir_metrics_file_open(inst->raddb.metrics, certdir_metering_print, inst->metering, &error);
	}
	if (!inst->metrics)
		cf_log_err_cs(cs, "metrics: %s", error.text);
	return inst->metrics;
}

static int mod_instantiate(CONF_SECTION *cs, void *instance)
{
	rlm_certdir_t *inst = instance;
	struct certdir_error error;

	if (!wiring_sound(cs))
		return -1;
	/* Under -C the lists are read once and looked at; nothing needs to be watched. */
	if (!certdir_raddb_read(cs, !check_config, &inst->raddb))
		return -1;
	if (inst->raddb.observe)
		radlog(L_WARN,
		       "%s[%d]: rlm_certdir (%s): policy { mode = observe }: nobody is denied, whatever certdir "
		       "decides",
		       cf_section_filename(cs), cf_section_lineno(cs), section_instance(cs));
	inst->hooked = eap_tls_session_hook(&error);
	if (!inst->hooked && !inst->raddb.from_attributes) {
		cf_log_err_cs(
			cs,
			"certificate = session cannot work with this server: %s. Build certdir against this server's "
			"headers, or set certificate = attributes after reading what it cannot see",
			error.text);
		certdir_checker_clear(&inst->raddb.checker);
		return -1;
	}
	inst->name = section_instance(cs);
	return journal_opened(inst, cs) && accounting_opened(inst, cs) && metrics_opened(inst, cs) ? 0 : -1;
}

static int mod_detach(void *instance)
{
	rlm_certdir_t *inst = instance;

	certdir_metrics_file_close(inst->metrics);
	free(inst->metering);
	certdir_accounting_close(inst->accounting);
	if (inst->hooked)
		eap_tls_session_unhook();
	certdir_journal_close(inst->journal);
	certdir_checker_clear(&inst->raddb.checker);
	return 0;
}

/*
 * Not HUP_SAFE, and with a bootstrap method: on HUP the server keeps the running instance. Configuration changes take a
 * restart; the device list is watched and needs neither.
 */
extern module_t rlm_certdir;
__attribute__((visibility("default"))) module_t rlm_certdir = {
	.magic = RLM_MODULE_INIT,
	.name = "certdir",
	.type = RLM_TYPE_THREAD_SAFE,
	.inst_size = sizeof(rlm_certdir_t),
	.bootstrap = mod_bootstrap,
	.instantiate = mod_instantiate,
	.detach = mod_detach,
	.methods =
		{[MOD_AUTHORIZE] = mod_authorize, [MOD_ACCOUNTING] = mod_accounting, [MOD_POST_AUTH] = mod_post_auth},
};
