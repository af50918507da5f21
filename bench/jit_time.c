/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep-jit-time ROUNDS OBJECT...: how long the JIT takes to compile all programs of some object
 * files.
 *
 * Loading does more than compiling, so this program reaches inside the library, with which it is
 * linked statically: it loads each object as usual, and then has the engine compile each program
 * again on the clock, and throw the code away off it. Prints one line a program:
 *
 *     NAME INSTRUCTIONS BYTES NANOSECONDS(median)
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <skep.h>
#include <skep_bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jit_again.h"
#include "measure.h"

static int time_object(struct skep *k, const char *path, unsigned rounds)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	int err = object ? bpf_object__load(object) : -errno;

	if (err)
		fprintf(stderr, "skep-jit-time: %s: %s\n", path, strerror(-err));
	bpf_object__for_each_program(program, object) {
		struct skep_prog *p;

		err = err ? err : skep_prog_from_fd(k, bpf_program__fd(program), &p);
		if (err)
			break;
		err = jit_again(p, rounds);
		skep_prog_put(p);
	}
	bpf_object__close(object);
	return err;
}

static int drop_message(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int main(int argc, char **argv)
{
	const struct skep_options options = {
		.size = sizeof(options), .engine = SKEP_ENGINE_JIT, .trust_programs = 1,
	};
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	struct skep *k;
	int err;

	if (argc < 3 || rounds < 1 || rounds > MEASURE_MAX_ROUNDS) {
		fputs("usage: skep-jit-time ROUNDS OBJECT...\n", stderr);
		return 2;
	}
	libbpf_set_print(drop_message);
	pin_cpu(-1);
	err = skep_new(&options, &k);
	if (err) {
		fprintf(stderr, "skep-jit-time: %s\n", strerror(-err));
		return 4;
	}
	skep_bpf_bind(k);
	for (int i = 2; i < argc && !err; i++)
		err = time_object(k, argv[i], rounds);
	skep_bpf_bind(NULL);
	skep_free(k);
	return err ? 1 : 0;
}
