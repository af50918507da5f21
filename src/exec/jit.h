/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JIT: how its parts meet, and the contract of a back end (one CPU: x86_64.c, ...).
 *
 * A compilation is a struct jit that passes through, in this order:
 *
 *   jit_scan()    decodes: notes[], jump targets, facts of each function       jit_scan.c
 *   jit_live()    registers that are dead after each instruction               jit_live.c
 *   jit_slots()   stack slots that can live in registers                       jit_slots.c
 *   jit_fuse()    idioms become single operations                              jit_fuse.c
 *   emission      instruction by instruction, through struct jit_arch          jit.c, x86_64*.c
 *   jit_link()    chooses short or long branches, places the code, fills in
 *                 the distances                                                jit_link.c
 *   jit_mem_*()   executable memory that is never writable                     jit_mem.c
 *
 * Emission makes fragments: straight code that ends in at most one branch. The scratch buffer holds the
 * straight code only; what a branch looks like is settled when all distances are known. Local calls and
 * calls of C functions leave a hole of fixed size and a struct jit_fixup.
 *
 * A back end supplies struct jit_arch and nothing else; it is the only code that knows its CPU. To add
 * one: an encoder header of pure functions with golden bytes, one file that ends in `jit_arch_host`, one
 * line in meson.build.
 */
#ifndef SKEP_EXEC_JIT_H
#define SKEP_EXEC_JIT_H

#include "core/core.h"
#include "core/prog.h"

/* bpf_tail_call(): the one helper that engines carry out themselves. */
enum { JIT_TAIL_CALL = 12 };

/* A register beyond r10 that back ends provide for the driver's own use: blinded constants. */
enum { JIT_AX = NREGS, JIT_NREGS };

#define JIT_NONE UINT32_MAX

enum { JIT_MAX_SLOTS = 8 };

enum jit_note_flags {
	NOTE_TARGET = 1 << 0, /* something jumps here */
	NOTE_JUMP = 1 << 1,   /* it jumps */
	NOTE_END = 1 << 2,    /* what follows is reached by jumps only */
	NOTE_PURE = 1 << 3,   /* it does nothing but set registers */
	NOTE_WIDE = 1 << 4,   /* it takes two slots */
};

/* What the driver knows of an instruction slot. Registers are masks of BPF's. */
struct jit_note {
	uint8_t op;     /* enum op; OP_INVALID: second half of a wide load */
	uint8_t flags;  /* enum jit_note_flags */
	uint16_t uses, sets;
	uint16_t live;  /* registers that may be read after it before they are written */
	uint32_t label; /* of a target: its fragment, once emitted; before, of a backward jump: the next */
};

/* What a function contains somewhere. */
enum jit_kinds {
	JIT_DIVIDES = 1 << 0,
	JIT_SHIFTS = 1 << 1,  /* by a register */
	JIT_FETCHES = 1 << 2, /* atomic and, or, xor that fetch */
	JIT_READS_CPU = 1 << 3,
	JIT_MAY_GOTO = 1 << 4,
};

/* A function of the program, and what scanning found out about it. */
struct jit_func {
	uint32_t start, end; /* instructions */
	uint16_t regs;       /* BPF registers that it mentions */
	uint16_t stack;      /* bytes below r10 that it may touch */
	uint8_t kinds;       /* enum jit_kinds */
	bool stack_escapes;  /* r10 is used otherwise than as a base of loads and stores */
	bool calls;          /* helpers, local functions, packet loads */
	bool packet_loads;
	uint32_t frame_uses; /* instructions that use r10 */
	uint32_t back_jump;  /* its last backward jump, or JIT_NONE */
	uint32_t entry;      /* label */
	uint32_t stub;       /* label of the entry point for C, when it is a callback */
};

/* Fused operations: see jit_fuse.c. They continue enum op. */
enum jit_op {
	JIT_ROTATE64 = OP_COUNT, /* dst = src rotated left by imm, 0 < imm < 64 */
	JIT_ROTATE32,
	JIT_ADD64_X, /* dst = src + src2 */
	JIT_ADD32_X,
	JIT_ADD64_K, /* dst = src + imm */
	JIT_ADD32_K,
	JIT_ZEXT,     /* dst = the low imm bits (8, 16) of src */
	JIT_OP_MEM,   /* dst op= *(src + off), op of the width that is loaded: enum op `second` */
	JIT_INDEX,    /* the load or store `second` of dst at src + (src2 << scale) + off */
	JIT_TABLE,    /* the same, src being set to imm64 first */
	JIT_SELECT,   /* the jump `first` (dst, src, imm) is not taken: the move `second` (to, from, imm2) */
	JIT_JUMP_NOT, /* to target, if the jump `first` (dst, src, imm) would not be taken */
	JIT_OPS,
};
static_assert(JIT_OPS < 256 && JIT_OPS - OP_COUNT < 32, "operations are bytes, `fuses` is 32 bits");

