/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pruning: a path may end where an older one, found safe, knew no more than this one does.
 *
 * The old state must cover the new one in all that paths from it ever looked at: registers and slots
 * that are live, numbers within the old ranges if the old exact value mattered (`precise`; any number
 * will do otherwise), pointers of the same kind with at least the room, ids in the same relation.
 *
 * Inside a loop the older state is still being explored. Equal to it means: the loop does not end
 * (infinite loop), except where turns of a loop are bounded at run time (iterators, may_goto, callbacks):
 * there it means that nothing new happens, and the path may end.
 *
 * Requires: points.c, live registers. Provides: prune().
 */
#include <errno.h>
#include <string.h>

#include "verifier/path.h"

enum { HISTORY_MAX = 40 };

uint32_t state_frame_pc(const struct state *s, unsigned frame)
{
	return frame == s->cur ? s->pc : s->frames[frame + 1]->callsite;
}

/* --- Equality ----------------------------------------------------------------------------- */

static bool same_id(struct id_map *m, uint32_t old, uint32_t cur)
{
	if (!old != !cur)
		return false;
	if (!old)
		return true;
	for (uint32_t i = 0; i < m->n; i++) {
		if (m->pair[i].old == old)
			return m->pair[i].cur == cur;
		if (m->pair[i].cur == cur)
			return false;
	}
	if (m->n == ID_PAIRS)
		return false;
	m->pair[m->n].old = old;
	m->pair[m->n++].cur = cur;
	return true;
}

/* A number without an id is a class of its own. */
static bool same_scalar_id(struct id_map *m, uint32_t old, uint32_t cur)
{
	if (!old)
		old = ++m->temporary;
	if (!cur)
		cur = ++m->temporary;
	return same_id(m, old, cur);
}

static bool same_head(const struct reg *a, const struct reg *b)
{
	return a->kind == b->kind && a->flags == b->flags && a->off == b->off &&
	       a->raw[0] == b->raw[0] && a->raw[1] == b->raw[1];
}

static bool same_reg(struct id_map *m, const struct reg *old, const struct reg *cur)
{
	return same_head(old, cur) && scalar_equal(&old->s, &cur->s) &&
	       same_id(m, old->id, cur->id) && same_id(m, old->ref_id, cur->ref_id);
}

static bool same_number(struct id_map *m, const struct reg *old, const struct reg *cur,
                        enum exact exact)
{
	if (m->all_exact)
		return same_head(old, cur) && scalar_equal(&old->s, &cur->s) &&
		       same_scalar_id(m, old->id, cur->id);
	if (!old->precise && exact == EXACT_NOT && !m->all_precise)
		return true;
	if ((old->id ^ cur->id) & SCALAR_DELTA)
		return false;
	if (old->id & SCALAR_DELTA && old->off != cur->off)
		return false;
	return scalar_within(&old->s, &cur->s) && same_scalar_id(m, old->id, cur->id);
}

static bool reg_safe(struct id_map *m, const struct reg *old, const struct reg *cur,
                     enum exact exact)
{
	if (exact == EXACT)
		return same_reg(m, old, cur) && old->frame == cur->frame;
	if (old->kind == REG_NONE)
		return true;
	if (old->kind != cur->kind || old->flags != cur->flags)
		return false;
	switch (old->kind) {
	case REG_SCALAR:
		return same_number(m, old, cur, exact);
	case REG_MAP_KEY:
	case REG_MAP_VALUE:
	case REG_MEM:
	case REG_BUF:
	case REG_TP_BUFFER:
		return same_head(old, cur) && scalar_within(&old->s, &cur->s) &&
		       same_id(m, old->id, cur->id) && same_id(m, old->ref_id, cur->ref_id);
	case REG_PACKET:
	case REG_PACKET_META:
		return old->range <= cur->range && old->off == cur->off &&
		       same_id(m, old->id, cur->id) && scalar_within(&old->s, &cur->s);
	case REG_STACK:
		return same_reg(m, old, cur) && old->frame == cur->frame;
	case REG_ARENA:
		return true;
	default:
		return same_reg(m, old, cur);
	}
}

/* A slot that a load of 8 bytes makes a number of, as that number. */
static const struct reg *as_number(const struct verifier *v, const struct slot *s,
                                   const struct reg *any)
{
	if (slot_is_scalar64(s))
		return &s->spilled;
	for (unsigned i = 0; i < 8; i++)
		if (s->kind[i] != SLOT_MISC && !(s->kind[i] == SLOT_INVALID && v->allow_uninit_stack))
			return NULL;
	return any;
}

static bool special_safe(struct id_map *m, const struct slot *old, const struct slot *cur,
                         enum exact exact)
{
	const struct reg *a = &old->spilled, *b = &cur->spilled;

