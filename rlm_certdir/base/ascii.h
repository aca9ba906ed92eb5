/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Letters of ASCII. Not by ctype.h: the locale of the program must not decide who comes in. */
#ifndef CERTDIR_ASCII_H
#define CERTDIR_ASCII_H

/* The small letter of a capital one; any other byte stays. */
static inline char certdir_ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The reverse. */
static inline char certdir_ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

#endif
