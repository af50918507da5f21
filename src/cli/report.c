/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What came out of a run: verdicts by name, speed, what the checked engine found, and with two sides
 * whether every verdict and every packet is the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exec.h"

enum { ETHER_HEADER = 14 };

const char *verdict_name(const struct side *s, uint32_t code, char buf[16])
{
	static const char *const xdp[] = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX", "XDP_REDIRECT"};
	const char *name = NULL;

	if (s->skep_prog)
		name = skep_verdict_name(s->skep_prog, (int32_t)code);
	else if (bpf_program__type(s->prog) == BPF_PROG_TYPE_XDP && code < sizeof(xdp) / sizeof(xdp[0]))
		name = xdp[code];
	if (name)
		return name;
	snprintf(buf, 16, "%" PRId32, (int32_t)code);
	return buf;
}

/* --- Verdicts --------------------------------------------------------------------------------- */

static uint64_t tally_of(const struct run *r, uint32_t code)
{
	for (size_t i = 0; i < r->ntallies; i++)
		if (r->tallies[i].code == code)
			return r->tallies[i].n;
	return 0;
}

static int by_code(const void *a, const void *b)
{
	int32_t x = (int32_t)((const struct tally *)a)->code, y = (int32_t)((const struct tally *)b)->code;

	return (x > y) - (x < y);
}

static void report_verdicts(struct out *out, struct side *sides, size_t nsides)
{
	size_t total = 0, n = 0;
	struct tally *all;
	char buf[16];

	for (size_t s = 0; s < nsides; s++)
		total += sides[s].run.ntallies;
	all = calloc(total + 1, sizeof(*all));
	if (!all)
		return;
	for (size_t s = 0; s < nsides; s++) {
		for (size_t i = 0; i < sides[s].run.ntallies; i++) {
			uint32_t code = sides[s].run.tallies[i].code;
			size_t j = 0;

			while (j < n && all[j].code != code)
				j++;
			if (j == n)
				all[n++].code = code;
		}
	}
	qsort(all, n, sizeof(*all), by_code);
	out_list(out, "verdicts");
	for (size_t i = 0; i < n; i++) {
		out_object(out, NULL);
		out_str(out, "verdict", verdict_name(&sides[0], all[i].code, buf));
		out_int(out, "code", (int32_t)all[i].code);
		for (size_t s = 0; s < nsides; s++)
			out_uint(out, sides[s].name, tally_of(&sides[s].run, all[i].code));
		out_close(out);
	}
	out_close(out);
	free(all);
}

/* --- Speed ------------------------------------------------------------------------------------ */

static void report_speed(struct out *out, struct side *sides, size_t nsides)
{
	out_list(out, "speed");
	for (size_t s = 0; s < nsides; s++) {
		const struct run *r = &sides[s].run;
		uint64_t ran = r->runs - r->refused;

		out_object(out, NULL);
		out_str(out, "on", sides[s].name);
		out_str(out, "engine", sides[s].k ? skep_prog_engine(sides[s].skep_prog) : "kernel");
		out_uint(out, "runs", ran);
		out_real(out, "ns_per_run", ran ? (double)r->ns / (double)ran : 0, 1);
		out_uint(out, "runs_per_second", r->ns ? (uint64_t)((double)ran * 1e9 / (double)r->ns) : 0);
		out_real(out, "seconds_in_all", (double)r->wall_ns / 1e9, 3);
		out_close(out);
	}
	out_close(out);
}

/* --- Differences ------------------------------------------------------------------------------ */

/* A socket filter sees no link header, and the kernel gives none back: it puts zeros there. */
static uint32_t compared_from(const struct side *s)
{
	uint32_t type = bpf_program__type(s->prog);

	return type == BPF_PROG_TYPE_XDP || type == BPF_PROG_TYPE_SCHED_CLS ||
	       type == BPF_PROG_TYPE_SCHED_ACT ? 0 : ETHER_HEADER;
}

static bool same_packet(const struct side *a, const struct side *b, size_t i, uint32_t skip)
{
	const struct packet *p = &a->run.work->packets[i], *q = &b->run.work->packets[i];

	if (p->len != q->len)
		return false;
	return p->len <= skip || !memcmp(a->run.work->arena + p->at + skip,
	                                 b->run.work->arena + q->at + skip, p->len - skip);
}

