/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Templates: what is one, and what comes of it for a device. */
#include "plan/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KNOWN "known are {entra_device_id}, {intune_device_id}, {name}, {serial_number}"

static void test_init(void **state)
{
	static const struct {
		const char *text;
		bool entry;
		bool uses_cn;
		const char *why; /* NULL = it is one */
	} cases[] = {
		{"plain", false, false, NULL},
		{"", false, false, NULL},
		{"{entra_device_id}{intune_device_id} {name}-{serial_number}", false, false, NULL},
		{"{name}", true, false, NULL},
		{"HOST/{cn}", true, true, NULL},
		{"{name}.{domain}", true, true, NULL},
		{"{cn}", false, false, "{cn} is nothing that a device has: " KNOWN},
		{"{domain}", false, false, "{domain} is nothing that a device has: " KNOWN},
		{"a {Name}", true, false, "{Name} is nothing that a device has: " KNOWN ", {cn}, {domain}"},
		{"{nam}", false, false, "{nam} is nothing that a device has: " KNOWN},
		{"{}", false, false, "{} is nothing that a device has: " KNOWN},
		{"{ name }", false, false, "{ name } is nothing that a device has: " KNOWN},
		{"{0123456789012345678901234567890123456789012345}", false, false,
		 "{0123456789012345678901234567890123456789} is nothing that a device has: " KNOWN},
		{"{name", false, false, "a { and a } belong together, with a name between them, as in {name}"},
		{"name}", false, false, "a { and a } belong together, with a name between them, as in {name}"},
		{"{{name}}", false, false, "a { and a } belong together, with a name between them, as in {name}"},
		{"{name}}", false, false, "a { and a } belong together, with a name between them, as in {name}"},
		{"x{", false, false, "a { and a } belong together, with a name between them, as in {name}"},
	};
	struct certdir_template template;
	struct certdir_error why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const bool ok = certdir_template_init(&template, cases[i].text, cases[i].entry, &why);

		if (ok != !cases[i].why)
			fail_msg("\"%s\": %s", cases[i].text, ok ? "is taken" : why.text);
		if (!ok)
			assert_string_equal(why.text, cases[i].why);
		else
			assert_string_equal(template.text, cases[i].text);
		if (ok)
			assert_int_equal(template.uses_cn, cases[i].uses_cn);
	}
}

static void test_fill(void **state)
{
	static struct certdir_device whole = {.entra_device_id = (char *)"e-1",
					      .intune_device_id = (char *)"i-2",
					      .name = (char *)"LAPTOP  7",
					      .serial_number = (char *)"SN9"},
				     part = {.entra_device_id = (char *)"e-1",
					     .name = (char *)"",
					     .serial_number = (char *)"  "};
	static const struct {
		const char *text;
		const struct certdir_device *device;
		const char *strict, *loose; /* NULL = false */
		const char *missing; /* of strict */
	} cases[] = {
		{"{entra_device_id}/{intune_device_id}", &whole, "e-1/i-2", "e-1/i-2", NULL},
		{"{name} ({serial_number})", &whole, "LAPTOP  7 (SN9)", "LAPTOP 7 (SN9)", NULL},
		{"  a  {name}  ", &whole, "  a  LAPTOP  7  ", "a LAPTOP 7", NULL},
		{"{cn}.{domain}", &whole, "pc1.corp.example", "pc1.corp.example", NULL},
		{"{cn}", &part, "pc1", "pc1", NULL},
		{"{name} {entra_device_id}", &part, NULL, "e-1", "name"},
		{"{entra_device_id} {serial_number}", &part, NULL, "e-1", "serial_number"},
		{"{entra_device_id} {serial_number} {intune_device_id} x", &part, NULL, "e-1 x", "serial_number"},
		{"{intune_device_id}", &part, NULL, "", "intune_device_id"},
		{"", &part, "", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const bool strict = i % 2;
		const char *wanted = strict ? cases[i / 2].strict : cases[i / 2].loose, *missing;
		const struct certdir_template_source source = {cases[i / 2].device, "pc1", "corp.example"};
		struct certdir_template template;
		struct certdir_error why;
		char out[64];

		assert_true(certdir_template_init(&template, cases[i / 2].text, true, &why));
		if (certdir_template_fill(&template, &source, strict, out, sizeof(out), &missing) != (wanted != NULL))
			fail_msg("\"%s\"%s", cases[i / 2].text, strict ? ", strict" : "");
		if (wanted)
			assert_string_equal(out, wanted);
		else
			assert_string_equal(missing, cases[i / 2].missing);
		if (wanted)
			assert_null(missing);
	}
}

/* What does not fit is never cut, and what there is no word for is missing. */
static void test_edges(void **state)
{
	struct certdir_device device = {.name = (char *)"0123456789"};
	const struct certdir_template_source source = {&device, NULL, NULL};
	struct certdir_template template;
	struct certdir_error why;
	const char *missing;
	char out[16];

	(void)state;
	memset(out, 'x', sizeof(out));
	assert_true(certdir_template_init(&template, "{name}", false, &why));
	assert_true(certdir_template_fill(&template, &source, true, out, 11, &missing));
	assert_string_equal(out, "0123456789");
	assert_int_equal(out[11], 'x');
	for (size_t size = 1; size < 11; size++) {
		memset(out, 'x', sizeof(out));
		missing = "";
		assert_false(certdir_template_fill(&template, &source, true, out, size, &missing));
		assert_null(missing);
		assert_int_equal(out[size], 'x');
	}
	assert_true(certdir_template_init(&template, "a{domain}", true, &why));
	assert_false(certdir_template_fill(&template, &source, true, out, sizeof(out), &missing));
	assert_string_equal(missing, "domain");
	assert_true(certdir_template_fill(&template, &source, false, out, sizeof(out), &missing));
	assert_string_equal(out, "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
