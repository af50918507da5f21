/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF_PROG_LOAD, BPF_PROG_TEST_RUN, information on programs: attributes, logs, BTF, tags. */
#include <stdlib.h>

#include "isa/insn.h"
#include "place.h"

static const struct insn ret0[] = {{.code = 0xb7}, {.code = 0x95}};

static union attr prog(const struct insn *insns, uint32_t n)
{
	return (union attr){.prog_load = {.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = n,
	                                  .insns = ptr(insns), .license = ptr("GPL")}};
}

static int load(const struct place *p, union attr a)
{
	return bpf_at(p, PROG_LOAD, &a, sizeof(a));
}

static void attributes(const struct place *p)
{
	union attr a;

#define WITH(what, want, ...)                                                                      \
	a = prog(ret0, 2);                                                                         \
	__VA_ARGS__;                                                                               \
	expect(p, "load: " what, want, PROG_LOAD, a)
	WITH("the smallest program", A_DESCRIPTOR, (void)0);
	WITH("no instructions", -E2BIG, a.prog_load.insn_cnt = 0);
	WITH("a million and one", -E2BIG, a.prog_load.insn_cnt = 1000001);
	WITH("instructions nowhere", -EFAULT, a.prog_load.insns = 8);
	WITH("a license nowhere", -EFAULT, a.prog_load.license = 8);
	WITH("no license", -EFAULT, a.prog_load.license = 0);
	WITH("type 0", -EINVAL, a.prog_load.prog_type = 0);
	WITH("type 99", -EINVAL, a.prog_load.prog_type = 99);
	WITH("type 99, instructions nowhere", -EFAULT, a.prog_load.prog_type = 99,
	     a.prog_load.insns = 8);
	WITH("type 99, no instructions", -E2BIG, a.prog_load.prog_type = 99,
	     a.prog_load.insn_cnt = 0);
	WITH("unknown flags", -EINVAL, a.prog_load.prog_flags = 1u << 30);
	WITH("unknown flags, no instructions", -EINVAL, a.prog_load.prog_flags = 1u << 30,
	     a.prog_load.insn_cnt = 0);
	WITH("strict alignment", A_DESCRIPTOR, a.prog_load.prog_flags = BPF_F_STRICT_ALIGNMENT);
	WITH("fragments", A_DESCRIPTOR, a.prog_load.prog_flags = BPF_F_XDP_HAS_FRAGS);
	WITH("sleepable", -EINVAL, a.prog_load.prog_flags = BPF_F_SLEEPABLE);
	WITH("a name", A_DESCRIPTOR, strcpy(a.prog_load.prog_name, "a.b_C9"));
	WITH("a name with a blank", -EINVAL, strcpy(a.prog_load.prog_name, "a b"));
	WITH("a name without an end", -EINVAL, memset(a.prog_load.prog_name, 'x', 16));
	WITH("a bad name, instructions nowhere", -EFAULT, strcpy(a.prog_load.prog_name, "a b"),
	     a.prog_load.insns = 8);
	WITH("an attach type that XDP has not got", A_DESCRIPTOR,
	     a.prog_load.expected_attach_type = 99);
	WITH("a device that is not there", -EINVAL, a.prog_load.prog_ifindex = 99999);
	WITH("a function to attach to", -EINVAL, a.prog_load.attach_btf_id = 1);
	WITH("a program to attach to", -EINVAL, a.prog_load.attach_fd = 9999);
	WITH("a program to attach to, no instructions", -E2BIG, a.prog_load.attach_fd = 9999,
	     a.prog_load.insn_cnt = 0);
	WITH("BTF it does not use", A_DESCRIPTOR, a.prog_load.prog_btf_fd = 9999);
	WITH("sizes of records it has not got", A_DESCRIPTOR, a.prog_load.func_info_rec_size = 7);
	WITH("a version", A_DESCRIPTOR, a.prog_load.kern_version = 12345);
	WITH("a token without the flag", A_DESCRIPTOR, a.prog_load.prog_token_fd = 9999);
#undef WITH
	a = prog(ret0, 2);
	expect_size(p, "load: attributes of 48 bytes", A_DESCRIPTOR, PROG_LOAD, &a, 48);
	expect_size(p, "load: attributes that end before the license", -EFAULT, PROG_LOAD, &a, 16);
}

