/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test vectors in JSON, found from the top of the tree or through CERTDIR_TEST_VECTORS. */
#ifndef CERTDIR_TEST_VECTORS_H
#define CERTDIR_TEST_VECTORS_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program when the file is not there: a guard without its input must not pass. */
json_t *vectors_load(const char *name);

#endif
