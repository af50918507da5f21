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
#include "verifier/reg.h"
#include "verifier/verify.h"

/* Limits of the kernel's; frames are rounded up to STACK_ROUND when they are added up. */
enum { MAX_SUBPROGS = 256, MAX_USED_MAPS = 64, STACK_ROUND = 16 };

/* Marks of an instruction. */
enum {
	MARK_START = 1 << 0,   /* first of a function (subprog_find) */
	MARK_SECOND = 1 << 1,  /* upper half of a wide load (refs_resolve) */
	MARK_REACHED = 1 << 2, /* from the start of its function, statically (cfg_check) */
	MARK_DEAD = 1 << 4,    /* on no path (walk_notes) */
	MARK_LEADER = 1 << 3,  /* control may come here by other ways than from above (cfg_check) */
};

/* A function while it is checked; fixup makes a struct func of it. */
struct subprog {
	uint32_t start, end;
	int touched; /* lowest offset from r10 that it accesses or passes on, <= 0 */
	int formed;  /* lowest offset from r10 that any register ever held */
	uint8_t base; /* register that holds the arena's base throughout, or 0 (arena.c) */
	int spare;   /* slot where a register is saved around accesses to an arena, or 0 (arena.c) */
	bool is_callback;
	bool is_global; /* the main program, or a function that BTF says is no static one */
	bool tail_call;  /* has one itself */
	bool tail_calls; /* or one that it calls has */
	bool changes_packet; /* it, or one it calls, may move packets (calls of helpers that do) */
	bool called;     /* some path calls it (global functions) */
	bool verified;   /* by itself, or it is being so */
};

/* What the maps in a map-in-map are like, as a map of their own. */
struct inner {
	struct inner *next;
	const struct map *outer;
	struct map *map; /* behind this struct */
};

/* What the walk leaves at an instruction, or was told about it beforehand. */
enum note_flags {
	NOTE_SEEN = 1 << 0,       /* some path came here */
	NOTE_PRUNE = 1 << 1,      /* states are compared here */
	NOTE_CHECKPOINT = 1 << 2, /* a state is kept here whatever the heuristics say */
	NOTE_JUMP = 1 << 3,       /* where paths meet: the jump history must know */
	NOTE_ITER_NEXT = 1 << 4,  /* a call that begins another turn of an iterator's loop */
	NOTE_CALLBACK = 1 << 5,   /* a call that calls back */
	NOTE_MAY_GOTO = 1 << 6,
	NOTE_CALLS_MANY = 1 << 7, /* helper calls here were made with different maps */
	NOTE_NOSPEC = 1 << 8,     /* speculations end here, before the instruction (spec.c) */
	NOTE_NOSPEC_RESULT = 1 << 9, /* ... behind it */
	NOTE_ARENA_ALU = 1 << 10, /* 64-bit arithmetic on a pointer into an arena ... */
	NOTE_OTHER_ALU = 1 << 11, /* ... on something else */
};

struct note {
	uint8_t kind;    /* enum reg_kind of the pointer of a load, store; REG_NONE: none yet */
	uint16_t flags;  /* enum note_flags */
	uint16_t live;   /* registers that are read later, by bit (live.c) */
	uint16_t scc;    /* the loop that the instruction is in, or 0 (loop.c) */
	uint16_t touch;  /* registers of interest to who looks back over it, by bit (precise.c) */
	uint8_t spec;    /* how an addition to a pointer is masked (spec.c) */
	uint32_t spec_limit;
	struct map *map; /* of a helper call's r1 or the pointer's, as long as it is the same each time */
	union {
		const struct kfunc *kfunc; /* of a kfunc call */
		const struct ctx_field *field; /* of an access to the context or a socket */
	};
};

struct loop_info;
struct map_arena;
struct walk;

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

	/* The walk over all paths (walk.c). */
	struct note *notes; /* by instruction */
	struct state *cur;  /* the state of the path that is followed now */
	struct walk *walk;  /* checkpoints, pending branches */
	struct inner *inner;
	uint32_t pc, prev_pc; /* the instruction under way, and the one before it on the path */
	uint32_t last_id;   /* ids of registers and references are numbered from 1 */
	/* What the loader's capabilities allow (core/caps.h). CAP_PERFMON: */
	bool allow_ptr_leaks;    /* the program may learn addresses */
	bool allow_uninit_stack; /* ... and read what nobody wrote */
	bool bypass_spec;        /* what it does when a branch is mispredicted is no concern */
	bool spec_limits;        /* some mask depends on what is known of a number */
	bool bpf_capable; /* CAP_BPF: functions, loops, exact values only where they matter */
	bool strict_align;
	bool trust;         /* a light look is enough */
	struct map_arena *arena; /* that the program uses, or NULL */
	uint64_t started;   /* ns */
	char kind_text[2][64]; /* reg_kind_text() */
	unsigned kind_text_at;
};

static inline uint32_t new_id(struct verifier *v)
{
	return ++v->last_id;
}

/* Index in subprogs of the function that an instruction belongs to. */
uint32_t subprog_of(const struct verifier *v, uint32_t pc);

/* The passes, in order; each answers 0 or a negative errno, having logged why. */
int subprog_find(struct verifier *v);
int subprog_layout(struct verifier *v);
/* Finds the kfunc of a call: ref[pc] is its row in k->reg.kfuncs. Part of subprog_find(). */
int kfunc_find_at(struct verifier *v, uint32_t pc);
int info_match(struct verifier *v);
int refs_resolve(struct verifier *v);
int back_edges(struct verifier *v);
int cfg_check(struct verifier *v);
int insn_check_all(struct verifier *v);
int calls_present(struct verifier *v);
int track(struct verifier *v);
int ctx_check(struct verifier *v);
int stack_check(struct verifier *v);
int points(struct verifier *v);
int walk_paths(struct verifier *v);
int walk_notes(struct verifier *v);
int arena_registers(struct verifier *v);
void walk_end(struct verifier *v); /* gives back what walk() holds */
int fixup(struct verifier *v);
int insn_check(struct verifier *v, uint32_t pc); /* of one instruction: see insn.c */

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
