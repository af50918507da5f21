/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers: layout for clients, wrapping, room, wake-ups, spoilt shared pages, many producers.
 */
#include "kit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct got {
	uint32_t n, len;
	uint8_t first;
	uint8_t bytes[256];
};

static int collect(void *arg, const void *data, size_t len)
{
	struct got *got = arg;

	got->n++;
	got->len = (uint32_t)len;
	memcpy(got->bytes, data, len < sizeof(got->bytes) ? len : sizeof(got->bytes));
	return 0;
}

static struct map *ring(struct kit *kit, uint32_t size)
{
	return kit_map(kit, BPF_MAP_TYPE_RINGBUF, 0, 0, size, 0);
}

static void sizes_are_pages_in_powers_of_two(void **state)
{
	static const uint32_t bad[] = {0, 1, 2048, 4097, 3 * PAGE};
	struct kit kit;
	struct map *m;

	kit_open(&kit, 1);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(kit_try(&kit, BPF_MAP_TYPE_RINGBUF, 0, 0, bad[i], 0, &m), -EINVAL);
	assert_int_equal(kit_try(&kit, BPF_MAP_TYPE_RINGBUF, 4, 0, PAGE, 0, &m), -EINVAL);
	assert_int_equal(kit_try(&kit, BPF_MAP_TYPE_RINGBUF, 0, 4, PAGE, 0, &m), -EINVAL);
	m = ring(&kit, PAGE);
	assert_int_equal(map_lookup(m, NULL, NULL, 0), -ENOTSUPP);
	assert_int_equal(map_update(m, NULL, NULL, 0), -ENOTSUPP);
	assert_int_equal(map_delete(m, NULL), -ENOTSUPP);
	assert_int_equal(map_next_key(m, NULL, NULL), -ENOTSUPP);
	assert_int_equal(m->ops->mmap_ok(m, 0, PAGE, true), 0);
	assert_int_equal(m->ops->mmap_ok(m, 0, 2 * PAGE, true), -EPERM);
	assert_int_equal(m->ops->mmap_ok(m, PAGE, PAGE, true), -EPERM);
	assert_int_equal(m->ops->mmap_ok(m, PAGE, PAGE + 2 * PAGE, false), 0);
	assert_int_equal(m->ops->mmap_ok(m, PAGE, PAGE + 3 * PAGE, false), -EINVAL);
	kit_put(m);
	kit_close(&kit);
}

static void records_look_as_clients_expect(void **state)
{
	struct kit kit;
	struct got got = {0};
	uint8_t *pages, *rec;
	struct map *m;

	kit_open(&kit, 1);
	m = ring(&kit, PAGE);
	pages = m->pages.base;
	rec = m->ops->ring_reserve(m, 5, 0);
	assert_ptr_equal(rec, pages + 2 * PAGE + 8);
	assert_int_equal(*(uint32_t *)(rec - 8), 5 | 0x80000000u);
	assert_int_equal(*(uint32_t *)(rec - 4), 2);
	assert_int_equal(*(uint64_t *)(pages + PAGE), 16);
	assert_int_equal(m->ops->ring_consume(m, collect, &got), 0);
	memcpy(rec, "hello", 5);
	assert_true(m->ops->ring_finish(m, rec, 0, false));
	assert_int_equal(*(uint32_t *)(rec - 8), 5);
	assert_true(m->ops->readable(m));
	assert_int_equal(m->ops->ring_consume(m, collect, &got), 1);
	assert_int_equal(got.len, 5);
	assert_memory_equal(got.bytes, "hello", 5);
	assert_int_equal(*(uint64_t *)pages, 16);
	assert_false(m->ops->readable(m));
	assert_true(m->ops->ring_finish(m, m->ops->ring_reserve(m, 9, 0), 0, true));
	assert_int_equal(*(uint32_t *)(pages + 2 * PAGE + 16), 9 | 0x40000000u);
	assert_int_equal(m->ops->ring_query(m, BPF_RB_AVAIL_DATA), 24);
	assert_int_equal(m->ops->ring_consume(m, collect, &got), 0);
	assert_int_equal(m->ops->ring_query(m, BPF_RB_RING_SIZE), PAGE);
	assert_int_equal(m->ops->ring_query(m, BPF_RB_CONS_POS), 40);
	assert_int_equal(m->ops->ring_query(m, BPF_RB_PROD_POS), 40);
	assert_int_equal(m->ops->ring_query(m, 17), 0);
	assert_int_equal(got.n, 1);
	assert_false(m->ops->ring_finish(m, &got, 0, false));
	kit_put(m);
	kit_close(&kit);
}

