/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One argument of a helper call: is the register of a kind that the helper takes, at an offset that it
 * takes, and is what it points to as large, as readable, as initialised as it must be?
 *
 * kinds[] says which registers fit which ARG_; check[] what is asked of them beside that.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "core/hook.h"
#include "core/uapi.h"
#include "core/vmlinux.h"
#include "verifier/btf_ptr.h"
#include "verifier/call.h"

struct fit {
	uint8_t kind;
	uint32_t flags;
};

#define FITS(...) ((const struct fit[]){__VA_ARGS__, {REG_NONE, 0}})

static const struct fit mem_kinds[] = {
	{REG_STACK, 0}, {REG_PACKET, 0}, {REG_PACKET_META, 0}, {REG_MAP_KEY, 0}, {REG_MAP_VALUE, 0},
	{REG_MEM, 0}, {REG_MEM, REG_RINGBUF}, {REG_BUF, 0}, {REG_BTF_ID, REG_TRUSTED},
	{REG_NONE, 0},
};
static const struct fit map_value_kind[] = {{REG_MAP_VALUE, 0}, {REG_NONE, 0}};
static const struct fit btf_kinds[] = {
	{REG_BTF_ID, 0}, {REG_BTF_ID, REG_TRUSTED}, {REG_BTF_ID, REG_RCU}, {REG_NONE, 0}};

static const struct fit *const kinds[] = {
	[ARG_MAP] = FITS({REG_MAP, 0}),
	[ARG_MAP_KEY] = mem_kinds,
	[ARG_MAP_VALUE] = mem_kinds,
	[ARG_MAP_VALUE_OR_NULL] = mem_kinds,
	[ARG_UNINIT_MAP_VALUE] = mem_kinds,
	[ARG_MEM] = mem_kinds,
	[ARG_MEM_OR_NULL] = mem_kinds,
	[ARG_UNINIT_MEM] = mem_kinds,
	[ARG_UNINIT_MEM_OR_NULL] = mem_kinds,
	[ARG_WRITE_MEM] = mem_kinds,
	[ARG_FIXED_MEM] = mem_kinds,
	[ARG_UNINIT_FIXED_MEM] = mem_kinds,
	[ARG_SIZE] = FITS({REG_SCALAR, 0}),
	[ARG_SIZE_OR_ZERO] = FITS({REG_SCALAR, 0}),
	[ARG_ALLOC_SIZE_OR_ZERO] = FITS({REG_SCALAR, 0}),
	[ARG_CTX] = FITS({REG_CTX, 0}),
	[ARG_CTX_OR_NULL] = FITS({REG_CTX, 0}),
	[ARG_SPIN_LOCK] = FITS({REG_MAP_VALUE, 0}, {REG_BTF_ID, REG_ALLOC}),
	[ARG_SOCK_COMMON] = FITS({REG_SOCK_COMMON, 0}, {REG_SOCKET, 0}, {REG_TCP_SOCK, 0},
	                         {REG_XDP_SOCK, 0}),
	[ARG_BTF_ID] = btf_kinds,
	[ARG_BTF_ID_OR_NULL] = btf_kinds,
	[ARG_BTF_ID_SOCK_COMMON] = FITS({REG_SOCK_COMMON, 0}, {REG_SOCKET, 0}, {REG_TCP_SOCK, 0},
	                                {REG_XDP_SOCK, 0}, {REG_BTF_ID, 0}, {REG_BTF_ID, REG_TRUSTED}),
	[ARG_PERCPU_BTF_ID] = FITS({REG_BTF_ID, REG_PERCPU}, {REG_BTF_ID, REG_PERCPU | REG_RCU},
	                           {REG_BTF_ID, REG_PERCPU | REG_TRUSTED}),
	[ARG_RINGBUF_MEM] = FITS({REG_MEM, REG_RINGBUF}),
	[ARG_FUNC] = FITS({REG_FUNC, 0}),
	[ARG_STACK_OR_NULL] = FITS({REG_STACK, 0}),
	[ARG_CONST_STR] = map_value_kind,
	[ARG_TIMER] = map_value_kind,
	[ARG_KPTR] = FITS({REG_MAP_VALUE, 0}, {REG_BTF_ID, REG_ALLOC}),
	[ARG_DYNPTR] = FITS({REG_STACK, 0}, {REG_DYNPTR, 0}),
	[ARG_UNINIT_DYNPTR] = FITS({REG_STACK, 0}, {REG_DYNPTR, 0}),
};

