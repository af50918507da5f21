/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: what a load or store through each kind of pointer may touch, and what a load gives.
 *
 * The offset of an access is known part plus variable part plus the instruction's. A region of known
 * size must hold it for the smallest and for the largest value of the variable part; packets instead
 * are as long as a comparison with their end has shown (reg.range); contexts and sockets are accessed
 * by the tables of their fields. What an instruction accessed is noted for fixup.c: the same kind of
 * pointer on all paths.
 *
 * Provides: mem_access(), mem_helper().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/map.h"
#include "core/sock.h"
#include "core/vmlinux.h"
#include "verifier/memory.h"
#include "verifier/path.h"

enum { OFFSET_MAX = 1 << 29 };

const char *tnum_text(struct tnum t, char *text)
{
	if (tnum_is_const(t))
		snprintf(text, 64, "%lld", (long long)t.value);
	else
		snprintf(text, 64, "(0x%llx; 0x%llx)", (unsigned long long)t.value,
		         (unsigned long long)t.mask);
	return text;
}

/* --- Regions ------------------------------------------------------------------------------ */

static int check_range(struct verifier *v, unsigned regno, int64_t off, int size, uint32_t mem_size,
                       bool zero_ok)
{
	const struct reg *r = &cur_regs(v)[regno];

	if (off >= 0 && (size > 0 || (!size && zero_ok)) && (uint64_t)off + (uint64_t)size <= mem_size)
		return 0;
	if (r->kind == REG_MAP_KEY)
		return reject(v, REJECT_KEY_RANGE, mem_size, (int)off, size);
	if (r->kind == REG_MAP_VALUE)
		return reject(v, REJECT_VALUE_RANGE, mem_size, (int)off, size);
	if (reg_is_packet(r) || r->kind == REG_PACKET_END)
		return reject(v, REJECT_PACKET_RANGE, (int)off, size, regno, r->id, (int)off,
		              (int)mem_size);
	return reject(v, REJECT_MEM_RANGE, mem_size, (int)off, size);
}

int mem_in_region(struct verifier *v, unsigned regno, int off, int size, uint32_t mem_size,
                  bool zero_ok)
{
	const struct reg *r = &cur_regs(v)[regno];
	int64_t low = r->s.smin + off;

	if (r->s.smin < 0 && (r->s.smin == INT64_MIN || low != (int32_t)low || low < 0))
		return reject(v, REJECT_MIN_NEGATIVE, regno);
	if (check_range(v, regno, low, size, mem_size, zero_ok))
		return reject(v, REJECT_MIN_OUTSIDE, regno);
	if (r->s.umax >= OFFSET_MAX)
		return reject(v, REJECT_UNBOUNDED, regno);
	if (check_range(v, regno, (int64_t)r->s.umax + off, size, mem_size, zero_ok))
		return reject(v, REJECT_MAX_OUTSIDE, regno);
	return 0;
}

static int check_packet(struct verifier *v, unsigned regno, int off, int size, bool zero_ok)
{
	const struct reg *r = &cur_regs(v)[regno];
	int err;

	if (r->s.smin < 0)
		return reject(v, REJECT_MIN_NEGATIVE, regno);
	err = r->range < 0 ? -EINVAL
	                   : check_range(v, regno, off, size, (uint32_t)r->range, zero_ok);
	if (err)
		reject(v, REJECT_PACKET_OUTSIDE, regno);
	return err;
}

int mem_plain_pointer(struct verifier *v, const struct reg *r, unsigned regno, bool fixed_ok)
{
	char var[64];

	if (r->off < 0)
		return reject(v, REJECT_NEGATIVE_OFFSET, reg_kind_text(v, r), regno, r->off);
	if (!fixed_ok && r->off)
		return reject(v, REJECT_MODIFIED, reg_kind_text(v, r), regno, r->off);
	if (!scalar_is_const(&r->s) || r->s.var.value)
		return reject(v, REJECT_VARIABLE, reg_kind_text(v, r), tnum_text(r->s.var, var));
	return 0;
}

/* --- Alignment ---------------------------------------------------------------------------- */

static const char *const kind_desc[REG_KINDS] = {
	[REG_MAP_KEY] = "key ",    [REG_MAP_VALUE] = "value ",
	[REG_CTX] = "context ",    [REG_STACK] = "stack ",
	[REG_SOCKET] = "sock ",    [REG_SOCK_COMMON] = "sock_common ",
	[REG_TCP_SOCK] = "tcp_sock ", [REG_XDP_SOCK] = "xdp_sock ",
	[REG_FLOW_KEYS] = "flow keys ",
};

