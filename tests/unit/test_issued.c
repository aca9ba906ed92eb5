/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of issued certificates: a tenant's and an import's, what a new one changes, and which rows a certificate finds. */
#include "tenant_script.h"

#include "list/writer.h"
#include "text/canonical.h"
#include "text/dn.h"

#define ISSUER "CN=Contoso CA, O=Contoso, C=US"

/*
 * Rows in a line, blank-separated: "7>1" thumbprint 7, Intune device 1; "7>1!" revoked; "7>1@900" valid until then; "s7>1" by serial number and
 * issuer alone.
 */
static struct certdir_issued row_of(const char *word, char room[3][41])
{
	const bool by_serial = word[0] == 's';
	const char *device = strchr(word, '>') + 1, *at = strchr(word, '@');
	struct certdir_issued row = {.issuer = (char *)ISSUER, .serial = room[0], .revoked = strchr(word, '!') != NULL};

	(void)snprintf(room[0], 41, "00%02X", (unsigned)atoi(word + by_serial));
	(void)snprintf(room[1], 41, "%040d", atoi(word + by_serial));
	make_guid('c', atoi(device), room[2]);
	row.thumbprint = by_serial ? NULL : room[1];
	row.intune_device_id = *device == '-' ? NULL : room[2];
	row.not_after = at ? atoi(at + 1) : 0;
	return row;
}

static void put_all(struct certdir_list_writer *writer, struct certdir_tenant *tenant, const char *words)
{
	char copy[TEXT], *saved = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
		char room[3][41];
		const struct certdir_issued row = row_of(word, room);
		struct certdir_error error;
		bool taken;

		if (!(tenant ? certdir_tenant_certificates_put(tenant, &row, &taken, &error)
			     : certdir_list_write_certificate(writer, &row, &taken, &error)) ||
		    !taken)
			fail_msg("%s: %s", word, error.text);
	}
}

static bool print_row(void *context, const struct certdir_list_issued *row)
{
	const struct certdir_issued *issued = &row->issued;
	char *text = context, *end = text + strlen(text), number[24];

	end += sprintf(end, "%s%s%d>%s%s", *text ? " " : "", issued->thumbprint ? "" : "s",
		       issued->thumbprint ? atoi(issued->thumbprint) : (int)strtol(issued->serial, NULL, 16),
		       issued->intune_device_id ? number_of(issued->intune_device_id, 'c', number) : "-",
		       issued->revoked ? "!" : "");
	if (issued->not_after)
		end += sprintf(end, "@%d", (int)issued->not_after);
	if (issued->as_of)
		(void)sprintf(end, "(%d)", (int)issued->as_of);
	return true;
}

