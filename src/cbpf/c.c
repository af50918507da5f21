/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters as C writes them: rows of tcpdump -dd and of BPF_STMT and BPF_JUMP, in any mixture.
 *
 *   struct sock_filter code[] = {            this line is optional
 *           BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
 *           { 0x15, 0, 1, 0x00000800 },
 *   };
 *
 * Values are numbers and names.def, joined by | and +.
 */
#include <errno.h>

#include "cbpf/scan.h"

static const struct {
	const char *name;
	uint32_t value;
} names[] = {
#define NAME(name, value) {#name, value},
#include "cbpf/names.def"
#undef NAME
#define EXT(op, at, macro, ...) {#macro, at},
#include "cbpf/ext.def"
#undef EXT
};

static int read_name(struct scan *s, uint32_t *to)
{
	struct word w;
	char room[32];
	const char *near = scan_near(s, room);
	unsigned line = s->line, column = scan_column(s);

	if (!scan_word(s, &w))
		return scan_number(s, to);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (word_is(&w, names[i].name)) {
			*to = names[i].value;
			return 0;
		}
	return scan_fail_at(s, line, column, "%s is no constant of classic BPF: give its number", near);
}

static int read_term(struct scan *s, uint32_t *to)
{
	int err;

	if (!scan_char(s, '('))
		return read_name(s, to);
	/* One level: more has no use, and depth is the writer's to choose. */
	err = read_name(s, to);
	while (!err && !scan_char(s, ')')) {
		uint32_t more;
		bool plus = scan_char(s, '+');

		err = plus ? 0 : scan_want(s, '|', "between constants");
		if (!err)
			err = read_name(s, &more);
		if (!err)
			*to = plus ? *to + more : *to | more;
	}
	return err;
}

static int read_value(struct scan *s, uint32_t *to)
{
	uint32_t more;
	int err = read_term(s, to);

	while (!err) {
		bool plus = scan_char(s, '+');

		if (!plus && !scan_char(s, '|'))
			break;
		err = read_term(s, &more);
		if (!err)
			*to = plus ? *to + more : *to | more;
	}
	return err;
}

/* Values between commas up to the character `end`; most[i] is the largest that fits. */
static int read_values(struct scan *s, uint32_t *v, unsigned n, char end)
{
	static const uint32_t most[4] = {0xffff, 0xff, 0xff, UINT32_MAX};
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		unsigned field = n == 2 ? i * 3 : i; /* code, k */

		err = i ? scan_want(s, ',', "between the fields of an instruction") : 0;
		if (!err)
			err = read_value(s, &v[i]);
		if (!err && v[i] > most[field])
			err = scan_fail(s, "0x%x in front of this is more than %u", v[i], most[field]);
	}
	return err ? err : scan_want(s, end, "behind the fields of an instruction");
}

static int read_row(struct scan *s, struct skep_cbpf_insn *i)
{
	uint32_t v[4] = {0};
	char room[32];
	int err;

	if (scan_is(s, "BPF_STMT")) {
		err = scan_want(s, '(', "behind BPF_STMT");
		if (!err)
			err = read_values(s, v, 2, ')');
		*i = (struct skep_cbpf_insn){(uint16_t)v[0], 0, 0, v[1]};
		return err;
	}
	if (scan_is(s, "BPF_JUMP")) {
		err = scan_want(s, '(', "behind BPF_JUMP");
		if (!err)
			err = read_values(s, v, 2, ','); /* code and k ... */
		if (!err)
			err = read_value(s, &v[2]);
		if (!err)
			err = scan_want(s, ',', "between the fields of an instruction");
		if (!err)
			err = read_value(s, &v[3]);
		if (!err && (v[2] > 255 || v[3] > 255))
			err = scan_fail(s, "a jump of %u, the most is 255", v[2] > v[3] ? v[2] : v[3]);
		*i = (struct skep_cbpf_insn){(uint16_t)v[0], (uint8_t)v[2], (uint8_t)v[3], v[1]};
		return err ? err : scan_want(s, ')', "behind the fields of an instruction");
	}
	if (!scan_char(s, '{'))
		return scan_fail(s, "BPF_STMT, BPF_JUMP or { is wanted, here is %s", scan_near(s, room));
	err = read_values(s, v, 4, '}');
	*i = (struct skep_cbpf_insn){(uint16_t)v[0], (uint8_t)v[1], (uint8_t)v[2], v[3]};
	return err;
}

/* `struct sock_filter code[] = {`. */
static int skip_declaration(struct scan *s, bool *declared)
{
	struct scan before = *s;
	struct word w;

	*declared = scan_word(s, &w) && !word_is(&w, "BPF_STMT") && !word_is(&w, "BPF_JUMP");
	if (!*declared) {
		*s = before;
		return 0;
	}
	while (scan_more(s) && !scan_char(s, '='))
		s->at++;
	return scan_want(s, '{', "behind = of the declaration");
}

int c_read(struct scan *s, struct program *p)
{
	struct skep_cbpf_insn i;
	bool declared;
	int err = skip_declaration(s, &declared);
	char room[32];

	while (!err && scan_more(s) && *s->at != '}') {
		err = read_row(s, &i);
		if (!err)
			err = program_add(p, s, i);
		if (!err && !scan_char(s, ',') && scan_more(s) && *s->at != '}')
			err = scan_fail(s, "a comma is wanted between instructions, here is %s",
			                scan_near(s, room));
	}
	if (!err && declared) {
		err = scan_want(s, '}', "at the end of the declaration");
		scan_char(s, ';');
	}
	if (!err && scan_more(s))
		err = scan_fail(s, "%s stands behind the filter", scan_near(s, room));
	return err;
}
