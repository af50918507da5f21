/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Your own program types, helpers, map types and operations (struct_ops).
 *
 * A program type is a table: what its programs see of their context, what they may call and return,
 * where they may be attached. Add it to a kernel and it is a type like all others: the verifier enforces
 * it, every engine runs it, bpf(2), libbpf and bpftool know its programs. docs/embedding.md is a tour.
 *
 *     struct oreore { uint32_t in, out; };
 *
 *     static const struct skep_field fields[] = {
 *         SKEP_FIELD(struct oreore, in, SKEP_READ),
 *         SKEP_FIELD(struct oreore, out, SKEP_READ | SKEP_WRITE),
 *         {0},
 *     };
 *     static const struct skep_type oreore = {
 *         SKEP_TYPE_HEAD("oreore", SKEP_USER_FIRST), .ctx_size = sizeof(struct oreore), .fields = fields,
 *     };
 *
 * Conventions
 *   - What is added comes before the first program and map of the kernel (-EBUSY afterwards), from one
 *     thread, and stays until skep_free(). The tables given stay the caller's and must live as long.
 *   - Everything is checked. What is wrong answers -errno and says in `message` (NULL: nobody reads it)
 *     which row it is and what to change; skep_options.diagnose gets the same sentence.
 *   - Numbers of program types, attach types, helpers and map types, each for themselves, are
 *     SKEP_USER_FIRST .. SKEP_USER_LAST: the kernel's will never be there.
 */
#ifndef SKEP_HOOK_H
#define SKEP_HOOK_H

#include <skep.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum {
	SKEP_HOOK_ABI = 1, /* of these structs; a library that does not know it refuses them */
	SKEP_USER_FIRST = 0x534b1000,
	SKEP_USER_LAST = 0x534bffff,
	SKEP_MESSAGE = 256, /* bytes of a message */
	SKEP_TYPES_MAX = 23, /* in one kernel */
};

struct skep_point;
struct skep_btf;

/* --- Program types ------------------------------------------------------------------------ */

/* What programs may do with a field: ... of its whole, ... of parts of it, aligned to their size. */
enum skep_access { SKEP_READ = 1, SKEP_WRITE = 2, SKEP_READ_PARTS = 4, SKEP_WRITE_PARTS = 8 };

/*
 * What a load of a field yields. Pointers are read as a whole, never written. Packets are as in struct
 * xdp_md: the program sees 32-bit fields, in the real context they are pointers, and programs compare
 * with the end before they look. Memory is of a fixed size: programs need no comparison.
 */
enum skep_field_kind {
	SKEP_SCALAR,
	SKEP_PACKET,
	SKEP_PACKET_END,
	SKEP_MEM,         /* mem_size bytes, which programs may write */
	SKEP_MEM_RDONLY,  /* ... which they may not */
	SKEP_MEM_OR_NULL, /* a program must compare with 0 first */
	SKEP_MEM_RDONLY_OR_NULL,
};

/*
 * A field: where the program sees it, and where it is. The two layouts may differ: the verifier rewrites
 * each access, at no cost. Rows are sorted by offset and do not overlap; the last has no name.
 */
struct skep_field {
	const char *name;
	uint16_t offset, size;           /* as programs see it; 1, 2, 4, 8, or an array of such */
	uint16_t access;                 /* enum skep_access */
	uint16_t kind;                   /* enum skep_field_kind */
	uint16_t real_offset, real_size; /* in the context given to skep_run(); sizes as above, or smaller */
	uint32_t mem_size;               /* of SKEP_MEM ... */
};

/* A scalar at the same place in both layouts. */
#define SKEP_FIELD(type, member, access) SKEP_FIELD_AT(type, member, type, member, access)
/* A scalar `member` that programs see, and which is real_member of the real context. */
#define SKEP_FIELD_AT(type, member, real, real_member, access)                                     \
	SKEP_FIELD_OF(type, member, real, real_member, access, SKEP_SCALAR, 0)
/* A pointer to `bytes` bytes: kind is SKEP_MEM ... */
#define SKEP_FIELD_MEM(type, member, kind, bytes)                                                  \
	SKEP_FIELD_OF(type, member, type, member, SKEP_READ, kind, bytes)
#define SKEP_FIELD_OF(type, member, real, real_member, access, kind, bytes)                        \
	{                                                                                          \
		#member, (uint16_t)offsetof(type, member), (uint16_t)sizeof(((type *)0)->member),  \
			(access), (kind), (uint16_t)offsetof(real, real_member),                   \
			(uint16_t)sizeof(((real *)0)->real_member), (bytes)                        \
	}

