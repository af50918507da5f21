// SPDX-License-Identifier: BSD-2-Clause
/* Kernel pointers in maps, objects of the program's own, lists, trees, reference counts. */
#include "kernel.h"

struct kept {
	struct task_struct __kptr_untrusted *loose;
	struct task_struct __kptr *task;
	struct cgroup __kptr *cgroup;
	struct bpf_cpumask __kptr *mask;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct kept);
} keep SEC(".maps");

/* Without a reference count an object has one node. */
struct node {
	long key;
	struct bpf_list_node list;
};

struct leaf {
	long key;
	struct bpf_rb_node rb;
};

struct shared {
	long key;
	struct bpf_refcount ref;
	struct bpf_rb_node rb;
	struct bpf_list_node list;
};

private(A) struct bpf_spin_lock lock;
private(A) struct bpf_list_head head __contains(node, list);
private(B) struct bpf_spin_lock tree_lock;
private(B) struct bpf_rb_root root __contains(leaf, rb);
private(C) struct bpf_spin_lock both_lock;
private(C) struct bpf_rb_root both_root __contains(shared, rb);
private(D) struct bpf_spin_lock both_list_lock;
private(D) struct bpf_list_head both_head __contains(shared, list);

int zero;

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	const struct leaf *x = (void *)a - __builtin_offsetof(struct leaf, rb);
	const struct leaf *y = (void *)b - __builtin_offsetof(struct leaf, rb);

	return x->key < y->key;
}

SEC("?tc") int ok_new_and_drop(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	if (n)
		bpf_obj_drop(n);
	return 0;
}

SEC("?tc") int no_new_and_forget(void *ctx)
{
	bpf_obj_new(struct node);
	return 0;
}

SEC("?tc") int no_new_unchecked(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	n->key = 1;
	bpf_obj_drop(n);
	return 0;
}

SEC("?tc") int ok_new_is_memory(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);
	long k;

	if (!n)
		return 0;
	n->key = 7;
	k = n->key;
	bpf_obj_drop(n);
	return k;
}

SEC("?tc") int no_use_after_drop(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	if (!n)
		return 0;
	bpf_obj_drop(n);
	return n->key;
}

SEC("?tc") int no_drop_twice(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	if (!n)
		return 0;
	bpf_obj_drop(n);
	bpf_obj_drop(n);
	return 0;
}

SEC("?tc") int no_write_into_a_node_of_the_object(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	if (!n)
		return 0;
	*(volatile long *)&n->list = 0;
	bpf_obj_drop(n);
	return 0;
}

SEC("?tc") int no_read_past_the_object(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);
	long v;

	if (!n)
		return 0;
	v = *(volatile long *)(n + 1);
	bpf_obj_drop(n);
	return v;
}

SEC("?tc") int ok_push_and_pop(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);
	struct bpf_list_node *l;

	if (!n)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &n->list, NULL, 0);
	l = bpf_list_pop_front(&head);
	bpf_spin_unlock(&lock);
	if (l)
		bpf_obj_drop((void *)l - __builtin_offsetof(struct node, list));
	return 0;
}

SEC("?tc") int no_push_without_the_lock(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	if (!n)
		return 0;
	bpf_list_push_front_impl(&head, &n->list, NULL, 0);
	return 0;
}

SEC("?tc") int no_push_with_another_lock(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	if (!n)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_list_push_front_impl(&head, &n->list, NULL, 0);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

SEC("?tc") int no_pop_and_forget(void *ctx)
{
	bpf_spin_lock(&lock);
	bpf_list_pop_front(&head);
	bpf_spin_unlock(&lock);
	return 0;
}

SEC("?tc") int no_push_the_wrong_node(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	if (!n)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, (void *)&n->key, NULL, 0);
	bpf_spin_unlock(&lock);
	return 0;
}

