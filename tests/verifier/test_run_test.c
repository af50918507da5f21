/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_TEST_RUN's arguments: random packet sizes, contexts, rooms and flags, biased to where they are
 * just valid. Skep and the kernel must answer the same errno and, where there is a result, the same bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/uapi.h"
#include "kernel.h"
#include "tap.h"
#include "vm.h"

enum { MAX_DATA = 80000, ROUNDS = 5000 };

static uint64_t state = 88172645463325252u;

static uint32_t random_below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20) % n;
}

static uint32_t pick(const uint32_t *from, unsigned n)
{
	return from[random_below(n)];
}
#define PICK(...) pick((const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)

struct hook_type {
	const char *name;
	uint32_t type, ctx_size;
	const char *text; /* answers something of the context */
};

static const struct hook_type types[] = {
	{"xdp", BPF_PROG_TYPE_XDP, 24,
	 "r0 = *(u32 *)(r1 + 4); r2 = *(u32 *)(r1 + 0); r3 = *(u32 *)(r1 + 8); r0 -= r2; r0 *= 31;"
	 "r2 -= r3; r0 += r2; r2 = *(u32 *)(r1 + 12); r0 *= 31; r0 += r2; exit"},
	{"sched_cls", BPF_PROG_TYPE_SCHED_CLS, 192,
	 "r0 = *(u32 *)(r1 + 0); r2 = *(u32 *)(r1 + 8); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 36);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 160); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 176);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 164); r0 *= 31; r0 += r2; r2 = *(u64 *)(r1 + 184);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 64); r0 *= 31; r0 += r2; *(u32 *)(r1 + 52) = 77;"
	 "*(u32 *)(r1 + 32) = 78; r2 = 79; *(u64 *)(r1 + 152) = r2; exit"},
	{"socket_filter", BPF_PROG_TYPE_SOCKET_FILTER, 192,
	 "r0 = *(u32 *)(r1 + 0); r2 = *(u32 *)(r1 + 4); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 16);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 32); r0 *= 31; r0 += r2; exit"},
};

struct outcome {
	int err;
	uint32_t retval, data_size, ctx_size;
	uint8_t data[MAX_DATA], ctx[8192];
};

static struct outcome ours, kernels;
static uint8_t data[MAX_DATA], ctx[8192];

static void set_field(uint32_t offset, uint32_t value)
{
	memcpy(ctx + offset, &value, sizeof(value));
}

static void random_xdp_ctx(uint32_t size)
{
	if (random_below(8))
		set_field(4, size + PICK(0, 0, 0, 0, 1, -1u, -10u, -40u));
	if (!random_below(2))
		set_field(0, PICK(0, 4, 8, 32, 44, 48, 50, 52, 60, 3, 216, 220, 252, 256, 255, size, size - 14));
	if (!random_below(4))
		set_field(12, PICK(0, 1, 1, 12345));
	if (!random_below(16))
		set_field(PICK(8, 16, 20), PICK(0, 1, 2));
}

static void random_skb_ctx(uint32_t size)
{
	for (unsigned n = random_below(4); n; n--)
		set_field(PICK(8, 32, 36, 40, 48, 64, 152, 156, 164, 176, 184, 188), PICK(0, 1, 5, 65535, 65536, 1u << 31));
	if (!random_below(3))
		set_field(160, size + PICK(0, -1u, 1, -14u, -15u, 65536, 65536 - size, 65537 - size));
	if (!random_below(10))
		set_field(4 * random_below(48), 1);
	if (*(uint32_t *)(ctx + 40) > 1)
		set_field(40, PICK(0, 1, 12345)); /* the host's other devices are its own */
}

static void random_run(const struct hook_type *t, struct test_run *r)
{
	uint32_t size = PICK(0, 13, 14, 33, 34, 53, 54, 60, 64, 64, 64, 100, 300, 3519, 3520, 3521, 3712,
	                     3713, 4096, 8000, 73151, 73152, 73153);

	memset(r, 0, sizeof(*r));
	memset(ctx, 0, sizeof(ctx));
	for (uint32_t i = 0; i < 64; i++)
		data[i] = (uint8_t)random_below(256);
	data[12] = (uint8_t)PICK(0x08, 0x86, 0x81, 0x05, 0x06);
	data[13] = (uint8_t)PICK(0x00, 0xdd, 0x06, 0xff);
	data[0] = (uint8_t)PICK(0, 1, 2, 255);
	r->data_in = data;
	r->data_size_in = size;
	r->data_size_out = PICK(0, MAX_DATA, MAX_DATA, MAX_DATA, 1, 14, size, size - 1);
	if (random_below(3)) {
		r->ctx_in = ctx;
		r->ctx_size_in = t->ctx_size;
		if (!random_below(6))
			r->ctx_size_in = PICK(4, 8, t->ctx_size - 1, t->ctx_size + 8, 4096, 4097, 8000);
		if (!random_below(20))
			ctx[t->ctx_size + random_below(8)] = 1;
		if (t->type == BPF_PROG_TYPE_XDP)
			random_xdp_ctx(size);
		else
			random_skb_ctx(size);
	}
	r->ctx_size_out = PICK(0, 4, t->ctx_size, t->ctx_size, 500);
	if (!random_below(20))
		r->flags = PICK(1, 4, 8);
	if (!random_below(40))
		r->batch_size = 1;
	if (!random_below(40))
		r->cpu = 1;
}

