/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/filter.h"

#include <string.h>

#include "text/hex.h"

char *certdir_ldap_filter_put(char *out, unsigned char byte)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-$/@:";

	if (byte && strchr(plain, byte)) {
		*out++ = (char)byte;
		return out;
	}
	*out++ = '\\';
	return certdir_hex_put(out, byte);
}
