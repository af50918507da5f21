/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Idioms: short runs of instructions that many CPUs do in one.
 *
 * BPF has no rotates, three-operand forms, conditional moves or arithmetic on memory, so compilers spell
 * them out. jit_fuse() looks at the instruction that comes next and, where an idiom begins, replaces it by
 * one fused operation (enum jit_op) that stands for it and its successors. An idiom is recognised where
 *
 *   - its instructions stand next to each other and nothing jumps into their midst,
 *   - the temporary register that it needs in BPF is dead afterwards (notes[].live),
 *
 * so a fused operation has no effect but the one its comment in jit.h states. No state, one table look-up
 * for instructions that begin no idiom. A back end that cannot do an operation well leaves it out of its
 * `fuses`.
 *
 * Requires: notes with liveness. Provides: jit_fuse().
 */
#include "exec/jit.h"
#include "isa/alu.h"

/* What an idiom may look at: the instruction at pc and those behind it. */
struct window {
	const struct jit *j;
	const struct insn *i;
	const struct jit_note *note;
	uint32_t left; /* instructions from here to the end of the function */
};

/* Is it n instructions to the last of an idiom, with nothing jumping in between? */
static bool reaches(const struct window *w, uint32_t n)
{
	if (n > w->left)
		return false;
	for (uint32_t k = 1; k < n; k++)
		if (w->note[k].flags & NOTE_TARGET)
			return false;
	return true;
}

static bool dead_after(const struct window *w, uint32_t k, unsigned reg)
{
	return !(w->note[k].live >> reg & 1);
}

static bool wants(const struct window *w, enum jit_op op)
{
	return w->j->arch->fuses >> (op - OP_COUNT) & 1;
}

/* Makes *in the fused operation; it is where its last instruction is. */
static unsigned fused(const struct window *w, struct jit_insn *in, enum jit_op op, uint32_t n)
{
	in->op = (uint8_t)op;
	in->pc += n - 1;
	in->live = w->note[n - 1].live;
	return n;
}

/* --- Rotates ------------------------------------------------------------------------------------- */

/* Two opposite shifts at a and b whose counts add up to the width: the left one's count, else 0. */
static unsigned rotation(const struct window *w, unsigned a, unsigned b, enum op left, enum op right,
                         unsigned width)
{
	unsigned l = w->note[a].op == left ? a : b, r = l == a ? b : a;

	if (w->note[l].op != left || w->note[r].op != right)
		return 0;
	if (w->i[l].imm <= 0 || w->i[r].imm <= 0 || (unsigned)(w->i[l].imm + w->i[r].imm) != width)
		return 0;
	return (unsigned)w->i[l].imm;
}

/*
 *    t = x; t >>= n - k; x <<= k; x |= t                x = rotate(x, k)
 *    t = x; t >>= n - k; d = x; d <<= k; d |= t         d = rotate(x, k)
 */
static unsigned fuse_rotate(const struct window *w, struct jit_insn *in, bool wide)
{
	enum op mov = wide ? OP_MOV64_X : OP_MOV32_X, or = wide ? OP_OR64_X : OP_OR32_X;
	enum op left = wide ? OP_LSH64_K : OP_LSH32_K, right = wide ? OP_RSH64_K : OP_RSH32_K;
	const struct insn *i = w->i;
	unsigned t = i[0].dst, x = i[0].src, n = 4, d = x, count;

	if (!reaches(w, 4) || i[1].dst != t || t == x)
		return 0;
	if (w->note[2].op == mov && i[2].src == x) {
		n = 5;
		d = i[2].dst;
	}
	if (!reaches(w, n) || d == t || i[n - 2].dst != d || w->note[n - 1].op != or)
		return 0;
	if (i[n - 1].dst != d || i[n - 1].src != t || !dead_after(w, n - 1, t))
		return 0;
	count = rotation(w, 1, n - 2, left, right, wide ? 64 : 32);
	if (!count)
		return 0;
	in->dst = (uint8_t)d;
	in->src = (uint8_t)x;
	in->imm = (int32_t)count;
	return fused(w, in, wide ? JIT_ROTATE64 : JIT_ROTATE32, n);
}

/* --- Three operands ------------------------------------------------------------------------------ */

/* d = s; d += x    and    d = s; d += k */
static unsigned fuse_add(const struct window *w, struct jit_insn *in, bool wide)
{
	const struct insn *second = &w->i[1];
	enum op op = w->note[1].op;

	if (!reaches(w, 2) || second->dst != in->dst)
		return 0;
	if (op == (wide ? OP_ADD64_X : OP_ADD32_X)) {
		in->src2 = second->src == in->dst ? in->src : second->src;
		return fused(w, in, wide ? JIT_ADD64_X : JIT_ADD32_X, 2);
	}
	if (op == (wide ? OP_ADD64_K : OP_ADD32_K)) {
		in->imm = second->imm;
		return fused(w, in, wide ? JIT_ADD64_K : JIT_ADD32_K, 2);
	}
	return 0;
}

