/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference interpreter: what filters mean, one instruction at a time. It trusts that the filter passed
 * skep_cbpf_check() with this kind; nothing about the packet is trusted.
 */
#include "cbpf/cbpf.h"

enum { GOES_ON, RETURNED, NO_PACKET, NO_QUOTIENT };

struct machine {
	const struct skep_cbpf_insn *insns;
	enum skep_cbpf_kind kind;
	struct skep_cbpf_packet *p;
	struct skep_cbpf_state *s;
};

static void finish(struct machine *m, unsigned why, uint32_t ret)
{
	m->s->done = (uint8_t)why;
	m->s->ret = ret;
}

/* --- Loads ----------------------------------------------------------------------------------- */

/* Where in data a load begins; -1: nowhere. Offsets are signed, from the link or network header below 0. */
static int64_t place(const struct skep_cbpf_packet *p, uint32_t offset, unsigned size)
{
	int64_t at = offset;

	if (offset >= NET_OFF)
		at = (int64_t)p->network + (offset - NET_OFF);
	else if (offset >= LL_OFF)
		at = (int64_t)p->link + (offset - LL_OFF);
	else if (offset >> 31)
		return -1;
	return at + size <= p->len ? at : -1;
}

static bool load(struct machine *m, uint32_t offset, unsigned size, uint32_t *value)
{
	int64_t at = place(m->p, offset, size);
	uint32_t v = 0;

	if (at < 0) {
		finish(m, NO_PACKET, 0);
		return false;
	}
	for (unsigned i = 0; i < size; i++)
		v = v << 8 | m->p->data[at + i];
	m->s->at = (uint32_t)at;
	m->s->size = size;
	*value = v;
	return true;
}

/* A word of struct seccomp_data, in the order of the host. */
static void load_word(struct machine *m, uint32_t offset)
{
	if (offset + 4 > m->p->len) {
		finish(m, NO_PACKET, 0);
		return;
	}
	__builtin_memcpy(&m->s->a, m->p->data + offset, 4);
	m->s->at = offset;
	m->s->size = 4;
}

static uint32_t random_next(struct skep_cbpf_packet *p)
{
	uint32_t x = p->random ? p->random : 1;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return p->random = x;
}

static void extension(struct machine *m, enum cbpf_ext ext)
{
	struct skep_cbpf_packet *p = m->p;
	struct skep_cbpf_state *s = m->s;

	switch (ext) {
	case EXT_PROTOCOL: s->a = p->protocol; break;
	case EXT_PKTTYPE: s->a = p->pkt_type; break;
	case EXT_IFINDEX:
	case EXT_HATYPE:
		if (!p->ifindex)
			finish(m, NO_PACKET, s->a); /* the kernel leaves, with what is in its register */
		else
			s->a = ext == EXT_IFINDEX ? p->ifindex : p->hatype;
		break;
	case EXT_NLATTR: s->a = cbpf_nlattr(p, s->a, s->x, false); break;
	case EXT_NLATTR_NEST: s->a = cbpf_nlattr(p, s->a, s->x, true); break;
	case EXT_MARK: s->a = p->mark; break;
	case EXT_QUEUE: s->a = p->queue; break;
	case EXT_RXHASH: s->a = p->hash; break;
	case EXT_CPU: s->a = p->cpu; break;
	case EXT_XOR_X: s->a ^= s->x; break;
	case EXT_VLAN_TAG: s->a = p->vlan_tci; break;
	case EXT_VLAN_PRESENT: s->a = p->vlan_present; break;
	case EXT_PAYLOAD: s->a = p->payload; break;
	case EXT_RANDOM: s->a = random_next(p); break;
	case EXT_VLAN_TPID: s->a = p->vlan_tpid; break;
	case EXT_NONE: break;
	}
}

static void load_a(struct machine *m, const struct skep_cbpf_insn *i)
{
	enum cbpf_ext ext = cbpf_ext(i);

	if (m->kind == SKEP_CBPF_SECCOMP)
		load_word(m, i->k);
	else if (ext != EXT_NONE)
		extension(m, ext);
	else
		load(m, i->k, cbpf_size(i), &m->s->a);
}

static void load_msh(struct machine *m, const struct skep_cbpf_insn *i)
{
	uint32_t byte;

	if (load(m, i->k, 1, &byte))
		m->s->x = (byte & 0xf) * 4;
}

