/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of a Graph collection, from tables; whole, in slices, and cut at every byte. */
#include "sync/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const properties[] = {"id", "name", "on", "odd", NULL};

/* What a page gave: its objects as text, its links and count; or why it was refused. */
struct outcome {
	char *text;
	bool taken;
	bool retry;
	struct certdir_error error;
};

static void print_value(FILE *out, const struct certdir_page_value *value, const char *name)
{
	static const char *const types[] = {"", "null", "false", "true", "#", "", "other"};

	if (value->type == CERTDIR_PAGE_MISSING)
		return;
	fprintf(out, " %s:%s", name, types[value->type]);
	if (!value->text)
		return;
	assert_int_equal(strlen(value->text), value->length);
	fprintf(out, "%s", value->text);
}

static bool each(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	FILE *out = *(FILE **)context;

	if (object->values[0].type == CERTDIR_PAGE_TEXT && strcmp(object->values[0].text, "refuse") == 0) {
		certdir_error_set(error, "refused by its reader");
		return false;
	}
	fprintf(out, "[");
	for (size_t i = 0; properties[i]; i++)
		print_value(out, &object->values[i], properties[i]);
	fprintf(out, "%s]", object->removed ? " removed" : "");
	return true;
}

static struct certdir_page *page;
static FILE *sink;

static int open_page(void **state)
{
	(void)state;
	page = certdir_page_open(properties, each, &sink);
	return page ? 0 : -1;
}

static int close_page(void **state)
{
	(void)state;
	certdir_page_close(page);
	return 0;
}

/* In slices of `slice` bytes, 0 = at once, below 0 = of random length; each a copy, whose borders a sanitizer sees. */
static bool feed(const char *bytes, size_t length, int slice, struct outcome *outcome)
{
	while (length > 0) {
		size_t size = slice > 0 ? (size_t)slice : slice < 0 ? (size_t)rand() % 9 : length;
		bool fed;
		char *copy;

		size = size > length ? length : size;
		copy = malloc(size + 1);
		assert_non_null(copy);
		memcpy(copy, bytes, size);
		fed = certdir_page_bytes(page, copy, size, &outcome->retry, &outcome->error);
		free(copy);
		if (!fed)
			return false;
		bytes += size;
		length -= size;
	}
	return true;
}

static void read_page(const char *bytes, size_t length, int slice, struct outcome *outcome)
{
	size_t size;

	memset(outcome, 0, sizeof(*outcome));
	sink = open_memstream(&outcome->text, &size);
	assert_non_null(sink);
	certdir_page_begin(page);
	outcome->taken =
		feed(bytes, length, slice, outcome) && certdir_page_end(page, &outcome->retry, &outcome->error);
	if (outcome->taken) {
		if (certdir_page_next_link(page))
			fprintf(sink, " next=%s", certdir_page_next_link(page));
		if (certdir_page_delta_link(page))
			fprintf(sink, " delta=%s", certdir_page_delta_link(page));
		if (certdir_page_count(page) != -1)
			fprintf(sink, " count=%lld", (long long)certdir_page_count(page));
	} else {
		assert_true(outcome->error.text[0]);
		/* It stays refused, for the same reason. */
		struct certdir_error again;
		bool retry;

		assert_false(certdir_page_end(page, &retry, &again));
		assert_string_equal(again.text, outcome->error.text);
		assert_int_equal(retry, outcome->retry);
	}
	assert_int_equal(fclose(sink), 0);
}

#define BYTES(text) text, sizeof(text) - 1
#define FOUR(text) text text text text
#define DEEP "{\"a\":[{\"b\":"
#define DEEP_END "}]}"

