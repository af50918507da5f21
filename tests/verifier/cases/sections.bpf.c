// SPDX-License-Identifier: BSD-2-Clause
/* RCU, preemption and interrupt sections; sleepable programs; exceptions. */
#include "kernel.h"

int zero;
long sink;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, long);
} array SEC(".maps");

SEC("?syscall") int ok_rcu(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?syscall") int no_rcu_not_ended(void *ctx)
{
	bpf_rcu_read_lock();
	return 0;
}

SEC("?syscall") int no_rcu_ended_twice(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?syscall") int no_or_yes_rcu_nested(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?syscall") int no_sleep_under_rcu(void *ctx)
{
	long v;

	bpf_rcu_read_lock();
	bpf_copy_from_user(&v, sizeof(v), NULL);
	bpf_rcu_read_unlock();
	return v;
}

SEC("?syscall") int ok_sleep_outside_rcu(void *ctx)
{
	long v;

	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_copy_from_user(&v, sizeof(v), NULL);
	return v;
}

SEC("?syscall") int ok_rcu_pointer_inside(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	int pid;

	bpf_rcu_read_lock();
	pid = t->real_parent->pid;
	bpf_rcu_read_unlock();
	return pid;
}

SEC("?syscall") int no_rcu_pointer_given_away_outside(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf(), *p;

	bpf_rcu_read_lock();
	p = t->real_parent;
	bpf_rcu_read_unlock();
	p = bpf_task_acquire(p);
	if (p)
		bpf_task_release(p);
	return 0;
}

SEC("?syscall") int ok_rcu_pointer_acquired_inside(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf(), *p;

	bpf_rcu_read_lock();
	p = bpf_task_acquire(t->real_parent);
	bpf_rcu_read_unlock();
	if (p)
		bpf_task_release(p);
	return 0;
}

SEC("?syscall") int ok_preempt(void *ctx)
{
	bpf_preempt_disable();
	sink++;
	bpf_preempt_enable();
	return 0;
}

SEC("?syscall") int no_preempt_not_enabled(void *ctx)
{
	bpf_preempt_disable();
	return 0;
}

SEC("?syscall") int no_preempt_enabled_twice(void *ctx)
{
	bpf_preempt_disable();
	bpf_preempt_enable();
	bpf_preempt_enable();
	return 0;
}

SEC("?syscall") int ok_preempt_nested(void *ctx)
{
	bpf_preempt_disable();
	bpf_preempt_disable();
	bpf_preempt_enable();
	bpf_preempt_enable();
	return 0;
}

SEC("?syscall") int no_preempt_enabled_once_of_two(void *ctx)
{
	bpf_preempt_disable();
	bpf_preempt_disable();
	bpf_preempt_enable();
	return 0;
}

SEC("?syscall") int no_sleep_without_preemption(void *ctx)
{
	long v;

	bpf_preempt_disable();
	bpf_copy_from_user(&v, sizeof(v), NULL);
	bpf_preempt_enable();
	return v;
}

SEC("?syscall") int ok_irq(void *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("?syscall") int no_irq_not_restored(void *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	return 0;
}

SEC("?syscall") int no_irq_restored_twice(void *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	bpf_local_irq_restore(&flags);
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("?syscall") int ok_irq_nested(void *ctx)
{
	unsigned long a, b;

	bpf_local_irq_save(&a);
	bpf_local_irq_save(&b);
	bpf_local_irq_restore(&b);
	bpf_local_irq_restore(&a);
	return 0;
}

SEC("?syscall") int no_irq_out_of_order(void *ctx)
{
	unsigned long a, b;

	bpf_local_irq_save(&a);
	bpf_local_irq_save(&b);
	bpf_local_irq_restore(&a);
	bpf_local_irq_restore(&b);
	return 0;
}

SEC("?syscall") int no_irq_flags_overwritten(void *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	*(volatile unsigned long *)&flags = 0;
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("?syscall") int no_irq_flags_of_the_programs_own(void *ctx)
{
	unsigned long flags = 0x100;

	barrier_var(flags);
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("?syscall") int no_sleep_without_interrupts(void *ctx)
{
	unsigned long flags;
	long v;

	bpf_local_irq_save(&flags);
	bpf_copy_from_user(&v, sizeof(v), NULL);
	bpf_local_irq_restore(&flags);
	return v;
}

SEC("?tc") int no_sleeping_helper_in_tc(void *ctx)
{
	long v;

	return bpf_copy_from_user(&v, sizeof(v), NULL);
}

/* Exceptions. */
SEC("?tc") int ok_throw(struct __sk_buff *skb)
{
	if (skb->len > 100)
		bpf_throw(1);
	return 0;
}

SEC("?tc") int no_throw_with_a_reference(struct __sk_buff *skb)
{
	struct bpf_cpumask *m = bpf_obj_new(struct bpf_cpumask);

	if (!m)
		return 0;
	bpf_throw(1);
	bpf_obj_drop(m);
	return 0;
}

static __attribute__((noinline)) int thrower(long n)
{
	if (n)
		bpf_throw(n);
	return 0;
}

SEC("?tc") int ok_throw_in_a_function(struct __sk_buff *skb)
{
	return thrower(skb->len);
}

SEC("?syscall") int no_throw_under_rcu(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_throw(1);
	bpf_rcu_read_unlock();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
