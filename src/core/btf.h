/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF as an object: what programs and maps refer to. The types themselves: btf/btf.h. */
#ifndef SKEP_CORE_BTF_H
#define SKEP_CORE_BTF_H

#include "btf/btf.h"
#include "core/obj.h"

struct record;

/* A struct that has special fields: see core/record.h. */
struct btf_struct {
	uint32_t type_id;
	struct record *record;
};

struct btf {
	struct obj obj;
	struct btf_data data;
	bool kernel; /* the kernel's own: its name is "vmlinux" */
	struct btf_struct *structs; /* by type_id */
	uint32_t nstructs;
};

/*
 * Takes over bytes, from k->mem, in any case. The object has one reference and is not yet
 * published. Errors and log as btf_parse().
 */
int btf_new(struct skep *k, uint8_t *bytes, uint32_t nbytes, struct buf *log, struct btf **out);

/* The special fields of a struct of a program's own, or NULL: it has none. */
const struct record *btf_record(const struct btf *btf, uint32_t type_id);

#endif
