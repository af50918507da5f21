/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JIT computes what the instruction set says: every operation, with every pair of registers, on edge
 * values, against isa/alu.h and, for memory, against the interpreter.
 *
 * A test program loads all registers from memory, does one thing, and stores all registers, so a
 * register that should not have changed is seen as well. Each is compiled four ways: with all registers
 * used afterwards or only the result, with constants hidden, and for a CPU without optional instructions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "exec/jit.h"
#include "isa/alu.h"
#include "vm.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { NGENERAL = 10, MEM = 512 };

/* What a test program gets as its context. */
struct state {
	uint64_t reg[NGENERAL];
	uint64_t jumped;
	uint8_t mem[MEM];
};

enum how { HOW_ALL, HOW_DEAD, HOW_BLIND, HOW_PLAIN_CPU, HOWS };

static struct skep kernel;
static struct insn code[256];
static uint32_t ncode;

static const uint64_t edges[] = {
	0, 1, 2, 7, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x12345678,
	0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x123456789abcdef0, 0x7fffffffffffffff,
	0x8000000000000000, 0xfedcba9876543210, 0xffffffff80000000, 0xffffffffffffff80,
	0xfffffffffffffffe, 0xffffffffffffffff,
};

static const int32_t imms[] = {
	0, 1, 2, 3, 8, 31, 32, 63, 0x7f, 0x80, -1, -2, -128, -129, 0xff, 0x100, 0xffff, 0x10000, 1000,
	0x12345678, 0x40000000, INT32_MAX, INT32_MIN, -0x12345678,
};

/* --- Programs ---------------------------------------------------------------------------------- */

static void add(enum op op, unsigned dst, unsigned src, int off, int32_t imm)
{
	const struct insn_info *row = &insn_info[op];
	struct insn i = {.code = row->code, .off = (int16_t)off, .imm = imm};

	i.dst = dst & 15;
	i.src = src & 15;
	if (row->key == KEY_OFF)
		i.off = (int16_t)row->value;
	if (row->key == KEY_IMM)
		i.imm = (int32_t)row->value;
	if (row->key == KEY_SRC)
		i.src = row->value & 15;
	code[ncode++] = i;
}

static void enter(void)
{
	ncode = 0;
	add(OP_STX_DW, R10, R1, -8, 0);
	for (int r = 0; r < NGENERAL; r++)
		if (r != R1)
			add(OP_LDX_DW, (unsigned)r, R1, 8 * r, 0);
	add(OP_LDX_DW, R1, R1, 8 * R1, 0);
}

/* Stores registers first..last. */
static void leave(unsigned first, unsigned last)
{
	for (unsigned r = first; r <= last; r++)
		add(OP_STX_DW, R10, r, -16 - 8 * (int)r, 0);
	add(OP_LDX_DW, R1, R10, -8, 0);
	for (unsigned r = first; r <= last; r++) {
		add(OP_LDX_DW, R2, R10, -16 - 8 * (int)r, 0);
		add(OP_STX_DW, R1, R2, 8 * (int)r, 0);
	}
	add(OP_MOV64_K, R0, 0, 0, 0);
	add(OP_EXIT, 0, 0, 0, 0);
}

static void leave_how(enum how how, unsigned result)
{
	if (how == HOW_DEAD)
		leave(result, result);
	else
		leave(0, NGENERAL - 1);
}

static unsigned no_features(void)
{
	return 0;
}

static int prepare_plain(struct prog *p)
{
	struct jit_arch arch = jit_arch_host;

	arch.features = no_features;
	return jit_prepare(p, &arch);
}

static struct prog *compile(enum how how)
{
	struct engine plain = engine_jit;
	struct prog *p;

	plain.prepare = prepare_plain;
	kernel.blind = how == HOW_BLIND;
	assert_int_equal(vm_load(&kernel, how == HOW_PLAIN_CPU ? &plain : &engine_jit, &vm_hook, code,
	                         ncode, NULL, 0, &p), 0);
	p->engine = &engine_jit;
	return p;
}

static uint64_t run(struct prog *p, struct state *s)
{
	return prog_run(p, s, &kernel.cpus[0]);
}

static void fill_regs(struct state *s)
{
	for (unsigned r = 0; r < NGENERAL; r++)
		s->reg[r] = 0x1111111111111111ull * (r + 1) ^ 0xf0f0f0f000000000;
}

