/* SPDX-License-Identifier: BSD-2-Clause */
/* Operands of asm and of tcpdump -d, which differ in how they name extensions. */
#include <errno.h>

#include "cbpf/scan.h"

static bool is_x(struct scan *s)
{
	struct scan before = *s;

	scan_char(s, '%');
	if (scan_is(s, "x"))
		return true;
	*s = before;
	return false;
}

static bool is_a(struct scan *s)
{
	struct scan before = *s;

	scan_char(s, '%');
	if (scan_is(s, "a"))
		return true;
	*s = before;
	return false;
}

/* Takes the name of an extension: EXT_COUNT, and nothing taken, when there is none. */
static enum cbpf_ext take_ext(struct scan *s, bool in_list)
{
	for (unsigned e = 0; e < EXT_COUNT; e++) {
		const struct cbpf_ext_info *info = &cbpf_ext_info[e];

		if (in_list ? scan_is(s, info->listed) : false)
			return (enum cbpf_ext)e;
		for (unsigned i = 0; i < 3 && !in_list; i++)
			if (info->names[i] && scan_is(s, info->names[i]))
				return (enum cbpf_ext)e;
	}
	return EXT_NONE;
}

/* [k], [x + k], in lists [extension]. Behind the bracket. */
static int read_bracket(struct scan *s, bool in_list, enum cbpf_operand *kind, uint32_t *k)
{
	enum cbpf_ext ext = in_list ? take_ext(s, true) : EXT_NONE;
	bool minus;
	int err = 0;

	*kind = OPERAND_ABS;
	*k = 0;
	if (ext != EXT_NONE) {
		*k = AD_OFF + cbpf_ext_info[ext].ad;
	} else if (is_x(s)) {
		*kind = OPERAND_IND;
		minus = scan_char(s, '-');
		if (minus || scan_char(s, '+'))
			err = scan_number(s, k);
		if (minus)
			*k = -*k;
	} else {
		err = scan_number(s, k);
	}
	return err ? err : scan_want(s, ']', "behind the offset");
}

/* 4*([k]&0xf) behind the 4. */
static int read_msh(struct scan *s, uint32_t *k)
{
	static const char before[] = "*([", after[] = "]&";
	uint32_t mask;
	int err = 0;

	for (const char *c = before; *c && !err; c++)
		err = scan_want(s, *c, "in 4*([k]&0xf)");
	if (!err)
		err = scan_number(s, k);
	for (const char *c = after; *c && !err; c++)
		err = scan_want(s, *c, "in 4*([k]&0xf)");
	if (!err)
		err = scan_number(s, &mask);
	if (!err && mask != 0xf)
		err = scan_fail(s, "in 4*([k]&0xf): the mask is 0xf");
	return err ? err : scan_want(s, ')', "in 4*([k]&0xf)");
}

static int read_named(struct scan *s, bool in_list, enum cbpf_operand *kind, uint32_t *k)
{
	enum cbpf_ext ext;
	char room[32];

	if (scan_is(s, "len") || scan_is(s, "pktlen")) {
		*kind = OPERAND_LEN;
		return 0;
	}
	ext = in_list ? EXT_NONE : take_ext(s, false);
	if (ext == EXT_NONE)
		return scan_fail(s, "%s is no operand: #k, [k], [x + k], M[k], x, a, 4*([k]&0xf), or the name "
		                 "of an extension", scan_near(s, room));
	*kind = OPERAND_ABS;
	*k = AD_OFF + cbpf_ext_info[ext].ad;
	return 0;
}

int operand_read(struct scan *s, bool in_list, enum cbpf_operand *kind, uint32_t *k)
{
	int err;

	*k = 0;
	if (scan_char(s, '#')) {
		if (scan_more(s) && ((*s->at >= '0' && *s->at <= '9') || *s->at == '-')) {
			*kind = OPERAND_K;
			return scan_number(s, k);
		}
		return read_named(s, in_list, kind, k);
	}
	if (scan_char(s, '['))
		return read_bracket(s, in_list, kind, k);
	if (scan_char(s, '4')) {
		*kind = OPERAND_MSH;
		return read_msh(s, k);
	}
	if (scan_is(s, "m")) {
		*kind = OPERAND_MEM;
		err = scan_want(s, '[', "behind M");
		if (!err)
			err = scan_number(s, k);
		return err ? err : scan_want(s, ']', "behind M[k");
	}
	*kind = is_x(s) ? OPERAND_X : is_a(s) ? OPERAND_A : OPERAND_NONE;
	return *kind == OPERAND_NONE ? read_named(s, in_list, kind, k) : 0;
}
