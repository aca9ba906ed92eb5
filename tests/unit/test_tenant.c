/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tenant's part of the list: histories, what the list is then, and what must never be applied. */
#include "tenant_script.h"

/* ---- devices ---- */

TABLE(test_properties,
      {"full; put 1 d=1 n=PC-1 s=7 os=Windows own=company c=compliant j=hybrid e=y m=n t=5 r=6; end",
       "1 d=1 n=PC-1 s=7 c=compliant own=company os=Windows j=hybrid e=y m=n t=5 r=6"},
      /* missing is unchanged, null is cleared */
      {"full; put 1 d=1 n=A e=y; end; delta; put 1 e=n; end", "1 d=1 n=A e=n"},
      {"full; put 1 d=1 n=A s=7 os=x own=y c=compliant j=entra e=y m=y t=5 r=6; end; publish;"
       "delta; put 1 d=- s=- os=- own=- c=- j=unknown e=- m=- t=0 r=0; end",
       "1 n=A"},
      {"full; put 1 d=1 n=A; end; delta; put 1; end", "1 d=1 n=A"}, {"full; put 1; end", "1"},
      {"full; put 1 d=0; end", "1"},
      /* names lose what is no part of them */
      {"full; put 1 n=host/PC$; end", "1 n=PC"})

TABLE(test_replays, {"full; put 1 n=A e=y; put 1 n=A e=y; end", "1 n=A e=y"},
      {"full; put 1 e=y; put 1 n=A; end", "1 n=A e=y"}, {"full; put 1 n=A e=n; put 2; put 1 e=y; end", "1 n=A e=y; 2"},
      {"full; put 1 n=A; rm 1; end", ""}, {"full; rm 1; put 1 n=A; end", "1 n=A"},
      {"full; put 1 n=A; rm 1; put 1 e=y; end", "1 n=A e=y"}, {"full; put 1 n=A; rm 1; rm 1; rm 2; end", ""},
      {"full; end; delta; put 1 n=A; rm 1; put 1 e=y; end", "1 n=A e=y"},
      {"full; put 1 n=A; end; publish; delta; rm 1; put 1 e=y; end", "1 n=A e=y"},
      {"full; put 1 n=A; end; publish; delta; put 1 e=y; rm 1; end", ""},
      {"full; put 1 n=A; end; publish; delta; rm 1; end; publish; delta; put 1 e=y; end", "1 e=y"},
      {"full; put 1 n=A; end; publish; delta; rm 1; rm 1; rm 2; end; delta; rm 1; end", ""},
      {"full; end; delta; end; publish; delta; put 1 d=1; end", "1 d=1"})

TABLE(test_one_device_id_for_two_objects, {"full; put 1 d=1; put 2 d=1; end", "1 d=1; 2 d=1"},
      /* a device that was registered anew: the old object goes before, or after, the new one comes */
      {"full; put 1 d=1; end; publish; delta; rm 1; put 2 d=1; end", "2 d=1"},
      {"full; put 1 d=1; end; publish; delta; put 2 d=1; rm 1; end", "2 d=1"},
      {"full; put 1 d=1; put 2 d=2; end; publish; delta; put 1 d=2; put 2 d=1; end", "1 d=2; 2 d=1"})

TABLE(test_sweep, {"full; put 1 n=A; put 2; end; publish; full; put 2 e=y; end", "2 e=y"},
      {"full; put 1 n=A; put 2; end; publish; full; put 2; put 1 e=y; end", "1 n=A e=y; 2"},
      {"full; put 1; put 2; end; publish; full; put 1; rm 1; put 2; end", "2"},
      {"full; put 1; put 2; end; publish; full; rm 1; put 1; end", "1"}, {"full; put 1; end; publish; full; end", ""},
      /* a delta sweeps nothing */
      {"full; put 1; put 2; end; publish; delta; put 2; end", "1; 2"})

TABLE(test_abandoned, {"full; put 1; put 2; abandon; publish", ""},
      {"full; put 1 n=A; put 2; end; publish; full; put 1 n=B e=y; rm 2; put 3; abandon", "1 n=A; 2"},
      {"full; put 1 n=A; end; full; put 3; abandon; delta; put 2; end", "1 n=A; 2"},
      {"full; put 1 d=1; end; intune; rec 1 d=1 c=compliant; abandon; publish; intune; rec 2 d=1; end",
       "1 d=1 i=2 c=unknown m=y"},
      {"full; put 1; end; group 1 Staff; member 1; abandon", "1"},
      {"full; put 1 n=A; end; publish; delta; put 1 n=B; publish; delta; put 1 e=y; end", "1 n=A e=y"})

/* ---- names ---- */

