/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of the interpreter: included once by each engine, after these are defined:
 *
 *   REACH(addr, size, write)   may the program touch this memory? Else goto stop.
 *   ATOMIC_REACH(...)          the same for atomic operations.
 *   PAY()                      takes the cost of the basic block that ends here. May goto stop.
 *   CALL_OK(), CALL_DONE()     around a helper call. May goto stop.
 *   KFUNC_OK()                 may kfuncs be called, whose arguments nobody checks? Else goto stop.
 *   TAIL_CALL_OK()             are r1 and r2 what a tail call needs? Else goto stop.
 *   TAIL_CALL_DONE()           another program has run, or runs now. May goto stop.
 *   PACKET_OK()                is r6 the packet? Else goto stop.
 *   RUN_IN(), RUN_OUT()        once around everything; RUN_IN() may declare variables.
 *   FRAME_IN(size)             a new frame of so many bytes is below r10.
 *   FRAME_PUSH(), FRAME_POP()  move r10 below the current frame, frames[depth], and back to it.
 *   DEPTH_FAULT()              the program calls too deep.
 *   ENTRY                      the engine's prog_entry.
 *
 * State of a run: s is the step being executed, acc the accumulator (interp.h), regs r0..r10. Local calls
 * stay inside: their frames are an array, the stacks of all frames one block in which the main program's
 * is the highest. Callbacks and tail calls from subprograms are new runs.
 *
 * A function of labels: the dispatch table of the house, nearly all made from alu.h's tables.
 */

/* Values in memory: any alignment, any type. */
typedef uint8_t mem_B __attribute__((may_alias));
typedef uint16_t mem_H __attribute__((may_alias, aligned(1)));
typedef uint32_t mem_W __attribute__((may_alias, aligned(1)));
typedef uint64_t mem_DW __attribute__((may_alias, aligned(1)));
typedef int8_t smem_B __attribute__((may_alias));
typedef int16_t smem_H __attribute__((may_alias, aligned(1)));
typedef int32_t smem_W __attribute__((may_alias, aligned(1)));

/* What a local call saves and its exit restores. */
struct frame {
	uint64_t r6_r9[4];
	const struct step *ret;
	uint32_t may_goto;
	uint32_t size; /* of the caller's stack, where that varies */
};

enum { MAY_GOTO_LIMIT = 8388608 }; /* times that may_goto does not jump, per frame */

#define GO() goto *s->go
#define NEXT()                                                                                     \
	do {                                                                                       \
		s++;                                                                               \
		GO();                                                                              \
	} while (0)
#define JUMP()                                                                                     \
	do {                                                                                       \
		s = s->to;                                                                         \
		GO();                                                                              \
	} while (0)

#define D regs[s->dst]
#define S regs[s->src]
#define I64 ((uint64_t)s->imm)
#define FRAME_ADDR (regs[R10] + (uint64_t)s->off)

/* A handler that computes dst. */
#define SET(label, value)                                                                          \
	do_##label:                                                                                \
	acc = D = (value);                                                                         \
	NEXT();

/* What ends a fused handler: a branch, a load. */
#define BRANCH_IF(condition)                                                                       \
	PAY();                                                                                     \
	if (condition)                                                                             \
		JUMP();                                                                            \
	NEXT();
#define LOAD_FROM(type, base)                                                                      \
	addr = (base) + (uint64_t)s->off;                                                          \
	REACH(addr, sizeof(type), false);                                                          \
	acc = D = (uint64_t) * (const type *)addr;

#define JUMP_IF(label, condition)                                                                  \
	do_##label:                                                                                \
	BRANCH_IF(condition)

#define LOAD(label, type, base)                                                                    \
	do_##label:                                                                                \
	LOAD_FROM(type, base)                                                                      \
	NEXT();

#define STORE_TO(label, type, base, value)                                                         \
	do_##label:                                                                                \
	addr = (base) + (uint64_t)s->off;                                                          \
	REACH(addr, sizeof(type), true);                                                           \
	*(type *)addr = (type)(value);                                                             \
	NEXT();