static const struct accepted {
	const char *body;
	size_t length;
	const char *text;
} accepted[] = {
	{BYTES("{\"value\":[]}"), ""},
	{BYTES(" \r\n\t{ \"value\" : [ ] } \n"), ""},
	{BYTES("{\"value\":[{}]}"), "[]"},
	{BYTES("{\"value\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"@odata.nextLink\":\"https://x/y?$skiptoken=1\"}"),
	 "[ id:a][ id:b] next=https://x/y?$skiptoken=1"},
	{BYTES("{\"@odata.deltaLink\":\"https:\\/\\/x\\/"
	       "y\",\"@odata.context\":\"c\",\"@odata.count\":1396,\"value\":[]}"),
	 " delta=https://x/y count=1396"},
	{BYTES("{\"@odata.count\":0,\"value\":[]}"), " count=0"},
	{BYTES("{\"@odata.count\":123456789012345678,\"value\":[]}"), " count=123456789012345678"},
	{BYTES("{\"@odata.count\":null,\"@odata.nextLink\":null,\"@odata.deltaLink\":null,\"value\":[]}"), ""},
	/* All types; a value that is null is there, one that is missing is not. */
	{BYTES("{\"value\":[{\"id\":\"\",\"name\":null,\"on\":true,\"odd\":-1.5e+999},{\"on\":false,\"odd\":[]},"
	       "{\"odd\":{\"id\":\"x\"},\"id\":\"y\"}]}"),
	 "[ id: name:null on:true odd:#-1.5e+999][ on:false odd:other][ id:y odd:other]"},
	/* What was not asked for is skipped, names that resemble one included, and what lies deeper is no property. */
	{BYTES("{\"value\":[{\"Id\":\"a\",\"i\":\"b\",\"idd\":\"c\",\"ia\":0,\"\":\"\",\"id\":\"d\",\"x\":{\"id\":"
	       "\"e\",\"id\":\"f\","
	       "\"@removed\":1,\"value\":[{\"id\":\"g\"}]},\"y\":[{\"id\":\"h\"},[],[[1]]],\"name\":\"i\"}]}"),
	 "[ id:d name:i]"},
	{BYTES("{\"x\":{\"value\":[{\"id\":\"a\"}],\"@odata.nextLink\":\"b\"},\"y\":[[{\"id\":\"c\"}]],\"value\":[{"
	       "\"id\":\"d\"}],"
	       "\"z\":[{\"id\":\"e\"}],\"error\":null}"),
	 "[ id:d]"},
	{BYTES("{\"value\":[{\"\\u0069\\u0064\":\"a\"}]}"), "[ id:a]"}, /* a name in escapes is the same name */
	/* Removed, whatever stands in it. */
	{BYTES("{\"value\":[{\"id\":\"a\",\"@removed\":{\"reason\":\"changed\"}},{\"@removed\":null,\"id\":\"b\"},"
	       "{\"@removed\":{\"reason\":[{\"id\":\"x\"}]},\"id\":\"c\"},{\"id\":\"d\"}]}"),
	 "[ id:a removed][ id:b removed][ id:c removed][ id:d]"},
	/* Text: escapes, all lengths of UTF-8, the ends of the surrogates. */
	{BYTES("{\"value\":[{\"id\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\u20ac\\uD83D\\uDE00\\ud7ff\\ue000\"}]}"),
	 "[ id:\"\\/\b\f\n\r\t\303\244\342\202\254\360\237\230\200\355\237\277\356\200\200]"},
	{BYTES("{\"value\":[{\"id\":\"\303\244\342\202\254\360\237\230\200\364\217\277\277\",\"name\":\"B\303\274ro "
	       "aaaaaaaaa\"}]}"),
	 "[ id:\303\244\342\202\254\360\237\230\200\364\217\277\277 name:B\303\274ro aaaaaaaaa]"},
	{BYTES("{\"value\":[{\"id\":\"\\ud800\\udc00\\udbff\\udfff\"}]}"), "[ id:\360\220\200\200\364\217\277\277]"},
	/* Lone surrogates are U+FFFD, and what stands behind them stays. */
	{BYTES("{\"value\":[{\"id\":\"\\ud83d\"},{\"id\":\"\\ud83dabc\"},{\"id\":\"\\ude00x\"},{\"id\":"
	       "\"\\ud83d\\u0041\"},"
	       "{\"id\":\"\\ud83d\\ud83d\\ude00\"},{\"id\":\"\\ude00\\ud83d\"},{\"id\":\"\\ud83d\\n\"},"
	       "{\"id\":\"\\ud83d\\\\ude00\"},{\"id\":\"\\\\ud83d\"},{\"id\":\"\\ud83d\\ud83d\\ud83d\"}]}"),
	 "[ id:\357\277\275][ id:\357\277\275abc][ id:\357\277\275x][ id:\357\277\275A]"
	 "[ id:\357\277\275\360\237\230\200][ id:\357\277\275\357\277\275][ id:\357\277\275\n]"
	 "[ id:\357\277\275\\ude00][ id:\\ud83d][ id:\357\277\275\357\277\275\357\277\275]"},
	/* A NUL in what nobody asked for hurts nobody. */
	{BYTES("{\"x\":\"\\u0000\",\"value\":[{\"x\":\"a\\u0000b\",\"id\":\"a\"}]}"), "[ id:a]"},
	{BYTES("{\"value\":[{\"id\":\"a\\u0000b\\u0000\"},{\"id\":\"\\u0000\"}]}"), "[ id:a\1b\1][ id:\1]"},
	/* 32 brackets deep. */
	{BYTES("{\"value\":[{\"x\":" FOUR(DEEP DEEP) "[[[[[]]]]]" FOUR(DEEP_END DEEP_END) "}]}"), "[]"},
};

