/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/shrink.h"

bool certdir_shrink_allowed(size_t before, size_t lost, unsigned max_shrink)
{
	if (lost == 0 || max_shrink >= 100)
		return true;
	if (lost >= before && before > 1)
		return false;
	return lost <= CERTDIR_SHRINK_FLOOR || lost <= before / 100 * max_shrink + before % 100 * max_shrink / 100;
}
