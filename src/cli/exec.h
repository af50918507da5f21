/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep exec from inside: what its files share.
 *
 *   exec.c    options, and the order of things
 *   object.c  loads it through libbpf, on Skep or on the real kernel
 *   fill.c    puts entries from text files into maps, before
 *   run.c     runs the entry program over a capture
 *   report.c  what came out: verdicts, speed, differences, the packets
 *   maps.c    contents of maps, by typed.c where their types are known
 *   raw.c     bare bytecode
 */
#ifndef SKEP_CLI_EXEC_H
#define SKEP_CLI_EXEC_H

#include <bpf/libbpf.h>
#include <skep.h>

#include "cli/cli.h"
#include "net/capture.h"

struct btf;

struct exec_bytes {
	uint8_t *data; /* NULL: not given */
	size_t len;
};

/* What the user asked for. */
struct exec_options {
	const char *object, *prog, *pcap, *out, *raw;
	struct exec_bytes data, ctx, mem;
	uint64_t repeat;
	enum skep_engine engine;
	bool trust, on_skep, on_kernel, maps, json, verbose;
	size_t map_entries; /* how many of each map to show */
	const char **fill; /* MAP=FILE */
	size_t nfill;
	const char **type; /* MAP.key=TYPE, MAP.value=TYPE */
	size_t ntype;
};

/* The verdict of a packet that the kernel would not take. */
#define REFUSED UINT64_MAX

/* How often a program answered what. */
struct tally {
	uint32_t code;
	uint64_t n;
};

/* One execution over packets. */
struct run {
	const struct capture *input; /* as it was read; NULL where nothing has to be put back */
	struct capture *work;        /* programs change this in place */
	uint64_t *verdicts;          /* of every packet of work, the last time */
	uint64_t repeat;             /* passes over the packets */
	uint64_t runs;               /* done, refused ones included */
	uint64_t ns;                 /* in the program: CPU time, or the kernel's own measure */
	uint64_t wall_ns;            /* with everything around it */
	struct tally *tallies;
	size_t ntallies;
	size_t refused, first_refused; /* the kernel takes no such packet */
	int refused_errno;
	size_t faults, first_fault; /* the checked engine found something */
	char fault[256];
	struct exec_bytes ctx_out;  /* of a single run with a context */
};

/* A place where the object runs: a Skep, or the real kernel. */
struct side {
	const char *name; /* "skep", "kernel" */
	bool on_kernel;
	struct skep *k; /* NULL: the real kernel, or not started yet */
	struct bpf_object *obj;
	struct bpf_program *prog;
	int fd;
	struct skep_prog *skep_prog; /* prog on Skep */
	char bpffs[32];              /* where its maps are pinned, "" nowhere */
	char fault[512];             /* what the checked engine found in a single run, or "" */
	struct run run;
};

/* Set by Ctrl-C: whatever takes long looks at it and ends early. */
extern volatile int interrupted;

/* Says on a terminal, now and then, how far a long job is. Text ends with it when done == total. */
void progress(const char *what, uint64_t done, uint64_t total);

uint64_t now_ns(void);
uint64_t cpu_ns(void); /* that this thread had a CPU for */

/* --- object.c: every call answers 0, or the exit code after a message -------------------------- */

/* Starts a Skep with the options' engine; libbpf speaks to it from now on. side_load() does it, too. */
int side_start(struct side *s, const struct exec_options *o);
/* Loads the object's bytes and finds the entry program. libbpf's calls on obj want side_enter() first. */
int side_load(struct side *s, const struct exec_options *o, const uint8_t *elf, size_t len);
/* libbpf speaks to this side from now on. */
void side_enter(const struct side *s);
void side_close(struct side *s);
enum { ENOTSUPP_KERNEL = 524 }; /* the kernel's "not supported", which no header tells */
/* A text for an errno of bpf(2), with the kernel's own ENOTSUPP. */
const char *bpf_strerror(int err);

/*
 * deadly.c: between these, a crash of libbpf's ends the process with a message on the object and as bad
 * input.
 */
enum { NDEADLY = 4 };
struct sigaction;
void deadly_catch(const char *path, struct sigaction *before);
void deadly_restore(const struct sigaction *before);

int maps_fill(struct side *s, const struct exec_options *o);

/* --- run.c -------------------------------------------------------------------------------------- */

/* Can a program of this type be run over a capture? */
bool takes_packets(enum bpf_prog_type type);
/* Runs s->prog as s->run says. */
int run_capture(struct side *s);
/* Runs it on one packet and context by BPF_PROG_TEST_RUN, s->run.repeat times; work holds the packet. */
int run_single(struct side *s, const struct exec_options *o);
void run_free(struct run *r);

/* --- report.c ----------------------------------------------------------------------------------- */

/* The result of a run on one or two sides. Answers EXIT_OK, or EXIT_FAILED where something is wrong. */
int report(struct out *out, const struct exec_options *o, struct side *sides, size_t nsides);
/* A verdict's name, or its number (in buf). */
const char *verdict_name(const struct side *s, uint32_t code, char buf[16]);
int packets_write(const char *path, const struct side *s);

/* --- maps.c, typed.c ---------------------------------------------------------------------------- */

/* The maps of the sides, the first in full, with a word on whether the other has the same. */
void maps_report(struct out *out, const struct exec_options *o, struct side *sides, size_t nsides);

/* A value of a BTF type; without a type hex digits. */
void typed_value(struct out *out, const char *name, const struct btf *btf, uint32_t type,
                 const void *data, size_t size);
/* Adds the numbers of one value to another's. False where the type has other things than numbers. */
bool typed_add(const struct btf *btf, uint32_t type, void *to, const void *from, size_t size);

/* --- raw.c -------------------------------------------------------------------------------------- */

int exec_raw(const struct exec_options *o);

#endif
