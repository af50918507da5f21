/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of maps: what fits, references, programs that hold on to what was taken out. */
#include "kit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

static int nest(struct kit *kit, uint32_t type, struct map *like, uint32_t flags, struct map **out)
{
	struct map_attr attr = {.type = type,
	                        .key_size = 4,
	                        .value_size = 4,
	                        .max_entries = 2,
	                        .flags = flags,
	                        .inner = like};

	return map_create(&kit->k, &attr, out);
}

/* As sys/ does: with a reference that the map takes over. */
static int set(struct map *m, uint32_t key, struct map *inner, uint64_t flags)
{
	int err;

	obj_get(&inner->obj);
	err = m->ops->set(m, &key, &inner->obj, flags);
	if (err)
		obj_put(&inner->obj);
	return err;
}

static const uint32_t both[] = {BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS};

static void maps_go_in_and_come_out(void **state)
{
	struct kit kit;

	kit_open(&kit, 2);
	for (int i = 0; i < 2; i++) {
		struct map *inner = kit_map(&kit, BPF_MAP_TYPE_HASH, 4, 8, 4, 0), *m;
		struct map *other = kit_map(&kit, BPF_MAP_TYPE_HASH, 4, 8, 9, 0);
		uint32_t key = 1, id, next;
		uint64_t value = 3;
		struct region r;

		assert_int_equal(nest(&kit, both[i], inner, 0, &m), 0);
		assert_int_equal(map_lookup(m, &key, &id, 0), -ENOENT);
		assert_null(m->ops->lookup(m, &key, 0));
		assert_int_equal(map_delete(m, &key), -ENOENT);
		assert_int_equal(set(m, key, inner, BPF_ANY), 0);
		assert_int_equal(inner->obj.refs, 2);
		assert_ptr_equal(m->ops->lookup(m, &key, 0), inner);
		assert_int_equal(map_lookup(m, &key, &id, 0), 0);
		assert_int_equal(id, inner->obj.id);
		map_update(inner, &key, &value, 0);
		assert_true(m->ops->region(m, (uintptr_t)inner->ops->lookup(inner, &key, 0), &r));
		assert_false(m->ops->region(m, (uintptr_t)&r, &r));
		/* Another in its place; hash maps need not be of one size. */
		assert_int_equal(set(m, key, other, BPF_ANY), 0);
		assert_int_equal(inner->obj.refs, 1);
		assert_ptr_equal(m->ops->lookup(m, &key, 0), other);
		assert_int_equal(map_next_key(m, NULL, &next), 0);
		assert_int_equal(map_delete(m, &key), 0);
		assert_int_equal(other->obj.refs, 1);
		assert_int_equal(set(m, 0, other, BPF_ANY), 0);
		kit_put(m);
		assert_int_equal(other->obj.refs, 1);
		kit_put(inner);
		kit_put(other);
	}
	kit_close(&kit);
}

