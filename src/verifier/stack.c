/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack, byte by byte.
 *
 * A slot of 8 bytes knows of each byte whether it was written, is zero, or belongs to a register that
 * was spilled there; a value that is spilled and filled whole comes back as it was. Slots exist up to
 * the lowest that was touched. A write of other data turns what it hits into misc. Reading bytes that
 * were never written is refused to unprivileged programs and gives an unknown number to others.
 *
 * Provides: stack_access(), stack_helper(), stack_grow() users' bounds.
 */
#include <errno.h>

#include "verifier/memory.h"
#include "verifier/path.h"

struct frame *stack_frame(const struct verifier *v, const struct reg *r)
{
	return v->cur->frames[r->frame];
}

struct slot *stack_slot(const struct frame *f, int spi)
{
	return spi >= 0 && spi < f->nslots ? &f->stack[spi] : NULL;
}

void slot_fill(struct slot *s, enum slot_kind kind)
{
	for (unsigned i = 0; i < 8; i++)
		s->kind[i] = (uint8_t)kind;
}

static bool is_special(const struct slot *s)
{
	enum slot_kind kind = s->kind[7];

	return kind == SLOT_SPILL || kind == SLOT_DYNPTR || kind == SLOT_ITER ||
	       kind == SLOT_IRQ_FLAG;
}

static void scrub(struct slot *s)
{
	for (unsigned i = 0; i < 8; i++)
		if (s->kind[i] != SLOT_INVALID)
			s->kind[i] = SLOT_MISC;
}

static int check_bounds(struct verifier *v, unsigned regno, int off, int size, enum access access)
{
	const struct reg *r = &cur_regs(v)[regno];
	struct frame *f = stack_frame(v, r);
	const char *what = access == ACCESS_READ ? " read from" : " write to";
	bool known = scalar_is_const(&r->s);
	int64_t low = r->s.smin + off, high = r->s.smax + off + size;
	int lowest = access == ACCESS_WRITE || v->allow_uninit_stack ? -STACK_SIZE : -8 * f->nslots;
	char var[64];

	if (!known && (r->s.smax >= 1 << 29 || r->s.smin <= -(1 << 29)))
		return reject(v, REJECT_STACK_UNBOUNDED, what, regno);
	if (low >= lowest && low <= -1 && high <= 0 && size >= 0)
		return stack_grow(v, f, (int)-low);
	if (known)
		reject(v, access == ACCESS_READ ? REJECT_STACK_READ : REJECT_STACK_WRITE, regno, (int)low,
		       size);
	else
		reject(v, REJECT_STACK_VAR_BOUNDS, what, regno, tnum_text(r->s.var, var), off, size);
	return low < lowest || low > -1 ? -EACCES : high > 0 ? -EINVAL : -EFAULT;
}

/* --- Writing ------------------------------------------------------------------------------ */

static void spill(struct slot *s, const struct reg *r, unsigned size)
{
	unsigned i = 8;

	s->spilled = *r;
	for (; i > 8 - size; i--)
		s->kind[i - 1] = SLOT_SPILL;
	for (; i; i--) {
		if (s->kind[i - 1] == SLOT_ZERO || s->kind[i - 1] == SLOT_INVALID)
			continue;
		s->kind[i - 1] = SLOT_MISC;
	}
}

static bool fits(const struct reg *r, unsigned size)
{
	return size == 8 || r->s.umax >> (8 * size) == 0;
}

static int write_misc(struct verifier *v, uint32_t pc, struct slot *s, int off, unsigned size,
                      int value)
{
	const struct insn *i = &v->insns[pc];
	bool is_imm = (i->code & 7) == CLASS_ST, zero;
	enum slot_kind kind = SLOT_MISC;
	int err;

	zero = value >= 0 ? reg_is_null(&cur_regs(v)[value]) : is_imm && v->op[pc] != OP_CALL && !i->imm;
	s->spilled.kind = REG_NONE;
	if (is_special(s))
		scrub(s);
	if (zero) {
		err = value >= 0 ? precise_mark(v, (unsigned)value) : 0;
		if (err)
			return err;
		kind = SLOT_ZERO;
	}
	for (unsigned k = 0; k < size; k++)
		s->kind[(unsigned)(-off - 1 - (int)k) % 8] = (uint8_t)kind;
	return 0;
}

