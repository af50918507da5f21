/* SPDX-License-Identifier: BSD-2-Clause */
/* See objects.h. */
#define _GNU_SOURCE
#include "objects.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "corpus/corpus.h"
#include "skep_bpf.h"

/* --- Loading ---------------------------------------------------------------------------------- */

struct question {
	const char *path, *prog;
	unsigned log_level;
};

/* In the child: what libbpf complained of first. */
static char complaint[JUDGE_LINE];

static int on_print(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !complaint[0]) {
		vsnprintf(complaint, sizeof(complaint), format, args);
		complaint[strcspn(complaint, "\n")] = '\0';
	}
	return 0;
}

static void load(struct skep *k, const void *question, struct answer *out)
{
	const struct question *q = question;
	struct bpf_program *p;
	struct bpf_object *obj;
	int err;

	libbpf_set_print(on_print);
	skep_bpf_bind(k);
	obj = bpf_object__open_file(q->path, NULL);
	if (!obj) {
		snprintf(out->line, sizeof(out->line), "open: %s", complaint);
		return;
	}
	bpf_object__for_each_program(p, obj) {
		bool it = !strcmp(bpf_program__name(p), q->prog);

		bpf_program__set_autoload(p, it);
		if (!it)
			continue;
		bpf_program__set_log_level(p, q->log_level);
		bpf_program__set_log_buf(p, out->log, JUDGE_LOG);
	}
	complaint[0] = '\0';
	err = bpf_object__load(obj);
	out->err = err ? -err : 0;
	/* Without a log it was another step that failed, unless there is simply none. */
	out->asked = !err || out->log[0] || strstr(complaint, "program load failed") ||
	             strstr(complaint, "failed to load");
	if (!out->asked)
		snprintf(out->line, sizeof(out->line), "%s", complaint);
}

void judge_object(enum judge_who who, const struct object_case *c, unsigned log_level,
                  struct answer *out)
{
	const struct question q = {c->path, c->prog, log_level};

	judge_ask(who, load, &q, out);
}

/* --- Answers ---------------------------------------------------------------------------------- */

struct answers {
	struct object_case *cases;
	size_t n;
};

/* "cases/kptr.bpf.o" -> "kptr" */
static void stem(const char *path, char *buf, size_t size)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	snprintf(buf, size, "%.*s", (int)strcspn(base, "."), base);
}

static void answers_path(const char *object, const char *directory, char *buf, size_t size)
{
	char name[100];

	stem(object, name, sizeof(name));
	snprintf(buf, size, "%s/%s.verdicts", directory, name);
}

static struct object_case *find(struct answers *a, const char *prog)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->cases[i].prog, prog))
			return &a->cases[i];
	return NULL;
}

static int by_prog(const void *a, const void *b)
{
	return strcmp(((const struct object_case *)a)->prog, ((const struct object_case *)b)->prog);
}

static bool list_programs(const char *path, struct answers *a)
{
	struct bpf_object *obj;
	struct bpf_program *p;
	char name[100];

	libbpf_set_print(on_print);
	complaint[0] = '\0';
	skep_bpf_bind(NULL);
	obj = bpf_object__open_file(path, NULL);
	if (!obj) {
		fprintf(stderr, "%s: %s\n", path, complaint);
		return false;
	}
	stem(path, name, sizeof(name));
	bpf_object__for_each_program(p, obj) {
		struct object_case *c;

		a->cases = realloc(a->cases, (a->n + 1) * sizeof(*a->cases));
		c = &a->cases[a->n++];
		*c = (struct object_case){.path = path, .lacks = true};
		c->prog = strdup(bpf_program__name(p));
		snprintf(c->name, sizeof(c->name), "%s/%s", name, c->prog);
	}
	bpf_object__close(obj);
	qsort(a->cases, a->n, sizeof(*a->cases), by_prog);
	return true;
}

/* One line of the file of answers. */
static bool parse_answer(struct answers *a, char *line)
{
	char prog[100], verdict[10], error[20] = "";
	unsigned processed = 0;
	uint32_t number = 0;
	struct object_case *c;
	int at = 0;

	if (sscanf(line, "%99s %9s %n", prog, verdict, &at) < 2)
		return false;
	c = find(a, prog);
	if (!c)
		return false;
	line += at;
	if (!strcmp(verdict, "reject")) {
		at = 0;
		if (sscanf(line, "%19s %u %n", error, &processed, &at) < 2 ||
		    !name_find(&names_errno, error, &number))
			return false;
		snprintf(c->want.line, sizeof(c->want.line), "%s", line + at);
	} else {
		processed = (unsigned)strtoul(line, NULL, 10);
	}
	c->want.asked = true;
	c->want.err = (int)number;
	c->want.processed = processed;
	c->lacks = false;
	return true;
}

static bool read_answers(const char *path, struct answers *a)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	bool ok = true;

	if (!f) {
		perror(path);
		return false;
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || parse_answer(a, line))
			continue;
		fprintf(stderr, "%s: no answer to a program: %s\n", path, line);
		ok = false;
	}
	fclose(f);
	return ok;
}

static void answers_free(struct answers *a)
{
	for (size_t i = 0; i < a->n; i++)
		free((char *)a->cases[i].prog);
	free(a->cases);
}

bool objects_each(const char *path, const char *directory,
                  void (*fn)(void *arg, const struct object_case *c), void *arg)
{
	struct answers a = {0};
	char file[500];
	bool ok = list_programs(path, &a);

	answers_path(path, directory, file, sizeof(file));
	ok = ok && read_answers(file, &a);
	for (size_t i = 0; i < a.n; i++)
		fn(arg, &a.cases[i]);
	answers_free(&a);
	return ok;
}

bool objects_programs(const char *path, void (*fn)(void *arg, const struct object_case *c), void *arg)
{
	struct answers a = {0};
	bool ok = list_programs(path, &a);

	for (size_t i = 0; i < a.n; i++)
		fn(arg, &a.cases[i]);
	answers_free(&a);
	return ok;
}

bool objects_record(const char *path, const char *directory)
{
	struct answers a = {0};
	char file[500];
	FILE *f;

	if (!list_programs(path, &a))
		return false;
	answers_path(path, directory, file, sizeof(file));
	f = fopen(file, "w");
	if (!f) {
		perror(file);
		return false;
	}
	fprintf(f, "# What Linux 6.18 says; written by verdicts -r.\n");
	for (size_t i = 0; i < a.n; i++) {
		struct answer got;

		judge_object(JUDGE_KERNEL, &a.cases[i], 1, &got);
		if (!got.asked || got.signal)
			fprintf(stderr, "%s: the kernel cannot be asked: %s\n", a.cases[i].name, got.line);
		else if (!got.err != !strncmp(a.cases[i].prog, "ok_", 3))
			fprintf(stderr, "%s: the kernel says: %d %s\n", a.cases[i].name, got.err, got.line);
		if (got.err)
			fprintf(f, "%s reject %s %u %s\n", a.cases[i].prog,
			        name_of(&names_errno, (uint32_t)got.err), got.processed, got.line);
		else
			fprintf(f, "%s accept %u\n", a.cases[i].prog, got.processed);
	}
	answers_free(&a);
	return fclose(f) == 0;
}
