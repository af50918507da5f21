/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame that all bench programs run on. Provides: frame_build(), bench_frame of place.h. */
#include <string.h>

#include "place.h"

enum { ETH_LEN = 18, IP_LEN = 20, UDP_LEN = 8, UDP_TOTAL = FRAME_LEN - ETH_LEN - IP_LEN };

static uint8_t memory[FRAME_ROOM + FRAME_LEN + FRAME_ROOM];
uint8_t *const bench_frame = memory + FRAME_ROOM;

static void put_be16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The Internet checksum (RFC 1071) of len bytes, an even number, on top of sum. */
static unsigned checksum(const uint8_t *p, unsigned len, unsigned sum)
{
	for (unsigned i = 0; i < len; i += 2)
		sum += (unsigned)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

void frame_build(void)
{
	static const uint8_t headers[ETH_LEN + IP_LEN] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 42, 8, 0, /* Ethernet, VLAN 42 */
		0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7,
	};
	uint8_t *ip = bench_frame + ETH_LEN, *udp = ip + IP_LEN;
	uint64_t x = UINT64_C(88172645463325252);

	for (unsigned i = 0; i < FRAME_LEN; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bench_frame[i] = (uint8_t)(x >> 24);
	}
	memcpy(bench_frame, headers, sizeof(headers));
	put_be16(ip + 2, IP_LEN + UDP_TOTAL);
	put_be16(ip + 10, checksum(ip, IP_LEN, 0));
	put_be16(udp, 4242);
	put_be16(udp + 2, 53);
	put_be16(udp + 4, UDP_TOTAL);
	put_be16(udp + 6, 0);
	put_be16(udp + 6, checksum(udp, UDP_TOTAL, 0xffff - checksum(ip + 12, 8, 17 + UDP_TOTAL)));
}
