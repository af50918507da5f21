/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flow dissector hook: programs that find addresses and ports in a packet, and write them to the keys
 * of its flow.
 *
 * A test run hands over a frame and gets the keys back as its data. Where the program says headers begin
 * is kept inside the packet.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/pkt.h"
#include "core/prog.h"
#include "hooks/skb.h"

enum { PAGE = 4096, ETH_HEADER = 14 };

/* struct bpf_flow_keys */
struct flow_keys {
	uint16_t nhoff, thoff, addr_proto;
	uint8_t is_frag, is_first_frag, is_encap, ip_proto;
	uint16_t n_proto, sport, dport;
	uint32_t addresses[8];
	uint32_t flags, flow_label;
};

_Static_assert(sizeof(struct flow_keys) == FLOW_KEYS_SIZE, "the layout of struct bpf_flow_keys");

static unsigned regions(const void *ctx, struct region *r, unsigned max)
{
	const struct skb *skb = ctx;
	unsigned n = skb_regions_cls(ctx, r, max);

	if (n < max && skb->flow_keys)
		r[n++] = (struct region){(uintptr_t)skb->flow_keys, FLOW_KEYS_SIZE, true, "flow keys"};
	return n;
}

static uint16_t clamp(uint16_t value, uint16_t low, uint32_t high)
{
	return value < low ? low : value > high ? (uint16_t)high : value;
}

/* The flags are all that a caller may say beforehand. */
static int take_ctx(const struct test_run *t, struct flow_keys *in)
{
	struct flow_keys rest;
	static const struct flow_keys zero;
	int err = test_run_ctx_in(t, in, sizeof(*in));

	rest = *in;
	rest.flags = 0;
	return err ? err : memcmp(&rest, &zero, sizeof(zero)) ? -EINVAL : 0;
}

static void dissect(struct prog *p, struct test_run *t, struct skb *skb, struct flow_keys *keys,
                    uint32_t flags)
{
	struct test_run once = {.repeat = 1, .fault = t->fault};
	uint32_t n = t->repeat ? t->repeat : 1;

	for (uint32_t i = 0; i < n && !t->faulted; i++) {
		*keys = (struct flow_keys){.nhoff = ETH_HEADER, .thoff = ETH_HEADER, .flags = flags,
		                           .n_proto = skb->protocol};
		test_run_repeat(p, skb, &once);
		t->retval = once.retval;
		t->duration = once.duration;
		t->faulted = once.faulted;
		keys->nhoff = clamp(keys->nhoff, ETH_HEADER, skb->len);
		keys->thoff = clamp(keys->thoff, keys->nhoff, skb->len);
	}
}

static int test_run(struct prog *p, struct test_run *t)
{
	const struct mem *mem = &p->obj.k->mem;
	struct flow_keys keys, in;
	struct skb skb;
	uint8_t *frame;
	int err;

	if (t->flags || t->cpu || t->batch_size)
		return -EINVAL;
	if (t->data_size_in < ETH_HEADER || t->data_size_in > PAGE)
		return -EINVAL;
	err = take_ctx(t, &in);
	if (err)
		return err;
	frame = mem_zalloc(mem, t->data_size_in);
	if (!frame)
		return -ENOMEM;
	memcpy(frame, t->data_in, t->data_size_in);
	memset(&skb, 0, offsetof(struct skb, tunnel));
	skb.pkt = (struct pkt){frame, frame + t->data_size_in, frame, frame, frame + t->data_size_in};
	skb.mac = frame;
	skb.network = frame + ETH_HEADER;
	skb.len = t->data_size_in;
	memcpy(&skb.protocol, frame + 12, sizeof(skb.protocol));
	skb.flow_keys = &keys;
	dissect(p, t, &skb, &keys, in.flags);
	err = test_run_out(t, &keys, sizeof(keys), test_run_has_ctx(t) ? &in : NULL, sizeof(in));
	mem_free(mem, frame);
	return err;
}

static const struct ret_name verdicts[] = {
	{0, "BPF_OK"}, {2, "BPF_DROP"}, {129, "BPF_FLOW_DISSECTOR_CONTINUE"}, {0, NULL},
};

const struct hook hook_flow_dissector = {
	.name = "flow_dissector",
	.prog_type = BPF_PROG_TYPE_FLOW_DISSECTOR,
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_FLOW_DISSECTOR),
	.ctx_size = sizeof(struct sk_buff_md),
	.fields = skb_fields_flow,
	.rets = verdicts,
	.regions = regions,
	.test_run = test_run,
};
