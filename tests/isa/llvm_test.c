/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our text against LLVM's: what llvm-objdump prints for the bytes is what disasm_insn() prints, and
 * what llvm-mc makes of our text are the bytes. Where LLVM loses bits (text.h) or does not know an
 * operation, the row is left out, by name. Skipped where LLVM 19's tools are missing.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "isa/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What LLVM 19 cannot print or read as it is. */
static bool llvm_knows(enum op op)
{
	switch (op) {
	case OP_LDDW_MAP_FD: /* printed as ld_pseudo, without the second immediate */
	case OP_LDDW_MAP_VALUE:
	case OP_LDDW_BTF_ID:
	case OP_LDDW_FUNC:
	case OP_LDDW_MAP_IDX:
	case OP_LDDW_MAP_IDX_VALUE:
	case OP_CALL_LOCAL: /* printed like a helper's number */
	case OP_CALL_KFUNC:
	case OP_LOAD_ACQ_B: /* new in LLVM 20 */
	case OP_LOAD_ACQ_H:
	case OP_LOAD_ACQ_W:
	case OP_LOAD_ACQ_DW:
	case OP_STORE_REL_B:
	case OP_STORE_REL_H:
	case OP_STORE_REL_W:
	case OP_STORE_REL_DW:
		return false;
	default:
		return insn_info[op].group != GROUP_INTERNAL;
	}
}

struct program {
	struct insn insns[8192];
	size_t n;
};

static void add_row(struct program *p, enum op op)
{
	static const int16_t offs[] = {0, 8, -8, INT16_MAX, INT16_MIN};
	static const int32_t imms[] = {0, 5, -3, 0x12345, INT32_MAX, INT32_MIN};
	const struct insn_info *row = &insn_info[op];
	unsigned f = row->fields;

	for (unsigned n = 0; n < COUNT(offs) * COUNT(imms); n++) {
		struct insn i[2] = {{.code = row->code}};

		if (f & (INSN_RD | INSN_WD))
			i->dst = n % NREGS & 15;
		if (f & (INSN_RS | INSN_WS))
			i->src = (n / 3 + 7) % NREGS & 15;
		i->off = row->key == KEY_OFF ? (int16_t)row->value : 0;
		i->imm = row->key == KEY_IMM ? (int32_t)row->value : 0;
		if (f & (INSN_OFF | INSN_JOFF))
			i->off = offs[n % COUNT(offs)];
		if (f & (INSN_IMM | INSN_JIMM) && !(f & INSN_RS && row->group == GROUP_PACKET))
			i->imm = imms[n / COUNT(offs)];
		if (op == OP_JAL) /* llvm-mc reads no longer jump as a number */
			i->imm = offs[n % COUNT(offs)];
		/* Small: LLVM prints the others in decimal, we in hexadecimal. */
		if (f & INSN_IMM2)
			i[1].imm = i->imm < 0 ? -1 : 0;
		memcpy(p->insns + p->n, i, insn_slots(op) * sizeof(*i));
		p->n += insn_slots(op);
		if (!(f & (INSN_OFF | INSN_JOFF | INSN_IMM | INSN_JIMM)) && n >= NREGS)
			break;
	}
}

static void make_program(struct program *p)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		if (llvm_knows(op))
			add_row(p, op);
	}
}

static int failures;

static void differ(size_t pc, const char *ours, const char *theirs)
{
	if (failures++ < 20)
		printf("# slot %zu: ours \"%s\", LLVM's \"%s\"\n", pc, ours, theirs);
}

/* A file in the test's directory. */
static void path(char *out, size_t size, const char *dir, const char *name)
{
	snprintf(out, size, "%s/%s", dir, name);
}

static bool run(const char *format, const char *dir)
{
	char command[1024];

	snprintf(command, sizeof(command), format, dir, dir, dir);
	return system(command) == 0;
}

static bool write_file(const char *dir, const char *name, const struct buf *text)
{
	char file[256];
	FILE *f;
	bool ok;

	path(file, sizeof(file), dir, name);
	f = fopen(file, "w");
	if (!f)
		return false;
	ok = fwrite(text->data, 1, text->len, f) == text->len;
	return fclose(f) == 0 && ok;
}

