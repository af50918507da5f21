/* SPDX-License-Identifier: BSD-2-Clause */
/* See oracle.h. */
#include "oracle.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int cmd, union bpf_attr *attr)
{
	int ret = (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

bool oracle_there(const char **why)
{
	int fd = oracle_create(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0, 0, 0);

	*why = fd < 0 ? strerror(-fd) : "";
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int oracle_create(uint32_t type, uint32_t key, uint32_t value, uint32_t max, uint32_t flags,
                  uint32_t node, int inner)
{
	union bpf_attr attr = {.map_type = type,
	                       .key_size = key,
	                       .value_size = value,
	                       .max_entries = max,
	                       .map_flags = flags,
	                       .numa_node = node,
	                       .inner_map_fd = (uint32_t)inner};

	return bpf(BPF_MAP_CREATE, &attr);
}

/* INT of 4 bytes, INT of 1, ARRAY of n of those: types 1 to 3. */
static int load_btf(uint32_t n)
{
	struct {
		struct btf_header h;
		uint32_t types[14];
		char strings[5];
	} b = {
		.h = {.magic = 0xeb9f, .version = 1, .hdr_len = sizeof(b.h),
		      .type_len = sizeof(b.types), .str_off = sizeof(b.types), .str_len = 5},
		.types = {1, 1 << 24, 4, 1 << 24 | 32, 1, 1 << 24, 1, 8, 0, 3 << 24, 0, 2, 1, n},
		.strings = "\0int",
	};
	union bpf_attr attr = {.btf = (uintptr_t)&b, .btf_size = offsetof(typeof(b), strings) + 5};

	return bpf(BPF_BTF_LOAD, &attr);
}

int oracle_create_shape(const struct oracle_shape *s)
{
	union bpf_attr attr = {.map_type = s->type,
	                       .key_size = s->key,
	                       .value_size = s->value,
	                       .max_entries = s->max,
	                       .map_flags = s->flags,
	                       .numa_node = s->node,
	                       .map_extra = s->extra};
	int btf = s->btf ? load_btf(s->value) : -1, fd;

	if (btf >= 0) {
		attr.btf_fd = (uint32_t)btf;
		attr.btf_key_type_id = 1;
		attr.btf_value_type_id = 3;
	}
	fd = bpf(BPF_MAP_CREATE, &attr);
	if (btf >= 0)
		close(btf);
	return fd;
}

static int element(int cmd, int fd, const void *key, const void *value, uint64_t flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	attr.flags = flags;
	return bpf(cmd, &attr);
}

int oracle_lookup(int fd, const void *key, void *value)
{
	return element(BPF_MAP_LOOKUP_ELEM, fd, key, value, 0);
}

int oracle_update(int fd, const void *key, const void *value, uint64_t flags)
{
	return element(BPF_MAP_UPDATE_ELEM, fd, key, value, flags);
}

int oracle_delete(int fd, const void *key)
{
	return element(BPF_MAP_DELETE_ELEM, fd, key, NULL, 0);
}

int oracle_take(int fd, const void *key, void *value)
{
	return element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, key, value, 0);
}

int oracle_next_key(int fd, const void *key, void *next)
{
	return element(BPF_MAP_GET_NEXT_KEY, fd, key, next, 0);
}

int oracle_freeze(int fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	return bpf(BPF_MAP_FREEZE, &attr);
}

uint32_t oracle_max_entries(int fd)
{
	struct bpf_map_info info;
	union bpf_attr attr;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) ? 0 : info.max_entries;
}

uint64_t oracle_memory(int fd)
{
	unsigned long long bytes = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return bytes;
}
