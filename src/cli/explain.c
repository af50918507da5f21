/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep explain`: what a refusal means, with a program that is refused so and the same one corrected. */
#define _GNU_SOURCE
#include "cli/explain.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <skep.h>

#include "cli/cli.h"

static const struct explanation explanations[] = {
#define EXPLAIN(...) {__VA_ARGS__},
#include "cli/explain.def"
#undef EXPLAIN
};

enum { NEXPLANATIONS = sizeof(explanations) / sizeof(explanations[0]) };

const struct explanation *explanation_find(unsigned code)
{
	for (size_t i = 0; i < NEXPLANATIONS; i++)
		if (explanations[i].code == code)
			return &explanations[i];
	return NULL;
}

static void print_block(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		printf(len ? "    %.*s\n" : "\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void print_example(const char *what, const char *text)
{
	printf("\n%s:\n\n", what);
	print_block(text);
}

/* TEXT behind LABEL, in lines of at most 100 letters, all indented alike. */
static void print_text(const char *label, const char *text)
{
	enum { INDENT = 18, WIDTH = 100 };
	int at = printf("%-*s", INDENT, label);

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (at > INDENT && at + 1 + len > WIDTH)
			at = printf("\n%*s", INDENT, "") - 1;
		else if (at > INDENT)
			at += printf(" ");
		at += printf("%.*s", len, text);
		text += len + (text[len] == ' ');
	}
	printf("\n");
}

static void print(const struct explanation *e, const char *format)
{
	printf("SK%04u  %s\n\n", e->code, e->title);
	if (format)
		print_text("the log says", format);
	if (e->then)
		printf("%-18sSK%04u: %s\n", "and then", e->then, skep_reject_format(e->then));
	print_text("what is needed", e->needed);
	print_text("what helps", e->help);
	if (!*e->wrong)
		return;
	if (e->in_c && *e->setup)
		print_example("with", e->setup);
	print_example("refused", e->wrong);
	print_example("accepted", e->right);
	if (!e->in_c && *e->setup)
		print_example("both of this kind", e->setup);
}

static int print_json(const struct explanation *e, const char *format)
{
	struct out *out = out_new(true);
	char code[16];

	snprintf(code, sizeof(code), "SK%04u", e->code);
	out_str(out, "code", code);
	out_str(out, "title", e->title);
	out_str(out, "message", format);
	out_str(out, "needed", e->needed);
	out_str(out, "help", e->help);
	out_str(out, "language", !*e->wrong ? NULL : e->in_c ? "C" : "assembler");
	out_str(out, "setup", e->setup);
	out_str(out, "refused", e->wrong);
	out_str(out, "accepted", e->right);
	return out_end(out);
}

static int list(void)
{
	for (size_t i = 0; i < NEXPLANATIONS; i++)
		printf("SK%04u  %s\n", explanations[i].code, explanations[i].title);
	return EXIT_OK;
}

/* "SK0401", "sk401", "401", or a line of a log. 0: none. */
static unsigned parse_code(const char *word)
{
	const char *digits = word;
	unsigned long code;
	char *end;

	if (!strncasecmp(word, "SK", 2))
		digits += 2;
	code = strtoul(digits, &end, 10);
	if (isdigit((unsigned char)*digits) && !*end && code < 100000)
		return (unsigned)code;
	return skep_reject_code(word);
}

static int explain_run(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const struct explanation *e;
	const char *format;
	bool json = false;
	unsigned code;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":jh", options, NULL)) != -1) {
		if (c == 'h')
			return command_help(&command_explain);
		if (c != 'j')
			return fail_usage(&command_explain, "%s is no option of explain", argv[optind - 1]);
		json = true;
	}
	if (argc == optind)
		return list();
	if (argc - optind > 1)
		return fail_usage(&command_explain, "explain takes one code, or one line of a log in quotes");
	code = parse_code(argv[optind]);
	if (!code)
		return fail(EXIT_BAD_INPUT, "'%s' is neither a code like SK0401 nor a line that the verifier "
		            "ends a log with", argv[optind]);
	format = skep_reject_format(code);
	e = explanation_find(code);
	if (!e)
		return fail(EXIT_BAD_INPUT, "there is no SK%04u; `skep explain` lists all codes", code);
	if (json)
		return print_json(e, format);
	print(e, format);
	return EXIT_OK;
}

const struct command command_explain = {
	.name = "explain",
	.args = "[CODE | 'LINE OF A LOG'] [--json]",
	.summary = "what a refusal of the verifier means, and what helps",
	.help = "Explains a code that `skep verify` prints, or the line with which a\n"
		"verifier's log ends, Skep's or the kernel's: what it means, what is\n"
		"needed, what usually helps, a program that is refused so and the same\n"
		"one corrected. Without an argument: the list of codes.\n"
		"\n"
		"  -j, --json   as JSON\n"
		"\n"
		"example:  skep explain SK0447\n"
		"          skep explain \"R0 invalid mem access 'map_value_or_null'\"",
	.run = explain_run,
};
