/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values: which registers and stack slots hold the context, the frame pointer, a map?
 *
 * A forward data flow over basic blocks. A block's state is what all the ways into it agree on: a
 * value for each of r0-r9 and for each stack slot of the function that pointers are spilled to.
 * Blocks whose state changed wait in a work set, lowest first; values only rise in the order below,
 * so it ends.
 *
 *     NONE < NUMBER < CTX+n, FRAME+n, MAP n < ANY < FRAME_ANY < CTX_MIXED
 *
 * NONE and NUMBER give way to a pointer: no program that the kernel accepts dereferences them, so
 * where they meet one, it is the pointer that counts. CTX_MIXED may not be dereferenced, because
 * its accesses could neither be rewritten nor left alone.
 *
 * Arguments flow into local functions and, where it is the context, the result flows back. Slots
 * come to be tracked in two ways: a quick look for r10-based spills and fills, or, when a pointer
 * is stored to a slot that this missed, by starting again.
 *
 * Requires: single instructions checked, MARK_LEADER. Provides: ref[] of loads, stores and helper
 * calls, subprogs[].touched and .formed.
 */
#include <errno.h>
#include <string.h>

#include "verifier/state.h"
#include "verifier/track.h"
#include "verifier/workset.h"

enum { NSLOTS = STACK_SIZE / 8, NO_SLOT = 0xff };

/* What is tracked of a function's stack, and what it returns. */
struct flow {
	uint64_t slots;           /* bit s: the slot at r10 - 8 * (s + 1) is tracked */
	uint8_t index[NSLOTS];    /* place of a tracked slot in a state, or NO_SLOT */
	value ret;
};

struct tracker {
	struct verifier *v;
	struct flow *frames;     /* by function */
	uint32_t *block_of;       /* by instruction: its block, when it is a leader */
	uint32_t *leader;         /* by block: first instruction; one more for the end */
	uint32_t nblocks;
	value *states;            /* by block, `width` each */
	uint8_t *seen;            /* by block: has a state */
	struct workset work;
	unsigned width;
	bool again;               /* a slot or result turned out to matter: start again */
	/* While a block is walked: */
	value cur[R10 + NSLOTS];
	struct subprog *func;
	struct flow *frame;
};

static bool is_ctx(enum value_kind kind)
{
	return kind == VALUE_CTX || kind == VALUE_CTX_MIXED;
}

static bool is_frame(enum value_kind kind)
{
	return kind == VALUE_FRAME || kind == VALUE_FRAME_ANY;
}

static value value_join(value a, value b)
{
	enum value_kind ka = value_kind(a), kb = value_kind(b);

	if (a == b)
		return a;
	if (ka <= VALUE_NUMBER || kb <= VALUE_NUMBER)
		return ka > kb ? a : b;
	if (is_ctx(ka) || is_ctx(kb))
		return value_make(VALUE_CTX_MIXED, 0);
	if (is_frame(ka) || is_frame(kb))
		return value_make(VALUE_FRAME_ANY, 0);
	return value_make(VALUE_ANY, 0);
}

/* What arithmetic other than adding constants makes of two values. */
static value value_mix(value a, value b)
{
	enum value_kind kinds[] = {value_kind(a), value_kind(b)};
	enum value_kind mix = VALUE_NUMBER;

	for (int i = 0; i < 2; i++) {
		if (is_frame(kinds[i]))
			return value_make(VALUE_FRAME_ANY, 0);
		if (is_ctx(kinds[i]))
			mix = VALUE_CTX_MIXED;
		else if (kinds[i] > VALUE_NUMBER && mix == VALUE_NUMBER)
			mix = VALUE_ANY;
	}
	return value_make(mix, 0);
}

static value value_add(value a, int64_t num)
{
	enum value_kind kind = value_kind(a);

	if (kind == VALUE_CTX || kind == VALUE_FRAME) {
		num += value_num(a);
		if (num >= VALUE_NUM_MIN && num <= VALUE_NUM_MAX)
			return value_make(kind, (int)num);
	}
	return value_mix(a, value_make(VALUE_NUMBER, 0));
}

