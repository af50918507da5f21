/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF_OBJ_GET_INFO_BY_FD: one function per kind of object, in map.c, prog.c and btf.c. */
#ifndef SKEP_SYS_INFO_H
#define SKEP_SYS_INFO_H

#include <stdint.h>

struct call;
struct obj;

int prog_info_answer(struct call *call, struct obj *o);
int btf_info_answer(struct call *call, struct obj *o);
int map_info_answer(struct call *call, struct obj *o);
int link_info_answer(struct call *call, struct obj *o);

/*
 * A caller's struct may be shorter or longer than ours; bytes that we do not know must be zero
 * (E2BIG). begin copies in what the caller asks for; info is zeroed by the caller. end copies out
 * what fits and says how much that was.
 */
int info_begin(struct call *call, void *info, uint32_t size);
int info_end(struct call *call, const void *info, uint32_t size);

#endif
