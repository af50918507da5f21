/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU masks: an object of the kernel's type struct bpf_cpumask, the bits first, a count of references after
 * them. Programs may read it as that type, so its size is the type's; bits that count are those of the CPU
 * slots, further ones are 0.
 */
#include <errno.h>
#include <string.h>

#include "core/object.h"
#include "core/vmlinux.h"
#include "helpers/kfuncs.h"
#include "helpers/probe.h"

enum { WORDS_MAX = SKEP_MAX_CPUS / 64, SIZE_DEFAULT = WORDS_MAX * 8 };

static uint64_t *bits(uint64_t r)
{
	return (uint64_t *)(uintptr_t)r;
}

static uint32_t type_size(struct skep *k, const char *name)
{
	uint32_t id = vmlinux_find(k, BTF_STRUCT, name);

	return id ? vmlinux(k)->data.size[id] : 0;
}

/* Bytes of the bits, and so where the count is. */
static uint32_t bits_size(struct skep *k)
{
	uint32_t size = type_size(k, "cpumask");

	return size ? size : SIZE_DEFAULT;
}

static uint32_t *count_of(struct skep *k, uint64_t r)
{
	return (uint32_t *)((uint8_t *)(uintptr_t)r + bits_size(k));
}

static unsigned words(const struct cpu *cpu)
{
	return (cpu->k->ncpus + 63) / 64;
}

/* The bits of a word that count. */
static uint64_t valid(const struct cpu *cpu, unsigned word)
{
	unsigned left = cpu->k->ncpus - word * 64;

	return left >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << left) - 1;
}

KFUNC_FN(bpf_cpumask_create)
{
	uint64_t mask = (uintptr_t)object_new_plain(cpu->k, bits_size(cpu->k) + 8);

	if (mask)
		*count_of(cpu->k, mask) = 1;
	return mask;
}

KFUNC_FN(bpf_cpumask_acquire)
{
	__atomic_add_fetch(count_of(cpu->k, r1), 1, __ATOMIC_RELAXED);
	return r1;
}

KFUNC_FN(bpf_cpumask_release)
{
	if (!__atomic_sub_fetch(count_of(cpu->k, r1), 1, __ATOMIC_ACQ_REL))
		object_drop(cpu->k, bits(r1));
	return 0;
}

/* --- One CPU ----------------------------------------------------------------------------------- */

static bool there(const struct cpu *cpu, uint64_t n)
{
	return (uint32_t)n < cpu->k->ncpus;
}

static uint64_t bit(uint64_t n)
{
	return (uint64_t)1 << ((uint32_t)n % 64);
}

KFUNC_FN(bpf_cpumask_set_cpu)
{
	if (there(cpu, r1))
		__atomic_fetch_or(bits(r2) + (uint32_t)r1 / 64, bit(r1), __ATOMIC_RELAXED);
	return 0;
}

KFUNC_FN(bpf_cpumask_clear_cpu)
{
	if (there(cpu, r1))
		__atomic_fetch_and(bits(r2) + (uint32_t)r1 / 64, ~bit(r1), __ATOMIC_RELAXED);
	return 0;
}

KFUNC_FN(bpf_cpumask_test_cpu)
{
	return there(cpu, r1) && bits(r2)[(uint32_t)r1 / 64] & bit(r1);
}

KFUNC_FN(bpf_cpumask_test_and_set_cpu)
{
	return there(cpu, r1) && __atomic_fetch_or(bits(r2) + (uint32_t)r1 / 64, bit(r1),
	                                           __ATOMIC_ACQ_REL) & bit(r1);
}

KFUNC_FN(bpf_cpumask_test_and_clear_cpu)
{
	return there(cpu, r1) && __atomic_fetch_and(bits(r2) + (uint32_t)r1 / 64, ~bit(r1),
	                                            __ATOMIC_ACQ_REL) & bit(r1);
}

/* --- All of them -------------------------------------------------------------------------------- */

KFUNC_FN(bpf_cpumask_setall)
{
	for (unsigned i = 0; i < words(cpu); i++)
		bits(r1)[i] = valid(cpu, i);
	return 0;
}

KFUNC_FN(bpf_cpumask_clear)
{
	for (unsigned i = 0; i < words(cpu); i++)
		bits(r1)[i] = 0;
	return 0;
}

