/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From instructions to steps: see interp.h.
 *
 * One pass checks what the interpreter's own safety rests on (known operations, targets inside the
 * program, r10 never written) and marks where control may arrive from elsewhere; the next makes one step
 * of each instruction, tracking which registers equal the accumulator, and leaves jump targets as
 * instruction numbers; the last turns those into addresses. Linear in the program's length.
 *
 * Requires: insn.def, handlers.def. Provides: image_make(), image_free().
 */
#include "exec/interp.h"

#include <errno.h>

#include "core/core.h"

/* An operation's plain handler; H_COUNT: the interpreter does not run it. */
static const uint16_t handler_of[OP_COUNT] = {
#define H_CALL_KFUNC H_COUNT
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

enum { NO_REG = NREGS };

enum marks {
	MARK_START = 1,  /* an instruction begins here: not the second slot of a wide one */
	MARK_LEADER = 2, /* control may arrive here from elsewhere */
};

struct decoder {
	struct prog *p;
	struct image *im;
	const void *const *labels;
	bool checked;
	uint8_t *marks;    /* [ninsns], enum marks */
	uint32_t *step_of; /* [ninsns] */
	unsigned equal;    /* bit N: rN equals the accumulator here */
	uint32_t block;    /* where the basic block began */
};

static bool is_atomic(enum op op)
{
	return (insn_info[op].code & 7) == CLASS_STX && insn_info[op].key == KEY_IMM;
}

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
	return f & (INSN_JOFF | INSN_JIMM) ? mark_leader(d, insn_target(op, i, pc)) : 0;
}

static int examine_all(struct decoder *d)
{
	const struct prog *p = d->p;
	uint32_t steps = 0;
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
		d->step_of[pc] = steps++;
	}
	for (uint32_t pc = 0; pc < p->ninsns; pc++)
		if (d->marks[pc] == MARK_LEADER)
			return -EINVAL;
	d->im->nsteps = steps;
	return 0;
}

static bool in_frame(const struct insn *i)
{
	return i->off >= -STACK_SIZE && i->off <= -(int)insn_size(i);
}

/* The variant of a load or store through r10, or the plain handler where it leaves the frame. */
static unsigned frame_variant(const struct insn *i, unsigned handler, unsigned fields, bool value_in)
{
	if (!in_frame(i))
		return handler;
	if (fields & INSN_STORE && fields & INSN_RS)
		return handler + (value_in ? VARIANT_STX_FB : VARIANT_STX_F);
	return handler + VARIANT_F;
}

/* The variant of a fused handler that fits, or 0: nothing can be fused here. */
static unsigned choose_fused(const struct decoder *d, uint32_t pc, struct step *s)
{
	const struct insn *i = &d->p->insns[pc];
	struct fusion f;
	unsigned h = fuse(i, d->p->ninsns - pc, s, &f);

	if (!h)
		return 0;
	if (f.a == R10 && insn_info[insn_op(i)].fields & INSN_LOAD)
		return in_frame(i) ? h + VARIANT_F : 0;
	if (d->equal >> f.a & 1)
		return h + VARIANT_A;
	return d->equal >> f.b & 1 ? h + VARIANT_B : h;
}

/* Chooses among the variants of a handler by what the accumulator holds. */
static unsigned choose(const struct decoder *d, uint32_t pc, enum op op, struct step *s)
{
	const struct insn *i = &d->p->insns[pc];
	unsigned f = insn_info[op].fields;
	unsigned fused = choose_fused(d, pc, s);
	unsigned h = handler_of[op];
	unsigned a = f & INSN_RD ? i->dst : f & INSN_RS ? i->src : (unsigned)NO_REG;
	unsigned b = f & INSN_RD && f & INSN_RS ? i->src : (unsigned)NO_REG;

	if (fused)
		return fused;
	if (f & INSN_CALLS || is_atomic(op) || op == OP_MAY_GOTO)
		return h;
	if (f & (INSN_LOAD | INSN_STORE) && a == R10)
		return frame_variant(i, h, f, d->equal >> b & 1);
	if (d->equal >> a & 1)
		return h + VARIANT_A;
	if (d->equal >> b & 1)
		return h + VARIANT_B;
	return h;
}

