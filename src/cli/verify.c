/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `skep verify`: what the verifier says to every program of every object.
 *
 * Each program is loaded for itself, so that one that is refused does not hide the others. What the log
 * tells of a refusal is diagnose.c's; how it is shown is here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <skep.h>
#include <skep_bpf.h>

#include "cli/cli.h"
#include "cli/exec.h"
#include "cli/explain.h"

enum { LOG_BYTES = 16 << 20 };

struct verify_options {
	bool on_kernel, json, verbose;
	const char *prog;
};

struct verify {
	const struct verify_options *o;
	struct out *out;
	const char *path;
	const uint8_t *elf;
	size_t len;
	char *log;
	char complaint[300]; /* libbpf's first */
	unsigned accepted, rejected, unsupported, failed;
};

static struct verify *listener; /* libbpf's print function has no argument */

static int on_print(enum libbpf_print_level level, const char *format, va_list args)
{
	struct verify *v = listener;

	if (level != LIBBPF_WARN || v->complaint[0])
		return 0;
	vsnprintf(v->complaint, sizeof(v->complaint), format, args);
	v->complaint[strcspn(v->complaint, "\n")] = '\0';
	if (!strncmp(v->complaint, "libbpf: ", 8))
		memmove(v->complaint, v->complaint + 8, strlen(v->complaint + 8) + 1);
	return 0;
}

/* Loads one program of the object alone. 0, or a positive errno; the log is in v->log. */
static int load_one(struct verify *v, const char *name, unsigned log_level)
{
	struct skep_options options = {.size = sizeof(options)};
	struct bpf_object *obj;
	struct bpf_program *p;
	struct bpf_map *map;
	struct skep *k = NULL;
	int err;

	if (!v->o->on_kernel) {
		err = skep_new(&options, &k);
		if (err)
			return -err;
	}
	skep_bpf_bind(k);
	v->log[0] = v->complaint[0] = '\0';
	obj = bpf_object__open_mem(v->elf, v->len, NULL);
	if (!obj) {
		err = errno;
		goto out;
	}
	bpf_object__for_each_map(map, obj)
		bpf_map__set_pin_path(map, NULL);
	bpf_object__for_each_program(p, obj) {
		bool it = !strcmp(bpf_program__name(p), name);

		bpf_program__set_autoload(p, it);
		if (!it)
			continue;
		bpf_program__set_log_level(p, log_level);
		bpf_program__set_log_buf(p, v->log, LOG_BYTES);
	}
	v->complaint[0] = '\0';
	err = -bpf_object__load(obj);
	/* Prog arrays that want the other programs fail afterwards: no matter of the verifier's. */
	if (err && strstr(v->log, "processed ") && !strstr(v->complaint, "load"))
		err = 0;
	bpf_object__close(obj);
out:
	skep_bpf_bind(NULL);
	skep_free(k);
	return err;
}

/* --- The explanation of a refusal ------------------------------------------------------------- */

static void show_place(struct out *out, const char *what, const struct place_in_source *at)
{
	if (at->line)
		out_text(out, "  %s %s:%u\n", what, at->file, at->line);
	else
		out_text(out, "  %s instruction %u\n", what, at->insn);
	if (at->text[0])
		out_text(out, "    %s\n", at->text);
	if (at->text[0] && at->column)
		out_text(out, "    %*s^\n", (int)at->column - 1, "");
	out_text(out, "    insn %u: %s\n", at->insn, at->code);
}

/* TEXT behind LABEL, in lines of at most 100 letters, all indented alike. */
static void show_text(struct out *out, const char *label, const char *text)
{
	enum { INDENT = 10, WIDTH = 100 };
	int at = INDENT;

	out_text(out, "  %-*s", INDENT - 2, label);
	for (bool first = true; *text; first = false) {
		int len = (int)strcspn(text, " ");

		if (!first && at + 1 + len > WIDTH) {
			out_text(out, "\n%*s", INDENT, "");
			at = INDENT;
		} else if (!first) {
			out_text(out, " ");
			at++;
		}
		out_text(out, "%.*s", len, text);
		at += len;
		text += len + (text[len] == ' ');
	}
	out_text(out, "\n");
}

