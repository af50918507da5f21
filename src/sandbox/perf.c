/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf_event_open(2) and the ioctl()s of its descriptors, and the tracefs files by which tracepoints are
 * known.
 *
 * Ours are the events that programs put out to, tracepoints, probes, and what is opened for a whole CPU,
 * as BPF tools do; a process's own counters stay the host's. Tracepoints get a number when somebody reads
 * events/CATEGORY/NAME/id; which there are, the kernel's BTF says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/perf.h"
#include "core/vmlinux.h"
#include "sandbox/perf.h"
#include "sandbox/sandbox.h"
#include "sys/bpf.h"
#include "sys/event.h"
#include "sys/fd.h"

enum { TRACEPOINTS_MAX = 2048, FIRST_ID = 1000, NAME_LEN = 96 };

struct tracepoints {
	pthread_mutex_t lock;
	unsigned n;
	char name[TRACEPOINTS_MAX][NAME_LEN];
};

static struct tracepoints *tracepoints_of(struct sandbox *s)
{
	return s->tracepoints;
}

int perf_init(struct sandbox *s)
{
	s->tracepoints = calloc(1, sizeof(*s->tracepoints));
	if (!s->tracepoints)
		return -ENOMEM;
	pthread_mutex_init(&s->tracepoints->lock, NULL);
	return 0;
}

static bool exists(struct skep *k, const char *category, const char *name)
{
	char type[NAME_LEN + 32];

	if (strcmp(category, "syscalls") == 0) {
		if (strncmp(name, "sys_enter_", 10) == 0 || strncmp(name, "sys_exit_", 9) == 0) {
			snprintf(type, sizeof(type), "__x64_sys_%s", strchr(name + 4, '_') + 1);
			return vmlinux_find(k, BTF_FUNC, type) != 0;
		}
		return false;
	}
	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return vmlinux_find(k, BTF_TYPEDEF, type) != 0;
}

int perf_tracepoint_id(struct sandbox *s, const char *path)
{
	static const char *const roots[] = {"/sys/kernel/tracing/events/",
	                                    "/sys/kernel/debug/tracing/events/"};
	struct tracepoints *t = tracepoints_of(s);
	char category[NAME_LEN], name[NAME_LEN];
	int id = -ENOENT, end = 0;

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(roots[i]);

		if (strncmp(path, roots[i], len) != 0)
			continue;
		if (sscanf(path + len, "%95[a-zA-Z0-9_]/%95[a-zA-Z0-9_]/id%n", category, name, &end) != 2 ||
		    !end || path[len + (size_t)end])
			return -ENOENT;
		break;
	}
	if (!end || !exists(s->k, category, name))
		return -ENOENT;
	pthread_mutex_lock(&t->lock);
	for (unsigned i = 0; i < t->n && id < 0; i++)
		if (strcmp(t->name[i], name) == 0)
			id = FIRST_ID + (int)i;
	if (id < 0 && t->n < TRACEPOINTS_MAX) {
		strcpy(t->name[t->n], name);
		id = FIRST_ID + (int)t->n++;
	}
	pthread_mutex_unlock(&t->lock);
	return id;
}

static bool name_of(struct sandbox *s, uint64_t id, char *name)
{
	struct tracepoints *t = tracepoints_of(s);
	bool found;

	pthread_mutex_lock(&t->lock);
	found = id >= FIRST_ID && id - FIRST_ID < t->n;
	if (found)
		strcpy(name, t->name[id - FIRST_ID]);
	pthread_mutex_unlock(&t->lock);
	return found;
}

/* --- perf_event_open() -------------------------------------------------------------------- */

static uint32_t pmu_type(const char *name)
{
	char path[80], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return (uint32_t)strtoul(text, NULL, 10);
}

/* A probe: config1 is where its name is, config2 the offset, the lowest bit of config: at the return. */
static int describe_probe(struct remote *r, const struct perf_event_attr *p, bool user,
                          struct event_attr *a)
{
	int len = client_string(&r->client, a->name, p->config1, sizeof(a->name));

	if (len < 0 && len != -E2BIG)
		return len;
	a->offset = p->config2;
	a->kind = user ? (p->config & 1 ? EVENT_URETPROBE : EVENT_UPROBE)
	               : (p->config & 1 ? EVENT_KRETPROBE : EVENT_KPROBE);
	return 0;
}

/* 0: an event of ours; SERVE_PASS: the host's. */
static int64_t describe(struct remote *r, const struct perf_event_attr *p, int pid, struct event_attr *a)
{
	*a = (struct event_attr){.kind = EVENT_OTHER, .type = p->type, .config = p->config};
	if (p->type == PERF_TYPE_TRACEPOINT) {
		a->kind = EVENT_TRACEPOINT;
		return name_of(r->s, p->config, a->name) ? 0 : -EINVAL;
	}
	if (p->type >= PERF_TYPE_MAX && p->type == pmu_type("uprobe"))
		return describe_probe(r, p, true, a);
	if (p->type >= PERF_TYPE_MAX && p->type == pmu_type("kprobe"))
		return describe_probe(r, p, false, a);
	return pid == -1 && p->type < PERF_TYPE_RAW ? 0 : SERVE_PASS;
}

