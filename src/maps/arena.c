/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: core/arena.h draws how they lie in memory.
 *
 * The pages are a sparse file. Which were allocated is noted by bit; a page that the user touched first is
 * his as well, and is found by its not being a hole of the file any more. Pages that are freed become holes:
 * zeros, for everybody who has mapped them.
 *
 * Invariant: no bit of `taken` is clear below `first`.
 */
#define _GNU_SOURCE
#include "core/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maps/maps.h"

enum { FLAGS = BPF_F_MMAPABLE | BPF_F_SEGV_ON_FAULT | BPF_F_NO_USER_CONV };

static int arena_check(const struct skep *k, const struct map_attr *attr)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size = attr->max_entries * page;

	(void)k;
	if (attr->key_size || attr->value_size || !attr->max_entries ||
	    !(attr->flags & BPF_F_MMAPABLE) || attr->flags & ~(uint32_t)FLAGS ||
	    attr->extra % page)
		return -EINVAL;
	if (size > ARENA_SPAN)
		return -E2BIG;
	return attr->extra >> 32 == (attr->extra + size - 1) >> 32 ? 0 : -ERANGE;
}

static uint64_t bytes(const struct map_arena *a)
{
	return a->map.max_entries * (uint64_t)a->page;
}

/* --- The address space -------------------------------------------------------------------- */

static int place(struct map_arena *a, uint64_t user_start)
{
	uint32_t low = (uint32_t)user_start;
	int err = 0;

	lock_take(&a->map.lock);
	if (a->user_start)
		err = a->user_start == user_start ? 0 : -EINVAL;
	else if (!user_start || user_start % a->page || low + bytes(a) > ARENA_SPAN)
		err = -EINVAL;
	else if (mmap((void *)(a->base + low), bytes(a), PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_FIXED, a->map.pages.fd, 0) == MAP_FAILED)
		err = -ENOMEM;
	else
		a->user_start = user_start;
	lock_release(&a->map.lock);
	return err;
}

static void arena_fini(struct map *m)
{
	struct map_arena *a = arena_of(m);

	if (a->base)
		munmap((void *)(a->base - ARENA_GUARD), ARENA_SPAN + 2 * ARENA_GUARD);
	mem_free(&m->obj.k->mem, a->taken);
}

