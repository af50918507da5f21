/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep disasm: instructions as text, from object files, raw bytes or hexadecimal text.
 *
 * A listing can be assembled again: `name:` before a function is a label, the slot's number before
 * an instruction and the target behind a jump are skipped, and source lines begin with ';', a
 * comment. Slots are counted from the start of the function, as the verifier's log counts them for
 * a program without subprograms.
 */
#include <elf.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <skep.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/code.h"
#include "isa/text.h"

struct options {
	const char *path, *section, *prog;
	bool json, kernel, source;
};

/* What is being printed, for the callbacks that find names. */
struct listing {
	const struct options *options;
	const struct code_section *section;
	const struct code_ref *ref; /* of the current instruction, or NULL */
	const struct code_line *line; /* the latest printed */
	struct disasm_names names;
	struct buf text;
	struct out *out;
};

static const char *helper_name(void *arg, int32_t id)
{
	return skep_helper_name(id);
}

static int by_start(const void *a, const void *b)
{
	const struct code_func *f = a, *g = b;

	return f->start < g->start ? -1 : f->start > g->start;
}

static const struct code_func *func_starting_at(const struct code_section *s, uint32_t slot)
{
	return bsearch(&(struct code_func){.start = slot}, s->funcs, s->nfuncs, sizeof(*s->funcs),
	               by_start);
}

static const char *func_name(void *arg, uint32_t slot)
{
	const struct listing *l = arg;
	const struct code_func *f = func_starting_at(l->section, slot);

	if (l->ref)
		return l->ref->kind == REF_FUNC && *l->ref->name ? l->ref->name : NULL;
	return f && *f->name ? f->name : NULL;
}

static const char *map_name(void *arg, int32_t imm, unsigned src)
{
	const struct listing *l = arg;
	const char *name = !l->ref                      ? NULL
	                   : l->ref->kind == REF_MAP    ? l->ref->name
	                   : l->ref->kind == REF_DATA   ? l->ref->section
	                                                : NULL;

	return name && *name ? name : NULL;
}

/* --- one instruction ------------------------------------------------------------------------- */

/*
 * The slot that an instruction jumps to or whose function it names, from the function's start; or
 * -1.
 */
static int64_t target_of(const struct listing *l, const struct code_func *f, size_t slot)
{
	const struct insn *i = &l->section->insns[slot];
	enum op op = insn_op(i);

	if (op == OP_INVALID || l->ref || !(insn_info[op].fields & (INSN_JOFF | INSN_JIMM)))
		return -1;
	return insn_target(op, i, (int64_t)slot) - f->start;
}

/* A name that the text of the instruction does not have: a variable, something of the kernel's. */
static const char *remark(const struct listing *l)
{
	if (!l->ref || !*l->ref->name)
		return NULL;
	return l->ref->kind == REF_DATA || l->ref->kind == REF_EXTERN ? l->ref->name : NULL;
}

/*
 * The source line that a slot belongs to: a record is good until the next one, or the function's
 * end.
 */
static const struct code_line *line_of(const struct code_section *s, const struct code_func *f,
                                       size_t slot)
{
	size_t low = 0, high = s->nlines;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->lines[middle].slot <= slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low && s->lines[low - 1].slot >= f->start ? &s->lines[low - 1] : NULL;
}

/* The line of the instruction where it is not the one that was printed before it. */
static const struct code_line *new_line(struct listing *l, const struct code_func *f, size_t slot)
{
	const struct code_line *line = line_of(l->section, f, slot), *last = l->line;

	if (!line || (last && last->line == line->line && last->file == line->file))
		return NULL;
	l->line = line;
	return line;
}

/* Text of a file in a comment: one line, nothing that a terminal would obey. */
static void put_clean(struct buf *out, const char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		buf_append(out, c < ' ' || c == 0x7f ? " " : text, 1);
	}
}

static void text_insn(struct listing *l, const struct code_func *f, size_t slot, const char *text)
{
	const struct code_line *line = l->options->source ? new_line(l, f, slot) : NULL;
	int64_t target = target_of(l, f, slot);
	struct buf *out = &l->text;

	if (line) {
		buf_puts(out, "; ");
		put_clean(out, line->text);
		buf_puts(out, " @ ");
		put_clean(out, line->file);
		buf_printf(out, ":%u\n", line->line);
	}
	buf_printf(out, "%5zu: ", slot - f->start);
	if (l->options->kernel && strncmp(text, ".insn", 5))
		buf_printf(out, "(%02x) ", l->section->insns[slot].code);
	buf_puts(out, text);
	if (target >= 0 && target <= f->n)
		buf_printf(out, " <%lld>", (long long)target);
	if (remark(l)) {
		buf_puts(out, "  // ");
		put_clean(out, remark(l));
	}
	buf_puts(out, "\n");
}