static unsigned fuse_mov64(const struct window *w, struct jit_insn *in)
{
	unsigned n = wants(w, JIT_ROTATE64) ? fuse_rotate(w, in, true) : 0;

	return n || !wants(w, JIT_ADD64_X) ? n : fuse_add(w, in, true);
}

static unsigned fuse_mov32(const struct window *w, struct jit_insn *in)
{
	unsigned n = wants(w, JIT_ROTATE32) ? fuse_rotate(w, in, false) : 0;

	return n || !wants(w, JIT_ADD32_X) ? n : fuse_add(w, in, false);
}

/* --- Extension ----------------------------------------------------------------------------------- */

/* x <<= n; x >>= n cuts off the upper n bits, s>>= extends the sign of what is left. */
static unsigned fuse_shifts(const struct window *w, struct jit_insn *in)
{
	static const struct {
		uint8_t count, right, op;
		int32_t imm;
	} extensions[] = {
		{32, OP_RSH64_K, OP_MOV32_X, 0},
		{48, OP_RSH64_K, OP_AND64_K, 0xffff},
		{56, OP_RSH64_K, OP_AND64_K, 0xff},
		{32, OP_ARSH64_K, OP_MOVSX32_64, 0},
		{48, OP_ARSH64_K, OP_MOVSX16_64, 0},
		{56, OP_ARSH64_K, OP_MOVSX8_64, 0},
	};

	if (!reaches(w, 2) || w->i[1].dst != in->dst || w->i[1].imm != in->imm)
		return 0;
	for (unsigned n = 0; n < sizeof(extensions) / sizeof(extensions[0]); n++) {
		if (extensions[n].count != in->imm || extensions[n].right != w->note[1].op)
			continue;
		in->src = in->dst;
		in->imm = extensions[n].imm;
		return fused(w, in, extensions[n].op, 2);
	}
	return 0;
}

/* --- Memory operands ------------------------------------------------------------------------------ */

/* Operations whose second operand may come from memory, of the width that they load. */
static bool takes_memory(enum op op, bool wide)
{
	switch (op) {
	case OP_ADD64_X:
	case OP_SUB64_X:
	case OP_AND64_X:
	case OP_OR64_X:
	case OP_XOR64_X:
	case OP_MUL64_X:
		return wide;
	case OP_ADD32_X:
	case OP_SUB32_X:
	case OP_AND32_X:
	case OP_OR32_X:
	case OP_XOR32_X:
	case OP_MUL32_X:
		return !wide;
	default:
		return false;
	}
}

/* t = *(p + off); d op= t */
static unsigned fuse_load(const struct window *w, struct jit_insn *in)
{
	const struct insn *second = &w->i[1];
	unsigned t = in->dst;

	if (!wants(w, JIT_OP_MEM) || !reaches(w, 2) || second->src != t || second->dst == t)
		return 0;
	if (!takes_memory(w->note[1].op, in->op == OP_LDX_DW) || !dead_after(w, 1, t))
		return 0;
	in->second = w->note[1].op;
	in->dst = second->dst;
	return fused(w, in, JIT_OP_MEM, 2);
}

/* --- Conditional moves ----------------------------------------------------------------------------- */

/* if a op b goto +1; d = s */
static unsigned fuse_jump(const struct window *w, struct jit_insn *in)
{
	enum op op;

	if (in->off != 1 || !wants(w, JIT_SELECT) || !reaches(w, 2))
		return 0;
	op = w->note[1].op;
	if (op != OP_MOV64_X && op != OP_MOV32_X && op != OP_MOV64_K && op != OP_MOV32_K)
		return 0;
	in->first = in->op;
	in->second = (uint8_t)op;
	in->to = w->i[1].dst;
	in->from = w->i[1].src;
	in->imm2 = w->i[1].imm;
	return fused(w, in, JIT_SELECT, 2);
}

/* --- Look-up ----------------------------------------------------------------------------------------- */

typedef unsigned fuse_fn(const struct window *w, struct jit_insn *in);

static fuse_fn *const starts[OP_COUNT] = {
	[OP_MOV64_X] = fuse_mov64,
	[OP_MOV32_X] = fuse_mov32,
	[OP_LSH64_K] = fuse_shifts,
	[OP_LDX_W] = fuse_load,
	[OP_LDX_DW] = fuse_load,
#define X(name, ...)                                                                               \
	[OP_##name##64_X] = fuse_jump, [OP_##name##64_K] = fuse_jump,                              \
	[OP_##name##32_X] = fuse_jump, [OP_##name##32_K] = fuse_jump,
	CMP_OPS(X)
#undef X
};

unsigned jit_fuse(const struct jit *j, uint32_t pc, struct jit_insn *in)
{
	const struct window w = {j, &j->p->insns[pc], &j->notes[pc], j->func->end - pc};

	return starts[in->op] ? starts[in->op](&w, in) : 0;
}
