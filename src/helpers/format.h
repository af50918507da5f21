/* SPDX-License-Identifier: BSD-2-Clause */
/* printf for BPF programs: see format.c. */
#ifndef SKEP_HELPERS_FORMAT_H
#define SKEP_HELPERS_FORMAT_H

#include <stdint.h>

struct cpu;

enum { FORMAT_MAX_ARGS = 12 };

/*
 * Writes the text and a NUL to `to`, as far as the room goes. Answers its length without NUL, which
 * may be more; -EINVAL for a format that is none or wants more arguments.
 */
int64_t format_text(char *to, uint32_t room, const char *format, uint32_t format_size,
                    const uint64_t *args, uint32_t nargs, const struct cpu *cpu);

#endif
