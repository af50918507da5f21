/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists and trees of objects that a program allocates.
 *
 * An object belongs to the program (its register has a reference) or to a list or tree. Putting it in
 * turns every owning register into one that may still be used, but only until the lock of the root is let
 * go (REG_NON_OWN); taking it out gives a new reference. Roots may be touched with their lock held only.
 */
#include <errno.h>

#include "verifier/kfunc.h"

static const struct record *record_of(const struct reg *r)
{
	return r->kind == REG_MAP_VALUE ? r->map->record : btf_record(r->btf, r->btf_id);
}

static const struct special *field_at(const struct reg *r, uint32_t off, enum special_kind kind)
{
	const struct record *record = record_of(r);
	const struct special *f = record ? record_at(record, off) : NULL;

	return f && f->kind == kind ? f : NULL;
}

static int offset_of(struct verifier *v, unsigned regno, enum special_kind kind, uint32_t *off)
{
	const struct reg *r = &cur_regs(v)[regno];

	if (!tnum_is_const(r->s.var))
		return reject(v, REJECT_SPECIAL_OFFSET, regno, special_name(kind), special_name(kind));
	*off = (uint32_t)r->off + (uint32_t)r->s.var.value;
	return 0;
}

/* The lock beside the root is held. */
static int locked(struct verifier *v, const struct reg *r, enum special_kind kind)
{
	const struct record *record = record_of(r);
	const struct special *lock = record_find(record, SPECIAL_SPIN_LOCK);
	const void *ptr = r->kind == REG_MAP_VALUE ? (const void *)r->map : r->btf;
	const struct state *s = v->cur;

	if (!lock)
		lock = record_find(record, SPECIAL_RES_SPIN_LOCK);
	if (!s->active_locks)
		return reject(v, REJECT_ROOT_UNLOCKED, lock ? lock->offset : 0, special_name(kind));
	for (uint32_t i = 0; i < s->nrefs; i++)
		if (s->refs[i].kind & REF_LOCKS && s->refs[i].id == r->id && s->refs[i].ptr == ptr)
			return 0;
	reject(v, REJECT_ROOT_OTHER_LOCK);
	return reject(v, REJECT_ROOT_UNLOCKED, lock ? lock->offset : 0, special_name(kind));
}

int graph_root_arg(struct verifier *v, struct kcall *c, unsigned regno, enum special_kind kind)
{
	const struct reg *r = &cur_regs(v)[regno];
	uint32_t off;
	int err = offset_of(v, regno, kind, &off);

	if (err)
		return err;
	c->root = field_at(r, off, kind);
	if (!c->root)
		return reject(v, REJECT_SPECIAL_NONE, special_name(kind), off);
	return locked(v, r, kind);
}

int graph_node_arg(struct verifier *v, struct kcall *c, unsigned regno, enum special_kind kind)
{
	const struct reg *r = &cur_regs(v)[regno];
	const struct special *root = c->root;
	const struct btf_type *want;
	uint32_t off;
	int err = offset_of(v, regno, kind, &off);

	if (err)
		return err;
	if (!field_at(r, off, kind))
		return reject(v, REJECT_SPECIAL_NONE, special_name(kind), off);
	if (!root)
		return 0; /* left, right: of a node that is in some tree */
	want = btf_type(&root->btf->data, root->type_id);
	if (!btf_struct_at(r->btf, r->btf_id, 0, root->btf, root->type_id, true))
		return reject(v, REJECT_NODE_STRUCT, special_name(root->kind), special_name(kind),
		              root->node_offset, btf_string(&root->btf->data, want->name), off,
		              btf_reg_name(r));
	if (off != root->node_offset)
		return reject(v, REJECT_NODE_OFFSET, off, special_name(kind), root->node_offset,
		              btf_string(&root->btf->data, want->name));
	c->arg = *r;
	return 0;
}

void node_set_unowned(struct reg *r)
{
	const struct record *record = btf_record(r->btf, r->btf_id);

	r->flags |= REG_NON_OWN;
	if (record_has(record, SPECIAL_REFCOUNT))
		r->flags |= REG_RCU;
}

static void set_node(struct reg *r, const struct special *root)
{
	reg_set_pointer(r, REG_BTF_ID, REG_ALLOC);
	r->btf = root->btf;
	r->btf_id = root->type_id;
	r->off = (int32_t)root->node_offset;
}

int graph_answer(struct verifier *v, struct kcall *c, struct reg *r0)
{
	(void)v;
	if (c->root) {
		set_node(r0, c->root);
	} else { /* left, right: the same kind of object */
		*r0 = c->arg;
		r0->flags = REG_ALLOC;
		r0->id = r0->ref_id = 0;
	}
	if (!(c->f->flags & KFUNC_ACQUIRE))
		node_set_unowned(r0);
	return 0;
}

static void disown(struct reg *r, void *arg)
{
	if (r->ref_id == *(const uint32_t *)arg && r->kind == REG_BTF_ID) {
		r->ref_id = 0;
		node_set_unowned(r);
	}
}

int graph_give(struct verifier *v, struct kcall *c)
{
	uint32_t id = cur_regs(v)[R2].ref_id;

	state_each_reg(v->cur, disown, &id);
	return ref_release(v, id) ? 0 : reject(v, REJECT_KFUNC_RELEASE, c->f->name);
}

/* bool (*less)(struct bpf_rb_node *a, const struct bpf_rb_node *b): both are in the tree or will be */
int graph_less(struct verifier *v, struct frame *caller, struct frame *callee, uint32_t pc)
{
	const struct reg *root = &caller->regs[R1];
	const struct special *f = field_at(root, (uint32_t)root->off + (uint32_t)root->s.var.value,
	                                   SPECIAL_RB_ROOT);

	(void)v;
	(void)pc;
	if (!f)
		return -EFAULT;
	for (unsigned r = R1; r <= R2; r++) {
		set_node(&callee->regs[r], f);
		node_set_unowned(&callee->regs[r]);
	}
	for (unsigned r = R3; r <= R5; r++)
		reg_set_none(&callee->regs[r]);
	callee->in_callback = true;
	callee->ret_min = 0;
	callee->ret_max = 1;
	return 0;
}
