/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks: the contract of a program type — its context, its return codes, how it is run.
 *
 * Programs see a public context (struct xdp_md, struct __sk_buff: fixed offsets, 32-bit pointers).
 * Behind it stands a struct of ours (struct xdp, struct skb in pkt.h). The fix-up pass rewrites each
 * access to the public layout into one to ours by this table, as the kernel does, so that a context
 * access costs one load.
 */
#ifndef SKEP_CORE_HOOK_H
#define SKEP_CORE_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct skep;
struct prog;
struct region;
struct cpu;
struct pkt;

enum field_kind {
	FIELD_SCALAR,
	FIELD_PACKET,      /* data: 32 bits in public, a pointer in ours */
	FIELD_PACKET_END,
	FIELD_PACKET_META,
	FIELD_QUEUE,       /* queue_mapping: a store of 65535 or more does nothing */
	FIELD_ABSENT,      /* known to the kernel, always 0 here */
	/* Pointers, 64 bits in both: what the verifier makes of a load. Layouts: core/sock.h. */
	FIELD_SOCKET,
	FIELD_SOCKET_OR_NULL,
	FIELD_SOCK_COMMON_OR_NULL,
	FIELD_TP_BUFFER,   /* memory that a raw_tracepoint_writable program may write */
	FIELD_FLOW_KEYS,   /* struct bpf_flow_keys: FLOW_KEYS_SIZE bytes */
	FIELD_BTF,         /* trusted, to the struct of the kernel's BTF that `btf` names */
	FIELD_BTF_OR_NULL,
	FIELD_MEM,         /* memory of mem_size bytes */
	FIELD_MEM_OR_NULL,
	FIELD_MEM_RDONLY,
	FIELD_MEM_RDONLY_OR_NULL,
};

enum { FLOW_KEYS_SIZE = 56 };

/* What a program may do with a field. A part lies inside it and at a multiple of its own size. */
enum field_access {
	FIELD_R = 1,           /* load the whole */
	FIELD_W = 2,           /* store the whole */
	FIELD_NARROW = 4,      /* load a part */
	FIELD_NARROW_W = 8,    /* store a part */
	FIELD_PADDED = 16,     /* of 2 bytes with 2 of padding behind: load all 4 */
	FIELD_START = 32,      /* load a part at its start */
	FIELD_WORDS = 64,      /* load a part of 4 bytes */
	FIELD_WORDS_W = 128,   /* store a part of 4 or 8 bytes */
	FIELD_HALVES = 256,    /* load a part of 2 bytes or more */
	FIELD_LONGS = 512,     /* load a part of 8 bytes */
	FIELD_BEHIND = 1024,   /* load a part behind its start */
};

struct ctx_field {
	const char *name;
	uint16_t offset, size; /* in the public context */
	uint16_t access;       /* enum field_access */
	uint8_t kind;          /* enum field_kind */
	/*
	 * In ours. Scalars: the size is that of the public field, or smaller: then what a program stores is
	 * truncated, and a load of that size or more gets all of it, wherever in the public field it is.
	 * Packet pointers: 8.
	 */
	uint16_t real_offset, real_size;
	const char *btf; /* of FIELD_BTF */
	uint32_t mem_size; /* of FIELD_MEM... */
};

/* What a return code of a program means. */
struct ret_name {
	int32_t code;
	const char *name; /* "XDP_DROP" */
};

/* What programs of one expected attach type, or of all the others, may return. */
struct ret_range {
	uint32_t attach_type; /* RET_ANY_ATTACH: all that are not listed before */
	int32_t min, max;     /* signed 32 bits; the kernel looks at all 64 */
	bool any;             /* no matter what */
};

#define RET_ANY_ATTACH UINT32_MAX

/* One BPF_PROG_TEST_RUN, all memory in our address space. */
struct test_run {
	const void *data_in;
	uint32_t data_size_in;
	void *data_out; /* room for data_size_out bytes, or NULL */
	uint32_t data_size_out; /* in: room; out: what there was to copy, which may be more */
	const void *ctx_in;
	uint32_t ctx_size_in;
	void *ctx_back; /* ctx_size_in bytes: a syscall program's context goes back where it came from */
	void *ctx_out;
	uint32_t ctx_size_out; /* in: room; out: what there was to copy */
	uint32_t repeat;       /* 0 is 1 */
	uint32_t flags, cpu, batch_size;
	uint32_t retval;   /* of the last run */
	uint32_t duration; /* ns per run, the mean; in: what the caller left there */
	bool bare;         /* out: r0 is all there is to give back, and ctx_back */
	struct fault *fault; /* room for what the checked engine finds: it ends the repetition */
	bool faulted;
};

