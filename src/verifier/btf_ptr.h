/* SPDX-License-Identifier: BSD-2-Clause */
/* Pointers to structs that BTF describes: see btf_ptr.c. */
#ifndef SKEP_VERIFIER_BTF_PTR_H
#define SKEP_VERIFIER_BTF_PTR_H

#include "core/btf.h"
#include "core/record.h"
#include "verifier/step.h"

/* Is what the register points to, at its offset, the kernel's struct of this name? */
bool btf_is_a(struct verifier *v, const struct reg *r, const char *name);
/* Does a struct, or a first member of a first member ..., at this offset have this type? */
bool btf_struct_at(const struct btf *btf, uint32_t id, uint32_t off, const struct btf *want_btf,
                   uint32_t want, bool strict);
/* May the kernel's pointers be followed with RCU's promise: nothing that they lead to is freed? */
bool state_in_rcu(const struct verifier *v);
/* May a call take it although it points into the struct? */
bool btf_offset_ok(const struct reg *r);
/* Is what it points to certainly there, as long as the program runs or holds it? */
bool reg_trusted(const struct reg *r);
const char *special_name(enum special_kind kind); /* "bpf_timer" */
/* May this register's pointer be stored in that kptr? */
int kptr_fits(struct verifier *v, const struct special *f, unsigned regno);
const char *btf_reg_name(const struct reg *r); /* "task_struct" */

#endif
