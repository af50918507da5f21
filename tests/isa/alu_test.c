/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alu.h at its edges, against values worked out another way: in 128-bit arithmetic, where nothing
 * wraps, and cut to the width at the end; shifts bit by bit; and the cases of RFC 9669 written out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "isa/alu.h"

typedef __int128 wide;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint64_t edges[] = {
	0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 0x7fff, 0x8000,
	0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0x100000000,
	0x100000001, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001,
	0xfffffffffffffffe, 0xffffffffffffffff, 0x123456789abcdef0, 0xffffffff80000000,
	0xffffffff7fffffff, 0xfffffffffffffff0, 0xdeadbeefcafebabe,
};

/* The value as a number: of 32 or 64 bits, with or without sign. */
static wide number(uint64_t v, unsigned bits, bool has_sign)
{
	wide n = bits == 64 ? v : (uint32_t)v;

	if (has_sign && n >> (bits - 1))
		n -= (wide)1 << bits;
	return n;
}

static uint64_t cut(wide n, unsigned bits)
{
	return bits == 64 ? (uint64_t)n : (uint32_t)n;
}

static wide magnitude(wide n)
{
	return n < 0 ? -n : n;
}

/* The quotient rounded to zero and the remainder of the dividend's sign, by magnitudes. */
static wide quotient(wide a, wide b)
{
	wide q = magnitude(a) / magnitude(b);

	return (a < 0) != (b < 0) ? -q : q;
}

static wide remainder_of(wide a, wide b)
{
	wide r = magnitude(a) % magnitude(b);

	return a < 0 ? -r : r;
}

/* Bit k of the result is a bit of a, or the fill. */
static uint64_t shifted(uint64_t a, unsigned count, unsigned bits, bool left, bool fill)
{
	uint64_t result = 0;

	for (unsigned k = 0; k < bits; k++) {
		int from = left ? (int)k - (int)count : (int)(k + count);
		bool bit = from < 0 ? false : from >= (int)bits ? fill : a >> from & 1;

		result |= (uint64_t)bit << k;
	}
	return result;
}

static void both(uint64_t got64, uint64_t want64, uint64_t got32, uint64_t want32, const char *name,
                 uint64_t a, uint64_t b)
{
	if (got64 != want64)
		fail_msg("%s64 %#llx, %#llx: %#llx, not %#llx", name, (unsigned long long)a,
		         (unsigned long long)b, (unsigned long long)got64,
		         (unsigned long long)want64);
	if (got32 != want32)
		fail_msg("%s32 %#llx, %#llx: %#llx, not %#llx", name, (unsigned long long)a,
		         (unsigned long long)b, (unsigned long long)got32,
		         (unsigned long long)want32);
}

