/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The skb hooks below tc: cgroups, lightweight tunnels, sockets in a sockmap. They see a packet from its
 * network header on, with the fields that struct __sk_buff has for them (skb_fields.def).
 */
#include "core/caps.h"
#include "core/helper.h"
#include "core/prog.h"
#include "core/uapi.h"
#include "hooks/skb.h"

static int test_run(struct prog *p, struct test_run *t)
{
	return skb_test_run(p, t, false);
}

static uint64_t run_frame(const struct prog *p, struct pkt *frame, const struct skb_in *in,
                          struct cpu *cpu)
{
	return skb_run_frame(p, frame, in, cpu, false);
}

static bool cgroup_attach_type_ok(uint32_t type)
{
	return type == BPF_CGROUP_INET_INGRESS || type == BPF_CGROUP_INET_EGRESS;
}

/* Without CAP_BPF a program sees no packet but through helpers, and does not say when it leaves. */
static bool cgroup_field_ok(const struct prog *p, const struct ctx_field *f, bool write)
{
	if (capable(p->caps, CAPABLE_BPF))
		return true;
	return f->kind != FIELD_PACKET && f->kind != FIELD_PACKET_END &&
	       !(write && f->offset == offsetof(struct sk_buff_md, tstamp));
}

/* What goes out may also be marked as congested: 2 and 3. */
static const struct ret_range cgroup_rets[] = {
	{BPF_CGROUP_INET_EGRESS, 0, 3, false},
	{RET_ANY_ATTACH, 0, 1, false},
};

static const struct ret_name lwt_verdicts[] = {
	{0, "BPF_OK"}, {2, "BPF_DROP"}, {7, "BPF_REDIRECT"}, {128, "BPF_LWT_REROUTE"}, {0, NULL},
};
static const struct ret_name sk_verdicts[] = {{0, "SK_DROP"}, {1, "SK_PASS"}, {0, NULL}};
static const struct ret_name cgroup_verdicts[] = {{0, "DROP"}, {1, "PASS"}, {0, NULL}};

#define SKB(text, type, table)                                                                     \
	.name = text, .prog_type = BPF_PROG_TYPE_##type,                                           \
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_##type), .ctx_size = sizeof(struct sk_buff_md),    \
	.fields = table, .regions = skb_regions_cls

const struct hook hook_cgroup_skb = {
	SKB("cgroup_skb", CGROUP_SKB, skb_fields_cgroup),
	.rets = cgroup_verdicts,
	.ret_ranges = cgroup_rets,
	.field_ok = cgroup_field_ok,
	.attach_type_ok = cgroup_attach_type_ok,
	.ld_abs = true,
	.test_run = test_run,
	.run_frame = run_frame,
};

const struct hook hook_lwt_in = {
	SKB("lwt_in", LWT_IN, skb_fields_lwt),
	.rets = lwt_verdicts,
	.test_run = test_run,
	.run_frame = run_frame,
};

const struct hook hook_lwt_out = {
	SKB("lwt_out", LWT_OUT, skb_fields_lwt),
	.rets = lwt_verdicts,
	.test_run = test_run,
	.run_frame = run_frame,
};

const struct hook hook_lwt_xmit = {
	SKB("lwt_xmit", LWT_XMIT, skb_fields_lwt),
	.rets = lwt_verdicts,
	.pkt_write = true,
	.test_run = test_run,
	.run_frame = run_frame,
};

const struct hook hook_lwt_seg6local = {
	SKB("lwt_seg6local", LWT_SEG6LOCAL, skb_fields_lwt),
	.rets = lwt_verdicts,
	.run_frame = run_frame,
};

const struct hook hook_sk_skb = {
	SKB("sk_skb", SK_SKB, skb_fields_sk_skb),
	.rets = sk_verdicts,
	.pkt_write = true,
	.run_frame = run_frame,
};
