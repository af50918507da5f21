/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep exec: runs a BPF object over packets.
 */
#include "cli/cli.h"

static int exec_run(int argc, char **argv)
{
	return fail(EXIT_UNSUPPORTED, "exec is not in this build");
}

const struct command command_exec = {
	.name = "exec",
	.args = "OBJ [options]",
	.summary = "run a BPF object over a capture or a packet",
	.help = "",
	.run = exec_run,
};
