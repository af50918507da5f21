/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records: what BTF says is special in a map value or in an object of a program's own.
 *
 * Some fields are not plain bytes: nobody but the helpers made for them may touch them, bpf(2) neither
 * reads nor writes them, and what they hold is released with the value. A struct record lists them, by
 * offset; a value without any has no record.
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

struct special {
	enum special_kind kind;
	uint32_t offset, size;
	/* Of kptrs: what it points to, in btf: the map's, or the kernel's BTF. Of heads and roots: the
	 * struct that contains the nodes (in the map's BTF) and where in it the node is. */
	const struct btf *btf;
	uint32_t type_id;
	uint32_t node_offset;
	const struct record *record; /* of that struct when it is a program's own; may be NULL */
};

struct record {
	uint32_t n;
	uint32_t mask; /* SPECIAL_BIT() of each kind that is there */
	struct special fields[]; /* by offset */
};

/*
 * The record of a struct type, of which only kinds in `allowed` may occur. *out is NULL when nothing in
 * it is special. 0, -EINVAL, -E2BIG, -EEXIST ... as BPF_MAP_CREATE and BPF_BTF_LOAD answer; -ENOMEM.
 */
int record_parse(const struct btf *btf, uint32_t type_id, uint32_t size, uint32_t allowed,
                 struct record **out);
void record_free(const struct mem *mem, struct record *r); /* NULL is fine */

const struct special *record_find(const struct record *r, enum special_kind kind); /* first, or NULL */
const struct special *record_at(const struct record *r, uint32_t offset); /* starting there, or NULL */

/* The following take r == NULL as "nothing special". value is a whole value of the record's type. */
void record_init(const struct record *r, void *value); /* makes special fields empty; they may be dirty */
void record_copy(const struct record *r, void *dst, const void *src, size_t size); /* all the rest */
/* bpf(2)'s view: special bytes read as 0. */
void record_copy_out(const struct record *r, void *dst, const void *src, size_t size);
/* Ends what fields hold: timers are cancelled, objects dropped. The value may be used again afterwards. */
void record_release(struct skep *k, const struct record *r, void *value);
/* The spin lock of a value: BPF_F_LOCK. r must have one. */
void record_lock(const struct record *r, void *value);
void record_unlock(const struct record *r, void *value);

#endif
