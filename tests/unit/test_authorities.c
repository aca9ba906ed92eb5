/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CAs that a server trusts: how many files and directories have, and whether one of them has a name. */
#include "authorities.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/certdir-authorities-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r '%s'", directory);
	return system(command);
}

/* The path of a file in the directory, in which `text` stands. */
static const char *write_file(const char *name, const char *text)
{
	static char path[160];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void test_files(void **state)
{
	static const char block[] = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
	char three[512];

	(void)state;
	(void)snprintf(three, sizeof(three),
		       "# comment\n%s-----BEGIN TRUSTED CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n%s", block,
		       block);
	assert_int_equal(certdir_authorities_in_file(write_file("three.pem", three)), 3);
	assert_int_equal(certdir_authorities_in_file(write_file("none.pem", "-----END CERTIFICATE-----\n")), 0);
	assert_int_equal(certdir_authorities_in_file("/nonexistent/ca.pem"), 0);
}

static void test_directories(void **state)
{
	(void)state;
	(void)write_file("5ed36f99.0", "");
	(void)write_file("5ed36f99.1", "");
	(void)write_file("5ED36F99.0", ""); /* not a name that OpenSSL looks for, nor are the others */
	(void)write_file("5ed36f99.r0", "");
	(void)write_file("5ed36f990.0", "");
	(void)write_file("ca.pem", "");
	assert_int_equal(certdir_authorities_in_directory(directory), 2);
	assert_int_equal(certdir_authorities_in_directory("/nonexistent"), 0);
}

static void test_names(void **state)
{
	char path[512];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/aki-none.pem", getenv("CERTDIR_TEST_CERTS"));
	assert_int_equal(certdir_authorities_in_file(path), 1);
	assert_true(certdir_authorities_have(path, "cn=pc01"));
	assert_false(certdir_authorities_have(path, "CN=Another CA"));
	/* What cannot be read is the server's to tell, and no reason to warn of a name. */
	assert_true(certdir_authorities_have("/nonexistent/ca.pem", "CN=Another CA"));
	assert_true(
		certdir_authorities_have(write_file("broken.pem", "-----BEGIN CERTIFICATE-----\n"), "CN=Another CA"));
	assert_true(certdir_authorities_have(write_file("empty.pem", ""), "CN=Another CA"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_files), cmocka_unit_test(test_directories),
					   cmocka_unit_test(test_names)};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
