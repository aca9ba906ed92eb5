/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shrink guard: what a part may lose, what it keeps, and that a "no" gets through. */
#include "tenant_script.h"

static void member_many(struct world *world, int from, int to)
{
	char command[64];

	for (int i = from; i <= to; i++) {
		(void)snprintf(command, sizeof(command), "member %x", i);
		run(world, command);
	}
}

/* Of `before`, `after` are left: does the guard say so? */
static void test_guard(void **state)
{
	static const struct {
		const char *begin;
		void (*many)(struct world *world, int from, int to);
		const char *what;
	} parts[] = {{"full", put_many, "devices would be lost"},
		     {"intune", rec_many, "Intune records would be lost"},
		     {"group 1 Staff", member_many, "members of group Staff would be lost"}};
	static const struct {
		int before, after;
		unsigned max;
		const char *how;
	} cases[] = {{100, 90, 10, "end"},   {100, 89, 10, "shrunk"}, {100, 0, 100, "end"}, {20, 15, 10, "end"},
		     {20, 14, 10, "shrunk"}, {3, 0, 10, "shrunk"},    {3, 1, 10, "end"},    {1, 0, 10, "end"},
		     {0, 0, 10, "end"},	     {100, 0, 10, "shrunk"},  {10, 40, 0, "end"},   {40, 34, 15, "end"},
		     {40, 33, 15, "shrunk"}};

	(void)state;
	tell_kept = false;
	for (size_t p = 0; p < sizeof(parts) / sizeof(*parts); p++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			char text[TEXT], again[TEXT], wanted[64], option[32];
			struct world world;

			(void)unlink(fixture_file);
			world_begin(&world);
			if (p > 0) {
				run(&world, "full");
				put_many(&world, 1, 100);
				run(&world, "end");
			}
			run(&world, parts[p].begin);
			parts[p].many(&world, 1, cases[i].before);
			run(&world, "end; publish");
			list_text("contoso", text);
			(void)snprintf(option, sizeof(option), "shrink %u", cases[i].max);
			run(&world, option);
			run(&world, parts[p].begin);
			parts[p].many(&world, 1, cases[i].after);
			run(&world, cases[i].how);
			if (strcmp(cases[i].how, "end") == 0) {
				assert_int_equal(world.counts.before, cases[i].before);
				assert_int_equal(world.counts.after, cases[i].after);
				assert_int_equal(world.counts.before + world.counts.added - world.counts.lost,
						 world.counts.after);
				world_publish(&world);
				continue;
			}
			(void)snprintf(wanted, sizeof(wanted), "%d of %d %s", cases[i].before - cases[i].after,
				       cases[i].before, parts[p].what);
			if (!strstr(world.failure, wanted) || !strstr(world.failure, "--force"))
				fail_msg("\"%s\" does not say \"%s\"", world.failure, wanted);
			assert_int_equal(world.counts.kept, cases[i].before - cases[i].after);
			world_publish(&world);
			list_text("contoso", again);
			assert_string_equal(text, again);
		}
	tell_kept = true;
}

