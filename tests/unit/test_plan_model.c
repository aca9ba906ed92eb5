/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random worlds of devices and entries; plans are carried out step by step, those of a phase in any order, cut at any
 * moment, and taken back. Whatever happened in between, the end is the same, and it is what the list says.
 *
 *	test_plan_model [SEEDS [FIRST]]
 */
#include "plan_turns.h"

/* ---- plans ---- */

static void plan_for(const struct world *world)
{
	shown = world;
	certdir_arena_clear(&planning.arena);
	make_plan(&planning, &world->domain, world->devices, world->now);
}

/* The steps in an order that apply may carry them out in. */
static size_t shuffle(const struct certdir_plan *plan, size_t order[])
{
	size_t count = 0;

	for (int phase = 0; phase < CERTDIR_PHASES; phase++) {
		const size_t first = count;

		for (size_t i = 0; i < plan->step_count; i++)
			if (plan->steps[i].phase == (enum certdir_phase)phase)
				order[count++] = i;
		for (size_t i = count; i > first + 1; i--) {
			const size_t other = first + pick((unsigned)(i - first)), kept = order[i - 1];

			order[i - 1] = order[other];
			order[other] = kept;
		}
	}
	return count;
}

/* How many entries have a strong mapping. */
static size_t holders_of(const struct domain *domain, const char *mapping)
{
	size_t count = 0;

	for (size_t i = 0; i < domain->count; i++)
		count += value_at((struct entry *)&domain->entries[i], MAPPING, mapping) != NULL;
	return count;
}

static void check_mappings(const struct world *world)
{
	for (size_t i = 0; i < world->domain.count; i++) {
		const struct entry *entry = &world->domain.entries[i];

		for (size_t v = 0; v < entry->count; v++) {
			const char *text = entry->values[v].text;
			size_t holders;

			if (entry->values[v].attribute != MAPPING || strstr(text, "weak"))
				continue;
			holders = holders_of(&world->domain, text);
			CHECK(holders <= 1 || holders <= holders_of(&planning.seen, text), "%s is on %zu accounts",
			      text, holders);
		}
	}
}

enum { STEPS = 400 };

/* Carries out at most `most` steps of the plan at hand. Returns how many; order[] says which. */
static size_t carry(struct world *world, size_t most, size_t order[STEPS])
{
	const struct certdir_plan *plan = &planning.plan;
	size_t count;
	bool seen[STEPS] = {false};

	CHECK(plan->step_count <= STEPS, "%zu steps", plan->step_count);
	count = shuffle(plan, order);
	if (most > count)
		most = count;
	for (size_t i = 0; i < most; i++) {
		const struct certdir_step *step = &plan->steps[order[i]];

		if (step->account && !seen[step->action]) {
			const struct entry *entry = entry_at(&world->domain, step->account);

			CHECK(entry && entry->version == atoi(step->version), "%s is not as it was", step->account);
		}
		seen[step->action] = true;
		CHECK(carry_out(&world->domain, &step->operation), "step %zu of %zu in phase %d, %s: %s", i, count,
		      step->phase, step->operation.dn, world->domain.refusal);
		check_mappings(world);
	}
	return most;
}

/* ---- the same? ---- */

static int by_value(const void *a, const void *b)
{
	const struct value *left = a, *right = b;
	const int order = (int)left->attribute - (int)right->attribute;

	return order ? order : strcmp(left->text, right->text);
}

static int by_name(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return strcmp(left->dn, right->dn);
}

static void normalize(struct domain *domain)
{
	for (size_t i = 0; i < domain->count; i++)
		qsort(domain->entries[i].values, domain->entries[i].count, sizeof(struct value), by_value);
	qsort(domain->entries, domain->count, sizeof(struct entry), by_name);
}

/* Groups and SIDs of an entry that was deleted cannot be brought back. */
static void forget_groups(struct entry *entry)
{
	set_value(entry, MEMBER_OF, NULL);
	set_value(entry, PRIMARY, NULL);
}

