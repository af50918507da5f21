/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a verifier's log (level 1, Skep's or the kernel's) for what people want to know: which source line,
 * which register, where its value came from.
 *
 *   ; return v->count; @ prog.c:12                  a source line, before its instructions
 *   7: (79) r1 = *(u64 *)(r0 +0)                    an instruction, maybe with "; R0=... R1=..."
 *   R0 invalid mem access 'map_value_or_null'       the reason, last
 *   from 5 to 9: R0=...                             another way begins
 *
 * Only the way that was followed last matters: it begins at the last "from X to Y:" line, and before that
 * at the branch X of the way before. The reason is the last line that reject.def knows; where the line
 * before is one, too, that one has the numbers ("Unreleased reference id=3 alloc_insn=7").
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <skep.h>

#include "cli/explain.h"

/* An instruction of the log. */
struct step {
	struct place_in_source at;
	int writes; /* the register it writes, or -1 */
	char state[400]; /* what stands behind ";" */
};

struct reader {
	struct diagnosis *d;
	struct place_in_source source; /* the line that instructions belong to now */
	struct step *steps;
	size_t n, cap;
	bool reasoned; /* the line before was a reason */
};

static bool is_statistics(const char *line)
{
	return !strncmp(line, "processed ", 10) || !strncmp(line, "verification time ", 18) ||
	       !strncmp(line, "stack depth ", 12) || !strncmp(line, "mark_precise", 12) ||
	       !strncmp(line, "Live regs", 9);
}

/* "; TEXT @ FILE:LINE" */
static void read_source(struct reader *r, const char *line)
{
	const char *at = NULL, *colon;

	for (const char *p = strstr(line, " @ "); p; p = strstr(p + 1, " @ "))
		at = p;
	r->source = (struct place_in_source){0};
	if (!at) {
		snprintf(r->source.text, sizeof(r->source.text), "%.159s", line + 2);
		return;
	}
	colon = strrchr(at, ':');
	snprintf(r->source.text, sizeof(r->source.text), "%.*s", (int)(at - line - 2), line + 2);
	if (colon) {
		snprintf(r->source.file, sizeof(r->source.file), "%.*s", (int)(colon - at - 3), at + 3);
		r->source.line = (unsigned)strtoul(colon + 1, NULL, 10);
	}
}

/* Which register an instruction's text writes: "r1 = ...", "w3 += ...", a call r0. */
static int written(const char *code)
{
	if (!strncmp(code, "call ", 5))
		return 0;
	if ((code[0] == 'r' || code[0] == 'w') && isdigit((unsigned char)code[1])) {
		size_t len = strcspn(code, " ");

		if (strchr(code + len, '='))
			return atoi(code + 1);
	}
	return -1;
}

/* "7: (79) r1 = ...  ; R0=..." */
static bool read_insn(struct reader *r, const char *line)
{
	char *end;
	unsigned long insn = strtoul(line, &end, 10);
	const char *code, *state, *jump;
	struct step *s;
	size_t len;

	if (end == line || end[0] != ':' || end[1] != ' ' || end[2] != '(')
		return false;
	code = strchr(end, ')');
	if (!code)
		return false;
	code += 1 + strspn(code + 1, " ");
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 256;
		r->steps = realloc(r->steps, r->cap * sizeof(*r->steps));
		if (!r->steps)
			abort();
	}
	s = &r->steps[r->n++];
	*s = (struct step){.at = r->source, .writes = written(code)};
	s->at.insn = (unsigned)insn;
	state = strstr(code, " ;");
	len = state ? (size_t)(state - code) : strlen(code);
	jump = strstr(code, "goto pc");
	if (jump && jump < code + len) /* in loops a state stands behind it */
		len = (size_t)(jump - code) + 8 + strspn(jump + 8, "0123456789");
	snprintf(s->at.code, sizeof(s->at.code), "%.*s", (int)len, code);
	for (len = strlen(s->at.code); len && s->at.code[len - 1] == ' ';)
		s->at.code[--len] = '\0';
	if (state)
		snprintf(s->state, sizeof(s->state), "%s", state + 2);
	return true;
}

