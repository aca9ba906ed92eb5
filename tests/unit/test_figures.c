/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report: what is counted and in which order it is listed, and that nothing of a name becomes markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "report/page.h"
#include "report/html.h"
#include "report/style.h"

enum { DAY = 86400 };
#define NOW INT64_C(1796040000) /* 2026-11-30 12:00 UTC */

static struct certdir_figures figures;

static int begin(void **state)
{
	(void)state;
	return certdir_figures_init(&figures, NOW) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	certdir_figures_clear(&figures);
	return 0;
}

/* ---- figures ---- */

static void decide(int64_t at, enum certdir_reason reason, const char *id, const char *name, const char *subject)
{
	const struct certdir_figures_decision decision = {
		.at = at, .reason = reason, .id = id, .name = name, .subject = subject};

	assert_true(certdir_figures_count_decision(&figures, &decision));
}

static void test_decisions(void **state)
{
	const struct certdir_figures_refused *worst[CERTDIR_FIGURES_LISTED];
	const int64_t first = certdir_figures_first_day(&figures);

	(void)state;
	assert_int_equal(first, NOW - NOW % DAY - 29 * DAY);
	decide(NOW, CERTDIR_ALLOWED, "1", "a", "");
	decide(first, CERTDIR_DISABLED, "2", "b", "CN=b");
	decide(first + DAY - 1, CERTDIR_DISABLED, "2", "b", "CN=b");
	decide(first + DAY, CERTDIR_RETIRED, "2", "b", "CN=b");
	decide(first - 1, CERTDIR_DISABLED, "2", "b", "CN=b");
	decide(NOW + 2 * DAY, CERTDIR_DISABLED, "2", "b", "CN=b");
	decide(NOW, CERTDIR_NOT_FOUND, "", "", "CN=stranger");
	decide(NOW, CERTDIR_NO_CERTIFICATE, "", "", "");
	assert_int_equal(figures.decided[CERTDIR_ALLOWED][29], 1);
	assert_int_equal(figures.decided[CERTDIR_DISABLED][0], 2);
	assert_int_equal(figures.decided[CERTDIR_RETIRED][1], 1);
	assert_int_equal(figures.older, 2);
	assert_int_equal(figures.lines, 8);
	assert_int_equal(figures.unplaced, 1);
	assert_int_equal(certdir_figures_worst(&figures, worst), 2);
	assert_string_equal(worst[0]->name, "b");
	assert_int_equal(worst[0]->count, 3);
	assert_int_equal(worst[0]->last, CERTDIR_RETIRED);
	assert_int_equal(worst[0]->reasons, UINT32_C(1) << CERTDIR_DISABLED | UINT32_C(1) << CERTDIR_RETIRED);
	assert_string_equal(worst[1]->name, "CN=stranger");
	decide(first, CERTDIR_DISABLED, "2", "b", "CN=b");
	assert_int_equal(worst[0]->count, 4);
	assert_int_equal(worst[0]->last, CERTDIR_RETIRED); /* a journal that is read after a newer one */
}

static void test_observed(void **state)
{
	const struct certdir_figures_decision decision = {
		.at = NOW, .reason = CERTDIR_DISABLED, .observed = true, .id = "1", .name = "a", .subject = ""};

	(void)state;
	assert_true(certdir_figures_count_decision(&figures, &decision));
	assert_int_equal(figures.observed[CERTDIR_DISABLED][29], 1);
	assert_int_equal(figures.decided[CERTDIR_DISABLED][29], 0);
	assert_int_equal(figures.refused_count, 1);
}

/* More strangers than there are places: those that are there are counted on, and the others told. */
static void test_many_strangers(void **state)
{
	enum { STRANGERS = CERTDIR_FIGURES_REFUSED + 1000 };
	const struct certdir_figures_refused *worst[CERTDIR_FIGURES_LISTED];

	(void)state;
	for (int i = 0; i < STRANGERS; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "CN=%d", i);
		decide(NOW, CERTDIR_NOT_FOUND, "", "", subject);
		decide(NOW, CERTDIR_NOT_FOUND, "", "", i % 2 ? "CN=0" : "CN=1");
	}
	assert_int_equal(figures.refused_count, CERTDIR_FIGURES_REFUSED / 4 * 3);
	assert_int_equal(figures.unplaced, STRANGERS - CERTDIR_FIGURES_REFUSED / 4 * 3);
	assert_int_equal(certdir_figures_worst(&figures, worst), CERTDIR_FIGURES_LISTED);
	assert_int_equal(worst[0]->count, STRANGERS / 2 + 1);
	assert_int_equal(worst[2]->count, 1);
}

