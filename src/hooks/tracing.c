/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tracing hooks: programs that look at what a function, an event or a counter is about.
 *
 * kprobe's context is struct pt_regs of x86-64, perf_event's is that with the sample's period and address
 * behind it, a tracepoint's the record of the event, of which the first 8 bytes are the kernel's own; raw
 * tracepoints get the arguments as an array of 64-bit words.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/prog.h"
#include "hooks/md.h"

enum {
	MAX_ARGS = 12,
	MAX_EVENT = 8192,
	TEST_RUN_ON_CPU = 1 << 0,
};

struct pt_regs {
	uint64_t regs[21];
};

struct perf_event_md {
	struct pt_regs regs;
	uint64_t sample_period, addr;
};

struct event {
	uint64_t own;
	uint8_t record[MAX_EVENT - sizeof(uint64_t)];
};

struct raw_args {
	uint64_t args[MAX_ARGS];
};

struct raw_args_writable {
	uint64_t buffer;
	uint64_t args[MAX_ARGS - 1];
};

static const struct ctx_field kprobe_fields[] = {
	MD(pt_regs, regs, FIELD_NARROW, SCALAR),
	{NULL},
};

static const struct ctx_field perf_event_fields[] = {
	MD(perf_event_md, regs, FIELD_LONGS, SCALAR),
	MD(perf_event_md, sample_period, MD_P, SCALAR),
	MD(perf_event_md, addr, MD_P, SCALAR),
	{NULL},
};

static const struct ctx_field tracepoint_fields[] = {
	MD(event, record, FIELD_NARROW, SCALAR),
	{NULL},
};

static const struct ctx_field raw_fields[] = {
	MD(raw_args, args, FIELD_NARROW, SCALAR),
	{NULL},
};

static const struct ctx_field raw_writable_fields[] = {
	MD(raw_args_writable, buffer, FIELD_R | FIELD_BEHIND, TP_BUFFER),
	MD(raw_args_writable, args, FIELD_NARROW, SCALAR),
	{NULL},
};

static unsigned kprobe_regions(const void *ctx, struct region *r, unsigned max)
{
	return md_region(ctx, sizeof(struct pt_regs), r, max);
}

static unsigned perf_event_regions(const void *ctx, struct region *r, unsigned max)
{
	return md_region(ctx, sizeof(struct perf_event_md), r, max);
}

static unsigned raw_regions(const void *ctx, struct region *r, unsigned max)
{
	return md_region(ctx, sizeof(struct raw_args), r, max);
}

/* The event's record is as long as the event says; who runs the program knows it. */
static unsigned tracepoint_regions(const void *ctx, struct region *r, unsigned max)
{
	return md_region(ctx, MAX_EVENT, r, max);
}

static bool uprobe_may_sleep(uint32_t attach_type)
{
	return true;
}

/* A session's program says whether the function's return shall be seen, too. */
static const struct ret_range kprobe_rets[] = {
	{BPF_TRACE_KPROBE_SESSION, 0, 1, false},
	{BPF_TRACE_UPROBE_SESSION, 0, 1, false},
	{RET_ANY_ATTACH, 0, 0, true},
};

/* How much of the arguments the program reads. */
static uint32_t args_read(const struct prog *p)
{
	return p->max_ctx_offset;
}

/* No packet, no repetition: once, on the CPU that is asked for. */
static int raw_test_run(struct prog *p, struct test_run *t)
{
	struct raw_args ctx = {0};
	struct test_run once = {.repeat = 1, .fault = t->fault};

	if (t->data_in || t->data_out || t->ctx_out || t->duration || t->repeat || t->batch_size)
		return -EINVAL;
	if (t->ctx_size_in < args_read(p) || t->ctx_size_in > sizeof(ctx))
		return -EINVAL;
	if (!(t->flags & TEST_RUN_ON_CPU) && t->cpu)
		return -EINVAL;
	if (t->flags & TEST_RUN_ON_CPU && t->cpu >= p->obj.k->ncpus)
		return -ENXIO;
	if (t->ctx_size_in)
		memcpy(&ctx, t->ctx_in, t->ctx_size_in);
	test_run_repeat(p, &ctx, &once);
	t->retval = once.retval;
	t->bare = true;
	t->faulted = once.faulted;
	return 0;
}

#define TRACER(text, type)                                                                         \
	.name = text, .prog_type = BPF_PROG_TYPE_##type,                                           \
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_##type)

const struct hook hook_kprobe = {
	TRACER("kprobe", KPROBE),
	.ctx_size = sizeof(struct pt_regs),
	.fields = kprobe_fields,
	.ret_ranges = kprobe_rets,
	.may_sleep = uprobe_may_sleep,
	.regions = kprobe_regions,
};

const struct hook hook_perf_event = {
	TRACER("perf_event", PERF_EVENT),
	.ctx_size = sizeof(struct perf_event_md),
	.fields = perf_event_fields,
	.regions = perf_event_regions,
};

const struct hook hook_tracepoint = {
	TRACER("tracepoint", TRACEPOINT),
	.ctx_size = sizeof(struct event),
	.fields = tracepoint_fields,
	.regions = tracepoint_regions,
};

const struct hook hook_raw_tracepoint = {
	TRACER("raw_tracepoint", RAW_TRACEPOINT),
	.ctx_size = sizeof(struct raw_args),
	.fields = raw_fields,
	.regions = raw_regions,
	.test_run = raw_test_run,
};

const struct hook hook_raw_tracepoint_writable = {
	TRACER("raw_tracepoint_writable", RAW_TRACEPOINT_WRITABLE),
	.ctx_size = sizeof(struct raw_args_writable),
	.fields = raw_writable_fields,
	.regions = raw_regions,
};
