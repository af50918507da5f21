/* SPDX-License-Identifier: BSD-2-Clause */
/* Kfuncs that are about what the verifier takes a pointer for, and single ones of no family. */
#include <errno.h>
#include <string.h>

#include "helpers/kfuncs.h"
#include "helpers/probe.h"

KFUNC_FN(bpf_cast_to_kern_ctx)
{
	return r1;
}

KFUNC_FN(bpf_rdonly_cast)
{
	return r1;
}

/* r1: room, r2: how much, r3: from, r4: flags; 1: zeros behind the string. */
KFUNC_FN(bpf_copy_from_user_str)
{
	enum { PAD_ZEROS = 1 };
	char *to = (char *)(uintptr_t)r1;
	uint32_t size = (uint32_t)r2;
	int64_t n;

	if (r4 & ~(uint64_t)PAD_ZEROS)
		return (uint64_t)-EINVAL;
	if (!size)
		return 0;
	n = probe_string(to, size, r3);
	if (n < 0) {
		if (r4 & PAD_ZEROS)
			memset(to, 0, size);
		return (uint64_t)n;
	}
	if (r4 & PAD_ZEROS)
		memset(to + n, 0, size - (uint32_t)n);
	return (uint64_t)n;
}
