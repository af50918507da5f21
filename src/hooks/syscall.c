/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The syscall hook: programs that a client runs by hand, which may sleep and call bpf(2) themselves. Their
 * context is the client's own memory: copied in, and back to where it came from.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/prog.h"
#include "hooks/md.h"

enum { MAX_CTX = 65535, TEST_RUN_ON_CPU = 1 << 0 };

static const struct ctx_field fields[] = {
	{"ctx", 0, MAX_CTX, FIELD_NARROW | FIELD_NARROW_W, FIELD_SCALAR, 0, MAX_CTX},
	{NULL},
};

static bool may_sleep(uint32_t attach_type)
{
	return true;
}

/* Not before its end is known: see test_run(). */
static unsigned regions(const void *ctx, struct region *r, unsigned max)
{
	return md_region(ctx, MAX_CTX, r, max);
}

static bool attach_type_ok(uint32_t type)
{
	return !type;
}

static int test_run(struct prog *p, struct test_run *t)
{
	const struct mem *mem = &p->obj.k->mem;
	struct test_run once = {.repeat = 1, .fault = t->fault};
	void *ctx;

	if (t->data_in || t->data_out || t->ctx_out || t->duration || t->repeat || t->flags ||
	    t->batch_size)
		return -EINVAL;
	if (t->ctx_size_in < p->max_ctx_offset || t->ctx_size_in > MAX_CTX)
		return -EINVAL;
	ctx = mem_zalloc(mem, MAX_CTX + 1);
	if (!ctx)
		return -ENOMEM;
	if (t->ctx_size_in)
		memcpy(ctx, t->ctx_in, t->ctx_size_in);
	test_run_repeat(p, ctx, &once);
	t->retval = once.retval;
	t->bare = true;
	t->faulted = once.faulted;
	if (t->ctx_size_in)
		memcpy(t->ctx_back, ctx, t->ctx_size_in);
	mem_free(mem, ctx);
	return 0;
}

const struct hook hook_syscall = {
	.name = "syscall",
	.prog_type = BPF_PROG_TYPE_SYSCALL,
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_SYSCALL),
	.ctx_size = MAX_CTX,
	.fields = fields,
	.ctx_any_size = true,
	.ctx_in_max = MAX_CTX,
	.attach_type_ok = attach_type_ok,
	.may_sleep = may_sleep,
	.must_sleep = true,
	.regions = regions,
	.test_run = test_run,
};
