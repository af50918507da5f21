/* SPDX-License-Identifier: BSD-2-Clause */
/* See side.h. Operations of bpf(2) stand in side_sys.c. */
#define _GNU_SOURCE
#include "side.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "side_sys.h"
#include "skep_bpf.h"

static const char *const names[] = {
#define OP(name, program) #name,
	DIFF_OPS(OP)
#undef OP
};

static const char *const programs[] = {
#define OP(name, program) #program,
	DIFF_OPS(OP)
#undef OP
};

const char *op_name(const struct op *op)
{
	return names[op->name];
}

bool op_is_program(const struct op *op)
{
	return op->name < OP_SYS_LOOKUP;
}

unsigned side_cpus(void)
{
	static int n;

	if (!n)
		n = libbpf_num_possible_cpus();
	return (unsigned)n;
}

static bool per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool has_order(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LPM_TRIE || type == BPF_MAP_TYPE_PROG_ARRAY ||
	       type == BPF_MAP_TYPE_ARRAY_OF_MAPS;
}

static void must(bool fine, const struct side *s, const char *what)
{
	if (fine)
		return;
	printf("Bail out! %s: %s: %s\n", s->name, what, strerror(errno));
	exit(1);
}

/* --- Maps and programs that are values --------------------------------------------------- */

static int small_map(struct side *s, uint32_t type, uint32_t value, uint32_t max)
{
	union bpf_attr a = {.map_type = type, .key_size = 4, .value_size = value,
	                    .max_entries = max};

	return side_bpf(s, BPF_MAP_CREATE, &a);
}

static int small_program(struct side *s, uint32_t type)
{
	static const uint64_t insns[] = {0xb7, 0x95};
	union bpf_attr a = {.prog_type = type, .insn_cnt = 2, .insns = (uintptr_t)insns,
	                    .license = (uintptr_t)"GPL"};

	return side_bpf(s, BPF_PROG_LOAD, &a);
}

static uint32_t id_of(struct side *s, int fd)
{
	uint32_t info[64] = {0};
	union bpf_attr a = {.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(info),
	                             .info = (uintptr_t)info}};

	return side_bpf(s, BPF_OBJ_GET_INFO_BY_FD, &a) ? 0 : info[1]; /* of maps and programs */
}

enum { GOOD = 10 }; /* of the values are objects of the right kind */

static void values_open(struct side *s)
{
	bool progs = s->shape.type == BPF_MAP_TYPE_PROG_ARRAY;
	int other;

	for (int i = 0; i < GOOD; i++) {
		uint64_t number = 1000 + (uint64_t)i, zero = 0;
		union bpf_attr a = {.key = (uintptr_t)&zero, .value = (uintptr_t)&number};

		s->fd[i] = progs ? small_program(s, BPF_PROG_TYPE_XDP)
		                 : small_map(s, BPF_MAP_TYPE_ARRAY, 8, 2);
		must(s->fd[i] >= 0, s, "an object to be a value");
		a.map_fd = (uint32_t)s->fd[i];
		if (!progs)
			must(!side_bpf(s, BPF_MAP_UPDATE_ELEM, &a), s, "an inner map");
	}
	s->fd[GOOD] = small_program(s, BPF_PROG_TYPE_SOCKET_FILTER);
	s->fd[GOOD + 1] = small_map(s, BPF_MAP_TYPE_ARRAY, 16, 2);
	s->fd[GOOD + 2] = small_map(s, BPF_MAP_TYPE_HASH, 8, 2);
	s->fd[GOOD + 3] = small_map(s, BPF_MAP_TYPE_ARRAY, 8, 3);
	s->fd[GOOD + 4] = -1;
	other = dup(0);
	s->fd[GOOD + 5] = other;
	for (int i = 0; i < VALUES; i++)
		s->id[i] = s->fd[i] >= 0 ? id_of(s, s->fd[i]) : 0;
}

/* --- Values with a lock ------------------------------------------------------------------ */

