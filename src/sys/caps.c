/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may load which type of program, and make which type of map: sets of types, bit by number, whether
 * Skep has the type or not.
 *
 * tests/verifier/caps_test.c asks the kernel for each type. Callers without CAP_BPF could not be asked
 * about there: their sets are those of the documentation.
 */
#include "sys/caps.h"

#include <errno.h>

#include "core/caps.h"
#include "core/uapi.h"

#define PROG(name) ((uint64_t)1 << BPF_PROG_TYPE_##name)
#define MAP(name) ((uint64_t)1 << BPF_MAP_TYPE_##name)

/* Of these alone an unprivileged user loads programs; they are attached with CAP_NET_ADMIN. */
#define PROGS_UNPRIVILEGED (PROG(SOCKET_FILTER) | PROG(CGROUP_SKB))

#define PROGS_NET_ADMIN                                                                            \
	(PROG(SCHED_CLS) | PROG(SCHED_ACT) | PROG(XDP) | PROG(LWT_IN) | PROG(LWT_OUT) |            \
	 PROG(LWT_XMIT) | PROG(LWT_SEG6LOCAL) | PROG(SK_SKB) | PROG(SK_MSG) |                      \
	 PROG(FLOW_DISSECTOR) | PROG(CGROUP_DEVICE) | PROG(CGROUP_SOCK) |                          \
	 PROG(CGROUP_SOCK_ADDR) | PROG(CGROUP_SOCKOPT) | PROG(CGROUP_SYSCTL) | PROG(SOCK_OPS) |    \
	 PROG(EXT) | PROG(NETFILTER))

#define PROGS_PERFMON                                                                              \
	(PROG(KPROBE) | PROG(TRACEPOINT) | PROG(PERF_EVENT) | PROG(RAW_TRACEPOINT) |               \
	 PROG(RAW_TRACEPOINT_WRITABLE) | PROG(TRACING) | PROG(LSM) | PROG(STRUCT_OPS) | PROG(EXT))

#define MAPS_BPF                                                                                   \
	(MAP(SK_STORAGE) | MAP(INODE_STORAGE) | MAP(TASK_STORAGE) | MAP(CGRP_STORAGE) |            \
	 MAP(BLOOM_FILTER) | MAP(LPM_TRIE) | MAP(REUSEPORT_SOCKARRAY) | MAP(STACK_TRACE) |         \
	 MAP(QUEUE) | MAP(STACK) | MAP(LRU_HASH) | MAP(LRU_PERCPU_HASH) | MAP(STRUCT_OPS) |        \
	 MAP(CPUMAP) | MAP(ARENA))

#define MAPS_NET_ADMIN                                                                             \
	(MAP(SOCKMAP) | MAP(SOCKHASH) | MAP(DEVMAP) | MAP(DEVMAP_HASH) | MAP(XSKMAP))

/* A seed that is known lets keys be chosen that collide. */
#define MAPS_SEEDED                                                                                \
	(MAP(HASH) | MAP(PERCPU_HASH) | MAP(LRU_HASH) | MAP(LRU_PERCPU_HASH) | MAP(HASH_OF_MAPS))

/* A type without a number in the sets is in none of them. */
static bool has(uint64_t set, uint32_t type)
{
	return type < 64 && set >> type & 1;
}

int caps_check_prog(uint64_t caps, uint32_t type)
{
	if (!capable(caps, CAPABLE_BPF) && !has(PROGS_UNPRIVILEGED, type))
		return -EPERM;
	if (!capable(caps, CAPABLE_NET_ADMIN) && has(PROGS_NET_ADMIN, type))
		return -EPERM;
	if (!capable(caps, CAPABLE_PERFMON) && has(PROGS_PERFMON, type))
		return -EPERM;
	return 0;
}

int caps_check_map(uint64_t caps, uint32_t type, uint32_t flags)
{
	if (!capable(caps, CAPABLE_BPF) && has(MAPS_BPF, type))
		return -EPERM;
	if (!capable(caps, CAPABLE_NET_ADMIN) && has(MAPS_NET_ADMIN, type))
		return -EPERM;
	if (!capable(caps, CAPABLE_SYS_ADMIN) && has(MAPS_SEEDED, type) && flags & BPF_F_ZERO_SEED)
		return -EPERM;
	return 0;
}

/* What anybody may load is no danger before it is attached. */
int caps_check_attach(uint64_t caps, uint32_t prog_type)
{
	return prog_type == BPF_PROG_TYPE_CGROUP_SKB && !capable(caps, CAPABLE_NET_ADMIN) ? -EPERM : 0;
}
