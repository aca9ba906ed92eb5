/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mappings_fixture.h"

const int64_t early = 1767225600;

static const int64_t late_registered = 1811808000; /* 2027-06-01, of the device LATE */

/* ---- a section at work ---- */

char said[16384];

static void keep(enum certdir_log_level level, const char *text)
{
	if (level == CERTDIR_LOG_INFO)
		return;
	(void)strncat(said, text, sizeof(said) - strlen(said) - 1);
	(void)strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

struct certdir_placeholders_config config;

struct certdir_arena arena;

struct certdir_wanted devices[6];

struct certdir_wanted_list wanted = {.devices = devices, .count = 6, .selected = 6};

int mappings_setup(void **state)
{
	static const char *const names[] = {"PC01", "PC02", "TWIN", "TWIN", "OTHER", "LATE"};
	static const char *const keys[] = {KEY_PC01, KEY_PC02, KEY_TWIN, KEY_TWIN2, KEY_CN, KEY_LATE};
	struct certdir_list_writer *writer;

	if (fixture_setup(state) != 0)
		return -1;
	writer = fixture_begin(true, "test", NULL, 1000);
	for (size_t i = 0; i < 6; i++) {
		struct certdir_device device = {.entra_device_id = (char *)keys[i], .name = (char *)names[i]};

		if (strcmp(names[i], "LATE") == 0)
			device.own.registered = device.registered = late_registered;
		fixture_add(writer, &device);
	}
	fixture_publish(writer);
	certdir_log_set(keep);
	return 0;
}

struct certdir_mappings *mappings_begin_forms(uint32_t forms)
{
	static const char *const keys[] = {KEY_PC01, KEY_PC02, KEY_TWIN, KEY_TWIN2, KEY_CN, KEY_LATE};
	struct certdir_mappings *mappings;
	struct certdir_error error;

	certdir_arena_clear(&arena);
	said[0] = '\0';
	for (size_t i = 0; i < 6; i++)
		devices[i] = (struct certdir_wanted){.key = keys[i]};
	config.mapping = forms;
	mappings = certdir_mappings_begin(&config, fixture_file, &wanted, &arena, &error);
	if (!mappings)
		fail_msg("%s", error.text);
	return mappings;
}

struct certdir_mappings *mappings_begin(enum certdir_mapping_form form)
{
	return mappings_begin_forms(CERTDIR_BIT(form));
}

/* Whether a value is of a form that is asked for. */
static bool is_asked(const struct certdir_ldap_bytes *value)
{
	static const char *const forms[CERTDIR_MAPPING_FORMS] = {"X509:<SKI>", "X509:<SHA1-PUKEY>", "X509:<I>"};

	for (size_t form = 0; form < CERTDIR_MAPPING_FORMS; form++)
		if (config.mapping & CERTDIR_BIT(form) && strncmp(value->bytes, forms[form], strlen(forms[form])) == 0)
			return true;
	return false;
}

const char *outcome(void)
{
	static char text[16384];

	text[0] = '\0';
	for (size_t d = 0; d < wanted.count; d++)
		for (int ended = 0; ended < 2; ended++) {
			const struct certdir_ldap_values *values = ended ? &devices[d].ended : &devices[d].mappings;

			for (size_t i = 0; i < values->count; i++)
				if (is_asked(&values->items[i]))
					(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%c%s %.*s;",
						       devices[d].key[0], ended ? " ended" : "",
						       (int)values->items[i].length, values->items[i].bytes);
		}
	return text;
}
