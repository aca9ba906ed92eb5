/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan_turns.h"

unsigned seed, state;

struct planning planning;

static const char *const names[NAMES] = {"PC1",
					 "pc2",
					 "PC,3+",
					 "Pc4",
					 "WORKSTATION-BERLIN-1",
					 "WORKSTATION-BERLIN-2",
					 "workstation-berlin-3",
					 "#x ",
					 "M\u00fcller-PC",
					 "M\u00dcLLER-pc",
					 "Muller-PC"};

unsigned pick(unsigned count)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % count;
}

bool turn_chance(unsigned per_cent)
{
	return pick(100) < per_cent;
}

/* ---- for people ---- */

static void show_domain(const struct domain *domain)
{
	for (size_t i = 0; i < domain->count; i++) {
		print_error("  %s", domain->entries[i].dn);
		for (size_t v = 0; v < domain->entries[i].count; v++)
			print_error(" %s=%s", attribute_names[domain->entries[i].values[v].attribute],
				    domain->entries[i].values[v].text);
		print_error("\n");
	}
}

const struct world *shown;

void show(void)
{
	for (size_t i = 0; i < planning.plan.action_count; i++)
		print_error("  %s %s (%s): %s\n", certdir_action_name(planning.plan.actions[i].kind),
			    planning.plan.actions[i].key, planning.plan.actions[i].dn, planning.plan.actions[i].why);
	for (size_t i = 0; i < planning.plan.remark_count; i++)
		print_error("  remark %s: %s\n", planning.plan.remarks[i].subject, planning.plan.remarks[i].text);
	for (size_t i = 0; i < POOL; i++)
		if (shown->devices[i].there)
			print_error("  device %s %s %s %s maps %s %s\n", shown->devices[i].key, shown->devices[i].cn,
				    shown->devices[i].why_not, shown->devices[i].values[SPN][1],
				    shown->devices[i].mappings[0], shown->devices[i].mappings[1]);
	print_error("before:\n");
	show_domain(&planning.seen);
	print_error("now:\n");
	show_domain(&shown->domain);
}

/* ---- the world turns ---- */

static void set_name(struct device *device, const char *cn)
{
	(void)snprintf(device->cn, sizeof(device->cn), "%s", cn);
	(void)snprintf(device->name, sizeof(device->name), "%s", cn);
	(void)snprintf(device->values[SPN][0], sizeof(device->values[SPN][0]), "HOST/%.50s", cn);
	(void)snprintf(device->values[DESCRIPTION][0], sizeof(device->values[DESCRIPTION][0]), "is %.50s", cn);
}

static bool is_name_free(const struct world *world, const char *cn)
{
	for (size_t i = 0; i < POOL; i++)
		if (world->devices[i].there && is_same(world->devices[i].cn, cn, accents))
			return false;
	return true;
}

void come(struct world *world, size_t index)
{
	struct device *device = &world->devices[index];
	const char *cn = names[pick(NAMES)];

	if (world->calm && !is_name_free(world, cn))
		return;
	device->there = true;
	device->groups = pick(1 << GROUPS);
	device->staff = turn_chance(30);
	(void)snprintf(device->key, sizeof(device->key), "device-%zu", index);
	set_name(device, cn);
}

/* Two or three devices pass their names on. */
static void rotate_names(struct world *world)
{
	struct device *first = &world->devices[pick(POOL)], *second = &world->devices[pick(POOL)],
		      *third = &world->devices[pick(POOL)];
	char cn[64];

	if (!first->there || !second->there || !third->there)
		return;
	(void)strcpy(cn, first->cn);
	set_name(first, second->cn);
	set_name(second, third->cn);
	set_name(third, cn);
	if (world->calm && (first == second || second == third || first == third)) {
		/* Some name stood twice for a moment; the last assignment may have left it so. */
		for (size_t i = 0; i < POOL; i++)
			for (size_t k = 0; k < i; k++)
				if (world->devices[i].there && world->devices[k].there &&
				    is_same(world->devices[i].cn, world->devices[k].cn, accents))
					world->devices[i].there = false;
	}
}

