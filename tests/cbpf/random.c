/* SPDX-License-Identifier: BSD-2-Clause */
#include "cbpf/cbpf.h"
#include "random.h"

uint32_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33 ^ *seed >> 15);
}

uint32_t random_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)((uint64_t)random_next(seed) * n >> 32);
}

static uint32_t edge(uint64_t *seed)
{
	static const uint32_t edges[] = {0, 1, 2, 4, 15, 16, 31, 32, 63, 64, 255, 256, 0x7fffffff, 0x80000000,
	                                 0xffffffff, AD_OFF, AD_OFF + 20, AD_OFF + 60, AD_OFF + 64, NET_OFF,
	                                 NET_OFF + 9, LL_OFF, LL_OFF + 12, 0x800, 0x86dd};

	return random_below(seed, 3) ? edges[random_below(seed, sizeof(edges) / sizeof(edges[0]))]
	                             : random_next(seed);
}

static uint32_t offset(uint64_t *seed, bool absolute)
{
	switch (random_below(seed, 12)) {
	case 0: return NET_OFF + random_below(seed, 24);
	case 1: return LL_OFF + random_below(seed, 24);
	case 2: return absolute ? AD_OFF + 4 * random_below(seed, 14) : 0; /* no random, no TPID */
	case 3: return 60 + random_below(seed, 80);
	case 4: return edge(seed) & ~(absolute ? 0xf0000000u : 0);
	}
	return random_below(seed, 40);
}

static void one(uint64_t *seed, struct skep_cbpf_insn *i, size_t left, enum skep_cbpf_kind kind, uint32_t stored)
{
	enum cbpf_op op;

	do
		op = (enum cbpf_op)random_below(seed, CBPF_OPS);
	while ((kind == SKEP_CBPF_SECCOMP && !cbpf_info[op].seccomp) ||
	       ((op == CBPF_RET_K || op == CBPF_RET_A) && random_below(seed, 8)) ||
	       (op == CBPF_JA && random_below(seed, 3)) ||
	       ((op == CBPF_LD_MEM || op == CBPF_LDX_MEM) && !stored));
	*i = (struct skep_cbpf_insn){.code = cbpf_info[op].code};
	switch (cbpf_info[op].operand) {
	case OPERAND_ABS:
		i->k = kind == SKEP_CBPF_SECCOMP ? 4 * random_below(seed, 16) : offset(seed, true);
		break;
	case OPERAND_IND:
	case OPERAND_MSH: i->k = offset(seed, op == CBPF_LDX_MSH); break;
	case OPERAND_MEM:
		do
			i->k = random_below(seed, SKEP_CBPF_WORDS);
		while (op != CBPF_ST && op != CBPF_STX && !(stored >> i->k & 1));
		break;
	case OPERAND_K:
	case OPERAND_IF_K: i->k = edge(seed); break;
	case OPERAND_TO: i->k = random_below(seed, left < 5 ? (uint32_t)left : 5); break;
	}
	if (cbpf_jumps_if(op)) {
		i->jt = (uint8_t)random_below(seed, left < 9 ? (uint32_t)left : 9);
		i->jf = (uint8_t)random_below(seed, left < 9 ? (uint32_t)left : 9);
	}
	if (op == CBPF_LSH_K || op == CBPF_RSH_K)
		i->k = random_below(seed, 32);
	if ((op == CBPF_DIV_K || op == CBPF_MOD_K) && !i->k)
		i->k = 3;
}

static void spoil(uint64_t *seed, struct skep_cbpf_insn *i)
{
	switch (random_below(seed, 5)) {
	case 0: i->code = (uint16_t)(random_below(seed, 8) ? random_below(seed, 256) : random_next(seed)); break;
	case 1: i->jt = (uint8_t)random_next(seed); break;
	case 2: i->jf = (uint8_t)random_next(seed); break;
	default: i->k = edge(seed);
	}
}

void random_filter(uint64_t *seed, struct skep_cbpf_insn *to, size_t n, enum skep_cbpf_kind kind,
                   unsigned wild)
{
	uint32_t stored = 0;

	for (size_t i = 0; i < n; i++) {
		/* Words that are stored before the first jump are stored on every way. */
		if (i < 4 && i + 1 < n && random_below(seed, 2)) {
			to[i] = (struct skep_cbpf_insn){.code = random_below(seed, 2) ? 2 : 3,
			                                .k = random_below(seed, SKEP_CBPF_WORDS)};
			stored |= 1u << to[i].k;
			continue;
		}
		if (i < 4 && i + 1 < n) {
			to[i] = (struct skep_cbpf_insn){.code = random_below(seed, 2) ? 0 : 1, .k = edge(seed)};
			continue;
		}
		if (i + 1 < n)
			one(seed, &to[i], n - i - 1, kind, stored);
		else
			to[i] = (struct skep_cbpf_insn){.code = random_below(seed, 2) ? 0x06 : 0x16};
		if (to[i].code == 0x06)
			to[i].k = edge(seed);
	}
	if (wild)
		for (size_t i = 0; i < n; i++)
			if (!random_below(seed, wild))
				spoil(seed, &to[i]);
}
