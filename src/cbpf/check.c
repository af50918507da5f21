/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Would the kernel take this filter? One look at each instruction by itself, then one pass over the
 * program for scratch memory: jumps go forward, so that what is stored on every way to an instruction is
 * known before it is reached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cbpf/cbpf.h"

#define FAIL(pc, ...) cbpf_fail(error, (int)(pc), 0, 0, __VA_ARGS__)

enum { SHIFT_LIMIT = 32 };

static int check_seccomp(const struct skep_cbpf_insn *i, enum cbpf_op op, size_t pc,
                         struct skep_cbpf_error *error)
{
	if (!cbpf_info[op].seccomp)
		return FAIL(pc, "seccomp filters have no `%s` of this kind (code 0x%02x)", cbpf_info[op].name,
		            i->code);
	if (op == CBPF_LD_W_ABS && (i->k >= SECCOMP_DATA || i->k % 4))
		return FAIL(pc, "offset %u is no word of struct seccomp_data: 0, 4 ... %u", i->k,
		            SECCOMP_DATA - 4);
	return 0;
}

static int check_insn(const struct skep_cbpf_insn *i, size_t pc, size_t n, enum skep_cbpf_kind kind,
                      struct skep_cbpf_error *error)
{
	enum cbpf_op op = cbpf_op(i);
	size_t left = n - pc - 1; /* instructions behind this one */

	if (op == CBPF_INVALID)
		return FAIL(pc, "there is no instruction with code 0x%02x", i->code);
	if ((op == CBPF_DIV_K || op == CBPF_MOD_K) && !i->k)
		return FAIL(pc, "division by the constant 0");
	if ((op == CBPF_LSH_K || op == CBPF_RSH_K) && i->k >= SHIFT_LIMIT)
		return FAIL(pc, "a shift by %u: A has 32 bits", i->k);
	if (cbpf_info[op].operand == OPERAND_MEM && i->k >= SKEP_CBPF_WORDS)
		return FAIL(pc, "M[%u]: scratch memory is M[0] to M[15]", i->k);
	if (op == CBPF_JA && i->k >> 31)
		return FAIL(pc, "a jump backwards by %u: filters jump forward only", -(i->k + 1));
	if (op == CBPF_JA && i->k >= left)
		return FAIL(pc, "a jump over %u instructions, of which %zu are left", i->k, left);
	if (cbpf_jumps_if(op) && (i->jt >= left || i->jf >= left))
		return FAIL(pc, "a jump over %u instructions, of which %zu are left",
		            i->jt > i->jf ? i->jt : i->jf, left);
	if (cbpf_info[op].operand == OPERAND_ABS && i->k >= AD_OFF && cbpf_ext(i) == EXT_NONE &&
	    kind == SKEP_CBPF_SOCKET)
		return FAIL(pc, "there is no extension SKF_AD_OFF + %u", i->k - AD_OFF);
	return kind == SKEP_CBPF_SECCOMP ? check_seccomp(i, op, pc, error) : 0;
}

/*
 * Every load from M[] must follow a store on every way. known[pc] are the words that are stored whenever
 * pc is jumped to. As in the kernel, what stands behind a jump and is no target may load anything.
 */
static int check_scratch(const struct skep_cbpf_insn *insns, size_t n, uint16_t *known,
                         struct skep_cbpf_error *error)
{
	uint16_t now = 0;

	memset(known, 0xff, n * sizeof(*known));
	for (size_t pc = 0; pc < n; pc++) {
		const struct skep_cbpf_insn *i = &insns[pc];
		enum cbpf_op op = cbpf_op(i);

		now &= known[pc];
		if (op == CBPF_ST || op == CBPF_STX)
			now |= (uint16_t)(1u << i->k);
		else if (cbpf_info[op].operand == OPERAND_MEM && !(now >> i->k & 1))
			return FAIL(pc, "M[%u] is loaded, but not stored before on every way here", i->k);
		if (op == CBPF_JA) {
			known[pc + 1 + i->k] &= now;
		} else if (cbpf_jumps_if(op)) {
			known[pc + 1 + i->jt] &= now;
			known[pc + 1 + i->jf] &= now;
		}
		if ((i->code & CLASS_MASK) == CLASSIC_JMP)
			now = 0xffff;
	}
	return 0;
}

int skep_cbpf_check(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_kind kind,
                    struct skep_cbpf_error *error)
{
	uint16_t known[SKEP_CBPF_MAX_INSNS];
	enum cbpf_op last;
	int err = 0;

	if (!n || n > SKEP_CBPF_MAX_INSNS)
		return FAIL(-1, n ? "%zu instructions, the most are 4096" : "%zu instructions", n);
	for (size_t pc = 0; pc < n && !err; pc++)
		err = check_insn(&insns[pc], pc, n, kind, error);
	if (err)
		return err;
	last = cbpf_op(&insns[n - 1]);
	if (last != CBPF_RET_K && last != CBPF_RET_A)
		return FAIL(n - 1, "the last instruction is no `ret`");
	return check_scratch(insns, n, known, error);
}
