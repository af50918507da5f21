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
	int ret;   /* what the program may return; 0 is what most may */
	int flags;
	int first; /* offset */
};

#define TYPE(name, attach_type, size, ...) {#name, BPF_PROG_TYPE_##name, attach_type, size, __VA_ARGS__}

static const struct hook_type types[] = {
	TYPE(SOCKET_FILTER, 0, 192),
	TYPE(SCHED_CLS, 0, 192),
	TYPE(SCHED_ACT, 0, 192),
	TYPE(XDP, 0, 24),
	TYPE(XDP, BPF_XDP_DEVMAP, 24),
	TYPE(KPROBE, 0, 168),
	TYPE(TRACEPOINT, 0, 24, .first = 8), /* below 0 the kernel reads in front of the record */
	TYPE(TRACEPOINT, 0, 8192, .first = 8180),
	TYPE(PERF_EVENT, 0, 184),
	TYPE(RAW_TRACEPOINT, 0, 96),
	TYPE(RAW_TRACEPOINT_WRITABLE, 0, 96),
	TYPE(CGROUP_SKB, BPF_CGROUP_INET_INGRESS, 192),
	TYPE(CGROUP_SKB, BPF_CGROUP_INET_EGRESS, 192),
	TYPE(LWT_IN, 0, 192),
	TYPE(LWT_OUT, 0, 192),
	TYPE(LWT_XMIT, 0, 192),
	TYPE(LWT_SEG6LOCAL, 0, 192),
	TYPE(SK_SKB, BPF_SK_SKB_STREAM_VERDICT, 192),
	TYPE(CGROUP_DEVICE, BPF_CGROUP_DEVICE, 12),
	TYPE(CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, 8),
	TYPE(CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT, 40),
	TYPE(CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT, 40),
	TYPE(CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, 80),
	TYPE(CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND, 80),
	TYPE(CGROUP_SOCK, BPF_CGROUP_INET6_POST_BIND, 80),
	TYPE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND, 72),
	TYPE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT, 72),
	TYPE(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG, 72),
	TYPE(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG, 72),
	TYPE(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_RECVMSG, 72, .ret = 1),
	TYPE(CGROUP_SOCK_ADDR, BPF_CGROUP_UNIX_CONNECT, 72),
	TYPE(SOCK_OPS, BPF_CGROUP_SOCK_OPS, 224),
	TYPE(SK_MSG, BPF_SK_MSG_VERDICT, 80),
	TYPE(SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT, 56),
	TYPE(SK_LOOKUP, BPF_SK_LOOKUP, 72),
	TYPE(FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, 192),
	TYPE(NETFILTER, BPF_NETFILTER, 16),
	TYPE(SYSCALL, 0, 40, .flags = BPF_F_SLEEPABLE),
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

/* r2 = 0; the access; r0 = ret; exit */
static void make(struct insn p[4], enum op op, int off, int ret)
{
	bool store = insn_info[op].fields & INSN_STORE;

	p[0] = (struct insn){.code = insn_info[OP_MOV64_K].code, .dst = R2};
	p[1] = (struct insn){.code = insn_info[op].code, .off = (int16_t)off};
	p[1].dst = store ? R1 : R3;
	p[1].src = !store ? R1 : insn_info[op].fields & INSN_RS ? R2 : 0;
	p[2] = (struct insn){.code = insn_info[OP_MOV64_K].code, .imm = ret};
	p[3] = (struct insn){.code = insn_info[OP_EXIT].code};
}

/* Loads both; answers whether they agree, and prints the first disagreements. */
static bool agree(struct vm *vm, const struct hook_type *t, enum op op, int off)
{
	struct kernel_load l = {.n = 4, .type = t->type, .attach_type = t->attach_type,
	                        .flags = (uint32_t)t->flags, .gpl = true};
	struct insn p[4];
	struct prog *prog;
	int ours, kernels;

	make(p, op, off, t->ret);
	l.insns = p;
	kernels = kernel_load(&l);
	if (kernels >= 0) {
		close(kernels);
		kernels = 0;
		l.line[0] = '\0';
	}
	vm->attach_type = t->attach_type;
	vm->flags = (uint32_t)t->flags;
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
				tap_skip(why, "%s, %u: %s", types[t].name, types[t].attach_type,
				         accesses[a].name);
				continue;
			}
			for (int off = types[t].first - 8; off < types[t].size + 8; off++)
				for (int s = 0; s < 4 && wrong < 10; s++)
					wrong += !agree(&vm, &types[t], accesses[a].ops[s], off);
			tap(!wrong, "%s, %u: %s", types[t].name, types[t].attach_type,
			    accesses[a].name);
		}
	vm_exit(&vm);
	return tap_end();
}
