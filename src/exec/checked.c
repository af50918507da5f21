/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checked engine: the interpreter's body with every access resolved.
 *
 * It runs any structurally valid program, verified or not, without harm: memory is touched only in
 * regions that belong to the run (checked_mem.c), helpers get only arguments of the kinds that their rows
 * ask for (checked_call.c), calls nest to a limit, and loops end when the fuel does. The first violation
 * is recorded in cpu->fault and ends the run with r0 = 0.
 *
 * Each frame's stack is cleared when it is entered, so a program sees neither earlier runs nor the C
 * stack; reading what it has not written is no fault. Memory that was in reach stays so for the whole run:
 * values of maps of the program that made a tail call, elements that have been deleted. Fuel is paid at the end of each basic block.
 *
 * Requires: interp.h, checked.h. Provides: engine_checked.
 */
#include <string.h>

#include "core/hook.h"
#include "core/pkt.h"
#include "exec/checked.h"
#include "exec/exec.h"

#define STOP_UNLESS(condition)                                                                     \
	do {                                                                                       \
		if (__builtin_expect(!(condition), 0))                                             \
			goto stop;                                                                 \
	} while (0)
#define REACH(addr, size, write) STOP_UNLESS(reach(run, prog, s, addr, size, write))
#define ATOMIC_REACH(addr, size, write)                                                            \
	do {                                                                                       \
		if (addr % size) {                                                                 \
			run_fault_at(run, prog, s, "misaligned atomic access", addr, size, write); \
			goto stop;                                                                 \
		}                                                                                  \
		REACH(addr, size, write);                                                          \
	} while (0)
#define PAY()                                                                                      \
	do {                                                                                       \
		if (__builtin_expect(run->fuel < s->cost, 0)) {                                    \
			run_fault(run, prog, s, "no fuel left");                                   \
			goto stop;                                                                 \
		}                                                                                  \
		run->fuel -= s->cost;                                                              \
	} while (0)
#define CALL_OK() STOP_UNLESS(call_ok(run, prog, s, regs))
#define CALL_DONE()                                                                                \
	do {                                                                                       \
		STOP_UNLESS(!cpu->fault);                                                          \
		call_done(run, s, regs);                                                                 \
	} while (0)
#define KFUNC_OK() STOP_UNLESS(kfunc_ok(run, prog, s))
#define TAIL_CALL_OK() STOP_UNLESS(tail_call_ok(run, prog, s, regs))
#define TAIL_CALL_DONE() STOP_UNLESS(!cpu->fault)
#define PACKET_OK()                                                                                \
	do {                                                                                       \
		if (!prog->hook || !prog->hook->ld_abs || regs[R6] != (uintptr_t)cpu->ctx) {       \
			run_fault(run, prog, s, "r6 is not the context of a packet");              \
			goto stop;                                                                 \
		}                                                                                  \
	} while (0)
#define RUN_IN()                                                                                   \
	struct run *const run = cpu->checked;                                                      \
	struct area area;                                                                          \
	uint32_t frame;                                                                            \
	run_enter_area(run, &area, regs[R10])
#define RUN_OUT() run_leave_area(run)
#define FRAME_IN(size)                                                                             \
	do {                                                                                       \
		frame = (size);                                                                    \
		for (uint64_t low = regs[R10] - frame; low < regs[R10]; low += 8)                  \
			*(uint64_t *)(uintptr_t)low = 0;                                           \
		run_set_stack(run, regs[R10] - frame);                                             \
	} while (0)
#define FRAME_PUSH()                                                                               \
	do {                                                                                       \
		frames[depth].size = frame;                                                        \
		regs[R10] -= frame;                                                                \
	} while (0)
#define FRAME_POP()                                                                                \
	do {                                                                                       \
		frame = frames[depth].size;                                                        \
		regs[R10] += frame;                                                                \
		run_set_stack(run, regs[R10] - frame);                                             \
	} while (0)
#define DEPTH_FAULT() run_fault(run, prog, s, "calls nested too deep")
#define ENTRY checked_entry

static uint64_t checked_entry(void *ctx, struct cpu *cpu, const struct prog *prog);

#include "exec/interp_run.h"

/* Enters the body within a run. */
static uint64_t nest(struct run *run, const struct prog *prog, const struct image_func *at,
                     const uint64_t args[5])
{
	uint64_t ret;

	if (run->nesting == MAX_NESTING) {
		run_fault(run, prog, at->begin, "callbacks and tail calls nested too deep");
		return 0;
	}
	run->nesting++;
	ret = run_steps(prog, at, args, run->cpu);
	run->nesting--;
	return ret;
}

static uint64_t checked_entry(void *ctx, struct cpu *cpu, const struct prog *prog)
{
	struct run outermost, *run = cpu->checked;
	uint64_t ret;

	if (!run) {
		run_init(&outermost, cpu);
		cpu->checked = &outermost;
	}
	ret = nest(cpu->checked, prog, prog_image(prog)->funcs, (uint64_t[5]){(uintptr_t)ctx});
	cpu->checked = run;
	return ret;
}

/* A callback within a run; the key that bpf_for_each_map_elem() passes may be the helper's own memory. */
static uint64_t nest_callback(struct run *run, const uint64_t args[5], const struct callback *cb)
{
	uint32_t helper = run->helper;
	const struct map *map = run->map;
	uint64_t ret;

	if (helper == BPF_FUNC_FOR_EACH_MAP_ELEM && map)
		run_set_slot(run, SLOT_KEY,
		             &(struct region){args[1], map->key_size, false, "map key"});
	ret = nest(run, cb->prog, &prog_image(cb->prog)->funcs[cb->func], args);
	run->slot[SLOT_KEY] = (struct slot){0};
	run->helper = helper;
	run->map = map;
	return ret;
}

/* After a fault it answers 1: helpers that iterate stop at that. */
static uint64_t checked_callback(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                 struct cpu *cpu, const struct callback *cb)
{
	struct run outermost, *run = cpu->checked;
	uint64_t ret;

	if (cpu->fault)
		return 1;
	if (!run) {
		run_init(&outermost, cpu);
		cpu->checked = &outermost;
	}
	ret = nest_callback(cpu->checked, (uint64_t[5]){r1, r2, r3, r4, r5}, cb);
	cpu->checked = run;
	return cpu->fault ? 1 : ret;
}

static int checked_prepare(struct prog *p)
{
	const void *const *labels = (const void *const *)(uintptr_t)run_steps(NULL, NULL, NULL, NULL);
	struct image *im;
	int err = image_make(p, labels, true, &im);

	if (err)
		return err;
	p->image = im;
	p->entry = checked_entry;
	for (uint32_t f = 0; f < p->nfuncs; f++)
		p->funcs[f].cb = (struct callback){.call = checked_callback, .prog = p, .func = f};
	return 0;
}

const struct engine engine_checked = {
	.name = "checked",
	.prepare = checked_prepare,
	.release = image_free,
};
