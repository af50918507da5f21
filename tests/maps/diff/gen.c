/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generator: see gen.h. A kind of map is a row that says which sizes, flags and operations are
 * worth trying; what the kernel refuses to create is a result too, so rows may overreach.
 */
#include "gen.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "side_sys.h"

enum { MEMORY_MAX = 24 << 20 }; /* of a map on the real kernel */

enum key_class { BYTES, INDEX, PREFIX, NONE };

/* Sizes, 0-terminated where 0 is not one of them. */
struct kind {
	const char *name;
	uint32_t type;
	enum key_class keys;
	uint32_t flags[8];    /* each is there half of the time... */
	uint32_t always;      /* ... and this nearly always */
	uint64_t program_ops; /* bits of enum op_name */
	uint64_t sys_ops;
	bool lossy;
	bool locked; /* values have a spin lock */
	uint32_t max[6];
	uint32_t value[8]; /* instead of the usual sizes */
};

#define B(op) (1ull << OP_##op)

#define BATCHES \
	(B(SYS_BATCH_LOOKUP) | B(SYS_BATCH_TAKE) | B(SYS_BATCH_UPDATE) | B(SYS_BATCH_DELETE))
#define ELEMENTS \
	(B(SYS_LOOKUP) | B(SYS_UPDATE) | B(SYS_DELETE) | B(SYS_TAKE) | B(SYS_NEXT) | B(SYS_WALK) | \
	 B(SYS_CLEAR) | B(SYS_FREEZE) | BATCHES)
#define KEYED (B(LOOKUP) | B(WRITE) | B(UPDATE) | B(DELETE))

