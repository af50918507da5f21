/* SPDX-License-Identifier: BSD-2-Clause */
/* The place "native": the bench programs as clang compiles them for this CPU, called by pointer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"
#include "native.h"
#include "place.h"
#include "progs/bench.h"

/* The linker's: rows that the macro BENCH() leaves in each program's object. */
extern const struct bench_native __start_bench_natives[], __stop_bench_natives[];

const struct bench_native *native_rows(unsigned *n)
{
	*n = (unsigned)(__stop_bench_natives - __start_bench_natives);
	return __start_bench_natives;
}

static double run_native(void *arg, uint64_t repeat)
{
	struct runner *r = arg;
	uint32_t (*volatile run)(void *) = r->native;
	bench_ctx ctx = {r->data, r->data + r->len};
	double start = cpu_ns();

	while (repeat--)
		r->result = run(&ctx);
	return cpu_ns() - start;
}

static int load_native(const struct place *p, const char *path, struct loaded *out)
{
	*out = (struct loaded){.place = p, .path = path};
	return 0;
}

static void unload_native(struct loaded *l)
{
}

static int find_native(const struct loaded *l, const char *prog_name, struct runner *out)
{
	unsigned n;
	const struct bench_native *row = native_rows(&n);

	for (unsigned i = 0; i < n; i++)
		if (!strcmp(row[i].name, prog_name)) {
			*out = (struct runner){.data = bench_frame, .len = FRAME_LEN};
			out->run = run_native;
			out->native = (uint32_t (*)(void *))row[i].run;
			return 0;
		}
	fprintf(stderr, "bench: no native program is called %s\n", prog_name);
	return -ENOENT;
}

static void put_native(struct runner *r)
{
}

const struct place place_native = {
	.name = "native", .load = load_native, .unload = unload_native,
	.find = find_native, .put = put_native,
};
