/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The abstract state: what is known, at one instruction of one path, of every register, every byte
 * of stack and every promise that the program still has to keep.
 *
 *   struct state     one point of one path
 *     struct frame     a function that has been entered and not left: registers, stack
 *       struct reg       a value: a kind, flags, an offset, and ranges (struct scalar)
 *       struct slot      8 bytes of stack: what each byte is, and the value when one was spilled
 *     struct ref       something acquired that must be released: a socket, a lock ...
 *
 * A register is compared, copied and printed far more often than anything else happens to it, so it
 * is flat: no pointers to memory of its own.
 *
 * Kinds, flags and their spelling in the log: Linux 6.18, Documentation/bpf/verifier.rst.
 */
#ifndef SKEP_VERIFIER_REG_H
#define SKEP_VERIFIER_REG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dynptr.h"
#include "isa/insn.h"
#include "verifier/scalar.h"

struct checkpoint;
struct map;
struct btf;

enum reg_kind {
	REG_NONE, /* never written: may not be read */
	REG_SCALAR,
	REG_CTX,
	REG_MAP,       /* a map itself */
	REG_MAP_VALUE, /* may be NULL: REG_NULLABLE */
	REG_MAP_KEY,
	REG_STACK, /* r10 of frame `frame`, plus off */
	REG_PACKET_META,
	REG_PACKET,
	REG_PACKET_END,
	REG_FLOW_KEYS,
	REG_SOCKET,
	REG_SOCK_COMMON,
	REG_TCP_SOCK,
	REG_TP_BUFFER,
	REG_XDP_SOCK,
	REG_BTF_ID, /* a struct that the kernel's, or with REG_ALLOC the program's, BTF describes */
	REG_MEM,    /* mem_size bytes */
	REG_ARENA,
	REG_BUF, /* of unknown size: how far programs reach is noted at load, checked at attach */
	REG_FUNC,
	REG_DYNPTR, /* a dynptr that was passed in: its description is in `dynptr` */
	REG_KINDS,
};

enum reg_flags {
	REG_NULLABLE = 1 << 0, /* or NULL; a test against 0 tells */
	REG_RDONLY = 1 << 1,
	REG_RINGBUF = 1 << 2,
	REG_USER = 1 << 3,
	REG_PERCPU = 1 << 4,
	REG_UNTRUSTED = 1 << 5,
	REG_TRUSTED = 1 << 6,
	REG_RCU = 1 << 7,
	REG_ALLOC = 1 << 8,   /* from bpf_obj_new */
	REG_NON_OWN = 1 << 9, /* a node that a list or tree owns */
	REG_UNINIT = 1 << 10,
	REG_DYNPTR_LOCAL = 1 << 11,
	REG_DYNPTR_RINGBUF = 1 << 12,
	REG_DYNPTR_SKB = 1 << 13,
	REG_DYNPTR_XDP = 1 << 14,
	REG_DYNPTR_SKB_META = 1 << 15,
};
#define REG_DYNPTR_FLAGS                                                                           \
	(REG_DYNPTR_LOCAL | REG_DYNPTR_RINGBUF | REG_DYNPTR_SKB | REG_DYNPTR_XDP |                 \
	 REG_DYNPTR_SKB_META)
/* What a pointer of kind REG_BTF_ID may carry and still be one that may be read without care. */
#define REG_TRUST_FLAGS (REG_TRUSTED | REG_ALLOC)

enum iter_state { ITER_INVALID, ITER_ACTIVE, ITER_DRAINED };
enum irq_class { IRQ_NATIVE, IRQ_LOCK };

/*
 * Scalars of one id are equal, or, with SCALAR_DELTA set, equal but for their constant offsets
 * (reg.off): what a branch tells of one holds for all.
 */
#define SCALAR_DELTA (1u << 31)
enum { PACKET_RANGE_AT = -1, PACKET_RANGE_BEYOND = -2 }; /* of a REG_PACKET_END that was compared */

struct reg {
	uint8_t kind;  /* enum reg_kind */
	uint8_t frame; /* of REG_STACK: number of the frame whose r10 it is relative to */
	bool precise;  /* scalar: its exact range decided something; prune may not widen it */
	uint8_t spare;
	uint32_t flags;  /* enum reg_flags */
	int32_t off;     /* known part of a pointer's offset; the unknown part is s */
	uint32_t id;     /* equal ids: the same nullable pointer, packet pointer, linked scalar */
	uint32_t ref_id; /* what must be released before the end, or 0 */
	uint32_t spare2;
	union {
		struct { /* REG_MAP, REG_MAP_VALUE, REG_MAP_KEY */
			struct map *map;
			uint32_t map_uid; /* of the lookup that gave an inner map, or 0 */
		};
		struct { /* REG_BTF_ID */
			const struct btf *btf;
			uint32_t btf_id;
		};
		struct { /* REG_MEM */
			uint32_t mem_size;
			uint32_t dynptr_id; /* id of the dynptr that it is a slice of */
		};
		struct { /* REG_DYNPTR, and the slots of a dynptr on the stack */
			uint8_t type; /* enum dynptr_type */
			bool first;   /* the lower of the two slots */
		} dynptr;
		struct { /* slots of an iterator on the stack */
			const struct btf *btf;
			uint32_t btf_id;
			uint32_t state : 2; /* enum iter_state */
			uint32_t depth : 30;
		} iter;
		struct { /* slot of a saved IRQ flag */
			uint8_t class; /* enum irq_class */
		} irq;
		int32_t range;    /* packet pointers: bytes behind `off` that were shown to be there */
		uint32_t subprog; /* REG_FUNC */
		uint64_t raw[2];
	};
	struct scalar s;
};

