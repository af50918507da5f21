/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations of bpf(2) on one side; for side.c. */
#ifndef TESTS_MAPS_DIFF_SIDE_SYS_H
#define TESTS_MAPS_DIFF_SIDE_SYS_H

#include "side.h"

union bpf_attr;

enum {
	BATCH_MAX = 256, /* elements in one command */
	NO_KEY = 255,    /* op.key: the key's address is NULL */
};

/* 0, a descriptor or -errno. */
int side_bpf(struct side *s, int cmd, union bpf_attr *a);
struct result side_sys(struct side *s, const struct op *op);

#endif
