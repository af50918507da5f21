/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An XDP filter that keeps a flood away from the hosts behind it.
 *
 *   parse      Ethernet, up to two VLAN tags, IPv4 or IPv6 with extension headers, UDP, TCP, ICMP
 *   deny       sources within a denied prefix                        LPM tries deny4, deny6
 *   amplify    large answers of services that attackers bounce off   by UDP source port
 *   limit      what a source sends costs tokens of its bucket        LRU hash sources
 *   answer     pings that are left are answered here (XDP_TX), the hosts are not bothered
 *   tell       a source that runs out of tokens is reported          ring buffer events
 *   count      packets and bytes by outcome                          per-CPU array outcomes
 *
 * Time. A bucket fills with time, and a capture that is run again should give the same verdicts. So the
 * clock is a choice of whoever loads the object: CLOCK_PACKETS, the default, ticks with every packet
 * that arrives, so that rates are shares of the traffic and a run depends on nothing but the packets
 * and their order; CLOCK_MS is for a live interface. The packet clock is one plain counter: on several
 * CPUs at once ticks may get lost, which fills buckets a little later and harms nothing.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* --- What a loader may choose ------------------------------------------------------------------ */

enum clock { CLOCK_PACKETS, CLOCK_MS };

const volatile enum clock clock = CLOCK_PACKETS;
const volatile __u32 burst = 64;        /* tokens of a full bucket */
const volatile __u32 refill_ticks = 512; /* a token comes back every so many ticks */
const volatile __u32 syn_cost = 8;      /* a SYN makes the host behind work: it costs more than a packet */
const volatile __u32 amplified_bytes = 400; /* an answer of a bounced-off service from here on is dropped */

/* --- Maps -------------------------------------------------------------------------------------- */

enum outcome {
	OUTCOME_PASSED,
	OUTCOME_NOT_IP, /* ARP and the like: passed */
	OUTCOME_PING_ANSWERED,
	OUTCOME_MALFORMED, /* from here on dropped */
	OUTCOME_DENIED,
	OUTCOME_AMPLIFIED,
	OUTCOME_TCP_FLOOD,
	OUTCOME_UDP_FLOOD,
	OUTCOME_ICMP_FLOOD,
	OUTCOME_OTHER_FLOOD,
	OUTCOMES,
};

struct tally {
	__u64 packets, bytes;
};

struct bucket {
	__u64 filled; /* the tick of the latest refill */
	__u32 tokens;
	__u32 refused; /* packets since it was full: reported once */
};

struct event {
	__u64 tick;
	struct in6_addr source;
	enum outcome why;
	__u32 protocol;
};

struct prefix4 {
	__u32 len;
	struct in_addr address;
};

struct prefix6 {
	__u32 len;
	struct in6_addr address;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct prefix4);
	__type(value, __u32);
} deny4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct prefix6);
	__type(value, __u32);
} deny6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct in6_addr); /* IPv4 as ::ffff:a.b.c.d */
	__type(value, struct bucket);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OUTCOMES);
	__type(key, __u32); /* enum outcome, but the kernel wants a plain number here */
	__type(value, struct tally);
} outcomes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

/* Types that no map has, kept in the object's BTF for whoever shows records and outcomes. */
struct event *const event_type = 0;
enum outcome *const outcome_type = 0;

__u64 packets_seen; /* the packet clock */
__u64 events_lost;

static __always_inline __u64 tick(void)
{
	__u64 seen = ++packets_seen;

	return clock == CLOCK_MS ? bpf_ktime_get_ns() / 1000000 : seen;
}

/* --- Parsing ----------------------------------------------------------------------------------- */

struct vlan {
	__be16 tci, proto;
};

struct extension { /* hop-by-hop, routing, destination options */
	__u8 next, len; /* in 8 bytes, beyond the first 8 */
	__u8 rest[6];
};

struct fragment {
	__u8 next, reserved;
	__be16 offset;
	__be32 id;
};

struct icmp { /* <linux/icmp.h> wants a C library for its target */
	__u8 type, code;
	__be16 sum;
};

enum { ICMP_ECHO_REPLY = 0, ICMP_ECHO = 8 };

