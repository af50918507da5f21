/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First pass of the JIT: decodes every instruction once, marks jump targets, and gathers what the later
 * passes and the back ends want to know of each function.
 *
 * The verifier has checked the program's structure; what would lead this pass or the next ones outside
 * of their arrays is refused here all the same.
 *
 * Requires: insns, funcs and aux of the program. Provides: notes, funcs, room for fragments and fixups.
 */
#include <errno.h>

#include "exec/jit.h"

enum { ARGS = 1 << R1 | 1 << R2 | 1 << R3 | 1 << R4 | 1 << R5, CALL_SETS = ARGS | 1 << R0 };

/* What scanning wants to know of an operation, so that most instructions need no decision at all. */
struct row {
	uint16_t reads_dst, reads_src, writes_dst, writes_src; /* all ones: it does */
	uint16_t uses, sets; /* registers that are not named by dst and src */
	uint16_t fields;     /* enum insn_fields, the lower ones */
	uint8_t kinds;       /* enum jit_kinds: what it means for the whole function */
	uint8_t flags;       /* enum jit_note_flags */
};

#define ROW_KINDS(op)                                                                              \
	((IS4(op, DIV) || IS4(op, SDIV) || IS4(op, MOD) || IS4(op, SMOD) ? JIT_DIVIDES : 0) |      \
	 (IS2(op, LSH) || IS2(op, RSH) || IS2(op, ARSH) ? JIT_SHIFTS : 0) |                        \
	 (op == OP_FETCH_OR64 || op == OP_FETCH_AND64 || op == OP_FETCH_XOR64 ||                   \
	  op == OP_FETCH_OR32 || op == OP_FETCH_AND32 || op == OP_FETCH_XOR32 ? JIT_FETCHES : 0) | \
	 (op == OP_LDX_CPU_W || op == OP_LDX_CPU_DW ? JIT_READS_CPU : 0) |                         \
	 (op == OP_MAY_GOTO ? JIT_MAY_GOTO : 0))
#define IS2(op, name) (op == OP_##name##64_X || op == OP_##name##32_X)
#define IS4(op, name) (IS2(op, name) || op == OP_##name##64_K || op == OP_##name##32_K)
#define ROW_FLAGS(f)                                                                               \
	(((f) & (JOFF | JIMM) ? NOTE_JUMP : 0) | ((f) & END ? NOTE_END : 0) |                      \
	 ((f) & WIDE ? NOTE_WIDE : 0) |                                                            \
	 (((f) & (WD | STORE | CALLS)) == WD ? NOTE_PURE : 0))
#define ALL_IF(f, bit) ((f) & (bit) ? UINT16_MAX : 0)

/* The short names that insn.def writes its columns in. */
enum {
	RD = INSN_RD,
	WD = INSN_WD,
	RS = INSN_RS,
	WS = INSN_WS,
	U0 = INSN_U0,
	W0 = INSN_W0,
	U6 = INSN_U6,
	OFF = INSN_OFF,
	IMM = INSN_IMM,
	IMM2 = INSN_IMM2,
	WIDE = INSN_WIDE,
	JOFF = INSN_JOFF,
	JIMM = INSN_JIMM,
	LOAD = INSN_LOAD,
	STORE = INSN_STORE,
	CALLS = INSN_CALLS,
	END = INSN_END,
};

