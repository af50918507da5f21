/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep seccomp: filters of system calls, printed, asked, checked and compared.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/seccomp.h"
#include "cli/seccomp_process.h"

enum { OPT_CALL = 256, OPT_TABLE, OPT_CHECK, OPT_DIFF, OPT_PID, OPT_INDEX, OPT_ARCH };
enum { SEEN_MAX = 8, INSN_TEXT = 100 };

static const struct option long_options[] = {
	{"call", no_argument, NULL, OPT_CALL},        {"table", no_argument, NULL, OPT_TABLE},
	{"check", no_argument, NULL, OPT_CHECK},      {"diff", required_argument, NULL, OPT_DIFF},
	{"pid", required_argument, NULL, OPT_PID},    {"index", required_argument, NULL, OPT_INDEX},
	{"arch", required_argument, NULL, OPT_ARCH},  {"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},             {NULL, 0, NULL, 0},
};

static const char help_text[] =
"A seccomp filter comes from a file in any form that `skep filter -f` reads, among\n"
"them the bytes that libseccomp's seccomp_export_bpf() writes, or from a process.\n"
"Without an option it is printed, with the names of system calls and verdicts.\n"
"\n"
"  --pid PID          the newest filter of a running process (needs CAP_SYS_ADMIN)\n"
"  --index N          its filter N, counted from the newest\n"
"  --call FILE NAME [ARG...]   what it says of this call; numbers will do\n"
"  --table            what it says of every call; where that depends on arguments,\n"
"                     every verdict that was found\n"
"  --check            would the kernel take it? 1 if not\n"
"  --diff OTHER       the calls on which another filter differs, with an example;\n"
"                     1 if there are any\n"
"  --arch NAME        of the calls (x86_64, x86, aarch64 ...): else the first that\n"
"                     the filter asks for\n"
"  -j, --json         the result as JSON\n"
"\n"
"Examples:\n"
"  skep seccomp policy.bpf\n"
"  skep seccomp --call policy.bpf openat 3 0 0x241\n"
"  skep seccomp --diff new.bpf old.bpf\n"
"  skep seccomp --pid 1234 --table\n";

struct seccomp_options {
	const char *file, *diff, *call, *arch_name;
	char **args;
	int nargs;
	long pid; /* 0: none */
	unsigned index;
	bool calls, table, check, json;
	uint32_t arch;
};

/* --- Printing -------------------------------------------------------------------------------- */

/* What an instruction is about, in words. */
static void comment(const struct filter *f, const struct walk *w, size_t pc, uint32_t arch, char *to, size_t room)
{
	const struct skep_cbpf_insn *i = &f->insns[pc];
	char name[64];

	*to = 0;
	if (!w->at[pc].reached)
		snprintf(to, room, "never reached");
	else if (i->code == 0x20)
		snprintf(to, room, "%s", word_name(i->k / 4));
	else if (i->code == 0x06)
		snprintf(to, room, "%s", action_name(i->k, name));
	else if ((i->code & 0xf) == 5 && i->code != 5 && w->at[pc].from == 1u << WORD_NR &&
	         call_is_known(arch, i->k))
		snprintf(to, room, "%s", call_name(arch, i->k, name));
	else if ((i->code & 0xf) == 5 && i->code != 5 && w->at[pc].from == 1u << WORD_ARCH)
		snprintf(to, room, "%s", arch_name(i->k) ? arch_name(i->k) : "an architecture");
}

static int print_filter(const struct filter *f, uint32_t arch)
{
	char text[INSN_TEXT], what[80];
	struct walk w;

	if (walk(f, NULL, NULL, &w))
		return fail(EXIT_FAILED, "out of memory");
	for (size_t pc = 0; pc < f->n; pc++) {
		skep_cbpf_insn_text(f->insns, f->n, pc, text, sizeof(text));
		comment(f, &w, pc, arch, what, sizeof(what));
		printf("l%zu:\t%-32s%s%s\n", pc, text, *what ? "; " : "", what);
	}
	walk_free(&w);
	return 0;
}

/* --- One call -------------------------------------------------------------------------------- */

static int one_call(const struct seccomp_options *o, const struct filter *f)
{
	struct call c = {.word = {[WORD_ARCH] = o->arch}};
	struct out *out;
	char room[64];
	uint32_t ret;

	if (!call_find(o->arch, o->call, &c.word[WORD_NR]))
		return fail(EXIT_USAGE, "--call: %s has no system call '%.40s'",
		            arch_name(o->arch) ? arch_name(o->arch) : "the architecture", o->call);
	for (int i = 0; i < o->nargs; i++) {
		uint64_t value;
		char *end;

		errno = 0;
		value = strtoull(o->args[i], &end, 0);
		if (errno || end == o->args[i] || *end)
			return fail_usage(&command_seccomp, "--call: argument %d, '%.30s', is no number", i,
			                  o->args[i]);
		memcpy(&c.word[WORD_ARGS + 2 * i], &value, sizeof(value));
	}
	ret = verdict(f, &c);
	out = out_new(o->json);
	out_str(out, "call", call_name(o->arch, c.word[WORD_NR], room));
	out_uint(out, "number", c.word[WORD_NR]);
	out_str(out, "verdict", action_name(ret, room));
	out_hex(out, "value", ret);
	return out_end(out);
}

/* --- Every call ------------------------------------------------------------------------------ */

/* The verdicts of calls with this number, each once; answers how many. */
static unsigned verdicts(const struct filter *f, const struct walk *w, uint32_t seen[SEEN_MAX])
{
	struct call c;
	unsigned n = 0, k;

	for (unsigned i = 0; walk_call(w, i, &c); i++) {
		uint32_t ret = verdict(f, &c);

		for (k = 0; k < n && seen[k] != ret; k++)
			;
		if (k == n && n < SEEN_MAX)
			seen[n++] = ret;
	}
	return n;
}

static int table(const struct seccomp_options *o, const struct filter *f)
{
	struct out *out = out_new(o->json);
	uint32_t seen[SEEN_MAX];
	char room[64], text[SEEN_MAX * 70];
	struct walk w;

	out_list(out, "calls");
	for (uint32_t nr = 0; nr < CALLS_MAX; nr++) {
		unsigned n;

		if (!call_is_known(o->arch, nr))
			continue;
		if (walk(f, &nr, &o->arch, &w))
			return fail(EXIT_FAILED, "out of memory");
		n = verdicts(f, &w, seen);
		*text = 0;
		for (unsigned i = 0; i < n; i++) {
			if (i)
				strcat(text, ", ");
			strcat(text, action_name(seen[i], room));
		}
		out_object(out, NULL);
		out_uint(out, "number", nr);
		out_str(out, "call", call_name(o->arch, nr, room));
		out_str(out, "verdict", text);
		out_str(out, "depends", n > 1 ? "on arguments" : "");
		out_close(out);
		walk_free(&w);
	}
	out_close(out);
	return out_end(out);
}

/* --- Two filters ----------------------------------------------------------------------------- */

/* A call with this number on which they differ. */
static bool differ(const struct filter *a, const struct filter *b, const struct walk *w, struct call *c)
{
	for (unsigned i = 0; walk_call(w, i, c); i++)
		if (verdict(a, c) != verdict(b, c))
			return true;
	return false;
}

static void report_difference(struct out *out, const struct filter *a, const struct filter *b,
                              const struct call *c, uint32_t arch)
{
	char room[64], args[160] = "";
	size_t at = 0;

	for (unsigned i = 0; i < 6; i++) {
		uint64_t value = (uint64_t)c->word[WORD_ARGS + 2 * i + 1] << 32 | c->word[WORD_ARGS + 2 * i];

		at += (size_t)snprintf(args + at, sizeof(args) - at, i ? ", 0x%llx" : "0x%llx",
		                       (unsigned long long)value);
	}
	out_object(out, NULL);
	out_uint(out, "number", c->word[WORD_NR]);
	out_str(out, "call", call_name(arch, c->word[WORD_NR], room));
	out_str(out, "first", action_name(verdict(a, c), room));
	out_str(out, "second", action_name(verdict(b, c), room));
	out_str(out, "with", args);
	out_close(out);
}

static int diff(const struct seccomp_options *o, const struct filter *a, const struct filter *b)
{
	struct out *out = out_new(o->json);
	unsigned found = 0;
	struct walk w, other;
	struct call c;
	int err;

	out_list(out, "differences");
	/* The number behind all that are known stands for these. */
	for (uint32_t nr = 0; nr <= CALLS_MAX; nr++) {
		if (walk(a, &nr, &o->arch, &w))
			return fail(EXIT_FAILED, "out of memory");
		if (walk(b, &nr, &o->arch, &other)) {
			walk_free(&w);
			return fail(EXIT_FAILED, "out of memory");
		}
		err = walk_join(&w, &other);
		if (!err && differ(a, b, &w, &c)) {
			report_difference(out, a, b, &c, o->arch);
			found++;
		}
		walk_free(&w);
		walk_free(&other);
	}
	out_close(out);
	if (!found)
		out_text(out, "no difference found\n");
	err = out_end(out);
	return err ? err : found ? EXIT_FAILED : EXIT_OK;
}

/* --- Options --------------------------------------------------------------------------------- */

static int take_number(const char *option, const char *text, long least, long *to)
{
	char *end;

	errno = 0;
	*to = strtol(text, &end, 10);
	if (errno || end == text || *end || *to < least || *to > INT32_MAX)
		return fail_usage(&command_seccomp, "%s: '%.30s' is no number from %ld on", option, text, least);
	return 0;
}

static int take_option(struct seccomp_options *o, int option, const char *arg)
{
	long n;
	int err;

	switch (option) {
	case OPT_CALL: o->calls = true; return 0;
	case OPT_TABLE: o->table = true; return 0;
	case OPT_CHECK: o->check = true; return 0;
	case OPT_DIFF: o->diff = arg; return 0;
	case OPT_PID: return take_number("--pid", arg, 1, &o->pid);
	case 'j': o->json = true; return 0;
	case OPT_INDEX:
		err = take_number("--index", arg, 0, &n);
		o->index = (unsigned)n;
		return err;
	case OPT_ARCH:
		o->arch_name = arg;
		if (!arch_find(arg, &o->arch))
			return fail_usage(&command_seccomp, "--arch: '%.30s' is none that libseccomp knows", arg);
		return 0;
	}
	return fail_usage(&command_seccomp, "an option that makes no sense here");
}

static int parse(int argc, char **argv, struct seccomp_options *o)
{
	int option, err;

	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:jh", long_options, NULL)) != -1) {
		if (option == 'h')
			return -1;
		if (option == ':')
			return fail_usage(&command_seccomp, "%s wants a value", argv[optind - 1]);
		if (option == '?')
			return fail_usage(&command_seccomp, "%s: no such option", argv[optind - 1]);
		err = take_option(o, option, optarg);
		if (err)
			return err;
	}
	if (!o->pid && optind < argc)
		o->file = argv[optind++];
	if (!o->pid && !o->file)
		return fail_usage(&command_seccomp, "which filter? A file, or --pid");
	if (o->calls && optind < argc)
		o->call = argv[optind++];
	if (o->calls && !o->call)
		return fail_usage(&command_seccomp, "--call: which call?");
	o->args = argv + optind;
	o->nargs = argc - optind;
	if (o->nargs > (o->calls ? 6 : 0))
		return fail_usage(&command_seccomp, "'%.30s' is one too many; options stand first",
		                  argv[optind + (o->calls ? 6 : 0)]);
	if (o->calls + o->table + o->check + !!o->diff > 1)
		return fail_usage(&command_seccomp, "--call, --table, --check and --diff exclude each other");
	return 0;
}

