/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors and pins: real files that stand for objects.
 *
 * A hold is a file by which clients keep an object alive: it has an identity (device, inode), by
 * which a descriptor leads to its object, and a test whether any client still has it. There are
 * three:
 *
 *   PIPE  A pipe. Clients get the end for reading, we keep the other; when the last descriptor of
 *         the reading end is gone, however it went, poll() on ours says so. Creating it is one
 *         system call, and one poll() tests many. There is one pipe for each access mode in use. A
 *         few pipes whose object has gone are kept: opening one again costs half of closing it and
 *         making another.
 *   FILE  A memfd: the pages of a map that clients may mmap(), or an empty one for clients that
 *         look at the names of their descriptors ("bpf-map"). Each descriptor given out is a fresh
 *         open file description that holds a lock of its own (F_OFD_SETLK); when no lock is left,
 *         nobody is. The access mode is that of the description.
 *   PIN   A regular file in the kernel's bpffs directory, kept open with O_PATH. It holds until it
 *         has no link left.
 *
 * Every hold owns one reference to its object. Nothing tells us of the last close, so we look: each
 * new hold tests a few others in turn (all garbage goes within as many creations as there are
 * holds), and commands that walk ids test all.
 *
 * Requires: /proc for a second descriptor of the same object. Provides: fd.h.
 */
#define _GNU_SOURCE
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/map.h"
#include "core/perf.h"

enum hold_kind { HOLD_PIPE, HOLD_FILE, HOLD_PIN };

enum {
	FIRST_CAP = 64,
	SWEEP_STEP = 4,   /* holds tested at each creation */
	SWEEP_BATCH = 64, /* in one poll() */
	SPARES = 4,
};

struct hold {
	struct hold *next_in_bucket, *next_of_obj;
	struct obj *obj;
	dev_t dev;
	ino_t ino;
	int fd;
	bool fd_is_borrowed; /* a map's pages: closed with them */
	uint8_t kind, access;
	bool mixed; /* FILE: descriptors of other access modes have been given out, too */
	unsigned index; /* in holds.all */
};

/* A pipe without readers: our end, and how it is known. */
struct spare {
	int fd;
	dev_t dev;
	ino_t ino;
};

/* k->desc. */
struct holds {
	struct lock lock;
	struct hold **bucket; /* by identity; cap is a power of two */
	struct hold **all;    /* [used], in no order */
	unsigned cap, used;
	unsigned next; /* to be tested */
	struct spare spare[SPARES];
	unsigned nspares;
	int own_fds; /* /proc/self/fd */
	pid_t pid;   /* whose those are: see check_fork() */
	uint32_t next_lock; /* the byte that the next description locks for writing */
	char *bpffs;        /* or NULL */
};

unsigned access_of_flags(uint32_t flags)
{
	unsigned access = ACCESS_RW;

	if (flags & BPF_F_RDONLY)
		access &= ~(unsigned)ACCESS_W;
	if (flags & BPF_F_WRONLY)
		access &= ~(unsigned)ACCESS_R;
	return access;
}

static struct hold **bucket_of(struct holds *hs, dev_t dev, ino_t ino)
{
	uint64_t mix = ((uint64_t)dev << 32 ^ (uint64_t)ino) * 0x9e3779b97f4a7c15u;

	return &hs->bucket[mix >> 32 & (hs->cap - 1)];
}

static int grow(struct holds *hs, const struct mem *mem)
{
	unsigned cap = hs->cap ? hs->cap * 2 : FIRST_CAP;
	struct hold **bucket = mem_zalloc_array(mem, cap, sizeof(bucket[0]));
	struct hold **all = mem_zalloc_array(mem, cap, sizeof(all[0]));

	if (!bucket || !all) {
		mem_free(mem, bucket);
		mem_free(mem, all);
		return -ENOMEM;
	}
	if (hs->used)
		memcpy(all, hs->all, hs->used * sizeof(all[0]));
	mem_free(mem, hs->bucket);
	mem_free(mem, hs->all);
	hs->bucket = bucket;
	hs->all = all;
	hs->cap = cap;
	for (unsigned i = 0; i < hs->used; i++) {
		struct hold **at = bucket_of(hs, all[i]->dev, all[i]->ino);

		all[i]->next_in_bucket = *at;
		*at = all[i];
	}
	return 0;
}

