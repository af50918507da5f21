/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct skep: one BPF kernel, and what all its parts share.
 *
 * A process may hold many; nothing in libskep is reached but through one. The registries (map types,
 * helpers, hooks, engines) are plain arrays which sys/tables.c fills in; the folders that define their
 * rows never see each other.
 */
#ifndef SKEP_CORE_CORE_H
#define SKEP_CORE_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "base/mem.h"
#include "base/rcu.h"
#include "core/uapi.h"

struct prog;
struct map;
struct map_ops;
struct hook;
struct helper;
struct kfunc;
struct engine;
struct vmlinux;
struct attach;
struct obj;
struct skep_frame;
struct object;
struct async;
struct user_registry;
struct user_helper;
struct user_map;
struct skep_point;

/* Everything there is one of per kind, by number. Absent rows are NULL. */
struct registry {
	const struct map_ops *const *map_types; /* [nmap_types], by bpf_map_type */
	unsigned nmap_types;
	const struct helper *helpers; /* [nhelpers], by helper id; a row without fn is not there */
	unsigned nhelpers;
	const struct kfunc *kfuncs; /* [nkfuncs], sorted by name: see kfunc_find() */
	unsigned nkfuncs;
	const struct hook *const *hooks; /* [nhooks], in any order: see hook_find() */
	unsigned nhooks;
	/* What was added to this kernel (registry.h) under numbers that no array reaches. */
	struct user_helper *user_helpers;
	struct user_map *user_maps;
	unsigned nuser_helpers, nuser_maps;
	const struct engine *interp, *checked, *jit; /* jit is NULL on a host without a back end */
};

/* Live objects of one kind, by id. Ids only grow, from 1. */
struct id_table {
	struct obj **slot; /* open addressing by id; cap is a power of two */
	unsigned cap, used;
	uint32_t last_id;
};

/* The last three bpf(2) knows no ids of: OBJ_STATS is held for statistics to be kept. */
enum obj_kind { OBJ_PROG, OBJ_MAP, OBJ_BTF, OBJ_LINK, OBJ_STATS, OBJ_PERF, OBJ_EVENT, OBJ_KINDS };

enum {
	SKEP_MAX_CPUS = 1024,
};

/*
 * A CPU slot: what a running thread holds. Helpers receive it as their last argument, the JIT keeps it
 * in a register. Written by its holder only.
 */
struct cpu {
	struct rcu_reader rcu;
	/* From here on the JIT and the fix-up pass know offsets; see LDX_CPU in insn.def. */
	struct skep *k;
	uint32_t id; /* what bpf_get_smp_processor_id() answers */
	uint32_t tail_calls; /* made in this run so far */
	const struct prog *prog; /* running now; a tail call changes it */
	void *ctx;           /* of the run: what r1 pointed to */
	uint64_t random[2];  /* state of bpf_get_prandom_u32() */
	struct redirect {    /* what bpf_redirect() and friends asked for in this run */
		uint32_t ifindex;
		uint32_t flags;
		struct map *map; /* NULL: ifindex is a device */
		uint64_t key;
	} redirect;
	struct fault *fault;   /* the checked engine's first finding of this run, or NULL */
	uint64_t fuel;         /* instructions the checked engine may run in one run; 0 is no limit */
	uint64_t attach_cookie; /* of the attachment that runs the program; 0: none */
	void *checked;         /* the checked engine's state of the run in progress, or NULL */
	_Atomic uint32_t held; /* a thread holds this slot */
} __attribute__((aligned(64)));

/* Memory of programs' objects that nobody may be looking at when it is freed: object.c. */
struct limbo {
	struct lock lock;
	struct object *collected, *waiting;
	uint32_t ncollected;
	uint64_t period; /* of what is waiting */
};

/* A frame that left an XDP program: where to, and what is left of it. */
struct live_frame {
	uint32_t verdict; /* XDP_PASS, XDP_TX, XDP_REDIRECT */
	uint32_t ifindex; /* PASS and TX: where it came from; REDIRECT: where to, unless a map says */
	uint32_t flags;   /* of bpf_redirect_map(): BPF_F_BROADCAST, BPF_F_EXCLUDE_INGRESS */
	struct map *map;  /* or NULL */
	uint64_t key;
	const uint8_t *data;
	uint32_t len;
};

struct skep {
	struct mem mem;
	struct registry reg;
	int pid; /* of the process that made it */
	struct skep_point *points; /* sys/point.c: attach points of user-defined types */
	/* A sentence on what the embedder did wrong; NULL: nobody reads it. From any thread. */
	void (*diagnose)(void *arg, const char *text);
	void *diagnose_arg;
	struct user_registry *user; /* registry.h; NULL: nothing was added */
	uint32_t uid;   /* of who made this kernel: programs say who loaded them */
	_Atomic uint64_t caps; /* of who calls bpf(2): caps.h */
	unsigned ncpus; /* possible CPUs: size of every per-CPU value and of cpus[] */
	struct cpu *cpus;
	struct fault *faults; /* [ncpus]: what cpu->fault points to, when it does */
	struct rcu rcu;
	struct lock lock; /* of the id tables; taken last */
	struct id_table ids[OBJ_KINDS];
	const struct engine *engine; /* for programs that are trusted */
	bool trust;                  /* run unverified programs at full speed */
	bool blind;                  /* the JIT hides constants */
	bool jit_names;              /* publish code to perf and the debugger */
	_Atomic uint32_t stats;      /* how many want run statistics: BPF_ENABLE_STATS, skep.h */
	uint64_t hash_seed[2];
	struct limbo limbo;
	_Atomic(struct async *) async; /* timers and workqueues; NULL: none so far */
	void *jit_pool; /* exec/: executable memory */
	void *desc;     /* sys/: descriptors and pins */
	struct attach *attach;   /* what is attached where: attach.h */
	struct vmlinux *vmlinux; /* the kernel's BTF: vmlinux.h */
	struct {
		_Atomic(void *) devices, routes, neighs, socks;
		uint64_t ns_dev, ns_ino; /* of the network namespace; 0: this process's */
	} net; /* net.c's lists */
	/* bpf_trace_printk() lines, without a line end; NULL drops them. May come from any thread. */
	void (*trace)(void *arg, const char *line, size_t len);
	void *trace_arg;
	/* What the checked engine found in a test run, one line; NULL drops it. From any thread. */
	void (*on_fault)(void *arg, const char *text);
	void *fault_arg;
	/* Frames of BPF_F_TEST_XDP_LIVE_FRAMES that were not dropped; NULL: they are. From any thread. */
	void (*on_frame)(struct skep *k, const struct live_frame *f);
	void (*user_frame)(void *arg, const struct skep_frame *f); /* sys/: skep_options.frame */
	void *frame_arg;
	/* bpf(2) as programs of type syscall call it: attr in this process's memory. Set by sys/. */
	int (*bpf)(struct skep *k, int cmd, void *attr, unsigned size);
};

/* Core state: CPU slots, id tables, seeds; the registry is copied. 0 or -ENOMEM. */
int core_init(struct skep *k, const struct mem *mem, const struct registry *reg, unsigned ncpus);
void core_exit(struct skep *k);

/* CPUs that the host may ever have: what libbpf_num_possible_cpus() answers in this process. */
unsigned cpus_possible(void);

/* Takes a free CPU slot, waiting until there is one. Not nestable: see skep_cpu_enter(). */
struct cpu *cpu_enter(struct skep *k);
struct cpu *cpu_try_enter(struct skep *k, uint32_t id); /* that slot, or NULL: it is taken */
void cpu_leave(struct cpu *cpu);

#endif
