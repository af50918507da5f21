/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values with special fields: copying around them, their spin lock, what they hold. See record.h.
 *
 * A spin lock is one word, 0 or 1, taken by an exchange and given back by a plain store: nobody sleeps on
 * it, so nobody needs to be woken. Who waits long gives up the processor for longer and longer, because
 * the holder may have lost its own.
 */
#include "core/record.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/copy.h"
#include "core/special.h"

/* --- Finding ------------------------------------------------------------------------------- */

const struct special *record_find(const struct record *r, enum special_kind kind)
{
	if (record_has(r, kind))
		for (uint32_t i = 0; i < r->n; i++)
			if (r->fields[i].kind == kind)
				return &r->fields[i];
	return NULL;
}

const struct special *record_at(const struct record *r, uint32_t offset)
{
	for (uint32_t i = 0; r && i < r->n; i++)
		if (r->fields[i].offset == offset)
			return &r->fields[i];
	return NULL;
}

static bool same_field(const struct special *a, const struct special *b)
{
	return a->kind == b->kind && a->offset == b->offset && a->btf == b->btf &&
	       a->type_id == b->type_id && a->node_offset == b->node_offset;
}

bool record_equal(const struct record *a, const struct record *b)
{
	if (!a || !b)
		return a == b;
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!same_field(&a->fields[i], &b->fields[i]))
			return false;
	return true;
}

/* --- Copying ------------------------------------------------------------------------------- */

/* Fields begin at multiples of 4, so what lies between them may begin in the midst of a word. */
static void span_in(uint8_t *shared, const uint8_t *from, size_t len)
{
	if ((uintptr_t)shared & 4 && len >= 4) {
		uint32_t word = 0;

		if (from) {
			memcpy(&word, from, 4);
			from += 4;
		}
		__atomic_store_n((uint32_t *)shared, word, __ATOMIC_RELAXED);
		shared += 4;
		len -= 4;
	}
	if (from)
		copy_to_shared(shared, from, len);
	else
		clear_shared(shared, len);
}

static void span_out(uint8_t *to, const uint8_t *shared, size_t len)
{
	if ((uintptr_t)shared & 4 && len >= 4) {
		uint32_t word = __atomic_load_n((const uint32_t *)shared, __ATOMIC_RELAXED);

		memcpy(to, &word, 4);
		shared += 4;
		to += 4;
		len -= 4;
	}
	copy_from_shared(to, shared, len);
}

void record_copy_in(const struct record *r, void *shared, const void *from, size_t size)
{
	const uint8_t *in = from;
	uint8_t *to = shared;
	size_t at = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		span_in(to + at, in ? in + at : NULL, r->fields[i].offset - at);
		at = r->fields[i].offset + r->fields[i].size;
	}
	span_in(to + at, in ? in + at : NULL, size - at);
}

void record_copy_out(const struct record *r, void *to, const void *shared, size_t size)
{
	const uint8_t *from = shared;
	const uint32_t one = 1;
	uint8_t *out = to;
	size_t at = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct special *f = &r->fields[i];

		span_out(out + at, from + at, f->offset - at);
		memset(out + f->offset, 0, f->size);
		if (f->kind == SPECIAL_REFCOUNT)
			memcpy(out + f->offset, &one, sizeof(one));
		at = f->offset + f->size;
	}
	span_out(out + at, from + at, size - at);
}

static uint32_t *lock_of(const struct record *r, void *value)
{
	return (uint32_t *)((uint8_t *)value +
	                    record_find(r, SPECIAL_SPIN_LOCK)->offset);
}

void record_copy_in_locked(const struct record *r, void *shared, const void *from, size_t size)
{
	uint32_t *lock = lock_of(r, shared);

	special_lock(lock);
	record_copy_in(r, shared, from, size);
	special_unlock(lock);
}

void record_copy_out_locked(const struct record *r, void *to, void *shared, size_t size)
{
	uint32_t *lock = lock_of(r, shared);

	special_lock(lock);
	record_copy_out(r, to, shared, size);
	special_unlock(lock);
}

void record_init(const struct record *r, void *value)
{
	uint32_t one = 1;

	for (uint32_t i = 0; i < r->n; i++) {
		uint8_t *at = (uint8_t *)value + r->fields[i].offset;

		memset(at, 0, r->fields[i].size);
		if (r->fields[i].kind == SPECIAL_REFCOUNT)
			memcpy(at, &one, sizeof(one));
	}
}

/* --- Locks --------------------------------------------------------------------------------- */

static void wait_a_while(unsigned tries)
{
	enum { SPINS = 200, YIELDS = 32 };

	if (tries < SPINS) {
#if defined(__x86_64__) || defined(__i386__)
		__builtin_ia32_pause();
#endif
	} else if (tries < SPINS + YIELDS) {
		sched_yield();
	} else {
		nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
	}
}

void special_lock_slow(uint32_t *lock)
{
	for (unsigned tries = 0; !special_trylock(lock); tries++)
		while (__atomic_load_n(lock, __ATOMIC_RELAXED))
			wait_a_while(tries++);
}

/* --- What fields hold ----------------------------------------------------------------------- */

void record_release(struct skep *k, const struct record *r, void *value, uint32_t mask)
{
	for (uint32_t i = 0; r->mask & mask && i < r->n; i++) {
		const struct special *f = &r->fields[i];

		if (SPECIAL_BIT(f->kind) & mask && special_release[f->kind])
			special_release[f->kind](k, r, value, f);
	}
}