/* --- Logs --------------------------------------------------------------------------------- */

static void logs(const struct place *p)
{
	static const struct insn no_exit[] = {{.code = 0xb7}};
	static const char first[] = "last insn is not an exit or jmp\n";
	char log[4096], fixed[16];
	union attr a;

#define WITH(what, want, ...)                                                                      \
	a = prog(no_exit, 1);                                                                      \
	a.prog_load.log_level = 1;                                                                 \
	a.prog_load.log_buf = ptr(log);                                                            \
	a.prog_load.log_size = sizeof(log);                                                        \
	memset(log, 'x', sizeof(log));                                                             \
	__VA_ARGS__;                                                                               \
	expect_size(p, "log: " what, want, PROG_LOAD, &a, sizeof(a))
	WITH("of a rejection", -EINVAL, (void)0);
	report(p, strncmp(log, first, strlen(first)) == 0, "log: says why", 0, 0);
	report(p, a.prog_load.log_true_size == strlen(log) + 1, "log: its length",
	       a.prog_load.log_true_size, (long)strlen(log) + 1);
	WITH("level 0", -EINVAL, a.prog_load.log_level = 0);
	report(p, log[0] == 'x', "log: is not touched", 0, 0);
	WITH("unknown level", -EINVAL, a.prog_load.log_level = 16);
	WITH("no room", -EINVAL, a.prog_load.log_size = 0);
	WITH("no buffer", -EINVAL, a.prog_load.log_buf = 0);
	WITH("neither", -EINVAL, a.prog_load.log_buf = 0, a.prog_load.log_size = 0);
	report(p, a.prog_load.log_true_size > strlen(first), "log: length alone",
	       a.prog_load.log_true_size, 0);
	WITH("too large", -EINVAL, a.prog_load.log_size = (UINT32_MAX >> 2) + 1);
	WITH("nowhere", -EFAULT, a.prog_load.log_buf = 8);
	WITH("cut", -ENOSPC, a.prog_load.log_size = 16);
	report(p, log[15] == '\0' && log[14] == '\n' && log[16] == 'x', "log: its end is kept", 0,
	       0);
	WITH("cut, fixed", -ENOSPC, a.prog_load.log_size = 16, a.prog_load.log_level = 9);
	memcpy(fixed, first, 15);
	fixed[15] = '\0';
	report(p, strcmp(log, fixed) == 0 && log[16] == 'x', "log: its beginning is kept", 0, 0);
	WITH("one byte", -ENOSPC, a.prog_load.log_size = 1);
	report(p, log[0] == '\0' && log[1] == 'x', "log: empty, ended", 0, 0);
	WITH("of other type", -EINVAL, a.prog_load.prog_type = 99);
	report(p, log[0] == 'x', "log: is not written before verification", 0, 0);
#undef WITH
}

/* --- func_info and line_info -------------------------------------------------------------- */

#define T(name, kind, vlen, third) name, (uint32_t)(kind) << 24 | (vlen), third

/* Ids: 1 int, 2 prototype, 3 and 4 functions. */
static const uint32_t btf_types[] = {
	T(1, 1, 0, 4), 1 << 24 | 32, T(0, 13, 1, 1), 5, 1, T(5, 12, 1, 2), T(9, 12, 0, 2),
};
static const char btf_strings[] = "\0int\0foo\0bar\0a line\0/a/file.c";
enum { LINE = 13, FILE_NAME = 20 };

