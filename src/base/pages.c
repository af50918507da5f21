/* SPDX-License-Identifier: BSD-2-Clause */
/* Shareable pages on a memfd: see pages.h. */
#define _GNU_SOURCE
#include "base/pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

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
	fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) != 0)
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

void pages_free(struct pages *p)
{
	if (p->base) {
		munmap(p->base, p->size);
		close(p->fd);
	}
	*p = (struct pages){.fd = -1};
}
