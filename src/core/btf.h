/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF as an object: what programs and maps refer to. The types themselves: btf/btf.h. */
#ifndef SKEP_CORE_BTF_H
#define SKEP_CORE_BTF_H

#include "btf/btf.h"
#include "core/obj.h"

struct btf {
	struct obj obj;
	struct btf_data data;
	bool kernel; /* the kernel's own: its name is "vmlinux" */
};

/*
 * Takes over bytes, from k->mem, in any case. The object has one reference and is not yet
 * published. Errors and log as btf_parse().
 */
int btf_new(struct skep *k, uint8_t *bytes, uint32_t nbytes, struct buf *log, struct btf **out);

#endif