/* What is known of a packet; pointers into it are not kept, so that it stays on the stack. */
struct packet {
	void *at, *end;
	__u64 tick; /* when it arrived */
	struct in6_addr source;
	__u16 proto;   /* ethertype */
	__u8 transport;
	bool later_fragment; /* no transport header in it */
};

enum { MAX_VLANS = 2, MAX_EXTENSIONS = 6, FRAGMENT_OFFSET = 0x1fff, FRAGMENT6_OFFSET = 0xfff8 };

#define TAKE(p, type)                                                                              \
	({                                                                                         \
		type *head_ = (p)->at;                                                             \
		if ((void *)(head_ + 1) > (p)->end)                                                \
			return false;                                                              \
		(p)->at = head_ + 1;                                                               \
		head_;                                                                             \
	})

static __always_inline bool parse_ethernet(struct packet *p)
{
	struct ethhdr *eth = TAKE(p, struct ethhdr);
	__be16 proto = eth->h_proto;

	for (int i = 0; i < MAX_VLANS; i++) {
		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		proto = TAKE(p, struct vlan)->proto;
	}
	p->proto = bpf_ntohs(proto);
	return true;
}

static __always_inline bool parse_ipv4(struct packet *p)
{
	struct iphdr *ip = TAKE(p, struct iphdr);
	__u32 options = ip->ihl * 4 - sizeof(*ip);

	if (ip->version != 4 || ip->ihl < 5 || p->at + options > p->end)
		return false;
	p->at += options;
	p->source.s6_addr32[2] = bpf_htonl(0xffff);
	p->source.s6_addr32[3] = ip->saddr;
	p->transport = ip->protocol;
	p->later_fragment = ip->frag_off & bpf_htons(FRAGMENT_OFFSET);
	return true;
}

static __always_inline bool parse_ipv6(struct packet *p)
{
	struct ipv6hdr *ip = TAKE(p, struct ipv6hdr);
	__u8 next = ip->nexthdr;

	if (ip->version != 6)
		return false;
	__builtin_memcpy(&p->source, &ip->saddr, sizeof(p->source));
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		if (next == IPPROTO_FRAGMENT) {
			struct fragment *f = TAKE(p, struct fragment);

			next = f->next;
			if (f->offset & bpf_htons(FRAGMENT6_OFFSET)) {
				p->later_fragment = true;
				break;
			}
		} else if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
			struct extension *x = TAKE(p, struct extension);

			next = x->next;
			if (p->at + x->len * 8 > p->end)
				return false;
			p->at += x->len * 8;
		} else {
			break;
		}
	}
	p->transport = next;
	return true;
}

/* --- Decisions --------------------------------------------------------------------------------- */

static __always_inline bool denied(const struct packet *p)
{
	if (p->proto == ETH_P_IP) {
		struct prefix4 key = {32, {p->source.s6_addr32[3]}};

		return bpf_map_lookup_elem(&deny4, &key);
	} else {
		struct prefix6 key = {128, p->source};

		return bpf_map_lookup_elem(&deny6, &key);
	}
}

/* Services that answer a small question with much, to whoever is said to have asked. */
static __always_inline bool amplifier(__be16 port)
{
	return port == bpf_htons(53) || port == bpf_htons(123) || port == bpf_htons(389) ||
	       port == bpf_htons(1900) || port == bpf_htons(11211);
}

static __always_inline void tell(const struct packet *p, enum outcome why)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		events_lost++;
		return;
	}
	e->tick = p->tick;
	e->source = p->source;
	e->why = why;
	e->protocol = p->transport;
	bpf_ringbuf_submit(e, 0);
}

/* Takes cost tokens from the source's bucket. False: it has not got them. */
static __always_inline bool afford(const struct packet *p, __u32 cost, enum outcome flood)
{
	__u64 now = p->tick, earned;
	struct bucket *b = bpf_map_lookup_elem(&sources, &p->source);

	if (!b) {
		struct bucket fresh = {.filled = now, .tokens = burst - cost};

		bpf_map_update_elem(&sources, &p->source, &fresh, BPF_ANY);
		return true;
	}
	earned = (now - b->filled) / refill_ticks;
	if (earned) {
		b->filled += earned * refill_ticks;
		earned += b->tokens;
		b->tokens = earned < burst ? earned : burst;
		if (earned >= burst)
			b->refused = 0;
	}
	if (b->tokens < cost) {
		if (!b->refused++)
			tell(p, flood);
		return false;
	}
	b->tokens -= cost;
	return true;
}

