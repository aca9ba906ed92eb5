/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists that are signed: what a server with a public key takes, and what a writer with and without the private one leaves behind. */
#include "list_fixture.h"
#include "list/changes.h"
#include "list/keys.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

enum { DEVICES = 6000 };

static char changes_file[112], ours[112], other[112];

/* A key of `algorithm` in `name`, and its public half in `name`.pub. */
static void make_key(const char *name, const char *algorithm)
{
	EVP_PKEY *key = strcmp(algorithm, "ED25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, algorithm)
							  : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	char public_name[128];
	FILE *out = fopen(name, "w");

	assert_non_null(key);
	assert_non_null(out);
	assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(out);
	assert_int_equal(chmod(name, 0600), 0);
	(void)snprintf(public_name, sizeof(public_name), "%s.pub", name);
	out = fopen(public_name, "w");
	assert_non_null(out);
	assert_int_equal(PEM_write_PUBKEY(out, key), 1);
	(void)fclose(out);
	EVP_PKEY_free(key);
}

static int setup(void **state)
{
	if (fixture_setup(state) != 0)
		return -1;
	(void)snprintf(changes_file, sizeof(changes_file), "%s.changes", fixture_file);
	(void)snprintf(ours, sizeof(ours), "%s/ours", fixture_directory);
	(void)snprintf(other, sizeof(other), "%s/other", fixture_directory);
	make_key(ours, "ED25519");
	make_key(other, "ED25519");
	return 0;
}

/* Those of one or two names of private keys; b may be NULL. */
static struct certdir_list_keys *public_keys(const char *a, const char *b)
{
	char names[2][128];
	const char *list[] = {names[0], b ? names[1] : NULL, NULL};
	struct certdir_list_keys *keys;
	struct certdir_error error;

	(void)snprintf(names[0], sizeof(names[0]), "%s.pub", a);
	(void)snprintf(names[1], sizeof(names[1]), "%s.pub", b ? b : "");
	keys = certdir_list_keys_public(list, &error);
	if (!keys)
		fail_msg("%s", error.text);
	return keys;
}

static bool try_edition(int edition, bool fresh, const char *signing_key, struct certdir_error *error)
{
	struct certdir_list_writer *writer = certdir_list_write_begin(fixture_file, fresh, signing_key, error);
	char sql[400];

	if (!writer)
		return false;
	if (fresh)
		(void)snprintf(sql, sizeof(sql),
			       "INSERT INTO source(id,name,synced) VALUES(1,'x',%d);WITH RECURSIVE n(i) AS (VALUES(1) "
			       "UNION ALL SELECT i+1 FROM n WHERE i<%d) INSERT INTO "
			       "device(source,name,object_id,owner) SELECT 1,'PC-'||i,hex(randomblob(16)),"
			       "hex(randomblob(500)) FROM n;UPDATE source SET devices=%d",
			       edition, DEVICES, DEVICES);
	else
		(void)snprintf(sql, sizeof(sql), "UPDATE source SET synced=%d", edition);
	if (certdir_list_writer_run(writer, sql, error))
		return certdir_list_write_publish(writer, error);
	certdir_list_write_abort(writer);
	return false;
}

static void edition(int number, bool fresh, const char *signing_key)
{
	struct certdir_error error;

	if (!try_edition(number, fresh, signing_key, &error))
		fail_msg("%s", error.text);
}

static int edition_of(struct certdir_list_snapshot *snapshot)
{
	size_t count;

	return (int)certdir_list_sources(snapshot, &count)[0].synced;
}

/* Which edition a server with the public half of `key` (NULL: without) has that starts now, -1 = none. */
static int start(const char *key, struct certdir_error *damage)
{
	struct certdir_list_keys *keys = key ? public_keys(key, NULL) : NULL;
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error;
	int edition;

	snapshot = certdir_list_load_last(fixture_file, keys, damage, &error);
	edition = snapshot ? edition_of(snapshot) : -1;
	if (!snapshot)
		*damage = error;
	certdir_list_release(snapshot);
	certdir_list_keys_close(keys);
	return edition;
}

static void expect(const char *key, int edition, const char *says)
{
	struct certdir_error damage;

	assert_int_equal(start(key, &damage), edition);
	if (says ? !strstr(damage.text, says) : damage.text[0] != '\0')
		fail_msg("\"%s\" for \"%s\"", damage.text, says ? says : "nothing");
}

static off_t size_of(const char *filename)
{
	struct stat status;

	return stat(filename, &status) == 0 ? status.st_size : -1;
}

static void test_list_and_changes(void **state)
{
	const char *const both[] = {ours, other, NULL};
	struct certdir_list_keys *keys = public_keys(other, ours);
	struct certdir_list_snapshot *first, *second;
	struct certdir_error error;

	(void)state;
	edition(1, true, ours);
	assert_int_equal(size_of(changes_file), -1);
	expect(ours, 1, NULL);
	expect(NULL, 1, NULL);
	expect(other, -1, "is signed with a key that is none of public_key");
	first = certdir_list_reload(fixture_file, keys, NULL, &error); /* two keys: one of them is enough */
	assert_non_null(first);
	edition(2, false, ours);
	edition(3, false, ours);
	assert_true(size_of(changes_file) > 0);
	second = certdir_list_reload(fixture_file, keys, first, &error);
	assert_non_null(second);
	assert_int_equal(edition_of(second), 3);
	certdir_list_release(first);
	certdir_list_release(second);
	certdir_list_keys_close(keys);
	expect(ours, 3, NULL);
	expect(NULL, 3, NULL);
	expect(both[1], -1, "is signed with a key that is none of public_key");
}

static void test_unsigned(void **state)
{
	(void)state;
	edition(1, true, NULL);
	edition(2, false, NULL);
	expect(NULL, 2, NULL);
	expect(ours, -1, "is not signed");
	/* Signing begins with a list that is whole, and the one before is no way back. */
	edition(3, false, ours);
	assert_int_equal(size_of(changes_file), -1);
	expect(ours, 3, NULL);
	fixture_overwrite("", 0);
	expect(ours, -1, "is empty");
	expect(NULL, 2, "is empty");
}

static void test_last_is_asked_the_same(void **state)
{
	(void)state;
	edition(1, true, ours);
	edition(2, false, other); /* another key: whole */
	assert_int_equal(size_of(changes_file), -1);
	fixture_overwrite("", 0);
	expect(ours, 1, "is empty");
	expect(other, -1, "is empty");
}

/* Never by mistake: what servers ask for stays, or nothing is written. */
static void test_writer_without_key(void **state)
{
	struct certdir_error error;
	struct certdir_list_writer *writer;

	(void)state;
	edition(1, true, ours);
	assert_false(try_edition(2, false, NULL, &error));
	assert_non_null(strstr(error.text, "is signed, and must not become one that is not"));
	assert_false(try_edition(2, true, NULL, &error));
	assert_non_null(strstr(error.text, "--signing-key"));
	expect(ours, 1, NULL);
	writer = certdir_list_write_private(fixture_file, false, &error);
	assert_non_null(writer); /* a look may */
	certdir_list_write_abort(writer);
	edition(2, true, ours);
	expect(ours, 2, NULL);
}

static void flip(const char *filename, off_t at)
{
	int file = open(filename, O_RDWR | O_CLOEXEC);
	unsigned char byte;

	assert_true(file >= 0);
	assert_int_equal(pread(file, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(file, &byte, 1, at), 1);
	(void)close(file);
}

static void expect_refused(void)
{
	struct certdir_error error;

	assert_false(try_edition(9, true, NULL, &error));
	if (!strstr(error.text, "is signed, and must not become one that is not"))
		fail_msg("%s", error.text);
}

/* A list that is damaged is one that its servers ask a signature of, all the same: its end says so, or its changes, or the list before. */
static void test_damaged_is_still_signed(void **state)
{
	char last[128];
	unsigned char *bytes;
	size_t size;

	(void)state;
	(void)snprintf(last, sizeof(last), "%s.last", fixture_file);
	edition(1, true, ours);
	flip(fixture_file, 5000);
	expect_refused();
	edition(2, true, ours);
	edition(3, false, ours);
	assert_int_equal(truncate(fixture_file, size_of(fixture_file) - 1), 0);
	expect_refused();
	edition(4, true, ours);
	assert_int_equal(size_of(changes_file), -1);
	bytes = fixture_read(&size);
	assert_int_equal(rename(fixture_file, last), 0);
	fixture_overwrite(bytes, size - 1);
	free(bytes);
	expect_refused();
	/* Whoever moves it away means it. */
	assert_int_equal(unlink(fixture_file), 0);
	edition(5, true, NULL);
	expect(NULL, 5, NULL);
}

static void test_key_files(void **state)
{
	char ec[128], missing[128], ours_public[128];
	const char *list[] = {ec, NULL};
	struct certdir_error error;

	(void)state;
	(void)snprintf(missing, sizeof(missing), "%s/missing", fixture_directory);
	(void)snprintf(ours_public, sizeof(ours_public), "%s.pub", ours);
	(void)snprintf(ec, sizeof(ec), "%s/ec", fixture_directory);
	make_key(ec, "EC");
	assert_null(certdir_list_keys_private(ec, &error));
	assert_non_null(strstr(error.text, "holds no private key of Ed25519"));
	assert_null(certdir_list_keys_private(ours_public, &error));
	assert_null(certdir_list_keys_private(missing, &error));
	assert_non_null(strstr(error.text, "No such file"));
	assert_int_equal(chmod(ours, 0644), 0);
	assert_null(certdir_list_keys_private(ours, &error));
	assert_non_null(strstr(error.text, "others can read it"));
	assert_int_equal(chmod(ours, 0600), 0);
	(void)strcat(ec, ".pub");
	assert_null(certdir_list_keys_public(list, &error));
	assert_non_null(strstr(error.text, "holds no public key of Ed25519"));
	list[0] = ours;
	assert_null(certdir_list_keys_public(list, &error)); /* the private one */
	list[0] = missing;
	assert_null(certdir_list_keys_public(list, &error));
	assert_non_null(strstr(error.text, "cannot be read: No such file"));
	assert_false(try_edition(1, true, missing, &error));
	assert_int_equal(size_of(fixture_file), -1);
}

/* ---- what is done to files on the way ---- */

static void test_flips_and_cuts(void **state)
{
	off_t list, changes;

	(void)state;
	edition(1, true, ours);
	edition(2, false, ours);
	edition(3, false, ours);
	list = size_of(fixture_file);
	changes = size_of(changes_file);
	for (off_t back = 1; back <= 130; back++) {
		struct certdir_error damage;

		flip(fixture_file, list - back);
		assert_int_equal(start(ours, &damage), -1);
		flip(fixture_file, list - back);
		/* With the last batch spoilt the one before it counts, and that something is wrong is told. */
		flip(changes_file, changes - back);
		assert_int_equal(start(ours, &damage), 2);
		assert_true(damage.text[0]);
		flip(changes_file, changes - back);
	}
	expect(ours, 3, NULL);
	for (off_t back = 1; back <= 130; back += 3) {
		assert_int_equal(truncate(changes_file, changes - back), 0);
		expect(ours, 2, NULL);
		edition(3, false, ours);
		assert_int_equal(size_of(changes_file), changes);
	}
	for (off_t back = 1; back <= 130; back += 3) {
		struct certdir_error damage;

		assert_int_equal(truncate(fixture_file, list - back), 0);
		assert_int_equal(start(ours, &damage), -1);
	}
}

/* An edition as somebody on the way would make it, who has `signer` or no key. Its block is the list's own. */
static void forge(const char *signer, bool as_list)
{
	const int list = open(fixture_file, O_RDONLY | O_CLOEXEC),
		  file = open(changes_file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	unsigned char block[CERTDIR_LIST_BLOCK], signature[CERTDIR_SEAL_SIGNATURE], digest[CERTDIR_SEAL_DIGEST];
	struct certdir_list_changes changes;
	struct certdir_list_blocks blocks = {0};
	struct certdir_list_keys *key = NULL;
	struct certdir_list_seal seal;
	struct certdir_error error;

	assert_int_equal(certdir_list_seal_read(&seal, list, (uint64_t)size_of(fixture_file), &error),
			 CERTDIR_SEAL_TRUE);
	certdir_list_changes_begin(&changes, seal.root, seal.size, seal.made);
	changes.in_file = true;
	if (size_of(changes_file) > 0)
		assert_int_equal(certdir_list_changes_read(&changes, file, UINT64_MAX, changes_file, &error),
				 CERTDIR_CHANGES_READ);
	assert_true(certdir_list_blocks_resize(&blocks, (uint32_t)(seal.size / CERTDIR_LIST_BLOCK)));
	assert_int_equal(pread(list, block, sizeof(block), 0), sizeof(block));
	memcpy(certdir_list_blocks_put(&blocks, 0), block, sizeof(block));
	if (signer)
		assert_non_null(key = certdir_list_keys_private(signer, &error));
	changes.keys = key;
	assert_true(certdir_list_changes_append(&changes, &blocks, changes.made + 1, file, changes_file, &error));
	if (as_list) {
		const off_t end = size_of(changes_file);

		assert_int_equal(pread(file, digest, sizeof(digest), end - CERTDIR_SEAL_DIGEST), sizeof(digest));
		assert_true(certdir_list_keys_sign(key, CERTDIR_SIGNED_LIST, digest, signature));
		assert_int_equal(
			pwrite(file, signature, sizeof(signature), end - CERTDIR_SEAL_DIGEST - CERTDIR_SEAL_SIGNATURE),
			sizeof(signature));
	}
	certdir_list_keys_close(key);
	certdir_list_blocks_clear(&blocks);
	certdir_list_changes_clear(&changes);
	certdir_list_seal_clear(&seal);
	(void)close(list);
	(void)close(file);
}

static void test_forged_changes(void **state)
{
	const struct {
		const char *signer;
		bool as_list, taken;
	} cases[] = {{NULL, false, false}, {other, false, false}, {ours, true, false}, {ours, false, true}};
	off_t before;

	(void)state;
	edition(1, true, ours);
	edition(2, false, ours);
	before = size_of(changes_file);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_list_keys *keys = public_keys(ours, NULL);
		struct certdir_list_snapshot *used, *fresh;
		struct certdir_error error;

		used = certdir_list_reload(fixture_file, keys, NULL, &error);
		assert_non_null(used);
		forge(cases[i].signer, cases[i].as_list);
		fresh = certdir_list_reload(fixture_file, keys, used, &error);
		assert_int_equal(fresh != NULL, cases[i].taken);
		if (!cases[i].taken)
			expect(ours, 2, "is not signed with a key of public_key");
		certdir_list_release(fresh);
		certdir_list_release(used);
		certdir_list_keys_close(keys);
		assert_int_equal(truncate(changes_file, before), 0);
	}
	/* The same as the first batch: nothing of it counts. */
	assert_int_equal(unlink(changes_file), 0);
	forge(NULL, false);
	expect(ours, 1, "is not signed with a key of public_key");
}

/* Whoever holds a newer list back can bring an older one only to a server that starts. */
static void test_replay(void **state)
{
	struct certdir_list_keys *keys;
	struct certdir_list_snapshot *used, *fresh;
	struct certdir_error error;
	unsigned char *old;
	size_t size;

	(void)state;
	keys = public_keys(ours, NULL);
	edition(1, true, ours);
	old = fixture_read(&size);
	edition(2, true, ours);
	used = certdir_list_reload(fixture_file, keys, NULL, &error);
	assert_non_null(used);
	fixture_overwrite(old, size);
	free(old);
	assert_null(certdir_list_reload(fixture_file, keys, used, &error));
	assert_non_null(strstr(error.text, "is signed, and older than what is in use"));
	fresh = certdir_list_reload(fixture_file, NULL, used, &error); /* who asks for no signature is only told */
	assert_non_null(fresh);
	certdir_list_release(fresh);
	certdir_list_release(used);
	certdir_list_keys_close(keys);
	expect(ours, 1, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list_and_changes, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_unsigned, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_last_is_asked_the_same, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_writer_without_key, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_damaged_is_still_signed, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_key_files, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_flips_and_cuts, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_forged_changes, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_replay, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