static uint32_t length(const struct machine *m)
{
	return m->kind == SKEP_CBPF_SECCOMP ? SECCOMP_DATA : m->p->wire_len;
}

/* --- Arithmetic and jumps -------------------------------------------------------------------- */

enum { ALU_ADD = 0x00, ALU_SUB = 0x10, ALU_MUL = 0x20, ALU_DIV = 0x30, ALU_OR = 0x40, ALU_AND = 0x50,
       ALU_LSH = 0x60, ALU_RSH = 0x70, ALU_MOD = 0x90, ALU_XOR = 0xa0 };

static void alu(struct machine *m, unsigned what, uint32_t by)
{
	uint32_t *a = &m->s->a;

	switch (what) {
	case ALU_ADD: *a += by; break;
	case ALU_SUB: *a -= by; break;
	case ALU_MUL: *a *= by; break;
	case ALU_OR: *a |= by; break;
	case ALU_AND: *a &= by; break;
	case ALU_XOR: *a ^= by; break;
	case ALU_LSH: *a <<= by & 31; break;
	case ALU_RSH: *a >>= by & 31; break;
	default:
		if (!by)
			finish(m, NO_QUOTIENT, 0);
		else
			*a = what == ALU_DIV ? *a / by : *a % by;
	}
}

enum { JUMP_EQ = 0x10, JUMP_GT = 0x20, JUMP_GE = 0x30 };

static bool holds(unsigned what, uint32_t a, uint32_t b)
{
	switch (what) {
	case JUMP_EQ: return a == b;
	case JUMP_GT: return a > b;
	case JUMP_GE: return a >= b;
	}
	return a & b;
}

/* --- The machine ----------------------------------------------------------------------------- */

static void step(struct machine *m)
{
	struct skep_cbpf_state *s = m->s;
	const struct skep_cbpf_insn *i = &m->insns[s->pc++];
	enum cbpf_op op = cbpf_op(i);

	switch (op) {
	case CBPF_LD_W_ABS: case CBPF_LD_H_ABS: case CBPF_LD_B_ABS: load_a(m, i); return;
	case CBPF_LD_W_IND: case CBPF_LD_H_IND: case CBPF_LD_B_IND:
		load(m, s->x + i->k, cbpf_size(i), &s->a);
		return;
	case CBPF_LD_LEN: s->a = length(m); return;
	case CBPF_LD_K: s->a = i->k; return;
	case CBPF_LD_MEM: s->a = s->m[i->k]; return;
	case CBPF_LDX_K: s->x = i->k; return;
	case CBPF_LDX_MEM: s->x = s->m[i->k]; return;
	case CBPF_LDX_LEN: s->x = length(m); return;
	case CBPF_LDX_MSH: load_msh(m, i); return;
	case CBPF_ST: s->m[i->k] = s->a; return;
	case CBPF_STX: s->m[i->k] = s->x; return;
	case CBPF_NEG: s->a = -s->a; return;
	case CBPF_JA: s->pc += i->k; return;
	case CBPF_RET_K: finish(m, RETURNED, i->k); return;
	case CBPF_RET_A: finish(m, RETURNED, s->a); return;
	case CBPF_TAX: s->x = s->a; return;
	case CBPF_TXA: s->a = s->x; return;
	default: break;
	}
	switch (cbpf_info[op].operand) {
	case OPERAND_K: alu(m, i->code & 0xf0, i->k); return;
	case OPERAND_X: alu(m, i->code & 0xf0, s->x); return;
	case OPERAND_IF_K: s->pc += holds(i->code & 0xf0, s->a, i->k) ? i->jt : i->jf; return;
	case OPERAND_IF_X: s->pc += holds(i->code & 0xf0, s->a, s->x) ? i->jt : i->jf; return;
	}
}

int skep_cbpf_step(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_kind kind,
                   struct skep_cbpf_packet *p, struct skep_cbpf_state *s)
{
	struct machine m = {insns, kind, p, s};

	(void)n; /* a checked filter ends before it */
	if (s->done)
		return 0;
	s->size = 0;
	s->steps++;
	step(&m);
	return 1;
}

uint32_t skep_cbpf_run(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_kind kind,
                       struct skep_cbpf_packet *p)
{
	struct skep_cbpf_state s = {0};

	while (!s.done)
		skep_cbpf_step(insns, n, kind, p, &s);
	return s.ret;
}
