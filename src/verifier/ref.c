/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program holds and must give back: referenced pointers, locks, sections in which it may not
 * be preempted or interrupted. state->refs lists them in the order in which they were acquired.
 *
 * A register, and every copy of it, carries in ref_id the number of the reference that it stands for.
 */
#include <errno.h>
#include <string.h>

#include "verifier/call.h"
#include "verifier/path.h"

int ref_add(struct verifier *v, enum ref_kind kind, uint32_t id, uint32_t pc, const void *ptr)
{
	struct state *s = v->cur;

	if (refs_reserve(v, s, s->nrefs + 1))
		return -ENOMEM;
	s->refs[s->nrefs++] = (struct ref){.kind = kind, .id = id, .insn = pc, .ptr = ptr};
	return 0;
}

int ref_acquire(struct verifier *v, uint32_t pc, uint32_t *id)
{
	*id = new_id(v);
	return ref_add(v, REF_PTR, *id, pc, NULL);
}

bool ref_held(const struct state *s, uint32_t id)
{
	for (uint32_t i = 0; i < s->nrefs; i++)
		if (s->refs[i].kind == REF_PTR && s->refs[i].id == id)
			return true;
	return false;
}

bool ref_drop(struct state *s, enum ref_kind kind, uint32_t id, const void *ptr)
{
	for (uint32_t i = 0; i < s->nrefs; i++) {
		if (s->refs[i].kind != kind || s->refs[i].id != id || s->refs[i].ptr != ptr)
			continue;
		s->nrefs--;
		memmove(&s->refs[i], &s->refs[i + 1], (s->nrefs - i) * sizeof(s->refs[0]));
		return true;
	}
	return false;
}

/* A pointer that may not be used any more is a number. */
static void invalidate(struct reg *r)
{
	reg_set_unknown(r);
}

static void invalidate_ref(struct reg *r, void *arg)
{
	if (r->ref_id == *(const uint32_t *)arg)
		invalidate(r);
}

bool ref_release(struct verifier *v, uint32_t id)
{
	if (!ref_drop(v->cur, REF_PTR, id, NULL))
		return false;
	state_each_reg(v->cur, invalidate_ref, &id);
	return true;
}

static void invalidate_node(struct reg *r, void *arg)
{
	(void)arg;
	if (r->kind == REG_BTF_ID && r->flags & REG_NON_OWN)
		invalidate(r);
}

void ref_forget_nodes(struct verifier *v)
{
	state_each_reg(v->cur, invalidate_node, NULL);
}

static void invalidate_packet(struct reg *r, void *arg)
{
	bool slice;

	(void)arg;
	slice = r->flags & (REG_DYNPTR_SKB | REG_DYNPTR_XDP) && r->kind == REG_MEM;

	if (reg_is_packet(r) || r->kind == REG_PACKET_END || slice)
		invalidate(r);
}

void packet_forget(struct verifier *v)
{
	state_each_reg(v->cur, invalidate_packet, NULL);
}

static int leaks(struct verifier *v, bool exception, const char *what)
{
	const struct state *s = v->cur;
	int err = 0;

	if (!exception && s->cur)
		return 0; /* the caller still holds it */
	for (uint32_t i = 0; i < s->nrefs; i++)
		if (s->refs[i].kind == REF_PTR)
			err = reject(v, REJECT_REF_LEAK, s->refs[i].id, s->refs[i].insn);
	return err ? reject(v, REJECT_REF_LEAK_AT, what) : 0;
}

int ref_check(struct verifier *v, bool exception, bool locks, const char *what)
{
	const struct state *s = v->cur;
	int err;

	if (locks && s->active_locks)
		return reject(v, REJECT_LOCK_HELD, what);
	err = leaks(v, exception, what);
	if (err)
		return err;
	if (locks && s->active_irq_id)
		return reject(v, REJECT_IRQ_HELD, what);
	if (locks && s->active_rcu_locks)
		return reject(v, REJECT_RCU_HELD, what);
	if (locks && s->active_preempt_locks)
		return reject(v, REJECT_PREEMPT_HELD, what);
	return 0;
}

