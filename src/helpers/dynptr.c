/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynptrs as programs use them; what they are: core/dynptr.h. Those of ring buffers: ringbuf.c. */
#include "core/dynptr.h"

#include <errno.h>

#include "helpers/helpers.h"

static struct dynptr *dynptr_of(uint64_t r)
{
	return (struct dynptr *)(uintptr_t)r;
}

/* A failure leaves a dynptr of no memory. */
HELPER_FN(dynptr_from_mem)
{
	struct dynptr *d = dynptr_of(r4);

	dynptr_clear(d);
	if ((uint32_t)r2 > DYNPTR_MAX_SIZE)
		return (uint64_t)-E2BIG;
	if (r3)
		return (uint64_t)-EINVAL;
	dynptr_init(d, (void *)(uintptr_t)r1, DYNPTR_LOCAL, 0, (uint32_t)r2);
	return 0;
}

HELPER_FN(dynptr_read)
{
	return (uint64_t)dynptr_read((void *)(uintptr_t)r1, r2, dynptr_of(r3), r4, r5);
}

HELPER_FN(dynptr_write)
{
	return (uint64_t)dynptr_write(dynptr_of(r1), r2, (const void *)(uintptr_t)r3, r4, r5);
}

HELPER_FN(dynptr_data)
{
	return (uintptr_t)dynptr_data(dynptr_of(r1), r2, r3);
}
