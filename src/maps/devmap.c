/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of devices to redirect to: by number (devmap) and by any 32-bit key (devmap_hash).
 *
 * A value is the index of a device and, where it has 8 bytes, an XDP program that runs on what is
 * sent there: a descriptor when written, an id when read. Which devices there are, whoever runs the
 * program knows; any index but 0 will do.
 *
 * Programs read values (struct bpf_devmap_val: index, id) and redirect to keys.
 */
#include <errno.h>
#include <string.h>

#include "core/prog.h"
#include "maps/array.h"
#include "maps/hash.h"
#include "maps/maps.h"
#include "maps/slots.h"

enum {
	DEVMAP_FLAGS = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY,
	TO_ALL = 1 << 3,         /* BPF_F_BROADCAST */
	BUT_WHERE_FROM = 1 << 4, /* BPF_F_EXCLUDE_INGRESS */
};

struct device {
	uint32_t ifindex, prog_id; /* struct bpf_devmap_val */
	struct prog *prog;         /* referenced, or NULL */
};

static int devmap_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return attr->value_size != 4 && attr->value_size != 8 ? -EINVAL
	                                                      : slots_check(attr, DEVMAP_FLAGS);
}

static bool prog_fits(const struct prog *p)
{
	return !p || (p->type == BPF_PROG_TYPE_XDP && p->expected_attach_type == BPF_XDP_DEVMAP);
}

static void device_drop(struct map *m, void *entry)
{
	struct device *d = entry;

	if (d->prog)
		obj_put(&d->prog->obj);
	mem_free(&m->obj.k->mem, d);
}

/* A device with its program, whose reference is taken over on success. */
static int device_new(struct map *m, uint32_t ifindex, struct obj *o, bool bad, struct device **out)
{
	struct prog *p = o ? prog_of(o) : NULL;

	if (bad || !prog_fits(p) || ifindex > INT32_MAX)
		return -EINVAL;
	*out = mem_zalloc(&m->obj.k->mem, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	**out = (struct device){.ifindex = ifindex, .prog = p, .prog_id = p ? o->id : 0};
	return 0;
}

static bool redirect_to(const struct device *d, struct redirect *to)
{
	if (d)
		to->ifindex = d->ifindex;
	return d;
}

static int copy_device(struct map *m, const struct device *d, void *value)
{
	if (!d)
		return -ENOENT;
	memcpy(value, d, m->value_size);
	return 0;
}

/* --- By number --------------------------------------------------------------------------- */

static int devmap_set(struct map *m, const void *key, uint32_t ifindex, struct obj *o, bool bad,
                      uint64_t flags)
{
	_Atomic(void *) *slot = slots_at(m, key);
	struct device *d = NULL;
	int err;

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (!slot)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	if (ifindex) {
		err = device_new(m, ifindex, o, bad, &d);
		if (err)
			return err;
	} else if (o || bad) {
		return -EINVAL;
	}
	slots_exchange(m, slot, d, device_drop);
	return 0;
}

static int devmap_delete(struct map *m, const void *key)
{
	_Atomic(void *) *slot = slots_at(m, key);

	if (!slot)
		return -EINVAL;
	slots_exchange(m, slot, NULL, device_drop);
	return 0;
}

static void *devmap_lookup(struct map *m, const void *key, unsigned cpu)
{
	(void)cpu;
	return slots_get(m, slots_index(key));
}

static int devmap_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	int err;

	(void)flags;
	lock_take(&m->lock);
	err = copy_device(m, slots_get(m, slots_index(key)), value);
	lock_release(&m->lock);
	return err;
}

static bool devmap_redirect(struct map *m, uint64_t key, struct redirect *to)
{
	return redirect_to(slots_get(m, key), to);
}

static void devmap_fini(struct map *m)
{
	slots_clear(m, device_drop);
}

static bool devmap_region(struct map *m, uintptr_t addr, struct region *r)
{
	for (uint32_t i = 0; i < m->max_entries; i++) {
		uintptr_t at = (uintptr_t)slots_get(m, i);

		if (!at || addr - at >= m->value_size)
			continue;
		*r = (struct region){.start = at, .size = m->value_size, .name = "map value"};
		return true;
	}
	return false;
}

/* --- By key ------------------------------------------------------------------------------ */

static int devmap_hash_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	return hash_init(m, sizeof(struct device *), false);
}

static struct device *device_at(struct map *m, const void *key)
{
	const struct table *t = &hash_of(m)->table;
	uint32_t ref = table_find(t, key, m->key_size);

	return ref ? __atomic_load_n((struct device **)table_value(t, ref, 0), __ATOMIC_ACQUIRE)
	           : NULL;
}

