/* SPDX-License-Identifier: BSD-2-Clause */
#include "traffic.h"

#include <pcap.h>
#include <string.h>

#include "random.h"

static uint8_t *put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
	return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t v)
{
	return put16(put16(at, v >> 16), v & 0xffff);
}

static uint32_t pick(uint64_t *seed, const uint32_t *of, uint32_t n)
{
	return of[random_below(seed, n)];
}
#define PICK(...) pick(seed, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)

static uint32_t port(uint64_t *seed)
{
	return random_below(seed, 4) ? PICK(22, 25, 53, 67, 68, 80, 123, 443, 1024, 5000, 8080)
	                             : random_below(seed, 65536);
}

static uint8_t *transport(uint64_t *seed, uint32_t protocol, uint8_t *at)
{
	uint8_t *start = at;

	switch (protocol) {
	case 6:
		at = put16(put16(at, port(seed)), port(seed));
		at = put32(put32(at, random_next(seed)), random_next(seed));
		at = put16(at, (5 + random_below(seed, 4)) << 12 | random_below(seed, 64));
		at = put16(put16(put16(at, 65535), 0), 0);
		memset(at, 1, 16);
		at = start + (start[12] >> 4) * 4;
		break;
	case 17: case 132: case 136:
		at = put16(put16(put16(put16(at, port(seed)), port(seed)), 40), 0);
		break;
	case 1: case 58:
		at = put32(put32(at, PICK(0x00000000, 0x08000000, 0x03010000, 0x80000000, 0x87000000)), 7);
		break;
	}
	for (uint32_t n = random_below(seed, 8) ? random_below(seed, 60) : random_below(seed, 1300); n--;)
		*at++ = (uint8_t)random_below(seed, 90);
	return at;
}

static uint32_t ipv4_address(uint64_t *seed)
{
	return PICK(0x0a000001, 0x0a000002, 0x0a010203, 0xc0a80101, 0xc0a80105, 0xe0000001, 0xffffffff, 0x08080808);
}

static uint8_t *ipv4(uint64_t *seed, uint8_t *at)
{
	uint8_t *start = at;
	uint32_t words = random_below(seed, 5) ? 5 : 5 + random_below(seed, 6);
	uint32_t protocol = PICK(6, 6, 6, 17, 17, 1, 2, 4, 41, 47, 50, 51, 89, 103, 112, 132);

	*at++ = (uint8_t)(0x40 | words);
	*at++ = (uint8_t)random_next(seed);
	at = put16(put16(at, 60), random_next(seed) & 0xffff);
	at = put16(at, random_below(seed, 6) ? PICK(0, 0x4000) : PICK(0x2000, 0x0010, 0x2010, 0x1fff));
	*at++ = (uint8_t)PICK(1, 2, 64, 128, 255);
	*at++ = (uint8_t)protocol;
	at = put32(put32(put16(at, 0), ipv4_address(seed)), ipv4_address(seed));
	memset(at, 1, 40);
	return transport(seed, protocol, start + words * 4);
}

static uint8_t *ipv6_address(uint64_t *seed, uint8_t *at)
{
	at = put32(at, PICK(0x20010db8, 0xfe800000, 0xff020000, 0));
	return put32(put32(put32(at, 0), 0), PICK(1, 2, 0xa000001));
}

static uint8_t *ipv6(uint64_t *seed, uint8_t *at)
{
	uint32_t protocol = PICK(6, 6, 17, 17, 58, 132, 59, 89), next = protocol;
	uint32_t ext = random_below(seed, 4) ? 0xff : PICK(0, 43, 44, 60, 51);

	at = put32(at, 0x60000000 | (random_next(seed) & 0xfffffff));
	at = put16(at, 60);
	*at++ = (uint8_t)(ext == 0xff ? next : ext);
	*at++ = (uint8_t)PICK(1, 64, 255);
	at = ipv6_address(seed, ipv6_address(seed, at));
	if (ext != 0xff) {
		*at++ = (uint8_t)next;
		*at++ = (uint8_t)(ext == 44 ? 0 : random_below(seed, 3));
		at = put16(at, ext == 44 ? PICK(0, 1, 8, 0x100) : 0);
		at = put32(at, 0);
		if (ext != 44)
			for (uint32_t n = at[-7] * 8u; n--;)
				*at++ = 0;
	}
	return transport(seed, protocol, at);
}

