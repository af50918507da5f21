/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States: making, copying, freeing.
 *
 * The walk copies a state at each branch and each checkpoint, some hundred thousand times in a large
 * program; so frames and states that are freed wait in a list for the next copy, with the memory
 * that they had grown.
 *
 * Provides: state_new(), state_copy(), state_free(), frame_new(), stack_grow().
 */
#include "verifier/state.h"

#include <errno.h>
#include <string.h>

#include "verifier/path.h"
#include "verifier/step.h"

struct frame *frame_new(struct verifier *v)
{
	struct frame *f = v->walk->free_frames;
	struct slot *stack;
	uint16_t cap;

	if (!f)
		return mem_zalloc(v->mem, sizeof(*f));
	v->walk->free_frames = (struct frame *)(uintptr_t)f->regs[0].raw[0];
	stack = f->stack;
	cap = f->cap;
	memset(f, 0, sizeof(*f));
	f->stack = stack;
	f->cap = cap;
	return f;
}

void frame_free(struct verifier *v, struct frame *f)
{
	f->regs[0].raw[0] = (uintptr_t)v->walk->free_frames;
	v->walk->free_frames = f;
}

static int stack_reserve(struct verifier *v, struct frame *f, unsigned nslots)
{
	struct slot *wider;
	unsigned cap = nslots < 8 ? 8 : (nslots + 7) & ~7u;

	if (nslots <= f->cap)
		return 0;
	wider = v->mem->alloc(v->mem->arg, cap * sizeof(*wider));
	if (!wider)
		return -ENOMEM;
	if (f->nslots)
		memcpy(wider, f->stack, f->nslots * sizeof(*wider));
	mem_free(v->mem, f->stack);
	f->stack = wider;
	f->cap = (uint16_t)cap;
	return 0;
}

int stack_grow(struct verifier *v, struct frame *f, int bytes)
{
	unsigned nslots = ((unsigned)bytes + 7) / 8;

	if (-bytes < v->subprogs[f->subprog].touched)
		v->subprogs[f->subprog].touched = -bytes;
	if (nslots <= f->nslots)
		return 0;
	if (stack_reserve(v, f, nslots))
		return -ENOMEM;
	memset(&f->stack[f->nslots], 0, (nslots - f->nslots) * sizeof(f->stack[0]));
	f->nslots = (uint16_t)nslots;
	return 0;
}

struct frame *frame_copy(struct verifier *v, const struct frame *from)
{
	struct frame *f = frame_new(v);
	struct slot *stack;
	uint16_t cap;

	if (!f)
		return NULL;
	if (stack_reserve(v, f, from->nslots)) {
		frame_free(v, f);
		return NULL;
	}
	stack = f->stack;
	cap = f->cap;
	*f = *from;
	f->stack = stack;
	f->cap = cap;
	if (from->nslots)
		memcpy(stack, from->stack, from->nslots * sizeof(*stack));
	return f;
}

struct state *state_new(struct verifier *v)
{
	struct state *s = v->walk->free_states, keep;

	if (!s)
		return mem_zalloc(v->mem, sizeof(*s));
	v->walk->free_states = s->parent;
	keep = *s;
	memset(s, 0, sizeof(*s));
	s->refs = keep.refs;
	s->refs_cap = keep.refs_cap;
	s->jumps = keep.jumps;
	s->jumps_cap = keep.jumps_cap;
	return s;
}

void state_free(struct verifier *v, struct state *s)
{
	for (unsigned i = 0; i < MAX_CALL_DEPTH; i++)
		if (s->frames[i])
			frame_free(v, s->frames[i]);
	s->parent = v->walk->free_states;
	v->walk->free_states = s;
}

int refs_reserve(struct verifier *v, struct state *s, uint32_t n)
{
	uint32_t cap = n < 4 ? 4 : n * 2;
	struct ref *wider;

	if (n <= s->refs_cap)
		return 0;
	wider = v->mem->alloc(v->mem->arg, cap * sizeof(*wider));
	if (!wider)
		return -ENOMEM;
	if (s->nrefs)
		memcpy(wider, s->refs, s->nrefs * sizeof(*wider));
	mem_free(v->mem, s->refs);
	s->refs = wider;
	s->refs_cap = cap;
	return 0;
}

int jumps_reserve(struct verifier *v, struct state *s, uint32_t n)
{
	uint32_t cap = n < 8 ? 8 : n * 2;
	struct jump *wider;

	if (n <= s->jumps_cap)
		return 0;
	wider = v->mem->alloc(v->mem->arg, cap * sizeof(*wider));
	if (!wider)
		return -ENOMEM;
	if (s->njumps)
		memcpy(wider, s->jumps, s->njumps * sizeof(*wider));
	mem_free(v->mem, s->jumps);
	s->jumps = wider;
	s->jumps_cap = cap;
	return 0;
}

/* What a state holds besides its frames. */
static int copy_rest(struct verifier *v, struct state *to, const struct state *from)
{
	struct state own;

	if (refs_reserve(v, to, from->nrefs) || jumps_reserve(v, to, from->njumps))
		return -ENOMEM;
	own = *to;
	*to = *from;
	memset(to->frames, 0, sizeof(to->frames));
	to->jumps = own.jumps;
	to->jumps_cap = own.jumps_cap;
	to->refs = own.refs;
	to->refs_cap = own.refs_cap;
	if (from->nrefs)
		memcpy(to->refs, from->refs, from->nrefs * sizeof(*to->refs));
	if (from->njumps)
		memcpy(to->jumps, from->jumps, from->njumps * sizeof(*to->jumps));
	return 0;
}

struct state *state_copy(struct verifier *v, const struct state *from)
{
	struct state *s = state_new(v);
	int err;

	if (!s)
		return NULL;
	err = copy_rest(v, s, from);
	for (unsigned i = 0; !err && i <= from->cur; i++) {
		s->frames[i] = frame_copy(v, from->frames[i]);
		err = s->frames[i] ? 0 : -ENOMEM;
	}
	if (!err)
		return s;
	state_free(v, s);
	return NULL;
}

/* Gives the memory of the free lists back. */
void states_end(struct verifier *v)
{
	struct walk *w = v->walk;

	while (w->free_frames) {
		struct frame *f = w->free_frames;

		w->free_frames = (struct frame *)(uintptr_t)f->regs[0].raw[0];
		mem_free(v->mem, f->stack);
		mem_free(v->mem, f);
	}
	while (w->free_states) {
		struct state *s = w->free_states;

		w->free_states = s->parent;
		mem_free(v->mem, s->refs);
		mem_free(v->mem, s->jumps);
		mem_free(v->mem, s);
	}
}

void state_each_reg(struct state *s, void (*fn)(struct reg *r, void *arg), void *arg)
{
	for (unsigned i = 0; i <= s->cur; i++) {
		struct frame *f = s->frames[i];

		for (unsigned r = 0; r < NREGS; r++)
			fn(&f->regs[r], arg);
		for (unsigned n = 0; n < f->nslots; n++)
			if (slot_is_spill(&f->stack[n]))
				fn(&f->stack[n].spilled, arg);
	}
}
