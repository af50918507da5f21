/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep exec: runs a BPF object over packets, on Skep, on the real kernel, or on both.
 *
 * The order of things: options, input files, a side for each kernel (load, fill maps), the run on each,
 * the report. Packets of a second side are a copy, so that both start from the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/exec.h"

enum {
	OPT_PROG = 256, OPT_PCAP, OPT_OUT, OPT_DATA, OPT_CTX, OPT_REPEAT, OPT_INTERP, OPT_JIT, OPT_CHECKED,
	OPT_TRUST, OPT_ON, OPT_MAPS, OPT_ENTRIES, OPT_FILL, OPT_TYPE, OPT_RAW, OPT_MEM,
};

static const struct option long_options[] = {
	{"prog", required_argument, NULL, OPT_PROG},   {"pcap", required_argument, NULL, OPT_PCAP},
	{"out", required_argument, NULL, OPT_OUT},     {"data", required_argument, NULL, OPT_DATA},
	{"ctx", required_argument, NULL, OPT_CTX},     {"repeat", required_argument, NULL, OPT_REPEAT},
	{"interp", no_argument, NULL, OPT_INTERP},     {"jit", no_argument, NULL, OPT_JIT},
	{"checked", no_argument, NULL, OPT_CHECKED},   {"trust", no_argument, NULL, OPT_TRUST},
	{"on", required_argument, NULL, OPT_ON},       {"maps", no_argument, NULL, OPT_MAPS},
	{"entries", required_argument, NULL, OPT_ENTRIES}, {"fill", required_argument, NULL, OPT_FILL},
	{"type", required_argument, NULL, OPT_TYPE},   {"raw", required_argument, NULL, OPT_RAW},
	{"mem", required_argument, NULL, OPT_MEM},     {"json", no_argument, NULL, 'j'},
	{"verbose", no_argument, NULL, 'v'},           {"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help_text[] =
"Loads OBJ, a file that clang -target bpf made, through libbpf, and runs one of\n"
"its programs. Packets come from a capture (--pcap) or the command line (--data).\n"
"\n"
"  --prog NAME        the program to run; not needed when there is one\n"
"  --pcap FILE        every packet of a capture: pcap, pcapng, gzip'd too, - is\n"
"                     stdin. Raw-IP captures get an Ethernet header\n"
"  --out FILE         the packets as the program left them, as pcapng, verdicts as\n"
"                     comments\n"
"  --data HEX|@FILE   one packet, as BPF_PROG_TEST_RUN takes it\n"
"  --ctx HEX|@FILE    the context of that run (struct xdp_md, struct __sk_buff)\n"
"  --repeat N         N passes over the packets, each with the packets as they were\n"
"  --fill MAP=FILE    entries for a map first, KEY VALUE a line; may be repeated\n"
"  --maps             show the maps afterwards, up to --entries N of each (10)\n"
"  --type MAP.value=TYPE   (or MAP.key=) the type to show a map's bytes as\n"
"\n"
"  --on skep|kernel|both   where: Skep, the real kernel (needs root), or both and\n"
"                     compare every verdict and every packet\n"
"  --jit, --interp, --checked   how Skep runs programs. Until its verifier is\n"
"                     complete it checks every memory access (--checked), unless\n"
"  --trust            says that the program does nothing wrong: full speed\n"
"\n"
"  --raw FILE         bare instructions, 8 bytes each or their hex text, - is stdin;\n"
"  --mem HEX|@FILE    r1 is this memory, r2 its length. Prints r0\n"
"\n"
"  -j, --json         the result as JSON\n"
"  -v, --verbose      what libbpf says\n"
"\n"
"Examples:\n"
"  skep exec filter.o --pcap traffic.pcap.gz --maps\n"
"  skep exec filter.o --pcap traffic.pcap --trust --on both --out after.pcapng\n"
"  skep exec --raw - --mem 00ff <<< b700000001000000,9500000000000000\n";

/* --- Options ---------------------------------------------------------------------------------- */

/* HEX or @FILE. */
static int take_bytes(const char *option, const char *text, struct exec_bytes *to)
{
	if (to->data)
		return fail_usage(&command_exec, "%s is given twice", option);
	if (*text == '@')
		return file_read(text + 1, &to->data, &to->len);
	if (hex_parse(text, strlen(text), &to->data, &to->len))
		return fail_usage(&command_exec, "%s: '%.32s' are no pairs of hexadecimal digits",
		                  option, text);
	return 0;
}

static int take_count(const char *option, const char *text, uint64_t least, uint64_t *to)
{
	char *end;

	errno = 0;
	*to = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || *to < least || *to > 1ull << 40)
		return fail_usage(&command_exec, "%s: '%s' is no number from %llu on", option, text,
		                  (unsigned long long)least);
	return 0;
}

static int take_on(const char *text, struct exec_options *o)
{
	o->on_skep = !strcmp(text, "skep") || !strcmp(text, "both");
	o->on_kernel = !strcmp(text, "kernel") || !strcmp(text, "both");
	if (!o->on_skep && !o->on_kernel)
		return fail_usage(&command_exec, "--on: '%s' is none of skep, kernel, both", text);
	return 0;
}

static int take_engine(struct exec_options *o, enum skep_engine engine)
{
	if (o->engine != SKEP_ENGINE_AUTO && o->engine != engine)
		return fail_usage(&command_exec, "--jit, --interp and --checked exclude each other");
	o->engine = engine;
	return 0;
}

static int append(const char ***list, size_t *n, const char *text)
{
	const char **grown = reallocarray(*list, *n + 1, sizeof(*grown));

	if (!grown)
		return fail(EXIT_FAILED, "out of memory");
	grown[(*n)++] = text;
	*list = grown;
	return 0;
}

static int take_option(struct exec_options *o, int option, const char *arg)
{
	uint64_t n;
	int err;

	switch (option) {
	case OPT_PROG: o->prog = arg; return 0;
	case OPT_PCAP: o->pcap = arg; return 0;
	case OPT_OUT: o->out = arg; return 0;
	case OPT_RAW: o->raw = arg; return 0;
	case OPT_TRUST: o->trust = true; return 0;
	case OPT_MAPS: o->maps = true; return 0;
	case 'j': o->json = true; return 0;
	case 'v': o->verbose = true; return 0;
	case OPT_DATA: return take_bytes("--data", arg, &o->data);
	case OPT_CTX: return take_bytes("--ctx", arg, &o->ctx);
	case OPT_MEM: return take_bytes("--mem", arg, &o->mem);
	case OPT_REPEAT: return take_count("--repeat", arg, 1, &o->repeat);
	case OPT_ON: return take_on(arg, o);
	case OPT_INTERP: return take_engine(o, SKEP_ENGINE_INTERP);
	case OPT_JIT: return take_engine(o, SKEP_ENGINE_JIT);
	case OPT_CHECKED: return take_engine(o, SKEP_ENGINE_CHECKED);
	case OPT_FILL: return append(&o->fill, &o->nfill, arg);
	case OPT_TYPE: return append(&o->type, &o->ntype, arg);
	case OPT_ENTRIES:
		o->maps = true;
		err = take_count("--entries", arg, 0, &n);
		o->map_entries = (size_t)n;
		return err;
	}
	return fail_usage(&command_exec, "an option that makes no sense here");
}

/* What does not go together. */
static int check_options(const struct exec_options *o)
{
	if (o->raw) {
		if (o->object || o->pcap || o->data.data || o->ctx.data || o->out || o->on_kernel ||
		    o->prog || o->maps || o->nfill)
			return fail_usage(&command_exec,
			                  "--raw goes with --mem, --repeat and the engine only");
		return 0;
	}
	if (!o->object)
		return fail_usage(&command_exec, "which object file?");
	if (o->mem.data)
		return fail_usage(&command_exec, "--mem goes with --raw; a packet is --data");
	if (o->pcap && (o->data.data || o->ctx.data))
		return fail_usage(&command_exec, "--pcap or --data and --ctx, not both");
	if (!o->pcap && !o->data.data && !o->ctx.data)
		return fail_usage(&command_exec, "nothing to run on: give --pcap, --data or --ctx");
	if (o->out && !o->pcap)
		return fail_usage(&command_exec, "--out goes with --pcap");
	if (o->out && !strcmp(o->out, "-"))
		return fail_usage(&command_exec, "--out: the result goes to standard output, name a file");
	if (o->pcap && !strcmp(o->pcap, "-") && !strcmp(o->object, "-"))
		return fail_usage(&command_exec,
		                  "standard input can be the object or the capture, not both");
	if (!o->pcap && o->repeat > INT32_MAX)
		return fail_usage(&command_exec, "--repeat: at most %d for a single packet", INT32_MAX);
	if (!o->on_skep && (o->trust || o->engine != SKEP_ENGINE_AUTO))
		return fail_usage(&command_exec, "the kernel chooses how it runs programs: no engine with "
		                  "--on kernel");
	return 0;
}

static int parse(int argc, char **argv, struct exec_options *o)
{
	int option, err;

	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":jvh", long_options, NULL)) != -1) {
		if (option == 'h')
			return -1;
		if (option == ':')
			return fail_usage(&command_exec, "%s wants a value", argv[optind - 1]);
		if (option == '?')
			return fail_usage(&command_exec, "%s: no such option", argv[optind - 1]);
		err = take_option(o, option, optarg);
		if (err)
			return err;
	}
	if (optind < argc)
		o->object = argv[optind++];
	if (optind < argc)
		return fail_usage(&command_exec, "one object at a time: '%s' is one too many",
		                  argv[optind]);
	return check_options(o);
}

