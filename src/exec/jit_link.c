/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Last pass of the JIT: from fragments to an image.
 *
 * All branches start out near. A sweep over the fragments computes positions from the sizes so far and
 * makes every branch far whose target its near form does not reach; that moves others apart, so sweeps
 * repeat until nothing changes. Branches only grow, so this ends; most programs take two sweeps. After
 * MAX_SWEEPS all branches become far, which is always right, so the pass is linear.
 *
 * Then the image's address is known: fragments are copied with their branches between them, and the
 * distances to functions filled in.
 *
 * Small loops run markedly slower where the branch that closes them stands alone in a cache line (AMD
 * Zen: 5 cycles instead of 4 for a loop of 37 bytes), and somewhat slower where they take a line more
 * than they need. Padding in front of each loop would cost size and time, so the code as a whole is
 * moved within its first line to where its innermost loops lie best.
 *
 * Requires: the scratch buffer, frags, fixups. Provides: the image, written and executable.
 */
#include <errno.h>
#include <string.h>

#include "exec/jit.h"

enum { MAX_SWEEPS = 8, SHIFT_STEP = 8, SHIFTS = JIT_LINE / SHIFT_STEP };

static unsigned branch_size(const struct jit *j, const struct jit_frag *f)
{
	const struct jit_branch *b = &j->arch->branches[f->kind];

	if (f->kind == JIT_NO_BRANCH)
		return 0;
	return f->far ? b->far_size : b->near_size;
}

/* Straight code of fragment n: frags[nfrags] is a sentinel. */
static uint32_t straight_size(const struct jit *j, uint32_t n)
{
	return j->frags[n + 1].start - j->frags[n].start;
}

static void resolve_targets(struct jit *j)
{
	for (uint32_t n = 0; n < j->nfrags; n++) {
		struct jit_frag *f = &j->frags[n];

		if (f->kind == JIT_NO_BRANCH)
			continue;
		f->target = f->target & JIT_TO_FRAG ? f->target & ~JIT_TO_FRAG
		                                    : j->notes[f->target].label;
		/* To what follows anyway. */
		if (f->target == n + 1)
			f->kind = JIT_NO_BRANCH;
	}
}

/* Positions for the present sizes; answers the size of the image. */
static uint32_t place(struct jit *j)
{
	uint32_t pos = 0;

	for (uint32_t n = 0; n < j->nfrags; n++) {
		j->frags[n].pos = pos;
		pos += straight_size(j, n) + branch_size(j, &j->frags[n]);
	}
	return pos;
}

static int64_t distance(const struct jit *j, uint32_t n)
{
	const struct jit_frag *f = &j->frags[n];

	return (int64_t)j->frags[f->target].pos - (f->pos + straight_size(j, n));
}

static bool grow(struct jit *j, bool all)
{
	bool grown = false;

	for (uint32_t n = 0; n < j->nfrags; n++) {
		struct jit_frag *f = &j->frags[n];
		int64_t d;

		if (f->kind == JIT_NO_BRANCH || f->far)
			continue;
		d = distance(j, n);
		if (all || d < j->arch->branches[f->kind].min || d > j->arch->branches[f->kind].max)
			f->far = grown = true;
	}
	return grown;
}

static uint32_t relax(struct jit *j)
{
	uint32_t size = place(j);

	for (unsigned sweeps = 1; grow(j, sweeps == MAX_SWEEPS); sweeps++)
		size = place(j);
	return size;
}

static uint32_t frag_end(const struct jit *j, uint32_t n)
{
	return j->frags[n].pos + straight_size(j, n) + branch_size(j, &j->frags[n]);
}

/* How badly a loop would run from start to end. */
static unsigned loop_cost(uint32_t start, uint32_t end)
{
	enum { LONELY = 12, LARGE = 4 * JIT_LINE };
	uint32_t lines = (end - 1) / JIT_LINE - start / JIT_LINE + 1;
	uint32_t needed = (end - start + JIT_LINE - 1) / JIT_LINE;
	uint32_t tail = (end - 1) % JIT_LINE + 1;

	if (end - start > LARGE)
		return 0;
	return (lines > needed) + (lines > 1 && tail < LONELY ? 4 : 0);
}

/* Where to begin, so that the innermost loops lie well. */
static uint32_t best_shift(const struct jit *j)
{
	unsigned cost[SHIFTS] = {0}, best = 0;
	uint32_t innermost = 0;

	for (uint32_t n = 0; n < j->nfrags; n++) {
		const struct jit_frag *f = &j->frags[n];

		/* A branch back across the head of another loop closes an outer one. */
		if (f->kind == JIT_NO_BRANCH || f->target > n || f->target < innermost)
			continue;
		innermost = f->target;
		for (unsigned s = 0; s < SHIFTS; s++)
			cost[s] += loop_cost(j->frags[innermost].pos + s * SHIFT_STEP,
			                     frag_end(j, n) + s * SHIFT_STEP);
	}
	for (unsigned s = 1; s < SHIFTS; s++)
		if (cost[s] < cost[best])
			best = s;
	return best * SHIFT_STEP;
}

/* Writes the code to `to`, which will be at address `base`. */
static void copy(const struct jit *j, uintptr_t base, uint8_t *to)
{
	const struct jit_fixup *fix = j->fixups, *end = fix + j->nfixups;

	for (uint32_t n = 0; n < j->nfrags; n++) {
		const struct jit_frag *f = &j->frags[n];
		uint32_t size = straight_size(j, n);
		uint8_t *at = to + f->pos;

		memcpy(at, j->code + f->start, size);
		for (; fix < end && fix->at < f->start + size; fix++) {
			uint32_t pos = f->pos + (fix->at - f->start);
			uintptr_t target = (uintptr_t)fix->to;

			if (!fix->to)
				target = base + j->frags[j->funcs[fix->func].entry].pos;
			j->arch->fix(to + pos, base + pos, target);
		}
		if (f->kind != JIT_NO_BRANCH)
			j->arch->branch(at + size, f->kind, f->far, distance(j, n));
	}
}

int jit_link(struct jit *j, struct jit_image *image)
{
	uint8_t *code = NULL;
	int err;

	j->frags[j->nfrags].start = (uint32_t)(j->at - j->code);
	resolve_targets(j);
	j->size = relax(j);
	j->shift = best_shift(j);
	err = jit_mem_alloc(j->p->obj.k, j->shift + j->size, image);
	if (err)
		return err;
	err = -ERANGE;
	if (j->near && !jit_mem_is_near(image))
		goto fail;
	err = -ENOMEM;
	code = j->mem->alloc(j->mem->arg, image->size);
	if (!code)
		goto fail;
	memset(code, j->arch->padding, j->shift);
	copy(j, (uintptr_t)image->base + j->shift, code + j->shift);
	memset(code + j->shift + j->size, j->arch->padding, image->size - j->shift - j->size);
	err = jit_mem_write(image, code);
	mem_free(j->mem, code);
	if (!err)
		return 0;
fail:
	jit_mem_free(j->p->obj.k, image);
	return err;
}
