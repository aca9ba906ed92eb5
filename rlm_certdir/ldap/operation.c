/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/operation.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ldap/handle.h"
#include "text/canonical.h"

const char *certdir_ldap_connection_uri(const struct certdir_ldap_connection *connection)
{
	return connection->uri;
}

/* ---- listing ---- */

/* Pages without an entry in a row after which a server is not believed that there is more. */
enum { EMPTY_PAGES_MAX = 100 };

/*
 * The pages of one listing. Cookies do not tell whether a server goes in circles (Samba's is the same for all pages),
 * but no entry comes twice: the first entry of each page is compared with that of page 1, then 2, 4, 8 .. (Brent's
 * cycle detection), so that a circle of n pages is seen within 3n.
 */
struct pages {
	struct certdir_ldap_connection *connection;
	const struct certdir_ldap_query *listing;
	certdir_ldap_take each;
	void *context;
	struct certdir_error *error;
	struct berval cookie; /* bv_len 0: no page before, or none to come */
	size_t count; /* entries so far */
	bool begun; /* the page has an entry */
	unsigned empty; /* pages in a row that had none */
	uint64_t number; /* of the page, from 1 */
	uint64_t mark_at; /* the number of the page that will be the next mark */
	char *mark; /* DN */
	size_t mark_length;
};

static bool begin_page(struct pages *pages, const struct certdir_ldap_entry *entry)
{
	char *mark;

	if (pages->mark && pages->mark_length == entry->dn_length &&
	    memcmp(pages->mark, entry->dn, entry->dn_length) == 0) {
		certdir_error_set(pages->error, "%s: \"%s\": the server sends the same page of the list again",
				  pages->connection->uri, pages->listing->base);
		return false;
	}
	if (pages->number < pages->mark_at)
		return true;
	mark = malloc(entry->dn_length + 1);
	if (!mark)
		return false;
	memcpy(mark, entry->dn, entry->dn_length);
	free(pages->mark);
	pages->mark = mark;
	pages->mark_length = entry->dn_length;
	pages->mark_at *= 2;
	return true;
}

static bool refuse_pieces(const struct pages *pages, const struct certdir_ldap_entry *entry)
{
	const char *why;
	const bool dn = certdir_text_valid(entry->dn, entry->dn_length, &why);
	const bool name = certdir_text_valid(entry->pieces, entry->pieces_length, &why);

	certdir_error_set(pages->error,
			  "%s: \"%.*s\" has more values in one attribute than the server gives at once (%.*s), and a "
			  "part must not be taken for the whole: remove some",
			  pages->connection->uri, dn ? (int)entry->dn_length : 1, dn ? entry->dn : "?",
			  name ? (int)entry->pieces_length : 1, name ? entry->pieces : "?");
	return false;
}

static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct pages *pages = context;

	if (entry->pieces && !pages->listing->pieces)
		return refuse_pieces(pages, entry);
	if (!pages->begun && pages->listing->page && !begin_page(pages, entry))
		return false;
	pages->begun = true;
	pages->count++;
	return pages->each(pages->context, entry);
}

/* The cookie for the next page, from the controls that came with this one. */
static enum certdir_ldap_status take_cookie(struct pages *pages, LDAPControl **controls)
{
	LDAPControl *control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	struct berval next = {0, NULL};
	ber_int_t estimate; /* of servers, and seldom right */
	int code = LDAP_SUCCESS;

	/* Without one, a first page is all that a server without pages has to give; a later one is not to be trusted. */
	if (control)
		code = ldap_parse_pageresponse_control(pages->connection->handle, control, &estimate, &next);
	else if (pages->cookie.bv_len)
		code = LDAP_CONTROL_NOT_FOUND;
	ber_memfree(pages->cookie.bv_val);
	pages->cookie = next;
	if (code != LDAP_SUCCESS)
		return certdir_ldap_conclude(pages->connection, code, pages->listing->base, pages->error);
	pages->empty = pages->begun ? 0 : pages->empty + 1;
	if (next.bv_len == 0 || pages->empty < EMPTY_PAGES_MAX)
		return CERTDIR_LDAP_OK;
	certdir_error_set(pages->error, "%s: \"%s\": the server sends empty pages of the list without an end",
			  pages->connection->uri, pages->listing->base);
	return CERTDIR_LDAP_FAILED;
}

