/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that programs allocate, pointers to them in map values, lists and trees of them: what
 * core/object.h does, as programs call it.
 *
 * Types come as BTF ids of the program's, which is why nothing in these calls is rewritten: an object
 * knows the rest.
 */
#include <errno.h>

#include "core/object.h"
#include "core/prog.h"
#include "helpers/helpers.h"
#include "helpers/kfuncs.h"

static void *pointer(uint64_t r)
{
	return (void *)(uintptr_t)r;
}

KFUNC_FN(bpf_obj_new_impl)
{
	return (uintptr_t)object_new(cpu->k, cpu->prog->btf, (uint32_t)r1);
}

KFUNC_FN(bpf_percpu_obj_new_impl)
{
	return (uintptr_t)object_new_percpu(cpu->k, cpu->prog->btf, (uint32_t)r1);
}

KFUNC_FN(bpf_obj_drop_impl)
{
	object_drop(cpu->k, pointer(r1));
	return 0;
}

KFUNC_FN(bpf_percpu_obj_drop_impl)
{
	object_drop(cpu->k, pointer(r1));
	return 0;
}

KFUNC_FN(bpf_refcount_acquire_impl)
{
	return (uintptr_t)object_acquire(pointer(r1));
}

HELPER_FN(kptr_xchg)
{
	return __atomic_exchange_n((uint64_t *)(uintptr_t)r1, r2, __ATOMIC_ACQ_REL);
}

HELPER_FN(per_cpu_ptr)
{
	return (uintptr_t)object_of_cpu(cpu->k, pointer(r1), (uint32_t)r2);
}

HELPER_FN(this_cpu_ptr)
{
	return (uintptr_t)object_of_cpu(cpu->k, pointer(r1), cpu->id);
}

/* --- Lists ----------------------------------------------------------------------------------- */

/* A node that is elsewhere already is given back. */
static uint64_t push(uint64_t head, uint64_t node, bool back, struct skep *k)
{
	struct list_node *n = pointer(node);

	if (list_push(pointer(head), n, back))
		return 0;
	object_drop(k, object_of_node(n, n->owner));
	return (uint64_t)-EINVAL;
}

KFUNC_FN(bpf_list_push_front_impl)
{
	return push(r1, r2, false, cpu->k);
}

KFUNC_FN(bpf_list_push_back_impl)
{
	return push(r1, r2, true, cpu->k);
}

KFUNC_FN(bpf_list_pop_front)
{
	return (uintptr_t)list_pop(pointer(r1), false);
}

KFUNC_FN(bpf_list_pop_back)
{
	return (uintptr_t)list_pop(pointer(r1), true);
}

KFUNC_FN(bpf_list_front)
{
	return (uintptr_t)((struct list_head *)pointer(r1))->first;
}

KFUNC_FN(bpf_list_back)
{
	return (uintptr_t)((struct list_head *)pointer(r1))->last;
}

/* --- Trees ----------------------------------------------------------------------------------- */

struct order {
	const struct callback *cb;
	struct cpu *cpu;
};

static bool less(const struct tree_node *a, const struct tree_node *b, void *arg)
{
	const struct order *o = arg;

	return o->cb->call((uintptr_t)a, (uintptr_t)b, 0, 0, 0, o->cpu, o->cb);
}

KFUNC_FN(bpf_rbtree_add_impl)
{
	struct order order = {pointer(r3), cpu};
	struct tree_node *n = pointer(r2);

	if (tree_add(pointer(r1), n, less, &order))
		return 0;
	object_drop(cpu->k, object_of_node(n, n->owner));
	return (uint64_t)-EINVAL;
}

KFUNC_FN(bpf_rbtree_remove)
{
	return tree_remove(pointer(r1), pointer(r2)) ? r2 : 0;
}

KFUNC_FN(bpf_rbtree_first)
{
	return (uintptr_t)((struct tree_root *)pointer(r1))->first;
}

KFUNC_FN(bpf_rbtree_root)
{
	return (uintptr_t)((struct tree_root *)pointer(r1))->top;
}

/* Children of a node of this tree. */
static const struct tree_node *node_in(uint64_t root, uint64_t node)
{
	const struct tree_node *n = pointer(node);

	return node_owner(n->owner) == root ? n : NULL;
}

KFUNC_FN(bpf_rbtree_left)
{
	const struct tree_node *n = node_in(r1, r2);

	return n ? (uintptr_t)n->left : 0;
}

KFUNC_FN(bpf_rbtree_right)
{
	const struct tree_node *n = node_in(r1, r2);

	return n ? (uintptr_t)n->right : 0;
}
