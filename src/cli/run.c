/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program over every packet of a capture, in place.
 *
 * On Skep each packet is one call, and its time what the thread had of a CPU, so that a busy machine does
 * not show. On the real kernel it is one BPF_PROG_TEST_RUN, which copies the packet in and out; the time is
 * what the kernel measured around the program, on the clock. Before a pass after the first, packets are put
 * back as they were read, outside of the measured time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "cli/exec.h"

enum {
	CHUNK = 1024, /* packets between looks at the clock, Ctrl-C and the terminal */
	AHEAD = 4,    /* packets that are fetched into the cache before their turn */
};

/* What a kind of side does with packets [from, to). */
typedef void (*chunk_fn)(struct side *s, size_t from, size_t to, void *arg);

static void count(struct run *r, uint32_t code)
{
	struct tally *t;
	size_t i = 0;

	while (i < r->ntallies && r->tallies[i].code != code)
		i++;
	if (i == r->ntallies) {
		t = reallocarray(r->tallies, i + 1, sizeof(*t));
		if (!t)
			return;
		r->tallies = t;
		r->tallies[r->ntallies++] = (struct tally){code, 0};
	}
	r->tallies[i].n++;
	/* Towards the front: the search is short for what is frequent. */
	if (i && r->tallies[i].n > r->tallies[i - 1].n) {
		struct tally swap = r->tallies[i];

		r->tallies[i] = r->tallies[i - 1];
		r->tallies[i - 1] = swap;
	}
}

bool takes_packets(enum bpf_prog_type type)
{
	return type == BPF_PROG_TYPE_XDP || type == BPF_PROG_TYPE_SOCKET_FILTER ||
	       type == BPF_PROG_TYPE_SCHED_CLS || type == BPF_PROG_TYPE_SCHED_ACT;
}

/* --- Skep ------------------------------------------------------------------------------------- */

static inline struct skep_xdp packet_ctx(const struct capture *c, const struct packet *p)
{
	uint8_t *data = c->arena + p->at;

	return (struct skep_xdp){
		.data = data,
		.end = data + p->len,
		.meta = data,
		.head = data - CAPTURE_HEADROOM,
		.limit = data + p->len + CAPTURE_TAILROOM,
		.ingress_ifindex = 1,
	};
}

/* The program left `len` bytes at `at`. */
static inline void packet_done(struct packet *p, size_t at, uint32_t len)
{
	p->at = at;
	p->wire_len += len - p->len;
	p->len = len;
}

static void note_fault(struct run *r, size_t packet, struct skep_cpu *cpu)
{
	const char *text = skep_cpu_fault(cpu);

	if (text && !r->faults++) {
		r->first_fault = packet;
		snprintf(r->fault, sizeof(r->fault), "%s", text);
	}
}

static void skep_xdp_chunk(struct side *s, size_t from, size_t to, void *cpu)
{
	struct run *r = &s->run;
	struct capture *c = r->work;
	bool checked = !strcmp(skep_prog_engine(s->skep_prog), "checked");

	for (size_t i = from; i < to; i++) {
		struct packet *p = &c->packets[i];
		struct skep_xdp x = packet_ctx(c, p);

		if (i + AHEAD < c->n)
			__builtin_prefetch(c->arena + p[AHEAD].at, 1);
		r->verdicts[i] = (uint32_t)skep_prog_run(s->skep_prog, &x, cpu);
		if (checked)
			note_fault(r, i, cpu);
		packet_done(p, (size_t)(x.data - c->arena), (uint32_t)(x.end - x.data));
	}
}

static void skep_skb_chunk(struct side *s, size_t from, size_t to, void *cpu)
{
	static const struct skep_skb_in in = {.ifindex = 1};
	struct run *r = &s->run;
	struct capture *c = r->work;

	for (size_t i = from; i < to; i++) {
		struct packet *p = &c->packets[i];
		struct skep_xdp x = packet_ctx(c, p);

		r->verdicts[i] = (uint32_t)skep_skb_run(s->skep_prog, &x, &in, cpu);
		note_fault(r, i, cpu);
		packet_done(p, (size_t)(x.data - c->arena), (uint32_t)(x.end - x.data));
	}
}

/* --- The real kernel -------------------------------------------------------------------------- */

static void kernel_chunk(struct side *s, size_t from, size_t to, void *arg)
{
	struct run *r = &s->run;
	struct capture *c = r->work;

	(void)arg;
	for (size_t i = from; i < to; i++) {
		struct packet *p = &c->packets[i];
		DECLARE_LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = c->arena + p->at,
		                    .data_size_in = p->len,
		                    .data_out = c->arena + p->at - CAPTURE_HEADROOM,
		                    .data_size_out = CAPTURE_HEADROOM + p->len + CAPTURE_TAILROOM);
		int err = bpf_prog_test_run_opts(s->fd, &t);

		if (err) {
			if (!r->refused++) {
				r->first_refused = i;
				r->refused_errno = -err;
			}
			r->verdicts[i] = REFUSED;
			continue;
		}
		packet_done(p, p->at - CAPTURE_HEADROOM, t.data_size_out);
		r->verdicts[i] = t.retval;
		r->ns += t.duration;
	}
}

/* --- Both ------------------------------------------------------------------------------------- */

