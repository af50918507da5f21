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
 * Requires: the scratch buffer, frags, fixups. Provides: the image, written and executable.
 */
#include <errno.h>
#include <string.h>

#include "exec/jit.h"

enum { MAX_SWEEPS = 8 };

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

static void copy(const struct jit *j, const struct jit_image *image, uint8_t *to)
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
				target = (uintptr_t)image->base + j->frags[j->funcs[fix->func].entry].pos;
			j->arch->fix(to + pos, (uintptr_t)image->base + pos, target);
		}
		if (f->kind != JIT_NO_BRANCH)
			j->arch->branch(at + size, f->kind, f->far, distance(j, n));
	}
}

int jit_link(struct jit *j, struct jit_image *image)
{
	uint8_t *code = NULL;
	uint32_t size;
	int err;

	j->frags[j->nfrags].start = (uint32_t)(j->at - j->code);
	resolve_targets(j);
	size = relax(j);
	err = jit_mem_alloc(j->p->obj.k, size, image);
	if (err)
		return err;
	err = -ERANGE;
	if (j->near && !jit_mem_is_near(image))
		goto fail;
	err = -ENOMEM;
	code = j->mem->alloc(j->mem->arg, image->size);
	if (!code)
		goto fail;
	copy(j, image, code);
	memset(code + size, j->arch->padding, image->size - size);
	err = jit_mem_write(image, code);
	mem_free(j->mem, code);
	if (!err) {
		j->size = size;
		return 0;
	}
fail:
	jit_mem_free(j->p->obj.k, image);
	return err;
}
