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
#include "core/record.h"
#include "sys/bpf.h"
#include "sys/caps.h"
#include "sys/fd.h"
#include "sys/map.h"
#include "sys/target.h"

static int check_attr(struct call *call, const struct attr_map_create *a)
{
	if (a->btf_vmlinux_value_type_id && a->map_type != BPF_MAP_TYPE_STRUCT_OPS)
		return -EINVAL;
	if (a->btf_key_type_id && !a->btf_value_type_id)
		return -EINVAL;
	/* Tokens, types of the kernel's, maps on devices, maps of one program: there are none. */
	if (a->map_flags & (BPF_F_TOKEN_FD | BPF_F_VTYPE_BTF_OBJ_FD))
		return -EINVAL;
	if (a->map_ifindex && device_exists(call->k, a->map_ifindex) &&
	    (a->map_type == BPF_MAP_TYPE_HASH || a->map_type == BPF_MAP_TYPE_ARRAY))
		return -EOPNOTSUPP; /* no device of ours keeps maps */
	if (a->map_ifindex || a->excl_prog_hash || a->excl_prog_hash_size)
		return -EINVAL;
	return 0;
}

/* --- BTF ---------------------------------------------------------------------------------- */

enum key_rule { KEY_OF_SIZE, KEY_INT32, KEY_STRUCT, KEY_REFUSED, KEY_NONE };

/* What the BTF of a key must be, by map type. */
static const uint8_t key_rules[] = {
	[BPF_MAP_TYPE_ARRAY] = KEY_INT32,
	[BPF_MAP_TYPE_PERCPU_ARRAY] = KEY_INT32,
	[BPF_MAP_TYPE_LPM_TRIE] = KEY_STRUCT,
	[BPF_MAP_TYPE_SK_STORAGE] = KEY_INT32,
	[BPF_MAP_TYPE_INODE_STORAGE] = KEY_INT32,
	[BPF_MAP_TYPE_TASK_STORAGE] = KEY_INT32,
	[BPF_MAP_TYPE_CGRP_STORAGE] = KEY_INT32,
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = KEY_REFUSED,
	[BPF_MAP_TYPE_CGROUP_ARRAY] = KEY_REFUSED,
	[BPF_MAP_TYPE_DEVMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_SOCKMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_CPUMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_XSKMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_SOCKHASH] = KEY_REFUSED,
	[BPF_MAP_TYPE_DEVMAP_HASH] = KEY_REFUSED,
	[BPF_MAP_TYPE_BLOOM_FILTER] = KEY_NONE, /* values only */
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

static unsigned key_rule(const struct map *m)
{
	return m->type < sizeof(key_rules) ? key_rules[m->type] : KEY_OF_SIZE;
}

static int check_key(const struct map *m, const struct btf_data *b, uint32_t key)
{
	const struct btf_type *t = real_type(b, key);

	switch (key_rule(m)) {
	case KEY_INT32:
		return is_int32(t) ? 0 : -EINVAL;
	case KEY_STRUCT:
		return btf_kind(t) == BTF_STRUCT ? 0 : -EINVAL;
	case KEY_REFUSED:
		return -ENOTSUPP;
	}
	return 0;
}

static int check_sizes(const struct map *m, const struct btf_data *b, uint32_t key, uint32_t value)
{
	/* Only types that look closer later do without a key. */
	if (key ? !has_size(b, key, m->key_size) : key_rule(m) == KEY_OF_SIZE)
		return -EINVAL;
	return has_size(b, value, m->value_size) ? 0 : -EINVAL;
}

/* Keys as clang describes them; one section of data as an array has no type of key. */
static int check_types(const struct map *m, const struct btf_data *b, uint32_t key, uint32_t value)
{
	if (key)
		return check_key(m, b, key);
	if (key_rule(m) == KEY_REFUSED)
		return -ENOTSUPP;
	if (key_rule(m) == KEY_NONE)
		return 0;
	return m->type == BPF_MAP_TYPE_ARRAY && m->max_entries == 1 &&
	                       btf_kind(btf_type(b, value)) == BTF_DATASEC
	               ? 0
	               : -EINVAL;
}

/* --- Special fields ------------------------------------------------------------------------ */

#define TYPE(name) ((uint64_t)1 << BPF_MAP_TYPE_##name)
#define STORAGES                                                                                   \
	(TYPE(SK_STORAGE) | TYPE(INODE_STORAGE) | TYPE(TASK_STORAGE) | TYPE(CGRP_STORAGE))
#define PLAIN (TYPE(HASH) | TYPE(ARRAY))
#define WITH_LRU (PLAIN | TYPE(LRU_HASH))
#define LOCKED (PLAIN | TYPE(CGROUP_STORAGE) | STORAGES)
#define POINTED                                                                                    \
	(WITH_LRU | TYPE(PERCPU_HASH) | TYPE(LRU_PERCPU_HASH) | TYPE(PERCPU_ARRAY) | STORAGES)

/* Which types of map may have which fields in their values. */
static const uint64_t field_rules[SPECIAL_KINDS] = {
	[SPECIAL_SPIN_LOCK] = LOCKED,
	[SPECIAL_RES_SPIN_LOCK] = LOCKED,
	[SPECIAL_TIMER] = WITH_LRU,
	[SPECIAL_WORKQUEUE] = WITH_LRU,
	[SPECIAL_TASK_WORK] = WITH_LRU,
	[SPECIAL_KPTR_UNREF] = POINTED,
	[SPECIAL_KPTR_REF] = POINTED,
	[SPECIAL_KPTR_PERCPU] = POINTED,
	[SPECIAL_UPTR] = TYPE(TASK_STORAGE),
	[SPECIAL_LIST_HEAD] = WITH_LRU,
	[SPECIAL_RB_ROOT] = WITH_LRU,
	[SPECIAL_REFCOUNT] = POINTED,
};

static int check_record(const struct map *m, const struct record *r)
{
	if (m->flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG))
		return -EACCES;
	for (uint32_t i = 0; i < r->n; i++)
		if (!(field_rules[r->fields[i].kind] >> m->type & 1))
			return -EOPNOTSUPP;
	return 0;
}

