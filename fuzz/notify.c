/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The notification path: any system call of the filter's, with any arguments, of a client whose memory is
 * the input. Everything behind the filter is the real thing, but for the process: its descriptors are this
 * process's own, and what would be put into its table is closed.
 *
 * Nothing may crash; every answer is a result, an errno, or that the host shall do it. Answers are not sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "sandbox/netlink.h"
#include "sandbox/perf.h"
#include "sandbox/sandbox.h"
#include "skep.h"
#include "core/caps.h"
#include "sys/bpf.h"

enum { MEMORY = 4096, BASE = 0x10000, STEPS_MAX = 24 };

static struct sandbox box;
static uint8_t memory[MEMORY];
static char place[64];

static const struct {
	int nr;
	serve_fn serve;
} calls[] = {
#define CALL(name, serve, ...) {__NR_##name, serve},
#include "sandbox/calls.def"
#undef CALL
};

enum { NCALLS = sizeof(calls) / sizeof(calls[0]) };

/* --- What notify.c, launch.c and network.c would be ---------------------------------------- */

bool notify_waits(struct remote *r)
{
	return true;
}

int notify_install_flags(struct remote *r, int fd, int least, int flags)
{
	return 5;
}

int notify_install(struct remote *r, int fd, int least)
{
	return 5;
}

int space_socket(struct remote *r, int family, int type, int protocol)
{
	return -ENOENT;
}

/* --- The client ----------------------------------------------------------------------------- */

static int mem_read(struct client *c, void *to, uint64_t addr, size_t len)
{
	if (addr < BASE || len > MEMORY || addr - BASE > MEMORY - len)
		return -EFAULT;
	memcpy(to, memory + (addr - BASE), len);
	return 0;
}

static int mem_write(struct client *c, uint64_t addr, const void *from, size_t len)
{
	if (addr < BASE || len > MEMORY || addr - BASE > MEMORY - len)
		return -EFAULT;
	memcpy(memory + (addr - BASE), from, len);
	return 0;
}

static int install(struct client *c, int fd)
{
	close(fd);
	return 7;
}

static void remove_place(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", place);
	if (system(command) != 0)
		return;
}

static void begin(void)
{
	struct skep_options o = {.size = sizeof(o)};

	strcpy(place, "/tmp/skep-fuzz-XXXXXX");
	if (!mkdtemp(place))
		abort();
	atexit(remove_place);
	snprintf(box.place.dir, sizeof(box.place.dir), "%s", place);
	snprintf(box.place.bpffs, sizeof(box.place.bpffs), "%s/bpf", place);
	snprintf(box.place.tracing, sizeof(box.place.tracing), "%s/tracing", place);
	mkdir(box.place.bpffs, 0700);
	mkdir(box.place.tracing, 0700);
	o.bpffs = box.place.bpffs;
	if (skep_new(&o, &box.k) || netlink_init(&box) || perf_init(&box) || socket_init(&box))
		abort();
}

/* Names that lead somewhere, at the end of the client's memory. */
static const char names[] = "/sys/fs/bpf\0/sys/fs/bpf/a\0/sys/fs/bpf/../b\0/proc/self/fdinfo/3\0/run/xdp-a.lck\0"
                            "/sys/kernel/tracing/trace_pipe\0/sys/kernel/tracing/events/sched/sched_switch/id\0"
                            "/proc/sys/net/core/bpf_jit_enable\0x\0bpf\0";

static uint64_t argument(const uint8_t **in, size_t *left)
{
	uint64_t value = 0;

	if (*left < 3)
		return 0;
	value = (uint64_t)(*in)[1] | (uint64_t)(*in)[2] << 8;
	switch ((*in)[0] % 6) {
	case 0:
		value = BASE + value % MEMORY;
		break;
	case 1:
		value %= 12;
		break;
	case 2:
		value = BASE + MEMORY - sizeof(names) + value % sizeof(names);
		break;
	case 3:
		value = (uint64_t)-1 - value % 3;
		break;
	}
	*in += 3;
	*left -= 3;
	return value;
}

/* The bpf(2) commands that would never end are those that wait or run programs for long. */
static bool is_fine(const struct seccomp_data *call)
{
	return call->nr != __NR_bpf || (call->args[0] != 10 && call->args[0] < 40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct client_ops *ops;
	static struct client_ops made;
	size_t part = size / 2 < MEMORY - sizeof(names) ? size / 2 : MEMORY - sizeof(names);

	if (!ops) {
		begin();
		made = remote_ops;
		made.read = mem_read;
		made.write = mem_write;
		made.install = install;
		ops = &made;
	}
	memset(memory, 0, sizeof(memory));
	memcpy(memory, data, part);
	memcpy(memory + MEMORY - sizeof(names), names, sizeof(names));
	data += part;
	size -= part;
	for (int step = 0; size && step < STEPS_MAX; step++) {
		struct listener listener = {.s = &box, .fd = -1};
		struct remote r = {.client = {.ops = ops, .caps = CAPS_ALL}, .s = &box,
		                   .listener = &listener, .tid = gettid()};
		unsigned which = *data % NCALLS;
		struct seccomp_data call = {.nr = calls[which].nr};
		int64_t result;

		data++;
		size--;
		for (int i = 0; i < 6; i++)
			call.args[i] = argument(&data, &size);
		box.own_mounts = call.args[5] & 1;
		if (!is_fine(&call))
			continue;
		result = calls[which].serve(&r, &call);
		if (result < 0 && result != SERVE_PASS && result < -4095)
			abort();
	}
	return 0;
}
