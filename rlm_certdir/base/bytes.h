/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers in files of ours: little-endian, whatever the machine is. */
#ifndef CERTDIR_BYTES_H
#define CERTDIR_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* The low `size` bytes of a number. */
static inline void certdir_bytes_put(unsigned char *bytes, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(number >> (8 * i));
}

/* The number that `size` bytes are, at most 8. */
static inline uint64_t certdir_bytes_get(const unsigned char *bytes, size_t size)
{
	uint64_t number = 0;

	for (size_t i = size; i > 0; i--)
		number = number << 8 | bytes[i - 1];
	return number;
}

#endif