/* Registers: r10 is always the frame pointer and not part of the state. */
static value get(const struct tracker *t, unsigned reg)
{
	return reg == R10 ? value_make(VALUE_FRAME, 0) : t->cur[reg];
}

static void set(struct tracker *t, unsigned reg, value v)
{
	t->cur[reg] = v;
	if (value_kind(v) == VALUE_FRAME && value_num(v) < t->func->formed)
		t->func->formed = value_num(v);
	else if (value_kind(v) == VALUE_FRAME_ANY)
		t->func->formed = -STACK_SIZE;
}

/* The place in the state of the slot that holds the byte at r10 + off, or NULL. */
static value *slot_at(struct tracker *t, int off)
{
	unsigned slot = (unsigned)(-off - 1) / 8;

	if (off >= 0 || off < -STACK_SIZE || t->frame->index[slot] == NO_SLOT)
		return NULL;
	return &t->cur[t->frame->index[slot]];
}

static bool is_pointer(value v)
{
	return is_ctx(value_kind(v)) || is_frame(value_kind(v));
}

static void store(struct tracker *t, value base, int off, unsigned size, value what)
{
	if (value_kind(base) == VALUE_FRAME_ANY) {
		for (unsigned i = R10; i < t->width; i++)
			t->cur[i] = value_join(t->cur[i], value_make(VALUE_ANY, 0));
		return;
	}
	if (value_kind(base) != VALUE_FRAME)
		return;
	off += value_num(base);
	if (size == 8 && off % 8 == 0) {
		value *slot = slot_at(t, off);

		if (slot) {
			*slot = what;
		} else if (is_pointer(what) && off < 0 && off >= -STACK_SIZE) {
			t->frame->slots |= (uint64_t)1 << ((unsigned)-off / 8 - 1);
			t->again = true;
		}
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		value *slot = slot_at(t, off + (int)i);

		if (slot)
			*slot = value_make(VALUE_NUMBER, 0);
	}
}

static value load(struct tracker *t, value base, int off, unsigned size)
{
	value *slot;

	if (size < 8 && !is_ctx(value_kind(base)))
		return value_make(VALUE_NUMBER, 0);
	if (value_kind(base) != VALUE_FRAME || (off += value_num(base)) % 8)
		return value_make(VALUE_ANY, 0);
	slot = slot_at(t, off);
	return slot ? *slot : value_make(VALUE_ANY, 0);
}

static void step_memory(struct tracker *t, uint32_t pc, enum op op, const struct insn *i)
{
	unsigned fields = insn_info[op].fields, size = insn_size(i);
	value base = get(t, fields & INSN_STORE ? i->dst : i->src);

	t->v->ref[pc] = base;
	if (!(fields & INSN_STORE)) {
		set(t, i->dst, load(t, base, i->off, size));
		return;
	}
	if (fields & INSN_LOAD) { /* atomic */
		store(t, base, i->off, 1, value_make(VALUE_NUMBER, 0));
		if (fields & (INSN_WS | INSN_W0))
			set(t, fields & INSN_W0 ? R0 : i->src, value_make(VALUE_NUMBER, 0));
		return;
	}
	store(t, base, i->off, size,
	      fields & INSN_RS ? get(t, i->src) : value_make(VALUE_NUMBER, 0));
}

static void step_wide(struct tracker *t, uint32_t pc, enum op op, const struct insn *i)
{
	if (op == OP_LDDW)
		set(t, i->dst, value_make(VALUE_NUMBER, 0));
	else if (op == OP_LDDW_MAP_FD || op == OP_LDDW_MAP_IDX)
		set(t, i->dst, value_make(VALUE_MAP, t->v->ref[pc]));
	else
		set(t, i->dst, value_make(VALUE_ANY, 0));
}

static void step_alu(struct tracker *t, enum op op, const struct insn *i)
{
	switch (op) {
	case OP_MOV64_X:
		set(t, i->dst, get(t, i->src));
		return;
	case OP_ADD64_K:
		set(t, i->dst, value_add(get(t, i->dst), i->imm));
		return;
	case OP_SUB64_K:
		set(t, i->dst, value_add(get(t, i->dst), -(int64_t)i->imm));
		return;
	default:
		break;
	}
	if ((i->code & 7) == CLASS_ALU || op == OP_MOV64_K)
		set(t, i->dst, value_make(VALUE_NUMBER, 0));
	else if (insn_info[op].fields & INSN_RS)
		set(t, i->dst, value_mix(get(t, i->dst), get(t, i->src)));
	else
		set(t, i->dst, value_mix(get(t, i->dst), get(t, i->dst)));
}

