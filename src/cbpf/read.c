/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters from tcpdump -d, -ddd, xt_bpf and raw bytes; which form a text is in; and skep_cbpf_read(), which
 * hands out to the readers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cbpf/scan.h"

/* --- tcpdump -d ------------------------------------------------------------------------------ */

/* `jt 3	jf 5`: absolute targets. */
static int list_targets(struct scan *s, size_t pc, struct skep_cbpf_insn *i)
{
	static const char *const names[2] = {"jt", "jf"};
	uint32_t to[2] = {0};
	char room[32];
	int err;

	for (unsigned t = 0; t < 2; t++) {
		if (!scan_is(s, names[t]))
			return scan_fail(s, "'%s' is wanted, here is %s", names[t], scan_near(s, room));
		err = scan_number(s, &to[t]);
		if (err)
			return err;
		if (to[t] < pc + 1 || to[t] - (pc + 1) > 255)
			return scan_fail(s, "a jump from %zu to %u: 1 to 256 forward it can be", pc, to[t]);
	}
	i->jt = (uint8_t)(to[0] - (pc + 1));
	i->jf = (uint8_t)(to[1] - (pc + 1));
	return 0;
}

static int list_insn(struct scan *s, size_t pc, struct skep_cbpf_insn *i)
{
	enum cbpf_operand operand = OPERAND_NONE;
	enum cbpf_op op;
	struct word w;
	char room[32];
	int err = 0;

	if (!scan_word(s, &w))
		return scan_fail(s, "an instruction is wanted, here is %s", scan_near(s, room));
	if (word_is(&w, "ja")) {
		err = scan_number(s, &i->k);
		i->k -= (uint32_t)pc + 1;
		operand = OPERAND_TO;
	} else if (scan_more(s) && *s->at != '\n') {
		err = operand_read(s, true, &operand, &i->k);
	} else if (word_is(&w, "ret")) {
		operand = OPERAND_A; /* libpcap prints nothing there */
	}
	if (err)
		return err;
	if (*w.at == 'j' && operand != OPERAND_TO)
		operand = operand == OPERAND_K ? OPERAND_IF_K : operand == OPERAND_X ? OPERAND_IF_X : operand;
	for (op = 0; op < CBPF_OPS; op++)
		if (word_is(&w, cbpf_info[op].name) && cbpf_info[op].operand == operand)
			break;
	if (op == CBPF_OPS)
		return scan_fail(s, "'%.*s' with such an operand is no instruction",
		                 w.len > 24 ? 24 : (int)w.len, w.at);
	i->code = cbpf_info[op].code;
	return cbpf_jumps_if(op) ? list_targets(s, pc, i) : 0;
}

int list_read(struct scan *s, struct program *p)
{
	char room[32];
	int err = 0;

	s->keep_lines = true;
	while (!err && scan_more(s)) {
		struct skep_cbpf_insn i = {0};
		uint32_t number;

		if (scan_char(s, '\n'))
			continue;
		err = scan_want(s, '(', "at the start of a line");
		if (!err && scan_more(s) && *s->at == '0')
			while (s->at + 1 < s->end && *s->at == '0' && s->at[1] >= '0' && s->at[1] <= '9')
				s->at++; /* no octal number */
		if (!err)
			err = scan_number(s, &number);
		if (!err && number != p->n)
			err = scan_fail(s, "this is instruction %zu, not %u", p->n, number);
		if (!err)
			err = scan_want(s, ')', "behind the number of the instruction");
		if (!err)
			err = list_insn(s, p->n, &i);
		if (!err && scan_more(s) && *s->at != '\n')
			err = scan_fail(s, "%s is too much on this line", scan_near(s, room));
		if (!err)
			err = program_add(p, s, i);
	}
	return err;
}

/* --- tcpdump -ddd, xt_bpf -------------------------------------------------------------------- */

static int number_in(struct scan *s, uint32_t most, uint32_t *to)
{
	int err = scan_number(s, to);

	if (!err && *to > most)
		err = scan_fail(s, "%u in front of this is more than %u", *to, most);
	return err;
}

