/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF_ENABLE_STATS: runs are counted while a descriptor is open, and only then. */
#include "place.h"

enum { ENABLE_STATS = 32 };

static struct prog_info info_of(const struct place *p, int fd)
{
	struct prog_info info = {0};
	union attr a = {.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(info),
	                         .info = ptr(&info)}};

	expect(p, "info", 0, OBJ_INFO, a);
	return info;
}

static void run(const struct place *p, int fd, uint32_t repeat)
{
	static uint8_t packet[64];
	union attr a = {.test_run = {.prog_fd = (uint32_t)fd, .data_in = ptr(packet),
	                             .data_size_in = sizeof(packet), .repeat = repeat}};

	expect(p, "run", 0, PROG_TEST_RUN, a);
}

static void all(const struct place *p)
{
	static const uint64_t insns[] = {0x2000000b7, 0x95};
	union attr a = {.prog_load = {.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 2,
	                              .insns = ptr(insns), .license = ptr("GPL")}};
	int fd = bpf_at(p, PROG_LOAD, &a, sizeof(a)), stats, other;
	struct prog_info info;

	a = (union attr){.enable_stats = {.type = 1}};
	expect(p, "statistics of an unknown kind", -EINVAL, ENABLE_STATS, a);
	a = (union attr){0};
	a.bytes[4] = 1;
	expect(p, "more than a kind", -EINVAL, ENABLE_STATS, a);
	run(p, fd, 10);
	info = info_of(p, fd);
	report(p, info.run_cnt == 0 && info.run_time_ns == 0, "not counted", (long)info.run_cnt, 0);
	a = (union attr){0};
	stats = bpf_at(p, ENABLE_STATS, &a, sizeof(a));
	other = bpf_at(p, ENABLE_STATS, &a, sizeof(a));
	report(p, stats > 0 && other > 0, "descriptors", stats, 1);
	run(p, fd, 100);
	info = info_of(p, fd);
	report(p, info.run_cnt == 100, "counted", (long)info.run_cnt, 100);
	report(p, info.run_time_ns > 0, "time", (long)info.run_time_ns, 1);
	report(p, info.recursion_misses == 0, "misses", (long)info.recursion_misses, 0);
	close(stats);
	run(p, fd, 1);
	info = info_of(p, fd);
	report(p, info.run_cnt == 101, "one descriptor is enough", (long)info.run_cnt, 101);
	expect(p, "a descriptor of statistics has no info", -EINVAL, OBJ_INFO,
	       (union attr){.info = {.bpf_fd = (uint32_t)other, .info_len = sizeof(info),
	                             .info = ptr(&info)}});
	close(other);
	info = info_of(p, fd);
	run(p, fd, 50);
	info = info_of(p, fd);
	report(p, info.run_cnt == 101, "not counted any more", (long)info.run_cnt, 101);
	close(fd);
}

int main(void)
{
	return run_places(NULL, all);
}
