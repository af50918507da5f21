/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The XDP hook: programs on packets as a driver receives them.
 *
 * A test run lays the packet out as the kernel does: one page, of which 256 bytes are headroom and
 * 320 are kept back behind; what does not fit, or what the caller's context puts beyond its
 * data_end, is the fragments' part (struct xdp's frag_bytes). ctx_in's `data` is the length of
 * metadata in front of the packet, which stands in the headroom; both are part of data_in and
 * data_out.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/pkt.h"
#include "core/prog.h"
#include "hooks/hooks.h"

enum {
	PAGE = 4096,
	LINEAR_MAX = PAGE - PKT_HEADROOM - PKT_TAILROOM,
	FRAGS_MAX = 17 * PAGE, /* bytes in fragments */
	MAX_META = PKT_HEADROOM - 40, /* the kernel keeps 40 bytes at the start of the page */
	ETH_HEADER = 14,
	TEST_LIVE_FRAMES = 1 << 1,
	LIVE_HEADER = 112, /* what the kernel keeps of a live frame in its page */
	LIVE_BATCH_MAX = 256,
};

/* The public context. */
struct xdp_md {
	uint32_t data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

#define U32(name, kind, real)                                                                      \
	{                                                                                          \
		#name, offsetof(struct xdp_md, name), 4, FIELD_R, kind,                            \
			offsetof(struct xdp, real), sizeof(((struct xdp *)0)->real)                \
	}

static const struct ctx_field fields[] = {
	U32(data, FIELD_PACKET, pkt.data),
	U32(data_end, FIELD_PACKET_END, pkt.end),
	U32(data_meta, FIELD_PACKET_META, pkt.meta),
	U32(ingress_ifindex, FIELD_SCALAR, ingress_ifindex),
	U32(rx_queue_index, FIELD_SCALAR, rx_queue_index),
	U32(egress_ifindex, FIELD_SCALAR, egress_ifindex),
	{NULL},
};

static const struct ret_name rets[] = {
	{XDP_ABORTED, "XDP_ABORTED"},
	{XDP_DROP, "XDP_DROP"},
	{XDP_PASS, "XDP_PASS"},
	{XDP_TX, "XDP_TX"},
	{XDP_REDIRECT, "XDP_REDIRECT"},
	{0, NULL},
};

/* Only programs of a device map know where a packet is about to leave. */
static bool field_ok(const struct prog *p, const struct ctx_field *f, bool write)
{
	return f->offset != offsetof(struct xdp_md, egress_ifindex) ||
	       p->expected_attach_type == BPF_XDP_DEVMAP;
}

static unsigned regions(const void *ctx, struct region *r, unsigned max)
{
	const struct xdp *x = ctx;
	const struct region all[] = {
		{(uintptr_t)x, sizeof(*x), false, "ctx"},
		{(uintptr_t)x->pkt.meta, (size_t)(x->pkt.end - x->pkt.meta), true, "packet"},
	};
	unsigned n = max < 2 ? max : 2;

	memcpy(r, all, n * sizeof(*r));
	return n;
}

/* Does the context fit the packet? */
static int check_md(const struct xdp_md *md, uint32_t size)
{
	if (md->data_meta || md->egress_ifindex)
		return -EINVAL;
	if (md->data > md->data_end || md->data_end > size)
		return -EINVAL;
	if (md->data % 4 || md->data > MAX_META)
		return -EINVAL;
	return size - md->data < ETH_HEADER ? -EINVAL : 0;
}

/* Test runs know one device: lo, index 1, of one queue. */
static int check_device(const struct xdp_md *md)
{
	if (md->ingress_ifindex > 1)
		return -ENODEV;
	return md->rx_queue_index ? -EINVAL : 0;
}

static bool is_live(const struct test_run *t)
{
	return t->flags & TEST_LIVE_FRAMES;
}

/* Live frames are in one piece. */
static int check_live(const struct xdp_md *md, uint32_t size)
{
	return md->data_end != size || size - md->data > LINEAR_MAX - LIVE_HEADER ? -EINVAL : 0;
}

static int test_run_args(const struct prog *p, const struct test_run *t, struct xdp_md *md)
{
	int err;

	if (p->expected_attach_type == BPF_XDP_DEVMAP || p->expected_attach_type == BPF_XDP_CPUMAP)
		return -EINVAL;
	if (t->flags & ~TEST_LIVE_FRAMES || (t->batch_size && !is_live(t)))
		return -EINVAL;
	if (t->batch_size > LIVE_BATCH_MAX)
		return -E2BIG;
	err = test_run_ctx_in(t, md, sizeof(*md));
	if (err)
		return err;
	/* Nobody waits for what becomes of live frames. */
	if (is_live(t) && test_run_has_ctx(t) && (t->data_out || t->ctx_out))
		return -EINVAL;
	if (!test_run_has_ctx(t))
		md->data_end = t->data_size_in;
	err = check_md(md, t->data_size_in);
	if (!err && is_live(t))
		err = check_live(md, t->data_size_in);
	if (!err)
		err = check_device(md);
	if (err)
		return err;
	if (md->data_end > LINEAR_MAX + md->data)
		md->data_end = LINEAR_MAX + md->data;
	return t->data_size_in - md->data_end > FRAGS_MAX ? -ENOMEM : 0;
}

/*
 * Less room than a packet with fragments takes: the kernel leaves out the end of what is linear,
 * and where the fragments alone are too much it answers nothing, not even what the program did.
 */
static int give_short(const struct xdp *x, struct test_run *t, uint32_t size)
{
	uint32_t room = t->data_size_out;

	if (room < x->frag_bytes) {
		t->retval = t->duration = 0;
		return -ENOSPC;
	}
	if (t->data_out) {
		memcpy(t->data_out, x->pkt.meta, room - x->frag_bytes);
		memcpy((uint8_t *)t->data_out + room - x->frag_bytes, x->pkt.end, x->frag_bytes);
	}
	t->data_size_out = size;
	return -ENOSPC;
}

static int test_run_results(const struct xdp *x, const struct xdp_md *in, struct test_run *t)
{
	struct xdp_md md = {
		.data = (uint32_t)(x->pkt.data - x->pkt.meta),
		.data_end = (uint32_t)(x->pkt.end - x->pkt.meta),
		.ingress_ifindex = in->ingress_ifindex,
		.rx_queue_index = in->rx_queue_index,
	};
	uint32_t size = md.data_end + x->frag_bytes, room = t->data_size_out;

	if (room && room < size && x->frag_bytes)
		return give_short(x, t, size);
	return test_run_out(t, x->pkt.meta, size, test_run_has_ctx(t) ? &md : NULL, sizeof(md));
}

/* A frame that a program let go, for whoever wants to carry it on. */
static void emit(const struct prog *p, const struct xdp *x, uint32_t verdict, const struct cpu *cpu)
{
	struct skep *k = p->obj.k;
	struct live_frame f = {
		.verdict = verdict,
		.ifindex = x->ingress_ifindex,
		.data = x->pkt.data,
		.len = (uint32_t)(x->pkt.end - x->pkt.data),
	};

	if (verdict == XDP_REDIRECT) {
		f.ifindex = cpu->redirect.ifindex;
		f.flags = cpu->redirect.flags;
		f.map = cpu->redirect.map;
		f.key = cpu->redirect.key;
	}
	if (verdict >= XDP_PASS && verdict <= XDP_REDIRECT && k->on_frame)
		k->on_frame(k, &f);
}

/*
 * Live frames: each run gets the frame anew and its verdict is carried out: by on_frame(), as there
 * are no devices here. A run's result is not the caller's.
 */
static void run_live(struct prog *p, const struct xdp *frame, struct test_run *t)
{
	uint32_t repeat = t->repeat ? t->repeat : 1;
	struct cpu *cpu = cpu_enter(p->obj.k);
	uint64_t start = test_run_now();

	for (uint32_t i = 0; i < repeat && !t->faulted; i++) {
		struct xdp x = *frame;
		uint64_t verdict;

		memcpy(x.pkt.meta, t->data_in, t->data_size_in);
		verdict = prog_run(p, &x, cpu);
		t->faulted = cpu->fault;
		if (!t->faulted)
			emit(p, &x, (uint32_t)verdict, cpu);
	}
	if (t->faulted && t->fault)
		*t->fault = *cpu->fault;
	cpu_leave(cpu);
	memcpy(frame->pkt.meta, t->data_in, t->data_size_in);
	t->retval = 0;
	t->duration = (uint32_t)((test_run_now() - start) / repeat);
}

static int test_run(struct prog *p, struct test_run *t)
{
	const struct mem *mem = &p->obj.k->mem;
	struct xdp x = {0};
	struct xdp_md md;
	uint8_t *page;
	size_t frags;
	int err = test_run_args(p, t, &md);

	if (err)
		return err;
	x.frag_bytes = t->data_size_in - md.data_end;
	frags = (x.frag_bytes + PAGE - 1) / PAGE * PAGE;
	page = mem_zalloc(mem, PAGE + frags);
	if (!page)
		return -ENOMEM;
	x.pkt.head = page;
	x.pkt.data = page + PKT_HEADROOM;
	x.pkt.meta = x.pkt.data - md.data;
	x.pkt.end = x.pkt.meta + md.data_end;
	x.pkt.limit = frags ? x.pkt.end + frags : page + PAGE - PKT_TAILROOM;
	x.ingress_ifindex = 1; /* said or not */
	memcpy(x.pkt.meta, t->data_in, t->data_size_in);
	if (is_live(t))
		run_live(p, &x, t);
	else
		test_run_repeat(p, &x, t);
	err = test_run_results(&x, &md, t);
	mem_free(mem, page);
	return err;
}

const struct hook hook_xdp = {
	.name = "xdp",
	.prog_type = BPF_PROG_TYPE_XDP,
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_XDP),
	.ctx_size = sizeof(struct xdp_md),
	.fields = fields,
	.field_ok = field_ok,
	.rets = rets,
	.pkt_write = true,
	.regions = regions,
	.test_run = test_run,
};
