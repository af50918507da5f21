/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts of a filter: see facts.h. Three passes:
 *
 *   forward   which instructions are reached, lower bounds of the packet's length, upper bounds of A and X
 *   back      liveness
 *   forward   loads of which A is compared and masked only: both can be done in network order, which saves
 *             the swap. def[pc] is the load that A comes from at pc; where two meet, neither may do so.
 */
#include <string.h>

#include "cbpf/facts.h"

enum { DEF_NONE = 0xffff };

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static bool falls_through(enum cbpf_op op)
{
	return op != CBPF_JA && op != CBPF_RET_K && op != CBPF_RET_A && !cbpf_jumps_if(op);
}

/* The instructions that may follow pc: how many, 0 to 2. */
static unsigned successors(const struct skep_cbpf_insn *insns, size_t pc, size_t to[2])
{
	const struct skep_cbpf_insn *i = &insns[pc];
	enum cbpf_op op = cbpf_op(i);

	to[0] = to[1] = pc + 1;
	if (cbpf_jumps_if(op)) {
		to[0] += i->jt;
		to[1] += i->jf;
		return 2;
	}
	if (op == CBPF_JA)
		to[0] += i->k;
	return op == CBPF_JA || falls_through(op) ? 1 : 0;
}

/* Is it a load that will be checked against the end of the packet? */
static bool is_checked_load(const struct skep_cbpf_insn *i, enum cbpf_op op)
{
	return (cbpf_info[op].operand == OPERAND_ABS || cbpf_info[op].operand == OPERAND_MSH) &&
	       i->k <= DIRECT_MAX - 4;
}

/* What is known behind an instruction. */
static struct fact behind(const struct skep_cbpf_insn *i, struct fact f, bool linear)
{
	enum cbpf_op op = cbpf_op(i);

	if (is_checked_load(i, op) && i->k + cbpf_size(i) > f.len)
		f.len = i->k + cbpf_size(i);
	switch (op) {
	case CBPF_LDX_MSH: f.x_max = 60; return f;
	case CBPF_LDX_K: f.x_max = i->k; return f;
	case CBPF_LDX_MEM: case CBPF_LDX_LEN: f.x_max = UINT32_MAX; return f;
	case CBPF_TAX: f.x_max = f.a_max; return f;
	case CBPF_TXA: f.a_max = f.x_max; return f;
	case CBPF_LD_K: f.a_max = i->k; return f;
	case CBPF_AND_K: f.a_max = min(f.a_max, i->k); return f;
	case CBPF_RSH_K: f.a_max >>= i->k; return f;
	case CBPF_ST: case CBPF_STX: case CBPF_JA: return f;
	default: break;
	}
	if (cbpf_info[op].operand == OPERAND_ABS || cbpf_info[op].operand == OPERAND_IND)
		f.a_max = linear && cbpf_size(i) < 4 && fact_is_near(i, cbpf_info[op].operand == OPERAND_IND, f.x_max)
		                  ? (1u << 8 * cbpf_size(i)) - 1 : UINT32_MAX;
	else if (!cbpf_jumps_if(op))
		f.a_max = UINT32_MAX;
	return f;
}

static void find_bounds(const struct skep_cbpf_insn *insns, size_t n, bool linear, struct fact *facts)
{
	facts[0].reached = true;
	for (size_t pc = 0; pc < n; pc++) {
		struct fact f;
		size_t to[2];
		unsigned count;

		if (!facts[pc].reached)
			continue;
		f = behind(&insns[pc], facts[pc], linear);
		count = successors(insns, pc, to);
		for (unsigned s = 0; s < count; s++) {
			struct fact *t = &facts[to[s]];

			t->a_max = t->reached && t->a_max > f.a_max ? t->a_max : f.a_max;
			t->x_max = t->reached && t->x_max > f.x_max ? t->x_max : f.x_max;
			t->len = t->reached ? min(t->len, f.len) : f.len;
			t->reached = true;
		}
	}
}

/* What an instruction reads and writes. */
static uint32_t reads(const struct skep_cbpf_insn *i, enum cbpf_op op)
{
	switch (cbpf_ext(i)) {
	case EXT_NLATTR: case EXT_NLATTR_NEST: case EXT_XOR_X: return LIVE_A | LIVE_X;
	case EXT_IFINDEX: case EXT_HATYPE: return LIVE_A; /* where there is no device */
	case EXT_NONE: break;
	default: return 0;
	}
	switch (op) {
	case CBPF_LD_MEM: case CBPF_LDX_MEM: return LIVE_M(i->k);
	case CBPF_ST: case CBPF_TAX: case CBPF_RET_A: case CBPF_NEG: return LIVE_A;
	case CBPF_STX: case CBPF_TXA: return LIVE_X;
	case CBPF_LD_K: case CBPF_LDX_K: case CBPF_RET_K: return 0;
	default: break;
	}
	switch (cbpf_info[op].operand) {
	case OPERAND_IND: return LIVE_X;
	case OPERAND_K: case OPERAND_IF_K: return LIVE_A;
	case OPERAND_X: case OPERAND_IF_X: return LIVE_A | LIVE_X;
	}
	return 0;
}

