/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiling a program again, on the clock: see jit_time.c. */
#include "jit_again.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/prog.h"
#include "measure.h"

/* Compiles a copy of p and drops it; answers the ns of the first, negative: failed. */
static double compile_once(const struct prog *p)
{
	size_t size = p->nfuncs * sizeof(*p->funcs);
	struct prog copy = *p;
	double start, took;

	copy.funcs = malloc(size);
	if (!copy.funcs)
		return -1;
	memcpy(copy.funcs, p->funcs, size);
	copy.image = NULL;
	copy.code = NULL;
	start = clock_ns();
	took = p->engine->prepare(&copy) ? -1 : clock_ns() - start;
	if (took >= 0 && p->engine->release)
		p->engine->release(&copy);
	free(copy.funcs);
	return took;
}

int jit_again(const struct skep_prog *prog, unsigned rounds)
{
	const struct prog *p = (const struct prog *)prog;
	double ns[MEASURE_MAX_ROUNDS];

	for (unsigned i = 0; i < rounds; i++) {
		ns[i] = compile_once(p);
		if (ns[i] < 0)
			return -EIO;
	}
	printf("%s %u %u %.0f\n", p->name, p->ninsns, p->code_size, median(ns, rounds));
	return 0;
}
