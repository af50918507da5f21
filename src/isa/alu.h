/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every arithmetic and compare operation computes: the only definition in the project.
 *
 * alu64_ADD(a, b), alu32_ADD(a, b) ... for the binary operations, cmp64_JSGT(a, b) ... for the
 * conditions, with K operands already widened (64-bit operations sign-extend imm). 32-bit results
 * are returned as uint32_t; storing them in a register zero-extends.
 *
 * Rules that C leaves open and RFC 9669 section 4.1 settles: division by zero gives 0, modulo by zero
 * leaves dst as it was, the most negative number divided by -1 gives itself (remainder 0), shift counts
 * are taken modulo the width. The arithmetic is done on unsigned types, so it wraps.
 */
#ifndef SKEP_ISA_ALU_H
#define SKEP_ISA_ALU_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, value): a and b are the operands, U and S the unsigned and signed type of their width. */
#define ALU_OPS(X)                                                                                 \
	X(ADD, a + b)                                                                              \
	X(SUB, a - b)                                                                              \
	X(MUL, a * b)                                                                              \
	X(DIV, b ? a / b : 0)                                                                      \
	X(SDIV, !b ? 0 : b == (U)-1 ? 0 - a : (U)((S)a / (S)b))                                    \
	X(OR, a | b)                                                                               \
	X(AND, a & b)                                                                              \
	X(LSH, a << (b & (sizeof(U) * 8 - 1)))                                                     \
	X(RSH, a >> (b & (sizeof(U) * 8 - 1)))                                                     \
	X(MOD, b ? a % b : a)                                                                      \
	X(SMOD, !b ? a : b == (U)-1 ? 0 : (U)((S)a % (S)b))                                        \
	X(XOR, a ^ b)                                                                              \
	X(ARSH, (U)((S)a >> (b & (sizeof(U) * 8 - 1))))

/* X(name, condition): the conditional jumps. */
#define CMP_OPS(X)                                                                                 \
	X(JEQ, a == b)                                                                             \
	X(JGT, a > b)                                                                              \
	X(JGE, a >= b)                                                                             \
	X(JSET, (a & b) != 0)                                                                      \
	X(JNE, a != b)                                                                             \
	X(JSGT, (S)a > (S)b)                                                                       \
	X(JSGE, (S)a >= (S)b)                                                                      \
	X(JLT, a < b)                                                                              \
	X(JLE, a <= b)                                                                             \
	X(JSLT, (S)a < (S)b)                                                                       \
	X(JSLE, (S)a <= (S)b)

/* X(name, value): unary operations on a 64-bit register whose result is 64 bits wide. */
#define UNARY_OPS(X)                                                                               \
	X(NEG64, 0 - a)                                                                            \
	X(NEG32, (uint32_t)(0 - a))                                                                \
	X(LE16, ALU_LE(16, a))                                                                     \
	X(LE32, ALU_LE(32, a))                                                                     \
	X(LE64, ALU_LE(64, a))                                                                     \
	X(BE16, ALU_BE(16, a))                                                                     \
	X(BE32, ALU_BE(32, a))                                                                     \
	X(BE64, ALU_BE(64, a))                                                                     \
	X(BSWAP16, __builtin_bswap16((uint16_t)a))                                                 \
	X(BSWAP32, __builtin_bswap32((uint32_t)a))                                                 \
	X(BSWAP64, __builtin_bswap64(a))

/* X(name, value): moves of a source register that change it. */
#define MOVSX_OPS(X)                                                                               \
	X(MOVSX8_64, (uint64_t)(int8_t)a)                                                          \
	X(MOVSX16_64, (uint64_t)(int16_t)a)                                                        \
	X(MOVSX32_64, (uint64_t)(int32_t)a)                                                        \
	X(MOVSX8_32, (uint32_t)(int8_t)a)                                                          \
	X(MOVSX16_32, (uint32_t)(int16_t)a)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ALU_LE(bits, a) ((uint##bits##_t)(a))
#define ALU_BE(bits, a) __builtin_bswap##bits((uint##bits##_t)(a))
#else
#define ALU_LE(bits, a) __builtin_bswap##bits((uint##bits##_t)(a))
#define ALU_BE(bits, a) ((uint##bits##_t)(a))
#endif

#define X(name, value)                                                                             \
	static inline uint64_t alu64_##name(uint64_t a, uint64_t b)                                \
	{                                                                                          \
		typedef uint64_t U;                                                                \
		typedef __attribute__((unused)) int64_t S;                                         \
		return (U)(value);                                                                 \
	}                                                                                          \
	static inline uint32_t alu32_##name(uint32_t a, uint32_t b)                                \
	{                                                                                          \
		typedef uint32_t U;                                                                \
		typedef __attribute__((unused)) int32_t S;                                         \
		return (U)(value);                                                                 \
	}
ALU_OPS(X)
#undef X

#define X(name, condition)                                                                         \
	static inline bool cmp64_##name(uint64_t a, uint64_t b)                                    \
	{                                                                                          \
		typedef __attribute__((unused)) int64_t S;                                         \
		return condition;                                                                  \
	}                                                                                          \
	static inline bool cmp32_##name(uint32_t a, uint32_t b)                                    \
	{                                                                                          \
		typedef __attribute__((unused)) int32_t S;                                         \
		return condition;                                                                  \
	}
CMP_OPS(X)
#undef X

#define X(name, value)                                                                             \
	static inline uint64_t alu_##name(uint64_t a)                                              \
	{                                                                                          \
		return value;                                                                      \
	}
UNARY_OPS(X)
MOVSX_OPS(X)
#undef X

#endif
