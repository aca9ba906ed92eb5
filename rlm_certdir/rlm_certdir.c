/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FreeRADIUS module: glue between a request and the check flow. What decides is in the rooms, not here. */
#include <arpa/inet.h>
#include <ctype.h>
#include <time.h>

#include <openssl/x509.h>

#include "checker.h"
#include "eap_tls_session.h"
#include "facts.h"
#include "raddb.h"
#include "text/utf8.h"
#include "wiring.h"

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
	OPERATING_SYSTEM,
	OWNERSHIP,
	OWNER,
	CATEGORY,
	ENROLLMENT_PROFILE,
	EXTENSION_ATTRIBUTE,
	QUARANTINE,
	USER_ID,
	USER_NAME,
	USER_GROUP,
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
	[OPERATING_SYSTEM] = {"Certdir-Operating-System", PW_TYPE_STRING, NULL},
	[OWNERSHIP] = {"Certdir-Ownership", PW_TYPE_STRING, NULL},
	[OWNER] = {"Certdir-Owner", PW_TYPE_STRING, NULL},
	[CATEGORY] = {"Certdir-Category", PW_TYPE_STRING, NULL},
	[ENROLLMENT_PROFILE] = {"Certdir-Enrollment-Profile", PW_TYPE_STRING, NULL},
	[EXTENSION_ATTRIBUTE] = {"Certdir-Extension-Attribute", PW_TYPE_STRING, NULL},
	[QUARANTINE] = {"Certdir-Quarantine", PW_TYPE_STRING, NULL},
	[USER_ID] = {"Certdir-User-Id", PW_TYPE_STRING, NULL},
	[USER_NAME] = {"Certdir-User-Name", PW_TYPE_STRING, NULL},
	[USER_GROUP] = {"Certdir-User-Group", PW_TYPE_STRING, NULL},
};

static REQUEST *outermost(REQUEST *request)
{
	while (request->parent)
		request = request->parent;
	return request;
}

static bool list_has_group(VALUE_PAIR *list, DICT_ATTR const *da, char const *name)
{
	for (VALUE_PAIR *vp = list; vp; vp = vp->next)
		if (vp->da == da && strcasecmp(vp->vp_strvalue, name) == 0)
			return true;
	return false;
}

/* if (Certdir-Group == "Wi-Fi staff"): in the section that certdir ran in, and later in post-auth. Returns 0 for equal. */
static int group_compare(UNUSED void *instance, REQUEST *request, UNUSED VALUE_PAIR *packet, VALUE_PAIR *check,
			 UNUSED VALUE_PAIR *check_list, UNUSED VALUE_PAIR **reply_list)
{
	return list_has_group(request->config, check->da, check->vp_strvalue) ||
			       list_has_group(outermost(request)->state, check->da, check->vp_strvalue)
		       ? 0
		       : 1;
}

