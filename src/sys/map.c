/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s commands on maps.
 *
 * Keys and values travel through a scratch block; what a type makes of them is core/map.h's
 * business. Types whose value is a descriptor (prog arrays, maps in maps) are translated here:
 * bpf(2) writes a descriptor and reads an id.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/record.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/info.h"
#include "sys/map.h"

/* A key and a value; small ones cost no allocation. */
struct scratch {
	const struct mem *mem;
	uint8_t *key, *value;
	void *heap;
	uint8_t small[512];
};

static int scratch_init(struct scratch *s, const struct map *m, size_t value_size)
{
	size_t key_size = (m->key_size + 7u) & ~(size_t)7;

	s->mem = &m->obj.k->mem;
	s->heap = NULL;
	s->key = s->small;
	if (key_size + value_size > sizeof(s->small)) {
		s->heap = s->mem->alloc(s->mem->arg, key_size + value_size);
		if (!s->heap)
			return -ENOMEM;
		s->key = s->heap;
	}
	s->value = s->key + key_size;
	return 0;
}

static void scratch_free(struct scratch *s)
{
	mem_free(s->mem, s->heap);
}

int map_of_fd(struct call *call, uint32_t fd, unsigned need, struct map **out)
{
	struct obj *o;
	unsigned access;
	int err = fd_resolve(call->k, call->c, (int)fd, OBJ_MAP, &o, &access);

	if (err)
		return err;
	if (atomic_load(&((struct map *)o)->frozen))
		access &= ~(unsigned)ACCESS_W;
	if (~access & need) {
		obj_put(o);
		return -EPERM;
	}
	*out = (struct map *)o;
	return 0;
}

/* A map without keys takes no key. */
static int read_key(struct call *call, const struct map *m, void *key)
{
	if (!m->key_size)
		return call->a.elem.key ? -EINVAL : 0;
	return client_read(call->c, key, call->a.elem.key, m->key_size);
}

/* --- Elements ----------------------------------------------------------------------------- */

int map_flags_check(const struct map *m, uint64_t flags)
{
	if (!(flags & BPF_F_LOCK))
		return 0;
	return m->record && m->record->mask & SPECIAL_BIT(SPECIAL_SPIN_LOCK) ? 0 : -EINVAL;
}

int cmd_map_lookup(struct call *call)
{
	const struct attr_map_elem *a = &call->a.elem;
	struct scratch s;
	struct map *m;
	int err;

	if (a->flags & ~(uint64_t)BPF_F_LOCK)
		return -EINVAL;
	err = map_of_fd(call, a->map_fd, ACCESS_R, &m);
	if (err)
		return err;
	err = map_flags_check(m, a->flags);
	if (!err)
		err = scratch_init(&s, m, map_value_size(m));
	if (err)
		goto out;
	err = read_key(call, m, s.key);
	if (!err && m->ops->asks_by_value)
		err = client_read(call->c, s.value, a->value, map_value_size(m));
	if (!err)
		err = map_lookup_id(m, s.key, s.value, a->flags);
	if (!err)
		err = client_write(call->c, a->value, s.value, map_value_size(m));
	scratch_free(&s);
out:
	obj_put(&m->obj);
	return err;
}

/* The value is a descriptor: the type takes over the object behind it. */
static int set_fd(struct call *call, struct map *m, const void *key, const void *value,
                  uint64_t flags)
{
	struct obj *o;
	int err = m->ops->set_ok ? m->ops->set_ok(m, key, flags) : 0;
	int32_t fd;

	if (err)
		return err;
	memcpy(&fd, value, sizeof(fd));
	err = fd_resolve(call->k, call->c, fd, m->ops->fd_kind, &o, NULL);
	if (err)
		return err == -EINVAL && m->ops->fd_wrong ? -m->ops->fd_wrong : err;
	err = m->ops->set(m, key, o, flags);
	if (err)
		obj_put(o);
	return err;
}

/* A number and the descriptor of a program behind it, which need not be given. */
static int set_pair(struct call *call, struct map *m, const void *key, const void *value,
                    uint64_t flags)
{
	int32_t pair[2] = {0, 0};
	struct obj *o = NULL;
	int err;

	memcpy(pair, value, m->value_size);
	err = pair[1] > 0 ? fd_resolve(call->k, call->c, pair[1], m->ops->fd_kind, &o, NULL) : 0;
	err = m->ops->set_pair(m, key, (uint32_t)pair[0], o, err, flags);
	if (err && o)
		obj_put(o);
	return err;
}