/*
 * Handlers of several steps. The first expression is for s; then s advances, so that what follows sees
 * the operands, and in a fault the number, of its own instruction.
 */
#define MOVE_SET(label, value)                                                                     \
	do_##label:                                                                                \
	acc = D = (value);                                                                         \
	s += 2;                                                                                    \
	GO();
#define SET_SET(label, value, value2)                                                              \
	do_##label:                                                                                \
	acc = (value);                                                                             \
	s++;                                                                                       \
	acc = D = (value2);                                                                        \
	NEXT();
#define SET_BRANCH(label, value, condition)                                                        \
	do_##label:                                                                                \
	acc = D = (value);                                                                         \
	s++;                                                                                       \
	BRANCH_IF(condition)
#define MOVE_SET_BRANCH(label, value, value2, condition)                                           \
	do_##label:                                                                                \
	acc = (value);                                                                             \
	s++;                                                                                       \
	acc = D = (value2);                                                                        \
	s++;                                                                                       \
	BRANCH_IF(condition)
#define SET_STORE(label, value, type)                                                              \
	do_##label:                                                                                \
	acc = D = (value);                                                                         \
	s++;                                                                                       \
	addr = D + (uint64_t)s->off;                                                               \
	REACH(addr, sizeof(type), true);                                                           \
	*(type *)addr = (type)acc;                                                                 \
	NEXT();
#define SET_STORE_FRAME(label, value, type)                                                        \
	do_##label:                                                                                \
	acc = D = (value);                                                                         \
	s++;                                                                                       \
	*(type *)FRAME_ADDR = (type)acc;                                                           \
	NEXT();
#define SET_LOAD(label, value, steps, type)                                                        \
	do_##label:                                                                                \
	acc = D = (value);                                                                         \
	s += steps;                                                                                \
	LOAD_FROM(type, acc)                                                                       \
	NEXT();
#define LOAD_SET(label, type, base, value)                                                         \
	do_##label:                                                                                \
	LOAD_FROM(type, base)                                                                      \
	s++;                                                                                       \
	acc = D = (value);                                                                         \
	NEXT();
#define LOAD_IF(label, type, base, condition)                                                      \
	do_##label:                                                                                \
	LOAD_FROM(type, base)                                                                      \
	s++;                                                                                       \
	BRANCH_IF(condition)
/* dst = src rotated left by off; register imm gets the half that is shifted left or right. */
#define ROTATE(label, type, source, half)                                                          \
	do_##label:                                                                                \
	{                                                                                          \
		type v = (type)(source);                                                           \
		unsigned n = (unsigned)s->off, m = sizeof(type) * 8 - n;                           \
                                                                                                   \
		regs[s->imm & 0xff] = (type)(half);                                                \
		acc = regs[s->imm >> 8] = (type)(v << n | v >> m);                                 \
		JUMP();                                                                            \
	}

/* Accesses through r10 have been checked by the decoder. */
#define FRAME_LOAD(label, type)                                                                    \
	do_##label:                                                                                \
	acc = D = (uint64_t) * (const type *)FRAME_ADDR;                                           \
	NEXT();

#define FRAME_STORE(label, type, value)                                                            \
	do_##label:                                                                                \
	*(type *)FRAME_ADDR = (type)(value);                                                       \
	NEXT();

/* type: of the memory; the statement may use `cell`, a pointer to it. */
#define ATOMIC(label, type, base, write, statement)                                                \
	do_##label:                                                                                \
	{                                                                                          \
		type *cell;                                                                          \
                                                                                                   \
		addr = (base) + (uint64_t)s->off;                                                  \
		ATOMIC_REACH(addr, sizeof(type), write);                                           \
		cell = (type *)addr;                                                                 \
		statement;                                                                         \
		NEXT();                                                                            \
	}