static void json_insn(struct listing *l, const struct code_func *f, size_t slot, unsigned slots,
                      const char *text)
{
	const struct insn *i = &l->section->insns[slot];
	const struct code_line *line = line_of(l->section, f, slot);
	int64_t target = target_of(l, f, slot);
	enum op op = insn_op(i);

	out_object(l->out, NULL);
	out_uint(l->out, "index", slot - f->start);
	out_bytes(l->out, "bytes", i, slots * sizeof(*i));
	out_str(l->out, "op", op == OP_INVALID ? NULL : insn_info[op].name);
	out_str(l->out, "text", text);
	if (target >= 0)
		out_int(l->out, "target", target);
	if (l->ref && *l->ref->name)
		out_str(l->out, "name", l->ref->name);
	if (line) {
		out_object(l->out, "source");
		out_str(l->out, "file", line->file);
		out_uint(l->out, "line", line->line);
		out_uint(l->out, "column", line->column);
		out_str(l->out, "text", line->text);
		out_close(l->out);
	}
	out_close(l->out);
}

/* --- listings -------------------------------------------------------------------------------- */

/* Sends the text on its way. False: it cannot go, or there was no memory for it. */
static bool flush(struct listing *l)
{
	size_t len = l->text.len;
	bool ok = !l->text.failed && (!len || fwrite(l->text.data, 1, len, stdout) == len);

	l->text.len = 0;
	return ok;
}

static bool list_func(struct listing *l, const struct code_func *f)
{
	const struct code_section *s = l->section;
	struct buf line = {0};
	bool ok = true;

	l->line = NULL;
	if (l->out) {
		out_object(l->out, NULL);
		out_str(l->out, "section", s->name);
		out_str(l->out, "name", *f->name ? f->name : NULL);
		out_uint(l->out, "slots", f->n);
		out_list(l->out, "instructions");
	} else if (*f->name) {
		buf_printf(&l->text, "%s:\n", f->name);
	}
	for (size_t slot = f->start; slot < f->start + f->n && ok;) {
		unsigned slots;

		l->ref = code_ref_at(s, slot);
		line.len = 0;
		slots = disasm_insn(&line, s->insns, slot, f->start + f->n, &l->names);
		if (line.failed)
			ok = false;
		else if (l->out)
			json_insn(l, f, slot, slots, line.data);
		else
			text_insn(l, f, slot, line.data);
		slot += slots;
		if (l->text.len > 1 << 16)
			ok = flush(l);
	}
	buf_free(&line);
	if (l->out) {
		out_close(l->out);
		out_close(l->out);
	}
	return ok;
}

static bool wanted(const struct options *o, const struct code_section *s, const struct code_func *f)
{
	return (!o->section || !strcmp(o->section, s->name)) &&
	       (!o->prog || !strcmp(o->prog, f->name));
}

/* Answers an exit code. */
static int list(const struct options *o, const struct code *c)
{
	struct listing l = {.options = o};
	const struct code_section *last = NULL;
	bool ok = true;

	l.names = (struct disasm_names){&l, o->kernel, helper_name, func_name, map_name};
	if (o->json) {
		l.out = out_new(true);
		out_str(l.out, "file", file_name(o->path));
		out_list(l.out, "functions");
	}
	for (size_t i = 0; i < c->n; i++) {
		for (size_t k = 0; k < c->sections[i].nfuncs && ok; k++) {
			const struct code_func *f = &c->sections[i].funcs[k];

			l.section = &c->sections[i];
			if (!wanted(o, l.section, f))
				continue;
			if (!o->json && l.section != last && *l.section->name)
				buf_printf(&l.text, "%s; section %s\n", last ? "\n" : "",
				           l.section->name);
			last = l.section;
			ok = list_func(&l, f);
		}
	}
	ok = ok && flush(&l) && fflush(stdout) == 0;
	buf_free(&l.text);
	if (l.out) {
		out_close(l.out);
		return out_end(l.out);
	}
	return ok ? EXIT_OK
	          : fail(EXIT_FAILED, "standard output: %s", strerror(errno ? errno : ENOMEM));
}

/* --- input ----------------------------------------------------------------------------------- */

/* What there is, where what was asked for is not. */
static int not_found(const struct options *o, const struct code *c)
{
	struct buf names = {0};
	int code;

	for (size_t i = 0; i < c->n; i++) {
		const struct code_section *s = &c->sections[i];

		if (!o->prog)
			buf_printf(&names, "%s%s", names.len ? ", " : "", s->name);
		for (size_t k = 0; o->prog && k < s->nfuncs; k++) {
			if (!o->section || !strcmp(o->section, s->name))
				buf_printf(&names, "%s%s", names.len ? ", " : "", s->funcs[k].name);
		}
	}
	code = fail(EXIT_BAD_INPUT, "%s: no %s '%s'%s%s; there is: %s", file_name(o->path),
	            o->prog ? "program" : "section with code", o->prog ? o->prog : o->section,
	            o->prog && o->section ? " in section " : "",
	            o->prog && o->section ? o->section : "",
	            names.len ? names.data : "no code at all");
	buf_free(&names);
	return code;
}

