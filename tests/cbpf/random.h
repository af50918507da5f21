/* SPDX-License-Identifier: BSD-2-Clause */
/* Random filters for the tests of classic BPF: the same for the same seed. */
#ifndef SKEP_TESTS_CBPF_RANDOM_H
#define SKEP_TESTS_CBPF_RANDOM_H

#include "skep_cbpf.h"

uint32_t random_next(uint64_t *seed);
uint32_t random_below(uint64_t *seed, uint32_t n);
/*
 * n instructions, most of them sensible: codes of the kind, small offsets, jumps inside. wild: one in so many
 * fields is anything; 0: none, and the filter passes skep_cbpf_check().
 */
void random_filter(uint64_t *seed, struct skep_cbpf_insn *to, size_t n, enum skep_cbpf_kind kind,
                   unsigned wild);

#endif
