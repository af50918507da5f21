/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on sockets: SO_ATTACH_BPF and SO_ATTACH_REUSEPORT_EBPF of programs of ours.
 *
 * They are noted and held, as long as the process that attached them lives and has the socket; the host's
 * kernel delivers what arrives, and knows nothing of them. Classic filters are the host's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "core/prog.h"
#include "sandbox/sandbox.h"
#include "sys/bpf.h"
#include "sys/fd.h"

enum { ATTACHED_MAX = 256, DETACH = 27, ATTACH_BPF = 50, ATTACH_REUSEPORT = 52 };

struct attached {
	struct prog *prog; /* referenced; NULL: free */
	ino_t socket;
	pid_t tid;
	int fd, option;
};

struct sockets {
	pthread_mutex_t lock;
	struct attached attached[ATTACHED_MAX];
};

int socket_init(struct sandbox *s)
{
	s->sockets = calloc(1, sizeof(*s->sockets));
	if (!s->sockets)
		return -ENOMEM;
	pthread_mutex_init(&s->sockets->lock, NULL);
	return 0;
}

static void drop(struct attached *a)
{
	obj_put(&a->prog->obj);
	a->prog = NULL;
}

static bool is_there(const struct attached *a)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)a->tid, a->fd);
	return stat(path, &st) == 0 && st.st_ino == a->socket;
}

void socket_sweep(struct sandbox *s)
{
	pthread_mutex_lock(&s->sockets->lock);
	for (unsigned i = 0; i < ATTACHED_MAX; i++)
		if (s->sockets->attached[i].prog && !is_there(&s->sockets->attached[i]))
			drop(&s->sockets->attached[i]);
	pthread_mutex_unlock(&s->sockets->lock);
}

static bool fits(const struct prog *p, int option)
{
	return p->type == BPF_PROG_TYPE_SOCKET_FILTER ||
	       (option == ATTACH_REUSEPORT && p->type == BPF_PROG_TYPE_SK_REUSEPORT);
}

/* The place of what is attached to a socket, or a free one; NULL: there is none. */
static struct attached *find(struct sockets *all, ino_t socket, int option)
{
	struct attached *free = NULL;

	for (unsigned i = 0; i < ATTACHED_MAX; i++) {
		struct attached *a = &all->attached[i];

		if (a->prog && a->socket == socket && a->option == option)
			return a;
		if (!a->prog && !free)
			free = a;
	}
	return free;
}

static int64_t attach(struct remote *r, const struct seccomp_data *call, ino_t socket, struct prog *p)
{
	struct attached *a;
	int64_t err = 0;

	if (!fits(p, (int)call->args[2]))
		return -EINVAL;
	pthread_mutex_lock(&r->s->sockets->lock);
	a = find(r->s->sockets, socket, (int)call->args[2]);
	if (!a) {
		err = -ENOMEM;
	} else {
		if (a->prog)
			drop(a);
		obj_get(&p->obj);
		*a = (struct attached){p, socket, r->tid, (int)call->args[0], (int)call->args[2]};
	}
	pthread_mutex_unlock(&r->s->sockets->lock);
	return err;
}

static int64_t detach(struct remote *r, ino_t socket)
{
	struct attached *a;
	int64_t result = SERVE_PASS;

	pthread_mutex_lock(&r->s->sockets->lock);
	a = find(r->s->sockets, socket, ATTACH_BPF);
	if (a && a->prog) {
		drop(a);
		result = 0;
	}
	pthread_mutex_unlock(&r->s->sockets->lock);
	return result;
}

static bool is_socket(const struct remote *r, int fd)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)r->tid, fd);
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

int64_t serve_setsockopt(struct remote *r, const struct seccomp_data *call)
{
	int fd = (int)call->args[0], option = (int)call->args[2], prog_fd;
	int64_t result;
	struct obj *o;
	ino_t socket;
	dev_t dev;

	if ((int)call->args[1] != SOL_SOCKET || !is_socket(r, fd) ||
	    r->client.ops->identify(&r->client, fd, &dev, &socket) != 0)
		return SERVE_PASS;
	if (option != ATTACH_BPF && option != ATTACH_REUSEPORT) {
		/* A classic filter takes the place of a program. */
		result = detach(r, socket);
		return option == DETACH ? result : SERVE_PASS;
	}
	socket_sweep(r->s);
	if ((uint32_t)call->args[4] != sizeof(prog_fd) ||
	    client_read(&r->client, &prog_fd, call->args[3], sizeof(prog_fd)) != 0)
		return SERVE_PASS;
	if (fd_resolve(r->s->k, &r->client, prog_fd, OBJ_PROG, &o, NULL) != 0)
		return SERVE_PASS;
	result = attach(r, call, socket, prog_of(o));
	obj_put(o);
	return result;
}
