/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that somebody asked for between two listings: how they come in, and that they do not stay without one. */
#include "tenant_script.h"

TABLE(test_devices,
      /* it is there, as of when it was asked for, beside the others and their age */
      {"full; put 1 d=1 n=A; end; publish; now 1500; asked; put 2 d=2 n=B e=y; end",
       "1 d=1 n=A; 2 d=2 n=B e=y kept=1500"},
      /* the listing that brings it makes it one as others, whether in the next or in the one after that, and once or twice */
      {"full; put 1; end; publish; now 1500; asked; put 2 d=2 n=B; end; publish; now 2000; delta; put 2 d=2 n=B e=y; "
       "end",
       "1; 2 d=2 n=B e=y"},
      {"full; put 1; end; publish; now 1500; asked; put 2; end; publish; now 2000; delta; end; publish; now 3000; "
       "delta; "
       "put 2 n=B; end",
       "1; 2 n=B"},
      {"full; put 1; end; publish; now 1500; asked; put 2 n=B; end; publish; now 1600; asked; put 2 n=B e=y; end",
       "1; 2 n=B kept=1500"},
      /* that lags behind once; who is in neither of two listings is gone, and a removal holds at once */
      {"full; put 1; end; publish; now 1500; asked; put 2; end; publish; now 2000; delta; end", "1; 2 kept=1500"},
      {"full; put 1; end; publish; now 1500; asked; put 2; end; publish; now 2000; full; put 1; end", "1; 2 kept=1500"},
      {"full; put 1; end; publish; now 1500; asked; put 2; end; publish; now 2000; delta; end; publish; now 3000; "
       "delta; end",
       "1"},
      {"full; put 1; end; publish; now 1500; asked; put 2; end; publish; now 2000; delta; rm 2; end", "1"},
      /* a listing that began before it, and is applied after it, is none of the two */
      {"full; put 1; end; publish; now 1500; asked; put 2; end; publish; now 1400; delta; end; publish; now 2000; "
       "delta; end",
       "1; 2 kept=1500"},
      /* within the second of the listing, too */
      {"full; put 1; end; publish; asked; put 2; end; publish; now 2000; delta; end", "1; 2 kept=1001"},
      /* what a listing has said stays: Graph may answer with what was before, and no delta would say "disabled" again */
      {"full; put 1 d=1 e=y; end; publish; now 1500; delta; put 1 e=n; end; publish; now 1501; asked; put 1 d=1 e=y; "
       "end",
       "1 d=1 e=n"},
      /* one that was taken away a moment ago does not come back, and later does */
      {"full; put 1; put 2 d=2; end; publish; now 2000; delta; rm 2; end; publish; now 2899; asked; put 2 d=2; end",
       "1"},
      {"full; put 1; put 2 d=2; end; publish; now 2000; delta; rm 2; end; publish; now 2900; asked; put 2 d=2; end",
       "1; 2 d=2 kept=2900"},
      /* whom two listings did not bring yet was not taken away */
      {"full; put 1; end; publish; now 1500; asked; put 2 d=2; end; publish; now 1560; delta; end; publish; now 1620; "
       "delta; end; publish; now 1630; asked; put 2 d=2; end",
       "1; 2 d=2 kept=1630"},
      /* whom the filter does not take stays out */
      {"filter own=a; full; put 1 own=a; end; publish; asked; put 2 own=b; end", "1 own=a"},
      {"filter own=a; full; put 1 own=a e=y; put 2 own=a; end; publish; asked; put 2 own=b; end",
       "1 own=a e=y; 2 own=a"},
      /* what the guard keeps comes back, and is not lost by it */
      {"shrink 10; full; put 1; put 2; end; publish; now 2000; delta; rm 1; rm 2; shrunk; publish; now 2500; asked; "
       "put 1; end",
       "1 kept=1000; 2 kept=1000"},
      /* broken off */
      {"full; put 1; end; publish; asked; put 2; abandon", "1"})

TABLE(test_records,
      /* the device that it names takes it, new or not */
      {"full; put 1; end; intune; end; publish; asked; put 2 d=2; rec 2 d=2 sn=S c=compliant; end",
       "1; 2 d=2 i=2 sn=S c=compliant m=y kept=1001"},
      {"full; put 1 d=1; end; intune; end; publish; asked; rec 1 d=1 sn=S; end", "1 d=1 i=1 sn=S c=unknown m=y"},
      /* the next listing has it, or has not */
      {"full; put 1 d=1; end; intune; end; publish; asked; rec 1 d=1 sn=S; end; intune; rec 1 d=1 sn=T; end",
       "1 d=1 i=1 sn=T c=unknown m=y"},
      {"full; put 1 d=1; end; intune; end; publish; asked; rec 1 d=1 sn=S; end; intune; end", "1 d=1"},
      /* one that enrolled later takes the place of the former, and one that enrolled before does not */
      {"full; put 1 d=1; end; intune; rec 1 d=1 r=100; end; publish; asked; rec 2 d=1 r=200; end",
       "1 d=1 i=2 c=unknown m=y r=200"},
      {"full; put 1 d=1; end; intune; rec 1 d=1 r=100; end; publish; asked; rec 2 d=1 r=50; end",
       "1 d=1 i=1 c=unknown m=y r=100"},
      /* never a device by Intune's word alone */
      {"full; put 1; end; intune; end; publish; asked; rec 2 d=2; end", "1"},
      {"full; put 1; end; intune; end; publish; asked; rec 2 d=0; end", "1"},
      /* Intune was never listed */
      {"full; put 1 d=1; end; publish; asked; rec 1 d=1; end", "1 d=1"})

/* Nothing comes into a list whose devices were never listed: it would be all that there is. */
static void test_never_listed(void **state)
{
	struct certdir_error error;
	struct world world;

	(void)state;
	world_begin(&world);
	world_open(&world);
	assert_false(certdir_tenant_asked_begin(world.tenant, &error));
	assert_string_equal(error.text, "its devices were never listed");
	run(&world, "full; put 1; end");
	world_publish(&world);
}

/* The numbers of the source, which the next Intune listing counts its losses from. */
static void test_counts(void **state)
{
	char text[TEXT];

	(void)state;
	expect("full; put 1 d=1; put 2 d=2; end; intune; rec 1 d=1 r=100; end; publish; asked; rec 3 d=1 r=200; rec 2 "
	       "d=2; put 4; end",
	       "1 d=1 i=3 c=unknown m=y r=200; 2 d=2 i=2 c=unknown m=y; 4 kept=1001");
	query_text("SELECT devices||'/'||intune_records||'/'||unlisted FROM source", text);
	assert_string_equal(text, "3/2/0");
	query_text("SELECT count(*) FROM intune_once", text);
	assert_string_equal(text, "1");
	query_text("SELECT count(*) FROM intune_waiting", text);
	assert_string_equal(text, "0");
	changes_text("contoso", 0, text);
	assert_non_null(strstr(text, "added"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {TEST(test_devices), TEST(test_records), TEST(test_never_listed),
					   TEST(test_counts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
