/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan_fixture.h"

struct certdir_domain_group fixture_groups[GROUPS] = {{GROUP, "Wi-Fi", GROUP_ID},
						      {"CN=red,OU=Groups," DOMAIN, "red", 1201},
						      {"CN=blue,OU=Groups," DOMAIN, "blue", 1202}};

enum { OUS = 2 };
static const char *const fixture_ous[OUS] = {OU, STAFF};

const char *const attribute_names[ATTRIBUTES] = {
	"objectClass",		"cn",	       "sAMAccountName", "userAccountControl", "adminDescription",
	"servicePrincipalName", "dNSHostName", "description",	 "serialNumber",       "altSecurityIdentities",
	"primaryGroupID",	"memberOf",    "objectSid",	 "objectGUID",	       "operatingSystem",
	"accountExpires"};

static bool refuse(struct domain *domain, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(struct domain *domain, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(domain->refusal, sizeof(domain->refusal), format, arguments);
	va_end(arguments);
	return false;
}

enum attribute attribute_of(const char *name)
{
	for (int i = 0; i < ATTRIBUTES; i++)
		if (strcasecmp(name, attribute_names[i]) == 0)
			return (enum attribute)i;
	fail_msg("attribute %s is unknown", name);
	return ATTRIBUTES;
}

enum certdir_accents accents;

bool is_same(const char *a, const char *b, enum certdir_accents with)
{
	return certdir_fold_same(a, strlen(a), b, strlen(b), with);
}

struct entry *entry_at(struct domain *domain, const char *dn)
{
	for (size_t i = 0; i < domain->count; i++)
		if (is_same(domain->entries[i].dn, dn, accents))
			return &domain->entries[i];
	return NULL;
}

struct value *value_at(struct entry *entry, enum attribute attribute, const char *text)
{
	for (size_t i = 0; i < entry->count; i++)
		if (entry->values[i].attribute == attribute && (!text || is_same(entry->values[i].text, text, accents)))
			return &entry->values[i];
	return NULL;
}

const char *text_at(const struct entry *entry, enum attribute attribute)
{
	for (size_t i = 0; i < entry->count; i++)
		if (entry->values[i].attribute == attribute)
			return entry->values[i].text;
	return NULL;
}

void add_value(struct entry *entry, enum attribute attribute, const char *text)
{
	assert_true(entry->count < VALUES && strlen(text) < TEXT);
	entry->values[entry->count].attribute = attribute;
	(void)strcpy(entry->values[entry->count++].text, text);
}

void drop_value(struct entry *entry, struct value *value)
{
	*value = entry->values[--entry->count];
}

void set_value(struct entry *entry, enum attribute attribute, const char *text)
{
	struct value *value;

	while ((value = value_at(entry, attribute, NULL)))
		drop_value(entry, value);
	if (text)
		add_value(entry, attribute, text);
}

bool is_taken(struct domain *domain, const struct entry *entry, enum attribute attribute, const char *text)
{
	if (attribute != SPN && attribute != ACCOUNT)
		return false;
	for (size_t i = 0; i < domain->count; i++)
		if (domain->entries[i].id != entry->id && value_at(&domain->entries[i], attribute, text))
			return true;
	return false;
}

void text_of(const struct certdir_ldap_bytes *bytes, char text[TEXT])
{
	assert_true(bytes->length > 0 && bytes->length < TEXT);
	memcpy(text, bytes->bytes, bytes->length);
	text[bytes->length] = '\0';
}

/* ---- operations ---- */

static bool take_values(struct domain *domain, struct entry *entry, enum attribute attribute,
			const struct certdir_ldap_values *come)
{
	char text[TEXT];

	for (size_t i = 0; i < come->count; i++) {
		text_of(&come->items[i], text);
		if (value_at(entry, attribute, text))
			return refuse(domain, "%s has %s %s already", entry->dn, attribute_names[attribute], text);
		if (is_taken(domain, entry, attribute, text))
			return refuse(domain, "%s %s is not unique", attribute_names[attribute], text);
		add_value(entry, attribute, text);
	}
	return true;
}

/* Its values by bytes: a directory that is not the one that was seen refuses. */
static bool give_values(struct domain *domain, struct entry *entry, enum attribute attribute,
			const struct certdir_ldap_values *gone)
{
	char text[TEXT];

	for (size_t i = 0; i < gone->count; i++) {
		struct value *value;

		text_of(&gone->items[i], text);
		value = value_at(entry, attribute, text);
		if (!value || strcmp(value->text, text) != 0)
			return refuse(domain, "%s has no %s %s", entry->dn, attribute_names[attribute], text);
		drop_value(entry, value);
	}
	return true;
}

static const char *group_of(const char *rid)
{
	for (size_t i = 0; i < GROUPS; i++)
		if ((uint32_t)atoi(rid) == fixture_groups[i].id)
			return fixture_groups[i].dn;
	return atoi(rid) == COMPUTERS_ID ? COMPUTERS : NULL;
}

static bool is_group(const char *dn)
{
	for (size_t i = 0; i < GROUPS; i++)
		if (strcmp(dn, fixture_groups[i].dn) == 0)
			return true;
	return strcmp(dn, COMPUTERS) == 0;
}

/* MS-SAMR 3.1.1.8.2: only a group that it is in; the old one becomes an ordinary one. */
static bool set_primary(struct domain *domain, struct entry *entry, const char *before, const char *after)
{
	struct value *member = value_at(entry, MEMBER_OF, group_of(after));

	if (!member)
		return refuse(domain, "%s is not in its new primary group", entry->dn);
	drop_value(entry, member);
	add_value(entry, MEMBER_OF, group_of(before));
	return true;
}

static bool modify_entry(struct domain *domain, struct entry *entry, const struct certdir_ldap_change *change,
			 bool backwards)
{
	const enum attribute attribute = attribute_of(change->attribute);
	const struct certdir_ldap_values *gone = backwards ? &change->added : &change->deleted,
					 *come = backwards ? &change->deleted : &change->added;
	char before[TEXT], after[TEXT];

	if (!change->whole)
		return give_values(domain, entry, attribute, gone) && take_values(domain, entry, attribute, come);
	text_of(&gone->items[0], before);
	text_of(&come->items[0], after);
	assert_string_equal(text_at(entry, attribute), before);
	if (attribute == PRIMARY && !set_primary(domain, entry, before, after))
		return false;
	set_value(entry, attribute, after);
	return true;
}

static bool modify_group(struct domain *domain, const char *group, const struct certdir_ldap_change *change,
			 bool backwards)
{
	const bool joins = (change->added.count > 0) != backwards;
	char dn[TEXT];
	struct entry *entry;

	assert_string_equal(change->attribute, "member");
	assert_int_equal(change->added.count + change->deleted.count, 1);
	text_of(change->added.count ? change->added.items : change->deleted.items, dn);
	entry = entry_at(domain, dn);
	if (!entry)
		return refuse(domain, "%s is not there to be a member", dn);
	if (joins ==
	    (value_at(entry, MEMBER_OF, group) || (text_at(entry, PRIMARY) && group_of(text_at(entry, PRIMARY)) &&
						   strcmp(group_of(text_at(entry, PRIMARY)), group) == 0)))
		return refuse(domain, "%s is %s member of %s", dn, joins ? "already" : "no", group);
	if (joins)
		add_value(entry, MEMBER_OF, group);
	else
		drop_value(entry, value_at(entry, MEMBER_OF, group));
	entry->version = ++domain->version;
	return true;
}

static bool modify(struct domain *domain, const struct certdir_ldap_operation *operation, bool backwards)
{
	struct entry *entry = entry_at(domain, operation->dn), changed;

	if (is_group(operation->dn))
		return modify_group(domain, operation->dn, &operation->changes[0], backwards);
	if (!entry)
		return refuse(domain, "%s is not there", operation->dn);
	changed = *entry;
	for (size_t i = 0; i < operation->count; i++)
		if (!modify_entry(domain, &changed, &operation->changes[i], backwards))
			return false;
	*entry = changed;
	entry->version = ++domain->version;
	return true;
}

/* An RDN whose value is the entry's. */
static bool fits_rdn(struct entry *entry)
{
	struct certdir_arena arena = {0};
	const char *cn = certdir_dn_rdn_value(entry->dn, NULL, &arena);
	const bool fits = cn && value_at(entry, NAME, cn);

	certdir_arena_clear(&arena);
	return fits;
}

static bool add(struct domain *domain, const struct certdir_ldap_operation *operation)
{
	struct entry entry = {.id = ++domain->id, .version = ++domain->version};

	assert_true(domain->count < ENTRIES && strlen(operation->dn) < TEXT);
	(void)strcpy(entry.dn, operation->dn);
	if (entry_at(domain, operation->dn))
		return refuse(domain, "%s is there already", operation->dn);
	for (size_t i = 0; i < operation->count; i++)
		if (!take_values(domain, &entry, attribute_of(operation->changes[i].attribute),
				 &operation->changes[i].added))
			return false;
	if (!fits_rdn(&entry))
		return refuse(domain, "%s has not the value of its RDN", entry.dn);
	if (text_at(&entry, ACCOUNT))
		add_value(&entry, PRIMARY, "515");
	domain->entries[domain->count++] = entry;
	return true;
}

static bool rename_entry(struct domain *domain, const char *dn, const char *rdn, const char *parent)
{
	struct entry *entry = entry_at(domain, dn), *other;
	struct certdir_arena arena = {0};
	const char *before, *after;
	char target[TEXT];
	struct value *value;

	if (!entry)
		return refuse(domain, "%s is not there", dn);
	assert_true(snprintf(target, sizeof(target), "%s,%s", rdn, parent) < TEXT);
	other = entry_at(domain, target);
	if (other && other != entry)
		return refuse(domain, "%s is there already", target);
	before = certdir_dn_rdn_value(dn, NULL, &arena);
	after = certdir_dn_rdn_value(target, NULL, &arena);
	assert_true(before && after);
	value = value_at(entry, NAME, before);
	assert_non_null(value);
	drop_value(entry, value);
	if (!value_at(entry, NAME, after))
		add_value(entry, NAME, after);
	(void)strcpy(entry->dn, target);
	entry->version = ++domain->version;
	certdir_arena_clear(&arena);
	return true;
}

static bool delete (struct domain *domain, const char *dn)
{
	struct entry *entry = entry_at(domain, dn);

	if (!entry)
		return refuse(domain, "%s is not there", dn);
	for (size_t i = 0; i < domain->count; i++)
		if (strcasecmp(certdir_dn_parent(domain->entries[i].dn), dn) == 0)
			return refuse(domain, "%s has entries below it", dn);
	*entry = domain->entries[--domain->count];
	return true;
}

bool carry_out(struct domain *domain, const struct certdir_ldap_operation *operation)
{
	switch (operation->verb) {
	case CERTDIR_LDAP_VERB_ADD:
		return add(domain, operation);
	case CERTDIR_LDAP_VERB_MODIFY:
		return modify(domain, operation, false);
	case CERTDIR_LDAP_VERB_RENAME:
		return rename_entry(domain, operation->dn, operation->rdn, operation->parent);
	case CERTDIR_LDAP_VERB_DELETE:
		return delete (domain, operation->dn);
	case CERTDIR_LDAP_VERB_READ:
		break;
	}
	return refuse(domain, "a plan does not read");
}

bool take_back(struct domain *domain, const struct certdir_ldap_operation *operation)
{
	char dn[TEXT], rdn[TEXT];

	switch (operation->verb) {
	case CERTDIR_LDAP_VERB_ADD:
		return delete (domain, operation->dn);
	case CERTDIR_LDAP_VERB_MODIFY:
		return modify(domain, operation, true);
	case CERTDIR_LDAP_VERB_RENAME:
		(void)snprintf(dn, sizeof(dn), "%s,%s", operation->rdn, operation->parent);
		(void)snprintf(rdn, sizeof(rdn), "%.*s", (int)certdir_dn_rdn_length(operation->dn), operation->dn);
		return rename_entry(domain, dn, rdn, certdir_dn_parent(operation->dn));
	case CERTDIR_LDAP_VERB_DELETE:
		return add(domain, operation);
	case CERTDIR_LDAP_VERB_READ:
		break;
	}
	return refuse(domain, "a plan does not read");
}

/* ---- what the plan is made from ---- */

static const struct certdir_template some_template = {"HOST/{cn}.wifi.{domain}:1433", false};

static const struct certdir_column computer_columns[] = {
	{"servicePrincipalName", &some_template, 1, true, true},
	{"dNSHostName", NULL, 0, true, false},
	{"description", &some_template, 1, false, false},
};

static const struct certdir_column device_columns[] = {
	{"cn", &some_template, 1, true, false},
	{"serialNumber", &some_template, 1, false, false},
};

static const char *computer_classes[] = {"computer", NULL}, *device_classes[] = {"device", NULL};

/* As certdir_domain_names_read() would tell. */
static const struct certdir_domain_name domain_names[] = {
	{"corp.example", 12, &domain_names[1]},	     {"CORP", 4, &domain_names[2]},
	{"dc1.corp.example", 16, &domain_names[3]},  {"dc1", 3, &domain_names[4]},
	{"emea.corp.example", 17, &domain_names[5]}, {"example", 7, NULL},
};

void configure(struct planning *planning, enum certdir_placeholder_kind kind)
{
	const bool computer = kind == CERTDIR_PLACEHOLDER_COMPUTER;

	accents = computer ? CERTDIR_ACCENTS_IGNORED : CERTDIR_ACCENTS_COUNT;
	planning->member_of = false;
	planning->rules = (struct certdir_plan_rules){
		.name = "wifi",
		.ou = OU,
		.kind = kind,
		.mark_attribute = computer ? "adminDescription" : "description",
		.object_classes = computer ? computer_classes : device_classes,
		.columns = (struct certdir_column *)(computer ? computer_columns : device_columns),
		.column_count = computer ? 3 : 2,
		.enabled = true,
		.max_remove = 10,
		.delete_after = 1000,
	};
	planning->domain = (struct certdir_domain){
		.active_directory = computer, .base = DOMAIN, .name = "corp.example", .names = domain_names};
}

void with_group(struct planning *planning, bool primary)
{
	planning->member_of = true;
	planning->rules.primary_group = primary;
	planning->domain.group_count = 1;
	planning->domain.groups = fixture_groups;
	planning->domain.computers = COMPUTERS;
}

void with_groups(struct planning *planning, bool primary, bool member_of)
{
	with_group(planning, primary);
	planning->domain.group_count = GROUPS;
	planning->member_of = member_of;
}

enum attribute mark_attribute(const struct planning *planning)
{
	return attribute_of(planning->rules.mark_attribute);
}

static struct certdir_ldap_values values_of(struct planning *planning, const struct entry *entry,
					    enum attribute attribute)
{
	struct certdir_ldap_bytes *items = certdir_arena_alloc(&planning->arena, VALUES * sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < entry->count; i++)
		if (entry->values[i].attribute == attribute)
			items[count++] =
				(struct certdir_ldap_bytes){entry->values[i].text, strlen(entry->values[i].text)};
	qsort(items, count, sizeof(*items), certdir_bytes_compare);
	return (struct certdir_ldap_values){items, count};
}

bool is_in(const struct entry *entry, const char *group)
{
	return value_at((struct entry *)entry, MEMBER_OF, group);
}

/* The value that is a mark; a description may have others. */
static const char *mark_of(const struct entry *entry, enum attribute attribute)
{
	struct certdir_mark mark;

	for (size_t i = 0; i < entry->count; i++)
		if (entry->values[i].attribute == attribute &&
		    certdir_mark_parse(entry->values[i].text, strlen(entry->values[i].text), &mark))
			return entry->values[i].text;
	return NULL;
}

static struct certdir_account read_account(struct planning *planning, const struct entry *entry)
{
	const char *control = text_at(entry, CONTROL), *primary = text_at(entry, PRIMARY),
		   *mark = mark_of(entry, mark_attribute(planning));
	struct certdir_account account = {.dn = entry->dn, .account_name = text_at(entry, ACCOUNT)};
	struct certdir_mark parsed;

	account.cn = certdir_dn_rdn_value(entry->dn, NULL, &planning->arena);
	assert_non_null(account.cn);
	for (size_t i = 0; i < OUS; i++)
		if (strcasecmp(certdir_dn_parent(entry->dn), fixture_ous[i]) == 0)
			account.ou = fixture_ous[i];
	account.direct = account.ou;
	account.control = control ? (uint32_t)atoi(control) : 0;
	account.disabled = account.control & 2;
	account.primary_group = primary ? (uint32_t)atoi(primary) : 0;
	for (size_t i = 0; i < planning->domain.group_count; i++)
		if (is_in(entry, fixture_groups[i].dn))
			account.groups |= UINT64_C(1) << i;
	account.in_computers = is_in(entry, COMPUTERS);
	account.sid = text_at(entry, SID);
	account.guid = text_at(entry, GUID);
	account.expires = text_at(entry, EXPIRES) ? atoi(text_at(entry, EXPIRES)) : 0;
	account.version = certdir_arena_print(&planning->arena, "%d", entry->version);
	if (mark && certdir_mark_parse(mark, strlen(mark), &parsed)) {
		account.mark = certdir_arena_alloc(&planning->arena, sizeof(parsed));
		*account.mark = parsed;
		account.mark_text = mark;
		account.own = strcmp(parsed.section, "wifi") == 0 &&
			      strcmp(text_at(entry, CLASS), planning->rules.object_classes[0]) == 0;
	}
	account.computer = strcmp(text_at(entry, CLASS), "computer") == 0;
	if (text_at(entry, SYSTEM) && account.computer)
		account.life = certdir_arena_print(&planning->arena, "operatingSystem %s", text_at(entry, SYSTEM));
	if (!account.mark && text_at(entry, mark_attribute(planning)))
		account.unfit = "its adminDescription has another value";
	if (!account.own)
		return account;
	account.values = certdir_arena_alloc(&planning->arena, planning->rules.column_count * sizeof(*account.values));
	for (size_t i = 0; i < planning->rules.column_count; i++)
		account.values[i] = values_of(planning, entry, attribute_of(planning->rules.columns[i].attribute));
	account.mappings = values_of(planning, entry, MAPPING);
	return account;
}

static int by_key(const void *a, const void *b)
{
	const struct certdir_account *left = a, *right = b;
	const int order = strcmp(left->mark->key, right->mark->key);

	return order ? order : strcmp(left->dn, right->dn);
}

static int by_dn(const void *a, const void *b)
{
	const struct certdir_account *left = a, *right = b;

	return strcmp(left->dn, right->dn);
}

static bool is_below(const char *dn, const char *ou)
{
	const size_t length = strlen(dn), end = strlen(ou);

	return length > end && strcasecmp(dn + length - end, ou) == 0;
}

void place(const struct planning *planning, const struct device *device, struct certdir_wanted *item)
{
	item->ou = fixture_ous[device->staff];
	if (planning->domain.group_count == 0)
		return;
	item->groups = device->groups & ~(planning->domain.group_count == 1 ? ~1u : 0u);
	if (planning->member_of)
		item->groups |= 1;
	for (unsigned i = GROUPS; i-- > 1;)
		if (item->groups >> i & 1)
			item->primary = 1 + i;
	if (!item->primary && (item->groups & 1))
		item->primary = 1;
}

void read_accounts(struct planning *planning)
{
	struct certdir_accounts *accounts = &planning->accounts;

	accounts->own = certdir_arena_alloc(&planning->arena, ENTRIES * sizeof(*accounts->own));
	accounts->foreign = certdir_arena_alloc(&planning->arena, ENTRIES * sizeof(*accounts->foreign));
	accounts->own_count = accounts->foreign_count = 0;
	for (size_t i = 0; i < planning->seen.count; i++) {
		const struct entry *entry = &planning->seen.entries[i];
		struct certdir_account account;

		if (!is_below(entry->dn, OU) && !is_below(entry->dn, STAFF))
			continue;
		account = read_account(planning, entry);
		if (account.own)
			accounts->own[accounts->own_count++] = account;
		else
			accounts->foreign[accounts->foreign_count++] = account;
	}
	for (size_t i = 0; i < accounts->own_count; i++)
		for (size_t k = 0; k < planning->seen.count; k++)
			if (is_below(planning->seen.entries[k].dn, accounts->own[i].dn))
				accounts->own[i].child = planning->seen.entries[k].dn;
	qsort(accounts->own, accounts->own_count, sizeof(*accounts->own), by_key);
	qsort(accounts->foreign, accounts->foreign_count, sizeof(*accounts->foreign), by_dn);
}

static struct certdir_ldap_values texts_of(struct planning *planning, const char texts[DEVICE_VALUES][64])
{
	struct certdir_ldap_bytes *items = certdir_arena_alloc(&planning->arena, DEVICE_VALUES * sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < DEVICE_VALUES; i++)
		if (texts[i][0])
			items[count++] = (struct certdir_ldap_bytes){texts[i], strlen(texts[i])};
	qsort(items, count, sizeof(*items), certdir_bytes_compare);
	return (struct certdir_ldap_values){items, count};
}

static int by_wanted_key(const void *a, const void *b)
{
	const struct certdir_wanted *left = a, *right = b;

	return strcmp(left->key, right->key);
}

void read_wanted(struct planning *planning, const struct device devices[DEVICES])
{
	struct certdir_wanted_list *wanted = &planning->wanted;

	*wanted = (struct certdir_wanted_list){
		.devices = certdir_arena_alloc(&planning->arena, DEVICES * sizeof(*wanted->devices))};
	for (size_t i = 0; i < DEVICES; i++) {
		const struct device *device = &devices[i];
		struct certdir_wanted *item = &wanted->devices[wanted->count];

		if (!device->there)
			continue;
		wanted->count++;
		wanted->selected += !device->why_not[0];
		*item = (struct certdir_wanted){.key = device->key,
						.name = device->name[0] ? device->name : NULL,
						.why_not = device->why_not[0] ? device->why_not : NULL,
						.problem = device->problem[0] ? device->problem : NULL,
						.cn = device->cn[0] ? device->cn : NULL,
						.sid = device->sid[0] ? device->sid : NULL,
						.hybrid = device->hybrid,
						.unmapped = device->unmapped,
						.mappings = texts_of(planning, device->mappings),
						.ended = texts_of(planning, device->ended)};
		place(planning, device, item);
		if (!item->cn)
			continue;
		item->values =
			certdir_arena_alloc(&planning->arena, planning->rules.column_count * sizeof(*item->values));
		for (size_t c = 0; c < planning->rules.column_count; c++)
			item->values[c] =
				texts_of(planning, device->values[attribute_of(planning->rules.columns[c].attribute)]);
	}
	qsort(wanted->devices, wanted->count, sizeof(*wanted->devices), by_wanted_key);
}

static bool ask_domain(void *context, struct certdir_claim *claims, size_t count, struct certdir_error *error)
{
	struct planning *planning = context;

	(void)error;
	planning->asked += count;
	planning->rounds++;
	for (size_t c = 0; c < count; c++) {
		struct domain *domain = &planning->seen;

		claims[c].holder = claims[c].host = NULL;
		claims[c].holders = 0;
		for (size_t i = 0; i < domain->count; i++) {
			if (!value_at(&domain->entries[i], attribute_of(claims[c].attribute), claims[c].value))
				continue;
			claims[c].holders++;
			if (claims[c].holder && strcmp(domain->entries[i].dn, claims[c].holder) >= 0)
				continue;
			claims[c].holder = domain->entries[i].dn;
			claims[c].host = text_at(&domain->entries[i], HOST_NAME);
		}
	}
	return true;
}

void make_plan(struct planning *planning, const struct domain *directory, const struct device devices[DEVICES],
	       int64_t now)
{
	const struct certdir_claims_source source = {ask_domain, planning};
	struct certdir_error error;

	planning->seen.count = directory->count;
	memcpy(planning->seen.entries, directory->entries, directory->count * sizeof(*directory->entries));
	planning->asked = planning->rounds = 0;
	read_accounts(planning);
	read_wanted(planning, devices);
	assert_true(certdir_plan_make(&planning->rules, &planning->domain, &planning->wanted, &planning->accounts,
				      &source, now, &planning->arena, &planning->plan, &error));
}
