/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers and workqueues: functions of programs that run later, on a thread of the kernel's (struct skep).
 *
 * A field of a map value holds the address of a struct job, made by async_init(). A job is in one map; it
 * keeps the program whose function it calls. Nobody keeps the map: when the last descriptor or pin of it
 * goes, its jobs end, and before the map is freed nobody is running one (async_end(), then a grace period).
 *
 * There are two threads, started when first needed: one for timers, one for work. Each runs one function
 * at a time, on a CPU slot, inside a read section.
 */
#ifndef SKEP_CORE_ASYNC_H
#define SKEP_CORE_ASYNC_H

#include <stdint.h>

struct skep;
struct map;
struct cpu;
struct callback;

enum async_kind { ASYNC_TIMER, ASYNC_WORK, ASYNC_KINDS };

enum { TIMER_ABSOLUTE = 1, TIMER_CPU_PIN = 2 }; /* BPF_F_TIMER_... */

/* What bpf_timer_init() and bpf_wq_init() do. -EINVAL, -EBUSY, -EPERM, -ENOMEM */
int async_init(struct map *m, void *field, enum async_kind kind, uint64_t flags);
int async_set_callback(struct skep *k, void *field, const struct callback *cb); /* -EINVAL, -EPERM */
int async_start(void *field, uint64_t ns, uint64_t flags, const struct cpu *cpu); /* -EINVAL */
/* Waits for the function where another thread runs it. 1: it was to run, 0; -EINVAL, -EDEADLK */
int async_cancel(struct cpu *cpu, void *field);
/* Ends what a field holds; waits for nobody. */
void async_end(struct skep *k, void *field);

/* At the end of a kernel: no function runs any more, before maps are freed; and what is left, after. */
void async_exit(struct skep *k);
void async_free(struct skep *k);

#endif
