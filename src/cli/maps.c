/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps after a run: entries by key, values by their BTF types, the records of ring buffers.
 *
 * Entries are read through libbpf on either side, so that two sides can be compared byte by byte. Of
 * arrays only values that are not zero are kept; per-CPU values of numbers are shown as their sum over the
 * CPUs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "cli/exec.h"

enum { RECORDS_MAX = 1 << 20 };

struct entry {
	uint8_t *key, *value; /* value within key's block; a record has no key */
	size_t value_size;
};

struct contents {
	struct entry *entries;
	size_t n, cap;
	size_t key_size, value_size; /* as bytes move: per-CPU values for every CPU */
	bool readable;
	const char *why; /* not readable, or not in full */
};

static void contents_free(struct contents *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->entries[i].key);
	free(c->entries);
}

/* Room for one more entry, or NULL. */
static struct entry *entry_new(struct contents *c, size_t value_size)
{
	struct entry *e = c->entries;

	if (c->n == c->cap) {
		e = reallocarray(e, c->cap ? 2 * c->cap : 64, sizeof(*e));
		if (!e)
			return NULL;
		c->entries = e;
		c->cap = c->cap ? 2 * c->cap : 64;
	}
	e = &c->entries[c->n];
	e->key = calloc(1, c->key_size + value_size + 1);
	if (!e->key)
		return NULL;
	e->value = e->key + c->key_size;
	e->value_size = value_size;
	c->n++;
	return e;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static bool is_percpu(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_array(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool all_zero(const uint8_t *data, size_t size)
{
	return !size || (!data[0] && !memcmp(data, data + 1, size - 1));
}

static void entry_drop(struct contents *c)
{
	free(c->entries[--c->n].key);
}

static int compare_keys(const void *a, const void *b, void *size)
{
	return memcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key, *(size_t *)size);
}

static void read_entries(struct contents *c, int fd, enum bpf_map_type type)
{
	uint8_t *last = calloc(1, c->key_size + 1);
	struct entry *e;
	bool first = true;

	while ((e = last ? entry_new(c, c->value_size) : NULL)) {
		if (bpf_map_get_next_key(fd, first ? NULL : last, e->key)) {
			entry_drop(c);
			break;
		}
		first = false;
		memcpy(last, e->key, c->key_size);
		/* An empty slot of an array of programs or maps has no value. */
		if (bpf_map_lookup_elem(fd, e->key, e->value) ||
		    (is_array(type) && all_zero(e->value, c->value_size)))
			entry_drop(c);
	}
	if (!e)
		c->why = "out of memory: there are more";
	free(last);
	if (!is_array(type))
		qsort_r(c->entries, c->n, sizeof(*c->entries), compare_keys, &c->key_size);
}

static int on_record(void *arg, void *data, size_t size)
{
	struct contents *c = arg;
	struct entry *e = c->n < RECORDS_MAX ? entry_new(c, size) : NULL;

	if (!e) {
		c->why = "more records than can be kept";
		return -ENOMEM;
	}
	memcpy(e->value, data, size);
	return 0;
}

static void read_records(struct contents *c, int fd)
{
	struct ring_buffer *ring;

	c->key_size = 0;
	ring = ring_buffer__new(fd, on_record, c, NULL);
	if (!ring) {
		c->readable = false;
		c->why = "the ring buffer cannot be opened";
		return;
	}
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
}

static void contents_read(struct contents *c, const struct side *s, const struct bpf_map *map)
{
	enum bpf_map_type type = bpf_map__type(map);
	size_t value_size = bpf_map__value_size(map);
	int ncpus = libbpf_num_possible_cpus();

	memset(c, 0, sizeof(*c));
	c->readable = true;
	c->key_size = bpf_map__key_size(map);
	c->value_size = is_percpu(type) ? ((value_size + 7) & ~(size_t)7) * (size_t)ncpus : value_size;
	side_enter(s);
	switch (type) {
	case BPF_MAP_TYPE_RINGBUF:
		read_records(c, bpf_map__fd(map));
		break;
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		read_entries(c, bpf_map__fd(map), type);
		break;
	default:
		c->readable = false;
		c->why = "entries of this type cannot be listed";
	}
}

/* --- Types ------------------------------------------------------------------------------------ */

/* The type that --type gives to MAP.key or MAP.value, or 0. */
static uint32_t chosen_type(const struct exec_options *o, const struct btf *btf, const char *map,
                            const char *part)
{
	char want[128];
	size_t n;

	n = (size_t)snprintf(want, sizeof(want), "%s.%s=", map, part);
	for (size_t i = 0; i < o->ntype; i++) {
		static const uint32_t kinds[] = {BTF_KIND_STRUCT, BTF_KIND_TYPEDEF, BTF_KIND_ENUM,
		                                 BTF_KIND_UNION, BTF_KIND_INT, BTF_KIND_ENUM64};
		const char *name = o->type[i] + n;

		if (n >= sizeof(want) || strncmp(o->type[i], want, n))
			continue;
		name += !strncmp(name, "struct ", 7) ? 7 : !strncmp(name, "enum ", 5) ? 5 : 0;
		for (size_t k = 0; btf && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			int id = btf__find_by_name_kind(btf, name, kinds[k]);

			if (id > 0)
				return (uint32_t)id;
		}
		warn("--type %s: the object has no type '%s'", o->type[i], name);
		return 0;
	}
	return 0;
}

/* Of a map's key or value: what the user chose, else what the object says. */
static uint32_t type_of(const struct exec_options *o, const struct btf *btf, const struct bpf_map *map,
                        bool key)
{
	uint32_t chosen = chosen_type(o, btf, bpf_map__name(map), key ? "key" : "value");

	if (chosen)
		return chosen;
	return key ? bpf_map__btf_key_type_id(map) : bpf_map__btf_value_type_id(map);
}

/* --- Showing ---------------------------------------------------------------------------------- */

static void show_percpu(struct out *out, const struct btf *btf, uint32_t type, const uint8_t *data,
                        size_t all, size_t one)
{
	size_t stride = (one + 7) & ~(size_t)7;
	uint8_t *sum = calloc(1, stride + 1);
	bool added = sum;

	for (size_t at = 0; added && at < all; at += stride)
		added = typed_add(btf, type, sum, data + at, one);
	if (added)
		typed_value(out, "value", btf, type, sum, one);
	if (!added || out_is_json(out)) {
		out_list(out, "cpus");
		for (size_t at = 0; at < all; at += stride)
			typed_value(out, NULL, btf, type, data + at, one);
		out_close(out);
	}
	free(sum);
}

static void show_entries(struct out *out, const struct exec_options *o, const struct btf *btf,
                         const struct bpf_map *map, const struct contents *c)
{
	uint32_t key_type = type_of(o, btf, map, true), value_type = type_of(o, btf, map, false);
	size_t shown = c->n < o->map_entries ? c->n : o->map_entries;
	bool ring = bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF;

	out_list(out, ring ? "records" : "entries");
	for (size_t i = 0; i < shown; i++) {
		const struct entry *e = &c->entries[i];

		out_object(out, NULL);
		if (!ring)
			typed_value(out, "key", btf, key_type, e->key, c->key_size);
		if (is_percpu(bpf_map__type(map)))
			show_percpu(out, btf, value_type, e->value, e->value_size,
			            bpf_map__value_size(map));
		else
			typed_value(out, "value", btf, value_type, e->value, e->value_size);
		out_close(out);
	}
	out_close(out);
	if (shown < c->n)
		out_text(out, "    ... %zu more (--entries N shows more)\n", c->n - shown);
}

/* Global variables: one entry whose type is a section. */
static bool is_section(const struct btf *btf, const struct bpf_map *map)
{
	const struct btf_type *b = btf ? btf__type_by_id(btf, bpf_map__btf_value_type_id(map)) : NULL;

	return b && btf_is_datasec(b);
}

static bool same_contents(const struct contents *a, const struct contents *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		size_t size = a->key_size + a->entries[i].value_size;

		if (a->entries[i].value_size != b->entries[i].value_size ||
		    memcmp(a->entries[i].key, b->entries[i].key, size))
			return false;
	}
	return true;
}

static void report_map(struct out *out, const struct exec_options *o, struct side *sides, size_t nsides,
                       const struct bpf_map *map)
{
	const struct btf *btf = bpf_object__btf(sides[0].obj);
	const struct bpf_map *other = nsides == 2 ? bpf_object__find_map_by_name(sides[1].obj,
	                                                                        bpf_map__name(map)) : NULL;
	enum bpf_map_type type = bpf_map__type(map);
	bool ring = type == BPF_MAP_TYPE_RINGBUF;
	struct contents c, d;

	contents_read(&c, &sides[0], map);
	out_object(out, bpf_map__name(map));
	out_str(out, "type", libbpf_bpf_map_type_str(type));
	if (c.readable)
		out_uint(out, ring ? "records_now" : is_array(type) ? "entries_not_zero" : "entries_now",
		         c.n);
	out_uint(out, ring ? "bytes" : "max_entries", bpf_map__max_entries(map));
	if (c.why)
		out_str(out, "note", c.why);
	if (other && c.readable) {
		contents_read(&d, &sides[1], other);
		out_bool(out, "identical_in_the_kernel", d.readable && same_contents(&c, &d));
		contents_free(&d);
	}
	if (c.n && is_section(btf, map))
		typed_value(out, "variables", btf, bpf_map__btf_value_type_id(map), c.entries[0].value,
		            c.value_size);
	else if (c.n)
		show_entries(out, o, btf, map, &c);
	out_close(out);
	contents_free(&c);
}

void maps_report(struct out *out, const struct exec_options *o, struct side *sides, size_t nsides)
{
	struct bpf_map *map;

	out_object(out, "maps");
	bpf_object__for_each_map(map, sides[0].obj) {
		/* Strings of messages, and settings that a program cannot change. */
		if (strstr(bpf_map__name(map), ".rodata"))
			continue;
		report_map(out, o, sides, nsides, map);
	}
	out_close(out);
}
