/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The translated program: every reference resolved, context accesses on our layout, calls bound.
 *
 * One walk writes it. Most instructions stay one for one; lookups in maps that offer code for them
 * grow, so where there are such, a first walk notes the new place of each instruction and jumps are
 * patched by it. Should a jump not reach any more, the program is translated without that code.
 *
 * Requires: everything. Provides: p->insns, aux, funcs, uses_cpu.
 */
#include <errno.h>
#include <string.h>

#include "core/kfunc.h"
#include "core/map.h"
#include "core/hook.h"
#include "verifier/arena.h"
#include "verifier/state.h"
#include "verifier/track.h"

struct fixup {
	struct verifier *v;
	struct prog *p;
	uint32_t *place;   /* new index of each instruction and of the end; NULL: nothing moves */
	uint32_t at;       /* next to be written */
	uint8_t ninlined[MAX_USED_MAPS];
	struct insn inlined[MAX_USED_MAPS][MAP_INLINE_MAX];
};

static uint32_t place_of(const struct fixup *x, uint32_t pc)
{
	return x->place ? x->place[pc] : pc;
}

/* The map that a lookup is made in, when it is known and has code for that; or NULL. */
static const struct map *map_of_call(const struct verifier *v, uint32_t pc)
{
	value r1 = v->ref[pc];

	return value_kind(r1) == VALUE_MAP ? v->p->maps[value_num(r1)] : NULL;
}

/* Instructions of a map's code in place of this call; 0: none. */
static unsigned inlined_size(const struct fixup *x, uint32_t pc)
{
	value r1 = x->v->ref[pc];

	if (x->v->insns[pc].imm != HELPER_MAP_LOOKUP_ELEM || value_kind(r1) != VALUE_MAP)
		return 0;
	return x->ninlined[value_num(r1)];
}

static const struct ctx_field *ctx_field_at(const struct fixup *x, uint32_t pc)
{
	const struct insn *i = &x->v->insns[pc];

	return hook_access(x->p, i->off, insn_size(i),
	                   insn_info[x->v->op[pc]].fields & INSN_STORE);
}

/* Instructions that take the place of one. */
static unsigned size_of(const struct fixup *x, uint32_t pc)
{
	const struct verifier *v = x->v;
	struct insn lowered[ARENA_INSNS];
	unsigned size, before;

	if (v->mark[pc] & MARK_SECOND)
		return 1;
	before = arena_prefix(v, pc, lowered);
	if (v->mark[pc] & MARK_DEAD)
		return before + 1;
	size = arena_lower(v, pc, lowered);
	if (!size && v->op[pc] == OP_CALL)
		size = inlined_size(x, pc);
	else if (!size && v->op[pc] == OP_STX_W && value_kind(v->ref[pc]) == VALUE_CTX)
		size = ctx_field_at(x, pc)->kind == FIELD_QUEUE ? 2 : 1;
	return before + (size ? size : 1);
}

/* Asks the maps for their code; answers whether any has. */
static bool find_inlined(struct fixup *x)
{
	bool any = false;

	for (uint32_t m = 0; m < x->p->nmaps; m++) {
		const struct map *map = x->p->maps[m];

		if (map->ops->inline_lookup)
			x->ninlined[m] = (uint8_t)map->ops->inline_lookup(map, x->inlined[m]);
		any |= x->ninlined[m] > 0;
	}
	return any;
}

static void place_all(struct fixup *x)
{
	const struct verifier *v = x->v;
	uint32_t at = 0;

	for (uint32_t pc = 0; pc < v->n; pc++) {
		x->place[pc] = at;
		at += size_of(x, pc);
	}
	x->place[v->n] = at;
}

/* Does every jump still reach? */
static bool jumps_reach(const struct fixup *x)
{
	const struct verifier *v = x->v;

	for (uint32_t pc = 0; pc < v->n; pc++) {
		int64_t target, distance;

		if (v->mark[pc] & (MARK_SECOND | MARK_DEAD) ||
		    !(insn_info[v->op[pc]].fields & INSN_JOFF))
			continue;
		target = insn_target(v->op[pc], &v->insns[pc], pc);
		distance = (int64_t)x->place[target] - x->place[pc] - size_of(x, pc);
		if (distance < INT16_MIN || distance > INT16_MAX)
			return false;
	}
	return true;
}

static struct insn *emit(struct fixup *x, uint32_t pc, struct insn insn)
{
	x->p->aux[x->at].orig = pc;
	x->p->insns[x->at] = insn;
	return &x->p->insns[x->at++];
}

static void emit_jump(struct fixup *x, uint32_t pc, enum op op)
{
	struct insn *i = emit(x, pc, x->v->insns[pc]);
	int64_t target = insn_target(op, i, pc);
	int32_t distance = (int32_t)(place_of(x, (uint32_t)target) - x->at);

	if (insn_info[op].fields & INSN_JIMM)
		i->imm = distance;
	else
		i->off = (int16_t)distance;
}