/* The first architecture that the filter asks for; else this machine's. */
static uint32_t find_arch(const struct filter *f)
{
	uint32_t arch = arch_native();
	struct walk w;

	if (walk(f, NULL, NULL, &w))
		return arch;
	for (size_t pc = 0; pc < f->n; pc++)
		if (w.at[pc].reached && w.at[pc].from == 1u << WORD_ARCH && f->insns[pc].code == 0x15 &&
		    arch_name(f->insns[pc].k)) {
			arch = f->insns[pc].k;
			break;
		}
	walk_free(&w);
	return arch;
}

static int seccomp_main(int argc, char **argv)
{
	struct seccomp_options o = {0};
	struct filter f = {.kind = SKEP_CBPF_SECCOMP}, other = {.kind = SKEP_CBPF_SECCOMP};
	int err = parse(argc, argv, &o);

	if (err < 0)
		return command_help(&command_seccomp);
	if (!err)
		err = o.pid ? filter_of_process(o.pid, o.index, &f)
		            : filter_read(o.file, SKEP_CBPF_ANY, SKEP_CBPF_SECCOMP, &f);
	if (!err && filter_check(&f))
		err = o.check ? EXIT_FAILED : EXIT_BAD_INPUT;
	if (!err && o.diff)
		err = filter_read(o.diff, SKEP_CBPF_ANY, SKEP_CBPF_SECCOMP, &other);
	if (!err && o.diff)
		err = filter_check(&other);
	if (err)
		goto out;
	if (!o.arch_name)
		o.arch = find_arch(&f);
	if (o.check)
		printf("%s: %zu instructions, the kernel takes it\n", f.name, f.n);
	else
		err = o.diff ? diff(&o, &f, &other) : o.table ? table(&o, &f) : o.call ? one_call(&o, &f)
		                                            : print_filter(&f, o.arch);
out:
	filter_free(&f);
	filter_free(&other);
	return err;
}

const struct command command_seccomp = {
	.name = "seccomp",
	.args = "FILE | --pid PID [options]",
	.summary = "filters of system calls: print, ask, check, compare",
	.help = help_text,
	.run = seccomp_main,
};
