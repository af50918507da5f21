/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor's door for other processes of its user, and its list of listeners.
 *
 * A message is one byte, then what it needs:
 *   j   join: answered with the paths of the places; then comes a listener (control_send_fd), answered
 *       with a byte when it is being served
 *   e   end the sandbox
 *   i   answered with the command line
 *   w   a wire to the sandbox's switch: answered with the number of stations on it, and its end
 */
#ifndef SKEP_SANDBOX_CONTROL_H
#define SKEP_SANDBOX_CONTROL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sandbox;

struct place_names {
	char bpffs[PATH_MAX], tracing[PATH_MAX];
	uint32_t spaces; /* so many descriptors of namespaces to enter come with this */
};

/* A message with descriptors beside it, at most CONTROL_FDS. 0 or -errno. */
enum { CONTROL_FDS = 16 };
int control_send(int to, const void *data, size_t len, const int *fds, unsigned n);
/* Takes one of up to len bytes; *n: room for descriptors, and how many came. Its length or -errno. */
ssize_t control_recv(int from, void *data, size_t len, int *fds, unsigned *n);

/* A descriptor and whether the sender has mounts of its own, over a socket. 0 or -errno. */
int control_send_fd(int to, int fd, bool mounted);
/* The descriptor; -ECONNRESET: what came (it stays to be read) has none, or nobody is there. */
int control_take_fd(int from, bool *mounted);

/* A joining process: asks for the places. */
int control_join(int peer, struct place_names *names, int *spaces);
/* The supervisor: takes one connection and serves it. false: the sandbox shall end. */
bool control_serve(struct sandbox *s);

/* Serves a listener from now on; it is taken over. 0 or -errno. */
int listener_add(struct sandbox *s, int fd);
/* Is any process left under one of the filters? */
bool listeners_in_use(struct sandbox *s);

#endif
