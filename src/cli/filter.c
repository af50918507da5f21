/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep filter: classic BPF filters, shown in any form, run over captures, debugged, explained.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/filter.h"

enum {
	OPT_ASM = 256, OPT_PCAP, OPT_OUT, OPT_BPF, OPT_C, OPT_XT, OPT_RAW, OPT_EBPF, OPT_JITED, OPT_DEBUG,
	OPT_EXPLAIN, OPT_COUNT,
};

static const struct option long_options[] = {
	{"asm", required_argument, NULL, OPT_ASM},     {"pcap", required_argument, NULL, OPT_PCAP},
	{"out", required_argument, NULL, OPT_OUT},     {"bpf", no_argument, NULL, OPT_BPF},
	{"c", no_argument, NULL, OPT_C},               {"xt", no_argument, NULL, OPT_XT},
	{"raw", no_argument, NULL, OPT_RAW},           {"ebpf", optional_argument, NULL, OPT_EBPF},
	{"jited", no_argument, NULL, OPT_JITED},       {"debug", no_argument, NULL, OPT_DEBUG},
	{"explain", required_argument, NULL, OPT_EXPLAIN}, {"count", no_argument, NULL, OPT_COUNT},
	{"file", required_argument, NULL, 'f'},        {"link", required_argument, NULL, 'y'},
	{"no-optimize", no_argument, NULL, 'O'},       {"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},              {NULL, 0, NULL, 0},
};

static const char help_text[] =
"A filter is an expression as tcpdump takes it (\"tcp port 80 and not host\n"
"10.0.0.1\"), or a file. Without --pcap it is shown, with it run over a capture.\n"
"\n"
"  -f, --file FILE    a filter in any form: tcpdump -d, -dd, -ddd, bpf_asm or bpfc,\n"
"                     BPF_STMT and BPF_JUMP, xt_bpf, bytes; - is stdin\n"
"  --asm FILE         the same, of which it is sure that it is assembler\n"
"  -y, --link TYPE    the link type of an expression (EN10MB; RAW ...); with --pcap\n"
"                     that of the capture\n"
"  -O                 libpcap's optimiser off\n"
"\n"
"  -d, -dd, -ddd      as tcpdump prints it: as text (this is what happens when\n"
"                     nothing is said), as rows of C, as decimal numbers\n"
"  --bpf, --c, --xt, --raw   assembler, C macros, one line for xt_bpf, bytes\n"
"  --ebpf[=tc|socket|linear]   as eBPF for this kind of program; linear is what\n"
"                     Skep runs\n"
"  --jited            machine code, as hexadecimal digits\n"
"\n"
"  --pcap FILE        runs it over every packet: pcap, pcapng, gzip'd too, - is stdin\n"
"  --out FILE         the packets that match, as they stand in the input\n"
"  --count            prints how many match, and nothing else\n"
"  --explain N|HEX    the way that packet N of the capture (from 1), or these bytes,\n"
"                     takes through the filter, and why it matches or not\n"
"  --debug            a debugger, in the manner of the kernel's bpf_dbg: `help` in it\n"
"  -j, --json         the result as JSON\n"
"\n"
"Examples:\n"
"  skep filter -d \"tcp port 80\"\n"
"  skep filter \"udp and greater 1000\" --pcap big.pcap --out large.pcap\n"
"  tcpdump -dd icmp | skep filter -f - --bpf\n"
"  skep filter icmp --pcap a.pcap --explain 17\n"
"  printf 'select 3\\nstep 4\\n' | skep filter icmp --pcap a.pcap --debug\n";

static int take_form(struct filter_options *o, int form)
{
	if (o->form >= 0 && o->form != form)
		return fail_usage(&command_filter, "one form at a time");
	o->form = form;
	return 0;
}

static int take_option(struct filter_options *o, int option, const char *arg)
{
	switch (option) {
	case 'f': o->file = arg; return 0;
	case 'y': o->link_name = arg; return 0;
	case 'O': o->no_optimizer = true; return 0;
	case 'j': o->json = true; return 0;
	case 'd': o->lists++; return 0;
	case OPT_ASM: o->asm_file = arg; return 0;
	case OPT_PCAP: o->pcap = arg; return 0;
	case OPT_OUT: o->out = arg; return 0;
	case OPT_JITED: o->jited = true; return 0;
	case OPT_DEBUG: o->debug = true; return 0;
	case OPT_EXPLAIN: o->explain = arg; return 0;
	case OPT_COUNT: o->count = true; return 0;
	case OPT_BPF: return take_form(o, SKEP_CBPF_ASM);
	case OPT_C: return take_form(o, SKEP_CBPF_MACROS);
	case OPT_XT: return take_form(o, SKEP_CBPF_XT);
	case OPT_RAW: return take_form(o, SKEP_CBPF_RAW);
	case OPT_EBPF:
		o->ebpf = arg ? arg : "tc";
		if (strcmp(o->ebpf, "tc") && strcmp(o->ebpf, "socket") && strcmp(o->ebpf, "linear"))
			return fail_usage(&command_filter, "--ebpf: '%s' is none of tc, socket, linear", arg);
		return 0;
	}
	return fail_usage(&command_filter, "an option that makes no sense here");
}

static bool shows(const struct filter_options *o)
{
	return o->form >= 0 || o->ebpf || o->jited;
}

static int check_options(struct filter_options *o)
{
	static const enum skep_cbpf_form lists[] = {SKEP_CBPF_LIST, SKEP_CBPF_C, SKEP_CBPF_DECIMAL};
	int sources = !!o->expression + !!o->file + !!o->asm_file;

	if (o->lists > 3)
		return fail_usage(&command_filter, "-d at most three times");
	if (o->lists && take_form(o, (int)lists[o->lists - 1]))
		return EXIT_USAGE;
	if ((o->form >= 0) + !!o->ebpf + o->jited > 1)
		return fail_usage(&command_filter, "one form at a time");
	if (sources > 1)
		return fail_usage(&command_filter, "one filter: an expression, -f or --asm");
	if (!sources && !o->debug)
		return fail_usage(&command_filter, "which filter? An expression, -f FILE or --asm FILE; \"\" "
		                  "matches all");
	if ((o->out || o->count) && !o->pcap)
		return fail_usage(&command_filter, "%s goes with --pcap", o->out ? "--out" : "--count");
	if (shows(o) && (o->pcap && (o->out || o->count || o->debug || o->explain)))
		return fail_usage(&command_filter, "show the filter, or run it: not both");
	if (o->debug && o->explain)
		return fail_usage(&command_filter, "--debug or --explain, not both");
	if (o->pcap && !strcmp(o->pcap, "-") &&
	    ((o->file && !strcmp(o->file, "-")) || (o->asm_file && !strcmp(o->asm_file, "-")) || o->debug))
		return fail_usage(&command_filter, "standard input cannot be the capture and something else");
	if (!shows(o) && !o->pcap && !o->debug && !o->explain)
		o->form = SKEP_CBPF_LIST;
	return 0;
}

static int parse(int argc, char **argv, struct filter_options *o, char **expression)
{
	size_t len = 0;
	int option, err;

	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:y:Odjh", long_options, NULL)) != -1) {
		if (option == 'h')
			return -1;
		if (option == ':')
			return fail_usage(&command_filter, "%s wants a value", argv[optind - 1]);
		if (option == '?')
			return fail_usage(&command_filter, "%s: no such option", argv[optind - 1]);
		err = take_option(o, option, optarg);
		if (err)
			return err;
	}
	/* Words make one expression, as for tcpdump. */
	for (int i = optind; i < argc; i++)
		len += strlen(argv[i]) + 1;
	if (len) {
		*expression = calloc(1, len + 1);
		if (!*expression)
			return fail(EXIT_FAILED, "out of memory");
		for (int i = optind; i < argc; i++) {
			strcat(*expression, argv[i]);
			if (i + 1 < argc)
				strcat(*expression, " ");
		}
		o->expression = *expression;
	}
	return check_options(o);
}

