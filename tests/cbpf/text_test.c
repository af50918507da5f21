/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forms: each reads back what it wrote, whatever the instructions are; tcpdump's list is libpcap's own for
 * every code; what is no filter has a message at the right place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pcap.h>

#include "cbpf/cbpf.h"
#include "random.h"

/* What an instruction does not use may get lost. */
static void forget_unused(struct skep_cbpf_insn *insns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum cbpf_op op = cbpf_op(&insns[i]);

		if (op == CBPF_INVALID || (!cbpf_jumps_if(op) && (insns[i].jt || insns[i].jf)))
			continue;
		switch (cbpf_info[op].operand) {
		case OPERAND_NONE: case OPERAND_LEN: case OPERAND_X: case OPERAND_A: case OPERAND_IF_X:
			insns[i].k = 0;
		}
	}
}

static void round_trip(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_form form)
{
	struct skep_cbpf_error e = {0};
	struct skep_cbpf_insn *back;
	size_t len, m;
	char *text;

	assert_int_equal(skep_cbpf_write(insns, n, form, &text, &len), 0);
	if (skep_cbpf_read(text, len, form, &back, &m, &e))
		fail_msg("form %d: %u:%u: %s in\n%s", form, e.line, e.column, e.text, text);
	assert_int_equal(m, n);
	if (memcmp(insns, back, n * sizeof(*insns)))
		fail_msg("form %d does not read back:\n%s", form, text);
	free(back);
	/* A raw filter without a byte 0 in it would be text; there is none that is valid. */
	if (form != SKEP_CBPF_RAW && !(form == SKEP_CBPF_MACROS && strstr(text, "BPF_") == NULL))
		assert_int_equal(skep_cbpf_guess(text, len), form);
	free(text);
}

static void test_any_instructions(void **state)
{
	struct skep_cbpf_insn insns[40];
	uint64_t seed = 1;

	for (unsigned round = 0; round < 4000; round++) {
		size_t n = 1 + random_below(&seed, 40);

		random_filter(&seed, insns, n, SKEP_CBPF_SOCKET, 1 + round % 20);
		for (unsigned form = 0; form < SKEP_CBPF_FORMS; form++)
			if (form != SKEP_CBPF_LIST && form != SKEP_CBPF_ASM)
				round_trip(insns, n, form);
		forget_unused(insns, n);
		round_trip(insns, n, SKEP_CBPF_ASM);
	}
}

static void test_list_of_valid(void **state)
{
	struct skep_cbpf_insn insns[300];
	uint64_t seed = 2;

	for (unsigned round = 0; round < 2000; round++) {
		size_t n = 1 + random_below(&seed, 300);

		random_filter(&seed, insns, n, SKEP_CBPF_SOCKET, 0);
		for (size_t i = 0; i < n; i++)
			if (insns[i].code == 0x81) /* libpcap cannot print it */
				insns[i].code = 0x01;
		for (size_t i = 0; i < n; i++)
			if (insns[i].code == 0x01 && insns[i].k == 0)
				insns[i].k = 7;
		assert_int_equal(skep_cbpf_check(insns, n, SKEP_CBPF_SOCKET, NULL), 0);
		round_trip(insns, n, SKEP_CBPF_LIST);
	}
}

