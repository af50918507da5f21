/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that keep a verifier busy, each with one kind of work. */
#ifndef BENCH_VERIFY_PROGS_H
#define BENCH_VERIFY_PROGS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

enum { VERIFY_VALUE = 512 }; /* bytes in the value of the map that programs use */

struct maker;

struct verify_prog {
	const char *name;
	void (*make)(struct maker *m);
	uint32_t turns;
	bool endless;      /* ends at the budget: E2BIG */
	bool long_running; /* walks about a million instructions: its memory is measured */
	struct bpf_insn *insns;
	uint32_t n;
};

extern const struct verify_prog verify_progs[];
extern const unsigned verify_nprogs;

/* Fills in insns and n; the caller frees insns. False: no memory. */
bool verify_prog_make(struct verify_prog *p);
/* Puts the descriptor of the map where the program names it. */
void verify_prog_bind(const struct verify_prog *p, int map);

#endif