/* Two of two are too many to lose. All else of the listing is taken, and what is kept has the age of what was known last. */
TABLE(test_guard_keeps,
      {"shrink 10; full; put 1 e=y; put 2 e=y; end; publish; now 2000; delta; rm 1; rm 2; put 1 e=n; rm 1; put 3; "
       "shrunk",
       "1 e=n kept=1000; 2 e=y kept=1000; 3"},
      {"shrink 10; full; put 1 n=A; put 2; end; publish; now 2000; full; put 3 n=C; shrunk",
       "1 n=A kept=1000; 2 kept=1000; 3 n=C"},
      /* they wait with the age that they have, and may be let go by hand, or by a guard that finds it right */
      {"shrink 10; full; put 1; put 2; end; publish; now 2000; delta; rm 1; rm 2; shrunk; publish; now 3000; delta; "
       "shrunk",
       "1 kept=1000; 2 kept=1000"},
      {"shrink 10; full; put 1; put 2; end; publish; now 2000; delta; rm 1; rm 2; shrunk; publish; shrink 100; delta; "
       "end",
       ""},
      {"shrink 10; full; put 1; put 2; end; publish; now 2000; delta; rm 1; rm 2; shrunk; publish; delta; put 3; "
       "shrunk; delta;"
       "put 4; end",
       "3; 4"},
      {"shrink 10; full; put 1; put 2; end; publish; now 2000; delta; rm 1; rm 2; shrunk; publish; now 3000; full; "
       "shrunk",
       "1 kept=1000; 2 kept=1000"},
      /* one that comes again is there */
      {"shrink 10; full; put 1 n=A; put 2; end; publish; delta; rm 1; rm 2; shrunk; publish; delta; put 1 e=y; end",
       "1 n=A e=y"},
      {"shrink 10; full; put 1; put 2; end; publish; delta; rm 1; rm 2; shrunk; publish; now 3000; full; put 1; put 2; "
       "end",
       "1; 2"},
      {"shrink 10; full; put 1; put 2; end; now 2000; delta; rm 1; rm 2; shrunk; now 3000; delta; put 1; put 2; rm 2; "
       "rm 1;"
       "shrunk",
       "1 kept=2000; 2 kept=2000"},
      {"shrink 10; full; put 1; put 2; end; publish; delta; rm 1; rm 2; shrunk; delta; put 1; put 2; abandon",
       "1 kept=1000; 2 kept=1000"},
      /* what came and went was never there */
      {"shrink 10; filter enabled; full; put 1 e=y; put 2 e=y; end; delta; rm 1; rm 2; put 3 e=y; rm 3; put 4; rm 4; "
       "shrunk; filter; "
       "delta; shrunk",
       "1 e=y kept=1000; 2 e=y kept=1000"},
      /* those that were not listed wait, too */
      {"shrink 10; filter enabled; full; put 1 e=y; put 2 e=y; put 3 e=n; end; delta; rm 1; rm 2; rm 3; shrunk; "
       "filter; delta;"
       "put 1; put 2; put 4; end",
       "1 e=y; 2 e=y; 4"},
      /* what the filter would take away stays listed, with what is known of it now; each part of devices asks again */
      {"shrink 10; full; put 1 own=a e=y; put 2 own=a e=y; end; publish; filter own=b; delta; put 1 e=n; put 3 own=b; "
       "shrunk",
       "1 own=a e=n; 2 own=a e=y; 3 own=b"},
      {"shrink 10; full; put 1 own=a; put 2 own=a; end; publish; filter own=b; delta; shrunk; publish; delta; shrunk; "
       "publish; shrink 100;"
       "delta; end",
       ""},
      {"shrink 10; filter own=a; full; put 1 own=a; put 2 own=a; end; delta; put 1 own=b; put 2 own=b; shrunk",
       "1 own=b; 2 own=b"},
      {"shrink 10; filter own=a; full; put 1 own=a; put 2 own=a; end; delta; put 1 own=b; put 2 own=b; shrunk; "
       "publish; delta; put 1 own=a;"
       "end",
       "1 own=a"},
      {"shrink 10; filter own=a; full; put 1 d=1 own=a; put 2 d=2 own=a; end; intune; rec 1 d=1 own=b; rec 2 d=2 "
       "own=b; shrunk; publish; "
       "delta; shrunk",
       "1 d=1 i=1 c=unknown own=b m=y; 2 d=2 i=2 c=unknown own=b m=y"},
      {"shrink 10; filter own=a; full; put 1 d=1 own=a; put 2 d=2 own=a; end; intune; rec 1 d=1 own=b; rec 2 d=2 "
       "own=b; shrunk; intune;"
       "rec 1 d=1 own=a; rec 2 d=2 own=a; end; delta; end",
       "1 d=1 i=1 c=unknown own=a m=y; 2 d=2 i=2 c=unknown own=a m=y"},
      /* Intune's records: those that came are taken */
      {"shrink 10; full; put 1 d=1; put 2 d=2; end; intune; rec 1 d=1 c=compliant; rec 2 d=2; end; publish; now 2000; "
       "intune;"
       "rec 3 d=0; shrunk",
       "- i=3 c=unknown e=y m=y; 1 d=1 i=1 c=compliant m=y rkept=1000; 2 d=2 i=2 c=unknown m=y rkept=1000"},
      {"shrink 10; full; put 1 d=1; put 2 d=2; end; intune; rec 1 d=1; rec 2 d=2; end; intune; shrunk; publish; now "
       "3000; intune;"
       "rec 2 d=2 c=error; end",
       "1 d=1; 2 d=2 i=2 c=error m=y"},
      {"shrink 10; full; put 1 d=1; put 2 d=2; end; intune; rec 1 d=1; rec 2 d=2; end; intune; shrunk; publish; shrink "
       "100; intune; "
       "end",
       "1 d=1; 2 d=2"},
      {"shrink 10; full; end; intune; rec 1 d=0; rec 2 d=0; end; now 2000; intune; shrunk; now 3000; intune; rec 1 "
       "d=0; end",
       "- i=1 c=unknown e=y m=y"},
      {"shrink 10; full; end; intune; rec 1 d=0; rec 2 d=0 n=A; end; now 2000; intune; shrunk",
       "- i=1 c=unknown e=y m=y rkept=1000; - i=2 n=A c=unknown e=y m=y rkept=1000"},
      /* those that wait for their device wait on */
      {"shrink 10; full; end; intune; rec 1 d=1 sn=x; rec 2 d=2; end; now 2000; intune; shrunk; delta; put 1 d=1; end",
       "1 d=1 i=1 sn=X c=unknown m=y rkept=1000"},
      {"shrink 10; full; end; intune; rec 1 d=1; rec 2 d=2; end; now 2000; intune; shrunk; shrink 100; intune; end; "
       "delta; put 1 d=1; "
       "end",
       "1 d=1"},
      /* a record that is another device's now is not missing */
      {"shrink 10; full; put 1 d=1; put 2 d=2; put 3 d=3; put 4 d=4; end; intune; rec 1 d=1; rec 2 d=2; end; intune; "
       "rec 1 d=3; "
       "rec 2 d=4; shrunk",
       "1 d=1; 2 d=2; 3 d=3 i=1 c=unknown m=y; 4 d=4 i=2 c=unknown m=y"},
      /* nor is a device that Entra ID knows now lost */
      {"shrink 10; full; end; intune; rec 1 d=0; rec 2 d=0; end; delta; put 1 d=1; put 2 d=2; end; intune; rec 1 d=1; "
       "rec 2 d=2; shrunk",
       "1 d=1 i=1 c=unknown m=y; 2 d=2 i=2 c=unknown m=y"},
      {"shrink 10; full; end; intune; rec 1 d=i1; rec 2 d=i2; end; delta; put 1 d=i1; put 2 d=i2; end",
       "1 d=i1 i=1 c=unknown m=y; 2 d=i2 i=2 c=unknown m=y"},
      /* but one whose record forgets the Entra id does not stand alone */
      {"shrink 10; full; put 1 d=1; put 2 d=2; end; intune; rec 1 d=1; rec 2 d=2; end; now 2000; intune; rec 1 d=0; "
       "rec 2 d=0; shrunk",
       "1 d=1 i=1 c=unknown m=y rkept=1000; 2 d=2 i=2 c=unknown m=y rkept=1000"},
      /* members */
      {"shrink 10; full; put 1; put 2; put 3; end; group 1 A; member 1; member 2; end; publish; now 2000; group 1 A; "
       "member 3;"
       "shrunk",
       "1 g=1/A since=1000; 2 g=1/A since=1000; 3 g=1/A"},
      {"shrink 10; full; put 1; put 2; end; group 1 A; member 1; member 2; end; publish; now 2000; group 1 A; shrunk; "
       "publish;"
       "now 3000; group 1 A; member 2; end",
       "1; 2 g=1/A"},
      {"shrink 10; full; put 1; put 2; end; group 1 A; member 1; member 2; end; now 2000; group 1 A; shrunk; now 3000; "
       "group 1 A; "
       "member 1; member 2; end; now 4000; group 1 A; shrunk",
       "1 g=1/A since=3000; 2 g=1/A since=3000"},
      {"shrink 10; full; put 1; put 2; end; group 1 A; member 1; member 2; end; group 1 A; shrunk; keep", "1; 2"})

