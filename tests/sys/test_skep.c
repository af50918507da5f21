/* SPDX-License-Identifier: BSD-2-Clause */
/* skep.h as an embedder uses it: maps by handle, batches, walks, consumers, statistics, packets. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "isa/insn.h"
#include "skep.h"
#include "sys/attr.h"

enum { PROG_LOAD = 5, MANY = 1000 };

static int setup(void **state)
{
	return skep_new(NULL, (struct skep **)state);
}

static int teardown(void **state)
{
	skep_free(*state);
	return 0;
}

static struct skep_map *new_map(struct skep *k, uint32_t type, uint32_t key, uint32_t value,
                                uint32_t n, uint32_t flags)
{
	struct skep_map_def def = {.type = type, .key_size = key, .value_size = value,
	                           .max_entries = n, .flags = flags, .name = "m"};
	struct skep_map *m = NULL;

	assert_int_equal(skep_map_new(k, &def, &m), 0);
	return m;
}

static struct skep_prog *new_prog(struct skep *k, uint32_t type, const struct insn *insns,
                                  uint32_t n)
{
	static char log[4096];
	union attr a = {.prog_load = {.prog_type = type, .insn_cnt = n, .prog_name = "p",
	                              .insns = (uintptr_t)insns, .license = (uintptr_t)"GPL",
	                              .log_buf = (uintptr_t)log, .log_size = sizeof(log),
	                              .log_level = 1}};
	int fd = skep_bpf(k, PROG_LOAD, &a, sizeof(a));
	struct skep_prog *p = NULL;

	if (fd < 0)
		print_message("%s", log);
	assert_true(fd >= 0);
	assert_int_equal(skep_prog_from_fd(k, fd, &p), 0);
	close(fd);
	return p;
}

static void maps_are_found(void **state)
{
	struct skep_map_def def = {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8,
	                           .max_entries = 10, .name = "no blanks"};
	struct skep_map *m = NULL, *other = NULL;
	struct skep_map_info info;
	int fd;

	assert_int_equal(skep_map_new(*state, &def, &m), -EINVAL);
	def.name = "much_too_long_for_a_name";
	assert_int_equal(skep_map_new(*state, &def, &m), -EINVAL);
	def.name = "colours";
	assert_int_equal(skep_map_new(*state, &def, &m), 0);
	skep_map_info(m, &info);
	assert_string_equal(info.name, "colours");
	assert_string_equal(info.type_name, "hash");
	assert_int_equal(info.value_bytes, 8);
	assert_true(info.memory > 0);
	assert_true(SKEP_MAP_HAS_TYPES(m, uint32_t, uint64_t));
	assert_false(SKEP_MAP_HAS_TYPES(m, uint64_t, uint64_t));
	assert_int_equal(skep_map_from_id(*state, info.id, &other), 0);
	assert_ptr_equal(m, other);
	skep_map_put(other);
	assert_int_equal(skep_map_from_name(*state, "colours", &other), 0);
	assert_ptr_equal(m, other);
	skep_map_put(other);
	assert_int_equal(skep_map_from_name(*state, "sounds", &other), -ENOENT);
	assert_int_equal(skep_map_from_id(*state, info.id + 1, &other), -ENOENT);
	fd = skep_map_fd(m);
	assert_true(fd >= 0);
	skep_map_put(m);
	assert_int_equal(skep_map_from_fd(*state, fd, &m), 0);
	skep_map_put(m);
	close(fd);
	assert_int_equal(skep_map_from_fd(*state, -1, &m), -EBADF);
}

static void elements(void **state)
{
	struct skep_map *m = new_map(*state, BPF_MAP_TYPE_HASH, 4, 8, 4, 0);
	uint64_t value = 7, got = 0;
	uint32_t key = 1, next;

	assert_int_equal(skep_map_lookup(m, &key, &got), -ENOENT);
	assert_int_equal(skep_map_update(m, &key, &value, BPF_NOEXIST), 0);
	assert_int_equal(skep_map_update(m, &key, &value, BPF_NOEXIST), -EEXIST);
	assert_int_equal(skep_map_lookup(m, &key, &got), 0);
	assert_int_equal(got, 7);
	assert_int_equal(skep_map_next_key(m, NULL, &next), 0);
	assert_int_equal(next, 1);
	assert_int_equal(skep_map_next_key(m, &next, &next), -ENOENT);
	got = 0;
	assert_int_equal(skep_map_take(m, &key, &got), 0);
	assert_int_equal(got, 7);
	assert_int_equal(skep_map_take(m, &key, &got), -ENOENT);
	assert_int_equal(skep_map_delete(m, &key), -ENOENT);
	assert_null(skep_map_pointer(m, &key, 0));
	skep_map_put(m);
}

static void queues(void **state)
{
	struct skep_map *m = new_map(*state, BPF_MAP_TYPE_QUEUE, 0, 8, 2, 0);
	uint64_t value = 1, got = 0;

	assert_int_equal(skep_map_update(m, NULL, &value, 0), 0);
	value = 2;
	assert_int_equal(skep_map_update(m, NULL, &value, 0), 0);
	assert_int_equal(skep_map_update(m, NULL, &value, 0), -E2BIG);
	assert_int_equal(skep_map_lookup(m, NULL, &got), 0);
	assert_int_equal(got, 1);
	assert_int_equal(skep_map_take(m, NULL, &got), 0);
	assert_int_equal(got, 1);
	assert_int_equal(skep_map_take(m, NULL, &got), 0);
	assert_int_equal(got, 2);
	assert_int_equal(skep_map_take(m, NULL, &got), -ENOENT);
	skep_map_put(m);
}

static void pointers(void **state)
{
	struct skep_map *m = new_map(*state, BPF_MAP_TYPE_ARRAY, 4, 8, 3, 0);
	struct skep_map *per_cpu = new_map(*state, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 3, 0);
	struct skep_map_info info;
	uint64_t values[1024];
	uint32_t key = 2, far = 3;
	uint64_t got = 0, *at = skep_map_pointer(m, &key, 0);

	assert_non_null(at);
	*at = 99;
	assert_int_equal(skep_map_lookup(m, &key, &got), 0);
	assert_int_equal(got, 99);
	assert_null(skep_map_pointer(m, &far, 0));
	assert_null(skep_map_pointer(per_cpu, &key, 100000));
	skep_map_info(per_cpu, &info);
	assert_true(info.value_bytes <= sizeof(values));
	*(uint64_t *)skep_map_pointer(per_cpu, &key, (unsigned)(info.value_bytes / 8 - 1)) = 5;
	assert_int_equal(skep_map_lookup(per_cpu, &key, values), 0);
	assert_int_equal(values[info.value_bytes / 8 - 1], 5);
	skep_map_put(m);
	skep_map_put(per_cpu);
}

/* Every type that can be walked, elements that are few, many, and more than a walk reads ahead. */
static void walks(void **state)
{
	static const uint32_t types[] = {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY,
	                                 BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LPM_TRIE};
	static uint32_t keys[MANY][2], read_keys[MANY][2];
	static uint64_t values[MANY], read_values[MANY];

	for (unsigned t = 0; t < 4; t++) {
		bool lpm = types[t] == BPF_MAP_TYPE_LPM_TRIE;
		uint32_t words = lpm ? 2 : 1, n = MANY;
		struct skep_map *m = new_map(*state, types[t], words * 4, 8, MANY,
		                             lpm ? BPF_F_NO_PREALLOC : 0);
		uint32_t *flat = &keys[0][0];
		const void *key, *value;
		struct skep_walk *w;
		uint64_t sum = 0, sum_keys = 0;
		int64_t got;

		for (uint32_t i = 0; i < MANY; i++) {
			flat[i * words] = lpm ? 32 : i;
			if (lpm)
				flat[i * words + 1] = i;
			values[i] = i * 3;
		}
		assert_int_equal(skep_map_update_batch(m, keys, values, &n, 0), 0);
		assert_int_equal(n, MANY);
		assert_int_equal(skep_walk_new(m, 4, &w), -EINVAL);
		assert_int_equal(skep_walk_new(m, 0, &w), 0);
		for (n = 0; skep_walk_next(w, &key, &value) == 1; n++) {
			sum_keys += ((const uint32_t *)key)[words - 1];
			sum += *(const uint64_t *)value;
		}
		assert_int_equal(skep_walk_next(w, &key, &value), 0);
		skep_walk_free(w);
		assert_int_equal(n, MANY);
		assert_int_equal(sum_keys, (uint64_t)MANY * (MANY - 1) / 2);
		assert_int_equal(sum, 3 * (uint64_t)MANY * (MANY - 1) / 2);
		assert_int_equal(skep_walk_new(m, 0, &w), 0);
		for (n = 0; (got = skep_walk_read(w, read_keys, read_values, 100)) > 0;)
			n += (uint32_t)got;
		assert_int_equal(got, 0);
		assert_int_equal(n, MANY);
		skep_walk_free(w);
		if (types[t] == BPF_MAP_TYPE_ARRAY || lpm) {
			assert_int_equal(skep_walk_new(m, SKEP_WALK_TAKE, &w), -ENOTSUPP);
			skep_map_put(m);
			continue;
		}
		n = 10;
		assert_int_equal(skep_map_delete_batch(m, keys, &n), 0);
		n = 20;
		flat[5] = 500;
		assert_int_equal(skep_map_delete_batch(m, keys + 5, &n), 0);
		assert_int_equal(n, 20);
		n = 2;
		assert_int_equal(skep_map_delete_batch(m, keys, &n), -ENOENT);
		assert_int_equal(n, 0);
		assert_int_equal(skep_walk_new(m, SKEP_WALK_TAKE, &w), 0);
		for (n = 0; skep_walk_next(w, &key, &value) == 1; n++)
			assert_int_equal(*(const uint64_t *)value, *(const uint32_t *)key * 3);
		skep_walk_free(w);
		assert_int_equal(n, MANY - 30);
		assert_int_equal(skep_map_next_key(m, NULL, keys), -ENOENT);
		skep_map_put(m);
	}
}