/* What programs of an attach type may return, as signed 32 bits. The last row is of SKEP_ANY_ATTACH. */
struct skep_range {
	uint32_t attach_type;
	int32_t min, max;
};
#define SKEP_ANY_ATTACH UINT32_MAX

struct skep_name {
	int32_t number;
	const char *name;
};

/* An attachment that begins or ends. */
struct skep_attachment {
	struct skep_prog *prog; /* valid during the call */
	struct skep_prog *before; /* of a replacement: the program it takes the place of; else NULL */
	uint32_t attach_type;
	uint32_t target; /* what BPF_LINK_CREATE said: target_fd */
};

/* BPF_PROG_TEST_RUN: all memory is ours. See skep_type.test_run. */
struct skep_test_run {
	const void *data_in; /* NULL: none */
	uint32_t data_size_in;
	void *data_out;
	uint32_t data_size_out; /* in: room; out: how much there is, which may be more */
	const void *ctx_in;
	uint32_t ctx_size_in;
	void *ctx_out;
	uint32_t ctx_size_out; /* as data_size_out */
	uint32_t repeat;       /* at least 1 */
	uint32_t retval;       /* out, of the last run */
	uint32_t duration;     /* out: ns per run */
};

struct skep_type {
	size_t size;  /* sizeof(struct skep_type): see SKEP_TYPE_HEAD() */
	uint32_t abi; /* SKEP_HOOK_ABI */
	uint32_t number;
	const char *name; /* letters, digits, _: up to 15 */
	uint32_t ctx_size;      /* bytes that programs see */
	uint32_t real_ctx_size; /* of the context given to skep_run(); 0: ctx_size */
	const struct skep_field *fields;
	/* BPF attach types of this type's programs; the last is 0. NULL: one, its own number. */
	const uint32_t *attach_types;
	const struct skep_range *returns; /* NULL: anything */
	const struct skep_name *names;    /* of return codes, for logs; the last has no name. NULL: none */
	/*
	 * The helpers and kernel functions that programs may call: "bpf_map_lookup_elem", your own ...; the
	 * last is NULL. NULL: those that every type has (maps, time, ring buffers, strings ...) and no other.
	 */
	const char *const *calls;
	int packet_writes; /* programs may store into the packet */
	int may_sleep;     /* programs may be loaded with BPF_F_SLEEPABLE */
	/* The following get arg, may be called from any thread, and may be NULL. */
	void *arg;
	/*
	 * Runs p as a client asks. 0 or -errno. NULL: the context comes from ctx_in and goes to ctx_out, the
	 * packet, if fields speak of one, from data_in to data_out; -524 (ENOTSUPP) where fields are pointers
	 * to memory.
	 */
	int (*test_run)(void *arg, struct skep_prog *p, struct skep_test_run *t);
	/* Before a program is attached or replaces another: -errno refuses. NULL: at points only. */
	int (*attach)(void *arg, const struct skep_attachment *a);
	void (*detach)(void *arg, const struct skep_attachment *a);
	/*
	 * BPF_PROG_QUERY at targets where there is no point: writes the ids of up to `room` programs, answers
	 * how many there are or -errno.
	 */
	int (*query)(void *arg, uint32_t attach_type, uint32_t target, uint32_t *ids, uint32_t room);
};
#define SKEP_TYPE_HEAD(text, num)                                                                  \
	.size = sizeof(struct skep_type), .abi = SKEP_HOOK_ABI, .number = (num), .name = (text)

/* -EINVAL, -EEXIST (number or name), -EBUSY, -ENOSPC, -ENOMEM. Helpers that it names come before it. */
int skep_type_add(struct skep *k, const struct skep_type *type, char message[SKEP_MESSAGE]);
/* The first user-defined type with a number above `after`, or NULL. */
const struct skep_type *skep_type_next(const struct skep *k, uint32_t after);

/* --- Attach points ------------------------------------------------------------------------ */

/*
 * A place in your program where a BPF program may run. Clients attach there by BPF_LINK_CREATE with the
 * point's attach type and its target as target_fd; you by skep_point_set(). Programs are exchanged while
 * other threads run: each run sees one of them, whole, and the last one is freed when nobody is in it.
 */
int skep_point_new(struct skep *k, uint32_t type, uint32_t attach_type, uint32_t target,
                   struct skep_point **out, char message[SKEP_MESSAGE]);
/* -EBUSY: a link is attached there. No thread may be in a run of it. */
int skep_point_free(struct skep_point *point);
/*
 * prog NULL: none from now on. -EINVAL: the program is of another type or attach type. -EBUSY: a link is
 * attached. Takes a reference of its own. Threads may be in skep_point_run().
 */