/* An instruction as back ends see it. */
struct jit_insn {
	uint8_t op; /* enum op or enum jit_op */
	uint8_t dst, src, src2;
	int16_t off;
	uint16_t live; /* as in struct jit_note */
	int32_t imm;
	uint32_t pc;
	uint32_t target; /* of a jump */
	uint64_t imm64;  /* of a wide load */
	uint8_t slot;    /* of a load or store on the stack: its register, from 1; 0: in memory */
	uint8_t first, second; /* of fused operations: the operations they are made of */
	uint8_t scale;
	uint8_t before; /* so many slots on is an instruction that must be emitted first; 0: none */
	uint8_t to, from;
	int32_t imm2;
};

enum { JIT_NO_BRANCH = 0xff };

struct jit_frag {
	uint32_t start;  /* in the scratch buffer; it ends where the next one starts */
	uint32_t pos;    /* in the image; valid in jit_link() */
	uint32_t target; /* instruction, or JIT_TO_FRAG and a fragment */
	uint8_t kind;    /* of the branch at its end: the back end's number, or JIT_NO_BRANCH */
	bool far;
};

#define JIT_TO_FRAG (1u << 31)

enum { JIT_MAX_CODE = 1 << 30 };

/* A place in the code that holds the distance to something. */
struct jit_fixup {
	uint32_t at;    /* of the hole, in the scratch buffer */
	uint32_t func;  /* local function whose entry is meant, when to is NULL */
	const void *to; /* C function */
};

/* What a back end knows of the state of the machine; all zero: nothing. Forgotten at every target. */
struct jit_known {
	uint16_t zext;     /* BPF registers whose upper 32 bits are zero */
	uint16_t zext16;   /* whose upper 48 bits are zero */
	uint16_t bit;      /* which are 0 or 1 */
	uint16_t nonzero;  /* whose lower 32 bits are not all zero */
	uint8_t flags;     /* a back end's number for what the flags say of ... */
	uint8_t flags_reg; /* ... this BPF register, */
	const uint8_t *flags_at; /* as long as this is where the code ends */
};

struct jit {
	struct prog *p;
	const struct mem *mem;
	const struct jit_arch *arch;
	struct jit_note *notes; /* [p->ninsns + 1] */
	struct jit_func *funcs; /* [p->nfuncs], in the block of notes */
	struct jit_func *func;  /* being emitted */
	bool uses_cpu; /* some instruction needs the CPU slot */
	bool near;     /* C functions near `anchor` can be reached by short calls from the image */
	uint64_t blind; /* state of the generator for blinding; 0: constants are not hidden */

	uint8_t *code, *at; /* scratch buffer, and the end of what is in it */
	uint8_t *limit;     /* up to here there is room for one more instruction */
	uint8_t *first;             /* what it was at first: a part of the block of `fixups` */
	uint32_t size;              /* of the finished code ... */
	uint32_t shift;             /* ... which begins so far into the image */
	struct jit_frag *frags;
	uint32_t nfrags, max_frags;
	struct jit_fixup *fixups;
	uint32_t nfixups, max_fixups;

	/* Where lines begin: [p->nlines], a fragment and a place in the scratch buffer. NULL: no lines. */
	struct jit_line {
		uint32_t frag, at;
	} *lines;
	uint32_t nlines; /* noted so far */

	uint8_t nslots; /* stack slots in registers, see jit_slots.c */
	uint8_t slot_at[STACK_SIZE / 4 + 1]; /* [bytes below r10 / 4]: number of the slot that starts there */

	/* For back ends. */
	unsigned features; /* what jit_arch.features() said */
	struct jit_known known;
	uint16_t saved;    /* host registers that the function saves, as a mask */
	uint32_t frame;    /* bytes of stack below the saved registers */
	uint8_t frame_reg; /* the host register that stands for r10, */
	int32_t frame_disp; /* and what must be added to it */
	uint8_t slot_reg[JIT_MAX_SLOTS + 1]; /* the register of a slot */
	uint32_t exit_label;
	uint32_t exit_size; /* 0: the function has no epilogue yet */
};