static const struct refused {
	const char *body;
	size_t length;
	const char *why;
	bool retry;
} refused[] = {
	/* The end came early. */
	{BYTES(""), "is empty", true},
	{BYTES(" \n"), "is empty", true},
	{BYTES("{"), "cut short", true},
	{BYTES("{\"value\":[tru"), "cut short", true},
	{BYTES("{\"value\":[{\"id\":\"a\\"), "cut short", true},
	{BYTES("{\"value\":[{\"id\":\"a\\ud83d\\u"), "cut short", true},
	/* Not JSON. */
	{BYTES("<!DOCTYPE html>\n<html><title>Sign in</title></html>"), "is a web page", false},
	{BYTES("\r\n <html/>"), "is a web page", false},
	{BYTES("Bad Gateway"), "not JSON", false},
	{BYTES("{\"value\":[{\"id\":\"a\",}]}"), "not JSON", false}, /* trailing comma */
	{BYTES("{\"value\":[{\"id\":\"a\"},]}"), "not JSON", false},
	{BYTES("{\"value\":[],}"), "not JSON", false},
	{BYTES("{\"value\":[{\"id\":\"a\"} {\"id\":\"b\"}]}"), "not JSON", false},
	{BYTES("{\"value\":[<...more...>]}"), "not JSON", false},
	{BYTES("{\"value\":[]/**/}"), "not JSON", false},
	{BYTES("{\"value\":[]}{"), "trailing garbage", false},
	{BYTES("{\"value\":[]}\""), "trailing garbage", false}, /* a token that has no end */
	{BYTES("{\"value\":[]} \n\""), "trailing garbage", false},
	{BYTES("{\"value\":[]}\"}"), "trailing garbage", false},
	{BYTES("{\"value\":[]}1"), "trailing garbage", false},
	{BYTES("{\"value\":[]}tru"), "trailing garbage", false},
	{BYTES("{\"value\":[]}\\"), "trailing garbage", false},
	{BYTES("{\"value\":[]}\0"), "trailing garbage", false},
	{BYTES("{\"value\":[]} x"), "not JSON", false},
	{BYTES("{\"value\":[]}\\"), "not JSON", false},
	{BYTES("{\"value\":[]}\0"), "not JSON", false},
	{BYTES("\0"), "not JSON", false},
	{BYTES("{\"value\":[{\"x\":01}]}"), "not JSON", false},
	{BYTES("{\"value\":[{\"x\":NaN}]}"), "not JSON", false},
	{BYTES("{'value':[]}"), "not JSON", false},
	{BYTES("{\"value\":[{\"id\":\"a\nb\"}]}"), "not JSON", false},
	{BYTES("{\"value\":[{\"id\":\"\\x41\"}]}"), "not JSON", false},
	{BYTES("{\"value\":[{\"id\":\"\\u12g4\"}]}"), "not JSON", false},
	{BYTES("{\"value\":[{\"id\":\"\\ud83d\\u12g4\"}]}"), "not JSON", false},
	/* Not UTF-8. */
	{BYTES("{\"value\":[{\"id\":\"\377\"}]}"), "UTF8", false},
	{BYTES("{\"value\":[{\"x\":\"\303(\"}]}"), "UTF8", false},
	{BYTES("{\"value\":[{\"id\":\"\300\257\"}]}"), "\"id\" is not UTF-8", false}, /* overlong */
	{BYTES("{\"value\":[{\"id\":\"aaaaaaaa\355\240\275\355\270\200\"}]}"), "\"id\" is not UTF-8",
	 false}, /* CESU-8 */
	{BYTES("{\"value\":[{\"id\":\"aaaaaaaaa\364\220\200\200\"}]}"), "\"id\" is not UTF-8",
	 false}, /* above U+10FFFF */
	{BYTES("{\"@odata.nextLink\":\"\300\257\",\"value\":[]}"), "\"@odata.nextLink\" is not UTF-8", false},
	/* Not a page. */
	{BYTES("\"893\""), "it is a text, not an object", false},
	{BYTES("294"), "it is a number, not an object", false},
	{BYTES("null"), "it is null, not an object", false},
	{BYTES("[{\"id\":\"a\"}]"), "it is an array, not an object", false},
	{BYTES("{}"), "has no \"value\"", false},
	{BYTES("{\"id\":\"a\",\"name\":\"b\"}"), "has no \"value\"", false},
	{BYTES("{\"Value\":[]}"), "has no \"value\"", false},
	{BYTES("{\"value\":null}"), "\"value\" is null, not an array", false},
	{BYTES("{\"value\":{\"id\":\"a\"}}"), "\"value\" is an object, not an array", false},
	{BYTES("{\"value\":\"a\"}"), "\"value\" is a text, not an array", false},
	{BYTES("{\"value\":[null]}"), "has null in it", false},
	{BYTES("{\"value\":[{},1]}"), "has a number in it", false},
	{BYTES("{\"value\":[[{\"id\":\"a\"}]]}"), "has an array in it", false},
	{BYTES("{\"@odata.nextLink\":5,\"value\":[]}"), "\"@odata.nextLink\" is a number, not a text", false},
	{BYTES("{\"@odata.deltaLink\":[\"a\"],\"value\":[]}"), "\"@odata.deltaLink\" is an object or array", false},
	{BYTES("{\"@odata.count\":\"5\",\"value\":[]}"), "\"@odata.count\" is a text, not a number", false},
	{BYTES("{\"@odata.count\":{},\"value\":[]}"), "\"@odata.count\" is an object or array, not a number", false},
	{BYTES("{\"@odata.count\":-1,\"value\":[]}"), "\"@odata.count\" is not a count", false},
	{BYTES("{\"@odata.count\":1.0,\"value\":[]}"), "\"@odata.count\" is not a count", false},
	{BYTES("{\"@odata.count\":1234567890123456789,\"value\":[]}"), "\"@odata.count\" is not a count", false},
	/* Said twice: which one counts? */
	{BYTES("{\"value\":[],\"value\":[]}"), "\"value\" stands there twice", false},
	{BYTES("{\"value\":[],\"val\\u0075e\":[]}"), "\"value\" stands there twice", false},
	{BYTES("{\"@odata.nextLink\":\"a\",\"@odata.nextLink\":\"a\",\"value\":[]}"), "stands there twice", false},
	{BYTES("{\"@odata.deltaLink\":null,\"@odata.deltaLink\":\"a\",\"value\":[]}"), "stands there twice", false},
	{BYTES("{\"@odata.nextLink\":\"a\",\"value\":[],\"@odata.deltaLink\":\"b\"}"), "has both", false},
	{BYTES("{\"@odata.deltaLink\":\"a\",\"@odata.nextLink\":\"b\",\"value\":[]}"), "has both", false},
	{BYTES("{\"value\":[{\"id\":\"a\",\"id\":\"a\"}]}"), "has \"id\" twice", false},
	{BYTES("{\"value\":[{\"on\":null,\"on\":true}]}"), "has \"on\" twice", false},
	{BYTES("{\"value\":[{\"odd\":[],\"odd\":{}}]}"), "has \"odd\" twice", false},
	{BYTES("{\"value\":[{\"@removed\":{},\"@removed\":{}}]}"), "has \"@removed\" twice", false},
	/* 33 brackets deep. */
	{BYTES("{\"value\":[{\"x\":" FOUR(DEEP DEEP) "[[[[[[]]]]]]" FOUR(DEEP_END DEEP_END) "}]}"), "deeper than 32",
	 false},
	/* An error where a page is due. */
	{BYTES("{\"error\":{\"code\":\"UnknownError\",\"message\":\"line\\nbreak\",\"innerError\":{\"code\":\"x\"}}}"),
	 "an error instead of a page: UnknownError: line break", true},
	{BYTES("{\"value\":[{\"id\":\"a\"}],\"error\":{\"message\":\"late\"}}"), "page: (no code): late", true},
	{BYTES("{\"error\":\"invalid_client\",\"error_description\":\"x\"}"), "page: invalid_client", true},
	{BYTES("{\"error\":[]}"), "page: (no code)", true},
	/* The reader of the objects said no. */
	{BYTES("{\"value\":[{\"id\":\"a\"},{\"id\":\"refuse\"},{\"id\":\"b\"}]}"), "refused by its reader", false},
};

