/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dispatch to map types, and bpf(2)'s view of elements: see map.h.
 *
 * This is the only place that turns a missing operation into an errno.
 */
#include "core/map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/copy.h"
#include "core/btf.h"
#include "core/perf.h"
#include "core/prog.h"
#include "core/record.h"

static size_t round_up8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

size_t map_value_size(const struct map *m)
{
	return m->ops->per_cpu ? round_up8(m->value_size) * m->obj.k->ncpus : m->value_size;
}

/* Is this one of the host's memory nodes? -1 is none in particular. */
static bool numa_node_ok(uint32_t node)
{
	char path[64];

	if (node == UINT32_MAX || node == 0)
		return true;
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u", node);
	return access(path, F_OK) == 0;
}

static bool both(uint32_t flags, uint32_t pair)
{
	return (flags & pair) == pair;
}

int map_attr_check(const struct skep *k, const struct map_attr *attr)
{
	const struct map_ops *ops = map_ops_find(k, attr->type);

	if (!ops || (attr->extra && !ops->takes_extra))
		return -EINVAL;
	if ((attr->flags & BPF_F_NUMA_NODE) && !numa_node_ok(attr->numa_node))
		return -EINVAL;
	if (both(attr->flags, BPF_F_RDONLY | BPF_F_WRONLY) ||
	    both(attr->flags, BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG))
		return -EINVAL;
	return ops->check ? ops->check(k, attr) : 0;
}

static struct map *map_alloc(const struct mem *mem, const struct map_ops *ops, uint32_t entries)
{
	size_t size;

	if (__builtin_mul_overflow(ops->entry_size, (size_t)entries, &size) ||
	    __builtin_add_overflow(size, ops->size, &size))
		return NULL;
	return mem_zalloc(mem, size);
}

uint64_t map_memory(const struct map *m)
{
	return m->ops->memory ? m->ops->memory(m) : m->memory;
}

struct release {
	const struct map *m;
	uint32_t mask; /* of special kinds */
};

static void release_value(void *value, void *arg)
{
	const struct release *r = arg;

	record_release(r->m->obj.k, r->m->record, value, r->mask);
}

static void release_values(struct map *m, uint32_t mask)
{
	if (m->record && m->record->mask & mask && m->ops->each_value)
		m->ops->each_value(m, release_value, &(struct release){m, mask});
}

void map_release_uref(struct map *m)
{
	if (m->ops->release_uref)
		m->ops->release_uref(m);
	release_values(m, SPECIAL_ASYNC);
}

static void map_free(struct obj *o)
{
	struct map *m = (struct map *)o;
	struct skep *k = o->k;

	release_values(m, SPECIAL_IN_VALUES);
	/* A timer's function may be at it. */
	if (m->record && m->record->mask & SPECIAL_ASYNC)
		rcu_synchronize(&k->rcu);
	record_free(&k->mem, m->record);
	if (m->ops->fini)
		m->ops->fini(m);
	pages_free(&m->pages);
	mem_free(&k->mem, m->inner);
	if (m->btf)
		obj_put(&m->btf->obj);
	if (m->event_fd)
		close(m->event_fd - 1);
	mem_free(&k->mem, m);
}

int map_new(struct skep *k, const struct map_attr *attr, struct map **out)
{
	const struct map_ops *ops;
	struct map *m;
	int err = map_attr_check(k, attr);

	if (err)
		return err;
	ops = map_ops_find(k, attr->type);
	m = map_alloc(&k->mem, ops, attr->max_entries);
	if (!m)
		return -ENOMEM;
	obj_init(&m->obj, k, OBJ_MAP, map_free);
	m->ops = ops;
	m->type = attr->type;
	m->key_size = attr->key_size;
	m->value_size = attr->value_size;
	m->max_entries = attr->max_entries;
	m->flags = attr->flags & ~(uint32_t)(BPF_F_RDONLY | BPF_F_WRONLY); /* the descriptor's */
	if (ops->prog_rdonly)
		m->flags |= BPF_F_RDONLY_PROG;
	m->extra = attr->extra;
	memcpy(m->name, attr->name, sizeof(m->name));
	m->pages.fd = -1;
	err = ops->init ? ops->init(m, attr) : 0;
	if (err) {
		mem_free(&k->mem, m);
		return err;
	}
	if (!map_prog_writes(m))
		pages_refuse_writers(&m->pages);
	*out = m;
	return 0;
}

int map_create(struct skep *k, const struct map_attr *attr, struct map **out)
{
	struct map *m;
	int err = map_new(k, attr, &m);

	if (err)
		return err;
	err = obj_publish(&m->obj);
	if (err)
		obj_put(&m->obj);
	else
		*out = m;
	return err;
}

int map_lookup(struct map *m, const void *key, void *value, uint64_t flags)
{
	void *live;

	if (m->ops->copy_out)
		return m->ops->copy_out(m, key, value, flags);
	if (!m->ops->lookup)
		return -ENOTSUPP;
	live = m->ops->lookup(m, key, 0);
	if (!live)
		return -ENOENT;
	if (flags & BPF_F_LOCK)
		record_copy_out_locked(m->record, value, live, m->value_size);
	else if (m->record)
		record_copy_out(m->record, value, live, m->value_size);
	else
		copy_from_shared(value, live, m->value_size);
	return 0;
}

