/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as bytes: small in memory, the same in a file, and shared between threads that only read them. Pure. */
#ifndef CERTDIR_DIRECTORY_PACKED_H
#define CERTDIR_DIRECTORY_PACKED_H

#include <stdatomic.h>

#include "directory/directory.h"

/* Bytes that grow. A zeroed one is empty; free(bytes) ends it. Once memory was out, `failed` stays. */
struct certdir_bytes {
	unsigned char *bytes;
	size_t length;
	size_t room;
	bool failed;
};

/* Takes the memory for so many bytes now; where there is none, that shows when they are put. */
void certdir_bytes_reserve(struct certdir_bytes *to, size_t room);
/* Numbers take one byte for each seven bits (LEB128); what stands behind them is as it is. */
void certdir_bytes_put(struct certdir_bytes *to, const void *bytes, size_t length);
void certdir_bytes_put_number(struct certdir_bytes *to, uint64_t number);

/* The same, read from a file that anybody may have written. What goes beyond the end sets `failed`, and reads as 0 or NULL. */
struct certdir_bytes_reader {
	const unsigned char *at;
	const unsigned char *end;
	bool failed;
};

/* The next number; 0 where none can be read. */
uint64_t certdir_bytes_number(struct certdir_bytes_reader *from);
/* The next `length` bytes, which stay where they are. */
const unsigned char *certdir_bytes_take(struct certdir_bytes_reader *from, uint64_t length);

/* A record that does not change any more. */
struct certdir_packed {
	atomic_size_t references;
	/* By what it is known again: its id (a DN), then its ids as certdir_record_carries() knows them; NUL-terminated each. */
	char *identities;
	size_t identity_count;
	size_t length;
	unsigned char bytes[];
};

/* NULL when memory is out, or when it has more of something than any directory gives. `record` is not changed. */
struct certdir_packed *certdir_record_pack(struct certdir_record *record);
/*
 * Fills a zeroed `record`, whose texts are valid UTF-8 without NUL and whose numbers are in their range, whatever the bytes are. False:
 * they are not what certdir_record_pack() made, or memory is out; then `record` is zeroed again.
 */
bool certdir_record_unpack(const unsigned char *bytes, size_t length, struct certdir_record *record);

/*
 * `record` and the groups that only `before` has, each as old as it says or else of `as_of` (Unix seconds). NULL when memory is
 * out, or when they are too many.
 */
struct certdir_packed *certdir_packed_keep_groups(const struct certdir_packed *record,
						  const struct certdir_packed *before, int64_t as_of);

/* Thread-safe. */
struct certdir_packed *certdir_packed_retain(struct certdir_packed *packed);
void certdir_packed_release(struct certdir_packed *packed); /* NULL is allowed */

#endif