/* --- Ctrl-C ---------------------------------------------------------------------------------- */

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static void catch_interrupt(void)
{
	/* The second Ctrl-C ends the process at once. */
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
}

/* --- Input ------------------------------------------------------------------------------------ */

/*
 * Reads the capture. *damaged is set, after a message, when it cannot be read to its end: what came before
 * is run.
 */
static int read_capture(const char *path, struct capture *c, bool *damaged)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	int err;

	if (fd < 0)
		return fail(EXIT_BAD_INPUT, "%s: %s", path, strerror(errno));
	catch_interrupt();
	err = capture_read_fd(c, fd);
	if (fd != STDIN_FILENO)
		close(fd);
	if (interrupted && c->n && err != -ENOMEM) {
		/* Whoever writes the capture may have got the signal too, and have ended within a packet. */
		warn("%s: interrupted; the %zu packets that came are run", file_name(path), c->n);
		interrupted = 0;
		err = 0;
	}
	if (err == -ENOTSUP)
		return fail(EXIT_UNSUPPORTED, "%s: %s", file_name(path), c->error);
	if (err && (!c->n || err == -ENOMEM))
		return fail(EXIT_BAD_INPUT, "%s: %s", file_name(path), c->error);
	if (err)
		warn("%s: damaged %s; the %zu packets before are run", file_name(path), c->error, c->n);
	if (c->skipped)
		warn("%s: %zu packets of link type %u (%s) are left out: Skep reads Ethernet and raw IP",
		     file_name(path), c->skipped, c->skipped_link, link_type_name(c->skipped_link));
	*damaged = err;
	return 0;
}

