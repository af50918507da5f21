/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions: static, global, and one that is called back. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

int sum, calls;

static __attribute__((noinline)) int square(int x)
{
	return x * x;
}

__attribute__((noinline)) int cube(int x)
{
	calls++;
	return x * square(x);
}

static int each(__u32 i, void *ctx)
{
	sum += cube((int)i);
	return i == 9; /* enough */
}

SEC("xdp") int run(struct xdp_md *ctx)
{
	return bpf_loop(100, each, NULL, 0) == 10 ? XDP_PASS : XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
