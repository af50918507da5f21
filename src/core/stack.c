/* SPDX-License-Identifier: BSD-2-Clause */
/* Walking the host's stack: see stack.h. */
#define _GNU_SOURCE
#include "core/stack.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FRAME_MAX = 1 << 20, JUST_ADDRESS = 2 /* BPF_STACK_BUILD_ID_IP */ };

struct frame {
	uintptr_t outer, ret;
};

struct build_id {
	int32_t status;
	uint8_t id[20];
	uint64_t ip;
};

/* Frames lie higher the further out they are; anything else is no frame pointer. */
uint32_t stack_walk(uint64_t *addrs, uint32_t max)
{
	uintptr_t at = (uintptr_t)__builtin_frame_address(0);
	pid_t pid = getpid();
	uint32_t n = 0;

	while (n < max) {
		struct frame f;
		struct iovec to = {&f, sizeof(f)}, from = {(void *)at, sizeof(f)};

		if (at % sizeof(void *) ||
		    process_vm_readv(pid, &to, 1, &from, 1, 0) != sizeof(f) || f.ret < 4096)
			break;
		addrs[n++] = f.ret;
		if (f.outer <= at || f.outer - at > FRAME_MAX)
			break;
		at = f.outer;
	}
	return n;
}

void stack_build_ids(const uint64_t *addrs, uint32_t n, void *out)
{
	struct build_id *b = out;

	for (uint32_t i = 0; i < n; i++)
		b[i] = (struct build_id){.status = JUST_ADDRESS, .ip = addrs[i]};
}