/* What an skb is made with, beside its frame. */
struct skb_in {
	uint32_t ifindex, mark, priority;
	uint32_t protocol; /* ethertype in network order; 0: taken from the frame */
};

struct hook {
	const char *name; /* "xdp": as bpftool prints it */
	uint32_t prog_type;
	uint64_t type_bit; /* PROG_TYPE_BIT(): which helpers may be called */
	uint32_t ctx_size; /* bytes of the public context */
	const struct ctx_field *fields; /* by offset; the last has no name */
	const struct ret_name *rets;    /* the last has no name; NULL: any number */
	/* Fields that only some programs of the type may access; NULL: the table says all. */
	bool (*field_ok)(const struct prog *p, const struct ctx_field *f, bool write);
	uint32_t default_attach_type; /* what expected_attach_type 0 stands for; 0: for itself */
	bool ld_abs;                    /* LD_ABS and LD_IND are allowed: the context is a struct skb */
	bool pkt_write; /* packet pointers may be stored through */
	bool btf_ctx;   /* the context is an array of arguments that BTF of the attach target describes */
	bool ctx_any_size; /* the context is plain memory, also at offsets known at run time only */
	/* Which values r0 may have at exit; NULL: all. The last is RET_ANY_ATTACH. See hook_ret_range(). */
	const struct ret_range *ret_ranges;
	/* BPF_F_SLEEPABLE: may programs have it? NULL: none. must_sleep: they have to. */
	bool (*may_sleep)(uint32_t attach_type);
	bool must_sleep;
	uint32_t ctx_in_max; /* largest context that a test run takes; 0: a page */
	/* Is this expected_attach_type one that the kernel takes at load? NULL: any below its limit. */
	bool (*attach_type_ok)(uint32_t attach_type);
	/* The same as a list, which ends with 0; expected_attach_type 0 stands for the first. NULL: no list. */
	const uint32_t *attach_types;
	/*
	 * The memory behind a context of ours that programs may touch. Answers how many of max were filled.
	 * NULL: real_size bytes and what their fields point to. See hook_regions().
	 */
	unsigned (*regions)(const void *ctx, struct region *r, unsigned max);
	uint32_t real_size; /* of our context, where regions is NULL */
	/* 0, -EINVAL, -ENOSPC (output truncated, the rest is filled in) ...; NULL: -ENOTSUPP */
	int (*test_run)(struct prog *p, struct test_run *t);
	/* Runs p on an Ethernet frame, which it may change; answers r0. NULL: contexts are no skbs. */
	uint64_t (*run_frame)(const struct prog *p, struct pkt *frame, const struct skb_in *in,
	                      struct cpu *cpu);
};

/* The hook of a program type, or NULL. */
const struct hook *hook_find(const struct skep *k, uint32_t prog_type);
/* Is this an expected_attach_type of the type's programs? */
bool hook_attach_type_ok(const struct hook *h, uint32_t attach_type);
/* The field that holds the byte at this offset of the public context, or NULL. */
const struct ctx_field *hook_field(const struct hook *h, uint32_t offset);
/* May so many bytes at `off` be accessed, which lies in f? */
bool field_allows(const struct ctx_field *f, uint32_t off, unsigned size, bool write);
/* The field of p's context that such an access is to, or NULL: it may not be made. */
const struct ctx_field *hook_access(const struct prog *p, int64_t off, unsigned size, bool write);
/* The memory that programs of this type may touch with such a context. */
unsigned hook_regions(const struct hook *h, const void *ctx, struct region *r, unsigned max);
/* What p may return; false: anything. */
bool hook_ret_range(const struct prog *p, int32_t *min, int32_t *max);
const char *hook_ret_name(const struct hook *h, int32_t code); /* NULL: it has none */

#endif