/* What a byte of stack holds. */
enum slot_kind {
	SLOT_INVALID, /* nothing yet */
	SLOT_SPILL,   /* part of slot.spilled */
	SLOT_MISC,    /* something */
	SLOT_ZERO,
	SLOT_DYNPTR,
	SLOT_ITER,
	SLOT_IRQ_FLAG,
};

struct slot {
	struct reg spilled; /* of SLOT_SPILL, SLOT_DYNPTR, SLOT_ITER, SLOT_IRQ_FLAG */
	uint8_t kind[8];    /* enum slot_kind; kind[0] is of the highest address */
};

/* Slot index and byte of an offset from r10 (off < 0): slot 0 is r10 - 8 .. r10 - 1. */
static inline int slot_of(int off)
{
	return (-off - 1) / 8;
}

enum { SLOTS_MAX = STACK_SIZE / 8 };

struct frame {
	struct reg regs[NREGS];
	struct slot *stack; /* [nslots], slot 0 is the highest */
	uint16_t nslots, cap;
	/* Slots, by bit, that paths from here read before they write them; that were written since
	 * the checkpoint before (live.c). */
	uint64_t read, written;
	uint8_t number; /* its index in state.frames */
	bool in_callback, in_async_callback, in_exception_callback;
	uint32_t callsite; /* instruction of the caller that called it */
	uint32_t subprog;
	uint32_t async_entries;
	uint32_t callback_depth; /* how often the callback it calls was entered on this path */
	/* Of a callback: what it may return. */
	int32_t ret_min, ret_max;
};

enum ref_kind {
	REF_PTR = 1 << 0,
	REF_IRQ = 1 << 1,
	REF_LOCK = 1 << 2,
	REF_RES_LOCK = 1 << 3,
	REF_RES_LOCK_IRQ = 1 << 4,
};
#define REF_LOCKS (REF_LOCK | REF_RES_LOCK | REF_RES_LOCK_IRQ)

struct ref {
	uint32_t kind; /* enum ref_kind */
	uint32_t id;
	uint32_t insn; /* that acquired it */
	const void *ptr; /* of locks: the map or BTF that it lies in */
};

/* A step of the jump history: where the path went, and what precise.c must know of an instruction. */
struct jump {
	uint32_t pc, prev;
	uint16_t flags; /* enum jump_flags, slot and frame of a stack access */
	uint64_t linked; /* registers and slots that learned together here */
};

struct state {
	struct frame *frames[MAX_CALL_DEPTH];
	struct state *parent; /* the checkpoint before this one on the path; owned by walk.c */
	struct ref *refs;
	uint32_t nrefs, refs_cap;
	uint32_t active_locks, active_preempt_locks, active_rcu_locks;
	uint32_t active_irq_id; /* the innermost */
	uint32_t active_lock_id;
	const void *active_lock_ptr;
	uint8_t cur; /* index of the frame that runs */
	uint32_t pc; /* of a checkpoint: the instruction that comes next */
	bool in_sleepable;
	bool cleaned; /* what is dead in it was forgotten (a checkpoint whose paths all ended) */
	bool speculative;
	uint32_t branches;   /* paths that began here and have not ended */
	uint32_t first_insn, last_insn; /* of the way from the parent to here */
	uint32_t dfs_depth, unroll_depth, may_goto_depth;
	struct jump *jumps; /* of that way: see precise.c */
	uint32_t njumps, jumps_cap;
	struct checkpoint *evicted; /* of a checkpoint that is compared no more: prune.c */
};

static inline struct frame *state_frame(const struct state *s)
{
	return s->frames[s->cur];
}

static inline bool reg_is_scalar(const struct reg *r)
{
	return r->kind == REG_SCALAR;
}

static inline bool reg_is_const(const struct reg *r)
{
	return r->kind == REG_SCALAR && r->s.var.mask == 0;
}

static inline bool reg_is_null(const struct reg *r)
{
	return reg_is_const(r) && r->s.var.value == 0;
}

static inline bool reg_nullable(const struct reg *r)
{
	return r->flags & REG_NULLABLE;
}

static inline bool reg_is_packet(const struct reg *r)
{
	return r->kind == REG_PACKET || r->kind == REG_PACKET_META;
}

/* Kind and flags as one number, for tables of what is allowed. */
static inline bool reg_is(const struct reg *r, enum reg_kind kind, uint32_t flags)
{
	return r->kind == kind && r->flags == flags;
}

/* reg.c. Setting a whole register: ids, flags and everything else are forgotten. */
void reg_set_none(struct reg *r);
void reg_set_unknown(struct reg *r); /* any number */
void reg_set_const(struct reg *r, uint64_t value);
void reg_set_pointer(struct reg *r, enum reg_kind kind, uint32_t flags); /* off 0, no var part */
/* The unknown part of a pointer becomes exactly 0. */
void reg_known_zero(struct reg *r);

#endif
