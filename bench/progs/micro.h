/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs whose difference in time is the price of one thing: each does MICRO_LOOPS rounds of a
 * little arithmetic, and one thing more in each round; "plain" does nothing more. Compiled to BPF
 * only.
 */
#ifndef BENCH_PROGS_MICRO_H
#define BENCH_PROGS_MICRO_H

#include "bench.h"

enum { MICRO_LOOPS = 1024 }; /* also for the harness */

#ifdef __bpf__

/* A program that does some statements in each round, in which x and i may be used. */
#define MICRO(name, ...) \
	SEC("xdp") int name(bench_ctx *ctx) \
	{ \
		u64 x = ctx->rx_queue_index; \
\
		for (u32 i = 0; i < MICRO_LOOPS; i++) { \
			__VA_ARGS__; \
			x += i; \
			__asm__ volatile("" : "+r"(x)); \
		} \
		return fold64(x); \
	}

#endif

#endif
