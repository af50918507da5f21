/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays and per-CPU arrays: max_entries values by number, all there from the start, all zero.
 *
 *   array                 value[0] | value[1] | ...                 each rounded up to 8 bytes
 *   per-CPU array   cpu 0: value[0] | value[1] | ...   (a plane)
 *                   cpu 1: value[0] | value[1] | ...                planes whole cache lines apart
 *
 * A plane per CPU instead of CPUs side by side, so that two CPUs never write the same cache line,
 * and an address is base + cpu * plane + index * element.
 *
 * Clients may map an array made with BPF_F_MMAPABLE; its storage then is shareable pages that begin
 * with element 0. Nothing but values is in there, so nothing in it needs to be trusted.
 *
 * Values are overwritten in place; readers see whole 8-byte words, as in the kernel.
 */
#include "maps/array.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/copy.h"
#include "core/record.h"
#include "isa/insn.h"
#include "maps/maps.h"

enum {
	LINE = 64,
	PERCPU_VALUE_MAX = 32768, /* the kernel's limit of one per-CPU allocation */
	ARRAY_FLAGS = BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_RDONLY | BPF_F_WRONLY |
	              BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG | BPF_F_INNER_MAP,
};

struct map_array {
	struct map map;
	uint8_t *values;
	uint32_t elem; /* bytes from one value to the next */
	size_t plane;  /* bytes from one CPU's values to the next CPU's; 0: not per CPU */
	size_t size;   /* of values */
};

static struct map_array *array_of(const struct map *m)
{
	return (struct map_array *)m;
}

static uint32_t key_index(const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index;
}

static int check(const struct map_attr *attr, uint32_t flags, uint32_t value_max)
{
	if (attr->key_size != 4 || attr->value_size == 0 || attr->max_entries == 0 ||
	    (attr->flags & ~flags))
		return -EINVAL;
	return attr->value_size > value_max ? -E2BIG : 0;
}

static int array_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return check(attr, ARRAY_FLAGS, INT_MAX);
}

static int percpu_array_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (map_attr_wants_node(attr))
		return -EINVAL;
	return check(attr,
	             BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG |
	                     BPF_F_WRONLY_PROG,
	             PERCPU_VALUE_MAX);
}

static int init(struct map *m, size_t planes)
{
	struct map_array *a = array_of(m);
	const struct mem *mem = &m->obj.k->mem;
	int err;

	a->elem = (m->value_size + 7) & ~7u;
	a->size = (size_t)a->elem * m->max_entries; /* below 2^63 */
	if (m->ops->per_cpu) {
		a->plane = (a->size + LINE - 1) & ~(size_t)(LINE - 1);
		if (__builtin_mul_overflow(a->plane, planes, &a->size))
			return -ENOMEM;
	}
	if (m->flags & BPF_F_MMAPABLE) {
		err = pages_alloc(&m->pages, mem, "bpf-map", a->size);
		if (err)
			return err;
		a->values = m->pages.base;
		m->memory = sizeof(*a) + m->pages.size;
		return 0;
	}
	a->values = mem_map(mem, a->size);
	if (!a->values)
		return -ENOMEM;
	m->memory = sizeof(*a) + a->size;
	return 0;
}

static int array_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	return init(m, 1);
}

static int percpu_array_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	return init(m, m->obj.k->ncpus);
}

static void array_fini(struct map *m)
{
	struct map_array *a = array_of(m);

	if (!m->pages.base)
		mem_unmap(&m->obj.k->mem, a->values, a->size);
}

/* The value of an index in range; plane is 0 where all CPUs see the same. */
static uint8_t *value_at(const struct map_array *a, uint32_t index, unsigned cpu)
{
	return a->values + cpu * a->plane + (size_t)index * a->elem;
}

static void *array_lookup(struct map *m, const void *key, unsigned cpu)
{
	uint32_t index = key_index(key);

	return index < m->max_entries ? value_at(array_of(m), index, cpu) : NULL;
}

static void *percpu_array_lookup_percpu(struct map *m, const void *key, unsigned cpu)
{
	return cpu < m->obj.k->ncpus ? array_lookup(m, key, cpu) : NULL;
}

