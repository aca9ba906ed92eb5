/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "certdir.h"

#include <stdarg.h>
#include <stdio.h>

void certdir_error_set(struct certdir_error *error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, ap);
	va_end(ap);
}