TABLE(test_former_names, {"full; put 1 n=A; end; now 2000; delta; put 1 n=B; end", "1 n=B f=A"},
      {"full; put 1 n=A; end; delta; put 1 n=a; end", "1 n=a"},
      {"full; put 1 n=A; end; delta; put 1 n=B; end; delta; put 1 n=C; end", "1 n=C f=A f=B"},
      {"full; put 1 n=A; end; delta; put 1 n=B; end; delta; put 1 n=A; end", "1 n=A f=B"},
      {"full; put 1 n=A; end; delta; put 1 n=B; put 1 n=A; put 1 n=B; end", "1 n=B f=A"},
      {"full; put 1 n=A; end; delta; put 1 n=-; end", "1 f=A"},
      {"full; put 1 n=A; end; delta; put 1 n=B; end; delta; rm 1; end; delta; put 1 n=C; end", "1 n=C"},
      /* they count for a while */
      {"former 100; full; put 1 n=A; end; now 1100; delta; put 1 n=B; end; publish; now 1199; delta; end", "1 n=B f=A"},
      {"former 100; full; put 1 n=A; end; now 1100; delta; put 1 n=B; end; publish; now 1200; delta; end", "1 n=B"},
      {"former 0; full; put 1 n=A; end; now 1100; delta; put 1 n=B; end", "1 n=B"})

