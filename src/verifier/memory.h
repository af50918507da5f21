/* SPDX-License-Identifier: BSD-2-Clause */
/* What mem.c and stack.c share. */
#ifndef SKEP_VERIFIER_MEMORY_H
#define SKEP_VERIFIER_MEMORY_H

#include "verifier/step.h"

int stack_access(struct verifier *v, uint32_t pc, unsigned regno, int off, unsigned size,
                 enum access access, int value);
int stack_helper(struct verifier *v, unsigned regno, int off, int size, enum access access,
                 bool zero_ok, bool raw);
/* A slot is about to be written by a store: what lives there and may not be, or ends (dynptr.c). */
int stack_overwrite(struct verifier *v, struct frame *f, int spi);
/* "0", "(0x0; 0xff)" in text[64] */
const char *tnum_text(struct tnum t, char *text);

#endif
