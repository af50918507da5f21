/* SPDX-License-Identifier: BSD-2-Clause */
/* The natively compiled bench programs: the list of all programs. See progs/bench.h. */
#ifndef BENCH_NATIVE_H
#define BENCH_NATIVE_H

struct bench_native;

const struct bench_native *native_rows(unsigned *n);

#endif
