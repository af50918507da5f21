/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JIT engine: the order of the passes, emission, and the engine's entry in the registry.
 *
 * Constant blinding is done here, for every back end: an instruction with an immediate becomes three that
 * load the immediate, xor-ed with a random number, into register JIT_AX, xor it back, and use the register
 * form of the operation, which stands right behind the immediate form in insn.def.
 *
 * Requires: a back end (jit_arch_host). Provides: engine_jit.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "exec/exec.h"
#include "exec/jit.h"
#include "isa/alu.h"

enum { ALL_LIVE = 0xffff };

typedef uint64_t (*callback_fn)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, struct cpu *,
                                const struct callback *);

/* --- Fragments, for back ends ------------------------------------------------------------------ */

/* The fragment that begins here: an open one that is still empty will do. */
uint32_t jit_label(struct jit *j)
{
	uint32_t start = (uint32_t)(j->at - j->code);
	struct jit_frag *last = j->frags + j->nfrags - 1;

	if (j->nfrags && last->start == start && last->kind == JIT_NO_BRANCH)
		return j->nfrags - 1;
	j->frags[j->nfrags] = (struct jit_frag){.start = start, .kind = JIT_NO_BRANCH};
	return j->nfrags++;
}

static void branch(struct jit *j, unsigned kind, uint32_t target)
{
	struct jit_frag *f = &j->frags[j->nfrags - 1];

	f->kind = (uint8_t)kind;
	f->target = target;
	jit_label(j);
}

void jit_branch_to(struct jit *j, unsigned kind, uint32_t pc)
{
	branch(j, kind, pc);
}

void jit_branch_label(struct jit *j, unsigned kind, uint32_t label)
{
	branch(j, kind, label | JIT_TO_FRAG);
}

static void add_fixup(struct jit *j, struct jit_fixup fixup, unsigned size)
{
	fixup.at = (uint32_t)(j->at - j->code);
	j->fixups[j->nfixups++] = fixup;
	memset(j->at, 0, size);
	j->at += size;
}

void jit_call_local(struct jit *j, uint32_t func, unsigned size)
{
	add_fixup(j, (struct jit_fixup){.func = func}, size);
}

void jit_call_near(struct jit *j, const void *to, unsigned size)
{
	add_fixup(j, (struct jit_fixup){.to = to}, size);
}

helper_fn jit_helper(const struct jit *j, const struct jit_insn *in)
{
	helper_fn fn = j->p->aux[in->pc].call;
	const struct helper *h = !fn && in->op == OP_CALL ? helper_find(j->p->obj.k, in->imm) : NULL;

	return h ? h->fn : fn;
}

/* --- Emission ---------------------------------------------------------------------------------- */

static int widen(struct jit *j)
{
	size_t used = (size_t)(j->at - j->code), size = 2 * used + 4 * j->arch->insn_max;
	uint8_t *wider;

	if (size >= JIT_MAX_CODE)
		return -E2BIG;
	wider = j->mem->alloc(j->mem->arg, size);
	if (!wider)
		return -ENOMEM;
	memcpy(wider, j->code, used);
	if (j->code != j->first)
		mem_free(j->mem, j->code);
	j->code = wider;
	j->at = wider + used;
	j->limit = wider + size - j->arch->insn_max;
	return 0;
}

/* Room for one more call of the back end. */
static inline int reserve(struct jit *j)
{
	return __builtin_expect(j->at <= j->limit, 1) ? 0 : widen(j);
}

static uint64_t next_random(struct jit *j)
{
	/* xorshift64*; seeded from the kernel's random seed and the program. */
	j->blind ^= j->blind >> 12;
	j->blind ^= j->blind << 25;
	j->blind ^= j->blind >> 27;
	return j->blind * 0x2545f4914f6cdd1dull;
}

static inline int emit(struct jit *j, const struct jit_insn *in)
{
	int err = reserve(j);

	return err ? err : j->arch->insn(j, in);
}

