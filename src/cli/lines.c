/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Source lines of instructions, from the sections .BTF (strings) and .BTF.ext (line records) of an
 * object. Layouts: Documentation/bpf/btf.rst.
 *
 *   .BTF       magic version flags hdr_len | type_off type_len str_off str_len
 *   .BTF.ext   magic version flags hdr_len | func_off func_len line_off line_len
 *                                             offsets count from the header's end
 *   line info  record size, then for each section: name, count, records of
 *              | insn offset in bytes | file | text | line << 10 + column |
 *
 * These are comments for people: where they are damaged, lines are left out and nothing is said.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/code.h"

enum { BTF_MAGIC = 0xeb9f, HEADER_WORDS = 6, MIN_RECORD = 16 };

/* A word of the file; what lies outside reads as 0. */
static uint32_t word_at(struct code_bytes b, uint64_t at)
{
	uint32_t w = 0;

	if (at <= b.len && b.len - at >= sizeof(w))
		memcpy(&w, b.data + at, sizeof(w));
	return w;
}

/* A part of b, cut to what is there. */
static struct code_bytes part(struct code_bytes b, uint64_t at, uint64_t len)
{
	if (at >= b.len)
		return (struct code_bytes){0};
	return (struct code_bytes){b.data + at, len < b.len - at ? len : b.len - at};
}

/* The part that two words of the header describe; hdr_len is the second word. */
static struct code_bytes header_part(struct code_bytes b, unsigned offset_word)
{
	uint64_t at = (uint64_t)word_at(b, 4) + word_at(b, 4 * offset_word);

	if ((word_at(b, 0) & 0xffff) != BTF_MAGIC)
		return (struct code_bytes){0};
	return part(b, at, word_at(b, 4 * offset_word + 4));
}

static const char *string_at(struct code_bytes strings, uint32_t at)
{
	if (at >= strings.len || !memchr(strings.data + at, 0, strings.len - at))
		return "";
	return (const char *)strings.data + at;
}

static int by_slot(const void *a, const void *b)
{
	const struct code_line *f = a, *g = b;

	return f->slot < g->slot ? -1 : f->slot > g->slot;
}

static int add_lines(struct code_section *s, struct code_bytes records, size_t size,
                     struct code_bytes strings)
{
	size_t n = records.len / size;
	struct code_line *lines = realloc(s->lines, (s->nlines + n) * sizeof(*lines) + 1);

	if (!lines)
		return -ENOMEM;
	s->lines = lines;
	for (size_t i = 0; i < n; i++) {
		uint64_t at = i * size;
		uint32_t position = word_at(records, at + 12);

		lines[s->nlines++] = (struct code_line){
			.slot = word_at(records, at) / sizeof(struct insn),
			.file = string_at(strings, word_at(records, at + 4)),
			.text = string_at(strings, word_at(records, at + 8)),
			.line = position >> 10,
			.column = position & 0x3ff,
		};
	}
	if (s->nlines)
		qsort(s->lines, s->nlines, sizeof(*s->lines), by_slot);
	return 0;
}

int code_lines(struct code *c, struct code_bytes btf, struct code_bytes ext)
{
	struct code_bytes strings = header_part(btf, 4), info = header_part(ext, 4);
	uint32_t size = word_at(info, 0);
	uint64_t at = sizeof(size);

	if (size < MIN_RECORD)
		return 0;
	while (info.len > at && info.len - at >= 8) {
		const char *name = string_at(strings, word_at(info, at));
		uint64_t len = (uint64_t)word_at(info, at + 4) * size;
		struct code_bytes records = part(info, at + 8, len);
		size_t i = 0;
		int err = 0;

		while (i < c->n && strcmp(c->sections[i].name, name))
			i++;
		if (i < c->n)
			err = add_lines(&c->sections[i], records, size, strings);
		if (err)
			return err;
		at += 8 + len;
	}
	return 0;
}
