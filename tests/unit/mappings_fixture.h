/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A section of placeholders without a directory: a real list of six devices, and what they get from certificates. */
#ifndef MAPPINGS_FIXTURE_H
#define MAPPINGS_FIXTURE_H

#include "placeholders/mappings.h"

#include "list_fixture.h"

#define KEY_PC01 "11111111-0000-4000-8000-000000000001"
#define KEY_PC02 "22222222-0000-4000-8000-000000000002"
#define KEY_TWIN "33333333-0000-4000-8000-000000000003"
#define KEY_TWIN2 "44444444-0000-4000-8000-000000000004"
#define KEY_LATE "66666666-0000-4000-8000-000000000006"
#define KEY_CN "5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d"

enum { DER_MAX = 16384 };

static const int64_t early = 1767225600; /* 2026-01-01: cn-name is not valid yet, the others of the vectors are */

static const int64_t late_registered = 1811808000; /* 2027-06-01, of the device LATE */

/* ---- a section at work ---- */

static char said[16384]; /* what was logged, a line each */

static inline void keep(enum certdir_log_level level, const char *text)
{
	if (level == CERTDIR_LOG_INFO)
		return;
	(void)strncat(said, text, sizeof(said) - strlen(said) - 1);
	(void)strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

static struct certdir_placeholders_config config;
static struct certdir_arena arena;
static struct certdir_wanted devices[6];
static struct certdir_wanted_list wanted = {.devices = devices, .count = 6, .selected = 6};

static inline int setup(void **state)
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

static inline struct certdir_mappings *begin_forms(uint32_t forms)
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

static inline struct certdir_mappings *begin(enum certdir_mapping_form form)
{
	return begin_forms(CERTDIR_BIT(form));
}

static inline size_t load(const char *name, unsigned char der[DER_MAX])
{
	const char *directory = getenv("CERTDIR_TEST_CERTS");
	char path[4096];
	size_t length;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s.der", directory ? directory : "build/certs", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is missing", path);
	length = fread(der, 1, DER_MAX, file);
	(void)fclose(file);
	assert_in_range(length, 1, DER_MAX - 1);
	return length;
}

/* Whether a value is of a form that is asked for. */
static inline bool is_asked(const struct certdir_ldap_bytes *value)
{
	static const char *const forms[CERTDIR_MAPPING_FORMS] = {"X509:<SKI>", "X509:<SHA1-PUKEY>", "X509:<I>"};

	for (size_t form = 0; form < CERTDIR_MAPPING_FORMS; form++)
		if (config.mapping & CERTDIR_BIT(form) && strncmp(value->bytes, forms[form], strlen(forms[form])) == 0)
			return true;
	return false;
}

/* "PC01 X509:..;PC01 ended X509:..;" of what the devices have got in the forms that are asked for. */
static inline const char *outcome(void)
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

#endif