static void let_go(struct map *m, struct device *d)
{
	if (!d)
		return;
	rcu_synchronize(&m->obj.k->rcu);
	device_drop(m, d);
}

/* BPF_EXIST is as good as BPF_ANY here. */
static int devmap_hash_set(struct map *m, const void *key, uint32_t ifindex, struct obj *o,
                           bool bad, uint64_t flags)
{
	struct device *d, *old = NULL;
	int err;

	if (flags > BPF_EXIST || !ifindex)
		return -EINVAL;
	if (flags == BPF_NOEXIST && device_at(m, key))
		return -EEXIST;
	err = device_new(m, ifindex, o, bad, &d);
	if (err)
		return err;
	err = hash_exchange(m, key, &d, flags == BPF_NOEXIST ? flags : BPF_ANY, HASH_ALL_CPUS, &old);
	if (err)
		mem_free(&m->obj.k->mem, d);
	let_go(m, old);
	return err;
}

static int devmap_hash_delete(struct map *m, const void *key)
{
	struct device *old = NULL;
	int err = hash_take(m, key, 0, &old);

	let_go(m, old);
	return err;
}

static void *devmap_hash_lookup(struct map *m, const void *key, unsigned cpu)
{
	(void)cpu;
	return device_at(m, key);
}

static int devmap_hash_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	struct table *t = &hash_of(m)->table;
	struct table_spot s = table_spot(t, table_hash(t, key, m->key_size));
	struct table_pos at;
	int err;

	(void)flags;
	group_lock(s.group);
	at = table_find_locked(t, &s, key);
	err = copy_device(m, at.ref ? *(struct device **)table_value(t, at.ref, 0) : NULL, value);
	group_unlock(s.group);
	return err;
}

static bool devmap_hash_redirect(struct map *m, uint64_t key, struct redirect *to)
{
	uint32_t index = (uint32_t)key;

	return redirect_to(device_at(m, &index), to);
}

struct visit {
	bool (*fn)(struct map *m, struct device *d, void *arg);
	void *arg;
};

static bool any_device(struct map *m, const struct visit *v)
{
	const struct table *t = &hash_of(m)->table;
	uint32_t refs[GROUP_PLACES];

	for (uint32_t group = 0; group <= t->group_mask; group++) {
		unsigned n, skip = 0;

		do {
			n = table_group_elems(t, group, skip, refs, GROUP_PLACES);
			for (unsigned i = 0; i < n; i++)
				if (v->fn(m, *(struct device **)table_value(t, refs[i], 0), v->arg))
					return true;
			skip += n;
		} while (n == GROUP_PLACES);
	}
	return false;
}

static bool drop_one(struct map *m, struct device *d, void *arg)
{
	(void)arg;
	device_drop(m, d);
	return false;
}

static void devmap_hash_fini(struct map *m)
{
	any_device(m, &(struct visit){drop_one, NULL});
	hash_fini(m);
}

struct query {
	uintptr_t addr;
	struct region *r;
};

static bool holds(struct map *m, struct device *d, void *arg)
{
	const struct query *q = arg;

	if (q->addr - (uintptr_t)d >= m->value_size)
		return false;
	*q->r = (struct region){
		.start = (uintptr_t)d, .size = m->value_size, .name = "map value"};
	return true;
}

static bool devmap_hash_region(struct map *m, uintptr_t addr, struct region *r)
{
	return any_device(m, &(struct visit){holds, &(struct query){addr, r}});
}

#define DEVMAP_OPS                                                                                \
	.check = devmap_check, .fd_kind = OBJ_PROG, .redirect_flags = TO_ALL | BUT_WHERE_FROM,    \
	.prog_rdonly = true

const struct map_ops map_devmap_ops = {
	.name = "devmap",
	.size = sizeof(struct map_slots),
	.entry_size = sizeof(void *),
	.init = slots_init,
	.fini = devmap_fini,
	.lookup = devmap_lookup,
	.copy_out = devmap_copy_out,
	.copy_delete = devmap_delete,
	.next_key = array_next_key,
	.set_pair = devmap_set,
	.redirect = devmap_redirect,
	.region = devmap_region,
	DEVMAP_OPS,
};

const struct map_ops map_devmap_hash_ops = {
	.name = "devmap_hash",
	.size = sizeof(struct map_hash),
	.init = devmap_hash_init,
	.fini = devmap_hash_fini,
	.lookup = devmap_hash_lookup,
	.copy_out = devmap_hash_copy_out,
	.copy_delete = devmap_hash_delete,
	.next_key = hash_next_key,
	.set_pair = devmap_hash_set,
	.redirect = devmap_hash_redirect,
	.region = devmap_hash_region,
	DEVMAP_OPS,
};
