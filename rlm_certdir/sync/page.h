/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of a Graph collection, {"value":[{..},..],"@odata.nextLink":..}, read while it arrives: memory holds one object of
 * it, whatever its size. yajl stays in page.c.
 */
#ifndef CERTDIR_SYNC_PAGE_H
#define CERTDIR_SYNC_PAGE_H

#include "base/certdir.h"

enum {
	CERTDIR_PAGE_PROPERTIES = 32, /* that a reader may ask for */
	CERTDIR_PAGE_OBJECT_MAX = 1 << 20, /* bytes of wanted values in one object */
	CERTDIR_PAGE_LINK_MAX = 64 << 10 /* bytes of a link: delta tokens are long */
};

enum certdir_page_type {
	CERTDIR_PAGE_MISSING,
	CERTDIR_PAGE_NULL,
	CERTDIR_PAGE_FALSE,
	CERTDIR_PAGE_TRUE,
	CERTDIR_PAGE_NUMBER, /* text has its digits */
	CERTDIR_PAGE_TEXT,
	CERTDIR_PAGE_OTHER /* an object or array */
};

struct certdir_page_value {
	enum certdir_page_type type;
	const char *text; /* UTF-8, NUL-terminated; a NUL inside has become U+0001 */
	size_t length;
};

/* One object of "value": values[i] is that of properties[i]. */
struct certdir_page_object {
	const struct certdir_page_value *values;
	bool removed; /* it carries "@removed" */
};

struct certdir_page;

/*
 * properties: NULL-terminated names that objects are read for; the rest is skipped. "a/b" is property b of the object that a
 * property "a", named before it, holds; one that holds no object leaves b MISSING. each: called for every object; false
 * with `error` stops the page for good. Both live as long as the page reader. NULL when memory is out.
 */
struct certdir_page *certdir_page_open(const char *const *properties,
				       bool (*each)(void *context, const struct certdir_page_object *object,
						    struct certdir_error *error),
				       void *context);
void certdir_page_close(struct certdir_page *page);

/* Forgets what was read: a new page, or the same anew. */
void certdir_page_begin(struct certdir_page *page);
/* Feeds bytes. False with `error`: not JSON, or not a page, or `each` refused; *retry tells whether asking again may help. */
bool certdir_page_bytes(struct certdir_page *page, const char *bytes, size_t length, bool *retry,
			struct certdir_error *error);
/* Ends the page: false with `error` when it was cut short (worth a retry) or has no "value" (not). */
bool certdir_page_end(struct certdir_page *page, bool *retry, struct certdir_error *error);

/* Of the page that ended; NULL or -1 when it had none. They live until the next begin. */
const char *certdir_page_next_link(const struct certdir_page *page);
const char *certdir_page_delta_link(const struct certdir_page *page);
int64_t certdir_page_count(const struct certdir_page *page); /* @odata.count */

#endif
