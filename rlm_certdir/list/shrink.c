/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shrink guard: an export that came short must not take the other devices' place. */
#include "list/list.h"

bool certdir_list_shrink_allowed(size_t before, size_t lost, unsigned max_shrink)
{
	if (lost == 0 || max_shrink >= 100)
		return true;
	if (lost >= before && before > 1)
		return false;
	return lost <= CERTDIR_LIST_SHRINK_FLOOR || lost <= before / 100 * max_shrink + before % 100 * max_shrink / 100;
}