static int load_btf(const struct place *p)
{
	static struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t hdr_len, type_off, type_len, str_off, str_len;
		uint32_t types[sizeof(btf_types) / 4];
		char strings[sizeof(btf_strings)];
	} b = {0xeb9f, 1, 0, 24, 0, sizeof(btf_types), sizeof(btf_types), sizeof(btf_strings), {0},
	       ""};
	union attr a = {.btf_load = {.btf = ptr(&b),
	                             .btf_size = 24 + sizeof(btf_types) + sizeof(btf_strings)}};

	memcpy(b.types, btf_types, sizeof(btf_types));
	memcpy(b.strings, btf_strings, sizeof(btf_strings));
	return bpf_at(p, BTF_LOAD, &a, sizeof(a));
}

/* Two functions, at 0 and 3. */
static const struct insn two[] = {
	{.code = 0xbf, .dst = 1, .src = 1},
	{.code = 0x85, .src = 1, .imm = 1},
	{.code = 0x95},
	{.code = 0xb7},
	{.code = 0x95},
};

struct infos {
	const struct place *p;
	int btf;
};

static void func_info(const struct infos *i, const char *what, int want, uint32_t n, uint32_t rec,
                      const uint32_t *records)
{
	union attr a = prog(two, 5);
	char text[100];

	a.prog_load.prog_btf_fd = (uint32_t)i->btf;
	a.prog_load.func_info = ptr(records);
	a.prog_load.func_info_cnt = n;
	a.prog_load.func_info_rec_size = rec;
	snprintf(text, sizeof(text), "func_info: %s", what);
	expect(i->p, text, want, PROG_LOAD, a);
}

static void line_info(const struct infos *i, const char *what, int want, uint32_t n, uint32_t rec,
                      const uint32_t *records)
{
	union attr a = prog(two, 5);
	char text[100];

	a.prog_load.prog_btf_fd = (uint32_t)i->btf;
	a.prog_load.line_info = ptr(records);
	a.prog_load.line_info_cnt = n;
	a.prog_load.line_info_rec_size = rec;
	snprintf(text, sizeof(text), "line_info: %s", what);
	expect(i->p, text, want, PROG_LOAD, a);
}

#define R (const uint32_t[])
#define AT(insn) insn, FILE_NAME, LINE, 1 << 10

static void debug_info(const struct place *p)
{
	struct infos i = {p, load_btf(p)}, none = {p, 9999}, wrong = {p, 0};
	union attr a = {.map_create = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
	                               .value_size = 4,
	                               .max_entries = 1}};

	wrong.btf = bpf_at(p, MAP_CREATE, &a, sizeof(a));
	func_info(&i, "fine", A_DESCRIPTOR, 2, 8, R{0, 3, 3, 4});
	func_info(&none, "without BTF", -EBADF, 2, 8, R{0, 3, 3, 4});
	func_info(&wrong, "with a map for BTF", -EINVAL, 2, 8, R{0, 3, 3, 4});
	func_info(&i, "records of 7 bytes", -EINVAL, 2, 7, R{0, 3, 3, 4});
	func_info(&i, "records of 4 bytes", -EINVAL, 2, 4, R{0, 3, 3, 4});
	func_info(&i, "records of 10 bytes", -EINVAL, 2, 10, R{0, 3, 3, 4, 0});
	func_info(&i, "records of 256 bytes", -EINVAL, 2, 256, (const uint32_t[128]){0});
	func_info(&i, "longer records", A_DESCRIPTOR, 2, 12, R{0, 3, 0, 3, 4, 0});
	func_info(&i, "longer records, not zero", -E2BIG, 2, 12, R{0, 3, 0, 3, 4, 1});
	func_info(&i, "one too few", -EINVAL, 1, 8, R{0, 3});
	func_info(&i, "one too many", -EINVAL, 3, 8, R{0, 3, 3, 4, 4, 4});
	func_info(&i, "not at the start", -EINVAL, 2, 8, R{1, 3, 3, 4});
	func_info(&i, "twice at the same place", -EINVAL, 2, 8, R{0, 3, 0, 4});
	func_info(&i, "not where a function is", -EINVAL, 2, 8, R{0, 3, 2, 4});
	func_info(&i, "not a function's type", -EINVAL, 2, 8, R{0, 1, 3, 4});
	func_info(&i, "no type", -EINVAL, 2, 8, R{0, 99, 3, 4});
	func_info(&i, "void", -EINVAL, 2, 8, R{0, 0, 3, 4});
	func_info(&i, "nowhere", -EFAULT, 2, 8, (const uint32_t *)8);

	line_info(&i, "fine", A_DESCRIPTOR, 2, 16, R{AT(0), AT(3)});
	line_info(&i, "more than needed", A_DESCRIPTOR, 3, 16, R{AT(0), AT(1), AT(3)});
	line_info(&none, "without BTF", -EBADF, 2, 16, R{AT(0), AT(3)});
	line_info(&i, "records of 12 bytes", -EINVAL, 2, 12, R{AT(0), AT(3)});
	line_info(&i, "longer records, not zero", -E2BIG, 1, 20, R{AT(0), 1});
	line_info(&i, "very many", -EINVAL, INT32_MAX, 16, R{AT(0), AT(3)});
	line_info(&i, "not at the start", -EINVAL, 2, 16, R{AT(1), AT(3)});
	line_info(&i, "none for a function", -EINVAL, 1, 16, R{AT(0)});
	line_info(&i, "none at the start of a function", -EINVAL, 2, 16, R{AT(0), AT(4)});
	line_info(&i, "twice at the same place", -EINVAL, 3, 16, R{AT(0), AT(0), AT(3)});
	line_info(&i, "outside of the program", -EINVAL, 3, 16, R{AT(0), AT(3), AT(5)});
	line_info(&i, "no such file name", -EINVAL, 2, 16, R{0, 999, LINE, 1, AT(3)});
	line_info(&i, "no such line", -EINVAL, 2, 16, R{0, FILE_NAME, 999, 1, AT(3)});
	line_info(&i, "empty names", A_DESCRIPTOR, 2, 16, R{0, 0, 0, 0, AT(3)});
	close(i.btf);
	close(wrong.btf);
}