static struct certdir_ldap_search search_of(struct pages *pages)
{
	return (struct certdir_ldap_search){
		.query = pages->listing,
		.until = certdir_ldap_deadline(pages->connection),
		.whole = true,
		.each = take_entry,
		.context = pages,
	};
}

/*
 * One page. The control is not critical: a server that knows no pages and gives everything at once is as good, and one
 * that gives less says so.
 */
static enum certdir_ldap_status list_page(struct pages *pages)
{
	const struct certdir_ldap_query *listing = pages->listing;
	const ber_int_t size = listing->page > INT_MAX ? INT_MAX : (ber_int_t)listing->page;
	struct certdir_ldap_search search = search_of(pages);
	enum certdir_ldap_status status = CERTDIR_LDAP_OK;

	pages->begun = false;
	pages->number++;
	if (size)
		status = certdir_ldap_conclude(
			pages->connection,
			ldap_create_page_control(pages->connection->handle, size, &pages->cookie, 0, &search.control),
			listing->base, pages->error);
	if (status == CERTDIR_LDAP_OK)
		status = certdir_ldap_search_run(pages->connection, &search, pages->error);
	if (status == CERTDIR_LDAP_OK && size)
		status = take_cookie(pages, search.controls);
	if (search.control)
		ldap_control_free(search.control);
	ldap_controls_free(search.controls);
	return status;
}

/* The line for slapd.conf where it can be said who binds; olcLimits has the same words without the first. */
static void refuse_cut(const struct pages *pages, struct certdir_error *error)
{
	const struct certdir_ldap_config *config = pages->connection->config;
	const char *identity = config->bind == CERTDIR_LDAP_BIND_SIMPLE ? config->identity : NULL;
	const bool is_dn = identity && strchr(identity, '=') && !strpbrk(identity, "\"\\");

	certdir_error_set(
		error,
		"%s: \"%s\": the server does not give all entries: it ended after %zu, for its size limit, which "
		"in OpenLDAP bounds the sum of all pages, too. Raise it for this account: limits dn.exact=\"%s\" "
		"size.soft=unlimited size.hard=unlimited",
		pages->connection->uri, pages->listing->base, pages->count,
		is_dn ? identity : "the DN that certdir binds as");
}

enum certdir_ldap_status certdir_ldap_list(struct certdir_ldap_connection *connection,
					   const struct certdir_ldap_query *listing, certdir_ldap_take each,
					   void *context, struct certdir_error *error)
{
	struct pages pages = {.connection = connection,
			      .listing = listing,
			      .each = each,
			      .context = context,
			      .error = error,
			      .mark_at = 1};
	enum certdir_ldap_status status;

	do
		status = list_page(&pages);
	while (status == CERTDIR_LDAP_OK && pages.cookie.bv_len);
	if (status == CERTDIR_LDAP_SIZE_LIMIT)
		refuse_cut(&pages, error);
	ber_memfree(pages.cookie.bv_val);
	free(pages.mark);
	return status;
}

enum certdir_ldap_status certdir_ldap_list_send(struct certdir_ldap_connection *connection,
						const struct certdir_ldap_query *listing, int *id,
						struct certdir_error *error)
{
	struct pages pages = {.connection = connection, .listing = listing};
	struct certdir_ldap_search search = search_of(&pages);

	return certdir_ldap_search_send(connection, &search, id, error);
}

enum certdir_ldap_status certdir_ldap_list_receive(struct certdir_ldap_connection *connection,
						   const struct certdir_ldap_query *listing, int id,
						   certdir_ldap_take each, void *context, struct certdir_error *error)
{
	struct pages pages = {
		.connection = connection, .listing = listing, .each = each, .context = context, .error = error};
	struct certdir_ldap_search search = search_of(&pages);
	const enum certdir_ldap_status status = certdir_ldap_search_receive(connection, &search, id, error);

	if (status == CERTDIR_LDAP_SIZE_LIMIT)
		refuse_cut(&pages, error);
	ldap_controls_free(search.controls);
	return status;
}

