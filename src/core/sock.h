/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets as programs see them: the memory that a pointer to a socket stands for.
 *
 * Skep has no TCP; its sockets are rows of a table that the user fills (core/net.h), and each row is one
 * struct sock: the public structs themselves, so that a program's load needs no translation. The verifier
 * allows accesses by the tables below, as it does with contexts.
 *
 * Public layouts: <linux/bpf.h>, struct bpf_sock, struct bpf_tcp_sock, struct bpf_xdp_sock.
 */
#ifndef SKEP_CORE_SOCK_H
#define SKEP_CORE_SOCK_H

#include "core/hook.h"

struct bpf_sock {
	uint32_t bound_dev_if, family, type, protocol, mark, priority;
	uint32_t src_ip4, src_ip6[4], src_port; /* addresses in network order, src_port in host order */
	uint16_t dst_port;                      /* network order */
	uint16_t zero;
	uint32_t dst_ip4, dst_ip6[4], state;
	int32_t rx_queue_mapping;
};

struct bpf_tcp_sock {
	uint32_t snd_cwnd, srtt_us, rtt_min, snd_ssthresh;
	uint32_t rcv_nxt, snd_nxt, snd_una, mss_cache, ecn_flags;
	uint32_t rate_delivered, rate_interval_us;
	uint32_t packets_out, retrans_out, total_retrans;
	uint32_t segs_in, data_segs_in, segs_out, data_segs_out;
	uint32_t lost_out, sacked_out;
	uint64_t bytes_received, bytes_acked;
	uint32_t dsack_dups, delivered, delivered_ce, icsk_retransmits;
};

struct bpf_xdp_sock {
	uint32_t queue_id;
};

/* The context of socket look-up programs, and what stands behind it. */
struct sk_lookup_md {
	uint64_t sk; /* of the socket chosen so far; after a test run its cookie */
	uint32_t family, protocol, remote_ip4, remote_ip6[4];
	uint32_t remote_port; /* 2 bytes in network order, 2 of nothing */
	uint32_t local_ip4, local_ip6[4], local_port, ingress_ifindex, padding;
};

struct sk_lookup {
	struct sk_lookup_md md; /* as public */
	uint64_t cookie;        /* of the chosen socket, or 0 */
	bool no_reuseport;
};

/* What a program may do with each; public and ours are the same. The last row has no name. */
extern const struct ctx_field sock_fields[], sock_common_fields[], tcp_sock_fields[],
	xdp_sock_fields[];

/* The field of such a table that holds the byte at this offset, or NULL. */
const struct ctx_field *sock_field(const struct ctx_field *table, uint32_t offset);

#endif
