/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk: every path through the program, one after the other, in depth first order.
 *
 *     follow the current path, instruction by instruction (step.c)
 *       at a point where states are compared (points.c): was an equal one explored before? (prune.c)
 *         yes: the path ends here; what made the other one safe must hold for this one (precise.c)
 *         no:  now and then a copy of the state is kept there: a checkpoint
 *       a conditional jump that may go both ways puts one of them aside (branch_push())
 *     at its end, go on with the branch that was put aside last
 *
 * Checkpoints form a tree by `parent`: each path knows the way it came. A checkpoint counts the paths
 * that began there and still go on (`branches`); with none left it is fully explored, and may stop
 * other paths. The budget is BUDGET_INSNS instructions over all paths.
 *
 * Requires: all structure passes, points, live registers. Provides: notes[] of every instruction that
 * some path reaches, or the reason why the program is refused.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "core/map.h"
#include "verifier/path.h"
#include "verifier/track.h"

struct state *branch_push(struct verifier *v, uint32_t to, uint32_t from)
{
	struct walk *w = v->walk;
	struct pending *p;

	w->exhausted = true;
	if (w->npending >= PENDING_MAX) {
		reject(v, REJECT_TOO_MANY_JUMPS, w->npending + 1);
		w->exhausted = false;
		return NULL;
	}
	p = pool_alloc(&w->pool, sizeof(*p));
	if (!p)
		return NULL;
	p->state = state_copy(v, v->cur);
	if (!p->state) {
		pool_free(&w->pool, p, sizeof(*p));
		return NULL;
	}
	p->pc = to;
	p->prev = from;
	p->log_len = v->env->log ? v->env->log->len : 0;
	p->next = w->pending;
	w->pending = p;
	w->npending++;
	p->state->branches = 1;
	if (p->state->parent)
		p->state->parent->branches++;
	return p->state;
}

int branch_error(const struct verifier *v)
{
	return v->walk->exhausted ? -ENOMEM : -E2BIG;
}

/* A path that came by s is over: s and those before it have one less. */
int branches_ended(struct verifier *v, struct state *s)
{
	int err = 0;

	while (s && !err) {
		struct state *parent = s->parent;

		if (--s->branches)
			return 0;
		err = loop_exit(v, s);
		if (!err && s->evicted)
			evicted_ended(v, s);
		s = parent;
	}
	return err;
}

static void log_forget(struct verifier *v, size_t len)
{
	struct buf *log = v->env->log;

	if (!log || v->env->log_level & 2 || log->len <= len)
		return;
	log->len = len;
	if (log->data)
		log->data[len] = '\0';
}

/* Goes on with the branch put aside last. 1: there is none. */
static int next_branch(struct verifier *v)
{
	struct walk *w = v->walk;
	struct pending *p = w->pending;
	int err = 0;

	if (v->cur) {
		v->cur->branches--;
		if (v->cur->parent)
			err = branches_ended(v, v->cur->parent);
		state_free(v, v->cur);
		v->cur = NULL;
	}
	if (err || !p)
		return err ? err : 1;
	log_forget(v, p->log_len);
	v->cur = p->state;
	v->pc = p->pc;
	v->prev_pc = p->prev;
	w->pending = p->next;
	w->npending--;
	pool_free(&w->pool, p, sizeof(*p));
	w->print_state = true;
	scratch_all(v);
	return 0;
}

static void log_way(struct verifier *v, bool safe)
{
	struct walk *w = v->walk;

	if (safe && log_wanted(v, 3)) {
		if (w->print_state)
			log_say(v, "\nfrom %d to %u: safe\n", (int)v->prev_pc, v->pc);
		else
			log_say(v, "%u: safe\n", v->pc);
	} else if (w->print_state && log_wanted(v, 2)) {
		log_say(v, "\nfrom %d to %u:", (int)v->prev_pc, v->pc);
		log_state(v, v->cur, v->cur->cur, true);
		w->print_state = false;
	}
}

static void log_step(struct verifier *v)
{
	struct walk *w = v->walk;

	if (!log_wanted(v, 3))
		return;
	if (w->scratched_regs || w->scratched_slots)
		log_insn_state(v, v->cur);
	log_line(v, v->pc, "; ");
	log_insn(v, v->pc);
}

/* Follows one path to its end. */
static int follow(struct verifier *v)
{
	struct walk *w = v->walk;
	int err;

	for (;;) {
		uint32_t pc = v->pc;

		w->jump_noted = false;
		if (++w->insns > BUDGET_INSNS)
			return reject(v, REJECT_TOO_COMPLEX, w->insns);
		v->cur->last_insn = v->prev_pc;
		v->cur->pc = pc;
		if (v->notes[pc].flags & NOTE_PRUNE) {
			err = prune(v);
			if (err)
				break;
		}
		if (v->notes[pc].flags & NOTE_JUMP) {
			err = jump_note(v, 0, 0);
			if (err)
				return err;
		}
		log_way(v, false);
		log_step(v);
		if (v->cur->speculative && v->notes[pc].flags & NOTE_NOSPEC)
			return 0;
		err = step(v, &v->pc);
		if (err)
			return err < 0 && !spec_stops(v, pc, err) ? err : 0;
		if (v->cur->speculative && v->notes[pc].flags & NOTE_NOSPEC_RESULT)
			return 0;
		v->prev_pc = pc;
	}
	if (err < 0)
		return err;
	log_way(v, true);
	return 0;
}

static int walk_from_here(struct verifier *v)
{
	int err;

	do {
		err = follow(v);
		if (!err)
			err = next_branch(v);
	} while (!err);
	return err < 0 ? err : 0;
}

