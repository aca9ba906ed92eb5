/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yajl calls us for each token (RFC 8259). A small automaton, made of the depth and of what the last property name
 * meant, keeps the wanted values of one object and skips the rest: a tenth of the time that a tree of jansson's takes.
 *
 * yajl's defaults are the strict ones: no comments, UTF-8 checked. What it does not do is done here: a limit of depth, a
 * limit of length (it collects a token until it ends), overlong UTF-8, and a token behind the document that has no end, which
 * yajl overlooks. Lone surrogates are escapes.c's.
 */
#include "sync/page.h"

#include "sync/escapes.h"
#include "text/excerpt.h"
#include "text/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

enum {
	DEPTH_MAX = 32, /* of brackets; a device has 4 */
	CODE_SIZE = 64, /* of what is shown of an error's code */
	MESSAGE_SIZE = 256
};

/* What stands at a depth, in brackets around it. */
enum { IN_PAGE = 1, IN_LIST, IN_OBJECT, IN_PROPERTY };

/* The members of the page that mean something. */
enum member { VALUE, NEXT_LINK, DELTA_LINK, COUNT, ERROR, MEMBERS, OTHER = MEMBERS };

static const char *const member_names[MEMBERS] = {"value", "@odata.nextLink", "@odata.deltaLink", "@odata.count",
						  "error"};

/* The property whose value comes next, when it is not the index of a wanted one. */
enum { SKIPPED = -1, REMOVED = -2, CODE = -3, MESSAGE = -4 };
enum { TOP = -1 }; /* no property: a name that stands in the object itself */

struct certdir_page {
	bool (*each)(void *context, const struct certdir_page_object *object, struct certdir_error *error);
	void *context;

	struct {
		const char *name; /* "a/b" or "b" */
		const char *own; /* "b" */
		size_t length; /* of that */
		int parent; /* index of "a", or TOP */
	} wanted[CERTDIR_PAGE_PROPERTIES];
	size_t count;
	size_t next; /* behind the one that was found last */

	yajl_handle yajl;
	uint64_t given; /* bytes that yajl had before those it has now */
	uint64_t heard; /* bytes up to the end of the last token */
	struct certdir_escapes escapes;
	char first; /* byte of the body that is no white space, or '\0' */

	unsigned depth;
	bool ended; /* the document: only white space may follow */
	enum member member; /* of the page */
	unsigned members; /* bits of those that were there */
	int property; /* of the object, or of the error */
	int parent; /* the property whose object we are in, or TOP */

	struct certdir_page_object object;
	struct certdir_page_value values[CERTDIR_PAGE_PROPERTIES];
	size_t used; /* bytes of texts, NULs included */
	int64_t odata_count;
	bool linked[2];

	bool failed;
	bool retry;
	struct certdir_error error;
	char code[CODE_SIZE];
	char message[MESSAGE_SIZE];
	/* Large, and only touched as far as they are used. */
	char links[2][CERTDIR_PAGE_LINK_MAX + 1];
	char texts[CERTDIR_PAGE_OBJECT_MAX + 1];
};

/* ---- refusing ---- */

static uint64_t position(const struct certdir_page *page)
{
	return page->given + yajl_get_bytes_consumed(page->yajl);
}

