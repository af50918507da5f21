/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perf event arrays: rings for bpf_perf_event_output(), one a CPU by custom.
 *
 * A value is the descriptor of a perf event (core/perf.h) and is never read back. What is in the array
 * leaves it when no client can reach the array any more, unless it was made with BPF_F_PRESERVE_ELEMS.
 */
#include <errno.h>
#include <string.h>

#include "core/perf.h"
#include "maps/array.h"
#include "maps/maps.h"
#include "maps/slots.h"

static int perf_array_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (attr->value_size != 4)
		return -EINVAL;
	return slots_check(attr, BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY |
	                                 BPF_F_PRESERVE_ELEMS);
}

static void entry_drop(struct map *m, void *entry)
{
	(void)m;
	obj_put(entry);
}

static int perf_array_set_ok(const struct map *m, const void *key, uint64_t flags)
{
	if (flags != BPF_ANY)
		return -EINVAL;
	return slots_index(key) >= m->max_entries ? -E2BIG : 0;
}

static int perf_array_set(struct map *m, const void *key, struct obj *o, uint64_t flags)
{
	int err = perf_array_set_ok(m, key, flags);

	if (!err)
		slots_exchange(m, slots_at(m, key), o, entry_drop);
	return err;
}

static int perf_array_delete(struct map *m, const void *key)
{
	_Atomic(void *) *slot = slots_at(m, key);

	if (!slot)
		return -E2BIG;
	return slots_exchange(m, slot, NULL, entry_drop) ? 0 : -ENOENT;
}

static int perf_array_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)m;
	(void)key;
	(void)value;
	(void)flags;
	return -ENOTSUPP;
}

static int64_t perf_array_output(struct map *m, uint64_t index, const struct perf_sample *sample,
                                 struct cpu *cpu)
{
	struct perf_ring *r;

	if (index >= m->max_entries)
		return -E2BIG;
	r = slots_get(m, index);
	if (!r)
		return -ENOENT;
	if (r->cpu != cpu->id || !atomic_load_explicit(&r->enabled, memory_order_relaxed))
		return -EOPNOTSUPP;
	return perf_ring_put(r, sample);
}

static void perf_array_fini(struct map *m)
{
	slots_clear(m, entry_drop);
}

static void perf_array_release_uref(struct map *m)
{
	if (!(m->flags & BPF_F_PRESERVE_ELEMS))
		slots_clear(m, entry_drop);
}

const struct map_ops map_perf_event_array_ops = {
	.name = "perf_event_array",
	.size = sizeof(struct map_slots),
	.entry_size = sizeof(void *),
	.check = perf_array_check,
	.init = slots_init,
	.fini = perf_array_fini,
	.copy_out = perf_array_copy_out,
	.copy_delete = perf_array_delete,
	.next_key = array_next_key,
	.fd_kind = OBJ_PERF,
	.fd_wrong = EBADF,
	.set_ok = perf_array_set_ok,
	.set = perf_array_set,
	.perf_output = perf_array_output,
	.release_uref = perf_array_release_uref,
};
