/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decision_line.h"

#include "facts.h"
#include "request.h"
#include "text/utf8.h"

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
	quoted(texts->upn, sizeof(texts->upn), certificate ? certdir_facts_upn(check) : NULL);
	quoted(texts->mac, sizeof(texts->mac), certdir_request_says(request, CERTDIR_LOGIN_CALLING));
	quoted(texts->nas, sizeof(texts->nas), certdir_request_nas(request, address));
	quoted(texts->ssid, sizeof(texts->ssid), certdir_request_ssid(request));
}

void certdir_line_log(REQUEST *request, struct certdir_check const *check, int64_t took, bool observe)
{
	struct certdir_certificate const *certificate = check->parsed ? &check->certificate : NULL;
	struct certdir_decision const *decision = &check->decision;
	struct certdir_identity const *by = decision->matched_by;
	char name[512], id[512], detail[768], value[600], system[128], matched_by[CERTDIR_MATCHED_BY_SIZE],
		age[24] = "-";
	struct login_texts login;

	quote_login(request, check, &login);
	if (certdir_facts_have_age(decision))
		snprintf(age, sizeof(age), "%lld", (long long)decision->age);
	radlog_request(L_INFO, L_DBG_LVL_OFF, request,
		       "%s %s directory=%s matched=%s from=%s value=\"%s\" device=\"%s\" id=\"%s\" issuer=\"%s\" "
		       "serial=%s ms=%lld.%03lld user=\"%s\" upn=\"%s\" mac=\"%s\" nas=\"%s\" ssid=\"%s\" age=%s "
		       "system=\"%s\" "
		       "detail=\"%s\"%s",
		       certdir_verdict_name(certdir_reason_verdict(decision->reason)),
		       certdir_reason_name(decision->reason), or_dash(decision->directory),
		       or_dash(certdir_facts_matched_by(decision, matched_by)), by ? by->from : "-",
		       quoted(value, sizeof(value), by ? by->value : NULL),
		       quoted(name, sizeof(name), CERTDIR_FACT(decision, name)),
		       quoted(id, sizeof(id), CERTDIR_FACT(decision, id)), login.issuer,
		       or_dash(certificate ? certificate->serial : NULL), (long long)took / 1000,
		       (long long)took % 1000, login.user, login.upn, login.mac, login.nas, login.ssid, age,
		       quoted(system, sizeof(system), CERTDIR_FACT(decision, operating_system)),
		       quoted(detail, sizeof(detail), decision->detail), observe ? " mode=observe" : "");
}