static int report_differences(struct out *out, const struct side *a, const struct side *b)
{
	size_t n = a->run.work->n, compared = 0, verdicts = 0, packets = 0, first = SIZE_MAX;
	uint32_t skip = compared_from(a);
	char x[16], y[16];

	if (a->run.runs != b->run.runs) /* interrupted */
		n = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t va = a->run.verdicts[i], vb = b->run.verdicts[i];

		if (va == REFUSED || vb == REFUSED)
			continue;
		compared++;
		verdicts += va != vb;
		packets += !same_packet(a, b, i, skip);
		if ((verdicts || packets) && first == SIZE_MAX)
			first = i;
	}
	out_object(out, "comparison");
	out_uint(out, "packets_compared", compared);
	out_bool(out, "every_verdict_identical", !verdicts);
	out_bool(out, "every_packet_identical", !packets);
	if (first != SIZE_MAX) {
		out_uint(out, "different_verdicts", verdicts);
		out_uint(out, "different_packets", packets);
		out_uint(out, "first_difference", first + 1);
		out_str(out, a->name, verdict_name(a, (uint32_t)a->run.verdicts[first], x));
		out_str(out, b->name, verdict_name(b, (uint32_t)b->run.verdicts[first], y));
	}
	out_close(out);
	return verdicts || packets ? EXIT_FAILED : EXIT_OK;
}

/* --- All of it -------------------------------------------------------------------------------- */

static void report_head(struct out *out, const struct exec_options *o, const struct side *s)
{
	const struct capture *c = s->run.work;
	size_t code = 0;

	out_str(out, "object", file_name(o->object));
	out_str(out, "program", bpf_program__name(s->prog));
	out_str(out, "type", libbpf_bpf_prog_type_str(bpf_program__type(s->prog)));
	if (s->k && skep_prog_code(s->skep_prog, &code))
		out_uint(out, "machine_code_bytes", code);
	if (o->pcap) {
		out_uint(out, "packets", c->n);
		if (c->cut)
			out_uint(out, "packets_cut_short_by_the_capture", c->cut);
	}
}

static int report_troubles(const struct side *s)
{
	const struct run *r = &s->run;

	if (r->refused)
		warn("the kernel takes %zu of the packets for no test run, the first is packet %zu of "
		     "%u bytes: %s", r->refused, r->first_refused + 1,
		     r->work->packets[r->first_refused].len, bpf_strerror(r->refused_errno));
	if (r->faults)
		return fail(EXIT_FAILED, "%zu runs were ended, the first at packet %zu: %s", r->faults,
		            r->first_fault + 1, r->fault);
	return EXIT_OK;
}

/* A single run: what the program left, in full. */
static void report_single(struct out *out, const struct side *s, bool data)
{
	const struct run *r = &s->run;
	const struct packet *p = &r->work->packets[0];

	if (data)
		out_bytes(out, "data_out", r->work->arena + p->at, p->len);
	if (r->ctx_out.data)
		out_bytes(out, "ctx_out", r->ctx_out.data, r->ctx_out.len);
}

int report(struct out *out, const struct exec_options *o, struct side *sides, size_t nsides)
{
	int code = EXIT_OK, worst;

	report_head(out, o, &sides[0]);
	report_verdicts(out, sides, nsides);
	report_speed(out, sides, nsides);
	if (!o->pcap)
		report_single(out, &sides[0], o->data.data);
	if (nsides == 2)
		code = report_differences(out, &sides[0], &sides[1]);
	for (size_t s = 0; s < nsides; s++) {
		worst = report_troubles(&sides[s]);
		code = worst ? worst : code;
	}
	return code;
}

int packets_write(const char *path, const struct side *s)
{
	const struct capture *c = s->run.work;
	FILE *to = strcmp(path, "-") ? fopen(path, "wb") : stdout;
	size_t n = s->run.runs < c->n ? (size_t)s->run.runs : c->n;
	char buf[16];
	bool bad;

	if (!to)
		return fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
	pcapng_write_head(to, "skep " SKEP_VERSION);
	for (size_t i = 0; i < n; i++) {
		const struct packet *p = &c->packets[i];
		uint64_t v = s->run.verdicts[i];

		pcapng_write_packet(to, p->time_ns, c->arena + p->at, p->len, p->wire_len,
		                    v == REFUSED ? "refused" : verdict_name(s, (uint32_t)v, buf));
	}
	bad = fflush(to) || ferror(to);
	if (to != stdout && fclose(to))
		bad = true;
	if (bad)
		return fail(EXIT_FAILED, "%s: not written in full: %s", path, strerror(errno));
	return EXIT_OK;
}