/* Compares all registers, or the one that matters. */
static void same_regs(const struct state *got, const struct state *want, enum how how, unsigned result,
                      enum op op)
{
	for (unsigned r = 0; r < NGENERAL; r++)
		if ((how != HOW_DEAD || r == result) && got->reg[r] != want->reg[r])
			fail_msg("%s, way %d: r%u is %llx, not %llx", insn_info[op].name, how, r,
			         (unsigned long long)got->reg[r], (unsigned long long)want->reg[r]);
}

static void check(struct prog *p, enum how how, enum op op, unsigned dst, unsigned src, uint64_t a,
                  uint64_t b, uint64_t (*model)(enum op, uint64_t, uint64_t))
{
	struct state s = {0}, want;

	fill_regs(&s);
	s.reg[src] = b;
	s.reg[dst] = a;
	want = s;
	want.reg[dst] = model(op, a, src == dst ? a : b);
	run(p, &s);
	same_regs(&s, &want, how, dst, op);
}

/* --- Arithmetic -------------------------------------------------------------------------------- */

static uint64_t model_binary(enum op op, uint64_t a, uint64_t b)
{
	switch (op) {
#define X(name, value)                                                                             \
	case OP_##name##64_K:                                                                      \
	case OP_##name##64_X:                                                                      \
		return alu64_##name(a, b);                                                         \
	case OP_##name##32_K:                                                                      \
	case OP_##name##32_X:                                                                      \
		return alu32_##name((uint32_t)a, (uint32_t)b);
	ALU_OPS(X)
#undef X
	case OP_MOV64_K:
	case OP_MOV64_X:
		return b;
	case OP_MOV32_K:
	case OP_MOV32_X:
		return (uint32_t)b;
	default:
		fail_msg("no model of %s", insn_info[op].name);
		return 0;
	}
}

static uint64_t model_unary(enum op op, uint64_t a, uint64_t b)
{
	switch (op) {
#define X(name, value)                                                                             \
	case OP_##name:                                                                            \
		return alu_##name(a);
	UNARY_OPS(X)
#undef X
#define X(name, value)                                                                             \
	case OP_##name:                                                                            \
		return alu_##name(b);
	MOVSX_OPS(X)
#undef X
	default:
		fail_msg("no model of %s", insn_info[op].name);
		return 0;
	}
}

static void check_register_form(enum op op, uint64_t (*model)(enum op, uint64_t, uint64_t))
{
	for (unsigned pair = 0; pair < NGENERAL * NGENERAL; pair++) {
		unsigned dst = pair / NGENERAL, src = pair % NGENERAL;

		for (enum how how = 0; how < HOWS; how++) {
			struct prog *p;

			enter();
			add(op, dst, src, 0, 0);
			leave_how(how, dst);
			p = compile(how);
			/* All pairs of values once for each operation, a few for each pair of registers. */
			for (unsigned i = pair % 7; i < COUNT(edges); i += 7)
				for (unsigned k = pair % 3; k < COUNT(edges); k += 3)
					check(p, how, op, dst, src, edges[i], edges[k], model);
			obj_put(&p->obj);
		}
	}
}

static void check_immediate_form(enum op op)
{
	for (unsigned dst = 0; dst < NGENERAL; dst++) {
		for (unsigned n = 0; n < COUNT(imms) * HOWS; n++) {
			enum how how = n % HOWS;
			int32_t imm = imms[n / HOWS];
			unsigned other = (dst + 1) % NGENERAL;
			struct prog *p;

			enter();
			add(op, dst, 0, 0, imm);
			leave_how(how, dst);
			p = compile(how);
			for (unsigned i = 0; i < COUNT(edges); i++) {
				struct state s = {0}, want;

				fill_regs(&s);
				s.reg[other] = edges[i] * 3;
				s.reg[dst] = edges[i];
				want = s;
				want.reg[dst] = model_binary(op, edges[i], (uint64_t)(int64_t)imm);
				run(p, &s);
				same_regs(&s, &want, how, dst, op);
			}
			obj_put(&p->obj);
		}
	}
}

