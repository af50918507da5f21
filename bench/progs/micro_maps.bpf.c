/* SPDX-License-Identifier: BSD-2-Clause */
/* The price of operations on maps, per operation: see micro.h. */
#include "micro.h"

char _license[] SEC("license") = "Dual BSD/GPL";

enum { FILLED = 1024, ENTRIES = 4096 };

#define MAP(name, map_type, key_type, flags) \
	struct { \
		__uint(type, map_type); \
		__uint(max_entries, ENTRIES); \
		__uint(map_flags, flags); \
		__type(key, key_type); \
		__type(value, u64); \
	} name SEC(".maps")

struct prefix {
	u32 len;
	u32 address; /* network order */
};

MAP(array, BPF_MAP_TYPE_ARRAY, u32, 0);
MAP(percpu, BPF_MAP_TYPE_PERCPU_ARRAY, u32, 0);
MAP(hash, BPF_MAP_TYPE_HASH, u32, 0);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, u32, 0);
MAP(lpm, BPF_MAP_TYPE_LPM_TRIE, struct prefix, BPF_F_NO_PREALLOC);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} ring SEC(".maps");

/* A filled key that is not beside the last one. */
INLINE u32 key_of(u32 i)
{
	return (i * 421) & (FILLED - 1);
}

/* 10.x.y.0, for i < FILLED. */
INLINE u32 network_of(u32 i)
{
	return (i & 0xff) << 16 | (i >> 8) << 8 | 10;
}

/* Puts in what the look-ups find: run once, before the others. */
SEC("xdp") int fill(__attribute__((unused)) bench_ctx *ctx)
{
	for (u32 i = 0; i < FILLED; i++) {
		struct prefix net = {24, network_of(i)};
		u64 value = i;
		u32 key = i;

		bpf_map_update_elem(&array, &key, &value, BPF_ANY);
		bpf_map_update_elem(&percpu, &key, &value, BPF_ANY);
		bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
		bpf_map_update_elem(&lru, &key, &value, BPF_ANY);
		bpf_map_update_elem(&lpm, &net, &value, BPF_ANY);
	}
	return 0;
}

#define LOOKUP(map) \
	u32 key = key_of(i); \
	u64 *value = bpf_map_lookup_elem(&map, &key); \
	if (value) \
		x += *value

#define UPDATE(map) \
	u32 key = key_of(i); \
	bpf_map_update_elem(&map, &key, &x, BPF_ANY)

MICRO(maps_plain, u32 key = key_of(i); __asm__ volatile("" : : "r"(&key) : "memory"); x += key)
MICRO(array_lookup, LOOKUP(array))
MICRO(percpu_lookup, LOOKUP(percpu))
MICRO(hash_lookup, LOOKUP(hash))
MICRO(hash_miss, u32 key = key_of(i) + FILLED; x += bpf_map_lookup_elem(&hash, &key) != 0)
MICRO(lru_lookup, LOOKUP(lru))
MICRO(array_update, UPDATE(array))
MICRO(hash_update, UPDATE(hash))
MICRO(lru_update, UPDATE(lru))

/* A key that is not there, in and out again. */
MICRO(hash_insert, u32 key = key_of(i) + FILLED; bpf_map_update_elem(&hash, &key, &x, BPF_ANY);
      bpf_map_delete_elem(&hash, &key))

/* Always a new key: when the map is full, an old one must go. */
u32 next_key;
MICRO(lru_insert, u32 key = next_key++ | 1 << 30; bpf_map_update_elem(&lru, &key, &x, BPF_ANY))

MICRO(lpm_lookup, struct prefix host = {32, network_of(key_of(i)) | 7 << 24};
      u64 *value = bpf_map_lookup_elem(&lpm, &host); if (value) x += *value)

MICRO(ringbuf_output, bpf_ringbuf_output(&ring, &x, sizeof(x), BPF_RB_NO_WAKEUP))
MICRO(ringbuf_reserve, u64 *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
      if (record) {
	      *record = x;
	      bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
      })