static bool same_entry(const struct entry *a, const struct entry *b)
{
	if (strcmp(a->dn, b->dn) != 0 || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->values[i].attribute != b->values[i].attribute ||
		    strcmp(a->values[i].text, b->values[i].text) != 0)
			return false;
	return true;
}

static void check_same(const struct world *world, const struct domain *right, const char *what)
{
	static struct domain a, b;

	a = world->domain;
	b = *right;
	normalize(&a);
	normalize(&b);
	CHECK(a.count == b.count, "%s: %zu entries and %zu", what, a.count, b.count);
	for (size_t i = 0; i < a.count; i++) {
		struct entry *left = &a.entries[i], *other = &b.entries[i];

		/* An entry that came back from the dead is another one. */
		if (strcmp(what, "taken back") == 0 && left->id != other->id) {
			forget_groups(left);
			forget_groups(other);
			normalize(&a);
			normalize(&b);
		}
		CHECK(same_entry(left, other), "%s: %s and %s", what, left->dn, other->dn);
	}
}

/* ---- is it what the list says? ---- */

/* But for what is only told. */
static bool is_problem(const char *subject)
{
	for (size_t i = 0; i < planning.plan.remark_count; i++)
		if (planning.plan.remarks[i].kind == CERTDIR_REMARK_PROBLEM &&
		    strcmp(planning.plan.remarks[i].subject, subject) == 0 &&
		    !strstr(planning.plan.remarks[i].text, "when both are one machine"))
			return true;
	return false;
}

static const struct entry *entry_of(const struct domain *domain, const char *key, size_t *count)
{
	const struct entry *found = NULL;

	*count = 0;
	for (size_t i = 0; i < domain->count; i++) {
		struct certdir_mark mark;
		const char *text = text_at(&domain->entries[i], MARK);

		if (text && certdir_mark_parse(text, strlen(text), &mark) && strcmp(mark.section, "wifi") == 0 &&
		    strcmp(mark.key, key) == 0) {
			found = &domain->entries[i];
			++*count;
		}
	}
	return found;
}

static size_t count_of(const struct entry *entry, enum attribute attribute)
{
	size_t count = 0;

	for (size_t i = 0; i < entry->count; i++)
		count += entry->values[i].attribute == attribute;
	return count;
}

static void check_values(const struct entry *entry, const struct device *device, enum attribute attribute)
{
	size_t count = 0;

	for (size_t i = 0; i < DEVICE_VALUES; i++) {
		const struct value *value;

		if (!device->values[attribute][i][0])
			continue;
		count++;
		value = value_at((struct entry *)entry, attribute, device->values[attribute][i]);
		/* Names may differ in case, and in nothing else. */
		CHECK(value && is_same(value->text, device->values[attribute][i], CERTDIR_ACCENTS_COUNT), "%s lacks %s",
		      entry->dn, device->values[attribute][i]);
	}
	CHECK(count == count_of(entry, attribute), "%s has more than it should", entry->dn);
}

static void check_own_mappings(const struct entry *entry, const struct device *device)
{
	size_t valid = 0, strong = 0;

	for (size_t i = 0; i < DEVICE_VALUES; i++)
		if (device->mappings[i][0]) {
			valid++;
			CHECK(value_at((struct entry *)entry, MAPPING, device->mappings[i]), "%s lacks %s", entry->dn,
			      device->mappings[i]);
		}
	for (size_t v = 0; v < entry->count; v++)
		strong += entry->values[v].attribute == MAPPING && !strstr(entry->values[v].text, "weak");
	CHECK(valid == 0 || strong == valid, "%s has mappings of others", entry->dn);
}

/* In each of the groups that the device asks for, and in no other of them; the primary one as it is configured. */
static void check_groups(const struct entry *entry, const struct device *device)
{
	const struct planning *p = &planning;
	struct certdir_wanted shall = {.key = NULL};
	const int primary = atoi(text_at(entry, PRIMARY));

	place(p, device, &shall);
	for (size_t i = 0; i < p->domain.group_count; i++)
		CHECK((is_in(entry, fixture_groups[i].dn) || primary == (int)fixture_groups[i].id) ==
			      (shall.groups >> i & 1),
		      "%s and %s", entry->dn, fixture_groups[i].name);
	if (!p->rules.primary_group)
		return;
	CHECK(primary == (shall.primary ? (int)fixture_groups[shall.primary - 1].id : COMPUTERS_ID),
	      "%s: primary group is %d", entry->dn, primary);
	CHECK(primary == COMPUTERS_ID || !is_in(entry, COMPUTERS), "%s is in Domain Computers", entry->dn);
}