/* What a kind of argument is about. */
enum arg_traits {
	TRAIT_NULL = 1 << 0,  /* may be NULL */
	TRAIT_WRITE = 1 << 1, /* memory: written */
	TRAIT_RAW = 1 << 2,   /* memory: need not be initialised */
	TRAIT_MEM = 1 << 3,
	TRAIT_BTF = 1 << 4,
};

static const uint8_t traits[] = {
	[ARG_MAP_VALUE_OR_NULL] = TRAIT_NULL,
	[ARG_UNINIT_MAP_VALUE] = TRAIT_WRITE | TRAIT_RAW,
	[ARG_MEM] = TRAIT_MEM,
	[ARG_MEM_OR_NULL] = TRAIT_MEM | TRAIT_NULL,
	[ARG_UNINIT_MEM] = TRAIT_MEM | TRAIT_WRITE | TRAIT_RAW,
	[ARG_UNINIT_MEM_OR_NULL] = TRAIT_MEM | TRAIT_NULL | TRAIT_WRITE | TRAIT_RAW,
	[ARG_WRITE_MEM] = TRAIT_MEM | TRAIT_WRITE,
	[ARG_FIXED_MEM] = TRAIT_MEM,
	[ARG_UNINIT_FIXED_MEM] = TRAIT_MEM | TRAIT_WRITE | TRAIT_RAW,
	[ARG_CTX_OR_NULL] = TRAIT_NULL,
	[ARG_BTF_ID] = TRAIT_BTF,
	[ARG_BTF_ID_OR_NULL] = TRAIT_BTF | TRAIT_NULL,
	[ARG_BTF_ID_SOCK_COMMON] = TRAIT_BTF,
	[ARG_STACK_OR_NULL] = TRAIT_NULL,
	[ARG_KPTR] = TRAIT_BTF,
	[ARG_UNINIT_DYNPTR] = 0,
};

static enum access access_of(uint8_t t)
{
	return t & TRAIT_WRITE ? ACCESS_WRITE : ACCESS_READ;
}

/* May programs of this type hand packet pointers to helpers that take them? */
static bool packet_to_helpers(const struct verifier *v, const struct call *c)
{
	switch (v->p->type) {
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_SK_REUSEPORT:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_CGROUP_SKB:
		return c->fact->flags & FACT_PKT;
	default:
		return v->p->hook->pkt_write;
	}
}

static int unexpected(struct verifier *v, unsigned regno, const struct fit *fits)
{
	struct buf list = {0};
	char text[64];
	int err;

	for (const struct fit *f = fits; f->kind != REG_NONE; f++)
		buf_printf(&list, "%s%s", f == fits ? "" : ", ",
		           reg_kind_name(f->kind, f->flags, text, sizeof(text)));
	err = list.failed ? -ENOMEM
	                  : reject(v, REJECT_ARG_TYPE, regno, reg_kind_text(v, &cur_regs(v)[regno]),
	                           list.data);
	buf_free(&list);
	return err;
}

/* The flags that matter for whether a register fits. */
static uint32_t fit_flags(const struct call *c, const struct reg *r, enum arg_kind kind)
{
	uint32_t flags = r->flags & ~(uint32_t)(REG_NON_OWN | REG_UNINIT);

	if (traits[kind] & TRAIT_NULL)
		flags &= ~(uint32_t)REG_NULLABLE;
	if (traits[kind] & TRAIT_MEM) {
		flags &= ~(uint32_t)REG_DYNPTR_FLAGS;
		if (!(traits[kind] & TRAIT_WRITE))
			flags &= ~(uint32_t)REG_RDONLY;
	}
	if (c->id == HELPER_KPTR_XCHG && flags & REG_ALLOC)
		flags &= ~(uint32_t)(REG_ALLOC | REG_PERCPU);
	return flags;
}

