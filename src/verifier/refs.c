/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References: do the opcodes exist, are wide loads whole, and which maps do they mean?
 *
 * Requires: op[]. Provides: MARK_SECOND, p->maps, ref[] of wide loads of maps. Values and addresses
 * are put in by the fix-up pass; that map values exist is checked here.
 */
#include <errno.h>

#include "core/map.h"
#include "verifier/call.h"

/* Opcode bytes that the kernel knows, whatever the other fields say. Rows of one opcode agree. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const bool known_opcode[256] = {
#define BASE32 1
#define BASE64 1
#define DIVMUL32 1
#define DIVMUL64 1
#define ATOMIC32 1
#define ATOMIC64 1
#define PACKET 1
#define LINUX 1
#define CALLX 0
#define INTERNAL 0
#define INSN(op, code, k, v, f, c, group, ...) [code] = group,
#include "isa/insn.def"
#undef INSN
#undef BASE32
#undef BASE64
#undef DIVMUL32
#undef DIVMUL64
#undef ATOMIC32
#undef ATOMIC64
#undef PACKET
#undef LINUX
#undef CALLX
#undef INTERNAL
};
#pragma GCC diagnostic pop

/* Adds a map with its reference, which is given back when the program has it already. */
static int add_map(struct verifier *v, struct map *m, uint16_t *index)
{
	struct prog *p = v->p;
	int err;

	for (uint32_t i = 0; i < p->nmaps; i++) {
		if (p->maps[i] != m)
			continue;
		obj_put(&m->obj);
		*index = (uint16_t)i;
		return 0;
	}
	err = map_usable(v, m);
	if (err) {
		obj_put(&m->obj);
		return err;
	}
	if (p->nmaps == MAX_USED_MAPS) {
		obj_put(&m->obj);
		return reject(v, REJECT_MAPS_MAX, MAX_USED_MAPS);
	}
	if (p->nmaps == v->maps_cap) {
		uint32_t cap = v->maps_cap ? v->maps_cap * 2 : 4;
		struct map **wider = mem_zalloc_array(v->mem, cap, sizeof(*wider));

		if (!wider) {
			obj_put(&m->obj);
			return -ENOMEM;
		}
		for (uint32_t i = 0; i < p->nmaps; i++)
			wider[i] = p->maps[i];
		mem_free(v->mem, p->maps);
		p->maps = wider;
		v->maps_cap = cap;
	}
	*index = (uint16_t)p->nmaps;
	p->maps[p->nmaps++] = m;
	return 0;
}

static int find_map(struct verifier *v, enum op op, int32_t number, uint16_t *index)
{
	struct map *m = NULL;
	int err;

	if (op == OP_LDDW_MAP_FD || op == OP_LDDW_MAP_VALUE) {
		err = v->env->map_of_fd(v->env->arg, number, &m);
	} else if (!v->env->map_of_index) {
		return reject(v, REJECT_MAP_INDEX);
	} else {
		err = v->env->map_of_index(v->env->arg, number, &m);
		if (err == -EPROTO)
			return reject(v, REJECT_MAP_INDEX);
	}
	if (err == -EBADF || err == -EINVAL) {
		reject(v, REJECT_MAP_FD, number);
		return err;
	}
	return err ? err : add_map(v, m, index);
}

/* Is the byte that a wide load points to one of the map's? */
static int check_direct_value(const struct verifier *v, struct map *m, uint32_t offset)
{
	uintptr_t addr;
	int err;

	if (!m->ops->direct_value)
		return reject(v, REJECT_NO_DIRECT_VALUE);
	err = m->ops->direct_value(m, offset, &addr);
	if (err)
		reject(v, REJECT_DIRECT_VALUE, m->value_size, offset);
	return err;
}

static int resolve_wide(struct verifier *v, uint32_t pc)
{
	const struct insn *i = &v->insns[pc];
	enum op op = v->op[pc];
	int err;

	if (pc + 1 == v->n || i[1].code || i[1].dst || i[1].src || i[1].off)
		return reject(v, REJECT_WIDE_SECOND);
	v->mark[pc + 1] |= MARK_SECOND;
	switch (op) {
	case OP_LDDW:
	case OP_LDDW_FUNC:
		return 0;
	case OP_LDDW_BTF_ID:
		return reject(v, REJECT_BTF_ID_ABSENT, i->imm);
	case OP_INVALID:
		return reject(v, REJECT_WIDE_KIND);
	case OP_LDDW_MAP_FD:
	case OP_LDDW_MAP_IDX:
		if (i[1].imm)
			return reject(v, REJECT_WIDE_KIND);
		break;
	default:
		break;
	}
	err = find_map(v, op, i->imm, &v->ref[pc]);
	if (err || op == OP_LDDW_MAP_FD || op == OP_LDDW_MAP_IDX)
		return err;
	return check_direct_value(v, v->p->maps[v->ref[pc]], (uint32_t)i[1].imm);
}

int refs_resolve(struct verifier *v)
{
	enum { MODE = 0xe0, MEM = 0x60, MEMSX = 0x80 };

	for (uint32_t pc = 0; pc < v->n; pc++) {
		const struct insn *i = &v->insns[pc];

		if ((i->code & 7) == CLASS_LDX &&
		    (((i->code & MODE) != MEM && (i->code & MODE) != MEMSX) || i->imm))
			return reject(v, REJECT_LDX_FIELDS);
		if (i->code == 0x18) {
			int err = resolve_wide(v, pc++);

			if (err)
				return err;
		} else if (!known_opcode[i->code]) {
			return reject(v, REJECT_UNKNOWN_OPCODE, i->code);
		}
	}
	return 0;
}
