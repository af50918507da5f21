/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops: strongly connected components of the control flow, and what is known too early inside them.
 *
 * A path that comes back to a state equal to one of the same loop ends there, although the older one is
 * still being explored: what later turns out to be live or precise in the old state must then flow
 * into the new one as well. So each way of being in a loop (its component and the calls that lead to
 * it: a visit) collects such back edges, and when its first checkpoint is explored to the end,
 * precision is passed along them until nothing changes.
 *
 * Provides: notes[].scc, loop_enter(), loop_exit(), loop_backedge(), loop_incomplete().
 */
#include <errno.h>
#include <string.h>

#include "verifier/path.h"

enum { PASSES_MAX = 64 };

/* --- Components: Tarjan's algorithm with a stack of our own ------------------------------- */

struct tarjan {
	struct verifier *v;
	uint32_t *index, *low, *stack, *calls;
	uint8_t *on_stack, *edge;
	uint32_t next, depth, ncalls, nsccs;
};

/* The k-th successor of an instruction; false: there is none. */
bool insn_successor(const struct verifier *v, uint32_t pc, unsigned k, uint32_t *next)
{
	enum op op = v->op[pc];
	unsigned fields = op == OP_INVALID ? 0 : insn_info[op].fields;
	bool falls = !(fields & INSN_END);
	bool jumps = fields & (INSN_JOFF | INSN_JIMM);

	if (falls && k-- == 0) {
		*next = pc + insn_slots(op == OP_INVALID ? OP_EXIT : op);
		return true;
	}
	if (!jumps || k)
		return false;
	*next = (uint32_t)insn_target(op, &v->insns[pc], pc);
	return true;
}

static void component(struct tarjan *t, uint32_t root)
{
	struct verifier *v = t->v;
	bool loop = t->stack[t->depth - 1] != root || v->notes[root].flags & NOTE_CALLBACK;
	uint32_t next, pc;

	for (unsigned k = 0; !loop && insn_successor(v, root, k, &next); k++)
		loop = next == root;
	t->nsccs += loop;
	do {
		pc = t->stack[--t->depth];
		t->on_stack[pc] = 0;
		v->notes[pc].scc = loop ? t->nsccs : 0;
	} while (pc != root);
}

static void visit_from(struct tarjan *t, uint32_t start)
{
	t->calls[t->ncalls++] = start;
	while (t->ncalls) {
		uint32_t pc = t->calls[t->ncalls - 1], next;

		if (!t->index[pc]) {
			t->index[pc] = t->low[pc] = ++t->next;
			t->stack[t->depth++] = pc;
			t->on_stack[pc] = 1;
		}
		if (insn_successor(t->v, pc, t->edge[pc], &next) && next < t->v->n) {
			if (!t->index[next]) {
				t->calls[t->ncalls++] = next;
				continue;
			}
			if (t->on_stack[next] && t->low[next] < t->low[pc])
				t->low[pc] = t->low[next];
			t->edge[pc]++;
			continue;
		}
		t->ncalls--;
		if (t->low[pc] == t->index[pc])
			component(t, pc);
	}
}

/* Is there a way back at all? Many programs have none. */
static bool may_loop(const struct verifier *v)
{
	for (uint32_t pc = 0; pc < v->n; pc++) {
		enum op op = v->op[pc];

		if (v->notes[pc].flags & NOTE_CALLBACK)
			return true;
		if (op != OP_INVALID && !(v->mark[pc] & MARK_SECOND) &&
		    insn_info[op].fields & (INSN_JOFF | INSN_JIMM) &&
		    insn_target(op, &v->insns[pc], pc) <= pc)
			return true;
	}
	return false;
}

static int visits_new(struct verifier *v, uint32_t n)
{
	v->walk->nsccs = n;
	v->walk->visits = mem_zalloc_array(v->mem, n, sizeof(*v->walk->visits));
	return v->walk->visits ? 0 : -ENOMEM;
}

