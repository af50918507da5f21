/* SPDX-License-Identifier: BSD-2-Clause */
/* Perf events and links to them: see event.h. */
#include "sys/event.h"

#include <errno.h>
#include <string.h>

#include "core/prog.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/link.h"

struct event {
	struct obj obj; /* OBJ_EVENT */
	struct event_attr attr;
	struct prog *prog; /* referenced, or NULL; guarded by k->lock */
};

struct event_link {
	struct link link;
	struct event *event; /* referenced */
	uint64_t cookie;
};

static void event_free(struct obj *o)
{
	struct event *e = (struct event *)o;

	if (e->prog)
		obj_put(&e->prog->obj);
	mem_free(&o->k->mem, e);
}

int event_open(struct skep *k, struct client *c, const struct event_attr *a)
{
	struct event *e = mem_zalloc(&k->mem, sizeof(*e));
	int ret;

	if (!e)
		return -ENOMEM;
	obj_init(&e->obj, k, OBJ_EVENT, event_free);
	e->attr = *a;
	ret = obj_publish(&e->obj);
	if (ret) {
		mem_free(&k->mem, e);
		return ret;
	}
	ret = fd_install(c, &e->obj, ACCESS_RW);
	obj_put(&e->obj);
	return ret;
}

/* Which programs an event runs. */
static bool fits(const struct event *e, const struct prog *p)
{
	switch (e->attr.kind) {
	case EVENT_TRACEPOINT:
		return p->type == BPF_PROG_TYPE_TRACEPOINT;
	case EVENT_OTHER:
		return p->type == BPF_PROG_TYPE_PERF_EVENT;
	default:
		return p->type == BPF_PROG_TYPE_KPROBE;
	}
}

/* The event holds p from now on. */
static int set_prog(struct event *e, struct prog *p)
{
	int err = fits(e, p) ? 0 : -EINVAL;

	lock_take(&e->obj.k->lock);
	if (!err && e->prog)
		err = -EEXIST;
	if (!err) {
		obj_get(&p->obj);
		e->prog = p;
	}
	lock_release(&e->obj.k->lock);
	return err;
}

int event_set_prog(struct skep *k, struct client *c, int event, int prog)
{
	struct obj *e, *p;
	int err = fd_resolve(k, c, event, OBJ_EVENT, &e, NULL);

	if (err)
		return err;
	err = fd_resolve(k, c, prog, OBJ_PROG, &p, NULL);
	if (!err) {
		err = set_prog((struct event *)e, prog_of(p));
		obj_put(p);
	}
	obj_put(e);
	return err;
}

uint32_t event_prog_id(struct obj *o)
{
	struct event_attr a;
	uint32_t id;

	return event_traced(o, &a, &id) ? id : 0;
}

bool event_traced(struct obj *o, struct event_attr *a, uint32_t *prog_id)
{
	struct event *e = (struct event *)o;

	lock_take(&o->k->lock);
	*a = e->attr;
	*prog_id = e->prog ? e->prog->obj.id : 0;
	lock_release(&o->k->lock);
	return *prog_id != 0;
}

/* --- Links -------------------------------------------------------------------------------- */

static void link_detach_event(struct link *l)
{
	struct event *e = ((struct event_link *)l)->event;
	struct prog *p;

	lock_take(&l->obj.k->lock);
	p = e->prog;
	e->prog = NULL;
	lock_release(&l->obj.k->lock);
	if (p)
		obj_put(&p->obj);
}

static void link_release_event(struct link *l)
{
	obj_put(&((struct event_link *)l)->event->obj);
	mem_free(&l->obj.k->mem, l);
}

/* The name goes where the caller has room for it; how long it is in any case. */
static int put_name(struct call *call, const struct event_attr *a, uint64_t addr, uint32_t *len)
{
	uint32_t whole = (uint32_t)strlen(a->name) + 1, fit = *len < whole ? *len : whole;
	int err = 0;

	if (!addr != !*len)
		return -EINVAL;
	if (addr && fit)
		err = client_write(call->c, addr, a->name, fit - 1);
	if (addr && fit && !err)
		err = client_write(call->c, addr + fit - 1, "", 1);
	if (!err && addr && fit < whole)
		err = -ENOSPC;
	*len = whole;
	return err;
}

static int link_info_event(struct call *call, const struct link *l, void *part, size_t size)
{
	const struct event_link *el = (const struct event_link *)l;
	const struct event_attr *a = &el->event->attr;
	struct link_info info = {0};
	int err = 0;

	memcpy(info.part, part, size);
	info.perf_event.type = a->kind;
	switch (a->kind) {
	case EVENT_TRACEPOINT:
		err = put_name(call, a, info.perf_event.name, &info.perf_event.name_len);
		info.perf_event.tracepoint_cookie = el->cookie;
		break;
	case EVENT_UPROBE:
	case EVENT_URETPROBE:
		err = put_name(call, a, info.perf_event.name, &info.perf_event.name_len);
		info.perf_event.offset = (uint32_t)a->offset;
		info.perf_event.uprobe_cookie = el->cookie;
		break;
	case EVENT_KPROBE:
	case EVENT_KRETPROBE:
		err = put_name(call, a, info.perf_event.name, &info.perf_event.name_len);
		info.perf_event.offset = (uint32_t)a->offset;
		break;
	case EVENT_OTHER:
		info.perf_event.config = a->config;
		info.perf_event.event_type = a->type;
		info.perf_event.event_cookie = el->cookie;
	}
	memcpy(part, info.part, size);
	return err;
}

static const struct link_ops event_link_ops = {
	.type = BPF_LINK_TYPE_PERF_EVENT,
	.name = "perf",
	.detach = link_detach_event,
	.info = link_info_event,
	.release = link_release_event,
};

int event_link_create(struct call *call, struct prog *p)
{
	const struct attr_link_create *a = &call->a.link_create;
	struct event_link *l;
	struct obj *e;
	int err;

	if (a->flags)
		return -EINVAL;
	err = fd_resolve(call->k, call->c, (int)a->target, OBJ_EVENT, &e, NULL);
	if (err)
		return err;
	l = mem_zalloc(&call->k->mem, sizeof(*l));
	if (!l) {
		obj_put(e);
		return -ENOMEM;
	}
	link_init(&l->link, call->k, &event_link_ops, p, a->attach_type);
	l->event = (struct event *)e;
	l->cookie = a->perf_cookie;
	err = set_prog(l->event, p);
	if (err) {
		atomic_store(&l->link.detached, true);
		obj_put(&l->link.obj);
		return err;
	}
	return link_publish(call, &l->link);
}