static int check_align(struct verifier *v, const struct reg *r, int off, unsigned size, bool strict)
{
	bool packet = reg_is_packet(r);
	int extra = packet ? 2 : 0; /* where the kernel puts packets: NET_IP_ALIGN */
	struct tnum at;
	char var[64];

	strict |= v->strict_align || r->kind == REG_STACK;
	if (!strict || size == 1 || r->kind == REG_ARENA)
		return 0;
	at = tnum_add(r->s.var, tnum_const((uint64_t)(int64_t)(extra + r->off + off)));
	if (tnum_is_aligned(at, size))
		return 0;
	tnum_text(r->s.var, var);
	if (packet)
		return reject(v, REJECT_PACKET_ALIGN, extra, var, r->off, off, size);
	return reject(v, REJECT_ALIGN, kind_desc[r->kind] ? kind_desc[r->kind] : "", var, r->off, off,
	              size);
}

/* --- Kinds -------------------------------------------------------------------------------- */

struct access_of {
	uint32_t pc;
	unsigned regno, size;
	int off, value;
	enum access access;
};

static int leaks(struct verifier *v, const struct access_of *a, const char *where)
{
	if (a->access != ACCESS_WRITE || a->value < 0 || v->allow_ptr_leaks ||
	    cur_regs(v)[a->value].kind == REG_SCALAR)
		return 0;
	return reject(v, REJECT_LEAK, a->value, where);
}

static int check_map_access(struct verifier *v, const struct map *m, int off, unsigned size,
                            enum access access)
{
	if (access == ACCESS_WRITE && !map_prog_writes(m))
		return reject(v, REJECT_MAP_WRITE, m->value_size, off, size);
	if (access == ACCESS_READ && !map_prog_reads(m))
		return reject(v, REJECT_MAP_READ, m->value_size, off, size);
	return 0;
}

/* Nobody can change it any more: its bytes are constants. */
static bool frozen_value(const struct map *m, uint32_t off, unsigned size, bool sext, uint64_t *out)
{
	uintptr_t addr;

	if (!(m->flags & BPF_F_RDONLY_PROG) || !m->frozen || !m->ops->direct_value ||
	    m->ops->direct_value((struct map *)m, off, &addr))
		return false;
	*out = 0;
	memcpy(out, (const void *)addr, size);
	if (sext)
		*out = (uint64_t)((int64_t)(*out << (64 - 8 * size)) >> (64 - 8 * size));
	return true;
}

static int map_value(struct verifier *v, const struct access_of *a, bool sext)
{
	struct reg *r = &cur_regs(v)[a->regno], *to = &cur_regs(v)[a->value < 0 ? 0 : a->value];
	struct map *m = r->map;
	uint64_t value;
	int err = leaks(v, a, "map");

	if (!err)
		err = check_map_access(v, m, a->off, a->size, a->access);
	if (!err)
		err = mem_in_region(v, a->regno, a->off, (int)a->size, m->value_size, false);
	if (!err && m->record)
		err = special_access(v, a->pc, a->regno, a->off, a->size, a->access, a->value);
	if (err)
		return err < 0 ? err : 0;
	if (a->access == ACCESS_READ && a->value >= 0) {
		uint64_t at = (uint64_t)(int64_t)a->off + r->s.var.value;

		if (scalar_is_const(&r->s) &&
		    frozen_value(m, (uint32_t)at, a->size, sext, &value))
			reg_set_const(to, value);
		else
			reg_set_unknown(to);
	}
	return 0;
}

static const struct {
	uint8_t field, kind;
	uint32_t flags;
} field_kinds[] = {
	{FIELD_PACKET, REG_PACKET, 0},
	{FIELD_PACKET_END, REG_PACKET_END, 0},
	{FIELD_PACKET_META, REG_PACKET_META, 0},
	{FIELD_SOCKET, REG_SOCKET, 0},
	{FIELD_SOCKET_OR_NULL, REG_SOCKET, REG_NULLABLE},
	{FIELD_SOCK_COMMON_OR_NULL, REG_SOCK_COMMON, REG_NULLABLE},
	{FIELD_TP_BUFFER, REG_TP_BUFFER, 0},
	{FIELD_FLOW_KEYS, REG_FLOW_KEYS, 0},
	{FIELD_BTF, REG_BTF_ID, REG_TRUSTED},
	{FIELD_BTF_OR_NULL, REG_BTF_ID, REG_TRUSTED | REG_NULLABLE},
	{FIELD_MEM, REG_MEM, 0},
	{FIELD_MEM_OR_NULL, REG_MEM, REG_NULLABLE},
	{FIELD_MEM_RDONLY, REG_MEM, REG_RDONLY},
	{FIELD_MEM_RDONLY_OR_NULL, REG_MEM, REG_RDONLY | REG_NULLABLE},
};

