/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vectors.h"

json_t *vectors_load(const char *name)
{
	const char *directory = getenv("CERTDIR_TEST_VECTORS");
	json_error_t error;
	char path[4096];
	json_t *array;

	(void)snprintf(path, sizeof(path), "%s/%s", directory ? directory : "tests/vectors", name);
	array = json_load_file(path, 0, &error);
	if (!json_is_array(array) || json_array_size(array) == 0) {
		(void)fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
		exit(1);
	}
	return array;
}