static int list_object(const struct options *o, const uint8_t *data, size_t len)
{
	const char *why = NULL;
	struct code c;
	bool any = false;
	int err = elf_check(o->path, data, len);

	if (err)
		return err;
	err = code_read(data, len, &c, &why);
	if (err)
		return fail(EXIT_BAD_INPUT, "%s: a damaged object: %s", file_name(o->path),
		            why ? why : strerror(-err));
	for (size_t i = 0; i < c.n; i++) {
		for (size_t k = 0; k < c.sections[i].nfuncs; k++)
			any |= wanted(o, &c.sections[i], &c.sections[i].funcs[k]);
	}
	err = any ? list(o, &c) : not_found(o, &c);
	code_free(&c);
	return err;
}

static int list_bytes(const struct options *o, const uint8_t *data, size_t len)
{
	struct code_func all = {.name = "", .n = (uint32_t)(len / sizeof(struct insn))};
	struct code_section s = {.name = "", .n = all.n, .funcs = &all, .nfuncs = 1};
	struct code c = {&s, 1};
	int err;

	if (o->section || o->prog)
		return fail(EXIT_BAD_INPUT, "%s: bare instructions have no %s", file_name(o->path),
		            o->prog ? "programs" : "sections");
	if (len % sizeof(struct insn))
		return fail(EXIT_BAD_INPUT,
		            "%s: %zu bytes, which is not a multiple of 8: neither "
		            "instructions nor an object file nor hexadecimal text",
		            file_name(o->path), len);
	s.insns = malloc(len + 1);
	if (!s.insns)
		return fail(EXIT_FAILED, "%s: %s", file_name(o->path), strerror(ENOMEM));
	memcpy(s.insns, data, len);
	err = list(o, &c);
	free(s.insns);
	return err;
}

static int disassemble(const struct options *o)
{
	uint8_t *data, *bytes;
	size_t len, n;
	int err = file_read(o->path, &data, &len);

	if (err)
		return err;
	if (!len) {
		err = fail(EXIT_BAD_INPUT, "%s: empty", file_name(o->path));
	} else if (len >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG)) {
		err = list_object(o, data, len);
	} else if (!hex_parse((const char *)data, len, &bytes, &n)) {
		err = list_bytes(o, bytes, n);
		free(bytes);
	} else {
		err = list_bytes(o, data, len);
	}
	free(data);
	return err;
}

static int disasm_run(int argc, char **argv)
{
	static const struct option options[] = {
		{"section", required_argument, NULL, 's'}, {"prog", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},          {"kernel", no_argument, NULL, 'k'},
		{"no-source", no_argument, NULL, 'n'},     {"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options o = {.path = "-", .source = true};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":s:p:jknh", options, NULL)) != -1) {
		switch (c) {
		case 's':
			o.section = optarg;
			break;
		case 'p':
			o.prog = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		case 'k':
			o.kernel = true;
			break;
		case 'n':
			o.source = false;
			break;
		case 'h':
			return command_help(&command_disasm);
		case ':':
			return fail_usage(&command_disasm, "%s wants a name", argv[optind - 1]);
		default:
			return fail_usage(&command_disasm, "%s is no option of disasm",
			                  argv[optind - 1]);
		}
	}
	if (argc - optind > 1)
		return fail_usage(&command_disasm, "disasm takes one file, not %d", argc - optind);
	if (optind < argc)
		o.path = argv[optind];
	return disassemble(&o);
}

const struct command command_disasm = {
	.name = "disasm",
	.args = "[FILE|-] [--section NAME] [--prog NAME] [-j]",
	.summary = "print the instructions of an object file, raw bytes or hex digits",
	.help = "FILE is an object compiled with clang -target bpf (functions, names of maps\n"
		"and variables and source lines are shown), bare instructions of 8 bytes, or\n"
		"their hexadecimal digits. What is printed can be read by `skep asm`.\n"
		"\n"
		"  -s, --section NAME  only this section\n"
		"  -p, --prog NAME     only this program or function\n"
		"  -k, --kernel        spell as the verifier's log does, with opcodes\n"
		"  -n, --no-source     no source lines\n"
		"  -j, --json          one JSON object\n"
		"\n"
		"example:  skep disasm filter.bpf.o --prog filter",
	.run = disasm_run,
};