/* For who has no descriptors: a second word that is one leads nowhere. */
static int map_set_pair(struct map *m, const void *key, const void *value, uint64_t flags)
{
	int32_t pair[2] = {0, 0};

	memcpy(pair, value, m->value_size);
	return m->ops->set_pair(m, key, (uint32_t)pair[0], NULL, pair[1] > 0, flags);
}

int map_update(struct map *m, const void *key, const void *value, uint64_t flags)
{
	if (atomic_load_explicit(&m->frozen, memory_order_acquire))
		return -EPERM;
	if (m->ops->set_pair)
		return map_set_pair(m, key, value, flags);
	if (m->ops->copy_in)
		return m->ops->copy_in(m, key, value, flags);
	return m->ops->update ? m->ops->update(m, key, value, flags, 0) : -ENOTSUPP;
}

int map_delete(struct map *m, const void *key)
{
	if (atomic_load_explicit(&m->frozen, memory_order_acquire))
		return -EPERM;
	if (m->ops->copy_delete)
		return m->ops->copy_delete(m, key);
	return m->ops->remove ? m->ops->remove(m, key) : -ENOTSUPP;
}

int map_take(struct map *m, const void *key, void *value, uint64_t flags)
{
	if (atomic_load_explicit(&m->frozen, memory_order_acquire))
		return -EPERM;
	return m->ops->copy_take ? m->ops->copy_take(m, key, value, flags) : -ENOTSUPP;
}

int map_next_key(struct map *m, const void *key, void *next)
{
	return m->ops->next_key ? m->ops->next_key(m, key, next) : -ENOTSUPP;
}

int map_freeze(struct map *m)
{
	if (m->record || m->ops->never_freezes)
		return -ENOTSUPP;
	if (atomic_exchange(&m->frozen, true))
		return -EBUSY;
	pages_refuse_writers(&m->pages);
	return 0;
}

bool map_any(struct map *const *maps, uint32_t n, bool (*fn)(struct map *m, void *arg), void *arg)
{
	for (uint32_t i = 0; i < n; i++)
		if (fn(maps[i], arg) ||
		    (maps[i]->ops->any_inner && maps[i]->ops->any_inner(maps[i], fn, arg)))
			return true;
	return false;
}

bool map_prog_array_fits(struct map *m, const struct prog *p)
{
	struct map_prog_array *a = (struct map_prog_array *)m;
	uint32_t flags = p->flags & BPF_F_XDP_HAS_FRAGS;
	bool fits;

	lock_take(&m->lock);
	if (!a->owned) {
		a->owned = true;
		a->owner_type = p->type;
		a->owner_attach_type = p->expected_attach_type;
		a->owner_flags = flags;
	}
	fits = a->owner_type == p->type && a->owner_attach_type == p->expected_attach_type &&
	       a->owner_flags == flags;
	lock_release(&m->lock);
	return fits;
}

int map_event_fd(struct map *m)
{
	int none = 0, fd = atomic_load(&m->event_fd) - 1;

	if (fd >= 0)
		return fd;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (atomic_compare_exchange_strong(&m->event_fd, &none, fd + 1))
		return fd;
	close(fd); /* another thread was first */
	return none - 1;
}

void map_wake(struct map *m)
{
	int fd = atomic_load_explicit(&m->event_fd, memory_order_acquire) - 1;
	uint64_t one = 1;

	/* It fails only when the counter is full, and then it is readable already. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) != sizeof(one))
		return;
}

static void settle(const struct map *m, int fd)
{
	uint64_t value = 1;

	/* First emptied, then looked at: what a program writes afterwards wakes by itself. */
	if (!m->ops->readable(m) && read(fd, &value, sizeof(value)) < 0)
		return; /* it was empty */
	value = 1;
	if (m->ops->readable(m) && write(fd, &value, sizeof(value)) < 0)
		return; /* it is full, and so readable */
}

static void perf_settle(const struct id_table *t)
{
	for (unsigned i = 0; i < t->cap; i++) {
		struct perf_ring *r = (struct perf_ring *)t->slot[i];
		int fd = r ? atomic_load(&r->event_fd) - 1 : -1;
		uint64_t value = 1;

		/* As above; a ring's lock is never held while waiting for anything. */
		if (fd < 0 || (!perf_ring_readable(r) && read(fd, &value, sizeof(value)) < 0))
			continue;
		value = 1;
		if (perf_ring_readable(r) && write(fd, &value, sizeof(value)) < 0)
			continue; /* it is full, and so readable */
	}
}

void map_events_settle(struct skep *k)
{
	const struct id_table *t = &k->ids[OBJ_MAP];

	lock_take(&k->lock); /* no map is freed meanwhile */
	for (unsigned i = 0; i < t->cap; i++) {
		const struct map *m = (const struct map *)t->slot[i];
		int fd = m ? atomic_load(&m->event_fd) - 1 : -1;

		if (fd >= 0 && m->ops->readable)
			settle(m, fd);
	}
	perf_settle(&k->ids[OBJ_PERF]);
	lock_release(&k->lock);
}
