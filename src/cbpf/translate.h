/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation to eBPF: what its two files share.
 *
 *                    A    X    context   data, data_end   any use   M[]
 *   with calls       r0   r7   r6        r8, r9           r1, r2    r9 where there is no data_end, stack
 *   without          r0   r5   r6        r3, r4           r1, r2    r7, r8, r9, then the stack
 *   seccomp          r0   r5   r1        -                -         r2, r3, r4, r7, r8, then the stack
 *
 * "Calls" are helpers and packet load instructions, which keep r6 to r9 only. Without them, what is used
 * most is in registers that need not be saved. Words of M[] get registers in the order of first use; on the
 * stack they are
 *
 *   r10 - 64 .. r10 - 4   M[0] .. M[15], 4 bytes each
 *   r10 - 80 .. r10 - 68  A and loops' variables across packet loads
 */
#ifndef SKEP_CBPF_TRANSLATE_H
#define SKEP_CBPF_TRANSLATE_H

#include "cbpf/facts.h"
#include "isa/insn.h"

enum { A = R0, TMP = R1, TMP2 = R2 };
enum { SAVED_A = -68, CURSOR = -72, LIMIT = -76 };

/* Offsets in struct __sk_buff, from <linux/bpf.h>. */
enum { SKB_LEN = 0, SKB_PKT_TYPE = 4, SKB_MARK = 8, SKB_QUEUE = 12, SKB_PROTOCOL = 16, SKB_VLAN_PRESENT = 20,
       SKB_VLAN_TCI = 24, SKB_VLAN_PROTO = 28, SKB_IFINDEX = 40, SKB_CB = 48, SKB_HASH = 68, SKB_DATA = 76,
       SKB_DATA_END = 80 };

/* A packet load away from the straight line, for where the direct one finds no bytes. */
struct detour {
	uint32_t from; /* instruction of ours that jumps there ... */
	uint32_t back; /* ... and the one to go on with */
	uint16_t pc;   /* the load */
};

struct translation {
	const struct skep_cbpf_insn *insns;
	size_t n;
	enum skep_cbpf_target target;
	uint32_t hatype;
	struct fact *facts; /* [n] */
	uint32_t *start;    /* [n + 1] where each begins in ours; [n]: the end that answers 0 */
	uint8_t x, ctx, data, data_end; /* registers */
	uint8_t word[SKEP_CBPF_WORDS]; /* the register that holds M[k], or 0 */
	bool far; /* distances may not fit into 16 bits */

	struct insn *out;
	size_t out_n, out_cap;
	struct fix { /* jumps whose distance is not known yet */
		uint32_t at, pc;
	} *fixes;
	size_t fixes_n, fixes_cap;
	struct detour *detours;
	size_t detours_n, detours_cap;
	bool failed; /* no memory */
};

/* Appends an instruction; the operation says its code and the key field. */
void emit(struct translation *t, enum op op, unsigned dst, unsigned src, int16_t off, int32_t imm);
/* A jump to where classic instruction pc begins (n: to the end that answers 0). */
void emit_jump(struct translation *t, enum op op, unsigned dst, unsigned src, int32_t imm, size_t pc);
/* The jump at `at` leads to what is appended next. */
void land(struct translation *t, size_t at);

static inline bool is_direct(const struct translation *t)
{
	return t->target == SKEP_CBPF_TO_TC || t->target == SKEP_CBPF_TO_LINEAR;
}

/* --- Loads: translate_load.c ------------------------------------------------------------------- */

/* Does this load give up r1 to r5? */
bool load_clobbers(const struct translation *t, size_t pc);
/* ABS without extensions, IND, MSH. */
void emit_load(struct translation *t, size_t pc);
void emit_detours(struct translation *t);
void emit_ext(struct translation *t, enum cbpf_ext ext);

#endif
