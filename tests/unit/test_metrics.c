/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics: what is counted is printed once and where it belongs, no name breaks the format, and the file is whole for who reads it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "metrics/file.h"
#include "metrics/tally.h"

struct text {
	struct certdir_exposition to;
	char *text;
	size_t size;
};

static void begin(struct text *text)
{
	*text = (struct text){.text = NULL};
	text->to.out = open_memstream(&text->text, &text->size);
	assert_non_null(text->to.out);
}

static void end(struct text *text)
{
	assert_int_equal(fclose(text->to.out), 0);
}

static void test_samples(void **state)
{
	const struct certdir_label labels[] = {
		{"tenant", "a\"b\\c\nd\xff\xc3\xa4!"}, {"part", "devices"}, {NULL, NULL}};
	struct text text;

	(void)state;
	begin(&text);
	certdir_metric_print(&text.to, CERTDIR_METRIC_LIST_UP, NULL, 1);
	certdir_metric_print(&text.to, CERTDIR_METRIC_TENANT_SUCCESS, labels, 12);
	certdir_metric_print(&text.to, CERTDIR_METRIC_TENANT_SUCCESS, labels + 1, -3);
	end(&text);
	assert_string_equal(text.text, "# HELP certdir_list_up Whether there is a usable device list.\n"
				       "# TYPE certdir_list_up gauge\n"
				       "certdir_list_up 1\n"
				       "# HELP certdir_tenant_last_success_timestamp_seconds When the part of the "
				       "tenant was last listed whole; 0 is "
				       "never.\n"
				       "# TYPE certdir_tenant_last_success_timestamp_seconds gauge\n"
				       "certdir_tenant_last_success_timestamp_seconds{tenant=\"a\\\"b\\\\c\\nd?"
				       "\xc3\xa4!\",part=\"devices\"} 12\n"
				       "certdir_tenant_last_success_timestamp_seconds{part=\"devices\"} -3\n");
	free(text.text);
}

/* Names say their unit, counters that they are some, and no two are alike. */
static void test_names(void **state)
{
	(void)state;
	for (unsigned m = 0; m < CERTDIR_METRICS; m++) {
		const char *name = certdir_metric_name((enum certdir_metric)m);

		assert_non_null(name);
		assert_int_equal(strncmp(name, "certdir_", 8), 0);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		for (unsigned other = 0; other < m; other++)
			assert_string_not_equal(name, certdir_metric_name((enum certdir_metric)other));
	}
}

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("there is no\n%s\nin\n%s", line, text);
}

static void test_tally(void **state)
{
	struct certdir_tally tally = {.directories = {"list", "ldap"}};
	struct text text;

	(void)state;
	certdir_tally_add(&tally, CERTDIR_ALLOWED, "list", 100);
	certdir_tally_add(&tally, CERTDIR_ALLOWED, "list", 101);
	certdir_tally_add(&tally, CERTDIR_DISABLED, "ldap", 2000000);
	certdir_tally_add(&tally, CERTDIR_UNSEEN, NULL, 0);
	certdir_tally_add(&tally, CERTDIR_UNSEEN, "of somebody else", 60000000);
	certdir_tally_add_ask(&tally, true);
	begin(&text);
	certdir_tally_print(&tally, "wifi", &text.to);
	end(&text);
	has(text.text,
	    "\ncertdir_decisions_total{module=\"wifi\",decision=\"allow\",reason=\"allowed\",directory=\"list\"} 2\n");
	has(text.text,
	    "\ncertdir_decisions_total{module=\"wifi\",decision=\"allow\",reason=\"allowed\",directory=\"ldap\"} 0\n");
	has(text.text,
	    "\ncertdir_decisions_total{module=\"wifi\",decision=\"deny\",reason=\"disabled\",directory=\"ldap\"} 1\n");
	has(text.text,
	    "\ncertdir_decisions_total{module=\"wifi\",decision=\"deny\",reason=\"unseen\",directory=\"\"} 2\n");
	has(text.text, "\ncertdir_decision_seconds_bucket{module=\"wifi\",le=\"0.0001\"} 2\n");
	has(text.text, "\ncertdir_decision_seconds_bucket{module=\"wifi\",le=\"0.00025\"} 3\n");
	has(text.text, "\ncertdir_decision_seconds_bucket{module=\"wifi\",le=\"2.5\"} 4\n");
	has(text.text, "\ncertdir_decision_seconds_bucket{module=\"wifi\",le=\"10\"} 4\n");
	has(text.text, "\ncertdir_decision_seconds_bucket{module=\"wifi\",le=\"+Inf\"} 5\n");
	has(text.text, "\ncertdir_decision_seconds_sum{module=\"wifi\"} 62.000201\n");
	has(text.text, "\ncertdir_decision_seconds_count{module=\"wifi\"} 5\n");
	has(text.text, "\ncertdir_asks_total{module=\"wifi\",known=\"yes\"} 1\n");
	has(text.text, "\ncertdir_asks_total{module=\"wifi\",known=\"no\"} 0\n");
	free(text.text);
}

enum { WORKERS = 4, LOGINS = 20000 };

static void *work(void *context)
{
	for (int i = 0; i < LOGINS; i++)
		certdir_tally_add(context, CERTDIR_ALLOWED, "list", 1);
	return NULL;
}

static void test_workers_at_once(void **state)
{
	struct certdir_tally tally = {.directories = {"list"}};
	pthread_t workers[WORKERS];

	(void)state;
	for (int w = 0; w < WORKERS; w++)
		assert_int_equal(pthread_create(&workers[w], NULL, work, &tally), 0);
	for (int w = 0; w < WORKERS; w++)
		assert_int_equal(pthread_join(workers[w], NULL), 0);
	assert_int_equal(tally.decisions[1][CERTDIR_ALLOWED], WORKERS * LOGINS);
	assert_int_equal(tally.microseconds, WORKERS * LOGINS);
}

/* ---- the file ---- */

static int printed, complaints;

static void print_up(void *context, struct certdir_exposition *to)
{
	certdir_metric_print(to, CERTDIR_METRIC_LIST_UP, NULL, *(int *)context);
	printed++;
}

static void complain(enum certdir_log_level level, const char *text)
{
	(void)level;
	assert_non_null(strstr(text, "cannot be written"));
	complaints++;
}

static void test_file(void **state)
{
	char directory[] = "/tmp/certdir-metrics-XXXXXX", name[64], line[128] = "";
	const mode_t umask_before = umask(077);
	struct certdir_error error;
	struct stat status;
	int value = 7;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(name, sizeof(name), "%s/certdir.prom", directory);
	certdir_metrics_file_close(certdir_metrics_file_open(name, print_up, &value, &error));
	(void)umask(umask_before);
	assert_int_equal(printed, 2);
	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
	file = fopen(name, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		;
	fclose(file);
	assert_string_equal(line, "certdir_list_up 7\n");
	assert_int_equal(unlink(name), 0);
	assert_int_equal(rmdir(directory), 0); /* and nothing else is left there */
	certdir_log_set(complain);
	certdir_metrics_file_close(certdir_metrics_file_open(name, print_up, &value, &error));
	assert_int_equal(complaints, 1);
	certdir_metrics_file_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),		cmocka_unit_test(test_names), cmocka_unit_test(test_tally),
		cmocka_unit_test(test_workers_at_once), cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