static int take_record(struct map *m)
{
	uint32_t type = btf_skip_modifiers(&m->btf->data, m->btf_value_type_id);
	int err = record_parse(m->btf, type, m->value_size, SPECIAL_IN_VALUES, &m->record);

	/* What is wrong there shows when a program wants to use it. */
	if (err)
		return err == -ENOMEM ? err : 0;
	err = m->record ? check_record(m, m->record) : 0;
	return err ? err : record_link(m->btf, m->record);
}

static int take_btf(struct call *call, struct map *m)
{
	const struct attr_map_create *a = &call->a.map_create;
	struct obj *o;
	int err;

	if (!a->btf_value_type_id && !m->kernel_type)
		return 0;
	err = fd_resolve(call->k, call->c, (int)a->btf_fd, OBJ_BTF, &o, NULL);
	if (err)
		return err;
	m->btf = (struct btf *)o; /* goes with the map */
	m->btf_id = o->id;
	m->btf_key_type_id = a->btf_key_type_id;
	m->btf_value_type_id = a->btf_value_type_id;
	if (!a->btf_value_type_id)
		return 0;
	err = check_sizes(m, &m->btf->data, a->btf_key_type_id, a->btf_value_type_id);
	if (!err)
		err = take_record(m);
	if (!err)
		err = check_types(m, &m->btf->data, a->btf_key_type_id, a->btf_value_type_id);
	return err || !m->record || !m->ops->take_record ? err : m->ops->take_record(m);
}

/* --- Creation ----------------------------------------------------------------------------- */

static int create(struct call *call, const struct map_attr *attr, unsigned access)
{
	struct map *m;
	int ret = map_attr_check(call->k, attr);

	if (!ret)
		ret = caps_check_map(call->c->caps, attr->type, attr->flags);
	if (!ret)
		ret = map_new(call->k, attr, &m);
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
		.kernel_type = a->btf_vmlinux_value_type_id,
		.has_btf = a->btf_key_type_id && a->btf_value_type_id,
	};
	int ret = check_attr(call, a);

	if (!ret)
		ret = name_check(a->map_name);
	if (!ret && (attr.type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	             attr.type == BPF_MAP_TYPE_HASH_OF_MAPS))
		ret = attr.extra || attr.value_size != sizeof(uint32_t)
		              ? -EINVAL
		              : map_of_fd(call, a->inner_map_fd, 0, &attr.inner);
	if (ret)
		return ret;
	memcpy(attr.name, a->map_name, sizeof(attr.name));
	ret = create(call, &attr, access_of_flags(a->map_flags));
	if (attr.inner)
		obj_put(&attr.inner->obj);
	return ret;
}