static void room_is_one_record_less_than_the_size(void **state)
{
	struct kit kit;
	struct got got = {0};
	void *first, *second;
	struct map *m;

	kit_open(&kit, 1);
	m = ring(&kit, PAGE);
	assert_null(m->ops->ring_reserve(m, PAGE, 0));
	assert_null(
		m->ops->ring_reserve(m, PAGE - 8, 0)); /* would fill it: full looks like empty */
	assert_null(m->ops->ring_reserve(m, 8, 1));
	assert_null(m->ops->ring_reserve(m, UINT64_MAX, 0));
	assert_null(m->ops->ring_reserve(m, UINT32_MAX, 0));
	first = m->ops->ring_reserve(m, 1000, 0);
	second = m->ops->ring_reserve(m, PAGE - 1008 - 16, 0);
	assert_non_null(second);
	assert_null(m->ops->ring_reserve(m, 0, 0));
	assert_int_equal(m->ops->ring_output(m, "x", 1, 0), -EAGAIN);
	assert_int_equal(m->ops->ring_output(m, "x", 1, 4), -EINVAL);
	m->ops->ring_finish(m, second, 0, false);
	/* Nothing is consumed before the first is finished. */
	assert_int_equal(m->ops->ring_consume(m, collect, &got), 0);
	m->ops->ring_finish(m, first, 0, false);
	assert_int_equal(m->ops->ring_consume(m, collect, &got), 2);
	assert_int_equal(m->ops->ring_output(m, "x", 1, 0), 0);
	kit_put(m);
	kit_close(&kit);
}

static void a_record_that_wraps_is_contiguous(void **state)
{
	uint8_t bytes[200], *end;
	struct kit kit;
	struct got got = {0};
	struct map *m;

	kit_open(&kit, 1);
	m = ring(&kit, PAGE);
	end = (uint8_t *)m->pages.base + m->pages.size;
	for (int i = 0; i < 1000; i++) {
		uint8_t *rec = m->ops->ring_reserve(m, sizeof(bytes), 0);

		memset(bytes, i, sizeof(bytes));
		assert_non_null(rec);
		assert_in_range((uintptr_t)rec + sizeof(bytes), 1, (uintptr_t)end);
		memcpy(rec, bytes, sizeof(bytes));
		m->ops->ring_finish(m, rec, 0, false);
		assert_int_equal(m->ops->ring_consume(m, collect, &got), 1);
		assert_memory_equal(got.bytes, bytes, sizeof(bytes));
	}
	kit_put(m);
	kit_close(&kit);
}

static uint64_t wakes(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void the_consumer_is_woken_when_it_waits(void **state)
{
	struct kit kit;
	struct got got = {0};
	struct map *m;
	int fd;

	kit_open(&kit, 1);
	m = ring(&kit, PAGE);
	fd = map_event_fd(m);
	assert_true(fd >= 0);
	m->ops->ring_output(m, "a", 1, 0);
	assert_int_equal(wakes(fd), 1);
	m->ops->ring_output(m, "b", 1, 0); /* it has "a" to read yet */
	assert_int_equal(wakes(fd), 0);
	m->ops->ring_output(m, "c", 1, BPF_RB_FORCE_WAKEUP);
	assert_int_equal(wakes(fd), 1);
	m->ops->ring_consume(m, collect, &got);
	m->ops->ring_output(m, "d", 1, BPF_RB_NO_WAKEUP);
	assert_int_equal(wakes(fd), 0);
	assert_int_equal(got.n, 3);
	kit_put(m);
	kit_close(&kit);
}

static void spoilt_pages_harm_the_client_only(void **state)
{
	static const uint64_t bad[] = {1, 8, PAGE, UINT64_MAX, (uint64_t)1 << 63};
	uint64_t seed = 1;
	struct kit kit;
	struct map *m;
	struct got got = {0};
	uint64_t *pages;

	kit_open(&kit, 1);
	m = ring(&kit, PAGE);
	pages = m->pages.base;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pages[0] = bad[i];
		m->ops->ring_output(m, "abcdefgh", 8, 0);
		assert_int_equal(m->ops->ring_consume(m, collect, &got) >= -EIO, 1);
	}
	for (int i = 0; i < 20000; i++) {
		uint64_t size = kit_random(&seed) % 300;
		uint8_t *rec = m->ops->ring_reserve(m, size, 0);

		if (rec) {
			assert_in_range((uintptr_t)rec, (uintptr_t)pages + 2 * PAGE,
			                (uintptr_t)pages + m->pages.size - size);
			memset(rec, 0xff, size);
			m->ops->ring_finish(m, rec, 0, i & 1);
		}
		/* The client writes anywhere. */
		pages[kit_random(&seed) % (m->pages.size / 8)] = kit_random(&seed) >> (i % 64);
		if (i % 8 == 0)
			pages[0] = m->ops->ring_query(m, BPF_RB_PROD_POS);
		m->ops->ring_consume(m, collect, &got);
	}
	kit_put(m);
	kit_close(&kit);
}