/* The filter itself, once the link type is known. To be shown it need not be valid. */
static int load(const struct filter_options *o, struct filter *f)
{
	int err;

	if (o->expression) {
		err = filter_compile(o->expression, !o->no_optimizer, f);
		/* libpcap makes loops for `protochain`, which no kernel takes. */
		if (!err && !shows(o))
			err = filter_check(f) ? EXIT_UNSUPPORTED : 0;
		return err;
	}
	if (!o->asm_file && !o->file)
		return 0;
	err = filter_read(o->asm_file ? o->asm_file : o->file, o->asm_file ? SKEP_CBPF_ASM : SKEP_CBPF_ANY,
	                  SKEP_CBPF_SOCKET, f);
	return err || shows(o) ? err : filter_check(f);
}

static int run_capture(const struct filter_options *o, struct filter *f)
{
	int fd = strcmp(o->pcap, "-") ? open(o->pcap, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	struct record first;
	struct records r;
	int err;

	if (fd < 0)
		return fail(EXIT_BAD_INPUT, "%s: %s", o->pcap, strerror(errno));
	err = records_open(&r, fd);
	if (err) {
		err = fail(EXIT_FAILED, "out of memory");
		goto out;
	}
	err = records_next(&r, &first);
	if (err <= 0) {
		err = fail(EXIT_BAD_INPUT, "%s: %s", file_name(o->pcap), err ? r.error : "empty");
	} else {
		if (!o->link_name)
			f->link_type = records_link_type(&r, f->link_type);
		err = load(o, f);
		if (!err)
			err = filter_run(o, f, &r, &first);
	}
	records_close(&r);
out:
	if (fd != STDIN_FILENO)
		close(fd);
	return err;
}

static int filter_main(int argc, char **argv)
{
	struct filter_options o = {.form = -1};
	struct filter f = {.link_type = 1, .name = "the filter"};
	char *expression = NULL;
	int err = parse(argc, argv, &o, &expression);

	if (err < 0) {
		err = command_help(&command_filter);
		goto out;
	}
	if (!err && o.link_name)
		err = filter_link(o.link_name, &f.link_type);
	if (err)
		goto out;
	if (o.pcap && !o.debug && !o.explain && !shows(&o)) {
		err = run_capture(&o, &f);
	} else {
		if (o.pcap && !o.link_name)
			err = filter_peek_link(o.pcap, &f.link_type);
		if (!err)
			err = load(&o, &f);
		if (!err)
			err = o.debug ? filter_debug(&f, &o) : o.explain ? filter_explain(&f, &o) : filter_show(&o, &f);
	}
	if (!err && fflush(stdout))
		err = fail(EXIT_FAILED, "standard output: %s", strerror(errno));
out:
	filter_free(&f);
	free(expression);
	return err;
}

const struct command command_filter = {
	.name = "filter",
	.args = "EXPRESSION | -f FILE | --asm FILE [options]",
	.summary = "classic BPF: show, run, debug the filters of tcpdump",
	.help = help_text,
	.run = filter_main,
};