/* What the published list has, with "(900)" behind what was last known then. */
static void table_text(char text[TEXT])
{
	struct certdir_list_snapshot *snapshot = fixture_load();
	struct certdir_list_reader *reader = fixture_reader(snapshot);
	struct certdir_error error;

	text[0] = '\0';
	assert_true(certdir_list_issued_each(reader, print_row, text, &error));
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

/* ---- one table after another ---- */

static const struct {
	const char *before, *now;
	unsigned max_shrink;
	bool shrunk;
	const char *after;
} exchanges[] = {
	{"", "1>1 2>2", 10, false, "1>1 2>2"},
	{"1>1 2>2", "2>2 1>1", 10, false, "1>1 2>2"},
	{"1>1 2>2", "1>1 2>3 3>3", 10, false, "1>1 2>3 3>3"},
	{"1>1", "1>1 1>1 1>2", 10, false,
	 "1>1 1>2"}, /* an imported PFX is of several devices; twice the same is once */
	{"", "1>1 s2>2 1>1 s2>2 1>2 s2>2! 1>1", 10, false, "1>1 s2>2 1>2 s2>2!"},
	{"1>1 2>2 s3>3 4>4", "5>5 4>4 s3>3 2>2 1>1 s3>3 5>5", 10, false, "1>1 2>2 s3>3 4>4 5>5"}, /* in another order */
	{"1>1 2>2 3>3 4>4", "1>1 3>3 4>4 5>5", 30, false, "1>1 3>3 4>4 5>5"},
	{"s1>1 2>2", "s1>1! 2>2", 10, false, "2>2 s1>1!"},
	{"1>1!", "1>1", 10, false, "1>1"}, /* the same table's newer word */
	/* lost */
	{"1>1 2>2 3>3", "1>1 2>2", 10, false, "1>1 2>2"},
	{"1>1 2>2 3>3", "", 10, true, "1>1(1000) 2>2(1000) 3>3(1000)"},
	{"1>1 2>2 3>3", "", 100, false, ""},
	{"1>1 2>2 3>3", "4>4", 10, true, "1>1(1000) 2>2(1000) 3>3(1000) 4>4"},
	{"1>1@1500 2>2@1500 3>3@1500", "", 10, false, ""}, /* what has expired since is no loss */
	{"1>1@1500 2>2 3>3", "", 10, true, "2>2(1000) 3>3(1000)"},
	{"1>1! 2>2 3>3@9000!", "2>2", 100, false, "1>1!(1000) 2>2 3>3!@9000(1000)"}, /* a revoked one stays .. */
	{"1>1@1500! 2>2", "2>2", 100, false, "2>2"}, /* .. while it is valid */
	{"1>1! 2>2! 3>3!", "", 10, false, "1>1!(1000) 2>2!(1000) 3>3!(1000)"},
};

static void test_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(*exchanges); i++)
		for (int import = 0; import < 2; import++) {
			struct certdir_list_issued_counts counts;
			struct certdir_tenant_counts tenant_counts;
			struct certdir_tenant_state now;
			struct certdir_error error;
			enum certdir_tenant_ended ended;
			struct world world;
			char text[TEXT];

			(void)unlink(fixture_file);
			world_begin(&world);
			for (int turn = 0; turn < 2; turn++) {
				const char *rows = turn ? exchanges[i].now : exchanges[i].before;

				world.options.max_shrink = turn ? exchanges[i].max_shrink : 100;
				world.options.now = 1000 * (turn + 1);
				if (import) {
					world.writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
					assert_true(certdir_list_write_certificates_begin(world.writer, "ca", NULL,
											  &error));
					put_all(world.writer, NULL, rows);
					assert_true(certdir_list_write_certificates_end(
						world.writer, world.options.now, world.options.now, &counts, &error));
					assert_true(certdir_list_write_publish(world.writer, &error));
					continue;
				}
				world_open(&world);
				assert_true(certdir_tenant_certificates_begin(world.tenant, &error));
				put_all(world.writer, world.tenant, rows);
				ended = certdir_tenant_certificates_end(world.tenant, world.options.now, &tenant_counts,
									&error);
				assert_int_equal(ended,
						 turn && exchanges[i].shrunk ? CERTDIR_ENDED_SHRUNK : CERTDIR_ENDED);
				certdir_tenant_state(world.tenant, &now);
				assert_int_equal(now.certificates_synced, world.options.now);
				assert_int_equal(now.certificates, tenant_counts.after);
				world_publish(&world);
			}
			table_text(text);
			/* An import has its guard in whoever asks for it: certdir_list_write_certificates_compare(). */
			if (!import || !exchanges[i].shrunk)
				assert_string_equal(text, exchanges[i].after);
		}
}

