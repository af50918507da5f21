/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of CPUs to redirect to: the number of packets that may wait for a CPU, and, where values have
 * 8 bytes, an XDP program that runs there. A length of 0 empties the slot.
 */
#include <errno.h>
#include <string.h>

#include "core/prog.h"
#include "maps/array.h"
#include "maps/maps.h"
#include "maps/slots.h"

enum {
	CPUS_MAX = 256, /* NR_CPUS of the kernel that the tests ask */
	QUEUE_MAX = 16384,
};

struct cpu_entry {
	uint32_t qsize, prog_id; /* struct bpf_cpumap_val */
	struct prog *prog;       /* referenced, or NULL */
};

static int cpumap_check(const struct skep *k, const struct map_attr *attr)
{
	uint32_t most = k->ncpus > CPUS_MAX ? k->ncpus : CPUS_MAX;

	if (attr->value_size != 4 && attr->value_size != 8)
		return -EINVAL;
	if (slots_check(attr, BPF_F_NUMA_NODE))
		return -EINVAL;
	return attr->max_entries > most ? -E2BIG : 0;
}

static void entry_drop(struct map *m, void *entry)
{
	struct cpu_entry *e = entry;

	if (e->prog)
		obj_put(&e->prog->obj);
	mem_free(&m->obj.k->mem, e);
}

static bool prog_fits(const struct prog *p)
{
	return !p || (p->type == BPF_PROG_TYPE_XDP && p->expected_attach_type == BPF_XDP_CPUMAP);
}

/* A program that does not fit is ENOMEM, as in the kernel. */
static int cpumap_set(struct map *m, const void *key, uint32_t qsize, struct obj *o, bool bad,
                      uint64_t flags)
{
	_Atomic(void *) *slot = slots_at(m, key);
	struct prog *p = o ? prog_of(o) : NULL;
	struct cpu_entry *e = NULL;

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (!slot)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	if (qsize > QUEUE_MAX)
		return -EOVERFLOW;
	if (slots_index(key) >= m->obj.k->ncpus)
		return -ENODEV;
	if (qsize) {
		e = bad || !prog_fits(p) ? NULL : mem_zalloc(&m->obj.k->mem, sizeof(*e));
		if (!e)
			return -ENOMEM;
		*e = (struct cpu_entry){.qsize = qsize, .prog = p, .prog_id = p ? o->id : 0};
	} else if (o) {
		obj_put(o);
	}
	slots_exchange(m, slot, e, entry_drop);
	return 0;
}

static int cpumap_delete(struct map *m, const void *key)
{
	_Atomic(void *) *slot = slots_at(m, key);

	if (!slot)
		return -EINVAL;
	slots_exchange(m, slot, NULL, entry_drop);
	return 0;
}

static int cpumap_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	const struct cpu_entry *e;

	(void)flags;
	lock_take(&m->lock);
	e = slots_get(m, slots_index(key));
	if (e)
		memcpy(value, e, m->value_size);
	lock_release(&m->lock);
	return e ? 0 : -ENOENT;
}

static bool cpumap_redirect(struct map *m, uint64_t key, struct redirect *to)
{
	(void)to;
	return slots_get(m, key);
}

static void cpumap_fini(struct map *m)
{
	slots_clear(m, entry_drop);
}

const struct map_ops map_cpumap_ops = {
	.name = "cpumap",
	.size = sizeof(struct map_slots),
	.entry_size = sizeof(void *),
	.check = cpumap_check,
	.init = slots_init,
	.fini = cpumap_fini,
	.copy_out = cpumap_copy_out,
	.copy_delete = cpumap_delete,
	.next_key = array_next_key,
	.fd_kind = OBJ_PROG,
	.set_pair = cpumap_set,
	.redirect = cpumap_redirect,
};