/* A struct of the kernel's that fits by kind: is it the right one? */
static int btf_fits(struct verifier *v, const struct call *c, unsigned n, enum arg_kind kind)
{
	unsigned regno = R1 + n;
	const struct reg *r = &cur_regs(v)[regno];
	const char *want = kind == ARG_BTF_ID_SOCK_COMMON ? "sock_common" : c->fact->arg;
	bool release = c->h->flags & HELPER_RELEASES && n == 0;

	if (c->id == HELPER_KPTR_XCHG && n == 1)
		return kptr_fits(v, c->kptr, regno);
	if (r->kind != REG_BTF_ID || c->id == HELPER_KPTR_XCHG)
		return 0;
	if (traits[kind] & TRAIT_MEM)
		return traits[kind] & TRAIT_WRITE
		               ? reject(v, REJECT_ARG_READ_ONLY, c->h->name, regno, reg_kind_text(v, r))
		               : 0;
	if (!(traits[kind] & TRAIT_BTF))
		return 0;
	if (reg_nullable(r) && (!(traits[kind] & TRAIT_NULL) || release))
		return reject(v, REJECT_ARG_MAYBE_NULL, n + 1);
	if (c->h->arg_id && (r->btf != c->h->btf || r->btf_id != c->h->arg_id))
		return reject(v, REJECT_ARG_STRUCT, regno, btf_reg_name(r),
		              btf_string(&c->h->btf->data, btf_type(&c->h->btf->data, c->h->arg_id)->name));
	if (want && !btf_is_a(v, r, want))
		return reject(v, REJECT_ARG_STRUCT, regno, btf_reg_name(r), want);
	return 0;
}

static int kind_fits(struct verifier *v, const struct call *c, unsigned n, enum arg_kind kind)
{
	unsigned regno = R1 + n;
	const struct reg *r = &cur_regs(v)[regno];
	uint32_t flags = fit_flags(c, r, kind);
	const struct fit *fits = kinds[kind];

	if (c->map && (c->map->type == BPF_MAP_TYPE_SOCKMAP || c->map->type == BPF_MAP_TYPE_SOCKHASH) &&
	    kind == ARG_MAP_VALUE)
		fits = kinds[ARG_BTF_ID_SOCK_COMMON];
	for (const struct fit *f = fits; f->kind != REG_NONE; f++)
		if (f->kind == r->kind && f->flags == flags)
			return btf_fits(v, c, n, kind);
	return unexpected(v, regno, fits);
}

/* May the pointer have an offset, and which? */
static int offset_fits(struct verifier *v, const struct call *c, unsigned n, enum arg_kind kind)
{
	const struct reg *r = &cur_regs(v)[R1 + n];

	if (c->h->flags & HELPER_RELEASES && n == 0) {
		if (kind == ARG_DYNPTR && r->kind == REG_STACK)
			return 0;
		if (r->off)
			return reject(v, REJECT_ARG_RELEASE_OFF, R1 + n);
	}
	switch (r->kind) {
	case REG_STACK:
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_MAP_KEY:
	case REG_MAP_VALUE:
	case REG_MEM:
	case REG_BUF:
	case REG_ARENA:
	case REG_SCALAR:
		return 0;
	default:
		return mem_plain_pointer(v, r, R1 + n, btf_offset_ok(r));
	}
}

/* --- What is asked beside the kind --------------------------------------------------------- */

static int map_arg(struct verifier *v, struct call *c, unsigned n)
{
	const struct reg *r = &cur_regs(v)[R1 + n];

	/* A timer is of the map whose value it is in. */
	if (c->map && (r->map != c->map || r->map_uid != c->map_uid))
		return reject(v, REJECT_TIMER_MAP, c->map_uid, r->map_uid);
	c->map = r->map;
	c->map_uid = r->map_uid;
	c->map_reg = R1 + n;
	return 0;
}

/* How many bytes of stack from `byte` of a slot upwards are of a kind. */
static unsigned run_of(const struct slot *s, int byte, enum slot_kind kind)
{
	unsigned n = 0;

	while (byte >= 0 && s->kind[byte] == kind) {
		byte--;
		n++;
	}
	return n;
}

/* A key that is a constant on the stack tells later whether an array's look-up can fail. */
static int note_key(struct verifier *v, struct call *c, const struct reg *r)
{
	const struct frame *f;
	const struct slot *s;
	int off, byte;

	if (r->kind != REG_STACK || !tnum_is_const(r->s.var))
		return 0;
	off = r->off + (int)r->s.var.value;
	f = stack_frame(v, r);
	if (off >= 0 || off < -STACK_SIZE || slot_of(off) >= f->nslots)
		return 0;
	s = &f->stack[slot_of(off)];
	byte = (-off - 1) % 8;
	if (run_of(s, byte, SLOT_ZERO) >= c->map->key_size) {
		c->key_known = true;
		c->key = 0;
		return 0;
	}
	if (s->kind[7] != SLOT_SPILL || !reg_is_const(&s->spilled) ||
	    run_of(s, byte, SLOT_SPILL) != c->map->key_size)
		return 0;
	c->key_known = s->spilled.s.var.value <= UINT32_MAX;
	c->key = (uint32_t)s->spilled.s.var.value;
	return precise_mark_stack(v, f->number, slot_of(off));
}