int map_set_element(struct call *call, struct map *m, const void *key, const void *value,
                    uint64_t flags)
{
	if (m->ops->set_pair)
		return set_pair(call, m, key, value, flags);
	return m->ops->set ? set_fd(call, m, key, value, flags) : map_update(m, key, value, flags);
}

int cmd_map_update(struct call *call)
{
	const struct attr_map_elem *a = &call->a.elem;
	struct scratch s;
	struct map *m;
	int err = map_of_fd(call, a->map_fd, ACCESS_W, &m);

	if (err)
		return err;
	err = map_flags_check(m, a->flags);
	if (!err)
		err = scratch_init(&s, m, map_value_size(m));
	if (err)
		goto out;
	err = read_key(call, m, s.key);
	if (!err)
		err = client_read(call->c, s.value, a->value, map_value_size(m));
	if (!err)
		err = map_set_element(call, m, s.key, s.value, a->flags);
	scratch_free(&s);
out:
	obj_put(&m->obj);
	return err;
}

int cmd_map_delete(struct call *call)
{
	const struct attr_map_elem *a = &call->a.elem;
	struct scratch s;
	struct map *m;
	int err = map_of_fd(call, a->map_fd, ACCESS_W, &m);

	if (err)
		return err;
	err = scratch_init(&s, m, 0);
	if (err)
		goto out;
	err = read_key(call, m, s.key);
	if (!err)
		err = map_delete(m, s.key);
	scratch_free(&s);
out:
	obj_put(&m->obj);
	return err;
}

/* Queues and stacks take no flags at all. */
int cmd_map_take(struct call *call)
{
	const struct attr_map_elem *a = &call->a.elem;
	struct scratch s;
	struct map *m;
	int err;

	if (a->flags & ~(uint64_t)BPF_F_LOCK)
		return -EINVAL;
	err = map_of_fd(call, a->map_fd, ACCESS_RW, &m);
	if (err)
		return err;
	if (a->flags && (m->type == BPF_MAP_TYPE_QUEUE || m->type == BPF_MAP_TYPE_STACK))
		err = -EINVAL;
	if (!err)
		err = map_flags_check(m, a->flags);
	if (!err)
		err = scratch_init(&s, m, map_value_size(m));
	if (err)
		goto out;
	err = read_key(call, m, s.key);
	if (!err)
		err = map_take(m, s.key, s.value, a->flags);
	if (!err)
		err = client_write(call->c, a->value, s.value, map_value_size(m));
	scratch_free(&s);
out:
	obj_put(&m->obj);
	return err;
}

int cmd_map_next_key(struct call *call)
{
	const struct attr_map_elem *a = &call->a.elem;
	struct scratch s;
	struct map *m;
	int err = map_of_fd(call, a->map_fd, ACCESS_R, &m);

	if (err)
		return err;
	err = scratch_init(&s, m, m->key_size); /* "value" is the next key */
	if (err)
		goto out;
	if (a->key)
		err = read_key(call, m, s.key);
	if (!err)
		err = map_next_key(m, a->key ? s.key : NULL, s.value);
	if (!err)
		err = client_write(call->c, a->value, s.value, m->key_size);
	scratch_free(&s);
out:
	obj_put(&m->obj);
	return err;
}

int cmd_map_freeze(struct call *call)
{
	struct map *m;
	int err = map_of_fd(call, call->a.elem.map_fd, ACCESS_W, &m);

	if (err)
		return err;
	err = map_freeze(m);
	obj_put(&m->obj);
	return err;
}

/* --- What there is to know about a map ---------------------------------------------------- */

int map_info_answer(struct call *call, struct obj *o)
{
	const struct map *m = (struct map *)o;
	struct map_info in = {0}, info;
	int err = info_begin(call, &in, sizeof(in));

	if (err)
		return err;
	info = (struct map_info){
		.type = m->type,
		.id = m->obj.id,
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = m->max_entries,
		.map_flags = m->flags,
		.btf_id = m->btf_id,
		.btf_key_type_id = m->btf_key_type_id,
		.btf_value_type_id = m->btf_value_type_id,
		.btf_vmlinux_value_type_id = m->kernel_type,
		.map_extra = m->extra,
	};
	memcpy(info.name, m->name, sizeof(info.name));
	return info_end(call, &info, sizeof(info));
}
