/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash table: see table.h. Requires: base/, pool.h. */
#include "maps/table.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/mem.h"

static_assert(sizeof(struct group) == 64, "a group is a cache line");

enum {
	LINE = 64,
	SPARES_MORE = 4, /* threads in bpf(2) that may be at the same point at the same time */
	TRIES = 8, /* without the lock */
	HOPS = 64, /* along a chain, without the lock */
};

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static uint32_t power_of_2(uint32_t n)
{
	return n <= 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

/* --- Making ------------------------------------------------------------------------------ */

/* Small elements are kept within a cache line: key and value come with one miss. */
static size_t stride_for(size_t size)
{
	return size > LINE ? round_up(size, 8) : power_of_2((uint32_t)size);
}

/* Takes the next bytes of the storage, which is not there yet when base is NULL. */
static void *carve(uint8_t *base, size_t *used, size_t n, size_t each)
{
	size_t at = round_up(*used, LINE);

	*used = at + n * each;
	return base ? base + at : NULL;
}

/*
 * Lays the table out over base; answers how large it is. Sizes are below 2^32 each, so nothing
 * wraps.
 */
static size_t lay_out(struct table *t, uint8_t *base, bool per_cpu)
{
	size_t used = 0, value = round_up(t->value_size, 8);
	size_t key_end = sizeof(struct elem) + round_up(t->key_size, 8);
	uint8_t *first;

	t->groups = carve(base, &used, (size_t)t->group_mask + 1, sizeof(struct group));
	t->spares = carve(base, &used, t->nspares, sizeof(struct spare));
	t->pool.part = carve(base, &used, t->pool.nparts, sizeof(struct pool_part));
	t->stride = stride_for(key_end + (per_cpu ? 0 : value));
	first = carve(base, &used, t->nelems, t->stride);
	t->elems = base ? first - t->stride : NULL;
	t->values = base ? t->elems + key_end : NULL;
	t->value_stride = t->stride;
	if (per_cpu) {
		t->plane = round_up(value * t->nelems, LINE);
		t->value_stride = value;
		first = carve(base, &used, t->ncpus, t->plane);
		t->values = base ? first - value : NULL;
	}
	return round_up(used, LINE);
}

int table_init(struct table *t, const struct mem *mem, const struct table_shape *shape,
               const uint64_t fallback_seed[2])
{
	uint32_t ngroups = power_of_2((shape->max_entries + GROUP_TARGET - 1) / GROUP_TARGET);

	t->group_mask = ngroups - 1;
	/* Per-CPU values are changed in place: nothing to spare for that. */
	if (!shape->per_cpu)
		t->nspares = shape->ncpus + (ngroups < SPARES_MORE ? ngroups : SPARES_MORE);
	t->key_size = shape->key_size;
	t->value_size = shape->value_size;
	t->max_entries = shape->max_entries;
	t->ncpus = shape->ncpus;
	t->nelems = shape->max_entries + t->nspares;
	t->pool.nparts = shape->split ? shape->ncpus : pool_parts(shape->max_entries, shape->ncpus);
	t->pool.split = shape->split;
	t->size = lay_out(t, NULL, shape->per_cpu);
	t->storage = mem_map(mem, t->size);
	if (!t->storage)
		return -ENOMEM;
	lay_out(t, t->storage, shape->per_cpu);
	t->pool.base = t->elems;
	t->pool.stride = t->stride;
	pool_init(&t->pool, shape->max_entries);
	for (uint32_t i = 0; i < t->nspares; i++)
		atomic_init(&t->spares[i].ref, shape->max_entries + 1 + i);
	if (shape->zero_seed)
		hash_seed_fixed(&t->seed);
	else
		hash_seed_random(&t->seed, fallback_seed);
	return 0;
}

void table_fini(struct table *t, const struct mem *mem)
{
	mem_unmap(mem, t->storage, t->size);
}

void table_key_write(struct elem *e, const void *key, uint32_t size)
{
	uint64_t *word = (uint64_t *)e->key;
	const uint8_t *p = key;

	/*
	 * A reader that sees a word of the new key must see the state that its group got when it was
	 * taken out.
	 */
	atomic_thread_fence(memory_order_release);
	for (; size >= 8; size -= 8, p += 8)
		__atomic_store_n(word++, hash_load(p, 8), __ATOMIC_RELAXED);
	if (size)
		__atomic_store_n(word, hash_load(p, size), __ATOMIC_RELAXED);
}

/* --- Finding ----------------------------------------------------------------------------- */

static uint32_t chain_of(const struct group *g)
{
	return (uint32_t)(atomic_load_explicit(&g->tags[1], memory_order_acquire) >> 32);
}

static unsigned tag_at(const struct group *g, int place)
{
	uint64_t tags = atomic_load_explicit(&g->tags[place / 8], memory_order_acquire);

	return tags >> (place % 8 * 8) & 0xff;
}

/* The bits of table_zero_bytes() for all places: 8 in the first word, 3 in the second. */
static void match(const struct group *g, uint64_t tag, uint64_t at[2])
{
	uint64_t high = atomic_load_explicit(&g->tags[1], memory_order_acquire);
	uint64_t low = atomic_load_explicit(&g->tags[0], memory_order_acquire);

	at[0] = table_zero_bytes(low ^ tag);
	at[1] = table_zero_bytes(high ^ tag) & 0xffffff;
}

/*
 * Every way a key can be found in its group, in one pass. The answer is right when nothing was
 * taken out of the group meanwhile and *hops has not fallen to 0: a chain that changes under it
 * may lead anywhere among the elements, even in a circle, so it follows no more links than that.
 */
static struct table_pos scan(const struct table *t, const struct table_spot *s, const void *key,
                             uint32_t key_size, unsigned *hops)
{
	struct table_pos none = {.place = -1};
	uint64_t at[2];
	uint32_t ref, before = 0;

	match(s->group, table_tags(s->hash), at);
	for (int word = 0; word < 2; word++) {
		for (; at[word]; at[word] &= at[word] - 1) {
			int place = word * 8 + __builtin_ctzll(at[word]) / 8;

			ref = atomic_load_explicit(&s->group->elem[place], memory_order_acquire);
			if (ref && table_key_is(table_elem(t, ref), key, key_size))
				return (struct table_pos){.ref = ref, .place = place};
		}
	}
	for (ref = chain_of(s->group); ref && *hops; --*hops) {
		struct elem *e = table_elem(t, ref);

		if (table_key_is(e, key, key_size))
			return (struct table_pos){.ref = ref, .place = -1, .before = before};
		before = ref;
		ref = atomic_load_explicit(&e->link, memory_order_acquire);
	}
	return none;
}

struct table_pos table_find_locked(const struct table *t, const struct table_spot *s,
                                   const void *key)
{
	unsigned hops = UINT32_MAX;

	return scan(t, s, key, t->key_size, &hops);
}

uint32_t table_find_slow(const struct table *t, const void *key, uint32_t key_size, uint64_t hash)
{
	struct table_spot s = table_spot(t, hash);
	uint32_t ref;

	for (int tries = 0; tries < TRIES; tries++) {
		uint32_t state = atomic_load_explicit(&s.group->state, memory_order_acquire);
		unsigned hops = HOPS;

		ref = scan(t, &s, key, key_size, &hops).ref;
		atomic_thread_fence(memory_order_acquire);
		state ^= atomic_load_explicit(&s.group->state, memory_order_relaxed);
		if (!(state >> 1) && hops)
			return ref;
	}
	group_lock(s.group);
	ref = table_find_locked(t, &s, key).ref;
	group_unlock(s.group);
	return ref;
}

struct table_pos table_find_ref(const struct table *t, const struct table_spot *s, uint32_t ref)
{
	uint32_t before = 0;

	for (int place = 0; place < GROUP_PLACES; place++)
		if (atomic_load_explicit(&s->group->elem[place], memory_order_relaxed) == ref &&
		    tag_at(s->group, place))
			return (struct table_pos){.ref = ref, .place = place};
	for (uint32_t r = chain_of(s->group); r;) {
		if (r == ref)
			return (struct table_pos){.ref = ref, .place = -1, .before = before};
		before = r;
		r = atomic_load_explicit(&table_elem(t, r)->link, memory_order_relaxed);
	}
	return (struct table_pos){.place = -1};
}

/* --- Changing, with the group's lock held ------------------------------------------------ */

static void set_tag(struct group *g, int place, uint64_t tag)
{
	_Atomic uint64_t *word = &g->tags[place / 8];
	unsigned shift = (unsigned)place % 8 * 8;
	uint64_t tags = atomic_load_explicit(word, memory_order_relaxed);

	tags = (tags & ~((uint64_t)0xff << shift)) | tag << shift;
	atomic_store_explicit(word, tags, memory_order_release);
}

static void set_chain(struct group *g, uint32_t ref)
{
	uint64_t tags = atomic_load_explicit(&g->tags[1], memory_order_relaxed);

	atomic_store_explicit(&g->tags[1], (uint32_t)tags | (uint64_t)ref << 32,
	                      memory_order_release);
}

static void set_link(const struct table *t, struct group *g, uint32_t before, uint32_t ref)
{
	if (before)
		atomic_store_explicit(&table_elem(t, before)->link, ref, memory_order_release);
	else
		set_chain(g, ref);
}

static void bump(struct group *g)
{
	uint32_t state = atomic_load_explicit(&g->state, memory_order_relaxed);

	atomic_store_explicit(&g->state, state + 2, memory_order_release);
}

static void set_home(const struct table *t, uint32_t ref, uint32_t home)
{
	atomic_store_explicit(&table_elem(t, ref)->home, home, memory_order_relaxed);
}

static uint32_t home_of(const struct table *t, const struct group *g)
{
	return (uint32_t)(g - t->groups) + 1;
}

void table_insert(struct table *t, const struct table_spot *s, uint32_t ref)
{
	struct elem *e = table_elem(t, ref);
	struct group *g = s->group;
	uint64_t free[2];

	set_home(t, ref,
	         home_of(t, g) |
	                 (atomic_load_explicit(&e->home, memory_order_relaxed) & ELEM_RECENT));
	match(g, 0, free);
	if (free[0] || free[1]) {
		int place =
			free[0] ? __builtin_ctzll(free[0]) / 8 : 8 + __builtin_ctzll(free[1]) / 8;

		atomic_store_explicit(&g->elem[place], ref, memory_order_release);
		set_tag(g, place, table_tags(s->hash) & 0xff);
		return;
	}
	atomic_store_explicit(&e->link, chain_of(g), memory_order_release);
	set_chain(g, ref);
}

void table_remove(struct table *t, const struct table_spot *s, struct table_pos at)
{
	bump(s->group);
	set_home(t, at.ref, ELEM_RECENT);
	if (at.place >= 0) {
		set_tag(s->group, at.place, 0);
		atomic_store_explicit(&s->group->elem[at.place], 0, memory_order_release);
		return;
	}
	set_link(t, s->group, at.before,
	         atomic_load_explicit(&table_elem(t, at.ref)->link, memory_order_relaxed));
}

void table_replace(struct table *t, const struct table_spot *s, struct table_pos at, uint32_t by)
{
	bump(s->group);
	set_home(t, at.ref, 0);
	set_home(t, by, home_of(t, s->group) | ELEM_RECENT);
	if (at.place >= 0) {
		atomic_store_explicit(&s->group->elem[at.place], by, memory_order_release);
		return;
	}
	atomic_store_explicit(
		&table_elem(t, by)->link,
		atomic_load_explicit(&table_elem(t, at.ref)->link, memory_order_relaxed),
		memory_order_release);
	set_link(t, s->group, at.before, by);
}

struct spare *table_spare(struct table *t, unsigned cpu, uint32_t *ref)
{
	struct spare *s;

	if (__builtin_expect(cpu < t->ncpus, 1)) {
		s = &t->spares[cpu];
		*ref = atomic_load_explicit(&s->ref, memory_order_relaxed);
		return s;
	}
	for (uint32_t i = t->ncpus;; i = i + 1 < t->nspares ? i + 1 : t->ncpus) {
		s = &t->spares[i];
		*ref = atomic_exchange_explicit(&s->ref, 0, memory_order_acquire);
		if (*ref)
			return s;
		sched_yield();
	}
}

/* --- Walking ----------------------------------------------------------------------------- */

/* The element behind a position (or the group's first, for place -2), or 0. Lock held. */
static uint32_t after(const struct table *t, const struct group *g, struct table_pos at)
{
	if (at.place == -1)
		return atomic_load_explicit(&table_elem(t, at.ref)->link, memory_order_relaxed);
	for (int place = at.place < 0 ? 0 : at.place + 1; place < GROUP_PLACES; place++)
		if (tag_at(g, place))
			return atomic_load_explicit(&g->elem[place], memory_order_relaxed);
	return chain_of(g);
}

static const struct table_pos group_start = {.place = -2};

static bool group_empty(const struct group *g)
{
	return !atomic_load_explicit(&g->tags[0], memory_order_relaxed) &&
	       !atomic_load_explicit(&g->tags[1], memory_order_relaxed);
}

int table_next_key(const struct table *t, const void *key, void *next)
{
	uint32_t group = 0, ref = 0;

	if (key) {
		struct table_spot s = table_spot(t, table_hash(t, key, t->key_size));
		struct table_pos at;

		group_lock(s.group);
		at = table_find_locked(t, &s, key);
		if (at.ref) {
			group = (uint32_t)(s.group - t->groups) + 1;
			ref = after(t, s.group, at);
		}
		if (ref)
			copy_from_shared(next, table_elem(t, ref)->key, t->key_size);
		group_unlock(s.group);
	}
	for (; !ref && group <= t->group_mask; group++) {
		struct group *g = &t->groups[group];

		if (group_empty(g))
			continue;
		group_lock(g);
		ref = after(t, g, group_start);
		if (ref)
			copy_from_shared(next, table_elem(t, ref)->key, t->key_size);
		group_unlock(g);
	}
	return ref ? 0 : -ENOENT;
}

unsigned table_group_elems(const struct table *t, uint32_t group, unsigned skip, uint32_t *refs,
                           unsigned max)
{
	struct group *g = &t->groups[group];
	struct table_pos at = group_start;
	unsigned n = 0;

	if (group_empty(g))
		return 0;
	group_lock(g);
	for (int place = 0; place < GROUP_PLACES && n < max; place++)
		if (tag_at(g, place) && !(skip && skip--))
			refs[n++] = atomic_load_explicit(&g->elem[place], memory_order_relaxed);
	for (at.ref = chain_of(g); at.ref && n < max;) {
		if (!(skip && skip--))
			refs[n++] = at.ref;
		at.ref = atomic_load_explicit(&table_elem(t, at.ref)->link, memory_order_relaxed);
	}
	group_unlock(g);
	return n;
}
