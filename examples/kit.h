/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests and benches of the examples share: TAP, engines, a stopwatch, a loader. */
#ifndef EXAMPLES_KIT_H
#define EXAMPLES_KIT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <skep_bpf.h>
#include <skep_libbpf.h>

static unsigned kit_tests, kit_failed;

__attribute__((format(printf, 2, 3))) static inline bool ok(bool fine, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("%sok %u - ", fine ? "" : "not ", ++kit_tests);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	kit_failed += !fine;
	return fine;
}

static inline int kit_done(void)
{
	printf("1..%u\n", kit_tests);
	return kit_failed != 0;
}

static const struct {
	enum skep_engine engine;
	const char *name;
} kit_engines[] = {
	{SKEP_ENGINE_AUTO, "jit"}, {SKEP_ENGINE_INTERP, "interp"}, {SKEP_ENGINE_CHECKED, "checked"},
};
enum { KIT_ENGINES = 3 };

static inline void kit_say(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "# %s\n", text);
}

/* A kernel with an engine, bound to libbpf. */
static inline struct skep *kit_kernel(enum skep_engine engine)
{
	struct skep_options o = {.size = sizeof(o), .engine = engine, .diagnose = kit_say, .fault = kit_say};
	struct skep *k = NULL;

	if (skep_new(&o, &k))
		exit(99);
	skep_bpf_bind(k);
	return k;
}

static inline struct bpf_object *kit_load(const char *path)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL);

	if (!o || bpf_object__load(o)) {
		fprintf(stderr, "# %s does not load\n", path);
		exit(98);
	}
	return o;
}

/* A reference to a program of an object, by name; NULL: its first. */
static inline struct skep_prog *kit_prog(struct skep *k, struct bpf_object *o, const char *name)
{
	struct bpf_program *p = name ? bpf_object__find_program_by_name(o, name)
	                             : bpf_object__next_program(o, NULL);
	struct skep_prog *prog = NULL;

	if (!p || skep_prog_from_fd(k, bpf_program__fd(p), &prog))
		exit(97);
	return prog;
}

static inline struct skep_map *kit_map(struct skep *k, struct bpf_object *o, const char *name)
{
	struct skep_map *map = NULL;

	if (skep_map_from_fd(k, bpf_object__find_map_fd_by_name(o, name), &map))
		exit(96);
	return map;
}

static inline double kit_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#endif
