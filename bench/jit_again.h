/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of skep-jit-time that sees the inside of the library, and so cannot see <linux/bpf.h>.
 */
#ifndef BENCH_JIT_AGAIN_H
#define BENCH_JIT_AGAIN_H

struct skep_prog;

/* Compiles a loaded program so many times again and prints its line. 0, or a negative errno. */
int jit_again(const struct skep_prog *prog, unsigned rounds);

#endif
