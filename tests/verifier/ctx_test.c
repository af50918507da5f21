/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every access to the context of every hook: each offset, each size, loads, signed loads and stores. Skep
 * and the kernel must answer the same errno and line for all of them. A test is a program type and a kind
 * of access.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/uapi.h"
#include "kernel.h"
#include "tap.h"
#include "vm.h"

struct hook_type {
	const char *name;
	uint32_t type, attach_type;
	int size;
};

static const struct hook_type types[] = {
	{"socket_filter", BPF_PROG_TYPE_SOCKET_FILTER, 0, 192},
	{"sched_cls", BPF_PROG_TYPE_SCHED_CLS, 0, 192},
	{"sched_act", BPF_PROG_TYPE_SCHED_ACT, 0, 192},
	{"xdp", BPF_PROG_TYPE_XDP, 0, 24},
	{"xdp of a device map", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, 24},
};

static const struct access {
	const char *name;
	enum op ops[4];
} accesses[] = {
	{"loads", {OP_LDX_B, OP_LDX_H, OP_LDX_W, OP_LDX_DW}},
	{"signed loads", {OP_LDSX_B, OP_LDSX_H, OP_LDSX_W, OP_LDX_DW}},
	{"stores", {OP_STX_B, OP_STX_H, OP_STX_W, OP_STX_DW}},
	{"stores of constants", {OP_ST_B, OP_ST_H, OP_ST_W, OP_ST_DW}},
};

/* r2 = 0; the access; r0 = 0; exit */
static void make(struct insn p[4], enum op op, int off)
{
	bool store = insn_info[op].fields & INSN_STORE;

	p[0] = (struct insn){.code = insn_info[OP_MOV64_K].code, .dst = R2};
	p[1] = (struct insn){.code = insn_info[op].code, .off = (int16_t)off};
	p[1].dst = store ? R1 : R3;
	p[1].src = !store ? R1 : insn_info[op].fields & INSN_RS ? R2 : 0;
	p[2] = (struct insn){.code = insn_info[OP_MOV64_K].code};
	p[3] = (struct insn){.code = insn_info[OP_EXIT].code};
}

/* Loads both; answers whether they agree, and prints the first disagreements. */
static bool agree(struct vm *vm, const struct hook_type *t, enum op op, int off)
{
	struct kernel_load l = {.n = 4, .type = t->type, .attach_type = t->attach_type, .gpl = true};
	struct insn p[4];
	struct prog *prog;
	int ours, kernels;

	make(p, op, off);
	l.insns = p;
	kernels = kernel_load(&l);
	if (kernels >= 0) {
		close(kernels);
		kernels = 0;
		l.line[0] = '\0';
	}
	vm->attach_type = t->attach_type;
	ours = vm_load(vm, t->type, true, p, 4, &prog);
	if (prog)
		obj_put(&prog->obj);
	if (ours == kernels && !strcmp(vm->line, l.line))
		return true;
	printf("# %s at %d: Skep %d \"%s\", the kernel %d \"%s\"\n", insn_info[op].name, off, ours,
	       vm->line, kernels, l.line);
	return false;
}

int main(void)
{
	const char *why;
	struct vm vm;

	vm_init(&vm);
	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
		for (size_t a = 0; a < sizeof(accesses) / sizeof(accesses[0]); a++) {
			unsigned wrong = 0;

			if (!kernel_here(&why)) {
				tap_skip(why, "%s: %s", types[t].name, accesses[a].name);
				continue;
			}
			for (int off = -8; off < types[t].size + 8; off++)
				for (int s = 0; s < 4 && wrong < 10; s++)
					wrong += !agree(&vm, &types[t], accesses[a].ops[s], off);
			tap(!wrong, "%s: %s", types[t].name, accesses[a].name);
		}
	vm_exit(&vm);
	return tap_end();
}
