/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk's own bookkeeping: pending branches, checkpoints, loops, precision. For the files that make
 * it: walk.c, prune.c, precise.c, loop.c, state.c, log.c. How it works is told in walk.c.
 */
#ifndef SKEP_VERIFIER_PATH_H
#define SKEP_VERIFIER_PATH_H

#include <stddef.h>

#include "verifier/pool.h"
#include "verifier/step.h"

/* A branch not yet followed. */
struct pending {
	struct pending *next;
	struct state *state;
	uint32_t pc, prev;
	size_t log_len; /* of the log when it was put aside: what follows is forgotten at level 1 */
};

/* A state kept to compare later ones with. */
struct checkpoint {
	struct state *state;
	struct checkpoint *next, **at; /* at: what points to it, once it is evicted */
	uint32_t misses, hits;
};

/* A state that was found equal to one of a loop that is still being explored. */
struct backedge {
	struct backedge *next;
	struct state *state, *equal;
};

/* One way of being in a loop: the calls that lead to it. See loop.c. */
struct visit {
	struct visit *next;
	uint32_t scc, callsites[MAX_CALL_DEPTH];
	struct state *entry; /* the first checkpoint in it, while paths from there are followed */
	struct backedge *backedges;
};

/* Pairs of ids that were found to play the same part in two states. */
enum { ID_PAIRS = (NREGS + SLOTS_MAX) * MAX_CALL_DEPTH * 2 };
struct id_map {
	uint32_t n, temporary;
	bool all_precise; /* no number may be widened: nobody knows which matter (no CAP_BPF) */
	bool all_exact;   /* numbers must be the same: what masks they lead to is not known (spec.c) */
	struct {
		uint32_t old, cur;
	} pair[ID_PAIRS];
};

/* What precise.c is looking for, per frame. */
struct backtrack {
	unsigned frame;
	uint32_t regs[MAX_CALL_DEPTH];
	uint64_t slots[MAX_CALL_DEPTH];
};

enum { BUDGET_INSNS = 1000000, PENDING_MAX = 8192, UNPRIVILEGED_STATES = 64 };

struct walk {
	struct pool pool; /* of states and all that is made and dropped by the path */
	struct pending *pending;
	uint32_t npending;
	struct checkpoint **table; /* by instruction and call site */
	struct checkpoint *evicted; /* compared no more; they live as long as paths from them do */
	struct visit **visits; /* by scc */
	uint32_t nsccs;
	struct id_map ids;
	struct backtrack bt;
	bool jump_noted; /* this instruction stands at the end of the jump history */
	bool print_state; /* the path begins here: its state is logged */
	bool exhausted;   /* no memory: what branch_error() answers */
	/* Progress: instructions and jumps followed, and as they were at the last checkpoint. */
	uint32_t insns, jumps, last_insns, last_jumps;
	/* What the last line of the log says. */
	uint32_t total_states, kept_states, peak_states, max_states;
	/* For the log: what changed since a state was printed. */
	uint32_t scratched_regs;
	uint64_t scratched_slots;
	size_t log_insn, log_insn_len;
	uint32_t last_line;
};

enum jump_flags {
	JUMP_FRAME = 7,         /* of a stack access: the frame */
	JUMP_SLOT_SHIFT = 3,    /* and the slot, 6 bits */
	JUMP_STACK = 1 << 9,    /* the instruction accessed this slot through whatever register */
	JUMP_DST_STACK = 1 << 10, /* of a comparison: operands that were stack pointers */
	JUMP_SRC_STACK = 1 << 11,
};

static inline bool slot_is_spill(const struct slot *s)
{
	return s->kind[7] == SLOT_SPILL;
}

static inline bool slot_is_scalar(const struct slot *s)
{
	return slot_is_spill(s) && s->spilled.kind == REG_SCALAR;
}

static inline bool slot_is_scalar64(const struct slot *s)
{
	return s->kind[0] == SLOT_SPILL && s->spilled.kind == REG_SCALAR;
}

