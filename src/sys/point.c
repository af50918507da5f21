/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attach points of the embedder's program types: a cell with the program that runs there.
 *
 * Runners load the cell inside a read section; who exchanges the program only exchanges the pointer. A
 * program that was in a cell is `shared`: its end waits until no reader can be in it, so nothing here
 * waits. Cells are listed under k->points and found by attach type and target.
 *
 * Requires: sys/type.c. Provides: skep_point_...(), BPF_LINK_CREATE and BPF_PROG_QUERY of such types.
 */
#include <errno.h>
#include <string.h>

#include "core/link.h"
#include "core/prog.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/info.h"
#include "sys/link.h"
#include "sys/say.h"
#include "sys/type.h"

struct skep_point {
	_Atomic(struct prog *) prog; /* referenced */
	struct skep *k;
	const struct user_type *type;
	uint32_t attach_type, target;
	_Atomic bool linked; /* a link is what put it there */
	struct skep_point *next;
};

struct user_link {
	struct link link;
	uint32_t target;
	struct skep_point *point; /* NULL: the type's own business */
};

/* --- Cells ---------------------------------------------------------------------------------- */

static struct skep_point *find_locked(struct skep *k, uint32_t attach_type, uint32_t target)
{
	struct skep_point *p = k->points;

	while (p && (p->attach_type != attach_type || p->target != target))
		p = p->next;
	return p;
}

int skep_point_new(struct skep *k, uint32_t type, uint32_t attach_type, uint32_t target,
                   struct skep_point **out, char message[SKEP_MESSAGE])
{
	const struct hook *h = hook_find(k, type);
	struct skep_point *p;
	bool taken;

	if (is_fork(k))
		return say_fork(k, message);
	if (!is_user_hook(h))
		return say(k, message, -ENOENT, "there is no program type 0x%x: add it first "
		                                "(skep_type_add())", type);
	if (!attach_type)
		attach_type = h->attach_types[0];
	if (!hook_attach_type_ok(h, attach_type))
		return say(k, message, -EINVAL, "%s: attach type 0x%x is unknown: name it in the type's "
		                                "attach_types", h->name, attach_type);
	p = mem_zalloc(&k->mem, sizeof(*p));
	if (!p)
		return say(k, message, -ENOMEM, "%s: no memory", h->name);
	*p = (struct skep_point){.k = k, .type = user_type_of(h), .attach_type = attach_type,
	                         .target = target};
	lock_take(&k->lock);
	taken = find_locked(k, attach_type, target);
	if (!taken) {
		p->next = k->points;
		k->points = p;
	}
	lock_release(&k->lock);
	if (taken) {
		mem_free(&k->mem, p);
		return say(k, message, -EEXIST, "%s: there is a point for attach type 0x%x at target %u: "
		                                "take another target", h->name, attach_type, target);
	}
	*out = p;
	return 0;
}

static void drop(struct prog *p)
{
	if (p)
		obj_put(&p->obj);
}

static struct prog *exchange(struct skep_point *point, struct prog *p)
{
	if (p) {
		obj_get(&p->obj);
		atomic_store(&p->shared, true);
	}
	return atomic_exchange_explicit(&point->prog, p, memory_order_acq_rel);
}

static bool fits(const struct skep_point *point, const struct prog *p)
{
	return p->hook == &point->type->hook && p->expected_attach_type == point->attach_type;
}

int skep_point_set(struct skep_point *point, struct skep_prog *prog)
{
	struct prog *p = (struct prog *)prog;

	if (is_fork(point->k))
		return say_fork(point->k, NULL);
	if (p && !fits(point, p))
		return say(point->k, NULL, -EINVAL, "%s: the program is of type %s, attach type 0x%x: load it "
		                                    "for attach type 0x%x", point->type->def->name,
		           p->hook->name, p->expected_attach_type, point->attach_type);
	if (atomic_load(&point->linked))
		return -EBUSY;
	drop(exchange(point, p));
	return 0;
}

int skep_point_free(struct skep_point *point)
{
	struct skep_point **at;
	struct skep *k;

	if (!point)
		return 0;
	k = point->k;
	fd_sweep(k); /* links that nobody holds any more */
	lock_take(&k->lock);
	if (atomic_load(&point->linked)) {
		lock_release(&k->lock);
		return -EBUSY;
	}
	for (at = &k->points; *at != point; at = &(*at)->next)
		;
	*at = point->next;
	lock_release(&k->lock);
	drop(atomic_load(&point->prog));
	mem_free(&k->mem, point);
	return 0;
}

int skep_point_run(struct skep_point *point, void *ctx, struct skep_cpu *c, uint64_t *ret)
{
	struct cpu *cpu = (struct cpu *)c;
	struct prog *p;

	rcu_read_enter(&cpu->k->rcu, &cpu->rcu);
	p = atomic_load_explicit(&point->prog, memory_order_acquire);
	if (p)
		*ret = prog_run(p, ctx, cpu);
	rcu_read_leave(&cpu->rcu);
	return p != NULL;
}

void user_points_exit(struct skep *k)
{
	while (k->points) {
		struct skep_point *next = k->points->next;

		drop(atomic_load(&k->points->prog));
		mem_free(&k->mem, k->points);
		k->points = next;
	}
}

/* --- Links ---------------------------------------------------------------------------------- */

