/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Precision: which numbers had to be exactly what they were.
 *
 * Most numbers never matter for safety, and states that differ only in them may prune each other. When
 * one decides something (an offset, a size, a branch that cannot be taken) the walk looks back along the
 * path for where the number came from, instruction by instruction, and marks the registers and spilled
 * slots that it was in at each checkpoint on the way. To walk back it needs to know where control came
 * from: the jump history of each state notes every instruction that was not reached from the one
 * above, every spill and fill, and the numbers that learned together from one branch.
 *
 * Provides: precise_mark(), jump_note().
 */
#include <errno.h>
#include <string.h>

#include "verifier/path.h"

enum { ARG_REGS = 0x3e };

int jump_note(struct verifier *v, unsigned flags, uint64_t linked)
{
	struct state *s = v->cur;
	struct jump *j;

	if (v->walk->jump_noted && s->njumps) {
		j = &s->jumps[s->njumps - 1];
		j->flags |= (uint16_t)flags;
		if (linked)
			j->linked = linked;
		return 0;
	}
	if (jumps_reserve(v, s, s->njumps + 1))
		return -ENOMEM;
	s->jumps[s->njumps++] = (struct jump){v->pc, v->prev_pc, (uint16_t)flags, linked};
	v->walk->jump_noted = true;
	return 0;
}

/* --- The set of what is looked for -------------------------------------------------------- */

static bool bt_empty(const struct backtrack *bt)
{
	uint64_t any = 0;

	for (unsigned i = 0; i <= bt->frame; i++)
		any |= bt->regs[i] | bt->slots[i];
	return !any;
}

static bool bt_has(const struct backtrack *bt, unsigned reg)
{
	return bt->regs[bt->frame] >> reg & 1;
}

static void bt_set(struct backtrack *bt, unsigned reg)
{
	bt->regs[bt->frame] |= 1u << reg;
}

static void bt_clear(struct backtrack *bt, unsigned reg)
{
	bt->regs[bt->frame] &= ~(1u << reg);
}

static void bt_linked(struct backtrack *bt, const struct jump *j)
{
	bool any = false;

	for (unsigned pass = 0; j && pass < 2 && (!pass || any); pass++)
		for (unsigned k = 0; k < (j->linked & 15); k++) {
			unsigned e = (unsigned)(j->linked >> (4 + k * 10)) & 1023, at = e >> 3 & 63;

			if (pass && e >> 9)
				bt->regs[e & 7] |= 1u << at;
			else if (pass)
				bt->slots[e & 7] |= (uint64_t)1 << at;
			else
				any |= e >> 9 ? bt->regs[e & 7] >> at & 1
				              : (uint32_t)(bt->slots[e & 7] >> at & 1);
		}
}

static void log_masks(struct verifier *v, uint32_t regs, uint64_t slots)
{
	const char *sep = "";

	for (unsigned r = 0; r < NREGS; r++)
		if (regs >> r & 1) {
			log_say(v, "%sr%u", sep, r);
			sep = ",";
		}
	log_say(v, " stack=");
	sep = "";
	for (unsigned n = 0; n < SLOTS_MAX; n++)
		if (slots >> n & 1) {
			log_say(v, "%s%d", sep, -8 * (int)(n + 1));
			sep = ",";
		}
}

/* --- One instruction back ----------------------------------------------------------------- */

static int back_alu(struct backtrack *bt, const struct insn *i)
{
	unsigned op = i->code & 0xf0;

	if (!bt_has(bt, i->dst) || op == ALU_END || op == ALU_NEG)
		return 0;
	if (op == ALU_MOV)
		bt_clear(bt, i->dst);
	if (i->code & 8 && i->src != R10)
		bt_set(bt, i->src);
	return 0;
}

static int back_load(struct backtrack *bt, const struct insn *i, const struct jump *j)
{
	if (!bt_has(bt, i->dst))
		return 0;
	bt_clear(bt, i->dst);
	if (j && j->flags & JUMP_STACK)
		bt->slots[j->flags & JUMP_FRAME] |= (uint64_t)1 << (j->flags >> JUMP_SLOT_SHIFT & 63);
	return 0;
}

