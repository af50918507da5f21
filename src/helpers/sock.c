/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets: found in the user's network (core/net.h), looked at, given a packet.
 *
 * A pointer to a socket is the address of its public struct. Sockets of the network are never freed while
 * programs run, so that taking and giving back a reference is the verifier's matter alone.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/net.h"
#include "core/pkt.h"
#include "core/prog.h"
#include "helpers/helpers.h"

enum {
	TUPLE_IP4 = 12, /* struct bpf_sock_tuple's two halves: addresses, then ports */
	TUPLE_IP6 = 36,
	LISTEN = 10, /* TCP_LISTEN */
	TIME_WAIT = 6,
	NEW_SYN = 12,
};

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

/* There is one network namespace: the caller's own, by a negative number. */
static bool own_namespace(uint64_t netns)
{
	return (int32_t)netns < 0;
}

static bool read_tuple(const uint8_t *tuple, uint32_t size, struct net_flow *f)
{
	uint32_t len = size == TUPLE_IP4 ? 4 : 16;
	uint16_t local;

	if (size != TUPLE_IP4 && size != TUPLE_IP6)
		return false;
	f->family = size == TUPLE_IP4 ? NET_FAMILY_IP4 : NET_FAMILY_IP6;
	memcpy(f->remote.bytes, tuple, len);
	memcpy(f->local.bytes, tuple + len, len);
	memcpy(&f->remote_port, tuple + 2 * len, sizeof(uint16_t));
	memcpy(&local, tuple + 2 * len + 2, sizeof(local));
	f->local_port = (uint16_t)(local << 8 | local >> 8);
	return true;
}

static uint64_t find(const struct cpu *cpu, uint64_t tuple, uint64_t size, uint64_t netns,
                     uint64_t flags, uint32_t protocol)
{
	struct net_flow f = {.protocol = protocol};

	if (flags || !own_namespace(netns) ||
	    !read_tuple((const uint8_t *)(uintptr_t)tuple, (uint32_t)size, &f))
		return 0;
	return (uintptr_t)net_sock(cpu->k, &f);
}

HELPER_FN(skc_lookup_tcp)
{
	return find(cpu, r2, r3, r4, r5, NET_TCP);
}

HELPER_FN(sk_lookup_tcp)
{
	return find(cpu, r2, r3, r4, r5, NET_TCP);
}

HELPER_FN(sk_lookup_udp)
{
	return find(cpu, r2, r3, r4, r5, NET_UDP);
}

HELPER_FN(sk_release)
{
	return 0;
}

static struct bpf_sock *sock_of(uint64_t r)
{
	return (struct bpf_sock *)(uintptr_t)r;
}

/* Is there all of a socket, or only what is left of one, or what is not yet one? */
static bool is_full(const struct bpf_sock *sk)
{
	return sk->state != TIME_WAIT && sk->state != NEW_SYN;
}

HELPER_FN(sk_fullsock)
{
	return is_full(sock_of(r1)) ? r1 : 0;
}

HELPER_FN(tcp_sock)
{
	struct bpf_sock *sk = sock_of(r1);

	return is_full(sk) && sk->protocol == NET_TCP ? (uintptr_t)&((struct net_sock *)sk)->tcp : 0;
}

HELPER_FN(get_listener_sock)
{
	return sock_of(r1)->state == LISTEN && sock_of(r1)->protocol == NET_TCP ? r1 : 0;
}

/* tc: no packet of Skep's arrives by a device's ingress, where alone that would be heeded. */
static uint64_t assign_packet(uint64_t flags)
{
	return flags ? fail(EINVAL) : fail(EOPNOTSUPP);
}

static uint64_t assign_lookup(struct sk_lookup *l, struct bpf_sock *sk, uint64_t flags)
{
	enum { REPLACE = 1, NO_REUSEPORT = 2 };

	if (flags & ~(uint64_t)(REPLACE | NO_REUSEPORT))
		return fail(EINVAL);
	if (sk && sk->state != LISTEN && !(sk->protocol == NET_UDP && !sk->dst_port))
		return fail(ESOCKTNOSUPPORT);
	if (sk && sk->protocol != l->md.protocol)
		return fail(EPROTOTYPE);
	if (sk && sk->family != l->md.family && sk->family != NET_FAMILY_IP6)
		return fail(EAFNOSUPPORT);
	if (l->md.sk && !(flags & REPLACE))
		return fail(EEXIST);
	l->md.sk = (uintptr_t)sk;
	l->cookie = sk ? ((const struct net_sock *)sk)->cookie : 0;
	l->no_reuseport = flags & NO_REUSEPORT;
	return 0;
}

HELPER_FN(sk_assign)
{
	if (cpu->prog->type == BPF_PROG_TYPE_SK_LOOKUP)
		return assign_lookup((struct sk_lookup *)(uintptr_t)r1, sock_of(r2), r3);
	return assign_packet(r3);
}
