/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links: an attachment of a program that lives as long as somebody holds it.
 *
 * A link is an object (descriptors, pins, ids). A kind of link is a struct link_ops, provided by who owns
 * the attach point; sys/link.c turns bpf(2)'s commands into these calls and knows no kind.
 */
#ifndef SKEP_CORE_LINK_H
#define SKEP_CORE_LINK_H

#include "core/obj.h"

struct prog;
struct map;
struct link;
struct call; /* sys/: whom to answer */

struct link_ops {
	uint32_t type; /* BPF_LINK_TYPE_... */
	const char *name; /* "xdp": as fdinfo prints it */
	/* Takes the program off; the link stays. Called once, at the last reference or at BPF_LINK_DETACH. */
	void (*detach)(struct link *l);
	/*
	 * Puts p in the place of the link's program, which the caller exchanges afterwards. old: only if
	 * that is the present one. NULL: -EINVAL.
	 */
	int (*update)(struct link *l, struct prog *p, uint32_t flags, struct prog *old);
	int (*update_map)(struct link *l, struct map *m, uint32_t flags, struct map *old);
	/*
	 * The part of struct bpf_link_info that is the kind's, `size` bytes, as the caller filled it in.
	 * -ENOSPC: a string was cut, the rest is answered all the same. NULL: it has none.
	 */
	int (*info)(struct call *call, const struct link *l, void *part, size_t size);
	void (*release)(struct link *l); /* frees the link's struct, which begins with struct link */
	bool detachable; /* BPF_LINK_DETACH works */
};

struct link {
	struct obj obj;
	const struct link_ops *ops;
	struct prog *prog; /* referenced; NULL when the link holds a struct_ops map */
	uint32_t attach_type;
	_Atomic bool detached;
};

/*
 * Fills in a new link with one reference; p's stays the caller's, the link takes one of its own. What
 * could not be attached is marked detached and put.
 */
void link_init(struct link *l, struct skep *k, const struct link_ops *ops, struct prog *p,
               uint32_t attach_type);
void link_detach(struct link *l); /* once; the second time nothing happens */

#endif
