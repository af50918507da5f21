/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Things that live on a program's stack and are made and ended by kernel functions: open-coded
 * iterators, and interrupt flags that were saved.
 *
 * An iterator is a reference: what new() made, destroy() must end. next() answers a pointer or NULL, and
 * NULL for ever after. Both are followed: at once the way on which it is at its end (the loop is left),
 * later the way on which there is another element. So that this ends, the second begins with what is
 * known of numbers since the turn before widened: of numbers whose exact value decided nothing, nothing
 * is known. The next turn then finds a state that was seen (prune.c).
 */
#include <errno.h>
#include <string.h>

#include "verifier/kfunc.h"
#include "verifier/path.h"

static const char *iter_name(const struct btf *btf, uint32_t id)
{
	const char *name = btf_string(&btf->data, btf_type(&btf->data, id)->name);

	return strncmp(name, "bpf_", 4) ? name : name + 4;
}

/* The first slot of an object of n slots at a register, -ERANGE: never touched, < 0: not one. */
static int place(struct verifier *v, const struct reg *r, int nslots, const char *what)
{
	int off;

	if (!tnum_is_const(r->s.var))
		return reject(v, REJECT_OBJECT_OFFSET, what);
	off = r->off + (int)r->s.var.value;
	if (off % 8 || off >= 0 || slot_of(off) < nslots - 1)
		return reject(v, REJECT_OBJECT_PLACE, what, off);
	return slot_of(off) < stack_frame(v, r)->nslots ? slot_of(off) : -ERANGE;
}

static bool slot_is(const struct slot *s, enum slot_kind kind)
{
	for (int i = 0; i < 8; i++)
		if (s->kind[i] != kind)
			return false;
	return true;
}

static bool any_of(const struct slot *s, enum slot_kind kind)
{
	for (int i = 0; i < 8; i++)
		if (s->kind[i] == kind)
			return true;
	return false;
}

/* --- Iterators ---------------------------------------------------------------------------- */

static bool iter_room(struct verifier *v, const struct reg *r, int nslots)
{
	const struct frame *f = stack_frame(v, r);
	int spi = place(v, r, nslots, "iter");

	if (spi < 0)
		return spi == -ERANGE;
	for (int i = 0; i < nslots; i++)
		if (any_of(&f->stack[spi - i], SLOT_ITER))
			return false;
	return true;
}

static int iter_new(struct verifier *v, struct kcall *c, unsigned regno, uint32_t id, int nslots)
{
	struct reg *r = &cur_regs(v)[regno];
	struct frame *f;
	uint32_t ref;
	int spi, err;

	if (!iter_room(v, r, nslots))
		return reject(v, REJECT_ITER_USED, iter_name(c->btf, id), regno - 1);
	for (int i = 0; i < nslots; i++) {
		err = mem_access(v, v->pc, regno, 8 * i, 8, ACCESS_WRITE, -1, false, false);
		if (err)
			return err;
	}
	f = stack_frame(v, r);
	spi = place(v, r, nslots, "iter");
	if (spi < 0)
		return spi;
	err = ref_acquire(v, v->pc, &ref);
	if (err)
		return err;
	for (int i = 0; i < nslots; i++) {
		struct slot *s = &f->stack[spi - i];

		slot_fill(s, SLOT_ITER);
		reg_set_pointer(&s->spilled, REG_STACK, 0);
		if (c->f->flags & KFUNC_RCU_PROTECTED)
			s->spilled.flags = state_in_rcu(v) ? REG_RCU : REG_UNTRUSTED;
		s->spilled.ref_id = i ? 0 : ref;
		s->spilled.iter.btf = c->btf;
		s->spilled.iter.btf_id = id;
		s->spilled.iter.state = ITER_ACTIVE;
		s->spilled.iter.depth = 0;
		scratch_slot(v, spi - i);
	}
	return 0;
}

/* 0, -EPROTO: it needs an RCU section that is over; -EINVAL: there is none. */
static int iter_valid(const struct frame *f, int spi, const struct btf *btf, uint32_t id, int nslots)
{
	for (int i = 0; i < nslots; i++) {
		const struct slot *s = &f->stack[spi - i];

		if (any_of(s, SLOT_ITER) && s->spilled.flags & REG_UNTRUSTED)
			return -EPROTO;
		if (!slot_is(s, SLOT_ITER) || !s->spilled.ref_id != (i != 0) ||
		    s->spilled.iter.btf != btf || s->spilled.iter.btf_id != id)
			return -EINVAL;
	}
	return 0;
}

static void iter_end(struct verifier *v, struct frame *f, int spi, int nslots)
{
	uint32_t ref = f->stack[spi].spilled.ref_id;

	for (int i = 0; i < nslots; i++) {
		slot_fill(&f->stack[spi - i], SLOT_INVALID);
		reg_set_none(&f->stack[spi - i].spilled);
		scratch_slot(v, spi - i);
	}
	ref_release(v, ref);
}

