/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wiring_calls.h"

#include "base/array.h"

struct walk {
	CONF_SECTION *root;
	char const *section; /* of a server, where the walk began */
	call_function is;
	void *context;
	bool found;
	struct section_set entered; /* each once: a policy may call the module of its own name, and many may call one */
};

bool section_set_add(struct section_set *set, CONF_SECTION *cs)
{
	CONF_SECTION **item;

	for (size_t i = 0; i < set->count; i++)
		if (set->items[i] == cs)
			return false;
	item = certdir_array_next(&set->items, set->count, sizeof(*item));
	if (!item)
		return false;
	*item = cs;
	set->count++;
	return true;
}

bool section_is_module(CONF_SECTION *cs, char const *kind)
{
	return strcmp(cf_section_name1(cs), kind) == 0 &&
	       strcmp(cf_section_name1(cf_item_parent(cf_section_to_item(cs))), "modules") == 0;
}

/* "eap", "-eap" (load it where it is configured) and "eap.authorize" (that method of it) are all eap. */
static bool names_module(char const *call, char const *name)
{
	size_t const length = strlen(name);

	call += *call == '-';
	return strncmp(call, name, length) == 0 && (call[length] == '\0' || call[length] == '.');
}

static void look_into(struct walk *walk, CONF_SECTION *cs);

static void enter(struct walk *walk, CONF_SECTION *cs)
{
	if (cs && section_set_add(&walk->entered, cs))
		look_into(walk, cs);
}

/* "server[other]" calls the same section of another server; the server runs none of it in authenticate. */
static void call_server(struct walk *walk, char const *call)
{
	char const *name = call + strlen("server[");
	char *copy = strndup(name, strcspn(name, "]"));
	CONF_SECTION *server = copy ? cf_section_sub_find_name2(walk->root, "server", copy) : NULL;

	if (server && strcmp(walk->section, "authenticate") != 0)
		enter(walk, cf_section_sub_find(server, walk->section));
	free(copy);
}

/* A call means a module, or a policy, or a group of modules from instantiate { }. */
static void one_call(struct walk *walk, char const *call)
{
	static char const *const places[] = {"modules", "policy", "instantiate"};

	if (strncmp(call, "server[", 7) == 0)
		call_server(walk, call);
	for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++)
		FOR_EACH_SECTION(cs, cf_section_sub_find(walk->root, places[p]), NULL) {
			if (!names_module(call, section_instance(cs)) && !names_module(section_instance(cs), call))
				continue;
			walk->found = walk->found || walk->is(walk->context, cs);
			if (p > 0)
				enter(walk, cs);
		}
}

/* Post-Auth-Type REJECT and the like are left out: they run for some logins only, beside the others. */
static void look_into(struct walk *walk, CONF_SECTION *cs)
{
	for (CONF_ITEM *item = cf_item_find_next(cs, NULL); item && !walk->found; item = cf_item_find_next(cs, item)) {
		if (cf_item_is_pair(item) && !cf_pair_value(cf_item_to_pair(item))) {
			one_call(walk, cf_pair_attr(cf_item_to_pair(item)));
		} else if (cf_item_is_section(item)) {
			CONF_SECTION *sub = cf_item_to_section(item);

			if (strcmp(cf_section_name1(sub), "Post-Auth-Type") == 0)
				continue;
			if (!cf_section_name2(sub))
				one_call(walk, cf_section_name1(sub));
			look_into(walk, sub);
		}
	}
}

bool section_calls(CONF_SECTION *root, CONF_SECTION *server, char const *section, call_function is, void *context)
{
	struct walk walk = {.root = root, .section = section, .is = is, .context = context};

	enter(&walk, cf_section_sub_find(server, section));
	free(walk.entered.items);
	return walk.found;
}

bool section_calls_plainly(CONF_SECTION *root, CONF_SECTION *cs, call_function is, void *context)
{
	struct walk walk = {.root = root, .section = cf_section_name1(cs), .is = is, .context = context};

	for (CONF_ITEM *item = cf_item_find_next(cs, NULL); item && !walk.found; item = cf_item_find_next(cs, item))
		if (cf_item_is_pair(item))
			one_call(&walk, cf_pair_attr(cf_item_to_pair(item)));
	free(walk.entered.items);
	return walk.found;
}
