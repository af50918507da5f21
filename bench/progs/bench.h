/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the bench programs include: one source, compiled to BPF and to native code.
 *
 * A program is BENCH(name, "what it exercises") { ... }. It receives a packet, reads BENCH_BYTES of
 * it, and returns a 32-bit checksum of all that it computed, so that every way of running it can be
 * compared. The same packet must give the same checksum however often it is run: nothing is written
 * to the packet, and globals are set before they are read.
 *
 * Native: the context is the caller's struct skep_xdp, whose first two fields are the two below;
 * the macro also adds the program to the section that bench/programs.c walks.
 */
#ifndef BENCH_PROGS_BENCH_H
#define BENCH_PROGS_BENCH_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

#define NOINLINE static __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

enum { BENCH_BYTES = 1024 };

#ifdef __bpf__

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

typedef struct xdp_md bench_ctx;

#define BENCH(prog, what) \
	SEC("xdp") int prog(bench_ctx *ctx); \
	char _license[] SEC("license") = "Dual BSD/GPL"; \
	int prog(bench_ctx *ctx)

#define packet_start(ctx) ((const u8 *)(long)(ctx)->data)
#define packet_end(ctx) ((const u8 *)(long)(ctx)->data_end)

#else

typedef struct {
	const u8 *data, *end;
} bench_ctx;

struct bench_native {
	const char *name, *what;
	u32 (*run)(bench_ctx *ctx);
};

#define BENCH(prog, what) \
	u32 native_##prog(bench_ctx *ctx); \
	__attribute__((section("bench_natives"), used)) \
	static const struct bench_native native_row_##prog = {#prog, what, native_##prog}; \
	u32 native_##prog(bench_ctx *ctx)

#define packet_start(ctx) ((ctx)->data)
#define packet_end(ctx) ((ctx)->end)

#endif

/* The program's input: BENCH_BYTES readable bytes, checked as the verifier wants it. */
#define INPUT(p, ctx) \
	const u8 *p = packet_start(ctx); \
	if (p + BENCH_BYTES > packet_end(ctx)) \
		return 0

INLINE u32 load32(const u8 *p)
{
	return *(const u32 *)p;
}

INLINE u64 load64(const u8 *p)
{
	return *(const u64 *)p;
}

/* A number of which the compiler may assume nothing. */
INLINE u32 opaque(u32 x)
{
	__asm__("" : "+r"(x));
	return x;
}

INLINE u32 fold64(u64 x)
{
	return (u32)(x ^ x >> 32);
}

INLINE u32 rol32(u32 x, u32 n)
{
	return x << n | x >> (32 - n);
}

INLINE u32 ror32(u32 x, u32 n)
{
	return x >> n | x << (32 - n);
}

INLINE u64 rol64(u64 x, u32 n)
{
	return x << n | x >> (64 - n);
}

#endif
