/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the capture that the filter is shown with: ordinary traffic of a small site, and several attacks
 * on it at once. The same arguments give the same bytes on every machine.
 *
 *   ddos-gen FILE.pcapng [PACKETS [SEED]]
 *
 * Every packet is of one kind (the table at the end), drawn by weight. Addresses:
 *
 *   192.0.2.0/24, 2001:db8:1::/48     the site
 *   198.18.0.0/15, 2001:db8:c::/48    its visitors
 *   100.64.0.0/10                     a botnet
 *   80.0.0.0/8                        servers that are made to answer the site what it never asked
 *   anything                          spoofed: much of it lies in prefixes that cannot be (deny4.txt)
 *   2001:db8:bad::/48                 a network known for nothing else (deny6.txt)
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/capture.h"

enum {
	PACKETS = 120000,
	SEED = 1,
	VISITORS = 800,
	BOTS = 250,
	REFLECTORS = 500,
	PINGERS = 12,
	RESOLVERS = 8,
	MTU = 1500,
	SHORTEST = 60, /* frame, without its checksum */
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_FRAGMENT = 44,
	PROTO_ICMPV6 = 58,
};

/* --- Numbers ----------------------------------------------------------------------------------- */

static uint64_t state;

static uint32_t draw(void) /* splitmix64 */
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) >> 32);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)((uint64_t)draw() * n >> 32);
}

static uint32_t between(uint32_t low, uint32_t high)
{
	return low + below(high - low + 1);
}

/* --- A frame, from the link up ----------------------------------------------------------------- */

struct frame {
	uint8_t b[2048];
	size_t len;
	size_t ip, transport; /* offsets */
	bool v6;
	uint8_t proto;
};

static void put8(struct frame *f, uint8_t v)
{
	f->b[f->len++] = v;
}

static void put16(struct frame *f, uint16_t v)
{
	put8(f, (uint8_t)(v >> 8));
	put8(f, (uint8_t)v);
}

static void put32(struct frame *f, uint32_t v)
{
	put16(f, (uint16_t)(v >> 16));
	put16(f, (uint16_t)v);
}

static void set16(struct frame *f, size_t at, uint16_t v)
{
	f->b[at] = (uint8_t)(v >> 8);
	f->b[at + 1] = (uint8_t)v;
}

static void put_noise(struct frame *f, size_t n)
{
	while (n--)
		put8(f, (uint8_t)draw());
}

static uint32_t sum(const uint8_t *b, size_t len, uint32_t s)
{
	for (size_t i = 0; i < len; i++)
		s += i & 1 ? b[i] : (uint32_t)b[i] << 8;
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

/* Every tenth frame has a VLAN tag, some of these two. */
static void put_link(struct frame *f, uint16_t ethertype)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	uint32_t tags = below(10);

	memcpy(f->b, macs, sizeof(macs));
	f->len = sizeof(macs);
	if (tags == 0 && below(4) == 0) {
		put16(f, 0x88a8);
		put16(f, 7);
	}
	if (tags == 0) {
		put16(f, 0x8100);
		put16(f, 100);
	}
	put16(f, ethertype);
}

/* fragment: flags and offset as in the header. */
static void put_ip4(struct frame *f, uint32_t from, uint8_t proto, uint16_t fragment)
{
	put_link(f, 0x0800);
	f->v6 = false;
	f->ip = f->len;
	f->proto = proto;
	put16(f, 0x4500);
	put16(f, 0); /* length: end_ip() */
	put16(f, (uint16_t)draw());
	put16(f, fragment);
	put8(f, (uint8_t)between(40, 64));
	put8(f, proto);
	put16(f, 0);
	put32(f, from);
	put32(f, 0xc0000200 + between(1, 30));
	f->transport = f->len;
}

/* From 2001:db8:NNNN:NNNN::HOST. */
static void put_ip6(struct frame *f, uint32_t network, uint32_t host, uint8_t proto)
{
	put_link(f, 0x86dd);
	f->v6 = true;
	f->ip = f->len;
	f->proto = proto;
	put32(f, 0x60000000);
	put16(f, 0);
	put8(f, proto);
	put8(f, 64);
	put32(f, 0x20010db8);
	put32(f, network);
	put32(f, 0);
	put32(f, host);
	put32(f, 0x20010db8);
	put32(f, 0x00010000);
	put32(f, 0);
	put32(f, between(1, 30));
	f->transport = f->len;
}

