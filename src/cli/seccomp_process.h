/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_CLI_SECCOMP_PROCESS_H
#define SKEP_CLI_SECCOMP_PROCESS_H

#include "cli/filter.h"

/* Filter `index` of a process, 0 being the newest. 0, or the exit code after a message. */
int filter_of_process(long pid, unsigned index, struct filter *f);

#endif
