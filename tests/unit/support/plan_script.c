/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan_script.h"

struct world world;

char printed[20000];

size_t length;

/* ---- reading a world ---- */

static void unblank(char *text)
{
	for (; *text; text++)
		if (*text == '_')
			*text = ' ';
}

/* The value of "key=value", or NULL. */
static char *after(char *word, const char *key)
{
	const size_t size = strlen(key);

	if (strncmp(word, key, size) != 0 || word[size] != '=')
		return NULL;
	unblank(word + size + 1);
	return word + size + 1;
}

static void read_config(char *words[], size_t count)
{
	struct planning *planning = &world.planning;

	for (size_t i = 1; i < count; i++) {
		char *value;

		if (strcmp(words[i], "certificates") == 0)
			planning->rules.mapped = true;
		else if (strcmp(words[i], "issued") == 0)
			planning->rules.issued = true;
		else if (strcmp(words[i], "disabled") == 0)
			planning->rules.enabled = false;
		else if (strcmp(words[i], "warnings") == 0)
			world.warnings = true;
		else if (strcmp(words[i], "device") == 0)
			configure(planning, CERTDIR_PLACEHOLDER_DEVICE);
		else if (strcmp(words[i], "group") == 0)
			with_group(planning, false);
		else if (strcmp(words[i], "primary") == 0)
			with_group(planning, true);
		else if (strcmp(words[i], "none") == 0)
			planning->member_of = false;
		else if (strcmp(words[i], "groups") == 0)
			with_groups(planning, planning->rules.primary_group, planning->member_of);
		else if ((value = after(words[i], "max_remove")))
			planning->rules.max_remove = (unsigned)atoi(value);
		else if ((value = after(words[i], "delete_after")))
			planning->rules.delete_after = atoi(value);
		else
			fail_msg("what is %s?", words[i]);
	}
}

static void append(char texts[DEVICE_VALUES][64], const char *value)
{
	size_t i = 0;

	while (texts[i][0])
		i++;
	assert_true(i < DEVICE_VALUES && strlen(value) < 64);
	(void)strcpy(texts[i], value);
}

static void read_device(char *words[], size_t count)
{
	struct device *device = world.devices;
	char *value;

	while (device->there)
		device++;
	device->there = true;
	(void)strcpy(device->key, words[1]);
	unblank(words[2]);
	(void)strcpy(device->cn, words[2]);
	(void)snprintf(device->name, sizeof(device->name), "%s", words[2]);
	for (size_t i = 3; i < count; i++) {
		if (strcmp(words[i], "hybrid") == 0)
			device->hybrid = true;
		else if (strcmp(words[i], "staff") == 0)
			device->staff = true;
		else if (strcmp(words[i], "wifi") == 0)
			device->groups |= 1;
		else if (strcmp(words[i], "red") == 0)
			device->groups |= 2;
		else if (strcmp(words[i], "blue") == 0)
			device->groups |= 4;
		else if (strcmp(words[i], "nocn") == 0)
			device->cn[0] = '\0';
		else if ((value = after(words[i], "not")))
			(void)strcpy(device->why_not, value);
		else if ((value = after(words[i], "problem")))
			(void)strcpy(device->problem, value);
		else if ((value = after(words[i], "sid")))
			(void)strcpy(device->sid, value);
		else if ((value = after(words[i], "spn")))
			append(device->values[SPN], value);
		else if ((value = after(words[i], "cn")))
			append(device->values[NAME], value);
		else if ((value = after(words[i], "dns")))
			append(device->values[HOST_NAME], value);
		else if ((value = after(words[i], "desc")))
			append(device->values[DESCRIPTION], value);
		else if ((value = after(words[i], "serial")))
			append(device->values[SERIAL], value);
		else if ((value = after(words[i], "map")))
			append(device->mappings, value);
		else if ((value = after(words[i], "ended")))
			append(device->ended, value);
		else if ((value = after(words[i], "unmapped")))
			device->unmapped = (enum certdir_unmapped)atoi(value);
		else
			fail_msg("what is %s?", words[i]);
	}
	if (!device->values[SPN][0][0] && device->cn[0])
		(void)snprintf(device->values[SPN][0], sizeof(device->values[SPN][0]), "HOST/%.50s", device->cn);
	if (world.planning.rules.kind == CERTDIR_PLACEHOLDER_DEVICE)
		append(device->values[NAME], device->cn);
}