/* What is wrong with an update, or 0. Which fault comes first is the kernel's order. */
static int update_check(const struct map *m, const void *key, uint64_t flags)
{
	if ((flags & ~(uint64_t)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	if (key_index(key) >= m->max_entries)
		return -E2BIG;
	if (flags & BPF_NOEXIST)
		return -EEXIST;
	return flags & BPF_F_LOCK && !record_has(m->record, SPECIAL_SPIN_LOCK) ? -EINVAL : 0;
}

/* Puts a value in its place; what the special fields of the old one hold ends. */
static void write_value(struct map *m, uint8_t *at, const void *value, size_t size, uint64_t flags)
{
	if (__builtin_expect(!m->record, 1)) {
		copy_to_shared(at, value, size);
		return;
	}
	if (flags & BPF_F_LOCK)
		record_copy_in_locked(m->record, at, value, size);
	else
		record_copy_in(m->record, at, value, size);
	record_release(m->obj.k, m->record, at, SPECIAL_IN_VALUES);
}

static int array_update(struct map *m, const void *key, const void *value, uint64_t flags,
                        unsigned cpu)
{
	int err = update_check(m, key, flags);

	if (!err)
		write_value(m, value_at(array_of(m), key_index(key), cpu), value, m->value_size,
		            flags);
	return err;
}

static int array_remove(struct map *m, const void *key)
{
	(void)m;
	(void)key;
	return -EINVAL;
}

int array_set_ok(const struct map *m, const void *key, uint64_t flags)
{
	if (flags != BPF_ANY)
		return -EINVAL;
	return key_index(key) < m->max_entries ? 0 : -E2BIG;
}

int array_next_key(struct map *m, const void *key, void *next)
{
	uint32_t index = key ? key_index(key) : UINT32_MAX;

	if (key && index == m->max_entries - 1)
		return -ENOENT;
	index = index < m->max_entries ? index + 1 : 0;
	memcpy(next, &index, sizeof(index));
	return 0;
}

static int64_t array_for_each(struct map *m, struct callback *fn, uint64_t arg, uint64_t flags,
                              struct cpu *cpu)
{
	struct map_array *a = array_of(m);
	uint32_t index, key;

	if (flags)
		return -EINVAL;
	for (index = 0; index < m->max_entries; index++) {
		key = index;
		if (fn->call((uintptr_t)m, (uintptr_t)&key,
		             (uintptr_t)value_at(a, index, cpu->id), arg, 0, cpu, fn)) {
			index++;
			break;
		}
	}
	return index;
}

static int percpu_array_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	const struct map_array *a = array_of(m);

	(void)flags;
	if (key_index(key) >= m->max_entries)
		return -ENOENT;
	for (unsigned cpu = 0; cpu < m->obj.k->ncpus; cpu++) {
		const uint8_t *from = value_at(a, key_index(key), cpu);
		uint8_t *to = (uint8_t *)value + cpu * a->elem;

		if (m->record)
			record_copy_out(m->record, to, from, a->elem);
		else
			copy_from_shared(to, from, a->elem);
	}
	return 0;
}

static int percpu_array_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	const struct map_array *a = array_of(m);
	int err = update_check(m, key, flags);

	for (unsigned cpu = 0; !err && cpu < m->obj.k->ncpus; cpu++)
		write_value(m, value_at(a, key_index(key), cpu),
		            (const uint8_t *)value + cpu * a->elem, a->elem, 0);
	return err;
}

static bool array_region(struct map *m, uintptr_t addr, struct region *r)
{
	const struct map_array *a = array_of(m);
	size_t off = addr - (uintptr_t)a->values;

	if (off >= a->size)
		return false;
	if (a->plane)
		off %= a->plane;
	/* One value: a program that walks out of its own has gone wrong, also into a neighbour. */
	if (off / a->elem >= m->max_entries || off % a->elem >= m->value_size)
		return false;
	*r = (struct region){.start = addr - off % a->elem,
	                     .size = m->value_size,
	                     .writable = map_prog_writes(m),
	                     .name = "map value"};
	return true;
}

static int array_direct_value(struct map *m, uint32_t offset, uintptr_t *addr)
{
	if (m->max_entries != 1)
		return -ENOTSUPP;
	if (offset >= m->value_size)
		return -EINVAL;
	*addr = (uintptr_t)array_of(m)->values + offset;
	return 0;
}

