/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the checked engine knows while it runs a program: see checked.c.
 *
 * A run is everything that happens below one prog_run(): tail calls, callbacks, programs entered from
 * them. It lives on the C stack of the outermost entry and is found through cpu->checked.
 */
#ifndef SKEP_EXEC_CHECKED_H
#define SKEP_EXEC_CHECKED_H

#include "core/core.h"
#include "core/map.h"
#include "exec/interp.h"

enum {
	HOOK_REGIONS = 8,
	MAP_SLOTS = 8,
	GIVEN_SLOTS = 4,
	MAX_NESTING = 40, /* runs of the body inside one another: 33 tail calls, and callbacks */
};

/* Regions known so far; a step's hint is an index. */
enum {
	SLOT_STACK, /* frames of the innermost body */
	SLOT_OUTER, /* stack of an enclosing one */
	SLOT_KEY,   /* the key that a callback was given */
	SLOT_SOCK,  /* a socket of the user's network */
	SLOT_GIVEN, /* memory that helpers answered, the latest GIVEN_SLOTS */
	SLOT_HOOK = SLOT_GIVEN + GIVEN_SLOTS,
	SLOT_MAP = SLOT_HOOK + HOOK_REGIONS, /* the region of map N touched last: + N % MAP_SLOTS */
	SLOTS = SLOT_MAP + MAP_SLOTS,
};

/*
 * An access of at most 8 bytes at an address less than `fast` behind start is inside, whatever its size;
 * so one comparison is enough for nearly all. The last 7 bytes are looked at by the slow path.
 */
struct slot {
	uintptr_t start;
	size_t fast_read, fast_write;
	size_t size; /* 0: empty */
};

/* The stack of one body: what its frames take now. */
struct area {
	uintptr_t low, high;
	struct area *outer;
};

struct run {
	struct slot slot[SLOTS];
	const char *name[SLOTS];
	bool writable[SLOTS];
	bool hook_known;
	struct cpu *cpu;
	struct area *area;
	unsigned nesting;
	uint64_t fuel;
	unsigned given;        /* results of helpers that were noted in SLOT_GIVEN */
	uint32_t helper;       /* being called */
	const struct map *map; /* its map argument, or NULL */
};

void run_init(struct run *run, struct cpu *cpu);
void run_enter_area(struct run *run, struct area *area, uintptr_t high);
void run_leave_area(struct run *run);
void run_set_slot(struct run *run, unsigned slot, const struct region *r);
void run_forget_hook(struct run *run);

/* Records the run's first fault. */
void run_fault(struct run *run, const struct prog *p, const struct step *s, const char *what);
void run_fault_at(struct run *run, const struct prog *p, const struct step *s, const char *what,
                  uintptr_t addr, uint64_t size, bool write);

/* The slot of a region that holds all these bytes, or -1. *why: what is wrong. */
int run_resolve(struct run *run, const struct prog *p, uintptr_t addr, uint64_t size, bool write,
                const char **why);
/* For an access of a step that its hint does not cover: resolves it or records the fault. */
bool run_reach(struct run *run, const struct prog *p, const struct step *s, uintptr_t addr,
               unsigned size, bool write);

/* Are r1..r5 what the helper of a call needs? Records the fault where not. */
bool call_ok(struct run *run, const struct prog *p, const struct step *s, const uint64_t *regs);
void call_done(struct run *run, const struct step *s, const uint64_t *regs);
/* Has the verifier seen to the arguments of kfuncs? */
bool kfunc_ok(struct run *run, const struct prog *p, const struct step *s);
/* Are r1 and r2 what a tail call needs? */
bool tail_call_ok(struct run *run, const struct prog *p, const struct step *s, const uint64_t *regs);

/* The innermost body has frames from low on. */
static inline void run_set_stack(struct run *run, uintptr_t low)
{
	size_t size = run->area->high - low, fast = size >= 8 ? size - 7 : 0;

	run->area->low = low;
	run->slot[SLOT_STACK] = (struct slot){low, fast, fast, size};
}

static inline bool reach(struct run *run, const struct prog *p, const struct step *s, uintptr_t addr,
                         unsigned size, bool write)
{
	const struct slot *slot = &run->slot[atomic_load_explicit(&s->hint, memory_order_relaxed)];

	if (__builtin_expect(addr - slot->start < (write ? slot->fast_write : slot->fast_read), 1))
		return true;
	return run_reach(run, p, s, addr, size, write);
}

#endif
