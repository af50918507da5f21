// SPDX-License-Identifier: BSD-2-Clause
/* Spin locks, resilient locks, timers, workqueues. */
#include "kernel.h"

struct locked {
	long n;
	struct bpf_spin_lock lock;
	long m;
};

struct timed {
	long n;
	struct bpf_timer timer;
};

struct worked {
	long n;
	struct bpf_wq wq;
};

struct resilient {
	struct bpf_res_spin_lock a;
	int n;
};

#define ARRAY(name, t)                              \
	struct {                                    \
		__uint(type, BPF_MAP_TYPE_ARRAY);   \
		__uint(max_entries, 2);             \
		__type(key, int);                   \
		__type(value, t);                   \
	} name SEC(".maps")

ARRAY(locks, struct locked);
ARRAY(timers, struct timed);
ARRAY(other_timers, struct timed);
ARRAY(works, struct worked);
ARRAY(resilients, struct resilient);

int zero, one = 1;

#define LOCKED struct locked *v = bpf_map_lookup_elem(&locks, &zero); if (!v) return 0

SEC("?tc") int ok_lock_and_unlock(void *ctx)
{
	LOCKED;
	bpf_spin_lock(&v->lock);
	v->n++;
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("?tc") int no_unlock_forgotten(void *ctx)
{
	LOCKED;
	bpf_spin_lock(&v->lock);
	v->n++;
	return 0;
}

SEC("?tc") int no_unlock_on_one_way_only(struct __sk_buff *skb)
{
	LOCKED;
	bpf_spin_lock(&v->lock);
	if (skb->len > 10)
		bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("?tc") int no_unlock_without_lock(void *ctx)
{
	LOCKED;
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("?tc") int no_lock_twice(void *ctx)
{
	LOCKED;
	bpf_spin_lock(&v->lock);
	bpf_spin_lock(&v->lock);
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("?tc") int no_unlock_of_another(void *ctx)
{
	struct locked *w = bpf_map_lookup_elem(&locks, &one);

	LOCKED;
	if (!w)
		return 0;
	bpf_spin_lock(&v->lock);
	bpf_spin_unlock(&w->lock);
	return 0;
}

SEC("?tc") int no_lock_read_directly(void *ctx)
{
	LOCKED;
	return *(volatile int *)&v->lock;
}

SEC("?tc") int no_lock_written_directly(void *ctx)
{
	LOCKED;
	*(volatile int *)&v->lock = 0;
	return 0;
}

SEC("?tc") int no_lock_at_another_offset(void *ctx)
{
	LOCKED;
	bpf_spin_lock((void *)&v->n);
	bpf_spin_unlock((void *)&v->n);
	return 0;
}

SEC("?tc") int no_helper_under_lock(void *ctx)
{
	LOCKED;
	bpf_spin_lock(&v->lock);
	v->n = bpf_ktime_get_ns();
	bpf_spin_unlock(&v->lock);
	return 0;
}

static __attribute__((noinline)) int add(struct locked *v)
{
	v->n++;
	return 0;
}

SEC("?tc") int ok_static_function_under_lock(void *ctx)
{
	LOCKED;
	bpf_spin_lock(&v->lock);
	add(v);
	bpf_spin_unlock(&v->lock);
	return 0;
}

__attribute__((noinline)) int global(int n)
{
	asm volatile("");
	return n + 1;
}

SEC("?tc") int no_or_yes_global_function_under_lock(void *ctx)
{
	LOCKED;
	bpf_spin_lock(&v->lock);
	global(1);
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("?tc") int no_lock_in_a_value_that_may_be_null(void *ctx)
{
	struct locked *v = bpf_map_lookup_elem(&locks, &zero);

	bpf_spin_lock(&v->lock);
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("?socket") int no_lock_in_a_socket_filter(void *ctx)
{
	LOCKED;
	bpf_spin_lock(&v->lock);
	bpf_spin_unlock(&v->lock);
	return 0;
}

/* Timers. */
static int on_timer(void *map, int *key, struct timed *v)
{
	v->n++;
	return 0;
}

static int on_timer_answers_one(void *map, int *key, struct timed *v)
{
	return 1;
}

#define TIMED struct timed *v = bpf_map_lookup_elem(&timers, &zero); if (!v) return 0

SEC("?tc") int ok_timer(void *ctx)
{
	TIMED;
	bpf_timer_init(&v->timer, &timers, 1);
	bpf_timer_set_callback(&v->timer, on_timer);
	bpf_timer_start(&v->timer, 1000, 0);
	bpf_timer_cancel(&v->timer);
	return 0;
}

SEC("?tc") int no_timer_callback_must_answer_0(void *ctx)
{
	TIMED;
	bpf_timer_set_callback(&v->timer, on_timer_answers_one);
	return 0;
}

SEC("?tc") int no_timer_of_another_map(void *ctx)
{
	TIMED;
	bpf_timer_init(&v->timer, &other_timers, 1);
	return 0;
}

SEC("?tc") int no_timer_at_another_offset(void *ctx)
{
	TIMED;
	bpf_timer_start((void *)&v->n, 1000, 0);
	return 0;
}

SEC("?tc") int no_timer_on_the_stack(void *ctx)
{
	struct bpf_timer t;

	bpf_timer_start(&t, 1000, 0);
	return 0;
}

SEC("?tc") int no_timer_read_directly(void *ctx)
{
	TIMED;
	return *(volatile long *)&v->timer;
}

SEC("?perf_event") int no_timer_in_perf_event(void *ctx)
{
	TIMED;
	bpf_timer_start(&v->timer, 1000, 0);
	return 0;
}

/* Workqueues. */
static int on_work(void *map, int *key, void *value)
{
	return 0;
}

#define WORKED struct worked *v = bpf_map_lookup_elem(&works, &zero); if (!v) return 0

SEC("?tc") int ok_work(void *ctx)
{
	WORKED;
	bpf_wq_init(&v->wq, &works, 0);
	bpf_wq_set_callback_impl(&v->wq, on_work, 0, NULL);
	bpf_wq_start(&v->wq, 0);
	return 0;
}

SEC("?tc") int ok_work_map_is_checked_at_run_time(void *ctx)
{
	WORKED;
	bpf_wq_init(&v->wq, &timers, 0);
	return 0;
}

SEC("?tc") int no_work_at_another_offset(void *ctx)
{
	WORKED;
	bpf_wq_start((void *)&v->n, 0);
	return 0;
}

SEC("?tc") int no_work_on_the_stack(void *ctx)
{
	struct bpf_wq w = {};

	bpf_wq_start(&w, 0);
	return 0;
}

SEC("?tc") int no_work_read_directly(void *ctx)
{
	WORKED;
	return *(volatile long *)&v->wq;
}

/* Resilient locks: taking one may fail. */
#define RESILIENT struct resilient *v = bpf_map_lookup_elem(&resilients, &zero); if (!v) return 0

SEC("?tc") int ok_resilient(void *ctx)
{
	RESILIENT;
	if (bpf_res_spin_lock(&v->a))
		return 0;
	bpf_res_spin_unlock(&v->a);
	return 0;
}

SEC("?tc") int no_resilient_result_not_looked_at(void *ctx)
{
	RESILIENT;
	bpf_res_spin_lock(&v->a);
	bpf_res_spin_unlock(&v->a);
	return 0;
}

SEC("?tc") int ok_resilient_two_in_order(void *ctx)
{
	struct resilient *w = bpf_map_lookup_elem(&resilients, &one);

	RESILIENT;
	if (!w)
		return 0;
	if (bpf_res_spin_lock(&v->a))
		return 0;
	if (bpf_res_spin_lock(&w->a)) {
		bpf_res_spin_unlock(&v->a);
		return 0;
	}
	bpf_res_spin_unlock(&w->a);
	bpf_res_spin_unlock(&v->a);
	return 0;
}

SEC("?tc") int no_resilient_two_out_of_order(void *ctx)
{
	struct resilient *w = bpf_map_lookup_elem(&resilients, &one);

	RESILIENT;
	if (!w)
		return 0;
	if (bpf_res_spin_lock(&v->a))
		return 0;
	if (bpf_res_spin_lock(&w->a)) {
		bpf_res_spin_unlock(&v->a);
		return 0;
	}
	bpf_res_spin_unlock(&v->a);
	bpf_res_spin_unlock(&w->a);
	return 0;
}

SEC("?tc") int no_resilient_forgotten(void *ctx)
{
	RESILIENT;
	bpf_res_spin_lock(&v->a);
	return 0;
}

SEC("?tc") int ok_resilient_irqsave(void *ctx)
{
	unsigned long flags;

	RESILIENT;
	if (bpf_res_spin_lock_irqsave(&v->a, &flags))
		return 0;
	bpf_res_spin_unlock_irqrestore(&v->a, &flags);
	return 0;
}

SEC("?tc") int no_resilient_irqsave_unlocked_plainly(void *ctx)
{
	unsigned long flags;

	RESILIENT;
	if (bpf_res_spin_lock_irqsave(&v->a, &flags))
		return 0;
	bpf_res_spin_unlock(&v->a);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