/* r0 = *(u32 *)r2; if r0 >= max goto null; r0 *= elem; r1 = values [+ cpu * plane]; r0 += r1 */
static unsigned array_inline_lookup(const struct map *m, struct insn *out)
{
	const struct map_array *a = array_of(m);
	uint64_t base = (uintptr_t)a->values;
	bool power = (a->elem & (a->elem - 1)) == 0;
	struct insn *i = out, *bound;

	if (a->elem > INT_MAX || a->plane > INT_MAX || m->max_entries > INT_MAX)
		return 0;
	*i++ = (struct insn){.code = 0x61, .dst = R0, .src = R2}; /* r0 = *(u32 *)(r2 + 0) */
	bound = i;
	*i++ = (struct insn){.code = 0x35, .dst = R0, .imm = (int32_t)m->max_entries}; /* >= */
	if (power)
		*i++ = (struct insn){
			.code = 0x67, .dst = R0, .imm = __builtin_ctz(a->elem)}; /* <<= */
	else
		*i++ = (struct insn){.code = 0x27, .dst = R0, .imm = (int32_t)a->elem}; /* *= */
	if (a->plane) {
		*i++ = (struct insn){.code = 0xa1, .dst = R1, .off = offsetof(struct cpu, id)};
		*i++ = (struct insn){.code = 0x27, .dst = R1, .imm = (int32_t)a->plane};
		*i++ = (struct insn){.code = 0x0f, .dst = R0, .src = R1};
	}
	*i++ = (struct insn){.code = 0x18, .dst = R1, .imm = (int32_t)base};
	*i++ = (struct insn){.imm = (int32_t)(base >> 32)};
	*i++ = (struct insn){.code = 0x0f, .dst = R0, .src = R1};
	*i++ = (struct insn){.code = 0x05, .off = 1}; /* goto +1 */
	bound->off = (int16_t)(i - bound - 1);
	*i++ = (struct insn){.code = 0xb7, .dst = R0}; /* r0 = 0 */
	return (unsigned)(i - out);
}

/*
 * Pages that clients may map are no place for special fields: such an array gets memory of its own.
 */
static int array_take_record(struct map *m)
{
	struct map_array *a = array_of(m);
	uint8_t *values;

	if (!m->pages.base)
		return 0;
	values = mem_map(&m->obj.k->mem, a->size);
	if (!values)
		return -ENOMEM;
	pages_free(&m->pages);
	m->pages = (struct pages){.fd = -1};
	a->values = values;
	return 0;
}

static void array_each_value(struct map *m, void (*fn)(void *value, void *arg), void *arg)
{
	const struct map_array *a = array_of(m);
	unsigned planes = m->ops->per_cpu ? m->obj.k->ncpus : 1;

	for (unsigned cpu = 0; cpu < planes; cpu++)
		for (uint32_t i = 0; i < m->max_entries; i++)
			fn(value_at(a, i, cpu), arg);
}

static const void *array_key_of(struct map *m, const void *value, uint32_t *index)
{
	const struct map_array *a = array_of(m);

	*index = (uint32_t)(((uintptr_t)value - (uintptr_t)a->values) / a->elem);
	return index;
}

static int array_mmap_ok(const struct map *m, uint64_t offset, uint64_t len, bool write)
{
	if (write && atomic_load(&m->frozen))
		return -EPERM;
	/* The verifier takes the contents of such a map for constant once it is frozen. */
	if (write && (m->flags & BPF_F_RDONLY_PROG))
		return -EACCES;
	if (m->record)
		return -ENOTSUPP;
	if (!m->pages.base)
		return -EINVAL;
	return offset > m->pages.size || len > m->pages.size - offset ? -EINVAL : 0;
}

const struct map_ops map_array_ops = {
	.name = "array",
	.size = sizeof(struct map_array),
	.check = array_check,
	.init = array_init,
	.fini = array_fini,
	.lookup = array_lookup,
	.update = array_update,
	.remove = array_remove,
	.for_each = array_for_each,
	.next_key = array_next_key,
	.batches = MAP_BATCH_LOOKUP | MAP_BATCH_UPDATE,
	.region = array_region,
	.direct_value = array_direct_value,
	.take_record = array_take_record,
	.key_of = array_key_of,
	.each_value = array_each_value,
	.inline_lookup = array_inline_lookup,
	.mmap_ok = array_mmap_ok,
};

const struct map_ops map_percpu_array_ops = {
	.name = "percpu_array",
	.size = sizeof(struct map_array),
	.check = percpu_array_check,
	.init = percpu_array_init,
	.fini = array_fini,
	.lookup = array_lookup,
	.lookup_percpu = percpu_array_lookup_percpu,
	.update = array_update,
	.remove = array_remove,
	.for_each = array_for_each,
	.next_key = array_next_key,
	.batches = MAP_BATCH_LOOKUP | MAP_BATCH_UPDATE,
	.copy_out = percpu_array_copy_out,
	.copy_in = percpu_array_copy_in,
	.each_value = array_each_value,
	.region = array_region,
	.inline_lookup = array_inline_lookup,
	.per_cpu = true,
};
