/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects: what programs, maps, BTF and links have in common — an id, a count of references, an end.
 *
 * References are held by descriptors that clients have open (one for all of them: see sys/fd.c), pins,
 * links, programs (to their maps) and maps (to maps and programs in them). When the last goes, the
 * object leaves its id table and free() is called, with no lock held.
 */
#ifndef SKEP_CORE_OBJ_H
#define SKEP_CORE_OBJ_H

#include "core/core.h"

struct obj {
	enum obj_kind kind;
	uint32_t id; /* 0 until obj_publish() */
	_Atomic uint32_t refs;
	struct skep *k;
	void (*free)(struct obj *);
	void *desc; /* sys/fd.c: the memfd by which clients know it, or NULL */
};

/* Fills in a new object with one reference; it is invisible until published. */
void obj_init(struct obj *o, struct skep *k, enum obj_kind kind, void (*free)(struct obj *));
/* Gives it an id and makes it findable. 0 or -ENOMEM. */
int obj_publish(struct obj *o);
/* The same with an id that has been kept free. */
int obj_publish_as(struct obj *o, uint32_t id);

static inline void obj_get(struct obj *o)
{
	atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
}
void obj_put(struct obj *o); /* NULL is fine */

/* A new reference to the object with this id, or NULL. */
struct obj *obj_by_id(struct skep *k, enum obj_kind kind, uint32_t id);
/* The smallest id above `after`, or 0. */
uint32_t obj_next_id(struct skep *k, enum obj_kind kind, uint32_t after);

#endif
