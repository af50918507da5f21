/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter's own representation of a program, shared by its two engines.
 *
 * prepare() turns the instructions of a program into an array of steps. A step holds the address of the
 * code that executes it, operands where they can be used without decoding, and jump targets as pointers.
 *
 * The accumulator. Every handler that computes a register also leaves the value in one local variable of
 * the interpreter, the accumulator; the decoder knows at each point (except where control may arrive
 * from elsewhere) which registers equal it and selects a variant of the handler that takes its operand
 * from there. Registers in memory are always up to date, so this only shortens the chain of
 * dependencies: 1 cycle instead of a store and a load.
 *
 * One body (interp_run.h) is compiled twice: by interp.c for programs that are trusted, and by checked.c
 * with every access resolved.
 */
#ifndef SKEP_EXEC_INTERP_H
#define SKEP_EXEC_INTERP_H

#include "core/prog.h"
#include "isa/alu.h"

/* Helpers that the engines know. */
enum { BPF_FUNC_TAIL_CALL = 12, BPF_FUNC_FOR_EACH_MAP_ELEM = 164 };

enum handler {
#define H(name) H_##name,
#include "exec/handlers.def"
#undef H
	H_COUNT,
};

/* Distance of a variant from the plain handler, as they stand in handlers.def. */
enum {
	VARIANT_A = 1,
	VARIANT_B = 2,
	VARIANT_F = 2,
	VARIANT_STX_F = 3,
	VARIANT_STX_FB = 4,
};
static_assert(H_ADD64_X_B == H_ADD64_X + VARIANT_B && H_LDX_B_F == H_LDX_B + VARIANT_F &&
              H_ST_B_F == H_ST_B + VARIANT_F && H_STX_B_F == H_STX_B + VARIANT_STX_F &&
              H_STX_B_FB == H_STX_B + VARIANT_STX_FB, "the decoder adds these");

/* One instruction of the decoded program. */
struct step {
	const void *go; /* label of the handler */
	uint8_t dst, src;
	union {
		int16_t off; /* loads and stores */
		/*
		 * What ends a basic block (jumps, calls, exit): the number of instructions of the block up to
		 * here, at most UINT16_MAX; the checked engine pays for them with fuel.
		 */
		uint16_t cost;
	};
	int32_t imm; /* of a helper call its id, of LD_ABS and LD_IND the offset */
	union {
		const struct step *to; /* jumps and local calls */
		helper_fn call;
		uint64_t wide; /* lddw */
		unsigned size; /* LD_ABS, LD_IND */
	};
	uint32_t insn; /* index in prog->insns */
	/* Checked engine: where the access of this step was resolved last. Any value is safe. */
	_Atomic uint8_t hint;
};
static_assert(sizeof(struct step) == 32, "steps never straddle a cache line");

struct image {
	uint32_t nsteps;
	const struct step **funcs; /* [nfuncs]: where each begins */
	struct step steps[];
};

/*
 * Decodes p->insns. labels: code addresses by enum handler. checked: helpers are called through their
 * rows in the registry, since a call specialised for one map cannot be checked.
 * 0, -ENOMEM, -ENOTSUPP, -EINVAL (no program that a verifier would have passed).
 */
int image_make(struct prog *p, const void *const *labels, bool checked, struct image **out);
void image_free(struct prog *p);

/* Registers whose being in the accumulator selects variants A and B of a fused handler; NREGS: none. */
struct fusion {
	unsigned a, b;
};

/*
 * The handler that executes several instructions from i on (left slots to the end of the program), or 0.
 * May change the operands in s.
 */
unsigned fuse(const struct insn *i, uint32_t left, struct step *s, struct fusion *f);

static inline const struct image *prog_image(const struct prog *p)
{
	return p->image;
}

#endif