static struct entry *new_entry(const char *rdn, const char *parent)
{
	struct domain *domain = &world.domain;
	struct entry *entry = &domain->entries[domain->count++];

	*entry = (struct entry){.id = ++domain->id, .version = ++domain->version};
	assert_true(snprintf(entry->dn, sizeof(entry->dn), "CN=%s,%s", rdn, parent) < TEXT);
	add_value(entry, CLASS, world.planning.rules.object_classes[0]);
	add_value(entry, NAME, rdn);
	return entry;
}

/* In the order of enum attribute. */
static const char *const short_names[ATTRIBUTES] = {"class", "cn",   "sam",    "uac",	 "mark",    "spn",
						    "dns",   "desc", "serial", "map",	 "primary", "memberof",
						    "sid",   "guid", "life",   "expires"};

static const char *group_dn(const char *name)
{
	for (size_t i = 0; i < GROUPS; i++)
		if (strcmp(fixture_groups[i].name, name) == 0)
			return fixture_groups[i].dn;
	return name;
}

/* Whether a word is an attribute's value. */
static bool read_value(struct entry *entry, char *word)
{
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		const char *value = after(word, short_names[i]);

		if (value && (enum attribute)i == CLASS)
			set_value(entry, CLASS, NULL);
		if (value)
			add_value(entry, (enum attribute)i, (enum attribute)i == MEMBER_OF ? group_dn(value) : value);
		if (value)
			return true;
	}
	return false;
}

static void complete(struct entry *entry, const char *cn, const char *key, const char *state, bool nobody)
{
	const struct planning *planning = &world.planning;
	char text[TEXT];

	(void)snprintf(text, sizeof(text), "certdir:wifi:%s%s", key, state);
	add_value(entry, mark_attribute(planning), text);
	if (planning->rules.kind == CERTDIR_PLACEHOLDER_DEVICE)
		return;
	(void)snprintf(text, sizeof(text), "HOST/%s", cn);
	if (!text_at(entry, SPN))
		add_value(entry, SPN, text);
	certdir_account_name(cn, key, 0, text);
	if (!text_at(entry, ACCOUNT))
		add_value(entry, ACCOUNT, text);
	if (!text_at(entry, CONTROL))
		add_value(entry, CONTROL, *state || !planning->rules.enabled ? "4098" : "4096");
	if (planning->domain.group_count > 1) {
		if (!text_at(entry, PRIMARY))
			add_value(entry, PRIMARY, "515");
		return;
	}
	add_value(entry, PRIMARY, planning->rules.primary_group && !nobody ? "1200" : "515");
	if (planning->member_of && !planning->rules.primary_group && !nobody)
		add_value(entry, MEMBER_OF, GROUP);
}

static void read_account_line(char *words[], size_t count)
{
	char state[40] = "", *value, time[CERTDIR_TIMESTAMP_SIZE];
	struct entry *entry;
	const char *parent = OU;
	bool nobody = false;

	for (size_t i = 3; i < count; i++)
		parent = strcmp(words[i], "deep") == 0	  ? "OU=Deep," OU
			 : strcmp(words[i], "staff") == 0 ? STAFF
							  : parent;
	entry = new_entry(words[2], parent);
	for (size_t i = 3; i < count; i++) {
		if (strcmp(words[i], "disabled") == 0) {
			(void)strcpy(state, ":disabled");
		} else if ((value = after(words[i], "gone"))) {
			certdir_timestamp_print(atoi(value), time);
			(void)snprintf(state, sizeof(state), ":gone=%s", time);
		} else if (strcmp(words[i], "nobody") == 0) {
			nobody = true;
		} else if (strcmp(words[i], "computers") == 0) {
			add_value(entry, MEMBER_OF, COMPUTERS);
		} else if (strcmp(words[i], "deep") != 0 && strcmp(words[i], "staff") != 0 &&
			   !read_value(entry, words[i])) {
			fail_msg("what is %s?", words[i]);
		}
	}
	complete(entry, words[2], words[1], state, nobody);
}

/* Somebody else's: in the OU, or elsewhere in the domain. */
static void read_other(char *words[], size_t count, const char *parent)
{
	char place[TEXT];
	struct entry *entry;
	char *value;

	(void)strcpy(place, parent);
	for (size_t i = 2; i < count; i++) {
		if (strcmp(words[i], "deep") == 0)
			(void)snprintf(place, sizeof(place), "OU=Deep,%s", parent);
		else if (strcmp(words[i], "staff") == 0)
			(void)strcpy(place, STAFF);
		else if ((value = after(words[i], "below")))
			(void)snprintf(place, sizeof(place), "CN=%s,%s", value, parent);
	}
	entry = new_entry(words[1], place);
	for (size_t i = 2; i < count; i++)
		if (strcmp(words[i], "deep") != 0 && strcmp(words[i], "staff") != 0 &&
		    strncmp(words[i], "below=", 6) != 0 && !read_value(entry, words[i]))
			fail_msg("what is %s?", words[i]);
}

