/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs on the stack of a program: two slots that only helpers made for them may touch.
 *
 *   fp-8   second       |  both SLOT_DYNPTR; `spilled` says type, id, and of ring buffers the
 *   fp-16  first        |  reference that must be given back
 *
 * A slice is memory that a dynptr lent (REG_MEM with dynptr_id): it ends with the dynptr. Writing into
 * one of the slots destroys the dynptr, unless it holds a reference that would be lost.
 */
#include "core/dynptr.h"

#include <errno.h>

#include "verifier/call.h"
#include "verifier/memory.h"

enum { SLOTS = 2 };

/* The slot of the lower half, < 0: refused; -ERANGE: outside of what is there. */
static int slot_at(struct verifier *v, const struct reg *r)
{
	int off;

	if (!tnum_is_const(r->s.var))
		return reject(v, REJECT_DYNPTR_OFFSET);
	off = r->off + (int)r->s.var.value;
	if (off % 8 || slot_of(off) < SLOTS - 1)
		return reject(v, REJECT_DYNPTR_PLACE, off);
	if (slot_of(off) >= stack_frame(v, r)->nslots)
		return -ERANGE;
	return slot_of(off);
}

static bool is_dynptr(const struct frame *f, int spi)
{
	return spi < f->nslots && f->stack[spi].kind[0] == SLOT_DYNPTR;
}

static void end_slice(struct reg *r, void *arg)
{
	if (r->kind == REG_MEM && r->dynptr_id == *(const uint32_t *)arg)
		reg_set_unknown(r);
}

static void clear(struct slot *s)
{
	slot_fill(s, SLOT_INVALID);
	reg_set_none(&s->spilled);
}

static void destroy(struct verifier *v, struct frame *f, int spi)
{
	uint32_t id = f->stack[spi].spilled.id;

	clear(&f->stack[spi]);
	clear(&f->stack[spi - 1]);
	state_each_reg(v->cur, end_slice, &id);
}

/* Dynptrs, in any frame, that hold this reference: clones share it. */
static unsigned holders(const struct state *s, uint32_t ref)
{
	unsigned n = 0;

	for (unsigned i = 0; i <= s->cur; i++)
		for (int spi = 0; spi < s->frames[i]->nslots; spi++) {
			const struct slot *slot = &s->frames[i]->stack[spi];

			n += slot->kind[0] == SLOT_DYNPTR && slot->spilled.dynptr.first &&
			     slot->spilled.ref_id == ref;
		}
	return n;
}

int stack_overwrite(struct verifier *v, struct frame *f, int spi)
{
	if (!is_dynptr(f, spi))
		return 0;
	if (!f->stack[spi].spilled.dynptr.first)
		spi++;
	if (f->stack[spi].spilled.ref_id && holders(v->cur, f->stack[spi].spilled.ref_id) < 2)
		return reject(v, REJECT_DYNPTR_OVERWRITE);
	destroy(v, f, spi);
	return 0;
}

static void set_half(struct slot *s, enum dynptr_type type, bool first, uint32_t id, uint32_t ref)
{
	slot_fill(s, SLOT_DYNPTR);
	reg_set_pointer(&s->spilled, REG_DYNPTR, 0);
	s->spilled.dynptr.type = (uint8_t)type;
	s->spilled.dynptr.first = first;
	s->spilled.id = id;
	s->spilled.ref_id = ref;
}

/* model: the reference that a clone shares with what it was cloned from, or 0 */
static int make(struct verifier *v, enum dynptr_type type, unsigned regno, uint32_t model)
{
	struct reg *r = &cur_regs(v)[regno];
	struct frame *f;
	uint32_t id, ref = model;
	int spi, err;

	if (r->kind != REG_STACK)
		return reject(v, REJECT_DYNPTR_INITIALISED);
	spi = slot_at(v, r);
	if (spi < 0 && spi != -ERANGE)
		return reject(v, REJECT_DYNPTR_INITIALISED);
	for (int half = 0; half < SLOTS; half++) {
		err = mem_access(v, v->pc, regno, 8 * half, 8, ACCESS_WRITE, -1, false, false);
		if (err)
			return err;
	}
	f = stack_frame(v, r);
	spi = slot_at(v, r);
	if (spi < 0)
		return spi;
	if (type == DYNPTR_RINGBUF && !model) {
		err = ref_acquire(v, v->pc, &ref);
		if (err)
			return err;
	}
	id = new_id(v);
	set_half(&f->stack[spi], type, true, id, ref);
	set_half(&f->stack[spi - 1], type, false, id, ref);
	return 0;
}

