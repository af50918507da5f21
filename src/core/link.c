/* SPDX-License-Identifier: BSD-2-Clause */
/* A link's birth and end: see link.h. */
#include "core/link.h"

#include "core/map.h"
#include "core/prog.h"

void link_detach(struct link *l)
{
	if (!atomic_exchange(&l->detached, true) && l->ops->detach)
		l->ops->detach(l);
}

static void link_free(struct obj *o)
{
	struct link *l = (struct link *)o;

	link_detach(l);
	if (l->prog)
		obj_put(&l->prog->obj);
	l->ops->release(l);
}

void link_init(struct link *l, struct skep *k, const struct link_ops *ops, struct prog *p,
               uint32_t attach_type)
{
	obj_init(&l->obj, k, OBJ_LINK, link_free);
	l->ops = ops;
	l->prog = p;
	l->attach_type = attach_type;
	atomic_init(&l->detached, false);
	if (p)
		obj_get(&p->obj);
}
