/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler's language: every accepted spelling beside the one it means, labels and names, and
 * what is said, and where, about text that is wrong.
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool helper_id(void *arg, const char *name, size_t len, int32_t *id)
{
	if (len != 19 || memcmp(name, "bpf_map_lookup_elem", len))
		return false;
	*id = 1;
	return true;
}

static bool map_fd(void *arg, const char *name, size_t len, int32_t *fd)
{
	if (len != 5 || memcmp(name, "stats", len))
		return false;
	*fd = 42;
	return true;
}

static const struct asm_names names = {.helper = helper_id, .map = map_fd};

/* The text of a program as we print it, statements separated by "; ". The caller frees it. */
static char *canonical(const char *text)
{
	struct asm_error e;
	struct insn *insns;
	struct buf out = {0};
	size_t n;

	if (asm_program(text, strlen(text), &names, &insns, &n, &e))
		fail_msg("\"%s\": %u:%u: %s", text, e.line, e.column, e.text);
	buf_puts(&out, "");
	for (size_t pc = 0; pc < n;) {
		if (pc)
			buf_puts(&out, "; ");
		pc += disasm_insn(&out, insns, pc, n, NULL);
	}
	free(insns);
	return out.data;
}

static void same(const char *text, const char *want)
{
	char *got = canonical(text);

	if (strcmp(got, want))
		fail_msg("\"%s\" is \"%s\", not \"%s\"", text, got, want);
	free(got);
}

static void numbers(void **state)
{
	same("r1 = 0x10", "r1 = 16");
	same("r1 = 0XfF", "r1 = 255");
	same("r1 = -0x10", "r1 = -16");
	same("r1 = - 5", "r1 = -5");
	same("r1 = +5", "r1 = 5");
	same("r1 = 0", "r1 = 0");
	same("r1 = 4294967295", "r1 = -1");
	same("r1 = 0x80000000", "r1 = -2147483648");
	same("r1 = -2147483648", "r1 = -2147483648");
	same("r1 = 18446744073709551615 ll", "r1 = -1 ll");
	same("r1 = -9223372036854775808 ll", "r1 = 0x8000000000000000 ll");
	same("r1 = 0xdeadbeefcafebabe ll", "r1 = 0xdeadbeefcafebabe ll");
}

static void spaces_and_comments(void **state)
{
	same("", "");
	same("\n\n  ; ;\n# nothing\n// nothing\n/* nothing\n at all */", "");
	same("r1=5", "r1 = 5");
	same("r1+=r2;w3-=w4", "r1 += r2; w3 -= w4");
	same("\tr1 \t =   5 # five", "r1 = 5");
	same("r1 = 5 // five; r2 = 6\nr2 = 7", "r1 = 5; r2 = 7");
	same("r1 /* one */ = /* five\n*/ 5", "r1 = 5");
	same("r1=*(u64*)(r10-8)", "r1 = *(u64 *)(r10 - 8)");
	same("if r1==5 goto+3", "if r1 == 5 goto +3");
	same("r1 = 5\r\nexit\r\n", "r1 = 5; exit");
	same("; int x = f(a);\nexit", "exit");
	same("r1 = 5\n  ; int x = f(a); y = 7\nexit; # end", "r1 = 5; exit");
	same("exit", "exit");
}

static void registers(void **state)
{
	same("R1 = R2", "r1 = r2");
	same("W1 = W10", "w1 = w10");
	same("r1 = *(u32 *)(r2 + 0)", "w1 = *(u32 *)(r2 + 0)");
	same("*(u8 *)(r2 + 0) = r3", "*(u8 *)(r2 + 0) = w3");
}

