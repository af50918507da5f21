/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays of sockets for the two hooks that pick one: AF_XDP sockets (xskmap), sockets that share a
 * port (reuseport_sockarray). As with sockmaps, the host's socket is not held.
 *
 * A socket can be in one reuseport_sockarray, once.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "core/host.h"
#include "maps/array.h"
#include "maps/maps.h"
#include "maps/slots.h"

enum {
	AF_XDP_SOCKETS = 44, /* AF_XDP; older C libraries know it not */
	XSKMAP_FLAGS = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY,
	REUSEPORT_FLAGS = XSKMAP_FLAGS | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
};

struct socket_slot {
	struct bpf_xdp_sock xdp; /* what programs see in an xskmap */
	struct bpf_sock view;    /* ... in the other */
	uint64_t cookie;
};

static void entry_drop(struct map *m, void *entry)
{
	mem_free(&m->obj.k->mem, entry);
}

static void slots_fini(struct map *m)
{
	slots_clear(m, entry_drop);
}

static int put(struct map *m, _Atomic(void *) *slot, const struct host_sock *s)
{
	struct socket_slot *e = mem_zalloc(&m->obj.k->mem, sizeof(*e));

	if (!e)
		return -ENOMEM;
	*e = (struct socket_slot){.view = s->view, .cookie = s->cookie};
	slots_exchange(m, slot, e, entry_drop);
	return 0;
}

/* --- AF_XDP sockets ---------------------------------------------------------------------- */

static int xskmap_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return attr->value_size != 4 ? -EINVAL : slots_check(attr, XSKMAP_FLAGS);
}

static int xskmap_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	_Atomic(void *) *slot = slots_at(m, key);
	const struct socket_slot *old;
	struct host_sock s;
	int32_t fd;
	int err;

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (!slot)
		return -E2BIG;
	memcpy(&fd, value, sizeof(fd));
	err = host_sock(fd, &s);
	if (err)
		return err;
	if (s.family != AF_XDP_SOCKETS)
		return -EOPNOTSUPP;
	old = atomic_load(slot);
	if (old && old->cookie == s.cookie)
		return 0; /* it is there already, whatever the flags say */
	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!old && flags == BPF_EXIST)
		return -ENOENT;
	return put(m, slot, &s);
}

static int xskmap_delete(struct map *m, const void *key)
{
	_Atomic(void *) *slot = slots_at(m, key);

	if (!slot)
		return -EINVAL;
	slots_exchange(m, slot, NULL, entry_drop);
	return 0;
}

static int xskmap_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)m;
	(void)key;
	(void)value;
	(void)flags;
	return -EOPNOTSUPP;
}

static void *xskmap_lookup(struct map *m, const void *key, unsigned cpu)
{
	(void)cpu;
	return slots_get(m, slots_index(key));
}

static bool xskmap_redirect(struct map *m, uint64_t key, struct redirect *to)
{
	(void)to;
	return slots_get(m, key);
}

static bool slot_region(struct map *m, uintptr_t addr, struct region *r)
{
	for (uint32_t i = 0; i < m->max_entries; i++) {
		uintptr_t at = (uintptr_t)slots_get(m, i);

		if (!at || addr - at >= sizeof(struct bpf_xdp_sock))
			continue;
		*r = (struct region){
			.start = at, .size = sizeof(struct bpf_xdp_sock), .name = "socket"};
		return true;
	}
	return false;
}

/* --- Sockets that share a port ----------------------------------------------------------- */

static int reuseport_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (attr->value_size != 4 && attr->value_size != 8)
		return -EINVAL;
	return slots_check(attr, REUSEPORT_FLAGS);
}

/* Is the socket in any array of this kernel? */
static bool is_in_use(struct skep *k, uint64_t cookie)
{
	const struct id_table *t = &k->ids[OBJ_MAP];
	bool found = false;

	lock_take(&k->lock); /* no map is freed meanwhile */
	for (unsigned i = 0; i < t->cap && !found; i++) {
		struct map *m = (struct map *)t->slot[i];

		if (!m || m->type != BPF_MAP_TYPE_REUSEPORT_SOCKARRAY)
			continue;
		lock_take(&m->lock);
		for (uint32_t j = 0; j < m->max_entries && !found; j++) {
			const struct socket_slot *e = slots_get(m, j);

			found = e && e->cookie == cookie;
		}
		lock_release(&m->lock);
	}
	lock_release(&k->lock);
	return found;
}

/* The kernel's order: what is in the slot, the kind of socket, its state, where else it is. */
static int reuseport_may(struct map *m, const void *old, const struct host_sock *s, uint64_t flags)
{
	bool inet = s->family == AF_INET || s->family == AF_INET6;
	bool tcp = s->type == SOCK_STREAM && s->protocol == IPPROTO_TCP;
	bool udp = s->type == SOCK_DGRAM && s->protocol == IPPROTO_UDP;

	if (!old && flags == BPF_EXIST)
		return -ENOENT;
	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!inet || (!tcp && !udp))
		return -ENOTSUPP;
	if (!s->reuseport || (tcp ? !s->listening : !s->bound))
		return -EINVAL;
	return is_in_use(m->obj.k, s->cookie) ? -EBUSY : 0;
}

static int reuseport_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	_Atomic(void *) *slot = slots_at(m, key);
	struct host_sock s;
	uint64_t fd = 0;
	int err;

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (!slot)
		return -E2BIG;
	memcpy(&fd, value, m->value_size);
	if (m->value_size == 8 && fd > INT32_MAX)
		return -EINVAL;
	err = host_sock((int)fd, &s);
	if (!err)
		err = reuseport_may(m, atomic_load(slot), &s, flags);
	return err ? err : put(m, slot, &s);
}

static int reuseport_delete(struct map *m, const void *key)
{
	_Atomic(void *) *slot = slots_at(m, key);

	if (!slot)
		return -E2BIG;
	return slots_exchange(m, slot, NULL, entry_drop) ? 0 : -ENOENT;
}

static int reuseport_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	const struct socket_slot *e;

	(void)flags;
	if (m->value_size != sizeof(e->cookie))
		return -ENOSPC;
	lock_take(&m->lock);
	e = slots_get(m, slots_index(key));
	if (e)
		memcpy(value, &e->cookie, sizeof(e->cookie));
	lock_release(&m->lock);
	return e ? 0 : -ENOENT;
}

static void *reuseport_lookup(struct map *m, const void *key, unsigned cpu)
{
	struct socket_slot *e = slots_get(m, slots_index(key));

	(void)cpu;
	return e ? &e->view : NULL;
}

#define SLOT_OPS                                                                           \
	.size = sizeof(struct map_slots), .entry_size = sizeof(void *), .init = slots_init, \
	.fini = slots_fini, .next_key = array_next_key

const struct map_ops map_xskmap_ops = {
	.name = "xskmap",
	.check = xskmap_check,
	.lookup = xskmap_lookup,
	.copy_in = xskmap_copy_in,
	.copy_out = xskmap_copy_out,
	.copy_delete = xskmap_delete,
	.redirect = xskmap_redirect,
	.region = slot_region,
	SLOT_OPS,
};

const struct map_ops map_reuseport_sockarray_ops = {
	.name = "reuseport_sockarray",
	.check = reuseport_check,
	.lookup = reuseport_lookup,
	.copy_in = reuseport_copy_in,
	.copy_out = reuseport_copy_out,
	.copy_delete = reuseport_delete,
	SLOT_OPS,
};
