/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64 instructions as bytes: pure functions that append one instruction at p and answer its end.
 *
 * Only what the JIT uses, each in its shortest form. An instruction is
 *
 *    [66 | F0 | F2]  [REX 0100WRXB]  [0F | 0F 38]  opcode  [ModRM mod:reg:rm]  [SIB]  [disp]  [imm]
 *
 * or with a VEX prefix for the three-operand shifts of BMI2. An operation `op` is the opcode with its
 * escape bytes: 0x01, 0x0fb6, 0x0f38f0. Sources: Intel SDM volume 2, AMD APM volume 3.
 */
#ifndef SKEP_EXEC_X86_64_ENC_H
#define SKEP_EXEC_X86_64_ENC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum x86_reg {
	X_RAX, X_RCX, X_RDX, X_RBX, X_RSP, X_RBP, X_RSI, X_RDI,
	X_R8, X_R9, X_R10, X_R11, X_R12, X_R13, X_R14, X_R15,
};

/* Width of an operation. */
enum x86_width { X_32, X_64 };

/* The eight operations that share one encoding: reg, reg 8n+1; reg, imm 81 /n, 83 /n. */
enum x86_alu { X_ADD, X_OR, X_ADC, X_SBB, X_AND, X_SUB, X_XOR, X_CMP };

/* D1 /n, C1 /n, D3 /n. */
enum x86_shift { X_ROL = 0, X_ROR = 1, X_SHL = 4, X_SHR = 5, X_SAR = 7 };

/* F7 /n. */
enum x86_unary { X_NOT = 2, X_NEG = 3, X_MUL = 4, X_IMUL = 5, X_DIV = 6, X_IDIV = 7 };

/* Conditions, as in Jcc; cc ^ 1 is the opposite. */
enum x86_cc {
	X_O, X_NO, X_B, X_AE, X_E, X_NE, X_BE, X_A, X_S, X_NS, X_P, X_NP, X_L, X_GE, X_LE, X_G,
};

/* Operations with ModRM that are not in a family above. */
enum x86_op {
	X_MOVSXD = 0x63,
	X_TEST = 0x85,
	X_XCHG = 0x87,
	X_STORE8 = 0x88,
	X_STORE = 0x89,
	X_LOAD = 0x8b,
	X_LEA = 0x8d,
	X_CMOV = 0x0f40, /* + condition */
	X_IMUL_RR = 0x0faf,
	X_CMPXCHG = 0x0fb1,
	X_MOVZX8 = 0x0fb6,
	X_MOVZX16 = 0x0fb7,
	X_MOVSX8 = 0x0fbe,
	X_MOVSX16 = 0x0fbf,
	X_XADD = 0x0fc1,
	X_MOVBE_LOAD = 0x0f38f0,
	X_MOVBE_STORE = 0x0f38f1,
};

static inline uint8_t *enc_byte(uint8_t *p, unsigned byte)
{
	*p = (uint8_t)byte;
	return p + 1;
}

static inline uint8_t *enc_imm32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
	return p + 4;
}

static inline uint8_t *enc_imm64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, 8);
	return p + 8;
}

static inline bool enc_fits8(int64_t v)
{
	return v == (int8_t)v;
}

/* REX when a bit of it is set, or when `force` asks for one (sil, dil ... as byte registers). */
static inline uint8_t *enc_rex(uint8_t *p, bool w, unsigned reg, unsigned index, unsigned rm, bool force)
{
	unsigned rex = (unsigned)w << 3 | reg >> 3 << 2 | index >> 3 << 1 | rm >> 3;

	*p = (uint8_t)(0x40 | rex);
	return p + (rex || force);
}

static inline uint8_t *enc_opcode(uint8_t *p, unsigned op)
{
	if (op > 0xffff)
		p = enc_byte(p, op >> 16);
	if (op > 0xff)
		p = enc_byte(p, op >> 8 & 0xff);
	return enc_byte(p, op & 0xff);
}

static inline uint8_t *enc_modrm(uint8_t *p, unsigned mod, unsigned reg, unsigned rm)
{
	return enc_byte(p, mod << 6 | (reg & 7) << 3 | (rm & 7));
}