/* Always 0, which stops yajl. */
static int refuse(struct certdir_page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct certdir_page *page, const char *format, ...)
{
	char why[CERTDIR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(why, format, arguments);
	va_end(arguments);
	certdir_error_set(&page->error, "Graph's answer is not a page: %s (byte %llu)", why,
			  (unsigned long long)position(page));
	page->failed = true;
	page->retry = false;
	return 0;
}

static const char *type_name(enum certdir_page_type type)
{
	switch (type) {
	case CERTDIR_PAGE_NULL:
		return "null";
	case CERTDIR_PAGE_FALSE:
	case CERTDIR_PAGE_TRUE:
		return "true or false";
	case CERTDIR_PAGE_NUMBER:
		return "a number";
	case CERTDIR_PAGE_TEXT:
		return "a text";
	default:
		return "an object or array";
	}
}

static int too_long(struct certdir_page *page)
{
	return refuse(page, "more than %d bytes go by without the end of a value", CERTDIR_PAGE_OBJECT_MAX);
}

/* Called for every token: one that never ends is not waited for. */
static bool heard(struct certdir_page *page)
{
	const uint64_t at = position(page);
	const uint64_t length = at - page->heard;

	page->heard = at;
	return length <= CERTDIR_PAGE_OBJECT_MAX || too_long(page);
}

/* ---- texts ---- */

static bool is_utf8(const char *text, size_t length)
{
	uint64_t eight;
	uint32_t character;
	size_t size;

	while (length > 0) {
		if (length >= sizeof(eight)) {
			memcpy(&eight, text, sizeof(eight));
			if (!(eight & UINT64_C(0x8080808080808080))) {
				text += sizeof(eight);
				length -= sizeof(eight);
				continue;
			}
		}
		size = certdir_utf8_read(text, length, &character);
		if (size == 0)
			return false;
		text += size;
		length -= size;
	}
	return true;
}

/*
 * Copies a text that has passed all checks to `out`, NUL-terminated. `name` is that of its property. A NUL becomes U+0001, a
 * control character as unfit for any value as NUL itself: whoever reads the value refuses or drops that one value, and a name
 * that a device's user chose does not stop the sync of a whole tenant.
 */
static int take_text(struct certdir_page *page, const char *name, const char *text, size_t length, char *out)
{
	if (!is_utf8(text, length))
		return refuse(page, "\"%s\" is not UTF-8", name);
	memcpy(out, text, length);
	out[length] = '\0';
	for (char *nul = out; (nul = memchr(nul, '\0', length - (size_t)(nul - out))); nul++)
		*nul = '\1';
	return 1;
}

/* ---- one object of "value" ---- */

/* Graph has some order of its own in each object: the name that came behind the last one before is looked at first. */
static int find_name(struct certdir_page *page, int parent, const char *name, size_t length)
{
	for (size_t n = 0, i = page->next; n < page->count; n++, i++) {
		i = i < page->count ? i : 0;
		if (page->wanted[i].length == length && page->wanted[i].parent == parent &&
		    memcmp(page->wanted[i].own, name, length) == 0) {
			page->next = i + 1;
			return (int)i;
		}
	}
	return SKIPPED;
}

static void add_name(struct certdir_page *page, const char *name)
{
	const char *slash = strchr(name, '/'), *own = slash ? slash + 1 : name;

	page->wanted[page->count].parent = slash ? find_name(page, TOP, name, (size_t)(slash - name)) : TOP;
	page->wanted[page->count].name = name;
	page->wanted[page->count].own = own;
	page->wanted[page->count].length = strlen(own);
	page->count++;
}

static int property_named(struct certdir_page *page, const char *name, size_t length)
{
	static const char removed[] = "@removed";

	page->property = find_name(page, page->parent, name, length);
	if (page->property >= 0) {
		if (page->values[page->property].type != CERTDIR_PAGE_MISSING)
			return refuse(page, "an object has \"%s\" twice", page->wanted[page->property].name);
	} else if (page->parent == TOP && length == sizeof(removed) - 1 && memcmp(name, removed, length) == 0) {
		if (page->object.removed)
			return refuse(page, "an object has \"%s\" twice", removed);
		page->property = REMOVED;
		page->object.removed = true;
	}
	return 1;
}

static int property_value(struct certdir_page *page, enum certdir_page_type type, const char *text, size_t length)
{
	struct certdir_page_value *value;
	char *out = page->texts + page->used;

	if (page->property < 0)
		return 1;
	value = &page->values[page->property];
	value->type = type;
	if (!text)
		return 1;
	if (length > CERTDIR_PAGE_OBJECT_MAX || page->used + length > CERTDIR_PAGE_OBJECT_MAX)
		return refuse(page, "an object has more than %d bytes of values", CERTDIR_PAGE_OBJECT_MAX);
	if (!take_text(page, page->wanted[page->property].name, text, length, out))
		return 0;
	value->text = out;
	value->length = length;
	page->used += length + 1;
	return 1;
}

static void object_begin(struct certdir_page *page)
{
	memset(page->values, 0, page->count * sizeof(page->values[0]));
	page->object.removed = false;
	page->parent = TOP;
	page->used = 0;
}

static int object_end(struct certdir_page *page)
{
	if (page->each(page->context, &page->object, &page->error))
		return 1;
	page->failed = true;
	page->retry = false;
	return 0;
}

/* ---- what stands beside "value" ---- */

static int member_named(struct certdir_page *page, const char *name, size_t length)
{
	page->member = OTHER;
	for (unsigned i = 0; i < MEMBERS; i++)
		if (strlen(member_names[i]) == length && memcmp(member_names[i], name, length) == 0)
			page->member = (enum member)i;
	if (page->member == OTHER)
		return 1;
	if (page->members & CERTDIR_BIT(page->member))
		return refuse(page, "\"%s\" stands there twice", member_names[page->member]);
	page->members |= CERTDIR_BIT(page->member);
	return 1;
}

static int wrong_type(struct certdir_page *page, enum certdir_page_type type, const char *due)
{
	return refuse(page, "\"%s\" is %s, not %s", member_names[page->member], type_name(type), due);
}

static int take_link(struct certdir_page *page, enum certdir_page_type type, const char *text, size_t length)
{
	const int which = page->member == DELTA_LINK;

	if (type == CERTDIR_PAGE_NULL)
		return 1;
	if (type != CERTDIR_PAGE_TEXT)
		return wrong_type(page, type, "a text");
	if (page->linked[!which])
		return refuse(page, "it has both \"%s\" and \"%s\"", member_names[NEXT_LINK], member_names[DELTA_LINK]);
	if (length > CERTDIR_PAGE_LINK_MAX)
		return refuse(page, "\"%s\" is longer than %d bytes", member_names[page->member],
			      CERTDIR_PAGE_LINK_MAX);
	page->linked[which] = true;
	return take_text(page, member_names[page->member], text, length, page->links[which]);
}

static int take_count(struct certdir_page *page, enum certdir_page_type type, const char *text, size_t length)
{
	int64_t count = 0;

	if (type == CERTDIR_PAGE_NULL)
		return 1;
	if (type != CERTDIR_PAGE_NUMBER)
		return wrong_type(page, type, "a number");
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' || i == 18)
			return refuse(page, "\"%s\" is not a count", member_names[COUNT]);
		count = count * 10 + (text[i] - '0');
	}
	page->odata_count = count;
	return 1;
}

