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

#include <stdbool.h>
#include <stdint.h>

struct skep;
struct cpu;
struct prog;
struct btf;
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

/* What r0 holds after the call: the kernel's RET_ names without PTR_TO_. */
enum ret_kind {
	RET_INTEGER,
	RET_VOID,
	RET_NEVER,
	RET_MAP_VALUE,
	RET_MAP_VALUE_OR_NULL,
	RET_SOCKET_OR_NULL,
	RET_TCP_SOCK_OR_NULL,
	RET_SOCK_COMMON_OR_NULL,
	RET_RINGBUF_MEM_OR_NULL, /* as large as the ARG_ALLOC_SIZE_OR_ZERO argument */
	RET_DYNPTR_MEM_OR_NULL,  /* the same */
	RET_BTF_ID,
	RET_BTF_ID_OR_NULL,
	RET_BTF_ID_TRUSTED,
	RET_MEM_OR_BTF_ID,
	RET_MEM_OR_BTF_ID_OR_NULL,
	/* Of the embedder's helpers: ret_size bytes; a struct of the row's BTF. */
	RET_FIXED_MEM_OR_NULL,
	RET_OBJECT,
	RET_OBJECT_OR_NULL,
};

/* What an argument must be: the kernel's ARG_ names without PTR_TO_ and CONST_. */
enum arg_kind {
	ARG_NONE,
	ARG_ANY,
	ARG_MAP,
	ARG_MAP_KEY,
	ARG_MAP_VALUE,
	ARG_MAP_VALUE_OR_NULL,
	ARG_UNINIT_MAP_VALUE,
	ARG_MEM, /* read; its size is the next argument, as for the following three */
	ARG_MEM_OR_NULL,
	ARG_UNINIT_MEM, /* written */
	ARG_UNINIT_MEM_OR_NULL,
	ARG_WRITE_MEM,        /* read and written */
	ARG_FIXED_MEM,        /* read, and as large as ARG_FIXED_SIZE() says */
	ARG_UNINIT_FIXED_MEM, /* written */
	ARG_SIZE,
	ARG_SIZE_OR_ZERO,
	ARG_ALLOC_SIZE_OR_ZERO,
	ARG_CTX,
	ARG_CTX_OR_NULL,
	ARG_SPIN_LOCK,
	ARG_SOCK_COMMON,
	ARG_BTF_ID,
	ARG_BTF_ID_OR_NULL,
	ARG_BTF_ID_SOCK_COMMON,
	ARG_PERCPU_BTF_ID,
	ARG_RINGBUF_MEM,
	ARG_FUNC,
	ARG_STACK_OR_NULL,
	ARG_CONST_STR,
	ARG_TIMER,
	ARG_KPTR,
	ARG_DYNPTR,
	ARG_UNINIT_DYNPTR,
};

/* An entry of helper.arg: the kind in the low byte, for ARG_*FIXED_MEM the bytes above it. */
#define ARG_KIND(arg) ((enum arg_kind)((arg) & 0xff))
#define ARG_FIXED_SIZE(arg) ((arg) >> 8)

/* Ids that the verifier and the engines know by number. */
enum {
	HELPER_MAP_LOOKUP_ELEM = 1,
	HELPER_MAP_UPDATE_ELEM = 2,
	HELPER_MAP_DELETE_ELEM = 3,
	HELPER_GET_SMP_PROCESSOR_ID = 8,
	HELPER_TAIL_CALL = 12,
};

enum helper_flags {
	HELPER_GPL = 1 << 0,         /* for programs under a GPL-compatible licence only */
	HELPER_CHANGES_PKT = 1 << 1, /* packet pointers are invalid afterwards */
	HELPER_MIGHT_SLEEP = 1 << 2,
	HELPER_ACQUIRES = 1 << 3,
	HELPER_RELEASES = 1 << 4, /* its first argument */
	HELPER_INLINE = 1 << 5,   /* engines make it themselves: there, although fn is NULL */
	HELPER_PERFMON = 1 << 6,  /* for loaders with CAP_PERFMON only */
	HELPER_BPF = 1 << 7,      /* ... with CAP_BPF */
};

/*
 * Who may call a helper: a set of program types, bit by bpf_prog_type. Types of our own have numbers
 * above 63 and take a bit that the kernel has not used, as those of an embedder do (core/registry.h).
 */
#define PROG_TYPE_BIT(type) ((uint64_t)1 << (type))
#define PROG_TYPE_BIT_RAW ((uint64_t)1 << 63)

struct helper {
	const char *name; /* "bpf_map_lookup_elem" */
	helper_fn fn;     /* NULL: known by name, not in Skep (but see HELPER_INLINE) */
	uint64_t types;   /* program types that may call it */
	uint16_t arg[5];  /* see ARG_KIND() */
	uint8_t ret;      /* enum ret_kind */
	uint8_t flags;    /* enum helper_flags */
	/* Of the embedder's helpers. */
	uint32_t ret_size;        /* of RET_FIXED_MEM_OR_NULL */
	uint32_t arg_id, ret_id;  /* structs of ARG_BTF_ID, RET_OBJECT in btf; arg_id 0: see helper_facts.def */
	const struct btf *btf;
};

/* A row under a number of the embedder's: see core/registry.h. */
struct user_helper {
	uint32_t id;
	struct helper row;
};

/* The helper of this number, or NULL. */
const struct helper *helper_find(const struct skep *k, int32_t id);
/*
 * May programs of this type, whose hook has this bit, and expected attach type call it? (Licence and
 * capability aside.)
 */
bool helper_allowed(const struct helper *h, unsigned id, uint64_t type_bit, uint32_t type,
                    uint32_t attach_type);
/* ... by what its loader is capable of (caps.h)? */
bool helper_capable(const struct helper *h, unsigned id, uint32_t type, uint64_t caps);
/* Must a program of this type that calls it be under a GPL-compatible licence? */
bool helper_gpl_only(const struct helper *h, unsigned id, uint32_t type);

#endif