static const char *const type_names[] = {
	[DYNPTR_LOCAL] = "local",    [DYNPTR_RINGBUF] = "ringbuf",   [DYNPTR_SKB] = "skb",
	[DYNPTR_XDP] = "xdp",        [DYNPTR_SKB_META] = "skb_meta",
};

/* The dynptr that a register points to; NULL: none. */
static const struct reg *dynptr_of(struct verifier *v, const struct reg *r, int *err)
{
	const struct frame *f;
	int spi;

	*err = 0;
	if (r->kind == REG_DYNPTR)
		return r;
	spi = slot_at(v, r);
	if (spi < 0) {
		*err = spi == -ERANGE ? 0 : spi;
		return NULL;
	}
	f = stack_frame(v, r);
	for (int half = 0; half < SLOTS; half++)
		for (int byte = 0; byte < 8; byte++)
			if (f->stack[spi - half].kind[byte] != SLOT_DYNPTR)
				return NULL;
	if (!f->stack[spi].spilled.dynptr.first)
		return NULL;
	live_stack_read(v, f->number, v->pc, (uint64_t)3 << (spi - 1));
	return &f->stack[spi].spilled;
}

int dynptr_arg_of(struct verifier *v, struct call *c, unsigned regno, bool uninit, bool mutates,
                  enum dynptr_type type, uint32_t model)
{
	const struct reg *r = &cur_regs(v)[regno], *d;
	int err;

	if (r->kind != REG_STACK && r->kind != REG_DYNPTR)
		return reject(v, REJECT_DYNPTR_ARG, regno - 1);
	if (uninit)
		return make(v, type, regno, model);
	if (r->kind == REG_DYNPTR && mutates)
		return reject(v, REJECT_DYNPTR_CONST);
	d = dynptr_of(v, r, &err);
	if (!d)
		return reject(v, REJECT_DYNPTR_NONE, regno - 1);
	c->dynptr_id = d->id;
	c->dynptr_type = d->dynptr.type;
	if (!c->release && d->ref_id)
		c->ref_id = d->ref_id;
	return 0;
}

int dynptr_arg(struct verifier *v, struct call *c, unsigned regno, bool uninit)
{
	bool ring = c->fact->flags & FACT_RINGBUF;
	int err = dynptr_arg_of(v, c, regno, uninit, c->fact->flags & FACT_MUTATES,
	                        ring ? DYNPTR_RINGBUF : DYNPTR_LOCAL, 0);

	if (!err && !uninit && ring && c->dynptr_type != DYNPTR_RINGBUF)
		return reject(v, REJECT_DYNPTR_TYPE, type_names[DYNPTR_RINGBUF], regno - 1);
	return err;
}

int dynptr_owned(struct verifier *v, unsigned regno)
{
	const struct reg *r = &cur_regs(v)[regno], *d;
	int err;

	if (r->kind == REG_DYNPTR)
		return reject(v, REJECT_DYNPTR_UNOWNED);
	d = dynptr_of(v, r, &err);
	return d && d->ref_id ? 0 : reject(v, REJECT_REF_UNACQUIRED, regno);
}

int dynptr_unmark(struct verifier *v, unsigned regno)
{
	const struct reg *r = &cur_regs(v)[regno];
	struct frame *f = stack_frame(v, r);
	int spi = slot_at(v, r);
	uint32_t ref;

	if (spi < 0)
		return spi;
	ref = f->stack[spi].spilled.ref_id;
	destroy(v, f, spi);
	ref_release(v, ref);
	for (unsigned i = 0; i <= v->cur->cur; i++) { /* clones go with it */
		f = v->cur->frames[i];
		for (spi = 1; spi < f->nslots; spi++)
			if (is_dynptr(f, spi) && f->stack[spi].spilled.dynptr.first &&
			    f->stack[spi].spilled.ref_id == ref)
				destroy(v, f, spi);
	}
	return 0;
}
