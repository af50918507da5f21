/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Depth of calls, bytes of stack, and which functions lead to tail calls.
 *
 * The graph of calls is a matrix of bits. One search in depth orders the functions, callees first,
 * and finds recursion; the longest chains of frames and bytes follow in that order, so no path is
 * walked twice however many there are.
 *
 * Requires: ref[] of calls, subprogs[].touched. Provides: subprogs[].tail_calls.
 */
#include "verifier/state.h"

enum { WORDS = MAX_SUBPROGS / 64 };

struct graph {
	struct verifier *v;
	uint64_t calls[MAX_SUBPROGS][WORDS];
	uint8_t order[MAX_SUBPROGS]; /* callees first */
	unsigned nordered;
	uint8_t state[MAX_SUBPROGS]; /* 0 new, 1 on the way, 2 ordered */
	unsigned frames[MAX_SUBPROGS]; /* of the longest chain that begins here */
	unsigned local[MAX_SUBPROGS];  /* of the longest in which nobody calls a global function */
	unsigned bytes[MAX_SUBPROGS];
	unsigned before[MAX_SUBPROGS]; /* bytes of the longest chain that leads here */
};

static bool calls(const struct graph *g, unsigned from, unsigned to)
{
	return g->calls[from][to / 64] >> to % 64 & 1;
}

static unsigned frame_bytes(const struct graph *g, unsigned f)
{
	unsigned bytes = (unsigned)-g->v->subprogs[f].touched;

	return (bytes + STACK_ROUND - 1) / STACK_ROUND * STACK_ROUND;
}

static void find_calls(struct graph *g)
{
	struct verifier *v = g->v;

	for (uint32_t f = 0; f < v->nsubprogs; f++)
		for (uint32_t pc = v->subprogs[f].start; pc < v->subprogs[f].end; pc++) {
			enum op op = v->op[pc];

			if (op == OP_CALL_LOCAL || op == OP_LDDW_FUNC)
				g->calls[f][v->ref[pc] / 64] |= (uint64_t)1 << v->ref[pc] % 64;
			if (op == OP_LDDW_FUNC)
				v->subprogs[v->ref[pc]].is_callback = true;
			if (op == OP_CALL && v->insns[pc].imm == HELPER_TAIL_CALL)
				v->subprogs[f].tail_call = true;
		}
}

/*
 * The kernel verifies a global function by itself: calls nest too deeply either within functions
 * that it follows, or only when all are put together, and it says so differently.
 */
static int reject_depth(const struct verifier *v, bool local)
{
	return local ? reject(v, REJECT_CALL_DEPTH, MAX_CALL_DEPTH + 1)
	             : reject(v, REJECT_CALL_DEPTH_TOTAL, MAX_CALL_DEPTH);
}

/*
 * Depth first from function 0; an error when somebody calls itself. The stack of the search is a
 * path.
 */
static int order(struct graph *g)
{
	uint8_t path[MAX_SUBPROGS];
	uint16_t next[MAX_SUBPROGS];
	unsigned depth = 1;

	path[0] = 0;
	next[0] = 0;
	g->state[0] = 1;
	while (depth) {
		unsigned f = path[depth - 1], to = next[depth - 1]++;

		if (to == g->v->nsubprogs) {
			g->state[f] = 2;
			g->order[g->nordered++] = (uint8_t)f;
			depth--;
		} else if (calls(g, f, to) && g->state[to] == 1) {
			bool local = !g->v->subprogs[to].is_global || !to;

			for (unsigned i = depth; i-- > 0 && path[i] != to;)
				local &= !g->v->subprogs[path[i]].is_global;
			return reject_depth(g->v, local);
		} else if (calls(g, f, to) && !g->state[to]) {
			g->state[to] = 1;
			path[depth] = (uint8_t)to;
			next[depth++] = 0;
		}
	}
	return 0;
}

static void measure(struct graph *g)
{
	struct subprog *s = g->v->subprogs;

	for (unsigned i = 0; i < g->nordered; i++) {
		unsigned f = g->order[i];

		s[f].tail_calls = s[f].tail_call;
		for (unsigned to = 0; to < g->v->nsubprogs; to++) {
			if (!calls(g, f, to))
				continue;
			s[f].tail_calls |= s[to].tail_calls;
			if (!s[to].is_global && g->local[to] > g->local[f])
				g->local[f] = g->local[to];
			g->frames[f] = g->frames[to] > g->frames[f] ? g->frames[to] : g->frames[f];
			g->bytes[f] = g->bytes[to] > g->bytes[f] ? g->bytes[to] : g->bytes[f];
		}
		g->frames[f]++;
		g->local[f]++;
		g->bytes[f] += frame_bytes(g, f);
	}
	for (unsigned i = g->nordered; i-- > 0;) {
		unsigned f = g->order[i], below = g->before[f] + frame_bytes(g, f);

		for (unsigned to = 0; to < g->v->nsubprogs; to++)
			if (calls(g, f, to) && below > g->before[to])
				g->before[to] = below;
	}
}

/* Walks down the first chain, in the order of the calls, that becomes too large, and says how. */
static int reject_chain(const struct graph *g)
{
	const struct verifier *v = g->v;
	unsigned f = 0, frames = 1, bytes = frame_bytes(g, 0);

	for (uint32_t pc = 0; bytes <= STACK_SIZE; pc++) {
		if (v->op[pc] != OP_CALL_LOCAL && v->op[pc] != OP_LDDW_FUNC)
			continue;
		if (bytes + g->bytes[v->ref[pc]] <= STACK_SIZE)
			continue;
		f = v->ref[pc];
		frames++;
		bytes += frame_bytes(g, f);
		pc = v->subprogs[f].start - 1;
	}
	return reject(v, REJECT_STACK_TOTAL, frames, bytes);
}

static int check_graph(struct verifier *v)
{
	struct graph g = {.v = v};
	int err;

	find_calls(&g);
	err = order(&g);
	if (err)
		return err;
	measure(&g);
	for (uint32_t f = 0; f < v->nsubprogs; f++)
		if ((!f || v->subprogs[f].is_global) && g.local[f] > MAX_CALL_DEPTH)
			return reject_depth(v, true);
	if (g.frames[0] > MAX_CALL_DEPTH)
		return reject_depth(v, false);
	for (uint32_t f = 1; f < v->nsubprogs; f++)
		if (v->subprogs[f].tail_call && g.before[f] >= STACK_SIZE / 2)
			return reject(v, REJECT_TAIL_CALL_STACK, g.before[f]);
	return g.bytes[0] > STACK_SIZE ? reject_chain(&g) : 0;
}

int stack_check(struct verifier *v)
{
	v->subprogs[0].tail_calls = v->has_tail_call;
	return v->has_funcs ? check_graph(v) : 0;
}