/* What the accumulator equals after an instruction. */
static void follow(struct decoder *d, const struct insn *i, enum op op)
{
	unsigned f = insn_info[op].fields;
	unsigned dst = 1u << i->dst, src = 1u << i->src;

	if (f & INSN_CALLS)
		d->equal = op == OP_CALL && i->imm == BPF_FUNC_TAIL_CALL ? 0 : 1u << R0;
	else if (is_atomic(op))
		d->equal &= ~((f & INSN_WD ? dst : 0) | (f & INSN_WS ? src : 0) |
		              (f & INSN_W0 ? 1u << R0 : 0));
	else if (op == OP_MOV64_X)
		d->equal = d->equal & src ? d->equal | dst : dst | src;
	else if (f & INSN_WD)
		d->equal = dst;
}

static int decode_call(const struct decoder *d, uint32_t pc, struct step *s)
{
	const struct prog *p = d->p;
	const struct registry *reg = &p->obj.k->reg;
	uint32_t id = (uint32_t)p->insns[pc].imm;

	if (id == BPF_FUNC_TAIL_CALL) {
		s->go = d->labels[H_TAIL_CALL];
		return 0;
	}
	s->call = d->checked ? NULL : p->aux[pc].call;
	if (!s->call && id < reg->nhelpers)
		s->call = reg->helpers[id].fn;
	return s->call ? 0 : -EINVAL;
}

static int decode(struct decoder *d, uint32_t pc)
{
	const struct prog *p = d->p;
	const struct insn *i = &p->insns[pc];
	enum op op = insn_op(i);
	unsigned f = insn_info[op].fields;
	struct step *s = &d->im->steps[d->step_of[pc]];
	uint32_t cost = pc - d->block + 1;
	int err = 0;

	if (d->marks[pc] & MARK_LEADER) {
		d->equal = 0;
		d->block = pc;
		cost = 1;
	}
	s->dst = i->dst;
	s->src = i->src;
	s->off = i->off;
	s->imm = i->imm;
	s->insn = pc;
	s->go = d->labels[choose(d, pc, op, s)];
	if (f & (INSN_JOFF | INSN_JIMM))
		s->wide = (uint64_t)insn_target(op, i, pc);
	else if (op == OP_CALL_LOCAL)
		s->wide = p->funcs[p->aux[pc].func].start;
	else if (op == OP_CALL)
		err = decode_call(d, pc, s);
	else if (f & INSN_CALLS)
		s->size = insn_size(i);
	else if (f & INSN_WIDE)
		s->wide = insn_imm64(i);
	if (f & (INSN_JOFF | INSN_JIMM | INSN_CALLS | INSN_END)) {
		s->cost = cost > UINT16_MAX ? UINT16_MAX : (uint16_t)cost;
		d->block = pc + 1;
	}
	follow(d, i, op);
	return err;
}

static int decode_all(struct decoder *d)
{
	const struct prog *p = d->p;
	struct image *im = d->im;

	for (uint32_t pc = 0; pc < p->ninsns; pc += insn_slots(insn_op(&p->insns[pc]))) {
		int err = decode(d, pc);

		if (err)
			return err;
	}
	for (uint32_t n = 0; n < im->nsteps; n++) {
		enum op op = insn_op(&p->insns[im->steps[n].insn]);

		if (op == OP_CALL_LOCAL || insn_info[op].fields & (INSN_JOFF | INSN_JIMM))
			im->steps[n].to = &im->steps[d->step_of[im->steps[n].wide]];
	}
	for (uint32_t f = 0; f < p->nfuncs; f++)
		im->funcs[f] = &im->steps[d->step_of[p->funcs[f].start]];
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
	d.step_of = mem_zalloc_array(m, p->ninsns, sizeof(d.step_of[0]));
	d.im = mem_zalloc(m, sizeof(*d.im) + (size_t)p->ninsns * sizeof(struct step));
	if (!d.marks || !d.step_of || !d.im)
		goto out;
	d.im->funcs = mem_zalloc_array(m, p->nfuncs, sizeof(d.im->funcs[0]));
	if (!d.im->funcs)
		goto out;
	err = examine_all(&d);
	if (!err)
		err = decode_all(&d);
out:
	mem_free(m, d.marks);
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
