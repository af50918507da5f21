/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a trie: nodes by size class, elements, and what waits to be used again (see trie.h).
 *
 * Both kinds of storage are address space for the worst case, of which pages are taken as they are
 * touched: every class of nodes may at some time be the one that most of the trie consists of.
 */
#include <errno.h>

#include "base/mem.h"
#include "maps/trie.h"

enum {
	PADDING = 1024,         /* behind the nodes: a reader may take anything for a node */
	ELEMS_MAX = 1 << 27,
	NODE_BYTES_EACH = 256,  /* worst case per element, all classes together */
	CHAIN_STEP = TRIE_SKIP_MAX + TRIE_STEP, /* bits that a node with a single child bridges */
	LARGE = 8192, /* entries for which the open first node is worth its memory */
};

static size_t round_up8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* The open first node: cover, top and shorts in one piece. */
static int init_top(struct trie *t, const struct mem *mem)
{
	uint32_t *words;

	t->top_size = (size_t)3 * (1 << TRIE_TOP) * sizeof(uint32_t);
	words = mem_map(mem, t->top_size);
	if (!words)
		return -ENOMEM;
	t->top = (_Atomic uint32_t *)words;
	t->cover = t->top + (1 << TRIE_TOP);
	t->shorts = words + 2 * (1 << TRIE_TOP);
	return 0;
}

int trie_init(struct trie *t, const struct mem *mem, uint32_t data_size, uint32_t value_size,
              uint32_t max_entries)
{
	size_t elems = (max_entries < ELEMS_MAX ? max_entries : ELEMS_MAX) + TRIE_WAITING + 2;
	size_t each = NODE_BYTES_EACH + data_size * 8 / CHAIN_STEP * 2 * TRIE_UNIT;
	size_t units = elems * each / TRIE_UNIT;

	t->data_size = data_size;
	t->value_off = (uint32_t)round_up8(sizeof(struct trie_elem) + data_size);
	t->stride = t->value_off + round_up8(value_size);
	t->elem_limit = (uint32_t)elems;
	t->unit_limit = units < TRIE_LEAF ? (uint32_t)units : TRIE_LEAF;
	t->fresh_unit = 1;
	t->fresh_elem = 1;
	t->elem_size = elems * t->stride;
	t->node_size = (size_t)t->unit_limit * TRIE_UNIT + PADDING;
	t->elem_storage = mem_map(mem, t->elem_size);
	t->node_storage = mem_map(mem, t->node_size);
	if (!t->elem_storage || !t->node_storage ||
	    (max_entries >= LARGE && data_size > 1 && init_top(t, mem) != 0)) {
		trie_fini(t, mem);
		return -ENOMEM;
	}
	t->elems = t->elem_storage;
	t->nodes = t->node_storage;
	return 0;
}

void trie_fini(struct trie *t, const struct mem *mem)
{
	mem_unmap(mem, t->elem_storage, t->elem_size);
	mem_unmap(mem, t->node_storage, t->node_size);
	mem_unmap(mem, (void *)t->top, t->top_size);
}

uint64_t trie_memory(const struct trie *t)
{
	return (uint64_t)t->fresh_unit * TRIE_UNIT + (uint64_t)t->fresh_elem * t->stride +
	       t->top_size;
}

static unsigned class_of(const struct trie_node *n)
{
	return atomic_load_explicit(&n->where, memory_order_relaxed) >> 24;
}

/* What was waiting becomes free. Readers that may still look at it will see the count. */
static void recycle(struct trie *t)
{
	uint32_t count = atomic_load_explicit(&t->recycled, memory_order_relaxed);

	atomic_store_explicit(&t->recycled, count + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	while (t->waiting_nodes) {
		struct trie_node *n = trie_node(t, t->waiting_nodes);
		uint32_t ref = t->waiting_nodes, *list = &t->free_node[class_of(n)];

		t->waiting_nodes = n->link;
		n->link = *list;
		*list = ref;
	}
	while (t->nwaiting_elems) {
		uint32_t elem = t->waiting_elem[--t->nwaiting_elems];

		atomic_store_explicit(&trie_elem(t, elem)->len, t->free_elem, memory_order_relaxed);
		t->free_elem = elem;
	}
	t->nwaiting_nodes = 0;
}

uint32_t trie_node_new(struct trie *t, unsigned n)
{
	unsigned class = (n + TRIE_PER_UNIT - 1) / TRIE_PER_UNIT;
	uint32_t ref, units = 1 + class;
	struct trie_node *node;

	if (!t->free_node[class] &&
	    (t->nwaiting_nodes >= TRIE_WAITING || t->unit_limit - t->fresh_unit < units))
		recycle(t);
	ref = t->free_node[class];
	if (ref) {
		t->free_node[class] = trie_node(t, ref)->link;
	} else if (t->unit_limit - t->fresh_unit >= units) {
		ref = t->fresh_unit;
		t->fresh_unit += units;
	} else {
		return 0;
	}
	node = trie_node(t, ref);
	atomic_store_explicit(&node->where, class << 24, memory_order_relaxed);
	return ref;
}

uint32_t trie_elem_new(struct trie *t, const struct trie_key *key)
{
	struct trie_elem *e;
	uint32_t elem;

	if (!t->free_elem && t->fresh_elem == t->elem_limit)
		recycle(t);
	elem = t->free_elem;
	if (elem)
		t->free_elem = atomic_load_explicit(&trie_elem(t, elem)->len, memory_order_relaxed);
	else if (t->fresh_elem < t->elem_limit)
		elem = t->fresh_elem++;
	else
		return 0;
	e = trie_elem(t, elem);
	atomic_store_explicit(&e->len, key->len, memory_order_relaxed);
	for (uint32_t at = 0; at < t->data_size; at += 4) {
		uint32_t word = 0, n = t->data_size - at < 4 ? t->data_size - at : 4;

		memcpy(&word, key->data + at, n);
		atomic_store_explicit(&e->word[at / 4], word, memory_order_relaxed);
	}
	return elem;
}

void trie_node_retire(struct trie *t, uint32_t ref)
{
	trie_node(t, ref)->link = t->waiting_nodes;
	t->waiting_nodes = ref;
	t->nwaiting_nodes++;
}

void trie_elem_retire(struct trie *t, uint32_t elem)
{
	if (t->nwaiting_elems == TRIE_WAITING)
		recycle(t);
	t->waiting_elem[t->nwaiting_elems++] = elem;
}
