/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities of whoever calls bpf(2): a set of bits, numbered as in <linux/capability.h>.
 *
 * A kernel (k->caps) gives its callers all of them unless told otherwise; a program remembers those of
 * its loader (p->caps), by which the verifier judges it. Without CAP_BPF a caller is an unprivileged user
 * of a kernel whose sysctl unprivileged_bpf_disabled is 0.
 */
#ifndef SKEP_CORE_CAPS_H
#define SKEP_CORE_CAPS_H

#include <stdbool.h>
#include <stdint.h>

enum { CAPABLE_NET_ADMIN = 12, CAPABLE_SYS_ADMIN = 21, CAPABLE_PERFMON = 38, CAPABLE_BPF = 39 };

#define CAPS_ALL (~(uint64_t)0)

/* CAP_SYS_ADMIN stands for all the others. */
static inline bool capable(uint64_t caps, unsigned cap)
{
	return (caps >> cap | caps >> CAPABLE_SYS_ADMIN) & 1;
}

#endif
