/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tunnels: the key and options that a packet came with, or is to be sent with. A device of a tunnel would
 * act on them; here they stay with the packet for whoever runs the program.
 *
 * What was set reads back with the ends exchanged, as in the kernel: a key is read as of a packet that
 * arrives, whose remote end is the source.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/pkt.h"
#include "helpers/helpers.h"

enum {
	IPV6 = 1 << 0,       /* BPF_F_TUNINFO_IPV6 */
	TUN_FLAGS = 1 << 4,  /* BPF_F_TUNINFO_FLAGS */
	SET_FLAGS = 0x1f,    /* IPV6, ZERO_CSUM_TX, DONT_FRAGMENT, SEQ_NUMBER, NO_TUNNEL_KEY */
	NO_KEY = 1 << 4,
	MAX_OPTIONS = 255,
};

/* struct bpf_tunnel_key; earlier kernels had less of it, and a program may give their sizes. */
struct key {
	uint32_t tunnel_id, remote[4];
	uint8_t tos, ttl;
	uint16_t ext;
	uint32_t label, local[4];
};

static struct skb *skb_of(uint64_t r)
{
	return (struct skb *)(uintptr_t)r;
}

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

static bool size_ok(uint32_t size)
{
	switch (size) {
	case sizeof(struct key):
	case offsetof(struct key, local):
	case offsetof(struct key, label):
	case offsetof(struct key, ext):
	case offsetof(struct key, remote) + sizeof(uint32_t):
		return true;
	default:
		return false;
	}
}

/* What the flags of a key look like to who asks for them: those of GRE's header, and the kernel's own. */
static uint16_t header_flags(const struct tunnel *t)
{
	enum { NO_CHECKSUM = 2, NO_FRAGMENTS = 4, SEQUENCE = 8 };
	enum { CSUM = 0x0001, KEY = 0x0004, SEQ = 0x0008, DONT_FRAGMENT = 0x0100, NO_CACHE = 0x2000 };
	uint16_t flags = NO_CACHE;

	flags |= t->flags & NO_CHECKSUM ? 0 : CSUM;
	flags |= t->flags & NO_KEY ? 0 : KEY;
	flags |= t->flags & NO_FRAGMENTS ? DONT_FRAGMENT : 0;
	flags |= t->flags & SEQUENCE ? SEQ : 0;
	return htons(flags);
}

static void read_key(const struct tunnel *t, struct key *k, uint64_t flags)
{
	memset(k, 0, sizeof(*k));
	k->tunnel_id = t->id;
	k->tos = t->tos;
	k->ttl = t->ttl;
	if (flags & TUN_FLAGS)
		k->ext = header_flags(t);
	if (flags & IPV6) {
		memcpy(k->remote, t->src, sizeof(k->remote));
		memcpy(k->local, t->dst, sizeof(k->local));
		k->label = t->label;
	} else {
		k->remote[0] = ntohl(t->src[0]);
		k->local[0] = ntohl(t->dst[0]);
	}
}

HELPER_FN(skb_get_tunnel_key)
{
	const struct skb *skb = skb_of(r1);
	void *to = (void *)(uintptr_t)r2;
	uint32_t size = (uint32_t)r3;
	struct key key;
	int err = 0;

	if (!skb->has_tunnel || r4 & ~(uint64_t)(IPV6 | TUN_FLAGS))
		err = EINVAL;
	else if ((r4 ^ skb->tunnel.flags) & IPV6)
		err = EPROTO;
	else if (!size_ok(size) || (size < offsetof(struct key, tos) && r4 & IPV6))
		err = EINVAL;
	memset(to, 0, size);
	if (err)
		return fail(err);
	read_key(&skb->tunnel, &key, r4);
	memcpy(to, &key, size);
	return 0;
}

HELPER_FN(skb_set_tunnel_key)
{
	struct skb *skb = skb_of(r1);
	struct tunnel *t = &skb->tunnel;
	struct key key = {0};

	if (r4 & ~(uint64_t)SET_FLAGS || !size_ok((uint32_t)r3))
		return fail(EINVAL);
	memcpy(&key, (const void *)(uintptr_t)r2, (uint32_t)r3);
	if ((!(r4 & IPV6) && key.label) || key.ext)
		return fail(EINVAL);
	*t = (struct tunnel){.flags = r4, .id = key.tunnel_id, .tos = key.tos, .ttl = key.ttl};
	if (r4 & IPV6) {
		memcpy(t->dst, key.remote, sizeof(t->dst));
		memcpy(t->src, key.local, sizeof(t->src));
		t->label = key.label & 0xfffff;
	} else {
		t->dst[0] = htonl(key.remote[0]);
		t->src[0] = htonl(key.local[0]);
	}
	skb->has_tunnel = true;
	return 0;
}

HELPER_FN(skb_set_tunnel_opt)
{
	struct skb *skb = skb_of(r1);
	uint32_t size = (uint32_t)r3;

	if (!skb->has_tunnel || size % sizeof(uint32_t))
		return fail(EINVAL);
	if (size > MAX_OPTIONS)
		return fail(ENOMEM);
	memcpy(skb->tunnel.options, (const void *)(uintptr_t)r2, size);
	skb->tunnel.options_len = (uint8_t)size;
	return 0;
}

HELPER_FN(skb_get_tunnel_opt)
{
	const struct skb *skb = skb_of(r1);
	void *to = (void *)(uintptr_t)r2;
	uint32_t size = (uint32_t)r3, len = skb->has_tunnel ? skb->tunnel.options_len : 0;

	memset(to, 0, size);
	if (!len)
		return fail(ENOENT);
	if (size < len)
		return fail(ENOMEM);
	memcpy(to, skb->tunnel.options, len);
	return len;
}

/* Nothing that Skep's packets went through decrypts. */
HELPER_FN(skb_get_xfrm_state)
{
	memset((void *)(uintptr_t)r3, 0, (uint32_t)r4);
	return fail(EINVAL);
}
