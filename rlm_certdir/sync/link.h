/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which URLs may be asked: the links that Graph gives lead back to Graph, or nowhere. */
#ifndef CERTDIR_SYNC_LINK_H
#define CERTDIR_SYNC_LINK_H

#include "base/certdir.h"

/*
 * Whether `url`, which came from somewhere else, is https to the host and port of `base` ("https://graph.microsoft.com"), as
 * libcurl, which would follow it, reads it. A user name, a fragment, blanks, control characters, backslashes and
 * anything that is not ASCII are refused, too: a URL that two programs read in two ways is no link. False with `error`.
 */
bool certdir_link_check(const char *url, const char *base, struct certdir_error *error);

/*
 * Whether `url` is https to one of `hosts` (NULL-terminated): ".blob.core.windows.net" is every host that ends so, "host.example" that
 * one alone; the port is 443, or stands behind a colon. What is odd is refused as above. False with `error`, which names the option
 * report_hosts.
 */
bool certdir_link_host_check(const char *url, const char *const *hosts, struct certdir_error *error);

#endif