/* As the kernel and bpftool print. */
static void spelling_of_the_kernel(void **state)
{
	same("*(u64 *)(r10 -8) = r1", "*(u64 *)(r10 - 8) = r1");
	same("r1 = *(u64 *)(r10 +0)", "r1 = *(u64 *)(r10 + 0)");
	same("r1 = *(u64 *)(r10 + -8)", "r1 = *(u64 *)(r10 - 8)");
	same("r1 = *(u64 *)(r10)", "r1 = *(u64 *)(r10 + 0)");
	same("if r1 == 0x5 goto pc+2", "if r1 == 5 goto +2");
	same("if r1 s> 0xfffffffd goto pc-2", "if r1 s> -3 goto -2");
	same("goto pc+3", "goto +3");
	same("gotol pc-3", "gotol -3");
	same("may_goto pc+3", "may_goto +3");
	same("goto 3", "goto +3");
	same("call bpf_map_lookup_elem#1", "call 1");
	same("call bpf_map_lookup_elem#238744", "call 1"); /* bpftool's number is an offset */
	same("call bpf_unheard_of#5", "call 5");
	same("call unknown#-3", "call -3");
	same("call pc+5", "call pc+5");
	same("call pc+6#bpf_prog_2861c02d5454ce5e_sub", "call pc+6");
	same("  12: (bf) r1 = r2", "r1 = r2");
	same("12: r1 = r2", "r1 = r2");
	same("0: (18) r1 = 0xffffffff\n2: (b7) r2 = -1", "r1 = 0xffffffff ll; r2 = -1");
	same("goto +0x4 <.text+0x68>", "goto +4");
	same("r2 = atomic64_fetch_add((u64 *)(r1 +4), r2)",
	     "r2 = atomic_fetch_add((u64 *)(r1 + 4), r2)");
	same("lock *(u32 *)(r1 +4) += r2", "lock *(u32 *)(r1 + 4) += w2");
	same("r0 = *(u32 *)skb[r7 + 14]", "r0 = *(u32 *)skb[r7 + 14]");
}

static void labels_become_distances(void **state)
{
	same("a: goto a", "goto -1");
	same("goto a; a: exit", "goto +0; exit");
	same("a: b:\nc: r1 = 1 ll; if r1 > 2 goto a; if w1 > 2 goto c",
	     "r1 = 1 ll; if r1 > 2 goto -3; if w1 > 2 goto -4");
	same("r1 = 1 ll; a: gotol a; r2 = func[a]", "r1 = 1 ll; gotol -1; r2 = func[pc-2]");
	same("may_goto exit; exit: exit", "may_goto +0; exit");
	same("call sub; exit; sub: r0 = r1; exit", "call pc+1; exit; r0 = r1; exit");
	same("if: call: goto if; goto call", "goto -1; goto -2");
	same("goto end; end:", "goto +0");
}

static void names_become_numbers(void **state)
{
	same("call bpf_map_lookup_elem", "call 1");
	same("r1 = map[stats]", "r1 = map_fd[42]");
	same("r1 = map_fd[stats][8]", "r1 = map_fd[42][8]");
	same("r1 = map[7]", "r1 = map_fd[7]");
	/* A label goes before a helper of the same name. */
	same("bpf_map_lookup_elem: call bpf_map_lookup_elem", "call pc-1");
	same("stats: r1 = map[stats]", "r1 = map_fd[42]");
}

static void raw_slots(void **state)
{
	same(".insn 0xffffffffffffffff", ".insn 0xffffffffffffffff");
	same(".insn 0x9500000000000000", "exit");
	same("a: .insn 0x9500000000000000; goto a", "exit; goto -2");
}

