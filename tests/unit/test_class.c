/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Class of a session: what was sealed comes back, and nothing else opens. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "sessions/class.h"
#include "text/dn.h"

#define ENTRA "0123abcd-0000-4000-8000-00000000000e"
#define INTUNE "0123abcd-0000-4000-8000-00000000000f"
#define DN "CN=PC-0123,OU=Notebooks,OU=Computers,OU=Berlin,DC=corp,DC=example,DC=com"

static const struct certdir_class_key key = {.bytes = {1, 2, 3}}, other = {.bytes = {1, 2, 4}};

static struct certdir_class everything(void)
{
	return (struct certdir_class){
		.instance = "certdir",
		.id = ENTRA,
		.issued = 1800000000,
		.holder = CERTDIR_HOLDER_BOTH,
		.quarantine = true,
		.stale = true,
		.live = 5,
		.asked_of_device = 0x81,
		.asked_of_person = 2,
		.person = true,
		.issuer = UINT64_C(0xfedcba9876543210),
		.section = 0x89abcdef,
		.not_before = 1700000000,
		.tenant = "00000000-0000-4000-8000-00000000000a",
		.thumbprint = "00112233445566778899aabbccddeeff00112233",
		.groups = UINT64_C(0x8123456789abcdef),
		.ids = {{CERTDIR_ID_ENTRA, CERTDIR_RANK_VOUCHED, false, true, ENTRA},
			{CERTDIR_ID_USER_SID, CERTDIR_RANK_VOUCHED, false, true, "S-1-5-21-1-2-3-1104"}},
		.id_count = 2,
	};
}

static void assert_same(const struct certdir_class *a, const struct certdir_class *b)
{
	assert_string_equal(a->instance, b->instance);
	assert_string_equal(a->id, b->id);
	assert_true(a->issued == b->issued && a->holder == b->holder && a->not_before == b->not_before);
	assert_true(a->quarantine == b->quarantine && a->stale == b->stale && a->live == b->live);
	assert_true(a->asked_of_device == b->asked_of_device && a->asked_of_person == b->asked_of_person);
	assert_true(a->person == b->person && a->issuer == b->issuer && a->section == b->section);
	assert_true(a->groups == b->groups && a->id_count == b->id_count);
	assert_string_equal(a->tenant, b->tenant);
	assert_string_equal(a->thumbprint, b->thumbprint);
	assert_string_equal(a->serial, b->serial);
	for (size_t i = 0; i < a->id_count; i++) {
		assert_true(a->ids[i].type == b->ids[i].type && a->ids[i].rank == b->ids[i].rank);
		assert_true(a->ids[i].exact == b->ids[i].exact);
		assert_string_equal(a->ids[i].value, b->ids[i].value);
	}
}

static void assert_comes_back(const struct certdir_class *class, const char *begins)
{
	char text[CERTDIR_CLASS_MAX + 1];
	struct certdir_class opened;

	assert_true(certdir_class_seal(class, &key, text));
	assert_true(strlen(text) <= CERTDIR_CLASS_MAX);
	assert_int_equal(strncmp(text, begins, strlen(begins)), 0);
	for (const char *at = text; *at; at++)
		assert_true(*at >= ' ' && *at <= '~');
	assert_true(certdir_class_open(&opened, text, strlen(text), &key, class->instance));
	if (strncmp(text + 8, class->id, strlen(class->id)) != 0)
		strcpy(opened.id, class->id);
	assert_same(class, &opened);
}

static void test_comes_back(void **state)
{
	struct certdir_class class = everything();

	(void)state;
	assert_comes_back(&class, "certdir:" ENTRA ";");
	strcpy(class.serial, "00A1FF");
	class.thumbprint[0] = '\0';
	assert_comes_back(&class, "certdir:");
	class = (struct certdir_class){
		.instance = "x",
		.id = "pc;01",
		.ids = {{CERTDIR_ID_DNS, CERTDIR_RANK_VOUCHED, true, true, "pc01.corp.example"},
			{CERTDIR_ID_NAME, CERTDIR_RANK_CHOSEN, false, true, "pc01"},
			{CERTDIR_ID_UDID, CERTDIR_RANK_ID, false, true, "0123456789abcdef0123456789abcdef01234567"}},
		.id_count = 3};
	assert_comes_back(&class, "certdir:pc;01;");
}

/* Of every type and every rank. */
static void test_each_value_comes_back(void **state)
{
	(void)state;
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		for (unsigned rank = 0; rank <= CERTDIR_RANKS; rank++)
			for (unsigned form = 0; form < 4; form++) {
				static const char *const values[] = {ENTRA, "S-1-5-21-1-2-3-1104", "S-1-12-1-1-2-3-4",
								     "a name \xc3\xa4"};
				struct certdir_class class = {.instance = "x", .id = "y", .id_count = 1};

				class.ids[0].type = type;
				class.ids[0].exact = rank == CERTDIR_RANKS;
				class.ids[0].rank = class.ids[0].exact ? CERTDIR_RANK_VOUCHED : rank;
				class.ids[0].needed = true;
				strcpy(class.ids[0].value, values[form]);
				/* What cannot be one of a SID's type is no value of it. */
				if (values[form][0] != 'S' && (type == CERTDIR_ID_SID || type == CERTDIR_ID_SID_URI ||
							       type == CERTDIR_ID_USER_SID))
					continue;
				assert_comes_back(&class, "certdir:y;");
			}
}

