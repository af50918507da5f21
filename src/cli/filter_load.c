/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters come from files, in any form, and from expressions, by libpcap.
 *
 * libpcap says what is wrong with an expression, but not where. Where a message names a word, that word is
 * looked for. Else the expression is compiled from the left, word by word: the first word that makes it
 * wrong whatever follows is the one, tried with a few things that could follow.
 */
#include <ctype.h>
#include <errno.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/filter.h"

enum { SNAPLEN = 262144 };

/* A link type of captures as libpcap counts them in memory: it knows, when it reads a file's header. */
static int to_dlt(uint32_t link_type)
{
	const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, SNAPLEN, link_type};
	char why[PCAP_ERRBUF_SIZE];
	FILE *file = fmemopen((void *)(uintptr_t)header, sizeof(header), "rb");
	pcap_t *p = file ? pcap_fopen_offline(file, why) : NULL;
	int dlt = p ? pcap_datalink(p) : -1;

	if (p)
		pcap_close(p);
	else if (file)
		fclose(file);
	return dlt;
}

const char *filter_link_name(uint32_t link_type)
{
	return pcap_datalink_val_to_name(to_dlt(link_type));
}

int filter_link(const char *name, uint32_t *link_type)
{
	int dlt = pcap_datalink_name_to_val(name);
	char *end;

	if (dlt < 0) {
		dlt = (int)strtol(name, &end, 10);
		if (end == name || *end || dlt < 0)
			return fail(EXIT_USAGE, "-y: there is no link type '%.40s'; EN10MB is Ethernet, RAW is "
			            "bare IP", name);
	}
	*link_type = dlt == DLT_RAW ? 101 : (uint32_t)dlt; /* the one that differs and is met */
	return 0;
}

/* --- Where an expression is wrong ------------------------------------------------------------ */

static int compile(pcap_t *p, const char *text, bool optimize, struct bpf_program *out)
{
	return pcap_compile(p, out, text, optimize, 0); /* the netmask, as tcpdump has it without a device */
}

/* Could the first len bytes be the beginning of an expression? why: what the whole is said to be. */
static bool could_begin(pcap_t *p, const char *text, size_t len, const char *why)
{
	static const char *const rest[] = {"", " ip", " 1", " port 1", " host 1.2.3.4", " 1.2.3.4", " = 1",
	                                   "] = 1", " 1] = 1", " net 1.2.3.0/24", " 1:2:3:4:5:6", " tcp"};
	size_t size = len + 64, depth = 0;
	struct bpf_program prog;
	char *room = malloc(size + len);
	bool ok = !room;

	/* What is wrong with a value is so without anything behind it. */
	if (room && !strstr(why, "syntax error")) {
		snprintf(room, size, "%.*s", (int)len, text);
		if (compile(p, room, false, &prog)) {
			bool same = !strcmp(pcap_geterr(p), why);

			free(room);
			return !same;
		}
		pcap_freecode(&prog);
	}
	for (size_t i = 0; i < len; i++)
		depth += text[i] == '(' ? 1 : text[i] == ')' && depth ? (size_t)-1 : 0;
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]) && !ok; i++) {
		size_t n = (size_t)snprintf(room, size, "%.*s%s", (int)len, text, rest[i]);

		for (size_t d = 0; d < depth; d++)
			room[n++] = ')';
		room[n] = 0;
		ok = !compile(p, room, false, &prog);
		if (ok)
			pcap_freecode(&prog);
		else
			ok = !strstr(pcap_geterr(p), "syntax error") && !strstr(pcap_geterr(p), "illegal");
	}
	free(room);
	return ok;
}

/* The end of the word that begins at `at`. */
static size_t word_end(const char *text, size_t at)
{
	size_t end = at + 1;

	if (isalnum((unsigned char)text[at]))
		while (isalnum((unsigned char)text[end]) || strchr("._-:/", text[end] ? text[end] : ' '))
			end++;
	return end;
}

