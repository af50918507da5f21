/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The debugger of filters, in the manner of the kernel's bpf_dbg: commands from standard input, one a line,
 * so that it can be scripted; and --explain, which is one run of it told in prose.
 *
 * Filters run forward only: a run is at most as long as the filter, so that every state of it is kept, and
 * stepping back is going to the state before.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/filter.h"

enum { TEXT = 120 };

struct debugger {
	struct filter *f;
	struct filter_packets packets;
	size_t selected; /* from 0 */
	struct skep_cbpf_packet packet;
	struct skep_cbpf_state *trail; /* [f->n + 1], states so far; trail[at] is the present one */
	size_t at;
	uint8_t *breakpoints; /* [f->n] */
	bool failed;          /* a command did not make sense: the exit code of a script says so */
};

/* --- The machine ----------------------------------------------------------------------------- */

static struct skep_cbpf_state *now(struct debugger *d)
{
	return &d->trail[d->at];
}

static int restart(struct debugger *d)
{
	static const uint8_t nothing[1];
	const struct filter_packet *p = d->packets.n ? &d->packets.of[d->selected] : NULL;

	skep_cbpf_packet_init(&d->packet, p ? p->data : nothing, p ? p->len : 0, p ? p->wire_len : 0,
	                      d->f->link_type);
	d->at = 0;
	free(d->trail);
	d->trail = calloc(d->f->n + 1, sizeof(*d->trail));
	return d->trail ? 0 : fail(EXIT_FAILED, "out of memory");
}

/* One instruction. False: the run is over. */
static bool forward(struct debugger *d)
{
	struct skep_cbpf_state next = *now(d);

	if (!skep_cbpf_step(d->f->insns, d->f->n, d->f->kind, &d->packet, &next))
		return false;
	d->trail[++d->at] = next;
	return true;
}

static void show_insn(const struct debugger *d, size_t pc, char mark)
{
	char text[TEXT];

	skep_cbpf_insn_text(d->f->insns, d->f->n, pc, text, sizeof(text));
	printf("%c%c l%zu:\t%s\n", mark, d->breakpoints && d->breakpoints[pc] ? '*' : ' ', pc, text);
}

static const char *ending(const struct skep_cbpf_state *s)
{
	switch (s->done) {
	case 1: return s->ret ? "matches" : "does not match";
	case 2: return "does not match: the load is outside of the packet";
	}
	return "does not match: division by zero";
}

static void show_state(struct debugger *d)
{
	const struct skep_cbpf_state *s = now(d);

	if (s->done)
		printf("   packet %zu %s (returned %u)\n", d->selected + 1, ending(s), s->ret);
	else
		show_insn(d, s->pc, '>');
	printf("   A = 0x%08x (%u)  X = 0x%08x (%u)\n", s->a, s->a, s->x, s->x);
	for (unsigned i = 0, shown = 0; i < SKEP_CBPF_WORDS; i++)
		if (s->m[i]) {
			printf("%s M[%u] = 0x%08x", shown % 4 ? " " : "  ", i, s->m[i]);
			if (++shown % 4 == 0)
				putchar('\n');
			if (i + 1 == SKEP_CBPF_WORDS && shown % 4)
				putchar('\n');
		} else if (i + 1 == SKEP_CBPF_WORDS && shown % 4) {
			putchar('\n');
		}
	if (s->size)
		filter_dump(d->packet.data, d->packet.len, s->at, s->size);
}

/* --- Commands -------------------------------------------------------------------------------- */

static bool say_no(struct debugger *d, const char *text, const char *what)
{
	printf("? %s%s\n", text, what);
	d->failed = true;
	return false;
}

/* A number within 0..most, or `otherwise` when there is none. */
static bool number(struct debugger *d, const char *arg, size_t otherwise, size_t most, size_t *to)
{
	char *end;

	*to = otherwise;
	if (!*arg)
		return true;
	arg += *arg == 'l' && isdigit((unsigned char)arg[1]);
	errno = 0;
	*to = strtoull(arg, &end, 0);
	if (errno || *end || *arg == '-' || *to > most) {
		printf("? '%.30s' is no number up to %zu\n", arg, most);
		d->failed = true;
		return false;
	}
	return true;
}