/* Forgets all paths and checkpoints. */
static void walk_clear(struct verifier *v)
{
	struct walk *w = v->walk;

	while (w->pending) {
		struct pending *p = w->pending;

		w->pending = p->next;
		state_free(v, p->state);
		pool_free(&w->pool, p, sizeof(*p));
	}
	w->npending = 0;
	if (v->cur)
		state_free(v, v->cur);
	v->cur = NULL;
	for (uint32_t i = 0; i <= v->n; i++) {
		struct checkpoint **list = i < v->n ? &w->table[i] : &w->evicted;

		while (*list) {
			struct checkpoint *c = *list;

			*list = c->next;
			state_free(v, c->state);
			pool_free(&w->pool, c, sizeof(*c));
		}
	}
	loop_end(v);
}

/* The state at the start of a function that is verified by itself. */
static int enter(struct verifier *v, uint32_t func)
{
	struct frame *f;

	v->cur = state_new(v);
	if (!v->cur)
		return -ENOMEM;
	v->cur->branches = 1;
	v->cur->in_sleepable = v->p->flags & BPF_F_SLEEPABLE;
	f = v->cur->frames[0] = frame_new(v);
	if (!f)
		return -ENOMEM;
	for (unsigned r = 0; r < NREGS; r++)
		reg_set_none(&f->regs[r]);
	reg_set_pointer(&f->regs[R10], REG_STACK, 0);
	scalar_set_const(&f->regs[R10].s, 0);
	f->subprog = func;
	f->callsite = UINT32_MAX;
	v->cur->first_insn = v->pc = v->subprogs[func].start;
	v->cur->last_insn = v->prev_pc = UINT32_MAX;
	v->last_id = 0;
	v->walk->print_state = false;
	v->walk->last_line = UINT32_MAX;
	v->walk->last_insns = v->walk->insns;
	v->walk->last_jumps = v->walk->jumps;
	return func_entry(v, func, f);
}

static int walk_func(struct verifier *v, uint32_t func)
{
	size_t start = v->env->log ? v->env->log->len : 0;
	int err = enter(v, func);

	if (!err) {
		scratch_all(v);
		err = walk_from_here(v);
	}
	walk_clear(v);
	if (!err)
		log_forget(v, start);
	return err;
}

static int begin(struct verifier *v)
{
	struct walk *w = mem_zalloc(v->mem, sizeof(*w));

	v->walk = w;
	if (!w)
		return -ENOMEM;
	w->pool.mem = v->mem;
	w->table = mem_dense(v->mem, v->n * sizeof(*w->table));
	return w->table ? 0 : -ENOMEM;
}

void walk_end(struct verifier *v)
{
	struct walk *w = v->walk;

	if (!w)
		return;
	pool_end(&w->pool);
	mem_free(v->mem, w->visits);
	mem_dense_free(v->mem, w->table, v->n * sizeof(*w->table));
	while (v->inner) {
		struct inner *next = v->inner->next;

		mem_free(v->mem, v->inner);
		v->inner = next;
	}
	mem_free(v->mem, w);
	v->walk = NULL;
}

/* Global functions by themselves, each that somebody calls, after the main program. */
int walk_paths(struct verifier *v)
{
	int err = begin(v);
	bool more = true;

	if (!err)
		err = loop_find(v);
	if (!err)
		log_program(v);
	if (!err)
		err = walk_func(v, 0);
	while (!err && more) {
		more = false;
		for (uint32_t f = 1; !err && f < v->nsubprogs; f++) {
			struct subprog *s = &v->subprogs[f];

			if (!s->is_global || !s->called || s->verified)
				continue;
			more = true;
			s->verified = true;
			if (log_wanted(v, 3))
				log_say(v, "Validating %s() func#%u...\n", func_name(v, f), f);
			err = walk_func(v, f);
			if (!err && log_wanted(v, 3))
				log_say(v,
				         "Func#%u ('%s') is safe for any args that match its "
				         "prototype\n", f, func_name(v, f));
		}
	}
	v->p->verified_insns = v->walk ? v->walk->insns : 0;
	return err;
}

static uint16_t map_index(const struct verifier *v, const struct map *m)
{
	uint32_t i = 0;

	while (i < v->p->nmaps && v->p->maps[i] != m)
		i++;
	return (uint16_t)i;
}

/*
 * Puts what the walk found where the translation looks: the kind of pointer of each access, the map of
 * each call. Instructions that no path reaches are dead.
 */
int walk_notes(struct verifier *v)
{
	for (uint32_t s = 0; s < v->nsubprogs; s++)
		v->subprogs[s].formed = v->subprogs[s].touched;
	for (uint32_t pc = 0; pc < v->n; pc++) {
		const struct note *n = &v->notes[pc];
		enum op op = v->op[pc];
		unsigned f = op == OP_INVALID ? 0 : insn_info[op].fields;

		if (v->mark[pc] & MARK_SECOND) {
			v->mark[pc] |= v->mark[pc - 1] & MARK_DEAD;
			continue;
		}
		if (!(n->flags & NOTE_SEEN)) {
			v->mark[pc] |= MARK_DEAD;
			continue;
		}
		if (f & (INSN_LOAD | INSN_STORE))
			v->ref[pc] = value_make(n->kind == REG_CTX && n->field ? VALUE_CTX : VALUE_ANY, 0);
		else if (op == OP_CALL)
			v->ref[pc] = n->map && !(n->flags & NOTE_CALLS_MANY) &&
			                     map_index(v, n->map) < v->p->nmaps
			                     ? value_make(VALUE_MAP, map_index(v, n->map))
			                     : value_make(VALUE_ANY, 0);
	}
	return 0;
}
