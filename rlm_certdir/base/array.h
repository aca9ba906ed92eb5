/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow by one item at a time. */
#ifndef CERTDIR_ARRAY_H
#define CERTDIR_ARRAY_H

#include <stddef.h>

/*
 * Makes room for one more item of `size` bytes behind the `count` that are in an array of malloc(3)'s; `array` points to the pointer to
 * it, which may be NULL. Returns the new item, zeroed, and leaves counting it to the caller. NULL when memory is out: the array stays.
 */
void *certdir_array_next(void *array, size_t count, size_t size);

#endif