static int open_ring(struct remote *r, const struct perf_event_attr *p, int pid, int cpu)
{
	struct perf_attr a = {.type = p->type, .size = p->size, .config = p->config,
	                      .sample_period = p->sample_period, .sample_type = p->sample_type,
	                      .wakeup = p->wakeup_events};
	struct perf_ring *ring;
	int err;

	if (pid != -1 || cpu < 0)
		return -EINVAL;
	a.bits = (p->disabled ? 1 : 0) | (p->watermark ? 1 << 14 : 0);
	err = perf_ring_new(r->s->k, &a, (uint32_t)cpu, &ring);
	if (err)
		return err;
	err = fd_install(&r->client, &ring->obj, ACCESS_RW);
	obj_put(&ring->obj);
	return err;
}

int64_t serve_perf_event_open(struct remote *r, const struct seccomp_data *call)
{
	int pid = (int)call->args[1], cpu = (int)call->args[2];
	struct perf_event_attr p = {0};
	struct event_attr a;
	uint32_t size;
	int64_t err;

	if (client_read(&r->client, &size, call->args[0] + 4, sizeof(size)) != 0)
		return -EFAULT;
	if (size < PERF_ATTR_SIZE_VER0)
		return size ? SERVE_PASS : -EINVAL;
	if (client_read(&r->client, &p, call->args[0], size < sizeof(p) ? size : sizeof(p)) != 0)
		return -EFAULT;
	p.size = size;
	if (p.type == PERF_TYPE_SOFTWARE && p.config == PERF_COUNT_SW_BPF_OUTPUT)
		return open_ring(r, &p, pid, cpu);
	err = describe(r, &p, pid, &a);
	return err ? err : event_open(r->s->k, &r->client, &a);
}

/* --- ioctl() ------------------------------------------------------------------------------ */

/* Bytes of the largest mapping of this ring in the caller, or 0: what it has chosen. */
static uint64_t mapped_size(const struct remote *r, const struct perf_ring *ring)
{
	unsigned long start, end, inode, offset;
	uint64_t largest = 0;
	char path[32], line[512];
	struct stat st;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)r->tid);
	f = fopen(path, "re");
	if (!f || fstat(ring->pages.fd, &st) != 0)
		goto out;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx %*s %lu", &start, &end, &offset, &inode) == 4 &&
		    inode == st.st_ino && !offset && end - start > largest &&
		    end - start < ring->pages.size)
			largest = end - start;
out:
	if (f)
		fclose(f);
	return largest;
}

static int64_t ring_control(struct remote *r, struct perf_ring *ring, uint32_t request)
{
	uint64_t size;
	int err;

	if (request != (uint32_t)PERF_EVENT_IOC_ENABLE && request != (uint32_t)PERF_EVENT_IOC_DISABLE)
		return -EINVAL;
	size = ring->size ? 0 : mapped_size(r, ring);
	err = size > ring->page ? perf_ring_resize(ring, size - ring->page) : 0;
	if (!err)
		atomic_store(&ring->enabled, request == (uint32_t)PERF_EVENT_IOC_ENABLE);
	return err;
}

static int64_t answer_query(struct remote *r, struct obj *o, uint64_t addr)
{
	uint32_t head[2], id = event_prog_id(o); /* ids_len, prog_cnt: struct perf_event_query_bpf */
	int err = client_read(&r->client, head, addr, sizeof(head));

	if (err)
		return err;
	head[1] = id ? 1 : 0;
	err = client_write(&r->client, addr, head, sizeof(head));
	if (!err && id && head[0])
		err = client_write(&r->client, addr + sizeof(head), &id, sizeof(id));
	return err ? err : id && !head[0] ? -ENOSPC : 0;
}

static int64_t event_control(struct remote *r, const struct seccomp_data *call, struct obj *o)
{
	uint64_t id = o->id;

	switch ((uint32_t)call->args[1]) {
	case PERF_EVENT_IOC_ENABLE:
	case PERF_EVENT_IOC_DISABLE:
		return 0;
	case PERF_EVENT_IOC_SET_BPF:
		return event_set_prog(r->s->k, &r->client, (int)call->args[0], (int)call->args[2]);
	case (uint32_t)PERF_EVENT_IOC_ID:
		return client_write(&r->client, call->args[2], &id, sizeof(id));
	case (uint32_t)PERF_EVENT_IOC_QUERY_BPF:
		return answer_query(r, o, call->args[2]);
	default:
		return -ENOTTY;
	}
}

int64_t serve_perf_ioctl(struct remote *r, const struct seccomp_data *call)
{
	int64_t result = SERVE_PASS;
	struct obj *o;

	if (fd_resolve_any(r->s->k, &r->client, (int)call->args[0], &o, NULL) != 0)
		return SERVE_PASS;
	if (o->kind == OBJ_PERF)
		result = ring_control(r, perf_of(o), (uint32_t)call->args[1]);
	else if (o->kind == OBJ_EVENT)
		result = event_control(r, call, o);
	obj_put(o);
	return result;
}
