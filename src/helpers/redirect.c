/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending packets to another device: what the program asked for is noted in the CPU slot, for
 * whoever ran it to act on. A test run has no devices and forgets it.
 */
#include <errno.h>

#include "core/prog.h"
#include "helpers/helpers.h"

enum {
	TO_INGRESS = 1, /* BPF_F_INGRESS */
	TC_ACT_SHOT = 2,
	TC_ACT_REDIRECT = 7,
};

static void note(struct cpu *cpu, uint64_t ifindex, uint64_t flags)
{
	cpu->redirect = (struct redirect){.ifindex = (uint32_t)ifindex, .flags = (uint32_t)flags};
}

HELPER_FN(redirect)
{
	if (cpu->prog->type == BPF_PROG_TYPE_XDP) {
		if (r2)
			return XDP_ABORTED;
		note(cpu, r1, 0);
		return XDP_REDIRECT;
	}
	if (r2 & ~(uint64_t)TO_INGRESS)
		return TC_ACT_SHOT;
	note(cpu, r1, r2);
	return TC_ACT_REDIRECT;
}

HELPER_FN(clone_redirect)
{
	if (r3 & ~(uint64_t)TO_INGRESS || !(uint32_t)r2)
		return (uint64_t)(int64_t)-EINVAL;
	note(cpu, r2, r3);
	return 0;
}

/* To the neighbour that the packet's route, or `params`, says. */
HELPER_FN(redirect_neigh)
{
	enum { PARAMS_SIZE = 20 }; /* struct bpf_redir_neigh */
	uint32_t size = (uint32_t)r3;

	if ((size && size < PARAMS_SIZE) || r4)
		return TC_ACT_SHOT;
	note(cpu, r1, 0);
	return TC_ACT_REDIRECT;
}

/* Into the other end of a pair of devices. */
HELPER_FN(redirect_peer)
{
	if (r2)
		return TC_ACT_SHOT;
	note(cpu, r1, 0);
	return TC_ACT_REDIRECT;
}
