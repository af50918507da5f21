/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of the bench, in the order in which main.c runs them. */
#ifndef BENCH_SECTIONS_H
#define BENCH_SECTIONS_H

struct bench;

void section_programs(struct bench *b); /* the set of programs in every place */
void section_costs(struct bench *b);    /* entering; helper, bpf-to-bpf and tail calls */
void section_maps(struct bench *b);     /* operations on maps */
void section_user(struct bench *b);     /* maps from C, what their elements take */
void section_threads(struct bench *b);  /* operations on maps by two threads */
void section_packets(struct bench *b);  /* the smallest XDP program, per packet */
void section_ddos(struct bench *b);     /* the example filter, per packet */
void section_load(struct bench *b);     /* BPF_PROG_LOAD by length */
void section_verify(struct bench *b);  /* verification time, by the log */
void section_compile(struct bench *b);  /* what the JIT takes */
void section_sandbox(struct bench *b);  /* a call that a supervisor serves */
void section_start(struct bench *b);    /* start of the command, size and needs of the library */

/* Prints TAP instead: a test for each program and place. Answers the number that failed. */
unsigned programs_check(struct bench *b);

#endif
