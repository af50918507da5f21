/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbpf does before bpf(2) sees anything: global and static functions are linked in, externs get
 * the kernel's version and configuration, field offsets are relocated. Every verdict is XDP_PASS.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_NO_SUCH_THING __kconfig __weak;

/* Of the running kernel; the offset here is made up. */
struct list_head___mine {
	long made_up[7];
	struct list_head *prev;
} __attribute__((preserve_access_index));

static const char text[] = "abc";
int sizes[4] = {1, 2, 4, 8};

static __attribute__((noinline)) int own(__u32 i)
{
	return sizes[i & 3] + text[i & 1];
}

__attribute__((noinline)) int shared(__u32 i)
{
	return own(i) * 2;
}

static long visit(__u32 i, void *sum)
{
	*(int *)sum += own(i);
	return 0;
}

SEC("xdp")
int loader(struct xdp_md *ctx)
{
	int sum = 0;

	if (LINUX_KERNEL_VERSION < 0x040000 || CONFIG_NO_SUCH_THING)
		return 10;
	if (bpf_core_field_exists(struct list_head___mine, prev) &&
	    bpf_core_field_offset(struct list_head___mine, prev) != sizeof(long))
		return 11;
	if (shared(1) != 2 * (2 + 'b'))
		return 12;
	bpf_loop(4, visit, &sum, 0);
	if (sum != 15 + 2 * ('a' + 'b'))
		return 13;
	return XDP_PASS;
}
