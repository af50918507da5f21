/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_perf_event_output(): data, and as much of the packet as is asked for, to a perf ring.
 *
 * The flags: a place in the array in the low 32 bits (all ones: that of the CPU); for programs with a
 * packet the bytes of it to append, in bits 32 to 51.
 */
#include <errno.h>

#include "core/map.h"
#include "core/perf.h"
#include "core/pkt.h"
#include "core/prog.h"
#include "helpers/helpers.h"

#define INDEX_MASK 0xffffffffull   /* BPF_F_INDEX_MASK; as a whole BPF_F_CURRENT_CPU */
#define LENGTH_MASK (0xfffffull << 32) /* BPF_F_CTXLEN_MASK */

static bool has_packet(uint32_t type)
{
	switch (type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_SK_SKB:
		return true;
	default:
		return false;
	}
}

static uint64_t packet_size(const struct pkt *p, uint32_t type)
{
	uint64_t size = (uint64_t)(p->end - p->data);

	return type == BPF_PROG_TYPE_XDP ? size + ((const struct xdp *)p)->frag_bytes : size;
}

static int64_t output(struct map *m, uint64_t flags, struct perf_sample *s, const struct pkt *p,
                      uint32_t type, struct cpu *cpu)
{
	uint64_t index = flags & INDEX_MASK, length = (flags & LENGTH_MASK) >> 32;

	if (flags & ~(INDEX_MASK | (p ? LENGTH_MASK : 0)))
		return -EINVAL;
	if (length) {
		if (length > packet_size(p, type))
			return -EFAULT;
		s->tail = p->data;
		s->tail_size = (uint32_t)length;
	}
	if (!m->ops->perf_output)
		return -ENOTSUPP;
	return m->ops->perf_output(m, index == INDEX_MASK ? cpu->id : index, s, cpu);
}

HELPER_FN(perf_event_output)
{
	struct perf_sample s = {.data = (const void *)(uintptr_t)r4, .size = (uint32_t)r5};
	uint32_t type = cpu->prog->type;
	const struct pkt *p = has_packet(type) ? (const struct pkt *)(uintptr_t)r1 : NULL;

	return (uint64_t)output((struct map *)(uintptr_t)r2, r3, &s, p, type, cpu);
}

/* The context is a packet that a tracing program got as an argument. */
HELPER_FN(skb_output)
{
	struct perf_sample s = {.data = (const void *)(uintptr_t)r4, .size = (uint32_t)r5};

	return (uint64_t)output((struct map *)(uintptr_t)r2, r3, &s,
	                        (const struct pkt *)(uintptr_t)r1, BPF_PROG_TYPE_SCHED_CLS, cpu);
}

HELPER_FN(xdp_output)
{
	struct perf_sample s = {.data = (const void *)(uintptr_t)r4, .size = (uint32_t)r5};

	return (uint64_t)output((struct map *)(uintptr_t)r2, r3, &s,
	                        (const struct pkt *)(uintptr_t)r1, BPF_PROG_TYPE_XDP, cpu);
}
