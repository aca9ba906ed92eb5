/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as hexadecimal digits, and back. */
#ifndef CERTDIR_HEX_H
#define CERTDIR_HEX_H

#include <stddef.h>

/* What a hexadecimal digit of either case counts; -1 for anything else. */
int certdir_hex_digit(char c);

/* The byte that two digits at `text` stand for, or -1 where there are none; a NUL is never read past. */
int certdir_hex_byte(const char *text);

/* Writes the two lower-case digits of a byte, without a NUL; returns what is behind them. */
char *certdir_hex_put(char *out, unsigned char byte);

/* Writes `length` bytes as lower-case digits into out[2 * length + 1], ended by a NUL. */
void certdir_hex_print(const void *bytes, size_t length, char *out);
/* The same as a new string, which the caller frees; NULL when memory is out. */
char *certdir_hex_copy(const void *bytes, size_t length);

#endif