static void emit_wide(struct fixup *x, uint32_t pc, enum op op)
{
	struct insn low = x->v->insns[pc], high = x->v->insns[pc + 1];
	uint64_t num = insn_imm64(&x->v->insns[pc]);
	uintptr_t addr = 0;

	if (op == OP_LDDW_FUNC) {
		x->p->aux[x->at].func = x->v->ref[pc];
		num = (uintptr_t)&x->p->funcs[x->v->ref[pc]].cb;
	} else if (op != OP_LDDW) {
		struct map *m = x->p->maps[x->v->ref[pc]];

		num = (uintptr_t)m;
		if ((op == OP_LDDW_MAP_VALUE || op == OP_LDDW_MAP_IDX_VALUE) &&
		    !m->ops->direct_value(m, (uint32_t)high.imm, &addr))
			num = addr;
	}
	low.src = 0;
	low.imm = (int32_t)num;
	high.imm = (int32_t)(num >> 32);
	emit(x, pc, low);
	emit(x, pc, high);
}

/* A map type's own entry point for a helper, when the map is known. */
static helper_fn own_call(const struct map *m, int32_t helper)
{
	switch (helper) {
	case HELPER_MAP_LOOKUP_ELEM:
		return m->call_lookup;
	case HELPER_MAP_UPDATE_ELEM:
		return m->call_update;
	case HELPER_MAP_DELETE_ELEM:
		return m->call_remove;
	default:
		return NULL;
	}
}

static void emit_helper(struct fixup *x, uint32_t pc)
{
	const struct insn *i = &x->v->insns[pc];
	const struct map *m = map_of_call(x->v, pc);
	unsigned size = inlined_size(x, pc);
	helper_fn fn = NULL;

	x->p->uses_cpu = true;
	if (i->imm == HELPER_GET_SMP_PROCESSOR_ID) {
		emit(x, pc, (struct insn){.code = insn_info[OP_LDX_CPU_W].code,
		                          .off = offsetof(struct cpu, id)});
		return;
	}
	for (unsigned k = 0; k < size; k++)
		emit(x, pc, x->inlined[value_num(x->v->ref[pc])][k]);
	if (size)
		return;
	if (m)
		fn = own_call(m, i->imm);
	x->p->aux[x->at].call = fn ? fn : helper_find(x->p->obj.k, i->imm)->fn;
	emit(x, pc, *i);
}

static void emit_kfunc(struct fixup *x, uint32_t pc)
{
	x->p->uses_cpu = true;
	x->p->aux[x->at].call = x->p->obj.k->reg.kfuncs[x->v->ref[pc]].fn;
	emit(x, pc, x->v->insns[pc]);
}

static void emit_local_call(struct fixup *x, uint32_t pc)
{
	uint32_t func = x->v->ref[pc];
	struct insn *i;

	x->p->aux[x->at].func = func;
	i = emit(x, pc, x->v->insns[pc]);
	i->imm = (int32_t)(place_of(x, x->v->subprogs[func].start) - x->at);
}

enum { SIZE_BITS = 0x18 }; /* of an opcode: which insn_size() decodes */

/* The size bits for 1, 2, 4 or 8 bytes. */
static uint8_t size_bits(unsigned size)
{
	return size == 1 ? 0x10 : size == 2 ? 0x08 : size == 4 ? 0x00 : 0x18;
}

static void emit_ctx_store(struct fixup *x, uint32_t pc, const struct ctx_field *f)
{
	struct insn i = x->v->insns[pc];
	unsigned size = insn_size(&i);

	if (f->kind == FIELD_ABSENT || (f->kind == FIELD_QUEUE && x->v->op[pc] == OP_ST_W &&
	                                i.imm >= UINT16_MAX)) {
		emit(x, pc, (struct insn){.code = insn_info[OP_JA].code});
		return;
	}
	if (f->kind == FIELD_QUEUE && x->v->op[pc] == OP_STX_W)
		emit(x, pc, (struct insn){.code = insn_info[OP_JGE64_K].code,
		                          .dst = i.src, .off = 1, .imm = UINT16_MAX});
	i.off = (int16_t)(f->real_offset + i.off - f->offset);
	if (size > f->real_size)
		i.code = (uint8_t)((i.code & ~SIZE_BITS) | size_bits(f->real_size));
	emit(x, pc, i);
}

/* Bytes of a field that are less significant than those accessed. */
static unsigned bytes_below(const struct ctx_field *f, unsigned off, unsigned size)
{
	unsigned skip = off - f->offset;

	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? skip : f->size - skip - size;
}

static void emit_ctx_load(struct fixup *x, uint32_t pc, const struct ctx_field *f)
{
	struct insn i = x->v->insns[pc];
	unsigned size = insn_size(&i), below = bytes_below(f, (unsigned)i.off, size);

	if (f->kind == FIELD_ABSENT || (size < f->real_size && below >= f->real_size)) {
		emit(x, pc, (struct insn){.code = insn_info[OP_MOV32_K].code, .dst = i.dst});
		return;
	}
	if (f->real_size > f->size || (f->real_size < f->size && size >= f->real_size)) {
		/*
		 * A packet pointer, or, wherever in the public field, as much as there is: all of
		 * ours.
		 */
		if (size != f->real_size)
			i.code = (uint8_t)(insn_info[OP_LDX_W].code | size_bits(f->real_size));
		i.off = (int16_t)f->real_offset;
	} else if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
		i.off = (int16_t)(f->real_offset + below);
	} else {
		i.off = (int16_t)(f->real_offset + f->real_size - below - size);
	}
	emit(x, pc, i);
}

