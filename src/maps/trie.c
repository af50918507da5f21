/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing a trie, and walking it in order: see trie.h. The lock is held throughout.
 *
 * Requires: trie_mem.c. Every change is built aside and published with one store; when memory runs
 * out on the way, what was built is given back and the trie is as it was.
 */
#include "maps/trie.h"

#include <errno.h>

/* A node being built, and what is needed to take that back. */
struct build {
	struct trie *t;
	uint32_t made[TRIE_DEPTH_MAX + 2];
	unsigned nmade;
};

static uint64_t below(unsigned bit)
{
	return ((uint64_t)1 << bit) - 1;
}

static uint64_t child_map(const struct trie_node *n)
{
	return atomic_load_explicit(&n->child, memory_order_relaxed);
}

static uint64_t prefix_map(const struct trie_node *n)
{
	return atomic_load_explicit(&n->prefix, memory_order_relaxed);
}

static uint64_t path_of(const struct trie_node *n)
{
	return atomic_load_explicit(&n->path, memory_order_relaxed);
}

static uint32_t bit_of(const struct trie_node *n)
{
	return atomic_load_explicit(&n->where, memory_order_relaxed) & 0xffff;
}

static uint32_t skip_of(const struct trie_node *n)
{
	return atomic_load_explicit(&n->where, memory_order_relaxed) >> 16 & 0xff;
}

static void place(struct trie_node *n, uint32_t bit, uint32_t skip, uint64_t path)
{
	uint32_t class = atomic_load_explicit(&n->where, memory_order_relaxed) & 0xff000000u;

	atomic_store_explicit(&n->path, path, memory_order_relaxed);
	atomic_store_explicit(&n->where, bit | skip << 16 | class, memory_order_relaxed);
}

static unsigned count(const struct trie_node *n)
{
	return (unsigned)(__builtin_popcountll(child_map(n)) + __builtin_popcountll(prefix_map(n)));
}

/* Is item i (1 ... 127, see trie.h) there? */
static bool has(const struct trie_node *n, unsigned i)
{
	return (i < 64 ? prefix_map(n) >> i : child_map(n) >> (i - 64)) & 1;
}

/* Where the reference of item i stands, or would. */
static unsigned rank(const struct trie_node *n, unsigned i)
{
	if (i >= 64)
		return (unsigned)__builtin_popcountll(child_map(n) & below(i - 64));
	return (unsigned)(__builtin_popcountll(child_map(n)) +
	                  __builtin_popcountll(prefix_map(n) & below(i)));
}

static uint32_t get(const struct trie_node *n, unsigned i)
{
	return atomic_load_explicit(&n->ref[rank(n, i)], memory_order_relaxed);
}

/* The item of a node at `bit` under which a prefix of this length belongs. */
static unsigned item_of(const struct trie *t, const uint8_t *data, uint32_t len, uint32_t bit)
{
	uint32_t chunk = trie_chunk(data, t->data_size, bit), rest = len - bit;

	return rest >= TRIE_STEP ? 64 + chunk : 1u << rest | chunk >> (TRIE_STEP - rest);
}

/* --- Building ---------------------------------------------------------------------------- */

static uint32_t build_node(struct build *b, unsigned n)
{
	uint32_t ref = trie_node_new(b->t, n);

	if (ref)
		b->made[b->nmade++] = ref;
	return ref;
}

static void unbuild(struct build *b)
{
	while (b->nmade)
		trie_node_retire(b->t, b->made[--b->nmade]);
}

static void set_maps(struct trie_node *n, uint64_t child, uint64_t prefix)
{
	atomic_store_explicit(&n->child, child, memory_order_relaxed);
	atomic_store_explicit(&n->prefix, prefix, memory_order_relaxed);
}

static void set_ref(struct trie_node *n, unsigned at, uint32_t ref)
{
	atomic_store_explicit(&n->ref[at], ref, memory_order_relaxed);
}