/* So that per-CPU maps fill on the same CPU on either side. Answers whether `before` was filled in. */
static bool stay_on_one_cpu(cpu_set_t *before)
{
	cpu_set_t one;

	if (sched_getaffinity(0, sizeof(*before), before))
		return false;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, before)) {
			CPU_SET(cpu, &one);
			break;
		}
	}
	sched_setaffinity(0, sizeof(one), &one);
	return true;
}

static void put_back(struct run *r)
{
	struct capture *c = r->work;

	for (size_t i = 0; i < c->n; i++) {
		const struct packet *p = &r->input->packets[i];

		c->packets[i] = *p;
		memcpy(c->arena + p->at, r->input->arena + p->at, p->len);
	}
}

static void passes(struct side *s, chunk_fn chunk, void *arg)
{
	struct run *r = &s->run;
	size_t n = r->work->n;
	uint64_t start, cpu_start;

	for (uint64_t pass = 0; pass < r->repeat && !interrupted; pass++) {
		if (pass)
			put_back(r);
		for (size_t from = 0; from < n && !interrupted; from += CHUNK) {
			size_t to = n - from < CHUNK ? n : from + CHUNK;

			start = now_ns();
			cpu_start = cpu_ns();
			chunk(s, from, to, arg);
			if (s->k)
				r->ns += cpu_ns() - cpu_start;
			r->wall_ns += now_ns() - start;
			for (size_t i = from; i < to; i++)
				if (r->verdicts[i] != REFUSED)
					count(r, (uint32_t)r->verdicts[i]);
			r->runs += to - from;
			progress(s->name, r->runs, r->repeat * n);
		}
	}
}

int run_capture(struct side *s)
{
	struct run *r = &s->run;
	uint32_t type = bpf_program__type(s->prog);
	struct skep_cpu *cpu;
	cpu_set_t before;
	bool pinned;

	r->verdicts = calloc(r->work->n + 1, sizeof(*r->verdicts));
	if (!r->verdicts)
		return fail(EXIT_FAILED, "out of memory for %zu packets", r->work->n);
	pinned = stay_on_one_cpu(&before);
	if (s->k) {
		cpu = skep_cpu_enter(s->k);
		passes(s, type == BPF_PROG_TYPE_XDP ? skep_xdp_chunk : skep_skb_chunk, cpu);
		skep_cpu_leave(cpu);
	} else {
		passes(s, kernel_chunk, NULL);
	}
	if (pinned)
		sched_setaffinity(0, sizeof(before), &before);
	return 0;
}

static int fail_single(const struct side *s, const struct exec_options *o, int err)
{
	const char *type = libbpf_bpf_prog_type_str(bpf_program__type(s->prog));

	if (s->fault[0])
		return fail(EXIT_FAILED, "the run was ended: %s", s->fault);
	if (err == ENOTSUPP_KERNEL || err == ENOTSUP)
		return fail(s->k ? EXIT_UNSUPPORTED : EXIT_FAILED,
		            "%s: programs of type %s cannot be run by themselves on the %s",
		            file_name(o->object), type, s->name);
	if (err == EINVAL)
		return fail(EXIT_BAD_INPUT, "%s refuses this input for a program of type %s (data of %zu "
		            "bytes, context of %zu): see `skep help exec` for what --data and --ctx "
		            "take", s->name, type, o->data.len, o->ctx.len);
	return fail(EXIT_FAILED, "the run on the %s failed: %s", s->name, bpf_strerror(err));
}

int run_single(struct side *s, const struct exec_options *o)
{
	struct run *r = &s->run;
	struct capture *c = r->work;
	struct packet *p = &c->packets[0];
	uint8_t *ctx = o->ctx.data ? malloc(o->ctx.len + 1) : NULL;
	/* Types without packets change their context in place, and take no word on how often. */
	bool in_place = !takes_packets(bpf_program__type(s->prog));
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, t, .repeat = r->repeat > 1 ? (int)r->repeat : 0,
	                    .ctx_in = ctx, .ctx_size_in = (uint32_t)o->ctx.len,
	                    .ctx_out = in_place ? NULL : ctx,
	                    .ctx_size_out = in_place ? 0 : (uint32_t)o->ctx.len);
	uint64_t start;
	int err;

	r->verdicts = calloc(1, sizeof(*r->verdicts));
	if (!r->verdicts || (o->ctx.data && !ctx))
		return fail(EXIT_FAILED, "out of memory");
	if (ctx)
		memcpy(ctx, o->ctx.data, o->ctx.len);
	if (o->data.data) {
		t.data_in = c->arena + p->at;
		t.data_size_in = p->len;
		t.data_out = c->arena + p->at - CAPTURE_HEADROOM;
		t.data_size_out = CAPTURE_HEADROOM + p->len + CAPTURE_TAILROOM;
	}
	start = now_ns();
	err = bpf_prog_test_run_opts(s->fd, &t);
	if (err) {
		free(ctx);
		return fail_single(s, o, -err);
	}
	r->wall_ns = now_ns() - start;
	r->ns = t.duration * r->repeat;
	r->runs = r->repeat;
	r->verdicts[0] = t.retval;
	count(r, t.retval);
	r->ctx_out = (struct exec_bytes){ctx, in_place ? o->ctx.len : t.ctx_size_out};
	if (o->data.data)
		packet_done(p, p->at - CAPTURE_HEADROOM, t.data_size_out);
	return 0;
}

void run_free(struct run *r)
{
	free(r->verdicts);
	free(r->tallies);
	free(r->ctx_out.data);
	memset(r, 0, sizeof(*r));
}