/* Byte in the expression that the message is about; its length if that is its end. */
static size_t find_fault(pcap_t *p, const char *text, const char *why)
{
	const char *quote = strpbrk(why, "'\""), *close = quote ? strchr(quote + 1, *quote) : NULL, *hit;
	char word[64] = "";
	size_t at, end;

	if (close && close > quote + 1 && (size_t)(close - quote) <= sizeof(word)) {
		memcpy(word, quote + 1, (size_t)(close - quote) - 1);
		hit = strstr(text, word);
		if (hit)
			return (size_t)(hit - text);
	}
	for (at = 0; text[at]; at = end) {
		end = at + 1;
		if (isspace((unsigned char)text[at]))
			continue;
		end = word_end(text, at);
		if (!could_begin(p, text, end, why))
			return at;
	}
	return at;
}

/* libpcap repeats itself. */
static const char *short_why(const char *why)
{
	static const char *const before[] = {"can't parse filter expression: ",
	                                     "syntax error in filter expression: "};

	for (size_t i = 0; i < 2; i++)
		if (!strncmp(why, before[i], strlen(before[i])))
			return why + strlen(before[i]);
	return why;
}

static int say_fault(pcap_t *p, const char *text)
{
	char why[PCAP_ERRBUF_SIZE];
	size_t at, len;

	snprintf(why, sizeof(why), "%s", pcap_geterr(p));
	at = find_fault(p, text, why);
	len = text[at] ? word_end(text, at) - at : 0;
	if (!len)
		return fail(EXIT_BAD_INPUT, "the expression, at its end (column %zu): %s", at + 1, short_why(why));
	return fail(EXIT_BAD_INPUT, "the expression, at '%.*s' (column %zu): %s", len > 30 ? 30 : (int)len,
	            text + at, at + 1, short_why(why));
}

int filter_compile(const char *expression, bool optimize, struct filter *f)
{
	int dlt = to_dlt(f->link_type), err = 0;
	pcap_t *p = dlt < 0 ? NULL : pcap_open_dead(dlt, SNAPLEN);
	struct bpf_program prog;

	f->name = "the expression";
	if (!p)
		return fail(EXIT_UNSUPPORTED, "libpcap knows no link type %u (%s)", f->link_type,
		            link_type_name(f->link_type));
	if (compile(p, expression, optimize, &prog)) {
		err = say_fault(p, expression);
	} else {
		f->n = prog.bf_len;
		f->insns = calloc(f->n, sizeof(*f->insns));
		if (f->insns)
			memcpy(f->insns, prog.bf_insns, f->n * sizeof(*f->insns));
		else
			err = fail(EXIT_FAILED, "out of memory");
		pcap_freecode(&prog);
	}
	pcap_close(p);
	return err;
}

/* --- Files ----------------------------------------------------------------------------------- */

static int say_error(const struct filter *f, const struct skep_cbpf_error *e)
{
	if (e->line)
		return fail(EXIT_BAD_INPUT, "%s:%u:%u: %s", f->name, e->line, e->column, e->text);
	if (e->insn >= 0)
		return fail(EXIT_BAD_INPUT, "%s: instruction %d: %s", f->name, e->insn, e->text);
	return fail(EXIT_BAD_INPUT, "%s: %s", f->name, e->text);
}

int filter_check(struct filter *f)
{
	struct skep_cbpf_error e = {0};

	return skep_cbpf_check(f->insns, f->n, f->kind, &e) ? say_error(f, &e) : 0;
}

int filter_read(const char *path, enum skep_cbpf_form form, enum skep_cbpf_kind kind, struct filter *f)
{
	struct skep_cbpf_error e = {0};
	uint8_t *data;
	size_t len;
	int err = file_read(path, &data, &len);

	if (err)
		return err;
	f->name = file_name(path);
	f->kind = kind;
	err = skep_cbpf_read(data, len, form, &f->insns, &f->n, &e);
	free(data);
	if (err == -ENOMEM)
		return fail(EXIT_FAILED, "%s: out of memory", f->name);
	return err ? say_error(f, &e) : 0;
}

void filter_free(struct filter *f)
{
	free(f->insns);
	f->insns = NULL;
}
