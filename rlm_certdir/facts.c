/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "checker.h"

const char *certdir_facts_text(const struct certdir_decision *decision, size_t offset)
{
	for (size_t r = 0; r < decision->record_count; r++) {
		const char *text;

		memcpy(&text, (const char *)&decision->records[r]->device + offset, sizeof(text));
		if (text && *text)
			return text;
	}
	return NULL;
}

const char *certdir_facts_user_name(const struct certdir_decision *person)
{
	for (size_t r = 0; r < person->record_count; r++)
		for (size_t v = 0; v < person->records[r]->value_count; v++)
			if (person->records[r]->values[v].type == CERTDIR_ID_UPN)
				return person->records[r]->values[v].value;
	return CERTDIR_FACT(person, name);
}

const char *certdir_facts_upn(const struct certdir_check *check)
{
	const struct certdir_certificate *certificate = &check->certificate;
	const char *known = check->person && !check->owner ? certdir_facts_user_name(&check->person->decision) : NULL;

	if (known)
		return known;
	for (size_t i = 0; i < certificate->count; i++)
		if (certificate->identities[i].type == CERTDIR_ID_UPN)
			return certificate->identities[i].value;
	return "";
}

enum certdir_join_type certdir_facts_join_type(const struct certdir_decision *decision)
{
	for (size_t r = 0; r < decision->record_count; r++)
		if (decision->records[r]->device.join_type != CERTDIR_JOIN_UNKNOWN)
			return decision->records[r]->device.join_type;
	return CERTDIR_JOIN_UNKNOWN;
}

static const char *group_text(const struct certdir_group *group)
{
	return group->name && *group->name ? group->name : group->id;
}

/* The g-th group of records[r], if others may go by it. */
static const char *group_of(const struct certdir_decision *decision, size_t r, size_t g)
{
	const struct certdir_group *group = &decision->records[r]->device.groups[g];

	return group->as_of && group->as_of < decision->member_since[r] ? NULL : group_text(group);
}

/* Whether one of the first `count` records has told a group already. */
static bool told(const struct certdir_decision *decision, size_t count, const char *group)
{
	for (size_t r = 0; r < count; r++)
		for (size_t g = 0; (decision->member >> r & 1) && g < decision->records[r]->device.group_count; g++) {
			const char *other = group_of(decision, r, g);

			if (other && strcasecmp(other, group) == 0)
				return true;
		}
	return false;
}

void certdir_facts_groups(const struct certdir_decision *decision, void (*take)(void *context, const char *group),
			  void *context)
{
	for (size_t r = 0; r < decision->record_count; r++)
		for (size_t g = 0; (decision->member >> r & 1) && g < decision->records[r]->device.group_count; g++) {
			const char *group = group_of(decision, r, g);

			if (group && !told(decision, r, group))
				take(context, group);
		}
}

bool certdir_facts_extensions(const struct certdir_decision *decision,
			      void (*take)(void *context, const char *extension), void *context)
{
	const char *from = CERTDIR_FACT(decision, extension_attributes);
	char *copy, *to;

	if (!from)
		return true;
	copy = to = malloc(strlen(from) + 1);
	if (!copy)
		return false;
	for (;; from++) {
		if (*from == '\\' && from[1]) {
			*to++ = *++from;
		} else if (*from == '|' || *from == '\0') {
			*to = '\0';
			if (to > copy)
				take(context, copy);
			to = copy;
			if (*from == '\0')
				break;
		} else {
			*to++ = *from;
		}
	}
	free(copy);
	return true;
}

const char *certdir_facts_matched_by(const struct certdir_decision *decision, char text[CERTDIR_MATCHED_BY_SIZE])
{
	const struct certdir_identity *by = decision->matched_by;

	if (!by || !decision->by_dates)
		return by ? certdir_identity_type_name(by->type) : "";
	(void)snprintf(text, CERTDIR_MATCHED_BY_SIZE, "%s+dates", certdir_identity_type_name(by->type));
	return text;
}

bool certdir_facts_have_age(const struct certdir_decision *decision)
{
	return decision->record_count || decision->reason == CERTDIR_LIST_STALE ||
	       certdir_reason_verdict(decision->reason) == CERTDIR_ALLOW;
}