static const struct row rows[OP_COUNT] = {
#define INSN(op, code, key, value, f, ...)                                                         \
	[OP_##op] = {                                                                              \
		.reads_dst = ALL_IF(f, RD),                                                        \
		.reads_src = ALL_IF(f, RS),                                                        \
		.writes_dst = ALL_IF(f, WD),                                                       \
		.writes_src = ALL_IF(f, WS),                                                       \
		.uses = ((f) & U0 ? 1 << R0 : 0) | ((f) & U6 ? 1 << R6 : 0) |                      \
	                /* How many arguments a callee takes is not known here. */                 \
	                (((f) & (CALLS | U6)) == CALLS ? ARGS : 0),                                \
		.sets = ((f) & W0 ? 1 << R0 : 0) | ((f) & CALLS ? CALL_SETS : 0),                  \
		.fields = (uint16_t)(f),                                                                   \
		.kinds = ROW_KINDS(OP_##op),                                                       \
		.flags = ROW_FLAGS(f),                                                             \
	},
#include "isa/insn.def"
#undef INSN
};

/* The operation of an opcode byte that has one only, plus 1; 0: insn_op() knows. */
static const uint8_t plain_op[256] = {
#define PLAIN_ANY(op, code) [code] = OP_##op + 1,
#define PLAIN_OFF(op, code)
#define PLAIN_IMM(op, code)
#define PLAIN_SRC(op, code)
#define INSN(op, code, key, ...) PLAIN_##key(op, code)
#include "isa/insn.def"
#undef INSN
};

static inline enum op decode(const struct insn *i)
{
	unsigned plain = plain_op[i->code];

	return plain ? plain - 1 : insn_op(i);
}

/* An instruction that uses r10. */
static void scan_frame(struct jit_func *f, const struct insn *i, unsigned fields)
{
	bool base_is_src = (fields & (INSN_LOAD | INSN_STORE)) == INSN_LOAD;
	unsigned base = base_is_src ? i->src : i->dst;
	int depth = -i->off;

	if (!(fields & (INSN_LOAD | INSN_STORE)) || base != R10 ||
	    (!base_is_src && (fields & INSN_RS) && i->src == R10) || depth > STACK_SIZE ||
	    depth < (int)insn_size(i)) {
		f->stack_escapes = true;
		f->stack = STACK_SIZE;
	}
	f->frame_uses++;
	if (depth > f->stack)
		f->stack = (uint16_t)depth;
}

static int scan_jump(struct jit *j, struct jit_func *f, enum op op, uint32_t pc)
{
	int64_t target = insn_target(op, &j->p->insns[pc], pc);

	if (target < f->start || target >= f->end)
		return -EINVAL;
	if (target <= pc) {
		/* The second half of a wide load is no instruction. */
		if (j->notes[target].op == OP_INVALID)
			return -EINVAL;
		j->notes[pc].label = f->back_jump;
		f->back_jump = pc;
	}
	j->max_frags += !(j->notes[target].flags & NOTE_TARGET);
	j->notes[target].flags |= NOTE_TARGET;
	return 0;
}

static int scan_call(struct jit *j, struct jit_func *f, enum op op, uint32_t pc)
{
	j->max_fixups++;
	f->calls = true;
	if (insn_info[op].fields & INSN_U6) {
		f->packet_loads = true;
		return 0;
	}
	if (op == OP_CALL_LOCAL)
		return j->p->aux[pc].func - 1 < j->p->nfuncs - 1 ? 0 : -EINVAL;
	j->uses_cpu = true;
	return op == OP_CALLX ? -ENOTSUPP : 0;
}

/* What is more than arithmetic and memory; answers the slots of the instruction, or an error. */
static int scan_special(struct jit *j, struct jit_func *f, enum op op, uint32_t pc)
{
	unsigned fields = insn_info[op].fields;

	if (fields & INSN_WIDE) {
		if (pc + 1 >= f->end || j->notes[pc + 1].flags & NOTE_TARGET)
			return -EINVAL;
		j->notes[pc + 1].op = OP_INVALID;
		return 2;
	}
	if (fields & INSN_CALLS) {
		int err = scan_call(j, f, op, pc);

		return err ? err : 1;
	}
	j->max_frags += 2;
	if (fields & (INSN_JOFF | INSN_JIMM)) {
		int err = scan_jump(j, f, op, pc);

		return err ? err : 1;
	}
	return 1;
}

static int scan_func(struct jit *j, struct jit_func *f)
{
	const struct insn *insns = j->p->insns;
	const struct row *row = NULL;
	unsigned regs = 0, kinds = 0;

	for (uint32_t pc = f->start; pc < f->end;) {
		const struct insn *i = &insns[pc];
		struct jit_note *note = &j->notes[pc];
		unsigned dst = 1u << i->dst, src = 1u << i->src, used, set;
		enum op op = decode(i);
		int slots = 1;

		if (op == OP_INVALID || i->dst > R10 || (i->src > R10 && insn_info[op].key != KEY_SRC))
			return -EINVAL;
		row = &rows[op];
		used = (dst & row->reads_dst) | (src & row->reads_src) | row->uses;
		set = (dst & row->writes_dst) | (src & row->writes_src) | row->sets;
		note->op = (uint8_t)op;
		note->flags |= row->flags;
		note->uses = (uint16_t)used;
		note->sets = (uint16_t)set;
		regs |= used | set;
		kinds |= row->kinds;
		if (used & 1u << R10)
			scan_frame(f, i, row->fields);
		if (row->fields & (INSN_JOFF | INSN_JIMM | INSN_END | INSN_CALLS | INSN_WIDE))
			slots = scan_special(j, f, op, pc);
		if (slots < 0)
			return slots;
		pc += (uint32_t)slots;
	}
	if (!row || !(row->fields & INSN_END))
		return -EINVAL;
	f->regs = (uint16_t)regs;
	f->kinds = (uint8_t)kinds;
	j->uses_cpu |= (kinds & JIT_READS_CPU) != 0;
	if (f->stack_escapes && j->p->funcs[f - j->funcs].stack)
		f->stack = j->p->funcs[f - j->funcs].stack;
	return 0;
}

int jit_scan(struct jit *j)
{
	const struct prog *p = j->p;
	uint32_t next = 0;

	for (uint32_t n = 0; n < p->nfuncs; n++) {
		struct jit_func *f = &j->funcs[n];
		int err;

		f->start = p->funcs[n].start;
		f->end = p->funcs[n].end;
		f->back_jump = JIT_NONE;
		if (f->start != next || f->end <= f->start || f->end > p->ninsns)
			return -EINVAL;
		next = f->end;
		err = scan_func(j, f);
		if (err)
			return err;
		j->max_frags += 3;
	}
	return next == p->ninsns && p->nfuncs ? 0 : -EINVAL;
}
