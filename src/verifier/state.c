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
	return s;
}

void state_free(struct verifier *v, struct state *s)
{
	for (unsigned i = 0; i < MAX_CALL_DEPTH; i++)
		if (s->frames[i])
			frame_free(v, s->frames[i]);
	mem_free(v->mem, s->jumps);
	s->jumps = NULL;
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

/* What a state holds besides its frames. */
static int copy_rest(struct verifier *v, struct state *to, const struct state *from)
{
	struct ref *refs = to->refs;
	uint32_t refs_cap = to->refs_cap;

	if (refs_reserve(v, to, from->nrefs))
		return -ENOMEM;
	refs = to->refs;
	refs_cap = to->refs_cap;
	*to = *from;
	memset(to->frames, 0, sizeof(to->frames));
	to->jumps = NULL;
	to->njumps = to->jumps_cap = 0;
	to->refs = refs;
	to->refs_cap = refs_cap;
	if (from->nrefs)
		memcpy(refs, from->refs, from->nrefs * sizeof(*refs));
	if (!from->njumps)
		return 0;
	to->jumps = v->mem->alloc(v->mem->arg, from->njumps * sizeof(*to->jumps));
	if (!to->jumps)
		return -ENOMEM;
	memcpy(to->jumps, from->jumps, from->njumps * sizeof(*to->jumps));
	to->njumps = to->jumps_cap = from->njumps;
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
