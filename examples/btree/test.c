/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups by the BPF program on every engine, and by plain C: the same values, misses, and page counts. */
#include "../kit.h"
#include "store.h"

enum { KEYS = 200000, ASKED = 20000 };

static void lookups(struct store *s, struct skep_prog *prog, struct skep_cpu *cpu, const char *engine)
{
	unsigned wrong = 0, found = 0, reads = 0;

	for (unsigned long long i = 0; i < ASKED; i++) {
		unsigned long long key = i * 48271 % (7ull * KEYS + 100), value = 0;
		bool there = store_lookup(s, key, &value);
		struct request r = {.seen = {.key = key, .page = (uintptr_t)&s->root}, .store = s};
		bool ours = skep_run(prog, &r, cpu);

		wrong += ours != there || (there && (r.seen.value != value || value != key * key)) ||
		         skep_cpu_fault(cpu);
		found += there;
		reads += r.seen.reads;
	}
	ok(!wrong && found > ASKED / 10, "%s: %u of %u keys found, as in C", engine, found, ASKED);
	ok(reads > ASKED && reads <= ASKED * (s->depth - 1), "%s: %u pages read", engine, reads);
}

int main(void)
{
	struct store s;
	bool there = store_open(&s, KEYS);

	ok(there && s.depth == 3, "an index of %u pages, depth %u", s.npages, s.depth);
	skep_libbpf_section(&btree_type);
	for (int e = 0; e < KIT_ENGINES; e++) {
		struct skep *k = kit_kernel(kit_engines[e].engine);
		char message[SKEP_MESSAGE] = "";
		struct bpf_object *o;
		struct skep_prog *prog;
		struct skep_cpu *cpu;

		ok(!btree_add(k, message), "%s: the type %s", kit_engines[e].name, message);
		o = kit_load(OBJECTS "/btree.bpf.o");
		prog = kit_prog(k, o, NULL);
		cpu = skep_cpu_enter(k);
		lookups(&s, prog, cpu, kit_engines[e].name);
		skep_cpu_leave(cpu);
		skep_prog_put(prog);
		bpf_object__close(o);
		skep_bpf_bind(NULL);
		skep_free(k);
	}
	store_close(&s);
	return kit_done();
}
