/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hooks of skb programs share: the fields of struct __sk_buff, and runs on a frame.
 *
 * A test run hands the program a linear packet of one page, as the kernel's does. Of the caller's
 * context the fields that stand in takes_in[] are taken over, all others must be zero.
 */
#include "hooks/skb.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/pkt.h"
#include "core/prog.h"

enum {
	PAGE = 4096,
	HEADROOM = 64,
	MAX_DATA = PAGE - HEADROOM - PKT_TAILROOM,
	ETH_HEADER = 14,
	MAX_WIRE_LEN = 65536,
	MAX_SEGMENTS = 65535,
	TEST_CHECKSUM_COMPLETE = 1 << 2,
};

static_assert(sizeof(struct sk_buff_md) == 192 && offsetof(struct sk_buff_md, tstamp_type) == 180,
              "the layout of struct __sk_buff");

enum {
	N = 0,
	R = FIELD_R,
	P = FIELD_R | FIELD_NARROW,
	W = FIELD_R | FIELD_NARROW | FIELD_W,
	A = FIELD_R | FIELD_NARROW | FIELD_W | FIELD_NARROW_W,
	F = FIELD_R | FIELD_W,
	H = FIELD_WORDS,
};

#define ROW(text, bytes, type, real, access)                                                       \
	{#text,                                                                                    \
	 offsetof(struct sk_buff_md, text),                                                        \
	 bytes,                                                                                    \
	 access,                                                                                   \
	 FIELD_##type,                                                                             \
	 offsetof(struct skb, real),                                                               \
	 sizeof(((struct skb *)0)->real)},

const struct ctx_field skb_fields_filter[] = {
#define FIELD(name, bytes, kind, real, filter, cls, cgroup, lwt, sk_skb, flow) ROW(name, bytes, kind, real, filter)
#include "hooks/skb_fields.def"
#undef FIELD
	{NULL},
};

const struct ctx_field skb_fields_cls[] = {
#define FIELD(name, bytes, kind, real, filter, cls, cgroup, lwt, sk_skb, flow) ROW(name, bytes, kind, real, cls)
#include "hooks/skb_fields.def"
#undef FIELD
	{NULL},
};

const struct ctx_field skb_fields_cgroup[] = {
#define FIELD(name, bytes, kind, real, filter, cls, cgroup, lwt, sk_skb, flow) ROW(name, bytes, kind, real, cgroup)
#include "hooks/skb_fields.def"
#undef FIELD
	{NULL},
};

const struct ctx_field skb_fields_lwt[] = {
#define FIELD(name, bytes, kind, real, filter, cls, cgroup, lwt, sk_skb, flow) ROW(name, bytes, kind, real, lwt)
#include "hooks/skb_fields.def"
#undef FIELD
	{NULL},
};

const struct ctx_field skb_fields_sk_skb[] = {
#define FIELD(name, bytes, kind, real, filter, cls, cgroup, lwt, sk_skb, flow) ROW(name, bytes, kind, real, sk_skb)
#include "hooks/skb_fields.def"
#undef FIELD
	{NULL},
};

const struct ctx_field skb_fields_flow[] = {
#define FIELD(name, bytes, kind, real, filter, cls, cgroup, lwt, sk_skb, flow) ROW(name, bytes, kind, real, flow)
#include "hooks/skb_fields.def"
#undef FIELD
	{NULL},
};

