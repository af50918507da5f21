/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of many kinds, filled by the program. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#define MAP(name_, type_, key_, value_, n_, ...)                                                   \
	struct {                                                                                   \
		__uint(type, type_);                                                               \
		__type(key, key_);                                                                 \
		__type(value, value_);                                                             \
		__uint(max_entries, n_);                                                           \
		__VA_ARGS__                                                                        \
	} name_ SEC(".maps")

struct lpm_key {
	__u32 prefix, addr;
};

MAP(hash, BPF_MAP_TYPE_HASH, __u32, __u64, 16, );
MAP(lazy, BPF_MAP_TYPE_HASH, __u32, __u64, 16, __uint(map_flags, BPF_F_NO_PREALLOC););
MAP(lru, BPF_MAP_TYPE_LRU_HASH, __u32, __u64, 16, );
MAP(array, BPF_MAP_TYPE_ARRAY, __u32, __u64, 16, );
MAP(percpu, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, 4, );
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, __u32, __u64, 4, );
MAP(trie, BPF_MAP_TYPE_LPM_TRIE, struct lpm_key, __u64, 16, __uint(map_flags, BPF_F_NO_PREALLOC););

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__type(value, __u32);
	__uint(max_entries, 8);
} queue SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__type(value, __u32);
	__uint(max_entries, 8);
} stack SEC(".maps");

int errors;

#define PUT(map, key) errors += bpf_map_update_elem(&map, key, &value, BPF_ANY) != 0

SEC("xdp") int run(struct xdp_md *ctx)
{
	__u64 value = 42;
	__u32 key = 3, word;

	PUT(hash, &key);
	PUT(lazy, &key);
	PUT(lru, &key);
	PUT(array, &key);
	PUT(percpu, &key);
	PUT(percpu_hash, &key);
	struct lpm_key lpm = {24, 0x0004d00a}; /* 10.208.4.0 */
	PUT(trie, &lpm);
	for (int i = 1; i < 4; i++) {
		word = i;
		errors += bpf_map_push_elem(&queue, &word, 0) != 0;
		errors += bpf_map_push_elem(&stack, &word, 0) != 0;
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