/* The id that does not fit, or is no ASCII, is told by its MD5; what is only more gives way to it, what is needed does not. */
static void test_room(void **state)
{
	struct certdir_class class = everything(), opened;
	char text[CERTDIR_CLASS_MAX + 1];

	(void)state;
	strcpy(class.id, DN);
	class.tenant[0] = '\0';
	assert_comes_back(&class, "certdir:" DN ";");
	class.ids[class.id_count++] =
		(struct certdir_class_id){CERTDIR_ID_INTUNE, CERTDIR_RANK_VOUCHED, false, false, INTUNE};
	assert_true(certdir_class_seal(&class, &key, text));
	assert_int_equal(strncmp(text, "certdir:" DN ";", 9 + strlen(DN)), 0);
	assert_true(certdir_class_open(&opened, text, strlen(text), &key, "certdir"));
	assert_int_equal(opened.id_count, 2);
	class.ids[2].needed = true;
	assert_comes_back(&class, "certdir:");
	assert_true(certdir_class_seal(&class, &key, text));
	assert_int_equal(strcspn(text + 8, ";"), 32);
	class = everything();
	strcpy(class.id, "pc\xc3\xa4");
	assert_comes_back(&class, "certdir:9d1632ecd05bf0f626d7f6d655f403ca;");
}

static void test_too_much(void **state)
{
	struct certdir_class class = everything();
	char text[CERTDIR_CLASS_MAX + 1] = "x";

	(void)state;
	class.ids[0].type = CERTDIR_ID_NAME;
	memset(class.ids[0].value, 'n', 200);
	assert_false(certdir_class_seal(&class, &key, text));
	assert_string_equal(text, "");
	class = everything();
	class.id_count = 0;
	assert_false(certdir_class_seal(&class, &key, text));
	class = everything();
	class.instance[0] = '\0';
	assert_false(certdir_class_seal(&class, &key, text));
	class = everything();
	class.id[0] = '\0';
	assert_false(certdir_class_seal(&class, &key, text));
}

static void assert_shut(const char *text, size_t length, const struct certdir_class_key *by, const char *instance)
{
	static const struct certdir_class nothing;
	struct certdir_class opened;

	assert_false(certdir_class_open(&opened, text, length, by, instance));
	assert_memory_equal(&opened, &nothing, sizeof(nothing));
}

static void test_forged(void **state)
{
	const struct certdir_class class = everything();
	char text[CERTDIR_CLASS_MAX + 1], changed[CERTDIR_CLASS_MAX + 8];
	size_t length;

	(void)state;
	assert_true(certdir_class_seal(&class, &key, text));
	length = strlen(text);
	assert_shut(text, length, &other, "certdir");
	assert_shut(text, length, &key, "certdir2");
	assert_shut(text, length, &key, "wired-1");
	assert_shut(text, length, &key, "");
	for (size_t cut = 0; cut < length; cut++)
		assert_shut(text, cut, &key, "certdir");
	for (size_t i = 0; i < length; i++)
		for (int bit = 0; bit < 8; bit++) {
			strcpy(changed, text);
			changed[i] ^= (char)(1 << bit);
			assert_shut(changed, length, &key, "certdir");
		}
	(void)snprintf(changed, sizeof(changed), "%sA", text);
	assert_shut(changed, length + 1, &key, "certdir");
	(void)snprintf(changed, sizeof(changed), "%s=", text);
	assert_shut(changed, length + 1, &key, "certdir");
	/* As the sites write it for who has none, and what others write. */
	assert_shut("certdir:" ENTRA, 8 + strlen(ENTRA), &key, "certdir");
	assert_shut("certdir:;", 9, &key, "certdir");
	assert_shut("certdir:", 8, &key, "certdir");
	assert_shut("", 0, &key, "certdir");
}

/* Bits of the last digit that stand for nothing, and blanks that OpenSSL's decoder passes over, make no second text of one Class. */
static void test_one_spelling(void **state)
{
	struct certdir_class class = everything();
	char text[CERTDIR_CLASS_MAX + 1], changed[CERTDIR_CLASS_MAX + 8];

	(void)state;
	class.ids[1] = (struct certdir_class_id){CERTDIR_ID_SERIAL, CERTDIR_RANK_CHOSEN, false, true, ""};
	for (size_t length = 1; length <= 3; length++) {
		size_t end;

		memset(class.ids[1].value, 'X', length);
		assert_true(certdir_class_seal(&class, &key, text));
		end = strlen(text);
		for (int byte = 1; byte < 256; byte++) {
			strcpy(changed, text);
			changed[end - 1] = (char)byte;
			if (strcmp(changed, text) != 0)
				assert_shut(changed, end, &key, "certdir");
		}
		for (const char *blank = " \t\n\r"; *blank; blank++) {
			(void)snprintf(changed, sizeof(changed), "%s%c", text, *blank);
			assert_shut(changed, end + 1, &key, "certdir");
		}
	}
}

