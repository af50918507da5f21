/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF, inside: the tables of instructions and extensions as data, and what the files of this folder
 * share. What others use is include/skep_cbpf.h, which these files define.
 */
#ifndef SKEP_CBPF_CBPF_H
#define SKEP_CBPF_CBPF_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "skep_cbpf.h"

static_assert(sizeof(struct skep_cbpf_insn) == 8, "struct sock_filter");

enum cbpf_op {
#define CBPF(op, ...) CBPF_##op,
#include "cbpf/insn.def"
#undef CBPF
	CBPF_OPS,
	CBPF_INVALID = CBPF_OPS,
};

enum cbpf_operand {
	OPERAND_NONE, OPERAND_ABS, OPERAND_IND, OPERAND_MSH, OPERAND_MEM, OPERAND_LEN, OPERAND_K,
	OPERAND_X, OPERAND_A, OPERAND_TO, OPERAND_IF_K, OPERAND_IF_X,
};

enum cbpf_number { NUMBER_DEC, NUMBER_HEX };

struct cbpf_info {
	const char *name;
	uint8_t code, operand, number, seccomp;
};

extern const struct cbpf_info cbpf_info[CBPF_OPS];

enum cbpf_ext {
#define EXT(op, ...) EXT_##op,
#include "cbpf/ext.def"
#undef EXT
	EXT_COUNT,
	EXT_NONE = EXT_COUNT,
};

struct cbpf_ext_info {
	const char *macro, *listed, *names[3];
	uint8_t ad;
};

extern const struct cbpf_ext_info cbpf_ext_info[EXT_COUNT];

/* Offsets that mean something else than bytes from the start: <linux/filter.h>. */
#define AD_OFF 0xfffff000u  /* SKF_AD_OFF */
#define NET_OFF 0xfff00000u /* SKF_NET_OFF */
#define LL_OFF 0xffe00000u  /* SKF_LL_OFF */

enum { CLASS_MASK = 7, CLASSIC_JMP = 5, SECCOMP_DATA = 64 };

enum cbpf_op cbpf_op(const struct skep_cbpf_insn *i);
/* The extension that an instruction is, or EXT_NONE. */
enum cbpf_ext cbpf_ext(const struct skep_cbpf_insn *i);
/* Bytes that an ABS, IND or MSH reads. */
unsigned cbpf_size(const struct skep_cbpf_insn *i);

static inline bool cbpf_jumps_if(enum cbpf_op op)
{
	return cbpf_info[op].operand == OPERAND_IF_K || cbpf_info[op].operand == OPERAND_IF_X;
}

/*
 * Can its name show it? Not where distances stand in what is no jump. (A k that is not used does not count:
 * libpcap's optimiser leaves what it finds there.)
 */
bool cbpf_is_plain(const struct skep_cbpf_insn *i);

/* Fills in error, which may be NULL, and answers -EINVAL. */
int cbpf_fail(struct skep_cbpf_error *error, int insn, unsigned line, unsigned column,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * What nla_find() finds: the offset of the netlink attribute of a type from `at` on, or 0; nested: within
 * the attribute at `at`.
 */
uint32_t cbpf_nlattr(const struct skep_cbpf_packet *p, uint32_t at, uint32_t type, bool nested);
/* Where the payload of the transport protocol begins, in data; 0: it is not known. */
uint32_t cbpf_payload(const struct skep_cbpf_packet *p);

#endif
