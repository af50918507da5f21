/* SPDX-License-Identifier: BSD-2-Clause */
/* skep filter: a filter in one of its forms, as eBPF, as machine code. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/filter.h"
#include "isa/text.h"

static const char *helper(void *arg, int32_t id)
{
	return skep_helper_name(id);
}

static int show_ebpf(const struct filter *f, const char *name)
{
	static const struct disasm_names names = {.helper = helper};
	static const struct {
		const char *name;
		enum skep_cbpf_target target;
	} targets[] = {{"tc", SKEP_CBPF_TO_TC}, {"socket", SKEP_CBPF_TO_SOCKET}, {"linear", SKEP_CBPF_TO_LINEAR}};
	enum skep_cbpf_target target = f->kind == SKEP_CBPF_SECCOMP ? SKEP_CBPF_TO_SECCOMP : SKEP_CBPF_TO_TC;
	struct skep_cbpf_error e = {0};
	struct skep_cbpf_packet none;
	struct buf text = {0};
	void *code;
	size_t n;
	int err;

	for (size_t i = 0; i < 3; i++)
		if (!strcmp(targets[i].name, name))
			target = targets[i].target;
	skep_cbpf_packet_init(&none, "", 0, 0, f->link_type);
	err = skep_cbpf_translate(f->insns, f->n, target, none.hatype, &code, &n, &e);
	if (err)
		return fail(err == -EINVAL ? EXIT_UNSUPPORTED : EXIT_FAILED, "%s: %s", f->name,
		            *e.text ? e.text : strerror(-err));
	for (size_t pc = 0; pc < n;) {
		buf_printf(&text, "%4zu: ", pc);
		pc += disasm_insn(&text, code, pc, n, &names);
		buf_puts(&text, "\n");
	}
	if (!text.failed)
		fwrite(text.data, 1, text.len, stdout);
	err = text.failed ? fail(EXIT_FAILED, "out of memory") : 0;
	buf_free(&text);
	free(code);
	return err;
}

/* The machine code, 16 bytes a line, for a disassembler: `xxd -r -p` makes it binary again. */
static int show_jited(const struct filter *f)
{
	const struct skep_options options = {.size = sizeof(options)};
	struct skep_cbpf_error e = {0};
	struct skep_filter *filter;
	const uint8_t *code;
	struct skep *k;
	size_t size;
	int err = skep_new(&options, &k);

	if (err)
		return fail(EXIT_FAILED, "no kernel: %s", strerror(-err));
	err = skep_filter_new(k, f->insns, f->n, f->kind, f->link_type, &filter, &e);
	if (err) {
		skep_free(k);
		return fail(EXIT_FAILED, "%s: %s", f->name, *e.text ? e.text : strerror(-err));
	}
	code = skep_prog_code(skep_filter_prog(filter), &size);
	err = code ? 0 : fail(EXIT_UNSUPPORTED, "there is no JIT for this machine");
	for (size_t i = 0; i < size && !err; i++)
		printf("%02x%s", code[i], i % 16 == 15 || i + 1 == size ? "\n" : " ");
	skep_filter_free(filter);
	skep_free(k);
	return err;
}

int filter_show(const struct filter_options *o, const struct filter *f)
{
	char *text;
	size_t len;

	if (o->ebpf)
		return show_ebpf(f, o->ebpf);
	if (o->jited)
		return show_jited(f);
	if (skep_cbpf_write(f->insns, f->n, (enum skep_cbpf_form)o->form, &text, &len))
		return fail(EXIT_FAILED, "out of memory");
	fwrite(text, 1, len, stdout);
	free(text);
	return 0;
}