/* The counts, the row ids: what was there and comes again stays where it is, in whatever order, beside another source's rows. */
static void test_nothing_new(void **state)
{
	enum { ROWS = 300 };
	static const int orders[] = {1, 1, ROWS - 1, 7};
	struct certdir_list_issued_counts counts;
	struct certdir_list_writer *writer;
	struct certdir_error error;

	(void)state;
	(void)unlink(fixture_file);
	for (size_t turn = 0; turn < sizeof(orders) / sizeof(*orders); turn++) {
		for (int source = 0; source < 2; source++) {
			char name[] = {(char)('a' + source), '\0'};

			writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
			assert_true(certdir_list_write_certificates_begin(writer, name, NULL, &error));
			for (int i = 0; i < ROWS; i++) {
				char word[20];

				(void)snprintf(word, sizeof(word), "%d>%d", 1 + i * orders[turn] % ROWS, source);
				put_all(writer, NULL, word);
			}
			assert_true(certdir_list_write_certificates_end(writer, 1000, 1000, &counts, &error));
			assert_int_equal(counts.before, turn ? ROWS : 0);
			assert_int_equal(counts.added, turn ? 0 : ROWS);
			assert_int_equal(counts.changed + counts.lost + counts.kept, 0);
			assert_int_equal(counts.after, ROWS);
			assert_int_equal(writer->issued.last, turn ? 2 * ROWS : source * ROWS);
			assert_true(certdir_list_write_publish(writer, &error));
		}
	}
}

/* A part that is abandoned was never there, and the writer goes on. */
static void test_abandoned(void **state)
{
	struct certdir_tenant_counts counts;
	struct certdir_error error;
	struct world world;
	char text[TEXT];

	(void)state;
	(void)unlink(fixture_file);
	world_begin(&world);
	world_open(&world);
	for (int turn = 0; turn < 2; turn++) {
		assert_true(certdir_tenant_certificates_begin(world.tenant, &error));
		put_all(world.writer, world.tenant, turn ? "1>1" : "2>2 3>3");
		if (!turn)
			certdir_tenant_part_abandon(world.tenant);
	}
	assert_int_equal(certdir_tenant_certificates_end(world.tenant, 1000, &counts, &error), CERTDIR_ENDED);
	world_publish(&world);
	table_text(text);
	assert_string_equal(text, "1>1");
}

/* ---- rows that are none ---- */

static void test_refused(void **state)
{
	static const char thumbprint[] = "00112233445566778899aabbccddeeff00112233";
	static const struct {
		struct certdir_issued row;
		const char *error; /* NULL: it is taken */
	} cases[] = {
		{{.thumbprint = (char *)"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"}, NULL},
		{{.thumbprint = (char *)thumbprint, .issuer = (char *)"no name"}, NULL},
		{{.serial = (char *)"0x1", .thumbprint = (char *)thumbprint},
		 "serial number \"0x1\" is no hexadecimal"},
		{{.serial = (char *)"1", .issuer = (char *)ISSUER}, NULL},
		{{.serial = (char *)"1", .issuer = (char *)"Contoso CA"}, "is no distinguished name"},
		{{.serial = (char *)"1"}, "has no thumbprint"},
		{{.issuer = (char *)ISSUER}, "has no thumbprint"},
		{{.thumbprint = (char *)"", .issuer = (char *)ISSUER}, "has no thumbprint"},
		{{.thumbprint = (char *)"0011"}, "is no thumbprint"},
		{{.thumbprint = (char *)"0000000000000000000000000000000000000000"}, "is no thumbprint"},
		{{.thumbprint = (char *)thumbprint, .intune_device_id = (char *)"1"},
		 "Intune device id \"1\" is not a"},
		{{.thumbprint = (char *)thumbprint, .upn = (char *)"a\nb"}, "UPN \"a"},
		{{.thumbprint = (char *)thumbprint, .intune_device_id = (char *)"00000000-0000-0000-0000-000000000000"},
		 NULL},
	};
	struct certdir_error error;
	struct world world;

	(void)state;
	(void)unlink(fixture_file);
	world_begin(&world);
	world_open(&world);
	assert_true(certdir_tenant_certificates_begin(world.tenant, &error));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool taken;

		assert_true(certdir_tenant_certificates_put(world.tenant, &cases[i].row, &taken, &error));
		assert_int_equal(taken, !cases[i].error);
		if (!taken && !strstr(error.text, cases[i].error))
			fail_msg("case %zu: %s", i, error.text);
	}
	certdir_tenant_part_abandon(world.tenant);
	world_publish(&world);
}

/* ---- imports beside devices and tenants ---- */

