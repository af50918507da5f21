/* SPDX-License-Identifier: BSD-2-Clause */
/* Other sandboxes of this user: who they are, and their end. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/place.h"
#include "sandbox/sandbox.h"

static void ask_command(const char *name, char *command, size_t size)
{
	int peer = place_connect(name);
	struct pollfd on = {.fd = peer, .events = POLLIN};
	ssize_t n = -1;

	if (peer >= 0 && send(peer, "i", 1, MSG_NOSIGNAL) == 1 && poll(&on, 1, 1000) == 1)
		n = recv(peer, command, size - 1, 0);
	command[n > 0 ? n : 0] = '\0';
	if (peer >= 0)
		close(peer);
}

int skep_sandbox_list(void (*fn)(void *arg, const char *name, int pid, const char *command),
                      void *arg)
{
	char base[PATH_MAX / 4], dir[PATH_MAX], command[256];
	int err = place_base(base, sizeof(base));
	struct dirent *e;
	DIR *d;

	if (err)
		return err;
	d = opendir(base);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d))) {
		int pid;

		if (!place_name_ok(e->d_name))
			continue;
		snprintf(dir, sizeof(dir), "%s/%s", base, e->d_name);
		pid = place_owner(dir);
		if (!pid)
			continue;
		ask_command(e->d_name, command, sizeof(command));
		fn(arg, e->d_name, pid, command);
	}
	closedir(d);
	return 0;
}

int skep_sandbox_end(const char *name)
{
	int peer = place_connect(name);
	int err;

	if (peer < 0)
		return peer;
	err = send(peer, "e", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
	close(peer);
	return err;
}