int refs_check_exit(struct verifier *v, bool exception)
{
	return ref_check(v, exception, exception || !v->cur->cur,
	                 exception ? "bpf_throw" : "BPF_EXIT instruction in main prog");
}

/* --- Locks --------------------------------------------------------------------------------- */

struct lock_place {
	const struct record *record;
	const void *ptr; /* the map or BTF that it is in */
	const char *what, *name; /* "map", its name */
};

static int lock_place(struct verifier *v, const struct reg *r, const char *lock, struct lock_place *p)
{
	if (r->kind == REG_MAP_VALUE) {
		*p = (struct lock_place){r->map->record, r->map, "map", r->map->name};
		return r->map->btf ? 0 : reject(v, REJECT_LOCK_BTF, r->map->name, lock);
	}
	*p = (struct lock_place){btf_record(r->btf, r->btf_id), r->btf, "local", "kptr"};
	return 0;
}

static int lock_acquire(struct verifier *v, enum ref_kind kind, const struct reg *r, const void *ptr)
{
	struct state *s = v->cur;
	int err;

	if (kind == REF_LOCK && s->active_locks)
		return reject(v, REJECT_LOCK_TWO);
	err = ref_add(v, kind, r->id, v->pc, ptr);
	if (err)
		return err;
	s->active_locks++;
	s->active_lock_id = r->id;
	s->active_lock_ptr = ptr;
	return 0;
}

static bool lock_listed(const struct state *s, enum ref_kind kind, uint32_t id, const void *ptr)
{
	for (uint32_t i = 0; i < s->nrefs; i++)
		if (s->refs[i].kind == kind && s->refs[i].id == id && s->refs[i].ptr == ptr)
			return true;
	return false;
}

static int lock_release_in(struct verifier *v, enum ref_kind kind, const struct reg *r, const void *ptr,
                     const char *name)
{
	struct state *s = v->cur;

	if (!s->active_locks)
		return reject(v, REJECT_UNLOCK_NONE, name);
	if (!lock_listed(s, kind, r->id, ptr))
		return reject(v, REJECT_UNLOCK_OTHER, name);
	if (r->id != s->active_lock_id || ptr != s->active_lock_ptr)
		return reject(v, REJECT_UNLOCK_ORDER, name);
	ref_drop(s, kind, r->id, ptr);
	s->active_locks--;
	s->active_lock_id = 0;
	s->active_lock_ptr = NULL;
	for (uint32_t i = 0; i < s->nrefs; i++)
		if (s->refs[i].kind & REF_LOCKS) {
			s->active_lock_id = s->refs[i].id;
			s->active_lock_ptr = s->refs[i].ptr;
		}
	ref_forget_nodes(v);
	return 0;
}

int lock_change(struct verifier *v, unsigned regno, enum special_kind kind, bool irq, bool lock)
{
	bool res = kind == SPECIAL_RES_SPIN_LOCK;
	const char *name = res ? "bpf_res_spin" : "bpf_spin";
	enum ref_kind ref = irq ? REF_RES_LOCK_IRQ : res ? REF_RES_LOCK : REF_LOCK;
	struct reg *r = &cur_regs(v)[regno];
	const struct special *field;
	struct lock_place place;
	int64_t off;
	int err;

	if (!tnum_is_const(r->s.var))
		return reject(v, REJECT_LOCK_OFFSET, regno, name);
	err = lock_place(v, r, name, &place);
	if (err)
		return err;
	if (!record_has(place.record, kind))
		return reject(v, REJECT_LOCK_NONE, place.what, place.name, name);
	field = record_find(place.record, kind);
	off = (int64_t)r->s.var.value + r->off;
	if (off != (int64_t)field->offset)
		return reject(v, REJECT_LOCK_PLACE, (long long)off, name, field->offset);
	return lock ? lock_acquire(v, ref, r, place.ptr) : lock_release_in(v, ref, r, place.ptr, name);
}
