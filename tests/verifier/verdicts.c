/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases of the verifier, judged by Skep and by the real kernel, against the answers that stand in the case
 * files (which are the kernel's, so that they count where bpf(2) is refused, too). Prints TAP.
 *
 *   verdicts [-p PENDING] FILE...     tests; PENDING lists the cases in which Skep still differs
 *   verdicts -u -p PENDING FILE...    writes that list anew
 *   verdicts -r FILE...               writes the kernel's answers into the files
 *   verdicts -t FILE...               a table: how Skep's answer differs from the file's, case by case
 *   verdicts -l NAME FILE...          both logs of a case
 *
 * A FILE is text (cases/X.bpf, see corpus/corpus.h) or an object (X.bpf.o) whose programs are the cases and
 * whose answers stand in the directory given by -d: objects.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "corpus/corpus.h"
#include "judge.h"
#include "objects.h"
#include "pending.h"
#include "tap.h"

enum mode { TEST, UPDATE, RECORD, TABLE, LOGS };

static enum mode mode = TEST;
static struct pending pending;
static const char *log_of;
static unsigned differing, total;

/* "scalars/name" of a case in cases/scalars.bpf. */
static const char *case_name(const char *path, const struct test *t, char *buf, size_t size)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	snprintf(buf, size, "%.*s/%s", (int)strcspn(base, "."), base, t->name);
	return buf;
}

/* A case, wherever it comes from. */
struct verdict_case {
	const char *name;
	struct answer want;
	const char *not_kernel; /* or why the kernel is not asked */
	const struct test *test;
	const struct object_case *object;
};

static void ask(enum judge_who who, const struct verdict_case *c, unsigned log_level, struct answer *out)
{
	if (c->test)
		judge_test(who, c->test, log_level, out);
	else
		judge_object(who, c->object, log_level, out);
}

static void expected(const struct test *t, struct answer *out)
{
	*out = (struct answer){.asked = true, .err = t->reject, .processed = t->processed};
	snprintf(out->line, sizeof(out->line), "%s", t->reject_text);
}

static void test_kernel(const struct verdict_case *c)
{
	const char *absent = judge_absent(JUDGE_KERNEL);
	char text[2][600];
	struct answer got;
	const char *differs;

	if (absent || c->not_kernel)
		return tap_skip(absent ? absent : c->not_kernel, "%s on kernel", c->name);
	ask(JUDGE_KERNEL, c, 1, &got);
	differs = answer_differs(&c->want, &got);
	if (!tap(!differs, "%s on kernel", c->name))
		printf("# the file: %s\n# the kernel: %s\n", answer_text(&c->want, text[0], 600),
		       answer_text(&got, text[1], 600));
}

static void test_skep(const struct verdict_case *c)
{
	char text[2][600];
	struct answer got;
	const char *differs;

	ask(JUDGE_SKEP, c, 1, &got);
	differs = answer_differs(&c->want, &got);
	total++;
	differing += differs != NULL;
	if (mode == UPDATE && differs)
		pending_add(&pending, c->name);
	if (mode == TABLE && differs)
		printf("%-50s %-10s kernel: %s\n%-61s skep:   %s\n", c->name, differs,
		       answer_text(&c->want, text[0], 600), "", answer_text(&got, text[1], 600));
	if (mode != TEST)
		return;
	if (pending_has(&pending, c->name)) {
		if (!tap(differs, "%s on skep still differs", c->name))
			printf("# it agrees now: take it out of the list, or write the list anew (-u)\n");
	} else if (!tap(!differs, "%s on skep", c->name)) {
		printf("# kernel: %s\n# skep: %s\n", answer_text(&c->want, text[0], 600),
		       answer_text(&got, text[1], 600));
	}
}

static void show_logs(const struct verdict_case *c)
{
	struct answer got;

	for (enum judge_who who = 0; who < JUDGES; who++) {
		char text[600];

		ask(who, c, 2, &got);
		printf("--- %s: %s\n%s\n", judge_names[who], answer_text(&got, text, sizeof(text)), got.log);
	}
}

static void run_case(const struct verdict_case *c)
{
	if (mode == LOGS) {
		if (!strcmp(log_of, c->name))
			show_logs(c);
		return;
	}
	if (mode == TEST)
		test_kernel(c);
	test_skep(c);
}

