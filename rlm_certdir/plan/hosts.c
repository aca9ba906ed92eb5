/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts that service principal names stand for. Who has HOST/x gets what clients send to cifs/x and http/x, too: where
 * a user names his device, no name may be the domain's, that of a service, or one that somebody has in any class.
 */
#include "plan/planner.h"

#include "text/canonical.h"

/*
 * Names that clients ask for by themselves, or that administrators give to services, and what for. In order of
 * strcmp(), in lower case.
 */
static const struct {
	const char *name, *why;
} known[] = {
	{"_msdcs", "the domain's controllers are found there"},
	{"adfs", "users sign in there"},
	{"autoconfig", "mail clients look for their settings there"},
	{"autodiscover", "mail clients look for their settings there"},
	{"backup", "it is a usual name of a server for backups"},
	{"ca", "it is a usual name of a CA"},
	{"crl", "lists of revoked certificates are fetched there"},
	{"dns", "it is a usual name of a DNS server"},
	{"enterpriseenrollment", "Windows looks for its MDM there"},
	{"enterpriseregistration", "Windows registers itself there"},
	{"exchange", "it is a usual name of a mail server"},
	{"files", "it is a usual name of a file server"},
	{"fileserver", "it is a usual name of a file server"},
	{"fs", "it is a usual name of a file server"},
	{"ftp", "it is a usual name of a file server"},
	{"gateway", "it is a usual name of a router"},
	{"gc", "it is a usual name of the global catalog"},
	{"imap", "it is a usual name of a mail server"},
	{"intranet", "it is a usual name of a web server"},
	{"isatap", "Windows looks for an IPv6 router there"},
	{"kadmin", "it is a service of Kerberos"},
	{"kdc", "it is a usual name of a Kerberos server"},
	{"kerberos", "it is a usual name of a Kerberos server"},
	{"kpasswd", "it is a service of Kerberos"},
	{"krbtgt", "it is the ticket service of Kerberos"},
	{"ldap", "it is a usual name of an LDAP server"},
	{"localhost", "every computer calls itself so"},
	{"login", "users sign in there"},
	{"lyncdiscover", "clients look for their telephony there"},
	{"mail", "it is a usual name of a mail server"},
	{"nas", "it is a usual name of a file server"},
	{"nps", "it is a usual name of a RADIUS server"},
	{"ntp", "computers get their time there"},
	{"owa", "it is a usual name of a mail server"},
	{"pki", "it is a usual name of a CA"},
	{"portal", "it is a usual name of a web server"},
	{"print", "it is a usual name of a print server"},
	{"printserver", "it is a usual name of a print server"},
	{"proxy", "it is a usual name of a proxy"},
	{"radius", "it is a usual name of a RADIUS server"},
	{"remote", "it is a usual name of a VPN server"},
	{"router", "it is a usual name of a router"},
	{"sccm", "computers get their software there"},
	{"sharepoint", "it is a usual name of a web server"},
	{"sip", "clients look for their telephony there"},
	{"smtp", "it is a usual name of a mail server"},
	{"sql", "it is a usual name of a database server"},
	{"sso", "users sign in there"},
	{"sts", "users sign in there"},
	{"time", "computers get their time there"},
	{"vpn", "it is a usual name of a VPN server"},
	{"web", "it is a usual name of a web server"},
	{"webmail", "it is a usual name of a mail server"},
	{"wpad", "browsers look for their proxy there"},
	{"wsus", "computers get their software there"},
	{"www", "it is a usual name of a web server"},
};

enum { KNOWN = sizeof(known) / sizeof(*known), KNOWN_MAX = 24 };

/* "a" of "a.b" and "a:1" and "a/b" for the ends '.', and ':' and '/'. */
static struct certdir_ldap_bytes until(const struct certdir_ldap_bytes *text, char end, char other)
{
	struct certdir_ldap_bytes part = {text->bytes, 0};

	while (part.length < text->length && text->bytes[part.length] != end && text->bytes[part.length] != other)
		part.length++;
	return part;
}

/* What stands behind the character that ends a part; nothing when the part is all of it. */
static struct certdir_ldap_bytes behind(const struct certdir_ldap_bytes *text, const struct certdir_ldap_bytes *part)
{
	const size_t used = part->length < text->length ? part->length + 1 : part->length;

	return (struct certdir_ldap_bytes){text->bytes + used, text->length - used};
}

bool certdir_plan_host_of(const struct certdir_ldap_bytes *name, struct certdir_ldap_bytes *host)
{
	const struct certdir_ldap_bytes class = until(name, '/', '/'), rest = behind(name, &class);

	*host = until(&rest, ':', '/');
	return class.length < name->length;
}