static int key_arg(struct verifier *v, struct call *c, unsigned n)
{
	int err;

	if (!c->map)
		return reject(v, REJECT_ARG_NO_MAP_KEY);
	err = mem_helper(v, R1 + n, (int)c->map->key_size, ACCESS_READ, false, false);
	if (!err && c->id == HELPER_MAP_LOOKUP_ELEM && map_is_array(c->map))
		err = note_key(v, c, &cur_regs(v)[R1 + n]);
	return err;
}

static int value_arg(struct verifier *v, struct call *c, unsigned n, enum arg_kind kind)
{
	uint8_t t = traits[kind];

	if (t & TRAIT_NULL && reg_is_null(&cur_regs(v)[R1 + n]))
		return 0;
	if (!c->map)
		return reject(v, REJECT_ARG_NO_MAP_VALUE);
	if (cur_regs(v)[R1 + n].kind == REG_BTF_ID || cur_regs(v)[R1 + n].kind == REG_SOCKET)
		return 0; /* what socket maps take */
	return mem_helper(v, R1 + n, (int)c->map->value_size, access_of(t), false, t & TRAIT_RAW);
}

static int size_arg(struct verifier *v, struct call *c, unsigned n, bool zero_ok)
{
	uint8_t t = traits[ARG_KIND(c->h->arg[n - 1])];

	c->size_max = cur_regs(v)[R1 + n].s.umax;
	return mem_helper_size(v, R1 + n - 1, R1 + n, access_of(t), zero_ok, t & TRAIT_RAW);
}

static int alloc_size_arg(struct verifier *v, struct call *c, unsigned n)
{
	const struct reg *r = &cur_regs(v)[R1 + n];

	if (!tnum_is_const(r->s.var))
		return reject(v, REJECT_ARG_NOT_CONST, R1 + n);
	c->mem_size = r->s.var.value;
	return precise_mark(v, R1 + n);
}

const char *call_string(struct verifier *v, unsigned regno, int *err)
{
	const struct reg *r = &cur_regs(v)[regno];
	uint32_t left;
	uintptr_t at;

	if (r->kind != REG_MAP_VALUE) {
		*err = -EINVAL;
	} else if (map_prog_writes(r->map) || !r->map->frozen) {
		*err = reject(v, REJECT_STR_WRITABLE, regno);
	} else if (!tnum_is_const(r->s.var)) {
		*err = reject(v, REJECT_STR_ADDRESS, regno);
	} else if (!r->map->ops->direct_value) {
		*err = reject(v, REJECT_NO_DIRECT_VALUE);
	} else {
		left = r->map->value_size - (uint32_t)r->off;
		*err = mem_in_region(v, regno, r->off, (int)left, r->map->value_size, false);
		if (!*err)
			*err = r->map->ops->direct_value(r->map, (uint32_t)r->off + (uint32_t)r->s.var.value,
			                                 &at);
		if (!*err && !memchr((const char *)at, 0, left - (uint32_t)r->s.var.value))
			*err = reject(v, REJECT_STR_OPEN);
		if (!*err)
			return (const char *)at;
	}
	return NULL;
}

int special_arg(struct verifier *v, struct call *c, unsigned regno, enum special_kind kind)
{
	const struct reg *r = &cur_regs(v)[regno];
	const char *name = special_name(kind);
	const struct special *field;
	int64_t off;

	if (!tnum_is_const(r->s.var))
		return reject(v, REJECT_SPECIAL_OFFSET, regno, name, name);
	if (!r->map->btf)
		return reject(v, REJECT_SPECIAL_BTF, r->map->name, name);
	if (!record_has(r->map->record, kind))
		return reject(v, REJECT_SPECIAL_MAP, r->map->name, name);
	field = record_find(r->map->record, kind);
	off = (int64_t)r->s.var.value + r->off;
	if (off != (int64_t)field->offset)
		return reject(v, REJECT_SPECIAL_PLACE, (long long)off, name, field->offset);
	c->map = r->map;
	c->map_uid = r->map_uid;
	return 0;
}