/* How much of an error is the same for all slices: yajl's own position is that of the byte, or of the one behind it. */
static size_t same_length(const char *error)
{
	return strstr(error, "not JSON") ? (size_t)(strstr(error, " (byte") - error) : strlen(error) + 1;
}

static void same(const struct outcome *one, const struct outcome *other, const char *body)
{
	if (one->taken != other->taken || one->retry != other->retry || strcmp(one->text, other->text) != 0 ||
	    strncmp(one->error.text, other->error.text, same_length(other->error.text)) != 0)
		fail_msg("%s\nin slices: %s%s\nat once:   %s%s", body, one->text, one->error.text, other->text,
			 other->error.text);
}

/* Slices of every small size and of random ones give the same as the whole. */
static void in_slices(const char *body, size_t length, const struct outcome *whole)
{
	struct outcome sliced;

	for (int slice = -20; slice <= 20; slice++) {
		read_page(body, length, slice, &sliced);
		same(&sliced, whole, body);
		free(sliced.text);
	}
}

static void test_accepted(void **state)
{
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
		read_page(accepted[i].body, accepted[i].length, 0, &outcome);
		if (!outcome.taken)
			fail_msg("%s: %s", accepted[i].body, outcome.error.text);
		assert_string_equal(outcome.text, accepted[i].text);
		in_slices(accepted[i].body, accepted[i].length, &outcome);
		free(outcome.text);
	}
}

