/* SPDX-License-Identifier: BSD-2-Clause */
/* The tc hooks: classifiers and actions, on packets with their link header. */
#include "core/helper.h"
#include "core/uapi.h"
#include "hooks/skb.h"

static const struct ret_name rets[] = {
	{-1, "TC_ACT_UNSPEC"},   {0, "TC_ACT_OK"},     {1, "TC_ACT_RECLASSIFY"},
	{2, "TC_ACT_SHOT"},      {3, "TC_ACT_PIPE"},   {4, "TC_ACT_STOLEN"},
	{5, "TC_ACT_QUEUED"},    {6, "TC_ACT_REPEAT"}, {7, "TC_ACT_REDIRECT"},
	{8, "TC_ACT_TRAP"},      {0, NULL},
};

static int test_run(struct prog *p, struct test_run *t)
{
	return skb_test_run(p, t, true);
}

static uint64_t run_frame(const struct prog *p, struct pkt *frame, const struct skb_in *in,
                          struct cpu *cpu)
{
	return skb_run_frame(p, frame, in, cpu, true);
}

#define TC_HOOK(text, type)                                                                        \
	{                                                                                          \
		.name = text,                                                                      \
		.prog_type = BPF_PROG_TYPE_##type,                                                 \
		.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_##type),                                   \
		.ctx_size = sizeof(struct sk_buff_md),                                             \
		.fields = skb_fields_cls,                                                          \
		.rets = rets,                                                                      \
		.ld_abs = true,                                                                    \
		.pkt_write = true,                                                                \
		.regions = skb_regions_cls,                                                        \
		.test_run = test_run,                                                              \
		.run_frame = run_frame,                                                            \
	}

const struct hook hook_sched_cls = TC_HOOK("sched_cls", SCHED_CLS);
const struct hook hook_sched_act = TC_HOOK("sched_act", SCHED_ACT);
