/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The raw hook: bare bytecode, for conformance suites and experiments. Not a type of the kernel's.
 *
 * r1 points to a struct of a memory block's address and its length. Any value may be returned;
 * helpers that need no packet may be called.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/prog.h"
#include "hooks/hooks.h"

enum { PROG_TYPE_RAW = 0x534b0000 };

struct raw {
	void *mem;
	uint64_t len;
};

static const struct ctx_field fields[] = {
	{"mem", 0, 8, FIELD_R, FIELD_SCALAR, offsetof(struct raw, mem), 8},
	{"len", 8, 8, FIELD_R, FIELD_SCALAR, offsetof(struct raw, len), 8},
	{NULL},
};

static unsigned regions(const void *ctx, struct region *r, unsigned max)
{
	const struct raw *raw = ctx;
	const struct region all[] = {
		{(uintptr_t)raw, sizeof(*raw), false, "ctx"},
		{(uintptr_t)raw->mem, raw->len, true, "memory"},
	};
	unsigned n = raw->len ? 2 : 1;

	n = n < max ? n : max;
	memcpy(r, all, n * sizeof(*r));
	return n;
}

static int test_run(struct prog *p, struct test_run *t)
{
	const struct mem *mem = &p->obj.k->mem;
	struct raw raw = {.len = t->data_size_in};
	int err;

	if (t->flags || t->batch_size || t->ctx_size_in)
		return -EINVAL;
	raw.mem = mem_zalloc(mem, raw.len);
	if (!raw.mem)
		return -ENOMEM;
	if (raw.len)
		memcpy(raw.mem, t->data_in, raw.len);
	test_run_repeat(p, &raw, t);
	err = test_run_out(t, raw.mem, (uint32_t)raw.len, NULL, 0);
	mem_free(mem, raw.mem);
	return err;
}

const struct hook hook_raw = {
	.name = "raw",
	.prog_type = PROG_TYPE_RAW,
	.type_bit = PROG_TYPE_BIT_RAW,
	.ctx_size = sizeof(struct raw),
	.fields = fields,
	.regions = regions,
	.test_run = test_run,
};