/* --- fd_array ----------------------------------------------------------------------------- */

static int small_map(const struct place *p)
{
	union attr a = {.map_create = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
	                               .value_size = 4, .max_entries = 1}};

	return bpf_at(p, MAP_CREATE, &a, sizeof(a));
}

static uint32_t maps_of(const struct place *p, union attr a)
{
	struct prog_info info = {0};
	union attr i = {.info = {.info_len = sizeof(info), .info = ptr(&info)}};
	int fd = load(p, a);

	i.info.bpf_fd = (uint32_t)fd;
	if (fd < 0 || bpf_at(p, OBJ_INFO, &i, sizeof(i)) != 0)
		return (uint32_t)-1;
	close(fd);
	return info.nr_map_ids;
}

static void bound_maps(const struct place *p)
{
	const struct insn first[] = {
		{.code = 0x18, .dst = 1, .src = 5}, {.code = 0}, {.code = 0xb7}, {.code = 0x95}};
	int prog_fd = load(p, prog(ret0, 2)), fds[65];
	uint32_t n;
	union attr a;

	for (int i = 0; i < 65; i++)
		fds[i] = small_map(p);
#define WITH(what, want, count, array)                                                             \
	a = prog(ret0, 2);                                                                         \
	a.prog_load.fd_array_cnt = count;                                                          \
	a.prog_load.fd_array = ptr(array);                                                         \
	expect(p, "fd_array: " what, want, PROG_LOAD, a)
	WITH("a map", A_DESCRIPTOR, 1, fds);
	WITH("64 maps", A_DESCRIPTOR, 64, fds);
	WITH("65 maps", -E2BIG, 65, fds);
	WITH("very many", -EINVAL, UINT32_MAX, fds);
	WITH("nowhere", -EFAULT, 1, (const int *)8);
	WITH("nothing", -EFAULT, 1, (const int *)0);
	WITH("no descriptor", -EBADF, 1, (int[]){9999});
	WITH("a program", -EINVAL, 1, (int[]){prog_fd});
	WITH("not used", A_DESCRIPTOR, 0, (const int *)8);
#undef WITH
	a = prog(ret0, 2);
	a.prog_load.fd_array = ptr((int[]){fds[0], fds[1], fds[0]});
	a.prog_load.fd_array_cnt = 3;
	n = maps_of(p, a);
	report(p, n == 2, "fd_array: each map is held once", n, 2);
	a.prog_load.insns = ptr(first);
	a.prog_load.insn_cnt = 4;
	n = maps_of(p, a);
	report(p, n == 2, "fd_array: also when it is used", n, 2);
	a.prog_load.fd_array_cnt = 0;
	n = maps_of(p, a);
	report(p, n == 1, "fd_array: used by its index", n, 1);
	a.prog_load.fd_array = 0;
	expect(p, "fd_array: used and not there", -EPROTO, PROG_LOAD, a);
	a = prog(ret0, 2);
	a.prog_load.signature = ptr(ret0);
	a.prog_load.signature_size = 16;
	expect(p, "a signature", -ENOTSUP, PROG_LOAD, a);
	for (int i = 0; i < 65; i++)
		close(fds[i]);
	close(prog_fd);
}

