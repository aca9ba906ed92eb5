/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To be preloaded. The server loads modules with RTLD_DEEPBIND, under which a sanitizer's malloc would not be
 * everybody's malloc; sanitizers refuse to go on when they see the flag. So it is taken away.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

void *dlopen(const char *file, int mode)
{
	void *(*next)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");

	return next(file, mode & ~RTLD_DEEPBIND);
}