/* ModRM and what follows for [base + disp]. */
static inline uint8_t *enc_address(uint8_t *p, unsigned reg, unsigned base, int32_t disp)
{
	/* rbp and r13 without displacement would mean rip; rsp and r12 need a SIB byte. */
	unsigned mod = !disp && (base & 7) != X_RBP ? 0 : enc_fits8(disp) ? 1 : 2;

	p = enc_modrm(p, mod, reg, base);
	if ((base & 7) == X_RSP)
		p = enc_byte(p, 0x24);
	if (mod == 1)
		return enc_byte(p, (uint8_t)disp);
	return mod == 2 ? enc_imm32(p, (uint32_t)disp) : p;
}

/* ModRM and what follows for [base + index << scale + disp]. index is not rsp. */
static inline uint8_t *enc_indexed(uint8_t *p, unsigned reg, unsigned base, unsigned index,
                                   unsigned scale, int32_t disp)
{
	unsigned mod = !disp && (base & 7) != X_RBP ? 0 : enc_fits8(disp) ? 1 : 2;

	p = enc_modrm(p, mod, reg, X_RSP);
	p = enc_modrm(p, scale, index, base);
	if (mod == 1)
		return enc_byte(p, (uint8_t)disp);
	return mod == 2 ? enc_imm32(p, (uint32_t)disp) : p;
}

/* --- Forms -------------------------------------------------------------------------------------- */

/* op with a register in each field of ModRM. */
static inline uint8_t *enc_rr(uint8_t *p, enum x86_width w, unsigned op, unsigned reg, unsigned rm)
{
	p = enc_rex(p, w, reg, 0, rm, false);
	return enc_modrm(enc_opcode(p, op), 3, reg, rm);
}

/* The same where rm is a byte register. */
static inline uint8_t *enc_rr8(uint8_t *p, enum x86_width w, unsigned op, unsigned reg, unsigned rm)
{
	p = enc_rex(p, w, reg, 0, rm, rm >= X_RSP);
	return enc_modrm(enc_opcode(p, op), 3, reg, rm);
}

/* op reg, [base + disp], or the other way round: the opcode says which. */
static inline uint8_t *enc_rm(uint8_t *p, enum x86_width w, unsigned op, unsigned reg, unsigned base,
                              int32_t disp)
{
	p = enc_rex(p, w, reg, 0, base, false);
	return enc_address(enc_opcode(p, op), reg, base, disp);
}

/* The same where reg is a byte register. */
static inline uint8_t *enc_rm8(uint8_t *p, unsigned op, unsigned reg, unsigned base, int32_t disp)
{
	p = enc_rex(p, X_32, reg, 0, base, reg >= X_RSP);
	return enc_address(enc_opcode(p, op), reg, base, disp);
}

static inline uint8_t *enc_rmx(uint8_t *p, enum x86_width w, unsigned op, unsigned reg, unsigned base,
                               unsigned index, unsigned scale, int32_t disp)
{
	p = enc_rex(p, w, reg, index, base, false);
	return enc_indexed(enc_opcode(p, op), reg, base, index, scale, disp);
}

/* --- Prefixes, in front of the form ------------------------------------------------------------- */

static inline uint8_t *enc_lock(uint8_t *p)
{
	return enc_byte(p, 0xf0);
}

static inline uint8_t *enc_16bit(uint8_t *p)
{
	return enc_byte(p, 0x66);
}

/* --- Arithmetic --------------------------------------------------------------------------------- */

static inline uint8_t *enc_alu_rr(uint8_t *p, enum x86_width w, enum x86_alu op, unsigned dst,
                                  unsigned src)
{
	return enc_rr(p, w, op * 8 + 1, src, dst);
}

static inline uint8_t *enc_alu_ri(uint8_t *p, enum x86_width w, enum x86_alu op, unsigned dst,
                                  int32_t imm)
{
	if (!enc_fits8(imm) && dst == X_RAX)
		return enc_imm32(enc_byte(enc_rex(p, w, 0, 0, 0, false), op * 8 + 5), (uint32_t)imm);
	p = enc_rr(p, w, enc_fits8(imm) ? 0x83 : 0x81, op, dst);
	return enc_fits8(imm) ? enc_byte(p, (uint8_t)imm) : enc_imm32(p, (uint32_t)imm);
}

static inline uint8_t *enc_test_ri(uint8_t *p, enum x86_width w, unsigned reg, int32_t imm)
{
	if (reg == X_RAX)
		return enc_imm32(enc_byte(enc_rex(p, w, 0, 0, 0, false), 0xa9), (uint32_t)imm);
	return enc_imm32(enc_rr(p, w, 0xf7, 0, reg), (uint32_t)imm);
}