int skep_point_set(struct skep_point *point, struct skep_prog *prog);
/*
 * Runs the program that is there: 1 and its answer in *ret; 0 and *ret as it was: there is none. Costs
 * a load more than skep_run().
 */
int skep_point_run(struct skep_point *point, void *ctx, struct skep_cpu *cpu, uint64_t *ret);

/* --- Helpers ------------------------------------------------------------------------------ */

/* What an argument must be, as the verifier knows it. */
enum skep_arg_kind {
	SKEP_ARG_NONE,
	SKEP_ARG_ANY,               /* a number, or whatever */
	SKEP_ARG_CTX,               /* the context */
	SKEP_ARG_CTX_OR_NULL,
	SKEP_ARG_MAP,               /* the function gets a struct skep_map * */
	SKEP_ARG_MAP_KEY,           /* a key of the map before it */
	SKEP_ARG_MAP_VALUE,         /* a value of the map before it, read */
	SKEP_ARG_MEM,               /* memory that is read; its length is the next argument */
	SKEP_ARG_MEM_OR_NULL,
	SKEP_ARG_UNINIT_MEM,        /* ... that is written, and need not be initialised */
	SKEP_ARG_WRITE_MEM,         /* ... that is read and written */
	SKEP_ARG_SIZE,              /* the length of the memory before it: not 0 */
	SKEP_ARG_SIZE_OR_ZERO,
	SKEP_ARG_FIXED_MEM,         /* memory of SKEP_ARG_BYTES(n) that is read */
	SKEP_ARG_UNINIT_FIXED_MEM,  /* ... that is written */
	SKEP_ARG_STR,               /* a constant string, in a read-only map */
	SKEP_ARG_CONST,             /* a number known when the program is loaded */
	SKEP_ARG_OBJECT,            /* a struct that a helper answered: SKEP_RET_OBJECT */
	SKEP_ARG_OBJECT_OR_NULL,
};
#define SKEP_ARG_BYTES(n) ((uint32_t)(n) << 8)

enum skep_ret_kind {
	SKEP_RET_INTEGER,
	SKEP_RET_VOID,
	SKEP_RET_MAP_VALUE_OR_NULL, /* of the map argument */
	SKEP_RET_MEM_OR_NULL,       /* memory of ret_size bytes that programs may read and write */
	SKEP_RET_OBJECT_OR_NULL,    /* a struct of your BTF: programs read its fields */
	SKEP_RET_OBJECT,
};

enum skep_helper_flags {
	SKEP_HELPER_GPL = 1,        /* for programs under a GPL-compatible licence */
	SKEP_HELPER_SLEEPS = 2,     /* for sleepable programs */
	SKEP_HELPER_ACQUIRES = 4,   /* its result must be released, or the program is refused */
	SKEP_HELPER_RELEASES = 8,   /* its first argument */
	SKEP_HELPER_MOVES_PACKET = 16, /* packet pointers must be compared anew afterwards */
};

/* r1 .. r5 of the program; those that are not in the prototype hold anything. */
typedef uint64_t (*skep_helper_fn)(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                   struct skep_cpu *cpu);

struct skep_helper {
	size_t size;  /* sizeof(struct skep_helper) */
	uint32_t abi; /* SKEP_HOOK_ABI */
	uint32_t number; /* programs: static long (*name)(...) = (void *)number; */
	const char *name; /* "oreore_add" */
	skep_helper_fn fn;
	uint32_t arg[5]; /* enum skep_arg_kind; what follows the first SKEP_ARG_NONE is none */
	uint32_t ret;    /* enum skep_ret_kind */
	uint32_t ret_size; /* of SKEP_RET_MEM_OR_NULL */
	uint32_t flags;    /* enum skep_helper_flags */
	/* Structs of SKEP_ARG_OBJECT and SKEP_RET_OBJECT in btf, by name without "struct". */
	const struct skep_btf *btf;
	const char *arg_object, *ret_object;
};
#define SKEP_HELPER_HEAD(text, num, function)                                                      \
	.size = sizeof(struct skep_helper), .abi = SKEP_HOOK_ABI, .number = (num), .name = (text), \
	.fn = (function)

int skep_helper_add(struct skep *k, const struct skep_helper *helper, char message[SKEP_MESSAGE]);
/* What the run in progress is: its context, as given to skep_run(), and its program. */
void *skep_cpu_ctx(struct skep_cpu *cpu);
struct skep *skep_cpu_kernel(struct skep_cpu *cpu);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
