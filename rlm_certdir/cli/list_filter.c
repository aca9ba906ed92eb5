/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/list_filter.h"

#include <string.h>

bool certdir_cli_list_filter_read(struct certdir_cli_list_filter *filter, const struct certdir_cli_options *options)
{
	*filter = (struct certdir_cli_list_filter){.source = options->source,
						   .join = options->join,
						   .disabled = options->disabled,
						   .noncompliant = options->noncompliant,
						   .stale = options->stale};
	if (!options->join || certdir_join_type_parse(options->join, &filter->join_type))
		return true;
	(void)certdir_cli_misuse(options, "--join", "--join is entra, hybrid, registered, ad or unknown, not %s",
				 options->join);
	return false;
}

bool certdir_cli_list_filter_any(const struct certdir_cli_list_filter *filter)
{
	return filter->source || filter->join || filter->disabled || filter->noncompliant || filter->stale;
}

bool certdir_cli_list_filter_fits(const struct certdir_cli_list_filter *filter, const struct certdir_device *device,
				  const struct certdir_list_source *source)
{
	if (filter->source && strcmp(filter->source, source->name) != 0)
		return false;
	if (filter->join && device->join_type != filter->join_type)
		return false;
	if (filter->disabled && device->enabled != CERTDIR_NO)
		return false;
	if (filter->noncompliant && certdir_compliance(device->compliance) != CERTDIR_NO)
		return false;
	/* What the shrink guard keeps of a device, although its listing has it no more, grows old by itself. */
	return !filter->stale || device->own.as_of || device->intune.as_of;
}
