/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that call a function of the program back: with which arguments, how often, and what it may
 * answer. The helper's own arguments are still in the caller's registers.
 */
#include <errno.h>

#include "core/dynptr.h"
#include "core/vmlinux.h"
#include "verifier/call.h"

static void set_map_arg(struct reg *r, enum reg_kind kind, const struct reg *map)
{
	reg_set_pointer(r, kind, 0);
	r->map = map->map;
	r->map_uid = map->map_uid;
}

static void returns(struct frame *callee, int32_t min, int32_t max)
{
	callee->in_callback = true;
	callee->ret_min = min;
	callee->ret_max = max;
}

/* long (*)(struct bpf_map *map, const void *key, void *value, void *ctx) */
static int args_for_each(struct verifier *v, struct frame *caller, struct frame *callee, uint32_t pc)
{
	const struct reg *map = &caller->regs[R1];

	(void)pc;
	if (!map->map->ops->for_each)
		return reject(v, REJECT_CALLBACK_MAP);
	callee->regs[R1] = *map;
	set_map_arg(&callee->regs[R2], REG_MAP_KEY, map);
	set_map_arg(&callee->regs[R3], REG_MAP_VALUE, map);
	callee->regs[R4] = caller->regs[R3];
	reg_set_none(&callee->regs[R5]);
	returns(callee, 0, 1);
	return 0;
}

/* long (*)(u64 index, void *ctx) */
static int args_loop(struct verifier *v, struct frame *caller, struct frame *callee, uint32_t pc)
{
	(void)v;
	(void)pc;
	reg_set_unknown(&callee->regs[R1]);
	callee->regs[R2] = caller->regs[R3];
	for (unsigned r = R3; r <= R5; r++)
		reg_set_none(&callee->regs[r]);
	returns(callee, 0, 1);
	return 0;
}

/* int (*)(struct bpf_map *map, void *key, void *value): r1 of the caller is a timer in a value of map */
static int args_timer(struct verifier *v, struct frame *caller, struct frame *callee, uint32_t pc)
{
	struct reg map = caller->regs[R1];

	(void)v;
	(void)pc;
	set_map_arg(&callee->regs[R1], REG_MAP, &map);
	set_map_arg(&callee->regs[R2], REG_MAP_KEY, &map);
	set_map_arg(&callee->regs[R3], REG_MAP_VALUE, &map);
	reg_set_none(&callee->regs[R4]);
	reg_set_none(&callee->regs[R5]);
	callee->in_async_callback = true;
	returns(callee, 0, 0);
	return 0;
}

/* long (*)(struct task_struct *task, struct vm_area_struct *vma, void *ctx) */
static int args_find_vma(struct verifier *v, struct frame *caller, struct frame *callee, uint32_t pc)
{
	struct skep *k = v->p->obj.k;

	(void)pc;
	callee->regs[R1] = caller->regs[R1];
	reg_set_pointer(&callee->regs[R2], REG_BTF_ID, 0);
	callee->regs[R2].btf = vmlinux(k);
	callee->regs[R2].btf_id = vmlinux_find(k, BTF_STRUCT, "vm_area_struct");
	callee->regs[R3] = caller->regs[R4];
	reg_set_none(&callee->regs[R4]);
	reg_set_none(&callee->regs[R5]);
	returns(callee, 0, 1);
	return 0;
}

/* long (*)(const struct bpf_dynptr *dynptr, void *ctx) */
static int args_drain(struct verifier *v, struct frame *caller, struct frame *callee, uint32_t pc)
{
	(void)pc;
	reg_set_pointer(&callee->regs[R1], REG_DYNPTR, 0);
	callee->regs[R1].id = new_id(v);
	callee->regs[R1].dynptr.type = DYNPTR_LOCAL;
	callee->regs[R1].dynptr.first = true;
	callee->regs[R2] = caller->regs[R3];
	for (unsigned r = R3; r <= R5; r++)
		reg_set_none(&callee->regs[r]);
	returns(callee, 0, 1);
	return 0;
}

enum { HELPER_FOR_EACH = 164, HELPER_TIMER_SET_CALLBACK = 170, HELPER_FIND_VMA = 180, HELPER_LOOP = 181,
       HELPER_DRAIN = 209 };

static const struct {
	uint32_t helper;
	callback_args args;
	bool async;
} callbacks[] = {
	{HELPER_FOR_EACH, args_for_each, false},
	{HELPER_TIMER_SET_CALLBACK, args_timer, true},
	{HELPER_FIND_VMA, args_find_vma, false},
	{HELPER_LOOP, args_loop, false},
	{HELPER_DRAIN, args_drain, false},
};

/*
 * bpf_loop() says how often: a count that is precise, since it decides whether the callback is entered
 * once more.
 */
static int loop_goes_on(struct verifier *v, bool *more)
{
	struct frame *f = cur_frame(v);
	int err = precise_mark(v, R1);

	*more = f->callback_depth < f->regs[R1].s.umax;
	if (!*more)
		f->callback_depth = 0;
	return err;
}

int call_callback(struct verifier *v, struct call *c, uint32_t pc, bool *done)
{
	*done = false;
	for (unsigned i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++) {
		bool more = true;
		int err = 0;

		if (callbacks[i].helper != c->id)
			continue;
		if (callbacks[i].async)
			return callback_async(v, pc, c->subprog, callbacks[i].args, false);
		if (c->id == HELPER_LOOP)
			err = loop_goes_on(v, &more);
		return err || !more ? err : callback_enter(v, pc, c->subprog, callbacks[i].args);
	}
	return 0;
}