/* ---- sending ---- */

/* Changes as libldap takes them. The bytes stay the caller's; libldap does not write to them. */
struct request {
	LDAPMod **list; /* NULL-terminated */
	LDAPMod *mods;
	struct berval **pointers; /* NULL-terminated for each mod */
	struct berval *values;
};

static void request_clear(struct request *request)
{
	free(request->list);
	free(request->mods);
	free(request->pointers);
	free(request->values);
}

/* Room for every change as a removal and an addition. */
static bool request_init(struct request *request, const struct certdir_ldap_operation *operation)
{
	size_t values = 0;

	for (size_t i = 0; i < operation->count; i++)
		values += operation->changes[i].deleted.count + operation->changes[i].added.count;
	request->list = calloc(2 * operation->count + 1, sizeof(LDAPMod *));
	request->mods = calloc(2 * operation->count + 1, sizeof(LDAPMod));
	request->pointers = calloc(values + 2 * operation->count + 1, sizeof(struct berval *));
	request->values = calloc(values + 1, sizeof(struct berval));
	return request->list && request->mods && request->pointers && request->values;
}

/* Where the next mod and its values go. */
struct cursor {
	LDAPMod **list, *mod;
	struct berval **pointer, *value;
};

static void put_mod(struct cursor *at, int verb, const char *attribute, const struct certdir_ldap_values *values)
{
	at->mod->mod_op = verb | LDAP_MOD_BVALUES;
	at->mod->mod_type = (char *)(uintptr_t)attribute;
	at->mod->mod_bvalues = values->count ? at->pointer : NULL;
	for (size_t i = 0; i < values->count; i++) {
		*at->value = (struct berval){values->items[i].length, (char *)(uintptr_t)values->items[i].bytes};
		*at->pointer++ = at->value++;
	}
	at->pointer++; /* the NULL */
	*at->list++ = at->mod++;
}

static void request_fill(const struct request *request, const struct certdir_ldap_operation *operation)
{
	struct cursor at = {request->list, request->mods, request->pointers, request->values};

	for (size_t i = 0; i < operation->count; i++) {
		const struct certdir_ldap_change *change = &operation->changes[i];
		const bool add = operation->verb == CERTDIR_LDAP_VERB_ADD;

		if (change->whole && !add) {
			put_mod(&at, LDAP_MOD_REPLACE, change->attribute, &change->added);
			continue;
		}
		/* A removal that names no value would remove all of them. */
		if (change->deleted.count && !add)
			put_mod(&at, LDAP_MOD_DELETE, change->attribute, &change->deleted);
		if (change->added.count)
			put_mod(&at, LDAP_MOD_ADD, change->attribute, &change->added);
	}
}

static int send_changes(LDAP *handle, const struct certdir_ldap_operation *operation, int *id)
{
	struct request request = {.list = NULL};
	int code = LDAP_NO_MEMORY;

	if (request_init(&request, operation)) {
		request_fill(&request, operation);
		code = operation->verb == CERTDIR_LDAP_VERB_ADD
			       ? ldap_add_ext(handle, operation->dn, request.list, NULL, NULL, id)
			       : ldap_modify_ext(handle, operation->dn, request.list, NULL, NULL, id);
	}
	request_clear(&request);
	return code;
}

static int send_operation(LDAP *handle, const struct certdir_ldap_operation *operation, int *id)
{
	char *attributes[] = {(char *)(uintptr_t)operation->attribute, NULL};

	switch (operation->verb) {
	case CERTDIR_LDAP_VERB_ADD:
	case CERTDIR_LDAP_VERB_MODIFY:
		break;
	case CERTDIR_LDAP_VERB_RENAME:
		return ldap_rename(handle, operation->dn, operation->rdn, operation->parent, 1, NULL, NULL, id);
	case CERTDIR_LDAP_VERB_DELETE:
		return ldap_delete_ext(handle, operation->dn, NULL, NULL, id);
	case CERTDIR_LDAP_VERB_READ:
		return ldap_search_ext(handle, operation->dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0, NULL,
				       NULL, NULL, LDAP_NO_LIMIT, id);
	}
	return send_changes(handle, operation, id);
}

