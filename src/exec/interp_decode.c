/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From instructions to steps: see interp.h. Passes, each linear in the program's length:
 *
 *   examine    what the interpreter's own safety rests on (known operations, targets inside the program,
 *              r10 never written), and where control may arrive from elsewhere
 *   number     the steps; `if c goto +1; goto x` becomes one, `if !c goto x`
 *   translate  each instruction into a step, its target still a number
 *   frames     how much stack each function needs
 *   select     the handlers, tracking which registers equal the accumulator; targets become addresses
 *
 * Requires: insn.def, handlers.def, fuse(). Provides: image_make(), image_free().
 */
#include "exec/interp.h"

#include <errno.h>

#include "core/core.h"

/* An operation's plain handler; H_COUNT: the interpreter does not run it. */
static const uint16_t handler_of[OP_COUNT] = {
#define H_CALLX H_COUNT
#define H_LDDW_MAP_FD H_COUNT
#define H_LDDW_MAP_VALUE H_COUNT
#define H_LDDW_BTF_ID H_COUNT
#define H_LDDW_FUNC H_COUNT
#define H_LDDW_MAP_IDX H_COUNT
#define H_LDDW_MAP_IDX_VALUE H_COUNT
#define H_ADDR_CAST H_COUNT
#define H_JAL H_JA
#define H_LD_ABS_W H_LD_ABS
#define H_LD_ABS_H H_LD_ABS
#define H_LD_ABS_B H_LD_ABS
#define H_LD_IND_W H_LD_IND
#define H_LD_IND_H H_LD_IND
#define H_LD_IND_B H_LD_IND
#define INSN(op, ...) [OP_##op] = H_##op,
#include "isa/insn.def"
#undef INSN
};

