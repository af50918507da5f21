/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops: programs of loaders without CAP_BPF have none, whatever their conditions say.
 *
 * A search in depth first order, as the kernel makes it, so that of several edges back the same is named:
 * an instruction is open from when the search comes to it until all behind it was seen, and an edge to one
 * that is open closes a loop. Such programs have no functions: there is one graph.
 *
 * Requires: op[], targets inside the program.
 */
#include <errno.h>

#include "verifier/path.h"

enum { UNSEEN, OPEN, DONE };

struct search {
	uint8_t *state;  /* of each instruction */
	uint32_t *stack; /* the open ones */
	uint32_t depth;
};

/* 1: went there; 0: it was seen before. */
static int go(struct verifier *v, struct search *s, uint32_t from, uint32_t to)
{
	if (s->state[to] == OPEN)
		return reject(v, REJECT_BACK_EDGE, from, to);
	if (s->state[to] == DONE)
		return 0;
	s->state[to] = OPEN;
	s->stack[s->depth++] = to;
	return 1;
}

/* Goes to the first successor that was not seen; with none left, the instruction is done. */
static int visit(struct verifier *v, struct search *s, uint8_t *next)
{
	uint32_t pc = s->stack[s->depth - 1], to;

	while (insn_successor(v, pc, next[pc], &to)) {
		int err = go(v, s, pc, to);

		next[pc]++;
		if (err)
			return err < 0 ? err : 0;
	}
	s->state[pc] = DONE;
	s->depth--;
	return 0;
}

int back_edges(struct verifier *v)
{
	struct search s = {0};
	uint8_t *block;
	int err = 0;

	if (v->bpf_capable)
		return 0;
	block = mem_zalloc_array(v->mem, v->n, sizeof(*s.stack) + 2);
	if (!block)
		return -ENOMEM;
	s.stack = (uint32_t *)block;
	s.state = block + v->n * sizeof(*s.stack);
	s.state[0] = OPEN;
	s.stack[s.depth++] = 0;
	while (!err && s.depth)
		err = visit(v, &s, s.state + v->n);
	mem_free(v->mem, block);
	return err;
}