static void check_wanted(const struct domain *domain, const struct device *device)
{
	const struct planning *p = &planning;
	size_t count;
	const struct entry *entry = entry_of(domain, device->key, &count);
	struct certdir_arena arena = {0};
	const char *cn;

	CHECK(count == 1, "%s has %zu accounts", device->key, count);
	CHECK(strcasecmp(certdir_dn_parent(entry->dn), device->staff ? STAFF : OU) == 0 &&
		      (cn = certdir_dn_rdn_value(entry->dn, "CN", &arena)) &&
		      is_same(cn, device->cn, CERTDIR_ACCENTS_COUNT),
	      "%s is %s", device->key, entry->dn);
	certdir_arena_clear(&arena);
	CHECK(!strstr(text_at(entry, MARK), ":disabled") && !strstr(text_at(entry, MARK), ":gone"), "%s is marked %s",
	      device->key, text_at(entry, MARK));
	CHECK(((atoi(text_at(entry, CONTROL)) & 2) == 0) == p->rules.enabled, "%s has %s", device->key,
	      text_at(entry, CONTROL));
	CHECK(strlen(text_at(entry, ACCOUNT)) <= 16, "%s", text_at(entry, ACCOUNT));
	check_values(entry, device, SPN);
	check_values(entry, device, DESCRIPTION);
	if (p->rules.mapped)
		check_own_mappings(entry, device);
	check_groups(entry, device);
}

/* What a computer of the domain needs, no account of a device that is not wanted has. */
static void check_namesakes(const struct world *world, const struct entry *entry, const struct device *own)
{
	char spn[TEXT];

	for (size_t i = 0; i < POOL; i++) {
		const struct device *device = &world->devices[i];

		(void)snprintf(spn, sizeof(spn), "HOST/%s", device->cn);
		if (device->there && device->hybrid && device != own)
			CHECK(!value_at((struct entry *)entry, SPN, spn), "%s keeps %s", entry->dn, spn);
	}
}

/* Whose device is not wanted, or not there. */
static void check_unwanted(const struct world *world, const struct domain *domain)
{
	for (size_t i = 0; i < domain->count; i++) {
		const struct entry *entry = &domain->entries[i];
		const struct device *device = NULL;
		struct certdir_mark mark;
		size_t count;

		if (!is_ours(entry) || lives(entry) ||
		    !certdir_mark_parse(text_at(entry, MARK), strlen(text_at(entry, MARK)), &mark))
			continue;
		(void)entry_of(domain, mark.key, &count);
		for (size_t d = 0; d < POOL; d++)
			if (world->devices[d].there && strcmp(world->devices[d].key, mark.key) == 0)
				device = &world->devices[d];
		if (count > 1 || (device && !device->why_not[0]))
			continue;
		CHECK(mark.state == (device ? CERTDIR_MARK_DISABLED : CERTDIR_MARK_GONE), "%s is marked %s", entry->dn,
		      text_at(entry, MARK));
		CHECK(atoi(text_at(entry, CONTROL)) & 2, "%s is enabled", entry->dn);
		check_namesakes(world, entry, device);
		CHECK(device || is_problem(mark.key) || world->now - mark.gone < DELETE_AFTER, "%s is still there",
		      entry->dn);
	}
}

static const struct entry *entry_by_id(const struct domain *domain, int id)
{
	for (size_t i = 0; i < domain->count; i++)
		if (domain->entries[i].id == id)
			return &domain->entries[i];
	return NULL;
}

