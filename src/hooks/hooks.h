/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of hooks, and what their files share: see core/hook.h. */
#ifndef SKEP_HOOKS_HOOKS_H
#define SKEP_HOOKS_HOOKS_H

#include "core/hook.h"

#define HOOK(name) extern const struct hook hook_##name;
#include "hooks/hooks.def"
#undef HOOK

enum {
	HOOK_COUNT = 0
#define HOOK(name) +1
#include "hooks/hooks.def"
#undef HOOK
};

extern const struct hook *const hooks[HOOK_COUNT];

/*
 * What every packet hook's test run does: runs p on ctx t->repeat times on a CPU slot of its own
 * and fills in t->retval and t->duration. The context is not reset between runs.
 */
void test_run_repeat(struct prog *p, void *ctx, struct test_run *t);

uint64_t test_run_now(void); /* ns, monotonic */

/* Is there a context in this test run? One that is only to be given back begins as zeros. */
static inline bool test_run_has_ctx(const struct test_run *t)
{
	return t->ctx_in || t->ctx_out;
}

/*
 * The beginning of a test run: is the caller's context one of `size` bytes, with nothing set behind
 * them? Copies what there is of it to ctx, the rest is 0. -E2BIG
 */
int test_run_ctx_in(const struct test_run *t, void *ctx, size_t size);

/*
 * The end of a test run: copies the packet as far as its room goes (0: as far as it is; the caller
 * has made that room), then, if all of it fitted, the context, when there is one (NULL: no). Rooms
 * are replaced by sizes. 0 or -ENOSPC.
 */
int test_run_out(struct test_run *t, const void *data, uint32_t size, const void *ctx,
                 uint32_t ctx_size);

#endif