/* The opposite of each condition that has one. */
static const uint8_t opposite_of[OP_COUNT] = {
#define X(one, other)                                                                              \
	[OP_##one##64_K] = OP_##other##64_K, [OP_##one##64_X] = OP_##other##64_X,                  \
	[OP_##one##32_K] = OP_##other##32_K, [OP_##one##32_X] = OP_##other##32_X,
	X(JEQ, JNE) X(JNE, JEQ) X(JGT, JLE) X(JLE, JGT) X(JGE, JLT) X(JLT, JGE)
	X(JSGT, JSLE) X(JSLE, JSGT) X(JSGE, JSLT) X(JSLT, JSGE)
#undef X
};

enum { NO_REG = NREGS, MAX_HOPS = 8 };

enum marks {
	MARK_START = 1,   /* an instruction begins here: not the second slot of a wide one */
	MARK_LEADER = 2,  /* control may arrive here from elsewhere */
	MARK_DROPPED = 4, /* a jump that the condition before it does as well */
};

struct decoder {
	struct prog *p;
	struct image *im;
	const void *const *labels;
	bool checked;
	uint8_t *marks;    /* [ninsns], enum marks */
	uint32_t *step_of; /* [ninsns] */
	uint8_t *op;       /* [nsteps + MAX_FUSED]: of each step, OP_INVALID behind the last */
	unsigned equal;    /* bit N: rN equals the accumulator here */
};

static bool is_atomic(enum op op)
{
	return (insn_info[op].code & 7) == CLASS_STX && insn_info[op].key == KEY_IMM;
}

static bool is_goto(enum op op)
{
	return op == OP_JA || op == OP_JAL;
}

static bool has_target(enum op op)
{
	return insn_info[op].fields & (INSN_JOFF | INSN_JIMM) || op == OP_CALL_LOCAL;
}

/* --- Examine ------------------------------------------------------------------------------------ */

static int mark_leader(struct decoder *d, int64_t target)
{
	if (target < 0 || target >= d->p->ninsns)
		return -EINVAL;
	d->marks[target] |= MARK_LEADER;
	return 0;
}

static int examine(struct decoder *d, uint32_t pc)
{
	const struct prog *p = d->p;
	const struct insn *i = &p->insns[pc];
	enum op op = insn_op(i);
	unsigned f;

	if (op == OP_INVALID)
		return -EINVAL;
	if (handler_of[op] == H_COUNT)
		return -ENOTSUPP;
	f = insn_info[op].fields;
	if (i->dst > R10 || (insn_info[op].key != KEY_SRC && i->src > R10))
		return -EINVAL;
	if ((f & INSN_WD && i->dst == R10) || (f & INSN_WS && i->src == R10))
		return -EINVAL;
	if (pc + insn_slots(op) >= p->ninsns && !(f & INSN_END))
		return -EINVAL;
	if (op == OP_CALL_LOCAL)
		return p->aux[pc].func < p->nfuncs ? 0 : -EINVAL;
	return has_target(op) ? mark_leader(d, insn_target(op, i, pc)) : 0;
}

static int examine_all(struct decoder *d)
{
	const struct prog *p = d->p;
	int err;

	for (uint32_t f = 0; f < p->nfuncs; f++) {
		err = mark_leader(d, p->funcs[f].start);
		if (err)
			return err;
	}
	for (uint32_t pc = 0; pc < p->ninsns; pc += insn_slots(insn_op(&p->insns[pc]))) {
		err = examine(d, pc);
		if (err)
			return err;
		d->marks[pc] |= MARK_START;
	}
	for (uint32_t pc = 0; pc < p->ninsns; pc++)
		if (d->marks[pc] == MARK_LEADER)
			return -EINVAL;
	return 0;
}

/* --- Number ------------------------------------------------------------------------------------- */

/* Is the instruction behind pc a goto that nothing else arrives at, over which pc jumps? */
static bool jumps_over_goto(const struct decoder *d, uint32_t pc)
{
	const struct insn *i = &d->p->insns[pc];

	return opposite_of[insn_op(i)] && i->off == 1 && is_goto(insn_op(i + 1)) &&
	       !(d->marks[pc + 1] & MARK_LEADER);
}

static void number_all(struct decoder *d)
{
	const struct prog *p = d->p;
	uint32_t steps = 0;

	for (uint32_t pc = 0; pc < p->ninsns; pc++) {
		if (!(d->marks[pc] & MARK_START) || d->marks[pc] & MARK_DROPPED)
			continue;
		d->step_of[pc] = steps++;
		if (jumps_over_goto(d, pc))
			d->marks[pc + 1] |= MARK_DROPPED;
	}
	d->im->nsteps = steps;
}

/* --- Translate ---------------------------------------------------------------------------------- */

/* Where control gets to in the end from a jump to pc. */
static uint32_t final_target(const struct prog *p, uint32_t pc)
{
	for (int hops = 0; hops < MAX_HOPS; hops++) {
		enum op op = insn_op(&p->insns[pc]);

		if (!is_goto(op))
			break;
		pc = (uint32_t)insn_target(op, &p->insns[pc], pc);
	}
	return pc;
}

static int translate_call(const struct decoder *d, uint32_t pc, struct step *s)
{
	const struct prog *p = d->p;
	int32_t id = p->insns[pc].imm;
	const struct helper *h = helper_find(p->obj.k, id);

	if (id == BPF_FUNC_TAIL_CALL)
		return 0;
	s->call = d->checked ? NULL : p->aux[pc].call;
	if (!s->call && h)
		s->call = h->fn;
	return s->call ? 0 : -EINVAL;
}

/* block: where the basic block began. */
static int translate(struct decoder *d, uint32_t pc, uint32_t block)
{
	const struct prog *p = d->p;
	const struct insn *i = &p->insns[pc];
	enum op op = insn_op(i);
	unsigned f = insn_info[op].fields;
	uint32_t n = d->step_of[pc], at = pc, cost;
	struct step *s = &d->im->steps[n];

	if (jumps_over_goto(d, pc)) {
		op = opposite_of[op];
		at = pc + 1;
	}
	*s = (struct step){.dst = i->dst, .src = i->src, .off = i->off, .imm = i->imm, .insn = pc};
	d->op[n] = op;
	cost = at - block + 1;
	if (f & (INSN_JOFF | INSN_JIMM | INSN_CALLS | INSN_END))
		s->cost = cost < UINT16_MAX ? (uint16_t)cost : UINT16_MAX;
	if (op == OP_CALL_LOCAL)
		s->wide = p->funcs[p->aux[pc].func].start;
	else if (has_target(op))
		s->wide = final_target(p, (uint32_t)insn_target(insn_op(&p->insns[at]), &p->insns[at], at));
	else if (op == OP_CALL)
		return translate_call(d, pc, s);
	else if (op == OP_CALL_KFUNC)
		s->call = p->aux[pc].call;
	else if (f & INSN_CALLS)
		s->size = insn_size(i);
	else if (f & INSN_WIDE)
		s->wide = insn_imm64(i);
	return 0;
}

static int translate_all(struct decoder *d)
{
	const struct prog *p = d->p;
	uint32_t block = 0;

	for (uint32_t pc = 0; pc < p->ninsns; pc++) {
		int err;

		if (!(d->marks[pc] & MARK_START) || d->marks[pc] & MARK_DROPPED)
			continue;
		if (d->marks[pc] & MARK_LEADER)
			block = pc;
		err = translate(d, pc, block);
		if (err)
			return err;
		if (insn_info[insn_op(&p->insns[pc])].fields &
		    (INSN_JOFF | INSN_JIMM | INSN_CALLS | INSN_END))
			block = pc + 1 + jumps_over_goto(d, pc);
	}
	for (unsigned n = 0; n < MAX_FUSED; n++)
		d->op[d->im->nsteps + n] = OP_INVALID;
	return 0;
}

/* --- Select ------------------------------------------------------------------------------------- */

/* The variant of a load or store through r10, or the plain handler where it leaves the frame. */
static unsigned frame_variant(const struct step *s, enum op op, bool value_in)
{
	unsigned f = insn_info[op].fields, handler = handler_of[op];

	if (!step_in_frame(s, op))
		return handler;
	if (f & INSN_STORE && f & INSN_RS)
		return handler + (value_in ? VARIANT_STX_FB : VARIANT_STX_F);
	return handler + VARIANT_F;
}

/* The variant of a fused handler that fits, or 0: nothing can be fused here. */
static unsigned choose_fused(const struct decoder *d, uint32_t n)
{
	struct step *s = &d->im->steps[n];
	enum op op = d->op[n];
	struct fusion f;
	unsigned h = fuse(s, &d->op[n], &f);

	if (!h)
		return 0;
	if (f.a == R10 && insn_info[op].fields & INSN_LOAD)
		return step_in_frame(s, op) ? h + VARIANT_F : 0;
	if (d->equal >> f.a & 1)
		return h + VARIANT_A;
	return d->equal >> f.b & 1 ? h + VARIANT_B : h;
}

/* Chooses among the variants of a handler by what the accumulator holds. */
static unsigned choose(const struct decoder *d, uint32_t n)
{
	const struct step *s = &d->im->steps[n];
	enum op op = d->op[n];
	unsigned f = insn_info[op].fields;
	unsigned h = handler_of[op];
	unsigned a = f & INSN_RD ? s->dst : f & INSN_RS ? s->src : (unsigned)NO_REG;
	unsigned b = f & INSN_RD && f & INSN_RS ? s->src : (unsigned)NO_REG;

	if (op == OP_CALL && s->imm == BPF_FUNC_TAIL_CALL)
		return H_TAIL_CALL;
	if (f & INSN_CALLS || is_atomic(op) || op == OP_MAY_GOTO)
		return h;
	if (f & (INSN_LOAD | INSN_STORE) && a == R10)
		return frame_variant(s, op, d->equal >> b & 1);
	if (d->equal >> a & 1)
		return h + VARIANT_A;
	if (d->equal >> b & 1)
		return h + VARIANT_B;
	return h;
}

/* What the accumulator equals after a step. */
static void follow(struct decoder *d, uint32_t n)
{
	const struct step *s = &d->im->steps[n];
	enum op op = d->op[n];
	unsigned f = insn_info[op].fields;
	unsigned dst = 1u << s->dst, src = 1u << s->src;

	if (f & INSN_CALLS)
		d->equal = op == OP_CALL && s->imm == BPF_FUNC_TAIL_CALL ? 0 : 1u << R0;
	else if (is_atomic(op))
		d->equal &= ~((f & INSN_WD ? dst : 0) | (f & INSN_WS ? src : 0) |
		              (f & INSN_W0 ? 1u << R0 : 0));
	else if (op == OP_MOV64_X)
		d->equal = d->equal & src ? d->equal | dst : dst | src;
	else if (f & INSN_WD)
		d->equal = dst;
}

static void select_all(struct decoder *d)
{
	struct image *im = d->im;

	for (uint32_t n = 0; n < im->nsteps; n++) {
		struct step *s = &im->steps[n];
		unsigned handler;

		if (d->marks[s->insn] & MARK_LEADER)
			d->equal = 0;
		handler = choose_fused(d, n);
		s->go = d->labels[handler ? handler : choose(d, n)];
		if (has_target(d->op[n]))
			s->to = &im->steps[d->step_of[s->wide]];
		follow(d, n);
	}
}

/* --- Frames ------------------------------------------------------------------------------------- */

/* Bytes below r10 that a step may touch; all where it does anything else with r10. */
static uint32_t stack_use(const struct step *s, enum op op)
{
	unsigned f = insn_info[op].fields;
	unsigned base = f & INSN_STORE ? s->dst : s->src;

	if (f & (INSN_LOAD | INSN_STORE) && base == R10) {
		if (f & INSN_STORE && f & INSN_RS && s->src == R10)
			return STACK_SIZE;
		return step_in_frame(s, op) ? (uint32_t)-s->off : 0;
	}
	if ((f & INSN_RD && s->dst == R10) || (f & INSN_RS && s->src == R10))
		return STACK_SIZE;
	return 0;
}

static void size_frames(struct decoder *d)
{
	const struct prog *p = d->p;
	struct image *im = d->im;

	for (uint32_t f = 0; f < p->nfuncs; f++) {
		uint32_t n = d->step_of[p->funcs[f].start], frame = 0;
		uint32_t end = f + 1 < p->nfuncs ? d->step_of[p->funcs[f + 1].start] : im->nsteps;

		im->funcs[f].begin = &im->steps[n];
		for (; n < end; n++) {
			uint32_t use = stack_use(&im->steps[n], d->op[n]);

			frame = use > frame ? use : frame;
		}
		im->funcs[f].frame = (frame + 7) & ~7u;
	}
	for (uint32_t n = 0; n < im->nsteps; n++)
		if (d->op[n] == OP_CALL_LOCAL)
			im->steps[n].imm =
				(int32_t)im->funcs[p->aux[im->steps[n].insn].func].frame;
}

/* ------------------------------------------------------------------------------------------------ */

static int decode_all(struct decoder *d)
{
	int err = examine_all(d);

	if (err)
		return err;
	number_all(d);
	err = translate_all(d);
	if (err)
		return err;
	size_frames(d);
	select_all(d);
	return 0;
}

int image_make(struct prog *p, const void *const *labels, bool checked, struct image **out)
{
	const struct mem *m = &p->obj.k->mem;
	struct decoder d = {.p = p, .labels = labels, .checked = checked};
	int err = -ENOMEM;

	if (!p->ninsns || !p->nfuncs)
		return -EINVAL;
	d.marks = mem_zalloc(m, p->ninsns);
	d.op = mem_zalloc(m, (size_t)p->ninsns + MAX_FUSED);
	d.step_of = mem_zalloc_array(m, p->ninsns, sizeof(d.step_of[0]));
	d.im = mem_zalloc(m, sizeof(*d.im) + (size_t)p->ninsns * sizeof(struct step));
	if (!d.marks || !d.op || !d.step_of || !d.im)
		goto out;
	d.im->funcs = mem_zalloc_array(m, p->nfuncs, sizeof(d.im->funcs[0]));
	if (d.im->funcs)
		err = decode_all(&d);
out:
	mem_free(m, d.marks);
	mem_free(m, d.op);
	mem_free(m, d.step_of);
	if (err && d.im) {
		mem_free(m, d.im->funcs);
		mem_free(m, d.im);
	} else if (!err) {
		*out = d.im;
	}
	return err;
}

void image_free(struct prog *p)
{
	const struct mem *m = &p->obj.k->mem;
	struct image *im = p->image;

	if (im)
		mem_free(m, im->funcs);
	mem_free(m, im);
	p->image = NULL;
}
