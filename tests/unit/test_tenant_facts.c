/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a tenant's part of the list remembers beside what Graph says now: records' pasts, since when, how often, which attributes. */
#include "tenant_script.h"

/* ---- Intune's facts ---- */

/* What no index has is written by another statement than the rest. */
TABLE(test_intune_changes,
      {"full; put 1 d=1 n=A; end; intune; rec 1 d=1 n=A sn=x st=managed cat=a ep=b; end; publish;"
       "intune; rec 1 d=1 n=A sn=x st=wipePending cat=c ep=d c=error w=7 u=z; end",
       "1 d=1 i=1 n=A sn=X c=error u=z w=7 m=n st=wipePending cat=c ep=d"},
      {"full; put 1 d=1 n=A; end; intune; rec 1 d=1 n=A st=managed cat=a ep=b; end; publish; intune; rec 1 d=1 n=A; "
       "end",
       "1 d=1 i=1 n=A c=unknown m=y"},
      {"full; put 1 d=1 n=A; end; intune; rec 1 d=1 n=A st=managed; end; publish; intune; rec 1 d=1 n=B st=managed; "
       "end",
       "1 d=1 i=1 n=A c=unknown m=y in=B"},
      {"full; end; intune; rec 1 d=0 n=A st=managed; end; publish; intune; rec 1 d=0 n=B st=wipePending cat=c; end",
       "- i=1 n=B c=unknown m=n st=wipePending cat=c f=A"},
      {"full; end; intune; rec 1 d=5 n=A st=wipePending cat=c ep=d; end; delta; put 1 d=5 n=A; end",
       "1 d=5 i=1 n=A c=unknown m=n st=wipePending cat=c ep=d"},
      /* which agent manages, and a state that is not given */
      {"full; put 1 d=1 n=A; end; intune; rec 1 d=1 n=A ma=eas; end", "1 d=1 i=1 n=A c=unknown m=n ma=eas"},
      {"full; put 1 d=1 n=A m=y; end; intune; rec 1 d=1 n=A ma=mdm; end; publish; intune; rec 1 d=1 n=A ma=eas; end",
       "1 d=1 i=1 n=A c=unknown m=y ma=eas"},
      {"full; put 1 d=1 n=A; end; intune; rec 1 d=1 n=A st=-; rec 2 d=0 st=-; end",
       "- i=2 c=unknown st=-; 1 d=1 i=1 n=A c=unknown st=-"})

/* ---- records that named an Entra device once ---- */

