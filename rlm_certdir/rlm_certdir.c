/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FreeRADIUS module: glue between a request and the check flow. What decides is in the rooms, not here. */
#include "checker.h"
#include "eap_tls_session.h"
#include "raddb.h"

#include <ctype.h>
#include <openssl/x509.h>
#include <time.h>

typedef struct rlm_certdir {
	struct certdir_raddb raddb; /* filled in instantiate; the server allocates this structure zeroed */
	bool hooked;
} rlm_certdir_t;

/* ---- attributes ---- */

enum attribute {
	DECISION,
	REASON,
	DETAIL,
	DIRECTORY,
	MATCHED_BY,
	DEVICE_ID,
	DEVICE_NAME,
	JOIN_TYPE,
	COMPLIANCE,
	GROUP,
	LIST_AGE,
	ATTRIBUTES
};

static struct {
	char const *name;
	PW_TYPE type;
	DICT_ATTR const *da;
} attributes[ATTRIBUTES] = {
	[DECISION] = {"Certdir-Decision", PW_TYPE_STRING, NULL},
	[REASON] = {"Certdir-Reason", PW_TYPE_STRING, NULL},
	[DETAIL] = {"Certdir-Detail", PW_TYPE_STRING, NULL},
	[DIRECTORY] = {"Certdir-Directory", PW_TYPE_STRING, NULL},
	[MATCHED_BY] = {"Certdir-Matched-By", PW_TYPE_STRING, NULL},
	[DEVICE_ID] = {"Certdir-Device-Id", PW_TYPE_STRING, NULL},
	[DEVICE_NAME] = {"Certdir-Device-Name", PW_TYPE_STRING, NULL},
	[JOIN_TYPE] = {"Certdir-Join-Type", PW_TYPE_STRING, NULL},
	[COMPLIANCE] = {"Certdir-Compliance", PW_TYPE_STRING, NULL},
	[GROUP] = {"Certdir-Group", PW_TYPE_STRING, NULL},
	[LIST_AGE] = {"Certdir-List-Age", PW_TYPE_INTEGER, NULL},
};

static REQUEST *outermost(REQUEST *request)
{
	while (request->parent)
		request = request->parent;
	return request;
}

static bool list_has_group(VALUE_PAIR *list, char const *name)
{
	for (VALUE_PAIR *vp = list; vp; vp = vp->next)
		if (vp->da == attributes[GROUP].da && strcasecmp(vp->vp_strvalue, name) == 0)
			return true;
	return false;
}

/* if (Certdir-Group == "Wi-Fi staff"): in the section that certdir ran in, and later in post-auth. Returns 0 for equal. */
static int group_compare(UNUSED void *instance, REQUEST *request, UNUSED VALUE_PAIR *packet, VALUE_PAIR *check,
			 UNUSED VALUE_PAIR *check_list, UNUSED VALUE_PAIR **reply_list)
{
	return list_has_group(request->config, check->vp_strvalue) ||
			       list_has_group(outermost(request)->state, check->vp_strvalue)
		       ? 0
		       : 1;
}

static bool define_attributes(CONF_SECTION *cs)
{
	ATTR_FLAGS flags;

	/* Before the attribute exists as a plain one, so that it carries the compare flag. */
	if (paircompare_register_byname(attributes[GROUP].name, dict_attrbyvalue(PW_USER_NAME, 0), false, group_compare,
					NULL) < 0) {
		cf_log_err_cs(cs, "cannot register Certdir-Group: %s", fr_strerror());
		return false;
	}
	memset(&flags, 0, sizeof(flags));
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		attributes[i].da = dict_attrbyname(attributes[i].name);
		if (!attributes[i].da && dict_addattr(attributes[i].name, -1, 0, attributes[i].type, flags) == 0)
			attributes[i].da = dict_attrbyname(attributes[i].name);
		if (!attributes[i].da || attributes[i].da->type != attributes[i].type) {
			cf_log_err_cs(cs, "cannot define attribute %s: %s", attributes[i].name, fr_strerror());
			return false;
		}
	}
	return true;
}

static void put_string(TALLOC_CTX *ctx, VALUE_PAIR **list, enum attribute attribute, char const *value)
{
	VALUE_PAIR *vp;

	if (!value || !value[0])
		return;
	vp = fr_pair_afrom_da(ctx, attributes[attribute].da);
	if (!vp)
		return;
	/* Not fr_pair_make(): it would interpret backslashes in names that others chose. */
	fr_pair_value_strcpy(vp, value);
	fr_pair_add(list, vp);
}

static void put_age(TALLOC_CTX *ctx, VALUE_PAIR **list, int64_t age)
{
	VALUE_PAIR *vp = fr_pair_afrom_da(ctx, attributes[LIST_AGE].da);

	if (!vp)
		return;
	vp->vp_integer = age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
	fr_pair_add(list, vp);
}

