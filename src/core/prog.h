/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs, and the contract of an engine that runs them.
 *
 * Life of a program: load.c (sys/) fills in orig and the descriptive fields; the verifier checks them
 * and makes `insns`, `funcs` and `aux` (the translated program, the only one that engines see); an
 * engine's prepare() gives it an entry point; obj_publish() makes it visible. From then on nothing but
 * the statistics changes.
 *
 * In `insns` every reference is resolved: a wide load holds the final 64-bit value with src = 0 (the
 * address of a struct map, of a map's value, of a struct callback); a helper call's imm is still its id,
 * and aux[].call the function.
 */
#ifndef SKEP_CORE_PROG_H
#define SKEP_CORE_PROG_H

#include "core/helper.h"
#include "core/obj.h"
#include "core/stream.h"
#include "isa/insn.h"

struct btf;
struct hook;
struct map;

typedef uint64_t (*prog_entry)(void *ctx, struct cpu *cpu, const struct prog *prog);

/* A function: the main program is funcs[0]. Instructions [start, end). */
struct func {
	uint32_t start, end;
	uint16_t stack; /* bytes below r10 that it may touch, a multiple of 8 */
	bool is_callback; /* its address is taken */
	bool tail_calls;  /* it, or one it calls, makes tail calls */
	uint32_t btf_type_id; /* from func_info, or 0 */
	uint32_t code_at, code_size; /* its machine code: offset from prog->code, and length */
	struct callback cb;   /* what lddw func[] yields; the engine sets cb.call */
};

/* Beside each instruction of `insns`. */
struct insn_aux {
	helper_fn call;   /* of a helper call: the function to call directly */
	uint32_t orig;    /* index in `orig` that it comes from */
	uint32_t func;    /* of a local call or a callback reference: index in funcs */
};

struct line_info { /* struct bpf_line_info */
	uint32_t insn_off, file_name_off, line_off, line_col;
};

struct func_info { /* struct bpf_func_info */
	uint32_t insn_off, type_id;
};

struct prog {
	prog_entry entry; /* first: a tail call from JIT-compiled code jumps through it */
	struct obj obj;
	uint32_t type, expected_attach_type, flags;
	const struct hook *hook;
	const struct engine *engine;
	char name[BPF_OBJ_NAME_LEN];
	bool gpl;
	bool trusted; /* verified, or run by explicit trust: may run unchecked */
	_Atomic bool shared; /* others may reach it without a reference: it was in a prog array */
	bool uses_cpu; /* calls helpers, tail calls or reads the CPU slot */

	struct insn *orig; /* as loaded */
	uint32_t norig;
	struct insn *insns; /* translated */
	struct insn_aux *aux;
	uint32_t ninsns;
	struct func *funcs;
	uint32_t nfuncs;
	struct map **maps; /* referenced */
	uint32_t nmaps;
	struct map **bound; /* held, not used: BPF_PROG_BIND_MAP; guarded by k->lock */
	uint32_t nbound;

	struct btf *btf; /* referenced, or NULL */
	struct line_info *lines; /* by insn_off, of orig */
	uint32_t nlines;
	struct func_info *func_infos;
	uint32_t nfunc_infos;

	void *image;         /* the engine's */
	const void *code;    /* machine code of a JIT, else NULL */
	uint32_t code_size;
	uint32_t *line_code; /* [nlines], offset in code of each line; NULL without code or lines */
	uint64_t load_time;  /* ns since boot */
	uint32_t uid;
	uint64_t caps;       /* of who loads it: caps.h */
	uint32_t verified_insns;
	uint32_t max_ctx_offset; /* end of the last byte of the context that it accesses */
	_Atomic uint64_t run_time_ns, run_cnt, recursion_misses;
	struct stream streams[STREAMS]; /* STREAM_STDOUT first */
};

/*
 * How a kind of execution prepares programs. Engines know nothing of each other; programs of different
 * engines may tail-call one another, because each is entered through prog->entry.
 */
struct engine {
	const char *name; /* "jit", "interp", "checked" */
	/* Sets entry, each funcs[].cb.call, image, code. 0, -ENOMEM, -ENOTSUPP (says nothing else). */
	int (*prepare)(struct prog *p);
	void (*release)(struct prog *p);
};

/*
 * The first bad access or the like that the checked engine found in a run. Every CPU slot has room for
 * one (k->faults); cpu->fault points there after a run that had one.
 */
struct fault {
	const struct prog *prog; /* not referenced: valid as long as the program is */
	uint32_t insn; /* index in prog->insns */
	const char *what; /* "read outside of every region", "no fuel left" ... */
	uintptr_t addr;
	uint32_t size;
	bool write;
	char near[96]; /* the region that the address is closest to, and how far off */
	char text[512]; /* the whole as one line, made when somebody asks: see skep_cpu_fault() */
};

static inline struct prog *prog_of(struct obj *o)
{
	return (struct prog *)((char *)o - offsetof(struct prog, obj));
}

struct prog *prog_new(struct skep *k); /* zeroed, one reference, unpublished; NULL: no memory */

/* A run that is counted in p's statistics; prog_run() decides. */
uint64_t prog_run_counted(const struct prog *p, void *ctx, struct cpu *cpu);

static inline uint64_t prog_run_plain(const struct prog *p, void *ctx, struct cpu *cpu)
{
	uint64_t ret;

	cpu->tail_calls = 0;
	cpu->prog = p;
	cpu->ctx = ctx;
	cpu->fault = NULL;
	rcu_read_enter(&cpu->k->rcu, &cpu->rcu);
	ret = p->entry(ctx, cpu, p);
	rcu_read_leave(&cpu->rcu);
	return ret;
}

/*
 * Runs p once on ctx (a context of ours: struct xdp ...), on a CPU slot that the caller holds.
 */
static inline uint64_t prog_run(const struct prog *p, void *ctx, struct cpu *cpu)
{
	if (__builtin_expect(atomic_load_explicit(&cpu->k->stats, memory_order_relaxed) != 0, 0))
		return prog_run_counted(p, ctx, cpu);
	return prog_run_plain(p, ctx, cpu);
}

bool prog_uses_map(const struct prog *p, const struct map *m);
/*
 * Makes p hold m as long as it lives, without using it. 1: m's reference is taken over; 0: p holds it
 * already; -ENOMEM.
 */
int prog_bind_map(struct prog *p, struct map *m);

/*
 * The tag of a program, or of a function of it, of n slots as loaded: the first 8 bytes of the SHA-256 of
 * its instructions, in which the descriptors of maps count as 0 (Linux 6.18; kernels before took SHA-1).
 */
void prog_tag(const struct insn *insns, uint32_t n, uint8_t tag[BPF_TAG_SIZE]);

/* Index into p->lines of the line that instruction `orig` belongs to, or -1. */
int prog_line(const struct prog *p, uint32_t orig);

#endif