int loop_find(struct verifier *v)
{
	size_t size = v->n * (4 * sizeof(uint32_t) + 2);
	struct tarjan t = {.v = v};

	if (!may_loop(v))
		return visits_new(v, 1);
	t.index = mem_dense(v->mem, size);
	if (!t.index)
		return -ENOMEM;
	t.low = t.index + v->n;
	t.stack = t.low + v->n;
	t.calls = t.stack + v->n;
	t.on_stack = (uint8_t *)(t.calls + v->n);
	t.edge = t.on_stack + v->n;
	for (uint32_t pc = 0; pc < v->n; pc++)
		if (!t.index[pc] && !(v->mark[pc] & MARK_SECOND))
			visit_from(&t, pc);
	mem_dense_free(v->mem, t.index, size);
	return visits_new(v, t.nsccs + 1);
}

/* --- Visits ------------------------------------------------------------------------------- */

/* The outermost loop that a state is in, and the calls up to it. */
static bool chain_of(struct verifier *v, const struct state *s, struct visit *chain)
{
	memset(chain, 0, sizeof(*chain));
	for (unsigned i = 0; i <= s->cur; i++) {
		uint32_t pc = state_frame_pc(s, i);

		chain->scc = v->notes[pc].scc;
		if (chain->scc)
			return true;
		if (i == s->cur)
			return false;
		chain->callsites[i] = pc;
	}
	return false;
}

static struct visit *find(struct verifier *v, const struct visit *chain)
{
	struct visit *w = v->walk->visits[chain->scc];

	while (w && memcmp(w->callsites, chain->callsites, sizeof(w->callsites)) != 0)
		w = w->next;
	return w;
}

int loop_enter(struct verifier *v, struct state *s)
{
	struct visit chain, *w;

	if (!chain_of(v, s, &chain))
		return 0;
	w = find(v, &chain);
	if (!w) {
		w = pool_alloc(&v->walk->pool, sizeof(*w));
		if (!w)
			return -ENOMEM;
		*w = chain;
		w->next = v->walk->visits[chain.scc];
		v->walk->visits[chain.scc] = w;
	}
	if (!w->entry)
		w->entry = s;
	return 0;
}

static void free_backedges(struct verifier *v, struct visit *w)
{
	while (w->backedges) {
		struct backedge *b = w->backedges;

		w->backedges = b->next;
		state_free(v, b->state);
		pool_free(&v->walk->pool, b, sizeof(*b));
	}
}

static int propagate(struct verifier *v, struct visit *w)
{
	bool changed = true;
	int err = 0;

	for (unsigned pass = 0; !err && changed; pass++) {
		changed = false;
		for (struct backedge *b = w->backedges; !err && b; b = b->next) {
			if (pass == PASSES_MAX) {
				precise_all(v, b->state);
				continue;
			}
			changed |= live_propagate(v, b->equal, b->state);
			err = precise_propagate(v, b->equal, b->state, &changed);
		}
		if (pass == PASSES_MAX)
			break;
	}
	free_backedges(v, w);
	return err;
}

int loop_exit(struct verifier *v, struct state *s)
{
	struct visit chain, *w;

	if (!chain_of(v, s, &chain))
		return 0;
	w = find(v, &chain);
	if (!w || w->entry != s)
		return 0;
	w->entry = NULL;
	return propagate(v, w);
}

int loop_backedge(struct verifier *v, struct state *equal)
{
	struct visit chain, *w = chain_of(v, equal, &chain) ? find(v, &chain) : NULL;
	struct backedge *b;

	if (!w)
		return 0;
	b = pool_zalloc(&v->walk->pool, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->state = state_copy(v, v->cur);
	if (!b->state) {
		pool_free(&v->walk->pool, b, sizeof(*b));
		return -ENOMEM;
	}
	b->equal = equal;
	b->next = w->backedges;
	w->backedges = b;
	return 0;
}

bool loop_incomplete(struct verifier *v, const struct state *s)
{
	struct visit chain, *w = chain_of(v, s, &chain) ? find(v, &chain) : NULL;

	return w && w->backedges;
}

void loop_end(struct verifier *v)
{
	for (uint32_t i = 0; v->walk->visits && i < v->walk->nsccs; i++)
		while (v->walk->visits[i]) {
			struct visit *w = v->walk->visits[i];

			v->walk->visits[i] = w->next;
			free_backedges(v, w);
			pool_free(&v->walk->pool, w, sizeof(*w));
		}
}