static int read_packets(const struct exec_options *o, struct capture *c, bool *damaged)
{
	if (o->pcap)
		return read_capture(o->pcap, c, damaged);
	if (capture_add(c, 0, o->data.data ? (const void *)o->data.data : "", (uint32_t)o->data.len,
	                (uint32_t)o->data.len))
		return fail(EXIT_FAILED, "out of memory for a packet of %zu bytes", o->data.len);
	return 0;
}

/* --- The run ---------------------------------------------------------------------------------- */

/* Brings one side to where it can run. copy: where its packets live when others need the original. */
static int prepare(struct side *s, const struct exec_options *o, const struct exec_bytes *elf,
                   struct capture *input, struct capture *copy)
{
	enum bpf_prog_type type;
	int err = side_load(s, o, elf->data, elf->len);

	if (err)
		return err;
	type = bpf_program__type(s->prog);
	if (o->pcap && !takes_packets(type))
		return fail(EXIT_USAGE, "%s: program '%s' is a %s program, which takes no packets; --ctx "
		            "may do", file_name(o->object), bpf_program__name(s->prog),
		            libbpf_bpf_prog_type_str(type));
	err = maps_fill(s, o);
	if (err)
		return err;
	s->run.repeat = o->repeat;
	s->run.input = input;
	s->run.work = copy ? copy : input;
	if (copy && capture_copy(copy, input))
		return fail(EXIT_FAILED, "out of memory for %zu packets", input->n);
	return 0;
}