static void finish(struct outcome *o, const struct test_run *r, int err)
{
	o->err = err;
	o->retval = r->retval;
	o->data_size = r->data_size_out;
	o->ctx_size = r->ctx_size_out;
}

static bool equal(void)
{
	bool ran = !ours.err || ours.err == -ENOSPC;

	if (ours.err != kernels.err)
		return false;
	if (!ran)
		return true;
	return ours.retval == kernels.retval && ours.data_size == kernels.data_size &&
	       ours.ctx_size == kernels.ctx_size && !memcmp(ours.data, kernels.data, MAX_DATA) &&
	       !memcmp(ours.ctx, kernels.ctx, sizeof(ours.ctx));
}

static void show(const struct hook_type *t, const struct test_run *r)
{
	printf("# %s, %u bytes of %02x%02x, room %u, ctx %u, room %u, flags %u, cpu %u, batch %u:", t->name,
	       r->data_size_in, data[12], data[13], r->data_size_out, r->ctx_size_in, r->ctx_size_out,
	       r->flags, r->cpu, r->batch_size);
	for (uint32_t i = 0; i < sizeof(ctx) / 4 && r->ctx_in; i++)
		if (((uint32_t *)ctx)[i])
			printf(" %u:%u", 4 * i, ((uint32_t *)ctx)[i]);
	printf("\n#   Skep: %d, r0 %#x, %u, %u\n#   the kernel: %d, r0 %#x, %u, %u\n", ours.err, ours.retval,
	       ours.data_size, ours.ctx_size, kernels.err, kernels.retval, kernels.data_size,
	       kernels.ctx_size);
	for (uint32_t i = 0; i < sizeof(ours.ctx); i++)
		if (ours.ctx[i] != kernels.ctx[i])
			printf("#   ctx[%u]: %u, the kernel's %u\n", i, ours.ctx[i], kernels.ctx[i]);
}

static bool round_agrees(const struct hook_type *t, struct prog *prog, int fd)
{
	struct test_run mine, theirs;

	random_run(t, &mine);
	theirs = mine;
	memset(&ours, 0, sizeof(ours));
	memset(&kernels, 0, sizeof(kernels));
	mine.data_out = ours.data;
	if (mine.ctx_size_out) /* bpf(2) refuses one without the other before a hook is asked */
		mine.ctx_out = ours.ctx;
	theirs.data_out = kernels.data;
	if (theirs.ctx_size_out)
		theirs.ctx_out = kernels.ctx;
	finish(&ours, &mine, prog->hook->test_run(prog, &mine));
	finish(&kernels, &theirs, kernel_test_run(fd, &theirs));
	if (equal())
		return true;
	show(t, &mine);
	return false;
}

static void test_type(struct vm *vm, const struct hook_type *t)
{
	struct kernel_load l = {.type = t->type, .gpl = true};
	const char *why;
	struct prog *prog;
	unsigned wrong = 0;
	size_t n;
	struct insn *p = vm_asm(t->text, &n);
	int fd;

	if (!kernel_here(&why)) {
		tap_skip(why, "test runs of %s", t->name);
		free(p);
		return;
	}
	l.insns = p;
	l.n = (uint32_t)n;
	fd = kernel_load(&l);
	if (vm_load(vm, t->type, true, p, n, &prog) || fd < 0) {
		tap(false, "%s loads: \"%s\", \"%s\"", t->name, vm->line, l.line);
	} else {
		for (int i = 0; i < ROUNDS && wrong < 5; i++)
			wrong += !round_agrees(t, prog, fd);
		tap(!wrong, "test runs of %s", t->name);
		obj_put(&prog->obj);
	}
	close(fd);
	free(p);
}

int main(void)
{
	struct vm vm;

	vm_init(&vm);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		test_type(&vm, &types[i]);
	vm_exit(&vm);
	return tap_end();
}