static const struct {
	const char *text;
	unsigned line, column;
	const char *what; /* must be part of the message */
} errors[] = {
	{"exi", 1, 1, "'exi' begins no instruction"},
	{"exit\n  r1 = 5\n\tbogus r1", 3, 2, "'bogus' begins no instruction"},
	{"r1 = 5 /* x\n y */; frob", 2, 8, "'frob'"},
	{"r11 = 5", 1, 1, "the registers are r0-r10 and w0-w10"},
	{"r1 = r15", 1, 6, "the registers are r0-r10"},
	{"w1 += r2", 1, 7, "'r2' where one of these must stand: a number, w0-w10"},
	{"r1 += w2", 1, 7, "'w2' where one of these must stand: a number, r0-r10"},
	{"r1 +", 1, 4, "'+' where one of these must stand: '+=', '-='"},
	{"r1 = ", 1, 6, "the statement ends where"},
	{"r1 = 5 6", 1, 8, "'6'"},
	{"call bpf_map_lookup_elem 5", 1, 26, "'5': the instruction should end here"},
	{"exit 5", 1, 6, "'5': the instruction should end here"},
	{"r1 = -r2", 1, 7, "must be the same register as before, r1"},
	{"r1 = le16 r2", 1, 11, "must be the same register"},
	{"r3 = cmpxchg_64(r1 + 0, r0, r2)", 1, 1, "must be the same register as before, r0"},
	{"r2 = atomic_fetch_add((u64 *)(r1 + 0), r3)", 1, 40,
	 "must be the same register as before, r2"},
	{"w1 = *(u64 *)(r2 + 0)", 1, 8, "'u64'"},
	{"*(u64 *)(r1 + 0) = w2", 1, 20, "'w2'"},
	{"r1 = *(u128 *)(r2 + 0)", 1, 8, "'u128' where one of these must stand: "},
	{"r1 = 4294967296", 1, 6, "does not fit in 32 bits"},
	{"r1 = -2147483649", 1, 6, "does not fit in 32 bits"},
	{"r1 = 18446744073709551616 ll", 1, 6, "does not fit in 64 bits"},
	{"r1 = *(u8 *)(r2 + 32768)", 1, 17, "does not fit in 16 bits"},
	{"r1 = *(u8 *)(r2 - 32769)", 1, 17, "does not fit in 16 bits"},
	{"r1 = 010", 1, 6, "leading zero"},
	{"r1 = 0x", 1, 6, "no digits"},
	{"r1 = 5x", 1, 6, "not a number"},
	{"r1 = 0x5g", 1, 6, "not a hexadecimal number"},
	{"r1 = 'a'", 1, 6, "no such character"},
	{"r1 = 5 /* and so on", 1, 8, "the comment has no end"},
	{"goto nowhere", 1, 6, "no label 'nowhere' in the program"},
	{"r1 = func[nowhere]", 1, 11, "no label 'nowhere'"},
	{"call nowhere", 1, 6, "'nowhere' is neither a label nor a helper"},
	{"r1 = map[nowhere]", 1, 10, "'nowhere' is the name of no map"},
	{"a: exit\na: exit", 2, 1, "label 'a' stands for slot 0 already"},
	{"r1: exit", 1, 1, "'r1' is a register, no name for a label"},
	{"if r1 == 5 goto +32768", 1, 17, "gotol"},
	{"goto -40000", 1, 6, "gotol"},
	{"gotol +2147483648", 1, 7, "does not fit in 32 bits"},
	{".insn 0x1234", 1, 7, ".insn takes"},
	{".insn", 1, 6, ".insn takes"},
	{".insn 0x9500000000000000 exit", 1, 26, "should end here"},
	{".text", 1, 1, "'.text' begins no instruction"},
	{"3", 1, 1, "'3' begins no instruction"},
	{"3: (zz) exit", 1, 5, "an opcode"},
	{"3: (b7) exit", 1, 9, "the opcode of this is 95, not b7"},
	{"r1 = addr_space_cast(r2, 65536, 0)", 1, 26, "does not fit in 16 bits"},
	{"call kfunc[1][40000]", 1, 15, "does not fit in 16 bits"},
	{"exit;exit;\nexit; goto a_name_that_is_much_longer_than_what_fits_into_a_message", 2, 12,
	 "'a_name_that_is_much_longer_than_what_fit...'"},
	{"r1 = 5\n\xff", 2, 1, "no such character"},
};

static void messages_and_positions(void **state)
{
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct insn *out = NULL;
		size_t n = 77;
		struct asm_error e = {0};
		const char *text = errors[i].text;

		if (asm_program(text, strlen(text), &names, &out, &n, &e) != -EINVAL)
			fail_msg("\"%s\" was accepted", text);
		if (e.line != errors[i].line || e.column != errors[i].column ||
		    !strstr(e.text, errors[i].what))
			fail_msg("\"%s\": %u:%u: %s", text, e.line, e.column, e.text);
		assert_null(out);
		assert_int_equal(n, 77);
		assert_int_equal(asm_program(text, strlen(text), &names, &out, &n, NULL), -EINVAL);
	}
}

