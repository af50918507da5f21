/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executable memory that is never writable.
 *
 * Code lives in chunks. A chunk is a memfd of which there is one mapping, read and execute; code gets
 * there by pwrite() on the descriptor, so no page is writable and executable, at no time, and there is
 * no writable mapping at all. Where the host does not let memfds be executed, each program gets a private
 * mapping of its own that is written first and made executable afterwards.
 *
 * Images are carved off the front of the newest chunk and what is freed is not used again: a chunk goes
 * as a whole when its last image has gone. A forked child shares the pages of a memfd with its parent
 * but knows nothing of the other's later allocations, so neither may write where the other may run code;
 * for the same reason a child begins a chunk of its own: it sees that it is one by a page that is wiped
 * on fork. The price is at most a chunk for each image that outlives its neighbours.
 *
 * Chunks are placed within NEAR bytes of the library's text where the address space permits, so that
 * code calls helpers by short displacement.
 *
 * Requires: nothing. Provides: jit_mem_*(), jit_pool_free().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/exec.h"
#include "exec/jit.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

enum { CHUNK_SIZE = 256 * 1024 };

/* Half of what a signed 32-bit displacement reaches: the other half is for callees around the anchor. */
static const uintptr_t NEAR = 1u << 30;

struct jit_chunk {
	struct jit_chunk *next;
	uint8_t *base;
	size_t size, used;
	uint32_t images;
	int fd; /* -1: a mapping of its own for one image */
};

/* The pool of a kernel. The first chunk is the newest; only that one has room. */
struct jit_pool {
	struct lock lock;
	struct jit_chunk *chunks;
	uint32_t *ours; /* 1; in a forked child, 0 until it allocates */
	bool share;     /* `ours` works, so memfds may be used */
};

static uintptr_t anchor(void)
{
	return (uintptr_t)jit_mem_alloc;
}

static bool near_anchor(uintptr_t start, size_t size)
{
	uintptr_t end = start + size;

	return (start > anchor() ? end - anchor() : anchor() - start) < NEAR;
}

bool jit_mem_is_near(const struct jit_image *image)
{
	return near_anchor((uintptr_t)image->base, image->size);
}

bool jit_is_near(const struct jit *j, const void *to)
{
	return j->near && near_anchor((uintptr_t)to, 0);
}

static size_t round_to_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

/* The first free place near the text, going down from it, then up; else anywhere. */
static void *map_near(size_t size, int prot, int flags, int fd)
{
	const uintptr_t step = 32u << 20;
	uintptr_t text = anchor() & ~(step - 1);
	void *base;

	for (uintptr_t away = step; away + size < NEAR; away *= 2) {
		for (int up = 0; up < 2; up++) {
			uintptr_t hint = up ? text + away : text - away;

			if (!up && text <= away)
				continue;
			base = mmap((void *)hint, size, prot, flags | MAP_FIXED_NOREPLACE, fd, 0);
			if (base != MAP_FAILED && near_anchor((uintptr_t)base, size))
				return base;
			if (base != MAP_FAILED)
				munmap(base, size);
		}
	}
	return mmap(NULL, size, prot, flags, fd, 0);
}