enum certdir_ldap_status certdir_ldap_send(struct certdir_ldap_connection *connection,
					   const struct certdir_ldap_operation *operation, int *id,
					   struct certdir_error *error)
{
	enum certdir_ldap_status status;

	/* The server may be slow to take what is sent, and nothing of libldap ends that. */
	certdir_ldap_begin(connection, certdir_ldap_deadline(connection));
	status = certdir_ldap_conclude(connection, send_operation(connection->handle, operation, id), operation->dn,
				       error);
	return certdir_ldap_end(connection, status, error);
}

/* ---- receiving ---- */

/* The first value of the only attribute of the only entry in a chain of messages. */
static void read_value(LDAP *handle, LDAPMessage *chain, struct certdir_ldap_answer *answer)
{
	LDAPMessage *entry = ldap_first_entry(handle, chain);
	struct berval dn, attribute, *values = NULL;
	BerElement *ber = NULL;

	if (!entry || ldap_get_dn_ber(handle, entry, &ber, &dn) != LDAP_SUCCESS)
		goto out;
	if (ldap_get_attribute_ber(handle, entry, ber, &attribute, &values) != LDAP_SUCCESS || !attribute.bv_val ||
	    !values || !values[0].bv_val || values[0].bv_len >= sizeof(answer->value))
		goto out;
	memcpy(answer->value, values[0].bv_val, values[0].bv_len);
	answer->length = values[0].bv_len;
	answer->found = !memchr(values[0].bv_val, '\0', values[0].bv_len);
out:
	ldap_memfree(values);
	if (ber)
		ber_free(ber, 0);
}

static enum certdir_ldap_status read_answer(struct certdir_ldap_connection *connection, LDAPMessage *message,
					    struct certdir_ldap_answer *answer, struct certdir_error *error)
{
	char words[CERTDIR_TEXT_MAX], **referrals = NULL;
	int code = LDAP_SUCCESS;
	const int parsed = ldap_parse_result(connection->handle, message, &code, NULL, NULL, &referrals, NULL, 0);

	if (parsed != LDAP_SUCCESS)
		return certdir_ldap_conclude(connection, parsed, NULL, error);
	answer->id = ldap_msgid(message);
	if (answer->id == LDAP_RES_UNSOLICITED) {
		/* Notice of disconnection (RFC 4511 4.4.1): the server says why it closes. */
		certdir_ldap_words(connection, code, words);
		certdir_error_set(error, "%s: the server ended the connection: %s", connection->uri, words);
		ber_memvfree((void **)referrals);
		return CERTDIR_LDAP_LOST;
	}
	answer->status = certdir_ldap_status_of(code);
	if (answer->status != CERTDIR_LDAP_OK) {
		certdir_ldap_words(connection, code, words);
		certdir_say(answer->text, "%s%s%s", words, referrals && referrals[0] ? ", to " : "",
			    referrals && referrals[0] ? referrals[0] : "");
	} else {
		read_value(connection->handle, message, answer);
	}
	ber_memvfree((void **)referrals);
	return CERTDIR_LDAP_OK;
}

enum certdir_ldap_status certdir_ldap_receive(struct certdir_ldap_connection *connection,
					      struct certdir_ldap_answer *answer, struct certdir_error *error)
{
	enum certdir_ldap_status status;
	LDAPMessage *message;

	*answer = (struct certdir_ldap_answer){.id = 0};
	certdir_ldap_begin(connection, certdir_ldap_deadline(connection));
	/* ALL: what was read and that it is the end come together. */
	status = certdir_ldap_await(connection, LDAP_RES_ANY, LDAP_MSG_ALL, &message, error);
	if (status == CERTDIR_LDAP_OK)
		status = read_answer(connection, message, answer, error);
	(void)ldap_msgfree(message);
	return certdir_ldap_end(connection, status, error);
}
