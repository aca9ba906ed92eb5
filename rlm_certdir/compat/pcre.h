/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's regex.h wants PCRE's header only for pointers to its types; libfreeradius-dev does not depend on libpcre3-dev. */
#ifndef CERTDIR_COMPAT_PCRE_H
#define CERTDIR_COMPAT_PCRE_H
typedef struct pcre pcre;
typedef struct pcre_extra pcre_extra;
#endif