static int kptr_arg(struct verifier *v, struct call *c, unsigned n)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	const struct record *record = r->kind == REG_MAP_VALUE ? r->map->record
	                                                       : btf_record(r->btf, r->btf_id);
	uint32_t off;

	if (r->kind == REG_MAP_VALUE) {
		if (!r->map->btf)
			return reject(v, REJECT_KPTR_BTF, r->map->name);
		c->map = r->map;
	}
	if (!record || !(record->mask & SPECIAL_KPTRS))
		return reject(v, REJECT_KPTR_NONE);
	if (!tnum_is_const(r->s.var))
		return reject(v, REJECT_KPTR_OFFSET, R1 + n);
	off = (uint32_t)r->off + (uint32_t)r->s.var.value;
	c->kptr = record_at(record, off);
	if (!c->kptr || !(SPECIAL_BIT(c->kptr->kind) & SPECIAL_KPTRS))
		return reject(v, REJECT_KPTR_PLACE, off);
	if (c->kptr->kind == SPECIAL_KPTR_UNREF)
		return reject(v, REJECT_KPTR_UNREF, off);
	return 0;
}

static int lock_arg(struct verifier *v, const struct call *c, unsigned n)
{
	return lock_change(v, R1 + n, SPECIAL_SPIN_LOCK, false, c->id == HELPER_SPIN_LOCK);
}

/* What one argument may release, it must hold; and only one argument may be held. */
static int reference(struct verifier *v, struct call *c, unsigned n, enum arg_kind kind)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	bool release = c->id == HELPER_KPTR_XCHG ? n == 1 : c->h->flags & HELPER_RELEASES && n == 0;

	if (release && kind == ARG_DYNPTR) {
		c->release = R1 + n;
		return dynptr_owned(v, R1 + n);
	}
	if (release && !r->ref_id && !reg_is_null(r))
		return reject(v, REJECT_ARG_NOT_HELD, R1 + n);
	if (release)
		c->release = R1 + n;
	if (r->ref_id && kind != ARG_KPTR) {
		if (c->ref_id)
			return reject(v, REJECT_ARG_TWO_REFS, R1 + n, r->ref_id, c->ref_id);
		c->ref_id = r->ref_id;
	}
	return 0;
}

static int more(struct verifier *v, struct call *c, unsigned n, enum arg_kind kind)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	uint8_t t = traits[kind];
	int err = 0;

	switch (kind) {
	case ARG_MAP:
		return map_arg(v, c, n);
	case ARG_MAP_KEY:
		return key_arg(v, c, n);
	case ARG_MAP_VALUE:
	case ARG_MAP_VALUE_OR_NULL:
	case ARG_UNINIT_MAP_VALUE:
		return value_arg(v, c, n, kind);
	case ARG_FIXED_MEM:
	case ARG_UNINIT_FIXED_MEM:
		return mem_helper(v, R1 + n, ARG_FIXED_SIZE(c->h->arg[n]), access_of(t), false, t & TRAIT_RAW);
	case ARG_SIZE:
		return size_arg(v, c, n, false);
	case ARG_SIZE_OR_ZERO:
		return size_arg(v, c, n, true);
	case ARG_ALLOC_SIZE_OR_ZERO:
		return alloc_size_arg(v, c, n);
	case ARG_SPIN_LOCK:
		return lock_arg(v, c, n);
	case ARG_FUNC:
		c->subprog = r->subprog;
		return 0;
	case ARG_CONST_STR:
		call_string(v, R1 + n, &err);
		return err;
	case ARG_TIMER:
		return special_arg(v, c, R1 + n, SPECIAL_TIMER);
	case ARG_KPTR:
		return kptr_arg(v, c, n);
	case ARG_DYNPTR:
	case ARG_UNINIT_DYNPTR:
		return dynptr_arg(v, c, R1 + n, kind == ARG_UNINIT_DYNPTR);
	default:
		return 0;
	}
}

int call_arg(struct verifier *v, struct call *c, unsigned n)
{
	enum arg_kind kind = ARG_KIND(c->h->arg[n]);
	const struct reg *r = &cur_regs(v)[R1 + n];
	int err = reg_readable(v, R1 + n);

	if (err)
		return err;
	if (kind == ARG_ANY)
		return v->allow_ptr_leaks || reg_is_scalar(r) ? 0 : reject(v, REJECT_ARG_LEAK, R1 + n);
	if (reg_is_packet(r) && !packet_to_helpers(v, c))
		return reject(v, REJECT_ARG_PACKET);
	if (kind == ARG_MAP_VALUE || kind == ARG_MAP_VALUE_OR_NULL || kind == ARG_UNINIT_MAP_VALUE)
		if (!c->map)
			return reject(v, REJECT_ARG_NO_MAP_TYPE);
	if (!(reg_is_null(r) && traits[kind] & TRAIT_NULL)) {
		err = kind_fits(v, c, n, kind);
		if (!err)
			err = offset_fits(v, c, n, kind);
		if (err)
			return err;
	}
	err = reference(v, c, n, kind);
	return err ? err : more(v, c, n, kind);
}