/* Any bytes, of any length: nothing opens, and nothing is read beyond. ASan runs this one. */
static void test_any_bytes(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_;";
		const size_t length = 9 + (size_t)(round % 300);
		char *text = malloc(length);

		assert_non_null(text);
		for (size_t i = 0; i < length; i++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			text[i] = round % 3 ? alphabet[(random >> 33) % 65] : (char)(random >> 33);
		}
		memcpy(text, "certdir:", 8);
		if (round % 2 && length > 12)
			text[10] = ';';
		assert_shut(text, length, &key, "certdir");
		free(text);
	}
}

/* ---- keys ---- */

static void assert_key(const char *content, size_t length, mode_t mode, const char *why)
{
	char filename[] = "/tmp/certdir-class-XXXXXX";
	const int fd = mkstemp(filename);
	struct certdir_class_key read;
	struct certdir_error error = {.text = ""};

	assert_true(fd >= 0 && write(fd, content, length) == (ssize_t)length && fchmod(fd, mode) == 0);
	(void)close(fd);
	if (certdir_class_key_read(&read, filename, &error) != (why == NULL))
		fail_msg("%s", error.text);
	if (why && (!strstr(error.text, why) || !strstr(error.text, filename)))
		fail_msg("\"%s\" says not \"%s\"", error.text, why);
	(void)unlink(filename);
}

static void test_keys(void **state)
{
	struct certdir_class_key one, two;
	struct certdir_error error;

	(void)state;
	assert_key("0123456789abcdef0123456789abcdef", 32, 0600, NULL);
	assert_key("0123456789abcdef\0"
		   "0123456789abcde\n",
		   32, 0440, NULL);
	assert_key("0123456789abcdef0123456789abcde", 31, 0600, "has 31 bytes, a key has 32 or more; do: openssl rand");
	assert_key("", 0, 0600, "has 0 bytes");
	assert_key("0123456789abcdef0123456789abcdef", 32, 0644, "others can read it");
	assert_key("0123456789abcdef0123456789abcdef", 32, 0660, "others can change it");
	assert_false(certdir_class_key_read(&one, "/nonexistent/key", &error));
	assert_non_null(strstr(error.text, "/nonexistent/key"));
	assert_true(certdir_class_key_make(&one) && certdir_class_key_make(&two));
	assert_memory_not_equal(&one, &two, sizeof(one));
}

/* ---- issuers ---- */

/* What certdir_dn_equal() says of two names, their hashes say. */
static void test_issuers(void **state)
{
	static const char *const names[] = {
		"CN=Example CA,DC=corp,DC=example",
		"DC=example, DC=corp, CN=example ca",
		"/DC=example/DC=corp/CN=Example CA",
		"OID.2.5.4.3=Example CA;DC=corp;DC=example",
		"CN=Example CA,DC=example,DC=corp",
		"CN=Example CA+O=x,DC=corp,DC=example",
		"o=X+cn=example CA,dc=corp,dc=example",
		"o=X+cn=example CA+O=x,dc=corp,dc=example",
		"CN=Example CA,O=x,DC=corp,DC=example",
		"CN=Example CA",
		"CN=Example",
		"E=a@b,S=Berlin",
		"emailAddress=a@b,ST=Berlin",
		"",
		"no name",
	};
	const size_t count = sizeof(names) / sizeof(names[0]);
	unsigned equal = 0;

	(void)state;
	for (size_t a = 0; a < count; a++)
		for (size_t b = 0; b < count; b++) {
			const struct certdir_certificate certificate = {.issuer_hash = certdir_dn_hash(names[b])};
			const bool same = certdir_dn_equal(names[a], names[b]);
			char text[128];

			(void)snprintf(text, sizeof(text), "%s", names[b]);
			equal += same;
			if (same !=
			    (certdir_dn_hash(names[a]) && certdir_dn_hash(names[a]) == certdir_dn_hash(names[b])))
				fail_msg("%s, %s", names[a], names[b]);
			if (certificate.issuer_hash)
				assert_int_equal(certdir_dn_is_issuer(names[a], &certificate), same);
			assert_int_equal(certdir_dn_is_issuer(names[a], &(struct certdir_certificate){.issuer = text}),
					 same);
		}
	assert_true(equal > count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),   cmocka_unit_test(test_each_value_comes_back),
		cmocka_unit_test(test_room),	     cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_forged),	     cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_one_spelling), cmocka_unit_test(test_keys),
		cmocka_unit_test(test_issuers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
