/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays of control groups, for bpf_current_task_under_cgroup() and bpf_skb_under_cgroup().
 *
 * A value is a descriptor of a directory of the host's cgroup2 file system, of which the number that
 * is the group's id is kept. Nothing is ever read back.
 */
#include <errno.h>
#include <string.h>

#include "core/host.h"
#include "maps/array.h"
#include "maps/maps.h"
#include "maps/slots.h"

static int cgroup_array_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (attr->value_size != 4)
		return -EINVAL;
	return slots_check(attr, BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY);
}

static void entry_drop(struct map *m, void *entry)
{
	mem_free(&m->obj.k->mem, entry);
}

static int cgroup_array_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	_Atomic(void *) *slot = slots_at(m, key);
	uint64_t id, *entry;
	int32_t fd;
	int err;

	if (flags != BPF_ANY)
		return -EINVAL;
	if (!slot)
		return -E2BIG;
	memcpy(&fd, value, sizeof(fd));
	err = host_cgroup(fd, &id);
	if (err)
		return err;
	entry = mem_copy(&m->obj.k->mem, &id, sizeof(id));
	if (!entry)
		return -ENOMEM;
	slots_exchange(m, slot, entry, entry_drop);
	return 0;
}

static int cgroup_array_delete(struct map *m, const void *key)
{
	_Atomic(void *) *slot = slots_at(m, key);

	if (!slot)
		return -E2BIG;
	return slots_exchange(m, slot, NULL, entry_drop) ? 0 : -ENOENT;
}

static int cgroup_array_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)m;
	(void)key;
	(void)value;
	(void)flags;
	return -ENOTSUPP;
}

static int cgroup_array_id(struct map *m, uint64_t index, uint64_t *id)
{
	const uint64_t *entry;

	if (index >= m->max_entries)
		return -E2BIG;
	entry = slots_get(m, index);
	if (!entry)
		return -EAGAIN;
	*id = *entry;
	return 0;
}

static void cgroup_array_fini(struct map *m)
{
	slots_clear(m, entry_drop);
}

const struct map_ops map_cgroup_array_ops = {
	.name = "cgroup_array",
	.size = sizeof(struct map_slots),
	.entry_size = sizeof(void *),
	.check = cgroup_array_check,
	.init = slots_init,
	.fini = cgroup_array_fini,
	.copy_in = cgroup_array_copy_in,
	.copy_out = cgroup_array_copy_out,
	.copy_delete = cgroup_array_delete,
	.next_key = array_next_key,
	.cgroup_id = cgroup_array_id,
	.release_uref = cgroup_array_fini,
};