static bool ready(struct debugger *d)
{
	if (!d->f->n)
		return say_no(d, "no filter: load bpf FILE", "");
	if (!d->packets.n)
		return say_no(d, "no packets: load pcap FILE", "");
	return true;
}

static void do_step(struct debugger *d, const char *arg)
{
	size_t n;
	bool back = !strncmp(arg, "back", 4);

	if (back)
		for (arg += 4; *arg == ' '; arg++)
			;
	if (!ready(d) || !number(d, arg, 1, SKEP_CBPF_MAX_INSNS, &n))
		return;
	if (back)
		d->at -= n < d->at ? n : d->at;
	else
		while (n-- && forward(d))
			;
	show_state(d);
}

/* From here, or from the start when the run is over, to a breakpoint or the end. True: the end. */
static bool go(struct debugger *d)
{
	if (now(d)->done)
		d->at = 0;
	while (forward(d))
		if (!now(d)->done && d->breakpoints[now(d)->pc])
			return false;
	return true;
}

/* run: the packet that is selected; run N: so many packets from it on, and how many match. */
static void do_run(struct debugger *d, const char *arg)
{
	size_t n, pass = 0, seen = 0;

	if (!ready(d) || !number(d, arg, 0, SIZE_MAX, &n))
		return;
	if (!n) {
		go(d);
		show_state(d);
		return;
	}
	for (; seen < n && d->selected + seen < d->packets.n; seen++) {
		struct skep_cbpf_packet p;
		const struct filter_packet *of = &d->packets.of[d->selected + seen];

		skep_cbpf_packet_init(&p, of->data, of->len, of->wire_len, d->f->link_type);
		pass += skep_cbpf_run(d->f->insns, d->f->n, d->f->kind, &p) != 0;
	}
	printf("   %zu of %zu packets match\n", pass, seen);
}

static void do_select(struct debugger *d, const char *arg)
{
	size_t n;

	if (!d->packets.n) {
		say_no(d, "no packets: load pcap FILE", "");
		return;
	}
	if (!number(d, arg, 1, d->packets.n, &n))
		return;
	if (!n) {
		say_no(d, "packets count from 1", "");
		return;
	}
	d->selected = n - 1;
	if (!restart(d))
		printf("   packet %zu of %zu: %u bytes\n", n, d->packets.n, d->packets.of[n - 1].len);
}

static void do_breakpoint(struct debugger *d, const char *arg)
{
	size_t n;

	if (!d->f->n) {
		say_no(d, "no filter: load bpf FILE", "");
		return;
	}
	if (!strcmp(arg, "reset")) {
		memset(d->breakpoints, 0, d->f->n);
		return;
	}
	if (!number(d, arg, 0, d->f->n - 1, &n))
		return;
	if (*arg)
		d->breakpoints[n] ^= 1;
	for (size_t pc = 0; pc < d->f->n; pc++)
		if (d->breakpoints[pc])
			show_insn(d, pc, ' ');
}

static void do_disassemble(struct debugger *d, const char *arg)
{
	for (size_t pc = 0; pc < d->f->n; pc++)
		show_insn(d, pc, d->trail && !now(d)->done && now(d)->pc == pc ? '>' : ' ');
}

static void do_dump(struct debugger *d, const char *arg)
{
	if (d->packets.n)
		filter_dump(d->packet.data, d->packet.len, now(d)->at, now(d)->size);
	else
		say_no(d, "no packets: load pcap FILE", "");
}

static void do_state(struct debugger *d, const char *arg)
{
	if (ready(d))
		show_state(d);
}

static void do_where(struct debugger *d, const char *arg)
{
	if (ready(d))
		for (size_t i = 0; i < d->at; i++)
			show_insn(d, d->trail[i].pc, ' ');
}

static bool new_filter(struct debugger *d)
{
	free(d->breakpoints);
	d->breakpoints = calloc(d->f->n + 1, 1);
	return d->breakpoints && !restart(d);
}

