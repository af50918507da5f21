/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses Ethernet, VLAN, IPv4 and UDP and checks both checksums, over a full-size frame: what
 * packet programs do. The harness builds the frame. Four times, to take longer than entering a
 * program does, by way of a global function, which the verifier looks at once.
 */
#include "bench.h"

enum {
	ETH_LEN = 14,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV4 = 0x0800,
	PROTO_UDP = 17,
	MAX_WORDS = 740, /* of a UDP datagram in a frame of 1500 bytes */
};

#define be16(p) __builtin_bswap16(*(const u16 *)(p))

INLINE u32 fold_sum(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* Both sums, 0xffff when right, or a small number that says where it failed. */
u32 udp_check(bench_ctx *ctx, u32 sum);

__attribute__((noinline)) u32 udp_check(bench_ctx *ctx, u32 sum)
{
	const u8 *p = packet_start(ctx), *end = packet_end(ctx);
	u32 ip_sum, type, len;

	if (p + ETH_LEN + 4 > end)
		return 1;
	type = be16(p + 12);
	p += ETH_LEN;
	if (type == ETHERTYPE_VLAN) {
		type = be16(p + 2);
		p += 4;
	}
	if (type != ETHERTYPE_IPV4 || p + 20 > end)
		return 2;
	if (p[0] != 0x45 || p[9] != PROTO_UDP || (be16(p + 6) & 0x3fff))
		return 3;
	for (u32 i = 0; i < 10; i++)
		sum += *(const u16 *)(p + 2 * i);
	ip_sum = fold_sum(sum);
	/* The pseudo header: addresses, protocol, length. */
	len = (u32)be16(p + 2) - 20;
	sum = *(const u16 *)(p + 12) + *(const u16 *)(p + 14) + *(const u16 *)(p + 16) +
	      *(const u16 *)(p + 18) + __builtin_bswap16(PROTO_UDP) + __builtin_bswap16((u16)len);
	p += 20;
	for (u32 i = 0; i < MAX_WORDS; i++) {
		if (p + 2 > end || len < 2)
			break;
		sum += *(const u16 *)p;
		p += 2;
		len -= 2;
	}
	return ip_sum << 16 | fold_sum(sum);
}

BENCH(udp, "Ethernet/VLAN/IPv4/UDP parsing, both checksums")
{
	u32 result = 0;

	for (u32 i = 0; i < 4; i++)
		result = result * 31 + udp_check(ctx, result & 1);
	return result;
}
