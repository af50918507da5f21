/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep filter --pcap: a filter over a capture of any size, in constant memory. What matches is written as it
 * stands in the input: record by record, with the headers and the other blocks that belong to it.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/exec.h"
#include "cli/filter.h"

enum { OUT_BUFFER = 1 << 20, LOOK_EVERY = 1 << 14 };

struct run_state {
	const struct filter *f;
	struct skep_filter *filter;
	struct skep_cpu *cpu;
	FILE *out;
	uint64_t packets, matched, bytes, matched_bytes;
	uint64_t other_link; /* packets of another link type */
	uint32_t other;
};

static void on_interrupt(int sig)
{
	interrupted = 1;
}

/* Does this record go into the output? Counts it. */
static bool wanted(struct run_state *s, const struct record *rec)
{
	if (!rec->packet)
		return true;
	s->packets++;
	s->bytes += rec->len;
	if (rec->link_type != s->f->link_type) {
		if (!s->other_link++)
			s->other = rec->link_type;
		return false;
	}
	if (!skep_filter_run(s->filter, rec->data, rec->len, rec->wire_len, s->cpu))
		return false;
	s->matched++;
	s->matched_bytes += rec->len;
	return true;
}

/* All records from the first on. 1 never; 0, or the reader's error. */
static int run_records(struct run_state *s, struct records *r, const struct record *first, uint64_t total)
{
	struct record rec = *first;
	uint64_t n = 0;
	int more = 1;

	while (more > 0 && !interrupted) {
		if (wanted(s, &rec) && s->out)
			fwrite(rec.raw, 1, rec.raw_len, s->out);
		if (++n % LOOK_EVERY == 0 && total)
			progress("bytes", r->base + r->at < total ? r->base + r->at : total - 1, total);
		more = records_next(r, &rec);
	}
	progress("bytes", total, total);
	return more < 0 ? more : 0;
}

static void report_run(const struct filter_options *o, const struct run_state *s, uint64_t wall)
{
	double seconds = (double)wall / 1e9;
	struct out *out;

	if (o->count && !o->json) {
		printf("%" PRIu64 "\n", s->matched);
		return;
	}
	out = out_new(o->json);
	out_uint(out, "matched", s->matched);
	out_uint(out, "packets", s->packets);
	out_uint(out, "matched_bytes", s->matched_bytes);
	out_uint(out, "bytes", s->bytes);
	out_str(out, "engine", skep_prog_engine(skep_filter_prog(s->filter)));
	out_uint(out, "instructions", s->f->n);
	out_real(out, "seconds", seconds, 3);
	out_uint(out, "packets_per_second", seconds > 0 ? (uint64_t)((double)s->packets / seconds) : 0);
	out_end(out);
}

/* Opens the output, unless it is the input. */
static int open_out(const struct filter_options *o, FILE **out)
{
	static char buffer[OUT_BUFFER];
	struct stat in, there;

	if (!o->out)
		return 0;
	if (!strcmp(o->out, "-")) {
		*out = stdout;
	} else {
		if (!stat(o->pcap, &in) && !stat(o->out, &there) && in.st_dev == there.st_dev &&
		    in.st_ino == there.st_ino)
			return fail(EXIT_USAGE, "--out: %s is the input itself", o->out);
		*out = fopen(o->out, "wb");
	}
	if (!*out)
		return fail(EXIT_BAD_INPUT, "%s: %s", o->out, strerror(errno));
	setvbuf(*out, buffer, _IOFBF, sizeof(buffer));
	return 0;
}

static int run_open(const struct filter_options *o, struct run_state *s, struct records *r,
                    const struct record *first)
{
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
	struct stat st;
	bool plain = !stat(o->pcap, &st) && S_ISREG(st.st_mode) && r->base + r->len <= (uint64_t)st.st_size;
	uint64_t start = now_ns();
	int err, code = 0;

	err = open_out(o, &s->out);
	if (err)
		return err;
	sigaction(SIGINT, &action, NULL);
	err = run_records(s, r, first, plain ? (uint64_t)st.st_size : 0);
	if (s->out && (fflush(s->out) || ferror(s->out)))
		code = fail(EXIT_FAILED, "%s: %s", o->out, strerror(errno));
	if (s->out && s->out != stdout)
		fclose(s->out);
	if (!o->out || strcmp(o->out, "-"))
		report_run(o, s, now_ns() - start);
	if (s->other_link)
		warn("%s: %" PRIu64 " packets of link type %u (%s) match nothing: the filter is for %u (%s)",
		     file_name(o->pcap), s->other_link, s->other, link_type_name(s->other), s->f->link_type,
		     link_type_name(s->f->link_type));
	if (interrupted)
		return fail(EXIT_FAILED, "interrupted after %" PRIu64 " packets", s->packets);
	if (err)
		return fail(err == -ENOMEM ? EXIT_FAILED : EXIT_BAD_INPUT, "%s: damaged %s; the %" PRIu64
		            " packets before were looked at", file_name(o->pcap), r->error, s->packets);
	return code;
}

int filter_run(const struct filter_options *o, const struct filter *f, struct records *r,
               const struct record *first)
{
	const struct skep_options options = {.size = sizeof(options)};
	struct run_state s = {.f = f};
	struct skep_cbpf_error e = {0};
	struct skep *k;
	int err = skep_new(&options, &k);

	if (err)
		return fail(EXIT_FAILED, "no kernel: %s", strerror(-err));
	err = skep_filter_new(k, f->insns, f->n, f->kind, f->link_type, &s.filter, &e);
	if (err) {
		skep_free(k);
		return fail(EXIT_FAILED, "%s: %s", f->name, *e.text ? e.text : strerror(-err));
	}
	s.cpu = skep_cpu_enter(k);
	err = run_open(o, &s, r, first);
	skep_cpu_leave(s.cpu);
	skep_filter_free(s.filter);
	skep_free(k);
	return err;
}
