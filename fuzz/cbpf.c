/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF: the bytes are a filter in any form. What is none has a message at a place inside the text; what
 * is one is written in every form and read back; what passes the checker runs on the same bytes as packet,
 * which it must not leave (the packet is an allocation of its size), translated as well, to the same result.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "skep.h"
#include "skep_cbpf.h"

static void check_error(const struct skep_cbpf_error *e, const uint8_t *text, size_t len)
{
	unsigned line = 1;
	size_t at = 0;

	if (!e->text[0])
		abort();
	if (!e->line)
		return;
	for (; line < e->line && at < len; at++)
		line += text[at] == '\n';
	if (line != e->line || !e->column || e->column - 1 > len - at)
		abort();
}

static void rewrite(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_form form)
{
	struct skep_cbpf_insn *back;
	struct skep_cbpf_error e;
	char *text, *again;
	size_t len, m, len2;

	if (skep_cbpf_write(insns, n, form, &text, &len))
		abort();
	if (skep_cbpf_read(text, len, form, &back, &m, &e)) {
		/* The list cannot show everything. */
		if (form != SKEP_CBPF_LIST)
			abort();
	} else {
		if (skep_cbpf_write(back, m, form, &again, &len2))
			abort();
		if (form != SKEP_CBPF_LIST && (len != len2 || memcmp(text, again, len) || m != n))
			abort();
		free(again);
		free(back);
	}
	free(text);
}

static void run(const struct skep_cbpf_insn *insns, size_t n, const uint8_t *data, size_t size)
{
	static struct skep *k;
	static struct skep_cpu *cpu;
	const struct skep_options o = {.size = sizeof(o)};
	uint32_t len = size < 200 ? (uint32_t)size : 200;
	uint8_t *bytes = malloc(len ? len : 1);
	struct skep_cbpf_packet p;
	struct skep_filter *f;
	uint32_t ret;

	if (!bytes)
		return;
	memcpy(bytes, data, len);
	if (!k) {
		if (skep_new(&o, &k))
			abort();
		cpu = skep_cpu_enter(k);
	}
	skep_cbpf_packet_init(&p, bytes, len, len, data[0] & 1 ? 1 : 113);
	ret = skep_cbpf_run(insns, n, SKEP_CBPF_SOCKET, &p);
	/* Random numbers and CPUs differ; see the tests for all else. */
	for (size_t i = 0; i < n; i++)
		if (insns[i].k >= 0xfffff000u) {
			free(bytes);
			return;
		}
	if (n < 64 && !skep_filter_new(k, insns, n, SKEP_CBPF_SOCKET, data[0] & 1 ? 1 : 113, &f, NULL)) {
		if (skep_filter_run(f, bytes, len, len, cpu) != ret)
			abort();
		skep_filter_free(f);
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct skep_cbpf_error e = {0};
	struct skep_cbpf_insn *insns;
	size_t n;

	if (skep_cbpf_read(data, size, SKEP_CBPF_ANY, &insns, &n, &e)) {
		check_error(&e, data, size);
		return 0;
	}
	for (unsigned form = 0; form < SKEP_CBPF_FORMS; form++)
		rewrite(insns, n, form);
	skep_cbpf_check(insns, n, SKEP_CBPF_SECCOMP, &e);
	if (!skep_cbpf_check(insns, n, SKEP_CBPF_SOCKET, &e))
		run(insns, n, data, size);
	free(insns);
	return 0;
}
