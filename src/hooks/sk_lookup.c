/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket look-up hook: programs that choose the socket that a packet for a local address goes to.
 *
 * A test run gives the addresses in the context and gets the socket's cookie back in it.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/prog.h"
#include "core/sock.h"
#include "hooks/md.h"

enum { FAMILY_IP4 = 2, FAMILY_IP6 = 10 };

static const struct ctx_field fields[] = {
	{"sk", 0, 8, MD_R, FIELD_SOCKET_OR_NULL, offsetof(struct sk_lookup, md.sk), 8},
#define LOOKUP(name)                                                                               \
	{#name, offsetof(struct sk_lookup_md, name), sizeof(((struct sk_lookup_md *)0)->name),     \
	 MD_P, FIELD_SCALAR, offsetof(struct sk_lookup, md.name),                                  \
	 sizeof(((struct sk_lookup_md *)0)->name)}
	LOOKUP(family),
	LOOKUP(protocol),
	LOOKUP(remote_ip4),
	LOOKUP(remote_ip6[0]),
	LOOKUP(remote_ip6[1]),
	LOOKUP(remote_ip6[2]),
	LOOKUP(remote_ip6[3]),
	LOOKUP(remote_port),
	LOOKUP(local_ip4),
	LOOKUP(local_ip6[0]),
	LOOKUP(local_ip6[1]),
	LOOKUP(local_ip6[2]),
	LOOKUP(local_ip6[3]),
	LOOKUP(local_port),
	LOOKUP(ingress_ifindex),
#undef LOOKUP
	{NULL},
};

static bool attach_type_ok(uint32_t type)
{
	return type == BPF_SK_LOOKUP;
}

static unsigned regions(const void *ctx, struct region *r, unsigned max)
{
	const struct sk_lookup *l = ctx;
	unsigned n = md_region(ctx, sizeof(*l), r, max);

	if (n < max && l->md.sk)
		r[n++] = (struct region){l->md.sk, sizeof(struct bpf_sock), false, "socket"};
	return n;
}

static int take_ctx(const struct test_run *t, struct sk_lookup_md *md)
{
	int err;

	if (t->flags || t->cpu || t->batch_size || t->data_in || t->data_size_in || t->data_out ||
	    t->data_size_out)
		return -EINVAL;
	err = test_run_ctx_in(t, md, sizeof(*md));
	if (err)
		return err;
	if (!test_run_has_ctx(t) || md->sk || md->ingress_ifindex || md->padding)
		return -EINVAL;
	if (md->local_port > UINT16_MAX)
		return -ERANGE;
	return md->family == FAMILY_IP4 || md->family == FAMILY_IP6 ? 0 : -EAFNOSUPPORT;
}

/* The program sees the addresses of its family only. */
static void make_ctx(const struct sk_lookup_md *in, struct sk_lookup *l)
{
	memset(l, 0, sizeof(*l));
	l->md = *in;
	l->md.protocol = (uint16_t)in->protocol;
	l->md.remote_port = in->remote_port & 0xffff;
	if (in->family == FAMILY_IP4) {
		memset(l->md.remote_ip6, 0, sizeof(in->remote_ip6));
		memset(l->md.local_ip6, 0, sizeof(in->local_ip6));
	} else {
		l->md.remote_ip4 = l->md.local_ip4 = 0;
	}
}

static int test_run(struct prog *p, struct test_run *t)
{
	struct sk_lookup_md md;
	struct sk_lookup l;
	int err = take_ctx(t, &md);

	if (err)
		return err;
	make_ctx(&md, &l);
	test_run_repeat(p, &l, t);
	md.sk = l.cookie;
	return test_run_out(t, NULL, 0, &md, sizeof(md));
}

static const struct ret_name verdicts[] = {{0, "SK_DROP"}, {1, "SK_PASS"}, {0, NULL}};
RET_RANGE(verdict_range, 0, 1);

const struct hook hook_sk_lookup = {
	.name = "sk_lookup",
	.prog_type = BPF_PROG_TYPE_SK_LOOKUP,
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_SK_LOOKUP),
	.ctx_size = sizeof(struct sk_lookup_md),
	.fields = fields,
	.rets = verdicts,
	.ret_ranges = verdict_range,
	.attach_type_ok = attach_type_ok,
	.regions = regions,
	.test_run = test_run,
};
