/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `certdir list find` leaves out: --source, --join, --disabled, --noncompliant, --stale. */
#ifndef CERTDIR_CLI_LIST_FILTER_H
#define CERTDIR_CLI_LIST_FILTER_H

#include "cli/options.h"
#include "list/list.h"

struct certdir_cli_list_filter {
	const char *source; /* NULL: any */
	bool join; /* only devices with this one */
	enum certdir_join_type join_type;
	bool disabled, noncompliant, stale;
};

/* Reads the options. The filter points into them. False: --join is none, and that was said. */
bool certdir_cli_list_filter_read(struct certdir_cli_list_filter *filter, const struct certdir_cli_options *options);
/* Whether it leaves out any device at all. */
bool certdir_cli_list_filter_any(const struct certdir_cli_list_filter *filter);
/* Whether all that was asked for is so. What is not known is not so. */
bool certdir_cli_list_filter_fits(const struct certdir_cli_list_filter *filter, const struct certdir_device *device,
				  const struct certdir_list_source *source);

#endif
