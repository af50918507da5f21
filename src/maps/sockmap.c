/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of sockets: by number (sockmap), by any key (sockhash).
 *
 * A value is a descriptor when written. Read by bpf(2) it is the socket's cookie, where values have 8
 * bytes; programs see the socket as it was when it was put in (struct bpf_sock). The host's socket is
 * not held, and nothing tells of its end: a socket that is closed stays until it is deleted.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "core/host.h"
#include "maps/array.h"
#include "maps/hash.h"
#include "maps/maps.h"
#include "maps/slots.h"

enum {
	SOCKMAP_FLAGS = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY,
	KEY_MAX = 512, /* of a sockhash */
};

struct socket_entry {
	struct bpf_sock view;
	uint64_t cookie;
};

static bool value_fits(const struct map_attr *attr)
{
	return attr->value_size == 4 || attr->value_size == 8;
}

static int sockmap_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return value_fits(attr) ? slots_check(attr, SOCKMAP_FLAGS) : -EINVAL;
}

static int sockhash_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (!attr->max_entries || !attr->key_size || !value_fits(attr) ||
	    (attr->flags & ~(uint32_t)SOCKMAP_FLAGS))
		return -EINVAL;
	return attr->key_size > KEY_MAX ? -E2BIG : 0;
}

/* Is this a socket whose traffic a map can redirect? */
static bool may_be_in(const struct host_sock *s)
{
	switch (s->family) {
	case AF_INET:
	case AF_INET6:
		if (s->type == SOCK_STREAM && s->protocol == IPPROTO_TCP)
			return s->listening || s->connected;
		return s->type == SOCK_DGRAM && s->protocol == IPPROTO_UDP && s->bound;
	case AF_UNIX:
		return s->type == SOCK_DGRAM || (s->type == SOCK_STREAM && s->connected);
	default:
		return false;
	}
}

static int entry_new(struct map *m, const void *value, uint64_t flags, struct socket_entry **out)
{
	struct socket_entry *e;
	struct host_sock s;
	uint64_t fd = 0;
	int err;

	memcpy(&fd, value, m->value_size);
	if (fd > INT32_MAX)
		return -EINVAL;
	err = host_sock((int)fd, &s);
	if (err)
		return err;
	if (!may_be_in(&s))
		return -EOPNOTSUPP;
	if (flags > BPF_EXIST)
		return -EINVAL;
	e = mem_zalloc(&m->obj.k->mem, sizeof(*e));
	if (!e)
		return -ENOMEM;
	*e = (struct socket_entry){.view = s.view, .cookie = s.cookie};
	*out = e;
	return 0;
}

static void entry_drop(struct map *m, void *entry)
{
	mem_free(&m->obj.k->mem, entry);
}

static bool entry_region(uintptr_t at, uintptr_t addr, struct region *r)
{
	if (!at || addr - at >= sizeof(struct bpf_sock))
		return false;
	*r = (struct region){.start = at, .size = sizeof(struct bpf_sock), .name = "socket"};
	return true;
}

/* --- By number --------------------------------------------------------------------------- */

static int sockmap_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	_Atomic(void *) *slot = slots_at(m, key);
	struct socket_entry *e;
	int err = entry_new(m, value, flags, &e);

	if (err)
		return err;
	if (!slot)
		err = -E2BIG;
	else if (flags == BPF_NOEXIST && atomic_load(slot))
		err = -EEXIST;
	else if (flags == BPF_EXIST && !atomic_load(slot))
		err = -ENOENT;
	if (err)
		entry_drop(m, e);
	else
		slots_exchange(m, slot, e, entry_drop);
	return err;
}

static int sockmap_delete(struct map *m, const void *key)
{
	_Atomic(void *) *slot = slots_at(m, key);

	return slot && slots_exchange(m, slot, NULL, entry_drop) ? 0 : -EINVAL;
}

static int sockmap_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	const struct socket_entry *e;

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

static void *sockmap_lookup(struct map *m, const void *key, unsigned cpu)
{
	(void)cpu;
	return slots_get(m, slots_index(key));
}

static void sockmap_fini(struct map *m)
{
	slots_clear(m, entry_drop);
}

static bool sockmap_region(struct map *m, uintptr_t addr, struct region *r)
{
	for (uint32_t i = 0; i < m->max_entries; i++)
		if (entry_region((uintptr_t)slots_get(m, i), addr, r))
			return true;
	return false;
}

