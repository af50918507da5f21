/* SPDX-License-Identifier: BSD-2-Clause */
/* What spec.c offers to alu.c and branch.c. Each answers 0 at once for loaders with CAP_PERFMON. */
#ifndef SKEP_VERIFIER_SPEC_H
#define SKEP_VERIFIER_SPEC_H

#include "verifier/memory.h"
#include "verifier/path.h"

/* How an addition to a pointer is masked, between spec_pointer() and spec_moved(). */
struct spec_mask {
	bool left; /* towards lower addresses */
	uint8_t mask;
	uint32_t limit;
};

/* Before ptr +- num (copies of the operands), after it, and whether the result is inside. */
int spec_pointer(struct verifier *v, const struct insn *i, const struct reg *ptr,
                 const struct reg *num, bool number_is_dst, struct spec_mask *m);
int spec_moved(struct verifier *v, const struct insn *i, const struct spec_mask *m);
int spec_inside(struct verifier *v, unsigned regno);
/* Number +- number. */
int spec_number(struct verifier *v, const struct insn *i);
/* A branch that is decided: the other way is followed as a speculation. */
int spec_branch(struct verifier *v, const struct insn *i, uint32_t to);

#endif
