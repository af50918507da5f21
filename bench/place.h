/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places where a program can run: as native code in this process, in Skep by one of its engines, in
 * the real kernel. Each loads an object file and gives runners of its programs.
 */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct skep_prog;

/*
 * The packet that programs run on: a VLAN-tagged IPv4/UDP frame, right checksums, random payload.
 */
enum { FRAME_LEN = 1514, FRAME_ROOM = 512 };
extern uint8_t *const bench_frame; /* FRAME_ROOM bytes before and behind it are ours too */
void frame_build(void);

struct place;
struct skep;

/* An object file that is loaded in a place. */
struct loaded {
	const struct place *place;
	const char *path;
	struct bpf_object *object; /* NULL: native */
	struct skep *skep;         /* NULL: not Skep */
};

/* A program of it. */
struct runner {
	/* Runs the program `repeat` times on the packet; answers ns in total, negative: failed. */
	double (*run)(void *runner, uint64_t repeat);
	uint32_t result; /* of the last run */
	const uint8_t *data; /* the packet; FRAME_ROOM before and behind it */
	uint32_t len;
	uint32_t code_size, insns; /* of machine code, of the translated program; 0: not known */
	/* The place's own. */
	uint32_t (*native)(void *ctx);
	int fd;
	struct skep *skep;
	struct skep_prog *prog;
};

struct place {
	const char *name;
	/* 0, or a negative errno with a line on stderr. */
	int (*load)(const struct place *p, const char *path, struct loaded *out);
	void (*unload)(struct loaded *l);
	/*
	 * out: zeroed; gets the bench frame as its packet. 0, or a negative errno with a line on
	 * stderr.
	 */
	int (*find)(const struct loaded *l, const char *prog_name, struct runner *out);
	void (*put)(struct runner *r);
	/* Copies the machine code, of code_size bytes. NULL: there is none to see. 0 or -errno. */
	int (*code)(const struct runner *r, void *to);
	int engine; /* enum skep_engine */
};

extern const struct place place_native, place_jit, place_interp, place_checked, place_kernel;

/* The kernel of an engine, made when first asked for; NULL with a line on stderr. */
struct skep *skep_of_engine(int engine);
void skep_places_exit(void);

/*
 * Opens an object file and loads it into whatever bpf(2) is bound to. 0, or -errno with a line on
 * stderr.
 */
int object_load(const char *path, const char *place_name, struct bpf_object **out);

/* Why the kernel cannot be asked, or NULL. */
const char *kernel_absent(void);

#endif
