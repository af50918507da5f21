/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records: what BTF says is special in a map value or in an object of a program's own.
 *
 * Some fields are not plain bytes: nobody but the helpers made for them may touch them, bpf(2) neither
 * reads nor writes them, and what they hold is released with the value. A struct record lists them, by
 * offset; a value without any has no record.
 *
 * All zero is the empty state of every field but a reference count.
 *
 * Layouts and rules: public <linux/bpf.h> (struct bpf_spin_lock ...), Linux 6.18.
 */
#ifndef SKEP_CORE_RECORD_H
#define SKEP_CORE_RECORD_H

#include "core/btf.h"

struct cpu;
struct record;

enum special_kind {
	SPECIAL_SPIN_LOCK,
	SPECIAL_RES_SPIN_LOCK,
	SPECIAL_TIMER,
	SPECIAL_WORKQUEUE,
	SPECIAL_TASK_WORK,
	SPECIAL_KPTR_UNREF,  /* __kptr_untrusted */
	SPECIAL_KPTR_REF,    /* __kptr */
	SPECIAL_KPTR_PERCPU, /* __percpu_kptr */
	SPECIAL_UPTR,        /* __uptr */
	SPECIAL_LIST_HEAD,
	SPECIAL_LIST_NODE,
	SPECIAL_RB_ROOT,
	SPECIAL_RB_NODE,
	SPECIAL_REFCOUNT,
	SPECIAL_KINDS,
};

#define SPECIAL_BIT(kind) (1u << (kind))

enum {
	SPECIAL_LOCKS = SPECIAL_BIT(SPECIAL_SPIN_LOCK) | SPECIAL_BIT(SPECIAL_RES_SPIN_LOCK),
	/* What runs a program later: ends when the last user lets go of the map. */
	SPECIAL_ASYNC = SPECIAL_BIT(SPECIAL_TIMER) | SPECIAL_BIT(SPECIAL_WORKQUEUE) |
	                SPECIAL_BIT(SPECIAL_TASK_WORK),
	SPECIAL_KPTRS = SPECIAL_BIT(SPECIAL_KPTR_UNREF) | SPECIAL_BIT(SPECIAL_KPTR_REF) |
	                SPECIAL_BIT(SPECIAL_KPTR_PERCPU),
	SPECIAL_ROOTS = SPECIAL_BIT(SPECIAL_LIST_HEAD) | SPECIAL_BIT(SPECIAL_RB_ROOT),
	SPECIAL_NODES = SPECIAL_BIT(SPECIAL_LIST_NODE) | SPECIAL_BIT(SPECIAL_RB_NODE),
	/* What may stand in a map value; in an object that a program allocates. */
	SPECIAL_IN_VALUES = SPECIAL_LOCKS | SPECIAL_ASYNC | SPECIAL_KPTRS |
	                    SPECIAL_BIT(SPECIAL_UPTR) | SPECIAL_ROOTS |
	                    SPECIAL_BIT(SPECIAL_REFCOUNT),
	SPECIAL_IN_OBJECTS = SPECIAL_LOCKS | SPECIAL_KPTRS | SPECIAL_ROOTS | SPECIAL_NODES |
	                     SPECIAL_BIT(SPECIAL_REFCOUNT),
};

struct special {
	enum special_kind kind;
	uint32_t offset, size;
	/* Of kptrs: what it points to, in btf: the map's, or the kernel's BTF. Of heads and roots: the
	 * struct that contains the nodes (in the map's BTF) and where in it the node is. */
	const struct btf *btf;
	uint32_t type_id;
	uint32_t node_offset;
	const struct record *record; /* of that struct when it is a program's own; may be NULL */
	const char *dtor; /* of a __kptr to a kernel type: the kfunc that gives it back */
};

struct record {
	uint32_t n;
	uint32_t mask; /* SPECIAL_BIT() of each kind that is there */
	struct special fields[]; /* by offset */
};

/*
 * The record of a struct type, or of a section, of which only kinds in `allowed` are looked for. *out is
 * NULL when nothing in it is special. 0, or what the kernel finds wrong: -EINVAL, -E2BIG, -EEXIST,
 * -ENOENT ...; -ENOMEM.
 *
 * BPF_MAP_CREATE does not mind what is wrong: such a value has no record. BPF_BTF_LOAD does.
 */
int record_parse(const struct btf *btf, uint32_t type_id, uint32_t size, uint32_t allowed,
                 struct record **out);
/* Finds the records of what heads and roots contain. -EFAULT, -ELOOP, -E2BIG */
int record_link(const struct btf *btf, struct record *r); /* NULL is fine */
void record_free(const struct mem *mem, struct record *r); /* NULL is fine */

/* The records of all structs of a program's that have special fields: see btf_record(). */
int record_parse_all(struct btf *btf);

const struct special *record_find(const struct record *r, enum special_kind kind); /* first, or NULL */
const struct special *record_at(const struct record *r, uint32_t offset); /* starting there, or NULL */

/* Do two values have the same special fields? Either may be NULL. */
bool record_equal(const struct record *a, const struct record *b);

static inline bool record_has(const struct record *r, enum special_kind kind)
{
	return r && (r->mask & SPECIAL_BIT(kind));
}

/*
 * Values. r is not NULL; a value is a whole one of the record's type, aligned to 8 bytes; others may be
 * reading or writing the shared side: see base/copy.h.
 */
void record_init(const struct record *r, void *value); /* makes special fields empty; they may be dirty */
/* All but the special fields, to and from a value that is shared. from NULL: zeros. */
void record_copy_in(const struct record *r, void *shared, const void *from, size_t size);
/* bpf(2)'s view: special bytes read as 0, a reference count as 1. */
void record_copy_out(const struct record *r, void *to, const void *shared, size_t size);
/* The same two with the value's spin lock held: BPF_F_LOCK. */
void record_copy_in_locked(const struct record *r, void *shared, const void *from, size_t size);
void record_copy_out_locked(const struct record *r, void *to, void *shared, size_t size);
/*
 * Ends what fields of the kinds in `mask` hold: timers are cancelled, objects dropped. The value may be
 * used again afterwards. May be called with a map's lock held: waits for nobody.
 */
void record_release(struct skep *k, const struct record *r, void *value, uint32_t mask);

#endif