static void only_maps_like_the_first_fit(void **state)
{
	struct kit kit;
	struct map *array, *array5, *any, *any5, *hash, *lazy, *prog, *ring, *m, *deep;

	kit_open(&kit, 1);
	array = kit_map(&kit, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	array5 = kit_map(&kit, BPF_MAP_TYPE_ARRAY, 4, 8, 5, 0);
	any = kit_map(&kit, BPF_MAP_TYPE_ARRAY, 4, 8, 4, BPF_F_INNER_MAP);
	any5 = kit_map(&kit, BPF_MAP_TYPE_ARRAY, 4, 8, 5, BPF_F_INNER_MAP);
	hash = kit_map(&kit, BPF_MAP_TYPE_HASH, 4, 8, 4, 0);
	lazy = kit_map(&kit, BPF_MAP_TYPE_HASH, 4, 8, 4, BPF_F_NO_PREALLOC);
	prog = kit_map(&kit, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0);
	ring = kit_map(&kit, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nest(&kit, both[i], NULL, 0, &m), -EINVAL);
		assert_int_equal(nest(&kit, both[i], prog, 0, &m), -ENOTSUPP);
		assert_int_equal(nest(&kit, both[i], ring, 0, &m), 0);
		assert_int_equal(set(m, 0, ring, 0), 0);
		kit_put(m);
		assert_int_equal(nest(&kit, both[i], array, BPF_F_MMAPABLE, &m), -EINVAL);
		assert_int_equal(nest(&kit, both[i], array, 0, &m), 0);
		assert_int_equal(nest(&kit, both[i], m, 0, &deep), -EINVAL);
		assert_int_equal(set(m, 0, array5, 0), -EINVAL);
		assert_int_equal(set(m, 0, any, 0), -EINVAL);
		assert_int_equal(set(m, 0, hash, 0), -EINVAL);
		assert_int_equal(set(m, 0, m, 0), -EINVAL);
		kit_put(m);
		assert_int_equal(nest(&kit, both[i], any, 0, &m), 0);
		assert_int_equal(set(m, 0, any5, 0), 0);
		assert_int_equal(set(m, 1, array, 0), -EINVAL);
		kit_put(m);
		assert_int_equal(nest(&kit, both[i], hash, 0, &m), 0);
		assert_int_equal(set(m, 0, lazy, 0), -EINVAL);
		kit_put(m);
	}
	assert_int_equal(nest(&kit, both[0], array, 0, &m), 0);
	assert_int_equal(set(m, 0, array, BPF_EXIST), -EINVAL);
	assert_int_equal(set(m, 2, array, 0), -E2BIG);
	assert_int_equal(map_delete(m, &(uint32_t){2}), -E2BIG);
	kit_put(m);
	assert_int_equal(nest(&kit, both[1], array, 0, &m), 0);
	assert_int_equal(set(m, 7, array, BPF_EXIST), -ENOENT);
	assert_int_equal(set(m, 7, array, BPF_NOEXIST), 0);
	assert_int_equal(set(m, 7, array, BPF_NOEXIST), -EEXIST);
	assert_int_equal(set(m, 8, array, 0), 0);
	assert_int_equal(set(m, 9, array, 0), -E2BIG);
	assert_int_equal(array->obj.refs, 3);
	kit_put(m);
	for (unsigned i = 0; i < 8; i++)
		kit_put(((struct map *[]){array, array5, any, any5, hash, lazy, prog, ring})[i]);
	kit_close(&kit);
}

/* --- Replaced while in use --------------------------------------------------------------- */

struct shared {
	struct kit kit;
	struct map *m;
	_Atomic bool done;
};

/* What a program does: a look-up in a look-up, within a read section. */
static void *look(void *arg)
{
	struct shared *s = arg;
	struct cpu *cpu = cpu_enter(&s->kit.k);

	while (!s->done) {
		uint32_t key = 0;
		struct map *inner;

		rcu_read_enter(&s->kit.k.rcu, &cpu->rcu);
		inner = s->m->ops->lookup(s->m, &key, cpu->id);
		for (int i = 0; inner && i < 10; i++)
			assert_non_null(inner->ops->lookup(inner, &key, cpu->id));
		rcu_read_leave(&cpu->rcu);
	}
	cpu_leave(cpu);
	return NULL;
}

static void a_map_in_use_outlives_its_removal(void **state)
{
	struct shared *s = calloc(1, sizeof(*s));

	for (int i = 0; i < 2; i++) {
		struct map *like;
		pthread_t thread;

		kit_open(&s->kit, 2);
		s->done = false;
		like = kit_map(&s->kit, BPF_MAP_TYPE_ARRAY, 4, 100000, 2, 0);
		assert_int_equal(nest(&s->kit, both[i], like, 0, &s->m), 0);
		kit_put(like);
		pthread_create(&thread, NULL, look, s);
		for (int round = 0; round < 300; round++) {
			uint32_t key = 0;
			struct map *inner = kit_map(&s->kit, BPF_MAP_TYPE_ARRAY, 4, 100000, 2, 0);

			assert_int_equal(s->m->ops->set(s->m, &key, &inner->obj, BPF_ANY), 0);
			if (round % 3 == 0)
				assert_int_equal(map_delete(s->m, &key), 0);
		}
		s->done = true;
		pthread_join(thread, NULL);
		kit_put(s->m);
		kit_close(&s->kit);
	}
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_go_in_and_come_out),
		cmocka_unit_test(only_maps_like_the_first_fit),
		cmocka_unit_test(a_map_in_use_outlives_its_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