static int back_store(struct backtrack *bt, const struct insn *i, const struct jump *j, enum op op)
{
	uint64_t bit;

	if (bt_has(bt, i->dst))
		return -ENOTSUPP;
	if (insn_info[op].fields & (INSN_WS | INSN_W0) &&
	    bt_has(bt, insn_info[op].fields & INSN_W0 ? R0 : i->src))
		return -ENOTSUPP;
	if (!j || !(j->flags & JUMP_STACK))
		return 0;
	bit = (uint64_t)1 << (j->flags >> JUMP_SLOT_SHIFT & 63);
	if (!(bt->slots[j->flags & JUMP_FRAME] & bit))
		return 0;
	bt->slots[j->flags & JUMP_FRAME] &= ~bit;
	if ((i->code & 7) == CLASS_STX)
		bt_set(bt, i->src);
	return 0;
}

static int back_enter(struct backtrack *bt)
{
	if (bt->frame == MAX_CALL_DEPTH - 1)
		return -ENOTSUPP;
	bt->frame++;
	bt->regs[bt->frame] = 0;
	bt->slots[bt->frame] = 0;
	return 0;
}

static int back_call(struct verifier *v, struct backtrack *bt, uint32_t pc, uint32_t next)
{
	enum op op = v->op[pc];
	bool callback = v->notes[pc].flags & NOTE_CALLBACK && next != pc + 1;
	uint32_t args;

	if (op == OP_CALL_LOCAL && v->subprogs[v->ref[pc]].is_global) {
		bt_clear(bt, R0);
		return 0;
	}
	if (op == OP_CALL_LOCAL || callback) {
		args = callback ? 0 : bt->regs[bt->frame] & ARG_REGS;
		if (!bt->frame || bt->regs[bt->frame] & ~ARG_REGS || bt->slots[bt->frame])
			return -ENOTSUPP;
		bt->regs[bt->frame] = 0;
		bt->frame--;
		bt->regs[bt->frame] |= args;
		return 0;
	}
	bt_clear(bt, R0);
	return bt->regs[bt->frame] & ARG_REGS ? -ENOTSUPP : 0;
}

static int back_exit(struct verifier *v, struct backtrack *bt, uint32_t next)
{
	bool r0 = next != UINT32_MAX && next && v->op[next - 1] == OP_CALL_LOCAL && bt_has(bt, R0);
	int err;

	if (next != UINT32_MAX && v->notes[next].flags & NOTE_CALLBACK)
		bt->regs[bt->frame] &= ~(uint32_t)ARG_REGS;
	if (bt->regs[bt->frame] & ARG_REGS)
		return -ENOTSUPP;
	bt_clear(bt, R0);
	err = back_enter(bt);
	if (!err && r0)
		bt_set(bt, R0);
	return err;
}

static int back_jump(struct backtrack *bt, const struct insn *i, const struct jump *j)
{
	if (!(i->code & 8) || (!bt_has(bt, i->dst) && !bt_has(bt, i->src)))
		return 0;
	if (!j || !(j->flags & JUMP_SRC_STACK))
		bt_set(bt, i->src);
	if (!j || !(j->flags & JUMP_DST_STACK))
		bt_set(bt, i->dst);
	return 0;
}

static int back_one(struct verifier *v, struct backtrack *bt, uint32_t pc, uint32_t next,
                    const struct jump *j)
{
	const struct insn *i = &v->insns[pc];
	enum op op = v->op[pc];
	int err = 0;

	if (i->code == 0)
		return 0;
	if (log_wanted(v, 2)) {
		log_say(v, "mark_precise: frame%u: regs=", bt->frame);
		log_masks(v, bt->regs[bt->frame], bt->slots[bt->frame]);
		log_say(v, " before ");
		log_insn_text(v, pc);
	}
	bt_linked(bt, j);
	switch (i->code & 7) {
	case CLASS_ALU:
	case CLASS_ALU64:
		err = back_alu(bt, i);
		break;
	case CLASS_LDX:
		err = back_load(bt, i, j);
		break;
	case CLASS_ST:
	case CLASS_STX:
		err = op >= OP_LOAD_ACQ_W && insn_info[op].fields & INSN_LOAD &&
		                      !(insn_info[op].fields & INSN_STORE)
		              ? back_load(bt, i, j)
		              : back_store(bt, i, j, op);
		break;
	case CLASS_LD:
		if (op != OP_INVALID && insn_info[op].fields & INSN_WIDE)
			bt_clear(bt, i->dst);
		else if (bt_has(bt, R0))
			err = -ENOTSUPP;
		break;
	default:
		if (op == OP_EXIT)
			err = back_exit(v, bt, next);
		else if ((i->code & 0xf0) == 0x80)
			err = back_call(v, bt, pc, next);
		else
			err = back_jump(bt, i, j);
	}
	if (!err)
		bt_linked(bt, j);
	return err;
}

