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

enum ctx_kind { CTX_XDP, CTX_SKB, CTX_FLOW, CTX_LOOKUP, CTX_ARGS, CTX_STATE };

struct hook_type {
	const char *name;
	uint32_t type, ctx_size;
	const char *text; /* answers something of the context */
	enum ctx_kind ctx;
	uint32_t attach_type, flags;
	bool alone; /* no packet */
	bool live;
};

#define IP_FIELDS                                                                                  \
	"r0 = *(u32 *)(r1 + 0); r2 = *(u32 *)(r1 + 4); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 16);" \
	"r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 32); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 8);"    \
	"r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 80); r3 = *(u32 *)(r1 + 76); r2 -= r3; r0 *= 31;"   \
	"r0 += r2; r2 = *(u32 *)(r1 + 176); r0 += r2; *(u32 *)(r1 + 52) = 77; *(u32 *)(r1 + 32) = 78;" \
	"r2 = 79; *(u32 *)(r1 + 8) = r2; r2 = *(u32 *)(r1 + 36); r0 += r2; r2 = *(u32 *)(r1 + 40);"   \
	"r0 += r2;"
#define STORE "*(u64 *)(r3 + 0) = r0;"

static const struct hook_type types[] = {
	{"xdp", BPF_PROG_TYPE_XDP, 24,
	 "r0 = *(u32 *)(r1 + 4); r2 = *(u32 *)(r1 + 0); r3 = *(u32 *)(r1 + 8); r0 -= r2; r0 *= 31;"
	 "r2 -= r3; r0 += r2; r2 = *(u32 *)(r1 + 12); r0 *= 31; r0 += r2; exit", CTX_XDP},
	{"xdp, live frames", BPF_PROG_TYPE_XDP, 24, "r0 = 1; exit", CTX_XDP, .live = true},
	{"sched_cls", BPF_PROG_TYPE_SCHED_CLS, 192,
	 "r0 = *(u32 *)(r1 + 0); r2 = *(u32 *)(r1 + 8); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 36);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 160); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 176);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 164); r0 *= 31; r0 += r2; r2 = *(u64 *)(r1 + 184);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 64); r0 *= 31; r0 += r2; *(u32 *)(r1 + 52) = 77;"
	 "*(u32 *)(r1 + 32) = 78; r2 = 79; *(u64 *)(r1 + 152) = r2; exit", CTX_SKB},
	{"socket_filter", BPF_PROG_TYPE_SOCKET_FILTER, 192,
	 "r0 = *(u32 *)(r1 + 0); r2 = *(u32 *)(r1 + 4); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 16);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 32); r0 *= 31; r0 += r2; exit", CTX_SKB},
	{"lwt_in", BPF_PROG_TYPE_LWT_IN, 192, IP_FIELDS "exit", CTX_SKB},
	{"lwt_out", BPF_PROG_TYPE_LWT_OUT, 192, IP_FIELDS "exit", CTX_SKB},
	{"lwt_xmit", BPF_PROG_TYPE_LWT_XMIT, 192, IP_FIELDS "exit", CTX_SKB},
	{"cgroup_skb", BPF_PROG_TYPE_CGROUP_SKB, 192,
	 IP_FIELDS "r2 = *(u32 *)(r1 + 88); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 92); r0 *= 31; r0 += r2;"
	 "r2 = *(u32 *)(r1 + 96); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 100); r0 *= 31; r0 += r2;"
	 "r2 = *(u32 *)(r1 + 112); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 128); r0 *= 31; r0 += r2;"
	 "r2 = *(u32 *)(r1 + 132); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 136); r0 *= 31; r0 += r2;"
	 "*(u64 *)(r1 + 56) = r0; r0 = 1; exit", CTX_SKB},
	{"cgroup_skb's socket", BPF_PROG_TYPE_CGROUP_SKB, 192,
	 "r6 = r1; r1 = *(u64 *)(r1 + 168); r0 = 0; if r1 == 0 goto out; r0 = *(u32 *)(r1 + 0);"
	 "r2 = *(u32 *)(r1 + 4); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 24); r0 *= 31; r0 += r2;"
	 "r2 = *(u32 *)(r1 + 28); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 44); r0 *= 31; r0 += r2;"
	 "r2 = *(u32 *)(r1 + 52); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 68); r0 *= 31; r0 += r2;"
	 "r2 = *(u32 *)(r1 + 72); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 76); r0 *= 31; w0 += w2;"
	 "*(u64 *)(r6 + 56) = r0; r0 = 1; out: exit", CTX_SKB},
	{"flow_dissector", BPF_PROG_TYPE_FLOW_DISSECTOR, 56,
	 "r3 = *(u64 *)(r1 + 144); r0 = *(u32 *)(r3 + 0); r2 = *(u32 *)(r3 + 8); r0 *= 31; r0 += r2;"
	 "r2 = *(u32 *)(r3 + 48); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 80); r4 = *(u32 *)(r1 + 76);"
	 "r2 -= r4; r0 *= 31; r0 += r2; *(u32 *)(r3 + 20) = r0; *(u16 *)(r3 + 0) = r0; r0 >>= 3;"
	 "*(u16 *)(r3 + 2) = r0; exit", CTX_FLOW},
	{"sk_lookup", BPF_PROG_TYPE_SK_LOOKUP, 72,
	 "r0 = *(u32 *)(r1 + 8); r2 = *(u32 *)(r1 + 12); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 16);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 24); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 36);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 40); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 44);"
	 "r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 60); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 64);"
	 "r0 += r2; r0 &= 1; exit", CTX_LOOKUP, BPF_SK_LOOKUP, 0, true},
	{"raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT, 40,
	 "r0 = *(u64 *)(r1 + 0); r2 = *(u64 *)(r1 + 32); r0 *= 31; r0 += r2; exit", CTX_ARGS, 0, 0, true},
	{"syscall", BPF_PROG_TYPE_SYSCALL, 40,
	 "r0 = *(u64 *)(r1 + 0); r2 = *(u64 *)(r1 + 32); r0 *= 31; r0 += r2; *(u64 *)(r1 + 8) = r0; exit",
	 CTX_ARGS, 0, BPF_F_SLEEPABLE, true},
	{"netfilter", BPF_PROG_TYPE_NETFILTER, 48, "r0 = 1; exit", CTX_STATE, BPF_NETFILTER},
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

static void random_words(const uint32_t *at, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (random_below(2))
			set_field(at[i], PICK(1, 2, 10, 7, 0x12345678, -1u));
}

static void random_flow_ctx(void)
{
	if (random_below(2))
		set_field(48, PICK(1, 2, 7, 0xffffffff));
	if (!random_below(5))
		set_field(4 * random_below(14), 1);
}

static void random_lookup_ctx(void)
{
	static const uint32_t words[] = {16, 20, 24, 28, 32, 40, 44, 48, 52, 56, 36, 12};

	set_field(8, PICK(2, 10, 2, 10, 0, 1, 11));
	random_words(words, 12);
	set_field(60, PICK(0, 80, 65535, 65535, 65536));
	if (!random_below(6))
		set_field(PICK(0, 4, 64, 68), 1);
}

static void random_state_ctx(void)
{
	ctx[0] = (uint8_t)PICK(0, 1, 2, 3, 3, 3, 4, 5, 255);
	ctx[1] = (uint8_t)PICK(2, 10, 2, 10, 2, 0, 1, 7, 12);
	if (random_below(2)) {
		data[12] = ctx[1] == 10 ? 0x86 : 0x08;
		data[13] = ctx[1] == 10 ? 0xdd : 0x00;
	}
	if (!random_below(6))
		set_field(4 * random_below(12), 1);
}

static void random_ctx(enum ctx_kind kind, uint32_t size)
{
	static const uint32_t args[] = {0, 8, 16, 24, 32, 36, 4};

	switch (kind) {
	case CTX_XDP:
		random_xdp_ctx(size);
		break;
	case CTX_SKB:
		random_skb_ctx(size);
		break;
	case CTX_FLOW:
		random_flow_ctx();
		break;
	case CTX_LOOKUP:
		random_lookup_ctx();
		break;
	case CTX_ARGS:
		random_words(args, 7);
		break;
	case CTX_STATE:
		random_state_ctx();
		break;
	}
}

/* A run without a packet, and sometimes with what does not go with that. */
static void random_alone(const struct hook_type *t, struct test_run *r)
{
	bool wrong = !random_below(4);

	r->data_in = wrong && random_below(2) ? data : NULL;
	r->data_size_in = wrong ? PICK(0, 14, 64) : 0;
	if (!wrong || random_below(2))
		r->data_size_out = 0;
	if (t->ctx == CTX_LOOKUP)
		return;
	if (random_below(8)) {
		r->ctx_in = ctx;
		r->ctx_size_in = PICK(40, 40, 40, 48, 96, 97, 104, 39, 8, 4096);
	}
	if (!wrong)
		r->ctx_size_out = 0;
	r->repeat = PICK(0, 0, 0, 0, 0, 1);
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
		random_ctx(t->ctx, size);
	}
	r->ctx_size_out = PICK(0, 4, t->ctx_size, t->ctx_size, 500);
	if (t->alone)
		random_alone(t, r);
	if (t->live) {
		r->flags = 2;
		r->batch_size = PICK(0, 0, 1, 64, 256, 257, -1u);
		r->data_size_in = PICK(13, 14, 64, 64, 64, 300, 3408, 3409, 3520);
		r->data_size_out = PICK(0, 0, 0, MAX_DATA, 14, 64);
		r->ctx_size_out = PICK(0, 0, 0, 24);
		random_ctx(t->ctx, r->data_size_in);
		return;
	}
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
	if ((!t->alone && !t->live) || mine.data_size_out)
		mine.data_out = ours.data;
	mine.ctx_back = ours.ctx;
	if (mine.ctx_size_out) /* bpf(2) refuses one without the other before a hook is asked */
		mine.ctx_out = ours.ctx;
	if (mine.data_out)
		theirs.data_out = kernels.data;
	if (theirs.ctx_size_out)
		theirs.ctx_out = kernels.ctx;
	finish(&ours, &mine, prog->hook->test_run(prog, &mine));
	finish(&kernels, &theirs, kernel_test_run(fd, &theirs));
	if (t->type == BPF_PROG_TYPE_SYSCALL && !kernels.err && theirs.ctx_in)
		memcpy(kernels.ctx, ctx, theirs.ctx_size_in);
	if (equal())
		return true;
	show(t, &mine);
	return false;
}

static void test_type(struct vm *vm, const struct hook_type *t)
{
	struct kernel_load l = {
		.type = t->type, .attach_type = t->attach_type, .flags = t->flags, .gpl = true};
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
	vm->attach_type = t->attach_type;
	vm->flags = t->flags;
	if (vm_load(vm, t->type, true, p, n, &prog) || fd < 0) {
		tap(false, "%s loads: \"%s\", \"%s\"", t->name, vm->line, l.line);
	} else {
		for (int i = 0; i < (t->live ? ROUNDS / 10 : ROUNDS) && wrong < 5; i++)
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
