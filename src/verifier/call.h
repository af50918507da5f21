/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files that check calls share: a call under way, and the rules that helpers and kernel
 * functions have in common. call.c tells how a helper call is checked.
 */
#ifndef SKEP_VERIFIER_CALL_H
#define SKEP_VERIFIER_CALL_H

#include "core/helper.h"
#include "core/map.h"
#include "core/record.h"
#include "core/uapi.h"
#include "verifier/step.h"

/* Beside the row in helpers.def, what only the verifier asks of a helper: helper_facts.def. */
enum fact_flags {
	FACT_PKT = 1 << 0,      /* pointers into the packet may be passed to it */
	FACT_CAST = 1 << 1,     /* the result is its argument, seen as something else */
	FACT_STRING = 1 << 2,   /* answers a length up to its memory's size, or an error */
	FACT_RINGBUF = 1 << 3,  /* its dynptr is one of a ring buffer */
	FACT_MUTATES = 1 << 4,  /* its dynptr may not be const */
	FACT_WRITES_MAP = 1 << 5, /* changes the map that is passed */
};

struct helper_fact {
	uint16_t flags;
	const char *ret; /* the struct that RET_BTF_ID points to */
	const char *arg; /* the struct that ARG_BTF_ID is */
};

const struct helper_fact *helper_fact(uint32_t id);

/* A call while its arguments are checked. */
struct call {
	const struct helper *h;
	const struct helper_fact *fact;
	uint32_t id;
	struct map *map; /* the last that was passed */
	uint32_t map_uid;
	unsigned map_reg;
	uint32_t ref_id;    /* of the one referenced argument */
	unsigned release;   /* number of the register that is released, or 0 */
	uint64_t mem_size;  /* ARG_ALLOC_SIZE_OR_ZERO */
	uint64_t size_max;  /* the largest that the last ARG_SIZE may be */
	uint32_t subprog;   /* ARG_FUNC */
	uint32_t dynptr_id; /* of the dynptr that was passed */
	uint32_t dynptr_type; /* enum dynptr_type; 0: none was */
	bool key_known;     /* key is the constant at ARG_MAP_KEY */
	uint32_t key;
	const struct special *kptr; /* ARG_KPTR */
};

enum { HELPER_SPIN_LOCK = 93, HELPER_SPIN_UNLOCK = 94, HELPER_KPTR_XCHG = 194 };

/* Is this a format that bpf_snprintf() takes, with so many arguments? (format_check.c) */
bool format_fits(const char *format, unsigned nargs);

/* call_arg.c */
int call_arg(struct verifier *v, struct call *c, unsigned n);
/* The timer, work queue ... that a register points to: its map is noted in c. */
int special_arg(struct verifier *v, struct call *c, unsigned regno, enum special_kind kind);
/* The constant string that a register points to, in a map that nobody writes; NULL: refused, *err. */
const char *call_string(struct verifier *v, unsigned regno, int *err);

/* Has it all its elements from the start on? */
static inline bool map_is_array(const struct map *m)
{
	return m->type == BPF_MAP_TYPE_ARRAY || m->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* call_map.c: may programs of this type use such a map at all? */
int map_usable(struct verifier *v, struct map *m);
/* May this helper be called with this map? */
int call_map_fits(struct verifier *v, const struct call *c);

/* callback.c: what helpers that call back do. */
int call_callback(struct verifier *v, struct call *c, uint32_t pc, bool *done);

/* ref.c */
int ref_acquire(struct verifier *v, uint32_t pc, uint32_t *id);
bool ref_held(const struct state *s, uint32_t id);
bool ref_drop(struct state *s, enum ref_kind kind, uint32_t id, const void *ptr); /* was it there? */
int ref_add(struct verifier *v, enum ref_kind kind, uint32_t id, uint32_t pc, const void *ptr);
/* Drops it and forgets every register that depends on it. */
bool ref_release(struct verifier *v, uint32_t id);
/* Owning pointers to objects that a lock protected are no longer safe. */
void ref_forget_nodes(struct verifier *v);
/* Nothing may be held: "%s cannot be used inside bpf_spin_lock-ed region" ... */
int ref_check(struct verifier *v, bool exception, bool locks, const char *what);
int lock_change(struct verifier *v, unsigned regno, enum special_kind kind, bool irq, bool lock);
/* Pointers into a packet and slices of it are void now. */
void packet_forget(struct verifier *v);

/* dynptr.c */
int dynptr_arg(struct verifier *v, struct call *c, unsigned regno, bool uninit);
/* The same for a kernel function: type of what is made; model: the reference that a clone shares, or 0. */
int dynptr_arg_of(struct verifier *v, struct call *c, unsigned regno, bool uninit, bool mutates,
                  enum dynptr_type type, uint32_t model);
int dynptr_owned(struct verifier *v, unsigned regno); /* may it be released? */
int dynptr_unmark(struct verifier *v, unsigned regno);

#endif
