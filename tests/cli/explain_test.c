/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The examples of `skep explain`: each is refused with the words of its code, and accepted once corrected, by
 * Skep and by the real kernel. Prints TAP.
 *
 *   explain-test table            that every code is explained
 *   explain-test                  examples in assembler
 *   explain-test CLANG INCLUDE    examples in C, compiled by CLANG with kernel.h of the directory INCLUDE
 *
 * SK=NUMBER in the environment: this example only, with logs.
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/explain.h"
#include "corpus/corpus.h"
#include "skep.h"
#include "verifier/judge.h"
#include "verifier/objects.h"
#include "verifier/tap.h"

static const struct explanation examples[] = {
#define EXPLAIN(...) {__VA_ARGS__},
#include "cli/explain.def"
#undef EXPLAIN
};

enum { EXAMPLES = sizeof(examples) / sizeof(examples[0]) };

static const struct {
	unsigned code;
	const char *name;
} rejects[] = {
#define REJECT(code, name, err, format) {code, #name},
#include "verifier/reject.def"
#undef REJECT
};

enum { REJECTS = sizeof(rejects) / sizeof(rejects[0]) };

static unsigned alone;

/* --- One answer ------------------------------------------------------------------------------- */

/* The code of the last line that has one; *has: whether one has this code. */
static unsigned last_code(const char *log, unsigned code, bool *has)
{
	unsigned last = 0;
	char line[JUDGE_LINE];

	*has = false;
	while (*log) {
		size_t len = strcspn(log, "\n");
		unsigned found;

		snprintf(line, sizeof(line), "%.*s", (int)(len < JUDGE_LINE ? len : JUDGE_LINE - 1), log);
		log += len + (log[len] == '\n');
		found = strncmp(line, "processed ", 10) ? skep_reject_code(line) : 0;
		last = found ? found : last;
		*has = *has || found == code;
	}
	return last;
}

static void judge_answer(enum judge_who who, const struct explanation *e, bool wrong, const struct answer *got)
{
	bool ok = got->asked && !got->signal && !got->err == !wrong, has = false;
	unsigned last = got->log ? last_code(got->log, e->code, &has) : 0;
	char text[600];

	if (wrong)
		ok = ok && has && last == (e->then ? e->then : e->code);
	if (alone)
		printf("%s\n", got->log);
	if (!tap(ok, "SK%04u %s by %s", e->code, wrong ? "refused" : "accepted", judge_names[who]))
		printf("# SK%04u: %s\n", last, answer_text(got, text, sizeof(text)));
}

/* --- In assembler ----------------------------------------------------------------------------- */

/* The corpus's parser reads files. */
static bool parse(const struct explanation *e, const char *program, struct test *t)
{
	char path[] = "/tmp/skep-explain-XXXXXX";
	int fd = mkstemp(path);
	struct corpus_file f;
	bool ok;

	if (fd < 0)
		return false;
	dprintf(fd, "test example\n%s%saccept\n", e->setup, program);
	close(fd);
	ok = !corpus_open(&f, path) && corpus_next(&f, t);
	corpus_close(&f);
	unlink(path);
	return ok;
}

static void test_text(enum judge_who who, const struct explanation *e, bool wrong)
{
	struct answer got;
	struct test t;

	if (!parse(e, wrong ? e->wrong : e->right, &t)) {
		tap(false, "SK%04u: the example is no program", e->code);
		return;
	}
	judge_test(who, &t, 1, &got);
	judge_answer(who, e, wrong, &got);
	test_free(&t);
}

/* --- In C ------------------------------------------------------------------------------------- */

static const char *compiler, *include;

/*
 * clang describes a struct that is only pointed to by its name alone: functions that nobody calls make it
 * describe the structs of the example in full.
 */
static void describe_structs(FILE *f, const char *text)
{
	const char *at = text;
	char name[40];

	fprintf(f, "int whole_task(struct task_struct *t) { return 0; }\n");
	while ((at = strstr(at, "struct "))) {
		bool begins = at == text || at[-1] == '\n';

		at += strlen("struct ");
		if (begins && sscanf(at, "%39[a-z]", name) == 1 && at[strlen(name)] == ' ' &&
		    at[strlen(name) + 1] == '{')
			fprintf(f, "int whole_%s(struct %s *s) { return 0; }\n", name, name);
	}
}

