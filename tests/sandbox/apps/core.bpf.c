/* SPDX-License-Identifier: BSD-2-Clause */
/* CO-RE: types of the running kernel, as they are there. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

struct task_struct {
	int pid, tgid;
} __attribute__((preserve_access_index));

struct task_struct___none {
	int no_such_field;
} __attribute__((preserve_access_index));

struct no_such_struct {
	int x;
} __attribute__((preserve_access_index));

enum bpf_map_type___k {
	BPF_MAP_TYPE_RINGBUF___k = 1,
};

int has_pid, has_none, has_struct, has_missing, ringbuf, pid_offset;

SEC("xdp") int run(struct xdp_md *ctx)
{
	has_pid = bpf_core_field_exists(struct task_struct, pid);
	has_none = bpf_core_field_exists(struct task_struct___none, no_such_field);
	has_struct = bpf_core_type_exists(struct task_struct);
	has_missing = bpf_core_type_exists(struct no_such_struct);
	ringbuf = bpf_core_enum_value(enum bpf_map_type___k, BPF_MAP_TYPE_RINGBUF___k);
	pid_offset = bpf_core_field_offset(struct task_struct, pid);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