#define FIELD(name, bytes, ...)                                                                    \
	static_assert(sizeof(((struct sk_buff_md *)0)->name) == (bytes), #name);
#include "hooks/skb_fields.def"
#undef FIELD

/* Pointers into the packet are not the program's to write; what follows them is. */
unsigned skb_regions_cls(const void *ctx, struct region *r, unsigned max)
{
	const struct skb *skb = ctx;
	const struct region all[] = {
		{(uintptr_t)skb, offsetof(struct skb, len), false, "ctx"},
		{(uintptr_t)&skb->len, sizeof(*skb) - offsetof(struct skb, len), true, "ctx"},
		{(uintptr_t)skb->pkt.meta, (size_t)(skb->pkt.end - skb->pkt.meta), true, "packet"},
		{(uintptr_t)skb->sk, sizeof(*skb->sk), false, "socket"},
	};
	unsigned n = skb->sk && skb->sk != &skb->sock ? 4 : 3;

	n = n < max ? n : max;
	memcpy(r, all, n * sizeof(*r));
	return n;
}

unsigned skb_regions_filter(const void *ctx, struct region *r, unsigned max)
{
	return skb_regions_cls(ctx, r, max < 2 ? max : 2);
}

/* Bytes of a caller's context that a test run takes over; the others must be zero. */
static const struct {
	uint16_t offset, size;
} takes_in[] = {
#define TAKES(name) {offsetof(struct sk_buff_md, name), sizeof(((struct sk_buff_md *)0)->name)}
	TAKES(mark),     TAKES(priority), TAKES(ingress_ifindex), TAKES(ifindex),  TAKES(cb),
	TAKES(tstamp),   TAKES(wire_len), TAKES(gso_segs),        TAKES(gso_size), TAKES(hwtstamp),
#undef TAKES
};

static bool only_takes_in(const struct sk_buff_md *md)
{
	struct sk_buff_md rest = *md;
	static const struct sk_buff_md zero;

	for (unsigned i = 0; i < sizeof(takes_in) / sizeof(takes_in[0]); i++)
		memset((char *)&rest + takes_in[i].offset, 0, takes_in[i].size);
	return !memcmp(&rest, &zero, sizeof(zero));
}

/* The caller's context becomes ours. */
static int take_ctx(const struct sk_buff_md *md, struct skb *skb)
{
	if (!only_takes_in(md))
		return -EINVAL;
	if (md->wire_len && (md->wire_len < skb->len || md->wire_len > MAX_WIRE_LEN))
		return -EINVAL;
	if (md->gso_segs > MAX_SEGMENTS)
		return -EINVAL;
	skb->mark = md->mark;
	skb->priority = md->priority;
	skb->ingress_ifindex = md->ingress_ifindex;
	memcpy(skb->cb, md->cb, sizeof(skb->cb));
	skb->tstamp = md->tstamp;
	skb->wire_len = md->wire_len ? md->wire_len : skb->len;
	skb->gso_segs = (uint16_t)md->gso_segs;
	skb->gso_size = (uint16_t)md->gso_size;
	skb->hwtstamp = md->hwtstamp;
	return 0;
}

/* The caller's context again, with what the run may have changed. */
static void give_ctx(const struct skb *skb, struct sk_buff_md *md)
{
	md->mark = skb->mark;
	md->priority = skb->priority;
	md->ingress_ifindex = skb->ingress_ifindex;
	md->ifindex = skb->ifindex;
	memcpy(md->cb, skb->cb, sizeof(md->cb));
	md->tstamp = skb->tstamp;
	md->wire_len = skb->wire_len;
	md->gso_segs = skb->gso_segs;
	md->hwtstamp = skb->hwtstamp;
}

/* IP packets must have a whole header. */
static bool long_enough(const struct skb *skb)
{
	static const uint8_t ipv4[2] = {0x08, 0x00}, ipv6[2] = {0x86, 0xdd};
	uint32_t len = skb->len;

	if (len < ETH_HEADER)
		return false;
	if (!memcmp(&skb->protocol, ipv4, 2))
		return len >= ETH_HEADER + 20;
	if (!memcmp(&skb->protocol, ipv6, 2))
		return len >= ETH_HEADER + 40;
	return true;
}

/* Sockets get the packet back with a link header of zeros, as the kernel has it. */
static int put_link(struct skb *skb)
{
	int err = skb_room(skb, ETH_HEADER, 0);

	if (err)
		return err;
	skb->pkt.data -= ETH_HEADER;
	memset(skb->pkt.data, 0, ETH_HEADER);
	return 0;
}

/* The socket of a test run: closed, and of the packet's addresses as if it had sent it. */
static void make_sock(struct skb *skb)
{
	enum { FAMILY_IP4 = 2, FAMILY_IP6 = 10, TCP_CLOSE = 7 };
	static const uint8_t ipv4[2] = {0x08, 0x00}, ipv6[2] = {0x86, 0xdd};
	struct bpf_sock *sk = &skb->sock;

	sk->state = TCP_CLOSE;
	sk->rx_queue_mapping = -1;
	skb->sk = sk;
	if (!memcmp(&skb->protocol, ipv4, 2)) {
		sk->family = FAMILY_IP4;
		memcpy(&sk->src_ip4, skb->network + 12, sizeof(sk->src_ip4));
		memcpy(&sk->dst_ip4, skb->network + 16, sizeof(sk->dst_ip4));
	} else if (!memcmp(&skb->protocol, ipv6, 2)) {
		sk->family = FAMILY_IP6;
		memcpy(sk->src_ip6, skb->network + 8, sizeof(sk->src_ip6));
		memcpy(sk->dst_ip6, skb->network + 24, sizeof(sk->dst_ip6));
	}
}

static int run_on(struct prog *p, struct test_run *t, struct skb *skb, struct sk_buff_md *md,
                  bool link)
{
	bool has_ctx = test_run_has_ctx(t);
	int err = long_enough(skb) ? 0 : -EINVAL;

	if (has_ctx && md->ifindex > 1)
		return -ENODEV; /* there is one device: lo, index 1 */
	skb->ifindex = 1;
	skb->mem = &p->obj.k->mem;
	if (!err && !link)
		skb_pull_link(skb);
	if (!err && has_ctx)
		err = take_ctx(md, skb);
	if (err)
		return err;
	make_sock(skb);
	test_run_repeat(p, skb, t);
	give_ctx(skb, md);
	err = link ? 0 : put_link(skb);
	if (err)
		return err;
	return test_run_out(t, skb->pkt.data, (uint32_t)(skb->pkt.end - skb->pkt.data),
	                    has_ctx ? md : NULL, sizeof(*md));
}

int skb_test_run(struct prog *p, struct test_run *t, bool link)
{
	const struct mem *mem = &p->obj.k->mem;
	struct sk_buff_md md;
	struct skb skb;
	struct pkt pkt;
	int err;

	if (t->flags & ~TEST_CHECKSUM_COMPLETE || t->cpu || t->batch_size)
		return -EINVAL;
	if (t->data_size_in < ETH_HEADER || t->data_size_in > MAX_DATA)
		return -EINVAL;
	err = test_run_ctx_in(t, &md, sizeof(md));
	if (err)
		return err;
	pkt.head = mem_zalloc(mem, PAGE);
	if (!pkt.head)
		return -ENOMEM;
	pkt.data = pkt.meta = pkt.head + HEADROOM;
	pkt.end = pkt.data + t->data_size_in;
	pkt.limit = pkt.head + PAGE;
	memcpy(pkt.data, t->data_in, t->data_size_in);
	skb_init(&skb, &pkt);
	err = run_on(p, t, &skb, &md, link);
	skb_fini(&skb);
	mem_free(mem, pkt.head);
	return err;
}

uint64_t skb_run_frame(const struct prog *p, struct pkt *frame, const struct skb_in *in,
                       struct cpu *cpu, bool link)
{
	struct skb skb;
	uint64_t ret;

	skb_init(&skb, frame);
	skb.ifindex = in->ifindex;
	skb.mark = in->mark;
	skb.priority = in->priority;
	if (in->protocol)
		skb.protocol = (uint16_t)in->protocol;
	if (!link)
		skb_pull_link(&skb);
	ret = prog_run(p, &skb, cpu);
	if (link)
		*frame = skb.pkt;
	return ret;
}