static void test_import(void **state)
{
	const struct certdir_device device = {.name = (char *)"A"};
	struct certdir_list_issued_counts counts;
	struct certdir_list_snapshot *snapshot;
	const struct certdir_list_source *sources;
	struct certdir_list_writer *writer;
	struct certdir_error error;
	struct world world;
	char text[TEXT];
	size_t count;

	(void)state;
	(void)unlink(fixture_file);
	world_begin(&world);
	run(&world, "full; put 1 n=B; end; publish");
	writer = fixture_begin(false, "ca", TENANT_A, 5);
	fixture_add(writer, &device);
	/* The devices of the source stay .. */
	assert_true(certdir_list_write_certificates_begin(writer, "ca", NULL, &error));
	put_all(writer, NULL, "1>1 2>2");
	assert_true(certdir_list_write_certificates_compare(writer, 1000, &counts, &error));
	assert_int_equal(counts.before, 0);
	assert_int_equal(counts.added, 2);
	assert_true(certdir_list_write_certificates_end(writer, 1000, 900, &counts, &error));
	assert_int_equal(counts.after, 2);
	fixture_publish(writer);
	/* .. and its certificates, when devices are imported. */
	writer = fixture_begin(false, "ca", TENANT_A, 6);
	fixture_add(writer, &device);
	fixture_publish(writer);
	table_text(text);
	assert_string_equal(text, "1>1 2>2");
	snapshot = fixture_load();
	sources = certdir_list_sources(snapshot, &count);
	assert_int_equal(count, 2);
	assert_int_equal(sources[1].devices, 1);
	assert_int_equal(sources[1].certificates, 2);
	assert_int_equal(sources[1].certificates_synced, 900);
	certdir_list_release(snapshot);
	/* A tenant's table is the sync's. */
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_false(certdir_list_write_certificates_begin(writer, "contoso", NULL, &error));
	assert_non_null(strstr(error.text, "certdir sync"));
	certdir_list_write_abort(writer);
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_false(certdir_list_write_certificates_begin(writer, "ca", TENANT_B, &error));
	assert_non_null(strstr(error.text, "is of tenant " TENANT_A));
	certdir_list_write_abort(writer);
	/* And it goes with its source. */
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_true(certdir_list_write_remove(writer, "ca", (int64_t[]){0}, &error));
	fixture_publish(writer);
	table_text(text);
	assert_string_equal(text, "");
}

/* ---- finding ---- */

