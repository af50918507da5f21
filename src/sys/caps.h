/* SPDX-License-Identifier: BSD-2-Clause */
/* What a caller must be capable of to make maps and load programs. */
#ifndef SKEP_SYS_CAPS_H
#define SKEP_SYS_CAPS_H

#include <stdint.h>

/* 0 or -EPERM. */
int caps_check_prog(uint64_t caps, uint32_t type);
int caps_check_map(uint64_t caps, uint32_t type, uint32_t flags);
int caps_check_attach(uint64_t caps, uint32_t prog_type);

#endif