/* What the plan found and what became of it. `before` is the directory that it was made from. */
static void check_kept(const struct domain *before, const struct domain *after)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct entry *was = &before->entries[i], *is = entry_by_id(after, was->id);
		const char *mark = text_at(was, MARK);
		struct certdir_mark parsed;

		if (!is_ours(was) || lives(was)) {
			CHECK(is && memcmp(is, was, sizeof(*is)) == 0, "%s is not ours to change and was changed",
			      was->dn);
			continue;
		}
		CHECK(is || (certdir_mark_parse(mark, strlen(mark), &parsed) && parsed.state == CERTDIR_MARK_GONE),
		      "%s was lost", was->dn);
		CHECK(!is || strcmp(text_at(was, ACCOUNT), text_at(is, ACCOUNT)) == 0, "%s has another account name",
		      is->dn);
	}
}

static void check_end(const struct world *world, const struct domain *before)
{
	check_kept(before, &world->domain);
	check_unwanted(world, &world->domain);
	for (size_t i = 0; i < POOL; i++) {
		const struct device *device = &world->devices[i];

		if (!device->there || device->why_not[0])
			continue;
		CHECK(!world->calm || !is_problem(device->key), "%s has no reason for a problem", device->key);
		if (!is_problem(device->key)) {
			check_wanted(&world->domain, device);
		} else {
			size_t count;
			const struct entry *is = entry_of(&world->domain, device->key, &count),
					   *was = is ? entry_by_id(before, is->id) : NULL;

			CHECK(!is || (was && (count > 1 || memcmp(is, was, sizeof(*is)) == 0)),
			      "%s was to be left alone", device->key);
		}
	}
}

/* ---- a round ---- */

static void plan_is_empty(const struct world *world)
{
	plan_for(world);
	CHECK(planning.plan.action_count == 0 && planning.plan.step_count == 0, "a second plan has something to do");
}

/* Interrupts it several times, then lets it end. */
static void interrupted(struct world *world)
{
	size_t order[STEPS];

	for (unsigned cuts = 1 + pick(3); cuts > 0; cuts--) {
		plan_for(world);
		if (planning.plan.step_count > 0)
			(void)carry(world, pick((unsigned)planning.plan.step_count + 1), order);
	}
	plan_for(world);
	(void)carry(world, STEPS, order);
}

static void taken_back(struct world *world, const struct domain *before)
{
	size_t order[STEPS], count;

	plan_for(world);
	count = carry(world, pick((unsigned)planning.plan.step_count + 1), order);
	while (count-- > 0) {
		const struct certdir_ldap_operation *operation = &planning.plan.steps[order[count]].operation;

		CHECK(take_back(&world->domain, operation), "%s cannot be taken back: %s", operation->dn,
		      world->domain.refusal);
	}
	check_same(world, before, "taken back");
}

static void play_round(struct world *world)
{
	static struct domain before;
	static struct world other;
	size_t order[STEPS];

	turn(world);
	before = world->domain;
	other = *world;
	taken_back(&other, &before);
	other.domain = before;
	interrupted(&other);
	plan_for(world);
	(void)carry(world, STEPS, order);
	check_end(world, &before);
	plan_is_empty(world);
	shown = &other;
	check_same(&other, &world->domain, "interrupted");
}

static void play(unsigned with)
{
	static struct world world;

	seed = with;
	state = with * 2654435761u + 1;
	world = (struct world){.now = 1000000, .calm = turn_chance(30)};
	configure(&planning, CERTDIR_PLACEHOLDER_COMPUTER);
	planning.rules.delete_after = DELETE_AFTER;
	planning.rules.mapped = turn_chance(80);
	planning.rules.enabled = turn_chance(90);
	if (turn_chance(30))
		with_group(&planning, turn_chance(60));
	else if (turn_chance(70))
		with_groups(&planning, turn_chance(60), turn_chance(50));
	for (size_t i = 0; i < POOL; i++)
		if (turn_chance(60))
			come(&world, i);
	for (unsigned i = 0; i < ROUNDS; i++)
		play_round(&world);
	certdir_arena_clear(&planning.arena);
}

static unsigned seeds = SEEDS, first = 1;

static void test_histories(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < seeds; i++)
		play(first + i);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_histories)};
	if (argc > 1)
		seeds = (unsigned)atoi(argv[1]);
	if (argc > 2)
		first = (unsigned)atoi(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