static bool is_packet_field(const struct ctx_field *f)
{
	return f->kind == FIELD_PACKET || f->kind == FIELD_PACKET_END || f->kind == FIELD_PACKET_META;
}

/* Of what is a pointer there is no signed load. */
static bool sign_extends(enum op op)
{
	return op == OP_LDSX_B || op == OP_LDSX_H || op == OP_LDSX_W;
}

static void btf_field(struct verifier *v, const struct ctx_field *f, struct reg *to)
{
	struct skep *k = v->p->obj.k;

	to->btf = vmlinux(k);
	to->btf_id = to->btf ? vmlinux_find(k, BTF_STRUCT, f->btf) : 0;
}

static void load_field(struct verifier *v, const struct ctx_field *f, struct reg *to)
{
	reg_set_unknown(to);
	for (size_t k = 0; k < sizeof(field_kinds) / sizeof(field_kinds[0]); k++) {
		if (field_kinds[k].field != f->kind)
			continue;
		reg_set_pointer(to, field_kinds[k].kind, field_kinds[k].flags);
		scalar_set_const(&to->s, 0);
		if (to->flags & REG_NULLABLE)
			to->id = new_id(v);
		if (to->kind == REG_BTF_ID)
			btf_field(v, f, to);
		if (to->kind == REG_MEM)
			to->mem_size = f->mem_size;
	}
}

static int ctx(struct verifier *v, const struct access_of *a)
{
	const struct hook *h = v->p->hook;
	const struct ctx_field *f = NULL;
	bool ok;
	int err = leaks(v, a, "ctx");

	if (!err)
		err = mem_plain_pointer(v, &cur_regs(v)[a->regno], a->regno, false);
	if (err)
		return err;
	if (h->ctx_any_size) {
		ok = a->off >= 0 && (uint32_t)a->off + a->size <= h->ctx_size &&
		     a->off % (int)a->size == 0;
	} else {
		f = hook_access(v->p, a->off, a->size, a->access == ACCESS_WRITE);
		ok = f && !(is_packet_field(f) && sign_extends(v->op[a->pc]));
	}
	if (!ok)
		return reject(v, REJECT_CTX_ACCESS, a->off, a->size);
	v->notes[a->pc].field = f;
	if (v->p->max_ctx_offset < (unsigned)a->off + a->size)
		v->p->max_ctx_offset = (unsigned)a->off + a->size;
	v->has_growth |= f && a->access == ACCESS_WRITE && f->kind == FIELD_QUEUE;
	if (a->access == ACCESS_READ && a->value >= 0) {
		if (f)
			load_field(v, f, &cur_regs(v)[a->value]);
		else
			reg_set_unknown(&cur_regs(v)[a->value]);
	}
	return 0;
}

static int packet(struct verifier *v, const struct access_of *a)
{
	int err;

	if (a->access == ACCESS_WRITE && !v->p->hook->pkt_write)
		return reject(v, REJECT_PACKET_WRITE);
	err = leaks(v, a, "packet");
	return err ? err : check_packet(v, a->regno, a->off, (int)a->size, false);
}

static int sock_load(struct verifier *v, const struct access_of *a)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	const struct ctx_field *f, *table = r->kind == REG_SOCKET      ? sock_fields
	                                    : r->kind == REG_TCP_SOCK  ? tcp_sock_fields
	                                    : r->kind == REG_XDP_SOCK  ? xdp_sock_fields
	                                                               : sock_common_fields;

	if (a->access == ACCESS_WRITE)
		return reject(v, REJECT_CANNOT_WRITE, a->regno, reg_kind_text(v, r));
	if (r->s.smin < 0)
		return reject(v, REJECT_MIN_NEGATIVE, a->regno);
	f = a->off >= 0 ? sock_field(table, (uint32_t)a->off) : NULL;
	if (!f || !field_allows(f, (uint32_t)a->off, a->size, false))
		return reject(v, REJECT_SOCK_ACCESS, a->regno, reg_kind_text(v, r), a->off, a->size);
	return 0;
}

