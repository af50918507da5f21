/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues and stacks: order, room, what a push over the limit drops, emptiness. */
#include "kit.h"

#include <errno.h>

static void order_and_room(void **state)
{
	static const uint32_t types[] = {BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK};
	struct kit kit;

	kit_open(&kit, 1);
	for (int stack = 0; stack < 2; stack++) {
		struct map *m = kit_map(&kit, types[stack], 0, 5, 3, 0);
		uint8_t got[5];

		memset(got, 9, sizeof(got));
		assert_int_equal(m->ops->pop(m, got), -ENOENT);
		assert_memory_equal(got, "\0\0\0\0\0", 5);
		for (int round = 0; round < 10; round++) { /* through every place of the ring */
			assert_int_equal(m->ops->push(m, "one..", 0), 0);
			assert_int_equal(m->ops->push(m, "two..", 0), 0);
			assert_int_equal(m->ops->push(m, "three", 0), 0);
			assert_int_equal(m->ops->push(m, "four.", 0), -E2BIG);
			assert_int_equal(m->ops->push(m, "four.", BPF_NOEXIST), -EINVAL);
			assert_int_equal(m->ops->push(m, "four.", BPF_EXIST), 0);
			assert_int_equal(m->ops->peek(m, got), 0);
			assert_memory_equal(got, stack ? "four." : "two..", 5);
			assert_int_equal(m->ops->pop(m, got), 0);
			assert_memory_equal(got, stack ? "four." : "two..", 5);
			assert_int_equal(m->ops->pop(m, got), 0);
			assert_memory_equal(got, "three", 5);
			assert_int_equal(map_take(m, NULL, got, 0), 0);
			assert_memory_equal(got, stack ? "two.." : "four.", 5);
			assert_int_equal(map_take(m, NULL, got, 0), -ENOENT);
		}
		assert_int_equal(map_update(m, NULL, "value", 0), 0);
		assert_int_equal(map_lookup(m, NULL, got, 0), 0);
		assert_int_equal(map_delete(m, NULL), -EINVAL);
		assert_int_equal(map_next_key(m, NULL, got), -EINVAL);
		kit_put(m);
	}
	kit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