/* A load that runs ahead of the store would see what was there: speculations end behind it. */
static void note_old_value(struct verifier *v, uint32_t pc, const struct slot *s, unsigned size,
                           const struct reg *r)
{
	bool matters = r && r->kind != REG_SCALAR;

	if (v->bypass_spec)
		return;
	for (unsigned i = 0; i < size; i++)
		matters |= s->kind[i] != SLOT_MISC && s->kind[i] != SLOT_ZERO;
	if (matters)
		v->notes[pc].flags |= NOTE_NOSPEC_RESULT;
}

static int write_fixed(struct verifier *v, uint32_t pc, struct frame *f, int off, unsigned size,
                       int value)
{
	const struct insn *i = &v->insns[pc];
	int spi = slot_of(off), err;
	struct slot *s = &f->stack[spi];
	struct reg *r = value >= 0 ? &cur_regs(v)[value] : NULL, imm;
	bool aligned = off % 8 == 0;

	if (!v->allow_ptr_leaks && slot_is_spill(s) && !slot_is_scalar(s) && size != 8)
		return reject(v, REJECT_CORRUPT_SPILL);
	err = stack_overwrite(v, f, spi);
	if (err)
		return err;
	note_old_value(v, pc, s, size, r);
	if (aligned && size == 8)
		live_stack_write(v, f->number, (uint64_t)1 << spi);
	scratch_slot(v, spi);
	if (r && aligned && r->kind == REG_SCALAR && v->bpf_capable) {
		bool whole = fits(r, size);

		if (whole)
			reg_link(v, r);
		spill(s, r, size);
		if (!whole)
			s->spilled.id = 0;
	} else if (!r && aligned && v->bpf_capable && (i->code & 7) == CLASS_ST) {
		reg_set_const(&imm, (uint64_t)(int64_t)i->imm);
		spill(s, &imm, size);
	} else if (r && r->kind != REG_SCALAR && r->kind != REG_NONE) {
		if (size != 8)
			return reject(v, REJECT_SPILL_SIZE);
		if (f != cur_frame(v) && r->kind == REG_STACK)
			return reject(v, REJECT_SPILL_STACK);
		spill(s, r, size);
	} else {
		return write_misc(v, pc, s, off, size, value);
	}
	return jump_note(v, JUMP_STACK | (unsigned)spi << JUMP_SLOT_SHIFT | f->number, 0);
}

static int write_variable(struct verifier *v, uint32_t pc, const struct reg *ptr, int off,
                          unsigned size, int value)
{
	struct frame *f = stack_frame(v, ptr);
	int low = (int)ptr->s.smin + off, high = (int)ptr->s.smax + off + (int)size, err;
	bool zero = value >= 0 ? reg_is_null(&cur_regs(v)[value])
	                       : (v->insns[pc].code & 7) == CLASS_ST && !v->insns[pc].imm;
	bool used_zero = false;

	for (int spi = slot_of(high - 1); spi <= slot_of(low); spi++) {
		err = stack_overwrite(v, f, spi);
		if (err)
			return err;
		scratch_slot(v, spi);
	}
	for (int at = low; at < high; at++) {
		struct slot *s = &f->stack[slot_of(at)];
		uint8_t *kind = &s->kind[(-at - 1) % 8];

		if (!v->allow_ptr_leaks && *kind != SLOT_MISC && *kind != SLOT_ZERO)
			return reject(v, *kind == SLOT_INVALID ? REJECT_VAR_WRITE_UNINIT
			                                       : REJECT_VAR_WRITE_SPILL, pc, at);
		if (zero && *kind == SLOT_SPILL && reg_is_null(&s->spilled)) {
			used_zero = true;
			continue;
		}
		if (is_special(s))
			scrub(s);
		s->spilled.kind = REG_NONE;
		used_zero |= zero && *kind == SLOT_ZERO;
		*kind = zero && *kind == SLOT_ZERO ? SLOT_ZERO : SLOT_MISC;
	}
	return used_zero && value >= 0 ? precise_mark(v, (unsigned)value) : 0;
}