/* Jumps to labels that just reach, and just do not. */
static void labels_far_away(void **state)
{
	for (unsigned gap = 32766; gap <= 32769; gap++) {
		struct buf text = {0};
		struct insn *out;
		struct asm_error e;
		size_t n;
		int err;

		buf_puts(&text, "if r1 == 1 goto far\n");
		for (unsigned i = 0; i < gap; i++)
			buf_puts(&text, "r1 += 1\n");
		buf_puts(&text, "far: gotol back; back: exit");
		err = asm_program(text.data, text.len, NULL, &out, &n, &e);
		assert_int_equal(err, gap <= 32767 ? 0 : -EINVAL);
		if (!err) {
			assert_int_equal(out[0].off, gap);
			free(out);
		} else {
			assert_int_equal(e.line, 1);
			assert_int_equal(e.column, 17);
			assert_non_null(strstr(e.text, "gotol"));
		}
		buf_free(&text);
	}
}

static void text_need_not_end_in_nul(void **state)
{
	char *text = malloc(4);
	struct insn *out;
	size_t n;

	memcpy(text, "exit", 4);
	assert_int_equal(asm_program(text, 4, NULL, &out, &n, NULL), 0);
	assert_int_equal(n, 1);
	free(out);
	assert_int_equal(asm_program(text, 3, NULL, &out, &n, NULL), -EINVAL);
	assert_int_equal(asm_program(NULL, 0, NULL, &out, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_non_null(out);
	free(out);
	free(text);
}

/* --- names in the output --------------------------------------------------------------------- */

static const char *helper_name(void *arg, int32_t id)
{
	return id == 1 ? "bpf_map_lookup_elem" : NULL;
}

static const char *func_name(void *arg, uint32_t index)
{
	assert_true(index < *(const size_t *)arg);
	return index == 4 ? "sub" : NULL;
}

static const char *map_name(void *arg, int32_t imm, unsigned src)
{
	return imm == 42 && (src == 1 || src == 2) ? "stats" : NULL;
}

static void print_named(const char *text, struct disasm_names called, const char *want)
{
	struct insn *insns, *back;
	struct buf out = {0};
	size_t n, m;

	assert_int_equal(asm_program(text, strlen(text), &names, &insns, &n, NULL), 0);
	called.arg = &n;
	for (size_t pc = 0; pc < n;) {
		pc += disasm_insn(&out, insns, pc, n, &called);
		buf_puts(&out, pc == 4 ? "\nsub: " : "\n");
	}
	assert_string_equal(out.data, want);
	assert_int_equal(asm_program(out.data, out.len, &names, &back, &m, NULL), 0);
	assert_int_equal(n, m);
	assert_memory_equal(insns, back, n * sizeof(*insns));
	free(insns);
	free(back);
	buf_free(&out);
}

static void names_are_printed_and_read(void **state)
{
	static const struct disasm_names called = {
		.helper = helper_name, .func = func_name, .map = map_name};
	static const struct disasm_names some = {.func = func_name};

	print_named(
		"r1 = map_fd[42]; call 1; call pc+0; r2 = map_fd[42][8]; r3 = func[pc-3]; call 2",
		called,
		"r1 = map[stats]\ncall bpf_map_lookup_elem#1\ncall sub\nsub: r2 = map[stats][8]\n"
		"r3 = func[sub]\ncall 2\n");
	print_named("r1 = map_fd[42]; call 1; call pc+0; exit", some,
	            "r1 = map_fd[42]\ncall 1\ncall sub\nsub: exit\n");
	print_named("call pc+0; call pc+1; call pc-2; call pc-5; exit", some,
	            "call pc+0\ncall pc+1\ncall pc-2\ncall pc-5\nsub: exit\n");
	print_named("call pc+0; call pc+100; exit", some, "call pc+0\ncall pc+100\nexit\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(spaces_and_comments),
		cmocka_unit_test(registers),
		cmocka_unit_test(spelling_of_the_kernel),
		cmocka_unit_test(labels_become_distances),
		cmocka_unit_test(names_become_numbers),
		cmocka_unit_test(raw_slots),
		cmocka_unit_test(messages_and_positions),
		cmocka_unit_test(labels_far_away),
		cmocka_unit_test(text_need_not_end_in_nul),
		cmocka_unit_test(names_are_printed_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