KFUNC_FN(bpf_cpumask_copy)
{
	for (unsigned i = 0; i < words(cpu); i++)
		bits(r1)[i] = bits(r2)[i];
	return 0;
}

KFUNC_FN(bpf_cpumask_and)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < words(cpu); i++)
		any |= bits(r1)[i] = bits(r2)[i] & bits(r3)[i];
	return any != 0;
}

KFUNC_FN(bpf_cpumask_or)
{
	for (unsigned i = 0; i < words(cpu); i++)
		bits(r1)[i] = bits(r2)[i] | bits(r3)[i];
	return 0;
}

KFUNC_FN(bpf_cpumask_xor)
{
	for (unsigned i = 0; i < words(cpu); i++)
		bits(r1)[i] = bits(r2)[i] ^ bits(r3)[i];
	return 0;
}

KFUNC_FN(bpf_cpumask_equal)
{
	for (unsigned i = 0; i < words(cpu); i++)
		if ((bits(r1)[i] ^ bits(r2)[i]) & valid(cpu, i))
			return 0;
	return 1;
}

KFUNC_FN(bpf_cpumask_intersects)
{
	for (unsigned i = 0; i < words(cpu); i++)
		if (bits(r1)[i] & bits(r2)[i] & valid(cpu, i))
			return 1;
	return 0;
}

KFUNC_FN(bpf_cpumask_subset)
{
	for (unsigned i = 0; i < words(cpu); i++)
		if (bits(r1)[i] & ~bits(r2)[i] & valid(cpu, i))
			return 0;
	return 1;
}

KFUNC_FN(bpf_cpumask_empty)
{
	for (unsigned i = 0; i < words(cpu); i++)
		if (bits(r1)[i] & valid(cpu, i))
			return 0;
	return 1;
}

KFUNC_FN(bpf_cpumask_full)
{
	for (unsigned i = 0; i < words(cpu); i++)
		if (~bits(r1)[i] & valid(cpu, i))
			return 0;
	return 1;
}

KFUNC_FN(bpf_cpumask_weight)
{
	unsigned n = 0;

	for (unsigned i = 0; i < words(cpu); i++)
		n += (unsigned)__builtin_popcountll(bits(r1)[i] & valid(cpu, i));
	return n;
}

/* The first CPU, from `start` on and round, in a and, where it is not NULL, b; ncpus: none. */
static uint32_t first(const struct cpu *cpu, const uint64_t *a, const uint64_t *b, uint64_t flip,
                      uint32_t start)
{
	uint32_t n = cpu->k->ncpus;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (start + i) % n;

		if ((a[at / 64] ^ flip) & (b ? b[at / 64] : ~(uint64_t)0) & bit(at))
			return at;
	}
	return n;
}

KFUNC_FN(bpf_cpumask_first)
{
	return first(cpu, bits(r1), NULL, 0, 0);
}

KFUNC_FN(bpf_cpumask_first_zero)
{
	return first(cpu, bits(r1), NULL, ~(uint64_t)0, 0);
}

KFUNC_FN(bpf_cpumask_first_and)
{
	return first(cpu, bits(r1), bits(r2), 0, 0);
}

/* Another one each time, as chance will have it. */
static uint32_t somewhere(struct cpu *cpu)
{
	cpu->random[0] = cpu->random[0] * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(cpu->random[0] >> 33) % cpu->k->ncpus;
}

KFUNC_FN(bpf_cpumask_any_distribute)
{
	return first(cpu, bits(r1), NULL, 0, somewhere(cpu));
}

KFUNC_FN(bpf_cpumask_any_and_distribute)
{
	return first(cpu, bits(r1), bits(r2), 0, somewhere(cpu));
}

/* r2: bytes from anywhere, r3: how many. */
KFUNC_FN(bpf_cpumask_populate)
{
	uint64_t from[WORDS_MAX] = {0};
	uint32_t size = (uint32_t)r3, need = words(cpu) * 8;

	if (size < need)
		return (uint64_t)-EACCES;
	if (r2 % 8)
		return (uint64_t)-EINVAL;
	if (probe_memory(from, need, r2))
		return (uint64_t)-EFAULT;
	memcpy(bits(r1), from, need);
	return 0;
}
