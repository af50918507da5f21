/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kfuncs.def against itself (sorted, so that kfunc_find() finds) and against the kernel: for each kfunc
 * that it has and each program type, is the call allowed? What is wrong with it otherwise does not matter.
 */
#include <bpf/btf.h>

#include "../sys/place.h"
#include "helpers/kfuncs.h"

/* Types that cannot be loaded without something to attach to, or not here at all. */
static const bool not_asked[33] = {[20] = true, [26] = true, [27] = true, [28] = true, [29] = true};

static const uint32_t attach_types[33] = {[9] = 2, [18] = 8, [21] = 39, [25] = 21, [30] = 36, [32] = 45};

static char log_text[4096];

/* 1, 0, or -1: the kernel does not let us ask. */
static int allowed(int id, uint32_t type)
{
	const uint64_t insns[] = {0x2085 | (uint64_t)(uint32_t)id << 32, 0xb7, 0x95};
	union attr a = {.prog_load = {.prog_type = type, .insns = ptr(insns), .insn_cnt = 3,
	                              .license = ptr("GPL"), .log_buf = ptr(log_text),
	                              .log_size = sizeof(log_text), .log_level = 1,
	                              .prog_flags = type == 31 ? BPF_F_SLEEPABLE : 0,
	                              .expected_attach_type = attach_types[type]}};
	int fd;

	log_text[0] = '\0';
	fd = bpf_at(&(struct place){0}, PROG_LOAD, &a, sizeof(a));
	if (fd >= 0)
		close(fd);
	if (fd < 0 && !log_text[0])
		return -1;
	return !strstr(log_text, "is not allowed");
}

static unsigned compare(const struct btf *btf, const struct kfunc *f)
{
	int id = btf__find_by_name_kind(btf, f->name, BTF_KIND_FUNC);
	unsigned wrong = 0;

	for (uint32_t type = 1; id > 0 && type <= 32; type++) {
		int kernel = not_asked[type] ? -1 : allowed(id, type);
		bool ours = f->types >> type & 1;

		if (kernel < 0 || (bool)kernel == ours || strstr(f->name, "xdp_metadata"))
			continue;
		printf("# %s in programs of type %u: %d, the kernel says %d\n", f->name, type, ours,
		       kernel);
		wrong++;
	}
	return wrong;
}

int main(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	unsigned wrong = 0;

	for (unsigned i = 1; i < KFUNC_COUNT; i++)
		if (strcmp(kfuncs[i - 1].name, kfuncs[i].name) >= 0) {
			printf("# %s stands before %s\n", kfuncs[i - 1].name, kfuncs[i].name);
			wrong++;
		}
	printf("%sok 1 - rows are sorted by name\n", wrong ? "not " : "");
	if (!btf || allowed(btf__find_by_name_kind(btf, "bpf_rcu_read_lock", BTF_KIND_FUNC),
	                    BPF_PROG_TYPE_XDP) < 0) {
		printf("ok 2 # SKIP bpf(2) is not to be had\n1..2\n");
		return wrong != 0;
	}
	for (unsigned i = 0; i < KFUNC_COUNT; i++)
		wrong += compare(btf, &kfuncs[i]);
	printf("%sok 2 - who may call them\n1..2\n", wrong ? "not " : "");
	btf__free(btf);
	return wrong != 0;
}