static int code_memfd(size_t size)
{
	int fd = memfd_create("bpf-jit", MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 every memfd could be executed */
		fd = memfd_create("bpf-jit", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Maps the memory of a chunk: a memfd, or private pages still to be made executable. */
static int chunk_map(struct jit_chunk *c, bool share)
{
	void *base = MAP_FAILED;

	c->fd = share ? code_memfd(c->size) : -1;
	if (c->fd >= 0) {
		base = map_near(c->size, PROT_READ | PROT_EXEC, MAP_SHARED, c->fd);
		if (base == MAP_FAILED) {
			close(c->fd);
			c->fd = -1;
		}
	}
	if (base == MAP_FAILED)
		base = map_near(c->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (base == MAP_FAILED)
		return -ENOMEM;
	c->base = base;
	return 0;
}

static int chunk_new(struct skep *k, size_t need, bool share, struct jit_chunk **out)
{
	struct jit_chunk *c = mem_zalloc(&k->mem, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->size = need > CHUNK_SIZE || !share ? round_to_pages(need) : CHUNK_SIZE;
	if (chunk_map(c, share) != 0) {
		mem_free(&k->mem, c);
		return -ENOMEM;
	}
	*out = c;
	return 0;
}

static void chunk_free(struct skep *k, struct jit_chunk *c)
{
	if (c->fd >= 0)
		close(c->fd);
	munmap(c->base, c->size);
	mem_free(&k->mem, c);
}

/* Makes c the chunk that allocations come from; nothing more will be written to its predecessor. */
static void pool_push(struct skep *k, struct jit_pool *pool, struct jit_chunk *c)
{
	struct jit_chunk *old = pool->chunks;

	if (old && !old->images) {
		c->next = old->next;
		chunk_free(k, old);
	} else {
		/* Its descriptor is kept: an image of it may not be written yet. */
		c->next = old;
	}
	pool->chunks = c;
}

static void pool_free(struct skep *k, struct jit_pool *pool)
{
	munmap(pool->ours, round_to_pages(sizeof(*pool->ours)));
	mem_free(&k->mem, pool);
}

static struct jit_pool *pool_new(struct skep *k)
{
	size_t size = round_to_pages(sizeof(*((struct jit_pool *)0)->ours));
	struct jit_pool *pool = mem_zalloc(&k->mem, sizeof(*pool));
	void *page;

	if (!pool)
		return NULL;
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		mem_free(&k->mem, pool);
		return NULL;
	}
	pool->ours = page;
	*pool->ours = 1;
	pool->share = madvise(page, size, MADV_WIPEONFORK) == 0;
	return pool;
}

/* A kernel gets its pool with its first program. */
static struct jit_pool *pool_of(struct skep *k)
{
	struct jit_pool *pool = __atomic_load_n(&k->jit_pool, __ATOMIC_ACQUIRE), *made;
	void *none = NULL;

	if (pool)
		return pool;
	made = pool_new(k);
	if (!made)
		return NULL;
	if (__atomic_compare_exchange_n(&k->jit_pool, &none, made, false, __ATOMIC_ACQ_REL,
	                                __ATOMIC_ACQUIRE))
		return made;
	pool_free(k, made);
	return none;
}

int jit_mem_alloc(struct skep *k, size_t size, struct jit_image *out)
{
	struct jit_pool *pool = pool_of(k);
	struct jit_chunk *c;
	int err = 0;

	if (!pool)
		return -ENOMEM;
	size = (size + JIT_LINE - 1) & ~(size_t)(JIT_LINE - 1);
	lock_take(&pool->lock);
	c = pool->chunks;
	if (!c || c->fd < 0 || c->size - c->used < size || !*pool->ours) {
		err = chunk_new(k, size, pool->share, &c);
		if (!err) {
			pool_push(k, pool, c);
			*pool->ours = 1;
		}
	}
	if (!err) {
		*out = (struct jit_image){.chunk = c, .base = c->base + c->used, .size = size};
		c->used += size;
		c->images++;
	}
	lock_release(&pool->lock);
	return err;
}

int jit_mem_write(struct jit_image *image, const void *code)
{
	const struct jit_chunk *c = image->chunk;
	size_t done = 0;

	if (c->fd < 0) {
		memcpy(image->base, code, image->size);
		return mprotect(c->base, c->size, PROT_READ | PROT_EXEC) == 0 ? 0 : -errno;
	}
	while (done < image->size) {
		ssize_t n = pwrite(c->fd, (const uint8_t *)code + done, image->size - done,
		                   image->base - c->base + (off_t)done);

		if (n < 0 && errno != EINTR)
			return errno == ENOSPC ? -ENOMEM : -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	__builtin___clear_cache((char *)image->base, (char *)image->base + image->size);
	return 0;
}

void jit_mem_free(struct skep *k, struct jit_image *image)
{
	struct jit_pool *pool = k->jit_pool;
	struct jit_chunk *c = image->chunk, **link;

	lock_take(&pool->lock);
	c->images--;
	/* The newest chunk stays while it has room: a program that comes and goes should find it there. */
	if (!c->images && (c != pool->chunks || c->fd < 0)) {
		for (link = &pool->chunks; *link != c; link = &(*link)->next)
			;
		*link = c->next;
		chunk_free(k, c);
	}
	lock_release(&pool->lock);
}

void jit_pool_free(struct skep *k)
{
	struct jit_pool *pool = k->jit_pool;

	if (!pool)
		return;
	while (pool->chunks) {
		struct jit_chunk *c = pool->chunks;

		pool->chunks = c->next;
		chunk_free(k, c);
	}
	pool_free(k, pool);
	k->jit_pool = NULL;
}
