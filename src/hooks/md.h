/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of contexts whose public layout is also ours: MD(struct's tag, member, access, kind).
 *
 * Such a context has no packet behind it that moves, so there is nothing to gain by another layout.
 */
#ifndef SKEP_HOOKS_MD_H
#define SKEP_HOOKS_MD_H

#include "hooks/hooks.h"

#define MD(tag, name, access, kind)                                                                \
	{                                                                                          \
		#name, offsetof(struct tag, name), sizeof(((struct tag *)0)->name), access,        \
			FIELD_##kind, offsetof(struct tag, name),                                  \
			sizeof(((struct tag *)0)->name)                                            \
	}

enum {
	MD_R = FIELD_R,
	MD_P = FIELD_R | FIELD_NARROW,
	MD_S = FIELD_R | FIELD_START,
	MD_F = FIELD_R | FIELD_W,
	MD_W = FIELD_R | FIELD_NARROW | FIELD_W,
	MD_A = FIELD_R | FIELD_NARROW | FIELD_W | FIELD_NARROW_W,
};

/* The whole context, for programs that may only read it and that nobody test-runs. */
#define MD_REGIONS(tag)                                                                            \
	static unsigned regions(const void *ctx, struct region *r, unsigned max)                   \
	{                                                                                          \
		return md_region(ctx, sizeof(struct tag), r, max);                                 \
	}

static inline unsigned md_region(const void *ctx, size_t size, struct region *r, unsigned max)
{
	if (!max)
		return 0;
	*r = (struct region){(uintptr_t)ctx, size, true, "ctx"};
	return 1;
}

/* Any of one range. */
#define RET_RANGE(name, low, high)                                                                 \
	static const struct ret_range name[] = {{RET_ANY_ATTACH, low, high, false}}

#endif
