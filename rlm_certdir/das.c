/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "das.h"

#include <poll.h>
#include <search.h>
#include <sys/eventfd.h>
#include <sys/queue.h>

#include <freeradius/packet.h>

#include "base/background.h"
#include "das_packet.h"

enum {
	GAP = CERTDIR_SECOND / 100, /* between two packets */
	FRESH_MAX = 64, /* orders that were sent once and have no answer yet */
	PEER_MAX = 8, /* orders in flight to one device */
	RECEIVE_MAX = 64, /* packets read in a row: a flood of them must not keep the clock waiting */
};

/* What accounting taught of a client. */
struct known {
	fr_ipaddr_t address; /* first: the key */
	fr_ipaddr_t own; /* the address of ours that it sends to */
	char *secret; /* NULL: not known yet */
	bool told; /* that there is no secret for it */
};

/* Who takes orders. Stays until the end: there are as many as network devices. */
struct peer {
	fr_ipaddr_t address; /* first: the key, together with */
	uint16_t port;
	TAILQ_HEAD(, job) queue;
	TAILQ_ENTRY(peer) others; /* in `waiting`, while its queue has any */
	unsigned flying;
	uint8_t next_id;
	int64_t heard; /* when it answered last */
	bool silent; /* an order waited in vain for the first word, and none came since */
	bool told; /* that its answers are signed with another secret */
};

/* An order on its way. */
struct job {
	TAILQ_ENTRY(job) others; /* in the inbox, its peer's queue, or `flying` */
	struct certdir_order order; /* its session is a copy */
	struct peer *peer;
	struct das_client const *client;
	VALUE_PAIR *coa;
	fr_ipaddr_t source;
	char *secret;
	enum das_naming naming;
	RADIUS_PACKET *packet;
	unsigned sent;
	int64_t first, wait, due;
};

TAILQ_HEAD(jobs, job);

struct certdir_das {
	struct das_clients clients;
	int sockets[2]; /* IPv4, IPv6; -1 = this machine has none */
	int wake;
	pthread_t thread;

	pthread_mutex_t lock; /* guards the next three */
	struct jobs inbox;
	void *known;
	bool stop;

	/* The thread's own. */
	TALLOC_CTX *memory;
	void *peers;
	struct jobs flying;
	TAILQ_HEAD(, peer) waiting;
	int64_t pace; /* when the next packet may leave */
};

/* ---- addresses as keys ---- */

static int compare_addresses(void const *a, void const *b)
{
	fr_ipaddr_t const *one = a, *other = b;

	if (one->af != other->af)
		return one->af < other->af ? -1 : 1;
	return one->af == AF_INET ? memcmp(&one->ipaddr.ip4addr, &other->ipaddr.ip4addr, sizeof(one->ipaddr.ip4addr))
				  : memcmp(&one->ipaddr.ip6addr, &other->ipaddr.ip6addr, sizeof(one->ipaddr.ip6addr));
}

static int compare_peers(void const *a, void const *b)
{
	struct peer const *one = a, *other = b;
	int const order = compare_addresses(&one->address, &other->address);

	return order ? order : (int)one->port - (int)other->port;
}

/* The one that equals `key` in a tree, or a new one of `size` bytes that begins with `length` bytes of the key. NULL when memory is out. */
static void *find_or_add(void **tree, void const *key, size_t length, size_t size,
			 int (*compare)(void const *, void const *))
{
	void **found = tfind(key, tree, compare), *item;

	if (found)
		return *found;
	item = calloc(1, size);
	if (!item)
		return NULL;
	memcpy(item, key, length);
	if (tsearch(item, tree, compare))
		return item;
	free(item);
	return NULL;
}

static char const *address_text(fr_ipaddr_t const *address, char text[INET6_ADDRSTRLEN])
{
	char const *const written = inet_ntop(address->af, &address->ipaddr, text, INET6_ADDRSTRLEN);

	return written ? written : "-";
}

/* ---- jobs ---- */

static void job_free(struct job *job)
{
	talloc_free(job->packet);
	free(job->secret);
	free((void *)(uintptr_t)job->order.session);
	free(job);
}

/* The end of an order that is in no queue any more. */
static void job_end(struct job *job, enum certdir_order_outcome outcome, uint32_t cause)
{
	job->order.answered(job->order.to, job->order.id, outcome, cause);
	job_free(job);
}