static const struct kind kinds[] = {
	{"array", BPF_MAP_TYPE_ARRAY, INDEX, {BPF_F_MMAPABLE}, 0,
	 KEYED | B(FOR_EACH), ELEMENTS, false, false, {1, 2, 7, 40, 70}, {0}},
	{"percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, INDEX, {0}, 0,
	 KEYED | B(FOR_EACH) | B(LOOKUP_CPU), ELEMENTS, false, false, {1, 3, 30, 70}, {0}},
	{"hash", BPF_MAP_TYPE_HASH, BYTES, {BPF_F_NO_PREALLOC, BPF_F_ZERO_SEED}, 0,
	 KEYED | B(FOR_EACH), ELEMENTS, false, false, {1, 2, 5, 20, 40, 200}, {0}},
	{"percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, BYTES, {BPF_F_NO_PREALLOC, BPF_F_ZERO_SEED}, 0,
	 KEYED | B(FOR_EACH) | B(LOOKUP_CPU), ELEMENTS, false, false, {1, 2, 20, 40, 200}, {0}},
	{"lru_hash", BPF_MAP_TYPE_LRU_HASH, BYTES, {BPF_F_NO_COMMON_LRU, BPF_F_ZERO_SEED}, 0,
	 KEYED | B(FOR_EACH), ELEMENTS, false, false, {1000, 3000}, {0}},
	{"lru_percpu_hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, BYTES, {BPF_F_NO_COMMON_LRU}, 0,
	 KEYED | B(FOR_EACH) | B(LOOKUP_CPU), ELEMENTS, false, false, {1000, 3000}, {0}},
	{"lru_hash, full", BPF_MAP_TYPE_LRU_HASH, BYTES, {BPF_F_NO_COMMON_LRU}, 0,
	 B(LOOKUP) | B(UPDATE) | B(DELETE),
	 B(SYS_LOOKUP) | B(SYS_UPDATE) | B(SYS_DELETE) | B(SYS_WALK), true, false, {2, 8, 20, 40}, {0}},
	{"array with locks", BPF_MAP_TYPE_ARRAY, INDEX, {0}, 0,
	 B(UPDATE) | B(DELETE) | B(LOCKED), ELEMENTS, false, true, {1, 7, 40},
	 {8, 8, 12, 16, 20, 36, 100, 1000}},
	{"hash with locks", BPF_MAP_TYPE_HASH, BYTES, {BPF_F_NO_PREALLOC}, 0,
	 B(UPDATE) | B(DELETE) | B(LOCKED), ELEMENTS, false, true, {2, 20, 40},
	 {8, 8, 12, 16, 20, 36, 100, 1000}},
	{"lru_hash with locks", BPF_MAP_TYPE_LRU_HASH, BYTES, {0}, 0,
	 B(UPDATE) | B(DELETE) | B(LOCKED), ELEMENTS, false, true, {1000, 3000},
	 {8, 8, 12, 16, 20, 36, 100, 1000}},
	{"devmap", BPF_MAP_TYPE_DEVMAP, INDEX, {0}, 0, 0, ELEMENTS, false, false, {1, 7, 40},
	 {4, 4, 4, 4, 4, 4, 4, 8}},
	{"devmap_hash", BPF_MAP_TYPE_DEVMAP_HASH, INDEX, {0}, 0, 0, ELEMENTS, false, false,
	 {1, 7, 40}, {4, 4, 4, 4, 4, 4, 4, 8}},
	{"stack_trace", BPF_MAP_TYPE_STACK_TRACE, INDEX, {0}, 0, 0, ELEMENTS, false, false, {1, 7, 40},
	 {8, 16, 80, 80, 80, 1016, 12, 4}},
	{"cgroup_array", BPF_MAP_TYPE_CGROUP_ARRAY, INDEX, {0}, 0, 0, ELEMENTS, false, false, {1, 7, 40},
	 {4, 4, 4, 4, 4, 4, 4, 8}},
	{"lpm_trie", BPF_MAP_TYPE_LPM_TRIE, PREFIX, {0}, BPF_F_NO_PREALLOC,
	 B(LOOKUP) | B(WRITE) | B(UPDATE) | B(DELETE), ELEMENTS, false, false, {1, 5, 20, 40, 2000}, {0}},
	{"queue", BPF_MAP_TYPE_QUEUE, NONE, {0}, 0, B(PUSH) | B(POP) | B(PEEK), ELEMENTS, false, false,
	 {1, 2, 5, 9}, {0}},
	{"stack", BPF_MAP_TYPE_STACK, NONE, {0}, 0, B(PUSH) | B(POP) | B(PEEK), ELEMENTS, false, false,
	 {1, 2, 5, 9}, {0}},
	{"prog_array", BPF_MAP_TYPE_PROG_ARRAY, INDEX, {0}, 0, 0, ELEMENTS, false, false, {1, 7, 40},
	 {4, 4, 4, 4, 4, 4, 4, 8}},
	{"array_of_maps", BPF_MAP_TYPE_ARRAY_OF_MAPS, INDEX, {0}, 0, B(INNER), ELEMENTS, false, false,
	 {1, 7, 40}, {4, 4, 4, 4, 4, 4, 4, 8}},
	{"hash_of_maps", BPF_MAP_TYPE_HASH_OF_MAPS, BYTES, {BPF_F_NO_PREALLOC}, 0, B(INNER),
	 ELEMENTS, false, false, {1, 7, 40}, {4, 4, 4, 4, 4, 4, 4, 8}},
	{"bloom_filter", BPF_MAP_TYPE_BLOOM_FILTER, NONE, {BPF_F_ZERO_SEED}, 0, B(ADD) | B(TEST),
	 B(SYS_LOOKUP) | B(SYS_UPDATE) | B(SYS_DELETE) | B(SYS_NEXT) | B(SYS_TAKE), false, false,
	 {20000, 30000}, {4, 4, 8, 8, 16, 24, 37, 100}},
	{"ringbuf", BPF_MAP_TYPE_RINGBUF, NONE, {0}, 0,
	 B(OUTPUT) | B(SUBMIT) | B(DISCARD) | B(QUERY), B(SYS_CONSUME), false, false,
	 {4096, 8192, 65536}, {0}},
};

