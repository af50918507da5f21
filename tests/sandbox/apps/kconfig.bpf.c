/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel is like, from outside. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_BPF_SYSCALL __kconfig __weak;
extern int CONFIG_NO_SUCH_THING __kconfig __weak;

int version, missing;
bool syscall;

SEC("xdp") int run(struct xdp_md *ctx)
{
	version = LINUX_KERNEL_VERSION;
	syscall = CONFIG_BPF_SYSCALL;
	missing = CONFIG_NO_SUCH_THING;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
