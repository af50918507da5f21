/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of kfuncs, made from kfuncs.def. Requires: kfuncs.def. Provides: kfuncs[]. */
#include "helpers/kfuncs.h"

#include <stddef.h>

#include "core/uapi.h"

#define TYPE(name) PROG_TYPE_BIT(BPF_PROG_TYPE_##name)

/* Families of program types, as the kernel registers kfuncs for them. */
#define ALL (~(uint64_t)1)
#define FILTER TYPE(SOCKET_FILTER)
#define CLS TYPE(SCHED_CLS)
#define ACT TYPE(SCHED_ACT)
#define XDP TYPE(XDP)
#define TRACING (TYPE(TRACING) | TYPE(TRACEPOINT) | TYPE(PERF_EVENT) | TYPE(LSM))
#define CGROUP                                                                                     \
	(TYPE(CGROUP_SKB) | TYPE(CGROUP_SOCK) | TYPE(CGROUP_DEVICE) | TYPE(CGROUP_SOCK_ADDR) |     \
	 TYPE(CGROUP_SOCKOPT) | TYPE(CGROUP_SYSCTL) | TYPE(SOCK_OPS))
#define LWT (TYPE(LWT_IN) | TYPE(LWT_OUT) | TYPE(LWT_XMIT) | TYPE(LWT_SEG6LOCAL))
#define SK_SKB TYPE(SK_SKB)
#define NETFILTER TYPE(NETFILTER)
#define SYSCALL TYPE(SYSCALL)
#define STRUCT_OPS TYPE(STRUCT_OPS)
#define LSM TYPE(LSM)
#define ITER TYPE(TRACING)
#define GENERIC (CLS | XDP | TRACING | CGROUP | SYSCALL | STRUCT_OPS)

enum {
	ACQUIRE = KFUNC_ACQUIRE,
	RELEASE = KFUNC_RELEASE,
	RET_NULL = KFUNC_RET_NULL,
	TRUSTED_ARGS = KFUNC_TRUSTED_ARGS,
	SLEEPABLE = KFUNC_SLEEPABLE,
	RCU = KFUNC_RCU,
	ITER_NEW = KFUNC_ITER_NEW,
	ITER_NEXT = KFUNC_ITER_NEXT,
	ITER_DESTROY = KFUNC_ITER_DESTROY,
	RCU_PROTECTED = KFUNC_RCU_PROTECTED,
	FASTCALL = KFUNC_FASTCALL,
	ARENA_RET = KFUNC_ARENA_RET,
	ARENA_ARG2 = KFUNC_ARENA_ARG2,
};

#define KFUNC_POINTER_FN(name) kfunc_##name
#define KFUNC_POINTER_NO(name) NULL

const struct kfunc kfuncs[KFUNC_COUNT] = {
#define KFUNC(text, have, f, t)                                                                    \
	{.name = #text, .fn = KFUNC_POINTER_##have(text), .types = t, .flags = f},
#include "helpers/kfuncs.def"
#undef KFUNC
};