/* The device is wiped and comes back under another id, with the same name; the certificate's key may be the same. */
static void enroll_again(struct world *world)
{
	struct device *old = &world->devices[pick(POOL)], *new = &world->devices[pick(POOL)];

	if (!old->there || new->there || old == new)
		return;
	come(world, (size_t)(new - world->devices));
	new->there = true;
	(void)snprintf(new->key, sizeof(new->key), "device-%zu", (size_t)(new - world->devices));
	set_name(new, old->cn);
	memset(new->mappings, 0, sizeof(new->mappings));
	memset(new->ended, 0, sizeof(new->ended));
	if (turn_chance(50)) {
		memcpy(new->mappings, old->mappings, sizeof(new->mappings));
		memset(old->mappings, 0, sizeof(old->mappings));
	}
	if (world->calm || turn_chance(50))
		old->there = false;
	else
		(void)strcpy(old->why_not, "is disabled");
}

static void certify(struct world *world)
{
	struct device *device = &world->devices[pick(POOL)];
	const unsigned slot = pick(2);

	/* What it had ends, for good or forgotten. */
	memset(device->ended, 0, sizeof(device->ended));
	if (turn_chance(70))
		(void)strcpy(device->ended[0], device->mappings[slot]);
	device->mappings[slot][0] = '\0';
	if (turn_chance(70))
		(void)snprintf(device->mappings[slot], sizeof(device->mappings[slot]), "X509:<SKI>%04d",
			       ++world->certificates);
}

/* The device is one of the domain's, with an account elsewhere, and no placeholder is made for it; or that is over. */
static void join_hybrid(struct device *device, size_t index)
{
	device->hybrid = !device->hybrid;
	(void)strcpy(device->why_not, device->hybrid ? "has another trust type" : "");
	(void)snprintf(device->sid, sizeof(device->sid), device->hybrid ? "S-1-5-21-1-2-3-%zu" : "", index);
}

static void change_list(struct world *world)
{
	struct device *device = &world->devices[pick(POOL)];

	switch (pick(11)) {
	case 10:
		join_hybrid(device, (size_t)(device - world->devices));
		break;
	case 0:
	case 1:
		if (!device->there)
			come(world, (size_t)(device - world->devices));
		break;
	case 2:
		device->there = false;
		break;
	case 3:
		(void)strcpy(device->why_not, device->why_not[0] ? "" : "is not compliant");
		break;
	case 4:
		if (device->there && !world->calm)
			set_name(device, names[pick(NAMES)]);
		break;
	case 5:
		rotate_names(world);
		break;
	case 6:
		enroll_again(world);
		break;
	case 7:
		certify(world);
		break;
	case 8:
		/* A value that does not come from the name, so that what is claimed and what is named differ. */
		device->values[SPN][1][0] = '\0';
		if (!world->calm && turn_chance(80))
			(void)snprintf(device->values[SPN][1], sizeof(device->values[SPN][1]), "RADIUS/%u", pick(4));
		else if (!world->calm)
			(void)strcpy(device->problem, device->problem[0] ? "" : "has no serial_number");
		break;
	case 9:
		device->groups = pick(1 << GROUPS);
		device->staff = turn_chance(30);
		break;
	}
}

static struct entry *new_entry(struct domain *domain, const char *rdn, const char *parent)
{
	struct entry entry = {.id = ++domain->id, .version = ++domain->version};

	(void)snprintf(entry.dn, sizeof(entry.dn), "CN=%s,%s", rdn, parent);
	if (domain->count == ENTRIES || entry_at(domain, entry.dn))
		return NULL;
	add_value(&entry, CLASS, "computer");
	domain->entries[domain->count++] = entry;
	return &domain->entries[domain->count - 1];
}