/* How many, then four numbers each; commas are optional. */
int numbers_read(struct scan *s, struct program *p)
{
	static const uint32_t most[4] = {0xffff, 0xff, 0xff, UINT32_MAX};
	uint32_t n, v[4] = {0};
	char room[32];
	int err = number_in(s, 0xffff, &n);

	while (!err && p->n < n) {
		scan_char(s, ',');
		if (!scan_more(s))
			return scan_fail(s, "%u instructions are announced, there are %zu", n, p->n);
		for (unsigned f = 0; f < 4 && !err; f++)
			err = number_in(s, most[f], &v[f]);
		if (!err)
			err = program_add(p, s, (struct skep_cbpf_insn){(uint16_t)v[0], (uint8_t)v[1],
			                                                (uint8_t)v[2], v[3]});
	}
	if (!err)
		scan_char(s, ',');
	if (!err && scan_more(s))
		err = scan_fail(s, "%u instructions are announced, behind them is %s", n, scan_near(s, room));
	return err;
}

/* --- Any form -------------------------------------------------------------------------------- */

static int raw_read(const void *bytes, size_t len, struct program *p, struct scan *s)
{
	struct skep_cbpf_insn i;
	int err = 0;

	if (len % sizeof(i))
		return scan_fail_at(s, 0, 0, "%zu bytes are no whole number of instructions of 8", len);
	for (size_t at = 0; at < len && !err; at += sizeof(i)) {
		memcpy(&i, (const char *)bytes + at, sizeof(i));
		err = program_add(p, s, i);
	}
	return err;
}

static bool contains(const char *text, size_t len, const char *what)
{
	return memmem(text, len, what, strlen(what)) != NULL;
}

enum skep_cbpf_form skep_cbpf_guess(const void *text, size_t len)
{
	struct scan s;
	const char *line_end;

	/* No text has a byte 0; every filter has one in its first codes. */
	if (len && memchr(text, 0, len))
		return SKEP_CBPF_RAW;
	scan_init(&s, text, len, NULL);
	s.asm_comments = true;
	if (!scan_more(&s))
		return SKEP_CBPF_ASM;
	if (*s.at == '(')
		return SKEP_CBPF_LIST;
	if (contains(text, len, "BPF_STMT") || contains(text, len, "BPF_JUMP"))
		return SKEP_CBPF_MACROS;
	if (*s.at == '{' || scan_is(&s, "struct") || scan_is(&s, "static"))
		return SKEP_CBPF_C;
	if (*s.at < '0' || *s.at > '9')
		return SKEP_CBPF_ASM;
	line_end = memchr(s.at, '\n', (size_t)(s.end - s.at));
	return memchr(s.at, ',', (size_t)((line_end ? line_end : s.end) - s.at)) ? SKEP_CBPF_XT
	                                                                         : SKEP_CBPF_DECIMAL;
}

int skep_cbpf_read(const void *text, size_t len, enum skep_cbpf_form form, struct skep_cbpf_insn **out,
                   size_t *n, struct skep_cbpf_error *error)
{
	struct program p = {0};
	struct scan s;
	int err;

	scan_init(&s, text, len, error);
	switch (form == SKEP_CBPF_ANY ? skep_cbpf_guess(text, len) : form) {
	case SKEP_CBPF_ASM: err = asm_read(&s, &p); break;
	case SKEP_CBPF_LIST: err = list_read(&s, &p); break;
	case SKEP_CBPF_C:
	case SKEP_CBPF_MACROS: err = c_read(&s, &p); break;
	case SKEP_CBPF_DECIMAL:
	case SKEP_CBPF_XT: err = numbers_read(&s, &p); break;
	case SKEP_CBPF_RAW: err = raw_read(text, len, &p, &s); break;
	default: err = scan_fail_at(&s, 0, 0, "there is no such form");
	}
	if (!err && !p.n)
		err = scan_fail_at(&s, 0, 0, "there are no instructions");
	if (err) {
		free(p.insns);
		return err;
	}
	*out = p.insns;
	*n = p.n;
	return 0;
}