static bool define_attributes(CONF_SECTION *cs)
{
	static enum attribute const groups[] = {GROUP, USER_GROUP};
	ATTR_FLAGS flags;

	/* Before the attributes exist as plain ones, so that they carry the compare flag. */
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (paircompare_register_byname(attributes[groups[i]].name, dict_attrbyvalue(PW_USER_NAME, 0), false,
						group_compare, NULL) < 0) {
			cf_log_err_cs(cs, "cannot register %s: %s", attributes[groups[i]].name, fr_strerror());
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

/* A list of attributes, and who owns what is put there. */
struct destination {
	TALLOC_CTX *ctx;
	VALUE_PAIR **list;
};

static void put_string(struct destination const *to, enum attribute attribute, char const *value)
{
	VALUE_PAIR *vp = value && value[0] ? fr_pair_afrom_da(to->ctx, attributes[attribute].da) : NULL;

	if (!vp)
		return;
	/* Not fr_pair_make(): it would interpret backslashes in names that others chose. */
	fr_pair_value_strcpy(vp, value);
	fr_pair_add(to->list, vp);
}

static void put_age(struct destination const *to, int64_t age)
{
	VALUE_PAIR *vp = fr_pair_afrom_da(to->ctx, attributes[LIST_AGE].da);

	if (!vp)
		return;
	vp->vp_integer = age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
	fr_pair_add(to->list, vp);
}

static void put_group(void *context, char const *group)
{
	put_string(context, GROUP, group);
}

static void put_user_group(void *context, char const *group)
{
	put_string(context, USER_GROUP, group);
}

/* Of a person's certificate: who the person is, as a directory knows it. */
static void put_user(struct destination *to, struct certdir_check const *check)
{
	struct certdir_decision const *person = check->person ? &check->person->decision : NULL;

	if (!person || check->owner || !person->record_count)
		return;
	put_string(to, USER_ID, CERTDIR_FACT(person, id));
	put_string(to, USER_NAME, certdir_facts_user_name(person));
	certdir_facts_groups(person, put_user_group, to);
}

static void put_extension(void *context, char const *extension)
{
	put_string(context, EXTENSION_ATTRIBUTE, extension);
}

static void put_device(struct destination *to, struct certdir_decision const *decision)
{
	put_string(to, DEVICE_ID, CERTDIR_FACT(decision, id));
	put_string(to, DEVICE_NAME, CERTDIR_FACT(decision, name));
	put_string(to, JOIN_TYPE, certdir_join_type_name(certdir_facts_join_type(decision)));
	put_string(to, COMPLIANCE, decision->compliance);
	put_string(to, OPERATING_SYSTEM, CERTDIR_FACT(decision, operating_system));
	put_string(to, OWNERSHIP, CERTDIR_FACT(decision, ownership));
	put_string(to, OWNER, CERTDIR_FACT(decision, owner));
	put_string(to, CATEGORY, CERTDIR_FACT(decision, category));
	put_string(to, ENROLLMENT_PROFILE, CERTDIR_FACT(decision, enrollment_profile));
	certdir_facts_groups(decision, put_group, to);
	(void)certdir_facts_extensions(decision, put_extension, to);
}

/* In one walk: deleting by attribute would take one for each of them, at every login and in two lists. */
static void remove_ours(VALUE_PAIR **list)
{
	while (*list) {
		VALUE_PAIR *vp = *list;
		size_t i = 0;

		while (i < ATTRIBUTES && attributes[i].da != vp->da)
			i++;
		if (i == ATTRIBUTES) {
			list = &vp->next;
			continue;
		}
		*list = vp->next;
		talloc_free(vp);
	}
}

/* Replaces what an earlier decision left, so that no attribute of another device survives. */
static void put_decision(TALLOC_CTX *ctx, VALUE_PAIR **list, struct certdir_check const *check)
{
	struct certdir_decision const *decision = &check->decision;
	struct destination to = {ctx, list};
	char matched_by[CERTDIR_MATCHED_BY_SIZE];

	remove_ours(list);
	put_string(&to, DECISION, certdir_verdict_name(certdir_reason_verdict(decision->reason)));
	put_string(&to, REASON, certdir_reason_name(decision->reason));
	put_string(&to, DETAIL, decision->detail);
	put_string(&to, DIRECTORY, decision->directory);
	put_string(&to, MATCHED_BY, certdir_facts_matched_by(decision, matched_by));
	/* The first reason hides the others: only this says that nothing but compliance stands against the device. */
	put_string(&to, QUARANTINE, decision->only_compliance ? "yes" : NULL);
	if (certdir_facts_have_age(decision))
		put_age(&to, decision->age);
	if (decision->record_count)
		put_device(&to, decision);
	put_user(&to, check);
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

/* Whether a text stands in a log line as it is, as nearly all do, and fits into `size`. */
static bool is_plain(char const *text, size_t size)
{
	size_t i = 0;

	while (i < size && text[i] >= ' ' && text[i] <= '~' && text[i] != '"' && text[i] != '\\')
		i++;
	return i < size && !text[i];
}

/*
 * Text for a log line: quotes, backslashes and control characters of a name cannot forge another field or line, and what changes the
 * order in which others show cannot make it look like another.
 */
static char const *quoted(char *out, size_t size, char const *text)
{
	char escaped[1024];

	text = text ? text : "";
	if (is_plain(text, size))
		return strcpy(out, text);
	fr_prints(escaped, size < sizeof(escaped) ? size : sizeof(escaped), text, -1, '"');
	certdir_utf8_escape(escaped, out, size);
	return out;
}

/* Attributes that are the server's or its dictionaries': what the network device says, and what the server says of a certificate. */
enum server_attribute { CALLING, CALLED, SSID, NAS, NAS_IP, SUBJECT, ISSUER, SERIAL, SERVER_ATTRIBUTES };

static struct {
	char const *name;
	DICT_ATTR const *da; /* NULL where no dictionary has it */
} server_attributes[SERVER_ATTRIBUTES] = {
	[CALLING] = {"Calling-Station-Id", NULL},    [CALLED] = {"Called-Station-Id", NULL},
	[SSID] = {"Called-Station-SSID", NULL},	     [NAS] = {"NAS-Identifier", NULL},
	[NAS_IP] = {"NAS-IP-Address", NULL},	     [SUBJECT] = {"TLS-Client-Cert-Subject", NULL},
	[ISSUER] = {"TLS-Client-Cert-Issuer", NULL}, [SERIAL] = {"TLS-Client-Cert-Serial", NULL},
};

static VALUE_PAIR *find_pair(REQUEST *request, enum server_attribute attribute)
{
	DICT_ATTR const *da = server_attributes[attribute].da;

	return da && request->packet ? fr_pair_find_by_da(request->packet->vps, da, TAG_ANY) : NULL;
}

/* What the network device says of the login stands in the outermost request. */
static char const *device_says(REQUEST *request, enum server_attribute attribute)
{
	VALUE_PAIR *vp = find_pair(outermost(request), attribute);

	return vp ? vp->vp_strvalue : "";
}

/* NAS-Identifier, or NAS-IP-Address where there is none. */
static char const *nas_of(REQUEST *request, char text[INET_ADDRSTRLEN])
{
	char const *name = device_says(request, NAS);
	VALUE_PAIR *vp = find_pair(outermost(request), NAS_IP);

	if (*name || !vp || !inet_ntop(AF_INET, &vp->vp_ipaddr, text, INET_ADDRSTRLEN))
		return name;
	return text;
}

/*
 * The SSID, from Called-Station-Id as RFC 3580 (3.20) has it, MAC:SSID; an SSID may have colons of its own. The
 * server's policy rewrite_called_station_id moves it into Called-Station-SSID. "" = the login has none, or in another form.
 */
static char const *ssid_of(REQUEST *request)
{
	char const *ssid = device_says(request, SSID), *called = device_says(request, CALLED);
	unsigned digits = 0;

	if (*ssid)
		return ssid;
	for (; *called && digits < 12; called++) {
		if (isxdigit((unsigned char)*called))
			digits++;
		else if (!strchr("-:.", *called))
			return "";
	}
	return *called == ':' ? called + 1 : "";
}

/* As the directory has the person, where it was asked; else as the certificate says. */
static char const *upn_of(struct certdir_check const *check)
{
	struct certdir_certificate const *certificate = &check->certificate;
	char const *known = check->person && !check->owner ? certdir_facts_user_name(&check->person->decision) : NULL;

	if (known)
		return known;
	for (size_t i = 0; i < certificate->count; i++)
		if (certificate->identities[i].type == CERTDIR_ID_UPN)
			return certificate->identities[i].value;
	return "";
}

static char const *or_dash(char const *text)
{
	return text && *text ? text : "-";
}

/* The login's own side of the line: who, and from where. */
struct login_texts {
	char issuer[1024], user[512], upn[512], mac[512], nas[512], ssid[512];
};

static void quote_login(REQUEST *request, struct certdir_check const *check, struct login_texts *texts)
{
	struct certdir_certificate const *certificate = check->parsed ? &check->certificate : NULL;
	char address[INET_ADDRSTRLEN];

	quoted(texts->issuer, sizeof(texts->issuer), certificate ? certificate->issuer : NULL);
	quoted(texts->user, sizeof(texts->user), request->username ? request->username->vp_strvalue : NULL);
	quoted(texts->upn, sizeof(texts->upn), certificate ? upn_of(check) : NULL);
	quoted(texts->mac, sizeof(texts->mac), device_says(request, CALLING));
	quoted(texts->nas, sizeof(texts->nas), nas_of(request, address));
	quoted(texts->ssid, sizeof(texts->ssid), ssid_of(request));
}

static long long microseconds_since(struct timespec const *begin)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	return (long long)(end.tv_sec - begin->tv_sec) * 1000000 + (end.tv_nsec - begin->tv_nsec) / 1000;
}

/* One line a decision, key=value, that a person and a log collector can read. Fields keep their order. */
static void log_decision(REQUEST *request, struct certdir_check const *check, struct timespec const *begin)
{
	struct certdir_certificate const *certificate = check->parsed ? &check->certificate : NULL;
	struct certdir_decision const *decision = &check->decision;
	struct certdir_identity const *by = decision->matched_by;
	char name[512], id[512], detail[768], value[600], system[128], matched_by[CERTDIR_MATCHED_BY_SIZE],
		age[24] = "-";
	long long const took = microseconds_since(begin);
	struct login_texts login;

	quote_login(request, check, &login);
	if (certdir_facts_have_age(decision))
		snprintf(age, sizeof(age), "%lld", (long long)decision->age);
	radlog_request(L_INFO, L_DBG_LVL_OFF, request,
		       "%s %s directory=%s matched=%s from=%s value=\"%s\" device=\"%s\" id=\"%s\" issuer=\"%s\" "
		       "serial=%s ms=%lld.%03lld user=\"%s\" upn=\"%s\" mac=\"%s\" nas=\"%s\" ssid=\"%s\" age=%s "
		       "system=\"%s\" "
		       "detail=\"%s\"",
		       certdir_verdict_name(certdir_reason_verdict(decision->reason)),
		       certdir_reason_name(decision->reason), or_dash(decision->directory),
		       or_dash(certdir_facts_matched_by(decision, matched_by)), by ? by->from : "-",
		       quoted(value, sizeof(value), by ? by->value : NULL),
		       quoted(name, sizeof(name), CERTDIR_FACT(decision, name)),
		       quoted(id, sizeof(id), CERTDIR_FACT(decision, id)), login.issuer,
		       or_dash(certificate ? certificate->serial : NULL), took / 1000, took % 1000, login.user,
		       login.upn, login.mac, login.nas, login.ssid, age,
		       quoted(system, sizeof(system), CERTDIR_FACT(decision, operating_system)),
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
	put_decision(request, &request->config, check);
	put_decision(outer->state_ctx, &outer->state, check);
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
static char *copy_attribute(REQUEST *request, enum server_attribute attribute)
{
	VALUE_PAIR *vp = find_pair(request, attribute);

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

	certificate->subject = copy_attribute(request, SUBJECT);
	certificate->issuer = copy_attribute(request, ISSUER);
	certificate->serial = copy_attribute(request, SERIAL);
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

/* ---- post-auth: no login ends without certdir ---- */

static VALUE_PAIR *packet_pair(REQUEST *request, unsigned attribute)
{
	return fr_pair_find_by_num(outermost(request)->packet->vps, attribute, 0, TAG_ANY);
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
 * own: session-state is found by State, and is new for each login. Of what is not allowed, quarantine alone gets through here.
 */
static rlm_rcode_t CC_HINT(nonnull) mod_post_auth(UNUSED void *instance, REQUEST *request)
{
	VALUE_PAIR *const state = outermost(request)->state;
	VALUE_PAIR *const decision = fr_pair_find_by_da(state, attributes[DECISION].da, TAG_ANY);
	bool const accepted = request->reply->code == PW_CODE_ACCESS_ACCEPT;
	struct certdir_check check;
	struct timespec begin;
	rlm_rcode_t code;

	if (!accepted && (decision || request->reply->code != PW_CODE_ACCESS_REJECT))
		return RLM_MODULE_NOOP;
	if (decision && strcmp(decision->vp_strvalue, certdir_verdict_name(CERTDIR_ALLOW)) == 0)
		return RLM_MODULE_OK;
	if (decision && fr_pair_find_by_da(state, attributes[QUARANTINE].da, TAG_ANY))
		return RLM_MODULE_NOOP;
	if (decision) {
		/* The line with the reason is in the log already; this one says where the site lets go of it. */
		radlog_request(L_ERR, L_DBG_LVL_OFF, request,
			       "the site accepts what certdir decided to %s: rejected; have the server that "
			       "tls { virtual_server } names reject all but ok, as sites-available/certdir-check does",
			       decision->vp_strvalue);
		return RLM_MODULE_REJECT;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	memset(&check, 0, sizeof(check));
	check.decision.reason = CERTDIR_UNSEEN;
	say_why_unseen(request, check.decision.detail);
	code = finish(request, &check, &begin);
	return accepted ? code : RLM_MODULE_NOOP;
}

/* ---- the server's side ---- */

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
	for (size_t i = 0; i < SERVER_ATTRIBUTES; i++)
		server_attributes[i].da = dict_attrbyname(server_attributes[i].name);
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

static int mod_instantiate(CONF_SECTION *cs, void *instance)
{
	rlm_certdir_t *inst = instance;
	struct certdir_error error;

	if (!wiring_sound(cs))
		return -1;
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
	.methods = {[MOD_AUTHORIZE] = mod_authorize, [MOD_POST_AUTH] = mod_post_auth},
};
