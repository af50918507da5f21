/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_SYS_PROG_H
#define SKEP_SYS_PROG_H

#include <stdint.h>

struct call;
struct prog;

/* The program of a caller's descriptor, with a reference. -EBADF, -EINVAL. */
int prog_of_fd(struct call *call, uint32_t fd, struct prog **out);

#endif