/* "from X to Y: ...": what was followed behind X is not on this way. */
static bool read_from(struct reader *r, const char *line)
{
	unsigned from, to;

	if (sscanf(line, "from %u to %u", &from, &to) != 2)
		return false;
	while (r->n && r->steps[r->n - 1].at.insn != from)
		r->n--;
	if (r->n && strchr(line, ':'))
		snprintf(r->steps[r->n - 1].state, sizeof(r->steps[0].state), "%.399s",
		         strchr(line, ':') + 1);
	return true;
}

/* A reason, or (until there is one) any other line. */
static void read_reason(struct reader *r, const char *line)
{
	struct diagnosis *d = r->d;
	unsigned code = skep_reject_code(line);

	if (!code && d->code)
		return;
	d->detail[0] = '\0';
	if (r->reasoned)
		snprintf(d->detail, sizeof(d->detail), "%s", d->reason);
	snprintf(d->reason, sizeof(d->reason), "%.511s", line);
	d->code = code;
	r->reasoned = code != 0;
}

static void read_line(struct reader *r, const char *line)
{
	struct diagnosis *d = r->d;
	unsigned long long us;

	sscanf(line, "processed %u insns (limit %*u) max_states_per_insn %*u total_states %u",
	       &d->processed, &d->states);
	if (sscanf(line, "verification time %llu usec", &us) == 1)
		d->us = us;
	if (!*line || is_statistics(line))
		return;
	if (line[0] == ';' && line[1] == ' ')
		read_source(r, line);
	else if (!read_insn(r, line) && !read_from(r, line))
		return read_reason(r, line);
	r->reasoned = false;
	d->code = 0; /* what comes later is the reason */
}

/* How long "R1=scalar(umax=7,var_off=(0x0; 0x7))" is: to the blank outside of parentheses. */
static int value_length(const char *at)
{
	int len = 0, depth = 0;

	for (; at[len] && (at[len] != ' ' || depth); len++)
		depth += (at[len] == '(') - (at[len] == ')');
	return len;
}

/* The last "R1=..." of the first n steps that says what the register holds behind them, or "". */
static void value_behind(const struct reader *r, size_t n, int reg, char *buf, size_t size)
{
	char name[16];

	buf[0] = '\0';
	snprintf(name, sizeof(name), "R%d", reg);
	for (size_t i = n; i-- > 0;) {
		const char *at = r->steps[i].state;

		while ((at = strstr(at, name)) && (at[strlen(name)] != '=' && at[strlen(name)] != '_'))
			at++;
		if (at) {
			snprintf(buf, size, "%.*s", value_length(at), at);
			return;
		}
		if (r->steps[i].writes == reg)
			return;
	}
}

/* "r6 = r0": the value is older. */
static bool is_move(const char *code, int *from)
{
	int end = 0;

	return sscanf(code, "r%*d = r%d%n", from, &end) == 1 && !code[end];
}

/* Where the register's value came from: its last writer, and what that one changed. */
static void find_steps(struct diagnosis *d, const struct reader *r)
{
	int reg = d->reg;

	for (size_t i = r->n; i-- > 0 && reg >= 0 && d->nsteps < DIAGNOSIS_STEPS;) {
		const struct step *s = &r->steps[i];
		int from;

		if (s->writes != reg || i + 1 == r->n)
			continue;
		if (is_move(s->at.code, &from)) {
			reg = from;
			continue;
		}
		d->steps[d->nsteps++] = s->at;
		if (!strchr(s->at.code, '=') || strstr(s->at.code, " = "))
			break;
	}
}

