/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers: what a BPF program calls by number, and what such a call promises.
 *
 * A helper is a C function with r1..r5 and the CPU slot as arguments (the slot travels in the sixth
 * argument register, which BPF does not use), plus a row in helpers.def that tells the verifier its
 * argument and return kinds in the kernel's terms.
 */
#ifndef SKEP_CORE_HELPER_H
#define SKEP_CORE_HELPER_H

#include <stdint.h>

struct cpu;
struct prog;
struct callback;

typedef uint64_t (*helper_fn)(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                              struct cpu *cpu);

/*
 * A BPF function whose address a program passed to a helper (lddw func[]): the register holds the
 * address of one of these. Whatever engine runs the program, a helper calls it with
 *     cb->call(r1, r2, r3, r4, r5, cpu, cb)
 */
struct callback {
	uint64_t (*call)(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
	                 struct cpu *cpu, const struct callback *cb);
	const struct prog *prog;
	uint32_t func; /* index in prog->funcs */
};

enum ret_kind {
	RET_INTEGER,
	RET_VOID,
	RET_PTR_TO_MAP_VALUE,
	RET_PTR_TO_MAP_VALUE_OR_NULL,
	RET_PTR_TO_SOCKET_OR_NULL,
	RET_PTR_TO_TCP_SOCK_OR_NULL,
	RET_PTR_TO_SOCK_COMMON_OR_NULL,
	RET_PTR_TO_MEM_OR_NULL, /* size from an ARG_CONST_ALLOC_SIZE_OR_ZERO argument */
	RET_PTR_TO_DYNPTR_MEM_OR_NULL,
	RET_PTR_TO_BTF_ID,
	RET_PTR_TO_BTF_ID_OR_NULL,
	RET_PTR_TO_BTF_ID_TRUSTED,
	RET_PTR_TO_MEM_OR_BTF_ID,
	RET_PTR_TO_MEM_OR_BTF_ID_OR_NULL,
	RET_NEVER,
};

enum arg_kind {
	ARG_NONE,
	ARG_CONST_MAP_PTR,
	ARG_PTR_TO_MAP_KEY,
	ARG_PTR_TO_MAP_VALUE,
	ARG_PTR_TO_UNINIT_MAP_VALUE,
	ARG_PTR_TO_MEM,          /* read; size in the next argument */
	ARG_PTR_TO_MEM_OR_NULL,
	ARG_PTR_TO_UNINIT_MEM,   /* written; size in the next argument */
	ARG_PTR_TO_WRITE_MEM,    /* read and written */
	ARG_CONST_SIZE,
	ARG_CONST_SIZE_OR_ZERO,
	ARG_PTR_TO_CTX,
	ARG_PTR_TO_CTX_OR_NULL,
	ARG_ANYTHING,
	ARG_PTR_TO_SPIN_LOCK,
	ARG_PTR_TO_SOCK_COMMON,
	ARG_PTR_TO_SOCKET,
	ARG_PTR_TO_SOCKET_OR_NULL,
	ARG_PTR_TO_BTF_ID,
	ARG_PTR_TO_BTF_ID_OR_NULL,
	ARG_PTR_TO_BTF_ID_SOCK_COMMON,
	ARG_PTR_TO_RINGBUF_MEM,
	ARG_CONST_ALLOC_SIZE_OR_ZERO,
	ARG_PTR_TO_PERCPU_BTF_ID,
	ARG_PTR_TO_FUNC,
	ARG_PTR_TO_STACK_OR_NULL,
	ARG_PTR_TO_CONST_STR,
	ARG_PTR_TO_TIMER,
	ARG_PTR_TO_KPTR,
	ARG_PTR_TO_DYNPTR,
	ARG_PTR_TO_UNINIT_DYNPTR,
	ARG_PTR_TO_FIXED_MEM,    /* fixed size, see helper.fixed_size */
	ARG_PTR_TO_UNINIT_FIXED_MEM,
};

/* Who may call: a hook offers some sets, a helper belongs to some. */
enum helper_set {
	HELPERS_BASE = 1 << 0,      /* every program type */
	HELPERS_BASE_PERF = 1 << 1, /* every program type whose loader is privileged (CAP_PERFMON) */
	HELPERS_SK_FILTER = 1 << 2,
	HELPERS_TC = 1 << 3,
	HELPERS_XDP = 1 << 4,
	HELPERS_TRACING = 1 << 5,
	HELPERS_LWT = 1 << 6,
	HELPERS_SOCK = 1 << 7,
	HELPERS_CGROUP = 1 << 8,
	HELPERS_SYSCALL = 1 << 9,
};

enum helper_flags {
	HELPER_GPL = 1 << 0,         /* for programs under a GPL-compatible licence only */
	HELPER_CHANGES_PKT = 1 << 1, /* packet pointers are invalid afterwards */
	HELPER_MIGHT_SLEEP = 1 << 2,
	HELPER_ACQUIRES = 1 << 3,
	HELPER_RELEASES = 1 << 4, /* its first argument */
};

struct helper {
	const char *name; /* "bpf_map_lookup_elem" */
	helper_fn fn;     /* NULL: known by name, not in Skep */
	uint8_t ret;      /* enum ret_kind */
	uint8_t arg[5];   /* enum arg_kind */
	uint16_t flags;   /* enum helper_flags */
	uint16_t sets;    /* enum helper_set */
	uint32_t fixed_size;
};

#endif