/* What is listed, and the Intune ids of the records that stand there all the same: "1 2". */
static void test_once_entra(void **state)
{
	static const struct {
		const char *script, *listed, *once;
	} table[] = {
		{"intune; rec 1 d=0; rec 2 d=i2; end", "- i=1 c=unknown e=y m=y; - i=2 c=unknown e=y m=y; 1 d=1", ""},
		/* Intune forgets the id: before Entra's object goes, after that, and in the same run */
		{"intune; rec 1 d=1; end; publish; intune; rec 1 d=0; end", "1 d=1", "1"},
		{"intune; rec 1 d=1; end; publish; intune; rec 1 d=0; end; publish; delta; rm 1; end", "", "1"},
		{"intune; rec 1 d=1; end; publish; delta; rm 1; end; publish; intune; rec 1 d=0; end", "", "1"},
		{"intune; rec 1 d=1; end; publish; delta; rm 1; end; intune; rec 1 d=i1; end", "", "1"},
		{"intune; rec 1 d=1; end; publish; full; end; intune; rec 1 d=i1; end", "", "1"},
		/* it had another device id, or Entra never knew the device */
		{"intune; rec 1 d=1; end; delta; put 1 d=2; end; intune; rec 1 d=0; end", "1 d=2", "1"},
		{"intune; rec 1 d=9; end; publish; intune; rec 1 d=0; end", "1 d=1", "1"},
		/* the record that the device has now is another */
		{"intune; rec 1 d=1; end; publish; intune; rec 1 d=0; rec 2 d=1; end", "1 d=1 i=2 c=unknown m=y", "1"},
		/* one that gave way to a later one was the device's, too */
		{"intune; rec 1 d=1; rec 2 d=1 r=5; end; publish; delta; rm 1; end; intune; rec 1 d=0; rec 2 d=0; end",
		 "", "1 2"},
		{"intune; rec 1 d=1; rec 2 d=1 r=5; end; publish; intune; rec 1 d=0; rec 2 d=1; end",
		 "1 d=1 i=2 c=unknown m=y", "1"},
		{"intune; rec 1 d=1; rec 1 d=0; end", "1 d=1", "1"},
		/* an Entra device whose id is the Intune id is one all the same */
		{"delta; put 1 d=i1; end; intune; rec 1 d=i1; end; publish; delta; rm 1; end; publish; intune; rec 1 "
		 "d=i1; end",
		 "", "1"},
		/* it stays so, whatever is listed, until Intune forgets the record or Entra has the device again */
		{"intune; rec 1 d=1; end; intune; rec 1 d=0; end; publish; intune; rec 1 d=0 n=A c=compliant; end; "
		 "full;"
		 "put 1 d=1; end; intune; rec 1 d=i1; end",
		 "1 d=1", "1"},
		{"intune; rec 1 d=1; end; intune; rec 1 d=0; end; filter own=company; intune; rec 1 d=0 own=company; "
		 "end;"
		 "delta; end; publish; filter; delta; end",
		 "1 d=1", "1"},
		{"intune; rec 1 d=1; end; intune; rec 1 d=0; end; intune; rec 1 d=1; end; intune; rec 1 d=0; end",
		 "1 d=1", "1"},
		{"intune; rec 1 d=1; end; intune; rec 1 d=0; end; delta; rm 1; put 2 d=i1; end",
		 "2 d=i1 i=1 c=unknown m=y", ""},
		{"intune; rec 1 d=1; end; intune; rec 1 d=0; end; publish; delta; put 2 d=i1; end; publish; delta; rm "
		 "2; end;"
		 "intune; rec 1 d=0; end",
		 "1 d=1", "1"},
		{"intune; rec 1 d=1; end; intune; rec 1 d=0; end; intune; end; publish; intune; rec 1 d=0; end",
		 "1 d=1", "1"},
		/* one listing that lacks it makes nothing forgotten: of one that waited, was joined, gave way or stood there marked */
		{"intune; rec 1 d=1; end; publish; delta; rm 1; end; publish; intune; end; publish; intune; rec 1 d=0; "
		 "end",
		 "", "1"},
		{"intune; rec 1 d=1; end; publish; intune; end; delta; rm 1; end; publish; intune; end; intune; rec 1 "
		 "d=i1; end",
		 "", "1"},
		{"intune; rec 1 d=1; rec 2 d=1 r=5; end; publish; intune; end; publish; intune; rec 1 d=0; rec 2 d=0; "
		 "end",
		 "1 d=1", "1 2"},
		{"intune; rec 1 d=9; end; intune; rec 1 d=0; end; intune; end; intune; end; publish; intune; rec 1 "
		 "d=0; end",
		 "1 d=1", "1"},
		/* of a waiting one for as long as it waits, and 400 days more; of one that is marked for as long as it is there */
		{"intune; rec 1 d=9; end; now 100000000; intune; rec 1 d=9; end; now 134559999; intune; end; publish; "
		 "now "
		 "169119998; intune; rec 1 d=0; end; now 300000000; intune; rec 1 d=0; end",
		 "1 d=1", "1"},
		{"intune; rec 1 d=9; end; intune; rec 1 d=0; end; now 34561000; intune; rec 1 d=0; end; intune; end; "
		 "publish; now "
		 "69120999; intune; rec 1 d=0; end",
		 "1 d=1", "1"},
		{"intune; rec 1 d=9; end; now 2000; intune; end; now 34562000; intune; rec 1 d=0; end",
		 "- i=1 c=unknown e=y m=y; 1 d=1", ""},
		/* another tenant's memory is its own */
		{"intune; rec 1 d=9; end; intune; end; publish; name fabrikam; guid 2; full; end; intune; rec 1 d=0; "
		 "end",
		 "1 d=1", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char script[512], got[TEXT];

		(void)snprintf(script, sizeof(script), "full; put 1 d=1; end; %s", table[i].script);
		expect(script, table[i].listed);
		query_text("SELECT ltrim(substr(intune_device_id,1,8),'0') FROM device WHERE once_entra ORDER BY 1",
			   got);
		if (strcmp(got, table[i].once) != 0)
			fail_msg("%s\nmarks \"%s\"\nand not \"%s\"", script, got, table[i].once);
	}
}

/* A record that is no device any more is a loss like any other. */
static void test_once_entra_is_no_device(void **state)
{
	struct world world;
	char got[TEXT];

	(void)state;
	world_begin(&world);
	run(&world,
	    "full; put 1 d=1; end; intune; rec 1 d=1; rec 2 d=0 n=B; end; publish; now 2000; intune; rec 1 d=0; "
	    "rec 2 d=5; end; now 3000; intune; rec 1 d=0; rec 2 d=0 n=B; end");
	assert_int_equal(world.counts.unlisted, 0);
	world_publish(&world);
	list_text("contoso", got);
	assert_string_equal(got, "1 d=1");
	changes_text("contoso", 1001, got);
	assert_string_equal(got, "2000 removed i2 B >");
}

/* ---- what Entra ID says of compliance, and since when ---- */

static void test_compliance_since(void **state)
{
	static const struct history table[] = {
		/* a first "yes" may be older than Intune's "no", a first "no" is news */
		{"full; put 1 c=compliant; put 2; put 3 c=noncompliant; end",
		 "1 c=compliant cs=1; 2 cs=1000; 3 c=noncompliant cs=1000"},
		{"full; end; now 2000; delta; put 1 c=compliant; put 2 c=noncompliant; end",
		 "1 c=compliant cs=1; 2 c=noncompliant cs=2000"},
		{"full; put 1 c=compliant; end; now 2000; delta; put 1 c=noncompliant; end",
		 "1 c=noncompliant cs=2000"},
		{"full; put 1 c=noncompliant; end; now 2000; delta; put 1 c=compliant; end", "1 c=compliant cs=2000"},
		{"full; put 1 c=compliant; end; now 2000; delta; put 1 c=-; end", "1 cs=2000"},
		{"full; put 1; end; now 2000; delta; put 1 c=compliant; end", "1 c=compliant cs=2000"},
		/* the same again, other properties, a full listing, and Intune: nothing new */
		{"full; put 1 c=compliant; end; now 2000; delta; put 1 c=compliant; put 1 n=A e=y t=5; end; publish; "
		 "now 3000;"
		 "full; put 1 c=compliant n=A; end",
		 "1 n=A c=compliant e=y t=5 cs=1"},
		{"full; put 1 d=1 c=compliant; end; now 2000; intune; rec 1 d=1 c=noncompliant; end",
		 "1 d=1 i=1 c=noncompliant m=y cs=1"},
		{"full; put 1 c=compliant; put 1 c=noncompliant; end", "1 c=noncompliant cs=1000"},
		{"full; put 1 c=noncompliant; end; now 2000; delta; rm 1; end; now 3000; delta; put 1 c=compliant; end",
		 "1 c=compliant cs=1"},
		{"full; end; intune; rec 1 d=0 c=compliant; end", "- i=1 c=compliant e=y m=y"},
	};

	(void)state;
	tell_since = true;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		expect(table[i].script, table[i].list);
	tell_since = false;
}

/* ---- extension attributes ---- */

TABLE(test_extension_attributes, {"attributes 1 7; full; put 1 x=1=a|7=b; end", "1 x=1=a|7=b"},
      {"attributes 1; full; put 1 n=A x=1=a; end; publish; delta; put 1 n=B; end; delta; put 1 x=1=b; end",
       "1 n=B x=1=b f=A"},
      {"attributes 1; full; put 1 x=1=a; end; delta; put 1 x=-; end", "1"},
      {"attributes 1; full; put 1 x=1=a; put 1 e=y; put 1 x=1=b; end", "1 e=y x=1=b"},
      /* not asked for any more */
      {"attributes 1; full; put 1 x=1=a; put 2 x=1=a; end; publish; attributes; full; put 1; put 2 x=1=b; end", "1; 2"},
      {"full; put 1 x=1=a; end", "1"})

/* With other attributes a delta link is worth nothing, unless the listing with them failed. */
static void test_attributes_and_the_delta_link(void **state)
{
	static const struct {
		const char *script;
		bool kept;
	} table[] = {
		{"full; put 1; end; publish; delta", true},
		{"full; put 1; end; publish; attributes 1; delta", false},
		{"attributes 1 15; full; put 1; end; publish; delta", true},
		{"attributes 1 15; full; put 1; end; publish; attributes 15 1; delta", true},
		{"attributes 1 15; full; put 1; end; publish; attributes 1; delta", false},
		{"attributes 1; full; put 1; end; publish; attributes; delta", false},
		{"attributes 1; full; put 1; end; publish; attributes; full; abandon; publish; attributes 1; delta",
		 true},
		{"attributes 1; full; put 1; end; publish; attributes 2; full; put 1; end; publish; delta", true},
		/* a listing that came short is no beginning for a delta; what a delta removes is known */
		{"shrink 10; full; put 1; put 2; end; publish; full; shrunk; publish; delta", false},
		{"shrink 10; full; put 1; put 2; end; publish; full; shrunk; publish; full; put 1; put 2; end; "
		 "publish; delta",
		 true},
		{"shrink 10; full; put 1; put 2; end; publish; delta; rm 1; rm 2; shrunk; publish; delta", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct certdir_tenant_state now;
		struct world world;

		(void)unlink(fixture_file);
		world_begin(&world);
		run(&world, table[i].script);
		certdir_tenant_state(world.tenant, &now);
		if ((now.delta_link != NULL) != table[i].kept)
			fail_msg("%s: the link is %s", table[i].script, now.delta_link ? "kept" : "gone");
		assert_true(now.synced == 1000);
		run(&world, "abandon");
		world_publish(&world);
	}
}

static void test_intune_interval(void **state)
{
	struct world world;
	char got[TEXT];

	(void)state;
	world_begin(&world);
	run(&world, "interval 900; full; end; publish");
	query_text("SELECT ifnull(intune_interval,'none') FROM source", got);
	assert_string_equal(got, "none");
	run(&world, "intune; end; publish");
	query_text("SELECT intune_interval FROM source", got);
	assert_string_equal(got, "900");
	run(&world, "interval 60; intune; rec 1 d=0; abandon; publish");
	query_text("SELECT intune_interval FROM source", got);
	assert_string_equal(got, "900");
	run(&world, "interval 60; intune; rec 1 d=0; end; publish");
	query_text("SELECT intune_interval FROM source", got);
	assert_string_equal(got, "60");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_intune_changes),   TEST(test_once_entra),	      TEST(test_once_entra_is_no_device),
		TEST(test_compliance_since), TEST(test_extension_attributes), TEST(test_attributes_and_the_delta_link),
		TEST(test_intune_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
