/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every fuzz target has: its entry, and what must hold whatever the input is. */
#ifndef FUZZ_HOLDS_H
#define FUZZ_HOLDS_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define HOLDS(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "does not hold: %s\n", #condition);                                            \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#endif
