/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs .bpf files (corpus.h) in every place and prints TAP: one line for each test in each place.
 * `corpus [-p PLACE] FILE...`
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "corpus.h"

static const struct place *const places[] = {
	&place_interp,
	&place_checked,
	&place_jit,
	&place_kernel,
};
enum { PLACES = sizeof(places) / sizeof(places[0]) };

static unsigned counter, failures;

static void report(bool ok, const struct test *t, const struct place *p, const char *skip)
{
	printf("%sok %u - %s in %s", ok ? "" : "not ", ++counter, t->name, p->name);
	if (t->nruns > 1)
		printf(", %u runs", t->nruns);
	printf("%s%s\n", skip ? " # SKIP " : "", skip ? skip : "");
	failures += !ok;
}

static void show_memory(const char *what, const uint8_t *memory, size_t len)
{
	printf("#   %s", what);
	for (size_t i = 0; i < len; i++)
		printf("%s%02x", i % 8 ? "" : " ", memory[i]);
	printf("\n");
}

/* Runs one of the test's runs and says what was wrong. */
static bool run_case(const char *path, const struct test *t, const struct test_case *c,
                     const struct place *p, void *loaded)
{
	/* On the heap and exactly as long, so that a sanitizer sees what runs over. */
	uint8_t *memory = malloc(t->memory ? t->memory : 1);
	uint64_t r0 = 0, mask = t->type || t->bare ? UINT32_MAX : UINT64_MAX;
	char why[512] = "";
	bool ok;

	memcpy(memory, c->in, t->memory);
	ok = p->run(loaded, memory, &r0, why, sizeof(why)) && (r0 & mask) == (c->r0 & mask) &&
	     (!c->check_out || !memcmp(memory, c->out, t->memory));
	if (!ok) {
		printf("# %s:%u: in %s: %s\n", path, c->line, p->name, why);
		printf("#   r0 0x%llx, expected 0x%llx\n", (unsigned long long)r0,
		       (unsigned long long)c->r0);
	}
	if (!ok && c->check_out) {
		show_memory("memory  ", memory, t->memory);
		show_memory("expected", c->out, t->memory);
	}
	free(memory);
	return ok;
}

static void run_test(const char *path, const struct test *t, const struct place *p)
{
	const char *absent = p->absent(p, t);
	const char *why = absent ? absent : p == &place_kernel ? t->not_kernel : t->not_skep;
	static char log[65536];
	void *loaded = NULL;
	bool ok = true;
	int err;

	if (*why)
		return report(true, t, p, why);
	err = p->load(p, t, &loaded, log, sizeof(log));
	if (err != t->reject || (err && !strstr(log, t->reject_text))) {
		printf("# %s:%u: in %s: %s with the log: %s\n", path, t->line, p->name,
		       err ? strerror(err) : "accepted", log);
		ok = false;
	}
	for (unsigned i = 0; !err && i < t->nruns; i++)
		ok = run_case(path, t, &t->runs[i], p, loaded) && ok;
	report(ok, t, p, NULL);
	if (!err)
		p->unload(loaded);
}

static bool run_file(const char *path, const char *only)
{
	struct corpus_file f;
	struct test t;
	bool ok;

	if (corpus_open(&f, path))
		return false;
	while (corpus_next(&f, &t)) {
		for (unsigned i = 0; i < PLACES; i++) {
			if (!only || !strcmp(only, places[i]->name))
				run_test(path, &t, places[i]);
		}
		test_free(&t);
	}
	ok = !f.failed;
	corpus_close(&f);
	return ok;
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	bool ok = true;
	int option;

	while ((option = getopt(argc, argv, "p:")) != -1) {
		if (option != 'p') {
			fprintf(stderr, "usage: corpus [-p PLACE] FILE...\n");
			return 2;
		}
		only = optarg;
	}
	for (int i = optind; i < argc; i++)
		ok = run_file(argv[i], only) && ok;
	printf("1..%u\n", counter);
	return ok && !failures ? 0 : 1;
}
