// SPDX-License-Identifier: BSD-2-Clause
/* Callbacks: bpf_loop, for_each, find_vma; what they may see and return. */
#include "kernel.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, long);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, long);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, long);
} percpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} user_ring SEC(".maps");

int zero;
long values[8];

static int empty(__u32 i, void *ctx)
{
	return 0;
}

static int add(__u32 i, long *sum)
{
	*sum += i;
	return 0;
}

static int unbounded_index(__u32 i, void *ctx)
{
	values[i] = 1;
	return 0;
}

static int bounded_index(__u32 i, void *ctx)
{
	if (i < 8)
		values[i] = 1;
	return 0;
}

static int answers_two(__u32 i, void *ctx)
{
	return 2;
}

static int answers_one(__u32 i, void *ctx)
{
	return i == 3;
}

static int forgets(__u32 i, void *ctx)
{
	bpf_ringbuf_reserve(&ring, 8, 0);
	return 0;
}

SEC("?socket") int ok_loop(void *ctx)
{
	return bpf_loop(100, empty, NULL, 0);
}

SEC("?socket") int ok_loop_of_a_million(void *ctx)
{
	return bpf_loop(1000000, empty, NULL, 0);
}

SEC("?socket") int ok_loop_unknown_count(struct __sk_buff *skb)
{
	return bpf_loop(skb->len, empty, NULL, 0);
}

SEC("?socket") int ok_loop_writes_its_context(void *ctx)
{
	long sum = 0;

	bpf_loop(100, add, &sum, 0);
	return sum;
}

SEC("?socket") int no_loop_context_is_unknown_afterwards(void *ctx)
{
	long sum = 0;

	bpf_loop(100, add, &sum, 0);
	values[sum] = 0;
	return 0;
}

SEC("?socket") int no_loop_index_is_unbounded(void *ctx)
{
	return bpf_loop(8, unbounded_index, NULL, 0);
}

SEC("?socket") int ok_loop_index_checked(void *ctx)
{
	return bpf_loop(8, bounded_index, NULL, 0);
}

SEC("?socket") int no_loop_callback_answers_two(void *ctx)
{
	return bpf_loop(8, answers_two, NULL, 0);
}

SEC("?socket") int ok_loop_ends_early(void *ctx)
{
	return bpf_loop(8, answers_one, NULL, 0);
}

SEC("?socket") int ok_loop_answers_flags(void *ctx)
{
	return bpf_loop(8, empty, NULL, 1);
}

SEC("?tc") int no_loop_callback_forgets_a_reference(void *ctx)
{
	return bpf_loop(8, forgets, NULL, 0);
}

static int nested(__u32 i, void *ctx)
{
	bpf_loop(10, empty, NULL, 0);
	return 0;
}

SEC("?socket") int ok_loop_nested(void *ctx)
{
	return bpf_loop(10, nested, NULL, 0);
}

static int dereferences_number(__u32 i, long *ctx)
{
	return *ctx & 1;
}

SEC("?socket") int no_loop_callback_of_null_context(void *ctx)
{
	return bpf_loop(10, dereferences_number, NULL, 0);
}

SEC("?socket") int no_loop_with_a_number_for_a_callback(void *ctx)
{
	return bpf_loop(10, (void *)5, NULL, 0);
}

static int element(void *map, int *key, long *value, long *sum)
{
	*sum += *value + *key;
	return 0;
}

static int writes_key(void *map, int *key, long *value, void *ctx)
{
	*key = 1;
	return 0;
}

static int writes_value(void *map, int *key, long *value, void *ctx)
{
	*value = 1;
	return 0;
}

static int past_value(void *map, int *key, long *value, void *ctx)
{
	return value[1] & 1;
}

static int deletes(void *map, int *key, long *value, void *ctx)
{
	bpf_map_delete_elem(map, key);
	return 0;
}

SEC("?socket") int ok_each(void *ctx)
{
	long sum = 0;

	bpf_for_each_map_elem(&array, element, &sum, 0);
	bpf_for_each_map_elem(&hash, element, &sum, 0);
	bpf_for_each_map_elem(&percpu, element, &sum, 0);
	return sum;
}

SEC("?socket") int no_each_key_is_read_only(void *ctx)
{
	return bpf_for_each_map_elem(&hash, writes_key, NULL, 0);
}

SEC("?socket") int ok_each_value_may_be_written(void *ctx)
{
	return bpf_for_each_map_elem(&hash, writes_value, NULL, 0);
}

SEC("?socket") int no_each_past_the_value(void *ctx)
{
	return bpf_for_each_map_elem(&hash, past_value, NULL, 0);
}

SEC("?socket") int ok_each_may_delete(void *ctx)
{
	return bpf_for_each_map_elem(&hash, deletes, NULL, 0);
}

SEC("?socket") int no_each_of_a_ring(void *ctx)
{
	return bpf_for_each_map_elem(&ring, deletes, NULL, 0);
}

SEC("?socket") int ok_each_callback_of_two_is_known_on_each_way(struct __sk_buff *skb)
{
	void *fn = skb->len ? (void *)writes_value : (void *)deletes;

	barrier_var(fn);
	return bpf_for_each_map_elem(&hash, fn, NULL, 0);
}

static long drain(struct bpf_dynptr *p, void *ctx)
{
	char c;

	bpf_dynptr_read(&c, 1, p, 0, 0);
	return 0;
}

static long drain_writes(struct bpf_dynptr *p, void *ctx)
{
	char c = 0;

	bpf_dynptr_write(p, 0, &c, 1, 0);
	return 0;
}

static long drain_submits(struct bpf_dynptr *p, void *ctx)
{
	bpf_ringbuf_submit_dynptr(p, 0);
	return 0;
}

SEC("?tc") int ok_drain(void *ctx)
{
	return bpf_user_ringbuf_drain(&user_ring, drain, NULL, 0);
}

SEC("?tc") int ok_drain_write_fails_at_run_time(void *ctx)
{
	return bpf_user_ringbuf_drain(&user_ring, drain_writes, NULL, 0);
}

SEC("?tc") int no_drain_submits(void *ctx)
{
	return bpf_user_ringbuf_drain(&user_ring, drain_submits, NULL, 0);
}

static int deep(__u32 i, void *ctx)
{
	volatile char big[400];

	for (int k = 0; k < 400; k += 8)
		big[k] = 1;
	return 0;
}

SEC("?socket") int ok_stack_of_callback_is_its_own(void *ctx)
{
	volatile char big[200];

	for (int k = 0; k < 200; k += 8)
		big[k] = 1;
	return bpf_loop(10, deep, NULL, 0);
}

char LICENSE[] SEC("license") = "GPL";
