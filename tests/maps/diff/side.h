/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two sides of the differential test, Skep and the running kernel: the same map on each, the
 * same operations, what each answered.
 */
#ifndef TESTS_MAPS_DIFF_SIDE_H
#define TESTS_MAPS_DIFF_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops.h"

struct bpf_object;
struct skep;

struct shape {
	uint32_t type, key, value, max, flags;
	uint32_t node;
	uint64_t extra;
	uint32_t lock; /* a value has a spin lock: 1 + its offset */
};

/* What all operations of a case work on, the same on both sides. */
struct material {
	uint8_t keys[KEYS][KEY_MAX];
	uint8_t values[VALUES][VALUE_MAX];
	uint8_t *large; /* VALUES values of more than VALUE_MAX bytes, or NULL */
};

struct side {
	const char *name;
	struct skep *k; /* NULL: the kernel */
	/* Of the case at hand. */
	struct shape shape;
	const struct material *material;
	size_t value_bytes; /* as bpf(2) moves a value */
	bool fds;           /* values are descriptors to bpf(2), ids when read */
	bool ordered;       /* the order of keys is defined */
	int map;
	int fd[VALUES];     /* what the values stand for, when they are descriptors */
	uint32_t id[VALUES];
	struct bpf_object *object; /* loaded when a program is first needed */
	struct shared *shared;
	uint8_t *buffer; /* for values */
	struct {
		uint8_t *pages, *data;
		size_t mask;
	} ring;
};

unsigned side_cpus(void); /* possible ones: of per-CPU values */

/* 0 and an open map, or the errno of BPF_MAP_CREATE, which is a result. */
int side_open(struct side *s, const struct shape *shape, const struct material *m);
void side_close(struct side *s);

/* Does what ops say, n of them, and tells what came of each. */
void side_run(struct side *s, const struct op *ops, unsigned n, struct result *results);

bool op_is_program(const struct op *op);
const char *op_name(const struct op *op);

/* The operations whose command it does not know: bits of enum op_name. */
uint64_t side_lacks(struct side *s);

#endif
