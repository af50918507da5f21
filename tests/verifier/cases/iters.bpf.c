// SPDX-License-Identifier: BSD-2-Clause
/* Open-coded iterators: their life, loops over them, what they give. */
#include "kernel.h"

long values[16], sum;

SEC("?socket") int ok_numbers(void *ctx)
{
	struct bpf_iter_num it;
	int *i, n = 0;

	bpf_iter_num_new(&it, 0, 10);
	while ((i = bpf_iter_num_next(&it)))
		n += *i;
	bpf_iter_num_destroy(&it);
	return n;
}

SEC("?socket") int ok_a_million_numbers(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 1000000);
	while (bpf_iter_num_next(&it))
		sum++;
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("?socket") int ok_number_is_checked_as_an_index(void *ctx)
{
	struct bpf_iter_num it;
	int *i;

	bpf_iter_num_new(&it, 0, 16);
	while ((i = bpf_iter_num_next(&it))) {
		unsigned int k = *i;

		if (k < 16)
			values[k]++;
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("?socket") int no_number_is_no_index_unchecked(void *ctx)
{
	struct bpf_iter_num it;
	int *i;

	bpf_iter_num_new(&it, 0, 16);
	while ((i = bpf_iter_num_next(&it)))
		values[*i]++;
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("?socket") int no_next_unchecked(void *ctx)
{
	struct bpf_iter_num it;
	int n;

	bpf_iter_num_new(&it, 0, 16);
	n = *bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return n;
}

SEC("?socket") int no_destroy_forgotten(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	bpf_iter_num_next(&it);
	return 0;
}

SEC("?socket") int no_next_before_new(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_next(&it);
	return 0;
}

SEC("?socket") int no_destroy_before_new(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("?socket") int no_destroy_twice(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	bpf_iter_num_destroy(&it);
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("?socket") int no_new_twice(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	bpf_iter_num_new(&it, 0, 16);
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("?socket") int no_next_after_destroy(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	bpf_iter_num_destroy(&it);
	bpf_iter_num_next(&it);
	return 0;
}

SEC("?socket") int ok_used_again(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	bpf_iter_num_destroy(&it);
	bpf_iter_num_new(&it, 0, 16);
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("?socket") int no_overwritten(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	*(volatile long *)&it = 0;
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("?socket") int no_read_directly(void *ctx)
{
	struct bpf_iter_num it;
	long v;

	bpf_iter_num_new(&it, 0, 16);
	v = *(volatile long *)&it;
	bpf_iter_num_destroy(&it);
	return v;
}

SEC("?socket") int ok_nested(void *ctx)
{
	struct bpf_iter_num a, b;

	bpf_iter_num_new(&a, 0, 100);
	while (bpf_iter_num_next(&a)) {
		bpf_iter_num_new(&b, 0, 100);
		while (bpf_iter_num_next(&b))
			sum++;
		bpf_iter_num_destroy(&b);
	}
	bpf_iter_num_destroy(&a);
	return 0;
}

SEC("?socket") int no_nested_not_destroyed_on_break(void *ctx)
{
	struct bpf_iter_num a, b;

	bpf_iter_num_new(&a, 0, 100);
	while (bpf_iter_num_next(&a)) {
		bpf_iter_num_new(&b, 0, 100);
		if (!bpf_iter_num_next(&b))
			break;
		bpf_iter_num_destroy(&b);
	}
	bpf_iter_num_destroy(&a);
	return 0;
}

SEC("?socket") int ok_break_out(void *ctx)
{
	struct bpf_iter_num it;
	int *i, n = 0;

	bpf_iter_num_new(&it, 0, 100);
	while ((i = bpf_iter_num_next(&it))) {
		if (*i == 7)
			break;
		n++;
	}
	bpf_iter_num_destroy(&it);
	return n;
}

SEC("?socket") int no_an_index_that_grows_in_the_loop(struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	long *p = values;

	bpf_iter_num_new(&it, 0, 10);
	while (bpf_iter_num_next(&it)) {
		*p = 1;
		p++;
		barrier_var(p);
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

static __attribute__((noinline)) int next(struct bpf_iter_num *it)
{
	int *i = bpf_iter_num_next(it);

	return i ? *i : -1;
}

SEC("?socket") int ok_next_in_a_function(void *ctx)
{
	struct bpf_iter_num it;
	int n;

	bpf_iter_num_new(&it, 0, 10);
	n = next(&it);
	bpf_iter_num_destroy(&it);
	return n;
}

SEC("?socket") int ok_bits(void *ctx)
{
	struct bpf_iter_bits it;
	__u64 words[2] = {5, 9};
	int *i, n = 0;

	bpf_iter_bits_new(&it, words, 2);
	while ((i = bpf_iter_bits_next(&it)))
		n += *i;
	bpf_iter_bits_destroy(&it);
	return n;
}

SEC("?socket") int no_two_kinds_mixed(void *ctx)
{
	struct bpf_iter_bits it;
	__u64 words[2] = {5, 9};

	bpf_iter_bits_new(&it, words, 2);
	bpf_iter_num_next((struct bpf_iter_num *)&it);
	bpf_iter_bits_destroy(&it);
	return 0;
}

SEC("?syscall") int ok_tasks_under_rcu(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *t;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	while ((t = bpf_iter_task_next(&it)))
		sum += t->pid;
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?syscall") int no_tasks_without_rcu(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *t;

	bpf_iter_task_new(&it, NULL, 0);
	while ((t = bpf_iter_task_next(&it)))
		sum += t->pid;
	bpf_iter_task_destroy(&it);
	return 0;
}

SEC("?syscall") int no_rcu_ends_in_the_loop(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *t;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	bpf_rcu_read_unlock();
	while ((t = bpf_iter_task_next(&it)))
		sum += t->pid;
	bpf_iter_task_destroy(&it);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
