/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a packet would go by the user's network (core/net.h), and whether it fits through there. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/net.h"
#include "core/pkt.h"
#include "core/prog.h"
#include "helpers/helpers.h"

enum { ETH_HEADER = 14, ETH_P_IP = 0x0800, ETH_P_IPV6 = 0x86dd };

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

/* struct bpf_fib_lookup: in and out. */
struct fib {
	uint8_t family, l4_protocol;
	uint16_t sport, dport, tot_len; /* out: mtu_result */
	uint32_t ifindex, tos;          /* out: rt_metric */
	uint8_t src[16], dst[16];
	uint32_t table; /* out: VLAN protocol and tag */
	uint8_t smac[6], dmac[6];
};

_Static_assert(sizeof(struct fib) == 64, "the layout of struct bpf_fib_lookup");

enum fib_flags {
	FIB_DIRECT = 1,
	FIB_OUTPUT = 2,
	FIB_SKIP_NEIGH = 4,
	FIB_TABLE = 8,
	FIB_SRC = 16,
	FIB_MARK = 32,
	FIB_FLAGS = 63,
};

enum fib_result {
	FIB_SUCCESS,
	FIB_BLACKHOLE,
	FIB_UNREACHABLE,
	FIB_PROHIBIT,
	FIB_NOT_FORWARDED,
	FIB_FORWARDING_OFF,
	FIB_LWT,
	FIB_NO_NEIGH,
	FIB_TOO_LONG,
	FIB_NO_SOURCE,
};

static enum fib_result of_kind(uint8_t kind)
{
	switch (kind) {
	case NET_UNICAST:
		return FIB_SUCCESS;
	case NET_BLACKHOLE:
		return FIB_BLACKHOLE;
	case NET_UNREACHABLE:
		return FIB_UNREACHABLE;
	case NET_PROHIBIT:
		return FIB_PROHIBIT;
	default:
		return FIB_NOT_FORWARDED;
	}
}

static size_t addr_len(uint8_t family)
{
	return family == NET_FAMILY_IP4 ? 4 : 16;
}

/* The neighbour's address goes into the packet as its destination. */
static enum fib_result resolve(const struct skep *k, struct fib *f, const struct net_addr *hop,
                               uint64_t flags)
{
	const struct net_device *d = net_device(k, f->ifindex);
	const struct net_neigh *n;

	f->table = 0;
	if (flags & FIB_SKIP_NEIGH)
		return FIB_SUCCESS;
	n = net_neigh(k, f->family, f->ifindex, hop);
	if (!n)
		return FIB_NO_NEIGH;
	memcpy(f->dmac, n->mac, sizeof(f->dmac));
	if (d)
		memcpy(f->smac, d->mac, sizeof(f->smac));
	return FIB_SUCCESS;
}

static enum fib_result follow(const struct skep *k, const struct net_route *r, struct fib *f,
                              const struct net_addr *dst, uint64_t flags)
{
	const struct net_device *d = net_device(k, r->ifindex);
	uint32_t mtu = r->mtu ? r->mtu : d ? d->mtu : 0;

	if (f->tot_len && mtu && f->tot_len > mtu) {
		f->tot_len = (uint16_t)mtu;
		return FIB_TOO_LONG;
	}
	f->tot_len = (uint16_t)mtu;
	f->tos = r->metric;
	f->ifindex = r->ifindex;
	if (flags & FIB_SRC) {
		if (!r->has_source)
			return FIB_NO_SOURCE;
		memcpy(f->src, r->source.bytes, addr_len(f->family));
	}
	if (r->has_gateway)
		memcpy(f->dst, r->gateway.bytes, addr_len(f->family));
	return resolve(k, f, r->has_gateway ? &r->gateway : dst, flags);
}

static int64_t look_up(const struct skep *k, struct fib *f, uint64_t flags)
{
	const struct net_device *d = net_device(k, f->ifindex);
	const struct net_route *r;
	struct net_addr dst = {{0}};
	uint32_t table = flags & FIB_DIRECT && flags & FIB_TABLE ? f->table : 0;

	if (!d)
		return -ENODEV;
	if (!d->forwards)
		return FIB_FORWARDING_OFF;
	memcpy(dst.bytes, f->dst, addr_len(f->family));
	r = net_route(k, f->family, table, &dst, flags & FIB_OUTPUT ? f->ifindex : 0);
	if (!r)
		return FIB_NOT_FORWARDED;
	return r->kind == NET_UNICAST ? (int64_t)follow(k, r, f, &dst, flags)
	                              : (int64_t)of_kind(r->kind);
}

HELPER_FN(fib_lookup)
{
	struct fib *f = (struct fib *)(uintptr_t)r2;

	if ((uint32_t)r3 < sizeof(*f) || (uint32_t)r4 & ~(uint32_t)FIB_FLAGS)
		return fail(EINVAL);
	if (f->family != NET_FAMILY_IP4 && f->family != NET_FAMILY_IP6)
		return fail(EAFNOSUPPORT);
	return (uint64_t)look_up(cpu->k, f, r4);
}

/* The device that the packet arrived by, or the one asked for. */
static const struct net_device *device_of(const struct cpu *cpu, uint64_t ctx, uint32_t ifindex)
{
	if (!ifindex && cpu->prog->type == BPF_PROG_TYPE_XDP)
		ifindex = ((const struct xdp *)(uintptr_t)ctx)->ingress_ifindex;
	else if (!ifindex)
		ifindex = ((const struct skb *)(uintptr_t)ctx)->ifindex;
	return net_device(cpu->k, ifindex);
}

static int64_t packet_len(const struct cpu *cpu, uint64_t ctx)
{
	const struct pkt *p = (const struct pkt *)(uintptr_t)ctx;

	/* Fragments are left out, as the kernel does. */
	if (cpu->prog->type == BPF_PROG_TYPE_XDP)
		return p->end - p->data;
	return ((const struct skb *)(uintptr_t)ctx)->len;
}

/* How long packets may be, and whether this one, or one of a length given, would be after a change. */
HELPER_FN(check_mtu)
{
	enum { SEGMENTS = 1, FITS = 0, TOO_LONG = 1 };
	uint32_t *mtu_len = (uint32_t *)(uintptr_t)r3;
	bool xdp = cpu->prog->type == BPF_PROG_TYPE_XDP;
	const struct net_device *d;
	int64_t len;

	if (r5 & ~(uint64_t)(xdp ? 0 : SEGMENTS))
		return fail(EINVAL);
	if (r5 & SEGMENTS && ((int32_t)r4 || *mtu_len))
		return fail(EINVAL);
	d = device_of(cpu, r1, (uint32_t)r2);
	if (!d)
		return fail(ENODEV);
	len = *mtu_len ? (int64_t)*mtu_len + ETH_HEADER : packet_len(cpu, r1);
	len += (int32_t)r4;
	*mtu_len = d->mtu;
	return len > (int64_t)d->mtu + ETH_HEADER ? TOO_LONG : FITS;
}