/* Which register the reason is about: "R3 ...", or the one of "arg#0" and other ways to name arguments. */
static int named_register(const char *reason)
{
	static const struct {
		const char *word;
		int first;
	} words[] = {{"helper arg", 0}, {"trusted arg", 1}, {"arg#", 1}, {"as arg #", 1}, {"arg ", 0}};

	for (const char *at = reason; (at = strchr(at, 'R')); at++)
		if (isdigit((unsigned char)at[1]) && (at == reason || at[-1] == ' ' || at[-1] == '('))
			return atoi(at + 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *at = strstr(reason, words[i].word);

		if (at && isdigit((unsigned char)at[strlen(words[i].word)]))
			return atoi(at + strlen(words[i].word)) + words[i].first;
	}
	return -1;
}

/* What an instruction works on: "r1 += r0", "r1 = *(u8 *)(r6 +3)": r0, r6. */
static int used_register(const char *code)
{
	const char *at = strstr(code, "(r");
	int reg = -1, end = 0;

	if (at)
		return isdigit((unsigned char)at[2]) ? atoi(at + 2) : -1;
	if (sscanf(code, "r%*d %*[^ ] r%d%n", &reg, &end) == 1 && !code[end])
		return reg;
	return -1;
}

static bool is_call(const struct step *s)
{
	return !strncmp(s->at.code, "call ", 5);
}

/* A call that makes pointers void, by its name in the log or in the source. */
static bool makes_void(const struct step *s)
{
	static const char *const words[] = {
		"release", "submit", "discard", "drop", "unlock", "adjust", "change", "pull", "push",
		"store_bytes", "xchg", "rbtree_add", "restore", "clone_redirect", "encap",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(s->at.code, words[i]) || strstr(s->at.text, words[i]))
			return true;
	return false;
}

/*
 * A pointer that became a number without being written: a call since did it, by releasing it, by changing
 * the packet or by leaving a lock. The last one that is known to do such things, or else simply the last.
 */
static void find_loss(struct diagnosis *d, const struct reader *r)
{
	bool unset = strstr(d->reason, "!read_ok"), sure = false;
	int reg = d->reg, from;
	char was[200];

	if (unset && (reg > 5 || !reg))
		return;
	if (!unset && !strstr(d->reason, "'scalar'") && !strstr(d->reason, "type=scalar") &&
	    !strstr(d->reason, "referenced or trusted"))
		return;
	for (size_t i = r->n ? r->n - 1 : 0; i-- > 0 && !sure;) {
		const struct step *s = &r->steps[i];

		if (s->writes == reg && is_move(s->at.code, &from))
			reg = from;
		else if (s->writes == reg)
			break;
		if (!is_call(s))
			continue;
		value_behind(r, i, reg, was, sizeof(was));
		if (!unset && (!was[0] || strstr(was, "scalar") || !strpbrk(was, "abcdefghijklmnopqrstuvwxyz")))
			continue;
		sure = unset || makes_void(s);
		if (sure || !d->was_lost)
			d->lost = s->at;
		d->was_lost = true;
	}
	if (d->was_lost)
		snprintf(d->known, sizeof(d->known), "R%d=%s", d->reg, unset ? "nothing" : "scalar()");
}

/* "alloc_insn=7": who acquired what was not released. */
static void find_acquirer(struct diagnosis *d, const struct reader *r)
{
	const char *at = strstr(d->detail, "alloc_insn=");
	unsigned insn = at ? (unsigned)atoi(at + strlen("alloc_insn=")) : 0;

	for (size_t i = r->n; at && i-- > 0;)
		if (r->steps[i].at.insn == insn) {
			d->steps[d->nsteps++] = r->steps[i].at;
			return;
		}
}

/* "R0 invalid mem access 'map_value_or_null'" says itself what was known. */
static void known_from_reason(struct diagnosis *d)
{
	const char *from = strchr(d->reason, '\''), *to = from ? strchr(from + 1, '\'') : NULL;

	if (!d->known[0] && to && to > from + 1 && strstr(d->reason, "invalid mem access"))
		snprintf(d->known, sizeof(d->known), "R%d=%.*s", d->reg, (int)(to - from - 1), from + 1);
}

