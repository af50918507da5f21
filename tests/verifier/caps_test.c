/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities: what bpf(2) answers to callers that have some of them, on Skep and on the kernel: for each
 * type of program, each type of map, each command with empty attributes, and each helper for each type of
 * program. Then what an unprivileged user may do, on Skep only: no kernel can be asked whose sysctl
 * unprivileged_bpf_disabled is not 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/caps.h"
#include "core/uapi.h"
#include "isa/insn.h"
#include "kernel.h"
#include "skep.h"
#include "sys/attr.h"
#include "tap.h"

#define BIT(name) ((uint64_t)1 << CAPABLE_##name)

enum { MAP_CREATE = 0, PROG_LOAD = 5, NPROGS = 33, NMAPS = 34, NCOMMANDS = 38, NHELPERS = 212 };

static const struct caps_set {
	const char *name;
	uint64_t caps;
} sets[] = {
	{"bpf", BIT(BPF)},
	{"bpf, net_admin", BIT(BPF) | BIT(NET_ADMIN)},
	{"bpf, perfmon", BIT(BPF) | BIT(PERFMON)},
	{"bpf, net_admin, perfmon", BIT(BPF) | BIT(NET_ADMIN) | BIT(PERFMON)},
	{"sys_admin", BIT(SYS_ADMIN)},
};

/* What was answered: 1 where it is EPERM, for helpers where they are none. */
static struct answers {
	uint8_t prog[NPROGS], map[NMAPS], command[NCOMMANDS], seed, helper[NPROGS][NHELPERS];
} *answers;

static char log_text[4096];

static int bpf_at(struct skep *k, int cmd, union attr *a)
{
	long ret = k ? skep_bpf(k, cmd, a, sizeof(*a)) : syscall(SYS_bpf, cmd, a, sizeof(*a));

	if (!k && ret < 0)
		ret = -errno;
	if (ret > 2 && (cmd == MAP_CREATE || cmd == PROG_LOAD))
		close((int)ret);
	return (int)ret;
}

static uint32_t attach_type(uint32_t prog)
{
	static const struct {
		uint32_t prog, attach;
	} types[] = {
		{BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE},
		{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND},
		{BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT},
		{BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT},
		{BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP},
		{BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE},
		{BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL},
		{BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].prog == prog)
			return types[i].attach;
	return 0;
}

static int load(struct skep *k, uint32_t type, const struct insn *p, uint32_t n)
{
	union attr a = {.prog_load = {
		.prog_type = type,
		.expected_attach_type = attach_type(type),
		.prog_flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0,
		.insns = (uintptr_t)p,
		.insn_cnt = n,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log_text,
		.log_size = sizeof(log_text),
		.log_level = 1,
	}};

	log_text[0] = '\0';
	return bpf_at(k, PROG_LOAD, &a);
}

static int make_map(struct skep *k, uint32_t type, uint32_t flags)
{
	union attr a = {.map_create = {type, 4, 4, 4, flags}};

	return bpf_at(k, MAP_CREATE, &a);
}

/* May a program of this type call it? Everything else that may be wrong with the call comes later. */
static bool no_helper(struct skep *k, uint32_t type, int id)
{
	const struct insn p[] = {{.code = 0x85, .imm = id}, {.code = 0x95}};

	return load(k, type, p, 2) < 0 &&
	       (strstr(log_text, "cannot use helper") || strstr(log_text, "unknown func"));
}

static void ask(struct skep *k, struct answers *a)
{
	static const struct insn ret[] = {{.code = 0xb7}, {.code = 0x95}};

	for (uint32_t t = 1; t < NPROGS; t++)
		a->prog[t] = load(k, t, ret, 2) == -EPERM;
	for (uint32_t t = 1; t < NMAPS; t++)
		a->map[t] = make_map(k, t, 0) == -EPERM;
	a->seed = make_map(k, BPF_MAP_TYPE_HASH, BPF_F_ZERO_SEED) == -EPERM;
	for (int c = 1; c < NCOMMANDS; c++) {
		union attr attr = {.bytes = {0}};

		if (c != PROG_LOAD)
			a->command[c] = bpf_at(k, c, &attr) == -EPERM;
	}
	for (uint32_t t = 1; t < NPROGS; t++)
		for (int id = 1; id < NHELPERS && !a->prog[t]; id++)
			a->helper[t][id] = no_helper(k, t, id);
}

static void keep_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};

	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(caps >> 32 * i);
	syscall(SYS_capset, &head, data);
}

/* The kernel is asked from a process that has nothing else. */
static void ask_kernel(uint64_t caps, struct answers *a)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		keep_caps(caps);
		ask(NULL, a);
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

static void ask_skep(uint64_t caps, struct answers *a)
{
	struct skep *k;

	if (skep_new(NULL, &k))
		exit(1);
	skep_set_caps(k, caps);
	ask(k, a);
	skep_free(k);
}

static void same(const uint8_t *skep, const uint8_t *kernel, size_t n, const char *what,
                 const char *set)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++)
		if (skep[i] != kernel[i]) {
			printf("# %s %zu: Skep %d, the kernel %d\n", what, i, skep[i], kernel[i]);
			wrong++;
		}
	tap(!wrong, "%s, as a caller with %s gets them", what, set);
}

