/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The price of operations on maps of 64 k elements, keys and values of 8 bytes: see micro.h. Keys
 * are random among all, so that what is touched does not fit into the nearest caches; "hot" ones
 * are random among 256.
 */
#include "micro.h"

char _license[] SEC("license") = "Dual BSD/GPL";

enum { N = 65536, PREFIXES_1K = 1000 };

#define MAP(name, map_type, entries, flags) \
	struct { \
		__uint(type, map_type); \
		__uint(max_entries, entries); \
		__uint(map_flags, flags); \
		__type(key, u64); \
		__type(value, u64); \
	} name SEC(".maps")

struct prefix {
	u32 len;
	u32 address;
};

MAP(half, BPF_MAP_TYPE_HASH, 2 * N, 0);
MAP(full, BPF_MAP_TYPE_HASH, N, 0);
MAP(lazy, BPF_MAP_TYPE_HASH, N, BPF_F_NO_PREALLOC);
MAP(percpu, BPF_MAP_TYPE_PERCPU_HASH, 2 * N, 0);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, N, 0);
MAP(lpm_1k, BPF_MAP_TYPE_LPM_TRIE, N, BPF_F_NO_PREALLOC);
MAP(lpm_64k, BPF_MAP_TYPE_LPM_TRIE, N, BPF_F_NO_PREALLOC);

enum { CPUS = 64 };

/* For each CPU, so that threads share nothing but the maps. */
struct {
	u64 x;
	u64 unused[15];
} state[CPUS];

/* Xorshift: the same numbers wherever a program runs, others on each CPU. */
INLINE u64 next(void)
{
	u64 cpu = bpf_get_smp_processor_id() & (CPUS - 1);
	u64 *at = &state[cpu].x, x = *at ? *at : 88172645463325252 + (cpu << 40);

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*at = x;
	return x >> 16;
}

INLINE u64 mixed(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	return x ^ x >> 27;
}

/* Lengths of 8 to 32, addresses all over. */
INLINE struct prefix prefix_of(u64 i)
{
	u64 r = mixed(i + 77);

	return (struct prefix){8 + (u32)(r >> 32) % 25, (u32)r};
}

static long put(u32 i, __attribute__((unused)) void *ctx)
{
	struct prefix p = prefix_of(i);
	u64 key = i;

	bpf_map_update_elem(&half, &key, &key, BPF_ANY);
	bpf_map_update_elem(&full, &key, &key, BPF_ANY);
	if (i < N / 2)
		bpf_map_update_elem(&lazy, &key, &key, BPF_ANY);
	bpf_map_update_elem(&percpu, &key, &key, BPF_ANY);
	bpf_map_update_elem(&lru, &key, &key, BPF_ANY);
	bpf_map_update_elem(&lpm_64k, &p, &key, BPF_ANY);
	if (i < PREFIXES_1K)
		bpf_map_update_elem(&lpm_1k, &p, &key, BPF_ANY);
	return 0;
}

SEC("xdp") int fill(__attribute__((unused)) bench_ctx *ctx)
{
	bpf_loop(N, put, 0, 0);
	return 0;
}

#define LOOKUP(map, mask) \
	u64 key = next() & (mask); \
	u64 *value = bpf_map_lookup_elem(&map, &key); \
	if (value) \
		x += *value

#define MISS(map) \
	u64 key = next() | 1 << 20; \
	x += bpf_map_lookup_elem(&map, &key) != 0

#define UPDATE(map, mask) \
	u64 key = next() & (mask); \
	bpf_map_update_elem(&map, &key, &x, BPF_ANY)

#define INSERT(map) \
	u64 key = next() | 1ull << 40; \
	bpf_map_update_elem(&map, &key, &x, BPF_ANY); \
	bpf_map_delete_elem(&map, &key)

#define MATCH(map) \
	struct prefix host = {32, (u32)next()}; \
	u64 *value = bpf_map_lookup_elem(&map, &host); \
	if (value) \
		x += *value

MICRO(big_plain, u64 key = next() & (N - 1); __asm__ volatile("" : : "r"(&key) : "memory"); x += key)
MICRO(half_hot, LOOKUP(half, 255))
MICRO(half_lookup, LOOKUP(half, N - 1))
MICRO(full_lookup, LOOKUP(full, N - 1))
MICRO(half_miss, MISS(half))
MICRO(full_miss, MISS(full))
MICRO(half_update_hot, UPDATE(half, 255))
MICRO(half_update, UPDATE(half, N - 1))
MICRO(full_update, UPDATE(full, N - 1))
MICRO(half_insert, INSERT(half))
MICRO(lazy_insert, INSERT(lazy))
MICRO(percpu_hash_lookup, LOOKUP(percpu, N - 1))
MICRO(lru_big_lookup, LOOKUP(lru, N - 1))
MICRO(lru_big_update, UPDATE(lru, N - 1))
MICRO(lpm_1k_lookup, MATCH(lpm_1k))
MICRO(lpm_64k_lookup, MATCH(lpm_64k))

/* Always a new key: an old one must go. The last of all, as it replaces what others look up. */
u64 fresh = 1ull << 32;
MICRO(lru_big_insert, u64 key = fresh++; bpf_map_update_elem(&lru, &key, &x, BPF_ANY))
