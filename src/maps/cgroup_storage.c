/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Storage of programs attached to control groups, by group: one value, or one a CPU.
 *
 * A value comes into being when a program that uses the map is attached to a group, which nobody
 * can do here yet; until then bpf(2) finds nothing. A program that runs unattached (test runs) gets
 * from bpf_get_local_storage() a value of the map's own, which begins as zeros.
 */
#include <errno.h>

#include "maps/maps.h"

enum {
	VALUE_MAX = 65407,          /* the kernel's limit, in this version */
	PERCPU_VALUE_MAX = 32768,
	CGROUP_STORAGE_FLAGS = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG |
	                       BPF_F_WRONLY_PROG,
};

struct map_cgroup_storage {
	struct map map;
	uint8_t *value; /* of an unattached program; one a CPU, planes of whole cache lines */
	size_t plane;   /* 0: all CPUs have the same */
};

static struct map_cgroup_storage *storage_of(const struct map *m)
{
	return (struct map_cgroup_storage *)m;
}

/* A key is struct bpf_cgroup_storage_key, or its first word, the group's id. */
static int check(const struct map_attr *attr, uint32_t value_max)
{
	if ((attr->key_size != 16 && attr->key_size != 8) || !attr->value_size)
		return -EINVAL;
	if (attr->value_size > value_max)
		return -E2BIG;
	return attr->max_entries || (attr->flags & ~(uint32_t)CGROUP_STORAGE_FLAGS) ? -EINVAL : 0;
}

static int shared_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return check(attr, VALUE_MAX);
}

static int percpu_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return check(attr, PERCPU_VALUE_MAX);
}

static size_t values_size(const struct map *m)
{
	const struct map_cgroup_storage *s = storage_of(m);

	return s->plane ? s->plane * m->obj.k->ncpus : m->value_size;
}

static int cgroup_storage_init(struct map *m, const struct map_attr *attr)
{
	struct map_cgroup_storage *s = storage_of(m);

	(void)attr;
	if (m->ops->per_cpu)
		s->plane = (m->value_size + 63u) & ~(size_t)63;
	s->value = mem_map(&m->obj.k->mem, values_size(m));
	m->memory = sizeof(*s) + values_size(m);
	return s->value ? 0 : -ENOMEM;
}

static void cgroup_storage_fini(struct map *m)
{
	mem_unmap(&m->obj.k->mem, storage_of(m)->value, values_size(m));
}

static void *cgroup_storage_local(struct map *m, unsigned cpu)
{
	return storage_of(m)->value + cpu * storage_of(m)->plane;
}

static bool cgroup_storage_region(struct map *m, uintptr_t addr, struct region *r)
{
	const struct map_cgroup_storage *s = storage_of(m);
	size_t off = addr - (uintptr_t)s->value;

	if (off >= values_size(m))
		return false;
	if (s->plane)
		off %= s->plane;
	if (off >= m->value_size)
		return false;
	*r = (struct region){.start = addr - off,
	                     .size = m->value_size,
	                     .writable = map_prog_writes(m),
	                     .name = "map value"};
	return true;
}

static int none_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)m;
	(void)key;
	(void)value;
	(void)flags;
	return -ENOENT;
}

/* Only what there is can be updated. */
static int none_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	(void)m;
	(void)key;
	(void)value;
	return flags & ~(uint64_t)(BPF_F_LOCK | BPF_EXIST) ? -EINVAL : -ENOENT;
}

static int never_deleted(struct map *m, const void *key)
{
	(void)m;
	(void)key;
	return -EINVAL;
}

static int no_key(struct map *m, const void *key, void *next)
{
	(void)m;
	(void)key;
	(void)next;
	return -ENOENT;
}

#define CGROUP_STORAGE_OPS                                                                     \
	.size = sizeof(struct map_cgroup_storage), .init = cgroup_storage_init,                \
	.fini = cgroup_storage_fini, .region = cgroup_storage_region,                          \
	.local_storage = cgroup_storage_local, .copy_out = none_out, .copy_in = none_in,       \
	.copy_delete = never_deleted, .next_key = no_key, .no_inner = true

const struct map_ops map_cgroup_storage_ops = {
	.name = "cgroup_storage", .check = shared_check, CGROUP_STORAGE_OPS};

const struct map_ops map_percpu_cgroup_storage_ops = {
	.name = "percpu_cgroup_storage",
	.check = percpu_check,
	.per_cpu = true,
	CGROUP_STORAGE_OPS,
};
