/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel's shared state: CPU slots and the host's CPU count. Requires: base/. Provides: core.h. */
#define _GNU_SOURCE
#include "core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/object.h"
#include "core/net.h"
#include "core/prog.h"
#include "core/registry.h"

/* Counts the CPUs in a list like "0-3,8,10-11"; 0 when it makes no sense. */
static unsigned count_cpu_list(const char *s)
{
	unsigned n = 0;

	while (*s >= '0' && *s <= '9') {
		char *end;
		unsigned long first = strtoul(s, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last < first || last >= SKEP_MAX_CPUS)
			return 0;
		n += (unsigned)(last - first + 1);
		s = *end == ',' ? end + 1 : end;
	}
	return n;
}

unsigned cpus_possible(void)
{
	char text[256];
	ssize_t len = -1;
	unsigned n = 0;
	int fd = open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (len > 0) {
		text[len] = '\0';
		n = count_cpu_list(text);
	}
	if (!n) {
		long conf = sysconf(_SC_NPROCESSORS_CONF);

		n = conf > 0 && conf <= SKEP_MAX_CPUS ? (unsigned)conf : 1;
	}
	return n;
}

static void fill_random(void *to, size_t len)
{
	if (getrandom(to, len, GRND_NONBLOCK) != (ssize_t)len)
		memset(to, 0x5a, len);
}

int core_init(struct skep *k, const struct mem *mem, const struct registry *reg, unsigned ncpus)
{
	k->mem = *mem;
	k->reg = *reg;
	k->ncpus = ncpus;
	k->faults = mem_zalloc_array(&k->mem, ncpus, sizeof(k->faults[0]));
	k->cpus = k->faults ? aligned_alloc(_Alignof(struct cpu), ncpus * sizeof(struct cpu)) : NULL;
	if (!k->cpus) {
		mem_free(&k->mem, k->faults);
		return -ENOMEM;
	}
	memset(k->cpus, 0, ncpus * sizeof(struct cpu));
	fill_random(k->hash_seed, sizeof(k->hash_seed));
	for (unsigned i = 0; i < ncpus; i++) {
		k->cpus[i].k = k;
		k->cpus[i].id = i;
		fill_random(k->cpus[i].random, sizeof(k->cpus[i].random));
		k->cpus[i].random[0] |= 1; /* never all zero */
	}
	rcu_init(&k->rcu, &k->cpus[0].rcu, ncpus, sizeof(struct cpu));
	return 0;
}

void core_exit(struct skep *k)
{
	objects_exit(k);
	for (int kind = 0; kind < OBJ_KINDS; kind++)
		mem_free(&k->mem, k->ids[kind].slot);
	net_exit(k);
	registry_exit(k);
	mem_free(&k->mem, k->faults);
	free(k->cpus);
}

static bool cpu_try(struct cpu *cpu)
{
	uint32_t free = 0;

	return atomic_compare_exchange_strong(&cpu->held, &free, 1);
}

struct cpu *cpu_try_enter(struct skep *k, uint32_t id)
{
	return cpu_try(&k->cpus[id]) ? &k->cpus[id] : NULL;
}

struct cpu *cpu_enter(struct skep *k)
{
	int here = sched_getcpu();
	unsigned first = here > 0 ? (unsigned)here % k->ncpus : 0;

	for (;;) {
		for (unsigned i = 0; i < k->ncpus; i++) {
			struct cpu *cpu = &k->cpus[(first + i) % k->ncpus];

			if (cpu_try(cpu))
				return cpu;
		}
		sched_yield();
	}
}

void cpu_leave(struct cpu *cpu)
{
	atomic_store_explicit(&cpu->held, 0, memory_order_release);
}