enum { NKINDS = sizeof(kinds) / sizeof(kinds[0]) };

unsigned gen_kinds(void)
{
	return NKINDS;
}

const char *gen_kind_name(unsigned kind)
{
	return kinds[kind].name;
}

uint32_t gen_kind_type(unsigned kind)
{
	return kinds[kind].type;
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(random_next(seed) % n);
}

/* True once in n times. */
static bool once_in(uint64_t *seed, uint32_t n)
{
	return below(seed, n) == 0;
}

#define PICK(seed, list) ((list)[below(seed, sizeof(list) / sizeof((list)[0]))])

/* --- Shapes ------------------------------------------------------------------------------ */

static uint32_t key_size(const struct kind *kind, uint64_t *seed)
{
	static const uint32_t sizes[] = {1, 2, 3, 4, 4, 5, 7, 8, 8, 12, 13, 16, 16, 20, 37, 64, 255, 512};
	static const uint32_t prefixes[] = {5, 6, 7, 8, 8, 8, 9, 12, 20, 20, 37, 260};

	switch (kind->keys) {
	case BYTES:
		return PICK(seed, sizes);
	case PREFIX:
		return PICK(seed, prefixes);
	case INDEX:
		return once_in(seed, 50) ? 8 : 4;
	default:
		return once_in(seed, 50) ? 4 : 0;
	}
}

static uint32_t value_size(const struct kind *kind, uint64_t *seed)
{
	static const uint32_t sizes[] = {1, 2, 3, 4, 7, 8, 8, 9, 12, 16, 24, 37, 100, 256, 1000,
	                                 4096, 8192};
	static const uint32_t huge[] = {16384, 32768, 100001, 1 << 18};

	if (kind->value[0])
		return kind->value[below(seed, 8)];
	if (kind->type == BPF_MAP_TYPE_RINGBUF)
		return once_in(seed, 50) ? 8 : 0;
	return once_in(seed, 40) ? PICK(seed, huge) : PICK(seed, sizes);
}

static void gen_shape(struct test_case *c, uint64_t *seed)
{
	const struct kind *kind = c->kind;
	struct shape *s = &c->shape;
	unsigned n = 0;

	*s = (struct shape){.type = kind->type, .key = key_size(kind, seed),
	                    .value = value_size(kind, seed), .flags = kind->always};
	while (n < 6 && kind->max[n])
		n++;
	s->max = kind->max[below(seed, n)];
	for (n = 0; n < 8; n++)
		if (once_in(seed, 2))
			s->flags |= kind->flags[n];
	if (once_in(seed, 12))
		s->flags |= once_in(seed, 2) ? BPF_F_RDONLY : BPF_F_WRONLY;
	if (once_in(seed, 30))
		s->flags ^= 1u << below(seed, 20);
	if (once_in(seed, 40))
		s->max = 0;
	/* Of those, sys/ has tests of its own. */
	s->flags &= ~(1u << 15 | 1u << 16);
	s->lock = kind->locked ? 1 + 4 * below(seed, s->value / 4) : 0;
	if (s->type == BPF_MAP_TYPE_BLOOM_FILTER)
		s->extra = once_in(seed, 10) ? below(seed, 20) : 5;
	if (s->flags & BPF_F_NUMA_NODE)
		s->node = once_in(seed, 3) ? UINT32_MAX : below(seed, 2);
}

static bool fits(const struct shape *s)
{
	uint64_t cpus = side_cpus() * 2, each = s->key + (uint64_t)s->value * cpus + 64;

	return each * s->max < MEMORY_MAX;
}

/* --- Keys and values --------------------------------------------------------------------- */