static int arena_init(struct map *m, const struct map_attr *attr)
{
	struct map_arena *a = arena_of(m);
	const struct mem *mem = &m->obj.k->mem;
	void *base;
	int err;

	a->page = (size_t)sysconf(_SC_PAGESIZE);
	a->taken = mem_zalloc_array(mem, (m->max_entries + 63) / 64, sizeof(*a->taken));
	if (!a->taken)
		return -ENOMEM;
	err = pages_alloc(&m->pages, mem, "bpf-map", bytes(a));
	if (err)
		goto fail;
	base = mmap(NULL, ARENA_SPAN + 2 * ARENA_GUARD, PROT_READ | PROT_WRITE,
	            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	err = base == MAP_FAILED ? -ENOMEM : 0;
	if (err)
		goto fail;
	a->base = (uintptr_t)base + ARENA_GUARD;
	if (attr->extra)
		err = place(a, attr->extra);
	if (!err)
		return 0;
fail:
	arena_fini(m);
	pages_free(&m->pages);
	return err;
}

static bool arena_region(struct map *m, uintptr_t addr, struct region *r)
{
	uintptr_t start = arena_of(m)->base - ARENA_GUARD;

	if (addr < start || addr - start >= ARENA_SPAN + 2 * ARENA_GUARD)
		return false;
	*r = (struct region){start, ARENA_SPAN + 2 * ARENA_GUARD, true, "arena"};
	return true;
}

static int arena_value(struct map *m, uint32_t offset, uintptr_t *addr)
{
	if (offset > bytes(arena_of(m)))
		return -ERANGE;
	*addr = (uintptr_t)(arena_of(m)->user_start + offset);
	return 0;
}

static int arena_next_key(struct map *m, const void *key, void *next)
{
	(void)m, (void)key, (void)next;
	return -EOPNOTSUPP;
}

/* --- Pages -------------------------------------------------------------------------------- */

static bool is_taken(const struct map_arena *a, uint32_t page)
{
	return a->taken[page / 64] >> page % 64 & 1;
}

static void take(struct map_arena *a, uint32_t page, uint32_t n)
{
	for (; n; n--, page++)
		a->taken[page / 64] |= (uint64_t)1 << page % 64;
	while (a->first < a->map.max_entries && is_taken(a, a->first))
		a->first++;
}

/* The first of n pages that is not free, or n. One that the user has touched is taken from now on. */
static uint32_t free_run(struct map_arena *a, uint32_t page, uint32_t n)
{
	off_t from = (off_t)page * (off_t)a->page, data;
	uint32_t k = 0;

	while (k < n && !is_taken(a, page + k))
		k++;
	if (k < n)
		return k;
	data = lseek(a->map.pages.fd, from, SEEK_DATA);
	if (data < 0 || data >= from + (off_t)n * (off_t)a->page)
		return n;
	k = (uint32_t)((data - from) / (off_t)a->page);
	take(a, page + k, 1);
	return k;
}

/* Page of an address, if n pages from there are the arena's. */
static bool page_at(const struct map_arena *a, uint64_t addr, uint32_t n, uint32_t *page)
{
	uint32_t at = ((uint32_t)addr - (uint32_t)a->user_start) / (uint32_t)a->page;

	if (addr % a->page || at >= a->map.max_entries || n > a->map.max_entries - at)
		return false;
	*page = at;
	return true;
}

static uint64_t alloc_pages(struct map_arena *a, uint64_t addr, uint32_t n)
{
	uint32_t page, max = a->map.max_entries, k;
	bool found = false;

	if (!n || n > max || (addr && !page_at(a, addr, n, &page)))
		return 0;
	lock_take(&a->map.lock);
	if (addr)
		found = free_run(a, page, n) == n;
	for (page = addr ? page : a->first; !addr && !found && page <= max - n; page += k + 1) {
		k = free_run(a, page, n);
		found = k == n;
		if (found)
			break;
	}
	if (found)
		take(a, page, n);
	lock_release(&a->map.lock);
	return found ? a->user_start + page * (uint64_t)a->page : 0;
}

static void free_pages(struct map_arena *a, uint64_t addr, uint32_t n)
{
	uint32_t page, max = a->map.max_entries;

	if (!n || !page_at(a, addr & -(uint64_t)a->page, 1, &page))
		return;
	n = n < max - page ? n : max - page;
	lock_take(&a->map.lock);
	fallocate(a->map.pages.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	          (off_t)page * (off_t)a->page, (off_t)n * (off_t)a->page);
	for (uint32_t k = 0; k < n; k++)
		a->taken[(page + k) / 64] &= ~((uint64_t)1 << (page + k) % 64);
	a->first = page < a->first ? page : a->first;
	lock_release(&a->map.lock);
}

static int reserve_pages(struct map_arena *a, uint64_t addr, uint32_t n)
{
	uint32_t page;
	int err;

	if (!n || addr % a->page)
		return 0;
	if (!page_at(a, addr, n, &page))
		return -EINVAL;
	lock_take(&a->map.lock);
	err = free_run(a, page, n) == n ? 0 : -EBUSY;
	if (!err)
		take(a, page, n);
	lock_release(&a->map.lock);
	return err;
}

static const struct arena_ops pages_ops = {
	.place = place,
	.alloc = alloc_pages,
	.free = free_pages,
	.reserve = reserve_pages,
};

const struct map_ops map_arena_ops = {
	.name = "arena",
	.size = sizeof(struct map_arena),
	.check = arena_check,
	.init = arena_init,
	.fini = arena_fini,
	.region = arena_region,
	.next_key = arena_next_key,
	.direct_value = arena_value,
	.arena = &pages_ops,
	.takes_extra = true,
	.no_inner = true,
};