/* --- Information -------------------------------------------------------------------------- */

static union attr info_of(int fd, struct prog_info *info)
{
	return (union attr){.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(*info),
	                             .info = ptr(info)}};
}

static void information(const struct place *p)
{
	union attr m = {.map_create = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
	                               .value_size = 16,
	                               .max_entries = 1}};
	int map = bpf_at(p, MAP_CREATE, &m, sizeof(m)), unused = bpf_at(p, MAP_CREATE, &m,
	                                                                sizeof(m));
	const struct insn uses_map[] = {
		{.code = 0x18, .dst = 1, .src = 1, .imm = map}, {.code = 0},
		{.code = 0x18, .dst = 1, .src = 2, .imm = map}, {.code = 0, .imm = 8},
		{.code = 0xb7}, {.code = 0x95},
	};
	union attr a = prog(uses_map, 6);
	struct prog_info info = {0};
	struct insn xlated[8] = {{0}};
	uint32_t ids[4] = {0}, id;
	uint8_t tags[16];
	int fd;

	strcpy(a.prog_load.prog_name, "the_name");
	a.prog_load.license = ptr("Dual MIT/GPL");
	fd = load(p, a);
	expect(p, "info", 0, OBJ_INFO, info_of(fd, &info));
	id = info.id;
	report(p, info.type == BPF_PROG_TYPE_XDP && id && strcmp(info.name, "the_name") == 0,
	       "info: type, id, name", 0, 0);
	report(p, info.gpl_compatible == 1, "info: licence", info.gpl_compatible, 1);
	/* The SHA-256 of the six instructions, with 0 for what stands for the map. */
	report(p, memcmp(info.tag, "\x34\xcd\x22\xba\x92\xa8\xba\xcc", 8) == 0, "info: tag",
	       info.tag[0],
	       0x34);
	report(p, info.nr_map_ids == 1 && info.xlated_prog_len == sizeof(uses_map), "info: lengths",
	       info.xlated_prog_len, sizeof(uses_map));
	report(p, info.load_time && info.created_by_uid == getuid(), "info: when, who", 0, 0);
	info = (struct prog_info){.nr_map_ids = 4, .map_ids = ptr(ids),
	                          .xlated_prog_len = sizeof(xlated),
	                          .xlated_prog_insns = ptr(xlated),
	                          .nr_prog_tags = 2, .prog_tags = ptr(tags)};
	expect(p, "info: arrays", 0, OBJ_INFO, info_of(fd, &info));
	report(p, info.nr_map_ids == 1 && ids[0], "info: ids of maps", info.nr_map_ids, 1);
	report(p, xlated[0].src == 1 && xlated[0].imm == (int)ids[0], "info: a map by its id",
	       xlated[0].imm, (int)ids[0]);
	report(p, xlated[2].src == 2 && xlated[2].imm == (int)ids[0] && xlated[3].imm == 8,
	       "info: a value by its map's id", xlated[2].imm, (int)ids[0]);
	report(p, info.nr_prog_tags == 1 && memcmp(tags, info.tag, 8) == 0, "info: tags",
	       info.nr_prog_tags, 1);
	info = (struct prog_info){.xlated_prog_len = 12, .xlated_prog_insns = ptr(xlated)};
	memset(xlated, 0, sizeof(xlated));
	expect(p, "info: part of the program", 0, OBJ_INFO, info_of(fd, &info));
	report(p, xlated[0].code == 0x18 && info.xlated_prog_len == sizeof(uses_map),
	       "info: and its whole length", info.xlated_prog_len, sizeof(uses_map));
	info = (struct prog_info){.nr_map_ids = 1, .map_ids = 8};
	expect(p, "info: bad address", -EFAULT, OBJ_INFO, info_of(fd, &info));

	expect(p, "bind: flags", -EINVAL, BIND_MAP, (union attr){.bind_map = {.flags = 1}});
	expect(p, "bind: no program", -EINVAL, BIND_MAP,
	       (union attr){.bind_map = {.prog_fd = (uint32_t)map, .map_fd = (uint32_t)map}});
	expect(p, "bind: no map", -EBADF, BIND_MAP,
	       (union attr){.bind_map = {.prog_fd = (uint32_t)fd, .map_fd = 9999}});
	a = (union attr){.bind_map = {.prog_fd = (uint32_t)fd, .map_fd = (uint32_t)map}};
	expect(p, "bind: a map it uses", 0, BIND_MAP, a);
	a.bind_map.map_fd = (uint32_t)unused;
	expect(p, "bind: another", 0, BIND_MAP, a);
	expect(p, "bind: again", 0, BIND_MAP, a);
	info = (struct prog_info){.nr_map_ids = 4, .map_ids = ptr(ids)};
	expect(p, "info", 0, OBJ_INFO, info_of(fd, &info));
	report(p, info.nr_map_ids == 2 && ids[1] > ids[0], "info: a bound map counts",
	       info.nr_map_ids, 2);
	close(map);
	close(unused);
	expect(p, "id: a program keeps its maps", A_DESCRIPTOR, MAP_FD_BY_ID,
	       (union attr){.id = {.id = ids[1]}});
	expect(p, "id: descriptor", A_DESCRIPTOR, PROG_FD_BY_ID, (union attr){.id = {.id = id}});
	expect(p, "id: with flags", -EINVAL, PROG_FD_BY_ID,
	       (union attr){.id = {.id = id, .open_flags = BPF_F_RDONLY}});
	close(fd);
	expect(p, "id: gone", -ENOENT, PROG_FD_BY_ID, (union attr){.id = {.id = id}});
}