/* Lengths and checksums, once everything is in place. sum_at: offset of the transport's, 0 none. */
static void end_ip(struct frame *f, size_t sum_at)
{
	size_t len = f->len - f->transport;
	uint32_t s;
	uint16_t result;

	if (f->v6) {
		set16(f, f->ip + 4, (uint16_t)(f->len - f->ip - 40));
	} else {
		set16(f, f->ip + 2, (uint16_t)(f->len - f->ip));
		set16(f, f->ip + 10, fold(sum(f->b + f->ip, 20, 0)));
	}
	if (!sum_at)
		return;
	s = sum(f->b + f->transport, len, 0);
	if (f->proto != PROTO_ICMP) /* the pseudo header: addresses, length, protocol */
		s = sum(f->b + f->ip + (f->v6 ? 8 : 12), f->v6 ? 32 : 8, s) + (uint32_t)len + f->proto;
	result = fold(s);
	set16(f, f->transport + sum_at, f->proto == PROTO_UDP && !result ? 0xffff : result);
}

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

static void put_tcp(struct frame *f, uint16_t from, uint16_t to, uint8_t flags, size_t payload)
{
	put16(f, from);
	put16(f, to);
	put32(f, draw());
	put32(f, flags & ACK ? draw() : 0);
	put8(f, flags & SYN ? 6 << 4 : 5 << 4);
	put8(f, flags);
	put16(f, 64240);
	put16(f, 0);
	put16(f, 0);
	if (flags & SYN)
		put32(f, 0x020405b4);
	put_noise(f, payload);
	end_ip(f, 16);
}

/* The payload begins with `head`. */
static void put_udp(struct frame *f, uint16_t from, uint16_t to, const void *head, size_t nhead,
                    size_t payload)
{
	put16(f, from);
	put16(f, to);
	put16(f, (uint16_t)(8 + payload));
	put16(f, 0);
	memcpy(f->b + f->len, head, nhead);
	f->len += nhead;
	put_noise(f, payload - nhead);
	end_ip(f, 6);
}

static void put_icmp(struct frame *f, uint8_t type, size_t payload)
{
	put8(f, type);
	put8(f, 0);
	put16(f, 0);
	put32(f, draw());
	put_noise(f, payload);
	end_ip(f, 2);
}

/* --- Kinds of packets -------------------------------------------------------------------------- */

static uint32_t visitor(void)
{
	return 0xc6120100 + below(VISITORS) * 157;
}

static uint32_t bot(void)
{
	return 0x64500001 + below(BOTS) * 2713 % 0x300000;
}

static uint32_t reflector(void)
{
	return 0x50000001 + below(REFLECTORS) * 30011;
}

static uint16_t port(void)
{
	return (uint16_t)between(1024, 65535);
}

/* Sizes as they are in the wild: mostly small or full. */
static size_t payload_size(void)
{
	switch (below(5)) {
	case 0:
		return between(1200, MTU - 60);
	case 1:
		return between(80, 600);
	default:
		return between(0, 40);
	}
}

static const uint8_t dns_question[12] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
static const uint8_t dns_answer[12] = {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 24, 0, 0, 0, 0};
static const uint8_t ntp_monlist[8] = {0xd7, 0, 3, 0x2a, 0, 6, 0, 72};

static void web(struct frame *f)
{
	put_ip4(f, visitor(), PROTO_TCP, 0x4000);
	put_tcp(f, port(), below(8) ? 443 : 80, ACK | (below(2) ? PSH : 0), payload_size());
}

static void web_open_close(struct frame *f)
{
	put_ip4(f, visitor(), PROTO_TCP, 0x4000);
	put_tcp(f, port(), 443, below(2) ? FIN | ACK : SYN, 0);
}

static void dns_query(struct frame *f)
{
	put_ip4(f, visitor(), PROTO_UDP, 0);
	put_udp(f, port(), 53, dns_question, sizeof(dns_question), between(28, 60));
}

/* To a question of the site's own. */
static void dns_reply(struct frame *f)
{
	put_ip4(f, 0x08080801 + below(RESOLVERS), PROTO_UDP, 0);
	put_udp(f, 53, port(), dns_answer, sizeof(dns_answer), between(60, 300));
}

static void web6(struct frame *f)
{
	put_ip6(f, 0x000c0000, between(1, 300), PROTO_TCP);
	put_tcp(f, port(), 443, ACK | PSH, payload_size());
}