static bool compare_text(const struct program *p, const char *dir)
{
	struct buf source = {0}, line = {0};
	char file[256], theirs[256];
	const unsigned char *bytes = (const unsigned char *)p->insns;
	size_t pc = 0;
	FILE *f;

	buf_puts(&source, ".text\n");
	for (size_t k = 0; k < p->n * sizeof(struct insn); k++)
		buf_printf(&source, ".byte %u\n", bytes[k]);
	if (!write_file(dir, "bytes.s", &source) ||
	    !run("llvm-mc-19 -triple=bpfel -filetype=obj %s/bytes.s -o %s/bytes.o", dir) ||
	    !run("llvm-objdump-19 -d --mcpu=v4 --no-show-raw-insn --no-print-imm-hex %s/bytes.o "
	         ">%s/bytes.txt", dir))
		return false;
	path(file, sizeof(file), dir, "bytes.txt");
	f = fopen(file, "r");
	while (f && fgets(theirs, sizeof(theirs), f)) {
		char *text, *symbol;
		unsigned long at = strtoul(theirs, &text, 10);

		if (strncmp(text, ":\t", 2))
			continue;
		text += 2;
		text[strcspn(text, "\n")] = '\0';
		symbol = strstr(text, " <.text");
		if (symbol)
			*symbol = '\0';
		line.len = 0;
		if (pc != at)
			differ(pc, "(numbering)", theirs);
		if (pc < p->n)
			pc += disasm_insn(&line, p->insns, pc, p->n, NULL);
		if (strcmp(line.data, text))
			differ(pc, line.data, text);
	}
	if (f)
		fclose(f);
	buf_free(&source);
	buf_free(&line);
	if (pc != p->n)
		differ(pc, "(more)", "(end)");
	return !failures;
}

static bool compare_bytes(const struct program *p, const char *dir)
{
	struct buf source = {0};
	static struct insn theirs[COUNT(p->insns)];
	char file[256];
	size_t n = 0;
	FILE *f;

	for (size_t pc = 0; pc < p->n;) {
		pc += disasm_insn(&source, p->insns, pc, p->n, NULL);
		buf_puts(&source, "\n");
	}
	if (!write_file(dir, "text.s", &source) ||
	    !run("llvm-mc-19 -triple=bpfel -mcpu=v4 -filetype=obj %s/text.s -o %s/text.o", dir) ||
	    !run("llvm-objcopy-19 -O binary -j .text %s/text.o %s/text.bin", dir))
		return false;
	path(file, sizeof(file), dir, "text.bin");
	f = fopen(file, "r");
	if (f) {
		n = fread(theirs, sizeof(theirs[0]), COUNT(theirs), f);
		fclose(f);
	}
	if (n != p->n)
		differ(n, "(length)", "(another length)");
	for (size_t pc = 0; pc < n && pc < p->n; pc++) {
		struct buf a = {0}, b = {0};

		if (!memcmp(&theirs[pc], &p->insns[pc], sizeof(theirs[0])))
			continue;
		disasm_insn(&a, p->insns, pc, p->n, NULL);
		disasm_insn(&b, theirs, pc, n, NULL);
		differ(pc, a.data, b.data);
		buf_free(&a);
		buf_free(&b);
	}
	buf_free(&source);
	return !failures;
}

int main(void)
{
	static struct program p;
	char dir[] = "/tmp/skep-llvm-XXXXXX";
	bool ok;

	printf("1..2\n");
	if (system("llvm-mc-19 --version >/dev/null 2>&1 && llvm-objdump-19 --version >/dev/null "
	           "2>&1 &&"
	           " llvm-objcopy-19 --version >/dev/null 2>&1")) {
		printf("ok 1 # SKIP LLVM 19's tools are not installed\n");
		printf("ok 2 # SKIP LLVM 19's tools are not installed\n");
		return 0;
	}
	if (!mkdtemp(dir)) {
		printf("Bail out! %s: %s\n", dir, strerror(errno));
		return 1;
	}
	make_program(&p);
	ok = compare_text(&p, dir);
	printf("%sok 1 - the text of %zu slots is llvm-objdump's\n", ok ? "" : "not ", p.n);
	failures = 0;
	ok = compare_bytes(&p, dir);
	printf("%sok 2 - llvm-mc makes the same %zu slots of it\n", ok ? "" : "not ", p.n);
	return run("rm -r %s", dir) ? 0 : 1;
}