/* want: an expression in a, b, s (as wide numbers of the width) and bits. */
#define CHECK(op, has_sign, want)                                                                  \
	do {                                                                                       \
		uint64_t wants[2];                                                                 \
		for (unsigned w = 0; w < 2; w++) {                                                 \
			unsigned bits = w ? 64 : 32;                                               \
			wide a = number(x, bits, has_sign), b = number(y, bits, has_sign);         \
			(void)a, (void)b;                                                          \
			wants[w] = cut(want, bits);                                                \
		}                                                                                  \
		both(alu64_##op(x, y), wants[1], alu32_##op((uint32_t)x, (uint32_t)y), wants[0],   \
		     #op, x, y);                                                                   \
	} while (0)

static void for_all_pairs(void (*check)(uint64_t x, uint64_t y))
{
	for (size_t i = 0; i < COUNT(edges); i++) {
		for (size_t j = 0; j < COUNT(edges); j++)
			check(edges[i], edges[j]);
	}
}

static void check_sums(uint64_t x, uint64_t y)
{
	CHECK(ADD, false, a + b);
	CHECK(SUB, false, a - b);
	CHECK(MUL, true,
	      bits == 64 ? (wide)(uint64_t)((unsigned __int128)a * (unsigned __int128)b) : a * b);
}

static void check_divisions(uint64_t x, uint64_t y)
{
	CHECK(DIV, false, b ? a / b : 0);
	CHECK(MOD, false, b ? a % b : a);
	CHECK(SDIV, true, b ? quotient(a, b) : 0);
	CHECK(SMOD, true, b ? remainder_of(a, b) : a);
}

static void check_bits(uint64_t x, uint64_t y)
{
	CHECK(OR, false, (wide)(~(~x & ~y)));
	CHECK(AND, false, (wide)(~(~x | ~y)));
	CHECK(XOR, false, (wide)((x | y) - (x & y)));
}

static void check_shifts(uint64_t x, uint64_t y)
{
	CHECK(LSH, false, (wide)shifted(x, y % bits, bits, true, false));
	CHECK(RSH, false, (wide)shifted(x, y % bits, bits, false, false));
	CHECK(ARSH, false, (wide)shifted(x, y % bits, bits, false, x >> (bits - 1) & 1));
}

#define CHECK_CMP(op, has_sign, want)                                                              \
	do {                                                                                       \
		bool wants[2];                                                                     \
		for (unsigned w = 0; w < 2; w++) {                                                 \
			unsigned bits = w ? 64 : 32;                                               \
			wide d = number(x, bits, has_sign) - number(y, bits, has_sign);            \
			uint64_t common = x & y & (bits == 64 ? ~UINT64_C(0) : 0xffffffff);        \
			(void)d, (void)common;                                                     \
			wants[w] = want;                                                           \
		}                                                                                  \
		both(cmp64_##op(x, y), wants[1], cmp32_##op((uint32_t)x, (uint32_t)y), wants[0],   \
		     #op, x, y);                                                                   \
	} while (0)

static void check_conditions(uint64_t x, uint64_t y)
{
	CHECK_CMP(JEQ, false, d == 0);
	CHECK_CMP(JNE, false, d != 0);
	CHECK_CMP(JGT, false, d > 0);
	CHECK_CMP(JGE, false, d >= 0);
	CHECK_CMP(JLT, false, d < 0);
	CHECK_CMP(JLE, false, d <= 0);
	CHECK_CMP(JSGT, true, d > 0);
	CHECK_CMP(JSGE, true, d >= 0);
	CHECK_CMP(JSLT, true, d < 0);
	CHECK_CMP(JSLE, true, d <= 0);
	CHECK_CMP(JSET, false, common != 0);
}

static void sums_wrap(void **state)
{
	for_all_pairs(check_sums);
}

static void divisions_round_to_zero(void **state)
{
	for_all_pairs(check_divisions);
}

static void bits_combine(void **state)
{
	for_all_pairs(check_bits);
}

static void shift_counts_are_modulo_the_width(void **state)
{
	for_all_pairs(check_shifts);
}

static void conditions_compare(void **state)
{
	for_all_pairs(check_conditions);
}

/* RFC 9669 section 4.1, the sentences on division and modulo, and their table of signs. */
static void division_as_the_rfc_says(void **state)
{
	assert_true(alu64_DIV(5, 0) == 0);
	assert_true(alu32_DIV(5, 0) == 0);
	assert_true(alu64_SDIV((uint64_t)-5, 0) == 0);
	assert_true(alu64_MOD(5, 0) == 5);
	assert_true(alu32_MOD(0xfffffff1, 0) == 0xfffffff1);
	assert_true(alu64_SMOD((uint64_t)-5, 0) == (uint64_t)-5);
	assert_true(alu64_SDIV(0x8000000000000000, (uint64_t)-1) == 0x8000000000000000);
	assert_true(alu32_SDIV(0x80000000, (uint32_t)-1) == 0x80000000);
	assert_true(alu64_SMOD(0x8000000000000000, (uint64_t)-1) == 0);
	assert_true(alu32_SMOD(0x80000000, (uint32_t)-1) == 0);
	assert_true(alu64_SMOD((uint64_t)-13, 3) == (uint64_t)-1);
	assert_true(alu64_SMOD(13, (uint64_t)-3) == 1);
	assert_true(alu64_SDIV((uint64_t)-13, 3) == (uint64_t)-4);
	assert_true(alu32_SMOD((uint32_t)-13, 3) == (uint32_t)-1);
	/* The sign of a K operand: DIV takes it as a large number, SDIV as a negative one. */
	assert_true(alu64_DIV(10, (uint64_t)-2) == 0);
	assert_true(alu64_SDIV(10, (uint64_t)-2) == (uint64_t)-5);
	assert_true(alu32_DIV(10, (uint32_t)-2) == 0);
	assert_true(alu32_SDIV(10, (uint32_t)-2) == (uint32_t)-5);
}

/* Bytes of v in the order that big or little end first asks for, the first n of them. */
static uint64_t bytes(uint64_t v, unsigned n, bool swap)
{
	uint64_t result = 0;

	for (unsigned k = 0; k < n; k++)
		result |= (v >> 8 * k & 0xff) << 8 * (swap ? n - 1 - k : k);
	return result;
}

static void byte_order(void **state)
{
	bool little = *(const uint8_t *)&(const uint16_t){1};

	for (size_t i = 0; i < COUNT(edges); i++) {
		uint64_t v = edges[i];

		assert_true(alu_LE16(v) == bytes(v, 2, !little));
		assert_true(alu_LE32(v) == bytes(v, 4, !little));
		assert_true(alu_LE64(v) == bytes(v, 8, !little));
		assert_true(alu_BE16(v) == bytes(v, 2, little));
		assert_true(alu_BE32(v) == bytes(v, 4, little));
		assert_true(alu_BE64(v) == bytes(v, 8, little));
		assert_true(alu_BSWAP16(v) == bytes(v, 2, true));
		assert_true(alu_BSWAP32(v) == bytes(v, 4, true));
		assert_true(alu_BSWAP64(v) == bytes(v, 8, true));
	}
	assert_true(alu_BSWAP16(0x123456789abcdef0) == 0xf0de);
	assert_true(alu_BSWAP32(0x123456789abcdef0) == 0xf0debc9a);
}

/* The low bits of v as a signed number, in `to` bits. */
static uint64_t extended(uint64_t v, unsigned bits, unsigned to)
{
	uint64_t low = v & ((UINT64_C(1) << bits) - 1);

	return cut(low >> (bits - 1) ? (wide)low - ((wide)1 << bits) : (wide)low, to);
}

static void negation_and_sign_extension(void **state)
{
	for (size_t i = 0; i < COUNT(edges); i++) {
		uint64_t v = edges[i];

		assert_true(alu_NEG64(v) == ~v + 1);
		assert_true(alu_NEG32(v) == (uint32_t)(~v + 1));
		assert_true(alu_MOVSX8_64(v) == extended(v, 8, 64));
		assert_true(alu_MOVSX16_64(v) == extended(v, 16, 64));
		assert_true(alu_MOVSX32_64(v) == extended(v, 32, 64));
		assert_true(alu_MOVSX8_32(v) == extended(v, 8, 32));
		assert_true(alu_MOVSX16_32(v) == extended(v, 16, 32));
	}
	assert_true(alu_MOVSX8_32(0x80) == 0xffffff80);
	assert_true(alu_MOVSX8_64(0x80) == 0xffffffffffffff80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_wrap),
		cmocka_unit_test(divisions_round_to_zero),
		cmocka_unit_test(bits_combine),
		cmocka_unit_test(shift_counts_are_modulo_the_width),
		cmocka_unit_test(conditions_compare),
		cmocka_unit_test(division_as_the_rfc_says),
		cmocka_unit_test(byte_order),
		cmocka_unit_test(negation_and_sign_extension),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
