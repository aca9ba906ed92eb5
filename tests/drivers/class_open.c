/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the Class of a session: argv[1] is the key file, [2] the instance, [3] the Class as text. One line of JSON, or "shut". */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/class.h"

static json_t *ids_of(const struct certdir_class *class)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < class->id_count; i++)
		json_array_append_new(ids, json_sprintf("%s:%s=%s", certdir_rank_name(class->ids[i].rank),
							certdir_identity_type_name(class->ids[i].type),
							class->ids[i].value));
	return ids;
}

int main(int argc, char **argv)
{
	struct certdir_class_key key;
	struct certdir_class class;
	struct certdir_error error;
	json_t *object;

	if (argc != 4)
		return 64;
	if (!certdir_class_key_read(&key, argv[1], &error)) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	if (!certdir_class_open(&class, argv[3], strlen(argv[3]), &key, argv[2])) {
		puts("shut");
		return 0;
	}
	object = json_pack("{s:s, s:i, s:b, s:b, s:i, s:i, s:b, s:I, s:s, s:s, s:o}", "id", class.id, "holder",
			   class.holder, "quarantine", class.quarantine, "stale", class.stale, "live", (int)class.live,
			   "asked", class.asked_of_device, "issuer", class.issuer != 0, "not_before",
			   (json_int_t) class.not_before, "thumbprint", class.thumbprint, "tenant", class.tenant, "ids",
			   ids_of(&class));
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
	return 0;
}
