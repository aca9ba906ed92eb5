/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/color.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_wanted(void)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return !(none && *none) && terminal && *terminal && strcmp(terminal, "dumb") != 0 && isatty(STDOUT_FILENO);
}

const char *certdir_cli_color(enum certdir_cli_color color)
{
	static const char *const codes[] = {"\033[0m", "\033[32m", "\033[31m", "\033[33m"};

	return is_wanted() ? codes[color] : "";
}
