/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers and workqueues as programs use them: see core/async.h. */
#include <errno.h>

#include "core/async.h"
#include "helpers/helpers.h"
#include "helpers/kfuncs.h"

static void *pointer(uint64_t r)
{
	return (void *)(uintptr_t)r;
}

HELPER_FN(timer_init)
{
	return (uint64_t)async_init(pointer(r2), pointer(r1), ASYNC_TIMER, r3);
}

HELPER_FN(timer_set_callback)
{
	return (uint64_t)async_set_callback(cpu->k, pointer(r1), pointer(r2));
}

HELPER_FN(timer_start)
{
	if (r3 & ~(uint64_t)(TIMER_ABSOLUTE | TIMER_CPU_PIN))
		return (uint64_t)-EINVAL;
	return (uint64_t)async_start(pointer(r1), r2, r3, cpu);
}

HELPER_FN(timer_cancel)
{
	return (uint64_t)async_cancel(cpu, pointer(r1));
}

KFUNC_FN(bpf_wq_init)
{
	return (uint64_t)async_init(pointer(r2), pointer(r1), ASYNC_WORK, (uint32_t)r3);
}

KFUNC_FN(bpf_wq_set_callback_impl)
{
	if ((uint32_t)r3)
		return (uint64_t)-EINVAL;
	return (uint64_t)async_set_callback(cpu->k, pointer(r1), pointer(r2));
}

KFUNC_FN(bpf_wq_start)
{
	if ((uint32_t)r2)
		return (uint64_t)-EINVAL;
	return (uint64_t)async_start(pointer(r1), 0, 0, cpu);
}