/* Few different bytes, so that keys meet and prefixes lie in each other. */
static void gen_key(const struct test_case *c, uint8_t *key, unsigned i, uint64_t *seed)
{
	uint32_t size = c->shape.key ? c->shape.key : 4, n;

	for (uint32_t b = 0; b < size; b++)
		key[b] = size > 2 ? (uint8_t)(below(seed, 3) * 0x41) : (uint8_t)below(seed, 256);
	if (c->kind->keys == PREFIX) {
		n = below(seed, (size - 4) * 8 + 1) + once_in(seed, 40);
		memcpy(key, &n, 4);
	} else if (c->kind->keys == INDEX) {
		n = i < c->shape.max + 1 ? i : i == KEYS - 1 ? UINT32_MAX : below(seed, c->shape.max + 2);
		memcpy(key, &n, 4);
	}
}

static void gen_material(struct test_case *c, uint64_t *seed)
{
	struct material *m = &c->material;
	size_t size = (c->shape.value + 7) & ~7u;

	memset(m->keys, 0, sizeof(m->keys));
	for (unsigned i = 0; i < KEYS; i++)
		gen_key(c, m->keys[i], i, seed);
	m->large = size > VALUE_MAX ? malloc(size * VALUES) : NULL;
	for (unsigned v = 0; v < VALUES; v++) {
		uint8_t *to = m->large ? m->large + v * size : m->values[v];
		uint64_t word = random_next(seed);

		/* The device that both have, or none. */
		if (c->shape.type == BPF_MAP_TYPE_DEVMAP || c->shape.type == BPF_MAP_TYPE_DEVMAP_HASH)
			word = once_in(seed, 3) ? 0 : 1;

		for (size_t at = 0; at + 8 <= (m->large ? size : VALUE_MAX); at += 8) {
			memcpy(to + at, &word, 8);
			word = word * 0x9e3779b97f4a7c15 + 1;
		}
	}
}

void gen_free(struct test_case *c)
{
	free(c->material.large);
	c->material.large = NULL;
}

/* --- Operations -------------------------------------------------------------------------- */

static uint8_t pick_op(uint64_t set, uint64_t *seed)
{
	uint8_t op;

	do
		op = (uint8_t)below(seed, OPS);
	while (!(set >> op & 1));
	return op;
}

static uint64_t update_flags(const struct test_case *c, uint64_t *seed)
{
	static const uint64_t flags[] = {0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 8};

	if (c->shape.lock && once_in(seed, 3))
		return BPF_F_LOCK | below(seed, 3);
	return once_in(seed, 60) ? 1ull << below(seed, 64) : PICK(seed, flags);
}

/* Everything of an operation but its name. */
static void gen_operands(struct op *op, const struct test_case *c, uint64_t *seed)
{
	static const uint32_t counts[] = {0, 1, 2, 3, 5, 17, 64, 200, BATCH_MAX};
	static const uint32_t cpus[] = {0, 0, 1, 1, 1, 2, 1000, UINT32_MAX};
	static const uint32_t records[] = {0, 1, 8, 9, 100, 1000, 4000, 4080, 4088, 5000, 8191};
	bool program = op_is_program(op);

	op->key = (uint8_t)below(seed, KEYS);
	op->value = (uint8_t)below(seed, VALUES);
	if (!program && (c->kind->keys == NONE) != once_in(seed, 40))
		op->key = NO_KEY;
	switch ((enum op_name)op->name) {
	case OP_UPDATE:
	case OP_SYS_UPDATE:
	case OP_SYS_BATCH_UPDATE:
		op->flags = update_flags(c, seed);
		break;
	case OP_PUSH:
	case OP_ADD:
		op->flags = once_in(seed, 3) ? BPF_EXIST : update_flags(c, seed);
		break;
	case OP_QUERY:
		op->flags = below(seed, 5);
		break;
	case OP_OUTPUT:
		op->flags = once_in(seed, 30) ? below(seed, 16) : below(seed, 3);
		op->count = once_in(seed, 3) ? below(seed, VALUE_MAX) : PICK(seed, records);
		break;
	case OP_SUBMIT:
	case OP_DISCARD:
		op->flags = below(seed, 3);
		op->count = below(seed, 4);
		break;
	case OP_LOOKUP_CPU:
		op->count = PICK(seed, cpus);
		break;
	case OP_FOR_EACH:
		op->flags = once_in(seed, 20);
		op->count = once_in(seed, 3) ? below(seed, 5) : 0;
		break;
	default:
		if (!program && once_in(seed, c->shape.lock ? 3 : 40))
			op->flags = c->shape.lock || once_in(seed, 2) ? BPF_F_LOCK
			                                              : 1ull << below(seed, 64);
	}
	if (op->name >= OP_SYS_BATCH_LOOKUP && op->name <= OP_SYS_BATCH_DELETE) {
		op->count = PICK(seed, counts);
		/* A map without order: enough for everything, mostly. */
		if (c->kind->keys == BYTES && op->name <= OP_SYS_BATCH_TAKE && !once_in(seed, 4))
			op->count = BATCH_MAX;
	}
}

