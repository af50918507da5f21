/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays, per-CPU arrays, prog arrays: sizes, flags, iteration, mapped storage, references. */
#include "kit.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/prog.h"
#include "isa/insn.h"

static void values_are_there_from_the_start(void **state)
{
	struct kit kit;
	uint32_t key = 2;
	uint64_t value = 1, *live;
	struct map *m;

	kit_open(&kit, 2);
	m = kit_map(&kit, BPF_MAP_TYPE_ARRAY, 4, 8, 3, 0);
	assert_int_equal(map_lookup(m, &key, &value, 0), 0);
	assert_int_equal(value, 0);
	value = 77;
	assert_int_equal(map_update(m, &key, &value, BPF_ANY), 0);
	assert_int_equal(map_update(m, &key, &value, BPF_EXIST), 0);
	assert_int_equal(map_update(m, &key, &value, BPF_NOEXIST), -EEXIST);
	assert_int_equal(map_update(m, &key, &value, 3), -EINVAL);
	live = m->ops->lookup(m, &key, 1);
	assert_int_equal(*live, 77);
	assert_int_equal(map_delete(m, &key), -EINVAL);
	key = 3;
	assert_int_equal(map_lookup(m, &key, &value, 0), -ENOENT);
	assert_int_equal(map_update(m, &key, &value, BPF_NOEXIST), -E2BIG);
	assert_null(m->ops->lookup(m, &key, 0));
	kit_put(m);
	kit_close(&kit);
}

static void keys_follow_one_another(void **state)
{
	struct kit kit;
	uint32_t key = 17, next = 99;
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_ARRAY, 4, 1, 3, 0);
	assert_int_equal(map_next_key(m, NULL, &next), 0);
	assert_int_equal(next, 0);
	assert_int_equal(map_next_key(m, &key, &next), 0);
	assert_int_equal(next, 0);
	key = 1;
	assert_int_equal(map_next_key(m, &key, &next), 0);
	assert_int_equal(next, 2);
	assert_int_equal(map_next_key(m, &next, &key), -ENOENT);
	kit_put(m);
	m = kit_map(&kit, BPF_MAP_TYPE_ARRAY, 4, 1, 1, 0);
	key = 0;
	assert_int_equal(map_next_key(m, &key, &next), -ENOENT);
	kit_put(m);
	kit_close(&kit);
}

static void a_cpu_has_its_own_value(void **state)
{
	struct kit kit;
	uint32_t key = 1;
	uint64_t values[3][2] = {{1, 2}, {3, 4}, {5, 6}}, got[3][2];
	struct map *m;

	kit_open(&kit, 3);
	m = kit_map(&kit, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 12, 2, 0);
	assert_int_equal(map_value_size(m), 48);
	assert_int_equal(map_update(m, &key, values, 0), 0);
	assert_int_equal(map_lookup(m, &key, got, 0), 0);
	assert_memory_equal(got, values, sizeof(values));
	assert_int_equal(*(uint64_t *)m->ops->lookup(m, &key, 2), 5);
	assert_int_equal(*(uint64_t *)m->ops->lookup_percpu(m, &key, 1), 3);
	assert_null(m->ops->lookup_percpu(m, &key, 3));
	assert_int_equal(m->ops->update(m, &key, &(uint64_t[2]){8, 9}, 0, 1), 0);
	assert_int_equal(map_lookup(m, &key, got, 0), 0);
	assert_int_equal(got[0][0], 1);
	assert_int_equal(got[1][0], 8);
	kit_put(m);
	kit_close(&kit);
}

