/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/template.h"

#include <stddef.h>
#include <string.h>

/* What stands between braces, and where it comes from. */
struct variable {
	const char *name;
	bool entry; /* of the entry, known in some templates only */
	size_t offset; /* of the char * in struct certdir_device, or in struct certdir_template_source */
};

static const struct variable variables[] = {
	{"entra_device_id", false, offsetof(struct certdir_device, entra_device_id)},
	{"intune_device_id", false, offsetof(struct certdir_device, intune_device_id)},
	{"name", false, offsetof(struct certdir_device, name)},
	{"serial_number", false, offsetof(struct certdir_device, serial_number)},
	{"cn", true, offsetof(struct certdir_template_source, cn)},
	{"domain", true, offsetof(struct certdir_template_source, domain)},
};

enum { VARIABLES = sizeof(variables) / sizeof(variables[0]) };

static const struct variable *find_variable(const char *name, size_t length, bool entry)
{
	for (size_t i = 0; i < VARIABLES; i++)
		if (strlen(variables[i].name) == length && strncmp(variables[i].name, name, length) == 0 &&
		    (entry || !variables[i].entry))
			return &variables[i];
	return NULL;
}

static bool unknown(const char *name, size_t length, bool entry, struct certdir_error *why)
{
	const int shown = length > 40 ? 40 : (int)length;

	certdir_error_set(why,
			  "{%.*s} is nothing that a device has: known are {entra_device_id}, {intune_device_id}, "
			  "{name}, {serial_number}%s",
			  shown, name, entry ? ", {cn}, {domain}" : "");
	return false;
}

bool certdir_template_init(struct certdir_template *template, const char *text, bool entry, struct certdir_error *why)
{
	*template = (struct certdir_template){.text = text};
	for (const char *at = text; (at = strpbrk(at, "{}")); at++) {
		const size_t length = *at == '{' ? strcspn(at + 1, "{}") : 0;
		const struct variable *variable;

		if (*at == '}' || at[1 + length] != '}') {
			certdir_error_set(why, "a { and a } belong together, with a name between them, as in {name}");
			return false;
		}
		variable = find_variable(at + 1, length, entry);
		if (!variable)
			return unknown(at + 1, length, entry, why);
		template->uses_cn |= variable->entry;
		at += 1 + length;
	}
	return true;
}

/* The value of a variable, or NULL when there is none that says something. */
static const char *value_of(const struct variable *variable, const struct certdir_template_source *source)
{
	const void *from = variable->entry ? (const void *)source : source->device;
	const char *value = *(const char *const *)((const char *)from + variable->offset);

	return value && value[strspn(value, " ")] ? value : NULL;
}

/* A text that grows in a buffer; squeezed: without blanks in front and without a second one behind a blank. */
struct growing {
	char *out;
	size_t used, size;
	bool squeezed;
};

static bool append(struct growing *text, const char *bytes, size_t length)
{
	if (!text->squeezed) {
		if (length >= text->size - text->used)
			return false;
		memcpy(text->out + text->used, bytes, length);
		text->used += length;
		return true;
	}
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == ' ' && (text->used == 0 || text->out[text->used - 1] == ' '))
			continue;
		if (text->used + 1 >= text->size)
			return false;
		text->out[text->used++] = bytes[i];
	}
	return true;
}

bool certdir_template_fill(const struct certdir_template *template, const struct certdir_template_source *source,
			   bool strict, char *out, size_t size, const char **missing)
{
	struct growing text = {.out = out, .size = size, .squeezed = !strict};

	*missing = NULL;
	for (const char *at = template->text; *at;) {
		size_t length = strcspn(at, "{");
		const struct variable *variable;
		const char *value;

		if (!append(&text, at, length))
			return false;
		at += length;
		if (!*at)
			break;
		length = strcspn(at, "}");
		variable = find_variable(at + 1, length - 1, true);
		value = value_of(variable, source);
		if (!value && strict) {
			*missing = variable->name;
			return false;
		}
		if (value && !append(&text, value, strlen(value)))
			return false;
		at += length + 1;
	}
	if (text.squeezed && text.used > 0 && out[text.used - 1] == ' ')
		text.used--;
	out[text.used] = '\0';
	return true;
}
