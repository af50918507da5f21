/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks of the host: who called, as bpf_get_stackid() and bpf_get_stack() report it.
 *
 * A program of Skep runs on the stack of the thread that called it, so there is one stack, which is
 * both the kernel's and the user's. It is walked by frame pointers, through reads that cannot fault;
 * the walk ends at the first frame that was made without one.
 */
#ifndef SKEP_CORE_STACK_H
#define SKEP_CORE_STACK_H

#include <stdint.h>

enum {
	STACK_MAX = 127,          /* addresses: the kernel's default perf_event_max_stack */
	STACK_BUILD_ID_SIZE = 32, /* struct bpf_stack_build_id */
	STACK_SKIP = 0xff,        /* BPF_F_SKIP_FIELD_MASK and so on */
	STACK_USER = 1 << 8,
	STACK_FAST_COMPARE = 1 << 9,
	STACK_REUSE_ID = 1 << 10,
	STACK_USER_BUILD_ID = 1 << 11,
};

/* Addresses of the calling thread's callers, the innermost first; how many. */
uint32_t stack_walk(uint64_t *addrs, uint32_t max);

/*
 * The same as n structs bpf_stack_build_id. Files are not looked into: each says that there is only
 * an address (BPF_STACK_BUILD_ID_IP).
 */
void stack_build_ids(const uint64_t *addrs, uint32_t n, void *out);

#endif