static void emit_prefix(struct fixup *x, uint32_t pc)
{
	struct insn prefix[ARENA_INSNS];
	unsigned n = arena_prefix(x->v, pc, prefix);

	for (unsigned k = 0; k < n; k++)
		emit(x, pc, prefix[k]);
}

static bool emit_arena(struct fixup *x, uint32_t pc)
{
	struct insn lowered[ARENA_INSNS];
	unsigned n = arena_lower(x->v, pc, lowered);

	for (unsigned k = 0; k < n; k++)
		emit(x, pc, lowered[k]);
	return n;
}

/* On no path: a jump to itself, whatever was there. */
static void emit_dead(struct fixup *x, uint32_t pc)
{
	emit(x, pc, (struct insn){.code = insn_info[OP_JA].code, .off = -1});
}

static void emit_all(struct fixup *x)
{
	const struct verifier *v = x->v;

	for (uint32_t pc = 0; pc < v->n; pc++) {
		enum op op = v->op[pc];
		unsigned fields;

		emit_prefix(x, pc);
		if (v->mark[pc] & MARK_DEAD) {
			emit_dead(x, pc);
			continue;
		}
		fields = insn_info[op].fields;
		if (emit_arena(x, pc))
			continue;
		if (fields & (INSN_JOFF | INSN_JIMM))
			emit_jump(x, pc, op);
		else if (fields & INSN_WIDE)
			emit_wide(x, pc++, op);
		else if (op == OP_CALL)
			emit_helper(x, pc);
		else if (op == OP_CALL_KFUNC)
			emit_kfunc(x, pc);
		else if (op == OP_CALL_LOCAL)
			emit_local_call(x, pc);
		else if (fields & INSN_STORE && value_kind(v->ref[pc]) == VALUE_CTX)
			emit_ctx_store(x, pc, ctx_field_at(x, pc));
		else if (fields & INSN_LOAD && value_kind(v->ref[pc]) == VALUE_CTX)
			emit_ctx_load(x, pc, ctx_field_at(x, pc));
		else
			emit(x, pc, v->insns[pc]);
	}
}

static void make_funcs(const struct fixup *x)
{
	struct prog *p = x->p;

	for (uint32_t s = 0; s < x->v->nsubprogs; s++) {
		const struct subprog *from = &x->v->subprogs[s];
		struct func *to = &p->funcs[s];
		int deepest = from->formed < from->touched ? from->formed : from->touched;

		to->start = place_of(x, from->start);
		to->end = place_of(x, from->end);
		to->stack = deepest <= -STACK_SIZE ? STACK_SIZE : (uint16_t)((-deepest + 7) & ~7);
		to->is_callback = from->is_callback;
		to->tail_calls = from->tail_calls;
		to->btf_type_id = p->nfunc_infos ? p->func_infos[s].type_id : 0;
		to->cb.prog = p;
		to->cb.func = s;
	}
	p->nfuncs = x->v->nsubprogs;
}

/*
 * Finds the program's final shape: with code of the maps where there is some and the jumps still
 * reach.
 */
static int shape(struct fixup *x)
{
	const struct verifier *v = x->v;
	bool inlines = find_inlined(x);

	if (!inlines && !v->has_growth && !v->arena)
		return 0;
	x->place = mem_zalloc_array(v->mem, (size_t)v->n + 1, sizeof(*x->place));
	if (!x->place)
		return -ENOMEM;
	place_all(x);
	if (jumps_reach(x))
		return 0;
	memset(x->ninlined, 0, sizeof(x->ninlined));
	place_all(x);
	return jumps_reach(x) ? 0 : reject(v, REJECT_TOO_LONG);
}

int fixup(struct verifier *v)
{
	struct fixup state, *x = &state; /* not cleared: of inlined[] is read what ninlined[] says */
	struct prog *p = v->p;
	int err;

	x->v = v;
	x->p = p;
	x->place = NULL;
	x->at = 0;
	memset(x->ninlined, 0, sizeof(x->ninlined));
	err = shape(x);
	if (err)
		goto out;
	p->ninsns = place_of(x, v->n);
	p->insns = mem_zalloc_array(v->mem, p->ninsns, sizeof(*p->insns));
	p->aux = mem_zalloc_array(v->mem, p->ninsns, sizeof(*p->aux));
	p->funcs = mem_zalloc_array(v->mem, v->nsubprogs, sizeof(*p->funcs));
	err = -ENOMEM;
	if (!p->insns || !p->aux || !p->funcs)
		goto out;
	make_funcs(x);
	emit_all(x);
	err = 0;
out:
	mem_free(v->mem, x->place);
	return err;
}