static void find_conditions(struct diagnosis *d, const struct reader *r)
{
	for (size_t i = r->n; i-- > 0;) {
		const struct step *s = &r->steps[i];

		if (strncmp(s->at.code, "if ", 3))
			continue;
		if (d->branches < DIAGNOSIS_CONDITIONS && i + 1 < r->n) {
			struct condition *c = &d->conditions[d->branches];

			c->at = s->at;
			c->jumped = r->steps[i + 1].at.insn != s->at.insn + 1;
		}
		d->branches += i + 1 < r->n;
	}
}

void diagnose(const char *log, struct diagnosis *d)
{
	struct reader r = {.d = d};
	char line[1024];
	const char *next;

	*d = (struct diagnosis){.reg = -1};
	for (; *log; log = next) {
		size_t len = strcspn(log, "\n");

		next = log + len + (log[len] == '\n');
		snprintf(line, sizeof(line), "%.*s", (int)len, log);
		read_line(&r, line);
	}
	d->code = skep_reject_code(d->reason);
	d->reg = named_register(d->reason);
	if (d->reg < 0)
		d->reg = named_register(d->detail);
	find_conditions(d, &r);
	if (r.n) {
		d->placed = true;
		d->at = r.steps[r.n - 1].at;
		if (d->reg < 0)
			d->reg = used_register(d->at.code);
	}
	if (d->reg >= 0) {
		value_behind(&r, r.n, d->reg, d->known, sizeof(d->known));
		known_from_reason(d);
		find_loss(d, &r);
		find_steps(d, &r);
	}
	if (!d->nsteps)
		find_acquirer(d, &r);
	free(r.steps);
}

/* --- Columns ---------------------------------------------------------------------------------- */

struct ext_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, func_off, func_len, line_off, line_len;
};

/*
 * The column of the last record of a line number, (offset, file, text, line << 10 | column), in the text as
 * logs print it: without the blanks that it begins with.
 */
static unsigned column_of(const uint8_t *at, const uint8_t *end, uint32_t record, unsigned line,
                          const struct btf *btf)
{
	unsigned column = 0;
	uint32_t head[2];

	if (!line)
		return 0;
	while ((size_t)(end - at) >= sizeof(head)) {
		memcpy(head, at, sizeof(head));
		at += sizeof(head);
		for (uint32_t i = 0; i < head[1] && (size_t)(end - at) >= record; i++, at += record) {
			const char *text;
			uint32_t r[4];
			size_t indent;

			memcpy(r, at, sizeof(r));
			text = r[3] >> 10 == line ? btf__name_by_offset(btf, r[2]) : NULL;
			if (!text)
				continue;
			indent = strspn(text, " \t");
			column = (r[3] & 1023) > indent ? (r[3] & 1023) - (unsigned)indent : 0;
		}
	}
	return column;
}

void diagnose_columns(struct diagnosis *d, const struct btf *btf, const void *btf_ext, size_t len)
{
	const uint8_t *at = btf_ext, *end;
	struct ext_header h;
	uint32_t record;

	if (len < sizeof(h) || !d->placed)
		return;
	memcpy(&h, at, sizeof(h));
	if (h.hdr_len > len || h.line_off > len - h.hdr_len || h.line_len > len - h.hdr_len - h.line_off ||
	    h.line_len < sizeof(record))
		return;
	at += h.hdr_len + h.line_off;
	memcpy(&record, at, sizeof(record));
	if (record < 16 || record > 4096)
		return;
	end = at + h.line_len;
	at += sizeof(record);
	d->at.column = column_of(at, end, record, d->at.line, btf);
	d->lost.column = column_of(at, end, record, d->lost.line, btf);
	for (unsigned i = 0; i < d->nsteps; i++)
		d->steps[i].column = column_of(at, end, record, d->steps[i].line, btf);
	for (unsigned i = 0; i < DIAGNOSIS_CONDITIONS; i++)
		d->conditions[i].at.column = column_of(at, end, record, d->conditions[i].at.line, btf);
}
