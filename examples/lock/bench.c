/* SPDX-License-Identifier: BSD-2-Clause */
/* What a policy costs when 16 wait: in BPF and in C. */
#include "../kit.h"
#include "plock.h"

enum { PICKS = 300000, ROUNDS = 7 };

int main(void)
{
	static const struct {
		const char *name;
		policy_fn in_c;
	} policies[] = {{"fifo", fifo_in_c}, {"groups", groups_in_c}, {"priority", priority_in_c}};
	struct skep *k = kit_kernel(SKEP_ENGINE_AUTO);
	struct skep_point *point;
	struct bpf_object *o;
	struct skep_cpu *cpu;

	skep_libbpf_section(&lock_type);
	if (skep_type_add(k, &lock_type, NULL) || skep_point_new(k, lock_type.number, 0, 0, &point, NULL))
		return 1;
	o = kit_load(OBJECTS "/policy.bpf.o");
	cpu = skep_cpu_enter(k);
	for (int i = 0; i < 3; i++) {
		double best[2] = {1e18, 1e18};
		volatile unsigned sum = 0;
		struct plock l[2];

		skep_point_set(point, kit_prog(k, o, policies[i].name));
		plock_init(&l[0], point, NULL);
		plock_init(&l[1], NULL, policies[i].in_c);
		for (int which = 0; which < 2; which++)
			for (unsigned n = 0; n < 16; n++, l[which].n = n)
				l[which].waiter[n] = (struct waiter){n / 8 + 1, n * 7 % 16, n, 0};
		for (int round = 0; round < 2 * ROUNDS; round++) {
			double t = kit_ns();

			for (int n = 0; n < PICKS; n++)
				sum += plock_pick(&l[round & 1], cpu);
			t = (kit_ns() - t) / PICKS;
			best[round & 1] = t < best[round & 1] ? t : best[round & 1];
		}
		printf("%-8s  BPF %.1f ns, C %.1f ns (+%.1f)\n", policies[i].name, best[0], best[1],
		       best[0] - best[1]);
	}
	return 0;
}
