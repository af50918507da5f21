/* SPDX-License-Identifier: BSD-2-Clause */
/* The price of helpers, and of maps without keys: see micro.h. */
#include "micro.h"

char _license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1024);
	__type(value, u64);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 4096);
	__type(value, u64);
} bloom SEC(".maps");

struct counter {
	struct bpf_spin_lock lock;
	u32 unused;
	u64 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct counter);
} locked SEC(".maps");

SEC("xdp") int fill(__attribute__((unused)) bench_ctx *ctx)
{
	for (u64 i = 0; i < 1024; i++)
		bpf_map_push_elem(&bloom, &i, BPF_ANY);
	return 0;
}

MICRO(helpers_plain, x += i & 3; __asm__ volatile("" : : "r"(&x) : "memory"))
MICRO(queue_push_pop, u64 value = x; bpf_map_push_elem(&queue, &value, BPF_ANY);
      bpf_map_pop_elem(&queue, &value); x += value)
MICRO(bloom_hit, u64 value = i; x += bpf_map_peek_elem(&bloom, &value) == 0)
MICRO(ktime, x += bpf_ktime_get_ns())
MICRO(prandom, x += bpf_get_prandom_u32())
MICRO(cpu_id, x += bpf_get_smp_processor_id())

u8 bytes[64];
MICRO(csum_diff_20, x += bpf_csum_diff(0, 0, (void *)bytes, 20, 0))
MICRO(csum_diff_64, x += bpf_csum_diff(0, 0, (void *)bytes, 64, 0))

static long step(u32 i, void *sum)
{
	*(u64 *)sum += i;
	return 0;
}

SEC("xdp") int loop_steps(bench_ctx *ctx)
{
	u64 x = ctx->rx_queue_index;

	bpf_loop(MICRO_LOOPS, step, &x, 0);
	return fold64(x);
}

SEC("xdp") int lock_pair(bench_ctx *ctx)
{
	u64 x = ctx->rx_queue_index;
	u32 zero = 0;
	struct counter *c = bpf_map_lookup_elem(&locked, &zero);

	if (!c)
		return 0;
	for (u32 i = 0; i < MICRO_LOOPS; i++) {
		bpf_spin_lock(&c->lock);
		c->count += i;
		bpf_spin_unlock(&c->lock);
		x += i;
		__asm__ volatile("" : "+r"(x));
	}
	return fold64(x);
}