/*
 * BTF for keys of these sizes and values of bytes, a lock, bytes:
 *   1 unsigned int   2 struct bpf_spin_lock   3 unsigned char
 *   4 char[lock]     5 char[rest]   6 char[key]   7 struct value
 */
static int lock_btf(struct side *s, const struct shape *shape)
{
	static const char strings[] = "\0int\0bpf_spin_lock\0val\0char\0value\0a\0b\0c";
	enum { INT = 1, LOCK = 5, VAL = 19, CHAR = 23, VALUE_NAME = 28, A = 34, B = 36, C = 38 };
	uint32_t at = shape->lock - 1, rest = shape->value - at - 4;
	const uint32_t types[] = {
		INT, 1 << 24, 4, 32,
		LOCK, 4 << 24 | 1, 4, VAL, 1, 0,
		CHAR, 1 << 24, 1, 8,
		0, 3 << 24, 0, 3, 1, at,
		0, 3 << 24, 0, 3, 1, rest,
		0, 3 << 24, 0, 3, 1, shape->key,
		VALUE_NAME, 4 << 24 | 3, shape->value,
		A, 4, 0, B, 2, at * 8, C, 5, (at + 4) * 8,
	};
	struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t size, type_at, type_size, string_at, string_size;
		uint8_t bytes[sizeof(types) + sizeof(strings)];
	} btf = {0xeb9f, 1, 0, 24, 0, sizeof(types), sizeof(types), sizeof(strings), {0}};
	union bpf_attr a = {.btf = (uintptr_t)&btf, .btf_size = sizeof(btf)};

	memcpy(btf.bytes, types, sizeof(types));
	memcpy(btf.bytes + sizeof(types), strings, sizeof(strings));
	a.btf_size = 24 + sizeof(types) + sizeof(strings);
	return side_bpf(s, BPF_BTF_LOAD, &a);
}

/* --- A case ------------------------------------------------------------------------------ */

static void ring_open(struct side *s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = s->shape.max;
	uint8_t *consumer, *data;

	s->ring.mask = size - 1;
	/* As libbpf does it: the consumer's page can be written, the rest only read. */
	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, s->map, 0);
	data = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, s->map, (off_t)page);
	must(consumer != MAP_FAILED && data != MAP_FAILED, s, "mmap of a ring buffer");
	s->ring.pages = consumer;
	s->ring.data = data;
}

int side_open(struct side *s, const struct shape *shape, const struct material *m)
{
	union bpf_attr a = {.map_type = shape->type, .key_size = shape->key,
	                    .value_size = shape->value, .max_entries = shape->max,
	                    .map_flags = shape->flags, .numa_node = shape->node,
	                    .map_extra = shape->extra};
	size_t rounded = (shape->value + 7) & ~7u;
	bool nested = shape->type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	              shape->type == BPF_MAP_TYPE_HASH_OF_MAPS;

	s->shape = *shape;
	s->material = m;
	s->fds = nested || shape->type == BPF_MAP_TYPE_PROG_ARRAY;
	s->ordered = has_order(shape->type);
	s->value_bytes = per_cpu(shape->type) ? rounded * side_cpus() : shape->value;
	s->object = NULL;
	s->shared = NULL;
	s->ring.pages = NULL;
	if (s->fds)
		values_open(s);
	if (nested)
		a.inner_map_fd = (uint32_t)s->fd[0];
	if (shape->lock) {
		a.btf_fd = (uint32_t)lock_btf(s, shape);
		must((int)a.btf_fd >= 0, s, "BTF of a value with a lock");
		a.btf_key_type_id = shape->key == 4 ? 1 : 6;
		a.btf_value_type_id = 7;
	}
	s->map = side_bpf(s, BPF_MAP_CREATE, &a);
	if (shape->lock)
		close((int)a.btf_fd);
	s->buffer = malloc((s->value_bytes + KEY_MAX) * BATCH_MAX + 64);
	if (s->map >= 0 && shape->type == BPF_MAP_TYPE_RINGBUF)
		ring_open(s);
	return s->map < 0 ? s->map : 0;
}

