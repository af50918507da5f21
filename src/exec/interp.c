/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter for trusted programs: the body of interp_run.h without checks.
 *
 * Its memory safety is that of a C function: what keeps it is the verifier, or the user's word.
 * Requires: interp.h. Provides: engine_interp.
 */
#include <string.h>

#include "core/core.h"
#include "core/map.h"
#include "core/pkt.h"
#include "exec/exec.h"
#include "exec/interp.h"

#define REACH(addr, size, write) ((void)0)
#define ATOMIC_REACH(addr, size, write) ((void)0)
#define PAY() ((void)0)
#define CALL_OK() ((void)0)
#define CALL_DONE() ((void)0)
#define KFUNC_OK() ((void)0)
#define TAIL_CALL_OK() ((void)0)
#define TAIL_CALL_DONE() ((void)0)
#define PACKET_OK() ((void)0)
#define RUN_IN() ((void)0)
#define RUN_OUT() ((void)0)
#define FRAME_IN(size) ((void)0)
#define FRAME_PUSH() (regs[R10] -= STACK_SIZE)
#define FRAME_POP() (regs[R10] += STACK_SIZE)
#define DEPTH_FAULT() ((void)0)
#define ENTRY interp_entry

static uint64_t interp_entry(void *ctx, struct cpu *cpu, const struct prog *prog);

#include "exec/interp_run.h"

static uint64_t interp_entry(void *ctx, struct cpu *cpu, const struct prog *prog)
{
	return run_steps(prog, prog_image(prog)->funcs, (uint64_t[5]){(uintptr_t)ctx}, cpu);
}

static uint64_t interp_callback(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                struct cpu *cpu, const struct callback *cb)
{
	return run_steps(cb->prog, &prog_image(cb->prog)->funcs[cb->func],
	                 (uint64_t[5]){r1, r2, r3, r4, r5}, cpu);
}

static int interp_prepare(struct prog *p)
{
	const void *const *labels = (const void *const *)(uintptr_t)run_steps(NULL, NULL, NULL, NULL);
	struct image *im;
	int err = image_make(p, labels, false, &im);

	if (err)
		return err;
	p->image = im;
	p->entry = interp_entry;
	for (uint32_t f = 0; f < p->nfuncs; f++)
		p->funcs[f].cb = (struct callback){.call = interp_callback, .prog = p, .func = f};
	return 0;
}

const struct engine engine_interp = {
	.name = "interp",
	.prepare = interp_prepare,
	.release = image_free,
};
