/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of the bench, in the order in which main.c runs them. */
#ifndef BENCH_SECTIONS_H
#define BENCH_SECTIONS_H

struct bench;

void section_programs(struct bench *b); /* the set of programs in every place */

#endif
