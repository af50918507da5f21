/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of a struct of functions: what can be made, and what it answers, on Skep and on the kernel. */
#include <bpf/btf.h>

#include "../sys/place.h"

enum { TYPE = 26, LINK = 1 << 13, TAKE = 21 };

static struct btf *types, *own;

static union attr map(int id, uint32_t key, uint32_t value, uint32_t n, uint32_t flags)
{
	return (union attr){.map_create = {.map_type = TYPE, .key_size = key, .value_size = value,
	                                   .max_entries = n, .map_flags = flags,
	                                   .btf_vmlinux_value_type_id = (uint32_t)id}};
}

static int load_btf(const struct place *p)
{
	uint32_t size;
	const void *bytes = btf__raw_data(own, &size);
	union attr a = {.btf_load = {.btf = ptr(bytes), .btf_size = size}};

	return bpf_at(p, BTF_LOAD, &a, sizeof(a));
}

static void answers(const struct place *p, int fd, bool linked)
{
	uint32_t zero = 0, one = 1, next = 7;
	char value[4096];
	union attr a = {.elem = {.map_fd = (uint32_t)fd, .key = ptr(&zero), .value = ptr(value)}}, b = a;

	memset(value, 1, sizeof(value));
	expect(p, "look up", 0, MAP_LOOKUP, a);
	report(p, !value[0] && !memcmp(value, value + 1, 127), "is all zero", value[0], 0);
	b.elem.key = ptr(&one);
	expect(p, "look up another", -ENOENT, MAP_LOOKUP, b);
	expect(p, "update another", -E2BIG, MAP_UPDATE, b);
	b = a;
	b.elem.key = 0;
	b.elem.value = ptr(&next);
	expect(p, "first key", 0, MAP_NEXT_KEY, b);
	report(p, next == 0, "first key: is 0", next, 0);
	b.elem.key = ptr(&zero);
	expect(p, "second key", -ENOENT, MAP_NEXT_KEY, b);
	b = a;
	b.elem.flags = 4;
	expect(p, "update with flags", -EINVAL, MAP_UPDATE, b);
	b = (union attr){.elem = {.map_fd = (uint32_t)fd, .key = ptr(&zero)}};
	expect(p, "delete", linked ? -EOPNOTSUPP : -ENOENT, MAP_DELETE, b);
	expect(p, "look up and delete", -524, TAKE, a);
	expect(p, "freeze", -524, MAP_FREEZE, (union attr){.elem = {.map_fd = (uint32_t)fd}});
}

static void made(const struct place *p, union attr a, uint32_t id)
{
	struct map_info info = {0};
	union attr b;
	int fd = bpf_at(p, MAP_CREATE, &a, sizeof(a));

	report(p, fd >= 0, "creation", fd, 0);
	b = (union attr){.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(info), .info = ptr(&info)}};
	expect(p, "information", 0, OBJ_INFO, b);
	report(p, info.btf_vmlinux_value_type_id == id, "information: type",
	       info.btf_vmlinux_value_type_id, id);
	report(p, info.btf_id != 0, "information: BTF", info.btf_id, 1);
	answers(p, fd, a.map_create.map_flags & LINK);
	close(fd);
}

static void all(const struct place *p)
{
	int btf = load_btf(p), id, size;
	union attr a;

	id = btf__find_by_name_kind(types, "bpf_struct_ops_bpf_dummy_ops", BTF_KIND_STRUCT);
	if (id <= 0)
		id = btf__find_by_name_kind(types, "bpf_struct_ops_tcp_congestion_ops", BTF_KIND_STRUCT);
	size = (int)btf__resolve_size(types, (uint32_t)id);
	a = map(id, 4, (uint32_t)size, 1, 0);
	a.map_create.btf_fd = (uint32_t)btf;
#define WITH(what, want, change)                                                                   \
	do {                                                                                       \
		union attr w = a;                                                                  \
		change;                                                                            \
		expect(p, what, want, MAP_CREATE, w);                                              \
	} while (0)
	WITH("no type", -EINVAL, w.map_create.btf_vmlinux_value_type_id = 0);
	WITH("another type", -524, w.map_create.btf_vmlinux_value_type_id = 1);
	WITH("a type that is none", -524, w.map_create.btf_vmlinux_value_type_id = 99999999);
	WITH("a type of another size", -EINVAL, w.map_create.value_size += 8);
	WITH("another type of another size", -524, w.map_create.btf_vmlinux_value_type_id = 1;
	     w.map_create.value_size = 1);
	WITH("keys of 8 bytes", -EINVAL, w.map_create.key_size = 8);
	WITH("two of them", -EINVAL, w.map_create.max_entries = 2);
	WITH("no preallocation", -EINVAL, w.map_create.map_flags = 1);
	WITH("read-only", -EINVAL, w.map_create.map_flags = 8);
	WITH("no BTF", -EBADF, w.map_create.btf_fd = 9999);
	WITH("types of key and value, too", -EINVAL, w.map_create.btf_key_type_id = 1;
	     w.map_create.btf_value_type_id = 1);
	made(p, a, (uint32_t)id);
	a.map_create.map_flags = LINK;
	made(p, a, (uint32_t)id);
	close(btf);
}

int main(void)
{
	types = btf__load_vmlinux_btf();
	own = btf__new_empty();
	if (!types || btf__add_int(own, "int", 4, BTF_INT_SIGNED) < 0) {
		printf("1..0 # SKIP the kernel's types are not to be had\n");
		return 0;
	}
	return run_places(NULL, all);
}
