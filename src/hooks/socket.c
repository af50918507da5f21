/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hooks of sockets: what a TCP socket goes through (sock_ops), messages on their way out (sk_msg),
 * which of several sockets gets a connection (sk_reuseport).
 */
#include "core/map.h"
#include "core/prog.h"
#include "hooks/md.h"

struct sock_ops_md {
	uint32_t op, args[4];
	uint32_t family, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4], remote_port, local_port;
	uint32_t is_fullsock, snd_cwnd, srtt_us, bpf_sock_ops_cb_flags, state, rtt_min, snd_ssthresh;
	uint32_t rcv_nxt, snd_nxt, snd_una, mss_cache, ecn_flags, rate_delivered, rate_interval_us;
	uint32_t packets_out, retrans_out, total_retrans, segs_in, data_segs_in, segs_out;
	uint32_t data_segs_out, lost_out, sacked_out, sk_txhash;
	uint64_t bytes_received, bytes_acked, sk, skb_data, skb_data_end;
	uint32_t skb_len, skb_tcp_flags;
	uint64_t skb_hwtstamp;
};

struct sk_msg_md {
	uint64_t data, data_end;
	uint32_t family, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4], remote_port, local_port;
	uint32_t size;
	uint64_t sk __attribute__((aligned(8)));
};

struct sk_reuseport_md {
	uint64_t data, data_end;
	uint32_t len, eth_protocol, ip_protocol, bind_inany, hash;
	uint64_t sk __attribute__((aligned(8))), migrating_sk;
};

#define OPS(name, access) MD(sock_ops_md, name, access, SCALAR)

static const struct ctx_field sock_ops_fields[] = {
	OPS(op, MD_R),
	OPS(args[0], MD_F),
	OPS(args[1], MD_R),
	OPS(args[2], MD_R),
	OPS(args[3], MD_R),
	OPS(family, MD_R),
	OPS(remote_ip4, MD_R),
	OPS(local_ip4, MD_R),
	OPS(remote_ip6, FIELD_WORDS),
	OPS(local_ip6, FIELD_WORDS),
	OPS(remote_port, MD_R),
	OPS(local_port, MD_R),
	OPS(is_fullsock, MD_R),
	OPS(snd_cwnd, MD_R),
	OPS(srtt_us, MD_R),
	OPS(bpf_sock_ops_cb_flags, MD_R),
	OPS(state, MD_R),
	OPS(rtt_min, MD_R),
	OPS(snd_ssthresh, MD_R),
	OPS(rcv_nxt, MD_R),
	OPS(snd_nxt, MD_R),
	OPS(snd_una, MD_R),
	OPS(mss_cache, MD_R),
	OPS(ecn_flags, MD_R),
	OPS(rate_delivered, MD_R),
	OPS(rate_interval_us, MD_R),
	OPS(packets_out, MD_R),
	OPS(retrans_out, MD_R),
	OPS(total_retrans, MD_R),
	OPS(segs_in, MD_R),
	OPS(data_segs_in, MD_R),
	OPS(segs_out, MD_R),
	OPS(data_segs_out, MD_R),
	OPS(lost_out, MD_R),
	OPS(sacked_out, MD_R),
	OPS(sk_txhash, MD_F),
	OPS(bytes_received, MD_R),
	OPS(bytes_acked, MD_R),
	MD(sock_ops_md, sk, MD_R, SOCKET_OR_NULL),
	MD(sock_ops_md, skb_data, MD_R, PACKET),
	MD(sock_ops_md, skb_data_end, MD_R, PACKET_END),
	OPS(skb_len, MD_R),
	OPS(skb_tcp_flags, MD_S),
	OPS(skb_hwtstamp, MD_R),
	{NULL},
};