/* The objects that a name finds, "1 2"; "!" before those that can only speak against. */
static void find_name(const char *name, char out[64])
{
	struct certdir_error error;
	struct certdir_list_snapshot *snapshot = certdir_list_load(fixture_file, &error);
	struct certdir_list_reader *reader = certdir_list_reader_get(snapshot, &error);
	const struct certdir_list_source *source;
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	bool more;
	int count = certdir_list_find(reader, NULL, CERTDIR_ID_NAME, name, rows, &more, &error);
	struct certdir_device device;
	const char *against;
	char number[24];

	out[0] = '\0';
	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		assert_true(certdir_list_device(reader, rows[i], &device, &source, &against, &error));
		(void)snprintf(out + strlen(out), 64 - strlen(out), "%s%s%s", i ? " " : "", against ? "!" : "",
			       number_of(device.object_id, 'a', number));
		certdir_device_clear(&device);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

static void test_names_find(void **state)
{
	static const struct {
		const char *script, *name, *objects;
	} table[] = {
		{"full; put 1 n=A; end; delta; put 1 n=B; end", "a", "1"},
		{"full; put 1 n=A; put 2 n=C; end; delta; put 1 n=B; put 2 n=A; end", "a", "2"},
		{"full; put 1 n=A; put 2 n=A; end; delta; put 1 n=B; put 2 n=B; end", "a", "1 2"},
		/* one that is not listed is found, too: what it says against its device counts */
		{"filter enabled; full; put 1 n=A e=y; put 2 n=C e=n; end; delta; put 1 n=B; put 2 n=A; end", "a",
		 "!2"},
		{"filter enabled; full; put 1 n=A e=y; end; delta; put 1 n=B e=n; end", "a", "!1"},
		{"filter enabled; full; put 1 n=A e=y; end; delta; put 1 n=B e=n; end", "b", "!1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct world world;
		char got[64];

		(void)unlink(fixture_file);
		world_begin(&world);
		run(&world, table[i].script);
		world_publish(&world);
		find_name(table[i].name, got);
		if (strcmp(got, table[i].objects) != 0)
			fail_msg("%s\n%s finds \"%s\", not \"%s\"", table[i].script, table[i].name, got,
				 table[i].objects);
	}
}

/* ---- filter ---- */

TABLE(test_filter, {"filter enabled; full; put 1 e=y; put 2 e=n; put 3; end", "1 e=y"},
      {"filter own=company; full; put 1 own=Company; put 2 own=personal; put 3; end", "1 own=Company"},
      {"filter os=windows os=macos; full; put 1 os=Windows; put 2 os=iOS; put 3 os=MacOS; put 4; end",
       "1 os=Windows; 3 os=MacOS"},
      {"filter j=entra j=hybrid; full; put 1 j=entra; put 2 j=registered; put 3; put 4 j=hybrid; end",
       "1 j=entra; 4 j=hybrid"},
      /* in and out again; a delta brings only what changed */
      {"filter enabled; full; put 1 n=A e=n; end; publish; delta; put 1 e=y; end", "1 n=A e=y"},
      {"filter enabled; full; put 1 n=A e=y; end; publish; delta; put 1 e=n; end", ""},
      /* Intune's word counts */
      {"filter own=company; full; put 1 d=1 own=personal; put 2 d=2 own=company; end; "
       "intune; rec 1 d=1 own=company; rec 2 d=2 own=personal; rec 3 d=0 own=company; rec 4 d=0 own=personal; end",
       "- i=3 c=unknown own=company e=y m=y; 1 d=1 i=1 c=unknown own=company m=y"},
      {"filter own=company; full; put 1 d=1 own=company; end; intune; rec 1 d=1 own=personal; end; publish; intune; "
       "end",
       "1 d=1 own=company"},
      /* Entra ID does not say of all how they are joined, and Intune of none */
      {"filter j=entra j=unknown; full; put 1 j=entra; put 2; put 3 j=hybrid; end; intune; rec 1 d=0; end",
       "- i=1 c=unknown e=y m=y; 1 j=entra; 2"},
      /* one that Intune alone knows is enabled while it is in use */
      {"filter enabled; full; end; intune; rec 1 d=0; rec 2 d=0 st=discovered; rec 3 d=0 st=wipePending; end; publish;"
       "intune; rec 1 d=0 st=discovered; rec 2 d=0; rec 3 d=0 st=wipeCanceled; end",
       "- i=2 c=unknown e=y m=y; - i=3 c=unknown e=y m=y st=wipeCanceled"},
      /* another filter is another list, with a mere delta too */
      {"full; put 1 e=y; put 2 e=n; end; publish; filter enabled; delta; end", "1 e=y"},
      {"filter enabled; full; put 1 e=y; put 2 e=n; end; publish; filter; delta; end", "1 e=y; 2 e=n"},
      {"filter enabled; full; put 1 e=y own=x; put 2 e=n own=x; end; publish; filter own=X; full; put 2; end",
       "2 own=x e=n"},
      /* but only when the devices part ends */
      {"full; put 1 e=y d=1; put 2 e=n d=2; end; publish; filter enabled; delta; put 3 e=y; abandon;"
       "intune; rec 1 d=2 own=x; end",
       "1 d=1 e=y; 2 d=2 i=1 c=unknown own=x e=n m=y"})

/* ---- Intune ---- */

TABLE(test_intune_joins,
      {"full; put 1 d=1 n=PC own=company t=10 r=20; end; intune;"
       "rec 1 d=1 n=other sn=abc c=inGracePeriod own=personal os=other u=ada@x w=00A0 t=11 r=19; end",
       "1 d=1 i=1 n=PC sn=ABC c=inGracePeriod own=personal u=ada@x w=00A0 m=y t=11 r=20 in=other"},
      {"full; put 1 d=1 c=compliant own=company m=n; end; intune; rec 1 d=1; end",
       "1 d=1 i=1 c=compliant own=company m=y"},
      {"full; put 1 d=1; end; intune; rec 1 d=1 c=compliant; end; publish; intune; rec 1 d=1 c=noncompliant t=5; end",
       "1 d=1 i=1 c=noncompliant m=y t=5"},
      /* gone from Intune: Entra's word again */
      {"full; put 1 d=1 c=noncompliant m=n; end; intune; rec 1 d=1 c=compliant sn=x u=a w=b own=c t=9; end; publish;"
       "intune; end",
       "1 d=1 c=noncompliant m=n"},
      /* none, in two spellings: a device of its own */
      {"full; put 1 d=1; end; intune; rec 1 d=0 n=A os=iOS; rec 2 d=- n=B; rec 3 d=i3 n=C; end",
       "- i=1 n=A c=unknown os=iOS e=y m=y; - i=2 n=B c=unknown e=y m=y; - i=3 n=C c=unknown e=y m=y; 1 d=1"},
      {"full; end; intune; rec 1 d=0 n=A; end; publish; intune; rec 1 d=0 n=B c=compliant; end",
       "- i=1 n=B c=compliant e=y m=y f=A"},
      {"full; end; intune; rec 1 d=0 n=A; end; publish; full; end; intune; end", ""},
      {"full; end; intune; rec 1 d=0 n=A; end; publish; full; put 1; end", "- i=1 n=A c=unknown e=y m=y; 1"},
      /* Entra knows the id that Intune repeats */
      {"full; put 1 d=i1; end; intune; rec 1 d=i1 n=A; end", "1 d=i1 i=1 c=unknown m=y in=A"},
      {"full; end; intune; rec 1 d=i1 n=A; end; publish; delta; put 1 d=i1; end", "1 d=i1 i=1 c=unknown m=y in=A"},
      {"full; end; intune; rec 1 d=i1 n=A; end; publish; delta; put 1 d=i1; rm 1; end", "- i=1 n=A c=unknown e=y m=y"},
      {"full; end; intune; rec 1 d=i1 n=A; end; delta; put 1 d=i1; put 1 d=2; end",
       "- i=1 n=A c=unknown e=y m=y; 1 d=2"},
      /* from none to a device */
      {"full; put 1 d=1; end; intune; rec 1 d=0; end; publish; intune; rec 1 d=1; end", "1 d=1 i=1 c=unknown m=y"})

TABLE(test_intune_duplicates,
      {"full; put 1 d=1; end; intune; rec 1 d=1 t=5; rec 2 d=1 t=7; rec 3 d=1 t=6; end", "1 d=1 i=2 c=unknown m=y t=7"},
      {"full; put 1 d=1; end; intune; rec 2 d=1; rec 1 d=1; end", "1 d=1 i=2 c=unknown m=y"},
      /* of two that never synced, or at one time, the one that enrolled last, whatever their ids; a time counts before none */
      {"full; put 1 d=1; end; intune; rec 1 d=1 r=6; rec 2 d=1 r=5; end", "1 d=1 i=1 c=unknown m=y r=6"},
      {"full; put 1 d=1; end; intune; rec 2 d=1 r=5; rec 1 d=1 r=6; end", "1 d=1 i=1 c=unknown m=y r=6"},
      {"full; put 1 d=1; end; intune; rec 1 d=1 r=6 t=9; rec 2 d=1 r=5 t=9; end", "1 d=1 i=1 c=unknown m=y t=9 r=6"},
      {"full; put 1 d=1; end; intune; rec 1 d=1 r=6; rec 2 d=1; end", "1 d=1 i=1 c=unknown m=y r=6"},
      {"full; put 1 d=1; end; intune; rec 1 d=1 t=9; rec 2 d=1; end", "1 d=1 i=1 c=unknown m=y t=9"},
      {"full; end; intune; rec 1 d=5 r=6; rec 2 d=5 r=5; end; delta; put 1 d=5; end", "1 d=5 i=1 c=unknown m=y r=6"},
      /* the laptop that was wiped and set up anew, whose old record still talks */
      {"full; put 1 d=1; end; intune; rec 1 d=1 t=9 r=5 st=wipePending; rec 2 d=1 t=7 r=6 st=managed; end",
       "1 d=1 i=2 c=unknown m=y t=7 r=6"},
      {"full; put 1 d=1; end; intune; rec 2 d=1 t=7 r=6; end; publish; intune; rec 1 d=1 t=9 r=5; rec 2 d=1 t=7 r=6; "
       "end",
       "1 d=1 i=2 c=unknown m=y t=7 r=6"},
      {"full; put 1 d=1; end; intune; rec 1 d=1 t=5 r=6; rec 2 d=1 t=7 r=6; rec 3 d=1 t=8; end",
       "1 d=1 i=2 c=unknown m=y t=7 r=6"},
      /* the same record again takes the place of the former, even when it is older or of another device */
      {"full; put 1 d=1; end; intune; rec 1 d=1 t=7 c=a; rec 1 d=1 t=5 c=b; end", "1 d=1 i=1 c=b m=y t=5"},
      {"full; put 1 d=1; put 2 d=2; end; intune; rec 1 d=1 t=9; rec 2 d=1 t=5; rec 1 d=2 t=9; end",
       "1 d=1 i=2 c=unknown m=y t=5; 2 d=2 i=1 c=unknown m=y t=9"},
      {"full; put 1 d=1; put 2 d=1; end; intune; rec 1 d=1; end", "1 d=1 i=1 c=unknown m=y; 2 d=1 i=1 c=unknown m=y"})

TABLE(test_intune_waits,
      /* Entra does not know it: never listed, until it does */
      {"full; end; intune; rec 1 d=5 n=A; end", ""},
      {"full; end; intune; rec 1 d=5 n=A c=compliant sn=x; end; publish; delta; put 1 d=5 n=B; end",
       "1 d=5 i=1 n=B sn=X c=compliant m=y in=A"},
      {"full; put 1 d=1; end; intune; rec 1 d=5; rec 2 d=5 t=3; end; publish; delta; put 1 d=5; end",
       "1 d=5 i=2 c=unknown m=y t=3"},
      {"full; put 1 d=1; end; intune; rec 1 d=1; end; publish; delta; put 1 d=5; end", "1 d=5"},
      {"full; put 1 d=1; end; intune; rec 1 d=1; rec 2 d=5; end; delta; put 1 d=5; end; delta; put 1 d=1; end",
       "1 d=1 i=1 c=unknown m=y"},
      {"full; put 1 d=1; end; intune; rec 1 d=1; end; publish; delta; put 1 d=-; end", "1"},
      /* Entra removed it, and it comes back */
      {"full; put 1 d=1; end; intune; rec 1 d=1 c=compliant; end; publish; delta; rm 1; end", ""},
      {"full; put 1 d=1; end; intune; rec 1 d=1 c=compliant; end; publish; delta; rm 1; end; publish;"
       "delta; put 1 d=1 n=A; end",
       "1 d=1 i=1 n=A c=compliant m=y"},
      {"full; put 1 d=1; end; intune; rec 1 d=1; end; publish; full; end; publish; full; put 2 d=1; end",
       "2 d=1 i=1 c=unknown m=y"},
      {"full; put 1 d=1; end; intune; rec 1 d=1; end; publish; delta; rm 1; put 2 d=1; end", "2 d=1 i=1 c=unknown m=y"},
      {"full; put 1 d=1; end; intune; rec 1 d=1; end; publish; delta; put 2 d=1; rm 1; end", "2 d=1 i=1 c=unknown m=y"},
      {"full; put 1 d=1; put 2 d=1; end; intune; rec 1 d=1; end; delta; rm 1; end; delta; rm 2; end; delta; put 3 d=1; "
       "end",
       "3 d=1 i=1 c=unknown m=y"},
      {"full; put 1 d=1; put 2 d=1; end; intune; rec 1 d=1; end; delta; rm 1; rm 2; end; delta; put 3 d=1; end",
       "3 d=1 i=1 c=unknown m=y"},
      /* and then Intune forgets it, too */
      {"full; put 1 d=1; end; intune; rec 1 d=1; end; publish; delta; rm 1; end; intune; end; delta; put 1 d=1; end",
       "1 d=1"})

/* ---- groups ---- */

TABLE(test_groups, {"full; put 1; put 2; end; group 1 Staff; member 1; member 1; member 9; end", "1 g=1/Staff; 2"},
      {"full; put 1; put 2; end; group 1 Staff; member 1; end; publish; group 1 All staff; member 2; end",
       "1; 2 g=1/All staff"},
      {"full; put 1; end; group 1 A; member 1; end; group 2 A; member 1; end", "1 g=1/A g=2/A"},
      {"full; put 1; end; group 1 A; member 1; end; group 2 B; member 1; end; publish; keep 2", "1 g=2/B"},
      {"full; put 1; end; group 1 A; member 1; end; keep", "1"},
      {"full; put 1; end; group 1 A; member 1; end; publish; delta; rm 1; end; delta; put 1; end", "1"},
      {"full; put 1; end; group 1 A; member 1; end; publish; delta; rm 1; put 1; end", "1 g=1/A"},
      {"full; put 1; end; group 1; member 1; end", "1 g=1/"})

/* ---- what is told ---- */

static void test_counts(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	run(&world, "filter enabled; full; put 1 e=y n=A; put 2 e=y; put 3 e=n; put 1 e=y; end");
	assert_int_equal(world.counts.added, 2);
	assert_int_equal(world.counts.unlisted, 1);
	assert_int_equal(world.counts.changed, 0);
	run(&world, "publish; delta; put 1 n=B; put 2 e=n; put 3 e=y; put 4 e=y; put 4 n=C; rm 4; end");
	assert_int_equal(world.counts.before, 2);
	assert_int_equal(world.counts.added, 1);
	assert_int_equal(world.counts.changed, 1);
	assert_int_equal(world.counts.lost, 1);
	assert_int_equal(world.counts.after, 2);
	assert_int_equal(world.counts.unlisted, 1);
	run(&world, "publish; filter; delta; put 1 d=1; put 2 d=2; end;"
		    "intune; rec 1 d=1 t=1; rec 2 d=1 t=2; rec 3 d=9; rec 4 d=0; rec 4 d=0; end");
	assert_int_equal(world.counts.before, 0);
	assert_int_equal(world.counts.added, 3);
	assert_int_equal(world.counts.after, 3);
	assert_int_equal(world.counts.unlisted, 1);
	assert_int_equal(world.counts.duplicates, 1);
	run(&world, "intune; rec 2 d=1 t=3; rec 4 d=0; rec 5 d=2; end");
	assert_int_equal(world.counts.before, 3);
	assert_int_equal(world.counts.added, 1);
	assert_int_equal(world.counts.lost, 1);
	assert_int_equal(world.counts.after, 3);
	run(&world, "publish; filter j=entra; shrink 100; delta; put 7 j=entra; end");
	assert_int_equal(world.counts.unlisted, 4);
	assert_int_equal(world.counts.untyped, 4);
	assert_int_equal(world.counts.listed, 1);
	run(&world, "intune; rec 1 d=1; rec 9 d=0; end");
	assert_int_equal(world.counts.untyped, 4);
	assert_int_equal(world.counts.listed, 1);
	run(&world, "publish; filter; delta; end");
	assert_int_equal(world.counts.untyped, 0);
	run(&world, "intune; rec 1 d=1; rec 9 d=0; end");
	assert_int_equal(world.counts.listed, 5);
	run(&world, "group 1 A; member 1; member 2; member 77; end");
	assert_int_equal(world.counts.added, 2);
	assert_int_equal(world.counts.duplicates, 1);
	world_publish(&world);
}

/* A full sync of what is there already writes nothing but the time. */
static void test_nothing_changes(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	run(&world, "full; put 1 d=1 n=A s=1 e=y c=compliant m=y j=entra os=x own=y t=1 r=2; put 2 d=2; end;"
		    "intune; rec 1 d=1 n=x sn=y c=z u=a own=b t=5 r=6 w=7; rec 2 d=0 n=Q os=R; rec 3 d=9; end; publish;"
		    "now 2000; full; put 1 d=1 n=A s=1 e=y c=compliant m=y j=entra os=x own=y t=1 r=2; put 2 d=2; end");
	assert_int_equal(world.counts.changed, 0);
	run(&world, "intune; rec 3 d=9; rec 2 d=0 n=Q os=R; rec 1 d=1 n=x sn=y c=z u=a own=b t=5 r=6 w=7; end");
	assert_int_equal(world.counts.changed, 0);
	assert_int_equal(world.counts.before, 3);
	assert_int_equal(world.counts.lost, 0);
	world_publish(&world);
}

/* ---- the change log ---- */

static void test_changes(void **state)
{
	static const struct history table[] = {
		/* what a first listing brings is no change */
		{"full; put 1 d=1 n=A; end; intune; rec 1 d=1 c=compliant; rec 2 d=0; end; group 1 G; member 1; end",
		 ""},
		{"full; put 1 d=1 n=A; end; now 2000; delta; put 2 d=2 n=B; end", "2000 added d2 B >"},
		{"full; put 1 d=1 n=A; end; now 2000; delta; rm 1; end", "2000 removed d1 A >"},
		{"full; put 1 n=A; end; now 2000; full; put 2; end", "2000 added o2  >; 2000 removed o1 A >"},
		{"full; put 1 d=1 e=y n=A c=compliant; end; now 2000; delta; put 1 e=n n=B c=noncompliant; end",
		 "2000 compliance d1 B compliant>noncompliant; 2000 enabled d1 B yes>no; 2000 renamed d1 B A>B"},
		{"full; put 1 d=1 n=A; end; now 2000; delta; put 1 e=y c=compliant n=a; end",
		 "2000 compliance d1 a >compliant; 2000 enabled d1 a >yes"},
		/* only what is different in the end */
		{"full; put 1 d=1 e=y n=A; end; delta; put 1 e=n n=B; put 1 e=y n=A; end", ""},
		{"full; put 1 d=1 e=y; end; delta; rm 1; put 1 e=y; put 2; rm 2; end", ""},
		{"full; put 1 d=1 n=A; end; now 2000; delta; put 1 n=B; put 1 n=C; end", "2000 renamed d1 C A>C"},
		{"full; put 1 d=1 e=y; end; delta; put 1 e=n; abandon", ""},
		/* the filter brings and takes */
		{"filter enabled; full; put 1 d=1 e=y; put 2 d=2 e=n; end; now 2000; delta; put 1 e=n n=X; put 2 e=y; "
		 "end",
		 "2000 added d2  >; 2000 removed d1 X >"},
		{"filter enabled; full; put 1 d=1 e=n; end; delta; put 1 n=X; rm 1; end", ""},
		/* compliance as it counts */
		{"full; put 1 d=1 c=compliant; end; intune; rec 1 d=1 c=compliant; end; now 2000; delta; put 1 c=-; "
		 "end;"
		 "now 3000; intune; rec 1 d=1 c=error; end",
		 "3000 compliance d1  compliant>error"},
		{"full; put 1 d=1; end; intune; rec 1 d=1 c=compliant; rec 2 d=2 c=conflict; end; now 2000; delta; put "
		 "1 d=2; end",
		 "2000 compliance d2  compliant>conflict"},
		{"full; put 1 d=1; end; intune; rec 1 d=1 c=unknown; end; now 2000; intune; end", ""},
		{"full; put 1 d=1 c=noncompliant; end; intune; end; now 2000; intune; rec 1 d=1 c=compliant; rec 2 d=0 "
		 "n=Q; end;"
		 "now 3000; intune; rec 1 d=1 c=compliant; rec 2 d=0 n=R; end; now 4000; intune; rec 1 d=1 "
		 "c=compliant; end",
		 "2000 added i2 Q >; 2000 compliance d1  noncompliant>compliant; 3000 renamed i2 R Q>R; 4000 removed "
		 "i2 R >"},
		/* groups */
		{"full; put 1 d=1; put 2 d=2; end; group 1 G; member 1; end; now 2000; group 1 G; member 2; end; now "
		 "3000;"
		 "group 2 H; member 1; end; now 4000; keep 2",
		 "2000 group d1  G>; 2000 group d2  >G; 4000 group d2  G>"},
		{"full; put 1 d=1; end; group 1 G; end; publish; now 2000; group 1 G; member 1; end",
		 "2000 group d1  >G"},
		{"filter enabled; full; put 1 d=1; end; group 1 G; end; group 1 G; member 1; end", ""},
		/* they are kept for a while */
		{"changes 100; full; end; now 2000; delta; put 1; end; now 2099; delta; put 2; end",
		 "2000 added o1  >; 2099 added o2  >"},
		{"changes 100; full; end; now 2000; delta; put 1; end; now 2100; delta; put 2; end",
		 "2100 added o2  >"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct world world;
		char got[TEXT];

		(void)unlink(fixture_file);
		world_begin(&world);
		run(&world, table[i].script);
		world_publish(&world);
		changes_text("contoso", 0, got);
		if (strcmp(got, table[i].list) != 0)
			fail_msg("%s\nlogs \"%s\"\nand not \"%s\"", table[i].script, got, table[i].list);
	}
}

static void test_changes_of_the_edition(void **state)
{
	struct lines lines = {.source = "contoso"};
	struct certdir_error error;
	struct world world;
	char got[TEXT];

	(void)state;
	world_begin(&world);
	run(&world, "full; end; publish; now 2000; delta; put 1; end; publish; now 3000; delta; put 2; end");
	assert_true(certdir_list_write_changes(world.writer, 3000, take_change, &lines, &error));
	lines_join(&lines, got);
	assert_string_equal(got, "3000 added o2  >");
	world_publish(&world);
	changes_text("contoso", 2001, got);
	assert_string_equal(got, "3000 added o2  >");
}

/* ---- sources ---- */

static void test_state(void **state)
{
	struct certdir_tenant_state now;
	struct world world;

	(void)state;
	world_begin(&world);
	world_open(&world);
	certdir_tenant_state(world.tenant, &now);
	assert_null(now.delta_link);
	assert_int_equal(now.synced, 0);
	run(&world,
	    "full; put 1 d=1; abandon; publish; full; put 1 d=1; end; now 1001; intune; rec 1 d=1; rec 2 d=7; end;"
	    "now 1002; group 1 A; end; now 1003; group 2 B; end; keep 1 2; publish");
	world_open(&world);
	certdir_tenant_state(world.tenant, &now);
	assert_string_equal(now.delta_link, "link");
	assert_int_equal(now.delta_since, 1000);
	assert_int_equal(now.synced, 1000);
	assert_int_equal(now.intune_synced, 1001);
	assert_int_equal(now.groups_synced, 1002); /* of the one that was listed longest ago */
	assert_int_equal(now.devices, 1);
	assert_int_equal(now.intune_records, 2);
	world_publish(&world);
}

static void open_fails(struct world *world, const char *says)
{
	struct certdir_error error;

	world->writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_non_null(world->writer);
	world->tenant = certdir_tenant_open(world->writer, &world->options, &error);
	if (world->tenant)
		fail_msg("opened, though it should say \"%s\"", says);
	if (!strstr(error.text, says))
		fail_msg("\"%s\" does not say \"%s\"", error.text, says);
	certdir_list_write_abort(world->writer);
	world->writer = NULL;
}

static void test_sources_stay_apart(void **state)
{
	struct certdir_list_writer *writer = fixture_begin(false, "jamf", NULL, 1);
	struct world world;

	(void)state;
	fixture_add(writer, &(struct certdir_device){.name = (char *)"mac"});
	fixture_publish(writer);
	world_begin(&world);
	run(&world, "full; put 1; end; publish; name jamf; guid 2");
	open_fails(&world, "imported source of that name");
	run(&world, "name contoso");
	open_fails(&world, "another name");
	run(&world, "name fabrikam; guid 1");
	open_fails(&world, "already as \"contoso\"");
	world.options.tenant = "contoso.onmicrosoft.com";
	open_fails(&world, "not a tenant id");
	/* A new tenant whose first listing failed leaves no trace. */
	run(&world,
	    "name fabrikam; guid 2; full; put 1; abandon; publish; name third; guid 2; full; put 1; end; publish");
}

static void test_tenants_beside_an_import(void **state)
{
	struct certdir_list_writer *writer = fixture_begin(false, "jamf", NULL, 1);
	struct certdir_former_name former = {(char *)"OLD", 1};
	char guid[40], text[TEXT];
	struct world world;

	(void)state;
	fixture_add(writer, &(struct certdir_device){.object_id = make_guid('a', 1, guid),
						     .name = (char *)"mac",
						     .former_names = &former,
						     .former_name_count = 1});
	fixture_publish(writer);
	world_begin(&world);
	run(&world,
	    "former 10; full; put 1 d=1 n=A; put 2; end; group 1 G; member 1; end; publish; name fabrikam; guid 2;"
	    "full; put 1 d=1 n=B; end; intune; rec 1 d=1; end; group 1 G; member 1; end; publish; now 5000;"
	    "full; put 3; end; intune; end; keep; publish");
	list_text("contoso", text);
	assert_string_equal(text, "1 d=1 n=A g=1/G; 2");
	list_text("fabrikam", text);
	assert_string_equal(text, "3");
	list_text("jamf", text);
	assert_string_equal(text, "1 n=mac f=OLD");
}

/* ---- what Graph says is not to be trusted ---- */

static char logged[8192];

static void keep_log(enum certdir_log_level level, const char *text)
{
	(void)level;
	(void)snprintf(logged + strlen(logged), sizeof(logged) - strlen(logged), "%s\n", text);
}

static void test_untrusted_texts(void **state)
{
	struct certdir_device device = {.name = (char *)"a\x1b[2Jb", .sid = (char *)"S-1-"};
	struct certdir_error error;
	char object[40], text[TEXT];
	struct world world;
	int lines = 0;

	(void)state;
	logged[0] = '\0';
	certdir_log_set(keep_log);
	world_begin(&world);
	run(&world, "full; put 1 n=good s=1");
	for (int i = 1; i < 20; i++) {
		device.object_id = make_guid('a', i, object);
		assert_true(certdir_tenant_devices_put(
			world.tenant, &device, CERTDIR_BIT(CERTDIR_PROPERTY_NAME) | CERTDIR_BIT(CERTDIR_PROPERTY_SID),
			&error));
	}
	run(&world, "rm 2; rm 3; rm 4");
	run(&world, "end");
	for (const char *at = logged; (at = strchr(at, '\n')); at++)
		lines++;
	assert_true(lines >= 6 &&
		    lines <= 8); /* one an object, a few, and how many more; those that replay may count again */
	assert_non_null(strstr(logged, "00000001-0000-4000-8000-a00000000000\": displayName \"a?[2Jb\" has a control"));
	assert_non_null(strstr(logged, "more objects have texts"));
	run(&world, "intune");
	device = (struct certdir_device){
		.intune_device_id = object, .name = (char *)"\xff", .serial_number = (char *)"\n"};
	assert_true(certdir_tenant_intune_put(world.tenant, &device, &error));
	run(&world, "end; publish");
	certdir_log_set(NULL);
	list_text("contoso", text);
	assert_non_null(strstr(text, "1 f=good; 10; 11;"));
	assert_non_null(strstr(text, "- i=?13 c=unknown st=-"));
}

/* A server that gives no GUID for an id does not tell the truth, and what it told before counts for nothing either. */
/* A filler is no serial number, and nothing to tell of. */
static void test_filler_serial_numbers(void **state)
{
	(void)state;
	logged[0] = '\0';
	certdir_log_set(keep_log);
	expect("full; put 1 d=1; end; intune; rec 1 d=1 sn=Default_string; rec 2 d=0 sn=0; rec 3 d=0 sn=5cg1; end",
	       "- i=2 c=unknown e=y m=y; - i=3 sn=5CG1 c=unknown e=y m=y; 1 d=1 i=1 c=unknown m=y");
	certdir_log_set(NULL);
	assert_string_equal(logged, "");
}

static void test_untrusted_ids(void **state)
{
	static const struct {
		const char *begin, *id, *device_id;
	} cases[] = {{"delta", "1; DROP TABLE device", NULL},
		     {"delta", "", NULL},
		     {"delta", NULL, NULL},
		     {"delta", "00000000-0000-0000-0000-000000000000", NULL},
		     {"delta", G1, "x"},
		     {"delta", G1, "3f2504e0-4f89-11d3-9a0c-0305e82c330\n"},
		     {"intune", "x", G1},
		     {"intune", NULL, G1},
		     {"intune", G1, "x"},
		     {"group 1 A", "x", NULL},
		     {"group 1 A", NULL, NULL}};
	struct certdir_error error;
	struct world world;
	char text[TEXT];

	(void)state;
	world_begin(&world);
	run(&world, "full; put 1 d=1 n=A; end; intune; rec 1 d=1; end; group 1 A; member 1; end; publish");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct certdir_device device = {.object_id = (char *)cases[i].id,
						.intune_device_id = (char *)cases[i].id,
						.entra_device_id = (char *)cases[i].device_id};

		run(&world, cases[i].begin);
		if (world.part == 'd')
			run(&world, "put 1 n=B");
		if (world.part == 'd'	? certdir_tenant_devices_put(world.tenant, &device,
								     CERTDIR_BIT(CERTDIR_PROPERTY_DEVICE_ID), &error)
		    : world.part == 'i' ? certdir_tenant_intune_put(world.tenant, &device, &error)
					: certdir_tenant_group_put(world.tenant, device.object_id, &error))
			fail_msg("case %zu was taken", i);
		assert_true(strstr(error.text, "not believed") || strstr(error.text, "without an id"));
		run(&world, "failed");
		assert_non_null(strstr(world.failure, "can only be abandoned"));
		run(&world, "abandon");
	}
	run(&world, "delta");
	assert_false(certdir_tenant_devices_remove(world.tenant, "x", &error));
	run(&world, "publish");
	list_text("contoso", text);
	assert_string_equal(text, "1 d=1 i=1 n=A c=unknown m=y g=1/A");
}

static void test_parts_in_order(void **state)
{
	struct certdir_tenant_counts counts;
	struct certdir_error error;
	struct world world;
	char id[40];

	(void)state;
	world_begin(&world);
	world_open(&world);
	make_guid('a', 1, id);
	assert_false(certdir_tenant_devices_put(world.tenant, &(struct certdir_device){.object_id = id}, 0, &error));
	assert_false(certdir_tenant_devices_remove(world.tenant, id, &error));
	assert_false(certdir_tenant_group_put(world.tenant, id, &error));
	assert_int_equal(certdir_tenant_devices_end(world.tenant, NULL, &counts, &error), CERTDIR_ENDED_FAILED);
	assert_int_equal(certdir_tenant_intune_end(world.tenant, &counts, &error), CERTDIR_ENDED_FAILED);
	assert_true(certdir_tenant_devices_begin(world.tenant, true, &error));
	assert_false(certdir_tenant_intune_begin(world.tenant, &error));
	assert_int_equal(certdir_tenant_group_end(world.tenant, &counts, &error), CERTDIR_ENDED_FAILED);
	certdir_tenant_part_abandon(world.tenant);
	certdir_tenant_part_abandon(world.tenant);
	world_publish(&world);
}

/* One device of many: no page more than a handful is written. */
static void test_one_of_many(void **state)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_laid laid;
	struct world world;

	(void)state;
	world_begin(&world);
	run(&world, "full");
	put_many(&world, 1, 5000);
	run(&world, "end; intune");
	rec_many(&world, 1, 5000);
	run(&world, "end; publish");
	run(&world, "now 2000; delta; put 777 e=n n=B; end; publish");
	snapshot = fixture_load();
	assert_true(certdir_list_laid(snapshot, &laid));
	assert_in_range(laid.pages, 1, 16);
	certdir_list_release(snapshot);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_properties),
		TEST(test_replays),
		TEST(test_one_device_id_for_two_objects),
		TEST(test_sweep),
		TEST(test_abandoned),
		TEST(test_former_names),
		TEST(test_names_find),
		TEST(test_filter),
		TEST(test_intune_joins),
		TEST(test_intune_duplicates),
		TEST(test_intune_waits),
		TEST(test_groups),
		TEST(test_counts),
		TEST(test_nothing_changes),
		TEST(test_changes),
		TEST(test_changes_of_the_edition),
		TEST(test_state),
		TEST(test_sources_stay_apart),
		TEST(test_tenants_beside_an_import),
		TEST(test_untrusted_texts),
		TEST(test_filler_serial_numbers),
		TEST(test_untrusted_ids),
		TEST(test_parts_in_order),
		TEST(test_one_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
