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
#include <stdint.h>
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

/* Is this the event that BPF programs write to? All others are the operating system's. */
static int is_output(const uint64_t *attr)
{
	return attr && (uint32_t)attr[0] == 1 /* PERF_TYPE_SOFTWARE */ &&
	       attr[1] == 10 /* PERF_COUNT_SW_BPF_OUTPUT */;
}

long syscall(long number, ...);

__attribute__((visibility("default"))) long syscall(long number, ...)
{
	struct skep *k = number == SYS_bpf || number == SYS_perf_event_open ? door_kernel() : NULL;
	long arg[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (k && number == SYS_perf_event_open && is_output((const void *)arg[0]))
		return raw_result(skep_perf_event_open(k, (const void *)arg[0], (int)arg[1],
		                                       (int)arg[2], (int)arg[3],
		                                       (unsigned long)arg[4]));
	if (k && number == SYS_bpf)
		return raw_result(
			skep_bpf(k, (int)arg[0], (void *)arg[1], (unsigned int)arg[2]));
	return raw_result(raw_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]));
}

/* The ioctl()s of perf events. */
__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	struct skep *k = request >> 8 == '$' ? door_kernel() : NULL;
	int ret = k ? skep_perf_event_ioctl(k, fd, request) : -ENOTTY;
	va_list args;
	long arg;

	va_start(args, request);
	arg = va_arg(args, long);
	va_end(args);
	if (ret == -ENOTTY)
		return (int)raw_result(raw_syscall(SYS_ioctl, fd, (long)request, arg, 0, 0, 0));
	return (int)raw_result(ret);
}
