/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation of the assembler fails once: it answers -ENOMEM, leaves its outputs alone and
 * frees what it has. The same for the disassembler's text. Linked with --wrap for the allocator.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "isa/text.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static long left = -1; /* allocations that succeed from now on; -1: all */
static long live;

static bool allowed(void)
{
	if (!left)
		return false;
	if (left > 0)
		left--;
	return true;
}

void *__wrap_malloc(size_t size)
{
	void *block = allowed() ? __real_malloc(size) : NULL;

	live += block != NULL;
	return block;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *block = allowed() ? __real_calloc(n, size) : NULL;

	live += block != NULL;
	return block;
}

void *__wrap_realloc(void *block, size_t size)
{
	void *grown = allowed() ? __real_realloc(block, size) : NULL;

	live += grown && !block;
	return grown;
}

void __wrap_free(void *block)
{
	live -= block != NULL;
	__real_free(block);
}

/* Enough of everything that every table grows twice. */
static char *make_text(void)
{
	char *text = calloc(1, 1 << 16), *p = text;

	assert_non_null(text);
	for (int i = 0; i < 300; i++)
		p += sprintf(p, "l%d: goto l%d\n", i, 299 - i);
	return text;
}

static void assembling(void **state)
{
	char *text = make_text();
	long failures = 0;
	int err;

	do {
		struct insn *out = NULL;
		size_t n = 77;
		long before = live;

		left = failures++;
		err = asm_program(text, strlen(text), NULL, &out, &n, NULL);
		left = -1;
		if (!err) {
			assert_int_equal(n, 300);
			free(out);
		} else {
			assert_int_equal(err, -ENOMEM);
			assert_null(out);
			assert_int_equal(n, 77);
		}
		assert_int_equal(live, before);
	} while (err);
	assert_true(failures > 6);
	free(text);
}

static void disassembling(void **state)
{
	struct insn insns[100];

	memset(insns, 0xff, sizeof(insns));
	for (long failure = 0; failure < 3; failure++) {
		struct buf text = {0};
		long before = live;

		left = failure;
		for (size_t pc = 0; pc < 100; pc++)
			assert_int_equal(disasm_insn(&text, insns, pc, 100, NULL), 1);
		left = -1;
		assert_true(text.failed);
		buf_free(&text);
		assert_int_equal(live, before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assembling),
		cmocka_unit_test(disassembling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
