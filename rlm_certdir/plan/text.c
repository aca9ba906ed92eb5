/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

#include <stdio.h>

const char *certdir_action_name(enum certdir_action_kind kind)
{
	static const char *const names[CERTDIR_ACTION_KINDS] = {"create",  "move",   "change", "enable",
								"disable", "remove", "adopt"};

	return names[kind];
}

void *certdir_plan_grow(struct certdir_arena *arena, void *items, size_t count, size_t *room, size_t size)
{
	const size_t more = *room ? *room * 2 : 64;
	void *larger;

	if (count < *room)
		return items;
	larger = certdir_arena_alloc(arena, more * size);
	if (!larger)
		return NULL;
	if (count > 0)
		memcpy(larger, items, count * size);
	*room = more;
	return larger;
}

void certdir_plan_remark(struct certdir_planner *planner, enum certdir_remark_kind kind, const char *subject,
			 const char *text)
{
	struct certdir_plan *plan = planner->plan;
	struct certdir_remark *remarks = certdir_plan_grow(planner->arena, plan->remarks, plan->remark_count,
							   &planner->remark_room, sizeof(*remarks));

	if (!remarks || !text)
		return;
	plan->remarks = remarks;
	remarks[plan->remark_count++] = (struct certdir_remark){.kind = kind, .subject = subject, .text = text};
}

/* ---- why ---- */

enum { LONG = 320 };

void certdir_plan_say(struct certdir_plan_text *text, const char *format, ...)
{
	char part[CERTDIR_TEXT_MAX];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(part, sizeof(part), format, arguments);
	va_end(arguments);
	/* The first part is there in any case, at the cost of its end. */
	if (length < 0 || (text->length > 0 && text->length + (size_t)length + 2 > LONG)) {
		text->more++;
		return;
	}
	if ((size_t)length >= sizeof(part)) {
		va_start(arguments, format);
		certdir_vsay(part, format, arguments);
		va_end(arguments);
	}
	text->length += (size_t)snprintf(text->bytes + text->length, sizeof(text->bytes) - text->length, "%s%s",
					 text->length > 0 ? "; " : "", part);
}

const char *certdir_plan_text_end(struct certdir_plan_text *text, struct certdir_arena *arena)
{
	if (text->more == 0)
		return certdir_arena_copy(arena, text->bytes, text->length);
	return certdir_arena_print(arena, "%s; and %zu more", text->bytes, text->more);
}

/* `"a", "b"`, shortened visibly. */
static void list(const struct certdir_ldap_values *values, char out[CERTDIR_TEXT_MAX])
{
	enum { NAMED = 2 };
	char quoted[CERTDIR_EXCERPT_QUOTED];
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < values->count && i < NAMED; i++)
		used += (size_t)snprintf(
			out + used, CERTDIR_TEXT_MAX - used, "%s%s", i ? ", " : "",
			certdir_excerpt_quote(values->items[i].bytes, values->items[i].length, quoted));
	if (values->count > NAMED)
		(void)snprintf(out + used, CERTDIR_TEXT_MAX - used, " and %zu more", values->count - NAMED);
}

void certdir_plan_say_change(struct certdir_plan_text *text, const char *attribute,
			     const struct certdir_ldap_values *gone, const struct certdir_ldap_values *come)
{
	char before[CERTDIR_TEXT_MAX], after[CERTDIR_TEXT_MAX];

	list(gone, before);
	list(come, after);
	if (gone->count > 0 && come->count > 0)
		certdir_plan_say(text, "%s %s -> %s", attribute, before, after);
	else if (come->count > 0)
		certdir_plan_say(text, "%s %s added", attribute, after);
	else if (gone->count > 0)
		certdir_plan_say(text, "%s %s removed", attribute, before);
}

/* ---- names ---- */

const char *certdir_plan_rdn(struct certdir_arena *arena, const char *cn)
{
	const size_t length = strlen(cn);
	char *text = certdir_arena_alloc(arena, sizeof("CN=") + 2 * length), *out = text;

	if (!text)
		return NULL;
	out = stpcpy(out, "CN=");
	for (size_t i = 0; i < length; i++) {
		const bool end = i == 0 || i + 1 == length;

		if (strchr(",+\"\\<>;=", cn[i]) || (cn[i] == ' ' && end) || (cn[i] == '#' && i == 0))
			*out++ = '\\';
		*out++ = cn[i];
	}
	return text;
}
