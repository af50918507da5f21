/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kfuncs: each program of bpf/calls.bpf.c is loaded by libbpf and run on Skep, by the JIT and by the
 * interpreter, and on the kernel. What it notes must be the same.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "skep.h"
#include "skep_bpf.h"

static const char *const progs[] = {"numbers", "bits", "strings", "dynptrs", "lists", "trees", "pointers",
                                    "sections", "work", "streams"};

enum { NPROGS = sizeof(progs) / sizeof(progs[0]), ROOM = 4096 };

static int verbose(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN && getenv("SKEP_TEST_VERBOSE") ? vfprintf(stderr, format, args) : 0;
}

static struct bpf_map *section(const struct bpf_object *obj, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (strstr(bpf_map__name(map), name))
			return map;
	abort();
}

/* Loads one program, runs it, and fetches what it left in .bss: false when it does not load. */
static bool answers(const char *prog, char bss[ROOM], unsigned *retval)
{
	struct bpf_object *obj = bpf_object__open_file(OBJECT_DIR "/calls.bpf.o", NULL);
	char packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = sizeof(packet));
	struct bpf_program *p;
	int zero = 0;

	for (int i = 0; i < 64; i++)
		packet[i] = (char)i;
	memset(bss, 0, ROOM);
	bpf_object__for_each_program(p, obj)
		bpf_program__set_autoload(p, strcmp(bpf_program__name(p), prog) == 0);
	if (bpf_object__load(obj)) {
		bpf_object__close(obj);
		return false;
	}
	bpf_prog_test_run_opts(
		bpf_program__fd(bpf_object__find_program_by_name(obj, prog)), &o);
	*retval = o.retval;
	usleep(50000); /* work is done meanwhile */
	bpf_map_lookup_elem(bpf_map__fd(section(obj, ".bss")), &zero, bss);
	bpf_object__close(obj);
	return true;
}

static void show(const char *who, const char *bss, unsigned retval)
{
	const long *at = (const long *)bss;

	printf("# %s %u:", who, retval);
	for (int i = 0; i < 80; i++)
		printf(" %ld", at[i]);
	printf("\n");
}

static bool on_skep(enum skep_engine engine, const char *prog, char *bss, unsigned *retval)
{
	struct skep_options o = {.size = sizeof(o), .trust_programs = 1, .engine = engine};
	struct skep *k;
	bool loaded;

	if (skep_new(&o, &k))
		return false;
	skep_bpf_bind(k);
	loaded = answers(prog, bss, retval);
	skep_bpf_bind(NULL);
	skep_free(k);
	return loaded;
}

int main(int argc, char **argv)
{
	static char jit[ROOM], interp[ROOM], kernel[ROOM];
	unsigned rets[3], failed = 0, n = 0;

	libbpf_set_print(verbose);
	for (int i = 0; i < NPROGS; i++) {
		bool fine;

		if (argc > 1 && strcmp(argv[1], progs[i]))
			continue;
		fine = on_skep(SKEP_ENGINE_AUTO, progs[i], jit, &rets[0]) &&
		       on_skep(SKEP_ENGINE_INTERP, progs[i], interp, &rets[1]) &&
		       !memcmp(jit, interp, ROOM) && rets[0] == rets[1];
		failed += !fine;
		printf("%sok %u - %s: on Skep\n", fine ? "" : "not ", ++n, progs[i]);
		if (!answers(progs[i], kernel, &rets[2])) {
			printf("ok %u - %s # SKIP does not load on the kernel\n", ++n, progs[i]);
			continue;
		}
		fine = fine && !memcmp(jit, kernel, ROOM) && rets[0] == rets[2];
		failed += !fine;
		printf("%sok %u - %s: as on the kernel\n", fine ? "" : "not ", ++n, progs[i]);
		if (!fine) {
			show("skep", jit, rets[0]);
			show("interpreter", interp, rets[1]);
			show("kernel", kernel, rets[2]);
		}
	}
	printf("1..%u\n", n);
	return failed != 0;
}
