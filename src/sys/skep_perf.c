/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public API: perf rings. perf_event_open() and its ioctl()s as far as BPF needs them, and rings for
 * who has no libbpf. See skep.h; struct skep_perf is struct perf_ring.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/map.h"
#include "core/perf.h"
#include "skep.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/handle.h"

/* <linux/perf_event.h> */
#define IOC_ENABLE 0x2400ul
#define IOC_DISABLE 0x2401ul

int skep_perf_event_open(struct skep *k, const void *attr, int pid, int cpu, int group,
                         unsigned long flags)
{
	struct client c = client_self(k);
	struct perf_attr a;
	struct perf_ring *r;
	int err = client_read(&c, &a, (uintptr_t)attr, sizeof(a));

	(void)flags; /* descriptors are always closed on exec */
	if (err)
		return err;
	if (a.size < sizeof(a) || pid != -1 || group != -1 || cpu < 0)
		return -EINVAL;
	err = perf_ring_new(k, &a, (uint32_t)cpu, &r);
	if (err)
		return err;
	err = fd_install(&c, &r->obj, ACCESS_RW);
	obj_put(&r->obj);
	return err;
}

/* Bytes of the largest mapping of this file in our process, or 0: what the client has chosen. */
static uint64_t mapped_size(const struct perf_ring *r)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long start, end, inode, offset;
	uint64_t largest = 0;
	char line[512];
	struct stat st;

	if (!f || fstat(r->pages.fd, &st) != 0)
		goto out;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx %*s %lu", &start, &end, &offset, &inode) == 4 &&
		    inode == st.st_ino && !offset && end - start < r->pages.size &&
		    end - start > largest)
			largest = end - start;
out:
	if (f)
		fclose(f);
	return largest;
}

static int enable(struct perf_ring *r, bool on)
{
	uint64_t size = r->size ? 0 : mapped_size(r);
	int err = size > r->page ? perf_ring_resize(r, size - r->page) : 0;

	if (!err)
		atomic_store(&r->enabled, on);
	return err;
}

int skep_perf_event_ioctl(struct skep *k, int fd, unsigned long request)
{
	struct obj *o;
	int err;

	if (request != IOC_ENABLE && request != IOC_DISABLE)
		return -ENOTTY;
	err = handle_from_fd(k, fd, OBJ_PERF, &o);
	if (err)
		return -ENOTTY;
	err = enable(perf_of(o), request == IOC_ENABLE);
	obj_put(o);
	return err;
}

int skep_fd_event_fd(struct skep *k, int fd)
{
	struct client c = client_self(k);
	struct obj *o;
	int event, err = fd_resolve_any(k, &c, fd, &o, NULL);

	if (err)
		return err;
	event = o->kind == OBJ_MAP    ? map_event_fd((struct map *)o)
	        : o->kind == OBJ_PERF ? perf_ring_event_fd(perf_of(o))
	                              : -EINVAL;
	obj_put(o);
	return event;
}

int skep_perf_open(struct skep_map *map, uint32_t index, size_t size, struct skep_perf **out)
{
	struct map *m = (struct map *)map;
	struct perf_attr attr = {.type = PERF_SOFTWARE,
	                         .size = sizeof(attr),
	                         .config = PERF_BPF_OUTPUT,
	                         .sample_period = 1,
	                         .sample_type = 1 << 10, /* PERF_SAMPLE_RAW */
	                         .wakeup = 1};
	struct perf_ring *r;
	int err;

	if (m->ops->fd_kind != OBJ_PERF || !m->ops->set)
		return -EINVAL;
	err = perf_ring_new(m->obj.k, &attr, index, &r);
	if (err)
		return err;
	err = perf_ring_resize(r, size);
	if (!err) {
		obj_get(&r->obj); /* the map's */
		err = m->ops->set(m, &index, &r->obj, BPF_ANY);
		if (err)
			obj_put(&r->obj);
	}
	if (err)
		obj_put(&r->obj);
	else
		*out = (struct skep_perf *)r;
	return err;
}

void skep_perf_close(struct skep_perf *perf)
{
	if (perf)
		obj_put(&((struct perf_ring *)perf)->obj);
}

int skep_perf_event_fd(struct skep_perf *perf)
{
	return perf_ring_event_fd((struct perf_ring *)perf);
}

int64_t skep_perf_consume(struct skep_perf *perf,
                          int (*sample)(void *arg, const void *data, size_t size),
                          void (*lost)(void *arg, uint64_t n), void *arg)
{
	return perf_ring_consume((struct perf_ring *)perf,
	                         &(struct perf_consumer){sample, lost, arg});
}
