// SPDX-License-Identifier: BSD-2-Clause
/* Pointers to the kernel's structs: trusted, walked, under RCU; casts; references. */
#include "kernel.h"

long sink;

SEC("?syscall") int ok_field_of_current(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return t->pid;
}

SEC("?syscall") int no_write_to_current(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	t->pid = 1;
	return 0;
}

SEC("?syscall") int ok_walk_is_unchecked_memory(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return t->last_wakee->last_wakee->pid;
}

SEC("?syscall") int no_walked_pointer_is_untrusted(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	t = bpf_task_acquire(t->last_wakee);
	if (t)
		bpf_task_release(t);
	return 0;
}

SEC("?syscall") int ok_array_in_a_struct(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return t->comm[3];
}

SEC("?syscall") int no_past_the_struct(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return *((volatile char *)t + 1000000);
}

SEC("?syscall") int no_before_the_struct(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return *((volatile char *)t - 1);
}

SEC("?syscall") int no_variable_offset(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	long n = bpf_get_prandom_u32() & 8;

	return *((volatile char *)t + n);
}

SEC("?syscall") int ok_acquire_current(void *ctx)
{
	struct task_struct *t = bpf_task_acquire(bpf_get_current_task_btf());

	if (t)
		bpf_task_release(t);
	return 0;
}

SEC("?syscall") int no_acquire_and_forget(void *ctx)
{
	bpf_task_acquire(bpf_get_current_task_btf());
	return 0;
}

SEC("?syscall") int no_release_of_null(void *ctx)
{
	bpf_task_release(bpf_task_from_pid(1));
	return 0;
}

SEC("?syscall") int no_release_of_what_is_not_ours(void *ctx)
{
	bpf_task_release(bpf_get_current_task_btf());
	return 0;
}

SEC("?syscall") int no_use_after_release(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);

	if (!t)
		return 0;
	bpf_task_release(t);
	return t->pid;
}

SEC("?syscall") int no_release_twice(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);

	if (!t)
		return 0;
	bpf_task_release(t);
	bpf_task_release(t);
	return 0;
}

SEC("?syscall") int ok_release_on_each_way(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);
	int pid = -1;

	if (!t)
		return 0;
	if (bpf_get_prandom_u32() & 1) {
		pid = t->pid;
		bpf_task_release(t);
		return pid;
	}
	bpf_task_release(t);
	return pid;
}

SEC("?syscall") int no_argument_of_another_type(void *ctx)
{
	struct cgroup *c = bpf_cgroup_from_id(1);

	if (c)
		bpf_task_release((struct task_struct *)c);
	return 0;
}

SEC("?syscall") int no_argument_is_a_number(void *ctx)
{
	struct task_struct *t = bpf_task_acquire((void *)0x1000);

	if (t)
		bpf_task_release(t);
	return 0;
}

SEC("?syscall") int no_argument_is_the_context(void *ctx)
{
	struct task_struct *t = bpf_task_acquire(ctx);

	if (t)
		bpf_task_release(t);
	return 0;
}

SEC("?syscall") int no_argument_is_the_stack(void *ctx)
{
	char buf[16] = {};
	struct task_struct *t = bpf_task_acquire((void *)buf);

	if (t)
		bpf_task_release(t);
	return 0;
}

SEC("?socket") int no_kfunc_of_another_program_type(void *ctx)
{
	struct bpf_cpumask *m = bpf_cpumask_create();

	if (m)
		bpf_cpumask_release(m);
	return 0;
}

SEC("?tc") int ok_cast_of_the_context(struct __sk_buff *ctx)
{
	struct sk_buff *skb = bpf_cast_to_kern_ctx(ctx);

	return skb->len;
}

SEC("?tc") int no_cast_of_a_number(struct __sk_buff *ctx)
{
	struct sk_buff *skb = bpf_cast_to_kern_ctx((void *)(long)ctx->len);

	return skb->len;
}

SEC("?syscall") int ok_read_only_cast(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf(), *u;

	u = bpf_rdonly_cast(t->last_wakee, bpf_core_type_id_kernel(struct task_struct));
	return u->pid;
}

SEC("?syscall") int no_read_only_cast_written(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf(), *u;

	u = bpf_rdonly_cast(t, bpf_core_type_id_kernel(struct task_struct));
	u->pid = 1;
	return 0;
}

SEC("?syscall") int no_read_only_cast_to_a_number_type(void *ctx)
{
	int *u = bpf_rdonly_cast(ctx, bpf_core_type_id_kernel(int));

	return *u;
}

SEC("?syscall") int no_field_pointer_is_not_trusted_outside_rcu(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return bpf_cpumask_test_cpu(0, t->cpus_ptr);
}

SEC("?iter/task") int ok_iter_task_is_checked(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	return t ? t->pid & 1 : 0;
}

SEC("?iter/task") int no_iter_task_unchecked(struct bpf_iter__task *ctx)
{
	sink = ctx->task->pid;
	return 0;
}

SEC("?iter/task") int ok_iter_prints(struct bpf_iter__task *ctx)
{
	char text[] = "x";

	bpf_seq_write(ctx->meta->seq, text, sizeof(text));
	return 0;
}

SEC("?iter/task") int no_iter_answers_two(struct bpf_iter__task *ctx)
{
	return 2;
}

SEC("?iter/task") int no_iter_context_past_its_end(struct bpf_iter__task *ctx)
{
	return ((volatile long *)ctx)[2] & 1;
}

SEC("?iter/task") int no_iter_context_written(struct bpf_iter__task *ctx)
{
	((volatile long *)ctx)[0] = 1;
	return 0;
}

SEC("?tp_btf/task_newtask") int ok_tp_btf_task(unsigned long long *ctx)
{
	struct task_struct *t = (void *)ctx[0];

	return t->pid * 0;
}

SEC("?tp_btf/task_newtask") int ok_tp_btf_task_is_trusted(unsigned long long *ctx)
{
	struct task_struct *t = bpf_task_acquire((void *)ctx[0]);

	if (t)
		bpf_task_release(t);
	return 0;
}

SEC("?tp_btf/task_newtask") int no_tp_btf_past_its_arguments(unsigned long long *ctx)
{
	return ((volatile unsigned long long *)ctx)[2] * 0;
}

SEC("?tp_btf/task_newtask") int no_tp_btf_half_an_argument(unsigned long long *ctx)
{
	return ((volatile unsigned int *)ctx)[1] * 0;
}

SEC("?tp_btf/task_newtask") int no_tp_btf_written(unsigned long long *ctx)
{
	ctx[0] = 0;
	return 0;
}

SEC("?raw_tp/task_newtask") int ok_raw_tp_numbers(unsigned long long *ctx)
{
	return ctx[0] * 0;
}

SEC("?raw_tp/task_newtask") int no_raw_tp_argument_dereferenced(unsigned long long *ctx)
{
	return *(int *)ctx[0];
}

char LICENSE[] SEC("license") = "GPL";
