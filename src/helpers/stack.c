/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_get_stackid() and bpf_get_stack(): who called. What a stack is here: core/stack.h. */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/stack.h"
#include "helpers/helpers.h"

enum {
	ID_FLAGS = STACK_SKIP | STACK_USER | STACK_FAST_COMPARE | STACK_REUSE_ID,
	COPY_FLAGS = STACK_SKIP | STACK_USER | STACK_USER_BUILD_ID,
};

/* Addresses from the skip-th on; how many, or -EFAULT: there are no more than are skipped. */
static int64_t walk(uint64_t *addrs, uint32_t max, uint64_t flags)
{
	uint64_t all[STACK_MAX + STACK_SKIP];
	uint32_t skip = flags & STACK_SKIP, n = stack_walk(all, max + skip);

	if (n <= skip)
		return -EFAULT;
	memcpy(addrs, all + skip, (n - skip) * sizeof(addrs[0]));
	return n - skip;
}

HELPER_FN(get_stackid)
{
	struct map *m = (struct map *)(uintptr_t)r2;
	uint64_t addrs[STACK_MAX];
	int64_t n;

	if (r3 & ~(uint64_t)ID_FLAGS)
		return (uint64_t)-EINVAL;
	if (!m->ops->stack_id)
		return (uint64_t)-ENOTSUPP;
	n = walk(addrs, STACK_MAX, r3);
	return (uint64_t)(n < 0 ? n : m->ops->stack_id(m, addrs, (uint32_t)n, r3));
}

static int64_t copy_stack(uint8_t *to, uint32_t size, uint64_t flags)
{
	uint32_t elem = flags & STACK_USER_BUILD_ID ? STACK_BUILD_ID_SIZE : sizeof(uint64_t);
	uint64_t addrs[STACK_MAX];
	uint32_t max = size / elem;
	int64_t n;

	if ((flags & ~(uint64_t)COPY_FLAGS) || size % elem ||
	    (flags & STACK_USER_BUILD_ID && !(flags & STACK_USER)))
		return -EINVAL;
	n = walk(addrs, max < STACK_MAX ? max : STACK_MAX, flags);
	if (n < 0)
		return n;
	if (flags & STACK_USER_BUILD_ID)
		stack_build_ids(addrs, (uint32_t)n, to);
	else
		memcpy(to, addrs, (size_t)n * elem);
	memset(to + n * elem, 0, size - (size_t)n * elem);
	return n * elem;
}

HELPER_FN(get_stack)
{
	void *to = (void *)(uintptr_t)r2;
	int64_t ret = copy_stack(to, (uint32_t)r3, r4);

	if (ret < 0)
		memset(to, 0, (uint32_t)r3);
	return (uint64_t)ret;
}
