/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running kernel's maps, through bpf(2), as the oracle of differential tests. A file of its
 * own, because <linux/bpf.h> and core/uapi.h are never included together. Answers are 0 or -errno.
 */
#ifndef TESTS_MAPS_ORACLE_H
#define TESTS_MAPS_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

/* Is there a kernel to ask? Else *why says what it answered. */
bool oracle_there(const char **why);
int oracle_create(uint32_t type, uint32_t key, uint32_t value, uint32_t max, uint32_t flags,
                  uint32_t node, int inner); /* a descriptor */
/* All that a map can be made of. */
struct oracle_shape {
	uint32_t type, key, value, max, flags, node;
	uint64_t extra;
	bool btf; /* an int as key, bytes as value */
};
int oracle_create_shape(const struct oracle_shape *s);
int oracle_lookup(int fd, const void *key, void *value);
int oracle_update(int fd, const void *key, const void *value, uint64_t flags);
int oracle_delete(int fd, const void *key);
int oracle_take(int fd, const void *key, void *value); /* look up and delete */
int oracle_next_key(int fd, const void *key, void *next);
int oracle_freeze(int fd);
uint32_t oracle_max_entries(int fd);
uint64_t oracle_memory(int fd); /* `memlock` */

#endif
