/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An entry in a page: its DN, the number of its values, and of each the attribute's name and the bytes; each with its length before it,
 * 32 bits in this machine's order, as the spool's own numbers are.
 */
#include "sync/entries.h"

#include <stdlib.h>
#include <string.h>

/* ---- in ---- */

static bool put_number(struct certdir_spool *spool, size_t number, struct certdir_error *error)
{
	const uint32_t bytes = (uint32_t)number;

	return certdir_spool_page_bytes(spool, (const char *)&bytes, sizeof(bytes), error);
}

static bool put_bytes(struct certdir_spool *spool, const void *bytes, size_t length, struct certdir_error *error)
{
	return put_number(spool, length, error) && certdir_spool_page_bytes(spool, bytes, length, error);
}

bool certdir_entries_put(struct certdir_entries *entries, const struct certdir_ldap_entry *entry,
			 struct certdir_error *error)
{
	struct certdir_spool *spool = entries->spool;

	if (entries->count == 0)
		certdir_spool_page_begin(spool);
	if (!put_bytes(spool, entry->dn, entry->dn_length, error) || !put_number(spool, entry->count, error))
		return false;
	for (size_t i = 0; i < entry->count; i++) {
		const struct certdir_ldap_value *value = &entry->values[i];

		if (!put_bytes(spool, value->attribute, value->attribute_length, error) ||
		    !put_bytes(spool, value->bytes, value->length, error))
			return false;
	}
	return ++entries->count < CERTDIR_ENTRIES_PAGE || certdir_entries_end(entries, error);
}

bool certdir_entries_end(struct certdir_entries *entries, struct certdir_error *error)
{
	const size_t count = entries->count;

	entries->count = 0;
	return count == 0 || certdir_spool_page_end(entries->spool, entries->listing, count, -1, NULL, error);
}

/* ---- out ---- */

/* A page that is being read. What its lengths say is believed as far as there are bytes. */
struct page {
	const char *at, *end;
	struct certdir_ldap_value *values;
	size_t room;
	bool memory; /* false: it is out */
};

static bool take_number(struct page *page, size_t *number)
{
	uint32_t bytes;

	if ((size_t)(page->end - page->at) < sizeof(bytes))
		return false;
	memcpy(&bytes, page->at, sizeof(bytes));
	page->at += sizeof(bytes);
	*number = bytes;
	return true;
}

static bool take_bytes(struct page *page, const char **bytes, size_t *length)
{
	if (!take_number(page, length) || (size_t)(page->end - page->at) < *length)
		return false;
	*bytes = page->at;
	page->at += *length;
	return true;
}

static bool make_room(struct page *page, size_t count)
{
	struct certdir_ldap_value *values;

	if (count <= page->room)
		return true;
	values = reallocarray(page->values, count, sizeof(*values));
	page->memory = values;
	if (!values)
		return false;
	page->values = values;
	page->room = count;
	return true;
}

static bool take_entry(struct page *page, struct certdir_ldap_entry *entry)
{
	const char *bytes;

	/* A value has eight bytes of lengths at least. */
	if (!take_bytes(page, &entry->dn, &entry->dn_length) || !take_number(page, &entry->count) ||
	    (size_t)(page->end - page->at) / 8 < entry->count || !make_room(page, entry->count))
		return false;
	for (size_t i = 0; i < entry->count; i++) {
		struct certdir_ldap_value *value = &page->values[i];

		if (!take_bytes(page, &value->attribute, &value->attribute_length) ||
		    !take_bytes(page, &bytes, &value->length))
			return false;
		value->bytes = (const unsigned char *)bytes;
	}
	entry->values = page->values;
	return true;
}

static bool read_page(const struct certdir_spool *spool, const struct certdir_spool_page *spooled, char **bytes,
		      struct certdir_error *error)
{
	size_t got;

	*bytes = malloc(spooled->length + 1);
	if (!*bytes)
		certdir_error_set(error, "out of memory");
	return *bytes && certdir_spool_read(spool, spooled, 0, *bytes, spooled->length, &got, error);
}

bool certdir_entries_each(const struct certdir_spool *spool, unsigned listing,
			  bool (*each)(void *context, const struct certdir_ldap_entry *entry,
				       struct certdir_error *error),
			  void *context, struct certdir_error *error)
{
	struct page page = {.memory = true};
	bool ok = true;

	for (size_t i = 0; ok && i < certdir_spool_pages(spool); i++) {
		const struct certdir_spool_page *spooled = certdir_spool_page(spool, i);
		struct certdir_ldap_entry entry;
		char *bytes = NULL;

		if (spooled->listing != listing)
			continue;
		ok = read_page(spool, spooled, &bytes, error);
		page.at = bytes;
		page.end = bytes + (ok ? spooled->length : 0);
		while (ok && page.at < page.end) {
			ok = take_entry(&page, &entry);
			if (!ok)
				certdir_error_set(error, page.memory ? "an entry that was spooled cannot be read"
								     : "out of memory");
			ok = ok && each(context, &entry, error);
		}
		free(bytes);
	}
	free(page.values);
	return ok;
}
