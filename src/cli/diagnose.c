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
 * at the branch X of the way before.
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
	char state[200]; /* what stands behind ";" */
};

struct reader {
	struct diagnosis *d;
	struct place_in_source source; /* the line that instructions belong to now */
	struct step *steps;
	size_t n, cap;
};

static bool is_statistics(const char *line)
{
	return !strncmp(line, "processed ", 10) || !strncmp(line, "verification time ", 18) ||
	       !strncmp(line, "stack depth ", 12) || !strncmp(line, "mark_precise", 12) ||
	       !strncmp(line, "arg#", 4) || !strncmp(line, "Live regs", 9);
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
	const char *code, *state;
	struct step *s;

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
	state = strstr(code, " ; ");
	snprintf(s->at.code, sizeof(s->at.code), "%.*s",
	         (int)(state ? (size_t)(state - code) : strlen(code)), code);
	for (size_t len = strlen(s->at.code); len && s->at.code[len - 1] == ' ';)
		s->at.code[--len] = '\0';
	if (state)
		snprintf(s->state, sizeof(s->state), "%s", state + 3);
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
	return true;
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
		snprintf(d->reason, sizeof(d->reason), "%.511s", line);
}

/* The last "R1=..." of the steps that says what the register holds. */
static void find_known(struct diagnosis *d, const struct reader *r)
{
	char name[8];

	snprintf(name, sizeof(name), "R%d", d->reg);
	for (size_t i = r->n; i-- > 0;) {
		const char *at = r->steps[i].state;

		while ((at = strstr(at, name)) && (at[strlen(name)] != '=' && at[strlen(name)] != '_'))
			at++;
		if (at) {
			snprintf(d->known, sizeof(d->known), "%.*s", (int)strcspn(at, " "), at);
			return;
		}
		if (r->steps[i].writes == d->reg)
			return;
	}
}

/* Where the register's value came from: its last writer, and what that one copied. */
static void find_steps(struct diagnosis *d, const struct reader *r)
{
	int reg = d->reg;

	for (size_t i = r->n; i-- > 0 && reg >= 0 && d->nsteps < DIAGNOSIS_STEPS;) {
		const struct step *s = &r->steps[i];
		int from;

		if (s->writes != reg || i + 1 == r->n)
			continue;
		d->steps[d->nsteps++] = s->at;
		if (sscanf(s->at.code, "%*c%*d = r%d", &from) == 1)
			reg = from;
		else if (strchr(s->at.code, '=') && !strstr(s->at.code, " = "))
			continue; /* r1 += r2: what was there before matters, too */
		else
			break;
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
	for (const char *at = d->reason; (at = strchr(at, 'R')) && d->reg < 0; at++)
		if (isdigit((unsigned char)at[1]) && (at == d->reason || at[-1] == ' ' || at[-1] == '('))
			d->reg = atoi(at + 1);
	for (size_t i = 0; i < r.n; i++)
		d->branches += !strncmp(r.steps[i].at.code, "if ", 3);
	if (r.n) {
		d->placed = true;
		d->at = r.steps[r.n - 1].at;
	}
	if (d->reg >= 0) {
		find_known(d, &r);
		find_steps(d, &r);
	}
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
	const uint8_t *at = btf_ext;
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
	d->at.column = column_of(at + 4, at + h.line_len, record, d->at.line, btf);
	for (unsigned i = 0; i < d->nsteps; i++)
		d->steps[i].column = column_of(at + 4, at + h.line_len, record, d->steps[i].line,
		                               btf);
}