/* Graph streams: when an error comes up late, status 200 has been sent already (OData 4.01, in-stream errors). */
static int say_error(struct certdir_page *page)
{
	certdir_error_set(&page->error, "Graph answered with an error instead of a page: %s%s%s",
			  page->code[0] ? page->code : "(no code)", page->message[0] ? ": " : "", page->message);
	page->failed = true;
	page->retry = true;
	return 0;
}

static int member_value(struct certdir_page *page, enum certdir_page_type type, const char *text, size_t length)
{
	switch (page->member) {
	case VALUE:
		return wrong_type(page, type, "an array");
	case NEXT_LINK:
	case DELTA_LINK:
		return take_link(page, type, text, length);
	case COUNT:
		return take_count(page, type, text, length);
	case ERROR:
		if (type != CERTDIR_PAGE_TEXT)
			return 1;
		certdir_excerpt(page->code, CODE_SIZE, text, length);
		return say_error(page);
	case OTHER:
		break;
	}
	return 1;
}

static void error_named(struct certdir_page *page, const char *name, size_t length)
{
	page->property = length == 4 && memcmp(name, "code", 4) == 0	  ? CODE
			 : length == 7 && memcmp(name, "message", 7) == 0 ? MESSAGE
									  : SKIPPED;
}

static int error_value(struct certdir_page *page, enum certdir_page_type type, const char *text, size_t length)
{
	if (type == CERTDIR_PAGE_TEXT && page->property == CODE)
		certdir_excerpt(page->code, CODE_SIZE, text, length);
	else if (type == CERTDIR_PAGE_TEXT && page->property == MESSAGE)
		certdir_excerpt(page->message, MESSAGE_SIZE, text, length);
	return 1;
}

/* ---- yajl's callbacks ---- */

/* Whether what comes stands in an object of "value", or in the object that one of its wanted properties is. */
static bool in_object(const struct certdir_page *page)
{
	return page->member == VALUE &&
	       (page->depth == IN_OBJECT || (page->depth == IN_PROPERTY && page->parent != TOP));
}

static int not_an_object(struct certdir_page *page, const char *what)
{
	return refuse(page, "it is %s, not an object", what);
}