static void add(const char *name, const char *source, const char *compliance, int64_t seen)
{
	const struct certdir_list_source from = {.name = source};
	const struct certdir_device device = {.name = (char *)(uintptr_t)name,
					      .compliance = (char *)(uintptr_t)compliance,
					      .enabled = CERTDIR_YES,
					      .join_type = CERTDIR_JOIN_ENTRA,
					      .last_seen = seen};

	certdir_figures_count_device(&figures, &device, &from);
}

static void test_devices(void **state)
{
	(void)state;
	add(NULL, "corp", NULL, 0);
	add("a", "corp", "compliant", NOW - DAY);
	add("A", "corp", "Compliant", NOW - DAY - 1);
	add("a", "jamf", "noncompliant", NOW - 400 * DAY);
	add("b", "corp", "compliant", NOW + 5);
	for (int i = 0; i < 3; i++)
		add("c", "corp", "compliant", NOW - 7 * DAY);
	certdir_figures_count_end(&figures);
	assert_int_equal(figures.devices, 8);
	assert_int_equal(figures.joins[CERTDIR_JOIN_ENTRA], 8);
	assert_int_equal(figures.twin_names, 2);
	assert_int_equal(figures.twin_devices, 5);
	assert_string_equal(figures.twins[0].name, "c");
	assert_int_equal(figures.twins[0].count, 3);
	assert_int_equal(figures.twins[1].count, 2);
	assert_int_equal(figures.twins[2].count, 0);
	assert_int_equal(figures.compliance.count, 3);
	assert_int_equal(figures.compliance.words[1].count, 6);
	assert_int_equal(figures.seen[0], 2);
	assert_int_equal(figures.seen[1], 4);
	assert_int_equal(figures.seen[5], 1);
	assert_int_equal(figures.seen[6], 1);
}

/* The bigger ones come first, however they are met, and words that have no place are counted together. */
static void test_many_names(void **state)
{
	(void)state;
	for (int i = 0; i < CERTDIR_FIGURES_WORDS + 3; i++) {
		char word[16];

		(void)snprintf(word, sizeof(word), "%d", i);
		for (int devices = 0; devices < 2 + i; devices++)
			add(word, "corp", word, 0);
	}
	certdir_figures_count_end(&figures);
	assert_int_equal(figures.compliance.count, CERTDIR_FIGURES_WORDS);
	assert_int_equal(figures.compliance.others, 3 * CERTDIR_FIGURES_WORDS + 2 + 3 + 4);
	for (size_t i = 1; i < CERTDIR_FIGURES_LISTED && figures.twins[i].count; i++)
		assert_true(figures.twins[i - 1].count > figures.twins[i].count);
	assert_int_equal(figures.twins[0].count, CERTDIR_FIGURES_WORDS + 4);
}

static void issue(int64_t not_after, bool revoked)
{
	const struct certdir_list_issued row = {
		.issued = {.upn = (char *)(uintptr_t) "u@x", .not_after = not_after, .revoked = revoked}};

	certdir_figures_count_certificate(&figures, &row);
}

static void test_certificates(void **state)
{
	(void)state;
	issue(NOW, false);
	issue(NOW + 10, true);
	issue(0, false);
	issue(NOW + 31 * DAY, false);
	for (int i = 40; i-- > 0;)
		issue(NOW + 10 + i, false);
	assert_int_equal(figures.certificates, 44);
	assert_int_equal(figures.revoked, 1);
	assert_int_equal(figures.ends[0], 40);
	assert_int_equal(figures.ends[3], 1);
	assert_int_equal(figures.ends[6], 1);
	assert_int_equal(figures.ending_count, CERTDIR_FIGURES_LISTED);
	for (size_t i = 0; i < CERTDIR_FIGURES_LISTED; i++)
		assert_int_equal(figures.ending[i].at, NOW + 10 + (int64_t)i);
}