/* r = value, without value in the code. */
static int emit_masked(struct jit *j, unsigned r, int32_t value)
{
	int32_t mask = (int32_t)next_random(j);
	struct jit_insn load = {.op = OP_MOV64_K, .dst = (uint8_t)r, .imm = value ^ mask, .live = ALL_LIVE};
	struct jit_insn unmask = {.op = OP_XOR64_K, .dst = (uint8_t)r, .imm = mask, .live = ALL_LIVE};
	int err = emit(j, &load);

	return err ? err : emit(j, &unmask);
}

static int emit_masked_wide(struct jit *j, const struct jit_insn *in)
{
	uint64_t mask = next_random(j);
	struct jit_insn load = {.op = OP_LDDW, .dst = in->dst, .imm64 = in->imm64 ^ mask, .live = ALL_LIVE};
	struct jit_insn other = {.op = OP_LDDW, .dst = JIT_AX, .imm64 = mask, .live = ALL_LIVE};
	struct jit_insn unmask = {.op = OP_XOR64_X, .dst = in->dst, .src = JIT_AX, .live = ALL_LIVE};
	int err = emit(j, &load);

	if (!err)
		err = emit(j, &other);
	return err ? err : emit(j, &unmask);
}

/* What emit_hidden() relies on: the register form of an operation follows its immediate form. */
#define X(name, ...)                                                                               \
	static_assert(OP_##name##64_K + 1 == OP_##name##64_X, #name);                              \
	static_assert(OP_##name##32_K + 1 == OP_##name##32_X, #name);
ALU_OPS(X)
CMP_OPS(X)
X(MOV)
#undef X
static_assert(OP_ST_W + 1 == OP_STX_W && OP_ST_H + 1 == OP_STX_H && OP_ST_B + 1 == OP_STX_B &&
              OP_ST_DW + 1 == OP_STX_DW, "stores");
static_assert(OP_LD_ABS_W + 1 == OP_LD_IND_W && OP_LD_ABS_H + 1 == OP_LD_IND_H &&
              OP_LD_ABS_B + 1 == OP_LD_IND_B, "packet loads");

static int emit_hidden(struct jit *j, const struct jit_insn *in)
{
	unsigned fields = insn_info[in->op].fields;
	struct jit_insn x = *in;
	int err;

	if (in->op == OP_LDDW)
		return emit_masked_wide(j, in);
	if (!(fields & INSN_IMM) || in->op == OP_ADDR_CAST ||
	    ((fields & INSN_CALLS) && !(fields & INSN_U6)))
		return emit(j, in);
	err = emit_masked(j, JIT_AX, in->imm);
	if (err)
		return err;
	x.src = JIT_AX;
	x.imm = 0;
	if (fields & INSN_RS) { /* LD_IND: both a register and an immediate */
		struct jit_insn add = {.op = OP_ADD64_X, .dst = JIT_AX, .src = in->src, .live = ALL_LIVE};

		err = emit(j, &add);
	} else {
		x.op++;
	}
	return err ? err : emit(j, &x);
}

/* Makes *in the instruction at pc. */
static inline void decode(const struct jit *j, uint32_t pc, struct jit_insn *in)
{
	const struct insn *i = &j->p->insns[pc];
	const struct jit_note *note = &j->notes[pc];

	in->op = note->op;
	in->dst = i->dst;
	in->src = i->src;
	in->off = i->off;
	in->imm = i->imm;
	in->live = note->live;
	in->pc = pc;
	in->slot = 0;
	in->before = 0;
	/* A slot in a register is only accessed at its start, a multiple of 4. */
	if (j->nslots && note->uses & 1u << R10 && i->off % 4 == 0)
		in->slot = j->slot_at[-i->off / 4];
	if (note->flags & NOTE_JUMP)
		in->target = (uint32_t)insn_target(note->op, i, pc);
}

/* The instruction at pc, or the idiom that begins there, is emitted; answers its slots or an error. */
static inline int emit_next(struct jit *j, uint32_t pc)
{
	const struct jit_note *note = &j->notes[pc];
	bool wide = note->flags & NOTE_WIDE;
	struct jit_insn in;
	int n = 0, err;

	/* Nobody reads what it computes. */
	if (note->flags & NOTE_PURE && !(note->sets & note->live))
		return 1 + wide;
	decode(j, pc, &in);
	if (wide) {
		in.op = OP_LDDW;
		in.imm64 = insn_imm64(&j->p->insns[pc]);
	}
	/* Idioms are full of constants, so none are sought when those must be hidden. */
	if (!j->blind)
		n = (int)jit_fuse(j, pc, &in);
	if (n && in.before) {
		struct jit_insn first;

		decode(j, pc + in.before, &first);
		first.live = ALL_LIVE; /* what is dead after it in the program's order is still to be used */
		err = emit(j, &first);
		if (err)
			return err;
	}
	err = j->blind ? emit_hidden(j, &in) : emit(j, &in);
	return err ? err : n ? n : 1 + wide;
}

/* The lines that begin with the code that comes next. */
static void note_lines(struct jit *j, uint32_t pc)
{
	const struct prog *p = j->p;

	for (; j->lines && j->nlines < p->nlines &&
	       p->lines[j->nlines].insn_off <= p->aux[pc].orig; j->nlines++)
		j->lines[j->nlines] = (struct jit_line){j->nfrags - 1, (uint32_t)(j->at - j->code)};
}

static int emit_func(struct jit *j, struct jit_func *f)
{
	int n, err = reserve(j);

	if (err)
		return err;
	j->func = f;
	jit_slots(j, f);
	f->entry = jit_label(j);
	j->arch->begin(j);
	j->known = (struct jit_known){0};
	for (uint32_t pc = f->start; pc < f->end; pc += (uint32_t)n) {
		if (j->notes[pc].flags & NOTE_TARGET) {
			j->notes[pc].label = jit_label(j);
			j->known = (struct jit_known){0};
		}
		note_lines(j, pc);
		n = emit_next(j, pc);
		if (n < 0)
			return n;
	}
	return 0;
}

static int emit_program(struct jit *j)
{
	int err = 0;

	for (uint32_t n = 0; !err && n < j->p->nfuncs; n++)
		err = emit_func(j, &j->funcs[n]);
	for (uint32_t n = 0; !err && n < j->p->nfuncs; n++) {
		if (!j->p->funcs[n].is_callback)
			continue;
		err = reserve(j);
		j->funcs[n].stub = jit_label(j);
		if (!err)
			j->arch->stub(j, n);
	}
	return err;
}

/* --- The engine -------------------------------------------------------------------------------- */

static uint64_t random_seed(const struct skep *k)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = k->hash_seed[0] ^ k->hash_seed[1] << 1;
	return seed | 1;
}

/* One block for all that emission needs: fixups, fragments, the first piece of the scratch buffer. */
static int alloc_for_emission(struct jit *j)
{
	/* Beside the calls in the program, each callback's stub has one. */
	size_t fixups = ((size_t)j->max_fixups + j->p->nfuncs) * sizeof(j->fixups[0]);
	size_t frags = ((size_t)j->max_frags + 1) * sizeof(j->frags[0]);
	size_t code = 6 * (size_t)j->p->ninsns + 2 * j->arch->insn_max;

	j->fixups = j->mem->alloc(j->mem->arg, fixups + frags + code);
	if (!j->fixups)
		return -ENOMEM;
	j->frags = (struct jit_frag *)((uint8_t *)j->fixups + fixups);
	j->code = j->at = j->first = (uint8_t *)j->frags + frags;
	j->limit = j->code + code - j->arch->insn_max;
	return 0;
}

static int compile(struct jit *j, struct jit_image *image)
{
	const struct prog *p = j->p;
	size_t notes = ((size_t)p->ninsns + 1) * sizeof(j->notes[0]);
	int err;

	j->notes = mem_zalloc(j->mem, notes + p->nfuncs * sizeof(j->funcs[0]));
	if (!j->notes)
		return -ENOMEM;
	j->funcs = (struct jit_func *)((uint8_t *)j->notes + notes);
	if (p->nlines)
		j->lines = mem_zalloc_array(j->mem, p->nlines, sizeof(j->lines[0]));
	err = jit_scan(j);
	if (err)
		return err;
	jit_live(j);
	err = alloc_for_emission(j);
	if (!err)
		err = emit_program(j);
	return err ? err : jit_link(j, image);
}

static void jit_end(struct jit *j)
{
	if (j->code != j->first)
		mem_free(j->mem, j->code);
	mem_free(j->mem, j->fixups);
	mem_free(j->mem, j->notes);
	mem_free(j->mem, j->lines);
}

static const void *address(const struct jit *j, const struct jit_image *image, uint32_t label)
{
	return image->base + j->shift + j->frags[label].pos;
}

/* What information on the program tells of its machine code. */
static void describe_code(const struct jit *j)
{
	struct prog *p = j->p;

	for (uint32_t n = 0; n < p->nfuncs; n++) {
		uint32_t at = j->frags[j->funcs[n].entry].pos;
		uint32_t end = n + 1 < p->nfuncs ? j->frags[j->funcs[n + 1].entry].pos : j->size;

		p->funcs[n].code_at = at;
		p->funcs[n].code_size = end - at;
	}
	if (!j->lines || j->nlines < p->nlines)
		return; /* none, or not all of them have code */
	p->line_code = mem_zalloc_array(j->mem, p->nlines, sizeof(p->line_code[0]));
	for (uint32_t i = 0; p->line_code && i < p->nlines; i++) {
		const struct jit_frag *f = &j->frags[j->lines[i].frag];

		p->line_code[i] = f->pos + (j->lines[i].at - f->start);
	}
}

/* Makes the finished image the program's. */
static void adopt(struct jit *j, struct jit_image *image)
{
	struct prog *p = j->p;

	p->entry = (prog_entry)address(j, image, jit_main(j)->entry);
	for (uint32_t n = 0; n < p->nfuncs; n++)
		if (p->funcs[n].is_callback)
			p->funcs[n].cb.call = (callback_fn)address(j, image, j->funcs[n].stub);
	p->code = image->base + j->shift;
	p->code_size = j->size;
	p->image = image;
	describe_code(j);
	if (p->obj.k->jit_names)
		jit_names_add(j, image);
}

int jit_prepare(struct prog *p, const struct jit_arch *arch)
{
	struct skep *k = p->obj.k;
	struct jit_image *image = mem_zalloc(&k->mem, sizeof(*image));
	bool near = true;
	int err = image ? -ERANGE : -ENOMEM;

	while (err == -ERANGE) {
		struct jit j = {.p = p, .mem = &k->mem, .arch = arch, .near = near};

		j.features = arch->features();
		j.blind = k->blind ? random_seed(k) : 0;
		err = compile(&j, image);
		if (!err)
			adopt(&j, image);
		jit_end(&j);
		near = false;
	}
	if (err)
		mem_free(&k->mem, image);
	return err;
}

static int engine_jit_prepare(struct prog *p)
{
	return jit_prepare(p, &jit_arch_host);
}

static void engine_jit_release(struct prog *p)
{
	struct skep *k = p->obj.k;
	struct jit_image *image = p->image;

	if (!image)
		return;
	jit_names_remove(k, image);
	jit_mem_free(k, image);
	mem_free(&k->mem, image);
	p->image = NULL;
	p->code = NULL;
}

const struct engine engine_jit = {
	.name = "jit",
	.prepare = engine_jit_prepare,
	.release = engine_jit_release,
};