/* Line by line what libpcap prints, which is what tcpdump -d prints. */
static void test_list_is_libpcaps(void **state)
{
	static const uint32_t ks[] = {0, 5, 0x80000005, 0xffffffff, AD_OFF, AD_OFF + 36, AD_OFF + 60,
	                              AD_OFF + 61, AD_OFF + 64, NET_OFF + 4, 262144};

	for (unsigned code = 0; code < 0x200; code++)
		for (size_t k = 0; k < sizeof(ks) / sizeof(ks[0]); k++) {
			struct skep_cbpf_insn i = {(uint16_t)code, 3, 200, ks[k]};
			char *text, wanted[200];
			size_t len;

			assert_int_equal(skep_cbpf_write(&i, 1, SKEP_CBPF_LIST, &text, &len), 0);
			snprintf(wanted, sizeof(wanted), "%s\n", bpf_image((const struct bpf_insn *)&i, 0));
			if (code < 256)
				assert_string_equal(text, wanted);
			free(text);
		}
}

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *says;
	} cases[] = {
		{"ldh [12]\n  foo #1\n", 2, 3, "no instruction 'foo'"},
		{"ldh 12", 1, 5, "'12' is no operand"},
		{"ldh #12", 1, 5, "takes no such operand"},
		{"jeq #1, a, b\nb: ret #0", 1, 9, "no label 'a'"},
		{"b: ret #0\njeq #1, b\nret #0", 2, 9, "stands above"},
		{"b1: ret #0\nb1: ret #0", 2, 1, "stands twice"},
		{"jne #1, a, b", 1, 12, "takes one label"},
		{"ld #4294967296", 1, 5, "32 bits"},
		{"ld #0x", 1, 5, "no number"},
		{"ld [x * 3]", 1, 7, "']' is wanted"},
		{"ldxb 4*([14]&0xe)", 1, 17, "mask is 0xf"},
		{"ret", 1, 4, "no operand"},
		{"/* nothing */", 0, 0, "no instructions"},
		{"", 0, 0, "no instructions"},
		{"3\n40 0 0 12\n6 0 0 0\n", 4, 1, "3 instructions are announced, there are 2"},
		{"1\n40 0 0 12\n6 0 0 0\n", 3, 1, "1 instructions are announced, behind"},
		{"1,40 0 256 12", 1, 12, "256 in front of this"},
		{"(000) ldh [12]\n(002) ret #0", 2, 5, "instruction 1, not 2"},
		{"(000) jeq #1 jt 1 jf 300\n", 1, 25, "1 to 256 forward"},
		{"(000) ldh [12] x\n", 1, 16, "too much"},
		{"{ 0x28, 0, 0 },", 1, 14, "',' is wanted"},
		{"BPF_STMT(BPF_LD | BPF_Q, 12)", 1, 19, "'BPF_Q,' is no constant"},
		{"BPF_STMT(BPF_RET, 1) BPF_STMT(BPF_RET, 0)", 1, 22, "comma is wanted"},
		{"struct sock_filter f[] = { { 6, 0, 0, 0 }", 1, 42, "'}' is wanted"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct skep_cbpf_error e = {0};
		struct skep_cbpf_insn *out = NULL;
		size_t n;
		int err = skep_cbpf_read(cases[i].text, strlen(cases[i].text), SKEP_CBPF_ANY, &out, &n, &e);

		assert_true(err < 0);
		assert_null(out);
		if (!strstr(e.text, cases[i].says) || e.line != cases[i].line || e.column != cases[i].column)
			fail_msg("'%s': %u:%u: %s; not %u:%u %s", cases[i].text, e.line, e.column, e.text,
			         cases[i].line, cases[i].column, cases[i].says);
	}
}

static void test_c_as_people_write_it(void **state)
{
	static const char text[] =
		"struct sock_filter code[] = { /* TCP */\n"
		"\tBPF_STMT(BPF_LD + BPF_W + BPF_ABS, (4)),\n"
		"\tBPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), // 64 bits\n"
		"\t{ 0x6, 0, 0, 0 },\n"
		"\tBPF_STMT((BPF_RET | BPF_K), SECCOMP_RET_ERRNO | 13)\n};\n";
	static const struct skep_cbpf_insn wanted[] = {
		{0x20, 0, 0, 4}, {0x15, 1, 0, 0xc000003e}, {6, 0, 0, 0}, {6, 0, 0, 0x5000d}};
	struct skep_cbpf_error e = {0};
	struct skep_cbpf_insn *out;
	size_t n;

	if (skep_cbpf_read(text, strlen(text), SKEP_CBPF_ANY, &out, &n, &e))
		fail_msg("%u:%u: %s", e.line, e.column, e.text);
	assert_int_equal(n, 4);
	assert_memory_equal(out, wanted, sizeof(wanted));
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_instructions),
		cmocka_unit_test(test_list_of_valid),
		cmocka_unit_test(test_list_is_libpcaps),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_c_as_people_write_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