static void test_refused(void **state)
{
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		read_page(refused[i].body, refused[i].length, 0, &outcome);
		if (outcome.taken || !strstr(outcome.error.text, refused[i].why) || outcome.retry != refused[i].retry)
			fail_msg("%s: %s, retry %d", refused[i].body, outcome.taken ? "taken" : outcome.error.text,
				 outcome.retry);
		in_slices(refused[i].body, refused[i].length, &outcome);
		free(outcome.text);
	}
}

/* A page that is cut anywhere is worth a retry and never taken. */
static void test_cut(void **state)
{
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
		size_t length = accepted[i].length;

		while (accepted[i].body[length - 1] != '}')
			length--;
		while (length-- > 0) {
			read_page(accepted[i].body, length, 0, &outcome);
			if (outcome.taken || !outcome.retry)
				fail_msg("%.*s: %s", (int)length, accepted[i].body,
					 outcome.taken ? "taken" : outcome.error.text);
			free(outcome.text);
		}
	}
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		for (size_t length = 0; length < refused[i].length; length++) {
			const char *body = refused[i].body;

			read_page(body, length, 0, &outcome);
			/* Only what has garbage behind it can be good when the garbage is cut off. */
			if (outcome.taken && strncmp(body, "{\"value\":[]}", 12) != 0)
				fail_msg("%.*s: taken", (int)length, body);
			free(outcome.text);
		}
}