	switch (old->kind[7]) {
	case SLOT_SPILL:
		return reg_safe(m, a, b, exact);
	case SLOT_DYNPTR:
		return a->dynptr.type == b->dynptr.type && a->dynptr.first == b->dynptr.first &&
		       same_id(m, a->ref_id, b->ref_id);
	case SLOT_ITER:
		return a->iter.btf == b->iter.btf && a->iter.btf_id == b->iter.btf_id &&
		       a->iter.state == b->iter.state && same_id(m, a->ref_id, b->ref_id);
	case SLOT_IRQ_FLAG:
		return a->irq.class == b->irq.class && same_id(m, a->ref_id, b->ref_id);
	default:
		return true;
	}
}

static bool slot_safe(struct verifier *v, const struct slot *old, const struct slot *cur,
                      enum exact exact)
{
	static const struct slot none;
	const struct reg *a, *b;
	struct reg any;
	bool there = cur;

	if (!cur)
		cur = &none;
	if (exact != EXACT_NOT && (!there || memcmp(old->kind, cur->kind, 8) != 0))
		return false;
	for (unsigned i = 0; !there && i < 8; i++)
		if (old->kind[i] != SLOT_INVALID && !(v->allow_uninit_stack && old->kind[i] == SLOT_MISC))
			return false;
	if (!there)
		return true;
	reg_set_unknown(&any);
	a = as_number(v, old, &any);
	b = as_number(v, cur, &any);
	for (unsigned i = 0; i < 8; i++) {
		uint8_t was = old->kind[i], is = cur->kind[i];

		if (was == SLOT_INVALID || (v->allow_uninit_stack && was == SLOT_MISC))
			continue;
		if (a && b)
			return reg_safe(&v->walk->ids, a, b, exact);
		if (was != is && !(was == SLOT_MISC && is == SLOT_ZERO))
			return false;
	}
	if (old->kind[7] == SLOT_INVALID || old->kind[7] == SLOT_MISC)
		return true;
	return special_safe(&v->walk->ids, old, cur, exact);
}

static bool frame_safe(struct verifier *v, const struct frame *old, const struct frame *cur,
                       uint32_t pc, bool explored, enum exact exact)
{
	uint32_t live = v->notes[pc].live;

	if (old->callsite != cur->callsite || old->callback_depth > cur->callback_depth)
		return false;
	for (unsigned r = 0; r < NREGS; r++)
		if (live >> r & 1 &&
		    !reg_safe(&v->walk->ids, &old->regs[r], &cur->regs[r], exact))
			return false;
	for (unsigned n = 0; n < old->nslots; n++) {
		/* What nobody read is of no interest, once all paths are known. */
		if (explored && exact == EXACT_NOT && !(old->read >> n & 1))
			continue;
		if (!slot_safe(v, &old->stack[n], stack_slot(cur, (int)n), exact))
			return false;
	}
	return true;
}

static bool refs_safe(struct id_map *m, const struct state *old, const struct state *cur)
{
	if (old->nrefs != cur->nrefs || old->active_locks != cur->active_locks ||
	    old->active_preempt_locks != cur->active_preempt_locks ||
	    old->active_rcu_locks != cur->active_rcu_locks ||
	    old->active_lock_ptr != cur->active_lock_ptr ||
	    !same_id(m, old->active_irq_id, cur->active_irq_id) ||
	    !same_id(m, old->active_lock_id, cur->active_lock_id))
		return false;
	for (uint32_t i = 0; i < old->nrefs; i++) {
		const struct ref *a = &old->refs[i], *b = &cur->refs[i];

		if (a->kind != b->kind || !same_id(m, a->id, b->id))
			return false;
		if (a->kind & REF_LOCKS && a->ptr != b->ptr)
			return false;
	}
	return true;
}

bool states_equal(struct verifier *v, const struct state *old, const struct state *cur,
                  enum exact exact)
{
	if (old->cur != cur->cur || old->in_sleepable != cur->in_sleepable)
		return false;
	if (old->speculative && !cur->speculative)
		return false;
	for (unsigned i = 0; i <= old->cur; i++)
		if (old->frames[i]->callsite != cur->frames[i]->callsite)
			return false;
	v->walk->ids.n = 0;
	v->walk->ids.temporary = v->last_id;
	v->walk->ids.all_precise = !v->bpf_capable;
	v->walk->ids.all_exact = v->spec_limits;
	if (!refs_safe(&v->walk->ids, old, cur))
		return false;
	for (unsigned i = 0; i <= old->cur; i++)
		if (!frame_safe(v, old->frames[i], cur->frames[i], state_frame_pc(old, i),
		                !old->branches, exact))
			return false;
	return true;
}

