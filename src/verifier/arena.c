/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas in programs: which one a program has, and what becomes of instructions that use it.
 *
 * core/arena.h tells what pointers into an arena are. Engines know nothing of them: here each access gets
 * two instructions in front that add the base, in a register that nobody needs at that place,
 *
 *     r0 = *(u32 *)(r1 + 8)         r0 = r9;  r0 += r1;  r0 = *(u32 *)(r0 + 8)
 *
 * and only where all registers are needed one is saved in a slot of the stack around it. The base stands in
 * a register that the function does not use, from its beginning; if it uses all, it is loaded each time. A cast to a
 * pointer that programs can follow forgets the upper half; one back to the user's puts it there, unless the
 * pointer is NULL. Arithmetic on such pointers is made with 32 bits, so that they stay below 4 GiB.
 *
 * Requires: notes of the walk. Provides: what arena.h lists, arena_registers().
 */
#include "verifier/arena.h"

#include <errno.h>

#include "core/arena.h"
#include "verifier/path.h"

enum { NO_FREE = NREGS, SLOT = 8 };

int arena_use(struct verifier *v, struct map *m)
{
	if (v->arena)
		return reject(v, REJECT_ARENA_SECOND);
	if (!v->allow_ptr_leaks || !v->bpf_capable)
		return reject(v, REJECT_ARENA_CAPABLE);
	v->arena = arena_of(m);
	return v->arena->user_start ? 0 : reject(v, REJECT_ARENA_PLACE);
}

static bool is_access(const struct verifier *v, uint32_t pc)
{
	return insn_info[v->op[pc]].fields & (INSN_LOAD | INSN_STORE) &&
	       v->notes[pc].kind == REG_ARENA;
}

/* A cast that has to put the upper half there. */
static bool is_cast_to_user(const struct verifier *v, uint32_t pc)
{
	return v->op[pc] == OP_ADDR_CAST && v->insns[pc].imm != 1 &&
	       !(v->arena->map.flags & BPF_F_NO_USER_CONV);
}

static unsigned touched(const struct insn *i, enum op op)
{
	return 1u << i->dst | 1u << i->src |
	       (insn_info[op].fields & (INSN_U0 | INSN_W0) ? 1u << R0 : 0);
}

/* A register whose value is lost on all ways from here; NO_FREE: there is none. */
static unsigned free_register(const struct verifier *v, uint32_t pc)
{
	const struct insn *i = &v->insns[pc];
	unsigned busy = touched(i, v->op[pc]) | v->notes[pc].live;
	unsigned base = v->subprogs[subprog_of(v, pc)].base;

	/* What is loaded is not there before. */
	if ((i->code & 7) == CLASS_LDX && i->dst != i->src)
		return i->dst;
	for (unsigned r = R0; r < R10; r++)
		if (!(busy >> r & 1) && (r != base || !base))
			return r;
	return NO_FREE;
}

/* Lets a function keep the base in a register that nothing in it, and nothing that it calls, changes. */
static void choose_base(const struct verifier *v, struct subprog *s)
{
	unsigned used = 1u << R0;
	bool accesses = false;

	for (uint32_t pc = s->start; pc < s->end; pc++) {
		enum op op = v->op[pc];

		if (v->mark[pc] & MARK_SECOND || op == OP_INVALID)
			continue;
		used |= touched(&v->insns[pc], op);
		if (insn_info[op].fields & (INSN_CALLS | INSN_U6))
			used |= 1u << R1 | 1u << R2 | 1u << R3 | 1u << R4 | 1u << R5 | 1u << R6;
		accesses |= is_access(v, pc);
	}
	for (uint8_t r = R9; accesses && r > R0 && !s->base; r--)
		if (!(used >> r & 1))
			s->base = r;
}

int arena_registers(struct verifier *v)
{
	for (uint32_t i = 0; v->arena && i < v->nsubprogs; i++)
		choose_base(v, &v->subprogs[i]);
	for (uint32_t pc = 0; v->arena && pc < v->n; pc++) {
		struct subprog *s;
		int lowest;

		if (v->mark[pc] & (MARK_SECOND | MARK_DEAD) ||
		    !(is_access(v, pc) || is_cast_to_user(v, pc)) ||
		    free_register(v, pc) != NO_FREE)
			continue;
		s = &v->subprogs[subprog_of(v, pc)];
		if (s->spare)
			continue;
		lowest = s->touched < s->formed ? s->touched : s->formed;
		s->spare = -((-lowest + SLOT - 1) / SLOT * SLOT + SLOT);
		if (s->spare < -STACK_SIZE)
			return reject(v, REJECT_ARENA_STACK, pc);
		s->touched = s->formed = s->spare;
	}
	return 0;
}