static bool compile(const struct explanation *e, const char *program, const char *dir, char *object)
{
	char source[100], *args[] = {(char *)compiler, "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-w", "-I",
	                             (char *)include, "-idirafter", SYSTEM_INCLUDE, "-c", source, "-o",
	                             object, NULL};
	int status;
	pid_t pid;
	FILE *f;

	sprintf(source, "%s/%u.bpf.c", dir, e->code);
	sprintf(object, "%s/%u.bpf.o", dir, e->code);
	f = fopen(source, "w");
	if (!f)
		return false;
	fprintf(f, "#include \"kernel.h\"\n%s\n%s", e->setup, program);
	describe_structs(f, e->setup);
	if (!strstr(program, "license"))
		fprintf(f, "char skep_license[] SEC(\"license\") = \"GPL\";\n");
	fclose(f);
	if (posix_spawnp(&pid, compiler, NULL, NULL, args, environ) || waitpid(pid, &status, 0) != pid)
		return false;
	unlink(source);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

struct asked {
	const struct explanation *e;
	enum judge_who who;
	bool wrong;
	unsigned programs;
};

static void ask_program(void *arg, const struct object_case *c)
{
	struct asked *a = arg;
	struct answer got;

	a->programs++;
	judge_object(a->who, c, 1, &got);
	judge_answer(a->who, a->e, a->wrong, &got);
}

static void test_c(const struct explanation *e, bool wrong, const bool *asks)
{
	const char *what = wrong ? "refused" : "accepted";
	char dir[] = "/tmp/skep-explain-XXXXXX", object[100];

	if (!mkdtemp(dir) || !compile(e, wrong ? e->wrong : e->right, dir, object)) {
		tap(false, "SK%04u %s: clang takes it", e->code, what);
	} else {
		for (int who = 0; who < JUDGES; who++) {
			struct asked a = {e, who, wrong, 0};

			if (asks[who] && (!objects_programs(object, ask_program, &a) || a.programs != 1))
				tap(false, "SK%04u %s: one program", e->code, what);
		}
	}
	unlink(object);
	rmdir(dir);
}

/* --- All of them ------------------------------------------------------------------------------ */

/* NULL, or why this one does not judge this example. */
static const char *not_asked(enum judge_who who, const struct explanation *e)
{
	if (*e->only && strncmp(e->only, judge_names[who], strlen(judge_names[who])))
		return e->only;
	if (e->in_c && access("/sys/kernel/btf/vmlinux", R_OK))
		return "the kernel's types are not to be had";
	return judge_absent(who);
}

static void test_example(const struct explanation *e)
{
	bool asks[JUDGES];

	for (int who = 0; who < JUDGES; who++) {
		const char *why = not_asked(who, e);

		asks[who] = !why;
		if (why)
			tap_skip(why, "SK%04u by %s", e->code, judge_names[who]);
	}
	for (int wrong = 1; wrong >= 0; wrong--) {
		if (e->in_c)
			test_c(e, wrong, asks);
		for (int who = 0; !e->in_c && who < JUDGES; who++)
			if (asks[who])
				test_text(who, e, wrong);
	}
}

/* Every code is explained, every explanation has a code, and how many have no example. */
static void test_table(void)
{
	unsigned none = 0;

	for (size_t i = 0; i < REJECTS; i++) {
		bool found = false;

		for (size_t j = 0; j < EXAMPLES; j++)
			found = found || examples[j].code == rejects[i].code;
		tap(found, "SK%04u (%s) is explained", rejects[i].code, rejects[i].name);
	}
	for (size_t j = 0; j < EXAMPLES; j++) {
		if (!skep_reject_format(examples[j].code))
			tap(false, "SK%04u is explained, but no code", examples[j].code);
		if (*examples[j].without) {
			none++;
			printf("# SK%04u has no example: %s\n", examples[j].code, examples[j].without);
		}
	}
	printf("# %u of %u codes have no example\n", none, (unsigned)EXAMPLES);
}

int main(int argc, char **argv)
{
	const char *one = getenv("SK");

	alone = one ? (unsigned)atoi(one) : 0;
	if (argc == 2) {
		test_table();
		return tap_end();
	}
	if (argc == 3) {
		compiler = argv[1];
		include = argv[2];
	}
	for (size_t i = 0; i < EXAMPLES; i++)
		if (*examples[i].wrong && examples[i].in_c == !!compiler &&
		    (!alone || examples[i].code == alone))
			test_example(&examples[i]);
	return tap_end();
}