/* Replaces what an earlier decision left, so that no attribute of another device survives. */
static void put_decision(TALLOC_CTX *ctx, VALUE_PAIR **list, struct certdir_decision const *decision)
{
	struct certdir_match const *match = decision->match;

	for (size_t i = 0; i < ATTRIBUTES; i++)
		fr_pair_delete_by_da(list, attributes[i].da);
	put_string(ctx, list, DECISION, certdir_verdict_name(certdir_reason_verdict(decision->reason)));
	put_string(ctx, list, REASON, certdir_reason_name(decision->reason));
	put_string(ctx, list, DETAIL, decision->detail);
	put_string(ctx, list, DIRECTORY, decision->directory);
	if (decision->matched_by)
		put_string(ctx, list, MATCHED_BY, certdir_identity_type_name(decision->matched_by->type));
	if (!match)
		return;
	put_string(ctx, list, DEVICE_ID, match->device.id);
	put_string(ctx, list, DEVICE_NAME, match->device.name);
	put_string(ctx, list, JOIN_TYPE, certdir_join_type_name(match->device.join_type));
	put_string(ctx, list, COMPLIANCE, match->device.compliance);
	for (size_t i = 0; i < match->device.group_count; i++)
		put_string(ctx, list, GROUP, match->device.groups[i].name);
	put_age(ctx, list, match->age);
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
		return RLM_MODULE_REJECT;
	case CERTDIR_DIRECTORY_UNAVAILABLE:
	case CERTDIR_LIST_STALE:
	case CERTDIR_LIST_MISSING:
	case CERTDIR_REASONS:
		break;
	}
	return RLM_MODULE_FAIL;
}

/* Text for a log line: quotes, backslashes and control characters of a name cannot forge another field or line. */
static char const *quoted(char *out, size_t size, char const *text)
{
	fr_prints(out, size, text ? text : "", -1, '"');
	return out;
}

/* One line a decision, key=value, that a person and a log collector can read. */
static void log_decision(REQUEST *request, struct certdir_check const *check, struct timespec const *begin)
{
	struct certdir_decision const *decision = &check->decision;
	struct certdir_device const *device = decision->match ? &decision->match->device : NULL;
	struct certdir_identity const *by = decision->matched_by;
	struct certdir_certificate const *certificate = check->parsed ? &check->certificate : NULL;
	char name[512], id[512], issuer[1024], user[512], detail[768], value[600];
	struct timespec end;
	double ms;

	clock_gettime(CLOCK_MONOTONIC, &end);
	ms = (double)(end.tv_sec - begin->tv_sec) * 1e3 + (double)(end.tv_nsec - begin->tv_nsec) / 1e6;
	radlog_request(L_INFO, L_DBG_LVL_OFF, request,
		       "%s %s directory=%s matched=%s from=%s value=\"%s\" device=\"%s\" id=\"%s\" issuer=\"%s\" "
		       "serial=%s ms=%.3f user=\"%s\" detail=\"%s\"",
		       certdir_verdict_name(certdir_reason_verdict(decision->reason)),
		       certdir_reason_name(decision->reason), decision->directory ? decision->directory : "-",
		       by ? certdir_identity_type_name(by->type) : "-", by ? by->from : "-",
		       quoted(value, sizeof(value), by ? by->value : NULL),
		       quoted(name, sizeof(name), device ? device->name : NULL),
		       quoted(id, sizeof(id), device ? device->id : NULL),
		       quoted(issuer, sizeof(issuer), certificate ? certificate->issuer : NULL),
		       certificate && certificate->serial ? certificate->serial : "-", ms,
		       quoted(user, sizeof(user), request->username ? request->username->vp_strvalue : NULL),
		       quoted(detail, sizeof(detail), decision->detail));
}

static rlm_rcode_t finish(REQUEST *request, struct certdir_check *check, struct timespec const *begin)
{
	enum certdir_reason const reason = check->decision.reason;
	REQUEST *outer = outermost(request);

	log_decision(request, check, begin);
	if (certdir_reason_verdict(reason) != CERTDIR_ALLOW)
		radlog_request_error(L_DBG_ERR, L_DBG_LVL_1, request, "%s%s%s", certdir_reason_name(reason),
				     check->decision.detail[0] ? ": " : "", check->decision.detail);
	put_decision(request, &request->config, &check->decision);
	put_decision(outer->state_ctx, &outer->state, &check->decision);
	certdir_check_clear(check);
	return rcode(reason);
}

static struct certdir_login login_of(REQUEST *request)
{
	VALUE_PAIR const *user = request->username;

	return (struct certdir_login){.user_name = user ? user->vp_strvalue : NULL,
				      .user_name_length = user ? user->vp_length : 0,
				      .now = (int64_t)time(NULL)};
}

/* ---- certificate = session ---- */

