/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading memory that may not be there: see probe.c. */
#ifndef SKEP_HELPERS_PROBE_H
#define SKEP_HELPERS_PROBE_H

#include <stdint.h>

/* 0, or -EFAULT and zeros. */
int64_t probe_memory(void *to, uint32_t len, uint64_t from);
/* Bytes of the string with its NUL, which is put at the end in any case; or -EFAULT and zeros. */
int64_t probe_string(char *to, uint32_t len, uint64_t from);

#endif