static struct skep_attachment attachment(const struct link *l, struct prog *p, struct prog *before)
{
	return (struct skep_attachment){
		.prog = (struct skep_prog *)p,
		.before = (struct skep_prog *)before,
		.attach_type = l->attach_type,
		.target = ((const struct user_link *)l)->target,
	};
}

static const struct skep_type *def_of(const struct link *l)
{
	return user_type_of(l->prog->hook)->def;
}

static void detach(struct link *l)
{
	struct user_link *u = (struct user_link *)l;
	const struct skep_attachment a = attachment(l, l->prog, NULL);

	if (u->point) {
		drop(exchange(u->point, NULL));
		atomic_store(&u->point->linked, false);
	}
	if (def_of(l)->detach)
		def_of(l)->detach(def_of(l)->arg, &a);
}

static int update(struct link *l, struct prog *p, uint32_t flags, struct prog *old)
{
	struct user_link *u = (struct user_link *)l;
	const struct skep_attachment a = attachment(l, p, l->prog);
	struct prog *before;
	int err;

	if (atomic_load(&l->detached))
		return -ENOLINK;
	if (flags & BPF_F_REPLACE && l->prog != old)
		return -EPERM;
	if (p->hook != l->prog->hook || p->expected_attach_type != l->attach_type)
		return -EINVAL;
	err = def_of(l)->attach ? def_of(l)->attach(def_of(l)->arg, &a) : 0;
	if (err)
		return err;
	if (u->point)
		drop(exchange(u->point, p));
	obj_get(&p->obj);
	lock_take(&l->obj.k->lock);
	before = l->prog;
	l->prog = p;
	lock_release(&l->obj.k->lock);
	drop(before);
	return 0;
}

static int link_info(struct call *call, const struct link *l, void *part, size_t size)
{
	struct link_info info = {0};

	(void)call;
	info.cgroup.id = ((const struct user_link *)l)->target; /* u64 target, u32 attach type */
	info.cgroup.attach_type = l->attach_type;
	memcpy(part, info.part, size);
	return 0;
}

static void release(struct link *l)
{
	mem_free(&l->obj.k->mem, l);
}

/* To clients that know no user-defined types it looks like one of a control group: id, attach type. */
static const struct link_ops user_link_ops = {
	.type = BPF_LINK_TYPE_CGROUP,
	.name = "user",
	.detach = detach,
	.update = update,
	.info = link_info,
	.release = release,
	.detachable = true,
};

/* Takes the point for a link; NULL and 0 where the type takes attachments without one. */
static int take_point(struct skep *k, struct prog *p, uint32_t attach_type, uint32_t target,
                      struct skep_point **out)
{
	const struct skep_type *def = user_type_of(p->hook)->def;
	struct skep_point *point;
	int err = 0;

	lock_take(&k->lock);
	point = find_locked(k, attach_type, target);
	if (point && (atomic_load(&point->linked) || atomic_load(&point->prog)))
		err = -EBUSY;
	else if (point)
		atomic_store(&point->linked, true);
	lock_release(&k->lock);
	*out = point;
	if (err)
		return say(k, NULL, err, "%s: a program is attached at target %u already: detach it, or "
		                         "update its link", def->name, target);
	if (!point && !def->attach)
		return say(k, NULL, -ENOENT, "%s: nothing is there to attach to at attach type 0x%x, target "
		                             "%u: make a point for it (skep_point_new())", def->name,
		           attach_type, target);
	return 0;
}

int user_link_create(struct call *call, struct prog *p)
{
	const struct attr_link_create *a = &call->a.link_create;
	const struct skep_type *def = user_type_of(p->hook)->def;
	struct skep *k = call->k;
	struct skep_attachment begin;
	struct skep_point *point;
	struct user_link *l;
	int err;

	if (a->attach_type != p->expected_attach_type)
		return say(k, NULL, -EINVAL, "%s: attach type 0x%x is unknown here: the program was loaded "
		                             "for 0x%x", def->name, a->attach_type, p->expected_attach_type);
	if (a->flags)
		return -EINVAL;
	fd_sweep(k);
	err = take_point(k, p, a->attach_type, a->target, &point);
	if (err)
		return err;
	l = mem_zalloc(&k->mem, sizeof(*l));
	if (l) {
		link_init(&l->link, k, &user_link_ops, p, a->attach_type);
		l->target = a->target;
		l->point = point;
		begin = attachment(&l->link, p, NULL);
	}
	err = !l ? -ENOMEM : def->attach ? def->attach(def->arg, &begin) : 0;
	if (err) {
		if (point)
			atomic_store(&point->linked, false);
		if (l) {
			atomic_store(&l->link.detached, true);
			obj_put(&l->link.obj);
		}
		return err;
	}
	if (point)
		drop(exchange(point, p));
	return link_publish(call, &l->link);
}

int user_query(struct call *call, const struct user_type *type, uint32_t *ids, uint32_t room)
{
	uint32_t attach_type = call->a.query.attach_type, target = call->a.query.target;
	struct skep_point *point;
	struct prog *p;
	int n = 0;

	fd_sweep(call->k);
	lock_take(&call->k->lock);
	point = find_locked(call->k, attach_type, target);
	p = point ? atomic_load(&point->prog) : NULL;
	if (p && room)
		ids[0] = p->obj.id;
	n = p != NULL;
	lock_release(&call->k->lock);
	if (!point && type->def->query)
		return type->def->query(type->def->arg, attach_type, target, ids, room);
	return point ? n : -ENOENT;
}