/* test of the low byte of a register. */
static inline uint8_t *enc_test_ri8(uint8_t *p, unsigned reg, unsigned imm)
{
	p = reg == X_RAX ? enc_byte(p, 0xa8) : enc_rr8(p, X_32, 0xf6, 0, reg);
	return enc_byte(p, imm);
}

static inline uint8_t *enc_unary(uint8_t *p, enum x86_width w, enum x86_unary op, unsigned reg)
{
	return enc_rr(p, w, 0xf7, op, reg);
}

static inline uint8_t *enc_imul_rri(uint8_t *p, enum x86_width w, unsigned dst, unsigned src,
                                    int32_t imm)
{
	p = enc_rr(p, w, enc_fits8(imm) ? 0x6b : 0x69, dst, src);
	return enc_fits8(imm) ? enc_byte(p, (uint8_t)imm) : enc_imm32(p, (uint32_t)imm);
}

/* dst:rax sign extension for idiv: cdq, cqo. */
static inline uint8_t *enc_sign_rdx(uint8_t *p, enum x86_width w)
{
	return enc_byte(enc_rex(p, w, 0, 0, 0, false), 0x99);
}

static inline uint8_t *enc_shift_ri(uint8_t *p, enum x86_width w, enum x86_shift op, unsigned dst,
                                    unsigned count)
{
	if (count == 1)
		return enc_rr(p, w, 0xd1, op, dst);
	return enc_byte(enc_rr(p, w, 0xc1, op, dst), count);
}

static inline uint8_t *enc_shift_cl(uint8_t *p, enum x86_width w, enum x86_shift op, unsigned dst)
{
	return enc_rr(p, w, 0xd3, op, dst);
}

/* Rotates the low 16 bits: a byte swap for count 8. */
static inline uint8_t *enc_rol16(uint8_t *p, unsigned dst, unsigned count)
{
	return enc_byte(enc_rr(enc_16bit(p), X_32, 0xc1, X_ROL, dst), count);
}

static inline uint8_t *enc_bswap(uint8_t *p, enum x86_width w, unsigned reg)
{
	p = enc_rex(p, w, 0, 0, reg, false);
	return enc_byte(enc_byte(p, 0x0f), 0xc8 | (reg & 7));
}

/* VEX.LZ.pp.map.Ww op: three bytes of prefix, R X B and vvvv are inverted. */
static inline uint8_t *enc_vex(uint8_t *p, enum x86_width w, unsigned pp, unsigned map, unsigned op,
                               unsigned reg, unsigned vvvv, unsigned rm)
{
	p = enc_byte(p, 0xc4);
	p = enc_byte(p, (~reg >> 3 & 1) << 7 | 1 << 6 | (~rm >> 3 & 1) << 5 | map);
	p = enc_byte(p, (unsigned)w << 7 | (~vvvv & 15) << 3 | pp);
	return enc_modrm(enc_byte(p, op), 3, reg, rm);
}

/* shlx, shrx, sarx dst, src, count: no flags, no rcx. */
static inline uint8_t *enc_shift_x(uint8_t *p, enum x86_width w, enum x86_shift op, unsigned dst,
                                   unsigned src, unsigned count)
{
	unsigned pp = op == X_SHL ? 1 : op == X_SHR ? 3 : 2;

	return enc_vex(p, w, pp, 2, 0xf7, dst, count, src);
}

/* rorx dst, src, count. */
static inline uint8_t *enc_rorx(uint8_t *p, enum x86_width w, unsigned dst, unsigned src, unsigned count)
{
	return enc_byte(enc_vex(p, w, 3, 3, 0xf0, dst, 0, src), count);
}

/* --- Moves ---------------------------------------------------------------------------------------- */

static inline uint8_t *enc_mov_rr(uint8_t *p, enum x86_width w, unsigned dst, unsigned src)
{
	return enc_rr(p, w, X_STORE, src, dst);
}

/* The shortest way to put a number into a register. May change the flags. */
static inline uint8_t *enc_mov_ri(uint8_t *p, unsigned dst, uint64_t v)
{
	if (!v)
		return enc_alu_rr(p, X_32, X_XOR, dst, dst);
	if (v <= UINT32_MAX) {
		p = enc_byte(enc_rex(p, X_32, 0, 0, dst, false), 0xb8 | (dst & 7));
		return enc_imm32(p, (uint32_t)v);
	}
	if ((int64_t)v == (int32_t)v)
		return enc_imm32(enc_rr(p, X_64, 0xc7, 0, dst), (uint32_t)v);
	p = enc_byte(enc_rex(p, X_64, 0, 0, dst, false), 0xb8 | (dst & 7));
	return enc_imm64(p, v);
}