#define ATOMICS(bits)                                                                              \
	ATOMIC(ATOMIC_ADD##bits, uint##bits##_t, D, true,                                          \
	       __atomic_fetch_add(cell, (uint##bits##_t)S, __ATOMIC_RELAXED))                        \
	ATOMIC(ATOMIC_OR##bits, uint##bits##_t, D, true,                                           \
	       __atomic_fetch_or(cell, (uint##bits##_t)S, __ATOMIC_RELAXED))                         \
	ATOMIC(ATOMIC_AND##bits, uint##bits##_t, D, true,                                          \
	       __atomic_fetch_and(cell, (uint##bits##_t)S, __ATOMIC_RELAXED))                        \
	ATOMIC(ATOMIC_XOR##bits, uint##bits##_t, D, true,                                          \
	       __atomic_fetch_xor(cell, (uint##bits##_t)S, __ATOMIC_RELAXED))                        \
	ATOMIC(FETCH_ADD##bits, uint##bits##_t, D, true,                                           \
	       S = __atomic_fetch_add(cell, (uint##bits##_t)S, __ATOMIC_SEQ_CST))                    \
	ATOMIC(FETCH_OR##bits, uint##bits##_t, D, true,                                            \
	       S = __atomic_fetch_or(cell, (uint##bits##_t)S, __ATOMIC_SEQ_CST))                     \
	ATOMIC(FETCH_AND##bits, uint##bits##_t, D, true,                                           \
	       S = __atomic_fetch_and(cell, (uint##bits##_t)S, __ATOMIC_SEQ_CST))                    \
	ATOMIC(FETCH_XOR##bits, uint##bits##_t, D, true,                                           \
	       S = __atomic_fetch_xor(cell, (uint##bits##_t)S, __ATOMIC_SEQ_CST))                    \
	ATOMIC(XCHG##bits, uint##bits##_t, D, true,                                                \
	       S = __atomic_exchange_n(cell, (uint##bits##_t)S, __ATOMIC_SEQ_CST))                   \
	ATOMIC(CMPXCHG##bits, uint##bits##_t, D, true, uint##bits##_t expect = (uint##bits##_t)regs[R0]; \
	       __atomic_compare_exchange_n(cell, &expect, (uint##bits##_t)S, false,                  \
	                                   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                    \
	       regs[R0] = expect)

/* The program that a tail call goes to, counting it; NULL: it falls through. */
static const struct prog *tail_call_target(uint64_t map, uint32_t index, struct cpu *cpu)
{
	const struct map_prog_array *array = (const struct map_prog_array *)map;
	const struct prog *target;

	if (index >= array->map.max_entries || cpu->tail_calls >= MAX_TAIL_CALLS)
		return NULL;
	target = atomic_load_explicit(&array->slot[index], memory_order_acquire);
	if (target)
		cpu->tail_calls++;
	return target;
}

/*
 * Runs a function with r1..r5 = args. Without one it answers the table of labels, for prepare().
 */
__attribute__((no_sanitize("thread"))) static uint64_t
run_steps(const struct prog *prog, const struct image_func *at, const uint64_t args[5],
          struct cpu *cpu)
{
	static const void *const labels[H_COUNT] = {
#define H(name) [H_##name] = &&do_##name,
#include "exec/handlers.def"
#undef H
	};
	uint64_t regs[NREGS] = {0};
	uint64_t acc = 0;
	uintptr_t addr;
	const struct step *s;
	unsigned depth = 0;
	uint32_t may_goto = MAY_GOTO_LIMIT;
	struct frame frames[MAX_CALL_DEPTH - 1];
	uint8_t stack[MAX_CALL_DEPTH * STACK_SIZE] __attribute__((aligned(16)));

	if (!at)
		return (uintptr_t)labels;
	s = at->begin;
	memcpy(&regs[R1], args, 5 * sizeof(regs[0]));
	regs[R10] = (uintptr_t)stack + sizeof(stack);
	RUN_IN();
	FRAME_IN(at->frame);
	GO();

#define X(name, value)                                                                             \
	SET(name##64_K, alu64_##name(D, I64))                                                      \
	SET(name##64_K_A, alu64_##name(acc, I64))                                                  \
	SET(name##64_X, alu64_##name(D, S))                                                        \
	SET(name##64_X_A, alu64_##name(acc, S))                                                    \
	SET(name##64_X_B, alu64_##name(D, acc))                                                    \
	SET(name##32_K, alu32_##name((uint32_t)D, (uint32_t)s->imm))                               \
	SET(name##32_K_A, alu32_##name((uint32_t)acc, (uint32_t)s->imm))                           \
	SET(name##32_X, alu32_##name((uint32_t)D, (uint32_t)S))                                    \
	SET(name##32_X_A, alu32_##name((uint32_t)acc, (uint32_t)S))                                \
	SET(name##32_X_B, alu32_##name((uint32_t)D, (uint32_t)acc))
	ALU_OPS(X)
#undef X
#define X(name, value)                                                                             \
	SET(name, alu_##name(D))                                                                   \
	SET(name##_A, alu_##name(acc))
	UNARY_OPS(X)
#undef X
#define X(name, value)                                                                             \
	SET(name, alu_##name(S))                                                                   \
	SET(name##_A, alu_##name(acc))
	MOVSX_OPS(X)
#undef X
	SET(MOV64_K, I64)
	SET(MOV32_K, (uint32_t)s->imm)
	SET(MOV64_X, S)
	SET(MOV64_X_A, acc)
	SET(MOV32_X, (uint32_t)S)
	SET(MOV32_X_A, (uint32_t)acc)
	SET(LDDW, s->wide)

#define X(name, condition)                                                                         \
	JUMP_IF(name##64_K, cmp64_##name(D, I64))                                                   \
	JUMP_IF(name##64_K_A, cmp64_##name(acc, I64))                                               \
	JUMP_IF(name##64_X, cmp64_##name(D, S))                                                     \
	JUMP_IF(name##64_X_A, cmp64_##name(acc, S))                                                 \
	JUMP_IF(name##64_X_B, cmp64_##name(D, acc))                                                 \
	JUMP_IF(name##32_K, cmp32_##name((uint32_t)D, (uint32_t)s->imm))                            \
	JUMP_IF(name##32_K_A, cmp32_##name((uint32_t)acc, (uint32_t)s->imm))                        \
	JUMP_IF(name##32_X, cmp32_##name((uint32_t)D, (uint32_t)S))                                 \
	JUMP_IF(name##32_X_A, cmp32_##name((uint32_t)acc, (uint32_t)S))                             \
	JUMP_IF(name##32_X_B, cmp32_##name((uint32_t)D, (uint32_t)acc))
	CMP_OPS(X)
#undef X

#define X(size)                                                                                    \
	LOAD(LDX_##size, mem_##size, S)                                                            \
	LOAD(LDX_##size##_A, mem_##size, acc)                                                      \
	FRAME_LOAD(LDX_##size##_F, mem_##size)                                                     \
	STORE_TO(STX_##size, mem_##size, D, S)                                                        \
	STORE_TO(STX_##size##_A, mem_##size, acc, S)                                                  \
	STORE_TO(STX_##size##_B, mem_##size, D, acc)                                                  \
	FRAME_STORE(STX_##size##_F, mem_##size, S)                                                 \
	FRAME_STORE(STX_##size##_FB, mem_##size, acc)                                              \
	STORE_TO(ST_##size, mem_##size, D, s->imm)                                                    \
	STORE_TO(ST_##size##_A, mem_##size, acc, s->imm)                                              \
	FRAME_STORE(ST_##size##_F, mem_##size, s->imm)
	X(B)
	X(H)
	X(W)
	X(DW)
#undef X
#define X(size)                                                                                    \
	LOAD(LDSX_##size, smem_##size, S)                                                          \
	LOAD(LDSX_##size##_A, smem_##size, acc)                                                    \
	FRAME_LOAD(LDSX_##size##_F, smem_##size)
	X(B)
	X(H)
	X(W)
#undef X
#define X(name, value)                                                                             \
	MOVE_SET(MOV_##name##64_K, alu64_##name(S, (uint64_t)s[1].imm))                            \
	MOVE_SET(MOV_##name##64_K_A, alu64_##name(acc, (uint64_t)s[1].imm))                        \
	MOVE_SET(MOV_##name##64_X, alu64_##name(S, regs[s[1].src]))                                \
	MOVE_SET(MOV_##name##64_X_A, alu64_##name(acc, regs[s[1].src]))                            \
	MOVE_SET(MOV_##name##64_X_B, alu64_##name(S, acc))                                         \
	MOVE_SET(MOV_##name##32_K, alu32_##name((uint32_t)S, (uint32_t)s[1].imm))                  \
	MOVE_SET(MOV_##name##32_K_A, alu32_##name((uint32_t)acc, (uint32_t)s[1].imm))              \
	MOVE_SET(MOV_##name##32_X, alu32_##name((uint32_t)S, (uint32_t)regs[s[1].src]))            \
	MOVE_SET(MOV_##name##32_X_A, alu32_##name((uint32_t)acc, (uint32_t)regs[s[1].src]))        \
	MOVE_SET(MOV_##name##32_X_B, alu32_##name((uint32_t)S, (uint32_t)acc))
	ALU_OPS(X)
#undef X
	ROTATE(ROL64_L, uint64_t, S, v << n)
	ROTATE(ROL64_L_A, uint64_t, acc, v << n)
	ROTATE(ROL64_R, uint64_t, S, v >> m)
	ROTATE(ROL64_R_A, uint64_t, acc, v >> m)
	ROTATE(ROL32_L, uint32_t, S, v << n)
	ROTATE(ROL32_L_A, uint32_t, acc, v << n)
	ROTATE(ROL32_R, uint32_t, S, v >> m)
	ROTATE(ROL32_R_A, uint32_t, acc, v >> m)
#define X(size)                                                                                    \
	SET_LOAD(INDEX_##size, S + regs[s[1].src], 2, mem_##size)                                  \
	SET_LOAD(INDEX_##size##_A, acc + regs[s[1].src], 2, mem_##size)                            \
	SET_LOAD(INDEX_##size##_B, S + acc, 2, mem_##size)                                         \
	SET_LOAD(ADD_LDX_##size, D + S, 1, mem_##size)                                             \
	SET_LOAD(ADD_LDX_##size##_A, acc + S, 1, mem_##size)                                       \
	SET_LOAD(ADD_LDX_##size##_B, D + acc, 1, mem_##size)                                       \
	SET_LOAD(TABLE_##size, s->wide + regs[s[1].src], 2, mem_##size)
	X(B)
	X(H)
	X(W)
	X(DW)
#undef X
	MOVE_SET(LDDW_ADD, s->wide + regs[s[1].src])
	/* The table of pairs. APPLY_form(op, a): what the operation of step s makes of a. */
#define APPLY_64_K(op, a) alu64_##op(a, I64)
#define APPLY_64_X(op, a) alu64_##op(a, S)
#define APPLY_32_K(op, a) alu32_##op((uint32_t)(a), (uint32_t)s->imm)
#define APPLY_32_X(op, a) alu32_##op((uint32_t)(a), (uint32_t)S)
	/* The same with operand b given. */
#define WITH_64_X(op, a, b) alu64_##op(a, b)
#define WITH_32_X(op, a, b) alu32_##op((uint32_t)(a), (uint32_t)(b))
	/* The condition of step s on a. */
#define HOLDS_64_K(cmp, a) cmp64_##cmp(a, I64)
#define HOLDS_64_X(cmp, a) cmp64_##cmp(a, S)
#define HOLDS_32_K(cmp, a) cmp32_##cmp((uint32_t)(a), (uint32_t)s->imm)
#define SAME(op, form, op2, form2)                                                                 \
	SET_SET(op##form##_##op2##form2, APPLY_##form(op, D), APPLY_##form2(op2, acc))             \
	SET_SET(op##form##_##op2##form2##_A, APPLY_##form(op, acc), APPLY_##form2(op2, acc))
#define INTO(op, form, op2, form2)                                                                 \
	SET_SET(op##form##_INTO_##op2##form2, D = APPLY_##form(op, D), WITH_##form2(op2, D, acc))  \
	SET_SET(op##form##_INTO_##op2##form2##_A, D = APPLY_##form(op, acc),                       \
	        WITH_##form2(op2, D, acc))
#define BRANCH(op, form, cmp, form2)                                                               \
	SET_BRANCH(op##form##_##cmp##form2, APPLY_##form(op, D), HOLDS_##form2(cmp, acc))          \
	SET_BRANCH(op##form##_##cmp##form2##_A, APPLY_##form(op, acc), HOLDS_##form2(cmp, acc))
#define MOVE_BRANCH(op, form, cmp, form2)                                                          \
	MOVE_SET_BRANCH(MOV_##op##form##_##cmp##form2, S, APPLY_##form(op, acc),                   \
	                HOLDS_##form2(cmp, acc))                                                   \
	MOVE_SET_BRANCH(MOV_##op##form##_##cmp##form2##_A, acc, APPLY_##form(op, acc),             \
	                HOLDS_##form2(cmp, acc))
#define LOAD_SAME(size, op, form)                                                                  \
	LOAD_SET(LDX_##size##_##op##form, mem_##size, S, APPLY_##form(op, acc))                    \
	LOAD_SET(LDX_##size##_##op##form##_A, mem_##size, acc, APPLY_##form(op, acc))              \
	LOAD_SET(LDX_##size##_##op##form##_F, mem_##size, regs[R10], APPLY_##form(op, acc))
#define LOAD_INTO(size, op, form)                                                                  \
	LOAD_SET(LDX_##size##_INTO_##op##form, mem_##size, S, WITH_##form(op, D, acc))             \
	LOAD_SET(LDX_##size##_INTO_##op##form##_A, mem_##size, acc, WITH_##form(op, D, acc))       \
	LOAD_SET(LDX_##size##_INTO_##op##form##_F, mem_##size, regs[R10], WITH_##form(op, D, acc))
#define LOAD_BRANCH(size, cmp, form)                                                               \
	LOAD_IF(LDX_##size##_##cmp##form, mem_##size, S, HOLDS_##form(cmp, acc))                   \
	LOAD_IF(LDX_##size##_##cmp##form##_A, mem_##size, acc, HOLDS_##form(cmp, acc))             \
	LOAD_IF(LDX_##size##_##cmp##form##_F, mem_##size, regs[R10], HOLDS_##form(cmp, acc))
#define WIDE_INTO(op, form)                                                                        \
	SET_SET(LDDW_INTO_##op##form, D = s->wide, WITH_##form(op, D, acc))
#define STORE(op, form, size)                                                                      \
	SET_STORE(op##form##_STX_##size, APPLY_##form(op, D), mem_##size)                          \
	SET_STORE(op##form##_STX_##size##_A, APPLY_##form(op, acc), mem_##size)
#define STORE_FRAME(op, form, size)                                                                \
	SET_STORE_FRAME(op##form##_STX_##size##_F, APPLY_##form(op, D), mem_##size)                \
	SET_STORE_FRAME(op##form##_STX_##size##_F_A, APPLY_##form(op, acc), mem_##size)
#include "exec/fused.def"
#define MOVE_IF(move, label, condition)                                                            \
	SET_BRANCH(move##_X_##label, MOVED_##move(S), condition)                                   \
	SET_BRANCH(move##_X_##label##_A, MOVED_##move(acc), condition)
#define MOVED_MOV64(a) (a)
#define MOVED_MOV32(a) (uint32_t)(a)
#define X(move)                                                                                    \
	MOVE_IF(move, JEQ64_K, HOLDS_64_K(JEQ, D))                                                 \
	MOVE_IF(move, JNE64_K, HOLDS_64_K(JNE, D))                                                 \
	MOVE_IF(move, JEQ32_K, HOLDS_32_K(JEQ, D))                                                 \
	MOVE_IF(move, JNE32_K, HOLDS_32_K(JNE, D))
	X(MOV64)
	X(MOV32)
#undef X
	SET_SET(MOV64_X_MOV64_X, D = S, S)
	SET_SET(MOV64_X_MOV64_X_A, D = acc, S)
	SET_SET(MOV32_X_MOV32_X, D = (uint32_t)S, (uint32_t)S)
	SET_SET(MOV32_X_MOV32_X_A, D = (uint32_t)acc, (uint32_t)S)
	/* Both slots have been checked by the decoder. */
#define COPY(label, type)                                                                          \
	do_##label:                                                                                \
	acc = D = *(const type *)FRAME_ADDR;                                                       \
	s++;                                                                                       \
	*(type *)FRAME_ADDR = (type)acc;                                                           \
	NEXT();
	COPY(COPY_W, mem_W)
	COPY(COPY_DW, mem_DW)
#define X(size, type)                                                                              \
	ATOMIC(LOAD_ACQ_##size, type, S, false, D = __atomic_load_n(cell, __ATOMIC_ACQUIRE))         \
	ATOMIC(STORE_REL_##size, type, D, true, __atomic_store_n(cell, (type)S, __ATOMIC_RELEASE))
	X(B, uint8_t)
	X(H, uint16_t)
	X(W, uint32_t)
	X(DW, uint64_t)
#undef X
	ATOMICS(64)
	ATOMICS(32)

do_LDX_CPU_W:
	acc = D = *(const mem_W *)((const char *)cpu + s->off);
	NEXT();
do_LDX_CPU_DW:
	acc = D = *(const mem_DW *)((const char *)cpu + s->off);
	NEXT();

do_LD_IND:
	PACKET_OK();
	addr = (uintptr_t)(int64_t)(int32_t)(S + I64);
	goto packet_load;
do_LD_ABS:
	PACKET_OK();
	addr = (uintptr_t)(int64_t)s->imm;
packet_load:
	if (skb_load((const struct skb *)regs[R6], (int64_t)addr, s->size, &regs[R0]) != 0) {
		regs[R0] = 0;
		goto leave;
	}
	acc = regs[R0];
	NEXT();

do_JA:
	PAY();
	JUMP();
do_MAY_GOTO:
	PAY();
	if (!may_goto)
		JUMP();
	may_goto--;
	NEXT();

do_CALL:
	PAY();
	CALL_OK();
	acc = regs[R0] = s->call(regs[R1], regs[R2], regs[R3], regs[R4], regs[R5], cpu);
	CALL_DONE();
	NEXT();

do_CALL_KFUNC:
	PAY();
	KFUNC_OK();
	acc = regs[R0] = s->call(regs[R1], regs[R2], regs[R3], regs[R4], regs[R5], cpu);
	NEXT();

do_TAIL_CALL:
	PAY();
	TAIL_CALL_OK();
	{
		const struct prog *target = tail_call_target(regs[R2], (uint32_t)regs[R3], cpu);

		if (!target)
			NEXT();
		cpu->prog = target;
		if (depth == 0 && target->entry == ENTRY) {
			prog = target;
			at = prog_image(prog)->funcs;
			s = at->begin;
			may_goto = MAY_GOTO_LIMIT;
			TAIL_CALL_DONE();
			FRAME_IN(at->frame);
			GO();
		}
		regs[R0] = target->entry((void *)(uintptr_t)regs[R1], cpu, target);
		cpu->prog = prog;
		TAIL_CALL_DONE();
		goto leave;
	}

do_CALL_LOCAL:
	PAY();
	if (depth == MAX_CALL_DEPTH - 1) {
		DEPTH_FAULT();
		goto stop;
	}
	memcpy(frames[depth].r6_r9, &regs[R6], sizeof(frames[0].r6_r9));
	frames[depth].ret = s + 1;
	frames[depth].may_goto = may_goto;
	FRAME_PUSH();
	depth++;
	may_goto = MAY_GOTO_LIMIT;
	FRAME_IN((uint32_t)s->imm);
	JUMP();

do_EXIT:
	PAY();
leave:
	if (depth == 0) {
		RUN_OUT();
		return regs[R0];
	}
	depth--;
	memcpy(&regs[R6], frames[depth].r6_r9, sizeof(frames[0].r6_r9));
	may_goto = frames[depth].may_goto;
	FRAME_POP();
	acc = regs[R0];
	s = frames[depth].ret;
	GO();

stop:
	RUN_OUT();
	return 0;
}