/* --- Lowering ----------------------------------------------------------------------------- */

struct lowering {
	struct insn *out;
	unsigned n, temp;
	int spare; /* 0: the register is free */
};

static void put(struct lowering *l, enum op op, unsigned dst, unsigned src, int off, int32_t imm)
{
	struct insn i = {.code = insn_info[op].code, .off = (int16_t)off, .imm = imm};

	i.dst = dst & 15;
	i.src = src & 15;
	l->out[l->n++] = i;
}

static void put_wide(struct lowering *l, uint64_t value)
{
	put(l, OP_LDDW, l->temp, 0, 0, (int32_t)value);
	l->out[l->n++] = (struct insn){.imm = (int32_t)(value >> 32)};
}

static void begin(const struct verifier *v, uint32_t pc, struct lowering *l)
{
	l->temp = free_register(v, pc);
	if (l->temp != NO_FREE)
		return;
	l->spare = v->subprogs[subprog_of(v, pc)].spare;
	for (l->temp = R0; touched(&v->insns[pc], v->op[pc]) >> l->temp & 1 ||
	                   (l->temp && l->temp == v->subprogs[subprog_of(v, pc)].base);)
		l->temp++;
	put(l, OP_STX_DW, R10, l->temp, l->spare, 0);
}

static void end(struct lowering *l)
{
	if (l->spare)
		put(l, OP_LDX_DW, l->temp, R10, l->spare, 0);
}

static void lower_access(const struct verifier *v, uint32_t pc, struct lowering *l)
{
	struct insn i = v->insns[pc];
	bool stores = insn_info[v->op[pc]].fields & INSN_STORE;
	unsigned base = stores ? i.dst : i.src, held = v->subprogs[subprog_of(v, pc)].base;

	begin(v, pc, l);
	if (held)
		put(l, OP_MOV64_X, l->temp, held, 0, 0);
	else
		put_wide(l, v->arena->base);
	put(l, OP_ADD64_X, l->temp, base, 0, 0);
	if (stores)
		i.dst = l->temp & 15;
	else
		i.src = l->temp & 15;
	l->out[l->n++] = i;
	end(l);
}

static void lower_cast(const struct verifier *v, uint32_t pc, struct lowering *l)
{
	const struct insn *i = &v->insns[pc];

	if (!is_cast_to_user(v, pc)) {
		put(l, OP_MOV32_X, i->dst, i->src, 0, 0);
		return;
	}
	begin(v, pc, l);
	put(l, OP_MOV32_X, i->dst, i->src, 0, 0);
	put(l, OP_JEQ64_K, i->dst, 0, 3, 0);
	put_wide(l, v->arena->user_start >> 32 << 32);
	put(l, OP_OR64_X, i->dst, l->temp, 0, 0);
	end(l);
}

unsigned arena_prefix(const struct verifier *v, uint32_t pc, struct insn out[ARENA_INSNS])
{
	struct lowering l = {.out = out};

	if (v->arena && v->mark[pc] & MARK_START) {
		l.temp = v->subprogs[subprog_of(v, pc)].base;
		if (l.temp)
			put_wide(&l, v->arena->base);
	}
	return l.n;
}

unsigned arena_lower(const struct verifier *v, uint32_t pc, struct insn out[ARENA_INSNS])
{
	struct lowering l = {.out = out};

	if (!v->arena || v->op[pc] == OP_INVALID)
		return 0;
	if (v->op[pc] == OP_ADDR_CAST) {
		lower_cast(v, pc, &l);
	} else if (is_access(v, pc)) {
		lower_access(v, pc, &l);
	} else if (v->notes[pc].flags & NOTE_ARENA_ALU) {
		out[l.n] = v->insns[pc];
		out[l.n++].code -= CLASS_ALU64 - CLASS_ALU;
	}
	return l.n;
}
