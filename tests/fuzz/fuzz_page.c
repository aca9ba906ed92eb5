/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over pages and their records. Beyond memory errors it looks for what must hold: the same outcome however
 * the bytes are sliced, texts that are UTF-8 without a NUL, a refusal that says why, nothing taken from a page that is
 * cut or has something behind its end, and the same objects as jansson finds where it takes the document, too.
 */
#include "holds.h"
#include "text/utf8.h"
#include "tenant/tenant.h"
#include "sync/record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { ENTRA, INTUNE, GROUP, MEMBER, EXTENDED, KINDS };

static const char *const *const properties[KINDS] = {certdir_record_entra_properties, certdir_record_intune_properties,
						     certdir_record_group_properties, certdir_record_member_properties,
						     certdir_record_extended_properties};

/* What one reading gave. */
struct reading {
	enum kind kind;
	const json_t *truth; /* "value" as jansson has it, or NULL */
	size_t objects;
	uint64_t digest;
	bool taken;
	bool retry;
	struct certdir_error error;
};

static void check_text(const char *text, size_t length)
{
	uint32_t character;
	size_t size;

	HOLDS(strlen(text) == length);
	for (; length > 0; text += size, length -= size) {
		size = certdir_utf8_read(text, length, &character);
		HOLDS(size > 0);
	}
}

static void add(struct reading *reading, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		reading->digest = (reading->digest ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
}

static void compare(const struct certdir_page_value *value, const json_t *truth)
{
	switch (value->type) {
	case CERTDIR_PAGE_MISSING:
		HOLDS(!truth);
		break;
	case CERTDIR_PAGE_NULL:
		HOLDS(json_is_null(truth));
		break;
	case CERTDIR_PAGE_FALSE:
		HOLDS(json_is_false(truth));
		break;
	case CERTDIR_PAGE_TRUE:
		HOLDS(json_is_true(truth));
		break;
	case CERTDIR_PAGE_NUMBER:
		HOLDS(json_is_number(truth));
		break;
	case CERTDIR_PAGE_TEXT:
		HOLDS(json_is_string(truth) && json_string_length(truth) == value->length);
		for (size_t i = 0; i < value->length; i++)
			HOLDS(value->text[i] == (json_string_value(truth)[i] ? json_string_value(truth)[i] : '\1'));
		break;
	case CERTDIR_PAGE_OTHER:
		HOLDS(json_is_object(truth) || json_is_array(truth));
		break;
	}
}

static bool record(enum kind kind, const struct certdir_page_object *object, struct certdir_error *error)
{
	char room[CERTDIR_RECORD_ROOM];
	struct certdir_device device;
	const char *id, *name;
	uint32_t present;

	switch (kind) {
	case ENTRA:
	case EXTENDED:
		if (!certdir_record_entra(object, kind == EXTENDED ? 0xfffe : 0, room, &device, &present, error))
			return false;
		HOLDS(!device.extension_attributes || strnlen(room, sizeof(room)) < sizeof(room));
		HOLDS(device.object_id[0] && present >> CERTDIR_PROPERTIES == 0 && (present == 0 || !object->removed));
		return true;
	case INTUNE:
		if (!certdir_record_intune(object, &device, error))
			return false;
		HOLDS(device.intune_device_id[0] && device.last_seen >= 0 && device.registered >= 0);
		return true;
	case GROUP:
		return certdir_record_group(object, &id, &name, error);
	default:
		return certdir_record_member(object, &id, error);
	}
}

/* The value of "a" or "a/b". */
static const json_t *truth_of(const json_t *object, const char *name)
{
	const char *slash = strchr(name, '/');
	char parent[64];

	if (!slash)
		return json_object_get(object, name);
	memcpy(parent, name, (size_t)(slash - name));
	parent[slash - name] = '\0';
	return json_object_get(json_object_get(object, parent), slash + 1);
}

static bool each(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct reading *reading = *(struct reading **)context;
	const json_t *truth = json_array_get(reading->truth, reading->objects);

	reading->objects++;
	for (size_t i = 0; properties[reading->kind][i]; i++) {
		const struct certdir_page_value *value = &object->values[i];

		if (value->text)
			check_text(value->text, value->length);
		add(reading, (const char *)&value->type, sizeof(value->type));
		add(reading, value->text, value->length);
		if (truth)
			compare(value, truth_of(truth, properties[reading->kind][i]));
	}
	if (truth)
		HOLDS(object->removed == (json_object_get(truth, "@removed") != NULL));
	return record(reading->kind, object, error);
}

/* slices: a seed for the lengths, 0 = all at once. */
static void read_page(struct reading *reading, enum kind kind, const json_t *truth, const char *bytes, size_t size,
		      unsigned slices)
{
	static struct certdir_page *pages[KINDS];
	static struct reading *now;
	struct certdir_page *page;
	bool fed = true;

	*reading = (struct reading){.kind = kind, .truth = truth};
	now = reading;
	if (!pages[kind])
		pages[kind] = certdir_page_open(properties[kind], each, &now);
	page = pages[kind];
	HOLDS(page);
	certdir_page_begin(page);
	for (size_t at = 0, length; fed && at < size; at += length) {
		length = slices ? 1 + (slices = slices * 1103515245 + 12345) / 65536 % 24 : size;
		length = length > size - at ? size - at : length;
		fed = certdir_page_bytes(page, bytes + at, length, &reading->retry, &reading->error);
	}
	reading->taken = fed && certdir_page_end(page, &reading->retry, &reading->error);
	if (reading->taken) {
		const char *links[] = {certdir_page_next_link(page), certdir_page_delta_link(page)};

		HOLDS(!links[0] || !links[1]);
		for (size_t i = 0; i < 2; i++)
			if (links[i])
				check_text(links[i], strlen(links[i]));
		HOLDS(certdir_page_count(page) >= -1);
		HOLDS(!truth || reading->objects == json_array_size(truth));
	} else {
		HOLDS(reading->error.text[0]);
		HOLDS(!strpbrk(reading->error.text, "\n\r\t\033"));
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char behind[] = "\"\\{}[]:,x1-t/\0\xc3";
	struct reading whole, sliced, cut, longer;
	json_t *document;
	enum kind kind;
	const char *bytes = (const char *)data;
	unsigned slices;
	char *text;

	if (size < 2)
		return 0;
	/* The last two bytes choose the kind and the slices. */
	kind = (enum kind)(data[size - 1] % KINDS);
	slices = 1 + data[size - 2];
	size -= 2;
	document = json_loadb(bytes, size, JSON_ALLOW_NUL, NULL);
	read_page(&whole, kind, json_object_get(document, "value"), bytes, size, 0);
	read_page(&sliced, kind, NULL, bytes, size, slices);
	HOLDS(sliced.taken == whole.taken && sliced.objects == whole.objects && sliced.digest == whole.digest);
	HOLDS(whole.taken || sliced.retry == whole.retry);
	while (size > 0 && strchr(" \t\r\n", bytes[size - 1]))
		size--;
	if (whole.taken && size > 0) {
		read_page(&cut, kind, NULL, bytes, slices % size, 0);
		HOLDS(!cut.taken && cut.retry);
		text = malloc(size + 1);
		HOLDS(text);
		memcpy(text, bytes, size);
		text[size] = behind[slices % (sizeof(behind) - 1)];
		read_page(&longer, kind, NULL, text, size + 1, 0);
		HOLDS(!longer.taken && !longer.retry);
		free(text);
	}
	json_decref(document);
	return 0;
}