static void test_certificates_that_end_late(void **state)
{
	(void)state;
	issue(NOW + 30 * DAY + 1, false);
	assert_int_equal(figures.ending_count, 0);
	issue(NOW + 30 * DAY, false);
	assert_int_equal(figures.ending_count, 1);
	assert_int_equal(figures.ends[2] + figures.ends[3], 2);
}

static void test_changes(void **state)
{
	const struct certdir_list_change added = {.at = NOW, .what = "added"},
					 group = {.at = NOW - DAY, .what = "group"},
					 old = {.at = NOW - 40 * DAY, .what = "added"};

	(void)state;
	certdir_figures_count_change(&figures, &added);
	certdir_figures_count_change(&figures, &group);
	certdir_figures_count_change(&figures, &old);
	assert_int_equal(figures.changes[CERTDIR_FIGURES_ADDED][29], 1);
	assert_int_equal(figures.changes[CERTDIR_FIGURES_OTHER][28], 1);
	assert_int_equal(figures.changes[CERTDIR_FIGURES_ADDED][0], 0);
}

/* ---- the page ---- */

static char *page(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	certdir_page_print(&figures, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_hostile_names(void **state)
{
	static const char hostile[] = "<script>\"'&\xff\xe2\x80\xae\x01</td>";
	const struct certdir_list_source source = {.name = hostile, .kind = CERTDIR_SOURCE_IMPORT};
	char *text;

	(void)state;
	figures.list = hostile;
	figures.sources = &source;
	figures.source_count = 1;
	figures.has_journal = true;
	add(hostile, hostile, hostile, 0);
	add(hostile, hostile, hostile, 0);
	certdir_figures_count_end(&figures);
	decide(NOW, CERTDIR_NOT_FOUND, hostile, hostile, hostile);
	text = page();
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "\xff"));
	assert_null(strstr(text, "\x01"));
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_non_null(strstr(text, "&lt;script&gt;&quot;&#39;&amp;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;/td&gt;"));
	free(text);
}

static void test_empty(void **state)
{
	char *text;

	(void)state;
	figures.list = "";
	text = page();
	assert_non_null(strstr(text, "No journal was read"));
	assert_null(strstr(text, "http"
				 "://"));
	assert_non_null(strstr(text, "</html>"));
	free(text);
}

/* The policy of the page lets in the style sheet that stands in it, and no other. */
static void test_style_hash(void **state)
{
	unsigned char digest[EVP_MAX_MD_SIZE], text[64];
	unsigned length;

	(void)state;
	assert_int_equal(
		EVP_Digest(certdir_page_style, strlen(certdir_page_style), digest, &length, EVP_sha256(), NULL), 1);
	(void)EVP_EncodeBlock(text, digest, (int)length);
	assert_string_equal(certdir_page_style_hash, (const char *)text);
}

static void test_numbers(void **state)
{
	char text[64];
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	certdir_html_number(out, 0);
	putc(' ', out);
	certdir_html_number(out, 1234567);
	putc(' ', out);
	certdir_html_number(out, 1000);
	putc(' ', out);
	certdir_html_span(out, 7199);
	putc(' ', out);
	certdir_html_span(out, 86400);
	putc(' ', out);
	certdir_html_span(out, 3 * DAY);
	(void)fclose(out);
	assert_string_equal(text, "0 1,234,567 1,000 119 minutes 24 hours 3 days");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_decisions, begin, end),
		cmocka_unit_test_setup_teardown(test_many_strangers, begin, end),
		cmocka_unit_test_setup_teardown(test_devices, begin, end),
		cmocka_unit_test_setup_teardown(test_certificates, begin, end),
		cmocka_unit_test_setup_teardown(test_observed, begin, end),
		cmocka_unit_test_setup_teardown(test_many_names, begin, end),
		cmocka_unit_test_setup_teardown(test_certificates_that_end_late, begin, end),
		cmocka_unit_test_setup_teardown(test_changes, begin, end),
		cmocka_unit_test_setup_teardown(test_hostile_names, begin, end),
		cmocka_unit_test_setup_teardown(test_empty, begin, end),
		cmocka_unit_test(test_style_hash),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
