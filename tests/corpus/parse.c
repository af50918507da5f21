/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads .bpf files: see corpus.h. */
#define _GNU_SOURCE
#include "corpus.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/helper.h"
#include "core/uapi.h"
#include "isa/text.h"
#include "sys/tables.h"

enum { MAX_LINE = 8192 };

struct parser {
	struct corpus_file *f;
	struct test *t;
	struct buf program; /* text of the program being collected */
	unsigned first_line, lines;
	unsigned map;
	uint32_t index;
};

static bool wrong(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(struct parser *p, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", p->f->path, p->f->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	p->f->failed = true;
	return false;
}

static bool helper_by_name(void *arg, const char *name, size_t len, int32_t *id)
{
	for (unsigned i = 0; i < tables.nhelpers; i++)
		if (tables.helpers[i].name && strlen(tables.helpers[i].name) == len &&
		    !memcmp(tables.helpers[i].name, name, len)) {
			*id = (int32_t)i;
			return true;
		}
	return false;
}

static bool map_by_name(void *arg, const char *name, size_t len, int32_t *fd)
{
	const struct test *t = arg;

	for (unsigned i = 0; i < t->nmaps; i++)
		if (strlen(t->maps[i].name) == len && !memcmp(t->maps[i].name, name, len)) {
			*fd = (int32_t)i;
			return true;
		}
	return false;
}

/* Notes where functions begin: at 0, and what calls and func[] name. */
static bool find_funcs(struct parser *p, struct test_program *to)
{
	for (size_t at = 0; at < to->n; at++) {
		bool begins = at == 0;

		for (size_t pc = 0; pc < to->n; pc++) {
			enum op op = insn_op(&to->insns[pc]);

			begins |= (op == OP_CALL_LOCAL || op == OP_LDDW_FUNC) &&
			          (int64_t)pc + 1 + to->insns[pc].imm == (int64_t)at;
		}
		if (begins && to->nfuncs == MAX_FUNCS)
			return wrong(p, "too many functions");
		if (begins)
			to->funcs[to->nfuncs++] = (uint32_t)at;
	}
	return true;
}

/* Assembles what was collected. */
static bool finish_program(struct parser *p)
{
	const struct asm_names names = {p->t, helper_by_name, map_by_name};
	struct test_program *to = &p->t->programs[p->t->nprograms];
	struct asm_error error;

	if (!p->program.len)
		return true;
	if (p->t->nprograms == MAX_PROGRAMS)
		return wrong(p, "too many programs");
	if (asm_program(p->program.data, p->program.len, &names, &to->insns, &to->n, &error)) {
		p->f->line = p->first_line + error.line - 1;
		return wrong(p, "%u: %s", error.column, error.text);
	}
	to->map = p->map;
	to->index = p->index;
	p->t->nprograms++;
	buf_free(&p->program);
	return find_funcs(p, to);
}

/* One number or `bytes ...` after another into memory. */
static bool parse_memory(struct parser *p, char *text, uint8_t *to, size_t *len)
{
	bool bytes = false;
	char *word, *end, *save = NULL;

	*len = 0;
	for (word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		size_t size = bytes ? 1 : 8;
		uint64_t value;

		if (!strcmp(word, "bytes")) {
			bytes = true;
			continue;
		}
		value = strtoull(word, &end, bytes ? 16 : 0);
		if (*end || (bytes && value > 255))
			return wrong(p, "`%s` is no %s", word, bytes ? "byte" : "64-bit word");
		if (*len + size > MAX_MEMORY)
			return wrong(p, "too much memory");
		memcpy(to + *len, &value, size);
		*len += size;
	}
	return true;
}

static bool parse_run(struct parser *p, char *text)
{
	struct test *t = p->t;
	struct test_case *c;
	char *arrow = strstr(text, "->"), *colon, *end;
	size_t in_len, out_len;

	if (!finish_program(p))
		return false;
	if (!arrow)
		return wrong(p, "a run needs `-> r0`");
	if (t->nruns == MAX_RUNS)
		return wrong(p, "too many runs");
	*arrow = '\0';
	arrow += 2;
	c = &t->runs[t->nruns++];
	c->line = p->f->line;
	colon = strchr(arrow, ':');
	if (colon) {
		*colon = '\0';
		c->check_out = true;
		if (!parse_memory(p, colon + 1, c->out, &out_len))
			return false;
	}
	c->r0 = strtoull(arrow, &end, 0);
	if (end == arrow || strspn(end, " \t") != strlen(end))
		return wrong(p, "`%s` is no number", arrow);
	if (!parse_memory(p, text, c->in, &in_len))
		return false;
	if (colon && out_len != in_len)
		return wrong(p, "%zu bytes before the run, %zu after", in_len, out_len);
	if (in_len > t->memory)
		t->memory = in_len;
	return true;
}

static bool parse_map(struct parser *p, const char *text)
{
	struct test_map *m = &p->t->maps[p->t->nmaps];
	char type[32];
	long long extra = 0;
	int n;

	if (p->t->nmaps == MAX_MAPS)
		return wrong(p, "too many maps");
	n = sscanf(text, "%15s %31s %u %u %u %i %lli", m->name, type, &m->key_size, &m->value_size,
	           &m->max_entries, (int *)&m->flags, &extra);
	if (n < 5)
		return wrong(p, "map NAME TYPE KEY VALUE ENTRIES [FLAGS [EXTRA]]");
	if (!name_find(&names_map_type, type, &m->type))
		return wrong(p, "no map type is called %s", type);
	m->extra = (uint64_t)extra;
	p->t->nmaps++;
	return true;
}

static bool parse_program(struct parser *p, const char *text)
{
	char map[16];
	int32_t index;

	if (!finish_program(p))
		return false;
	if (sscanf(text, "%15s %u", map, &p->index) != 2 ||
	    !map_by_name(p->t, map, strlen(map), &index))
		return wrong(p, "program MAP INDEX");
	p->map = (unsigned)index;
	return true;
}

static bool parse_reject(struct parser *p, char *text)
{
	size_t len = strcspn(text, " ");
	char *said = text + len + !!text[len];
	uint32_t number;

	if (!finish_program(p))
		return false;
	text[len] = '\0';
	if (!name_find(&names_errno, text, &number))
		return wrong(p, "reject ERRNO TEXT");
	p->t->reject = (int)number;
	p->t->verdict_line = p->f->line;
	snprintf(p->t->reject_text, sizeof(p->t->reject_text), "%s", said);
	return true;
}

static bool parse_accept(struct parser *p)
{
	p->t->accept = true;
	p->t->verdict_line = p->f->line;
	return finish_program(p);
}

static bool parse_not(struct parser *p, const char *text)
{
	struct test *t = p->t;

	if (!strncmp(text, "kernel ", 7))
		snprintf(t->not_kernel, sizeof(t->not_kernel), "%s", text + 7);
	else if (!strncmp(text, "skep ", 5))
		snprintf(t->not_skep, sizeof(t->not_skep), "%s", text + 5);
	else
		return wrong(p, "not kernel WHY, not skep WHY");
	return true;
}

/* Words that a table knows, each given to a number: as a bit of bits, or as the number. */
static bool parse_names(struct parser *p, const struct name_table *names, char *text, uint32_t *number,
                        uint64_t *bits)
{
	char *word, *save = NULL;
	uint32_t found;

	for (word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (!name_find(names, word, &found))
			return wrong(p, "`%s` is not known here", word);
		if (bits)
			*bits |= (uint64_t)1 << found;
		else
			*number |= found;
	}
	return true;
}

/* The directives that only cases of the verifier have. */
static bool parse_load(struct parser *p, const char *line, char *rest)
{
	struct test *t = p->t;

	if (!strcmp(line, "attach"))
		return parse_names(p, &names_attach_type, rest, &t->attach, NULL);
	if (!strcmp(line, "flags"))
		return parse_names(p, &names_flags, rest, &t->flags, NULL);
	if (!strcmp(line, "caps"))
		return parse_names(p, &names_caps, rest, NULL, &t->caps);
	if (!strcmp(line, "btf"))
		return t->btf = true;
	if (!strcmp(line, "accept"))
		return parse_accept(p);
	if (!strcmp(line, "processed")) {
		t->processed = (unsigned)strtoul(rest, NULL, 0);
		return true;
	}
	if (!strcmp(line, "license")) {
		snprintf(t->license, sizeof(t->license), "%s", rest);
		return true;
	}
	return wrong(p, "no directive is called `%s`", line);
}

static bool parse_directive(struct parser *p, char *line)
{
	char *rest = line + strcspn(line, " \t");

	if (*rest)
		*rest++ = '\0';
	rest += strspn(rest, " \t");
	if (!strcmp(line, "run"))
		return parse_run(p, rest);
	if (!strcmp(line, "map"))
		return parse_map(p, rest);
	if (!strcmp(line, "program"))
		return parse_program(p, rest);
	if (!strcmp(line, "reject"))
		return parse_reject(p, rest);
	if (!strcmp(line, "not"))
		return parse_not(p, rest);
	if (!strcmp(line, "type"))
		return parse_names(p, &names_prog_type, rest, &p->t->type, NULL);
	if (!strcmp(line, "bare"))
		return p->t->bare = true;
	if (!strcmp(line, "fuel")) {
		p->t->fuel = strtoull(rest, NULL, 0);
		return true;
	}
	return parse_load(p, line, rest);
}

/* The next line without its end; false at the end of the file. */
static bool next_line(struct corpus_file *f, char line[MAX_LINE])
{
	size_t len = strcspn(f->at, "\n");

	if (!*f->at)
		return false;
	f->line++;
	snprintf(line, MAX_LINE, "%.*s", (int)len, f->at);
	f->at += len + (f->at[len] == '\n');
	return true;
}

/* Is the line at hand the beginning of a test? Its name is what follows. */
static const char *test_name(const char *line)
{
	return strncmp(line, "test ", 5) ? NULL : line + 5;
}

static bool is_label(const char *line)
{
	size_t len = strcspn(line, " \t");

	return len && line[len - 1] == ':';
}

static bool parse_line(struct parser *p, char *line)
{
	if (line[0] == '\0' || line[0] == '#')
		return true;
	if (!p->t->line)
		return wrong(p, "nothing stands before the first test");
	if (line[0] != ' ' && line[0] != '\t' && !is_label(line))
		return parse_directive(p, line);
	if (!p->program.len) {
		p->first_line = p->f->line;
		p->lines = 0;
	}
	/* Comments between lines count, so that the assembler's line numbers are ours. */
	for (; p->first_line + p->lines < p->f->line; p->lines++)
		buf_puts(&p->program, "\n");
	buf_printf(&p->program, "%s\n", line);
	p->lines++;
	return true;
}

bool corpus_next(struct corpus_file *f, struct test *t)
{
	struct parser p = {.f = f, .t = t};
	char line[MAX_LINE];
	bool ok = true;

	*t = (struct test){0};
	while (ok && next_line(f, line)) {
		const char *name = test_name(line);

		if (!name) {
			ok = parse_line(&p, line);
			continue;
		}
		snprintf(t->name, sizeof(t->name), "%.99s", name);
		t->line = f->line;
		t->runs = calloc(MAX_RUNS, sizeof(t->runs[0]));
		break;
	}
	while (ok && t->line && !(test_name(f->at)) && next_line(f, line))
		ok = parse_line(&p, line);
	ok = ok && t->line && finish_program(&p);
	if (ok && (!t->nprograms || (!t->nruns && !t->reject && !t->accept)))
		ok = wrong(&p, "test %s has no program, or no run and no verdict", t->name);
	buf_free(&p.program);
	if (!ok)
		test_free(t);
	return ok;
}

void test_free(struct test *t)
{
	for (unsigned i = 0; i < t->nprograms; i++)
		free(t->programs[i].insns);
	free(t->runs);
}

int corpus_open(struct corpus_file *f, const char *path)
{
	struct buf text = {0};
	char block[4096];
	size_t len;
	FILE *file = fopen(path, "r");

	if (!file) {
		perror(path);
		return errno;
	}
	while ((len = fread(block, 1, sizeof(block), file)) > 0)
		buf_append(&text, block, len);
	fclose(file);
	buf_puts(&text, "");
	*f = (struct corpus_file){.path = path, .at = text.data, .text = text.data};
	return text.failed ? ENOMEM : 0;
}

void corpus_close(struct corpus_file *f)
{
	free(f->text);
}