/* A copy of a node with one item added (by != 0) or left out; 0: no memory. */
static uint32_t copy_changed(struct build *b, const struct trie_node *old, unsigned item,
                             uint32_t by)
{
	unsigned n = count(old), at = rank(old, item), to = 0;
	uint64_t bit = (uint64_t)1 << (item & 63);
	uint32_t ref = build_node(b, by ? n + 1 : n - 1);
	struct trie_node *new;

	if (!ref)
		return 0;
	new = trie_node(b->t, ref);
	place(new, bit_of(old), skip_of(old), path_of(old));
	set_maps(new, child_map(old) ^ (item >= 64 ? bit : 0),
	         prefix_map(old) ^ (item < 64 ? bit : 0));
	for (unsigned i = 0; i <= n; i++) {
		if (i == at && by)
			set_ref(new, to++, by);
		if (i < n && !(i == at && !by))
			set_ref(new, to++,
			        atomic_load_explicit(&old->ref[i], memory_order_relaxed));
	}
	return ref;
}

/* A copy of a node with another path to it. */
static uint32_t copy_moved(struct build *b, const struct trie_node *old, uint32_t skip,
                           uint64_t path)
{
	unsigned n = count(old);
	uint32_t ref = build_node(b, n);
	struct trie_node *new;

	if (!ref)
		return 0;
	new = trie_node(b->t, ref);
	place(new, bit_of(old), skip, path);
	set_maps(new, child_map(old), prefix_map(old));
	for (unsigned i = 0; i < n; i++)
		set_ref(new, i, atomic_load_explicit(&old->ref[i], memory_order_relaxed));
	return ref;
}

/*
 * A node at `bit` with the items in `item`, reached from `from` on the way of data: with nodes of a
 * single child above it as far as one path cannot hold all the bits. Answers the topmost; 0: no
 * memory.
 */
static uint32_t build_at(struct build *b, const uint8_t *data, uint32_t from, uint32_t bit,
                         const unsigned *item, const uint32_t *refs, unsigned n)
{
	uint32_t size = b->t->data_size, ref = build_node(b, n), start = bit;
	uint64_t maps[2] = {0, 0};
	struct trie_node *node;

	if (!ref)
		return 0;
	node = trie_node(b->t, ref);
	for (unsigned i = 0; i < n; i++)
		maps[item[i] >= 64] |= (uint64_t)1 << (item[i] & 63);
	set_maps(node, maps[1], maps[0]);
	for (unsigned i = 0; i < n; i++)
		set_ref(node, rank(node, item[i]), refs[i]);
	/* From below: as long a path as fits, then a node with one child, and so on. */
	for (;;) {
		uint32_t skip = start - from < TRIE_SKIP_MAX ? start - from : TRIE_SKIP_MAX;

		place(node, start, skip, trie_bits(data, size, start - skip, skip));
		start -= skip;
		if (start == from)
			return ref;
		start -= TRIE_STEP;
		maps[0] = ref;
		ref = build_node(b, 1);
		if (!ref)
			return 0;
		node = trie_node(b->t, ref);
		set_maps(node, (uint64_t)1 << trie_chunk(data, size, start), 0);
		set_ref(node, 0, (uint32_t)maps[0]);
	}
}

/* --- Finding the way --------------------------------------------------------------------- */

/*
 * How many bits two prefixes have in common, at most max, from bit `from` on, a multiple of
 * TRIE_STEP.
 */
static uint32_t common(const struct trie *t, const uint8_t *a, const uint8_t *b, uint32_t from,
                       uint32_t max)
{
	while (from < max) {
		uint32_t n = max - from < TRIE_SKIP_MAX ? max - from : TRIE_SKIP_MAX;
		uint64_t differ =
			trie_bits(a, t->data_size, from, n) ^ trie_bits(b, t->data_size, from, n);

		if (differ)
			return from + n - (64 - (uint32_t)__builtin_clzll(differ));
		from += n;
	}
	return max;
}

/* The way down to where a prefix is or belongs. */
struct way {
	struct {
		_Atomic uint32_t *slot; /* the reference that led here */
		struct trie_node *node;
		unsigned item; /* by which it was left */
	} step[TRIE_DEPTH_MAX];
	unsigned depth;         /* steps through nodes */
	_Atomic uint32_t *slot; /* where it ends: at an element, 0, or a node off the way */
	uint32_t from;          /* the bit at which what `slot` leads to begins */
	uint32_t agree;         /* bits that the prefix has in common with what is there */
	bool found;             /* an element with this very prefix is there */
	bool missing;           /* the last node has no such item */
};