/* head, `count` times `fill`, tail */
static char *build(const char *head, const char *fill, size_t count, const char *tail, size_t *length)
{
	const size_t first = strlen(head), size = strlen(fill), last = strlen(tail);
	char *body = malloc(first + size * count + last + 1), *at = body + first;

	assert_non_null(body);
	memcpy(body, head, first);
	for (size_t i = 0; i < count; i++, at += size)
		memcpy(at, fill, size);
	memcpy(at, tail, last + 1);
	*length = first + size * count + last;
	return body;
}

static void test_sizes(void **state)
{
	static const struct {
		const char *head, *fill;
		size_t count;
		const char *tail, *why;
	} cases[] = {
		{"{\"value\":[{\"id\":\"", "a", CERTDIR_PAGE_OBJECT_MAX - 100, "\"}]}", NULL},
		{"{\"value\":[{\"id\":\"a\",\"name\":\"", "\303\244", CERTDIR_PAGE_OBJECT_MAX / 2 - 100, "\"}]}", NULL},
		{"{\"value\":[{\"x\":\"", "a", CERTDIR_PAGE_OBJECT_MAX - 100, "\",\"id\":\"b\"}]}", NULL},
		{"{\"value\":[{\"id\":\"a\"}", " ", CERTDIR_PAGE_OBJECT_MAX - 100, "]}", NULL},
		{"{\"value\":[{\"id\":\"a\"}", ",{\"id\":\"bbbbbbbbbbbbbbbb\"}", 200000, "]}", NULL},
		{"{\"value\":[{\"id\":\"a\",\"x\":[0", ",1", 2000000, "]}]}", NULL},
		{"{\"value\":[],\"@odata.nextLink\":\"", "a", CERTDIR_PAGE_LINK_MAX, "\"}", NULL},
		{"{\"value\":[],\"@odata.nextLink\":\"", "a", CERTDIR_PAGE_LINK_MAX + 1, "\"}",
		 "longer than 65536 bytes"},
		{"{\"value\":[],\"@odata.deltaLink\":\"", "a", CERTDIR_PAGE_LINK_MAX + 1, "\"}", "longer than 65536"},
		/* Wanted or not, JSON or not, in the middle or at the end: what never ends is not read on. */
		{"{\"value\":[{\"id\":\"", "a", CERTDIR_PAGE_OBJECT_MAX, "\"}]}", "more than 1048576 bytes"},
		{"{\"value\":[{\"x\":\"", "a", CERTDIR_PAGE_OBJECT_MAX, "\"}]}", "more than 1048576 bytes"},
		{"{\"value\":[{\"", "a", CERTDIR_PAGE_OBJECT_MAX, "\":1}]}", "more than 1048576 bytes"},
		{"{\"value\":[{\"id\":", "1", CERTDIR_PAGE_OBJECT_MAX, "}]}", "more than 1048576 bytes"},
		{"{\"value\":[{\"id\":\"", "a", CERTDIR_PAGE_OBJECT_MAX, "", "more than 1048576 bytes"},
		{"{\"value\":[", " ", CERTDIR_PAGE_OBJECT_MAX, "]}", "more than 1048576 bytes"},
		{"{\"value\":[]}", " ", CERTDIR_PAGE_OBJECT_MAX + 1, "", "more than 1048576 bytes"},
		{"", "\n", CERTDIR_PAGE_OBJECT_MAX + 1, "{\"value\":[]}", "more than 1048576 bytes"},
		{"", "[", 2000000, "", "an array, not an object"},
		{"{\"x\":", "[", 2000000, "", "deeper than 32"},
	};
	struct outcome outcome, sliced;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t length;
		char *body = build(cases[i].head, cases[i].fill, cases[i].count, cases[i].tail, &length);

		read_page(body, length, 0, &outcome);
		read_page(body, length, 10007, &sliced);
		if (outcome.taken == (cases[i].why != NULL) || sliced.taken != outcome.taken || outcome.retry ||
		    sliced.retry || (cases[i].why && !strstr(outcome.error.text, cases[i].why)) ||
		    (cases[i].why && !strstr(sliced.error.text, cases[i].why)))
			fail_msg("case %zu: %s / %s", i, outcome.error.text, sliced.error.text);
		free(outcome.text);
		free(sliced.text);
		free(body);
	}
}

