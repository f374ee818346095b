// SPDX-License-Identifier: MIT
#include "controls.h"
#include "faults.h"
#include "full.h"
#include "growth.h"
#include "points.h"
#include "repeat.h"
#include "sequences.h"
#include "test.h"

int main(int argc, char **argv)
{
	static const struct command list[] = {
		{ "points", points_command, 2, "SEED COUNT" },
		{ "controls", controls_command, 0, "" },
		{ "faults", faults_command, 2, "SEED RUNS" },
		{ "sequences", sequences_command, 2, "LENGTH STRIDE" },
		{ "full", full_command, 0, "" },
		{ "growth", growth_command, 0, "" },
		{ "repeat", repeat_command, 0, "" },
		{ .name = NULL },
	};

	return commands_run(list, argc, argv);
}
