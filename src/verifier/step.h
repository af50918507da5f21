/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the walk offer one another: reading and writing registers, memory, branches,
 * calls. All act on v->cur, the state of the path that is followed, at instruction v->pc.
 *
 * Every function that can refuse the program answers 0 or a negative errno, having logged why with
 * reject(). A message of several lines is several rejects; the errno is that of the last.
 */
#ifndef SKEP_VERIFIER_STEP_H
#define SKEP_VERIFIER_STEP_H

#include <stddef.h>

#include "core/hook.h"
#include "core/hook.h"
#include "verifier/state.h"

static inline struct frame *cur_frame(const struct verifier *v)
{
	return state_frame(v->cur);
}

static inline struct reg *cur_regs(const struct verifier *v)
{
	return cur_frame(v)->regs;
}

/* --- Registers (reg.c) -------------------------------------------------------------------- */

int reg_readable(struct verifier *v, unsigned regno); /* or "R%d !read_ok" */
int reg_writable(struct verifier *v, unsigned regno); /* or "frame pointer is read only" */
/* The same for programs that may leak pointers; unprivileged: "R%d leaks addr ..." is the caller's. */
void reg_clobber_call(struct verifier *v); /* r1-r5 hold nothing after a call; r0 is left alone */
const char *reg_kind_text(struct verifier *v, const struct reg *r); /* "map_value_or_null" */
const char *reg_kind_name(enum reg_kind kind, uint32_t flags, char *text, size_t size);
/* Ties a scalar to an id when it is about to be copied, so that the copies learn together. */
void reg_link(struct verifier *v, struct reg *r);

/* A nullable pointer that is none: also becomes the inner map, the socket that its map holds. */
void reg_not_null(struct verifier *v, struct reg *r);
/* What the maps in a map-in-map are like, as a map of their kind that holds nothing. */
struct map *inner_map(struct verifier *v, const struct map *outer);

/* Calls fn for every register and spilled register of the whole state. */
void state_each_reg(struct state *s, void (*fn)(struct reg *r, void *arg), void *arg);

/* --- Memory (mem.c, stack.c, packet.c, ctx.c) --------------------------------------------- */

enum access { ACCESS_READ = 1, ACCESS_WRITE = 2 };

/*
 * A load or store of size bytes at regno + off, by instruction pc. value: the register that is loaded
 * or stored, or -1 (a constant, a helper's access). strict: alignment matters whatever the flags say.
 */
int mem_access(struct verifier *v, uint32_t pc, unsigned regno, int off, unsigned size,
               enum access access, int value, bool strict, bool sext);
/*
 * May a call read or write size bytes through this register? What check_helper_mem_access() is to the
 * kernel. A REG_STACK that is written becomes initialised; `raw`: it need not be before.
 */
int mem_helper(struct verifier *v, unsigned regno, int size, enum access access, bool zero_ok,
               bool raw);
/* The size is in a register: smallest and largest are tried, and it becomes precise. */
int mem_helper_size(struct verifier *v, unsigned regno, unsigned size_regno, enum access access,
                    bool zero_ok, bool raw);
/* The object that a nullable or plain pointer points to has mem_size bytes (global functions, kfuncs). */
int mem_object(struct verifier *v, unsigned regno, uint32_t mem_size);
/* Is [off, off + size) with the register's variable part inside mem_size bytes? */
int mem_in_region(struct verifier *v, unsigned regno, int off, int size, uint32_t mem_size,
                  bool zero_ok);
/* "dereference of modified %s ptr", "variable %s access", "negative offset %s ptr" */
int mem_plain_pointer(struct verifier *v, const struct reg *r, unsigned regno, bool fixed_ok);

/* Slot number spi of a frame, NULL beyond what was touched; stack_grow() makes it exist. */
struct slot *stack_slot(const struct frame *f, int spi);
int stack_grow(struct verifier *v, struct frame *f, int bytes); /* 0, -ENOMEM */
/* The frame that a REG_STACK register points into. */
struct frame *stack_frame(const struct verifier *v, const struct reg *r);
/* Forgets a whole slot: all its bytes become kind. */
void slot_fill(struct slot *s, enum slot_kind kind);
/* Stack slots that instruction pc reads or certainly writes, for liveness; mask by slot number. */
void live_stack_read(struct verifier *v, unsigned frame, uint32_t pc, uint64_t slots);
void live_stack_write(struct verifier *v, unsigned frame, uint64_t slots);

/* --- Paths (walk.c) ----------------------------------------------------------------------- */

/* Another path will go on at `to`, as if it came from `from`, in a copy of the current state; NULL: no
 * memory, or too many pending branches (logged; answer -E2BIG or walk_error()). */
struct state *branch_push(struct verifier *v, uint32_t to, uint32_t from);
int branch_error(const struct verifier *v); /* after NULL */

/* --- Precision (precise.c) ---------------------------------------------------------------- */

/* The exact value of this register decided something. */
int precise_mark(struct verifier *v, unsigned regno);
/* The same for the bytes of a stack slot of the current frame. */
int precise_mark_stack(struct verifier *v, unsigned frame, int spi);

/* --- Calls -------------------------------------------------------------------------------- */

int call_func(struct verifier *v, uint32_t *pc);       /* func.c: local and global functions */
int call_helper(struct verifier *v, uint32_t pc);      /* call.c */
int call_kfunc(struct verifier *v, uint32_t pc);       /* kfunc.c */
/* call.c: does this helper call a function back, before it returns or later? */
bool helper_calls_back(const struct verifier *v, int32_t id);
bool helper_calls_later(int32_t id);
int refs_check_exit(struct verifier *v, bool exception); /* ref.c: nothing may be held at the end */
/*
 * A callback's registers: fills in callee's regs from the caller's (which still hold the arguments of
 * the call). The rest of the frame is done.
 */
typedef int (*callback_args)(struct verifier *v, struct frame *caller, struct frame *callee,
                             uint32_t pc);
/* A call that calls `subprog` back, any number of times, before it returns (func.c). */
int callback_enter(struct verifier *v, uint32_t pc, uint32_t subprog, callback_args args);
/* One that calls it at some other time, in a world of its own: timers, work queues. */
int callback_async(struct verifier *v, uint32_t pc, uint32_t subprog, callback_args args,
                   bool sleepable);

/* --- BTF pointers, special fields (btf_mem.c) --------------------------------------------- */

int btf_access(struct verifier *v, uint32_t pc, unsigned regno, int off, unsigned size,
               enum access access, int value);
/* A load or store that touches a special field of a map value: 1: it is done, 0: go on, < 0. */
int special_access(struct verifier *v, uint32_t pc, unsigned regno, int off, unsigned size,
                   enum access access, int value);

#endif