SEC("?tc") int no_push_an_object_of_another_type(void *ctx)
{
	struct shared *n = bpf_obj_new(struct shared);

	if (!n)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &n->list, NULL, 0);
	bpf_spin_unlock(&lock);
	return 0;
}

SEC("?tc") int no_drop_after_push(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	if (!n)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &n->list, NULL, 0);
	bpf_spin_unlock(&lock);
	bpf_obj_drop(n);
	return 0;
}

SEC("?tc") int ok_read_after_push_under_the_lock(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);
	long k;

	if (!n)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &n->list, NULL, 0);
	k = n->key;
	bpf_spin_unlock(&lock);
	return k;
}

SEC("?tc") int no_read_after_push_behind_the_lock(void *ctx)
{
	struct node *n = bpf_obj_new(struct node);

	if (!n)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &n->list, NULL, 0);
	bpf_spin_unlock(&lock);
	return n->key;
}

SEC("?tc") int ok_tree_add_and_remove(void *ctx)
{
	struct leaf *n = bpf_obj_new(struct leaf);
	struct bpf_rb_node *r;

	if (!n)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&root, &n->rb, less, NULL, 0);
	r = bpf_rbtree_first(&root);
	if (r)
		r = bpf_rbtree_remove(&root, r);
	bpf_spin_unlock(&tree_lock);
	if (r)
		bpf_obj_drop((void *)r - __builtin_offsetof(struct leaf, rb));
	return 0;
}

SEC("?tc") int no_tree_remove_of_nothing(void *ctx)
{
	struct bpf_rb_node *r;

	bpf_spin_lock(&tree_lock);
	r = bpf_rbtree_remove(&root, bpf_rbtree_first(&root));
	bpf_spin_unlock(&tree_lock);
	if (r)
		bpf_obj_drop((void *)r - __builtin_offsetof(struct leaf, rb));
	return 0;
}

SEC("?tc") int no_tree_remove_and_forget(void *ctx)
{
	struct bpf_rb_node *r;

	bpf_spin_lock(&tree_lock);
	r = bpf_rbtree_first(&root);
	if (r)
		bpf_rbtree_remove(&root, r);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

SEC("?tc") int no_tree_first_without_the_lock(void *ctx)
{
	bpf_rbtree_first(&root);
	return 0;
}

SEC("?tc") int no_tree_first_kept_behind_the_lock(void *ctx)
{
	struct bpf_rb_node *r;

	bpf_spin_lock(&tree_lock);
	r = bpf_rbtree_first(&root);
	bpf_spin_unlock(&tree_lock);
	if (!r)
		return 0;
	return ((struct leaf *)((void *)r - __builtin_offsetof(struct leaf, rb)))->key;
}

SEC("?tc") int ok_refcount_in_two_places(void *ctx)
{
	struct shared *a = bpf_obj_new(struct shared), *b;

	if (!a)
		return 0;
	b = bpf_refcount_acquire_impl(a, NULL);
	if (!b) {
		bpf_obj_drop(a);
		return 0;
	}
	bpf_spin_lock(&both_list_lock);
	bpf_list_push_front_impl(&both_head, &a->list, NULL, 0);
	bpf_spin_unlock(&both_list_lock);
	bpf_obj_drop(b);
	return 0;
}

SEC("?tc") int no_refcount_forgotten(void *ctx)
{
	struct shared *a = bpf_obj_new(struct shared);

	if (!a)
		return 0;
	bpf_refcount_acquire_impl(a, NULL);
	bpf_obj_drop(a);
	return 0;
}

SEC("?tc") int no_refcount_of_an_object_without_one(void *ctx)
{
	struct node *a = bpf_obj_new(struct node);

	if (!a)
		return 0;
	bpf_obj_drop(bpf_refcount_acquire_impl(a, NULL));
	bpf_obj_drop(a);
	return 0;
}

SEC("?syscall") int ok_exchange(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);
	struct task_struct *t = bpf_task_from_pid(1), *old;

	if (!t)
		return 0;
	if (!v) {
		bpf_task_release(t);
		return 0;
	}
	old = bpf_kptr_xchg(&v->task, t);
	if (old)
		bpf_task_release(old);
	return 0;
}