void side_close(struct side *s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (s->ring.pages) {
		munmap(s->ring.pages, page);
		munmap(s->ring.data, page + 2 * (s->ring.mask + 1));
	}
	if (s->shared)
		munmap(s->shared, sizeof(struct shared));
	skep_bpf_bind(s->k);
	bpf_object__close(s->object);
	skep_bpf_bind(NULL);
	if (s->map >= 0)
		close(s->map);
	for (int i = 0; s->fds && i < VALUES; i++)
		if (s->fd[i] >= 0)
			close(s->fd[i]);
	free(s->buffer);
}

/* --- Programs ---------------------------------------------------------------------------- */

static bool wanted(const char *program, const struct op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(programs[ops[i].name], program))
			return true;
	return false;
}

/* Loads the programs that these operations need, on the map that is there. */
static int programs_load(struct side *s, const struct op *ops, unsigned n)
{
	struct bpf_object *o = bpf_object__open_file(DIFF_OBJECT, NULL);
	struct bpf_program *prog;
	struct bpf_map *bss, *rodata;
	size_t size;

	must(o != NULL, s, DIFF_OBJECT);
	bpf_object__for_each_program(prog, o)
		bpf_program__set_autoload(prog, wanted(bpf_program__name(prog), ops, n));
	rodata = bpf_object__find_map_by_name(o, ".rodata");
	memcpy((void *)bpf_map__initial_value(rodata, &size),
	       (uint32_t[]){s->shape.value, s->shape.lock ? s->shape.lock - 1 : 0,
	                    s->shape.lock == 1 ? 4 : 0}, 12);
	must(!bpf_map__reuse_fd(bpf_object__find_map_by_name(o, "subject"), s->map), s,
	     "the map is given to the programs");
	if (bpf_object__load(o)) {
		must(false, s, "the programs are not loaded");
		return -errno;
	}
	bss = bpf_object__find_map_by_name(o, ".bss");
	s->shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED,
	                 bpf_map__fd(bss), 0);
	must(s->shared != MAP_FAILED, s, "mmap of .bss");
	memcpy(s->shared->keys, s->material->keys, sizeof(s->shared->keys));
	memcpy(s->shared->values, s->material->values, sizeof(s->shared->values));
	s->object = o;
	return 0;
}

static void move_to(unsigned cpu)
{
	static int here = -1;
	cpu_set_t set;

	if (here == (int)cpu)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		here = (int)cpu;
}

static void program_run(struct side *s, const struct op *ops, unsigned n, struct result *results)
{
	static uint8_t frame[64];
	struct bpf_program *prog =
		bpf_object__find_program_by_name(s->object, programs[ops[0].name]);
	union bpf_attr a = {.test = {.prog_fd = (uint32_t)bpf_program__fd(prog),
	                             .data_in = (uintptr_t)frame, .data_size_in = sizeof(frame)}};

	move_to(ops[0].cpu);
	s->shared->nops = n;
	memcpy(s->shared->ops, ops, n * sizeof(*ops));
	memset(s->shared->results, 0xff, n * sizeof(*results));
	must(!side_bpf(s, BPF_PROG_TEST_RUN, &a), s, "a program is run");
	memcpy(results, s->shared->results, n * sizeof(*results));
}

static bool together(const struct op *a, const struct op *b)
{
	return op_is_program(b) && a->cpu == b->cpu && !strcmp(programs[a->name], programs[b->name]);
}

void side_run(struct side *s, const struct op *ops, unsigned n, struct result *results)
{
	for (unsigned i = 0, len; i < n; i += len) {
		len = 1;
		if (!op_is_program(&ops[i])) {
			results[i] = side_sys(s, &ops[i]);
			continue;
		}
		if (!s->object) {
			skep_bpf_bind(s->k);
			programs_load(s, ops, n);
			skep_bpf_bind(NULL);
		}
		while (i + len < n && len < RUN_OPS && together(&ops[i], &ops[i + len]))
			len++;
		program_run(s, ops + i, len, results + i);
	}
}
