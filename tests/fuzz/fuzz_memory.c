/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over the file in which radiusd keeps what an LDAP directory said, behind its seal. What is taken, is written and taken again
 * as the same.
 */
#include "directory/memory_file.h"
#include "holds.h"

#include <stdlib.h>
#include <string.h>

static void check_record(void *context, const unsigned char *key, size_t key_length, const struct certdir_reply *told)
{
	(void)context;
	HOLDS(key_length > 1 && key[key_length - 1] == '\0');
	for (size_t r = 0; r < told->count; r++) {
		struct certdir_record record = {0};

		HOLDS(certdir_record_unpack(told->records[r]->bytes, told->records[r]->length, &record));
		HOLDS(record.device.id && strcmp(record.device.id, told->records[r]->identities) == 0);
		certdir_record_clear(&record);
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct certdir_store *store = certdir_store_new(100, 1 << 20), *again = certdir_store_new(100, 1 << 20);
	struct certdir_bytes bytes = {0};
	struct certdir_error error = {.text = ""};

	HOLDS(store && again);
	if (certdir_memory_unpack(store, data, size, "o", &error)) {
		certdir_store_each(store, check_record, NULL);
		certdir_memory_pack(&bytes, store, "o");
		HOLDS(!bytes.failed && certdir_memory_unpack(again, bytes.bytes, bytes.length, "o", &error));
		HOLDS(certdir_store_count(again) <= certdir_store_count(store));
	} else {
		HOLDS(error.text[0]);
	}
	free(bytes.bytes);
	certdir_store_free(store);
	certdir_store_free(again);
	return 0;
}