int iter_arg(struct verifier *v, struct kcall *c, unsigned regno, uint32_t id)
{
	struct reg *r = &cur_regs(v)[regno];
	int nslots = (int)(c->btf->data.size[id] / 8), spi, err;
	struct frame *f;

	if (r->kind != REG_STACK)
		return reject(v, REJECT_ITER_STACK, regno - 1);
	if (c->f->flags & KFUNC_ITER_NEW)
		return iter_new(v, c, regno, id, nslots);
	f = stack_frame(v, r);
	spi = place(v, r, nslots, "iter");
	err = spi < 0 ? -EINVAL : iter_valid(f, spi, c->btf, id, nslots);
	if (err == -EPROTO)
		return reject(v, REJECT_ITER_RCU, c->f->name);
	if (err)
		return reject(v, REJECT_ITER_NONE, iter_name(c->btf, id), regno - 1);
	for (int i = 0; i < nslots; i++)
		live_stack_read(v, f->number, v->pc, (uint64_t)1 << (spi - i));
	c->ref_id = f->stack[spi].spilled.ref_id;
	c->iter_frame = f;
	c->iter_spi = spi;
	if (c->f->flags & KFUNC_ITER_DESTROY)
		iter_end(v, f, spi, nslots);
	return 0;
}

int iter_next(struct verifier *v, struct kcall *c)
{
	struct slot *here = &c->iter_frame->stack[c->iter_spi], *there;
	struct state *before;
	struct state *turn;
	struct reg *r0 = &cur_regs(v)[R0];

	if (here->spilled.iter.state != ITER_DRAINED) {
		before = v->cur->parent ? state_before(v, v->cur->parent, c->pc) : NULL;
		turn = branch_push(v, c->pc + 1, c->pc);
		if (!turn)
			return branch_error(v);
		there = &turn->frames[c->iter_frame->number]->stack[c->iter_spi];
		there->spilled.iter.state = ITER_ACTIVE;
		there->spilled.iter.depth++;
		if (before)
			state_widen(v, before, turn);
		reg_not_null(v, &state_frame(turn)->regs[R0]);
	}
	here->spilled.iter.state = ITER_DRAINED;
	scratch_slot(v, c->iter_spi);
	reg_set_const(r0, 0);
	return 0;
}

/* --- Interrupt flags ----------------------------------------------------------------------- */

static int irq_save(struct verifier *v, unsigned regno, enum irq_class class)
{
	struct reg *r = &cur_regs(v)[regno];
	struct slot *s;
	uint32_t id;
	int spi = place(v, r, 1, "irq_flag"), err;

	if ((spi < 0 && spi != -ERANGE) || (spi >= 0 && any_of(stack_slot(stack_frame(v, r), spi), SLOT_IRQ_FLAG)))
		return reject(v, REJECT_IRQ_USED, regno - 1);
	err = mem_access(v, v->pc, regno, 0, 8, ACCESS_WRITE, -1, false, false);
	if (err)
		return err;
	spi = place(v, r, 1, "irq_flag");
	if (spi < 0)
		return spi;
	id = new_id(v);
	err = ref_add(v, REF_IRQ, id, v->pc, NULL);
	if (err)
		return err;
	v->cur->active_irq_id = id;
	s = stack_slot(stack_frame(v, r), spi);
	slot_fill(s, SLOT_IRQ_FLAG);
	reg_set_pointer(&s->spilled, REG_STACK, 0);
	s->spilled.ref_id = id;
	s->spilled.irq.class = (uint8_t)class;
	scratch_slot(v, spi);
	return 0;
}

static int irq_restore(struct verifier *v, unsigned regno, enum irq_class class)
{
	static const char *const names[] = {"native", "lock"};
	const struct reg *r = &cur_regs(v)[regno];
	struct state *st = v->cur;
	int spi = place(v, r, 1, "irq_flag");
	struct slot *s = spi < 0 ? NULL : stack_slot(stack_frame(v, r), spi);

	if (!s || !slot_is(s, SLOT_IRQ_FLAG) || !s->spilled.ref_id)
		return reject(v, REJECT_IRQ_NONE, regno - 1);
	live_stack_read(v, stack_frame(v, r)->number, v->pc, (uint64_t)1 << spi);
	if (s->spilled.irq.class != class)
		return reject(v, REJECT_IRQ_CLASS, names[s->spilled.irq.class], names[class]);
	if (s->spilled.ref_id != st->active_irq_id) {
		for (uint32_t i = 0; i < st->nrefs; i++)
			if (st->refs[i].id == st->active_irq_id)
				return reject(v, REJECT_IRQ_ORDER, st->refs[i].id, st->refs[i].insn);
		return -EACCES;
	}
	ref_drop(st, REF_IRQ, s->spilled.ref_id, NULL);
	st->active_irq_id = 0;
	for (uint32_t i = 0; i < st->nrefs; i++)
		if (st->refs[i].kind == REF_IRQ)
			st->active_irq_id = st->refs[i].id;
	slot_fill(s, SLOT_INVALID);
	reg_set_none(&s->spilled);
	scratch_slot(v, spi);
	return 0;
}

int irq_flag_arg(struct verifier *v, struct kcall *c, unsigned regno)
{
	enum irq_class class = c->special->flags & K_IRQ_LOCK ? IRQ_LOCK : IRQ_NATIVE;

	if (cur_regs(v)[regno].kind != REG_STACK)
		return reject(v, REJECT_IRQ_STACK, regno - 1);
	return c->special->flags & K_SAVES_IRQ ? irq_save(v, regno, class)
	                                       : irq_restore(v, regno, class);
}