static void mapped_storage_begins_with_element_0(void **state)
{
	struct kit kit;
	uint32_t key = 1;
	uint64_t *mapped;
	uintptr_t addr;
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_ARRAY, 4, 4, 2, BPF_F_MMAPABLE);
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m->pages.fd, 0);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	mapped[1] = 42; /* elements are 8 bytes apart */
	assert_int_equal(*(uint32_t *)m->ops->lookup(m, &key, 0), 42);
	munmap(mapped, 4096);
	assert_int_equal(m->ops->mmap_ok(m, 0, 4096, true), 0);
	assert_int_equal(m->ops->mmap_ok(m, 0, 8192, true), -EINVAL);
	assert_int_equal(map_freeze(m), 0);
	assert_int_equal(map_freeze(m), -EBUSY);
	assert_int_equal(m->ops->mmap_ok(m, 0, 4096, true), -EPERM);
	assert_int_equal(m->ops->mmap_ok(m, 0, 4096, false), 0);
	assert_int_equal(map_update(m, &key, &key, 0), -EPERM);
	assert_int_equal(m->ops->direct_value(m, 0, &addr), -ENOTSUPP);
	kit_put(m);
	m = kit_map(&kit, BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
	assert_int_equal(m->ops->direct_value(m, 4, &addr), -EINVAL);
	assert_int_equal(m->ops->direct_value(m, 3, &addr), 0);
	kit_put(m);
	kit_close(&kit);
}

static void regions_are_single_values(void **state)
{
	static const uint32_t types[] = {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY};
	struct kit kit;
	struct region r;

	kit_open(&kit, 2);
	for (unsigned i = 0; i < 2; i++) {
		struct map *m = kit_map(&kit, types[i], 4, 12, 3, i ? BPF_F_RDONLY_PROG : 0);
		uint32_t key = 2;
		uintptr_t at = (uintptr_t)m->ops->lookup(m, &key, i);

		assert_true(m->ops->region(m, at + 11, &r));
		assert_int_equal(r.start, at);
		assert_int_equal(r.size, 12);
		assert_int_equal(r.writable, !i);
		assert_false(m->ops->region(m, at + 12, &r)); /* padding */
		key = 0;
		at = (uintptr_t)m->ops->lookup(m, &key, 0);
		assert_false(m->ops->region(m, at - 1, &r));
		assert_true(m->ops->region(m, at + 16, &r));
		assert_false(m->ops->region(m, at + 3 * 16, &r));
		kit_put(m);
	}
	kit_close(&kit);
}

/* --- Prog arrays ------------------------------------------------------------------------- */

static void programs_are_held_and_let_go(void **state)
{
	struct kit kit;
	struct prog *p, *other;
	uint32_t key = 1, id = 0;
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0);
	p = prog_new(&kit.k);
	other = prog_new(&kit.k);
	p->type = BPF_PROG_TYPE_XDP;
	other->type = BPF_PROG_TYPE_SCHED_CLS;
	obj_publish(&p->obj);
	assert_int_equal(map_lookup(m, &key, &id, 0), -ENOENT);
	assert_int_equal(map_delete(m, &key), -ENOENT);
	obj_get(&p->obj);
	assert_int_equal(m->ops->set(m, &key, &p->obj, BPF_EXIST), -EINVAL);
	assert_int_equal(m->ops->set(m, &key, &p->obj, BPF_ANY), 0);
	assert_int_equal(map_lookup(m, &key, &id, 0), 0);
	assert_int_equal(id, p->obj.id);
	assert_ptr_equal(((struct map_prog_array *)m)->slot[1], p);
	/* Another kind of program does not fit any more. */
	assert_int_equal(m->ops->set(m, &key, &other->obj, BPF_ANY), -EINVAL);
	assert_int_equal(map_delete(m, &key), 0);
	assert_int_equal(p->obj.refs, 1);
	obj_get(&p->obj);
	assert_int_equal(m->ops->set(m, &key, &p->obj, BPF_ANY), 0);
	m->ops->release_uref(m);
	assert_int_equal(p->obj.refs, 1);
	key = 2;
	assert_int_equal(m->ops->set(m, &key, &p->obj, BPF_ANY), -E2BIG);
	assert_int_equal(map_delete(m, &key), -E2BIG);
	obj_put(&p->obj);
	obj_put(&other->obj);
	kit_put(m);
	kit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_there_from_the_start),
		cmocka_unit_test(keys_follow_one_another),
		cmocka_unit_test(a_cpu_has_its_own_value),
		cmocka_unit_test(mapped_storage_begins_with_element_0),
		cmocka_unit_test(regions_are_single_values),
		cmocka_unit_test(programs_are_held_and_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