static __always_inline bool parse_tcp(struct packet *p, bool *syn)
{
	struct tcphdr *tcp = TAKE(p, struct tcphdr);

	*syn = tcp->syn && !tcp->ack;
	return tcp->doff >= 5;
}

static __always_inline bool parse_udp(struct packet *p, bool *amplified)
{
	struct udphdr *udp = TAKE(p, struct udphdr);

	*amplified = amplifier(udp->source) && bpf_ntohs(udp->len) >= amplified_bytes;
	return true;
}

static __always_inline enum outcome decide_transport(struct packet *p)
{
	bool syn = false, amplified = false;
	enum outcome flood = OUTCOME_OTHER_FLOOD;

	if (p->transport == IPPROTO_TCP) {
		flood = OUTCOME_TCP_FLOOD;
		if (!p->later_fragment && !parse_tcp(p, &syn))
			return OUTCOME_MALFORMED;
	} else if (p->transport == IPPROTO_UDP) {
		flood = OUTCOME_UDP_FLOOD;
		if (!p->later_fragment && !parse_udp(p, &amplified))
			return OUTCOME_MALFORMED;
		if (amplified)
			return OUTCOME_AMPLIFIED;
	} else if (p->transport == IPPROTO_ICMP || p->transport == IPPROTO_ICMPV6) {
		flood = OUTCOME_ICMP_FLOOD;
	}
	return afford(p, syn ? syn_cost : 1, flood) ? OUTCOME_PASSED : flood;
}

/* --- Answering a ping -------------------------------------------------------------------------- */

/* One's complement sum of 16-bit words, updated for a word that changes. */
static __always_inline void fix_sum(__be16 *sum, __be16 from, __be16 to)
{
	__u32 s = (__u16)~*sum + (__u16)~from + to;

	s = (s & 0xffff) + (s >> 16);
	*sum = (__be16)~(s + (s >> 16));
}

static __always_inline void swap_macs(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

/* Turns an untagged IPv4 echo request without options into its reply. False: it is something else. */
static __always_inline bool answer_ping(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct icmp *icmp = (void *)(ip + 1);
	__be32 address;

	if ((void *)(icmp + 1) > (void *)(long)ctx->data_end)
		return false;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5 || ip->protocol != IPPROTO_ICMP ||
	    ip->frag_off & bpf_htons(FRAGMENT_OFFSET) || icmp->type != ICMP_ECHO || icmp->code)
		return false;
	swap_macs(eth);
	address = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = address;
	icmp->type = ICMP_ECHO_REPLY;
	fix_sum(&icmp->sum, bpf_htons(ICMP_ECHO << 8), bpf_htons(ICMP_ECHO_REPLY << 8));
	return true;
}

/* --- The program ------------------------------------------------------------------------------- */

static __always_inline enum outcome decide(struct xdp_md *ctx)
{
	struct packet p = {
		.at = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.tick = tick(),
	};
	enum outcome what;

	if (!parse_ethernet(&p))
		return OUTCOME_MALFORMED;
	if (p.proto == ETH_P_IP) {
		if (!parse_ipv4(&p))
			return OUTCOME_MALFORMED;
	} else if (p.proto == ETH_P_IPV6) {
		if (!parse_ipv6(&p))
			return OUTCOME_MALFORMED;
	} else {
		return OUTCOME_NOT_IP;
	}
	if (denied(&p))
		return OUTCOME_DENIED;
	what = decide_transport(&p);
	if (what == OUTCOME_PASSED && p.transport == IPPROTO_ICMP && answer_ping(ctx))
		return OUTCOME_PING_ANSWERED;
	return what;
}

SEC("xdp")
int ddos(struct xdp_md *ctx)
{
	__u64 bytes = ctx->data_end - ctx->data;
	__u32 what = decide(ctx);
	struct tally *t = bpf_map_lookup_elem(&outcomes, &what);

	if (t) {
		t->packets++;
		t->bytes += bytes;
	}
	if (what == OUTCOME_PING_ANSWERED)
		return XDP_TX;
	return what >= OUTCOME_MALFORMED ? XDP_DROP : XDP_PASS;
}