static uint32_t writes(const struct skep_cbpf_insn *i, enum cbpf_op op)
{
	switch (op) {
	case CBPF_ST: case CBPF_STX: return LIVE_M(i->k);
	case CBPF_LDX_K: case CBPF_LDX_MEM: case CBPF_LDX_LEN: case CBPF_LDX_MSH: case CBPF_TAX: return LIVE_X;
	case CBPF_JA: case CBPF_RET_K: case CBPF_RET_A: return 0;
	default: return cbpf_jumps_if(op) ? 0 : LIVE_A;
	}
}

static void find_live(const struct skep_cbpf_insn *insns, size_t n, struct fact *facts)
{
	for (size_t pc = n; pc-- > 0;) {
		enum cbpf_op op = cbpf_op(&insns[pc]);
		size_t to[2];
		unsigned count = successors(insns, pc, to);
		uint32_t live = 0;

		for (unsigned s = 0; s < count; s++)
			live |= facts[to[s]].live;
		facts[pc].live = (live & ~writes(&insns[pc], op)) | reads(&insns[pc], op);
	}
}

/* --- Loads that need no swap ----------------------------------------------------------------- */

static bool may_swap(const struct skep_cbpf_insn *i, enum cbpf_op op)
{
	return (cbpf_info[op].operand == OPERAND_ABS || cbpf_info[op].operand == OPERAND_IND) &&
	       cbpf_size(i) > 1 && cbpf_ext(i) == EXT_NONE;
}

/* May an instruction use an A in network order? */
static bool takes_swapped(const struct skep_cbpf_insn *i, enum cbpf_op op, unsigned size)
{
	if (!(reads(i, op) & LIVE_A))
		return true;
	if (op == CBPF_AND_K)
		return true;
	return (op == CBPF_JEQ_K || op == CBPF_JSET_K) && (size == 4 || i->k <= 0xffff);
}

static void find_swaps(const struct skep_cbpf_insn *insns, size_t n, struct fact *facts, uint16_t *def)
{
	memset(def, 0xff, n * sizeof(*def));
	for (size_t pc = 0; pc < n; pc++)
		facts[pc].swapped = facts[pc].reached && may_swap(&insns[pc], cbpf_op(&insns[pc]));
	for (size_t pc = 0; pc < n; pc++) {
		enum cbpf_op op = cbpf_op(&insns[pc]);
		uint16_t d = def[pc];
		size_t to[2];
		unsigned count;

		if (!facts[pc].reached)
			continue;
		if (d != DEF_NONE && !takes_swapped(&insns[pc], op, cbpf_size(&insns[d])))
			facts[d].swapped = false;
		if (may_swap(&insns[pc], op))
			d = (uint16_t)pc;
		else if (writes(&insns[pc], op) & LIVE_A && op != CBPF_AND_K)
			d = DEF_NONE;
		count = successors(insns, pc, to);
		for (unsigned s = 0; s < count; s++) {
			uint16_t *t = &def[to[s]];
			bool first;

			if (!(facts[to[s]].live & LIVE_A))
				continue;
			/* Has another way brought something here, be it from no load? `size` tells, for now. */
			first = !facts[to[s]].size;
			facts[to[s]].size = 1;
			if (first) {
				*t = d;
			} else if (*t != d) {
				if (*t != DEF_NONE)
					facts[*t].swapped = false;
				if (d != DEF_NONE)
					facts[d].swapped = false;
				/* One of them stays, so that what follows is judged by it, which does no harm. */
				if (*t == DEF_NONE)
					*t = d;
			}
		}
	}
}

void facts_find(const struct skep_cbpf_insn *insns, size_t n, bool swaps, bool linear, struct fact *facts,
                uint16_t *def)
{
	memset(facts, 0, n * sizeof(*facts));
	find_bounds(insns, n, linear, facts);
	find_live(insns, n, facts);
	if (!swaps)
		return;
	find_swaps(insns, n, facts, def);
	for (size_t pc = 0; pc < n; pc++) {
		bool own = may_swap(&insns[pc], cbpf_op(&insns[pc]));
		uint16_t d = own ? (uint16_t)pc : def[pc];
		bool swapped = d != DEF_NONE && facts[d].swapped;

		facts[pc].size = swapped ? (uint8_t)cbpf_size(&insns[d]) : 0;
		if (!own)
			facts[pc].swapped = swapped;
	}
}
