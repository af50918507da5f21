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
 * What every packet hook's test run does: runs p on ctx t->repeat times on a CPU slot of its own and fills
 * in t->retval and t->duration. The context is not reset between runs.
 */
void test_run_repeat(struct prog *p, void *ctx, struct test_run *t);

/*
 * The beginning of every test run with a context: is t->ctx_in one of `size` bytes, with nothing set
 * behind them? Copies what there is of it to ctx, the rest is 0. -E2BIG
 */
int test_run_ctx_in(const struct test_run *t, void *ctx, size_t size);

/*
 * The end of every test run: copies a result as far as its room goes. room is replaced by the size. 0 or
 * -ENOSPC. A room of 0 means that the caller has made room for everything, as bpf(2) has it.
 */
int test_run_out(void *out, uint32_t *room, const void *from, uint32_t size);

#endif