/* load bpf FILE, load pcap FILE, load bpf 4,40 0 0 12,... as bpf_dbg has it. */
static void do_load(struct debugger *d, const char *arg)
{
	struct filter f = {.link_type = d->f->link_type};
	struct skep_cbpf_error e = {0};

	if (!strncmp(arg, "pcap ", 5)) {
		struct filter_packets p = {0};

		if (filter_packets_read(arg + 5, &p)) {
			filter_packets_free(&p);
			d->failed = true;
			return;
		}
		filter_packets_free(&d->packets);
		d->packets = p;
		d->selected = 0;
		d->f->link_type = p.link_type;
		if (!restart(d))
			printf("   %zu packets\n", p.n);
		return;
	}
	if (strncmp(arg, "bpf ", 4)) {
		say_no(d, "load bpf FILE, load bpf N,CODE JT JF K,... or load pcap FILE", "");
		return;
	}
	arg += 4;
	if (isdigit((unsigned char)*arg) && strchr(arg, ',')) {
		if (skep_cbpf_read(arg, strlen(arg), SKEP_CBPF_XT, &f.insns, &f.n, &e)) {
			printf("? column %u: %s\n", e.column, e.text);
			d->failed = true;
			return;
		}
		f.name = "the filter";
	} else if (filter_read(arg, SKEP_CBPF_ANY, SKEP_CBPF_SOCKET, &f)) {
		goto bad;
	}
	if (filter_check(&f))
		goto bad;
	filter_free(d->f);
	*d->f = f;
	if (new_filter(d))
		printf("   %zu instructions\n", f.n);
	return;
bad:
	filter_free(&f);
	d->failed = true;
}

static void do_help(struct debugger *d, const char *arg);

static const struct debug_command {
	const char *name, *args, *does;
	void (*run)(struct debugger *d, const char *arg);
} commands[] = {
	{"load", "bpf|pcap FILE", "another filter (in any form, or a line for xt_bpf), another capture", do_load},
	{"select", "N", "packet N, from 1; the run begins again", do_select},
	{"step", "[N]", "N instructions forward (1)", do_step},
	{"step back", "[N]", "and back", NULL},
	{"run", "", "to the next breakpoint, or the end", do_run},
	{"run", "N", "N packets from this one on: how many match", NULL},
	{"breakpoint", "[N|reset]", "at instruction N, or no longer; lists them", do_breakpoint},
	{"disassemble", "", "the filter; > is where the run is, * a breakpoint", do_disassemble},
	{"state", "", "the next instruction, A, X, M[] and the bytes that were loaded", do_state},
	{"where", "", "the way so far", do_where},
	{"dump", "", "the packet", do_dump},
	{"help", "", "this", do_help},
	{"quit", "", "", NULL},
};

static void do_help(struct debugger *d, const char *arg)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("  %-11s %-14s %s\n", commands[i].name, commands[i].args, commands[i].does);
	printf("Commands may be shortened. An empty line repeats the last one.\n");
}

/* A command by its name or the beginning of it. */
static void obey(struct debugger *d, char *line)
{
	char *arg = line;
	size_t len;

	while (*arg && !isspace((unsigned char)*arg))
		arg++;
	len = (size_t)(arg - line);
	while (isspace((unsigned char)*arg))
		arg++;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].run && !strncmp(commands[i].name, line, len)) {
			commands[i].run(d, arg);
			return;
		}
	say_no(d, "no such command; `help` lists them: ", line);
}

static void converse(struct debugger *d)
{
	bool terminal = isatty(STDIN_FILENO);
	char line[4096], last[4096] = "";

	for (;;) {
		if (terminal)
			printf("> ");
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			break;
		line[strcspn(line, "\n")] = 0;
		for (size_t n = strlen(line); n && isspace((unsigned char)line[n - 1]); n--)
			line[n - 1] = 0;
		if (*line == '#')
			continue;
		if (!*line)
			strcpy(line, last);
		strcpy(last, line);
		if (!strncmp(line, "q", 1) && !strncmp("quit", line, strlen(line)))
			break;
		if (*line)
			obey(d, line);
	}
}

