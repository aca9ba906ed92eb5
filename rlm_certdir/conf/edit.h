/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing certdir.conf for somebody: his lines, comments and their order stay. */
#ifndef CERTDIR_CONF_EDIT_H
#define CERTDIR_CONF_EDIT_H

#include <stddef.h>

struct certdir_conf_setting {
	const char *key;
	const char *const *values; /* NULL-terminated: a line for each */
};

/*
 * The text of a conf in which each setting stands in [section] as it is here: in the place where its key stood first, or at the end of the
 * section, or of the file when there is no such section. The caller frees it. NULL when memory is out.
 */
char *certdir_conf_edit(const char *text, const char *section, const struct certdir_conf_setting *settings,
			size_t count);

#endif
