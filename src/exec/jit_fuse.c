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

/* Makes *in the fused operation, of n slots. */
static unsigned fused(const struct window *w, struct jit_insn *in, enum jit_op op, uint32_t n)
{
	in->op = (uint8_t)op;
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

/* d = s; d += x    and    d = s; d += k    and    d = s; d &= 0xff */
static unsigned fuse_operands(const struct window *w, struct jit_insn *in, bool wide)
{
	const struct insn *second = &w->i[1];
	enum op op = w->note[1].op;

	if (!reaches(w, 2) || second->dst != in->dst)
		return 0;
	if (op == (wide ? OP_ADD64_X : OP_ADD32_X) && wants(w, JIT_ADD64_X)) {
		in->src2 = second->src == in->dst ? in->src : second->src;
		return fused(w, in, wide ? JIT_ADD64_X : JIT_ADD32_X, 2);
	}
	if (op == (wide ? OP_ADD64_K : OP_ADD32_K) && wants(w, JIT_ADD64_K)) {
		in->imm = second->imm;
		return fused(w, in, wide ? JIT_ADD64_K : JIT_ADD32_K, 2);
	}
	if ((op == OP_AND64_K || op == OP_AND32_K) && wants(w, JIT_ZEXT)) {
		if (second->imm != 0xff && second->imm != 0xffff)
			return 0;
		in->imm = second->imm == 0xff ? 8 : 16;
		return fused(w, in, JIT_ZEXT, 2);
	}
	return 0;
}

/* --- Extension ----------------------------------------------------------------------------------- */

/* x <<= n; x >>= n cuts off the upper n bits, s>>= extends the sign of what is left. */
static unsigned fuse_extension(const struct window *w, struct jit_insn *in)
{
	static const struct {
		uint8_t count, right, op, bits;
	} extensions[] = {
		{32, OP_RSH64_K, OP_MOV32_X, 0},     {48, OP_RSH64_K, JIT_ZEXT, 16},
		{56, OP_RSH64_K, JIT_ZEXT, 8},       {32, OP_ARSH64_K, OP_MOVSX32_64, 0},
		{48, OP_ARSH64_K, OP_MOVSX16_64, 0}, {56, OP_ARSH64_K, OP_MOVSX8_64, 0},
	};

	if (!reaches(w, 2) || w->i[1].dst != in->dst || w->i[1].imm != in->imm)
		return 0;
	for (unsigned n = 0; n < sizeof(extensions) / sizeof(extensions[0]); n++) {
		if (extensions[n].count != in->imm || extensions[n].right != w->note[1].op)
			continue;
		if (extensions[n].op == JIT_ZEXT && !wants(w, JIT_ZEXT))
			return 0;
		in->src = in->dst;
		in->imm = extensions[n].bits;
		return fused(w, in, extensions[n].op, 2);
	}
	return 0;
}

/* --- Indexed addresses --------------------------------------------------------------------------- */

/* What fuse_index() has found so far of an address: t = base + (index << scale). */
struct address {
	unsigned t, base, index, scale;
	uint32_t n; /* slots so far */
	bool is_table;
};

static const uint8_t is_indexable[OP_COUNT] = {
	[OP_LDX_B] = 1,  [OP_LDX_H] = 1,  [OP_LDX_W] = 1,  [OP_LDX_DW] = 1, [OP_LDSX_B] = 1, [OP_LDSX_H] = 1,
	[OP_LDSX_W] = 1, [OP_STX_B] = 1, [OP_STX_H] = 1, [OP_STX_W] = 1,   [OP_STX_DW] = 1,
};

/* The address part, without the access:  [x <<= k;]  [t = s; | t = table ll;]  t += x */
static bool find_address(const struct window *w, struct address *a)
{
	unsigned shifted = NREGS;

	*a = (struct address){.t = NREGS};
	if (w->note[0].op == OP_LSH64_K) {
		shifted = w->i[0].dst;
		a->scale = (unsigned)w->i[0].imm;
		a->n = 1;
	}
	if (!reaches(w, a->n + 1))
		return false;
	if (w->note[a->n].op == OP_MOV64_X) {
		a->t = w->i[a->n].dst;
		a->base = w->i[a->n].src;
		a->n++;
	} else if (w->note[a->n].flags & NOTE_WIDE) {
		a->t = a->base = w->i[a->n].dst;
		a->is_table = true;
		a->n += 2;
	}
	if (!reaches(w, a->n + 2) || w->note[a->n].op != OP_ADD64_X)
		return false;
	a->index = w->i[a->n].src;
	if (a->t == NREGS)
		a->t = a->base = w->i[a->n].dst;
	else if (w->i[a->n].dst != a->t)
		return false;
	a->n++;
	/* The sum may be formed in the shifted register as well. */
	if (a->scale && a->t == shifted && a->base == shifted) {
		a->base = a->index;
		a->index = shifted;
	}
	return a->index != a->t ? !a->scale || a->index == shifted : a->scale && a->index == shifted;
}

/* May the instruction at n be carried out before the address is formed? */
static bool can_go_first(const struct window *w, const struct address *a, uint32_t n)
{
	const struct jit_note *note = &w->note[n];
	unsigned gone = 1u << a->t | (a->scale ? 1u << a->index : 0);

	return note->flags & NOTE_PURE && !(note->flags & NOTE_WIDE) && !(note->uses & gone) &&
	       !(note->sets & (gone | 1u << a->base | 1u << a->index));
}

/* Does the access at n leave nobody interested in how the address was formed? */
static bool address_is_gone(const struct window *w, const struct address *a, uint32_t n, bool load)
{
	const struct insn *access = &w->i[n];
	bool t_is_dead = dead_after(w, n, a->t), index_is_dead = !a->scale || dead_after(w, n, a->index);

	/* What is loaded may replace what the address was made of; what is stored must be there still. */
	if (load)
		return (t_is_dead || access->dst == a->t) && (index_is_dead || access->dst == a->index);
	return t_is_dead && index_is_dead && access->src != a->t &&
	       !(a->scale && access->src == a->index);
}

/* An address as above, perhaps something that may as well come first, and a load or store there. */
static unsigned fuse_index(const struct window *w, struct jit_insn *in)
{
	const struct insn *access;
	struct address a;
	bool load;
	uint32_t n;

	if (!wants(w, JIT_INDEX) || !find_address(w, &a) || (a.is_table && a.base == a.index))
		return 0;
	n = a.n;
	if (!is_indexable[w->note[n].op] && can_go_first(w, &a, n) && reaches(w, n + 2))
		n++;
	access = &w->i[n];
	load = insn_info[w->note[n].op].fields & INSN_LOAD;
	if (!is_indexable[w->note[n].op] || (load ? access->src : access->dst) != a.t ||
	    !address_is_gone(w, &a, n, load))
		return 0;
	if (a.is_table)
		in->imm64 = insn_imm64(&w->i[a.scale != 0]);
	in->before = n > a.n ? (uint8_t)a.n : 0;
	in->second = w->note[n].op;
	in->dst = load ? access->dst : access->src;
	in->src = (uint8_t)a.base;
	in->src2 = (uint8_t)a.index;
	in->scale = (uint8_t)a.scale;
	in->off = access->off;
	return fused(w, in, a.is_table ? JIT_TABLE : JIT_INDEX, n + 1);
}

static unsigned fuse_mov64(const struct window *w, struct jit_insn *in)
{
	unsigned n = wants(w, JIT_ROTATE64) ? fuse_rotate(w, in, true) : 0;

	if (!n)
		n = fuse_index(w, in);
	return n ? n : fuse_operands(w, in, true);
}

static unsigned fuse_mov32(const struct window *w, struct jit_insn *in)
{
	unsigned n = wants(w, JIT_ROTATE32) ? fuse_rotate(w, in, false) : 0;

	return n ? n : fuse_operands(w, in, false);
}

static unsigned fuse_shift(const struct window *w, struct jit_insn *in)
{
	unsigned n = in->imm >= 1 && in->imm <= 3 ? fuse_index(w, in) : 0;

	return n ? n : fuse_extension(w, in);
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

/* --- Tests ---------------------------------------------------------------------------------------- */

/* x &= k; if x != 0 goto L, x being of no further interest */
static unsigned fuse_test(const struct window *w, struct jit_insn *in)
{
	const struct insn *jump = &w->i[1];
	enum op op = w->note[1].op;
	bool narrow = in->op == OP_AND32_K, equal = op == OP_JEQ64_K || op == OP_JEQ32_K;

	if (!equal && op != OP_JNE64_K && op != OP_JNE32_K)
		return 0;
	if (!reaches(w, 2) || jump->dst != in->dst || jump->imm || !dead_after(w, 1, in->dst))
		return 0;
	/* A wide AND may leave bits that a narrow comparison does not look at. */
	if (!narrow && (op == OP_JEQ32_K || op == OP_JNE32_K))
		narrow = true;
	if (!wants(w, JIT_JUMP_NOT))
		return 0;
	in->first = narrow ? OP_JSET32_K : OP_JSET64_K;
	in->target = (uint32_t)insn_target(op, jump, in->pc + 1);
	return fused(w, in, equal ? JIT_JUMP_NOT : (enum jit_op)in->first, 2);
}

/* --- Jumps over one instruction ----------------------------------------------------------------- */

/* if a op b goto +1; d = s    and    if a op b goto +1; goto L */
static unsigned fuse_jump(const struct window *w, struct jit_insn *in)
{
	enum op op;

	if (in->off != 1 || !reaches(w, 2))
		return 0;
	in->first = in->op;
	op = in->second = w->note[1].op;
	if ((op == OP_JA || op == OP_JAL) && wants(w, JIT_JUMP_NOT)) {
		in->target = (uint32_t)insn_target(op, &w->i[1], in->pc + 1);
		return fused(w, in, JIT_JUMP_NOT, 2);
	}
	if (!wants(w, JIT_SELECT))
		return 0;
	if (op != OP_MOV64_X && op != OP_MOV32_X && op != OP_MOV64_K && op != OP_MOV32_K)
		return 0;
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
	[OP_LSH64_K] = fuse_shift,
	[OP_ADD64_X] = fuse_index,
	[OP_LDDW] = fuse_index,
	[OP_AND64_K] = fuse_test,
	[OP_AND32_K] = fuse_test,
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