/* --- Loops -------------------------------------------------------------------------------- */

static bool maybe_looping(const struct state *old, const struct state *cur)
{
	const struct frame *a, *b;

	if (old->cur != cur->cur)
		return false;
	a = state_frame(old);
	b = state_frame(cur);
	for (unsigned r = 0; r < R10; r++)
		if (!same_head(&a->regs[r], &b->regs[r]) ||
		    !scalar_equal(&a->regs[r].s, &b->regs[r].s))
			return false;
	return true;
}

static bool depths_differ(const struct state *old, const struct state *cur)
{
	for (unsigned i = 0; i <= old->cur; i++) {
		const struct frame *a = old->frames[i], *b = cur->frames[i];

		for (unsigned n = 0; n < a->nslots && n < b->nslots; n++)
			if (a->stack[n].kind[0] == SLOT_ITER && a->stack[n].spilled.ref_id &&
			    a->stack[n].spilled.iter.depth != b->stack[n].spilled.iter.depth)
				return true;
	}
	return false;
}

/* r1 of an iterator's next() call: is that iterator still going on? */
static bool iter_active(const struct verifier *v)
{
	const struct reg *r = &cur_regs(v)[R1];
	const struct slot *s;

	if (r->kind != REG_STACK)
		return false;
	s = stack_slot(stack_frame(v, r), slot_of(r->off + (int)r->s.var.value));
	return s && s->spilled.iter.state == ITER_ACTIVE;
}

static int infinite(struct verifier *v, struct state *old)
{
	log_line(v, v->pc, "; ");
	reject(v, REJECT_INFINITE_LOOP, v->pc);
	if (log_wanted(v, 3)) {
		log_say(v, "cur state:");
		log_state(v, v->cur, v->cur->cur, true);
		log_say(v, "old state:");
		log_state(v, old, v->cur->cur, true);
	}
	return -EINVAL;
}

/* An older state of the same loop. 1: nothing new happens; 2: neither that nor an endless loop. */
static int compare_looping(struct verifier *v, struct state *old, bool *may_add)
{
	struct state *cur = v->cur;
	uint32_t flags = v->notes[v->pc].flags;

	if (state_frame(old)->in_async_callback &&
	    state_frame(old)->async_entries != state_frame(cur)->async_entries)
		return 2;
	if (flags & NOTE_ITER_NEXT)
		return states_equal(v, old, cur, EXACT_WITHIN) && iter_active(v) ? 1 : 2;
	if (flags & NOTE_MAY_GOTO && old->may_goto_depth != cur->may_goto_depth &&
	    states_equal(v, old, cur, EXACT_WITHIN))
		return 1;
	if (flags & NOTE_CALLBACK)
		return states_equal(v, old, cur, EXACT_WITHIN) ? 1 : 2;
	if (maybe_looping(old, cur) && states_equal(v, old, cur, EXACT) &&
	    !depths_differ(old, cur) && old->may_goto_depth == cur->may_goto_depth &&
	    old->unroll_depth == cur->unroll_depth)
		return infinite(v, old);
	(void)may_add;
	return 2;
}

static bool same_calls(const struct state *a, const struct state *b)
{
	if (a->cur != b->cur)
		return false;
	for (unsigned i = 0; i <= a->cur; i++)
		if (a->frames[i]->callsite != b->frames[i]->callsite)
			return false;
	return true;
}

static struct checkpoint **bucket(struct verifier *v, const struct state *s, uint32_t pc)
{
	/* As the kernel hashes: how many states share a place is told by the log's last line. */
	return &v->walk->table[(pc ^ state_frame(s)->callsite) % v->n];
}

struct state *state_before(struct verifier *v, const struct state *cur, uint32_t pc)
{
	for (struct checkpoint *c = *bucket(v, cur, pc); c; c = c->next)
		if (c->state->pc == pc && c->state->branches && same_calls(c->state, cur) &&
		    c->state->dfs_depth < cur->dfs_depth)
			return c->state;
	return NULL;
}

static void widen(const struct reg *old, struct reg *cur)
{
	if (old->kind != REG_SCALAR || cur->kind != REG_SCALAR || old->precise || cur->precise)
		return;
	if (same_head(old, cur) && scalar_equal(&old->s, &cur->s))
		return;
	reg_set_unknown(cur);
}

void state_widen(struct verifier *v, const struct state *old, struct state *cur)
{
	(void)v;
	for (unsigned i = 0; i <= old->cur && i <= cur->cur; i++) {
		const struct frame *a = old->frames[i];
		struct frame *b = cur->frames[i];

		for (unsigned r = 0; r < R10; r++)
			widen(&a->regs[r], &b->regs[r]);
		for (unsigned n = 0; n < a->nslots && n < b->nslots; n++)
			if (slot_is_spill(&a->stack[n]) && slot_is_spill(&b->stack[n]))
				widen(&a->stack[n].spilled, &b->stack[n].spilled);
	}
}