enum { TOUCH_ALL = 0xffff };

/* The registers that back_one() would ask for at pc. */
static uint16_t touched(const struct verifier *v, uint32_t pc)
{
	const struct insn *i = &v->insns[pc];
	uint16_t dst = (uint16_t)(1u << i->dst), src = (uint16_t)(1u << i->src);

	switch (i->code & 7) {
	case CLASS_ALU:
	case CLASS_ALU64:
	case CLASS_LDX:
		return dst;
	case CLASS_LD:
		return dst | 1u << R0;
	case CLASS_ST:
	case CLASS_STX:
		return dst | src | 1u << R0;
	default:
		if ((i->code & 0xf0) == 0x80 || (i->code & 0xf0) == 0x90) /* call, exit */
			return TOUCH_ALL;
		return i->code & 8 ? dst | src : 0;
	}
}

void precise_points(struct verifier *v)
{
	for (uint32_t pc = 0; pc < v->n; pc++)
		v->notes[pc].touch = touched(v, pc);
}

/*
 * Is there nothing to do at pc for what is looked for? Most instructions on most ways are of that kind.
 * Calls change the frame: they always count.
 */
static inline bool may_skip(const struct verifier *v, const struct backtrack *bt, uint32_t pc)
{
	uint16_t touch = v->notes[pc].touch;

	return touch != TOUCH_ALL && !(touch & bt->regs[bt->frame]);
}

/* The instruction before pc on the way that s describes; false: the way began here. */
static inline bool step_back(const struct state *s, uint32_t *pc, uint32_t *history)
{
	uint32_t n = *history;

	if (*pc == s->first_insn && (!n || (n == 1 && s->jumps[0].pc == *pc)))
		return false;
	if (n && s->jumps[n - 1].pc == *pc) {
		*pc = s->jumps[n - 1].prev;
		(*history)--;
	} else {
		(*pc)--;
	}
	return true;
}

/* Marks what is looked for in a checkpoint; what was marked before needs no more looking. */
static void mark_state(struct verifier *v, struct backtrack *bt, struct state *s, bool *changed)
{
	for (int fr = (int)bt->frame; fr >= 0; fr--) {
		struct frame *f = s->frames[fr];

		for (unsigned r = 0; r < R10; r++) {
			if (!(bt->regs[fr] >> r & 1))
				continue;
			if (f->regs[r].kind != REG_SCALAR || f->regs[r].precise) {
				bt->regs[fr] &= ~(1u << r);
				continue;
			}
			f->regs[r].precise = *changed = true;
		}
		for (unsigned n = 0; n < SLOTS_MAX; n++) {
			if (!(bt->slots[fr] >> n & 1))
				continue;
			if (n >= f->nslots || !slot_is_scalar(&f->stack[n]) ||
			    f->stack[n].spilled.precise) {
				bt->slots[fr] &= ~((uint64_t)1 << n);
				continue;
			}
			f->stack[n].spilled.precise = *changed = true;
		}
		if (log_wanted(v, 2)) {
			log_say(v, "mark_precise: frame%d: parent state regs=", fr);
			log_masks(v, bt->regs[fr], bt->slots[fr]);
			log_say(v, ": ");
			log_state(v, s, (unsigned)fr, true);
		}
	}
}

/* At the start of a global function its arguments may be looked for: they are what they are. */
static bool at_entry(struct backtrack *bt, struct state *s)
{
	if (bt->frame || bt->slots[0] || bt->regs[0] & ~ARG_REGS)
		return false;
	for (unsigned r = R1; r <= R5; r++)
		if (bt->regs[0] >> r & 1 && s->frames[0]->regs[r].kind == REG_SCALAR)
			s->frames[0]->regs[r].precise = true;
	return true;
}

