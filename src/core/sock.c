/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs may load of sockets: see sock.h. */
#include "core/sock.h"

#include <assert.h>

static_assert(sizeof(struct bpf_sock) == 80 && offsetof(struct bpf_sock, dst_ip4) == 52,
              "the layout of struct bpf_sock");
static_assert(sizeof(struct bpf_tcp_sock) == 112, "the layout of struct bpf_tcp_sock");

enum { R = FIELD_R, P = FIELD_R | FIELD_NARROW };

#define ROW(type, name, access)                                                                    \
	{                                                                                          \
		#name, offsetof(struct type, name), sizeof(((struct type *)0)->name), access,      \
			FIELD_SCALAR, offsetof(struct type, name),                                 \
			sizeof(((struct type *)0)->name)                                           \
	}

/* Of all sockets; of full ones only: what stands between family and src_ip4. */
#define ADDRESSES                                                                                  \
	ROW(bpf_sock, src_ip4, P), ROW(bpf_sock, src_ip6[0], P), ROW(bpf_sock, src_ip6[1], P),     \
	ROW(bpf_sock, src_ip6[2], P), ROW(bpf_sock, src_ip6[3], P), ROW(bpf_sock, src_port, P),    \
	ROW(bpf_sock, dst_port, P | FIELD_PADDED), ROW(bpf_sock, dst_ip4, P),                      \
	ROW(bpf_sock, dst_ip6[0], P), ROW(bpf_sock, dst_ip6[1], P), ROW(bpf_sock, dst_ip6[2], P),  \
	ROW(bpf_sock, dst_ip6[3], P), ROW(bpf_sock, state, P), ROW(bpf_sock, rx_queue_mapping, P)

const struct ctx_field sock_fields[] = {
	ROW(bpf_sock, bound_dev_if, R),
	ROW(bpf_sock, family, P),
	ROW(bpf_sock, type, P),
	ROW(bpf_sock, protocol, P),
	ROW(bpf_sock, mark, R),
	ROW(bpf_sock, priority, R),
	ADDRESSES,
	{NULL},
};

const struct ctx_field sock_common_fields[] = {
	ROW(bpf_sock, bound_dev_if, R),
	ROW(bpf_sock, family, P),
	ADDRESSES,
	{NULL},
};

#define TCP(name) ROW(bpf_tcp_sock, name, R)

const struct ctx_field tcp_sock_fields[] = {
	TCP(snd_cwnd),       TCP(srtt_us),          TCP(rtt_min),      TCP(snd_ssthresh),
	TCP(rcv_nxt),        TCP(snd_nxt),          TCP(snd_una),      TCP(mss_cache),
	TCP(ecn_flags),      TCP(rate_delivered),   TCP(rate_interval_us),
	TCP(packets_out),    TCP(retrans_out),      TCP(total_retrans), TCP(segs_in),
	TCP(data_segs_in),   TCP(segs_out),         TCP(data_segs_out), TCP(lost_out),
	TCP(sacked_out),     TCP(bytes_received),   TCP(bytes_acked),  TCP(dsack_dups),
	TCP(delivered),      TCP(delivered_ce),     TCP(icsk_retransmits), {NULL},
};

const struct ctx_field xdp_sock_fields[] = {ROW(bpf_xdp_sock, queue_id, R), {NULL}};

const struct ctx_field *sock_field(const struct ctx_field *table, uint32_t offset)
{
	for (const struct ctx_field *f = table; f->name; f++)
		if (offset >= f->offset && offset < (uint32_t)f->offset + f->size)
			return f;
	return NULL;
}
