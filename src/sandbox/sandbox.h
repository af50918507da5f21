/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rooms of the sandbox share.
 *
 *   launch.c   three processes: the front (skep run, which the shell knows), the supervisor, the command
 *   filter.c   the seccomp filter, made of calls.def
 *   notify.c   threads that take notifications and send answers
 *   calls.def  which system calls are taken, and by whom they are served
 *   remote.c   struct client of a process in the sandbox: its memory, descriptors, paths
 *   files.c, epoll.c, perf.c ...   the served calls
 *   place.c    directories, names, joining
 *   trace.c    --log
 */
#ifndef SKEP_SANDBOX_SANDBOX_H
#define SKEP_SANDBOX_SANDBOX_H

#include <limits.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h> /* __NR_open, where there is one */
#include <sys/socket.h> /* AF_NETLINK */
#include <sys/types.h>

#include "skep_sandbox.h"
#include "sys/client.h"

/* The sandbox's directory: <runtime>/skep-<uid>/<name>/. */
struct place {
	char dir[PATH_MAX / 2];
	char bpffs[PATH_MAX];   /* what processes see as /sys/fs/bpf */
	char tracing[PATH_MAX]; /* /sys/kernel/tracing */
	int control;            /* listening socket */
	int lock;               /* held as long as the supervisor lives */
};

struct sandbox {
	struct skep *k;
	struct netlink *netlink; /* netlink.c */
	struct tracepoints *tracepoints; /* perf.c */
	struct sockets *sockets; /* socket.c */
	struct network *network; /* network.c; NULL: the host's */
	unsigned number;         /* of the stations of its network */
	int wire;                /* to another sandbox's switch, or -1 */
	struct place place;
	int trace_pipe; /* our end of /sys/kernel/tracing/trace_pipe */
	bool own_mounts; /* processes have a mount namespace in which the places are mounted */
	bool keep;
	struct listener *listeners; /* the supervisor's first thread only */
	char command[256];
	FILE *log; /* or NULL */
	pthread_mutex_t log_lock;
};

/* One filter's notifications: the first command's, or that of one that joined. */
struct listener {
	struct listener *next;
	struct sandbox *s;
	int fd;
	_Atomic unsigned threads, idle;
};

enum { REMOTE_NEAR = 1024 };

/* The client that made the call that is served now. */
struct remote {
	struct client client;
	struct sandbox *s;
	const struct listener *listener;
	uint64_t notice; /* id: valid as long as the caller waits */
	uint64_t seen_waiting; /* ns: when it was last known to wait */
	/* What lies around the last small thing that was read: arguments stand close together. */
	uint64_t near_at;
	size_t near_len;
	uint8_t near[REMOTE_NEAR];
	pid_t tid;
};

/* A served system call answers a result >= 0, -errno, or lets the operating system do it. */
enum { SERVE_PASS = INT_MIN };
/* Where netlink sockets are put: below the usual limit of 1024, above what anybody else comes to. */
enum { NETLINK_FD = 960 };
typedef int64_t (*serve_fn)(struct remote *r, const struct seccomp_data *call);

#define CALL(name, serve, ...) int64_t serve(struct remote *r, const struct seccomp_data *call);
#include "sandbox/calls.def"
#undef CALL

/* --- filter.c ------------------------------------------------------------------------------ */

/* Puts the calling thread, and all that comes of it, under the filter. mounted: names below /sys/fs/bpf
 * lead to the sandbox by themselves. The listener or -errno. */
int filter_install(bool mounted);
/* Row of calls.def of a system call, for its handler and name; -1: none. */
int filter_row(int nr);

/* --- notify.c ------------------------------------------------------------------------------ */

/* Starts to serve; l stays until nobody is under its filter any more. 0 or -errno. */
int notify_start(struct listener *l);
/*
 * Is the caller still waiting for the answer? Whatever was read of it before then was its own. That it was
 * 50 us ago is good enough: no number of a process comes back that soon.
 */
bool notify_waits(struct remote *r);
/* Gives the caller a copy of fd (close-on-exec), at or above `least`. Its number there or -errno. */
int notify_install(struct remote *r, int fd, int least);
/* The same with O_CLOEXEC or 0. */
int notify_install_flags(struct remote *r, int fd, int least, int flags);

/* --- remote.c ------------------------------------------------------------------------------ */

extern const struct client_ops remote_ops;

static inline struct remote *remote_of(struct client *c)
{
	return (struct remote *)((char *)c - offsetof(struct remote, client));
}

/* A duplicate of the caller's descriptor, or -errno. */
int remote_fd(struct remote *r, int fd);
/* The path that a call names, made absolute and lexically clean, as the caller sees it. 0 or -errno. */
int remote_path(struct remote *r, int dirfd, uint64_t addr, char path[PATH_MAX]);

/* May this name be one of ours? Its first bytes say so of most that are not. */
bool remote_may_be_ours(struct remote *r, uint64_t addr);

/* --- place.c ------------------------------------------------------------------------------- */

/* Makes the directories of a new sandbox. -EEXIST: the name is taken; others with `what` filled in. */
int place_make(struct place *p, const char *name, char what[256]);
void place_remove(struct place *p);
/* Connects to the sandbox of this name. A socket or -errno. */
int place_connect(const char *name);
/* Is this path one below /sys/fs/bpf? Then its place in the real file system. */
bool place_translate(const struct place *p, const char *path, char to[PATH_MAX]);
/* Is it the lock file of a tool that keeps them in /run? Then where ours is. */
bool place_lock(const struct place *p, const char *path, char to[PATH_MAX]);
/* Follows symbolic links in a path below /sys/fs/bpf, as those who see it there would; in place. */
void place_follow(const struct place *p, char path[PATH_MAX]);

/* A socket of the caller's network namespace, or -errno. */
int space_socket(struct remote *r, int family, int type, int protocol);

/* --- socket.c ------------------------------------------------------------------------------ */

int socket_init(struct sandbox *s);
/* Lets go of programs whose sockets have gone. */
void socket_sweep(struct sandbox *s);

/* --- launch.c, space.c ---------------------------------------------------------------------- */

struct space { /* what the command's process makes of itself before it executes the command */
	const char *bpffs, *tracing;
	bool own_user;
};

/* Namespaces and mounts. Answers whether /sys/fs/bpf is now ours. */
bool space_enter(const struct space *sp);

/* --- trace.c ------------------------------------------------------------------------------- */

void trace_call(struct sandbox *s, struct remote *r, int row, const struct seccomp_data *call,
                int64_t result);

#endif
