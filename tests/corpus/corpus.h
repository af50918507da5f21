/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The corpus: programs with what they must answer, run by every engine and by the real kernel.
 *
 * A .bpf file holds tests. What is indented is program text, and so is a line that begins with a label;
 * other lines are directives.
 *
 *   # a comment
 *   test NAME                      begins a test
 *       r0 = *(u64 *)(r1 + 0)      r1 points to the memory, r2 is its length
 *       exit
 *   run 0x5 0x7 -> 0x5             64-bit words of memory; then r0
 *   run 0x5 0x7 -> 0x5 : 0x5 0x8   and the memory afterwards
 *   run bytes 01 02 03 -> 3        memory as bytes (also behind the colon); no words: no memory
 *
 * Between `test` and the first `run`:
 *
 *   map NAME TYPE KEY VALUE ENTRIES    a map, which programs call map[NAME]
 *   program MAP INDEX                  the indented text that follows is a program of its own, put into a
 *                                      prog array
 *   type TYPE                          not the raw type / syscall, but socket_filter: memory is the packet
 *   bare                               r1 is the context, whatever the place's is; no memory, 32 bits of r0
 *   fuel N                             the checked engine ends it (loops that never end on their own)
 *   reject ERRNO TEXT                  the verifier refuses it with a line of this text; nothing runs
 *   not PLACE WHY                      it does not run there: kernel, skep
 *
 * Cases of the verifier (tests/verifier/cases) are only loaded, and have these, too:
 *
 *   map NAME TYPE KEY VALUE ENTRIES [FLAGS [EXTRA]]   numbers
 *   type TYPE, attach TYPE, flags FLAG ...            as names.c spells them
 *   license TEXT                       not GPL
 *   caps NAME ...                      the loader has these capabilities only
 *   btf                                with types and func_info: functions but the first are static
 *   accept                             the verifier takes it
 *   processed N                        the instructions that the verifier says it followed
 *
 * Every run starts with the memory that it lists, zeroed up to the longest of the test.
 */
#ifndef SKEP_TESTS_CORPUS_H
#define SKEP_TESTS_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/insn.h"

enum { MAX_MAPS = 8, MAX_PROGRAMS = 40, MAX_FUNCS = 16, MAX_RUNS = 128, MAX_MEMORY = 2048 };

struct test_map {
	char name[16];
	uint32_t type, key_size, value_size, max_entries, flags;
	uint64_t extra;
};

struct test_program {
	struct insn *insns; /* map_fd[i] is the test's i-th map */
	size_t n;
	uint32_t funcs[MAX_FUNCS]; /* where its functions begin, ascending, the first at 0 */
	unsigned nfuncs;
	unsigned map; /* for all but the first: the prog array it goes to */
	uint32_t index;
};

struct test_case {
	unsigned line;
	uint64_t r0;
	uint8_t in[MAX_MEMORY], out[MAX_MEMORY];
	bool check_out;
};

struct test {
	char name[100];
	unsigned line;
	uint32_t type; /* bpf_prog_type, or 0: raw in Skep, syscall in the kernel */
	struct test_map maps[MAX_MAPS];
	unsigned nmaps;
	struct test_program programs[MAX_PROGRAMS];
	unsigned nprograms;
	struct test_case *runs;
	unsigned nruns;
	size_t memory; /* bytes, the same for all runs */
	bool bare;
	uint64_t fuel;
	int reject; /* errno, or 0 */
	char reject_text[400];
	bool accept, btf;
	uint32_t attach, flags;
	uint64_t caps; /* 0: all */
	char license[16];
	unsigned processed, verdict_line;
	char not_kernel[100], not_skep[100]; /* why it does not run there */
};

/* Numbers by name: see names.c. */
struct name_table;
extern const struct name_table names_prog_type, names_map_type, names_attach_type, names_flags, names_caps,
	names_errno;
bool name_find(const struct name_table *t, const char *name, uint32_t *out);
/* NULL: none. */
const char *name_of(const struct name_table *t, uint32_t number);

struct corpus_file {
	const char *path, *at; /* at: what is left to parse */
	char *text;
	unsigned line;
	bool failed;
};

/* 0 or an errno, with a message on stderr. */
int corpus_open(struct corpus_file *f, const char *path);
/* The next test; false at the end or after an error in the file (failed). Free it with test_free(). */
bool corpus_next(struct corpus_file *f, struct test *t);
void corpus_close(struct corpus_file *f);
void test_free(struct test *t);

/* Somewhere a test can run. */
struct place {
	const char *name;
	int engine; /* the places in Skep: which */
	/* Why the test cannot run here, or NULL. */
	const char *(*absent)(const struct place *p, const struct test *t);
	/* 0, or the verifier's errno; log: room for what it says. */
	int (*load)(const struct place *p, const struct test *t, void **loaded, char *log, size_t len);
	/* Runs on the memory, in place. false: it could not be run, or faulted; why: room for the reason. */
	bool (*run)(void *loaded, uint8_t *memory, uint64_t *r0, char *why, size_t len);
	void (*unload)(void *loaded);
};

extern const struct place place_interp, place_checked, place_jit, place_kernel;

#endif