int filter_debug(struct filter *f, const struct filter_options *o)
{
	struct debugger d = {.f = f};
	int err = 0;

	if (o->pcap)
		err = filter_packets_read(o->pcap, &d.packets);
	if (!err && !new_filter(&d))
		err = EXIT_FAILED;
	if (!err) {
		if (d.packets.n)
			printf("   %zu instructions, %zu packets\n", f->n, d.packets.n);
		converse(&d);
	}
	filter_packets_free(&d.packets);
	free(d.trail);
	free(d.breakpoints);
	return err ? err : d.failed ? EXIT_FAILED : 0;
}

/* --- One packet explained -------------------------------------------------------------------- */

/* What the last step did, in words. */
static void tell(struct debugger *d, const struct skep_cbpf_state *before)
{
	const struct skep_cbpf_state *s = now(d);
	char text[TEXT], what[TEXT] = "";
	const struct skep_cbpf_insn *i = &d->f->insns[before->pc];

	skep_cbpf_insn_text(d->f->insns, d->f->n, before->pc, text, sizeof(text));
	if (s->done)
		snprintf(what, sizeof(what), "%s", ending(s));
	else if (s->size && s->x != before->x)
		snprintf(what, sizeof(what), "X = %u, from byte %u", s->x, s->at);
	else if (s->size)
		snprintf(what, sizeof(what), "A = 0x%x (%u), bytes %u to %u", s->a, s->a, s->at,
		         s->at + s->size - 1);
	else if ((i->code & 7) == 5 && i->code != 5)
		snprintf(what, sizeof(what), "A = 0x%x: %s, on to l%u", s->a,
		         s->pc == before->pc + 1 + i->jt ? "true" : "false", s->pc);
	else if (s->a != before->a)
		snprintf(what, sizeof(what), "A = 0x%x (%u)", s->a, s->a);
	else if (s->x != before->x)
		snprintf(what, sizeof(what), "X = 0x%x (%u)", s->x, s->x);
	printf("  l%-4u %-28s %s\n", before->pc, text, what);
}

static int take_packet(const char *which, const struct filter_options *o, struct filter_packets *p,
                       size_t *selected)
{
	struct record rec = {.packet = true};
	uint8_t *bytes;
	size_t len;
	char *end;
	unsigned long n = strtoul(which, &end, 10);
	int err;

	*selected = 0;
	if (o->pcap) {
		err = filter_packets_read(o->pcap, p);
		if (err)
			return err;
		if (*end || !n || n > p->n)
			return fail(EXIT_USAGE, "--explain: '%.20s' is no packet of %s, which has %zu", which,
			            file_name(o->pcap), p->n);
		*selected = n - 1;
		return 0;
	}
	if (hex_parse(which, strlen(which), &bytes, &len))
		return fail_usage(&command_filter, "--explain: the number of a packet in --pcap, or bytes in "
		                  "hexadecimal digits");
	if (len > CAPTURE_MAX_PACKET) {
		free(bytes);
		return fail(EXIT_USAGE, "--explain: no packet has %zu bytes", len);
	}
	p->of = calloc(1, sizeof(*p->of));
	if (!p->of) {
		free(bytes);
		return fail(EXIT_FAILED, "out of memory");
	}
	rec.len = (uint32_t)len;
	p->of[0] = (struct filter_packet){bytes, rec.len, rec.len};
	p->n = p->cap = 1;
	return 0;
}

int filter_explain(const struct filter *f, const struct filter_options *o)
{
	struct filter copy = *f;
	struct debugger d = {.f = &copy};
	uint32_t at = 0, size = 0;
	int err = take_packet(o->explain, o, &d.packets, &d.selected);

	if (!err)
		err = restart(&d);
	if (!err) {
		for (struct skep_cbpf_state before = *now(&d); forward(&d); before = *now(&d)) {
			tell(&d, &before);
			if (now(&d)->size) {
				at = now(&d)->at;
				size = now(&d)->size;
			}
		}
		printf("The packet of %u bytes %s%s\n", d.packet.len, ending(now(&d)),
		       size ? ". The bytes that were looked at last:" : ".");
		filter_dump(d.packet.data, d.packet.len, at, size);
	}
	filter_packets_free(&d.packets);
	free(d.trail);
	return err;
}
