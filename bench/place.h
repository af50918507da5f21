/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places where a program can run: as native code in this process, in Skep by one of its engines, in the
 * real kernel. Each opens an object file and gives a runner.
 */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct skep_prog;

/* The packet that programs run on: a VLAN-tagged IPv4/UDP frame, right checksums, random payload. */
enum { FRAME_LEN = 1514 };
extern uint8_t bench_frame[FRAME_LEN];
void frame_build(void);

struct place;

/* A program in a place. */
struct runner {
	/* Runs the program `repeat` times on the packet; answers ns in total, negative: failed. */
	double (*run)(void *runner, uint64_t repeat);
	uint32_t result; /* of the last run */
	const void *data; /* the packet: bench_frame */
	uint32_t len;
	uint32_t code_size, insns; /* of machine code, of the translated program; 0: not known */
	/* The place's own. */
	uint32_t (*native)(void *ctx);
	struct bpf_object *object;
	int fd;
	struct skep_prog *prog;
};

struct place {
	const char *name;
	/* 0, or a negative errno with a line on stderr. What is not set up in out is zero. */
	int (*open)(const struct place *p, const char *object_path, const char *prog_name,
	            struct runner *out);
	void (*close)(struct runner *r);
	int engine; /* enum skep_engine */
};

extern const struct place place_native, place_kernel;

/* Why the kernel cannot be asked, or NULL. */
const char *kernel_absent(void);

#endif
