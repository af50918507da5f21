/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text that PROG_LOAD and BTF_LOAD write for their caller.
 *
 * It is collected in a buffer and written at the end, whatever came before: its last part when it
 * is too long, or its first where BPF_LOG_FIXED (8) asks for that.
 */
#ifndef SKEP_SYS_LOG_H
#define SKEP_SYS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct call;

struct log {
	struct buf text;
	uint64_t addr;
	uint32_t level, size;
	uint32_t true_size_field; /* where the caller learns what length it needed */
	bool wanted;              /* the attributes are sound, and somebody reads */
};

/* -EINVAL: the three attributes do not fit together. */
int log_check(struct log *log);
/* Where the verifier may write, or NULL. */
struct buf *log_text(struct log *log);
/* err, or what went wrong in writing: -ENOSPC (cut), -EFAULT, -ENOMEM. Frees the text. */
int log_finish(struct log *log, struct call *call, int err);

#endif
