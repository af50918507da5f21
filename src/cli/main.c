/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front door: a table of commands, and what is the same for all of them.
 */
#include <stdio.h>
#include <string.h>

#include <skep.h>

#include "cli/cli.h"

static const struct command *const commands[] = {
	&command_exec,
	&command_verify,
	&command_explain,
	&command_run,
	&command_ps,
	&command_asm,
	&command_disasm,
	&command_filter,
	&command_seccomp,
};

enum { NCOMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int help(const char *name)
{
	const struct command *c = name ? command_find(name) : NULL;

	if (c)
		return command_help(c);
	if (name)
		return fail(EXIT_USAGE, "there is no command '%s'; `skep help` lists them", name);
	printf("skep " SKEP_VERSION ": the BPF system in user space\n\n"
	       "usage: skep COMMAND ...\n\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
	printf("  %-8s %s\n", "help", "this, or what a command does: skep help COMMAND");
	printf("\nExit codes: 0 ok, 1 rejected or failed, 2 usage, 3 bad input, "
	       "4 not supported by Skep.\n");
	return EXIT_OK;
}

int command_help(const struct command *c)
{
	printf("usage: skep %s %s\n\n%s\n", c->name, c->args, c->help);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct command *c;

	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("skep %s\n", skep_version());
		return EXIT_OK;
	}
	if (!strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h"))
		return help(argc > 2 ? argv[2] : NULL);
	c = command_find(word);
	if (c)
		return c->run(argc - 1, argv + 1);
	if (argc > 1)
		return fail(EXIT_USAGE, "there is no command '%s'; `skep help` lists them", word);
	help(NULL);
	return EXIT_USAGE;
}
