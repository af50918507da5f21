/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs for a sandbox's network: each shows that one kind of verdict or change takes effect. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { AT_XDP, AT_INGRESS, AT_EGRESS, PLACES };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, PLACES);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} seen SEC(".maps");

static void count(__u32 place)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &place);

	if (n)
		__sync_fetch_and_add(n, 1);
}

struct headers {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

static struct headers *headers_of(void *data, void *end, __u8 protocol)
{
	struct headers *h = data;

	if ((void *)(h + 1) > end || h->eth.h_proto != bpf_htons(ETH_P_IP) ||
	    h->ip.ihl != 5 || h->ip.protocol != protocol)
		return NULL;
	return h;
}

SEC("xdp/count") int xdp_count(struct xdp_md *ctx)
{
	count(AT_XDP);
	return XDP_PASS;
}

SEC("tc/ingress") int tc_ingress(struct __sk_buff *skb)
{
	count(AT_INGRESS);
	return TC_ACT_OK;
}

SEC("tc/egress") int tc_egress(struct __sk_buff *skb)
{
	count(AT_EGRESS);
	return TC_ACT_OK;
}

SEC("xdp/drop") int xdp_drop(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	return headers_of(data, end, IPPROTO_ICMP) ? XDP_DROP : XDP_PASS;
}

SEC("tc/drop") int tc_drop(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	return headers_of(data, end, IPPROTO_ICMP) ? TC_ACT_SHOT : TC_ACT_OK;
}

/* What UDP carries comes in capitals. */
SEC("xdp/shout") int xdp_shout(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct headers *h = headers_of(data, end, IPPROTO_UDP);
	__u8 *text = (__u8 *)(h + 1);

	if (!h)
		return XDP_PASS;
	for (int i = 0; i < 64 && (void *)(text + i + 1) <= end; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] -= 'a' - 'A';
	h->udp.check = 0;
	return XDP_PASS;
}

/* Of what UDP carries the last four bytes are cut. */
SEC("xdp/cut") int xdp_cut(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct headers *h = headers_of(data, end, IPPROTO_UDP);
	__u16 len;
	__u32 sum;

	if (!h || bpf_ntohs(h->udp.len) < 12 ||
	    end - data != sizeof(struct ethhdr) + bpf_ntohs(h->ip.tot_len))
		return XDP_PASS;
	len = bpf_ntohs(h->ip.tot_len);
	sum = (__u16)~bpf_ntohs(h->ip.check) + (__u16)~len + (__u16)(len - 4);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	h->ip.check = bpf_htons((__u16)~sum);
	h->ip.tot_len = bpf_htons(len - 4);
	h->udp.len = bpf_htons(bpf_ntohs(h->udp.len) - 4);
	h->udp.check = 0;
	return bpf_xdp_adjust_tail(ctx, -4) ? XDP_ABORTED : XDP_PASS;
}

/* UDP to anybody comes back from there: into the device that it leaves through. */
SEC("tc/reflect") int tc_reflect(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct headers *h = headers_of(data, end, IPPROTO_UDP);
	__u8 mac[ETH_ALEN];
	__be32 addr;
	__be16 port;

	if (!h)
		return TC_ACT_OK;
	__builtin_memcpy(mac, h->eth.h_dest, ETH_ALEN);
	__builtin_memcpy(h->eth.h_dest, h->eth.h_source, ETH_ALEN);
	__builtin_memcpy(h->eth.h_source, mac, ETH_ALEN);
	addr = h->ip.saddr;
	h->ip.saddr = h->ip.daddr;
	h->ip.daddr = addr;
	port = h->udp.source;
	h->udp.source = h->udp.dest;
	h->udp.dest = port;
	return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
}

char _license[] SEC("license") = "GPL";
