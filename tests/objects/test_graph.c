/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists and trees of core/object.h against a model: order, ownership, and that trees stay in balance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/object.h"

enum { N = 300, STEPS = 20000 };

struct item {
	struct list_node node;
	struct tree_node branch;
	int key;
	bool in;
};

static struct item items[N];
static uint32_t seed = 1;

static uint32_t random32(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static void reset(void)
{
	memset(items, 0, sizeof(items));
	for (int i = 0; i < N; i++) {
		items[i].branch.owner = (uint64_t)(offsetof(struct item, branch) / 8) << NODE_OWNER_BITS;
		items[i].key = (int)(random32() % 100);
	}
}

static void lists_are_double_ended_queues(void **state)
{
	struct list_head h = {0}, other = {0};
	struct item *model[2 * STEPS];
	int first = STEPS, last = STEPS; /* [first, last) */

	(void)state;
	reset();
	for (int i = 0; i < STEPS; i++) {
		struct item *it = &items[random32() % N];
		bool back = random32() & 1;

		if (random32() % 3) {
			assert_int_equal(list_push(&h, &it->node, back), !it->in);
			if (it->in) {
				assert_false(list_push(&other, &it->node, back));
				continue;
			}
			it->in = true;
			model[back ? last++ : --first] = it;
		} else if (first == last) {
			assert_null(list_pop(&h, back));
		} else {
			it = model[back ? --last : first++];
			assert_ptr_equal(list_pop(&h, back), &it->node);
			it->in = false;
		}
	}
	assert_null(other.first);
}

static struct item *item_of(const struct tree_node *n)
{
	return object_of_node((void *)(uintptr_t)n, n->owner);
}

static bool less(const struct tree_node *a, const struct tree_node *b, void *arg)
{
	(void)arg;
	return item_of(a)->key < item_of(b)->key;
}

/* Black height; checks order, parents and colours on the way. */
static int check(const struct tree_node *n, const struct tree_node *parent, int low, int high, int *count)
{
	int left, right;

	if (!n)
		return 1;
	++*count;
	assert_ptr_equal((void *)(n->parent & ~(uintptr_t)1), parent);
	assert_in_range(item_of(n)->key, low, high);
	if (!(n->parent & 1)) {
		assert_true(!n->left || n->left->parent & 1);
		assert_true(!n->right || n->right->parent & 1);
	}
	left = check(n->left, n, low, item_of(n)->key, count);
	right = check(n->right, n, item_of(n)->key, high, count);
	assert_int_equal(left, right);
	return left + (int)(n->parent & 1);
}

static void trees_stay_in_order_and_balance(void **state)
{
	struct tree_root root = {0}, other = {0};
	int in = 0, count;

	(void)state;
	reset();
	for (int i = 0; i < STEPS; i++) {
		struct item *it = &items[random32() % N];

		if (random32() & 1) {
			assert_int_equal(tree_add(&root, &it->branch, less, NULL), !it->in);
			in += !it->in;
			it->in = true;
		} else {
			assert_false(tree_remove(&other, &it->branch));
			assert_int_equal(tree_remove(&root, &it->branch), it->in);
			in -= it->in;
			it->in = false;
		}
		count = 0;
		check(root.top, NULL, 0, 100, &count);
		assert_int_equal(count, in);
		for (const struct tree_node *n = root.top; n; n = n->left)
			if (!n->left)
				assert_ptr_equal(root.first, n);
		if (!root.top)
			assert_null(root.first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_double_ended_queues),
		cmocka_unit_test(trees_stay_in_order_and_balance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