/* --- By key ------------------------------------------------------------------------------ */

static int sockhash_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	return hash_init(m, sizeof(struct socket_entry *), false);
}

static void let_go(struct map *m, struct socket_entry *e)
{
	if (!e)
		return;
	rcu_synchronize(&m->obj.k->rcu);
	entry_drop(m, e);
}

static int sockhash_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	struct socket_entry *e, *old = NULL;
	int err = entry_new(m, value, flags, &e);

	if (err)
		return err;
	err = hash_exchange(m, key, &e, flags, HASH_ALL_CPUS, &old);
	if (err)
		entry_drop(m, e);
	let_go(m, old);
	return err;
}

static int sockhash_delete(struct map *m, const void *key)
{
	struct socket_entry *old = NULL;
	int err = hash_take(m, key, 0, &old);

	let_go(m, old);
	return err;
}

static int sockhash_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	struct table *t = &hash_of(m)->table;
	struct table_spot s = table_spot(t, table_hash(t, key, m->key_size));
	const struct socket_entry *e;
	struct table_pos at;

	(void)flags;
	if (m->value_size != sizeof(e->cookie))
		return -ENOSPC;
	group_lock(s.group);
	at = table_find_locked(t, &s, key);
	if (at.ref) {
		e = *(struct socket_entry **)table_value(t, at.ref, 0);
		memcpy(value, &e->cookie, sizeof(e->cookie));
	}
	group_unlock(s.group);
	return at.ref ? 0 : -ENOENT;
}

static void *sockhash_lookup(struct map *m, const void *key, unsigned cpu)
{
	const struct table *t = &hash_of(m)->table;
	uint32_t ref = table_find(t, key, m->key_size);

	(void)cpu;
	return ref ? __atomic_load_n((void **)table_value(t, ref, 0), __ATOMIC_ACQUIRE) : NULL;
}

struct visit {
	bool (*fn)(struct map *m, struct socket_entry *e, const struct visit *v);
	uintptr_t addr;
	struct region *r;
};

static bool any_entry(struct map *m, const struct visit *v)
{
	const struct table *t = &hash_of(m)->table;
	uint32_t refs[GROUP_PLACES];

	for (uint32_t group = 0; group <= t->group_mask; group++) {
		unsigned n, skip = 0;

		do {
			n = table_group_elems(t, group, skip, refs, GROUP_PLACES);
			for (unsigned i = 0; i < n; i++)
				if (v->fn(m, *(struct socket_entry **)table_value(t, refs[i], 0),
				          v))
					return true;
			skip += n;
		} while (n == GROUP_PLACES);
	}
	return false;
}

static bool drop_one(struct map *m, struct socket_entry *e, const struct visit *v)
{
	(void)v;
	entry_drop(m, e);
	return false;
}

static bool holds(struct map *m, struct socket_entry *e, const struct visit *v)
{
	(void)m;
	return entry_region((uintptr_t)e, v->addr, v->r);
}

static void sockhash_fini(struct map *m)
{
	any_entry(m, &(struct visit){.fn = drop_one});
	hash_fini(m);
}

static bool sockhash_region(struct map *m, uintptr_t addr, struct region *r)
{
	return any_entry(m, &(struct visit){holds, addr, r});
}

const struct map_ops map_sockmap_ops = {
	.name = "sockmap",
	.size = sizeof(struct map_slots),
	.entry_size = sizeof(void *),
	.check = sockmap_check,
	.init = slots_init,
	.fini = sockmap_fini,
	.lookup = sockmap_lookup,
	.copy_in = sockmap_copy_in,
	.copy_out = sockmap_copy_out,
	.copy_delete = sockmap_delete,
	.next_key = array_next_key,
	.region = sockmap_region,
};

const struct map_ops map_sockhash_ops = {
	.name = "sockhash",
	.size = sizeof(struct map_hash),
	.check = sockhash_check,
	.init = sockhash_init,
	.fini = sockhash_fini,
	.lookup = sockhash_lookup,
	.copy_in = sockhash_copy_in,
	.copy_out = sockhash_copy_out,
	.copy_delete = sockhash_delete,
	.next_key = hash_next_key,
	.region = sockhash_region,
};
