/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The door: syscall() with bpf(2) led to the bound kernel.
 *
 * The binding is the one global of this library, and the reason why it is a library of its own: who
 * embeds libskep beside a libbpf for the real kernel does not link it.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "libbpf/door.h"
#include "libbpf/raw.h"
#include "skep.h"
#include "skep_bpf.h"

static _Atomic(struct skep *) bound;

struct skep *skep_bpf_bind(struct skep *k)
{
	return atomic_exchange(&bound, k);
}

struct skep *door_kernel(void)
{
	return atomic_load_explicit(&bound, memory_order_acquire);
}

long syscall(long number, ...);

__attribute__((visibility("default"))) long syscall(long number, ...)
{
	struct skep *k = number == SYS_bpf ? door_kernel() : NULL;
	long arg[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (k)
		return raw_result(
			skep_bpf(k, (int)arg[0], (void *)arg[1], (unsigned int)arg[2]));
	return raw_result(raw_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]));
}
