/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scalars: the abstract value of a register that holds a number.
 *
 * Five views of one 64-bit value, each of which the value satisfies: the bits (var), the signed and the
 * unsigned range, and both ranges of its lower half. No view is implied by the others; scalar_sync()
 * lets each learn from the others. The struct stands also for the variable part of a pointer.
 *
 * Transfer functions are sound: for all concrete x in dst and y in src, the concrete result is in the
 * abstract one. They know what Linux 6.18 knows, so verdicts and printed states agree with it.
 *
 * Operations are named by the upper four bits of the opcode (code & 0xf0).
 */
#ifndef SKEP_VERIFIER_SCALAR_H
#define SKEP_VERIFIER_SCALAR_H

#include <string.h>

#include "verifier/tnum.h"

struct buf;

struct scalar {
	struct tnum var;
	int64_t smin, smax;
	uint64_t umin, umax;
	int32_t smin32, smax32;
	uint32_t umin32, umax32;
};

enum alu_op {
	ALU_ADD = 0x00,
	ALU_SUB = 0x10,
	ALU_MUL = 0x20,
	ALU_DIV = 0x30,
	ALU_OR = 0x40,
	ALU_AND = 0x50,
	ALU_LSH = 0x60,
	ALU_RSH = 0x70,
	ALU_NEG = 0x80,
	ALU_MOD = 0x90,
	ALU_XOR = 0xa0,
	ALU_MOV = 0xb0,
	ALU_ARSH = 0xc0,
	ALU_END = 0xd0,
};

enum cmp_op {
	CMP_EQ = 0x10,
	CMP_GT = 0x20,
	CMP_GE = 0x30,
	CMP_SET = 0x40,
	CMP_NE = 0x50,
	CMP_SGT = 0x60,
	CMP_SGE = 0x70,
	CMP_LT = 0xa0,
	CMP_LE = 0xb0,
	CMP_SLT = 0xc0,
	CMP_SLE = 0xd0,
};

void scalar_set_unknown(struct scalar *s);
void scalar_set_const(struct scalar *s, uint64_t value);
/* umin .. umax, and what follows from it. */
void scalar_set_range(struct scalar *s, uint64_t umin, uint64_t umax);
/* The ranges know nothing; var stays. */
void scalar_unbound(struct scalar *s);
void scalar_unbound32(struct scalar *s);

static inline bool scalar_is_const(const struct scalar *s)
{
	return tnum_is_const(s->var);
}

static inline bool scalar_is_const32(const struct scalar *s)
{
	return tnum_is_const(tnum_low(s->var));
}

/* Lets the views learn from each other. */
void scalar_sync(struct scalar *s);
/* Are ranges non-empty and constants the same in all views? If not, no value is possible here. */
bool scalar_sane(const struct scalar *s);
const char *scalar_fault(const struct scalar *s); /* NULL, or in the kernel's words why not */

/*
 * dst = dst op src, for all binary operations but MOV; the result is synced. 32-bit operations take the
 * lower halves and clear the upper half of dst.
 */
void scalar_alu(struct scalar *dst, const struct scalar *src, enum alu_op op, bool is32);
void scalar_neg(struct scalar *dst, bool is32);
/* Byte order: swap says whether bytes change places on this host; bits is 16, 32 or 64. */
void scalar_end(struct scalar *dst, bool swap, unsigned bits);
void scalar_zext(struct scalar *s);                  /* the upper half becomes 0: w0 = w0 */
void scalar_truncate(struct scalar *s, unsigned bytes); /* only the lower bytes stay */
void scalar_sext(struct scalar *s, unsigned bytes);   /* the lower bytes, sign-extended to 64 bits */
void scalar_sext32(struct scalar *s, unsigned bytes); /* to 32 bits; the upper half stays: zext next */
/* Would the result of an operation be known in any way? Else scalar_alu() makes dst unknown. */
bool scalar_alu_tracked(const struct scalar *src, enum alu_op op, bool is32);

/*
 * A mask made of a condition: when d is 0 or all ones (in the lower half at least) and `d op s` ANDs or ORs
 * it with a constant, the two values are worth following apart. Answers true and what d is on both ways;
 * the kernel goes on with `ones` and comes back to the instruction with `zero`.
 */
bool scalar_forks(const struct scalar *d, const struct scalar *s, enum alu_op op, struct scalar *zero,
                  struct scalar *ones);

/* Is `a op b` true for all values (1), for none (0), or is it not known (-1)? */
int scalar_branch(const struct scalar *a, const struct scalar *b, enum cmp_op op, bool is32);
/*
 * Both learn that `a op b` is (taken) or is not true, and are synced. Afterwards they may be insane: the
 * branch is then impossible although scalar_branch() did not see it.
 */
void scalar_refine(struct scalar *a, struct scalar *b, enum cmp_op op, bool is32, bool taken);
enum cmp_op cmp_swap(enum cmp_op op);   /* a op b == b swapped a */
enum cmp_op cmp_negate(enum cmp_op op); /* not for CMP_SET */

/* Keeps what both know; they must have a value in common. */
void scalar_intersect(struct scalar *s, const struct scalar *other);
/* Is each value of `in` allowed by `out`? By ranges and by bits: what pruning asks. */
bool scalar_within(const struct scalar *out, const struct scalar *in);
static inline bool scalar_equal(const struct scalar *a, const struct scalar *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/*
 * Appends what the kernel prints of the ranges and the bits: "smin=...,umax32=...,var_off=(0x0; 0xff)",
 * nothing of an unknown value; sep goes before the first part that is printed.
 */
void scalar_print(struct buf *log, const struct scalar *s, const char *sep);

#endif
