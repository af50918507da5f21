/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_SYS_TAG_H
#define SKEP_SYS_TAG_H

#include <stdint.h>

struct insn;

/*
 * The tag of a program of n slots as loaded: the first 8 bytes of the SHA-256 of its instructions, in
 * which the descriptors of maps count as 0 (Linux 6.18; kernels before took SHA-1).
 */
void tag_of(const struct insn *insns, uint32_t n, uint8_t tag[8]);

#endif