static const struct ctx_field sk_msg_fields[] = {
	MD(sk_msg_md, data, MD_R, PACKET),
	MD(sk_msg_md, data_end, MD_R, PACKET_END),
	MD(sk_msg_md, family, MD_R, SCALAR),
	MD(sk_msg_md, remote_ip4, MD_R, SCALAR),
	MD(sk_msg_md, local_ip4, MD_R, SCALAR),
	MD(sk_msg_md, remote_ip6, FIELD_WORDS, SCALAR),
	MD(sk_msg_md, local_ip6, FIELD_WORDS, SCALAR),
	MD(sk_msg_md, remote_port, MD_R, SCALAR),
	MD(sk_msg_md, local_port, MD_R, SCALAR),
	MD(sk_msg_md, size, MD_R, SCALAR),
	MD(sk_msg_md, sk, MD_R, SOCKET),
	{NULL},
};

static const struct ctx_field sk_reuseport_fields[] = {
	MD(sk_reuseport_md, data, MD_R, PACKET),
	MD(sk_reuseport_md, data_end, MD_R, PACKET_END),
	MD(sk_reuseport_md, len, MD_P, SCALAR),
	MD(sk_reuseport_md, eth_protocol, MD_R | FIELD_HALVES, SCALAR),
	MD(sk_reuseport_md, ip_protocol, MD_P, SCALAR),
	MD(sk_reuseport_md, bind_inany, MD_P, SCALAR),
	MD(sk_reuseport_md, hash, MD_R, SCALAR),
	MD(sk_reuseport_md, sk, MD_R, SOCKET),
	MD(sk_reuseport_md, migrating_sk, MD_R, SOCK_COMMON_OR_NULL),
	{NULL},
};

static bool reuseport_attach_type_ok(uint32_t type)
{
	return type == BPF_SK_REUSEPORT_SELECT || type == BPF_SK_REUSEPORT_SELECT_OR_MIGRATE;
}

/* The context and the bytes it points to. */
static unsigned with_bytes(const void *ctx, size_t size, uint64_t data, uint64_t end, bool write,
                           struct region *r, unsigned max)
{
	if (!md_region(ctx, size, r, max) || max < 2 || end <= data)
		return max ? 1 : 0;
	r[1] = (struct region){data, end - data, write, "packet"};
	return 2;
}

static unsigned sock_ops_regions(const void *ctx, struct region *r, unsigned max)
{
	const struct sock_ops_md *md = ctx;

	return with_bytes(ctx, sizeof(*md), md->skb_data, md->skb_data_end, false, r, max);
}

static unsigned sk_msg_regions(const void *ctx, struct region *r, unsigned max)
{
	const struct sk_msg_md *md = ctx;

	return with_bytes(ctx, sizeof(*md), md->data, md->data_end, true, r, max);
}

static unsigned sk_reuseport_regions(const void *ctx, struct region *r, unsigned max)
{
	const struct sk_reuseport_md *md = ctx;

	return with_bytes(ctx, sizeof(*md), md->data, md->data_end, false, r, max);
}

RET_RANGE(yes_or_no, 0, 1);

static const struct ret_name sk_verdicts[] = {{0, "SK_DROP"}, {1, "SK_PASS"}, {0, NULL}};

#define SOCKETS(text, type)                                                                        \
	.name = text, .prog_type = BPF_PROG_TYPE_##type,                                           \
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_##type)

const struct hook hook_sock_ops = {
	SOCKETS("sock_ops", SOCK_OPS),
	.ctx_size = sizeof(struct sock_ops_md),
	.fields = sock_ops_fields,
	.ret_ranges = yes_or_no,
	.regions = sock_ops_regions,
};

const struct hook hook_sk_msg = {
	SOCKETS("sk_msg", SK_MSG),
	.ctx_size = sizeof(struct sk_msg_md),
	.fields = sk_msg_fields,
	.rets = sk_verdicts,
	.pkt_write = true,
	.regions = sk_msg_regions,
};

const struct hook hook_sk_reuseport = {
	SOCKETS("sk_reuseport", SK_REUSEPORT),
	.ctx_size = sizeof(struct sk_reuseport_md),
	.fields = sk_reuseport_fields,
	.rets = sk_verdicts,
	.attach_type_ok = reuseport_attach_type_ok,
	.default_attach_type = BPF_SK_REUSEPORT_SELECT,
	.regions = sk_reuseport_regions,
};
