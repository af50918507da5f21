/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s commands on links, whatever they are attached to: see core/link.h. What a link is attached to
 * is the business of attach.c and tracepoint.c.
 */
#include <errno.h>

#include "core/attach.h"
#include "core/map.h"
#include "core/prog.h"
#include "sys/bpf.h"
#include "sys/caps.h"
#include "sys/event.h"
#include "sys/fd.h"
#include "sys/info.h"
#include "sys/link.h"
#include "sys/map.h"
#include "sys/prog.h"
#include "sys/type.h"

int link_of_fd(struct call *call, uint32_t fd, struct link **out)
{
	struct obj *o;
	int err = fd_resolve(call->k, call->c, (int)fd, OBJ_LINK, &o, NULL);

	if (!err)
		*out = (struct link *)o;
	return err;
}

int link_publish(struct call *call, struct link *l)
{
	int ret = obj_publish(&l->obj);

	if (!ret)
		ret = fd_install(call->c, &l->obj, ACCESS_RW);
	if (ret < 0)
		link_detach(l);
	obj_put(&l->obj);
	return ret;
}

static int link_prog(struct call *call, struct prog *p)
{
	uint32_t type = call->a.link_create.attach_type;
	int err = caps_check_attach(call->c->caps, p->type);

	if (err)
		return err;
	if (is_user_hook(p->hook))
		return user_link_create(call, p);
	if (!attach_fits(p, type))
		return -EINVAL;
	return type == BPF_PERF_EVENT ? event_link_create(call, p) : attach_link_create(call, p);
}

int cmd_link_create(struct call *call)
{
	const struct attr_link_create *a = &call->a.link_create;
	struct prog *p;
	int ret;

	if (a->attach_type == BPF_STRUCT_OPS) {
		struct map *m;

		ret = map_of_fd(call, a->prog_fd, 0, &m);
		if (!ret)
			obj_put(&m->obj);
		return ret ? ret : -EINVAL; /* no map is one of operations that could be attached */
	}
	ret = prog_of_fd(call, a->prog_fd, &p);
	if (ret)
		return ret;
	ret = link_prog(call, p);
	obj_put(&p->obj);
	return ret;
}

/* --- Update ------------------------------------------------------------------------------- */

static int update_map(struct call *call, struct link *l)
{
	const struct attr_link_update *a = &call->a.link_update;
	struct map *m, *old = NULL;
	int err = map_of_fd(call, a->new_fd, 0, &m);

	if (err)
		return err;
	if (a->flags & BPF_F_REPLACE)
		err = map_of_fd(call, a->old_fd, 0, &old);
	else if (a->old_fd)
		err = -EINVAL;
	if (!err)
		err = l->ops->update_map(l, m, a->flags, old);
	if (old)
		obj_put(&old->obj);
	obj_put(&m->obj);
	return err;
}

static int update_prog(struct call *call, struct link *l)
{
	const struct attr_link_update *a = &call->a.link_update;
	struct prog *p, *old = NULL;
	int err = prog_of_fd(call, a->new_fd, &p);

	if (err)
		return err;
	if (a->flags & BPF_F_REPLACE)
		err = prog_of_fd(call, a->old_fd, &old);
	else if (a->old_fd)
		err = -EINVAL;
	if (!err)
		err = l->ops->update ? l->ops->update(l, p, a->flags, old) : -EINVAL;
	if (old)
		obj_put(&old->obj);
	obj_put(&p->obj);
	return err;
}

int cmd_link_update(struct call *call)
{
	const struct attr_link_update *a = &call->a.link_update;
	struct link *l;
	int err;

	if (a->flags & ~(uint32_t)BPF_F_REPLACE)
		return -EINVAL;
	err = link_of_fd(call, a->link_fd, &l);
	if (err)
		return err;
	err = l->ops->update_map ? update_map(call, l) : update_prog(call, l);
	obj_put(&l->obj);
	return err;
}

int cmd_link_detach(struct call *call)
{
	struct link *l;
	int err = link_of_fd(call, call->a.link_fd.link_fd, &l);

	if (err)
		return err;
	if (l->ops->detachable)
		link_detach(l);
	else
		err = -EOPNOTSUPP;
	obj_put(&l->obj);
	return err;
}

/* There are no links of iterators: no program can be one. */
int cmd_iter_create(struct call *call)
{
	struct link *l;
	int err;

	if (call->a.link_fd.flags)
		return -EINVAL;
	err = link_of_fd(call, call->a.link_fd.link_fd, &l);
	if (!err)
		obj_put(&l->obj);
	return err ? err : -EINVAL;
}

/* --- Information -------------------------------------------------------------------------- */

int link_info_answer(struct call *call, struct obj *o)
{
	struct link *l = (struct link *)o;
	struct link_info info = {0};
	int err = info_begin(call, &info, sizeof(info)), end;

	if (err)
		return err;
	info.type = l->ops->type;
	info.id = l->obj.id;
	lock_take(&call->k->lock);
	info.prog_id = l->prog ? l->prog->obj.id : 0;
	lock_release(&call->k->lock);
	info.unused = 0;
	if (l->ops->info)
		err = l->ops->info(call, l, info.part, sizeof(info.part));
	if (err && err != -ENOSPC)
		return err;
	end = info_end(call, &info, sizeof(info));
	return end ? end : err;
}
