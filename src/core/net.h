/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network that helpers look things up in: devices, routes, neighbours, sockets. The user fills it
 * (skep.h); a new kernel has one device, lo, index 1, which forwards nothing.
 *
 * Rows stay where they are as long as the kernel does: programs hold pointers to sockets.
 */
#ifndef SKEP_CORE_NET_H
#define SKEP_CORE_NET_H

#include "core/core.h"
#include "core/map.h"
#include "core/sock.h"

enum { NET_FAMILY_IP4 = 2, NET_FAMILY_IP6 = 10, NET_TCP = 6, NET_UDP = 17, NET_LISTEN = 10 };

/* An address in network order; of IPv4 the first 4 bytes, the others 0. */
struct net_addr {
	uint8_t bytes[16];
};

struct net_device {
	uint32_t ifindex, mtu;
	uint8_t mac[6];
	bool forwards; /* routes packets that arrive there */
	bool native;   /* its driver runs XDP */
};

struct net_route {
	uint8_t family, prefix;
	uint32_t table; /* 0: main */
	uint32_t ifindex, metric, mtu; /* mtu 0: the device's */
	uint8_t kind;                  /* enum net_route_kind */
	bool has_gateway, has_source;
	struct net_addr dst, gateway, source;
};

enum net_route_kind { NET_UNICAST, NET_BLACKHOLE, NET_UNREACHABLE, NET_PROHIBIT, NET_LOCAL };

struct net_neigh {
	uint8_t family, mac[6];
	uint32_t ifindex;
	struct net_addr addr;
};

/* A socket; sock.state NET_LISTEN or no remote address: it takes what comes from anybody. */
struct net_sock {
	struct bpf_sock sock; /* first: what programs get the address of */
	struct bpf_tcp_sock tcp;
	uint64_t cookie;
};

/* Both copy the row. -EINVAL (no such family, prefix ...), -EEXIST (devices), -ENOMEM */
int net_add_device(struct skep *k, const struct net_device *d);
int net_add_route(struct skep *k, const struct net_route *r);
int net_add_neigh(struct skep *k, const struct net_neigh *n);
int net_add_sock(struct skep *k, const struct net_sock *s);
void net_exit(struct skep *k); /* forgets all; no program runs */

/* Look-ups. The rows are valid as long as the kernel. NULL: none. */
const struct net_device *net_device(const struct skep *k, uint32_t ifindex);
/* The most specific route, the one of the least metric among those; out: 0: whatever the device. */
const struct net_route *net_route(const struct skep *k, uint8_t family, uint32_t table,
                                  const struct net_addr *dst, uint32_t out);
const struct net_neigh *net_neigh(const struct skep *k, uint8_t family, uint32_t ifindex,
                                  const struct net_addr *addr);

struct net_flow {
	uint8_t family;
	uint32_t protocol;
	struct net_addr remote, local;
	uint16_t remote_port, local_port; /* network order, host order: as in struct bpf_sock */
};

/* The socket that a packet of this flow goes to: connected to its sender before listening ones. */
struct net_sock *net_sock(const struct skep *k, const struct net_flow *f);

/* The socket that holds this address, as memory that programs may read; false: none does. */
bool net_region(const struct skep *k, uintptr_t addr, struct region *r);

#endif