/* state.c */
struct frame *frame_new(struct verifier *v);
struct frame *frame_copy(struct verifier *v, const struct frame *from);
void frame_free(struct verifier *v, struct frame *f);
struct state *state_new(struct verifier *v);
struct state *state_copy(struct verifier *v, const struct state *from);
void state_free(struct verifier *v, struct state *s);
int refs_reserve(struct verifier *v, struct state *s, uint32_t n);
int jumps_reserve(struct verifier *v, struct state *s, uint32_t n);

/* walk.c */
int branches_ended(struct verifier *v, struct state *s);

/* prune.c: 1: an equal state was explored before. */
int prune(struct verifier *v);
void evicted_ended(struct verifier *v, struct state *s);
enum exact { EXACT_NOT, EXACT_WITHIN, EXACT };
bool states_equal(struct verifier *v, const struct state *old, const struct state *cur,
                  enum exact exact);
uint32_t state_frame_pc(const struct state *s, unsigned frame); /* where a frame is or goes on */

/* precise.c */
void precise_points(struct verifier *v);
int jump_note(struct verifier *v, unsigned flags, uint64_t linked);
int precise_backtrack(struct verifier *v, struct state *from, int regno, bool *changed);
int precise_propagate(struct verifier *v, const struct state *old, struct state *cur, bool *changed);
void precise_all(struct verifier *v, struct state *s);
void precise_forget(struct state *s);

/* live.c */
int live_registers(struct verifier *v);
bool live_propagate(struct verifier *v, const struct state *old, struct state *cur);
void live_clean(struct verifier *v, struct state *s);

/* loop.c */
int loop_find(struct verifier *v);
int loop_enter(struct verifier *v, struct state *s);
int loop_exit(struct verifier *v, struct state *s);
int loop_backedge(struct verifier *v, struct state *equal);
bool loop_incomplete(struct verifier *v, const struct state *s);
void loop_end(struct verifier *v);

bool insn_successor(const struct verifier *v, uint32_t pc, unsigned k, uint32_t *next);

/* prune.c: the last state of this path that was kept at pc; NULL: none */
struct state *state_before(struct verifier *v, const struct state *cur, uint32_t pc);
/* Numbers that differ from the old state's and were not precise become unknown. */
void state_widen(struct verifier *v, const struct state *old, struct state *cur);

/* spec.c: is a fault at pc none, because the path is a speculation? */
bool spec_stops(struct verifier *v, uint32_t pc, int err);

/* branch.c, alu.c, func.c, step.c */
int func_entry(struct verifier *v, uint32_t func, struct frame *f);
const char *func_name(const struct verifier *v, uint32_t func);
int step_branch(struct verifier *v, uint32_t *pc);
int step_alu(struct verifier *v, uint32_t pc);
int step_return(struct verifier *v, uint32_t *pc); /* 1: the path is over */
int step(struct verifier *v, uint32_t *pc); /* 1: the path is over */

/* log.c */
bool log_wanted(const struct verifier *v, uint32_t levels);
void log_say(const struct verifier *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void log_state(struct verifier *v, const struct state *s, unsigned frame, bool all);
void log_insn_state(struct verifier *v, const struct state *s);
void log_line(struct verifier *v, uint32_t pc, const char *prefix);
void log_insn(struct verifier *v, uint32_t pc);
void log_insn_text(struct verifier *v, uint32_t pc);
void log_program(struct verifier *v);
void log_start(struct verifier *v);
void log_stats(struct verifier *v);

static inline void scratch_reg(struct verifier *v, unsigned regno)
{
	v->walk->scratched_regs |= 1u << regno;
}

static inline void scratch_slot(struct verifier *v, int spi)
{
	v->walk->scratched_slots |= (uint64_t)1 << spi;
}

static inline void scratch_none(struct verifier *v)
{
	v->walk->scratched_regs = 0;
	v->walk->scratched_slots = 0;
}

static inline void scratch_all(struct verifier *v)
{
	v->walk->scratched_regs = ~0u;
	v->walk->scratched_slots = ~(uint64_t)0;
}

#endif
