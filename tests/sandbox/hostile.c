/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that means harm, for so many milliseconds: random attributes, attributes that another thread
 * rewrites while they are read, descriptors and objects without end, ptrace of its parent, netlink rubbish.
 * That it ends by itself, and others do not notice, is what is tested.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t state = 88172645463325252u;
static volatile int stop;

static uint32_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Numbers that mean something somewhere: descriptors, sizes, addresses. */
static uint32_t likely(void *memory)
{
	static const uint32_t some[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 64, 0xffffffff, 0x80000000, 4096};

	switch (any() % 4) {
	case 0:
		return any();
	case 1:
		return (uint32_t)(uintptr_t)memory + any() % 8192;
	default:
		return some[any() % (sizeof(some) / sizeof(some[0]))];
	}
}

static void random_attributes(uint8_t *memory, uint64_t end)
{
	while (now_ms() < end) {
		union bpf_attr a = {0};
		uint32_t *words = (uint32_t *)&a;
		long fd;

		for (unsigned i = 0, n = any() % 20; i < n; i++)
			words[i] = likely(memory);
		for (unsigned i = 0; i < 4; i++)
			if (any() % 2)
				((uint64_t *)&a)[any() % 16] = (uintptr_t)memory + any() % 8192;
		fd = syscall(SYS_bpf, any() % 40, any() % 16 ? &a : (void *)(uintptr_t)any(),
		             any() % 8 ? sizeof(a) : any() % 5000);
		if (fd > 32)
			close((int)fd);
	}
}

static union bpf_attr shared;

static void *rewrite(void *arg)
{
	(void)arg;
	while (!stop) {
		((volatile uint32_t *)&shared)[any() % 32] = any() % 2 ? any() % 64 : any();
		((volatile uint32_t *)&shared)[0] = any() % 35;
	}
	return NULL;
}

static void racing(uint64_t end)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, rewrite, NULL) != 0)
		return;
	while (now_ms() < end) {
		long fd = syscall(SYS_bpf, any() % 8, &shared, sizeof(shared));

		if (fd > 8)
			close((int)fd);
	}
	stop = 1;
	pthread_join(thread, NULL);
}

/* Until there is no more: a clear errno, and afterwards all is as before. */
static int exhaust(void)
{
	union bpf_attr small = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
	union bpf_attr huge = {.map_type = BPF_MAP_TYPE_HASH, .key_size = 512, .value_size = 1 << 20,
	                       .max_entries = 0x7fffffff};
	int fds[4096], n = 0, err = 0;

	while (n < 4096) {
		long fd = syscall(SYS_bpf, BPF_MAP_CREATE, &small, sizeof(small));

		if (fd < 0) {
			err = errno;
			break;
		}
		fds[n++] = (int)fd;
	}
	if (n < 4096 && err != EMFILE && err != ENFILE && err != ENOMEM) {
		printf("after %d maps: %s\n", n, strerror(err));
		return 1;
	}
	while (n)
		close(fds[--n]);
	if (syscall(SYS_bpf, BPF_MAP_CREATE, &huge, sizeof(huge)) >= 0 || (errno != E2BIG && errno != ENOMEM)) {
		printf("a huge map: %s\n", strerror(errno));
		return 1;
	}
	return syscall(SYS_bpf, BPF_MAP_CREATE, &small, sizeof(small)) < 0;
}

static int trace_parents(void)
{
	char path[32], line[64];
	int parent = (int)getppid(), up = 0;
	FILE *f;

	/* Root outside of any user namespace may trace everybody. */
	f = fopen("/proc/self/uid_map", "r");
	if (f && fgets(line, sizeof(line), f) && strstr(line, "4294967295") && geteuid() == 0) {
		fclose(f);
		return 0;
	}
	if (f)
		fclose(f);
	/* The supervisor is the parent of the sandbox's first process. */
	snprintf(path, sizeof(path), "/proc/%d/status", parent);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "PPid: %d", &up) == 1)
			break;
	if (f)
		fclose(f);
	if (up > 1 && ptrace(PTRACE_SEIZE, up, 0, 0) == 0) {
		printf("the supervisor could be traced\n");
		return 1;
	}
	return 0;
}

/* In a network of its own: some of it is a valid request, and would take down the host's devices. */
static void netlink_rubbish(uint8_t *memory, uint64_t end)
{
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return;
	while (now_ms() < end) {
		int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
		struct nlmsghdr h = {.nlmsg_type = (uint16_t)(16 + any() % 40),
		                     .nlmsg_flags = (uint16_t)(any() % 2 ? 5 : 0x301)};
		struct iovec parts[2] = {{&h, sizeof(h)}, {memory, any() % 200}};
		struct msghdr m = {.msg_iov = parts, .msg_iovlen = any() % 3};

		h.nlmsg_len = any() % 4 ? (uint32_t)(sizeof(h) + parts[1].iov_len) : any();
		for (unsigned i = 0; i < 200; i++)
			memory[i] = (uint8_t)(any() % 3 ? 0 : any());
		((uint32_t *)memory)[1] = 1;
		for (int i = 0; fd >= 0 && i < 4; i++) {
			sendmsg(fd, any() % 8 ? &m : (void *)(uintptr_t)any(), 0);
			recv(fd, memory + 1024, any() % 4096, (int)(any() % 2 ? MSG_PEEK | MSG_TRUNC : 0));
		}
		close(fd);
	}
}

static void perf_rubbish(uint8_t *memory, uint64_t end)
{
	while (now_ms() < end) {
		struct perf_event_attr a = {.type = any() % 12, .config = any() % 2 ? 10 : any(), .size = any() % 3 ? sizeof(a) : any() % 200};
		long fd;

		a.config1 = (uintptr_t)memory + any() % 9000;
		fd = syscall(SYS_perf_event_open, any() % 8 ? &a : NULL, -1, (int)(any() % 3), -1, 0);
		if (fd >= 0) {
			ioctl((int)fd, PERF_EVENT_IOC_SET_BPF, any() % 20);
			ioctl((int)fd, PERF_EVENT_IOC_ENABLE, 0);
			ioctl((int)fd, PERF_EVENT_IOC_QUERY_BPF, memory + any() % 9000);
			close((int)fd);
		}
	}
}

/* Names relative to what is no directory, or to nothing, or without an end. */
static void odd_names(uint8_t *memory)
{
	static const char *const names[] = {"", "x", ".", "..", "/sys/fs/bpf/../bpf", "/proc/self/fdinfo/99999999999",
	                                    "/sys/kernel/tracing/events//id", "/run/xdp-", "/sys/"};
	int ends[2] = {-1, -1};

	memset(memory, 'a', 8192);
	memory[0] = '/';
	if (pipe(ends) != 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (int fd = -1; fd < 10; fd++) {
			struct stat st;

			close(openat(fd, names[i], O_RDONLY));
			fstatat(fd, names[i], &st, AT_EMPTY_PATH);
			unlinkat(fd, (char *)memory, 0); /* runs off its page */
			faccessat(fd, names[i], F_OK, 0);
		}
	close(ends[0]);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	uint8_t *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t each = argc > 1 ? (uint64_t)atoi(argv[1]) : 500;

	state += (uint64_t)getpid() * 2654435761u;
	if (trace_parents() || exhaust())
		return 1;
	odd_names(memory);
	random_attributes(memory, now_ms() + each);
	racing(now_ms() + each);
	netlink_rubbish(memory, now_ms() + each);
	perf_rubbish(memory, now_ms() + each);
	printf("done\n");
	return 0;
}
