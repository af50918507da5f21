/* SPDX-License-Identifier: BSD-2-Clause */
/* The first byte is the verdict. Programs leave marks in the packet and in maps of several types. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct tally {
	__u64 packets;
	__u32 bytes, longest;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct tally);
} tallies SEC(".maps");

struct key {
	__u8 first, second;
	__u16 zero;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct key);
	__type(value, int);
} seen SEC(".maps");

const volatile __u8 mark = 0xee;
int last = -1;
__u64 total;

SEC("xdp")
int verdicts(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u64 len = ctx->data_end - ctx->data;
	struct key key = {};
	__u32 verdict;
	struct tally *t;
	int one = 1, *n;

	if (data + 2 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	verdict = data[0] & 7;
	key.first = data[0];
	key.second = data[1];
	data[1] = mark;
	last = verdict;
	total++;
	t = bpf_map_lookup_elem(&tallies, &verdict);
	if (t) {
		t->packets++;
		t->bytes += len;
		if (t->longest < len)
			t->longest = len;
	}
	n = bpf_map_lookup_elem(&seen, &key);
	if (n)
		++*n;
	else
		bpf_map_update_elem(&seen, &key, &one, BPF_ANY);
	return verdict;
}
