/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions (kfuncs): what a BPF program calls by the BTF id of a function.
 *
 * A kfunc is a C function called as helpers are, r1..r5 and the CPU slot, plus a row in kfuncs.def that
 * says what BTF cannot. Its prototype is that of the FUNC of the same name in the kernel's BTF
 * (core/vmlinux.h), with the suffixes of argument names that Linux, Documentation/bpf/kfuncs.rst
 * describes: __sz, __szk, __k, __ign, __uninit, __alloc, __opt, __refcounted_kptr, __nullable, __str,
 * __const_str, __map, __irq_flag, __prog.
 */
#ifndef SKEP_CORE_KFUNC_H
#define SKEP_CORE_KFUNC_H

#include "core/helper.h"

struct skep;

/* The kernel's KF_ flags by name, and what else the verifier must know. */
enum kfunc_flags {
	KFUNC_ACQUIRE = 1 << 0,
	KFUNC_RELEASE = 1 << 1,
	KFUNC_RET_NULL = 1 << 2,
	KFUNC_TRUSTED_ARGS = 1 << 3,
	KFUNC_SLEEPABLE = 1 << 4,
	KFUNC_DESTRUCTIVE = 1 << 5,
	KFUNC_RCU = 1 << 6,
	KFUNC_ITER_NEW = 1 << 7,
	KFUNC_ITER_NEXT = 1 << 8,
	KFUNC_ITER_DESTROY = 1 << 9,
	KFUNC_RCU_PROTECTED = 1 << 10,
	KFUNC_FASTCALL = 1 << 11,
	KFUNC_ARENA_RET = 1 << 12,
	KFUNC_ARENA_ARG1 = 1 << 13,
	KFUNC_ARENA_ARG2 = 1 << 14,
};

struct kfunc {
	const char *name; /* "bpf_obj_new_impl" */
	helper_fn fn;     /* NULL: known by name, not in Skep */
	uint64_t types;   /* program types that may call it: PROG_TYPE_BIT() */
	uint32_t flags;   /* enum kfunc_flags */
};

/* The row of this name, or NULL. k->reg.kfuncs is sorted by name. */
const struct kfunc *kfunc_find(const struct skep *k, const char *name);

#endif