static int run_all(const struct exec_options *o, struct side *sides, size_t nsides, bool damaged)
{
	struct out *out;
	int err = 0, code;

	catch_interrupt();
	for (size_t i = 0; i < nsides && !err; i++) {
		side_enter(&sides[i]);
		err = o->pcap ? run_capture(&sides[i]) : run_single(&sides[i], o);
	}
	if (err)
		return err;
	out = out_new(o->json);
	code = report(out, o, sides, nsides);
	if (o->maps)
		maps_report(out, o, sides, nsides);
	err = out_end(out);
	if (!err && o->out)
		err = packets_write(o->out, &sides[0]);
	if (interrupted)
		err = fail(EXIT_FAILED, "interrupted after %llu of %llu packets",
		           (unsigned long long)sides[0].run.runs,
		           (unsigned long long)(o->repeat * sides[0].run.work->n));
	return err ? err : code ? code : damaged ? EXIT_BAD_INPUT : EXIT_OK;
}

static int exec_object(const struct exec_options *o)
{
	struct side sides[2] = {{0}};
	struct capture input = {0}, copies[2] = {{0}};
	struct exec_bytes elf = {0};
	size_t nsides = 0, opened = 0;
	bool damaged = false, copy = o->repeat > 1 || (o->on_skep && o->on_kernel);
	int err = file_read(o->object, &elf.data, &elf.len);

	if (!err)
		err = elf_check(o->object, elf.data, elf.len);
	if (!err)
		err = read_packets(o, &input, &damaged);
	if (o->on_skep)
		sides[nsides++].name = "skep";
	if (o->on_kernel)
		sides[nsides++] = (struct side){.name = "kernel", .on_kernel = true};
	for (; opened < nsides && !err; opened++)
		err = prepare(&sides[opened], o, &elf, &input, copy ? &copies[opened] : NULL);
	if (!err)
		err = run_all(o, sides, nsides, damaged);
	for (size_t i = 0; i < opened; i++)
		side_close(&sides[i]);
	for (size_t i = 0; i < 2; i++)
		capture_free(&copies[i]);
	capture_free(&input);
	free(elf.data);
	return err;
}

static int exec_run(int argc, char **argv)
{
	struct exec_options o = {.repeat = 1, .on_skep = true, .map_entries = 10};
	int err = parse(argc, argv, &o);

	if (err < 0)
		err = command_help(&command_exec);
	else if (!err)
		err = o.raw ? exec_raw(&o) : exec_object(&o);
	free(o.data.data);
	free(o.ctx.data);
	free(o.mem.data);
	free(o.fill);
	free(o.type);
	return err;
}

const struct command command_exec = {
	.name = "exec",
	.args = "OBJ [options]",
	.summary = "run a BPF object over a capture or a packet",
	.help = help_text,
	.run = exec_run,
};
