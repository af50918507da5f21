/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_ATTACH, _DETACH and _QUERY, and links to attach points (core/attach.h).
 *
 * What is attached is noted, in the kernel's order and by its rules; who has traffic at a point asks
 * attach_list() for it.
 */
#include <errno.h>
#include <string.h>

#include "core/attach.h"
#include "core/caps.h"
#include "core/map.h"
#include "core/net.h"
#include "core/prog.h"
#include "sys/bpf.h"
#include "sys/caps.h"
#include "sys/fd.h"
#include "sys/link.h"
#include "sys/prog.h"
#include "sys/target.h"
#include "sys/type.h"

enum {
	PLACES = ATTACH_F_REPLACE | ATTACH_F_BEFORE | ATTACH_F_AFTER | ATTACH_F_ID | ATTACH_F_LINK,
	CGROUP_MODES = ATTACH_F_OVERRIDE | ATTACH_F_MULTI | ATTACH_F_REPLACE | ATTACH_F_PREORDER,
};

/* --- Where -------------------------------------------------------------------------------- */

/* The target of a change; errnos of devices, of cgroups, of namespaces. */
static int find_target(struct call *call, uint32_t type, uint32_t target, uint64_t *out)
{
	*out = target;
	switch (attach_rule(type)) {
	case ATTACH_ORDERED:
		if (!device_exists(call->k, target))
			return -ENODEV;
		/* The host's devices of this kind are not ours. */
		return type == BPF_NETKIT_PRIMARY || type == BPF_NETKIT_PEER ? -ENXIO : 0;
	case ATTACH_CGROUP:
		return cgroup_of_fd(call, target, out);
	default:
		return -EINVAL;
	}
}

static int of_type(struct obj *o, uint32_t prog_type, struct prog **out)
{
	struct prog *p = o->kind == OBJ_PROG ? prog_of(o) : ((struct link *)o)->prog;

	if (!p || p->type != prog_type) {
		obj_put(o);
		return -EINVAL;
	}
	*out = p;
	return 0;
}

int attach_relative(struct call *call, struct attach_change *c, uint32_t which, uint32_t prog_type)
{
	enum obj_kind kind = c->flags & ATTACH_F_LINK ? OBJ_LINK : OBJ_PROG;
	struct obj *o = NULL;
	int err = 0;

	if (!which && !(c->flags & (ATTACH_F_ID | ATTACH_F_LINK)))
		return 0;
	/* In a cgroup, something beside which to stand needs a side. */
	if (attach_rule(c->type) == ATTACH_CGROUP &&
	    (!which || !(c->flags & (ATTACH_F_BEFORE | ATTACH_F_AFTER))))
		return -EINVAL;
	if (c->flags & ATTACH_F_ID) {
		o = obj_by_id(call->k, kind, which);
		err = o ? 0 : -ENOENT;
	} else {
		err = fd_resolve(call->k, call->c, (int)which, kind, &o, NULL);
	}
	if (!err)
		err = of_type(o, prog_type, &c->beside);
	if (!err && kind == OBJ_LINK)
		c->beside_link = (struct link *)o;
	return err;
}

void attach_relative_put(struct attach_change *c)
{
	if (c->beside_link)
		obj_put(&c->beside_link->obj);
	else if (c->beside)
		obj_put(&c->beside->obj);
}

static int prog_of_type(struct call *call, uint32_t fd, uint32_t type, struct prog **out)
{
	struct prog *p;
	int err = prog_of_fd(call, fd, &p);

	return err ? err : of_type(&p->obj, type, out);
}

/* --- BPF_PROG_ATTACH ---------------------------------------------------------------------- */

static int check_flags(const struct attr_attach *a)
{
	enum attach_rule rule = attach_rule(a->attach_type);
	uint32_t fine = rule == ATTACH_ORDERED  ? PLACES
	                : rule == ATTACH_CGROUP ? CGROUP_MODES | PLACES
	                                        : CGROUP_MODES;

	if (a->attach_flags & ~fine)
		return -EINVAL;
	if (rule != ATTACH_ORDERED && rule != ATTACH_CGROUP && (a->relative || a->expected_revision))
		return -EINVAL;
	return 0;
}

