/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client that is this process itself.
 *
 * Its addresses are ours, yet a bad one must give EFAULT and no crash. The operating system is
 * asked before a read: rt_sigprocmask() with an operation that does not exist copies its argument
 * and then refuses, which is the cheapest way to touch a page safely. What is written goes through
 * process_vm_writev(), or is stored directly where a policy forbids that call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/client.h"

enum { PAGE = 4096 }; /* no host has smaller ones */

/*
 * The length of a string is not known before it is read: as much is copied as its page allows.
 * Sanitizers must not look at that.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
__attribute__((no_sanitize("address", "thread"))) static void
copy_in(void *to, const volatile uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = from[i];
}
#else
#define copy_in memcpy
#endif

static int self_read(struct client *c, void *to, uint64_t addr, size_t len)
{
	uint64_t last = addr + len - 1;

	if (addr < PAGE || last < addr)
		return -EFAULT;
	/* Each page once, and none behind the last of the address space. */
	for (uint64_t page = addr & -(uint64_t)PAGE; page && page <= last; page += PAGE) {
		uint64_t at = page < addr ? addr & ~7ull : page;

		if (syscall(SYS_rt_sigprocmask, -1, at, NULL, 8) != 0 && errno == EFAULT)
			return -EFAULT;
	}
	copy_in(to, (const void *)(uintptr_t)addr, len);
	return 0;
}

static int self_write(struct client *c, uint64_t addr, const void *from, size_t len)
{
	struct iovec local = {(void *)(uintptr_t)from, len};
	struct iovec remote = {(void *)(uintptr_t)addr, len};
	ssize_t done = process_vm_writev(getpid(), &local, 1, &remote, 1, 0);

	if (done == (ssize_t)len)
		return 0;
	if (done >= 0 || errno == EFAULT || errno == EINVAL)
		return -EFAULT;
	memcpy((void *)(uintptr_t)addr, from, len);
	return 0;
}

static int self_install(struct client *c, int fd)
{
	return fd;
}

static int self_identify(struct client *c, int fd, dev_t *dev, ino_t *ino)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -EBADF;
	*dev = st.st_dev;
	*ino = st.st_ino;
	return 0;
}

static int self_status(struct client *c, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -EBADF : flags;
}

static int self_open(struct client *c, int dirfd, const char *path, int flags, mode_t mode)
{
	int fd = openat(dirfd, path, flags | O_CLOEXEC, mode);

	return fd < 0 ? -errno : fd;
}

const struct client_ops client_self_ops = {
	.read = self_read,
	.write = self_write,
	.install = self_install,
	.identify = self_identify,
	.status = self_status,
	.open = self_open,
};