static bool run_file(const char *path)
{
	struct corpus_file f;
	struct test t;
	bool ok;

	if (corpus_open(&f, path))
		return false;
	while (corpus_next(&f, &t)) {
		char name[200];
		struct verdict_case c = {.test = &t};

		c.name = case_name(path, &t, name, sizeof(name));
		c.not_kernel = t.not_kernel[0] ? t.not_kernel : NULL;
		expected(&t, &c.want);
		run_case(&c);
		test_free(&t);
	}
	ok = !f.failed;
	corpus_close(&f);
	return ok;
}

static void run_object_case(void *arg, const struct object_case *o)
{
	struct verdict_case c = {.name = o->name, .object = o, .want = o->want};

	if (o->lacks && mode == TEST)
		tap(false, "%s: its answer is missing, or it is missing", o->name);
	else if (!o->lacks)
		run_case(&c);
}

/* --- Recording -------------------------------------------------------------------------------- */

/* Copies lines [*at, to) of the file's text, but none that record_case() writes anew. */
static void copy_lines(struct buf *out, const char **text, unsigned *line, unsigned to)
{
	for (; *line < to && **text; ++*line) {
		size_t len = strcspn(*text, "\n");

		len += (*text)[len] == '\n';
		if (strncmp(*text, "accept", 6) && strncmp(*text, "reject ", 7) &&
		    strncmp(*text, "processed ", 10))
			buf_append(out, *text, len);
		*text += len;
	}
}

static void record_case(struct buf *out, const char *path, const struct test *t)
{
	bool was = t->accept;
	struct answer got;

	judge_test(JUDGE_KERNEL, t, 1, &got);
	if (!got.asked || got.signal)
		fprintf(stderr, "%s: %s: the kernel cannot be asked (%s, signal %d)\n", path, t->name,
		        got.line, got.signal);
	if (was != !got.err)
		fprintf(stderr, "%s: %s was to be %s, the kernel says: %d %s\n", path, t->name,
		        was ? "accepted" : "rejected", got.err, got.line);
	if (got.err)
		buf_printf(out, "reject %s%s%s\n", name_of(&names_errno, (uint32_t)got.err),
		           got.line[0] ? " " : "", got.line);
	else
		buf_puts(out, "accept\n");
	if (got.processed)
		buf_printf(out, "processed %u\n", got.processed);
}

static bool record_file(const char *path)
{
	struct corpus_file f;
	struct buf out = {0};
	const char *text;
	unsigned line = 1;
	struct test t;
	FILE *file;

	if (corpus_open(&f, path))
		return false;
	text = f.text;
	while (corpus_next(&f, &t)) {
		copy_lines(&out, &text, &line, t.verdict_line);
		record_case(&out, path, &t);
		test_free(&t);
	}
	copy_lines(&out, &text, &line, UINT32_MAX);
	if (f.failed || out.failed)
		return false;
	file = fopen(path, "w");
	if (!file || fwrite(out.data, 1, out.len, file) != out.len || fclose(file)) {
		perror(path);
		return false;
	}
	buf_free(&out);
	corpus_close(&f);
	return true;
}

static bool is_object(const char *path)
{
	size_t len = strlen(path);

	return len > 2 && !strcmp(path + len - 2, ".o");
}

static bool do_file(const char *path, const char *answers)
{
	if (is_object(path))
		return mode == RECORD ? objects_record(path, answers)
		                      : objects_each(path, answers, run_object_case, NULL);
	return mode == RECORD ? record_file(path) : run_file(path);
}

int main(int argc, char **argv)
{
	const char *list = NULL, *answers = ".";
	bool ok = true;
	int option;

	while ((option = getopt(argc, argv, "p:d:urtl:")) != -1) {
		if (option == 'p')
			list = optarg;
		else if (option == 'd')
			answers = optarg;
		else if (option == 'l')
			mode = LOGS, log_of = optarg;
		else
			mode = option == 'u' ? UPDATE : option == 'r' ? RECORD : TABLE;
		if (option == '?')
			return 2;
	}
	if (list && mode != UPDATE && !pending_read(&pending, list))
		return 1;
	for (int i = optind; i < argc; i++)
		ok = do_file(argv[i], answers) && ok;
	if (mode == UPDATE)
		ok = pending_write(&pending, list) && ok;
	if (mode == UPDATE || mode == TABLE)
		printf("%u of %u cases differ\n", differing, total);
	pending_free(&pending);
	if (mode == TEST)
		return tap_end() || !ok;
	return !ok;
}
