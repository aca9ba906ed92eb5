/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "das_clients.h"

#include "base/array.h"
#include "raddb_section.h"

enum { DAS_PORT = 3799 }; /* RFC 5176, 2.3 */

#define FAIL(_cs, _error, ...) (fail_at(_cs, _error, __VA_ARGS__), false)

static void CC_HINT(format(printf, 3, 4))
	fail_at(CONF_SECTION *cs, struct certdir_error *error, char const *format, ...)
{
	char text[CERTDIR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(text, format, arguments);
	va_end(arguments);
	certdir_error_set(error, "%s[%d]: %s %s: %s", cf_section_filename(cs), cf_section_lineno(cs),
			  cf_section_name1(cs), section_instance(cs), text);
}

static char const *value_of(CONF_SECTION *cs, char const *option)
{
	CONF_PAIR *pair = cf_pair_find(cs, option);

	return pair ? cf_pair_value(pair) : NULL;
}

/* What the server's parser would take for a number: it takes any text. */
static bool read_number(CONF_SECTION *cs, char const *option, uint32_t most, uint32_t *number,
			struct certdir_error *error)
{
	char const *value = value_of(cs, option);
	size_t const digits = value ? strspn(value, "0123456789") : 0;

	if (!cf_pair_find(cs, option))
		return true;
	if (digits == 0 || digits > 9 || value[digits] || strtoul(value, NULL, 10) > most)
		return FAIL(cs, error, "%s = %s: must be a whole number of at most %u", option, value ? value : "",
			    most);
	*number = (uint32_t)strtoul(value, NULL, 10);
	return true;
}

/* The server has read these sections before, and told what is wrong with addresses. */
static bool read_address(CONF_SECTION *cs, bool network, fr_ipaddr_t *address)
{
	static char const *const options[] = {"ipaddr", "ipv4addr", "ipv6addr"};
	unsigned const types[] = {network ? PW_TYPE_COMBO_IP_PREFIX : PW_TYPE_COMBO_IP_ADDR,
				  network ? PW_TYPE_IPV4_PREFIX : PW_TYPE_IPV4_ADDR,
				  network ? PW_TYPE_IPV6_PREFIX : PW_TYPE_IPV6_ADDR};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (cf_pair_find(cs, options[i]))
			return cf_item_parse(cs, options[i], types[i], address, NULL) >= 0;
	return false;
}

static void read_source(CONF_SECTION *cs, fr_ipaddr_t *source)
{
	char const *value = value_of(cs, "src_ipaddr");

	if (value && fr_pton(source, value, -1, AF_UNSPEC, true) < 0)
		source->af = AF_UNSPEC;
}

/* ---- coa_server ---- */

/* Between the bounds that the server itself has for a home server. */
static bool read_patience(CONF_SECTION *cs, struct das_patience *patience, struct certdir_error *error)
{
	CONF_SECTION *coa = cf_section_sub_find(cs, "coa");

	if (!coa)
		return true;
	if (!read_number(coa, "irt", 5, &patience->irt, error) || !read_number(coa, "mrt", 30, &patience->mrt, error) ||
	    !read_number(coa, "mrc", 20, &patience->mrc, error) || !read_number(coa, "mrd", 60, &patience->mrd, error))
		return false;
	patience->irt += patience->irt < 1;
	patience->mrd = patience->mrd < 5 ? 5 : patience->mrd;
	return true;
}

/* A home_server { type = coa }, or the coa_server { } inside a client, which may leave out what the client has. */
static bool read_server(CONF_SECTION *cs, struct das_client *client, struct certdir_error *error)
{
	uint32_t port = DAS_PORT;

	if (!read_number(cs, "port", 65535, &port, error) || !read_patience(cs, &client->patience, error))
		return false;
	client->server = true;
	client->port = port ? (uint16_t)port : DAS_PORT;
	if (!read_address(cs, false, &client->address))
		client->address.af = AF_UNSPEC;
	read_source(cs, &client->source);
	if (value_of(cs, "secret"))
		client->secret = value_of(cs, "secret");
	return true;
}

/* The home server of that name; of a pool its first one. */
static CONF_SECTION *find_server(CONF_SECTION *root, char const *name)
{
	CONF_SECTION *pool = cf_section_sub_find_name2(root, "home_server_pool", name);
	char const *first = pool ? value_of(pool, "home_server") : NULL;

	return cf_section_sub_find_name2(root, "home_server", first ? first : name);
}

static bool read_coa_server(CONF_SECTION *root, CONF_SECTION *cs, struct das_client *client,
			    struct certdir_error *error)
{
	char const *name = value_of(cs, "coa_server");
	CONF_SECTION *server = name ? find_server(root, name) : cf_section_sub_find(cs, "coa_server");

	if (!server)
		return !name || FAIL(cs, error, "coa_server = %s: there is no home_server of that name", name);
	if (!read_server(server, client, error))
		return false;
	return !name || client->address.af != AF_UNSPEC ||
	       FAIL(server, error, "has no address, and client %s wants it to take its orders", section_instance(cs));
}

/* ---- client ---- */

/* A misspelt option would be silently without effect: the server takes any that it does not know. */
static bool options_known(CONF_SECTION *cs, struct certdir_error *error)
{
	for (CONF_ITEM *item = cf_item_find_next(cs, NULL); item; item = cf_item_find_next(cs, item)) {
		char const *name = cf_item_is_pair(item) ? cf_pair_attr(cf_item_to_pair(item)) : "";

		if (strncmp(name, "certdir_", 8) == 0 && strcmp(name, "certdir_change") != 0 &&
		    strcmp(name, "certdir_coa") != 0)
			return FAIL(cs, error, "%s is no option: there are certdir_change and certdir_coa", name);
	}
	return true;
}

static bool read_change(CONF_SECTION *cs, TALLOC_CTX *memory, struct das_client *client, struct certdir_error *error)
{
	static char const *const words[] = {"disconnect", "coa", "none"};
	char const *word = value_of(cs, "certdir_change"), *coa = value_of(cs, "certdir_coa");

	for (unsigned i = 0; word && i <= 3; i++) {
		if (i == 3)
			return FAIL(cs, error, "certdir_change = %s: must be disconnect, coa or none", word);
		client->change = (enum das_change)i;
		if (strcmp(word, words[i]) == 0)
			break;
	}
	if ((client->change == DAS_CHANGE_COA) != (coa != NULL))
		return FAIL(cs, error, "certdir_change = coa and certdir_coa, what a CoA-Request says, go together");
	if (coa && fr_pair_list_afrom_str(memory, coa, &client->coa) == T_INVALID)
		return FAIL(cs, error, "certdir_coa = %s: %s", coa, fr_strerror());
	for (VALUE_PAIR const *pair = client->coa; pair; pair = pair->next)
		if (pair->type == VT_XLAT)
			return FAIL(cs, error, "certdir_coa = %s: nothing is expanded here, and %%{ } is for that",
				    coa);
	return true;
}

static bool has_word(char const *value, char const *a, char const *b)
{
	return value && (strcmp(value, a) == 0 || strcmp(value, b) == 0);
}

static bool read_client(CONF_SECTION *root, CONF_SECTION *cs, TALLOC_CTX *memory, struct das_client *client,
			struct certdir_error *error)
{
	uint32_t port = DAS_PORT, prefix = 255;

	/* The oldest form has the address for a name. */
	if (!read_address(cs, true, &client->network) &&
	    fr_pton(&client->network, section_instance(cs), -1, AF_UNSPEC, true) < 0)
		return FAIL(cs, error, "has no address");
	if (!options_known(cs, error) || !read_number(cs, "netmask", 128, &prefix, error) ||
	    !read_number(cs, "coa_port", 65535, &port, error) || !read_change(cs, memory, client, error))
		return false;
	if (prefix != 255)
		client->network.prefix = (uint8_t)prefix;
	/* The server takes the address of "any" for the network of all. */
	if (fr_inaddr_any(&client->network) == 1)
		client->network.prefix = 0;
	client->deaf = port == 0;
	client->port = (uint16_t)port;
	client->secret = value_of(cs, "dynamic_clients") ? NULL : value_of(cs, "secret");
	read_source(cs, &client->source);
	if (!read_coa_server(root, cs, client, error))
		return false;
	client->deaf |= !client->server && has_word(value_of(cs, "proto"), "tls", "radsec");
	return true;
}

static struct das_client const usual = {.port = DAS_PORT, .patience = {.irt = 2, .mrt = 16, .mrc = 5, .mrd = 30}};

static bool read_clients(struct das_clients *clients, CONF_SECTION *root, CONF_SECTION *in, struct certdir_error *error)
{
	FOR_EACH_SECTION(cs, in, "client") {
		struct das_client *client = certdir_array_next(&clients->items, clients->count, sizeof(*client));

		if (!client) {
			certdir_error_set(error, "out of memory");
			return false;
		}
		*client = usual;
		clients->count++;
		if (!read_client(root, cs, clients->memory, client, error))
			return false;
	}
	return true;
}

bool das_clients_read(struct das_clients *clients, CONF_SECTION *root, struct certdir_error *error)
{
	static char const *const holders[] = {"clients", "server"};

	*clients = (struct das_clients){.memory = talloc_new(NULL), .unknown = usual};
	if (!read_clients(clients, root, root, error))
		return false;
	for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++)
		FOR_EACH_SECTION(cs, root, holders[i])
			if (!read_clients(clients, root, cs, error))
				return false;
	return true;
}

void das_clients_clear(struct das_clients *clients)
{
	talloc_free(clients->memory);
	free(clients->items);
	memset(clients, 0, sizeof(*clients));
}

/* ---- which ---- */

static bool contains(fr_ipaddr_t const *network, fr_ipaddr_t const *address)
{
	fr_ipaddr_t masked = *address, base = *network;

	if (network->af != address->af)
		return false;
	fr_ipaddr_mask(&masked, network->prefix);
	fr_ipaddr_mask(&base, network->prefix);
	masked.scope = base.scope;
	return fr_ipaddr_cmp(&masked, &base) == 0;
}

struct das_client const *das_clients_find(struct das_clients const *clients, fr_ipaddr_t const *address)
{
	struct das_client const *best = &clients->unknown;

	for (size_t i = 0; i < clients->count; i++) {
		struct das_client const *client = &clients->items[i];

		if (contains(&client->network, address) &&
		    (best == &clients->unknown || client->network.prefix > best->network.prefix))
			best = client;
	}
	return best;
}