/* Merges a state into that of a block, which is put to work when it changes. */
static void join(struct tracker *t, uint32_t block, const value *from)
{
	value *to = &t->states[(size_t)block * t->width];
	bool changed = false;

	if (!t->seen[block]) {
		t->seen[block] = 1;
		memcpy(to, from, t->width * sizeof(*to));
		workset_add(&t->work, block);
		return;
	}
	for (unsigned i = 0; i < t->width; i++) {
		value v = value_join(to[i], from[i]);

		changed |= v != to[i];
		to[i] = v;
	}
	if (changed)
		workset_add(&t->work, block);
}

/* Arguments: a frame that is passed on counts as touched from there up. */
static void pass_frames(struct tracker *t, bool to_func)
{
	for (unsigned r = R1; r <= R5; r++) {
		value v = t->cur[r];

		if (value_kind(v) == VALUE_FRAME && value_num(v) < t->func->touched)
			t->func->touched = value_num(v);
		if (to_func && is_frame(value_kind(v)))
			t->func->formed = -STACK_SIZE;
	}
}

/* The start of a function as its caller, or for a callback a helper, enters it. */
static void enter(struct tracker *t, uint32_t func, bool callback)
{
	value args[R10 + NSLOTS] = {0};

	for (unsigned r = R1; r <= R5; r++) {
		enum value_kind kind = callback ? VALUE_ANY : value_kind(t->cur[r]);

		args[r] = t->cur[r];
		if (callback || is_frame(kind))
			args[r] = value_make(VALUE_ANY, 0);
	}
	join(t, t->block_of[t->v->subprogs[func].start], args);
}

static void step_call(struct tracker *t, uint32_t pc, enum op op)
{
	value ret = value_make(VALUE_ANY, 0);

	pass_frames(t, op == OP_CALL_LOCAL);
	if (op == OP_CALL_LOCAL) {
		enter(t, t->v->ref[pc], false);
		if (is_pointer(t->frames[t->v->ref[pc]].ret))
			ret = t->frames[t->v->ref[pc]].ret;
	} else if (op == OP_CALL) {
		t->v->ref[pc] = t->cur[R1];
	} else {
		ret = value_make(VALUE_NUMBER, 0);
	}
	memset(&t->cur[R1], 0, 5 * sizeof(t->cur[0]));
	set(t, R0, ret);
}

static void step_exit(struct tracker *t)
{
	value ret = value_join(t->frame->ret, t->cur[R0]);

	/*
	 * Of the results only the context is of interest: nothing else makes the callers look
	 * again.
	 */
	if (ret != t->frame->ret && is_ctx(value_kind(ret))) {
		t->frame->ret = ret;
		t->again |= t->frame != t->frames;
	}
}

/* One instruction; answers whether control goes on below it. */
static bool step(struct tracker *t, uint32_t pc)
{
	const struct insn *i = &t->v->insns[pc];
	enum op op = t->v->op[pc];
	unsigned fields = insn_info[op].fields;

	if (fields & (INSN_LOAD | INSN_STORE))
		step_memory(t, pc, op, i);
	else if (fields & INSN_CALLS)
		step_call(t, pc, op);
	else if (fields & (INSN_JOFF | INSN_JIMM))
		join(t, t->block_of[insn_target(op, i, pc)], t->cur);
	else if (fields & INSN_WIDE)
		step_wide(t, pc, op, i);
	else if (op == OP_EXIT)
		step_exit(t);
	else
		step_alu(t, op, i);
	if (op == OP_LDDW_FUNC)
		enter(t, t->v->ref[pc], true);
	return !(fields & INSN_END);
}