static void test_set(const struct caps_set *s)
{
	struct answers *skep = &answers[0], *kernel = &answers[1];
	const char *why;
	char what[64];

	memset(answers, 0, 2 * sizeof(*answers));
	if (!kernel_here(&why)) {
		tap_skip(why, "what a caller with %s gets", s->name);
		return;
	}
	ask_skep(s->caps, skep);
	ask_kernel(s->caps, kernel);
	/* A type that Skep has not got is refused for that. */
	for (uint32_t t = 1; t < NPROGS; t++)
		if (t == BPF_PROG_TYPE_EXT || t == BPF_PROG_TYPE_LSM || t == BPF_PROG_TYPE_TRACING ||
		    t == BPF_PROG_TYPE_STRUCT_OPS || t == BPF_PROG_TYPE_LIRC_MODE2) {
			skep->prog[t] = kernel->prog[t];
			memcpy(skep->helper[t], kernel->helper[t], NHELPERS);
		}
	same(skep->prog, kernel->prog, NPROGS, "program types", s->name);
	same(skep->map, kernel->map, NMAPS, "map types", s->name);
	same(&skep->seed, &kernel->seed, 1, "known seeds", s->name);
	same(skep->command, kernel->command, NCOMMANDS, "commands", s->name);
	for (uint32_t t = 1; t < NPROGS; t++) {
		snprintf(what, sizeof(what), "helpers of type %u", t);
		if (!kernel->prog[t])
			same(skep->helper[t], kernel->helper[t], NHELPERS, what, s->name);
	}
}

/* --- Nobody in particular ----------------------------------------------------------------- */

static bool allowed(struct skep *k, uint32_t type, const struct insn *p, uint32_t n)
{
	int err = load(k, type, p, n);

	if (err < 0 && log_text[0])
		printf("# %s", log_text);
	return err >= 0;
}

static void test_unprivileged(void)
{
	static const struct insn ret[] = {{.code = 0xb7, .imm = 1}, {.code = 0x95}},
		loop[] = {{.code = 0xb7}, {.code = 0x07, .imm = 1}, {.code = 0xa5, .off = -2, .imm = 4},
		          {.code = 0x95}},
		call[] = {{.code = 0x85, .src = 1, .imm = 1}, {.code = 0x95}, {.code = 0xb7}, {.code = 0x95}},
		data[] = {{.code = 0x61, .dst = 2, .src = 1, .off = 76}, {.code = 0xb7, .imm = 1}, {.code = 0x95}},
		forward[] = {{.code = 0x61, .dst = 0, .src = 1}, {.code = 0x15, .off = 1}, {.code = 0xb7, .imm = 2},
		             {.code = 0xb7, .imm = 1}, {.code = 0x95}};
	static struct insn longest[4097];
	struct skep *k;

	if (skep_new(NULL, &k))
		exit(1);
	skep_set_caps(k, 0);
	tap(allowed(k, BPF_PROG_TYPE_SOCKET_FILTER, ret, 2), "a user may load a socket filter");
	tap(allowed(k, BPF_PROG_TYPE_CGROUP_SKB, ret, 2), "... a program for a cgroup's packets");
	tap(load(k, BPF_PROG_TYPE_XDP, ret, 2) == -EPERM, "... no XDP program");
	tap(load(k, BPF_PROG_TYPE_SK_LOOKUP, ret, 2) == -EPERM, "... nothing else");
	tap(make_map(k, BPF_MAP_TYPE_HASH, 0) >= 0, "... may make hash maps");
	tap(make_map(k, BPF_MAP_TYPE_LRU_HASH, 0) == -EPERM, "... none that evict");
	tap(allowed(k, BPF_PROG_TYPE_SOCKET_FILTER, forward, 5), "... jump forward");
	tap(load(k, BPF_PROG_TYPE_SOCKET_FILTER, loop, 4) == -EINVAL &&
	            strstr(log_text, "back-edge from insn 2 to 1"), "... not back");
	tap(load(k, BPF_PROG_TYPE_SOCKET_FILTER, call, 4) == -EPERM &&
	            strstr(log_text, "CAP_BPF and CAP_SYS_ADMIN"), "... call no functions");
	tap(load(k, BPF_PROG_TYPE_CGROUP_SKB, data, 3) == -EACCES, "... see no packet directly");
	tap(!no_helper(k, BPF_PROG_TYPE_SOCKET_FILTER, 26), "... has skb_load_bytes()");
	tap(no_helper(k, BPF_PROG_TYPE_SOCKET_FILTER, 181), "... has no loop()");
	for (size_t i = 0; i < 4096; i++)
		longest[i] = (struct insn){.code = 0xb7};
	longest[4095] = longest[4096] = (struct insn){.code = 0x95};
	tap(load(k, BPF_PROG_TYPE_SOCKET_FILTER, longest, 4096) >= 0, "... has 4096 instructions");
	tap(load(k, BPF_PROG_TYPE_SOCKET_FILTER, longest, 4097) == -E2BIG, "... not one more");
	skep_free(k);
}

int main(void)
{
	answers = mmap(NULL, 2 * sizeof(*answers), PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (answers == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		test_set(&sets[i]);
	test_unprivileged();
	return tap_end();
}