/* --- Reading ------------------------------------------------------------------------------ */

static int check_bytes(struct verifier *v, const struct slot *s, int off, unsigned size,
                       unsigned *spills, unsigned *zeros)
{
	*spills = *zeros = 0;
	for (unsigned k = 0; k < size; k++) {
		enum slot_kind kind = s->kind[(unsigned)(-off - 1 - (int)k) % 8];

		*spills += kind == SLOT_SPILL;
		*zeros += kind == SLOT_ZERO;
		if (kind == SLOT_SPILL || kind == SLOT_ZERO || kind == SLOT_MISC ||
		    (kind == SLOT_INVALID && v->allow_uninit_stack))
			continue;
		return reject(v, REJECT_STACK_UNINIT, off, k, size);
	}
	return 0;
}

/* Part of a spilled number, or more than it. */
static int fill_part(struct verifier *v, struct slot *s, int off, unsigned size, unsigned spilled,
                     struct reg *to, bool *filled)
{
	unsigned spills, zeros;
	int err;

	if (size <= spilled && off % 8 == 0) {
		if (v->bpf_capable && size == 4 && spilled == 4 && fits(&s->spilled, 4))
			reg_link(v, &s->spilled);
		*to = s->spilled;
		if (!fits(&s->spilled, size))
			to->id = 0;
		return 0;
	}
	err = check_bytes(v, s, off, size, &spills, &zeros);
	if (err)
		return err;
	if (spills == size && reg_is_null(&s->spilled)) {
		reg_set_const(to, 0);
		return 0;
	}
	*filled = false;
	if (zeros == size)
		reg_set_const(to, 0);
	else
		reg_set_unknown(to);
	return 0;
}

static int read_fixed(struct verifier *v, uint32_t pc, struct frame *f, int off, unsigned size,
                      int value)
{
	int spi = slot_of(off), err = 0;
	struct slot *s = &f->stack[spi];
	struct reg *to = value >= 0 ? &cur_regs(v)[value] : NULL;
	unsigned spilled = 1, spills, zeros;
	bool filled = true;

	scratch_slot(v, spi);
	live_stack_read(v, f->number, pc, (uint64_t)1 << spi);
	if (!slot_is_spill(s)) {
		err = check_bytes(v, s, off, size, &spills, &zeros);
		if (err || !to)
			return err;
		if (zeros == size)
			reg_set_const(to, 0);
		else
			reg_set_unknown(to);
		return 0;
	}
	for (unsigned k = 7; k > 0 && s->kind[k - 1] == SLOT_SPILL; k--)
		spilled++;
	if (size != 8 || spilled != 8) {
		if (s->spilled.kind != REG_SCALAR)
			return reject(v, REJECT_FILL_SIZE);
		if (!to)
			return 0;
		err = fill_part(v, s, off, size, spilled, to, &filled);
	} else if (to) {
		reg_link(v, &s->spilled);
		*to = s->spilled;
	} else if (!v->allow_ptr_leaks && s->spilled.kind != REG_SCALAR) {
		return reject(v, REJECT_STACK_LEAK, off);
	}
	if (err || !filled)
		return err;
	return jump_note(v, JUMP_STACK | (unsigned)spi << JUMP_SLOT_SHIFT | f->number, 0);
}

static uint64_t slots_between(int low, int high)
{
	uint64_t mask = 0;

	for (int spi = slot_of(high - 1); spi <= slot_of(low); spi++)
		mask |= (uint64_t)1 << spi;
	return mask;
}

