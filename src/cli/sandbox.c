/* SPDX-License-Identifier: BSD-2-Clause */
/* skep run, skep ps: commands in a sandbox whose BPF is Skep's. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <skep_sandbox.h>

#include "cli/cli.h"

enum { EXIT_NO_COMMAND = 127 };

/* Ends as the command did: with its code, or by its signal. */
static int end_like(int status)
{
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
		return 128 + WTERMSIG(status);
	}
	return WEXITSTATUS(status);
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{"name", required_argument, NULL, 'n'}, {"join", required_argument, NULL, 'J'},
		{"keep", no_argument, NULL, 'k'},       {"log", optional_argument, NULL, 'l'},
		{"own-user", no_argument, NULL, 'u'},   {"end", required_argument, NULL, 'e'},
		{"net", optional_argument, NULL, 'N'},  {"capture", required_argument, NULL, 'C'},
		{"wire", required_argument, NULL, 'W'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	struct skep_sandbox_options o = {.size = sizeof(o)};
	char message[256];
	int c, status, err;

	while ((c = getopt_long(argc, argv, "+h", longs, NULL)) != -1) {
		switch (c) {
		case 'n':
			o.name = optarg;
			break;
		case 'J':
			o.join = optarg;
			break;
		case 'k':
			o.keep = 1;
			break;
		case 'l':
			o.log = optarg ? optarg : "-";
			break;
		case 'u':
			o.own_user = 1;
			break;
		case 'N':
			o.net = optarg ? atoi(optarg) : 1;
			if (o.net < 1 || o.net > 8)
				return fail_usage(&command_run, "--net=%s: 1 to 8 devices", optarg);
			break;
		case 'C':
			o.capture = optarg;
			break;
		case 'W':
			o.wire = optarg;
			break;
		case 'e':
			if (skep_sandbox_end(optarg) != 0)
				return fail(EXIT_FAILED, "there is no sandbox '%s'; `skep ps` lists them",
				            optarg);
			return EXIT_OK;
		case 'h':
			return command_help(&command_run);
		default:
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return fail_usage(&command_run, "what shall be run?");
	if (o.join && (o.name || o.keep))
		return fail_usage(&command_run, "--join enters a sandbox that exists: it has a name");
	if (o.join && (o.net || o.wire || o.capture))
		return fail_usage(&command_run, "--join enters a sandbox that exists: it has its network");
	if ((o.wire || o.capture) && !o.net)
		return fail_usage(&command_run, "--%s goes with --net", o.wire ? "wire" : "capture");
	err = skep_sandbox_run(&o, argv + optind, &status, message);
	if (err) {
		fail(EXIT_FAILED, "%s", message);
		return strncmp(message, "cannot run ", 11) == 0 ? EXIT_NO_COMMAND : EXIT_FAILED;
	}
	return end_like(status);
}

const struct command command_run = {
	.name = "run",
	.args = "[OPTION]... [--] COMMAND [ARG]...",
	.summary = "run a command in a sandbox: its bpf(2) is Skep's",
	.help = "Any BPF tool or program, unchanged, as any user: bpftool, programs with libbpf,\n"
	        "raw system calls, static binaries. The sandbox ends with its last process.\n\n"
	        "  --name=NAME    by which other commands join it\n"
	        "  --join=NAME    run in the sandbox of that name\n"
	        "  --keep         the sandbox stays until `skep run --end=NAME`\n"
	        "  --end=NAME     end a sandbox\n"
	        "  --log[=FILE]   a line for each served system call, to stderr or a file\n"
	        "  --net[=N]      a network of its own: eth0 ... at a switch of Skep's, where XDP and tc\n"
	        "                 programs run; 10.77.0.1 and fd77::1 answer\n"
	        "  --capture=FILE with --net: every frame, as pcapng\n"
	        "  --wire=NAME    with --net: joined to the switch of the sandbox of that name\n"
	        "  --own-user     do not appear as root inside\n\n"
	        "Ends with the command's exit code or signal; 127: it could not be run.\n\n"
	        "  skep run -- bpftool prog load test.o /sys/fs/bpf/test\n"
	        "  skep run --name=web -- ./server   ...   skep run --join=web -- bpftool map",
	.run = run,
};

static void print_one(void *arg, const char *name, int pid, const char *command)
{
	struct out *o = arg;

	out_object(o, NULL);
	out_str(o, "name", name);
	out_uint(o, "pid", (uint64_t)pid);
	out_str(o, "command", command);
	out_close(o);
}

static int ps(int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	bool json = false;
	struct out *o;
	int c, err;

	while ((c = getopt_long(argc, argv, "jh", longs, NULL)) != -1) {
		if (c == 'h')
			return command_help(&command_ps);
		if (c != 'j')
			return EXIT_USAGE;
		json = true;
	}
	if (optind != argc)
		return fail_usage(&command_ps, "unexpected argument '%s'", argv[optind]);
	o = out_new(json);
	out_list(o, "sandboxes");
	err = skep_sandbox_list(print_one, o);
	out_close(o);
	c = out_end(o);
	return err ? fail(EXIT_FAILED, "cannot list sandboxes: %s", strerror(-err)) : c;
}

const struct command command_ps = {
	.name = "ps",
	.args = "[-j]",
	.summary = "list sandboxes",
	.help = "Your sandboxes: name, pid of the supervisor, command.\n\n  -j, --json",
	.run = ps,
};