static int attach_ordered(struct call *call, struct prog *p)
{
	const struct attr_attach *a = &call->a.attach;
	struct attach_change c = {.type = a->attach_type, .prog = p, .flags = a->attach_flags,
	                          .revision = a->expected_revision};
	int err = find_target(call, c.type, a->target, &c.target);

	if (!err && c.flags & ATTACH_F_REPLACE && (a->replace_bpf_fd || c.type < BPF_TCX_INGRESS ||
	                                           attach_rule(c.type) == ATTACH_ORDERED))
		err = prog_of_type(call, a->replace_bpf_fd, p->type, &c.replace);
	if (!err)
		err = attach_relative(call, &c, a->relative, p->type);
	if (!err)
		err = attach_add(call->k, &c);
	attach_relative_put(&c);
	if (c.replace)
		obj_put(&c.replace->obj);
	return err;
}

/* A flow dissector belongs to the network namespace of the caller. */
static int attach_dissector(struct call *call, struct prog *p)
{
	const struct attr_attach *a = &call->a.attach;
	struct attach_change c = {.type = a->attach_type, .prog = p};
	int err;

	if (a->target || a->attach_flags || a->replace_bpf_fd)
		return -EINVAL;
	err = netns_own(call->k, &c.target);
	return err ? err : attach_add(call->k, &c);
}

static int attach(struct call *call, struct prog *p)
{
	switch (attach_rule(call->a.attach.attach_type)) {
	case ATTACH_ORDERED:
	case ATTACH_CGROUP:
		return attach_ordered(call, p);
	case ATTACH_SINGLE:
		return p->type == BPF_PROG_TYPE_FLOW_DISSECTOR ? attach_dissector(call, p) : -EINVAL;
	default:
		return -EINVAL; /* by links only, or not at all */
	}
}

int cmd_prog_attach(struct call *call)
{
	const struct attr_attach *a = &call->a.attach;
	uint32_t type = attach_prog_type(a->attach_type);
	struct prog *p;
	int err = type ? check_flags(a) : -EINVAL;

	if (!err)
		err = prog_of_type(call, a->attach_bpf_fd, type, &p);
	if (err)
		return err;
	fd_sweep(call->k);
	err = caps_check_attach(call->c->caps, type);
	if (!err)
		err = attach_fits(p, a->attach_type) ? attach(call, p) : -EINVAL;
	obj_put(&p->obj);
	return err;
}

/* --- BPF_PROG_DETACH ---------------------------------------------------------------------- */

static int detach_ordered(struct call *call, uint32_t type)
{
	const struct attr_attach *a = &call->a.attach;
	struct attach_change c = {.type = a->attach_type, .flags = a->attach_flags,
	                          .revision = a->expected_revision};
	int err = 0;

	if (c.flags & ~(uint32_t)PLACES)
		return -EINVAL;
	if (a->attach_bpf_fd)
		err = prog_of_type(call, a->attach_bpf_fd, type, &c.prog);
	if (!err)
		err = find_target(call, c.type, a->target, &c.target);
	if (!err && !attach_any(call->k, c.type, c.target))
		err = -ENOENT;
	if (!err && c.flags & ATTACH_F_REPLACE)
		err = -EINVAL;
	if (!err)
		err = attach_relative(call, &c, a->relative, type);
	if (!err)
		err = attach_remove(call->k, &c);
	attach_relative_put(&c);
	if (c.prog)
		obj_put(&c.prog->obj);
	return err;
}