/* Several texts, each within its limit, that are too much together. */
static void test_object_size(void **state)
{
	size_t length, last;
	char *fill = build("", "a", CERTDIR_PAGE_OBJECT_MAX / 2, "", &length), *body;
	struct outcome outcome;

	(void)state;
	body = build("{\"value\":[{\"id\":\"x\",\"name\":\"", fill, 1, "\",\"on\":\"", &length);
	body = realloc(body, length * 2 + 100);
	assert_non_null(body);
	strcpy(body + length, fill);
	last = strlen(body);
	strcpy(body + last, "\"}]}");
	read_page(body, strlen(body), 0, &outcome);
	assert_false(outcome.taken);
	assert_false(outcome.retry);
	assert_non_null(strstr(outcome.error.text, "an object has more than 1048576 bytes of values"));
	free(outcome.text);
	/* Without the one and with the next, it fits, and the next object has all of the room again. */
	strcpy(body + last - 10, "\"},{\"id\":\"y\"}]}");
	read_page(body, strlen(body), 0, &outcome);
	assert_true(outcome.taken);
	assert_non_null(strstr(outcome.text, "[ id:y]"));
	free(outcome.text);
	free(body);
	free(fill);
}

/* begin() forgets everything: values, links, errors, half a token. */
static void test_begin(void **state)
{
	struct outcome outcome;

	(void)state;
	read_page(BYTES("{\"value\":[{\"id\":\"a\",\"@removed\":1}],\"@odata.nextLink\":\"l\",\"@odata.count\":7}"), 0,
		  &outcome);
	assert_string_equal(outcome.text, "[ id:a removed] next=l count=7");
	free(outcome.text);
	read_page(BYTES("{\"value\":[{\"id\":\"b\\ud83d"), 0, &outcome);
	assert_false(outcome.taken);
	free(outcome.text);
	read_page(BYTES("{\"value\":[{\"name\":\"c\"}]}"), 0, &outcome);
	assert_string_equal(outcome.text, "[ name:c]");
	free(outcome.text);
	read_page(BYTES("{\"error\":{\"code\":\"c\",\"message\":\"m\"}}"), 0, &outcome);
	free(outcome.text);
	read_page(BYTES("{\"error\":{}}"), 0, &outcome);
	assert_non_null(strstr(outcome.error.text, "(no code)"));
	assert_null(strstr(outcome.error.text, ": m"));
	free(outcome.text);
}

/* The message of an error is Graph's, however long, and never half a character. */
static void test_long_error(void **state)
{
	struct outcome outcome;
	size_t length;
	char *body =
		build("{\"error\":{\"code\":\"UnknownError\",\"message\":\"x", "\342\202\254", 300, "\"}}", &length);

	(void)state;
	read_page(body, length, 0, &outcome);
	assert_non_null(strstr(outcome.error.text, "UnknownError: x\342\202\254"));
	assert_string_equal(outcome.error.text + strlen(outcome.error.text) - 5, "\342\202\254..");
	free(outcome.text);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),   cmocka_unit_test(test_refused),     cmocka_unit_test(test_cut),
		cmocka_unit_test(test_sizes),	   cmocka_unit_test(test_object_size), cmocka_unit_test(test_begin),
		cmocka_unit_test(test_long_error),
	};

	srand(1);
	return cmocka_run_group_tests(tests, open_page, close_page);
}
