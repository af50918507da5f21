/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files that check calls of kernel functions share. kfunc.c tells how. */
#ifndef SKEP_VERIFIER_KFUNC_H
#define SKEP_VERIFIER_KFUNC_H

#include "core/kfunc.h"
#include "verifier/btf_ptr.h"
#include "verifier/call.h"

struct kcall;

/* What is special about some kernel functions: kspecials[] in kfunc.c, by name. */
enum kspecial_flags {
	K_LOCKED_OK = 1 << 0, /* may be called while a lock is held */
	K_GIVES_NODE = 1 << 1, /* puts an object into a list or tree, which owns it from then on */
	K_TAKES_NODE = 1 << 2, /* its node may be one that the tree owns */
	K_SAVES_IRQ = 1 << 3,
	K_LOCKS = 1 << 4,
	K_UNLOCKS = 1 << 5,
	K_IRQ_LOCK = 1 << 6,  /* its lock comes with saved flags */
	K_DROPS = 1 << 7,     /* bpf_obj_drop() */
	K_PERCPU = 1 << 8,    /* of per-CPU objects */
	K_RDWR = 1 << 9,      /* a slice that may be written */
};

struct kspecial {
	const char *name;
	uint32_t flags;
	int (*check)(struct verifier *v, struct kcall *c);                  /* before the arguments */
	int (*effect)(struct verifier *v, struct kcall *c);                 /* after them */
	int (*answer)(struct verifier *v, struct kcall *c, struct reg *r0); /* instead of BTF's word */
	uint32_t dynptr; /* enum dynptr_type of the dynptr that it makes */
};

/* A call while it is checked. */
struct kcall {
	const struct kfunc *f;
	const struct kspecial *special;
	const struct btf *btf; /* of the prototype */
	const struct btf_type *proto;
	uint32_t pc;
	uint32_t ref_id;
	unsigned release;      /* register that is released, or 0 */
	bool has_const;        /* an argument that had to be a constant */
	uint64_t constant;
	uint32_t mem_size;     /* of a memory result, from an argument; 0: from the type */
	bool mem_rdonly;
	struct call call;      /* what helper and kernel functions share: map, dynptr, subprog */
	const struct special *root; /* the list or tree */
	struct reg arg;        /* the object: of allocation, refcount, node */
	bool owning;           /* it is ours */
	struct frame *iter_frame;
	int iter_spi;
	uint32_t clone_ref;
};

/* kfunc_arg.c: all arguments, in order. */
int kfunc_args(struct verifier *v, struct kcall *c);

/* iter.c */
int iter_arg(struct verifier *v, struct kcall *c, unsigned regno, uint32_t iter_id);
int iter_next(struct verifier *v, struct kcall *c); /* both ways on: another turn, or the end */
int irq_flag_arg(struct verifier *v, struct kcall *c, unsigned regno);

/* graph.c: lists and trees of a program's objects */
int graph_root_arg(struct verifier *v, struct kcall *c, unsigned regno, enum special_kind kind);
int graph_node_arg(struct verifier *v, struct kcall *c, unsigned regno, enum special_kind kind);
int graph_answer(struct verifier *v, struct kcall *c, struct reg *r0);
int graph_give(struct verifier *v, struct kcall *c); /* R2's object belongs to the root now */
int graph_less(struct verifier *v, struct frame *caller, struct frame *callee, uint32_t pc);
/* An owned object that its owner may drop when the lock is let go. */
void node_set_unowned(struct reg *r);

#endif