/* --- Test runs ---------------------------------------------------------------------------- */

static void test_runs(const struct place *p)
{
	static uint8_t in[200000], out[200000];
	/* Returns the length of the packet and changes its first byte. */
	static const struct insn insns[] = {
		{.code = 0x61, .dst = 2, .src = 1, .off = 4}, /* r2 = data_end */
		{.code = 0x61, .dst = 3, .src = 1, .off = 0}, /* r3 = data */
		{.code = 0xbf, .dst = 4, .src = 3},
		{.code = 0x07, .dst = 4, .imm = 14},
		{.code = 0xb7, .dst = 0, .imm = 1},
		{.code = 0x2d, .dst = 4, .src = 2, .off = 2}, /* if r4 > r2 */
		{.code = 0x72, .dst = 3, .off = 0, .imm = 0x55},
		{.code = 0xb7, .dst = 0, .imm = 2},
		{.code = 0x95},
	};
	uint8_t ctx[24] = {0}, ctx_out[64];
	uint32_t fd = (uint32_t)load(p, prog(insns, 9));
	const union attr run = {.test_run = {.prog_fd = fd, .data_in = ptr(in), .data_size_in = 64,
	                                     .data_out = ptr(out), .data_size_out = sizeof(out)}};
	union attr a = run;

#define WITH(what, want, ...)                                                                      \
	a = run;                                                                                   \
	__VA_ARGS__;                                                                               \
	expect_size(p, "run: " what, want, PROG_TEST_RUN, &a, sizeof(a))
	memcpy(ctx + 4, &(uint32_t){64}, 4); /* data_end */
	WITH("once", 0, memset(out, 0, 64));
	report(p, a.test_run.retval == 2, "run: result", a.test_run.retval, 2);
	report(p, a.test_run.data_size_out == 64 && out[0] == 0x55 && !in[0], "run: output", out[0],
	       0x55);
	WITH("a hundred times", 0, a.test_run.repeat = 100);
	report(p, a.test_run.duration > 0, "run: duration", a.test_run.duration, 1);
	WITH("output cut", -ENOSPC, memset(out, 0, 64), a.test_run.data_size_out = 10);
	report(p, a.test_run.data_size_out == 64 && a.test_run.retval == 2 && out[0] == 0x55,
	       "run: the rest is answered", a.test_run.data_size_out, 64);
	WITH("output of any size", 0, memset(out, 0, 64), a.test_run.data_size_out = 0);
	report(p, a.test_run.data_size_out == 64 && out[0] == 0x55, "run: as large as it is",
	       out[0], 0x55);
	WITH("no output", 0, a.test_run.data_out = 0);
	report(p, a.test_run.data_size_out == 64, "run: its size alone", a.test_run.data_size_out,
	       64);
	WITH("no input", -EINVAL, a.test_run.data_in = 0, a.test_run.data_size_in = 0);
	WITH("13 bytes", -EINVAL, a.test_run.data_size_in = 13);
	WITH("14 bytes", 0, a.test_run.data_size_in = 14);
	WITH("3520 bytes", 0, a.test_run.data_size_in = 3520);
	WITH("more than any packet", -ENOMEM, a.test_run.data_size_in = 100000);
	WITH("input nowhere", -EFAULT, a.test_run.data_in = 8);
	WITH("output nowhere", -EFAULT, a.test_run.data_out = 8);
	WITH("a context", 0, a.test_run.ctx_in = ptr(ctx), a.test_run.ctx_size_in = 24,
	     a.test_run.ctx_out = ptr(ctx_out), a.test_run.ctx_size_out = sizeof(ctx_out));
	report(p, a.test_run.ctx_size_out == 24 && memcmp(ctx, ctx_out, 24) == 0, "run: context",
	       a.test_run.ctx_size_out, 24);
	WITH("context cut", -ENOSPC, a.test_run.ctx_in = ptr(ctx), a.test_run.ctx_size_in = 24,
	     a.test_run.ctx_out = ptr(ctx_out), a.test_run.ctx_size_out = 4);
	WITH("context without a size", -EINVAL, a.test_run.ctx_in = ptr(ctx));
	WITH("a size without a context", -EINVAL, a.test_run.ctx_size_in = 24);
	WITH("context out without a size", -EINVAL, a.test_run.ctx_out = ptr(ctx));
	WITH("a context larger than a page", -E2BIG, a.test_run.ctx_in = ptr(in),
	     a.test_run.ctx_size_in = 5000);
	WITH("a context with more than we know", -E2BIG, a.test_run.ctx_in = ptr(out),
	     a.test_run.ctx_size_in = 64, memset(out, 0, 64), out[63] = 1);
	WITH("context nowhere", -EFAULT, a.test_run.ctx_in = 8, a.test_run.ctx_size_in = 24);
	WITH("unknown flags", -EINVAL, a.test_run.flags = 1u << 20);
	WITH("a batch", -EINVAL, a.test_run.batch_size = 1);
	WITH("no descriptor", -EBADF, a.test_run.prog_fd = 9999);
	WITH("no descriptor, a size without a context", -EINVAL, a.test_run.prog_fd = 9999,
	     a.test_run.ctx_size_in = 24);
#undef WITH
	close((int)fd);
}

static void all(const struct place *p)
{
	attributes(p);
	logs(p);
	debug_info(p);
	bound_maps(p);
	information(p);
	test_runs(p);
}

int main(void)
{
	return run_places(NULL, all);
}
