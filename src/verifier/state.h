/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier's passes share: one struct verifier for the time of a verify().
 *
 * Passes run in the order of verify.c; each notes what it provides, and the next rely on it. Arrays
 * that have an entry for each instruction are indexed like p->orig.
 */
#ifndef SKEP_VERIFIER_STATE_H
#define SKEP_VERIFIER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/prog.h"
#include "verifier/verify.h"

/* Limits of the kernel's; frames are rounded up to STACK_ROUND when they are added up. */
enum { MAX_SUBPROGS = 256, MAX_USED_MAPS = 64, STACK_ROUND = 16 };

/* Marks of an instruction. */
enum {
	MARK_START = 1 << 0,   /* first of a function (subprog_find) */
	MARK_SECOND = 1 << 1,  /* upper half of a wide load (refs_resolve) */
	MARK_REACHED = 1 << 2, /* from the start of its function, statically (cfg_check) */
	MARK_LEADER = 1 << 3,  /* control may come here by other ways than from above (cfg_check) */
};

/*
 * What is known of a value: a kind and a number. How two of them merge: value_join() in track.c.
 *
 *   NONE    never written, or lost by a call        NUMBER     certainly no pointer
 *   CTX     the context + num                       CTX_MIXED  the context on some ways only
 *   FRAME   r10 of this function + num              FRAME_ANY  r10 + an unknown number
 *   MAP     p->maps[num]                            ANY        anything else
 */
enum value_kind {
	VALUE_NONE,
	VALUE_NUMBER,
	VALUE_CTX,
	VALUE_FRAME,
	VALUE_MAP,
	VALUE_CTX_MIXED,
	VALUE_FRAME_ANY,
	VALUE_ANY,
};

/* Packed in 16 bits: states are compared and merged as arrays of these. */
typedef uint16_t value;

enum { VALUE_NUM_MIN = -4096, VALUE_NUM_MAX = 4095 };

static inline value value_make(enum value_kind kind, int num)
{
	return (value)((unsigned)kind << 13 | ((unsigned)num & 0x1fff));
}

static inline enum value_kind value_kind(value v)
{
	return (enum value_kind)(v >> 13);
}

static inline int value_num(value v)
{
	return (int16_t)(v << 3) >> 3;
}

/* A function while it is checked; fixup makes a struct func of it. */
struct subprog {
	uint32_t start, end;
	int touched; /* lowest offset from r10 that it accesses or passes on, <= 0 */
	int formed;  /* lowest offset from r10 that any register ever held */
	bool is_callback;
	bool is_global; /* the main program, or a function that BTF says is no static one */
	bool tail_call;  /* has one itself */
	bool tail_calls; /* or one that it calls has */
};

struct verifier {
	struct prog *p;
	const struct verify_env *env;
	const struct mem *mem;
	const struct insn *insns; /* p->orig */
	uint32_t n;
	uint8_t *op;   /* enum op of each instruction (subprog_find) */
	uint8_t *mark; /* MARK_... */
	/*
	 * What an instruction refers to: wide load of a map: index in p->maps (refs_resolve); call
	 * or reference of a function: index in subprogs (subprog_find); helper call: the value of
	 * r1, load or store: the value of its base register (track).
	 */
	uint16_t *ref;
	struct subprog *subprogs; /* by start; one more, empty, at the end of the program */
	uint32_t nsubprogs;
	uint32_t maps_cap;
	bool has_funcs; /* calls of or references to functions */
	bool has_tail_call;
	bool has_growth; /* a context access takes more than one instruction (ctx_check) */
	bool has_memory; /* there are loads, stores or helper calls: values matter (subprog_find) */
};

/* Index in subprogs of the function that an instruction belongs to. */
uint32_t subprog_of(const struct verifier *v, uint32_t pc);

/* The passes, in order; each answers 0 or a negative errno, having logged why. */
int subprog_find(struct verifier *v);
int subprog_layout(struct verifier *v);
int info_match(struct verifier *v);
int refs_resolve(struct verifier *v);
int cfg_check(struct verifier *v);
int insn_check_all(struct verifier *v);
int track(struct verifier *v);
int ctx_check(struct verifier *v);
int stack_check(struct verifier *v);
int fixup(struct verifier *v);

/* Reasons to refuse a program: the rows of reject.def. */
enum reject {
#define REJECT(code, name, error, format) REJECT_##name,
#include "verifier/reject.def"
#undef REJECT
};

/*
 * Logs the message and answers its errno, negative: `return reject(v, REJECT_JUMP_RANGE, from,
 * to);`
 */
int reject(const struct verifier *v, enum reject why, ...);

#endif