/* The item of the open first node: 1 ... 4095 a short prefix, from 4096 a reference in `top`. */
static uint32_t top_item(const struct trie *t, const uint8_t *data, uint32_t len)
{
	uint32_t value = (uint32_t)trie_bits(data, t->data_size, 0, TRIE_TOP);

	return len >= TRIE_TOP ? 1u << TRIE_TOP | value : 1u << len | value >> (TRIE_TOP - len);
}

static void find_way(struct trie *t, const uint8_t *data, uint32_t len, struct way *w)
{
	w->slot = t->top ? &t->top[top_item(t, data, len) - (1u << TRIE_TOP)] : &t->root;
	w->from = t->top ? TRIE_TOP : 0;
	w->depth = 0;
	w->found = w->missing = false;
	for (;;) {
		uint32_t ref = atomic_load_explicit(w->slot, memory_order_relaxed), bit, max;
		struct trie_node *n;

		if (!ref)
			return;
		if (ref & TRIE_LEAF) {
			struct trie_elem *e = trie_elem(t, ref & ~TRIE_LEAF);

			max = e->len < len ? e->len : len;
			w->agree = common(t, trie_data(e), data, w->from, max);
			w->found = w->agree == len && e->len == len;
			return;
		}
		n = trie_node(t, ref);
		bit = bit_of(n);
		max = bit < len ? bit : len;
		if (skip_of(n)) {
			uint64_t differ =
				path_of(n) ^ trie_bits(data, t->data_size, w->from, bit - w->from);

			w->agree = bit - (differ ? 64 - (uint32_t)__builtin_clzll(differ) : 0);
			if (w->agree > max)
				w->agree = max;
			if (w->agree < bit)
				return;
		}
		w->step[w->depth].slot = w->slot;
		w->step[w->depth].node = n;
		w->step[w->depth].item = item_of(t, data, len, bit);
		if (!has(n, w->step[w->depth].item)) {
			w->depth++;
			w->missing = true;
			return;
		}
		w->slot = &n->ref[rank(n, w->step[w->depth].item)];
		w->found = w->step[w->depth].item < 64;
		w->depth++;
		if (w->found)
			return;
		w->from = bit + TRIE_STEP;
	}
}

static uint32_t ref_at(const struct way *w)
{
	return atomic_load_explicit(w->slot, memory_order_relaxed);
}

static bool is_short(const struct trie *t, uint32_t len)
{
	return t->top && len < TRIE_TOP;
}

uint32_t trie_exact(const struct trie *t, const struct trie_key *key)
{
	struct way w;

	if (is_short(t, key->len))
		return t->shorts[top_item(t, key->data, key->len)];
	find_way((struct trie *)t, key->data, key->len, &w);
	return w.found ? ref_at(&w) & ~TRIE_LEAF : 0;
}

/* --- Adding ------------------------------------------------------------------------------ */

static void publish(_Atomic uint32_t *slot, uint32_t ref)
{
	atomic_store_explicit(slot, ref, memory_order_release);
}

/* The new prefix parts from the way to a node: a node above it, for both. */
static uint32_t branch_off_node(struct build *b, const struct way *w, uint32_t elem)
{
	struct trie *t = b->t;
	const struct trie_elem *e = trie_elem(t, elem);
	struct trie_node *n = trie_node(t, ref_at(w));
	uint32_t bit = w->agree / TRIE_STEP * TRIE_STEP, rest = bit_of(n) - bit - TRIE_STEP;
	uint64_t path = path_of(n);
	unsigned item[2] = {item_of(t, trie_data(e), e->len, bit),
	                    64 + (unsigned)(path >> rest & (64 - 1))};
	uint32_t refs[2] = {elem | TRIE_LEAF, copy_moved(b, n, rest, path & below(rest))};

	return refs[1] ? build_at(b, trie_data(e), w->from, bit, item, refs, 2) : 0;
}

