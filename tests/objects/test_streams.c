/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs write to their streams, and how BPF_PROG_STREAM_READ_BY_FD gives it out. Only on Skep: the
 * kernel that the other tests ask may be short of the memory that it takes for this, and says so (ENOMEM).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "skep.h"
#include "skep_bpf.h"

enum { PROG_STREAM_READ_BY_FD = 37, LINE = 99, ROOM = 100000 };

static struct skep *k;
static unsigned n, failed;

static void check(bool fine, const char *what)
{
	failed += !fine;
	printf("%sok %u - %s\n", fine ? "" : "not ", ++n, what);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static int take(int fd, uint32_t id, void *to, uint32_t len)
{
	struct {
		uint64_t buf;
		uint32_t len, id, fd, pad;
	} attr = {(uintptr_t)to, len, id, (uint32_t)fd, 0};

	return skep_bpf(k, PROG_STREAM_READ_BY_FD, &attr, 20);
}

static int run(struct bpf_object *obj, const char *prog)
{
	char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = sizeof(packet));
	int fd = bpf_program__fd(bpf_object__find_program_by_name(obj, prog));

	bpf_prog_test_run_opts(fd, &o);
	return fd;
}

static void words(struct bpf_object *obj)
{
	static const char said[] = "-8 of the quick brown fox\n";
	char got[200] = {0};
	int fd = run(obj, "talk");

	check(take(fd, 0, got, 10) == -ENOENT && take(fd, 3, got, 10) == -ENOENT, "two streams");
	check(take(-1, 1, got, 10) == -EBADF, "of a program");
	check(take(fd, 1, got, 0) == 0, "no room, no text");
	check(take(fd, 1, got, 5) == 5 && take(fd, 1, got + 5, 100) == (int)strlen(said) - 5 &&
	              !strcmp(got, said), "in pieces");
	check(take(fd, 1, got, 100) == 0, "each byte once");
	check(take(fd, 2, (void *)8, 100) == -EFAULT, "nowhere to write to");
	run(obj, "talk");
	memset(got, 0, sizeof(got));
	check(take(fd, 2, got, 100) == 6 && !strcmp(got, "wrong\n"), "the other stream");
}

/* The ring wraps: it is filled twice, each time to the last line that fits. */
static void full(struct bpf_object *obj)
{
	static char got[ROOM + 1], want[LINE + 1];
	int fd = -1, lines = (ROOM - 1) / LINE;
	bool same = true;

	for (int round = 0; round < 2; round++) {
		fd = run(obj, "chatter");
		check(take(fd, 1, got, sizeof(got)) == lines * LINE, "as much as fits");
		for (int i = 0; i < lines; i++) {
			snprintf(want, sizeof(want), "%098d\n", i);
			same &= !memcmp(got + i * LINE, want, LINE);
		}
	}
	check(same, "line by line");
}

int main(void)
{
	struct skep_options o = {.size = sizeof(o), .trust_programs = 1};
	struct bpf_object *obj;
	struct bpf_program *p;

	libbpf_set_print(quiet);
	if (skep_new(&o, &k))
		return 1;
	skep_bpf_bind(k);
	obj = bpf_object__open_file(OBJECT_DIR "/calls.bpf.o", NULL);
	bpf_object__for_each_program(p, obj)
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), "talk") ||
		                                     !strcmp(bpf_program__name(p), "chatter"));
	if (bpf_object__load(obj)) {
		check(false, "programs load");
	} else {
		words(obj);
		full(obj);
	}
	bpf_object__close(obj);
	skep_bpf_bind(NULL);
	skep_free(k);
	printf("1..%u\n", n);
	return failed != 0;
}