/* bt says what to look for, from the instruction that s is at. 1: give up: all is precise. */
static int look_back(struct verifier *v, struct state *s, bool *changed)
{
	struct backtrack *bt = &v->walk->bt;
	uint32_t pc = s->pc, next = UINT32_MAX;
	bool first = true, log = log_wanted(v, 2);

	while (!bt_empty(bt)) {
		uint32_t history = s->njumps, began = s->first_insn;

		if (log)
			log_say(v, "mark_precise: frame%u: last_idx %d first_idx %d subseq_idx %d \n",
			         bt->frame, (int)pc, (int)began, (int)next);
		if (pc == UINT32_MAX)
			return at_entry(bt, s) ? 0 : 1;
		for (;;) {
			if (!first) {
				const struct jump *j = history && s->jumps[history - 1].pc == pc
				                               ? &s->jumps[history - 1]
				                               : NULL;

				if (j || log || !may_skip(v, bt, pc)) {
					if (back_one(v, bt, pc, next, j))
						return 1;
					if (bt_empty(bt))
						return 0;
				}
			}
			first = false;
			next = pc;
			if (!step_back(s, &pc, &history))
				break;
			if (pc == UINT32_MAX)
				return at_entry(bt, s) ? 0 : 1;
		}
		next = began;
		s = s->parent;
		if (!s)
			return 1;
		mark_state(v, bt, s, changed);
		pc = s->last_insn;
	}
	return 0;
}

static void make_precise(struct reg *r, void *arg)
{
	(void)arg;
	if (r->kind == REG_SCALAR)
		r->precise = true;
}

/* Everything in s and before it. */
void precise_all(struct verifier *v, struct state *s)
{
	(void)v;
	for (s = s->parent; s; s = s->parent)
		state_each_reg(s, make_precise, NULL);
}

static void make_imprecise(struct reg *r, void *arg)
{
	(void)arg;
	r->precise = false;
}

void precise_forget(struct state *s)
{
	state_each_reg(s, make_imprecise, NULL);
}

static int run(struct verifier *v, struct state *s, bool *changed)
{
	bool ignored;

	if (look_back(v, s, changed ? changed : &ignored))
		precise_all(v, s);
	return 0;
}

int precise_mark(struct verifier *v, unsigned regno)
{
	struct backtrack *bt = &v->walk->bt;

	if (!v->bpf_capable || cur_regs(v)[regno].kind != REG_SCALAR)
		return 0;
	memset(bt, 0, sizeof(*bt));
	bt->frame = v->cur->cur;
	bt_set(bt, regno);
	return run(v, v->cur, NULL);
}

int precise_mark_stack(struct verifier *v, unsigned frame, int spi)
{
	struct backtrack *bt = &v->walk->bt;

	if (!v->bpf_capable)
		return 0;
	memset(bt, 0, sizeof(*bt));
	bt->frame = v->cur->cur;
	bt->slots[frame] |= (uint64_t)1 << spi;
	return run(v, v->cur, NULL);
}

static void log_first(struct verifier *v, bool *first, int frame, const char *format, int at)
{
	if (!log_wanted(v, 2))
		return;
	if (*first)
		log_say(v, "frame %d: propagating ", frame);
	else
		log_say(v, ",");
	log_say(v, format[0] == 'r' ? "r%d" : "fp%d", at);
	*first = false;
}

int precise_propagate(struct verifier *v, const struct state *old, struct state *cur, bool *changed)
{
	struct backtrack *bt = &v->walk->bt;

	if (!v->bpf_capable)
		return 0;
	memset(bt, 0, sizeof(*bt));
	bt->frame = cur->cur;
	for (int fr = old->cur; fr >= 0; fr--) {
		const struct frame *f = old->frames[fr];
		bool first = true;

		for (unsigned r = 0; r < R10; r++)
			if (f->regs[r].kind == REG_SCALAR && f->regs[r].precise) {
				bt->regs[fr] |= 1u << r;
				log_first(v, &first, fr, "r", (int)r);
			}
		for (unsigned n = 0; n < f->nslots; n++)
			if (slot_is_scalar(&f->stack[n]) && f->stack[n].spilled.precise) {
				bt->slots[fr] |= (uint64_t)1 << n;
				log_first(v, &first, fr, "fp", -8 * (int)(n + 1));
			}
		if (!first)
			log_say(v, "\n");
	}
	return run(v, cur, changed);
}