static void read_line(char *line)
{
	char *words[32] = {""}, *save;
	size_t count = 0;

	for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	if (strcmp(words[0], "config") == 0)
		read_config(words, count);
	else if (strcmp(words[0], "device") == 0)
		read_device(words, count);
	else if (strcmp(words[0], "account") == 0)
		read_account_line(words, count);
	else if (strcmp(words[0], "foreign") == 0)
		read_other(words, count, OU);
	else if (strcmp(words[0], "outside") == 0)
		read_other(words, count, "OU=Other," DOMAIN);
	else
		fail_msg("what is %s?", words[0]);
}

/* "1-6: device k# PC#" stands for six lines. */
static size_t repeat_line(const char *line, size_t size, char *to)
{
	unsigned first, last;
	size_t count = 0;
	int label = 0;

	if (sscanf(line, "%u-%u: %n", &first, &last, &label) != 2) {
		memcpy(to, line, size);
		return size;
	}
	for (; first <= last; first++)
		for (size_t i = (size_t)label; i < size; i++)
			if (line[i] == '#')
				count += (size_t)sprintf(to + count, "%u", first);
			else
				to[count++] = line[i];
	return count;
}

/* Gives a script without such lines, as an allocation. */
static char *written_out(const char *script)
{
	char *text = malloc(sizeof(printed));
	size_t count = 0;

	assert_non_null(text);
	for (size_t size; *script; script += size) {
		size = strcspn(script, "\n");
		size += script[size] == '\n';
		count += repeat_line(script, size, text + count);
		assert_true(count < sizeof(printed));
	}
	text[count] = '\0';
	return text;
}

void read_world(const char *script)
{
	char *copy = written_out(script), *save;

	memset(&world.devices, 0, sizeof(world.devices));
	world.domain = (struct domain){.count = 0};
	world.warnings = false;
	configure(&world.planning, CERTDIR_PLACEHOLDER_COMPUTER);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		read_line(line);
	free(copy);
}

/* ---- printing a plan ---- */

static void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	length += (size_t)vsnprintf(printed + length, sizeof(printed) - length, format, arguments);
	va_end(arguments);
	assert_true(length < sizeof(printed));
}

/* A DN without what all have in common. */
static void print_dn(const char *dn)
{
	const char *end = strstr(dn, "," OU);

	if (end)
		print("%.*s", (int)(end - dn), dn);
	else
		print("%s", strcmp(dn, GROUP) == 0	      ? "Wi-Fi"
			    : strcmp(dn, COMPUTERS) == 0      ? "Domain Computers"
			    : strncmp(dn, "CN=red,", 7) == 0  ? "red"
			    : strncmp(dn, "CN=blue,", 8) == 0 ? "blue"
							      : dn);
}

static void print_values(const char *sign, const struct certdir_ldap_change *change,
			 const struct certdir_ldap_values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		char text[TEXT];

		text_of(&values->items[i], text);
		print(" %s%s=", sign,
		      strcmp(change->attribute, "member") == 0 ? "member"
							       : short_names[attribute_of(change->attribute)]);
		print_dn(text);
	}
}

static void print_step(const struct certdir_step *step)
{
	static const char *const phases[CERTDIR_PHASES] = {"disable", "yield", "aside",	  "rename", "change",
							   "create",  "join",  "primary", "leave",  "delete"};
	const struct certdir_ldap_operation *operation = &step->operation;

	print("  %s ", phases[step->phase]);
	print_dn(operation->dn);
	if (operation->verb == CERTDIR_LDAP_VERB_RENAME) {
		print(" to %s", operation->rdn);
		if (strcmp(operation->parent, OU) != 0)
			print(" in %s", operation->parent);
	}
	for (size_t i = 0; i < operation->count; i++) {
		print_values(operation->changes[i].whole ? "!-" : "-", &operation->changes[i],
			     &operation->changes[i].deleted);
		print_values(operation->changes[i].whole		   ? "!"
			     : operation->verb == CERTDIR_LDAP_VERB_MODIFY ? "+"
									   : "",
			     &operation->changes[i], &operation->changes[i].added);
	}
	print("%s\n", step->password ? " and a password" : "");
}

