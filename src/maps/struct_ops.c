/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A map of one struct of functions that some part of the kernel calls, such as tcp_congestion_ops: the
 * shell. Its value is what the kernel's BTF calls bpf_struct_ops_<name>: who uses it, and the struct
 * <name> as `data`. It can be made and read; nothing in a user-space kernel has functions to give, so
 * that a struct cannot be put in.
 */
#include <errno.h>
#include <string.h>

#include "core/vmlinux.h"
#include "maps/maps.h"

#define PREFIX "bpf_struct_ops_"

static int struct_ops_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (attr->key_size != 4 || attr->max_entries != 1 || !attr->kernel_type ||
	    (attr->flags & ~(uint32_t)BPF_F_LINK))
		return -EINVAL;
	return 0;
}

static bool is_value(struct skep *k, const struct btf_data *b, const struct btf_type *t)
{
	const char *name = btf_string(b, t->name);
	const struct btf_member *member = btf_rest(t);
	uint32_t data;

	if (btf_kind(t) != BTF_STRUCT || strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return false;
	data = vmlinux_find(k, BTF_STRUCT, name + strlen(PREFIX));
	for (unsigned i = 0; data && i < btf_vlen(t); i++)
		if (!strcmp(btf_string(b, member[i].name), "data"))
			return member[i].type == data;
	return false;
}

static int struct_ops_init(struct map *m, const struct map_attr *attr)
{
	struct skep *k = m->obj.k;
	struct btf *kernel = vmlinux(k);
	const struct btf_type *t = kernel ? btf_type(&kernel->data, attr->kernel_type) : NULL;

	if (!t || !is_value(k, &kernel->data, t))
		return -ENOTSUPP;
	if (m->value_size != t->type)
		return -EINVAL;
	m->kernel_type = attr->kernel_type;
	m->memory = sizeof(*m);
	return 0;
}

static bool key_is_0(const void *key)
{
	return !memcmp(key, &(uint32_t){0}, sizeof(uint32_t));
}

static int struct_ops_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)flags;
	if (!key_is_0(key))
		return -ENOENT;
	memset(value, 0, m->value_size);
	return 0;
}

static int struct_ops_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	(void)m;
	(void)value;
	if (flags)
		return -EINVAL;
	return key_is_0(key) ? -EOPNOTSUPP : -E2BIG;
}

static int struct_ops_delete(struct map *m, const void *key)
{
	(void)key;
	return m->flags & BPF_F_LINK ? -EOPNOTSUPP : -ENOENT; /* nothing was put in */
}

static int struct_ops_next_key(struct map *m, const void *key, void *next)
{
	(void)m;
	if (key && key_is_0(key))
		return -ENOENT;
	memset(next, 0, sizeof(uint32_t));
	return 0;
}

const struct map_ops map_struct_ops_ops = {
	.name = "struct_ops",
	.size = sizeof(struct map),
	.check = struct_ops_check,
	.init = struct_ops_init,
	.copy_out = struct_ops_copy_out,
	.copy_in = struct_ops_copy_in,
	.copy_delete = struct_ops_delete,
	.next_key = struct_ops_next_key,
	.never_freezes = true,
};
