/* SPDX-License-Identifier: BSD-2-Clause */
/* skep.h's network: public rows become core/net.h's. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/net.h"
#include "skep.h"

enum { STREAM = 1, DATAGRAM = 2 };

int skep_add_device(struct skep *k, const struct skep_device *from)
{
	struct net_device d = {.ifindex = from->ifindex, .mtu = from->mtu, .forwards = from->forwards};

	memcpy(d.mac, from->mac, sizeof(d.mac));
	return net_add_device(k, &d);
}

int skep_add_route(struct skep *k, const struct skep_route *from)
{
	struct net_route r = {
		.family = from->family, .prefix = from->prefix, .kind = from->kind,
		.has_gateway = from->has_gateway, .has_source = from->has_source,
		.table = from->table, .ifindex = from->ifindex, .metric = from->metric,
		.mtu = from->mtu,
	};

	memcpy(r.dst.bytes, from->dst, sizeof(from->dst));
	memcpy(r.gateway.bytes, from->gateway, sizeof(from->gateway));
	memcpy(r.source.bytes, from->source, sizeof(from->source));
	return net_add_route(k, &r);
}

int skep_add_neigh(struct skep *k, const struct skep_neigh *from)
{
	struct net_neigh n = {.family = from->family, .ifindex = from->ifindex};

	memcpy(n.mac, from->mac, sizeof(n.mac));
	memcpy(n.addr.bytes, from->addr, sizeof(from->addr));
	return net_add_neigh(k, &n);
}

int skep_add_socket(struct skep *k, const struct skep_socket *from)
{
	struct net_sock s = {
		.sock = {
			.bound_dev_if = from->ifindex, .family = from->family,
			.type = from->protocol == NET_TCP ? STREAM : DATAGRAM,
			.protocol = from->protocol, .mark = from->mark,
			.priority = from->priority, .src_port = from->local_port,
			.dst_port = htons(from->remote_port), .state = from->state,
			.rx_queue_mapping = -1,
		},
		.cookie = from->cookie,
	};

	if (from->protocol != NET_TCP && from->protocol != NET_UDP)
		return -EINVAL;
	if (from->family == NET_FAMILY_IP4) {
		memcpy(&s.sock.src_ip4, from->local, sizeof(s.sock.src_ip4));
		memcpy(&s.sock.dst_ip4, from->remote, sizeof(s.sock.dst_ip4));
	} else {
		memcpy(s.sock.src_ip6, from->local, sizeof(s.sock.src_ip6));
		memcpy(s.sock.dst_ip6, from->remote, sizeof(s.sock.dst_ip6));
	}
	return net_add_sock(k, &s);
}
