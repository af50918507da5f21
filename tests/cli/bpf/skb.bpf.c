/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that see a struct __sk_buff. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int classify(struct __sk_buff *skb)
{
	skb->mark = skb->len;
	return skb->len > 60 ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("socket")
int filter(struct __sk_buff *skb)
{
	return skb->len;
}