/* Rare ones: the whole map, and what ends its life. */
static bool too_rare(uint8_t name, uint64_t *seed)
{
	switch ((enum op_name)name) {
	case OP_SYS_WALK:
	case OP_FOR_EACH:
		return !once_in(seed, 4);
	case OP_SYS_CLEAR:
	case OP_SYS_BATCH_TAKE:
	case OP_SYS_BATCH_LOOKUP:
		return !once_in(seed, 12);
	case OP_SYS_BATCH_UPDATE:
	case OP_SYS_BATCH_DELETE:
		return !once_in(seed, 6);
	case OP_SYS_FREEZE:
		return !once_in(seed, 400);
	default:
		return false;
	}
}

static void gen_ops(struct test_case *c, uint64_t without, uint64_t *seed)
{
	const struct kind *kind = c->kind;
	bool programs = kind->program_ops && !c->material.large && c->shape.flags < 1u << 14 &&
	                !(c->shape.flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG));
	uint64_t sys = kind->sys_ops & ~(without | (c->material.large ? BATCHES : 0));
	/* Updates are more frequent in some cases than deletions, or the other way round. */
	uint8_t favourite = pick_op(programs ? kind->program_ops : sys, seed);
	unsigned n = once_in(seed, 4) ? CASE_OPS : 64 + below(seed, 1500);

	if (c->material.large)
		n = 40;
	else if (c->shape.value > 1000)
		n = n < 300 ? n : 300;
	for (c->n = 0; c->n < n;) {
		bool program = programs && (!sys || once_in(seed, 2));
		uint32_t burst = 1 + below(seed, program ? 90 : 50);
		uint8_t cpu = (uint8_t)below(seed, side_cpus() < 2 ? 1 : 2);
		uint8_t first = pick_op(program ? kind->program_ops : sys, seed);

		while (burst-- && c->n < n) {
			struct op *op = &c->ops[c->n];

			*op = (struct op){.cpu = cpu};
			op->name = pick_op(program ? kind->program_ops : sys, seed);
			if (program && once_in(seed, 2))
				op->name = first;
			if (once_in(seed, 4) && (favourite < OP_SYS_LOOKUP) == program)
				op->name = favourite;
			if (too_rare(op->name, seed))
				continue;
			gen_operands(op, c, seed);
			c->n++;
		}
	}
}

bool gen_case(struct test_case *c, unsigned kind, uint64_t seed, uint64_t without)
{
	uint64_t state = seed * 0x2545f4914f6cdd1d + kind;

	c->kind = &kinds[kind];
	c->lossy = c->kind->lossy;
	c->material.large = NULL;
	gen_shape(c, &state);
	if (!fits(&c->shape))
		return false;
	gen_material(c, &state);
	gen_ops(c, without, &state);
	return true;
}