/* Where a code has several causes, the words of the log and the way tell which. */
struct cause {
	unsigned code;
	const char *words;
	bool lost;
	const char *needed, *help;
};

static const struct cause causes[] = {
	{447, "_or_null", false,
	 "A valid pointer. This one may be NULL: on the way to this access nothing compared it with NULL.",
	 "Compare it first: if (!p) return 0; and keep the access behind that."},
	{447, "'scalar'", true,
	 "A valid pointer. This one was: the call since has released it, changed the packet, or left the lock "
	 "under which it was got.",
	 "Use it before that call. After helpers that change the packet load ctx->data and ctx->data_end again, and "
	 "compare again."},
	{447, "'scalar'", false,
	 "A valid pointer. This is a number: it was never a pointer that the verifier follows, or it was changed "
	 "in a way that it cannot follow.",
	 "Read kernel memory with bpf_probe_read_kernel() or BPF_CORE_READ(), user memory with "
	 "bpf_probe_read_user(). Do not keep pointers in maps or integers."},
	{645, "referenced or trusted", true,
	 "An object that the program owns. This one was: the call since has released it.",
	 "Do not use it after its release; release it once."},
	{701, "!read_ok", true,
	 "A register that was set on this way. The call since has left nothing in r1 to r5.",
	 "Keep the value in a local variable (r6 to r9) over the call; load it again."},
};

static const struct cause *cause_of(const struct diagnosis *d)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].code == d->code && strstr(d->reason, causes[i].words) &&
		    causes[i].lost == d->was_lost)
			return &causes[i];
	return NULL;
}

