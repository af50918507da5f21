/* SPDX-License-Identifier: BSD-2-Clause */
/* The values that track.c follows where no verification is wanted: see there. */
#ifndef SKEP_VERIFIER_TRACK_H
#define SKEP_VERIFIER_TRACK_H

#include <stdint.h>

/*
 * What is known of a value: a kind and a number. How two of them merge: value_join() in track.c.
 *
 *   NONE    never written, or lost by a call        NUMBER     certainly no pointer
 *   CTX     the context + num                       CTX_MIXED  the context on some ways only
 *   FRAME   r10 of this function + num              FRAME_ANY  r10 + an unknown number
 *   MAP     p->maps[num]                            ANY        anything else
 */
enum value_kind {
	VALUE_NONE,
	VALUE_NUMBER,
	VALUE_CTX,
	VALUE_FRAME,
	VALUE_MAP,
	VALUE_CTX_MIXED,
	VALUE_FRAME_ANY,
	VALUE_ANY,
};

/* Packed in 16 bits: states are compared and merged as arrays of these. */
typedef uint16_t value;

enum { VALUE_NUM_MIN = -4096, VALUE_NUM_MAX = 4095 };

static inline value value_make(enum value_kind kind, int num)
{
	return (value)((unsigned)kind << 13 | ((unsigned)num & 0x1fff));
}

static inline enum value_kind value_kind(value v)
{
	return (enum value_kind)(v >> 13);
}

static inline int value_num(value v)
{
	return (int16_t)(v << 3) >> 3;
}

#endif
