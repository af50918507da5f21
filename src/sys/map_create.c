/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_CREATE: attributes, the types of keys and values, the first descriptor.
 *
 * What sizes and flags a type takes is the type's business (core/map.h); here stands what concerns
 * descriptors and BTF.
 */
#include <errno.h>
#include <string.h>

#include "core/btf.h"
#include "core/map.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/map.h"

static int check_attr(struct call *call, const struct attr_map_create *a)
{
	if (!(call->c->flags & CLIENT_PRIVILEGED))
		return -EPERM;
	if (a->btf_vmlinux_value_type_id && a->map_type != BPF_MAP_TYPE_STRUCT_OPS)
		return -EINVAL;
	if (a->btf_key_type_id && !a->btf_value_type_id)
		return -EINVAL;
	/* Tokens, types of the kernel's, maps on devices, maps of one program: there are none. */
	if (a->map_flags & (BPF_F_TOKEN_FD | BPF_F_VTYPE_BTF_OBJ_FD))
		return -EINVAL;
	if (a->map_ifindex || a->excl_prog_hash || a->excl_prog_hash_size)
		return -EINVAL;
	return 0;
}

/* --- BTF ---------------------------------------------------------------------------------- */

enum key_rule { KEY_OF_SIZE, KEY_INT32, KEY_STRUCT, KEY_REFUSED };

/* What the BTF of a key must be, by map type. */
static const uint8_t key_rules[] = {
	[BPF_MAP_TYPE_ARRAY] = KEY_INT32,
	[BPF_MAP_TYPE_PERCPU_ARRAY] = KEY_INT32,
	[BPF_MAP_TYPE_LPM_TRIE] = KEY_STRUCT,
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = KEY_REFUSED,
	[BPF_MAP_TYPE_CGROUP_ARRAY] = KEY_REFUSED,
	[BPF_MAP_TYPE_DEVMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_SOCKMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_CPUMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_XSKMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_SOCKHASH] = KEY_REFUSED,
	[BPF_MAP_TYPE_DEVMAP_HASH] = KEY_REFUSED,
};

static bool has_size(const struct btf_data *b, uint32_t id, uint32_t size)
{
	return btf_type(b, id) && b->size[id] == size;
}

/* A variable stands for its type. */
static const struct btf_type *real_type(const struct btf_data *b, uint32_t id)
{
	const struct btf_type *t = btf_type(b, btf_skip_modifiers(b, id));

	if (t && btf_kind(t) == BTF_VAR)
		t = btf_type(b, btf_skip_modifiers(b, t->type));
	return t;
}

static bool is_int32(const struct btf_type *t)
{
	uint32_t data;

	if (btf_kind(t) != BTF_INT)
		return false;
	memcpy(&data, btf_rest(t), sizeof(data));
	return (data & 0xff) == 32 && !(data >> 16 & 0xff);
}

static int check_key(const struct map *m, const struct btf_data *b, uint32_t key)
{
	const struct btf_type *t = real_type(b, key);
	unsigned rule = m->type < sizeof(key_rules) ? key_rules[m->type] : KEY_OF_SIZE;

	if (!has_size(b, key, m->key_size))
		return -EINVAL;
	switch (rule) {
	case KEY_INT32:
		return is_int32(t) ? 0 : -EINVAL;
	case KEY_STRUCT:
		return btf_kind(t) == BTF_STRUCT ? 0 : -EINVAL;
	case KEY_REFUSED:
		return -ENOTSUPP;
	}
	return 0;
}

/* Keys and values as clang describes them; an array of one section of data has no type of key. */
static int check_btf(const struct map *m, const struct btf_data *b, uint32_t key, uint32_t value)
{
	const struct btf_type *t = btf_type(b, value);

	if (!has_size(b, value, m->value_size))
		return -EINVAL;
	if (key)
		return check_key(m, b, key);
	return m->type == BPF_MAP_TYPE_ARRAY && m->max_entries == 1 && btf_kind(t) == BTF_DATASEC
	               ? 0
	               : -EINVAL;
}

static int take_btf(struct call *call, struct map *m)
{
	const struct attr_map_create *a = &call->a.map_create;
	struct obj *o;
	int err;

	if (!a->btf_value_type_id)
		return 0;
	err = fd_resolve(call->k, call->c, (int)a->btf_fd, OBJ_BTF, &o, NULL);
	if (err)
		return err;
	m->btf = (struct btf *)o; /* goes with the map */
	m->btf_id = o->id;
	m->btf_key_type_id = a->btf_key_type_id;
	m->btf_value_type_id = a->btf_value_type_id;
	return check_btf(m, &m->btf->data, a->btf_key_type_id, a->btf_value_type_id);
}

/* --- Creation ----------------------------------------------------------------------------- */

static int create(struct call *call, const struct map_attr *attr, unsigned access)
{
	struct map *m;
	int ret = map_new(call->k, attr, &m);

	if (ret)
		return ret;
	ret = take_btf(call, m);
	if (!ret)
		ret = obj_publish(&m->obj);
	if (!ret)
		ret = fd_install(call->c, &m->obj, access);
	obj_put(&m->obj);
	return ret;
}

int cmd_map_create(struct call *call)
{
	const struct attr_map_create *a = &call->a.map_create;
	struct map_attr attr = {
		.type = a->map_type,
		.key_size = a->key_size,
		.value_size = a->value_size,
		.max_entries = a->max_entries,
		.flags = a->map_flags,
		.numa_node = a->numa_node,
		.extra = a->map_extra,
	};
	int ret = check_attr(call, a);

	if (!ret)
		ret = name_check(a->map_name);
	if (!ret && (attr.type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	             attr.type == BPF_MAP_TYPE_HASH_OF_MAPS))
		ret = map_of_fd(call, a->inner_map_fd, 0, &attr.inner);
	if (ret)
		return ret;
	memcpy(attr.name, a->map_name, sizeof(attr.name));
	ret = create(call, &attr, access_of_flags(a->map_flags));
	if (attr.inner)
		obj_put(&attr.inner->obj);
	return ret;
}