/* mov to [base + disp] of the low 8, 16, 32 bits, or of 32 bits sign-extended to 64. */
static inline uint8_t *enc_store_imm(uint8_t *p, unsigned bytes, unsigned base, int32_t disp,
                                     int32_t imm)
{
	if (bytes == 2)
		p = enc_16bit(p);
	p = enc_rm(p, bytes == 8 ? X_64 : X_32, bytes == 1 ? 0xc6 : 0xc7, 0, base, disp);
	if (bytes == 1)
		return enc_byte(p, (uint8_t)imm);
	if (bytes == 2)
		return enc_byte(enc_byte(p, imm & 0xff), imm >> 8 & 0xff);
	return enc_imm32(p, (uint32_t)imm);
}

static inline uint8_t *enc_store(uint8_t *p, unsigned bytes, unsigned src, unsigned base, int32_t disp)
{
	if (bytes == 1)
		return enc_rm8(p, X_STORE8, src, base, disp);
	if (bytes == 2)
		p = enc_16bit(p);
	return enc_rm(p, bytes == 8 ? X_64 : X_32, X_STORE, src, base, disp);
}

static inline uint8_t *enc_store_x(uint8_t *p, unsigned bytes, unsigned src, unsigned base,
                                   unsigned index, unsigned scale, int32_t disp)
{
	if (bytes == 2)
		p = enc_16bit(p);
	p = enc_rex(p, bytes == 8, src, index, base, bytes == 1 && src >= X_RSP);
	return enc_indexed(enc_opcode(p, bytes == 1 ? X_STORE8 : X_STORE), src, base, index, scale, disp);
}

static inline uint8_t *enc_push(uint8_t *p, unsigned reg)
{
	return enc_byte(enc_rex(p, X_32, 0, 0, reg, false), 0x50 | (reg & 7));
}

static inline uint8_t *enc_pop(uint8_t *p, unsigned reg)
{
	return enc_byte(enc_rex(p, X_32, 0, 0, reg, false), 0x58 | (reg & 7));
}

/* --- Control -------------------------------------------------------------------------------------- */

static inline uint8_t *enc_jcc8(uint8_t *p, enum x86_cc cc, int distance)
{
	return enc_byte(enc_byte(p, 0x70 | cc), (uint8_t)distance);
}

static inline uint8_t *enc_jcc32(uint8_t *p, enum x86_cc cc, int32_t distance)
{
	return enc_imm32(enc_byte(enc_byte(p, 0x0f), 0x80 | cc), (uint32_t)distance);
}

static inline uint8_t *enc_jmp8(uint8_t *p, int distance)
{
	return enc_byte(enc_byte(p, 0xeb), (uint8_t)distance);
}

static inline uint8_t *enc_jmp32(uint8_t *p, int32_t distance)
{
	return enc_imm32(enc_byte(p, 0xe9), (uint32_t)distance);
}

static inline uint8_t *enc_call_r(uint8_t *p, unsigned reg)
{
	return enc_rr(p, X_32, 0xff, 2, reg);
}

/* jmp [base + disp] */
static inline uint8_t *enc_jmp_m(uint8_t *p, unsigned base, int32_t disp)
{
	return enc_rm(p, X_32, 0xff, 4, base, disp);
}

static inline uint8_t *enc_inc_m(uint8_t *p, enum x86_width w, unsigned base, int32_t disp)
{
	return enc_rm(p, w, 0xff, 0, base, disp);
}

static inline uint8_t *enc_dec_m(uint8_t *p, enum x86_width w, unsigned base, int32_t disp)
{
	return enc_rm(p, w, 0xff, 1, base, disp);
}

/* cmp dword or qword [base + disp], imm8 */
static inline uint8_t *enc_cmp_mi8(uint8_t *p, enum x86_width w, unsigned base, int32_t disp, int imm)
{
	return enc_byte(enc_rm(p, w, 0x83, X_CMP, base, disp), (uint8_t)imm);
}

enum { X_CALL_REL = 0xe8, X_JMP_REL = 0xe9, X_RET = 0xc3, X_LEAVE = 0xc9, X_INT3 = 0xcc, X_UD2 = 0x0f0b };

#endif