static int memory(struct verifier *v, const struct access_of *a)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	int err;

	if (r->flags & REG_NULLABLE)
		return reject(v, REJECT_MEM_ACCESS, a->regno, reg_kind_text(v, r));
	if (a->access == ACCESS_WRITE && r->flags & REG_RDONLY)
		return reject(v, REJECT_CANNOT_WRITE, a->regno, reg_kind_text(v, r));
	err = leaks(v, a, "mem");
	if (err || (r->flags & REG_RDONLY && r->flags & REG_UNTRUSTED))
		return err;
	return mem_in_region(v, a->regno, a->off, (int)a->size, r->mem_size, false);
}

static int buffer(struct verifier *v, const struct access_of *a, const char *name)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	char var[64];

	if (a->access == ACCESS_WRITE && r->flags & REG_RDONLY)
		return reject(v, REJECT_CANNOT_WRITE, a->regno, reg_kind_text(v, r));
	if (a->off < 0)
		return reject(v, REJECT_BUFFER_ACCESS, a->regno, name, a->off, a->size);
	if (!scalar_is_const(&r->s) || r->s.var.value)
		return reject(v, REJECT_BUFFER_OFFSET, a->regno, a->off, tnum_text(r->s.var, var));
	return 0;
}

/* Everything whose loads give plain numbers. */
static int plain(struct verifier *v, const struct access_of *a)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	int err;

	switch (r->kind) {
	case REG_MAP_KEY:
		if (a->access == ACCESS_WRITE)
			return reject(v, REJECT_KEY_WRITE, a->regno);
		return mem_in_region(v, a->regno, a->off, (int)a->size, r->map->key_size, false);
	case REG_MEM:
		return memory(v, a);
	case REG_PACKET:
	case REG_PACKET_META:
		return packet(v, a);
	case REG_FLOW_KEYS:
		err = leaks(v, a, "flow keys");
		if (!err && (a->off < 0 || (unsigned)a->off + a->size > FLOW_KEYS_SIZE))
			err = reject(v, REJECT_FLOW_KEYS, a->off, a->size);
		return err;
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
		if (!(r->flags & REG_NULLABLE))
			return sock_load(v, a);
		break;
	case REG_TP_BUFFER:
		return buffer(v, a, "tracepoint");
	case REG_BUF:
		if (!(r->flags & REG_NULLABLE))
			return buffer(v, a, r->flags & REG_RDONLY ? "rdonly" : "rdwr");
		break;
	case REG_ARENA:
		return 0;
	}
	return reject(v, REJECT_MEM_ACCESS, a->regno, reg_kind_text(v, r));
}

/* --- The access --------------------------------------------------------------------------- */

/* Kinds whose accesses fixup.c translates: an instruction may meet one of them, or none. */
static bool is_translated(enum reg_kind kind)
{
	return kind == REG_CTX || kind == REG_BTF_ID || kind == REG_ARENA || kind == REG_SOCKET ||
	       kind == REG_SOCK_COMMON || kind == REG_TCP_SOCK || kind == REG_XDP_SOCK;
}

static int note_pointer(struct verifier *v, uint32_t pc, const struct reg *r)
{
	struct note *n = &v->notes[pc];

	if (n->kind == REG_NONE)
		n->kind = r->kind;
	if (n->kind != r->kind && (is_translated(n->kind) || is_translated(r->kind)))
		return reject(v, REJECT_DIFFERENT_POINTERS);
	return 0;
}

int mem_access(struct verifier *v, uint32_t pc, unsigned regno, int off, unsigned size,
               enum access access, int value, bool strict, bool sext)
{
	struct reg *regs = cur_regs(v), *r = &regs[regno];
	struct access_of a = {pc, regno, size, off + r->off, value, access};
	struct reg base = *r;
	int err = check_align(v, r, off, size, strict);

	if (err)
		return err;
	switch (r->kind) {
	case REG_MAP_VALUE:
		err = r->flags & REG_NULLABLE
		              ? reject(v, REJECT_MEM_ACCESS, regno, reg_kind_text(v, r))
		              : map_value(v, &a, sext);
		break;
	case REG_CTX:
		err = ctx(v, &a);
		break;
	case REG_STACK:
		err = stack_access(v, pc, regno, a.off, size, access, value);
		break;
	case REG_BTF_ID:
	case REG_MAP:
		err = r->flags & REG_NULLABLE
		              ? reject(v, REJECT_MEM_ACCESS, regno, reg_kind_text(v, r))
		              : btf_access(v, pc, regno, a.off, size, access, value);
		break;
	default:
		err = plain(v, &a);
		if (!err && access == ACCESS_READ && value >= 0)
			reg_set_unknown(&regs[value]);
	}
	if (err)
		return err;
	if (access == ACCESS_READ && value >= 0) {
		struct reg *to = &regs[value];

		if (size < 8 && to->kind == REG_SCALAR) {
			/* A filled number shares its spill's id: no longer, when its bits change. */
			if (sext && to->s.umax >> (size * 8 - 1))
				to->id = 0;
			if (sext)
				scalar_sext(&to->s, size);
			else
				scalar_truncate(&to->s, size);
		}
	}
	return value == -2 ? 0 : note_pointer(v, pc, &base);
}