static int on_value(struct certdir_page *page, enum certdir_page_type type, const char *text, size_t length)
{
	if (!heard(page))
		return 0;
	if (page->depth == 0)
		return not_an_object(page, type_name(type));
	if (page->depth == IN_PAGE)
		return member_value(page, type, text, length);
	if (in_object(page))
		return property_value(page, type, text, length);
	if (page->member == VALUE && page->depth == IN_LIST)
		return refuse(page, "\"value\" has %s in it, where only objects are due", type_name(type));
	if (page->member == ERROR && page->depth == IN_LIST)
		return error_value(page, type, text, length);
	return 1;
}

static int on_null(void *context)
{
	return on_value(context, CERTDIR_PAGE_NULL, NULL, 0);
}

static int on_boolean(void *context, int yes)
{
	return on_value(context, yes ? CERTDIR_PAGE_TRUE : CERTDIR_PAGE_FALSE, NULL, 0);
}

static int on_number(void *context, const char *text, size_t length)
{
	return on_value(context, CERTDIR_PAGE_NUMBER, text, length);
}

static int on_text(void *context, const unsigned char *text, size_t length)
{
	return on_value(context, CERTDIR_PAGE_TEXT, (const char *)text, length);
}

static int on_name(void *context, const unsigned char *bytes, size_t length)
{
	struct certdir_page *page = context;
	const char *name = (const char *)bytes;

	if (!heard(page))
		return 0;
	if (page->depth == IN_PAGE)
		return member_named(page, name, length);
	if (in_object(page))
		return property_named(page, name, length);
	if (page->member == ERROR && page->depth == IN_LIST)
		error_named(page, name, length);
	return 1;
}

/* Where an object or array may begin, and what it begins. */
static int may_begin(struct certdir_page *page, bool array)
{
	if (page->depth == 0)
		return !array || not_an_object(page, "an array");
	if (page->depth == IN_PAGE) {
		if (page->member == VALUE)
			return array || refuse(page, "\"value\" is an object, not an array");
		return page->member == ERROR || page->member == OTHER ||
		       wrong_type(page, CERTDIR_PAGE_OTHER, page->member == COUNT ? "a number" : "a text");
	}
	if (page->member != VALUE)
		return 1;
	if (in_object(page)) {
		if (!property_value(page, CERTDIR_PAGE_OTHER, NULL, 0))
			return 0;
		/* The names in an array's objects are not of this one. */
		if (page->depth == IN_OBJECT)
			page->parent = array || page->property < 0 ? TOP : page->property;
		return 1;
	}
	if (page->depth > IN_OBJECT)
		return 1;
	if (array)
		return refuse(page, "\"value\" has an array in it, where only objects are due");
	object_begin(page);
	return 1;
}

static int begins(struct certdir_page *page, bool array)
{
	if (!heard(page) || !may_begin(page, array))
		return 0;
	if (page->depth == DEPTH_MAX)
		return refuse(page, "it is nested deeper than %d", DEPTH_MAX);
	page->depth++;
	return 1;
}

static int on_object(void *context)
{
	return begins(context, false);
}

static int on_array(void *context)
{
	return begins(context, true);
}

static int on_end(void *context)
{
	struct certdir_page *page = context;

	if (!heard(page))
		return 0;
	page->depth--;
	page->ended = page->depth == 0;
	if (page->member == VALUE && page->depth == IN_OBJECT)
		page->parent = TOP;
	if (page->member == VALUE && page->depth == IN_LIST)
		return object_end(page);
	if (page->member == ERROR && page->depth == IN_PAGE)
		return say_error(page);
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_text,
	.yajl_start_map = on_object,
	.yajl_map_key = on_name,
	.yajl_end_map = on_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_end,
};

/* ---- bytes ---- */

static bool fail(struct certdir_page *page, bool retry, const char *what)
{
	certdir_error_set(&page->error, "Graph's answer %s", what);
	page->failed = true;
	page->retry = retry;
	return false;
}

/* yajl says "parse error: unallowed token ..\n". */
static bool not_json(struct certdir_page *page)
{
	unsigned char *said;
	char *why;

	if (page->first == '<')
		return fail(page, false,
			    "is a web page (HTML or XML), not JSON: is a proxy or a login portal in between, "
			    "or is `graph` another server's address?");
	said = yajl_get_error(page->yajl, 0, NULL, 0);
	why = said ? strstr((char *)said, ": ") : NULL;
	if (why)
		why[strcspn(why, ".\n")] = '\0';
	(void)refuse(page, "it is not JSON%s", why ? why : "");
	yajl_free_error(page->yajl, said);
	return false;
}

