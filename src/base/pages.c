/* SPDX-License-Identifier: BSD-2-Clause */
/* Shareable pages on a memfd: see pages.h. */
#define _GNU_SOURCE
#include "base/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

int pages_alloc(struct pages *p, const struct mem *mem, const char *name, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int err;
	void *base;
	int fd;

	if (size > (size_t)-1 / 2 - page)
		return -ENOMEM;
	size = (size + page - 1) / page * page;
	if (!mem_may_map(mem, size))
		return -ENOMEM;
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) != 0)
		goto fail;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		goto fail;
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		goto fail;
	*p = (struct pages){.base = base, .size = size, .fd = fd};
	return 0;
fail:
	err = errno == EFBIG || errno == ENOSPC ? ENOMEM : errno;
	close(fd);
	return -err;
}

void pages_refuse_writers(const struct pages *p)
{
	/* It fails where the host is older than 5.1: then it is as if this had not been asked. */
	if (p->base)
		(void)fcntl(p->fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
}

void pages_free(struct pages *p)
{
	if (p->base) {
		munmap(p->base, p->size);
		close(p->fd);
	}
	*p = (struct pages){.fd = -1};
}