static void walk_block(struct tracker *t, uint32_t block)
{
	uint32_t pc = t->leader[block], end = t->leader[block + 1];
	uint32_t func = t->v->nsubprogs > 1 ? subprog_of(t->v, pc) : 0;

	t->func = &t->v->subprogs[func];
	t->frame = &t->frames[func];
	memcpy(t->cur, &t->states[(size_t)block * t->width], t->width * sizeof(t->cur[0]));
	while (pc < end) {
		if (!step(t, pc))
			return;
		pc += insn_slots(t->v->op[pc]);
	}
	join(t, block + 1, t->cur);
}

/* Slots that r10-based code stores 8 bytes to and loads 8 bytes from. */
static void find_spills(struct tracker *t)
{
	const struct verifier *v = t->v;

	for (uint32_t s = 0; s < v->nsubprogs; s++) {
		uint64_t stored = 0, loaded = 0;

		for (uint32_t pc = v->subprogs[s].start; pc < v->subprogs[s].end; pc++) {
			const struct insn *i = &v->insns[pc];
			uint64_t bit;

			if ((v->op[pc] != OP_STX_DW && v->op[pc] != OP_LDX_DW) || i->off >= 0 ||
			    i->off < -STACK_SIZE || i->off % 8)
				continue;
			bit = (uint64_t)1 << (-i->off / 8 - 1);
			if (v->op[pc] == OP_STX_DW && i->dst == R10)
				stored |= bit;
			else if (v->op[pc] == OP_LDX_DW && i->src == R10)
				loaded |= bit;
		}
		t->frames[s].slots = stored & loaded;
	}
}

/*
 * Gives the tracked slots of each function their places; the state is as wide as the widest needs.
 */
static void place_slots(struct tracker *t)
{
	t->width = R10;
	for (uint32_t s = 0; s < t->v->nsubprogs; s++) {
		struct flow *f = &t->frames[s];
		unsigned width = R10;

		for (unsigned slot = 0; slot < NSLOTS; slot++)
			f->index[slot] = f->slots >> slot & 1 ? (uint8_t)width++ : NO_SLOT;
		if (width > t->width)
			t->width = width;
	}
}

static void find_blocks(struct tracker *t)
{
	const struct verifier *v = t->v;
	uint32_t block = 0;

	for (uint32_t pc = 0; pc < v->n; pc++)
		if (v->mark[pc] & MARK_LEADER) {
			t->block_of[pc] = block;
			t->leader[block++] = pc;
		}
	t->leader[block] = v->n;
}

/* One run to the end with the slots that are known to matter. 0 or -ENOMEM. */
static int run(struct tracker *t)
{
	size_t words = workset_words(t->nblocks), each;
	value entry[R10 + NSLOTS] = {0};
	uint64_t *memory;
	uint32_t block;

	place_slots(t);
	each = t->width * sizeof(value) + 1;
	memory = mem_zalloc(t->v->mem, words * sizeof(*memory) + t->nblocks * each);
	if (!memory)
		return -ENOMEM;
	workset_init(&t->work, memory, t->nblocks);
	t->states = (value *)(memory + words);
	t->seen = (uint8_t *)(t->states + (size_t)t->nblocks * t->width);
	t->again = false;
	entry[R1] = value_make(VALUE_CTX, 0);
	join(t, 0, entry);
	while (workset_take(&t->work, &block))
		walk_block(t, block);
	mem_free(t->v->mem, memory);
	return 0;
}

int track(struct verifier *v)
{
	struct tracker t = {.v = v};
	size_t words;
	int err;

	if (!v->has_memory)
		return 0;
	for (uint32_t pc = 0; pc < v->n; pc++)
		t.nblocks += (v->mark[pc] & MARK_LEADER) != 0;
	words = (size_t)v->n + t.nblocks + 1;
	t.frames = mem_zalloc(v->mem, v->nsubprogs * sizeof(*t.frames) + words * sizeof(uint32_t));
	if (!t.frames)
		return -ENOMEM;
	t.block_of = (uint32_t *)(t.frames + v->nsubprogs);
	t.leader = t.block_of + v->n;
	find_blocks(&t);
	find_spills(&t);
	do
		err = run(&t);
	while (!err && t.again);
	mem_free(v->mem, t.frames);
	return err;
}
