/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host end of a switch: a station that answers what tells that a network works. It keeps no state:
 * an answer is the question with its ends exchanged.
 *
 * Formats: RFC 826 (ARP), RFC 791/792 (IPv4, ICMP), RFC 768/862 (UDP echo), RFC 4443/4861 (ICMPv6).
 */
#include <arpa/inet.h>
#include <string.h>

#include "net/switch.h"

enum {
	ETH = 14,
	TYPE_ARP = 0x0806,
	TYPE_IP4 = 0x0800,
	TYPE_IP6 = 0x86dd,
	PROTO_ICMP = 1,
	PROTO_UDP = 17,
	PROTO_ICMP6 = 58,
	PORT_ECHO = 7,
};

struct station {
	const uint8_t *mac, *ip4, *ip6;
};

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void exchange(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

/* The Internet checksum (RFC 1071) of bytes, on top of a sum. */
static uint32_t add_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	if (len % 2)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put_sum(uint8_t *at, const uint8_t *p, size_t len, uint32_t pseudo)
{
	put16(at, 0);
	put16(at, ~add_sum(pseudo, p, len) & 0xffff);
}

static uint32_t answer_arp(const struct station *s, uint8_t *f, uint32_t len)
{
	uint8_t *arp = f + ETH;

	/* Who has our address, for Ethernet and IPv4? */
	if (len < ETH + 28 || get16(arp) != 1 || get16(arp + 2) != TYPE_IP4 || get16(arp + 6) != 1 ||
	    memcmp(arp + 24, s->ip4, 4) != 0)
		return 0;
	put16(arp + 6, 2);
	memcpy(arp + 18, arp + 8, 10); /* the asker becomes the target */
	memcpy(arp + 8, s->mac, 6);
	memcpy(arp + 14, s->ip4, 4);
	return ETH + 28;
}

static uint32_t answer_ip4(const struct station *s, uint8_t *f, uint32_t len)
{
	uint8_t *ip = f + ETH, *body;
	uint32_t head, total, rest;

	if (len < ETH + 20 || ip[0] >> 4 != 4)
		return 0;
	head = (ip[0] & 15) * 4u;
	total = get16(ip + 2);
	if (head < 20 || total < head + 8 || total > len - ETH || memcmp(ip + 16, s->ip4, 4) != 0 ||
	    get16(ip + 6) & 0x3fff || add_sum(0, ip, head) != 0xffff)
		return 0;
	body = ip + head;
	rest = total - head;
	if (ip[9] == PROTO_ICMP && body[0] == 8 && add_sum(0, body, rest) == 0xffff) {
		body[0] = 0;
		put_sum(body + 2, body, rest, 0);
	} else if (ip[9] == PROTO_UDP && get16(body + 2) == PORT_ECHO && get16(body + 4) <= rest &&
	           get16(body + 4) >= 8) {
		rest = get16(body + 4);
		if (get16(body + 6) && add_sum(add_sum(PROTO_UDP + rest, ip + 12, 8), body, rest) != 0xffff)
			return 0;
		exchange(body, body + 2, 2); /* the sum stays the same */
	} else {
		return 0;
	}
	exchange(ip + 12, ip + 16, 4);
	ip[8] = 64;
	put_sum(ip + 10, ip, head, 0);
	return ETH + total;
}

static void put_sum6(uint8_t *ip, uint32_t rest)
{
	put_sum(ip + 42, ip + 40, rest, add_sum(PROTO_ICMP6 + rest, ip + 8, 32));
}

/* Who has our address? The answer carries our link address as its option. */
static uint32_t answer_solicit(const struct station *s, uint8_t *ip, uint32_t rest)
{
	static const uint8_t none[16];
	uint8_t *body = ip + 40;

	if (rest < 24 || memcmp(body + 8, s->ip6, 16) != 0 || memcmp(ip + 8, none, 16) == 0)
		return 0;
	body[0] = 136;
	body[1] = 0;
	memset(body + 4, 0, 4);
	body[4] = 0x60; /* solicited, override */
	body[24] = 2;
	body[25] = 1;
	memcpy(body + 26, s->mac, 6);
	return 32;
}

static uint32_t answer_ip6(const struct station *s, uint8_t *f, uint32_t len)
{
	uint8_t *ip = f + ETH, *body = ip + 40;
	uint32_t rest;

	if (len < ETH + 48 || ip[0] >> 4 != 6 || ip[6] != PROTO_ICMP6)
		return 0;
	rest = get16(ip + 4);
	if (rest < 8 || rest > len - ETH - 40 ||
	    add_sum(add_sum(PROTO_ICMP6 + rest, ip + 8, 32), body, rest) != 0xffff)
		return 0;
	if (body[0] == 135) {
		rest = answer_solicit(s, ip, rest);
	} else if (body[0] == 128 && memcmp(ip + 24, s->ip6, 16) == 0) {
		body[0] = 129;
	} else {
		rest = 0;
	}
	if (!rest)
		return 0;
	memcpy(ip + 24, ip + 8, 16);
	memcpy(ip + 8, s->ip6, 16);
	put16(ip + 4, rest);
	ip[7] = 255;
	put_sum6(ip, rest);
	return ETH + 40 + rest;
}

uint32_t host_answer(const uint8_t mac[6], const uint8_t ip4[4], const uint8_t ip6[16],
                     const uint8_t *frame, uint32_t len, uint8_t *to)
{
	const struct station s = {mac, ip4, ip6};
	uint32_t n;

	if (len < ETH || len > SWITCH_FRAME - 32 /* an option may be added */)
		return 0;
	memcpy(to, frame, len);
	switch (get16(to + 12)) {
	case TYPE_ARP:
		n = answer_arp(&s, to, len);
		break;
	case TYPE_IP4:
		n = answer_ip4(&s, to, len);
		break;
	case TYPE_IP6:
		n = answer_ip6(&s, to, len);
		break;
	default:
		n = 0;
	}
	memcpy(to, frame + 6, 6);
	memcpy(to + 6, mac, 6);
	return n;
}