/* A laptop that was stolen is disabled in the very delta that is not believed. */
static void test_guard_lets_a_no_through(void **state)
{
	struct world world;
	char text[TEXT];

	(void)state;
	world_begin(&world);
	run(&world, "full");
	for (int i = 1; i <= 38; i++) {
		char command[32];

		(void)snprintf(command, sizeof(command), "put %x e=y", i);
		run(&world, command);
	}
	run(&world, "end; publish; now 2000; shrink 10; delta; rm 1; rm 2; rm 3; rm 4; rm 5; rm 6; rm 7; rm 8; put 9 "
		    "e=n; shrunk");
	assert_int_equal(world.counts.kept, 8);
	assert_int_equal(world.counts.lost, 0);
	assert_int_equal(world.counts.after, 38);
	assert_int_equal(world.counts.changed, 1);
	world_publish(&world);
	list_text("contoso", text);
	assert_non_null(strstr(text, "; 9 e=n"));
	assert_non_null(strstr(text, "1 e=y kept=1000"));
	changes_text("contoso", 1001, text);
	assert_string_equal(text, "2000 enabled o9  yes>no");
	run(&world, "now 3000; shrink 100; delta; end");
	assert_int_equal(world.counts.lost, 8);
	assert_int_equal(world.counts.kept, 0);
	world_publish(&world);
}

static void test_guard_counts_what_the_filter_takes(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	run(&world, "full");
	put_many(&world, 1, 100);
	run(&world, "end; publish; shrink 10; filter enabled; delta; shrunk");
	assert_non_null(strstr(world.failure, "100 of 100 devices"));
	assert_non_null(strstr(world.failure, "filter"));
	/* Those that were never listed may go, and those that come in make up for nothing. */
	run(&world, "shrink 100; delta; end; shrink 10; delta");
	for (int i = 1; i <= 100; i++) {
		char command[32];

		(void)snprintf(command, sizeof(command), i <= 20 ? "put %x e=y" : "rm %x", i);
		run(&world, command);
	}
	run(&world, "end");
	assert_int_equal(world.counts.before, 0);
	assert_int_equal(world.counts.added, 20);
	assert_int_equal(world.counts.unlisted, 0);
	run(&world, "delta; put 1 e=n; put 2 e=n; put 3 e=n; put 4 e=n; put 5 e=n; put 6 e=n;"
		    "put 200 e=y; put 201 e=y; put 202 e=y; shrunk");
	assert_non_null(strstr(world.failure, "6 of 20"));
	world_publish(&world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_guard),
		TEST(test_guard_keeps),
		TEST(test_guard_lets_a_no_through),
		TEST(test_guard_counts_what_the_filter_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