static void arithmetic(void **state)
{
#define X(name, ...)                                                                               \
	check_register_form(OP_##name##64_X, model_binary);                                        \
	check_register_form(OP_##name##32_X, model_binary);                                        \
	check_immediate_form(OP_##name##64_K);                                                     \
	check_immediate_form(OP_##name##32_K);
	ALU_OPS(X)
	X(MOV)
#undef X
}

static void unary(void **state)
{
#define X(name, ...) check_register_form(OP_##name, model_unary);
	MOVSX_OPS(X)
#undef X
	for (unsigned dst = 0; dst < NGENERAL; dst++) {
#define X(name, ...)                                                                               \
	for (enum how how = 0; how < HOWS; how++) {                                                \
		struct prog *p;                                                                    \
		enter();                                                                           \
		add(OP_##name, dst, 0, 0, 0);                                                      \
		leave_how(how, dst);                                                               \
		p = compile(how);                                                                  \
		for (unsigned i = 0; i < COUNT(edges); i++)                                        \
			check(p, how, OP_##name, dst, dst, edges[i], edges[i], model_unary);       \
		obj_put(&p->obj);                                                                  \
	}
		UNARY_OPS(X)
#undef X
	}
}

/* --- Jumps --------------------------------------------------------------------------------------- */

static bool model_compare(enum op op, uint64_t a, uint64_t b)
{
	switch (op) {
#define X(name, value)                                                                             \
	case OP_##name##64_K:                                                                      \
	case OP_##name##64_X:                                                                      \
		return cmp64_##name(a, b);                                                         \
	case OP_##name##32_K:                                                                      \
	case OP_##name##32_X:                                                                      \
		return cmp32_##name((uint32_t)a, (uint32_t)b);
	CMP_OPS(X)
#undef X
	default:
		fail_msg("no model of %s", insn_info[op].name);
		return false;
	}
}

/* Jumps over the instruction that would mark the state; distance in instructions, to test both forms. */
static struct prog *compile_jump(enum op op, enum how how, unsigned dst, unsigned src, int32_t imm,
                                 int distance)
{
	enter();
	add(OP_ST_DW, R10, 0, -160, 1);
	add(op, dst, src, distance, imm);
	add(OP_ST_DW, R10, 0, -160, 0);
	for (int i = 1; i < distance; i++)
		add(OP_ST_DW, R10, 0, -168, 0x7fffffff);
	add(OP_STX_DW, R10, R0, -176, 0);
	add(OP_STX_DW, R10, R1, -184, 0);
	add(OP_LDX_DW, R1, R10, -8, 0);
	add(OP_LDX_DW, R0, R10, -160, 0);
	add(OP_STX_DW, R1, R0, offsetof(struct state, jumped), 0);
	add(OP_LDX_DW, R0, R10, -176, 0);
	add(OP_LDX_DW, R1, R10, -184, 0);
	leave_how(how, R0);
	return compile(how);
}

static void check_jump(enum op op, enum how how, unsigned dst, unsigned src, int32_t imm, bool is_x,
                       int distance)
{
	struct prog *p = compile_jump(op, how, dst, is_x ? src : 0, imm, distance);

	for (unsigned i = 0; i < COUNT(edges); i++) {
		for (unsigned k = (dst + src) % 3; k < (is_x ? COUNT(edges) : 3); k += 3) {
			struct state s = {0}, want;
			uint64_t b;

			fill_regs(&s);
			if (is_x)
				s.reg[src] = edges[k];
			s.reg[dst] = edges[i];
			b = is_x ? s.reg[src] : (uint64_t)(int64_t)imm;
			want = s;
			run(p, &s);
			same_regs(&s, &want, how, R0, op);
			if (s.jumped != model_compare(op, edges[i], b))
				fail_msg("%s %llx, %llx, way %d: jumped is %d", insn_info[op].name,
				         (unsigned long long)edges[i], (unsigned long long)b, how,
				         (int)s.jumped);
		}
	}
	obj_put(&p->obj);
}

static void jumps(void **state)
{
	static const int distances[] = {1, 3, 20};

	for (unsigned n = 0; n < NGENERAL * NGENERAL; n++) {
		unsigned dst = n / NGENERAL, src = n % NGENERAL;
		enum how how = (dst + src) % HOWS;
		int distance = distances[n % COUNT(distances)];

#define X(name, ...)                                                                               \
	check_jump(OP_##name##64_X, how, dst, src, 0, true, distance);                             \
	check_jump(OP_##name##32_X, how, dst, src, 0, true, distance);
		CMP_OPS(X)
#undef X
	}
	for (unsigned n = 0; n < COUNT(imms) * NGENERAL; n++) {
		enum how how = n % HOWS;

#define X(name, ...)                                                                               \
	check_jump(OP_##name##64_K, how, n % NGENERAL, 0, imms[n / NGENERAL], false, 1);           \
	check_jump(OP_##name##32_K, how, n % NGENERAL, 0, imms[n / NGENERAL], false, 1);
		CMP_OPS(X)
#undef X
	}
}

/* --- Memory -------------------------------------------------------------------------------------- */

/* One instruction that touches memory through base, on the JIT and on the interpreter. */
static void check_memory(enum op op, enum how how, unsigned base, unsigned other, int off, int32_t imm,
                         unsigned round)
{
	bool loads_only = (insn_info[op].fields & (INSN_LOAD | INSN_STORE)) == INSN_LOAD;
	struct state jit = {0}, interp;
	struct prog *p, *reference;

	enter();
	add(op, loads_only ? other : base, loads_only ? base : other, off, imm);
	leave_how(how, other);
	p = compile(how);
	assert_int_equal(vm_load(&kernel, &engine_interp, &vm_hook, code, ncode, NULL, 0, &reference), 0);
	fill_regs(&jit);
	for (unsigned i = 0; i < MEM; i++)
		jit.mem[i] = (uint8_t)(i * 37 + round);
	jit.reg[other] = edges[round % COUNT(edges)];
	interp = jit;
	/* The same addresses for both: the result may hold one. */
	jit.reg[base] = (uintptr_t)jit.mem + MEM / 2 - (uint64_t)(int64_t)off;
	run(p, &jit);
	interp.reg[base] = (uintptr_t)interp.mem + MEM / 2 - (uint64_t)(int64_t)off;
	prog_run(reference, &interp, &kernel.cpus[0]);
	if (base == other || jit.reg[base] != (uintptr_t)jit.mem + MEM / 2 - (uint64_t)(int64_t)off) {
		/* Only the part that does not depend on where the state is can be compared. */
		jit.reg[base] = interp.reg[base] = 0;
	} else {
		jit.reg[base] = interp.reg[base];
	}
	same_regs(&jit, &interp, how, other, op);
	if (base != other)
		assert_memory_equal(jit.mem, interp.mem, MEM);
	obj_put(&p->obj);
	obj_put(&reference->obj);
}

static void memory(void **state)
{
	static const int offsets[] = {0, 8, -8, 120, 128, -128, -136, 4096, -32768};
	unsigned round = 0;

	for (enum op op = 0; op < OP_COUNT; op++) {
		unsigned fields = insn_info[op].fields;

		if (!(fields & (INSN_LOAD | INSN_STORE)))
			continue;
		for (unsigned n = 0; n < NGENERAL * NGENERAL * HOWS; n++, round++)
			check_memory(op, n % HOWS, n / HOWS / NGENERAL, n / HOWS % NGENERAL,
			             offsets[round % COUNT(offsets)],
			             fields & INSN_IMM ? imms[round % COUNT(imms)] : 0, round);
	}
}

/* r0 of a compare-and-exchange that succeeds, which random values never make. */
static void compare_and_exchange(void **state)
{
	for (unsigned n = 0; n < NGENERAL * NGENERAL * 2; n++) {
		unsigned base = n / 2 / NGENERAL, src = n / 2 % NGENERAL;
		enum op op = n % 2 ? OP_CMPXCHG64 : OP_CMPXCHG32;
		struct state s = {0};
		uint64_t *at = (uint64_t *)(s.mem + 64);
		struct prog *p;

		if (base == R0)
			continue;
		enter();
		add(op, base, src, 0, 0);
		leave(0, NGENERAL - 1);
		p = compile(HOW_ALL);
		fill_regs(&s);
		s.reg[R0] = 0xabcdef0123456789;
		s.reg[base] = (uintptr_t)at;
		*at = n % 2 ? s.reg[R0] : (uint32_t)s.reg[R0];
		run(p, &s);
		assert_int_equal(s.reg[R0], n % 2 ? 0xabcdef0123456789 : 0x23456789);
		if (src != R0 && src != base)
			assert_int_equal(*at, n % 2 ? s.reg[src] : (uint32_t)s.reg[src]);
		obj_put(&p->obj);
	}
}

/* --- Constants ------------------------------------------------------------------------------------ */

static bool holds(const struct prog *p, const void *bytes, size_t len)
{
	for (size_t i = 0; i + len <= p->code_size; i++)
		if (!memcmp((const uint8_t *)p->code + i, bytes, len))
			return true;
	return false;
}

static void wide_constants(void **state)
{
	for (unsigned n = 0; n < COUNT(edges) * HOWS * NGENERAL; n++) {
		enum how how = n % HOWS;
		unsigned dst = n / HOWS % NGENERAL;
		uint64_t value = edges[n / HOWS / NGENERAL];
		struct state s = {0}, want;
		struct prog *p;

		enter();
		add(OP_LDDW, dst, 0, 0, (int32_t)value);
		code[ncode++] = (struct insn){.imm = (int32_t)(value >> 32)};
		leave_how(how, dst);
		p = compile(how);
		fill_regs(&s);
		want = s;
		want.reg[dst] = value;
		run(p, &s);
		same_regs(&s, &want, how, dst, OP_LDDW);
		obj_put(&p->obj);
	}
}

static void blinding_hides_constants(void **state)
{
	static const enum op ops[] = {
		OP_ADD64_K, OP_MOV64_K, OP_MOV32_K, OP_AND32_K, OP_JEQ64_K, OP_JSET32_K, OP_ST_W, OP_ST_DW,
		OP_MUL32_K, OP_DIV64_K, OP_LDDW,
	};
	const int32_t secret = 0x5aa5c33c;

	for (unsigned n = 0; n < COUNT(ops); n++) {
		for (enum how how = HOW_ALL; how <= HOW_BLIND; how += HOW_BLIND - HOW_ALL) {
			struct prog *p;

			ncode = 0;
			add(ops[n], insn_info[ops[n]].fields & INSN_STORE ? R10 : R1, 0,
			    insn_info[ops[n]].fields & INSN_STORE ? -8 : 0, secret);
			if (ops[n] == OP_LDDW)
				code[ncode++] = (struct insn){.imm = secret};
			add(OP_MOV64_K, R0, 0, 0, secret);
			add(OP_EXIT, 0, 0, 0, 0);
			p = compile(how);
			assert_int_equal(holds(p, &secret, sizeof(secret)), how == HOW_ALL);
			assert_int_equal(run(p, NULL), secret);
			obj_put(&p->obj);
		}
	}
}

/* --- Branches near and far ------------------------------------------------------------------------- */

/* A chain of jumps over n instructions each, forward and back again. */
static void branch_distances(void **state)
{
	for (int n = 1; n < 60; n++) {
		struct prog *p;

		ncode = 0;
		add(OP_MOV64_K, R0, 0, 0, 0);
		for (int k = 0; k < 3; k++) {
			add(OP_JA, 0, 0, n, 0);
			for (int i = 0; i < n; i++)
				add(OP_ADD64_K, R0, 0, 0, 1000);
			add(OP_ADD64_K, R0, 0, 0, 1);
		}
		/* Back into the last gap while r0 is below 1000. */
		add(OP_JLT64_K, R0, 0, -(n + 2), 1000);
		add(OP_EXIT, 0, 0, 0, 0);
		p = compile(n % 2 ? HOW_ALL : HOW_BLIND);
		assert_int_equal(run(p, NULL), 1000 * n + 4);
		obj_put(&p->obj);
	}
}

static int setup(void **state)
{
	vm_init(&kernel, NULL, NULL, 0);
	return 0;
}

static int teardown(void **state)
{
	vm_exit(&kernel);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(unary),
		cmocka_unit_test(jumps),
		cmocka_unit_test(memory),
		cmocka_unit_test(compare_and_exchange),
		cmocka_unit_test(wide_constants),
		cmocka_unit_test(blinding_hides_constants),
		cmocka_unit_test(branch_distances),
	};

	return cmocka_run_group_tests_name("jit", tests, setup, teardown);
}
