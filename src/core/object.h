/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that programs allocate: bpf_obj_new() and what becomes of it; lists and trees of them.
 *
 *   | header: record, BTF, size | the struct, as the program's BTF has it |
 *                               ^ what programs hold
 *
 * An object knows its special fields by itself, so that nobody needs to say what it is. When it is
 * dropped, what its fields hold goes at once, its memory when no program can be looking at it any more.
 *
 * Nodes of lists and trees have a word `owner`: the list head or tree root that the node is in, and in
 * the upper 16 bits where in its object the node is, in words of 8 bytes.
 */
#ifndef SKEP_CORE_OBJECT_H
#define SKEP_CORE_OBJECT_H

#include "core/record.h"

enum { OBJECT_MAX = 4096 - 8, OBJECT_PERCPU_MAX = 512 }; /* the kernel's allocator has no more */

/* One of a struct of this BTF, or a value of it for each CPU; NULL: no memory. */
void *object_new(struct skep *k, struct btf *btf, uint32_t type_id);
void *object_new_percpu(struct skep *k, struct btf *btf, uint32_t type_id);
/* Memory of no type: all zero. */
void *object_new_plain(struct skep *k, uint32_t size);
/* Gives back a reference; the last ends the object. NULL is fine. Waits for nobody. */
void object_drop(struct skep *k, void *object);
/* Another reference to an object with a count: object, or NULL where it had ended. */
void *object_acquire(void *object);
/* The value of a CPU; NULL: there is no such CPU. */
void *object_of_cpu(struct skep *k, void *object, uint32_t cpu);

/* At the end of a kernel: frees what waits. */
void objects_exit(struct skep *k);

/* struct bpf_list_head, bpf_list_node, bpf_rb_root, bpf_rb_node as they are within. */
struct list_node {
	struct list_node *next, *prev;
	uint64_t owner;
};

struct list_head {
	struct list_node *first, *last; /* NULL: empty */
};

struct tree_node {
	uintptr_t parent; /* bit 0: black */
	struct tree_node *left, *right;
	uint64_t owner;
};

struct tree_root {
	struct tree_node *top, *first;
};

/* Puts a node that is in no list there. False: it is in one, of whatever head. */
bool list_push(struct list_head *h, struct list_node *n, bool back);
struct list_node *list_pop(struct list_head *h, bool back); /* NULL: empty */
/* less: is the new node to the left of this one? */
bool tree_add(struct tree_root *root, struct tree_node *n,
              bool (*less)(const struct tree_node *a, const struct tree_node *b, void *arg), void *arg);
/* False: the node is not in this tree. */
bool tree_remove(struct tree_root *root, struct tree_node *n);

#define NODE_OWNER_BITS 48

static inline uint64_t node_owner(uint64_t owner)
{
	return owner & (((uint64_t)1 << NODE_OWNER_BITS) - 1);
}

/* The object that a node is part of. */
static inline void *object_of_node(void *node, uint64_t owner)
{
	return (uint8_t *)node - (owner >> NODE_OWNER_BITS) * 8;
}

#endif