static void walks_that_cannot_be(void **state)
{
	struct skep_map *m = new_map(*state, BPF_MAP_TYPE_QUEUE, 0, 8, 2, 0);
	struct skep_walk *w;

	assert_int_equal(skep_walk_new(m, 0, &w), -ENOTSUPP);
	skep_map_put(m);
}

/* --- Ring buffers ------------------------------------------------------------------------- */

struct seen {
	unsigned n, stop_at;
	uint64_t sum;
};

static int on_record(void *arg, const void *data, size_t len)
{
	struct seen *s = arg;
	uint64_t value;

	assert_int_equal(len, 8);
	memcpy(&value, data, 8);
	s->sum += value;
	return ++s->n == s->stop_at ? -EINTR : 0;
}

static void ring_buffers(void **state)
{
	struct skep_map *m = new_map(*state, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	int map_fd = skep_map_fd(m), event_fd = skep_map_event_fd(m);
	const struct insn insns[] = {
		{.code = 0xb7, .dst = 1, .imm = 21}, {.code = 0x7b, .dst = 10, .src = 1, .off = -8},
		{.code = 0x18, .dst = 1, .src = 1, .imm = map_fd}, {.code = 0},
		{.code = 0xbf, .dst = 2, .src = 10}, {.code = 0x07, .dst = 2, .imm = -8},
		{.code = 0xb7, .dst = 3, .imm = 8}, {.code = 0xb7, .dst = 4},
		{.code = 0x85, .imm = 130}, {.code = 0xb7}, {.code = 0x95},
	};
	struct skep_prog *p = new_prog(*state, SKEP_PROG_TYPE_RAW, insns, 11);
	struct skep_cpu *cpu = skep_cpu_enter(*state);
	struct pollfd poll_fd = {.fd = event_fd, .events = POLLIN};
	struct skep_raw raw = {0};
	struct seen s = {0};

	assert_true(event_fd >= 0);
	assert_int_equal(skep_ringbuf_consume(m, on_record, &s), 0);
	for (int i = 0; i < 5; i++)
		skep_prog_run(p, &raw, cpu);
	assert_int_equal(poll(&poll_fd, 1, 0), 1);
	s.stop_at = 2;
	assert_int_equal(skep_ringbuf_consume(m, on_record, &s), -EINTR);
	assert_int_equal(s.n, 2);
	skep_events_settle(*state);
	assert_int_equal(poll(&poll_fd, 1, 0), 1);
	assert_int_equal(skep_ringbuf_consume(m, on_record, &s), 3);
	assert_int_equal(s.n, 5);
	assert_int_equal(s.sum, 5 * 21);
	skep_events_settle(*state);
	assert_int_equal(poll(&poll_fd, 1, 0), 0);
	skep_cpu_leave(cpu);
	skep_prog_put(p);
	close(map_fd);
	skep_map_put(m);
	m = new_map(*state, BPF_MAP_TYPE_HASH, 4, 4, 1, 0);
	assert_int_equal(skep_ringbuf_consume(m, on_record, &s), -EINVAL);
	skep_map_put(m);
}

/* --- Programs ----------------------------------------------------------------------------- */

static void statistics(void **state)
{
	static const struct insn insns[] = {{.code = 0xb7, .imm = 3}, {.code = 0x95}};
	struct skep_prog *p = new_prog(*state, SKEP_PROG_TYPE_RAW, insns, 2), *other;
	struct skep_cpu *cpu = skep_cpu_enter(*state);
	struct skep_prog_stats stats;
	struct skep_raw raw = {0};
	int fd = skep_prog_fd(p);

	assert_int_equal(skep_prog_run(p, &raw, cpu), 3);
	skep_prog_stats(p, &stats);
	assert_int_equal(stats.runs, 0);
	assert_true(stats.load_time_ns > 0);
	skep_stats_enable(*state, 1);
	for (int i = 0; i < 7; i++)
		skep_prog_run(p, &raw, cpu);
	skep_stats_enable(*state, 0);
	skep_prog_run(p, &raw, cpu);
	skep_prog_stats(p, &stats);
	assert_int_equal(stats.runs, 7);
	assert_int_equal(skep_prog_from_id(*state, stats.id, &other), 0);
	assert_ptr_equal(other, p);
	skep_prog_put(other);
	assert_int_equal(skep_prog_from_name(*state, "p", &other), 0);
	assert_ptr_equal(other, p);
	skep_prog_put(other);
	assert_int_equal(skep_prog_from_id(*state, stats.id + 1, &other), -ENOENT);
	assert_int_equal(skep_prog_from_name(*state, "q", &other), -ENOENT);
	assert_true(fd >= 0);
	close(fd);
	skep_cpu_leave(cpu);
	skep_prog_put(p);
}

/* r0 = skb->len + skb->mark * 1000; a frame is shortened by its program. */
static void frames(void **state)
{
	static const struct insn insns[] = {
		{.code = 0x61, .dst = 0, .src = 1, .off = 8}, {.code = 0x27, .imm = 1000},
		{.code = 0x61, .dst = 2, .src = 1, .off = 0}, {.code = 0x0f, .dst = 0, .src = 2},
		{.code = 0x95},
	};
	struct skep_prog *p = new_prog(*state, BPF_PROG_TYPE_SCHED_CLS, insns, 5);
	static uint8_t frame[SKEP_HEADROOM + 100 + SKEP_TAILROOM];
	struct skep_xdp x = {.head = frame, .limit = frame + sizeof(frame),
	                     .data = frame + SKEP_HEADROOM, .meta = frame + SKEP_HEADROOM,
	                     .end = frame + SKEP_HEADROOM + 100};
	struct skep_skb_in in = {.ifindex = 1, .mark = 42};
	struct skep_cpu *cpu = skep_cpu_enter(*state);

	assert_int_equal(skep_skb_run(p, &x, &in, cpu), 42100);
	in.mark = 0;
	assert_int_equal(skep_skb_run(p, &x, &in, cpu), 100);
	assert_int_equal(x.end - x.data, 100);
	skep_cpu_leave(cpu);
	skep_prog_put(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_are_found),
		cmocka_unit_test(elements),
		cmocka_unit_test(queues),
		cmocka_unit_test(pointers),
		cmocka_unit_test(walks),
		cmocka_unit_test(walks_that_cannot_be),
		cmocka_unit_test(ring_buffers),
		cmocka_unit_test(statistics),
		cmocka_unit_test(frames),
	};

	return cmocka_run_group_tests_name("skep.h", tests, setup, teardown);
}
