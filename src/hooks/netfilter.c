/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The netfilter hook: programs on IP packets at the five places of a stack. Their context is two pointers
 * to the kernel's own structs: the state of the hook and the packet.
 *
 * The state has the kernel's layout. Of struct sk_buff only zeros stand there: programs reach the packet
 * by a dynptr.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/pkt.h"
#include "core/prog.h"
#include "hooks/hooks.h"

enum {
	PAGE = 4096,
	HEADROOM = 64,
	IPV4_HEADER = 20,
	FAMILY_IP4 = 2, /* NFPROTO_ */
	FAMILY_IP6 = 10,
	IPV6_HEADER = 40,
	ETH_HEADER = 14,
	LOCAL_OUT = 3, /* the hook at which packets have no link header yet */
	SK_BUFF_SIZE = 512,
};

struct nf_hook_state {
	uint8_t hook, pf;
	uint64_t in __attribute__((aligned(8))), out, sk, net, okfn;
};

struct nf_ctx {
	uint64_t state, skb;
	struct nf_hook_state hook_state;
	uint8_t sk_buff[SK_BUFF_SIZE];
};

static const struct ctx_field fields[] = {
	{"state", 0, 8, FIELD_R, FIELD_BTF, offsetof(struct nf_ctx, state), 8, "nf_hook_state"},
	{"skb", 8, 8, FIELD_R, FIELD_BTF, offsetof(struct nf_ctx, skb), 8, "sk_buff"},
	{NULL},
};

static bool attach_type_ok(uint32_t type)
{
	return type == BPF_NETFILTER;
}

static unsigned regions(const void *ctx, struct region *r, unsigned max)
{
	if (!max)
		return 0;
	*r = (struct region){(uintptr_t)ctx, sizeof(struct nf_ctx), false, "ctx"};
	return 1;
}

/* Which hook of which protocol is all that a caller may say. */
static int take_state(const struct test_run *t, struct nf_hook_state *state)
{
	struct nf_hook_state in;
	int err = test_run_ctx_in(t, &in, sizeof(in));

	*state = (struct nf_hook_state){.hook = LOCAL_OUT, .pf = FAMILY_IP4};
	if (err || !test_run_has_ctx(t))
		return err;
	if (in.in || in.out || in.sk || in.net || in.okfn ||
	    (in.pf != FAMILY_IP4 && in.pf != FAMILY_IP6))
		return -EINVAL;
	state->hook = in.hook;
	state->pf = in.pf;
	return 0;
}

/* Where there is a link header, it must say what the state says. */
static int check_frame(const struct test_run *t, const struct nf_hook_state *state)
{
	const uint8_t *type = (const uint8_t *)t->data_in + 12;
	bool ip6 = type[0] == 0x86 && type[1] == 0xdd, ip4 = type[0] == 0x08 && !type[1];

	if (state->hook == LOCAL_OUT)
		return 0;
	if (t->data_size_in < ETH_HEADER + IPV4_HEADER)
		return -EINVAL;
	if (!ip4 && !ip6)
		return -EPROTO;
	if (ip6 && t->data_size_in < ETH_HEADER + IPV6_HEADER)
		return -EINVAL;
	return state->pf == (ip6 ? FAMILY_IP6 : FAMILY_IP4) ? 0 : -EINVAL;
}

static int test_run(struct prog *p, struct test_run *t)
{
	struct nf_ctx ctx = {0};
	int err;

	if (t->flags || t->cpu || t->batch_size || t->data_size_in < IPV4_HEADER ||
	    t->data_size_in > PAGE - HEADROOM - PKT_TAILROOM)
		return -EINVAL;
	err = take_state(t, &ctx.hook_state);
	if (!err)
		err = check_frame(t, &ctx.hook_state);
	if (err)
		return err;
	ctx.state = (uintptr_t)&ctx.hook_state;
	ctx.skb = (uintptr_t)ctx.sk_buff;
	test_run_repeat(p, &ctx, t);
	return test_run_out(t, NULL, 0, NULL, 0);
}

static const struct ret_name verdicts[] = {{0, "NF_DROP"}, {1, "NF_ACCEPT"}, {0, NULL}};
static const struct ret_range verdict_range[] = {{RET_ANY_ATTACH, 0, 1, false}};

const struct hook hook_netfilter = {
	.name = "netfilter",
	.prog_type = BPF_PROG_TYPE_NETFILTER,
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_NETFILTER),
	.ctx_size = 2 * sizeof(uint64_t),
	.fields = fields,
	.rets = verdicts,
	.ret_ranges = verdict_range,
	.attach_type_ok = attach_type_ok,
	.regions = regions,
	.test_run = test_run,
};