SEC("?syscall") int no_exchange_forgets_the_old(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);
	struct task_struct *t = bpf_task_from_pid(1);

	if (!t)
		return 0;
	if (!v) {
		bpf_task_release(t);
		return 0;
	}
	bpf_kptr_xchg(&v->task, t);
	return 0;
}

SEC("?syscall") int no_exchange_of_another_type(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);
	struct cgroup *c = bpf_cgroup_from_id(1);

	if (!c)
		return 0;
	if (!v) {
		bpf_cgroup_release(c);
		return 0;
	}
	c = bpf_kptr_xchg(&v->task, c);
	if (c)
		bpf_cgroup_release(c);
	return 0;
}

SEC("?syscall") int ok_exchange_with_null(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);
	struct cgroup *c;

	if (!v)
		return 0;
	c = bpf_kptr_xchg(&v->cgroup, NULL);
	if (c)
		bpf_cgroup_release(c);
	return 0;
}

SEC("?syscall") int no_store_into_a_referenced_kptr(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);

	if (v)
		*(struct task_struct *volatile *)&v->task = NULL;
	return 0;
}

SEC("?syscall") int ok_load_of_a_kptr_under_rcu(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);
	struct task_struct *t;
	int pid = 0;

	if (!v)
		return 0;
	bpf_rcu_read_lock();
	t = v->task;
	if (t)
		pid = t->pid;
	bpf_rcu_read_unlock();
	return pid;
}

SEC("?syscall") int no_rcu_kptr_must_be_checked(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);
	struct task_struct *t;
	int pid = 0;

	if (!v)
		return 0;
	bpf_rcu_read_lock();
	t = v->task;
	pid = t->pid;
	bpf_rcu_read_unlock();
	return pid;
}

SEC("?syscall") int ok_acquire_of_a_kptr_under_rcu(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);
	struct task_struct *t;

	if (!v)
		return 0;
	bpf_rcu_read_lock();
	t = v->task;
	if (t)
		t = bpf_task_acquire(t);
	bpf_rcu_read_unlock();
	if (t)
		bpf_task_release(t);
	return 0;
}

SEC("?syscall") int no_acquire_of_a_kptr_without_rcu(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);
	struct task_struct *t;

	if (!v)
		return 0;
	t = v->task;
	if (t)
		t = bpf_task_acquire(t);
	if (t)
		bpf_task_release(t);
	return 0;
}

SEC("?syscall") int no_kptr_as_plain_bytes(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);

	if (v)
		return *((volatile char *)&v->task + 3);
	return 0;
}

SEC("?syscall") int no_kptr_half_read(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);

	if (v)
		return *(volatile int *)&v->loose;
	return 0;
}

SEC("?syscall") int no_kptr_as_helper_memory(void *ctx)
{
	struct kept *v = bpf_map_lookup_elem(&keep, &zero);

	if (v)
		bpf_probe_read_kernel(v, sizeof(*v), NULL);
	return 0;
}

SEC("?syscall") int ok_cpumask(void *ctx)
{
	struct bpf_cpumask *m = bpf_cpumask_create();
	int cpu;

	if (!m)
		return 0;
	bpf_cpumask_set_cpu(1, m);
	cpu = bpf_cpumask_first((struct cpumask *)m);
	bpf_cpumask_release(m);
	return cpu;
}

SEC("?syscall") int no_cpumask_forgotten(void *ctx)
{
	struct bpf_cpumask *m = bpf_cpumask_create();

	if (m)
		bpf_cpumask_set_cpu(1, m);
	return 0;
}

SEC("?syscall") int no_cpumask_unchecked(void *ctx)
{
	struct bpf_cpumask *m = bpf_cpumask_create();

	bpf_cpumask_set_cpu(1, m);
	bpf_cpumask_release(m);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
