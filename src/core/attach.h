/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attach points: which programs are attached where, in order.
 *
 * A point is a BPF attach type and a target (a device's index, the inode of a cgroup or of a network
 * namespace). It holds a list of programs, each put there by a link or by BPF_PROG_ATTACH; how a list may
 * grow is the rule of its type. Nothing here runs anything: whoever has the traffic asks for the list.
 *
 * Rules: Linux 6.18, the public <linux/bpf.h> and Documentation/bpf.
 */
#ifndef SKEP_CORE_ATTACH_H
#define SKEP_CORE_ATTACH_H

#include "core/obj.h"

struct prog;
struct link;

enum attach_rule {
	ATTACH_NONE,
	ATTACH_ORDERED, /* tcx, netkit: before, after and instead of others; a revision */
	ATTACH_CGROUP,  /* one, or many when all of them say so */
	ATTACH_SINGLE,  /* XDP, flow dissector */
	ATTACH_LIST,    /* sk_lookup: links only, one behind the other */
};

enum { ATTACH_MAX = 64 }; /* programs at a point */

enum attach_flags {
	ATTACH_F_OVERRIDE = 1 << 0,
	ATTACH_F_MULTI = 1 << 1,
	ATTACH_F_REPLACE = 1 << 2,
	ATTACH_F_BEFORE = 1 << 3,
	ATTACH_F_AFTER = 1 << 4,
	ATTACH_F_ID = 1 << 5, /* what is relative to it is given by id */
	ATTACH_F_PREORDER = 1 << 6,
	ATTACH_F_LINK = 1 << 13, /* ... is a link */
};

/* What comes or goes. */
struct attach_change {
	uint32_t type; /* BPF_TCX_INGRESS ... */
	uint64_t target;
	struct prog *prog; /* of a removal: NULL takes what stands at the place */
	struct link *link; /* NULL: BPF_PROG_ATTACH, _DETACH */
	uint32_t flags;
	/* Beside which one; a place in the list that is NULL is its beginning or end. */
	struct prog *beside;
	struct link *beside_link;
	struct prog *replace; /* with ATTACH_F_REPLACE: which one goes */
	uint64_t revision;    /* that the list must have; 0: any */
};

struct attach_entry {
	struct prog *prog; /* referenced */
	struct link *link;
	uint32_t flags;
};

/* A copy of a list; programs are referenced: attach_list_put(). */
struct attach_list {
	uint64_t revision;
	uint32_t flags, n;
	struct attach_entry entry[ATTACH_MAX];
};

enum attach_rule attach_rule(uint32_t attach_type);
/* The program type that belongs to an attach type, 0: none. */
uint32_t attach_prog_type(uint32_t attach_type);
/* May p be attached as this type? */
bool attach_fits(const struct prog *p, uint32_t attach_type);

int attach_add(struct skep *k, const struct attach_change *c);
int attach_remove(struct skep *k, const struct attach_change *c);
/* Puts p in the place of a link's program. */
int attach_update(struct skep *k, const struct attach_change *c);
/*
 * XDP as netlink sets it: p takes the place of what stands on the device, NULL clears it. The mode (SKB,
 * DRV) is noted in the entry's flags. -EBUSY: a link holds the place; -EEXIST: another mode's program, or
 * not the expected one (ATTACH_XDP_REPLACE; NULL: none), stands there.
 */
enum { ATTACH_XDP_NOEXIST = 1, ATTACH_XDP_SKB = 2, ATTACH_XDP_DRV = 4, ATTACH_XDP_HW = 8,
       ATTACH_XDP_REPLACE = 16, ATTACH_XDP_MODES = 14 };
int attach_xdp(struct skep *k, uint32_t ifindex, struct prog *p, uint32_t flags,
               struct prog *expected);
bool attach_any(struct skep *k, uint32_t type, uint64_t target);
void attach_list(struct skep *k, uint32_t type, uint64_t target, struct attach_list *out);
void attach_list_put(struct attach_list *list);

int attach_init(struct skep *k);
void attach_exit(struct skep *k);

#endif