static bool is(const struct certdir_ldap_bytes *key, const char *text, size_t length)
{
	return key->length == length && strncasecmp(key->bytes, text, length) == 0;
}

/* What a known name is for, or NULL. */
static const char *known_for(const struct certdir_ldap_bytes *label)
{
	size_t low = 0, high = KNOWN;
	char name[KNOWN_MAX];

	if (label->length >= sizeof(name))
		return NULL;
	for (size_t i = 0; i < label->length; i++)
		name[i] = (char)certdir_fold_byte(label->bytes[i]);
	name[label->length] = '\0';
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(known[middle].name, name);

		if (order == 0)
			return known[middle].why;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Whether a text is what the end of a template makes of the domain, and of nothing that a device has. */
static bool is_made_by(const struct certdir_ldap_bytes *text, const char *template, const char *domain)
{
	static const char variable[] = "{domain}";
	size_t at = 0;

	while (*template && !strchr(":/", *template)) {
		const bool is_domain = strncmp(template, variable, strlen(variable)) == 0 && domain;
		const char *part = is_domain ? domain : template;
		const size_t length = is_domain ? strlen(domain) : 1;

		if (length > text->length - at || strncasecmp(text->bytes + at, part, length) != 0)
			return false;
		at += length;
		template += is_domain ? strlen(variable) : 1;
	}
	return at == text->length;
}

/* Whether what stands behind the first dot is the domain, or what the administrator wrote into a template. */
static bool is_given(const struct certdir_planner *planner, const struct certdir_column *column,
		     const struct certdir_ldap_bytes *suffix)
{
	const char *domain = planner->domain->name;

	if (domain && is(suffix, domain, strlen(domain)))
		return true;
	for (size_t i = 0; i < column->template_count; i++)
		for (const char *at = column->templates[i].text; (at = strchr(at, '.'));)
			if (is_made_by(suffix, ++at, domain))
				return true;
	return false;
}

/* Whether the host is, or begins with, a name of the device's that has a dot itself. */
static bool is_dotted(const struct certdir_ldap_bytes *host, const char *cn)
{
	const size_t length = strlen(cn);
	const struct certdir_ldap_bytes begin = {host->bytes, length};

	return strchr(cn, '.') && host->length >= length && is(&begin, cn, length);
}

/* Why this device may not be this host, or NULL. */
static const char *why_not_host(const struct certdir_planner *planner, const struct certdir_plan_pair *pair,
				const struct certdir_column *column, const struct certdir_ldap_bytes *host)
{
	const struct certdir_ldap_bytes label = until(host, '.', '.'), suffix = behind(host, &label);

	if (label.length == 0)
		return "it is no name of a host";
	for (const struct certdir_domain_name *name = planner->domain->names; name; name = name->next)
		if (is(host, name->text, name->length))
			return "a domain or a domain controller is called so";
	if (label.length < host->length && (is_dotted(host, pair->device->cn) || !is_given(planner, column, &suffix)))
		return "the name of a device must have no dot";
	return known_for(&label);
}

static void refuse(struct certdir_planner *planner, struct certdir_plan_pair *pair, const struct certdir_column *column,
		   const struct certdir_ldap_bytes *value, const char *why)
{
	char quoted[CERTDIR_EXCERPT_QUOTED];

	pair->blocked = true;
	certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, pair->key,
			    certdir_arena_print(planner->arena,
						"%s %s would let this device pass for another: %s: rename the device: "
						"%s",
						column->attribute,
						certdir_excerpt_quote(value->bytes, value->length, quoted), why,
						pair->account ? "its account is left as it is" : "it gets no account"));
}

/* False when one of the values of the column is refused. */
static bool look_at(struct certdir_planner *planner, struct certdir_plan_pair *pair, size_t column)
{
	const struct certdir_column *it = &planner->rules->columns[column];
	const struct certdir_ldap_values *values = &pair->device->values[column];

	for (size_t i = 0; i < values->count; i++) {
		const struct certdir_ldap_bytes *value = &values->items[i],
						key = certdir_fold_key(planner->arena, value->bytes, value->length,
								       certdir_domain_accents(planner->domain));
		struct certdir_ldap_bytes host = key;
		const char *why;

		if (!key.bytes || (it->unique && !certdir_plan_host_of(&key, &host)))
			continue;
		why = why_not_host(planner, pair, it, &host);
		if (!why)
			continue;
		refuse(planner, pair, it, value, why);
		return false;
	}
	return true;
}