static void fragment6(struct frame *f)
{
	put_ip6(f, 0x000c0000, between(1, 300), PROTO_FRAGMENT);
	put8(f, PROTO_UDP);
	put8(f, 0);
	put16(f, (uint16_t)(between(1, 150) << 3));
	put32(f, draw());
	put_noise(f, between(40, 800));
	end_ip(f, 0);
}

static void neighbour6(struct frame *f)
{
	put_ip6(f, 0x00010000, between(1, 30), PROTO_ICMPV6);
	put_icmp(f, 135, 20);
}

static void ping(struct frame *f)
{
	put_ip4(f, visitor(), PROTO_ICMP, 0);
	put_icmp(f, 8, 56);
}

static void arp(struct frame *f)
{
	put_link(f, 0x0806);
	put32(f, 0x00010800);
	put32(f, 0x06040001);
	put_noise(f, 20);
}

static void syn_flood_bots(struct frame *f)
{
	put_ip4(f, bot(), PROTO_TCP, 0x4000);
	put_tcp(f, port(), 443, SYN, 0);
}

static void syn_flood_spoofed(struct frame *f)
{
	put_ip4(f, draw(), PROTO_TCP, 0);
	put_tcp(f, port(), 80, SYN, 0);
}

static void dns_flood(struct frame *f)
{
	put_ip4(f, reflector(), PROTO_UDP, 0);
	put_udp(f, 53, port(), dns_answer, sizeof(dns_answer), between(600, MTU - 28));
}

static void ntp_flood(struct frame *f)
{
	put_ip4(f, reflector(), PROTO_UDP, 0);
	put_udp(f, 123, port(), ntp_monlist, sizeof(ntp_monlist), 440);
}

/* The rest of answers that were too long for one packet. */
static void fragment_flood(struct frame *f)
{
	put_ip4(f, 0x50ff0001 + below(PINGERS), PROTO_UDP, (uint16_t)between(150, 185));
	put_noise(f, between(100, 1400));
	end_ip(f, 0);
}

static void icmp_flood(struct frame *f)
{
	put_ip4(f, 0x64400001 + below(PINGERS), PROTO_ICMP, 0);
	put_icmp(f, 8, between(8, 1400));
}

static void udp_flood6(struct frame *f)
{
	put_ip6(f, 0x0bad0000, draw(), PROTO_UDP);
	put_udp(f, port(), port(), "", 0, between(10, 100));
}

/* Ends within a header, or has one that contradicts itself. */
static void malformed(struct frame *f)
{
	put_ip4(f, bot(), PROTO_TCP, 0);
	if (below(2))
		f->b[f->ip] = 0x43;
	end_ip(f, 0);
	f->len -= below(2) ? 0 : between(1, 15);
}

static const struct kind {
	uint32_t weight; /* of 1000 */
	bool exact;      /* not filled up to the shortest frame */
	void (*make)(struct frame *f);
} kinds[] = {
	{240, false, web},
	{12, false, web_open_close},
	{16, false, dns_query},
	{6, false, dns_reply},
	{80, false, web6},
	{8, false, fragment6},
	{4, false, neighbour6},
	{8, false, ping},
	{4, false, arp},
	{190, false, syn_flood_bots},
	{170, false, syn_flood_spoofed},
	{90, false, dns_flood},
	{60, false, ntp_flood},
	{20, false, fragment_flood},
	{60, false, icmp_flood},
	{30, false, udp_flood6},
	{2, true, malformed},
};

static void make(struct frame *f)
{
	uint32_t left = below(1000);
	const struct kind *k = kinds;

	while (left >= k->weight)
		left -= k++->weight;
	k->make(f);
	while (!k->exact && f->len < SHORTEST)
		put8(f, 0);
}

static int generate(FILE *to, unsigned long n)
{
	uint64_t now = 1700000000000000000ull;
	struct frame f;

	pcapng_write_head(to, "ddos-gen");
	while (n--) {
		make(&f);
		now += between(200, 3000);
		pcapng_write_packet(to, now, f.b, (uint32_t)f.len, (uint32_t)f.len, NULL);
	}
	return fclose(to);
}

int main(int argc, char **argv)
{
	FILE *to;

	if (argc < 2) {
		fprintf(stderr, "usage: ddos-gen FILE.pcapng [PACKETS [SEED]]\n");
		return 2;
	}
	state = argc > 3 ? strtoul(argv[3], NULL, 0) : SEED;
	to = fopen(argv[1], "wb");
	if (!to || generate(to, argc > 2 ? strtoul(argv[2], NULL, 0) : PACKETS)) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
