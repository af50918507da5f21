/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers and context fields, on Skep and on the kernel: each program runs as BPF_PROG_TEST_RUN would run
 * it, on every engine of Skep's and on the kernel, and results, packets and contexts that come out must be
 * the same bytes. The kernel's are recorded as a hash, so that the test means something where there is no
 * bpf(2).
 *
 * A row is a program with places $A, $B, $C and the values to put there; a run for each combination.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/uapi.h"
#include "exec/exec.h"
#include "kernel.h"
#include "tap.h"
#include "vm.h"

enum { MAX_VALUES = 16, MAX_OUT = 1 << 17 };

enum packet { IP4, IP6, ARP, VLAN, QINQ, LONG, FRAGS, PACKETS };

struct row {
	const char *name;
	uint32_t type;
	enum packet packet;
	uint64_t hash; /* of all the runs' results */
	const char *text;
	int64_t a[MAX_VALUES], b[MAX_VALUES], c[MAX_VALUES]; /* END behind the last */
	const char *rodata; /* a string that is map_fd[0]'s value */
	struct {
		uint32_t type, key_size, value_size, max_entries;
	} map; /* or what map_fd[0] is */
	bool btf;
};

#define END INT64_MIN

static const struct row rows[] = {
#include "run_cases.h"
#include "run_more_cases.h"
};

static uint8_t packets[PACKETS][6000];
static uint32_t packet_len[PACKETS];

static void add_packet(enum packet p, const char *head, uint32_t len)
{
	uint8_t *at = packets[p];

	for (; *head; head += 2) {
		unsigned byte;

		sscanf(head, "%2x", &byte);
		*at++ = (uint8_t)byte;
	}
	for (uint8_t next = 1; at < packets[p] + len; next += 7)
		*at++ = next;
	packet_len[p] = len;
}

static void make_packets(void)
{
	const char *macs = "ffffffffffff0a0b0c0d0e0f";
	char head[200];

	snprintf(head, sizeof(head), "%s080045010028001c00004011a1b2c0a80001c0a800c9", macs);
	add_packet(IP4, head, 62);
	snprintf(head, sizeof(head), "%s86dd6010000000241140", macs);
	add_packet(IP6, head, 90);
	add_packet(ARP, "0102030405060a0b0c0d0e0f0806", 60);
	snprintf(head, sizeof(head), "%s8100e06408004500", macs);
	add_packet(VLAN, head, 80);
	snprintf(head, sizeof(head), "%s88a80065810000640800", macs);
	add_packet(QINQ, head, 82);
	snprintf(head, sizeof(head), "%s080045000bb8", macs);
	add_packet(LONG, head, 3000);
	add_packet(FRAGS, head, 5000);
}

struct result {
	int err;
	uint32_t retval, data_size, ctx_size;
	uint8_t data[MAX_OUT], ctx[256];
};

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	while (n--)
		hash = (hash ^ *at++) * 1099511628211u;
	return hash;
}

static uint64_t hash_result(uint64_t hash, const struct result *r)
{
	uint32_t numbers[] = {(uint32_t)r->err, r->retval, r->data_size, r->ctx_size};

	hash = hash_bytes(hash, numbers, sizeof(numbers));
	if (r->err)
		return hash;
	hash = hash_bytes(hash, r->data, r->data_size);
	return hash_bytes(hash, r->ctx, r->ctx_size);
}

static bool same(const struct result *a, const struct result *b)
{
	return hash_result(0, a) == hash_result(0, b);
}

/* The context in and out: empty, as large as the type's. XDP's must say how long the packet is. */
static uint32_t make_ctx(const struct row *row, uint8_t *ctx)
{
	bool xdp = row->type == BPF_PROG_TYPE_XDP;

	memset(ctx, 0, 256);
	if (xdp)
		memcpy(ctx + 4, &packet_len[row->packet], 4);
	return xdp ? 24 : 192;
}

static void prepare_run(const struct row *row, struct test_run *t, uint8_t *ctx, struct result *r)
{
	memset(t, 0, sizeof(*t));
	t->data_in = packets[row->packet];
	t->data_size_in = packet_len[row->packet];
	t->data_out = r->data;
	t->data_size_out = MAX_OUT;
	t->ctx_in = ctx;
	t->ctx_size_in = make_ctx(row, ctx);
	t->ctx_out = r->ctx;
	t->ctx_size_out = sizeof(r->ctx);
}

static void finish_run(const struct test_run *t, int err, struct result *r)
{
	r->err = err;
	r->retval = err ? 0 : t->retval;
	r->data_size = err ? 0 : t->data_size_out;
	r->ctx_size = err ? 0 : t->ctx_size_out;
}

