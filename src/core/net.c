/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user's network: see net.h.
 *
 * Four lists that only grow, each row put in front when it is whole, so that a look-up needs no lock. They
 * are walked: tables of a test or of a router with dozens of routes, not the Internet's.
 */
#include "core/net.h"

#include <errno.h>
#include <string.h>

struct device_row {
	struct device_row *next;
	struct net_device row;
};

struct route_row {
	struct route_row *next;
	struct net_route row;
};

struct neigh_row {
	struct neigh_row *next;
	struct net_neigh row;
};

struct sock_row {
	struct sock_row *next;
	struct net_sock row;
};

static const struct net_device loopback = {.ifindex = 1, .mtu = 65536};

/* A row of `size` bytes that begins with `next`, followed by what is copied. */
static int add(struct skep *k, _Atomic(void *) *list, size_t size, size_t at, const void *from,
               size_t len)
{
	uint8_t *row = mem_zalloc(&k->mem, size);
	void *first;

	if (!row)
		return -ENOMEM;
	memcpy(row + at, from, len);
	lock_take(&k->lock);
	first = atomic_load(list);
	memcpy(row, &first, sizeof(first));
	atomic_store_explicit(list, row, memory_order_release);
	lock_release(&k->lock);
	return 0;
}

#define ADD(k, list, type, from)                                                                   \
	add(k, &(k)->net.list, sizeof(struct type), offsetof(struct type, row), from, sizeof(*(from)))

static bool family_ok(uint8_t family, unsigned prefix)
{
	return (family == NET_FAMILY_IP4 && prefix <= 32) ||
	       (family == NET_FAMILY_IP6 && prefix <= 128);
}

int net_add_device(struct skep *k, const struct net_device *d)
{
	if (!d->ifindex || !d->mtu)
		return -EINVAL;
	if (net_device(k, d->ifindex) && net_device(k, d->ifindex) != &loopback)
		return -EEXIST;
	return ADD(k, devices, device_row, d);
}

int net_add_route(struct skep *k, const struct net_route *r)
{
	if (!family_ok(r->family, r->prefix) || r->kind > NET_LOCAL)
		return -EINVAL;
	return ADD(k, routes, route_row, r);
}

int net_add_neigh(struct skep *k, const struct net_neigh *n)
{
	return family_ok(n->family, 0) ? ADD(k, neighs, neigh_row, n) : -EINVAL;
}

int net_add_sock(struct skep *k, const struct net_sock *s)
{
	if (s->sock.family > UINT8_MAX || !family_ok((uint8_t)s->sock.family, 0))
		return -EINVAL;
	return ADD(k, socks, sock_row, s);
}

static void forget(struct skep *k, _Atomic(void *) *list)
{
	void *row = atomic_exchange(list, NULL);

	while (row) {
		void *next;

		memcpy(&next, row, sizeof(next));
		mem_free(&k->mem, row);
		row = next;
	}
}

void net_exit(struct skep *k)
{
	forget(k, &k->net.devices);
	forget(k, &k->net.routes);
	forget(k, &k->net.neighs);
	forget(k, &k->net.socks);
}

#define FIRST(k, list) atomic_load_explicit(&(k)->net.list, memory_order_acquire)

const struct net_device *net_device(const struct skep *k, uint32_t ifindex)
{
	for (const struct device_row *r = FIRST(k, devices); r; r = r->next)
		if (r->row.ifindex == ifindex)
			return &r->row;
	return ifindex == loopback.ifindex ? &loopback : NULL;
}

static bool prefix_holds(const struct net_addr *prefix, unsigned bits, const struct net_addr *addr)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(prefix->bytes, addr->bytes, bytes))
		return false;
	return !rest || !((prefix->bytes[bytes] ^ addr->bytes[bytes]) >> (8 - rest));
}

static bool is_better(const struct net_route *a, const struct net_route *b)
{
	return !b || a->prefix > b->prefix || (a->prefix == b->prefix && a->metric < b->metric);
}

const struct net_route *net_route(const struct skep *k, uint8_t family, uint32_t table,
                                  const struct net_addr *dst, uint32_t out)
{
	const struct net_route *best = NULL;

	for (const struct route_row *r = FIRST(k, routes); r; r = r->next)
		if (r->row.family == family && r->row.table == table &&
		    (!out || r->row.ifindex == out) &&
		    prefix_holds(&r->row.dst, r->row.prefix, dst) && is_better(&r->row, best))
			best = &r->row;
	return best;
}

const struct net_neigh *net_neigh(const struct skep *k, uint8_t family, uint32_t ifindex,
                                  const struct net_addr *addr)
{
	for (const struct neigh_row *r = FIRST(k, neighs); r; r = r->next)
		if (r->row.family == family && r->row.ifindex == ifindex &&
		    !memcmp(&r->row.addr, addr, sizeof(*addr)))
			return &r->row;
	return NULL;
}

/* The address of a socket, as a flow has it. */
static struct net_addr sock_addr(const struct bpf_sock *s, bool remote)
{
	struct net_addr a = {{0}};

	if (s->family == NET_FAMILY_IP4)
		memcpy(a.bytes, remote ? &s->dst_ip4 : &s->src_ip4, 4);
	else
		memcpy(a.bytes, remote ? s->dst_ip6 : s->src_ip6, 16);
	return a;
}

/* Does the address match, or is it none? 2, 1; 0: another. */
static int addr_fits(const struct bpf_sock *s, bool remote, const struct net_addr *want)
{
	static const struct net_addr any;
	struct net_addr have = sock_addr(s, remote);

	return !memcmp(&have, want, sizeof(have)) ? 2 : !memcmp(&have, &any, sizeof(any));
}

/* How well a socket fits a flow; 0: not at all. */
static int fits(const struct bpf_sock *s, const struct net_flow *f)
{
	int local = addr_fits(s, false, &f->local), remote = addr_fits(s, true, &f->remote);

	if (s->family != f->family || s->protocol != f->protocol || s->src_port != f->local_port)
		return 0;
	if (s->dst_port && s->dst_port != f->remote_port)
		return 0;
	return local && remote ? 4 * remote + 2 * local + (s->dst_port ? 1 : 0) : 0;
}

struct net_sock *net_sock(const struct skep *k, const struct net_flow *f)
{
	struct net_sock *best = NULL;
	int most = 0;

	for (struct sock_row *r = FIRST(k, socks); r; r = r->next) {
		int fit = fits(&r->row.sock, f);

		if (fit > most) {
			most = fit;
			best = &r->row;
		}
	}
	return best;
}

bool net_region(const struct skep *k, uintptr_t addr, struct region *r)
{
	for (const struct sock_row *row = FIRST(k, socks); row; row = row->next)
		if (addr - (uintptr_t)&row->row < sizeof(row->row)) {
			*r = (struct region){(uintptr_t)&row->row, sizeof(row->row), false, "socket"};
			return true;
		}
	return false;
}
