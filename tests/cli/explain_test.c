/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The examples of explain.def: each is refused with the words of its code, and accepted once corrected, by
 * the real kernel and by Skep. Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "corpus/corpus.h"
#include "skep.h"
#include "verifier/judge.h"
#include "verifier/tap.h"

static const struct example {
	unsigned code;
	const char *setup, *wrong, *right;
} examples[] = {
#define EXPLAIN(code, title, needed, fix, setup, wrong, right) {code, setup, wrong, right},
#include "cli/explain.def"
#undef EXPLAIN
};

/* The corpus's parser reads files. */
static bool parse(const struct example *e, const char *program, struct test *t)
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

static void test_example(enum judge_who who, const struct example *e, bool wrong)
{
	const char *what = wrong ? "refused" : "accepted", *absent = judge_absent(who);
	struct answer got;
	struct test t;
	bool ok;

	if (absent)
		return tap_skip(absent, "SK%04u %s by %s", e->code, what, judge_names[who]);
	if (!skep_reject_format(e->code))
		return tap_skip("the verifier does not say this yet", "SK%04u %s by %s", e->code, what,
		                judge_names[who]);
	if (!parse(e, wrong ? e->wrong : e->right, &t)) {
		tap(false, "SK%04u %s: the example is no program", e->code, what);
		return;
	}
	judge_test(who, &t, 1, &got);
	ok = got.asked && !got.signal && !got.err == !wrong;
	if (wrong)
		ok = ok && skep_reject_code(got.line) == e->code;
	if (!tap(ok, "SK%04u %s by %s", e->code, what, judge_names[who])) {
		char text[600];

		printf("# SK%04u: %s\n", skep_reject_code(got.line), answer_text(&got, text, sizeof(text)));
	}
	test_free(&t);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		for (int who = 0; *examples[i].wrong && who < JUDGES; who++) {
			test_example(who, &examples[i], true);
			test_example(who, &examples[i], false);
		}
	return tap_end();
}
