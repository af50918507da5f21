/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sandboxes: commands in which bpf(2), and what belongs to it, is Skep's.
 *
 * The command and all its children run under a seccomp filter that hands the few system calls of BPF
 * tools to a supervisor, which holds a struct skep and answers them. Nothing is preloaded: static
 * binaries and raw system calls are served like all others. No privilege is needed.
 */
#ifndef SKEP_SANDBOX_H
#define SKEP_SANDBOX_H

#include <stddef.h>

#include <skep.h>

#ifdef __cplusplus
extern "C" {
#endif

struct skep_sandbox_options {
	size_t size; /* sizeof(struct skep_sandbox_options) */
	const struct skep_options *kernel; /* of the sandbox's kernel, or NULL; bpffs and trace are set here */
	const char *name; /* by which others join it, and `skep ps` shows it; NULL: the supervisor's pid */
	const char *join; /* run in the sandbox of this name; then only log is looked at */
	const char *log;  /* a file for a line per served call; "-" is standard error; NULL: none */
	int keep;         /* the sandbox stays when its last process has gone, until it is ended by name */
	int net;             /* so many devices in a network of its own: eth0 ...; 0: the host's network */
	const char *capture; /* with net: a pcapng file of every frame, or NULL */
	const char *wire;    /* with net: its switch is joined to that of the sandbox of this name */
	int own_user;     /* processes see their own user id and not that of root */
};

/*
 * Runs argv (a NULL-terminated vector, looked up in PATH) in a new sandbox, or in one that exists, and
 * waits for it. 0: *status is as waitpid() gives it. Or -errno, with one line of what failed, and where,
 * in message. The calling process must have one thread; signals and the terminal are the command's
 * meanwhile.
 */
int skep_sandbox_run(const struct skep_sandbox_options *options, char *const argv[], int *status,
                     char message[256]);

/* Calls fn for every sandbox of this user. -errno where their directory cannot be read. */
int skep_sandbox_list(void (*fn)(void *arg, const char *name, int pid, const char *command),
                      void *arg);
/* Ends a sandbox and every process in it. -ENOENT: there is none of this name. */
int skep_sandbox_end(const char *name);

#ifdef __cplusplus
}
#endif

#endif
