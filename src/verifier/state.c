/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States: making, copying, freeing.
 *
 * The walk copies a state at each branch and each checkpoint, some hundred thousand times in a large
 * program: all their memory comes from the walk's pool, and goes back to it.
 *
 * Provides: state_new(), state_copy(), state_free(), frame_new(), stack_grow().
 */
#include "verifier/state.h"

#include <errno.h>
#include <string.h>

#include "verifier/path.h"
#include "verifier/step.h"

/* Room for n elements where there is room for *cap, of which `used` are kept. NULL: no memory. */
static void *widen(struct verifier *v, void *old, size_t used, size_t cap, size_t wanted, size_t each)
{
	struct pool *pool = &v->walk->pool;
	void *wider = pool_alloc(pool, wanted * each);

	if (!wider)
		return NULL;
	if (used)
		memcpy(wider, old, used * each);
	pool_free(pool, old, cap * each);
	return wider;
}

struct frame *frame_new(struct verifier *v)
{
	return pool_zalloc(&v->walk->pool, sizeof(struct frame));
}

void frame_free(struct verifier *v, struct frame *f)
{
	pool_free(&v->walk->pool, f->stack, f->cap * sizeof(*f->stack));
	pool_free(&v->walk->pool, f, sizeof(*f));
}

static int stack_reserve(struct verifier *v, struct frame *f, unsigned nslots)
{
	unsigned cap = (nslots + 3) & ~3u;
	struct slot *wider;

	if (nslots <= f->cap)
		return 0;
	wider = widen(v, f->stack, f->nslots, f->cap, cap, sizeof(*wider));
	if (!wider)
		return -ENOMEM;
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
	struct frame *f = pool_alloc(&v->walk->pool, sizeof(*f));

	if (!f)
		return NULL;
	*f = *from;
	f->stack = NULL;
	f->cap = f->nslots = 0;
	if (stack_reserve(v, f, from->nslots)) {
		pool_free(&v->walk->pool, f, sizeof(*f));
		return NULL;
	}
	f->nslots = from->nslots;
	if (from->nslots)
		memcpy(f->stack, from->stack, from->nslots * sizeof(*f->stack));
	return f;
}

struct state *state_new(struct verifier *v)
{
	return pool_zalloc(&v->walk->pool, sizeof(struct state));
}

void state_free(struct verifier *v, struct state *s)
{
	struct pool *pool = &v->walk->pool;

	for (unsigned i = 0; i < MAX_CALL_DEPTH; i++)
		if (s->frames[i])
			frame_free(v, s->frames[i]);
	pool_free(pool, s->jumps, s->jumps_cap * sizeof(*s->jumps));
	pool_free(pool, s->refs, s->refs_cap * sizeof(*s->refs));
	pool_free(pool, s, sizeof(*s));
}

int refs_reserve(struct verifier *v, struct state *s, uint32_t n)
{
	uint32_t cap = s->refs_cap ? 2 * s->refs_cap : 4;
	struct ref *wider;

	if (n <= s->refs_cap)
		return 0;
	cap = cap < n ? n : cap;
	wider = widen(v, s->refs, s->nrefs, s->refs_cap, cap, sizeof(*wider));
	if (!wider)
		return -ENOMEM;
	s->refs = wider;
	s->refs_cap = cap;
	return 0;
}

int jumps_reserve(struct verifier *v, struct state *s, uint32_t n)
{
	uint32_t cap = s->jumps_cap ? 2 * s->jumps_cap : 4;
	struct jump *wider;

	if (n <= s->jumps_cap)
		return 0;
	cap = cap < n ? n : cap;
	wider = widen(v, s->jumps, s->njumps, s->jumps_cap, cap, sizeof(*wider));
	if (!wider)
		return -ENOMEM;
	s->jumps = wider;
	s->jumps_cap = cap;
	return 0;
}

struct state *state_copy(struct verifier *v, const struct state *from)
{
	struct state *s = pool_alloc(&v->walk->pool, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	*s = *from;
	memset(s->frames, 0, sizeof(s->frames));
	s->jumps = NULL;
	s->refs = NULL;
	s->jumps_cap = s->njumps = s->refs_cap = s->nrefs = 0;
	err = refs_reserve(v, s, from->nrefs);
	if (!err)
		err = jumps_reserve(v, s, from->njumps);
	for (unsigned i = 0; !err && i <= from->cur; i++) {
		s->frames[i] = frame_copy(v, from->frames[i]);
		err = s->frames[i] ? 0 : -ENOMEM;
	}
	if (err) {
		state_free(v, s);
		return NULL;
	}
	s->nrefs = from->nrefs;
	s->njumps = from->njumps;
	if (s->nrefs)
		memcpy(s->refs, from->refs, s->nrefs * sizeof(*s->refs));
	if (s->njumps)
		memcpy(s->jumps, from->jumps, s->njumps * sizeof(*s->jumps));
	return s;
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