int stack_helper(struct verifier *v, unsigned regno, int off, int size, enum access access,
                 bool zero_ok, bool raw)
{
	const struct reg *r = &cur_regs(v)[regno];
	struct frame *f = stack_frame(v, r);
	bool known = scalar_is_const(&r->s);
	int low, high, err;
	char var[64];

	if (!size && !zero_ok)
		return reject(v, REJECT_ZERO_READ);
	err = check_bounds(v, regno, off, size, access);
	if (err)
		return err;
	if (!known && !v->bypass_spec)
		return reject(v, REJECT_STACK_VAR, regno, tnum_text(r->s.var, var));
	low = (int)r->s.smin + off;
	high = (int)r->s.smax + off + size;
	raw &= known;
	for (int at = low; at < high; at++) {
		struct slot *s = &f->stack[slot_of(at)];
		uint8_t *kind = &s->kind[(-at - 1) % 8];

		if (raw) {
			if (*kind == SLOT_DYNPTR)
				return reject(v, REJECT_DYNPTR_WRITE, at);
			if (is_special(s))
				scrub(s);
			s->spilled.kind = REG_NONE;
			*kind = SLOT_MISC;
			scratch_slot(v, slot_of(at));
			continue;
		}
		if (*kind == SLOT_MISC)
			continue;
		if (*kind == SLOT_ZERO || (*kind == SLOT_INVALID && v->allow_uninit_stack)) {
			if (access == ACCESS_WRITE)
				*kind = SLOT_MISC;
			continue;
		}
		if (slot_is_spill(s) && (s->spilled.kind == REG_SCALAR || v->allow_ptr_leaks)) {
			if (access == ACCESS_WRITE) {
				reg_set_unknown(&s->spilled);
				scrub(s);
			}
			continue;
		}
		if (known)
			return reject(v, REJECT_STACK_HELPER, regno, low, at - low, size);
		return reject(v, REJECT_STACK_HELPER_VAR, regno, tnum_text(r->s.var, var), at - low,
		              size);
	}
	if (!raw && high > low)
		live_stack_read(v, f->number, v->pc, slots_between(low, high));
	return 0;
}

static int read_variable(struct verifier *v, uint32_t pc, unsigned regno, int off, unsigned size,
                         int value)
{
	const struct reg *r = &cur_regs(v)[regno];
	struct frame *f = stack_frame(v, r);
	int low = (int)r->s.smin + off, high = (int)r->s.smax + off + (int)size;
	bool zero = true;
	int err = stack_helper(v, regno, off, (int)size, ACCESS_READ, false, false);

	(void)pc;
	for (int at = low; !err && at < high; at++)
		zero &= f->stack[slot_of(at)].kind[(-at - 1) % 8] == SLOT_ZERO;
	if (err || value < 0)
		return err;
	if (zero)
		reg_set_const(&cur_regs(v)[value], 0);
	else
		reg_set_unknown(&cur_regs(v)[value]);
	return 0;
}

int stack_access(struct verifier *v, uint32_t pc, unsigned regno, int off, unsigned size,
                 enum access access, int value)
{
	const struct reg *r = &cur_regs(v)[regno];
	bool known = scalar_is_const(&r->s);
	int err = check_bounds(v, regno, off, (int)size, access), fixed = off + (int)r->s.var.value;
	char var[64];

	if (err)
		return err;
	if (access == ACCESS_READ && value < 0 && !known)
		return reject(v, REJECT_STACK_VAR_HELPER, tnum_text(r->s.var, var), off, size);
	if (!known && !v->bypass_spec)
		return reject(v, REJECT_STACK_VAR, regno, tnum_text(r->s.var, var));
	if (access == ACCESS_READ)
		return known ? read_fixed(v, pc, stack_frame(v, r), fixed, size, value)
		             : read_variable(v, pc, regno, off, size, value);
	return known ? write_fixed(v, pc, stack_frame(v, r), fixed, size, value)
	             : write_variable(v, pc, r, off, size, value);
}
