/* SPDX-License-Identifier: BSD-2-Clause */
/* One thing wrong, chosen by -DWRONG_... */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#if defined(WRONG_MAP_TYPE) || defined(WRONG_MAP_SIZE)
struct {
#ifdef WRONG_MAP_TYPE
	__uint(type, 99);
#else
	__uint(type, BPF_MAP_TYPE_ARRAY);
#endif
	__uint(max_entries, 1);
#ifdef WRONG_MAP_SIZE
	__uint(key_size, 3);
#else
	__uint(key_size, 4);
#endif
	__uint(value_size, 8);
} table SEC(".maps");
#endif

#ifdef WRONG_SECTION
SEC("nothing/like/this")
#elif !defined(NO_PROGRAM)
SEC("xdp")
#endif
#ifndef NO_PROGRAM
int wrong(struct xdp_md *ctx)
{
#if defined(ABSENT_HELPER)
	char params[64] = {};

	return bpf_get_branch_snapshot(params, sizeof(params), 0);
#elif defined(WRONG_HELPER)
	static long (*const nothing)(void) = (void *)9999;

	return nothing();
#elif defined(WRONG_MAP_TYPE) || defined(WRONG_MAP_SIZE)
	return !bpf_map_lookup_elem(&table, &ctx->ingress_ifindex);
#else
	return XDP_PASS;
#endif
}
#endif
