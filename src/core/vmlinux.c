/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own BTF, read when first asked for: see vmlinux.h.
 *
 * Its object has id 1, as on the kernel, from the start on: the id is kept free when there is a file to
 * read. Types are found by kind and name through a table of ids, open addressing, made with it.
 */
#include "core/vmlinux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

struct vmlinux {
	struct lock lock;
	char *path; /* NULL: there is none */
	bool tried;
	_Atomic(struct btf *) btf;
	uint32_t *ids; /* [mask + 1] */
	uint32_t mask;
	struct hash_seed seed;
};

int vmlinux_init(struct skep *k, const char *path)
{
	struct vmlinux *v = mem_zalloc(&k->mem, sizeof(*v));

	if (!v)
		return -ENOMEM;
	k->vmlinux = v;
	hash_seed_fixed(&v->seed);
	if (!path)
		path = "/sys/kernel/btf/vmlinux";
	if (!path[0] || access(path, R_OK) != 0)
		return 0;
	v->path = mem_copy(&k->mem, path, strlen(path) + 1);
	k->ids[OBJ_BTF].last_id = VMLINUX_ID;
	return v->path ? 0 : -ENOMEM;
}

void vmlinux_exit(struct skep *k)
{
	struct vmlinux *v = k->vmlinux;
	struct btf *btf = v ? atomic_load(&v->btf) : NULL;

	if (!v)
		return;
	k->vmlinux = NULL;
	if (btf)
		obj_put(&btf->obj);
	mem_free(&k->mem, v->ids);
	mem_free(&k->mem, v->path);
	mem_free(&k->mem, v);
}

/* --- Reading ----------------------------------------------------------------------------- */

static int read_all(int fd, uint8_t *to, size_t size)
{
	while (size) {
		ssize_t n = read(fd, to, size);

		if (n <= 0)
			return n ? -errno : -EIO;
		to += n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_file(const struct mem *mem, const char *path, uint8_t **out, uint32_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	struct stat st;
	uint8_t *bytes;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) != 0 ? -errno : st.st_size > BTF_MAX_SIZE ? -E2BIG : 0;
	bytes = err ? NULL : mem->alloc(mem->arg, (size_t)st.st_size);
	if (!err)
		err = bytes ? read_all(fd, bytes, (size_t)st.st_size) : -ENOMEM;
	close(fd);
	if (err) {
		mem_free(mem, bytes);
		return err;
	}
	*out = bytes;
	*size = (uint32_t)st.st_size;
	return 0;
}

static uint32_t slot_of(const struct vmlinux *v, enum btf_kind kind, const char *name)
{
	return (uint32_t)(hash_bytes(&v->seed, name, strlen(name)) + kind) & v->mask;
}

static int make_index(struct skep *k, struct vmlinux *v, const struct btf_data *b)
{
	uint32_t slots = 64;

	while (slots < 2 * (uint64_t)b->ntypes)
		slots *= 2;
	v->mask = slots - 1;
	v->ids = mem_zalloc_array(&k->mem, slots, sizeof(v->ids[0]));
	if (!v->ids)
		return -ENOMEM;
	for (uint32_t id = 1; id <= b->ntypes; id++) { /* of equals, the first is found */
		const struct btf_type *t = btf_type(b, id);
		uint32_t i;

		if (!t->name)
			continue;
		i = slot_of(v, btf_kind(t), btf_string(b, t->name));
		while (v->ids[i])
			i = (i + 1) & v->mask;
		v->ids[i] = id;
	}
	return 0;
}

/* The lock is held. What cannot be read is as good as not there. */
static void load(struct skep *k, struct vmlinux *v)
{
	struct btf *btf = NULL;
	uint8_t *bytes;
	uint32_t size;
	int err = read_file(&k->mem, v->path, &bytes, &size);

	if (!err)
		err = btf_new(k, bytes, size, NULL, &btf);
	if (!err) {
		btf->kernel = true;
		err = make_index(k, v, &btf->data);
	}
	if (!err)
		err = obj_publish_as(&btf->obj, VMLINUX_ID);
	if (!err)
		atomic_store_explicit(&v->btf, btf, memory_order_release);
	else if (btf)
		obj_put(&btf->obj);
}

struct btf *vmlinux(struct skep *k)
{
	struct vmlinux *v = k->vmlinux;
	struct btf *btf = v ? atomic_load_explicit(&v->btf, memory_order_acquire) : NULL;

	if (!v || btf || !v->path)
		return btf;
	lock_take(&v->lock);
	if (!v->tried)
		load(k, v);
	v->tried = true;
	lock_release(&v->lock);
	return atomic_load_explicit(&v->btf, memory_order_acquire);
}

uint32_t vmlinux_find(struct skep *k, enum btf_kind kind, const char *name)
{
	const struct btf *btf = vmlinux(k);
	const struct vmlinux *v = k->vmlinux;

	if (!btf)
		return 0;
	for (uint32_t i = slot_of(v, kind, name); v->ids[i]; i = (i + 1) & v->mask) {
		const struct btf_type *t = btf_type(&btf->data, v->ids[i]);

		if (btf_kind(t) == kind && strcmp(btf_string(&btf->data, t->name), name) == 0)
			return v->ids[i];
	}
	return 0;
}
