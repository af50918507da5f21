/* SPDX-License-Identifier: BSD-2-Clause */
/* The encoders of x86_64_enc.h produce the bytes that an assembler does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "exec/x86_64_enc.h"

static char *hex(char *to, const uint8_t *bytes, size_t len)
{
	char *at = to;

	*at = 0;
	for (size_t i = 0; i < len; i++)
		at += sprintf(at, "%02x ", bytes[i]);
	return to;
}

static void expect(const char *text, const char *bytes, size_t len, const uint8_t *got, const uint8_t *end)
{
	char a[64], b[64];

	if ((size_t)(end - got) != len || memcmp(got, bytes, len))
		fail_msg("%s is %s, not %s", text, hex(a, got, (size_t)(end - got)),
		         hex(b, (const uint8_t *)bytes, len));
}

static void golden_bytes(void **state)
{
	uint8_t code[32];

#define ROW(text, bytes, form, ...)                                                                \
	expect(text, bytes, sizeof(bytes) - 1, code, enc_##form(code, ##__VA_ARGS__));
#include "x86_64_enc.def"
#undef ROW
}

/* Distances count from the end of the instruction. */
static void branches(void **state)
{
	uint8_t code[32];

	expect("jne .-2", "\x75\xfc", 2, code, enc_jcc8(code, X_NE, -4));
	expect("jmp .+129", "\xeb\x7f", 2, code, enc_jmp8(code, 127));
	expect("jg far", "\x0f\x8f\x78\x56\x34\x12", 6, code, enc_jcc32(code, X_G, 0x12345678));
	expect("jmp far", "\xe9\x00\xff\xff\xff", 5, code, enc_jmp32(code, -256));
}

static void prefixes(void **state)
{
	uint8_t code[32];

	expect("lock add [rdi + 8], rsi", "\xf0\x48\x01\x77\x08", 5, code,
	       enc_rm(enc_lock(code), X_64, X_ADD * 8 + 1, X_RSI, X_RDI, 8));
	expect("lock xadd [r9], eax", "\xf0\x41\x0f\xc1\x01", 5, code,
	       enc_rm(enc_lock(code), X_32, X_XADD, X_RAX, X_R9, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bytes),
		cmocka_unit_test(branches),
		cmocka_unit_test(prefixes),
	};

	return cmocka_run_group_tests_name("x86-64 encoders", tests, NULL, NULL);
}
