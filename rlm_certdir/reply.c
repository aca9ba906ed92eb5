/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reply.h"

#include "facts.h"
#include "request.h"

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
	WOULD,
	CLASS,
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
	[WOULD] = {"Certdir-Would", PW_TYPE_STRING, NULL},
	[CLASS] = {"Certdir-Class", PW_TYPE_STRING, NULL},
};

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
			       list_has_group(certdir_request_outermost(request)->state, check->da, check->vp_strvalue)
		       ? 0
		       : 1;
}

bool certdir_reply_define(CONF_SECTION *cs)
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

/* What sites go by. Who is let in only because nobody is denied is marked: a policy that assigns networks can leave him where he is. */
static void put_verdict(struct destination *to, struct certdir_decision const *decision, bool observe)
{
	char const *const reason = certdir_reason_name(decision->reason);
	enum certdir_verdict const verdict = certdir_reason_verdict(decision->reason);
	char would[64];

	if (!observe || verdict == CERTDIR_ALLOW) {
		put_string(to, DECISION, certdir_verdict_name(verdict));
		put_string(to, REASON, reason);
		/* The first reason hides the others: only this says that nothing but compliance stands against the device. */
		put_string(to, QUARANTINE, decision->only_compliance ? "yes" : NULL);
		return;
	}
	snprintf(would, sizeof(would), "%s %s", certdir_verdict_name(verdict), reason);
	put_string(to, DECISION, certdir_verdict_name(CERTDIR_ALLOW));
	put_string(to, REASON, "observed");
	put_string(to, WOULD, would);
}

static void put_decision(TALLOC_CTX *ctx, VALUE_PAIR **list, struct certdir_check const *check, bool observe)
{
	struct certdir_decision const *decision = &check->decision;
	struct destination to = {ctx, list};
	char matched_by[CERTDIR_MATCHED_BY_SIZE];

	remove_ours(list);
	put_verdict(&to, decision, observe);
	put_string(&to, DETAIL, decision->detail);
	put_string(&to, DIRECTORY, decision->directory);
	put_string(&to, MATCHED_BY, certdir_facts_matched_by(decision, matched_by));
	if (certdir_facts_have_age(decision))
		put_age(&to, decision->age);
	if (decision->record_count)
		put_device(&to, decision);
	put_user(&to, check);
}

void certdir_reply_put(REQUEST *request, struct certdir_check const *check, bool observe)
{
	REQUEST *outer = certdir_request_outermost(request);

	put_decision(request, &request->config, check, observe);
	put_decision(outer->state_ctx, &outer->state, check, observe);
}

void certdir_reply_put_class(REQUEST *request, char const *text)
{
	REQUEST *outer = certdir_request_outermost(request);
	struct destination const to = {outer->state_ctx, &outer->state};

	put_string(&to, CLASS, text);
}

char const *certdir_reply_decision(REQUEST *request, bool *quarantine)
{
	VALUE_PAIR *const state = certdir_request_outermost(request)->state;
	VALUE_PAIR *const decision = fr_pair_find_by_da(state, attributes[DECISION].da, TAG_ANY);

	*quarantine = fr_pair_find_by_da(state, attributes[QUARANTINE].da, TAG_ANY);
	return decision ? decision->vp_strvalue : NULL;
}