static void find_certificate(const char *tenant, const struct certdir_certificate *certificate, const char *want,
			     bool want_more)
{
	struct certdir_list_issued rows[CERTDIR_LIST_FIND_MAX];
	struct certdir_list_snapshot *snapshot = fixture_load();
	struct certdir_list_reader *reader = fixture_reader(snapshot);
	struct certdir_error error;
	char text[TEXT] = "";
	bool more;
	const int count = certdir_list_issued_find(reader, tenant, certificate, rows, &more, &error);

	if (count < 0)
		fail_msg("%s", error.text);
	for (int i = 0; i < count; i++) {
		(void)print_row(text, &rows[i]);
		certdir_issued_clear(&rows[i].issued);
	}
	assert_string_equal(text, want);
	assert_int_equal(more, want_more);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

/* By its issuer, and by no more than the hash of that. */
static void find(const char *tenant, const char *thumbprint, const char *serial, const char *issuer, const char *want,
		 bool want_more)
{
	struct certdir_certificate certificate = {
		.thumbprint = (char *)thumbprint, .serial = (char *)serial, .issuer = (char *)issuer};

	find_certificate(tenant, &certificate, want, want_more);
	certificate.issuer_hash = issuer ? certdir_dn_hash(issuer) : 0;
	if (certificate.issuer_hash)
		certificate.issuer = NULL;
	find_certificate(tenant, &certificate, want, want_more);
}

#define THUMB(digit) "000000000000000000000000000000000000000" #digit
#define AS_CERTIFICATES_SAY "C=US,O=Contoso,CN=Contoso CA"

static void test_find(void **state)
{
	struct certdir_list_issued_counts counts;
	struct certdir_list_writer *writer;
	struct certdir_error error;
	char text[32];

	(void)state;
	(void)unlink(fixture_file);
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	for (int i = 0; i < 2; i++) {
		assert_true(
			certdir_list_write_certificates_begin(writer, i ? "b" : "a", i ? TENANT_B : TENANT_A, &error));
		put_all(writer, NULL, i ? "1>5 s3>5" : "1>1 2>2 s3>3 s4>- 7>7");
		assert_true(certdir_list_write_certificates_end(writer, 1, 1, &counts, &error));
	}
	fixture_publish(writer);
	find(NULL, THUMB(2), "02", AS_CERTIFICATES_SAY, "2>2", false);
	find(NULL, THUMB(1), "01", AS_CERTIFICATES_SAY, "1>1 1>5", false);
	find(TENANT_B, THUMB(1), "01", AS_CERTIFICATES_SAY, "1>5", false);
	find(TENANT_A, THUMB(1), NULL, NULL, "1>1", false);
	/* Issuer and serial number where there is no thumbprint, in whatever order the name is written. */
	find(TENANT_A, THUMB(9), "03", AS_CERTIFICATES_SAY, "s3>3", false);
	find(TENANT_A, NULL, "03", "CN=Contoso CA,O=Contoso,C=US", "s3>3", false);
	find(TENANT_A, THUMB(9), "03", "CN=Other CA,O=Contoso,C=US", "", false);
	find(TENANT_A, THUMB(9), "03", "", "", false);
	find(NULL, THUMB(9), "04", AS_CERTIFICATES_SAY, "s4>-", false);
	/* A row with a thumbprint is that certificate's alone. */
	find(NULL, THUMB(9), "07", AS_CERTIFICATES_SAY, "", false);

	/* So many rows of one certificate, or of one serial number, that not all are looked at. */
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	for (int i = 0; i < 17; i++) {
		(void)snprintf(text, sizeof(text), "many %d", i);
		assert_true(certdir_list_write_certificates_begin(writer, text, NULL, &error));
		put_all(writer, NULL, "8>8");
		assert_true(certdir_list_write_certificates_end(writer, 1, 1, &counts, &error));
	}
	fixture_run(writer, "WITH n(i) AS(SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<65) INSERT INTO "
			    "certificate(source,serial,issuer) SELECT 1,'09','CN='||i FROM n");
	fixture_publish(writer);
	find(NULL, THUMB(8), NULL, NULL, "8>8 8>8 8>8 8>8 8>8 8>8 8>8 8>8 8>8 8>8 8>8 8>8 8>8 8>8 8>8 8>8", true);
	find(NULL, NULL, "09", "CN=64", "s9>-", true);
	find(NULL, NULL, "09", "CN=65", "", true);
	find(NULL, NULL, "04", AS_CERTIFICATES_SAY, "s4>-", false);
}

/* Whatever an issuer is written like, it harms nothing and is no other. */
static void test_hostile_issuers(void **state)
{
	struct certdir_list_writer *writer;
	struct certdir_error error;

	(void)state;
	(void)unlink(fixture_file);
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	fixture_run(writer, "INSERT INTO source(id,name,synced) VALUES(1,'a',0);"
			    "INSERT INTO certificate(source,serial,issuer) VALUES(1,'0A',''),(1,'0A',NULL),"
			    "(1,'0A',','),(1,'0A','CN=\\'),(1,'0A','CN=#'),(1,'0A',zeroblob(9)),(1,'0A',"
			    "replace(hex(zeroblob(4000)),'0','CN=a,')),(1,'0A',x'ff'),(1,'0A','CN=x'||char(0)||'y')");
	fixture_publish(writer);
	find(NULL, NULL, "0A", "CN=Contoso CA,C=US", "", false);
	find(NULL, NULL, "0A", "", "", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),	cmocka_unit_test(test_nothing_new),
		cmocka_unit_test(test_abandoned),	cmocka_unit_test(test_refused),
		cmocka_unit_test(test_import),		cmocka_unit_test(test_find),
		cmocka_unit_test(test_hostile_issuers),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
