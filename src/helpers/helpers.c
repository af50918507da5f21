/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of helpers, made from helpers.def. Requires: helpers.def. Provides: helpers[]. */
#include "helpers/helpers.h"

#include <assert.h>
#include <stddef.h>

#include "core/uapi.h"

#define TYPE(name) PROG_TYPE_BIT(BPF_PROG_TYPE_##name)

/* Program types and families of them, under the names that helpers.def writes. */
#define FILTER TYPE(SOCKET_FILTER)
#define CLS (TYPE(SCHED_CLS) | TYPE(SCHED_ACT))
#define XDP TYPE(XDP)
#define LWT_IN TYPE(LWT_IN)
#define LWT_OUT TYPE(LWT_OUT)
#define LWT_XMIT TYPE(LWT_XMIT)
#define LWT (LWT_IN | LWT_OUT | LWT_XMIT)
#define SEG6 TYPE(LWT_SEG6LOCAL)
#define CG_SKB TYPE(CGROUP_SKB)
#define CG_SOCK TYPE(CGROUP_SOCK)
#define CG_DEV TYPE(CGROUP_DEVICE)
#define CG_ADDR TYPE(CGROUP_SOCK_ADDR)
#define CG_SYSCTL TYPE(CGROUP_SYSCTL)
#define CG_OPT TYPE(CGROUP_SOCKOPT)
#define SOCK_OPS TYPE(SOCK_OPS)
#define SK_SKB TYPE(SK_SKB)
#define SK_MSG TYPE(SK_MSG)
#define SK_LOOKUP TYPE(SK_LOOKUP)
#define REUSEPORT TYPE(SK_REUSEPORT)
#define FLOW TYPE(FLOW_DISSECTOR)
#define NETFILTER TYPE(NETFILTER)
#define PERF TYPE(PERF_EVENT)
#define TRACERS                                                                                    \
	(TYPE(KPROBE) | TYPE(TRACEPOINT) | PERF | TYPE(RAW_TRACEPOINT) |                           \
	 TYPE(RAW_TRACEPOINT_WRITABLE))
#define SYSCALL TYPE(SYSCALL)
/* Network types that see the kernel's own structs: two overlapping families of the kernel's. */
#define NET                                                                                        \
	(FILTER | CLS | XDP | CG_SKB | CG_SOCK | LWT | SOCK_OPS | SK_SKB | SK_MSG | CG_ADDR |      \
	 SEG6 | REUSEPORT | FLOW | CG_SYSCTL | SK_LOOKUP)
#define SOCKS                                                                                      \
	(FILTER | CLS | XDP | CG_SKB | LWT | SOCK_OPS | SK_SKB | SK_MSG | CG_ADDR | SEG6 | FLOW |  \
	 SK_LOOKUP | SYSCALL)
#define RAW PROG_TYPE_BIT_RAW
#define ALL (~(uint64_t)1)

#define A0() {ARG_NONE}
#define A1(a) {ARG_##a}
#define A2(a, b) {ARG_##a, ARG_##b}
#define A3(a, b, c) {ARG_##a, ARG_##b, ARG_##c}
#define A4(a, b, c, d) {ARG_##a, ARG_##b, ARG_##c, ARG_##d}
#define A5(a, b, c, d, e) {ARG_##a, ARG_##b, ARG_##c, ARG_##d, ARG_##e}

enum {
	GPL = HELPER_GPL,
	CHANGES_PKT = HELPER_CHANGES_PKT,
	MIGHT_SLEEP = HELPER_MIGHT_SLEEP,
	ACQUIRES = HELPER_ACQUIRES,
	RELEASES = HELPER_RELEASES,
	INLINE = HELPER_INLINE,
	PERFMON = HELPER_PERFMON,
	BPF = HELPER_BPF,
};

#define HELPER_POINTER_FN(name) helper_##name
#define HELPER_POINTER_NO(name) NULL

const struct helper helpers[HELPER_COUNT] = {
	[0] = {.name = "bpf_unspec"},
#define HELPER(id, text, have, returns, arguments, f, t)                                           \
	[id] = {                                                                                   \
		.name = "bpf_" #text,                                                              \
		.fn = HELPER_POINTER_##have(text),                                                 \
		.types = t,                                                                        \
		.arg = arguments,                                                                  \
		.ret = RET_##returns,                                                              \
		.flags = f,                                                                        \
	},
#include "helpers/helpers.def"
#undef HELPER
};

#define HELPER(...) +1
static_assert(0
#include "helpers/helpers.def"
	      == HELPER_COUNT - 1,
	      "helpers.def has a row for every id");
#undef HELPER
