/* SPDX-License-Identifier: BSD-2-Clause */
/* Global data: set by user space before and after loading, and by the program. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

const volatile int step = 1;
int start = 100;
long runs, sum;
struct {
	char text[16];
	int values[4];
} box = {.text = "from the file"};

SEC("xdp") int run(struct xdp_md *ctx)
{
	runs++;
	sum += start + step;
	box.values[runs & 3] = (int)runs;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
