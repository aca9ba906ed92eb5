/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over decisions: the bytes choose what the model of tests/unit would leave to chance, a world of devices and directories and
 * a certificate of somebody in it, and its rules are looked at as there. What breaks one is told, with the world.
 */
#include "decision_properties.h"
#include "holds.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static bool filled;

	if (!filled)
		pool_fill();
	filled = true;
	chosen = data;
	chosen_count = size;
	make_model(&model, 1);
	verdict = judge(&model);
	check_properties();
	return 0;
}
