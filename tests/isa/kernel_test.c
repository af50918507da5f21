/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our kernel spelling against the kernel: each operation that the verifier prints before it judges
 * it is loaded in a little program, and its line of the log must be what disasm_insn() prints; the
 * assembler must read that line, opcode and all, as the same bytes. Skipped where bpf(2) is not to
 * be had. And the kernel refuses what insn_fields_ok() refuses.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "isa/text.h"

static char verifier_log[1 << 16];

static int load(const struct insn *insns, unsigned n)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)insns,
		.insn_cnt = n,
		.license = (uintptr_t) "GPL",
		.log_level = 2,
		.log_buf = (uintptr_t)verifier_log,
		.log_size = sizeof(verifier_log),
	};

	verifier_log[0] = '\0';
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* The instruction in question stands at index 2, with r2 set. Answers the length of the program. */
static unsigned make(enum op op, struct insn p[8])
{
	const struct insn_info *row = &insn_info[op];
	unsigned f = row->fields, n = 2 + insn_slots(op);
	struct insn *i = &p[2];

	memset(p, 0, 8 * sizeof(*p));
	p[0] = (struct insn){.code = insn_info[OP_MOV64_K].code, .dst = R2, .imm = 5};
	p[1] = (struct insn){.code = insn_info[OP_MOV64_K].code, .dst = R0, .imm = 5};
	i->code = row->code;
	i->dst = f & (INSN_RD | INSN_WD) ? R1 : 0;
	i->src = f & (INSN_RS | INSN_WS) ? R2 : row->key == KEY_SRC ? row->value & 15 : 0;
	i->off = f & INSN_OFF ? -8 : row->key == KEY_OFF ? (int16_t)row->value : 0;
	i->imm = f & INSN_IMM ? -3 : row->key == KEY_IMM ? (int32_t)row->value : 0;
	p[n++] = (struct insn){.code = insn_info[OP_MOV64_K].code, .dst = R0};
	p[n++] = (struct insn){.code = insn_info[OP_EXIT].code};
	return n;
}

/*
 * The line of index 2, without what the verifier adds. NULL: it rejects such an operation
 * unprinted.
 */
static char *log_line(void)
{
	char *line = strstr(verifier_log, "\n2: ("), *end;

	if (!line++)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	end = strstr(line, " ;");
	end = end ? end : line + strlen(line);
	while (end > line && end[-1] == ' ')
		end--;
	*end = '\0';
	return line;
}

static unsigned number, failed;

static void check(enum op op)
{
	static const struct disasm_names names = {.kernel = true};
	struct insn p[8], *back = NULL;
	unsigned n = make(op, p);
	int fd = load(p, n);
	struct asm_error e = {0};
	struct buf ours = {0};
	size_t slots = 0;
	char *theirs = log_line();
	bool ok = false;

	if (fd >= 0)
		close(fd);
	if (!theirs || op == OP_LDDW_FUNC) /* printed as the number that it became */
		return;
	disasm_insn(&ours, p, 2, n, &names);
	if (strcmp(theirs + strlen("2: (xx) "), ours.data))
		printf("# %s: \"%s\" in the log\n", ours.data, theirs);
	else if (asm_program(theirs, strlen(theirs), NULL, &back, &slots, &e))
		printf("# %s: %u:%u: %s\n", theirs, e.line, e.column, e.text);
	else if (slots != insn_slots(op) || memcmp(back, &p[2], slots * sizeof(*back)))
		printf("# %s: assembles to something else\n", theirs);
	else
		ok = true;
	failed += !ok;
	printf("%sok %u - %s\n", ok ? "" : "not ", ++number, insn_info[op].name);
	free(back);
	buf_free(&ours);
}

/*
 * Loads the row's instruction with one of the fields that it does not use set to 2. False when the
 * kernel takes it; *for_that says whether its message names the field as the reason.
 */
static bool refused(enum op op, unsigned field, bool *for_that)
{
	static const char *const reasons[] = {"reserved field", "unknown opcode", "unrecognized",
	                                      "invalid may_goto imm"};

	struct insn p[8];
	unsigned n = make(op, p);
	int fd;

	if (field == 0)
		p[2].dst = 2;
	else if (field == 1)
		p[2].src = 2;
	else if (field == 2)
		p[2].off = 2;
	else
		p[2].imm = 2;
	fd = load(p, n);
	if (fd >= 0)
		close(fd);
	*for_that = false;
	for (size_t k = 0; k < sizeof(reasons) / sizeof(reasons[0]); k++)
		*for_that |= strstr(verifier_log, reasons[k]) != NULL;
	return fd < 0;
}

/* What insn_fields_ok() refuses must be refused by the kernel as well. */
static void check_reserved_fields(void)
{
	static const struct {
		unsigned used, key;
		const char *name;
	} fields[] = {
		{INSN_RD | INSN_WD, KEY_ANY, "dst"},
		{INSN_RS | INSN_WS, KEY_SRC, "src"},
		{INSN_OFF | INSN_JOFF, KEY_OFF, "off"},
		{INSN_IMM | INSN_JIMM, KEY_IMM, "imm"},
	};
	unsigned tried = 0, accepted = 0, named = 0;

	for (unsigned op = 0; op < OP_COUNT; op++) {
		const struct insn_info *row = &insn_info[op];

		for (unsigned k = 0; k < 4; k++) {
			bool for_that, key = fields[k].key != KEY_ANY && row->key == fields[k].key;

			if (key || row->fields & fields[k].used)
				continue;
			tried++;
			if (refused(op, k, &for_that)) {
				named += for_that;
				continue;
			}
			accepted++;
			printf("# %s: the kernel accepts %s = 2\n", row->name, fields[k].name);
		}
	}
	failed += accepted;
	printf("%sok %u - the kernel refuses all %u uses of reserved fields, %u of them for that "
	       "reason\n",
	       accepted ? "not " : "", ++number, tried, named);
}

int main(void)
{
	const struct insn nothing[] = {{.code = insn_info[OP_MOV64_K].code},
	                               {.code = insn_info[OP_EXIT].code}};
	int fd = load(nothing, 2);

	if (fd < 0) {
		printf("1..1\nok 1 # SKIP the kernel's bpf(2) cannot be used here\n");
		return 0;
	}
	close(fd);
	for (unsigned op = 0; op < OP_COUNT; op++)
		check(op);
	check_reserved_fields();
	printf("1..%u\n", number);
	return failed || !number;
}
