/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep asm: text to instructions.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skep.h>

#include "cli/cli.h"
#include "isa/text.h"

/* Helpers by name, for a binary search: a program may have many calls. */
struct helper_names {
	struct helper_name {
		const char *name;
		int32_t id;
	} *list;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	const struct helper_name *f = a, *g = b;

	return strcmp(f->name, g->name);
}

/* 0 or -ENOMEM. */
static int helper_names_init(struct helper_names *h)
{
	size_t n = 0;

	while (skep_helper_name((int32_t)n + 1)) /* ids have no gaps */
		n++;
	h->list = malloc(n * sizeof(*h->list) + 1);
	if (!h->list)
		return -ENOMEM;
	for (h->n = 0; h->n < n; h->n++) {
		int32_t id = (int32_t)h->n + 1;

		h->list[h->n] = (struct helper_name){skep_helper_name(id), id};
	}
	qsort(h->list, n, sizeof(*h->list), by_name);
	return 0;
}

static bool helper_id(void *arg, const char *name, size_t len, int32_t *id)
{
	const struct helper_names *h = arg;
	const struct helper_name *found;
	char copy[64];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, name, len);
	copy[len] = '\0';
	found = bsearch(&(struct helper_name){copy, 0}, h->list, h->n, sizeof(*found), by_name);
	if (found)
		*id = found->id;
	return found;
}

/* One slot a line: 8 bytes, in the order of memory. */
static void write_hex(FILE *to, const struct insn *insns, size_t n)
{
	const unsigned char *b = (const unsigned char *)insns;

	for (size_t i = 0; i < n; i++, b += 8)
		fprintf(to, "%02x %02x %02x %02x %02x %02x %02x %02x\n", b[0], b[1], b[2], b[3],
		        b[4], b[5], b[6], b[7]);
}

static int write_program(const char *path, bool hex, const struct insn *insns, size_t n)
{
	FILE *to = path ? fopen(path, "wb") : stdout;
	bool bad;

	if (!to)
		return fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
	if (hex)
		write_hex(to, insns, n);
	else
		fwrite(insns, sizeof(*insns), n, to);
	bad = ferror(to);
	bad |= (path ? fclose(to) : fflush(to)) != 0;
	if (bad)
		return fail(EXIT_FAILED, "%s: %s", path ? path : "standard output",
		            strerror(errno));
	return EXIT_OK;
}

static int assemble(const char *path, const char *out, bool hex)
{
	struct helper_names helpers = {0};
	const struct asm_names names = {.arg = &helpers, .helper = helper_id};
	struct asm_error error;
	struct insn *insns;
	uint8_t *text;
	size_t len, n;
	int err = file_read(path, &text, &len);

	if (err)
		return err;
	err = helper_names_init(&helpers);
	if (!err)
		err = asm_program((const char *)text, len, &names, &insns, &n, &error);
	free(helpers.list);
	free(text);
	if (err == -EINVAL)
		return fail(EXIT_BAD_INPUT, "%s:%u:%u: %s", file_name(path), error.line,
		            error.column, error.text);
	if (err)
		return fail(EXIT_FAILED, "%s: %s", file_name(path), strerror(-err));
	err = write_program(out, hex, insns, n);
	free(insns);
	return err;
}

static int asm_run(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"hex", no_argument, NULL, 'x'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *out = NULL;
	bool hex = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":o:xh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			out = optarg;
			break;
		case 'x':
			hex = true;
			break;
		case 'h':
			return command_help(&command_asm);
		case ':':
			return fail_usage(&command_asm, "%s wants a file", argv[optind - 1]);
		default:
			return fail_usage(&command_asm, "%s is no option of asm", argv[optind - 1]);
		}
	}
	if (argc - optind > 1)
		return fail_usage(&command_asm, "asm takes one file, not %d", argc - optind);
	if (!out && !hex && isatty(STDOUT_FILENO))
		hex = true;
	return assemble(optind < argc ? argv[optind] : "-", out, hex);
}

const struct command command_asm = {
	.name = "asm",
	.args = "[FILE|-] [-o OUT] [--hex]",
	.summary = "assemble a program from text, as clang and the kernel print it",
	.help = "Reads the pseudo-C syntax of clang -S, llvm-objdump, bpftool and the\n"
		"verifier's log, one instruction a line or between ';', and writes the\n"
		"instructions, 8 bytes each.\n"
		"\n"
		"  -o, --output OUT  write to a file instead of standard output\n"
		"  -x, --hex         write hexadecimal digits, a line for 8 bytes; what a\n"
		"                    terminal gets in any case\n"
		"\n"
		"  r1 = *(u64 *)(r10 - 8)    call bpf_ktime_get_ns    call 5    call pc+3\n"
		"  if r1 s> 5 goto out       goto +3                  gotol far\n"
		"  out: exit                 r1 = 0x123456789a ll     r1 = map_fd[3]\n"
		"  .insn 0x9500000000000000  # comment // comment     /* comment */\n"
		"\n"
		"example:  echo 'r0 = r1; r0 += 1; exit' | skep asm | skep disasm",
	.run = asm_run,
};
