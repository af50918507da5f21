/* SPDX-License-Identifier: BSD-2-Clause */
/* The contract between a fuzz target and what feeds it: libFuzzer, AFL++ or driver.c. */
#ifndef SKEP_FUZZ_H
#define SKEP_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must answer 0 for any input, leave no trace in memory, and abort() when a promise is broken. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