/* --- Is anybody there? -------------------------------------------------------------------- */

static bool file_held(const struct hold *h)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(h->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

static bool pin_held(const struct hold *h)
{
	struct stat st;

	return fstat(h->fd, &st) != 0 || st.st_nlink != 0;
}

/* Tests holds all[first .. first + n): dead[i] answers. n <= SWEEP_BATCH. */
static void test_held(const struct holds *hs, unsigned first, unsigned n, bool *dead)
{
	struct pollfd fds[SWEEP_BATCH];
	bool polls = false;

	for (unsigned i = 0; i < n; i++) {
		const struct hold *h = hs->all[first + i];

		fds[i] = (struct pollfd){.fd = -1};
		dead[i] = false;
		if (h->kind == HOLD_PIPE) {
			fds[i].fd = h->fd; /* events 0: only POLLERR, when no reader is left */
			polls = true;
		} else {
			dead[i] = h->kind == HOLD_FILE ? !file_held(h) : !pin_held(h);
		}
	}
	if (polls && poll(fds, n, 0) > 0)
		for (unsigned i = 0; i < n; i++)
			dead[i] |= (fds[i].revents & POLLERR) != 0;
}

/* --- Adding and removing; the lock is held ------------------------------------------------ */

static void obj_held(struct obj *o)
{
	obj_get(o);
	if (o->kind == OBJ_MAP)
		atomic_fetch_add(&((struct map *)o)->usercnt, 1);
}

static int add(struct holds *hs, struct hold *h)
{
	struct hold **at;
	int err = hs->used == hs->cap ? grow(hs, &h->obj->k->mem) : 0;

	if (err)
		return err;
	at = bucket_of(hs, h->dev, h->ino);
	h->next_in_bucket = *at;
	*at = h;
	h->next_of_obj = h->obj->desc;
	h->obj->desc = h;
	h->index = hs->used;
	hs->all[hs->used++] = h;
	obj_held(h->obj);
	return 0;
}

static void remove_hold(struct holds *hs, struct hold *h)
{
	struct hold **at = bucket_of(hs, h->dev, h->ino);

	while (*at != h)
		at = &(*at)->next_in_bucket;
	*at = h->next_in_bucket;
	at = (struct hold **)&h->obj->desc;
	while (*at != h)
		at = &(*at)->next_of_obj;
	*at = h->next_of_obj;
	hs->all[h->index] = hs->all[--hs->used];
	hs->all[h->index]->index = h->index;
}

/* Keeps the pipe of a hold that was removed, if there is room. */
static void keep_spare(struct holds *hs, struct hold *h)
{
	if (h->kind != HOLD_PIPE || hs->nspares == SPARES)
		return;
	hs->spare[hs->nspares++] = (struct spare){h->fd, h->dev, h->ino};
	h->fd = -1;
}

/* Removes what is dead among all[first .. first + n) and puts it in front of the list. */
static struct hold *reap(struct holds *hs, unsigned first, unsigned n, struct hold *list)
{
	bool dead[SWEEP_BATCH];

	test_held(hs, first, n, dead);
	for (unsigned i = n; i-- > 0;) { /* backwards: removal moves the last one forward */
		struct hold *h = hs->all[first + i];

		if (!dead[i])
			continue;
		remove_hold(hs, h);
		keep_spare(hs, h);
		h->next_in_bucket = list;
		list = h;
	}
	return list;
}

/* Ends removed holds, and with them perhaps their objects. The lock is not held. */
static void finish(struct hold *list)
{
	while (list) {
		struct hold *h = list;
		struct obj *o = h->obj;
		struct skep *k = o->k;

		list = h->next_in_bucket;
		if (h->fd >= 0 && !h->fd_is_borrowed)
			close(h->fd);
		mem_free(&k->mem, h);
		if (o->kind == OBJ_MAP) {
			struct map *m = (struct map *)o;

			if (atomic_fetch_sub(&m->usercnt, 1) == 1)
				map_release_uref(m);
		}
		obj_put(o);
	}
}

static struct hold *sweep_some(struct holds *hs)
{
	unsigned n = hs->used < SWEEP_STEP ? hs->used : SWEEP_STEP;

	if (!n)
		return NULL;
	if (hs->next + n > hs->used)
		hs->next = 0;
	hs->next += n;
	return reap(hs, hs->next - n, n, NULL);
}

void fd_sweep(struct skep *k)
{
	struct holds *hs = k->desc;
	struct hold *dead;

	do { /* again, as an object that goes may let go of others */
		unsigned left;

		dead = NULL;
		lock_take(&hs->lock);
		left = hs->used;
		while (left) {
			unsigned n = left < SWEEP_BATCH ? left : SWEEP_BATCH;

			left -= n;
			dead = reap(hs, left, n, dead);
		}
		lock_release(&hs->lock);
		finish(dead);
	} while (dead);
}

/* --- Giving out descriptors --------------------------------------------------------------- */

static const char *const kind_names[OBJ_KINDS] = {
	[OBJ_PROG] = "bpf-prog",
	[OBJ_MAP] = "bpf-map",
	[OBJ_BTF] = "btf",
	[OBJ_LINK] = "bpf-link",
	[OBJ_PERF] = "perf-event",
	[OBJ_EVENT] = "perf-event",
	[OBJ_STATS] = "bpf-stats",
};

static void drop_spares(struct holds *hs)
{
	while (hs->nspares)
		close(hs->spare[--hs->nspares].fd);
}

/* A forked child has copies of all this, but must not use what leads to its parent. */
static void check_fork(struct holds *hs)
{
	pid_t pid = getpid();

	if (hs->pid == pid)
		return;
	drop_spares(hs);
	if (hs->own_fds >= 0)
		close(hs->own_fds);
	hs->own_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	hs->pid = pid;
}

/* A fresh description of the file behind one of our descriptors. */
static int reopen(struct holds *hs, int fd, int flags)
{
	char name[12];
	int fresh;

	check_fork(hs);
	snprintf(name, sizeof(name), "%d", fd);
	fresh = openat(hs->own_fds, name, flags | O_CLOEXEC);
	return fresh < 0 ? -errno : fresh;
}

static int file_reopen(struct holds *hs, const struct hold *h, unsigned access)
{
	static const int open_flags[] = {
		[ACCESS_R] = O_RDONLY, [ACCESS_W] = O_WRONLY, [ACCESS_RW] = O_RDWR};
	/*
	 * Locks for reading share a byte; who may not read takes one for writing on a byte of its
	 * own.
	 */
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
	int fd = reopen(hs, h->fd, open_flags[access]), err;

	if (fd < 0)
		return fd;
	if (!(access & ACCESS_R)) {
		lock.l_type = F_WRLCK;
		lock.l_start = ++hs->next_lock;
	}
	if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Notes by what a descriptor will be known. */
static int identify(struct hold *h, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	h->dev = st.st_dev;
	h->ino = st.st_ino;
	return 0;
}

/* The following set up h->fd and its identity, and answer a descriptor for the client. */

static int open_spare(struct holds *hs, struct hold *h)
{
	const struct spare *s = &hs->spare[hs->nspares - 1];
	int fd = reopen(hs, s->fd, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return fd;
	h->fd = s->fd;
	h->dev = s->dev;
	h->ino = s->ino;
	hs->nspares--;
	return fd;
}

static int open_pipe(struct holds *hs, struct hold *h)
{
	int ends[2], fd, err;

	check_fork(hs);
	if (hs->nspares) {
		fd = open_spare(hs, h);
		if (fd >= 0)
			return fd;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -errno;
	h->fd = ends[1];
	err = identify(h, h->fd);
	if (err)
		close(ends[0]);
	return err ? err : ends[0];
}

/* The pages that clients may map, or NULL. */
static const struct pages *pages_of(const struct obj *o)
{
	const struct pages *p = o->kind == OBJ_MAP    ? &((const struct map *)o)->pages
	                        : o->kind == OBJ_PERF ? &((const struct perf_ring *)o)->pages
	                                              : NULL;

	return p && p->base ? p : NULL;
}

static int open_file(struct holds *hs, struct hold *h)
{
	const struct pages *pages = pages_of(h->obj);
	int err;

	if (pages) {
		h->fd = pages->fd;
		h->fd_is_borrowed = true;
	} else {
		h->fd = memfd_create(kind_names[h->obj->kind], MFD_CLOEXEC);
		if (h->fd < 0)
			return -errno;
	}
	err = identify(h, h->fd);
	return err ? err : file_reopen(hs, h, h->access);
}

static int install_first(struct holds *hs, struct obj *o, enum hold_kind kind, unsigned access)
{
	struct hold *h = mem_zalloc(&o->k->mem, sizeof(*h));
	int fd, err;

	if (!h)
		return -ENOMEM;
	h->obj = o;
	h->kind = (uint8_t)kind;
	h->access = (uint8_t)access;
	h->fd = -1;
	fd = kind == HOLD_PIPE ? open_pipe(hs, h) : open_file(hs, h);
	err = fd < 0 ? fd : add(hs, h);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	if (h->fd >= 0 && !h->fd_is_borrowed)
		close(h->fd);
	mem_free(&o->k->mem, h);
	return err;
}

static int install(struct holds *hs, struct client *c, struct obj *o, unsigned access)
{
	enum hold_kind kind = pages_of(o) || c->flags & CLIENT_NAMES ? HOLD_FILE : HOLD_PIPE;

	for (struct hold *h = o->desc; h; h = h->next_of_obj) {
		if (h->kind != kind)
			continue;
		if (kind == HOLD_FILE) {
			h->mixed |= access != h->access;
			return file_reopen(hs, h, access);
		}
		if (h->access == access)
			return reopen(hs, h->fd, O_RDONLY | O_NONBLOCK);
	}
	return install_first(hs, o, kind, access);
}

int fd_install(struct client *c, struct obj *o, unsigned access)
{
	struct skep *k = o->k;
	struct holds *hs = k->desc;
	struct hold *dead;
	int fd;

	lock_take(&hs->lock);
	dead = sweep_some(hs);
	fd = install(hs, c, o, access);
	lock_release(&hs->lock);
	finish(dead);
	if (fd == -EMFILE || fd == -ENFILE) { /* perhaps it is our own garbage */
		fd_sweep(k);
		lock_take(&hs->lock);
		drop_spares(hs);
		fd = install(hs, c, o, access);
		lock_release(&hs->lock);
	}
	return fd < 0 ? fd : c->ops->install(c, fd);
}

/* --- From descriptors to objects ---------------------------------------------------------- */

static const struct hold *find(struct holds *hs, dev_t dev, ino_t ino)
{
	for (struct hold *h = *bucket_of(hs, dev, ino); h; h = h->next_in_bucket)
		if (h->dev == dev && h->ino == ino)
			return h;
	return NULL;
}

struct obj *fd_by_identity(struct skep *k, dev_t dev, ino_t ino)
{
	struct holds *hs = k->desc;
	const struct hold *h;
	struct obj *o = NULL;

	lock_take(&hs->lock);
	h = find(hs, dev, ino);
	if (h && h->kind != HOLD_PIN) {
		o = h->obj;
		obj_get(o);
	}
	lock_release(&hs->lock);
	return o;
}

int fd_resolve_any(struct skep *k, struct client *c, int fd, struct obj **out, unsigned *access)
{
	struct holds *hs = k->desc;
	const struct hold *h;
	struct obj *o = NULL;
	unsigned mode = 0;
	bool ask = false;
	dev_t dev;
	ino_t ino;
	int flags, err = c->ops->identify(c, fd, &dev, &ino);

	if (err)
		return err;
	lock_take(&hs->lock);
	h = find(hs, dev, ino);
	if (h && h->kind != HOLD_PIN) {
		o = h->obj;
		obj_get(o);
		mode = h->access;
		ask = h->kind == HOLD_FILE && access && h->mixed;
	}
	lock_release(&hs->lock);
	if (!o)
		return -EINVAL;
	if (ask) {
		flags = c->ops->status(c, fd);
		if (flags < 0) {
			obj_put(o);
			return flags;
		}
		mode = (flags & O_ACCMODE) == O_RDONLY   ? ACCESS_R
		       : (flags & O_ACCMODE) == O_WRONLY ? ACCESS_W
		                                         : ACCESS_RW;
	}
	if (access)
		*access = mode;
	*out = o;
	return 0;
}

int fd_resolve(struct skep *k, struct client *c, int fd, enum obj_kind kind, struct obj **out,
               unsigned *access)
{
	struct obj *o;
	int err = fd_resolve_any(k, c, fd, &o, access);

	if (err)
		return err;
	if (o->kind != kind) {
		obj_put(o);
		return -EINVAL;
	}
	*out = o;
	return 0;
}

/* --- Pins --------------------------------------------------------------------------------- */

int fd_pin(struct obj *o, int fd)
{
	struct holds *hs = o->k->desc;
	struct hold *h = mem_zalloc(&o->k->mem, sizeof(*h));
	struct stat st;
	int err = h ? 0 : -ENOMEM;

	if (!err && fstat(fd, &st) != 0)
		err = -errno;
	if (!err) {
		*h = (struct hold){.obj = o, .kind = HOLD_PIN, .access = ACCESS_RW, .fd = fd,
		                   .dev = st.st_dev, .ino = st.st_ino};
		lock_take(&hs->lock);
		err = add(hs, h);
		lock_release(&hs->lock);
	}
	if (err) {
		mem_free(&o->k->mem, h);
		close(fd);
	}
	return err;
}

int fd_pinned(struct skep *k, int fd, struct obj **out)
{
	struct holds *hs = k->desc;
	const struct hold *h;
	struct obj *o = NULL;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	lock_take(&hs->lock);
	h = find(hs, st.st_dev, st.st_ino);
	if (h && h->kind == HOLD_PIN) {
		o = h->obj;
		obj_get(o);
	}
	lock_release(&hs->lock);
	if (!o)
		return -EACCES;
	*out = o;
	return 0;
}

/* --- A kernel's beginning and end --------------------------------------------------------- */

static int resolve_dir(const struct mem *mem, const char *dir, char **out)
{
	char path[PATH_MAX];
	struct stat st;

	if (!realpath(dir, path) || stat(path, &st) != 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	*out = mem_copy(mem, path, strlen(path) + 1);
	return *out ? 0 : -ENOMEM;
}

int fd_init(struct skep *k, const char *bpffs)
{
	struct holds *hs = mem_zalloc(&k->mem, sizeof(*hs));
	int err;

	if (!hs)
		return -ENOMEM;
	err = grow(hs, &k->mem);
	if (!err && bpffs)
		err = resolve_dir(&k->mem, bpffs, &hs->bpffs);
	hs->own_fds = -1;
	k->desc = hs;
	if (err)
		fd_exit(k);
	return err;
}

const char *fd_bpffs(const struct skep *k)
{
	return ((const struct holds *)k->desc)->bpffs;
}

/* What was pinned is gone after a reboot. */
static void pin_unlink(const struct hold *h)
{
	char link[32], path[PATH_MAX];
	struct stat st;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", h->fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0)
		return;
	path[len] = '\0';
	if (lstat(path, &st) == 0 && st.st_dev == h->dev && st.st_ino == h->ino)
		unlink(path);
}

void fd_exit(struct skep *k)
{
	struct holds *hs = k->desc;
	struct hold *list = NULL;

	if (!hs)
		return;
	while (hs->used) {
		struct hold *h = hs->all[hs->used - 1];

		if (h->kind == HOLD_PIN)
			pin_unlink(h);
		remove_hold(hs, h);
		h->next_in_bucket = list;
		list = h;
	}
	finish(list);
	drop_spares(hs);
	if (hs->own_fds >= 0)
		close(hs->own_fds);
	mem_free(&k->mem, hs->bucket);
	mem_free(&k->mem, hs->all);
	mem_free(&k->mem, hs->bpffs);
	mem_free(&k->mem, hs);
	k->desc = NULL;
}
