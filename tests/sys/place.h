/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests that run in two places: on Skep, and on the kernel of the host where bpf(2) is to be had.
 *
 * A test is a function that makes calls and says of each what it must answer; it runs once in each
 * place, so what it says of Skep is shown to be true of the kernel. Results are TAP lines: one for
 * each call on Skep, one for each on the kernel (or one "skip" for all of them).
 */
#ifndef SKEP_TESTS_SYS_PLACE_H
#define SKEP_TESTS_SYS_PLACE_H

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "skep.h"
#include "sys/attr.h"

enum {
	MAP_CREATE,
	MAP_LOOKUP,
	MAP_UPDATE,
	MAP_DELETE,
	MAP_NEXT_KEY,
	PROG_LOAD,
	OBJ_PIN,
	OBJ_GET,
	PROG_TEST_RUN = 10,
	PROG_NEXT_ID,
	MAP_NEXT_ID,
	PROG_FD_BY_ID,
	MAP_FD_BY_ID,
	OBJ_INFO,
	BTF_LOAD = 18,
	BTF_FD_BY_ID,
	MAP_FREEZE = 22,
	BTF_NEXT_ID,
	BIND_MAP = 35,
};

struct place {
	struct skep *k; /* NULL: the kernel of the host */
	const char *name;
};

static unsigned tests_run, tests_failed;

static int bpf_at(const struct place *p, int cmd, void *attr, unsigned size)
{
	long ret;

	if (p->k)
		return skep_bpf(p->k, cmd, attr, size);
	ret = syscall(SYS_bpf, cmd, attr, size);
	return ret < 0 ? -errno : (int)ret;
}

static inline void report(const struct place *p, bool fine, const char *what, long got, long want)
{
	tests_run++;
	tests_failed += !fine;
	printf("%sok %u - %s: %s\n", fine ? "" : "not ", tests_run, p->name, what);
	if (!fine)
		printf("# answered %ld, expected %ld\n", got, want);
}

/* want: a negative errno, 0, or 1 for any descriptor (which is closed again). */
enum { A_DESCRIPTOR = 1 };

static inline void expect_size(const struct place *p, const char *what, int want, int cmd,
                               void *attr,
                        unsigned size)
{
	int got = bpf_at(p, cmd, attr, size);
	bool fine = want == A_DESCRIPTOR ? got > 0 : got == want;

	report(p, fine, what, got, want);
	if (got > 0)
		close(got);
}

static inline void expect(const struct place *p, const char *what, int want, int cmd, union attr a)
{
	expect_size(p, what, want, cmd, &a, sizeof(a));
}

static inline uint64_t ptr(const void *at)
{
	return (uintptr_t)at;
}

/* A kernel that lets us load programs, or none. */
static inline bool kernel_is_there(void)
{
	static const uint64_t insns[] = {0xb7, 0x95};
	union attr a = {.prog_load = {.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 2,
	                              .insns = ptr(insns), .license = ptr("GPL")}};
	int fd = bpf_at(&(struct place){0}, PROG_LOAD, &a, sizeof(a));

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Runs a test in both places, with a kernel of Skep's that has these options. */
static inline int run_places(const struct skep_options *options, void (*test)(const struct place *))
{
	struct place skep = {.name = "skep"}, host = {.name = "kernel"};

	if (skep_new(options, &skep.k) != 0) {
		printf("Bail out! no kernel\n");
		return 1;
	}
	test(&skep);
	skep_free(skep.k);
	if (kernel_is_there())
		test(&host);
	else
		printf("ok %u - kernel # SKIP bpf(2) is not to be had\n", ++tests_run);
	printf("1..%u\n", tests_run);
	return tests_failed != 0;
}

#endif