/* Size of a branch near and far, and the distances, from its first byte, that the near form reaches. */
struct jit_branch {
	uint8_t near_size, far_size;
	int32_t min, max;
};

struct jit_arch {
	const char *name;
	uint32_t fuses; /* 1 << (op - OP_COUNT) of the fused operations that it has rules for */
	unsigned insn_max; /* most bytes that one call of begin, insn, stub may append */
	unsigned (*features)(void); /* optional instructions of this host, as the back end counts them */
	/*
	 * How many stack slots of f could live in registers. The first *free of them need not be saved.
	 * In instructions such a slot is named by its number, from 1.
	 */
	unsigned (*slots)(const struct jit *j, const struct jit_func *f, unsigned *free);
	/* Start of j->func: lays out its frame, appends the prologue. */
	void (*begin)(struct jit *j);
	/* One instruction. 0 or -ENOTSUPP. */
	int (*insn)(struct jit *j, const struct jit_insn *in);
	/*
	 * An entry point for C: called with r1..r5, the CPU slot and the struct callback as helpers call
	 * it, it must call function f and return r0.
	 */
	void (*stub)(struct jit *j, uint32_t f);
	/* Branch kinds, by number. */
	const struct jit_branch *branches;
	void (*branch)(uint8_t *at, unsigned kind, bool far, int64_t distance);
	/* Fills in the hole at `at`, which will lie at address `from`. */
	void (*fix)(uint8_t *at, uintptr_t from, uintptr_t to);
	uint8_t padding; /* byte that traps or does nothing when run into */
};

/* The back end of this host. */
extern const struct jit_arch jit_arch_host;

/* What engine_jit does to a program: see struct engine. */
int jit_prepare(struct prog *p, const struct jit_arch *arch);

/* --- Passes ----------------------------------------------------------------------------------- */

int jit_scan(struct jit *j); /* 0, -EINVAL: not a program that the verifier could have passed, -ENOMEM */
void jit_live(struct jit *j);
void jit_slots(struct jit *j, const struct jit_func *f);
/* Makes *in, the instruction at pc, a fused operation; answers the slots it stands for, or 0. */
unsigned jit_fuse(const struct jit *j, uint32_t pc, struct jit_insn *in);

struct jit_image;
/* Places the code: 0, -ENOMEM, or -ERANGE when it does not lie where j->near promised. */
int jit_link(struct jit *j, struct jit_image *image);

/* --- For back ends ---------------------------------------------------------------------------- */

/* A label for what is appended next. */
uint32_t jit_label(struct jit *j);
/* Ends the fragment with a branch to an instruction, or to a label. */
void jit_branch_to(struct jit *j, unsigned kind, uint32_t pc);
void jit_branch_label(struct jit *j, unsigned kind, uint32_t label);
/* The function that a helper call or kfunc call calls, or NULL. */
helper_fn jit_helper(const struct jit *j, const struct jit_insn *in);
/* Leaves a hole of `size` bytes for the distance to a function. */
void jit_call_local(struct jit *j, uint32_t func, unsigned size);
void jit_call_near(struct jit *j, const void *to, unsigned size);
/* Will `to` be near the image, wherever that is placed? */
bool jit_is_near(const struct jit *j, const void *to);

static inline struct jit_func *jit_main(const struct jit *j)
{
	return &j->funcs[0];
}

/* --- Executable memory ------------------------------------------------------------------------ */

struct jit_chunk;

struct jit_image {
	struct jit_chunk *chunk;
	uint8_t *base;
	size_t size;
	void *names; /* jit_names.c: what the debugger was told, or NULL */
};

/* Bytes of a line of the instruction cache: images begin at a multiple of it. */
enum { JIT_LINE = 64 };

/* Reserves size bytes. 0 or -ENOMEM. */
int jit_mem_alloc(struct skep *k, size_t size, struct jit_image *out);
/* Stores the code, once. 0 or -errno. */
int jit_mem_write(struct jit_image *image, const void *code);
void jit_mem_free(struct skep *k, struct jit_image *image);
/* Is the image within reach of jit_is_near()'s functions? */
bool jit_mem_is_near(const struct jit_image *image);

/* --- Names for perf and debuggers -------------------------------------------------------------- */

/* Best effort: a failure leaves the code without a name. */
void jit_names_add(const struct jit *j, struct jit_image *image);
void jit_names_remove(struct skep *k, struct jit_image *image);

#endif
