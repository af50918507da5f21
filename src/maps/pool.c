/* SPDX-License-Identifier: BSD-2-Clause */
/* Free elements: see pool.h. */
#include "maps/pool.h"

/* Fewer elements than this in a part are not worth a part. */
enum { PART_MIN = 64 };

uint32_t pool_parts(uint32_t n, unsigned ncpus)
{
	uint32_t parts = n / PART_MIN;

	return parts < 1 ? 1 : parts < ncpus ? parts : ncpus;
}

void pool_init(struct pool *p, uint32_t n)
{
	uint32_t first = 1;

	for (uint32_t i = 0; i < p->nparts; i++) {
		uint32_t last = (uint32_t)((uint64_t)n * (i + 1) / p->nparts);

		p->part[i].first = first;
		p->part[i].count = last + 1 - first;
		first = last + 1;
	}
}

static uint32_t home_part(const struct pool *p, unsigned hint)
{
	return hint < p->nparts ? hint : hint % p->nparts;
}

static _Atomic uint32_t *link_of(const struct pool *p, uint32_t elem)
{
	return (_Atomic uint32_t *)(p->base + elem * p->stride);
}

static uint32_t pop(const struct pool *p, struct pool_part *part)
{
	uint64_t top = atomic_load_explicit(&part->top, memory_order_acquire);

	for (;;) {
		uint32_t elem = (uint32_t)top;
		uint64_t next;

		if (!elem)
			return 0;
		/*
		 * It may be somebody else's by now: then the counter has moved and the exchange
		 * fails.
		 */
		next = atomic_load_explicit(link_of(p, elem), memory_order_relaxed);
		next |= ((top >> 32) + 1) << 32;
		if (atomic_compare_exchange_weak_explicit(
			    &part->top, &top, next, memory_order_acquire, memory_order_acquire))
			return elem;
	}
}

static uint32_t take_fresh(struct pool_part *part)
{
	uint32_t n = atomic_load_explicit(&part->fresh, memory_order_relaxed);

	while (n < part->count)
		if (atomic_compare_exchange_weak_explicit(
			    &part->fresh, &n, n + 1, memory_order_relaxed, memory_order_relaxed))
			return part->first + n;
	return 0;
}

static uint32_t take_from(const struct pool *p, struct pool_part *part)
{
	uint32_t elem = pop(p, part);

	return elem ? elem : take_fresh(part);
}

uint32_t pool_take_any(struct pool *p, unsigned hint)
{
	uint32_t home = home_part(p, hint), elem = 0;

	for (uint32_t i = 0; !elem && i < p->nparts; i++)
		elem = take_from(p, &p->part[home_part(p, home + i)]);
	return elem;
}

uint32_t pool_take(struct pool *p, unsigned hint)
{
	return p->split ? take_from(p, &p->part[home_part(p, hint)]) : pool_take_any(p, hint);
}

void pool_give(struct pool *p, uint32_t elem, unsigned hint)
{
	/* Parts of a split pool are of one size; what was added behind them belongs to nobody. */
	uint32_t owner = p->split ? (elem - 1) / p->part[0].count : UINT32_MAX;
	struct pool_part *part = &p->part[owner < p->nparts ? owner : home_part(p, hint)];
	uint64_t top = atomic_load_explicit(&part->top, memory_order_relaxed), next;

	do {
		atomic_store_explicit(link_of(p, elem), (uint32_t)top, memory_order_relaxed);
		next = ((top >> 32) + 1) << 32 | elem;
	} while (!atomic_compare_exchange_weak_explicit(
		&part->top, &top, next, memory_order_release, memory_order_relaxed));
}

uint32_t pool_touched(const struct pool *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->nparts; i++)
		n += atomic_load_explicit(&p->part[i].fresh, memory_order_relaxed);
	return n;
}
