/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the network devices take orders (RFC 5176), by what the server's configuration says of its RADIUS clients. */
#ifndef CERTDIR_DAS_CLIENTS_H
#define CERTDIR_DAS_CLIENTS_H

#include "base/certdir.h"
#include "freeradius/server.h"

/* What becomes of a session that is still allowed, but would be given another VLAN: `certdir_change`. */
enum das_change { DAS_CHANGE_DISCONNECT, DAS_CHANGE_COA, DAS_CHANGE_NONE };

/* When a packet is sent again, in seconds, as RFC 5080, 2.2.1 names them. */
struct das_patience {
	uint32_t irt, mrt, mrc, mrd;
};

/* One client { } section. Texts are borrowed from the configuration. */
struct das_client {
	fr_ipaddr_t network;
	enum das_change change;
	bool deaf; /* it takes no orders: coa_port = 0, or it is known by RadSec alone */
	bool server; /* another machine takes its orders: `coa_server`, whose secret counts alone */
	fr_ipaddr_t address; /* who takes them; AF_UNSPEC: where the accounting comes from */
	fr_ipaddr_t source; /* src_ipaddr, the address of ours; AF_UNSPEC: not set */
	uint16_t port;
	char const *secret; /* NULL: the section has none, as of a network of dynamic clients */
	struct das_patience patience;
	VALUE_PAIR *coa; /* certdir_coa: what a CoA-Request asks for */
};

struct das_clients {
	TALLOC_CTX *memory;
	struct das_client *items;
	size_t count;
	struct das_client unknown; /* what holds where no section fits */
};

/*
 * Reads all client { } sections of the configuration: those of all servers, of clients { } and of virtual servers. False with an error
 * that names file and line. What is read stays borrowed from `root`; das_clients_clear() frees the rest, also after a failure.
 */
bool das_clients_read(struct das_clients *clients, CONF_SECTION *root, struct certdir_error *error);
void das_clients_clear(struct das_clients *clients);

/* The section with the longest prefix that the address is in. Never NULL. */
struct das_client const *das_clients_find(struct das_clients const *clients, fr_ipaddr_t const *address);

#endif