static int run_kernel(const struct row *row, const struct insn *p, size_t n, struct result *r)
{
	struct kernel_load l = {
		.insns = p, .n = (uint32_t)n, .type = row->type, .gpl = true, .btf = row->btf};
	struct test_run t;
	uint8_t ctx[256];
	int fd, map = -1;

	if (row->rodata)
		map = kernel_rodata(row->rodata, (uint32_t)strlen(row->rodata) + 1);
	else if (row->map.type)
		map = kernel_map(row->map.type, row->map.key_size, row->map.value_size,
		                 row->map.max_entries);
	l.maps = map >= 0 ? &map : NULL;
	fd = kernel_load(&l);
	if (map >= 0)
		close(map);
	if (fd < 0) {
		printf("# the kernel does not load it: %d %s\n", fd, l.line);
		return fd;
	}
	prepare_run(row, &t, ctx, r);
	finish_run(&t, kernel_test_run(fd, &t), r);
	close(fd);
	return 0;
}

static int run_skep(struct vm *vm, const struct row *row, const struct engine *e, const struct insn *p,
                    size_t n, struct result *r)
{
	struct test_run t;
	uint8_t ctx[256];
	struct prog *prog;
	int err;

	vm_drop_maps(vm);
	vm->engine = e;
	vm->btf = row->btf;
	if (row->rodata)
		vm_rodata(vm, row->rodata, (uint32_t)strlen(row->rodata) + 1);
	else if (row->map.type)
		vm_map(vm, row->map.type, row->map.key_size, row->map.value_size,
		       row->map.max_entries);
	err = vm_load(vm, row->type, true, p, n, &prog);
	if (err) {
		printf("# Skep does not load it: %d %s\n", err, vm->line);
		return err;
	}
	prepare_run(row, &t, ctx, r);
	finish_run(&t, prog->hook->test_run(prog, &t), r);
	obj_put(&prog->obj);
	return 0;
}

/* The program with its places filled in. */
static struct insn *fill(const char *text, const int64_t values[3], size_t *n)
{
	char filled[4096], *to = filled;

	for (; *text; text++) {
		if (*text == '$' && text[1] >= 'A' && text[1] <= 'C') {
			to += sprintf(to, "0x%" PRIx64, (uint64_t)values[*++text - 'A']);
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	return vm_asm(filled, n);
}

static void show(const char *who, const struct result *r)
{
	printf("#   %s: errno %d, r0 %#x, %u bytes", who, -r->err, r->retval, r->data_size);
	for (uint32_t i = 0; i < r->data_size && i < 40; i++)
		printf("%s%02x", i ? "" : " ", r->data[i]);
	printf(", ctx %u bytes", r->ctx_size);
	for (uint32_t i = 0; i < r->ctx_size; i++)
		if (r->ctx[i])
			printf(" %u:%02x", i, r->ctx[i]);
	printf("\n");
}

static struct result kernels, ours;

/* One combination, everywhere. Answers whether all agree. */
static bool run_one(struct vm *vm, const struct row *row, const int64_t values[3], bool kernel,
                    uint64_t *hash)
{
	const struct engine *engines[] = {vm->k.reg.checked, vm->k.reg.interp, vm->k.reg.jit};
	bool ok = true;
	size_t n;
	struct insn *p = fill(row->text, values, &n);

	if (kernel && run_kernel(row, p, n, &kernels))
		ok = false;
	for (int e = 0; ok && e < 3 && engines[e]; e++) {
		ok = !run_skep(vm, row, engines[e], p, n, &ours);
		if (ok && kernel && !same(&ours, &kernels)) {
			printf("# A %" PRId64 ", B %" PRId64 ", C %" PRId64 ":\n", values[0], values[1],
			       values[2]);
			show(engines[e]->name, &ours);
			show("the kernel", &kernels);
			ok = false;
		}
	}
	free(p);
	*hash = hash_result(*hash, &ours);
	return ok;
}

/* A list without values stands for one run in which the place does not occur. */
static bool more(const int64_t *list, int i)
{
	return i == 0 || (list[0] != END && i < MAX_VALUES && list[i] != END);
}

static void run_row(struct vm *vm, const struct row *row)
{
	const char *why;
	bool kernel = kernel_here(&why), ok = true;
	uint64_t hash = 14695981039346656037u;

	for (int a = 0; more(row->a, a); a++)
		for (int b = 0; more(row->b, b); b++)
			for (int c = 0; more(row->c, c); c++) {
				const int64_t values[3] = {row->a[a], row->b[b], row->c[c]};

				ok &= run_one(vm, row, values, kernel, &hash);
			}
	if (kernel)
		tap(ok, "%s: as the kernel", row->name);
	else
		tap_skip(why, "%s: as the kernel", row->name);
	if (!tap(hash == row->hash, "%s: as recorded", row->name))
		printf("# the hash is %#" PRIx64 "\n", hash);
}

int main(void)
{
	struct vm vm;

	make_packets();
	vm_init(&vm);
	vm.trusted = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&vm, &rows[i]);
	vm_exit(&vm);
	return tap_end();
}