static void regions_are_busy_records(void **state)
{
	struct kit kit;
	struct region r;
	uint8_t *a, *b;
	struct map *m;

	kit_open(&kit, 1);
	m = ring(&kit, PAGE);
	a = m->ops->ring_reserve(m, 24, 0);
	b = m->ops->ring_reserve(m, 10, 0);
	assert_true(m->ops->region(m, (uintptr_t)b + 9, &r));
	assert_int_equal(r.start, (uintptr_t)b);
	assert_int_equal(r.size, 10);
	assert_false(m->ops->region(m, (uintptr_t)b + 10, &r));
	assert_false(m->ops->region(m, (uintptr_t)b - 1, &r));
	assert_true(m->ops->region(m, (uintptr_t)a, &r));
	m->ops->ring_finish(m, a, 0, false);
	assert_false(m->ops->region(m, (uintptr_t)a, &r));
	assert_false(m->ops->region(m, (uintptr_t)&r, &r));
	kit_put(m);
	kit_close(&kit);
}

/* --- Many producers ---------------------------------------------------------------------- */

enum { PRODUCERS = 3, EACH = 20000 };

struct producer {
	struct map *m;
	uint64_t id;
};

struct tally {
	uint64_t next[PRODUCERS], n;
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (uint64_t i = 0; i < EACH;) {
		uint64_t *rec = p->m->ops->ring_reserve(p->m, 16, 0);

		if (!rec) {
			sched_yield();
			continue;
		}
		rec[0] = p->id;
		rec[1] = i;
		p->m->ops->ring_finish(p->m, rec, BPF_RB_NO_WAKEUP, false);
		i++;
	}
	return NULL;
}

static int check_order(void *arg, const void *data, size_t len)
{
	const uint64_t *rec = data;
	struct tally *t = arg;

	if (len != 16 || rec[0] >= PRODUCERS || rec[1] != t->next[rec[0]])
		return -EBADMSG;
	t->next[rec[0]]++;
	t->n++;
	return 0;
}

static void each_producers_records_arrive_in_order(void **state)
{
	struct producer producers[PRODUCERS];
	pthread_t threads[PRODUCERS];
	struct tally tally = {0};
	struct kit kit;
	struct map *m;

	kit_open(&kit, 4);
	m = ring(&kit, 2 * PAGE);
	for (uint64_t i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){m, i};
		pthread_create(&threads[i], NULL, produce, &producers[i]);
	}
	while (tally.n < PRODUCERS * EACH) {
		int64_t n = m->ops->ring_consume(m, check_order, &tally);

		assert_true(n >= 0);
		if (!n)
			sched_yield();
	}
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	kit_put(m);
	kit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_pages_in_powers_of_two),
		cmocka_unit_test(records_look_as_clients_expect),
		cmocka_unit_test(room_is_one_record_less_than_the_size),
		cmocka_unit_test(a_record_that_wraps_is_contiguous),
		cmocka_unit_test(the_consumer_is_woken_when_it_waits),
		cmocka_unit_test(spoilt_pages_harm_the_client_only),
		cmocka_unit_test(regions_are_busy_records),
		cmocka_unit_test(each_producers_records_arrive_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