/* The new prefix meets an element: a node for both. */
static uint32_t branch_off_elem(struct build *b, const struct way *w, uint32_t elem)
{
	struct trie *t = b->t;
	const struct trie_elem *e = trie_elem(t, elem);
	const struct trie_elem *other = trie_elem(t, ref_at(w) & ~TRIE_LEAF);
	uint32_t bit = w->agree / TRIE_STEP * TRIE_STEP;
	unsigned item[2] = {item_of(t, trie_data(e), e->len, bit),
	                    item_of(t, trie_data(other), other->len, bit)};
	uint32_t refs[2] = {elem | TRIE_LEAF, ref_at(w)};

	return build_at(b, trie_data(e), w->from, bit, item, refs, 2);
}

/* Puts elem, or 0, in the place of short prefix i, and shows it in what the prefix covers. */
static void set_short(struct trie *t, uint32_t i, uint32_t elem)
{
	unsigned level = 31 - (unsigned)__builtin_clz(i);
	uint32_t first = (i << (TRIE_TOP - level)) - (1u << TRIE_TOP), by = elem;

	__atomic_store_n(&t->shorts[i], elem, __ATOMIC_RELEASE);
	for (uint32_t up = i >> 1; up && !by; up >>= 1)
		by = t->shorts[up];
	for (uint32_t at = first; at < first + (1u << (TRIE_TOP - level)); at++) {
		uint32_t now = atomic_load_explicit(&t->cover[at], memory_order_relaxed);

		if (!now || trie_elem(t, now)->len <= level)
			publish(&t->cover[at], by);
	}
}

static void put_short(struct trie *t, uint32_t i, uint32_t elem)
{
	uint32_t old = t->shorts[i];

	set_short(t, i, elem);
	if (old)
		trie_elem_retire(t, old);
	t->count += !old;
}

int trie_put(struct trie *t, uint32_t elem)
{
	const struct trie_elem *e = trie_elem(t, elem);
	struct build b = {.t = t};
	_Atomic uint32_t *slot;
	uint32_t old, new;
	struct way w;

	if (is_short(t, e->len)) {
		put_short(t, top_item(t, trie_data(e), e->len), elem);
		return 0;
	}
	find_way(t, trie_data(e), e->len, &w);
	slot = w.missing ? w.step[w.depth - 1].slot : w.slot;
	old = atomic_load_explicit(slot, memory_order_relaxed);
	if (w.found || !old)
		new = elem | TRIE_LEAF;
	else if (w.missing)
		new = copy_changed(&b, trie_node(t, old), w.step[w.depth - 1].item,
		                   elem | TRIE_LEAF);
	else if (old & TRIE_LEAF)
		new = branch_off_elem(&b, &w, elem);
	else
		new = branch_off_node(&b, &w, elem);
	if (!new) {
		unbuild(&b);
		return -ENOMEM;
	}
	publish(slot, new);
	if (w.found)
		trie_elem_retire(t, old & ~TRIE_LEAF);
	else
		t->count++;
	if (old && !(old & TRIE_LEAF))
		trie_node_retire(t, old);
	return 0;
}

/* --- Removing ---------------------------------------------------------------------------- */

/* The only item that a node of two has beside this one. */
static unsigned other_item(const struct trie_node *n, unsigned item)
{
	for (unsigned i = 1; i < 128; i++)
		if (i != item && has(n, i))
			return i;
	return 0;
}

/*
 * What takes the place of a node of two items without one of them: the other, if that is an
 * element; if it is a node, that one with the paths joined, when they are short enough; else the
 * node with one child. *gone: a further node that goes, or 0.
 */
static uint32_t without(struct build *b, struct trie_node *n, unsigned item, uint32_t *gone)
{
	unsigned left = other_item(n, item);
	uint32_t ref = get(n, left), skip;
	struct trie_node *c;
	uint64_t path;

	*gone = 0;
	if (ref & TRIE_LEAF)
		return ref;
	c = trie_node(b->t, ref);
	skip = skip_of(n) + TRIE_STEP + skip_of(c);
	if (skip > TRIE_SKIP_MAX)
		return copy_changed(b, n, item, 0);
	path = (path_of(n) << TRIE_STEP | (left - 64)) << skip_of(c) | path_of(c);
	*gone = ref;
	return copy_moved(b, c, skip, path);
}