static void wake(struct certdir_das *self)
{
	uint64_t const one = 1;

	while (write(self->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void certdir_das_send(void *das, const struct certdir_order *order)
{
	struct certdir_das *self = das;
	struct job *job = calloc(1, sizeof(*job));

	if (job) {
		job->order = *order;
		job->order.session = certdir_session_copy(order->session);
	}
	if (!job || !job->order.session) {
		free(job);
		order->answered(order->to, order->id, CERTDIR_ORDER_SILENT, 0);
		return;
	}
	pthread_mutex_lock(&self->lock);
	TAILQ_INSERT_TAIL(&self->inbox, job, others);
	pthread_mutex_unlock(&self->lock);
	wake(self);
}

/* ---- what accounting teaches ---- */

/* With the lock held. */
static struct known *know(struct certdir_das *self, fr_ipaddr_t const *address)
{
	return find_or_add(&self->known, address, sizeof(*address), sizeof(struct known), compare_addresses);
}

/* With the lock held. */
static void learn_secret(struct known *known, char const *secret)
{
	if (known->secret && strcmp(known->secret, secret) == 0)
		return;
	free(known->secret);
	known->secret = strdup(secret);
}

/*
 * The request's client cannot go while the request is there, so this is the one place where a dynamic client's secret is read without a
 * race. What comes out of a file (a detail listener) or another virtual server has no socket, and its client is made up. Over
 * TCP it is RadSec mostly, whose secret is known to all.
 */
void certdir_das_heard(struct certdir_das *das, REQUEST *request)
{
	RADIUS_PACKET const *packet = request->packet;
	RADCLIENT const *client = request->client;
	struct known *known;

	if (packet->sockfd < 0 || !client || !client->secret)
		return;
#ifdef WITH_TCP
	if (packet->proto == IPPROTO_TCP)
		return;
#endif
	pthread_mutex_lock(&das->lock);
	known = know(das, &packet->src_ipaddr);
	if (known) {
		learn_secret(known, client->secret);
		known->own = packet->dst_ipaddr;
	}
	pthread_mutex_unlock(&das->lock);
}

/* ---- who takes an order, and with which secret ---- */

static void tell_no_secret(fr_ipaddr_t const *address)
{
	char text[INET6_ADDRSTRLEN];

	certdir_log(CERTDIR_LOG_WARN,
		    "no client { } section has a secret for %s: its sessions cannot be ended until its next accounting "
		    "packet tells the server's",
		    address_text(address, text));
}

/* The secret and our address. False when there is no secret. */
static bool find_secret(struct certdir_das *self, fr_ipaddr_t const *address, struct job *job)
{
	struct das_client const *client = job->client;
	char const *secret = client->secret;
	struct known *known;
	bool tell = false;

	pthread_mutex_lock(&self->lock);
	known = know(self, address);
	job->source = client->source;
	if (known && !client->server) {
		secret = known->secret ? known->secret : secret;
		job->source = client->source.af == AF_UNSPEC ? known->own : client->source;
	}
	if (known && !secret) {
		tell = !known->told;
		known->told = true;
	}
	job->secret = secret ? strdup(secret) : NULL;
	pthread_mutex_unlock(&self->lock);
	if (tell)
		tell_no_secret(address);
	return job->secret != NULL;
}

static struct peer *find_peer(struct certdir_das *self, fr_ipaddr_t const *address, uint16_t port)
{
	struct peer const key = {.address = *address, .port = port};
	struct peer *peer = find_or_add(&self->peers, &key, offsetof(struct peer, queue), sizeof(*peer), compare_peers);

	if (peer && !peer->queue.tqh_last) {
		TAILQ_INIT(&peer->queue);
		peer->next_id = (uint8_t)fr_rand();
	}
	return peer;
}

static bool wanted(struct das_client const *client, enum certdir_order_kind kind)
{
	return !client->deaf && (kind == CERTDIR_ORDER_DISCONNECT || client->change != DAS_CHANGE_NONE);
}

static void enqueue(struct certdir_das *self, struct job *job)
{
	if (TAILQ_EMPTY(&job->peer->queue))
		TAILQ_INSERT_TAIL(&self->waiting, job->peer, others);
	TAILQ_INSERT_TAIL(&job->peer->queue, job, others);
}

static void accept_order(struct certdir_das *self, struct job *job)
{
	fr_ipaddr_t address;

	if (!fr_sockaddr2ipaddr(&job->order.session->client, sizeof(job->order.session->client), &address, NULL)) {
		job_end(job, CERTDIR_ORDER_UNSUPPORTED, 0);
		return;
	}
	job->client = das_clients_find(&self->clients, &address);
	if (!wanted(job->client, job->order.kind)) {
		job_end(job, CERTDIR_ORDER_UNSUPPORTED, 0);
		return;
	}
	if (job->order.kind == CERTDIR_ORDER_CHANGE)
		job->coa = job->client->coa;
	if (find_secret(self, &address, job))
		job->peer = find_peer(self, job->client->address.af == AF_UNSPEC ? &address : &job->client->address,
				      job->client->port);
	if (job->peer)
		enqueue(self, job);
	else
		job_end(job, CERTDIR_ORDER_SILENT, 0);
}

/* False when it is time to end. */
static bool take_orders(struct certdir_das *self)
{
	struct jobs taken = TAILQ_HEAD_INITIALIZER(taken);
	struct job *job;
	bool stop;

	pthread_mutex_lock(&self->lock);
	TAILQ_CONCAT(&taken, &self->inbox, others);
	stop = self->stop;
	pthread_mutex_unlock(&self->lock);
	while ((job = TAILQ_FIRST(&taken)) != NULL) {
		TAILQ_REMOVE(&taken, job, others);
		accept_order(self, job);
	}
	return !stop;
}

/* ---- sending ---- */

/* RFC 5080, 2.2.1: up to a tenth of it more or less. */
static int64_t jitter(int64_t wait)
{
	return wait + wait * ((int64_t)(fr_rand() % 2001) - 1000) / 10000;
}

/* Sends the packet, again where it was sent before. What cannot be sent is like what gets lost. */
static void transmit(struct certdir_das *self, struct job *job, int64_t now)
{
	struct das_patience const *patience = &job->client->patience;
	int64_t const longest = patience->mrt * CERTDIR_SECOND;

	if (rad_send(job->packet, NULL, job->secret) < 0 && job->packet->src_ipaddr.af != AF_UNSPEC) {
		/* An address that this machine had when the accounting came. */
		job->packet->src_ipaddr.af = AF_UNSPEC;
		(void)rad_send(job->packet, NULL, job->secret);
	}
	job->wait = jitter(job->sent ? 2 * job->wait : patience->irt * CERTDIR_SECOND);
	if (longest && job->wait > longest)
		job->wait = jitter(longest);
	job->first = job->sent ? job->first : now;
	job->sent++;
	job->due = now + job->wait;
	if (patience->mrd)
		job->due = certdir_earlier(job->due, job->first + patience->mrd * CERTDIR_SECOND);
	self->pace = now + GAP;
}

static bool build(struct certdir_das *self, struct job *job)
{
	RADIUS_PACKET *packet = das_packet_request(self->memory, job->order.session, job->naming, job->coa);

	if (!packet)
		return false;
	packet->sockfd = self->sockets[job->peer->address.af == AF_INET6];
	packet->id = job->peer->next_id++;
	packet->dst_ipaddr = job->peer->address;
	packet->dst_port = job->peer->port;
	if (job->source.af == job->peer->address.af)
		packet->src_ipaddr = job->source;
	job->packet = packet;
	job->sent = 0;
	return true;
}

static unsigned fresh(struct certdir_das const *self)
{
	struct job const *job;
	unsigned count = 0;

	TAILQ_FOREACH(job, &self->flying, others)
		count += job->sent == 1;
	return count;
}

/* The device whose turn it is. */
static struct peer *next_peer(struct certdir_das *self)
{
	struct peer *peer;

	if (TAILQ_EMPTY(&self->waiting) || fresh(self) >= FRESH_MAX)
		return NULL;
	TAILQ_FOREACH(peer, &self->waiting, others)
		if (peer->flying < (peer->silent ? 1 : PEER_MAX))
			return peer;
	return NULL;
}

static void start(struct certdir_das *self, struct peer *peer, int64_t now)
{
	struct job *job = TAILQ_FIRST(&peer->queue);

	TAILQ_REMOVE(&peer->queue, job, others);
	TAILQ_REMOVE(&self->waiting, peer, others);
	if (!TAILQ_EMPTY(&peer->queue))
		TAILQ_INSERT_TAIL(&self->waiting, peer, others);
	if (!build(self, job)) {
		job_end(job, CERTDIR_ORDER_SILENT, 0);
		return;
	}
	TAILQ_INSERT_TAIL(&self->flying, job, others);
	peer->flying++;
	transmit(self, job, now);
}

static void land(struct certdir_das *self, struct job *job)
{
	TAILQ_REMOVE(&self->flying, job, others);
	job->peer->flying--;
}

/* ---- silence ---- */

static bool last_time(struct job const *job, int64_t now)
{
	struct das_patience const *patience = &job->client->patience;

	return (patience->mrc && job->sent >= patience->mrc) ||
	       (patience->mrd && now >= job->first + patience->mrd * CERTDIR_SECOND);
}

/* A device that did not answer one order would let each of the others wait as long. */
static void give_up(struct certdir_das *self, struct job *job)
{
	struct peer *peer = job->peer;

	land(self, job);
	job_end(job, CERTDIR_ORDER_SILENT, 0);
	if (!peer->silent || TAILQ_EMPTY(&peer->queue))
		return;
	TAILQ_REMOVE(&self->waiting, peer, others);
	while ((job = TAILQ_FIRST(&peer->queue)) != NULL) {
		TAILQ_REMOVE(&peer->queue, job, others);
		job_end(job, CERTDIR_ORDER_SILENT, 0);
	}
}

/* Ends what has waited long enough, and gives one that has to be sent again. */
static struct job *next_due(struct certdir_das *self, int64_t now)
{
	struct job *job, *next, *due = NULL;

	for (job = TAILQ_FIRST(&self->flying); job; job = next) {
		next = TAILQ_NEXT(job, others);
		if (job->due > now)
			continue;
		job->peer->silent |= job->peer->heard < job->first;
		if (last_time(job, now))
			give_up(self, job);
		else if (!due || job->due < due->due)
			due = job;
	}
	return due;
}

/* ---- answers ---- */

static void tell_wrong_secret(struct peer *peer)
{
	char text[INET6_ADDRSTRLEN];

	if (!peer->told)
		certdir_log(CERTDIR_LOG_WARN,
			    "an answer from %s port %u is not signed with the secret of its client { } section, and is "
			    "ignored: give the device the same secret for RFC 5176 as for RADIUS",
			    address_text(&peer->address, text), peer->port);
	peer->told = true;
}

static struct job *asked(struct certdir_das *self, RADIUS_PACKET const *reply, struct peer **peer)
{
	struct peer const key = {.address = reply->src_ipaddr, .port = reply->src_port};
	void *const found = tfind(&key, &self->peers, compare_peers);
	struct job *job;

	*peer = found ? *(struct peer **)found : NULL;
	if (*peer)
		TAILQ_FOREACH(job, &self->flying, others)
			if (job->peer == *peer && job->packet->id == reply->id)
				return job;
	return NULL;
}

static void take_reply(struct certdir_das *self, RADIUS_PACKET *reply)
{
	struct peer *peer;
	struct job *job = asked(self, reply, &peer);
	enum certdir_order_outcome outcome;
	uint32_t cause;

	if (!job)
		return;
	if (!das_packet_answers(reply, job->packet, job->secret)) {
		tell_wrong_secret(peer);
		return;
	}
	peer->heard = certdir_monotonic();
	peer->silent = peer->told = false;
	outcome = das_packet_outcome(reply, &cause);
	land(self, job);
	if (!das_packet_rename(cause, &job->naming)) {
		job_end(job, outcome, cause);
		return;
	}
	TALLOC_FREE(job->packet);
	enqueue(self, job);
}

static void receive(struct certdir_das *self, int sockfd)
{
	RADIUS_PACKET *reply;

	for (int i = 0; i < RECEIVE_MAX && (reply = rad_recv(self->memory, sockfd, 0)) != NULL; i++) {
		take_reply(self, reply);
		rad_free(&reply);
	}
}

/* ---- the thread ---- */

/* When there will be something to do, if nothing comes in. */
static int64_t next_moment(struct certdir_das *self)
{
	int64_t moment = next_peer(self) ? self->pace : INT64_MAX;
	struct job const *job;

	TAILQ_FOREACH(job, &self->flying, others)
		moment = certdir_earlier(moment, job->due > self->pace ? job->due : self->pace);
	return moment;
}

static void wait_for_packets(struct certdir_das *self, int64_t moment)
{
	struct pollfd files[] = {{.fd = self->wake, .events = POLLIN},
				 {.fd = self->sockets[0], .events = POLLIN},
				 {.fd = self->sockets[1], .events = POLLIN}};
	int64_t const span = moment == INT64_MAX ? INT64_MAX : moment - certdir_monotonic();
	uint64_t count;

	(void)poll(files, 3, span == INT64_MAX ? -1 : span <= 0 ? 0 : (int)((span + 999) / 1000));
	(void)!read(self->wake, &count, sizeof(count));
	for (int i = 0; i < 2; i++)
		if (files[1 + i].revents)
			receive(self, self->sockets[i]);
}

/* New orders go first: who waits for the second packet is perhaps not there. */
static void *run(void *context)
{
	struct certdir_das *self = context;

	while (take_orders(self)) {
		int64_t const now = certdir_monotonic();
		struct job *const due = next_due(self, now);
		struct peer *const peer = next_peer(self);

		if (now >= self->pace && peer)
			start(self, peer, now);
		else if (now >= self->pace && due)
			transmit(self, due, now);
		wait_for_packets(self, next_moment(self));
	}
	return NULL;
}

/* ---- open and close ---- */

static int open_socket(int family)
{
	fr_ipaddr_t any = {.af = family};
	int const sockfd = fr_socket(&any, 0);

	if (sockfd >= 0)
		(void)fr_nonblock(sockfd);
	return sockfd;
}

static bool open_sockets(struct certdir_das *self, struct certdir_error *error)
{
	self->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	self->sockets[0] = open_socket(AF_INET);
	self->sockets[1] = open_socket(AF_INET6);
	if (self->wake >= 0 && (self->sockets[0] >= 0 || self->sockets[1] >= 0))
		return true;
	certdir_error_set(error, "no socket to send to network devices: %s", fr_strerror());
	return false;
}

static void known_free(void *item)
{
	struct known *known = item;

	free(known->secret);
	free(known);
}

static void jobs_free(struct jobs *jobs)
{
	struct job *job;

	while ((job = TAILQ_FIRST(jobs)) != NULL) {
		TAILQ_REMOVE(jobs, job, others);
		job_free(job);
	}
}

static void das_free(struct certdir_das *self)
{
	struct peer *peer;

	jobs_free(&self->inbox);
	jobs_free(&self->flying);
	TAILQ_FOREACH(peer, &self->waiting, others)
		while (!TAILQ_EMPTY(&peer->queue)) {
			struct job *job = TAILQ_FIRST(&peer->queue);

			TAILQ_REMOVE(&peer->queue, job, others);
			job_free(job);
		}
	tdestroy(self->peers, free);
	tdestroy(self->known, known_free);
	das_clients_clear(&self->clients);
	talloc_free(self->memory);
	for (int i = 0; i < 2; i++)
		if (self->sockets[i] >= 0)
			close(self->sockets[i]);
	if (self->wake >= 0)
		close(self->wake);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

struct certdir_das *certdir_das_open(CONF_SECTION *any, struct certdir_error *error)
{
	struct certdir_das *self = calloc(1, sizeof(*self));

	if (!self) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	TAILQ_INIT(&self->inbox);
	TAILQ_INIT(&self->flying);
	TAILQ_INIT(&self->waiting);
	self->sockets[0] = self->sockets[1] = self->wake = -1;
	self->memory = talloc_new(NULL);
	pthread_mutex_init(&self->lock, NULL);
	if (das_clients_read(&self->clients, cf_top_section(any), error) && open_sockets(self, error) &&
	    certdir_background_start(&self->thread, run, self, error))
		return self;
	das_free(self);
	return NULL;
}

bool certdir_das_check(CONF_SECTION *any, struct certdir_error *error)
{
	struct das_clients clients;
	bool const right = das_clients_read(&clients, cf_top_section(any), error);

	das_clients_clear(&clients);
	return right;
}

void certdir_das_close(struct certdir_das *das)
{
	if (!das)
		return;
	pthread_mutex_lock(&das->lock);
	das->stop = true;
	pthread_mutex_unlock(&das->lock);
	wake(das);
	(void)pthread_join(das->thread, NULL);
	das_free(das);
}