void print_plan(bool steps)
{
	static const char *const remarks[] = {"problem", "foreign", "no-mapping", "nps-refuses", "warning"};
	const struct certdir_plan *plan = &world.planning.plan;

	length = 0;
	printed[0] = '\0';
	if (plan->refused)
		print("refused: %s\n", plan->refusal);
	for (size_t i = 0; i < plan->action_count; i++) {
		const struct certdir_action *action = &plan->actions[i];

		print("%s %s %s (%s): %s\n", certdir_action_name(action->kind), action->key, action->name,
		      action->account_name ? action->account_name : "", action->why);
		for (size_t k = 0; steps && k < action->count; k++)
			print_step(&plan->steps[action->first + k]);
	}
	for (size_t i = 0; i < plan->remark_count; i++) {
		/* Most worlds have no certificates. */
		if (!world.warnings && plan->remarks[i].kind == CERTDIR_REMARK_WARNING && !plan->remarks[i].subject[0])
			continue;
		print("%s ", remarks[plan->remarks[i].kind]);
		print_dn(plan->remarks[i].subject);
		print(": %s\n", plan->remarks[i].text);
	}
}

/* ---- what holds for every plan ---- */

static void check_numbers(void)
{
	const struct certdir_plan *plan = &world.planning.plan;
	size_t kinds = 0, touched = 0, step = 0;

	for (size_t i = 0; i < plan->action_count; i++) {
		const struct certdir_action *action = &plan->actions[i];

		touched += action->kind != CERTDIR_ACTION_CREATE;
		assert_int_equal(action->first, step);
		assert_true(action->count > 0);
		for (size_t k = 0; k < action->count; k++, step++) {
			assert_int_equal(plan->steps[step].action, i);
			/* Several only of groups: changes of different ones. */
			assert_true(k == 0 || plan->steps[step - 1].phase < plan->steps[step].phase ||
				    (plan->steps[step - 1].phase == plan->steps[step].phase &&
				     (plan->steps[step].phase == CERTDIR_PHASE_JOIN ||
				      plan->steps[step].phase == CERTDIR_PHASE_LEAVE) &&
				     strcmp(plan->steps[step - 1].operation.dn, plan->steps[step].operation.dn) != 0));
			assert_true(!plan->steps[step].account == (action->kind == CERTDIR_ACTION_CREATE));
			assert_true(!plan->steps[step].account == !plan->steps[step].version);
		}
	}
	assert_int_equal(step, plan->step_count);
	for (size_t i = 0; i < CERTDIR_ACTION_KINDS; i++)
		kinds += plan->kinds[i];
	assert_int_equal(kinds, plan->action_count);
	assert_int_equal(plan->own, plan->unchanged + touched);
}

void plan_world(void)
{
	certdir_arena_clear(&world.planning.arena);
	make_plan(&world.planning, &world.domain, world.devices, NOW);
	check_numbers();
}

void carry_out_all(void)
{
	const struct certdir_plan *plan = &world.planning.plan;

	for (int phase = 0; phase < CERTDIR_PHASES; phase++)
		for (size_t i = 0; i < plan->step_count; i++)
			if (plan->steps[i].phase == (enum certdir_phase)phase &&
			    !carry_out(&world.domain, &plan->steps[i].operation))
				fail_msg("%s", world.domain.refusal);
}

/* The same world gives the same plan. */
static void check_again(bool steps)
{
	static char once[sizeof(printed)];

	(void)strcpy(once, printed);
	plan_world();
	print_plan(steps);
	assert_string_equal(once, printed);
}

void check_rules(const struct rule *rules, size_t count, bool steps)
{
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		char *expected = written_out(rules[i].plan);

		read_world(rules[i].script);
		plan_world();
		print_plan(steps);
		check_again(steps);
		if (strcmp(printed, expected) != 0) {
			good = false;
			(void)fprintf(stderr, "---- %s: expected\n%s---- and not\n%s", rules[i].title, expected,
				      printed);
		}
		free(expected);
		carry_out_all();
		plan_world();
		if (world.planning.plan.action_count > 0) {
			good = false;
			print_plan(true);
			(void)fprintf(stderr, "---- %s: still to do\n%s", rules[i].title, printed);
		}
	}
	certdir_arena_clear(&world.planning.arena);
	assert_true(good);
}