static int detach_cgroup(struct call *call, uint32_t type)
{
	const struct attr_attach *a = &call->a.attach;
	struct attach_change c = {.type = a->attach_type, .revision = a->expected_revision};
	int err;

	if (a->attach_flags || a->relative)
		return -EINVAL;
	err = cgroup_of_fd(call, a->target, &c.target);
	if (err)
		return err;
	if (prog_of_type(call, a->attach_bpf_fd, type, &c.prog) != 0)
		c.prog = NULL; /* where there can be but one, it need not be named */
	err = attach_remove(call->k, &c);
	if (c.prog)
		obj_put(&c.prog->obj);
	return err;
}

static int detach_dissector(struct call *call)
{
	const struct attr_attach *a = &call->a.attach;
	struct attach_change c = {.type = a->attach_type};
	int err;

	if (a->target || a->attach_flags || a->replace_bpf_fd || a->relative || a->expected_revision)
		return -EINVAL;
	err = prog_of_type(call, a->attach_bpf_fd, BPF_PROG_TYPE_FLOW_DISSECTOR, &c.prog);
	if (err)
		return err;
	err = netns_own(call->k, &c.target);
	if (!err)
		err = attach_remove(call->k, &c);
	obj_put(&c.prog->obj);
	return err;
}

int cmd_prog_detach(struct call *call)
{
	const struct attr_attach *a = &call->a.attach;
	uint32_t type = attach_prog_type(a->attach_type);

	fd_sweep(call->k);
	switch (attach_rule(a->attach_type)) {
	case ATTACH_ORDERED:
		return detach_ordered(call, type);
	case ATTACH_CGROUP:
		return detach_cgroup(call, type);
	case ATTACH_SINGLE:
		return type == BPF_PROG_TYPE_FLOW_DISSECTOR ? detach_dissector(call) : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* --- BPF_PROG_QUERY ----------------------------------------------------------------------- */

static int write_u32(struct call *call, uint64_t array, uint32_t i, uint32_t value)
{
	return array ? client_write(call->c, array + (uint64_t)i * 4, &value, sizeof(value)) : 0;
}

static int answer_list(struct call *call, const struct attach_list *l)
{
	const struct attr_query *a = &call->a.query;
	uint32_t n = a->count < l->n ? a->count : l->n;
	bool ordered = attach_rule(a->attach_type) == ATTACH_ORDERED;
	int err = call_answer(call, offsetof(struct attr_query, attach_flags), l->flags);

	if (!err && attach_rule(a->attach_type) != ATTACH_SINGLE)
		err = client_write(call->c, call->uattr + offsetof(struct attr_query, revision),
		                   &l->revision, sizeof(l->revision));
	if (!err)
		err = call_answer(call, offsetof(struct attr_query, count), l->n);
	if (err || !a->count || !a->prog_ids || !l->n)
		return err;
	for (uint32_t i = 0; !err && i < n; i++) {
		const struct attach_entry *e = &l->entry[i];

		err = write_u32(call, a->prog_ids, i, e->prog->obj.id);
		if (!err)
			err = write_u32(call, a->prog_attach_flags, i, ordered ? 0 : l->flags);
		if (!err && ordered)
			err = write_u32(call, a->link_ids, i, e->link ? e->link->obj.id : 0);
		if (!err && ordered)
			err = write_u32(call, a->link_attach_flags, i, 0);
	}
	return err ? err : n < l->n ? -ENOSPC : 0;
}

/* At a point of a type of the embedder's. */
static int query_user(struct call *call, const struct user_type *type)
{
	const struct attr_query *a = &call->a.query;
	uint32_t ids[ATTACH_MAX] = {0}, n;
	int ret = user_query(call, type, ids, ATTACH_MAX), err = 0;

	if (ret < 0)
		return ret;
	n = (uint32_t)ret < ATTACH_MAX ? (uint32_t)ret : ATTACH_MAX;
	err = call_answer(call, offsetof(struct attr_query, count), n);
	for (uint32_t i = 0; !err && a->prog_ids && i < n && i < a->count; i++)
		err = write_u32(call, a->prog_ids, i, ids[i]);
	return err ? err : a->prog_ids && a->count && a->count < n ? -ENOSPC : 0;
}

int cmd_prog_query(struct call *call)
{
	enum { EFFECTIVE = 1 };
	const struct attr_query *a = &call->a.query;
	enum attach_rule rule = attach_rule(a->attach_type);
	struct attach_list list;
	uint64_t target;
	int err = 0;

	if (!capable(call->c->caps, CAPABLE_NET_ADMIN))
		return -EPERM;
	if (a->query_flags & ~(uint32_t)EFFECTIVE)
		return -EINVAL;
	if (user_number(a->attach_type)) {
		const struct user_type *type = user_type_by_attach(call->k, a->attach_type);

		return type ? query_user(call, type) : -EINVAL;
	}
	if (rule == ATTACH_NONE || a->attach_type == BPF_XDP)
		return -EINVAL;
	if (rule == ATTACH_SINGLE || rule == ATTACH_LIST)
		err = a->query_flags ? -EINVAL : netns_of_fd(call, a->target, &target);
	else
		err = find_target(call, a->attach_type, a->target, &target);
	if (!err && rule == ATTACH_ORDERED && (a->query_flags || a->attach_flags))
		err = -EINVAL;
	if (!err && rule == ATTACH_CGROUP && a->query_flags && a->prog_attach_flags)
		err = -EINVAL;
	if (err)
		return err;
	fd_sweep(call->k);
	attach_list(call->k, a->attach_type, target, &list);
	if (a->query_flags)
		list.flags = 0;
	err = answer_list(call, &list);
	attach_list_put(&list);
	return err;
}

/* --- Links -------------------------------------------------------------------------------- */

struct attach_link {
	struct link link;
	uint64_t target;
	uint32_t flags;
};

static struct attach_change change_of(const struct link *l)
{
	const struct attach_link *a = (const struct attach_link *)l;

	return (struct attach_change){.type = l->attach_type, .target = a->target, .prog = l->prog,
	                              .link = (struct link *)l};
}

static void attach_link_detach(struct link *l)
{
	struct attach_change c = change_of(l);

	attach_remove(l->obj.k, &c);
}

static int attach_link_update(struct link *l, struct prog *p, uint32_t flags, struct prog *old)
{
	struct attach_change c = change_of(l);
	struct prog *before;
	int err;

	if (atomic_load(&l->detached))
		return -ENOLINK;
	if (flags & BPF_F_REPLACE && l->prog != old)
		return -EPERM;
	if (p->type != l->prog->type || p->expected_attach_type != l->prog->expected_attach_type)
		return -EINVAL;
	c.prog = p;
	err = attach_update(l->obj.k, &c);
	if (err)
		return err;
	obj_get(&p->obj);
	lock_take(&l->obj.k->lock);
	before = l->prog;
	l->prog = p;
	lock_release(&l->obj.k->lock);
	obj_put(&before->obj);
	return 0;
}

static int attach_link_info(struct call *call, const struct link *l, void *part, size_t size)
{
	const struct attach_link *a = (const struct attach_link *)l;
	bool there = !atomic_load(&l->detached);
	struct link_info info = {0};

	(void)call;
	switch (l->ops->type) {
	case BPF_LINK_TYPE_XDP:
		info.device.ifindex = there ? (uint32_t)a->target : 0;
		break;
	case BPF_LINK_TYPE_TCX:
		info.device.ifindex = there ? (uint32_t)a->target : 0;
		info.device.attach_type = l->attach_type;
		break;
	case BPF_LINK_TYPE_CGROUP:
		info.cgroup.id = there ? a->target : 0;
		info.cgroup.attach_type = l->attach_type;
		break;
	default:
		info.netns.ino = there ? (uint32_t)a->target : 0;
		info.netns.attach_type = l->attach_type;
	}
	memcpy(part, info.part, size);
	return 0;
}

static void attach_link_release(struct link *l)
{
	mem_free(&l->obj.k->mem, l);
}

#define LINK_OPS(link_type, link_name)                                                             \
	{.type = BPF_LINK_TYPE_##link_type,                                                        \
	 .name = link_name,                                                                        \
	 .detach = attach_link_detach,                                                             \
	 .update = attach_link_update,                                                             \
	 .info = attach_link_info,                                                                 \
	 .release = attach_link_release,                                                           \
	 .detachable = true}

static const struct link_ops xdp_link_ops = LINK_OPS(XDP, "xdp");
static const struct link_ops tcx_link_ops = LINK_OPS(TCX, "tcx");
static const struct link_ops cgroup_link_ops = LINK_OPS(CGROUP, "cgroup");
static const struct link_ops netns_link_ops = LINK_OPS(NETNS, "netns");

/* One of the modes of XDP, or none: then it is the best one that the device has. */
static int xdp_mode(struct skep *k, uint32_t ifindex, uint32_t flags, uint32_t *mode)
{
	const struct net_device *d = net_device(k, ifindex);
	bool native = d && d->native;

	if (flags & ~(uint32_t)ATTACH_XDP_MODES || flags & (flags - 1))
		return -EINVAL;
	*mode = flags ? flags : native ? ATTACH_XDP_DRV : ATTACH_XDP_SKB;
	return *mode == ATTACH_XDP_HW || (*mode == ATTACH_XDP_DRV && !native) ? -EOPNOTSUPP : 0;
}

/* Checks what a kind of link may say, and finds its target. */
static int prepare(struct call *call, struct prog *p, struct attach_change *c,
                   const struct link_ops **ops)
{
	const struct attr_link_create *a = &call->a.link_create;

	c->type = a->attach_type;
	switch (p->type) {
	case BPF_PROG_TYPE_XDP:
		*ops = &xdp_link_ops;
		c->target = a->target;
		if (!device_exists(call->k, a->target))
			return -EINVAL;
		if (p->expected_attach_type == BPF_XDP_DEVMAP ||
		    p->expected_attach_type == BPF_XDP_CPUMAP)
			return -EINVAL;
		return xdp_mode(call->k, a->target, a->flags, &c->flags);
	case BPF_PROG_TYPE_SCHED_CLS:
		*ops = &tcx_link_ops;
		break;
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_SK_LOOKUP:
		*ops = &netns_link_ops;
		if (a->flags)
			return -EINVAL;
		return netns_of_fd(call, a->target, &c->target);
	default:
		*ops = &cgroup_link_ops;
		if (attach_rule(c->type) != ATTACH_CGROUP)
			return -EINVAL;
		if (a->flags & ~(uint32_t)((PLACES & ~ATTACH_F_REPLACE) | ATTACH_F_PREORDER))
			return -EINVAL;
	}
	c->flags = a->flags | (*ops == &cgroup_link_ops ? ATTACH_F_MULTI : 0);
	c->revision = a->ordered.expected_revision;
	return find_target(call, c->type, a->target, &c->target);
}

int attach_link_create(struct call *call, struct prog *p)
{
	const struct attr_link_create *a = &call->a.link_create;
	const struct link_ops *ops;
	struct attach_change c = {.prog = p};
	struct attach_link *l;
	int err = prepare(call, p, &c, &ops);

	fd_sweep(call->k); /* links that nobody holds any more */
	if (!err && (ops == &tcx_link_ops || ops == &cgroup_link_ops))
		err = attach_relative(call, &c, a->ordered.relative, p->type);
	if (err)
		return err;
	l = mem_zalloc(&call->k->mem, sizeof(*l));
	if (!l) {
		attach_relative_put(&c);
		return -ENOMEM;
	}
	link_init(&l->link, call->k, ops, p, a->attach_type);
	l->target = c.target;
	c.link = &l->link;
	err = attach_add(call->k, &c);
	attach_relative_put(&c);
	if (err) {
		atomic_store(&l->link.detached, true);
		obj_put(&l->link.obj);
		return err;
	}
	return link_publish(call, &l->link);
}