/* --- Checkpoints -------------------------------------------------------------------------- */

static void clean(struct verifier *v, struct checkpoint *list)
{
	for (; list; list = list->next) {
		struct state *s = list->state;

		if (s->branches || s->cleaned || s->pc != v->pc || !same_calls(s, v->cur) ||
		    loop_incomplete(v, s))
			continue;
		live_clean(v, s);
	}
}

static int hit(struct verifier *v, struct checkpoint *c, bool loop)
{
	int err = 0;

	c->hits++;
	live_propagate(v, c->state, v->cur);
	if (v->notes[v->pc].flags & NOTE_JUMP)
		err = jump_note(v, 0, 0);
	if (!err)
		err = precise_propagate(v, c->state, v->cur, NULL);
	if (!err && loop)
		err = loop_backedge(v, c->state);
	return err ? err : 1;
}

static int add(struct verifier *v, struct checkpoint **list)
{
	struct walk *w = v->walk;
	struct checkpoint *c = pool_zalloc(&v->walk->pool, sizeof(*c));
	struct state *cur = v->cur;

	if (!c)
		return -ENOMEM;
	precise_forget(cur);
	c->state = state_copy(v, cur);
	if (!c->state) {
		pool_free(&v->walk->pool, c, sizeof(*c));
		return -ENOMEM;
	}
	w->total_states++;
	w->kept_states++;
	if (w->kept_states > w->peak_states)
		w->peak_states = w->kept_states;
	w->last_jumps = w->jumps;
	w->last_insns = w->insns;
	c->next = *list;
	*list = c;
	c->state->branches = 1;
	cur->parent = c->state;
	cur->first_insn = v->pc;
	cur->dfs_depth++;
	cur->njumps = 0;
	v->walk->jump_noted = false;
	for (unsigned i = 0; i <= cur->cur; i++)
		cur->frames[i]->written = 0;
	return loop_enter(v, c->state);
}

/* Compares no more with this one; frees it when nothing can refer to it. */
static void evict(struct verifier *v, struct checkpoint **at)
{
	struct checkpoint *c = *at;

	*at = c->next;
	c->next = v->walk->evicted;
	c->at = &v->walk->evicted;
	if (c->next)
		c->next->at = &c->next;
	v->walk->evicted = c;
	c->state->evicted = c;
	if (!c->state->branches)
		evicted_ended(v, c->state);
}

/* No path goes on from an evicted checkpoint: nothing refers to it, unless its loop is still open. */
void evicted_ended(struct verifier *v, struct state *s)
{
	struct checkpoint *c = s->evicted;

	if (loop_incomplete(v, s))
		return;
	v->walk->kept_states--;
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	state_free(v, s);
	pool_free(&v->walk->pool, c, sizeof(*c));
}

int prune(struct verifier *v)
{
	struct walk *w = v->walk;
	uint32_t flags = v->notes[v->pc].flags, njumps = w->jumps - w->last_jumps,
	         ninsns = w->insns - w->last_insns, nstates = 0;
	bool force = v->p->flags & BPF_F_TEST_STATE_FREQ || flags & NOTE_CHECKPOINT ||
	             v->cur->njumps > HISTORY_MAX;
	bool may_add = force || (njumps >= 2 && ninsns >= 8);
	struct checkpoint **list = bucket(v, v->cur, v->pc), **at = list, *c;

	clean(v, *list);
	while ((c = *at)) {
		bool loop = true;
		int equal;

		nstates++;
		if (c->state->pc != v->pc) {
			at = &c->next;
			continue;
		}
		if (c->state->branches) {
			equal = compare_looping(v, c->state, &may_add);
			if (equal == 2 && !force && njumps < 20 && ninsns < 100)
				may_add = false;
		} else {
			loop = loop_incomplete(v, c->state);
			equal = states_equal(v, c->state, v->cur, loop ? EXACT_WITHIN : EXACT_NOT);
		}
		if (equal < 0)
			return equal;
		if (equal == 1)
			return hit(v, c, loop);
		c->misses += may_add;
		if (c->misses > c->hits * (flags & NOTE_CHECKPOINT && c->state->branches ? 64 : 3) +
		                        (flags & NOTE_CHECKPOINT && c->state->branches ? 64 : 3))
			evict(v, at);
		else
			at = &c->next;
	}
	if (nstates > w->max_states)
		w->max_states = nstates;
	if (!may_add || (!v->bpf_capable && nstates > UNPRIVILEGED_STATES))
		return 0;
	return add(v, list);
}
