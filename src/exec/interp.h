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
	int32_t imm; /* of a helper call its id, of a local one the callee's frame, of LD_ABS the offset */
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

/* A function. */
struct image_func {
	const struct step *begin;
	/*
	 * Bytes of stack that it needs. The checked engine makes frames that large, and clears them. A function
	 * that does with r10 anything but load and store at fixed offsets needs all.
	 */
	uint32_t frame;
};

struct image {
	uint32_t nsteps;
	struct image_func *funcs; /* [nfuncs] */
	struct step steps[];
};

/*
 * Decodes p->insns. labels: code addresses by enum handler. checked: helpers are called through their
 * rows in the registry, since a call specialised for one map cannot be checked.
 * 0, -ENOMEM, -ENOTSUPP, -EINVAL (no program that a verifier would have passed).
 */
int image_make(struct prog *p, const void *const *labels, bool checked, struct image **out);
void image_free(struct prog *p);

/* Instructions that one handler executes, at most. */
enum { MAX_FUSED = 5 };

/* Registers whose being in the accumulator selects variants A and B of a fused handler; NREGS: none. */
struct fusion {
	unsigned a, b;
};

/*
 * The handler that executes several steps from s on, or 0. op: their operations, OP_INVALID behind the
 * last of the program. May use the fields of s that single handlers do not.
 */
unsigned fuse(struct step *s, const uint8_t op[MAX_FUSED], struct fusion *f);

/* Does a load or store through r10 stay in a frame of full size? */
static inline bool step_in_frame(const struct step *s, enum op op)
{
	const struct insn i = {.code = insn_info[op].code};

	return s->off >= -STACK_SIZE && s->off <= -(int)insn_size(&i);
}

static inline const struct image *prog_image(const struct prog *p)
{
	return p->image;
}

#endif
