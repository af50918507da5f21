/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of hooks and what their test runs share. Requires: hooks.def. Provides: hooks.h. */
#include "hooks/hooks.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/prog.h"

const struct hook *const hooks[HOOK_COUNT] = {
#define HOOK(name) &hook_##name,
#include "hooks/hooks.def"
#undef HOOK
};

uint64_t test_run_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void test_run_repeat(struct prog *p, void *ctx, struct test_run *t)
{
	uint32_t repeat = t->repeat ? t->repeat : 1;
	struct cpu *cpu = cpu_enter(p->obj.k);
	uint64_t start = test_run_now(), ret = 0;

	for (uint32_t i = 0; i < repeat && !t->faulted; i++) {
		ret = prog_run(p, ctx, cpu);
		t->faulted = cpu->fault;
	}
	if (t->faulted && t->fault)
		*t->fault = *cpu->fault;
	t->retval = (uint32_t)ret;
	t->duration = (uint32_t)((test_run_now() - start) / repeat);
	cpu_leave(cpu);
}

int test_run_ctx_in(const struct test_run *t, void *ctx, size_t size)
{
	enum { PAGE = 4096 };
	const uint8_t *in = t->ctx_in;
	size_t n = t->ctx_size_in < size ? t->ctx_size_in : size;

	if (t->ctx_size_in > PAGE)
		return -E2BIG;
	for (size_t i = size; i < t->ctx_size_in; i++)
		if (in[i])
			return -E2BIG;
	memset(ctx, 0, size);
	if (n)
		memcpy(ctx, in, n);
	return 0;
}

int test_run_out(struct test_run *t, const void *data, uint32_t size, const void *ctx,
                 uint32_t ctx_size)
{
	uint32_t room = t->data_size_out, n = room && room < size ? room : size;

	if (t->data_out && n)
		memcpy(t->data_out, data, n);
	t->data_size_out = size;
	if (n < size)
		return -ENOSPC;
	if (!ctx || !t->ctx_out)
		return 0;
	room = t->ctx_size_out;
	memcpy(t->ctx_out, ctx, room < ctx_size ? room : ctx_size);
	t->ctx_size_out = ctx_size;
	return room < ctx_size ? -ENOSPC : 0;
}