static uint8_t *arp(uint64_t *seed, uint8_t *at)
{
	at = put16(put16(put16(put16(at, 1), 0x800), 0x604), PICK(1, 2));
	at = put32(put16(put32(at, 0x00010203), 0x0405), ipv4_address(seed));
	return put32(put16(put32(at, 0), 0), ipv4_address(seed));
}

static uint8_t *network(uint64_t *seed, uint32_t type, uint8_t *at)
{
	switch (type) {
	case 0x0800: return ipv4(seed, at);
	case 0x86dd: return ipv6(seed, at);
	case 0x0806: case 0x8035: return arp(seed, at);
	case 0x8847:
		at = put32(at, random_below(seed, 40) << 12 | 64);
		at = put32(at, 1025 << 12 | 0x140);
		return ipv4(seed, at);
	case 0x8864:
		at = put16(put16(put16(at, 0x1100), random_below(seed, 4)), 60);
		at = put16(at, 0x21);
		return ipv4(seed, at);
	}
	for (uint32_t n = 20 + random_below(seed, 100); n--;)
		*at++ = (uint8_t)random_below(seed, 9);
	return at;
}

static uint32_t ethertype(uint64_t *seed)
{
	return PICK(0x800, 0x800, 0x800, 0x800, 0x86dd, 0x86dd, 0x806, 0x8035, 0x8847, 0x8863, 0x8864, 0x88cc, 0x6003);
}

static uint8_t *mac(uint64_t *seed, uint8_t *at)
{
	at = put16(at, PICK(0x0001, 0x0001, 0x0100, 0x3333, 0xffff));
	return at[-1] == 0xff ? put32(at, 0xffffffff) : put32(at, PICK(0x02030405, 0x5e000001, 0x00000001));
}

static uint8_t *ethernet(uint64_t *seed, uint8_t *at)
{
	uint32_t type = ethertype(seed), tags = random_below(seed, 4) ? 0 : 1 + random_below(seed, 2);

	at = mac(seed, mac(seed, at));
	for (; tags--;)
		at = put16(put16(at, PICK(0x8100, 0x88a8, 0x9100)), PICK(1, 5, 10, 100, 4095) | 0x2000);
	if (!random_below(seed, 12)) { /* a length, and LLC */
		at = put16(at, 40);
		at = put16(at, PICK(0x4242, 0xaaaa, 0xffff, 0xf0f0, 0xfefe));
		*at++ = 3;
		return network(seed, 0, at);
	}
	return network(seed, type, put16(at, type));
}

static uint8_t *packet(uint64_t *seed, int dlt, uint8_t *at)
{
	uint32_t type = ethertype(seed);
	uint32_t family = PICK(2, 2, 24, 28, 30, 10);

	switch (dlt) {
	case DLT_EN10MB: return ethernet(seed, at);
	case DLT_RAW: case DLT_IPV4: case DLT_IPV6: return random_below(seed, 3) ? ipv4(seed, at) : ipv6(seed, at);
	case DLT_NULL: case DLT_LOOP:
		if (dlt == DLT_LOOP)
			at = put32(at, family);
		else
			memcpy(at, &family, 4), at += 4;
		return family == 2 ? ipv4(seed, at) : ipv6(seed, at);
	case DLT_LINUX_SLL:
		at = put16(put16(put16(at, random_below(seed, 5)), 1), 6);
		at = put16(put16(put32(at, 0x00010203), 0x0405), 0);
		return network(seed, type, put16(at, type));
	case DLT_LINUX_SLL2:
		at = put16(put16(at, type), 0);
		at = put32(at, PICK(1, 2, 3));
		at = put16(put16(at, 1), random_below(seed, 5) << 8 | 6);
		return network(seed, type, put32(put32(at, 0x00010203), 0x04050000));
	case DLT_PPP: case DLT_PPP_SERIAL:
		at = put16(at, 0xff03);
		type = PICK(0x21, 0x57, 0xc021);
		at = put16(at, type);
		return type == 0x57 ? ipv6(seed, at) : ipv4(seed, at);
	}
	for (uint32_t n = random_below(seed, 140); n--;)
		*at++ = (uint8_t)(random_below(seed, 3) ? random_below(seed, 16) : random_next(seed));
	return at;
}

uint32_t traffic_packet(uint64_t *seed, int dlt, uint8_t to[TRAFFIC_MAX])
{
	uint32_t len = (uint32_t)(packet(seed, dlt, to) - to);

	return random_below(seed, 12) ? len : random_below(seed, len + 1); /* some are cut */
}