static void check_session(REQUEST *request, struct certdir_checker const *checker, struct certdir_check *check)
{
	struct certdir_login const login = login_of(request);
	struct certdir_error error;
	X509 *certificate;

	switch (eap_tls_session_certificate(request, &certificate, &error)) {
	case EAP_TLS_SESSION_FOUND:
		certdir_check_x509(check, checker, certificate, &login);
		X509_free(certificate);
		return;
	case EAP_TLS_SESSION_NONE:
		check->decision.reason = CERTDIR_NO_CERTIFICATE;
		break;
	case EAP_TLS_SESSION_UNREACHABLE:
		check->decision.reason = CERTDIR_DIRECTORY_UNAVAILABLE;
		break;
	}
	certdir_say(check->decision.detail, "%s", error.text);
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

static unsigned count_pairs(VALUE_PAIR *vp, DICT_ATTR const *da)
{
	unsigned count = 0;

	for (; vp; vp = vp->next)
		count += vp->da == da;
	return count;
}

static bool add_attributes(REQUEST *request, struct certdir_checker const *checker,
			   struct certdir_certificate *certificate, struct certdir_error *error)
{
	for (size_t i = 0; i < CERTIFICATE_ATTRIBUTES; i++) {
		DICT_ATTR const *da = certificate_attributes[i].da;
		bool const several = da && count_pairs(request->packet->vps, da) > 1;

		for (VALUE_PAIR *vp = request->packet->vps; vp; vp = vp->next)
			if (vp->da == da && da &&
			    !certdir_certificate_add(certificate, certificate_attributes[i].from, vp->vp_strvalue,
						     vp->vp_length, several, checker->forms, checker->form_count,
						     error))
				return false;
	}
	return true;
}

/* Texts of the server's own making, for issuer limits and log lines. */
static DICT_ATTR const *subject_attribute, *issuer_attribute, *serial_attribute;

static char *copy_attribute(REQUEST *request, DICT_ATTR const *da)
{
	VALUE_PAIR *vp = da ? fr_pair_find_by_da(request->packet->vps, da, TAG_ANY) : NULL;

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
	struct certdir_certificate *certificate = &check->certificate;
	struct certdir_error error;

	certificate->subject = copy_attribute(request, subject_attribute);
	certificate->issuer = copy_attribute(request, issuer_attribute);
	certificate->serial = copy_attribute(request, serial_attribute);
	upper_case(certificate->serial);
	check->parsed = true;
	if (!certificate->subject || !certificate->issuer || !certificate->serial) {
		check->decision.reason = CERTDIR_DIRECTORY_UNAVAILABLE;
		certdir_say(check->decision.detail, "out of memory");
	} else if (eap_tls_session_present(request)) {
		/* The server decoded these strings: CN=\160c01 is pc01 in them. Where the certificate itself can be read, it is. */
		check->decision.reason = CERTDIR_MALFORMED_CERTIFICATE;
		certdir_say(check->decision.detail, "this is an EAP-TLS login, and its attributes are not the "
						    "certificate: set certificate = session");
	} else if (has_foreign_cn(request, certificate)) {
		check->decision.reason = CERTDIR_MALFORMED_CERTIFICATE;
		certdir_say(check->decision.detail,
			    "the subject has no CN: TLS-Client-Cert-Common-Name is the issuer's");
	} else if (!add_attributes(request, checker, certificate, &error)) {
		check->decision.reason = CERTDIR_MALFORMED_CERTIFICATE;
		certdir_say(check->decision.detail, "%s", error.text);
	} else if (!certificate->count && !certificate->subject[0]) {
		check->decision.reason = CERTDIR_NO_CERTIFICATE;
		certdir_say(check->decision.detail, "the request carries no TLS-Client-Cert-* attributes");
	} else {
		certdir_check_names(check, checker, &login);
	}
}

/* ---- the server's side ---- */

static rlm_rcode_t CC_HINT(nonnull) mod_authorize(void *instance, REQUEST *request)
{
	rlm_certdir_t const *inst = instance;
	struct certdir_check check;
	struct timespec begin;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	memset(&check, 0, sizeof(check));
	if (inst->raddb.from_attributes)
		check_attributes(request, &inst->raddb.checker, &check);
	else
		check_session(request, &inst->raddb.checker, &check);
	return finish(request, &check, &begin);
}

static void log_to_server(enum certdir_log_level level, char const *text)
{
	static log_type_t const types[] = {L_INFO, L_WARN, L_ERR};

	radlog(types[level], "rlm_certdir: %s", text);
}

static int mod_bootstrap(CONF_SECTION *cs, UNUSED void *instance)
{
	certdir_log_set(log_to_server);
	if (!define_attributes(cs))
		return -1;
	for (size_t i = 0; i < CERTIFICATE_ATTRIBUTES; i++)
		certificate_attributes[i].da = dict_attrbyname(certificate_attributes[i].name);
	subject_attribute = dict_attrbyname("TLS-Client-Cert-Subject");
	issuer_attribute = dict_attrbyname("TLS-Client-Cert-Issuer");
	serial_attribute = dict_attrbyname("TLS-Client-Cert-Serial");
	return 0;
}

static int mod_instantiate(CONF_SECTION *cs, void *instance)
{
	rlm_certdir_t *inst = instance;
	struct certdir_error error;

	/* Under -C the lists are read once and looked at; nothing needs to be watched. */
	if (!certdir_raddb_read(cs, !check_config, &inst->raddb))
		return -1;
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
	return 0;
}

static int mod_detach(void *instance)
{
	rlm_certdir_t *inst = instance;

	if (inst->hooked)
		eap_tls_session_unhook();
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
	.methods = {[MOD_AUTHORIZE] = mod_authorize},
};