static int remove_short(struct trie *t, uint32_t i)
{
	uint32_t old = t->shorts[i];

	if (!old)
		return -ENOENT;
	set_short(t, i, 0);
	trie_elem_retire(t, old);
	t->count--;
	return 0;
}

int trie_remove(struct trie *t, const struct trie_key *key)
{
	struct build b = {.t = t};
	uint32_t old, new = 0, gone = 0;
	struct trie_node *n;
	unsigned up;
	struct way w;

	if (is_short(t, key->len))
		return remove_short(t, top_item(t, key->data, key->len));
	find_way(t, key->data, key->len, &w);
	if (!w.found)
		return -ENOENT;
	old = ref_at(&w);
	up = w.depth;
	if (!up) {
		publish(w.slot, 0);
		goto out;
	}
	n = w.step[--up].node;
	if (count(n) > 2)
		new = copy_changed(&b, n, w.step[up].item, 0);
	else
		new = without(&b, n, w.step[up].item, &gone);
	if (!new) {
		unbuild(&b);
		return -ENOMEM;
	}
	/* Nodes that only led the way here are not needed for an element. */
	while ((new & TRIE_LEAF) && up > 0 && count(w.step[up - 1].node) == 1)
		up--;
	publish(w.step[up].slot, new);
	while (w.depth > up)
		trie_node_retire(t, (uint32_t)(((uint8_t *)w.step[--w.depth].node - t->nodes) /
		                               TRIE_UNIT));
	if (gone)
		trie_node_retire(t, gone);
out:
	trie_elem_retire(t, old & ~TRIE_LEAF);
	t->count--;
	return 0;
}

/* --- In order ---------------------------------------------------------------------------- */

/*
 * The item after i when a complete tree of depth levels below the root is walked children first; 0:
 * none.
 */
static uint32_t item_after(uint32_t i, unsigned depth)
{
	unsigned level = 31 - (unsigned)__builtin_clz(i);

	return i == 1 ? 0 : i & 1 ? i >> 1 : (i + 1) << (depth - level);
}

/* The first item from i on that a node has, or 0. */
static unsigned first_item(const struct trie_node *n, unsigned i)
{
	while (i && !has(n, i))
		i = item_after(i, TRIE_STEP);
	return i;
}

/* The first element below a reference. */
static uint32_t first_elem(const struct trie *t, uint32_t ref)
{
	while (ref && !(ref & TRIE_LEAF)) {
		const struct trie_node *n = trie_node(t, ref);

		ref = get(n, first_item(n, 64));
	}
	return ref & ~TRIE_LEAF;
}

/* The first element from item i of the open first node on. */
static uint32_t first_from_top(const struct trie *t, uint32_t i)
{
	uint32_t ref = 0;

	for (; i && !ref; i = item_after(i, TRIE_TOP)) {
		if (i >= 1u << TRIE_TOP)
			ref = atomic_load_explicit(&t->top[i - (1u << TRIE_TOP)],
			                           memory_order_relaxed);
		else if (t->shorts[i])
			ref = t->shorts[i] | TRIE_LEAF;
	}
	return first_elem(t, ref);
}

uint32_t trie_next(const struct trie *t, const struct trie_key *key)
{
	struct way w;
	bool known = key && key->len <= t->data_size * 8;

	w.found = false;
	w.depth = 0;
	if (known && is_short(t, key->len))
		w.found = trie_exact(t, key);
	else if (known)
		find_way((struct trie *)t, key->data, key->len, &w);
	if (!w.found && t->top)
		return first_from_top(t, 1u << TRIE_TOP);
	if (!w.found)
		return first_elem(t, atomic_load_explicit(&t->root, memory_order_relaxed));
	while (w.depth > 0) {
		const struct trie_node *n = w.step[--w.depth].node;
		unsigned i = first_item(n, item_after(w.step[w.depth].item, TRIE_STEP));

		if (i)
			return first_elem(t, get(n, i));
	}
	return t->top ? first_from_top(t, item_after(top_item(t, key->data, key->len), TRIE_TOP))
	              : 0;
}