void certdir_plan_refuse_hosts(struct certdir_planner *planner)
{
	const struct certdir_plan_rules *rules = planner->rules;

	for (size_t c = 0; c < rules->column_count && certdir_plan_is_computer(planner); c++)
		if (rules->columns[c].unique || strcasecmp(rules->columns[c].attribute, "dNSHostName") == 0)
			for (size_t i = 0; i < planner->pair_count; i++)
				if (certdir_plan_acts(&planner->pairs[i]))
					(void)look_at(planner, &planner->pairs[i], c);
}

/* ---- who has a name of the host in any class ---- */

/* The classes that computers and services have (sPNMappings makes http and cifs of HOST). */
static const char *const classes[] = {"HOST", "http", "cifs", "TERMSRV", "RestrictedKrbHost", "WSMAN",
				      "ldap", "GC",   "DNS",  "nfs",	 "MSSQLSvc"};

enum { CLASSES = sizeof(classes) / sizeof(*classes), TOGETHER = 1024 };

struct questions {
	struct certdir_claim claims[TOGETHER];
	struct certdir_plan_pair *pairs[TOGETHER];
	size_t count;
	struct certdir_arena arena; /* of the values, which are many and soon done with */
	struct certdir_error *error;
	bool failed;
};

static void hear(struct certdir_planner *planner, struct certdir_plan_pair *pair, const struct certdir_claim *claim)
{
	char quoted[CERTDIR_EXCERPT_QUOTED];

	if (!claim->holder || !certdir_plan_acts(pair) || certdir_plan_decides(planner, claim->holder))
		return;
	certdir_plan_block(
		planner, pair,
		certdir_arena_print(planner->arena, "%s %s is held by %s, who would lose that host's clients",
				    claim->attribute, certdir_excerpt_quote(claim->value, strlen(claim->value), quoted),
				    claim->holder));
}

static void ask(struct certdir_planner *planner, struct questions *questions)
{
	const size_t count = questions->count;

	questions->count = 0;
	if (count == 0 || questions->failed)
		return;
	questions->failed = questions->arena.failed ||
			    !planner->claims->ask(planner->claims->context, questions->claims, count, questions->error);
	for (size_t i = 0; i < count && !questions->failed; i++)
		hear(planner, questions->pairs[i], &questions->claims[i]);
	planner->arena->failed |= questions->arena.failed;
	certdir_arena_clear(&questions->arena);
}

/* Names that nobody chose are nobody's. */
static bool is_guid(const struct certdir_ldap_bytes *host)
{
	const struct certdir_ldap_bytes label = until(host, '.', '.');
	char guid[CERTDIR_VALUE_MAX + 1];

	return certdir_canonical(CERTDIR_ID_GUID, label.bytes, label.length, guid);
}

static bool ask_for(struct certdir_planner *planner, struct certdir_plan_pair *pair, unsigned space, const char *bytes,
		    size_t length, void *context)
{
	const struct certdir_ldap_bytes name = {bytes, length};
	struct questions *questions = context;
	struct certdir_ldap_bytes host, value;

	if (space == CERTDIR_PLAN_CN || space > planner->rules->column_count || !certdir_plan_host_of(&name, &host) ||
	    is_guid(&host))
		return true;
	if (questions->count + CLASSES > TOGETHER)
		ask(planner, questions);
	for (size_t i = 0; i < CLASSES; i++) {
		value.bytes =
			certdir_arena_print(&questions->arena, "%s/%.*s", classes[i], (int)host.length, host.bytes);
		if (!value.bytes)
			return false;
		value.length = strlen(value.bytes);
		if (certdir_plan_has(&pair->device->values[space - 1], &value, true))
			continue;
		questions->claims[questions->count] = (struct certdir_claim){
			.attribute = certdir_plan_attribute(planner, space), .value = value.bytes};
		questions->pairs[questions->count++] = pair;
	}
	return true;
}

bool certdir_plan_claim_hosts(struct certdir_planner *planner, struct certdir_error *error)
{
	struct questions *questions = certdir_arena_alloc(planner->arena, sizeof(*questions));

	if (!questions)
		return false;
	questions->error = error;
	for (size_t i = 0; i < planner->pair_count && certdir_plan_is_computer(planner) && !questions->failed; i++)
		if (certdir_plan_acts(&planner->pairs[i]))
			(void)certdir_plan_each_claim(planner, &planner->pairs[i], ask_for, questions);
	ask(planner, questions);
	certdir_arena_clear(&questions->arena);
	return !questions->failed && !planner->arena->failed;
}