/* --- Calls' accesses ---------------------------------------------------------------------- */

int mem_helper(struct verifier *v, unsigned regno, int size, enum access access, bool zero_ok,
               bool raw)
{
	struct reg *r = &cur_regs(v)[regno];
	int err;

	switch (r->kind) {
	case REG_PACKET:
	case REG_PACKET_META:
		return check_packet(v, regno, r->off, size, zero_ok);
	case REG_MAP_KEY:
		if (access == ACCESS_WRITE)
			return reject(v, REJECT_CANNOT_WRITE, regno, reg_kind_text(v, r));
		return mem_in_region(v, regno, r->off, size, r->map->key_size, zero_ok);
	case REG_MAP_VALUE:
		err = check_map_access(v, r->map, r->off, (unsigned)size, access);
		if (!err)
			err = mem_in_region(v, regno, r->off, size, r->map->value_size, zero_ok);
		if (!err && r->map->record)
			err = special_access(v, v->pc, regno, r->off, (unsigned)size, 0, -1);
		return err < 0 ? err : 0;
	case REG_MEM:
		if (access == ACCESS_WRITE && r->flags & REG_RDONLY)
			return reject(v, REJECT_CANNOT_WRITE, regno, reg_kind_text(v, r));
		return mem_in_region(v, regno, r->off, size, r->mem_size, zero_ok);
	case REG_BUF: {
		struct access_of a = {v->pc, regno, (unsigned)size, r->off, -1, access};

		return buffer(v, &a, r->flags & REG_RDONLY ? "rdonly" : "rdwr");
	}
	case REG_STACK:
		return stack_helper(v, regno, r->off, size, access, zero_ok, raw);
	case REG_BTF_ID:
		return btf_access(v, v->pc, regno, r->off, (unsigned)size, access, -1);
	case REG_CTX:
		/* Only what is a context of plain memory; -2: nothing for fixup to translate. */
		if (v->p->hook->ctx_any_size && r->off >= 0 && scalar_is_const(&r->s) &&
		    (uint32_t)r->off + (uint32_t)size <= v->p->hook->ctx_size)
			return 0;
		break;
	default:
		break;
	}
	if (zero_ok && size == 0 && reg_is_null(r))
		return 0;
	return reject(v, REJECT_ARG_TYPE, regno, reg_kind_text(v, r), "fp");
}

int mem_helper_size(struct verifier *v, unsigned regno, unsigned size_regno, enum access access,
                    bool zero_ok, bool raw)
{
	const struct reg *r = &cur_regs(v)[size_regno];
	int err;

	if (!scalar_is_const(&r->s))
		raw = false;
	if (r->s.smin < 0)
		return reject(v, REJECT_SIZE_NEGATIVE, size_regno);
	if (r->s.umin == 0 && !zero_ok)
		return reject(v, REJECT_SIZE_ZERO, size_regno, (long long)r->s.umin,
		              (long long)r->s.umax);
	if (r->s.umax >= OFFSET_MAX)
		return reject(v, REJECT_SIZE_UNBOUNDED, size_regno);
	err = mem_helper(v, regno, (int)r->s.umax, access, zero_ok, raw);
	return err ? err : precise_mark(v, size_regno);
}

int mem_object(struct verifier *v, unsigned regno, uint32_t mem_size)
{
	struct reg *r = &cur_regs(v)[regno], saved = *r;
	int err;

	if (reg_is_null(r))
		return 0;
	/* What may be NULL is checked as if it were not: the callee looks. */
	if (r->flags & REG_NULLABLE)
		reg_not_null(v, r);
	err = mem_helper(v, regno, (int)mem_size, ACCESS_READ, true, false);
	if (!err)
		err = mem_helper(v, regno, (int)mem_size, ACCESS_WRITE, true, false);
	cur_regs(v)[regno] = saved;
	return err;
}