/* What the kernel's names of kinds mean; the longest that fits counts. */
static const char *kind_in_words(const char *known)
{
	static const struct {
		const char *kind, *words;
	} kinds[] = {
		{"map_value_or_null", "what a lookup answered: NULL if there is no such element"},
		{"map_value", "a pointer into a map's value; vs= is its size, off= where in it"},
		{"ringbuf_mem_or_null", "a reserved record: NULL if the ring buffer is full"},
		{"ptr_or_null_", "a pointer to an object that may be NULL"},
		{"rcu_ptr_or_null_", "a pointer to an object that may be NULL"},
		{"pkt_end", "the end of the packet"},
		{"pkt", "a pointer into the packet; r= is how many bytes are known to be there"},
		{"ctx", "the context"},
		{"fp", "a pointer to the stack"},
		{"sock_or_null", "a socket that was looked up: NULL if there is none"},
		{"scalar", "a number, as far as the verifier knows"},
		{"nothing", "a call leaves nothing in r1 to r5"},
	};
	const char *kind = strchr(known, '=');
	size_t len = kind ? strcspn(++kind, "(0123456789-") : 0;

	for (size_t i = 0; len && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (len >= strlen(kinds[i].kind) && !strncmp(kind, kinds[i].kind, strlen(kinds[i].kind)))
			return kinds[i].words;
	return NULL;
}

static void show_known(struct out *out, const struct diagnosis *d)
{
	const char *words = kind_in_words(d->known);

	if (d->known[0] && words)
		out_text(out, "  known:  %s (%s)\n", d->known, words);
	else if (d->known[0])
		out_text(out, "  known:  %s\n", d->known);
	if (d->detail[0])
		out_text(out, "  %s  %s\n", d->known[0] ? "      " : "known:", d->detail);
	else if (!d->known[0] && d->reason[0])
		out_text(out, "  known:  %s\n", d->reason);
}

/* The way to the fault: its last conditions, in the order in which they were met. */
static void show_way(struct out *out, const struct diagnosis *d)
{
	unsigned n = d->branches < DIAGNOSIS_CONDITIONS ? d->branches : DIAGNOSIS_CONDITIONS;

	for (unsigned i = n; i-- > 0;) {
		const struct condition *c = &d->conditions[i];

		out_text(out, "  %s", i + 1 == n ? "on the way where" : "and then where  ");
		if (c->at.line)
			out_text(out, " %s:%u", c->at.file, c->at.line);
		out_text(out, "  %s\n    insn %u: %s  %s\n", c->at.text, c->at.insn, c->at.code,
		         c->jumped ? "(it does)" : "(it does not)");
	}
	if (d->branches > n)
		out_text(out, "  %u more condition%s before; -v shows them\n", d->branches - n,
		         d->branches - n > 1 ? "s" : "");
}

static void show_refusal(struct verify *v, const struct diagnosis *d)
{
	const struct explanation *e = explanation_find(d->code);
	const struct cause *c = cause_of(d);
	bool reference = !strncmp(d->detail, "Unreleased", 10);
	struct out *out = v->out;

	out_text(out, "\n");
	if (d->code)
		out_text(out, "  SK%04u: %s\n", d->code, e ? e->title : d->reason);
	if (d->placed)
		show_place(out, "at", &d->at);
	if (e)
		show_text(out, "needed:", c ? c->needed : e->needed);
	show_known(out, d);
	for (unsigned i = 0; i < d->nsteps; i++)
		show_place(out, reference ? "it was acquired at" : i ? "and before that at" : "the value was made at",
		           &d->steps[i]);
	if (d->was_lost)
		show_place(out, "and became void at", &d->lost);
	show_way(out, d);
	if (e)
		show_text(out, "help:", c ? c->help : e->help);
	out_text(out, "  verifier: %s\n\n", d->reason[0] ? d->reason : "(no log)");
}

static void json_place(struct out *out, const char *name, const struct place_in_source *at)
{
	out_object(out, name);
	out_uint(out, "insn", at->insn);
	out_str(out, "code", at->code);
	out_str(out, "file", at->file[0] ? at->file : NULL);
	out_uint(out, "line", at->line);
	out_uint(out, "column", at->column);
	out_str(out, "source", at->text[0] ? at->text : NULL);
	out_close(out);
}

static void json_refusal(struct out *out, const struct diagnosis *d)
{
	const struct explanation *e = explanation_find(d->code);
	const struct cause *c = cause_of(d);

	if (d->placed)
		json_place(out, "at", &d->at);
	out_str(out, "known", d->known[0] ? d->known : d->detail[0] ? d->detail : d->reason);
	out_str(out, "detail", d->detail[0] ? d->detail : NULL);
	if (d->was_lost)
		json_place(out, "lost", &d->lost);
	out_list(out, "conditions");
	for (unsigned i = 0; i < d->branches && i < DIAGNOSIS_CONDITIONS; i++) {
		out_object(out, NULL);
		json_place(out, "at", &d->conditions[i].at);
		out_bool(out, "jumped", d->conditions[i].jumped);
		out_close(out);
	}
	out_close(out);
	out_list(out, "steps");
	for (unsigned i = 0; i < d->nsteps; i++)
		json_place(out, NULL, &d->steps[i]);
	out_close(out);
	out_str(out, "title", e ? e->title : NULL);
	out_str(out, "needed", c ? c->needed : e ? e->needed : NULL);
	out_str(out, "help", c ? c->help : e ? e->help : NULL);
}

/* --- A program -------------------------------------------------------------------------------- */

/* .BTF.ext has the columns that the log has not. */
static void find_columns(struct verify *v, struct diagnosis *d)
{
	struct btf_ext *ext = NULL;
	struct btf *btf = NULL;
	char name[] = "/tmp/skep-verify-XXXXXX";
	const void *raw;
	uint32_t size;
	int fd = mkstemp(name);

	if (fd < 0)
		return;
	if (write(fd, v->elf, v->len) == (ssize_t)v->len)
		btf = btf__parse_elf(name, &ext);
	unlink(name);
	close(fd);
	if (!libbpf_get_error(btf) && ext) {
		raw = btf_ext__get_raw_data(ext, &size);
		if (raw)
			diagnose_columns(d, btf, raw, size);
	}
	if (ext)
		btf_ext__free(ext);
	if (btf && !libbpf_get_error(btf))
		btf__free(btf);
}

static const char *verdict_of(struct verify *v, int err, const struct diagnosis *d)
{
	if (!err) {
		v->accepted++;
		return "accepted";
	}
	if (err == ENOTSUPP_KERNEL && !v->o->on_kernel) {
		v->unsupported++;
		return "not supported";
	}
	if (d->reason[0]) {
		v->rejected++;
		return "rejected";
	}
	/* Without a word of the verifier: what Skep has not got, unless libbpf blames the object. */
	if (!v->o->on_kernel && strstr(v->complaint, "program load failed")) {
		v->unsupported++;
		return "not supported";
	}
	v->failed++;
	return "not loaded";
}

static void verify_program(struct verify *v, const char *name, const char *section)
{
	uint64_t start = now_ns(), ns;
	struct diagnosis d;
	int err = load_one(v, name, 4);
	const char *verdict;
	char code[12];

	ns = now_ns() - start;
	if (err && err != EPERM)
		err = load_one(v, name, v->o->verbose ? 6 : 5);
	else if (v->o->verbose)
		load_one(v, name, 6);
	diagnose(v->log, &d);
	if (err)
		find_columns(v, &d);
	verdict = verdict_of(v, err, &d);
	snprintf(code, sizeof(code), "SK%04u", d.code);
	if (v->o->verbose && !v->o->json)
		out_text(v->out, "%s", v->log);
	if (!v->o->json) {
		out_text(v->out, "%-14s%s: %s (%s)", verdict, file_name(v->path), name, section);
		if (!err || d.processed)
			out_text(v->out, "  %u instructions, %u states, %.1f ms", d.processed, d.states,
			         d.us ? (double)d.us / 1000 : (double)ns / 1e6);
		out_text(v->out, "\n");
		if (err && d.reason[0])
			show_refusal(v, &d);
		else if (err)
			out_text(v->out, "\n  %s\n\n", v->complaint[0] ? v->complaint : bpf_strerror(err));
		return;
	}
	out_object(v->out, NULL);
	out_str(v->out, "object", v->path);
	out_str(v->out, "program", name);
	out_str(v->out, "section", section);
	out_str(v->out, "verdict", verdict);
	out_uint(v->out, "instructions", d.processed);
	out_uint(v->out, "states", d.states);
	out_uint(v->out, "time_us", d.us ? d.us : ns / 1000);
	out_uint(v->out, "errno", (uint64_t)err);
	out_str(v->out, "code", err && d.code ? code : NULL);
	out_str(v->out, "message", err ? d.reason[0] ? d.reason : v->complaint : NULL);
	if (err)
		json_refusal(v->out, &d);
	if (v->o->verbose)
		out_str(v->out, "log", v->log);
	out_close(v->out);
}

/* --- An object -------------------------------------------------------------------------------- */

static int verify_object(struct verify *v)
{
	struct bpf_object *obj;
	struct bpf_program *p;
	bool found = false;

	v->complaint[0] = '\0';
	obj = bpf_object__open_mem(v->elf, v->len, NULL);
	if (!obj)
		return fail(EXIT_BAD_INPUT, "%s: %s", file_name(v->path),
		            v->complaint[0] ? v->complaint : bpf_strerror(errno));
	bpf_object__for_each_program(p, obj) {
		const char *name = bpf_program__name(p);

		if (v->o->prog && strcmp(v->o->prog, name))
			continue;
		found = true;
		verify_program(v, name, bpf_program__section_name(p));
	}
	bpf_object__close(obj);
	if (!found && v->o->prog)
		return fail(EXIT_BAD_INPUT, "%s: no program '%s' in it", file_name(v->path), v->o->prog);
	if (!found)
		return fail(EXIT_BAD_INPUT, "%s: no program in it; programs stand in sections like "
		            "SEC(\"xdp\")", file_name(v->path));
	return 0;
}

static int verify_file(struct verify *v)
{
	struct sigaction before[NDEADLY];
	uint8_t *elf;
	int err = file_read(v->path, &elf, &v->len);

	if (err)
		return err;
	v->elf = elf;
	err = elf_check(v->path, elf, v->len);
	if (!err) {
		deadly_catch(file_name(v->path), before);
		err = verify_object(v);
		deadly_restore(before);
	}
	free(elf);
	return err;
}

static int verify_all(const struct verify_options *o, char **paths, int n)
{
	struct verify v = {.o = o, .log = malloc(LOG_BYTES), .out = out_new(o->json)};
	int code = EXIT_OK;

	if (!v.log)
		return fail(EXIT_FAILED, "out of memory");
	listener = &v;
	libbpf_set_print(on_print);
	if (o->json)
		out_list(v.out, "programs");
	for (int i = 0; i < n; i++) {
		int err;

		v.path = paths[i];
		err = verify_file(&v);
		code = err ? err : code;
	}
	if (o->json)
		out_close(v.out);
	else if (v.accepted + v.rejected + v.unsupported + v.failed > 1)
		out_text(v.out, "%u accepted, %u rejected, %u not supported, %u not loaded\n", v.accepted,
		         v.rejected, v.unsupported, v.failed);
	free(v.log);
	out_end(v.out);
	if (code)
		return code;
	if (v.rejected)
		return EXIT_FAILED;
	return v.failed ? EXIT_BAD_INPUT : v.unsupported ? EXIT_UNSUPPORTED : EXIT_OK;
}

static int verify_run(int argc, char **argv)
{
	static const struct option options[] = {
		{"on", required_argument, NULL, 'o'},   {"prog", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},       {"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},       {0},
	};
	struct verify_options o = {0};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":p:jvh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			if (strcmp(optarg, "skep") && strcmp(optarg, "kernel"))
				return fail_usage(&command_verify, "--on takes skep or kernel, not '%s'",
				                  optarg);
			o.on_kernel = !strcmp(optarg, "kernel");
			break;
		case 'p':
			o.prog = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		case 'v':
			o.verbose = true;
			break;
		case 'h':
			return command_help(&command_verify);
		case ':':
			return fail_usage(&command_verify, "%s wants a value", argv[optind - 1]);
		default:
			return fail_usage(&command_verify, "%s is no option of verify", argv[optind - 1]);
		}
	}
	if (optind == argc)
		return fail_usage(&command_verify, "which object?");
	return verify_all(&o, argv + optind, argc - optind);
}

const struct command command_verify = {
	.name = "verify",
	.args = "OBJ... [options]",
	.summary = "what the verifier says to the programs of objects, and why",
	.help = "Loads every program of every object for itself and tells the verdict, the\n"
		"instructions that the verifier followed, states and time; of a refusal\n"
		"where in the source it is, what was needed and what was known, where the\n"
		"value came from, what usually helps, and the verifier's own last line.\n"
		"\n"
		"  -p, --prog NAME   this program only\n"
		"      --on WHERE    skep (as it is without), or kernel\n"
		"  -v, --verbose     the verifier's full log, too\n"
		"  -j, --json        as JSON; codes are explained by `skep explain CODE`\n"
		"\n"
		"Exit code: 0 all accepted, 1 a program is rejected, 3 an object is damaged\n"
		"or cannot be loaded, 4 Skep lacks something.\n"
		"\n"
		"example:  skep verify prog.bpf.o",
	.run = verify_run,
};