static bool check_behind(struct certdir_page *page, const char *bytes, size_t length)
{
	for (size_t i = page->heard > page->given ? page->heard - page->given : 0; i < length; i++)
		if (!strchr(" \t\r\n", bytes[i]) || !bytes[i])
			return refuse(page, "it is not JSON: trailing garbage");
	return true;
}

static bool parse(void *context, const char *bytes, size_t length)
{
	struct certdir_page *page = context;

	switch (yajl_parse(page->yajl, (const unsigned char *)bytes, length)) {
	case yajl_status_ok:
		break;
	case yajl_status_client_canceled:
		return false;
	case yajl_status_error:
		return not_json(page);
	}
	if (page->ended && !check_behind(page, bytes, length))
		return false;
	if (position(page) - page->heard > CERTDIR_PAGE_OBJECT_MAX)
		return too_long(page);
	page->given += length;
	return true;
}

static bool give_up(const struct certdir_page *page, bool *retry, struct certdir_error *error)
{
	*retry = page->retry;
	*error = page->error;
	return false;
}

bool certdir_page_bytes(struct certdir_page *page, const char *bytes, size_t length, bool *retry,
			struct certdir_error *error)
{
	for (size_t i = 0; !page->first && i < length; i++)
		if (!strchr(" \t\r\n", bytes[i]))
			page->first = bytes[i];
	if (!page->yajl && !page->failed)
		(void)fail(page, false, "cannot be read: out of memory");
	if (page->failed || !certdir_escapes_feed(&page->escapes, bytes, length, parse, page))
		return give_up(page, retry, error);
	return true;
}

/* Whatever yajl finds wrong now, it is the end that came too early. */
static bool finish(struct certdir_page *page)
{
	if (page->failed)
		return false;
	if (!page->yajl)
		return fail(page, false, "cannot be read: out of memory");
	if (!page->first)
		return fail(page, true, "is empty");
	if (page->escapes.length > 0 && !parse(page, page->escapes.held, page->escapes.length))
		return false;
	if (yajl_complete_parse(page->yajl) != yajl_status_ok)
		return !page->failed && fail(page, true, "was cut short: the connection ended in the middle of it");
	if (!(page->members & CERTDIR_BIT(VALUE)))
		return fail(page, false, "is not a page: it has no \"value\"");
	return true;
}

bool certdir_page_end(struct certdir_page *page, bool *retry, struct certdir_error *error)
{
	return finish(page) || give_up(page, retry, error);
}

/* ---- the reader ---- */

struct certdir_page *certdir_page_open(const char *const *properties,
				       bool (*each)(void *context, const struct certdir_page_object *object,
						    struct certdir_error *error),
				       void *context)
{
	struct certdir_page *page = calloc(1, sizeof(*page));

	if (!page)
		return NULL;
	page->each = each;
	page->context = context;
	page->object.values = page->values;
	while (properties[page->count]) {
		assert(page->count < CERTDIR_PAGE_PROPERTIES);
		add_name(page, properties[page->count]);
	}
	certdir_page_begin(page);
	return page;
}

void certdir_page_close(struct certdir_page *page)
{
	if (!page)
		return;
	if (page->yajl)
		yajl_free(page->yajl);
	free(page);
}

void certdir_page_begin(struct certdir_page *page)
{
	if (page->yajl)
		yajl_free(page->yajl);
	page->yajl = yajl_alloc(&callbacks, NULL, page);
	page->given = page->heard = 0;
	page->escapes.length = 0;
	page->first = '\0';
	page->depth = 0;
	page->ended = false;
	page->member = OTHER;
	page->members = 0;
	page->property = SKIPPED;
	page->parent = TOP;
	page->odata_count = -1;
	page->linked[0] = page->linked[1] = false;
	page->failed = page->retry = false;
	page->code[0] = page->message[0] = '\0';
}

const char *certdir_page_next_link(const struct certdir_page *page)
{
	return page->linked[0] ? page->links[0] : NULL;
}

const char *certdir_page_delta_link(const struct certdir_page *page)
{
	return page->linked[1] ? page->links[1] : NULL;
}

int64_t certdir_page_count(const struct certdir_page *page)
{
	return page->odata_count;
}
