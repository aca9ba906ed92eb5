/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices of a tenant enter the list. */
#ifndef CERTDIR_TENANT_FILTER_H
#define CERTDIR_TENANT_FILTER_H

#include "tenant/tenant.h"

/* Texts may be NULL: not known, which no filter that asks for them takes. */
bool certdir_tenant_filter_takes(const struct certdir_tenant_filter *filter, enum certdir_join_type join_type,
				 const char *operating_system, const char *ownership, enum certdir_tristate enabled);

/* Whether it takes every device. */
bool certdir_tenant_filter_is_open(const struct certdir_tenant_filter *filter);

/* One text for filters that take the same devices, "" when that is all; the caller frees it. NULL when memory is out. */
char *certdir_tenant_filter_text(const struct certdir_tenant_filter *filter);

#endif