static void add_unique(struct domain *domain, struct entry *entry, enum attribute attribute, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void add_unique(struct domain *domain, struct entry *entry, enum attribute attribute, const char *format, ...)
{
	char text[TEXT];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (!is_taken(domain, entry, attribute, text) && !value_at(entry, attribute, text))
		add_value(entry, attribute, text);
}

static void come_foreign(struct world *world)
{
	struct domain *domain = &world->domain;
	char rdn[24];
	struct entry *entry;

	(void)snprintf(rdn, sizeof(rdn), "%s", turn_chance(50) ? "PC1" : turn_chance(50) ? "Pc4" : "printer");
	entry = new_entry(domain, rdn, turn_chance(40) ? OU : turn_chance(40) ? STAFF : "OU=Other," DOMAIN);
	if (!entry)
		return;
	add_value(entry, NAME, rdn);
	add_unique(domain, entry, ACCOUNT, "%s$", turn_chance(50) ? "WORKSTATION-BER" : rdn);
	add_unique(domain, entry, SPN, "RADIUS/%u", pick(4));
	if (turn_chance(30))
		add_unique(domain, entry, SPN, "http/%s", names[pick(NAMES)]);
	if (turn_chance(30))
		add_value(entry, MAPPING, "X509:<SKI>0003");
	if (turn_chance(20))
		add_value(entry, MARK, "certdir:other:device-1");
	if (turn_chance(30))
		add_value(entry, MEMBER_OF, fixture_groups[pick(GROUPS)].dn);
}

bool is_ours(const struct entry *entry)
{
	const char *mark = text_at(entry, MARK);

	return mark && strncmp(mark, "certdir:wifi:", 13) == 0;
}

/* A user joins a PC to the domain under this name; the join takes the account over. */
static void join(struct domain *domain, struct entry *entry)
{
	if (text_at(entry, SYSTEM))
		return;
	add_value(entry, SYSTEM, "Windows");
	add_unique(domain, entry, SPN, "TERMSRV/%d", entry->id);
	set_value(entry, HOST_NAME, "joined.corp.example");
	set_value(entry, CONTROL, "4096");
}

bool lives(const struct entry *entry)
{
	return is_ours(entry) && text_at(entry, SYSTEM);
}

/* What an administrator does by hand. */
static void disturb(struct world *world)
{
	struct domain *domain = &world->domain;
	struct entry *entry = domain->count ? &domain->entries[pick((unsigned)domain->count)] : NULL;
	char text[TEXT];

	if (!entry || !is_ours(entry) || turn_chance(30)) {
		come_foreign(world);
		return;
	}
	switch (pick(8)) {
	case 7:
		join(domain, entry);
		break;
	case 0:
		(void)snprintf(text, sizeof(text), "%d",
			       atoi(text_at(entry, CONTROL)) ^ (turn_chance(50) ? 2 : 0x10000));
		set_value(entry, CONTROL, text);
		break;
	case 1: {
		(void)snprintf(text, sizeof(text), "%.*s,%s", (int)certdir_dn_rdn_length(entry->dn), entry->dn,
			       turn_chance(50) ? "OU=Deep," OU : STAFF);
		if (!entry_at(domain, text))
			(void)strcpy(entry->dn, text);
		break;
	}
	case 2:
		set_value(entry, DESCRIPTION, turn_chance(50) ? "by hand" : NULL);
		break;
	case 3:
		(void)snprintf(text, sizeof(text), "X509:<SKI>%04u", 1 + pick(6));
		if (!value_at(entry, MAPPING, text))
			add_value(entry, MAPPING, text);
		if (!value_at(entry, MAPPING, "X509:<S>weak"))
			add_value(entry, MAPPING, "X509:<S>weak");
		break;
	case 4:
		add_unique(domain, entry, SPN, "RADIUS/%u", pick(4));
		break;
	case 5: {
		struct value *member = value_at(entry, MEMBER_OF, NULL);

		if (member)
			drop_value(entry, member);
		break;
	}
	case 6: {
		/* A copy, mark and all. */
		struct entry *copy = new_entry(domain, "copy", OU);

		if (!copy)
			break;
		add_value(copy, NAME, "copy");
		add_value(copy, MARK, text_at(entry, MARK));
		add_value(copy, CONTROL, "4096");
		add_value(copy, ACCOUNT, "COPY$");
		add_value(copy, PRIMARY, "515");
		break;
	}
	}
	entry->version = ++domain->version;
}

void turn(struct world *world)
{
	const unsigned changes = 1 + pick(6);

	world->disturbed = false;
	for (unsigned i = 0; i < changes; i++)
		change_list(world);
	while (!world->calm && turn_chance(40)) {
		disturb(world);
		world->disturbed = true;
	}
	world->now += turn_chance(30) ? DELETE_AFTER : (int)pick(300);
}
