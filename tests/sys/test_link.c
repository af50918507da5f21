/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links and attach points, on Skep and on the kernel: order, replacement, revisions, queries,
 * information, ids, what is left after the last descriptor. The host's lo has XDP and tc programs for a
 * moment, which let everything pass; a cgroup of its own serves for the rest.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>

#include "network.h"
#include "place.h"

enum {
	PROG_ATTACH = 8, PROG_DETACH, PROG_QUERY = 16, RAW_TP_OPEN, TASK_FD_QUERY = 20,
	LINK_CREATE = 28, LINK_UPDATE, LINK_FD_BY_ID, LINK_NEXT_ID, ITER_CREATE = 33, LINK_DETACH,
	LO = 1,
	OVERRIDE = 1, MULTI = 2, REPLACE = 4, BEFORE = 8, AFTER = 16, BY_ID = 32, BY_LINK = 1 << 13,
};

static const struct place *p;

static int load_prog(uint32_t type, uint32_t attach_type, int32_t ret)
{
	uint64_t insns[] = {0xb7 | (uint64_t)(uint32_t)ret << 32, 0x95};
	union attr a = {.prog_load = {.prog_type = type, .insn_cnt = 2, .insns = ptr(insns),
	                              .license = ptr("GPL"), .expected_attach_type = attach_type}};

	return bpf_at(p, PROG_LOAD, &a, sizeof(a));
}

static uint32_t prog_id(int fd)
{
	struct prog_info info = {0};
	union attr a = {.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(info),
	                         .info = ptr(&info)}};

	bpf_at(p, OBJ_INFO, &a, sizeof(a));
	return info.id;
}

static struct link_info link_info(int fd)
{
	struct link_info info = {0};
	union attr a = {.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(info),
	                         .info = ptr(&info)}};

	expect(p, "info of a link", 0, OBJ_INFO, a);
	bpf_at(p, OBJ_INFO, &a, sizeof(a));
	return info;
}

static int make_link(int prog, uint32_t target, uint32_t type, uint32_t flags, uint32_t relative)
{
	union attr a = {.link_create = {.prog_fd = (uint32_t)prog, .target = target,
	                                .attach_type = type, .flags = flags}};

	a.link_create.ordered.relative = relative;
	return bpf_at(p, LINK_CREATE, &a, sizeof(a));
}

static void same(const char *what, long got, long want)
{
	report(p, got == want, what, got, want);
}

static int change(int cmd, uint32_t target, int prog, uint32_t type, uint32_t flags,
                  uint32_t relative)
{
	union attr a = {.attach = {.target = target, .attach_bpf_fd = (uint32_t)prog,
	                           .attach_type = type, .attach_flags = flags,
	                           .relative = relative}};

	return bpf_at(p, cmd, &a, sizeof(a));
}

struct found {
	int ret;
	uint32_t n, flags;
	uint64_t revision;
	uint32_t ids[8], links[8];
};

static struct found query(uint32_t target, uint32_t type, uint32_t room)
{
	struct found f = {0};
	union attr a = {.query = {.target = target, .attach_type = type, .count = room,
	                          .prog_ids = ptr(f.ids)}};

	if (type == BPF_TCX_INGRESS)
		a.query.link_ids = ptr(f.links);
	f.ret = bpf_at(p, PROG_QUERY, &a, sizeof(a));
	f.n = a.query.count;
	f.flags = a.query.attach_flags;
	f.revision = a.query.revision;
	return f;
}

/* --- tc ----------------------------------------------------------------------------------- */

static void order(const char *what, const int *progs, unsigned n)
{
	struct found f = query(LO, BPF_TCX_INGRESS, 8);
	bool fine = f.ret == 0 && f.n == n;

	for (unsigned i = 0; fine && i < n; i++)
		fine = f.ids[i] == prog_id(progs[i]);
	report(p, fine, what, f.n, n);
}

static void ordered(void)
{
	int a = load_prog(BPF_PROG_TYPE_SCHED_CLS, 0, 0), b = load_prog(BPF_PROG_TYPE_SCHED_CLS, 0, 0);
	int c = load_prog(BPF_PROG_TYPE_SCHED_CLS, 0, 0), d = load_prog(BPF_PROG_TYPE_SCHED_CLS, 0, 0);
	int xdp = load_prog(BPF_PROG_TYPE_XDP, 0, 2), link;
	uint32_t type = BPF_TCX_INGRESS;
	struct link_info info;
	struct found f;

	order("tcx: nothing", NULL, 0);
	same("tcx: attach", change(PROG_ATTACH, LO, a, type, 0, 0), 0);
	same("tcx: twice", change(PROG_ATTACH, LO, a, type, 0, 0), -EEXIST);
	same("tcx: another", change(PROG_ATTACH, LO, b, type, 0, 0), 0);
	order("tcx: in order", (int[]){a, b}, 2);
	same("tcx: before all", change(PROG_ATTACH, LO, c, type, BEFORE, 0), 0);
	order("tcx: before all, seen", (int[]){c, a, b}, 3);
	same("tcx: before b", change(PROG_ATTACH, LO, d, type, BEFORE, (uint32_t)b), 0);
	order("tcx: before b, seen", (int[]){c, a, d, b}, 4);
	same("tcx: detach", change(PROG_DETACH, LO, d, type, 0, 0), 0);
	same("tcx: detach again", change(PROG_DETACH, LO, d, type, 0, 0), -ENOENT);
	same("tcx: after a, by id",
	     change(PROG_ATTACH, LO, d, type, AFTER | BY_ID, prog_id(a)), 0);
	order("tcx: after a, seen", (int[]){c, a, d, b}, 4);
	same("tcx: detach behind a", change(PROG_DETACH, LO, 0, type, AFTER, (uint32_t)a), 0);
	order("tcx: detach behind a, seen", (int[]){c, a, b}, 3);
	same("tcx: detach the first", change(PROG_DETACH, LO, 0, type, BEFORE, 0), 0);
	order("tcx: detach the first, seen", (int[]){a, b}, 2);
	same("tcx: beside one that is not there",
	     change(PROG_ATTACH, LO, c, type, AFTER, (uint32_t)d), -ENOENT);
	same("tcx: beside another type", change(PROG_ATTACH, LO, c, type, AFTER, (uint32_t)xdp),
	     -EINVAL);
	same("tcx: before and after",
	     change(PROG_ATTACH, LO, c, type, AFTER | BEFORE, (uint32_t)a), -ERANGE);
	same("tcx: beside without a side", change(PROG_ATTACH, LO, c, type, 0, (uint32_t)a),
	     -EINVAL);
	same("tcx: another type", change(PROG_ATTACH, LO, xdp, type, 0, 0), -EINVAL);
	{
		union attr r = {.attach = {.target = LO, .attach_bpf_fd = (uint32_t)c,
		                           .attach_type = type, .attach_flags = REPLACE,
		                           .replace_bpf_fd = (uint32_t)b}};

		expect(p, "tcx: instead of b", 0, PROG_ATTACH, r);
		order("tcx: instead of b, seen", (int[]){a, c}, 2);
		r.attach.attach_bpf_fd = (uint32_t)d;
		expect(p, "tcx: instead of what is not there", -ENOENT, PROG_ATTACH, r);
		f = query(LO, type, 8);
		r = (union attr){.attach = {.target = LO, .attach_bpf_fd = (uint32_t)d,
		                            .attach_type = type, .expected_revision = f.revision + 1}};
		expect(p, "tcx: another revision", -ESTALE, PROG_ATTACH, r);
		r.attach.expected_revision = f.revision;
		expect(p, "tcx: this revision", 0, PROG_ATTACH, r);
		expect(p, "tcx: revision of before", -ESTALE, PROG_DETACH, r);
		same("tcx: without it", change(PROG_DETACH, LO, d, type, 0, 0), 0);
	}
	f = query(LO, type, 1);
	same("tcx: little room", f.ret, -ENOSPC);
	same("tcx: how many", f.n, 2);
	same("tcx: the first all the same", f.ids[0], prog_id(a));
	link = make_link(d, LO, type, BEFORE, (uint32_t)c);
	same("tcx: a link", link > 0, 1);
	order("tcx: a link, seen", (int[]){a, d, c}, 3);
	info = link_info(link);
	same("tcx: type", info.type, BPF_LINK_TYPE_TCX);
	same("tcx: program", info.prog_id, prog_id(d));
	same("tcx: device", info.device.ifindex, LO);
	same("tcx: attach type", info.device.attach_type, type);
	f = query(LO, type, 8);
	same("tcx: its id in the list", f.links[1], info.id);
	same("tcx: a link's program is not detached", change(PROG_DETACH, LO, d, type, 0, 0), -EBUSY);
	expect(p, "tcx: update", 0, LINK_UPDATE,
	       (union attr){.link_update = {(uint32_t)link, (uint32_t)b, 0, 0}});
	order("tcx: update, seen", (int[]){a, b, c}, 3);
	expect(p, "tcx: update of another", -EPERM, LINK_UPDATE,
	       (union attr){.link_update = {(uint32_t)link, (uint32_t)d, REPLACE, (uint32_t)a}});
	expect(p, "tcx: update to another type", -EINVAL, LINK_UPDATE,
	       (union attr){.link_update = {(uint32_t)link, (uint32_t)xdp, 0, 0}});
	close(link);
	order("tcx: the link is closed", (int[]){a, c}, 2);
	same("tcx: the end", change(PROG_DETACH, LO, a, type, 0, 0), 0);
	same("tcx: the last", change(PROG_DETACH, LO, c, type, 0, 0), 0);
	same("tcx: no more", change(PROG_DETACH, LO, c, type, 0, 0), -ENOENT);
	close(a);
	close(b);
	close(c);
	close(d);
	close(xdp);
}

/* --- XDP ---------------------------------------------------------------------------------- */

static void xdp_links(void)
{
	int a = load_prog(BPF_PROG_TYPE_XDP, 0, 2), b = load_prog(BPF_PROG_TYPE_XDP, 0, 2);
	int c = load_prog(BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, 2), tc, link, again;
	struct link_info info;
	union attr at = {0};

	tc = load_prog(BPF_PROG_TYPE_SCHED_CLS, 0, 0);
	same("xdp: for a cpumap", make_link(c, LO, BPF_XDP, 0, 0), -EINVAL);
	same("xdp: not XDP", make_link(tc, LO, BPF_XDP, 0, 0), -EINVAL);
	link = make_link(a, LO, BPF_XDP, 0, 0);
	same("xdp: a link", link > 0, 1);
	same("xdp: another", make_link(b, LO, BPF_XDP, 0, 0), -EBUSY);
	info = link_info(link);
	same("xdp: type", info.type, BPF_LINK_TYPE_XDP);
	same("xdp: device", info.device.ifindex, LO);
	same("xdp: program", info.prog_id, prog_id(a));
	at.id.id = info.id;
	again = bpf_at(p, LINK_FD_BY_ID, &at, sizeof(at));
	same("xdp: descriptor by id", again > 0, 1);
	same("xdp: the same link", link_info(again).id, info.id);
	at.id.id = info.id - 1;
	expect(p, "next id", 0, LINK_NEXT_ID, at);
	bpf_at(p, LINK_NEXT_ID, &at, sizeof(at));
	same("xdp: next id, seen", at.id.next_id, info.id);
	expect(p, "xdp: no iterator", -EINVAL, ITER_CREATE,
	       (union attr){.link_fd = {.link_fd = (uint32_t)link}});
	expect(p, "xdp: no map to update", -EINVAL, LINK_UPDATE,
	       (union attr){.link_update = {(uint32_t)link, (uint32_t)tc, 0, 0}});
	expect(p, "xdp: update", 0, LINK_UPDATE,
	       (union attr){.link_update = {(uint32_t)link, (uint32_t)b, REPLACE, (uint32_t)a}});
	same("xdp: update, seen", link_info(link).prog_id, prog_id(b));
	expect(p, "xdp: old without the flag", -EINVAL, LINK_UPDATE,
	       (union attr){.link_update = {(uint32_t)link, (uint32_t)b, 0, (uint32_t)a}});
	expect(p, "xdp: detach", 0, LINK_DETACH,
	       (union attr){.link_fd = {.link_fd = (uint32_t)link}});
	same("xdp: detached", link_info(link).device.ifindex, 0);
	expect(p, "xdp: detach twice", 0, LINK_DETACH,
	       (union attr){.link_fd = {.link_fd = (uint32_t)link}});
	expect(p, "xdp: update when detached", -ENOLINK, LINK_UPDATE,
	       (union attr){.link_update = {(uint32_t)link, (uint32_t)a, 0, 0}});
	close(link);
	close(again);
	again = make_link(b, LO, BPF_XDP, 2, 0); /* XDP_FLAGS_SKB_MODE */
	same("xdp: again", again > 0, 1);
	close(again);
	same("xdp: closed", (again = make_link(a, LO, BPF_XDP, 0, 0)) > 0, 1);
	close(again);
	close(a);
	close(b);
	close(c);
	close(tc);
}

/* --- Cgroups ------------------------------------------------------------------------------ */

static void cgroups(void)
{
	char dir[64];
	uint32_t type = BPF_CGROUP_INET_EGRESS, fd;
	struct link_info info;
	struct stat st;
	struct found f;
	int a, b, c, link;

	snprintf(dir, sizeof(dir), "/sys/fs/cgroup/skep-test-%d", (int)getpid());
	if (mkdir(dir, 0700) != 0) {
		printf("ok %u - %s: cgroups # SKIP none can be made\n", ++tests_run, p->name);
		return;
	}
	fd = (uint32_t)open(dir, O_RDONLY | O_DIRECTORY);
	fstat((int)fd, &st);
	a = load_prog(BPF_PROG_TYPE_CGROUP_SKB, type, 1);
	b = load_prog(BPF_PROG_TYPE_CGROUP_SKB, type, 1);
	c = load_prog(BPF_PROG_TYPE_CGROUP_SKB, type, 1);
	same("cgroup: not one", change(PROG_ATTACH, 0, a, type, 0, 0), -EBADF);
	same("cgroup: attach", change(PROG_ATTACH, fd, a, type, 0, 0), 0);
	same("cgroup: in its place", change(PROG_ATTACH, fd, b, type, 0, 0), 0);
	same("cgroup: another mode", change(PROG_ATTACH, fd, c, type, MULTI, 0), -EPERM);
	same("cgroup: two modes", change(PROG_ATTACH, fd, c, type, MULTI | OVERRIDE, 0), -EINVAL);
	f = query(fd, type, 8);
	same("cgroup: one", f.n, 1);
	same("cgroup: it is b", f.ids[0], prog_id(b));
	same("cgroup: detach by no name", change(PROG_DETACH, fd, 0, type, 0, 0), 0);
	same("cgroup: detach nothing", change(PROG_DETACH, fd, 0, type, 0, 0), -ENOENT);
	same("cgroup: many", change(PROG_ATTACH, fd, a, type, MULTI, 0), 0);
	same("cgroup: many, the same", change(PROG_ATTACH, fd, a, type, MULTI, 0), -EINVAL);
	same("cgroup: many, another", change(PROG_ATTACH, fd, b, type, MULTI, 0), 0);
	same("cgroup: detach without a name", change(PROG_DETACH, fd, 0, type, 0, 0), -EINVAL);
	same("cgroup: detach what is not there", change(PROG_DETACH, fd, c, type, 0, 0), -ENOENT);
	link = make_link(c, fd, type, 0, 0);
	same("cgroup: a link", link > 0, 1);
	f = query(fd, type, 8);
	same("cgroup: three", f.n, 3);
	same("cgroup: their mode", f.flags, MULTI);
	same("cgroup: in order", f.ids[0] == prog_id(a) && f.ids[2] == prog_id(c), 1);
	info = link_info(link);
	same("cgroup: type", info.type, BPF_LINK_TYPE_CGROUP);
	same("cgroup: its number", info.cgroup.id == st.st_ino, 1);
	same("cgroup: attach type", info.cgroup.attach_type, type);
	same("cgroup: detach a link's", change(PROG_DETACH, fd, c, type, 0, 0), -ENOENT);
	close(link);
	f = query(fd, type, 8);
	same("cgroup: two", f.n, 2);
	change(PROG_DETACH, fd, a, type, 0, 0);
	change(PROG_DETACH, fd, b, type, 0, 0);
	close(a);
	close(b);
	close(c);
	close((int)fd);
	rmdir(dir);
}

/* --- Tracepoints -------------------------------------------------------------------------- */

static void tracepoints(void)
{
	int a = load_prog(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0), link;
	union attr at = {.raw_tracepoint = {.name = ptr("sched_process_exit"),
	                                    .prog_fd = (uint32_t)a, .cookie = 77}};
	char name[32] = "xxxxxxxxxxxxxxxxxxxxxxx";
	struct link_info info = {0};

	link = bpf_at(p, RAW_TP_OPEN, &at, sizeof(at));
	same("tracepoint: a link", link > 0, 1);
	info = link_info(link);
	same("tracepoint: type", info.type, BPF_LINK_TYPE_RAW_TRACEPOINT);
	same("tracepoint: length of its name", info.raw_tracepoint.name_len, 19);
	same("tracepoint: cookie", (long)info.raw_tracepoint.cookie, 77);
	info = (struct link_info){.raw_tracepoint = {.name = ptr(name), .name_len = sizeof(name)}};
	at = (union attr){.info = {.bpf_fd = (uint32_t)link, .info_len = sizeof(info),
	                           .info = ptr(&info)}};
	expect(p, "tracepoint: info with a name", 0, OBJ_INFO, at);
	same("tracepoint: its name", strcmp(name, "sched_process_exit"), 0);
	info = (struct link_info){.raw_tracepoint = {.name = ptr(name), .name_len = 6}};
	expect(p, "tracepoint: a name cut", -ENOSPC, OBJ_INFO, at);
	same("tracepoint: what fits", strcmp(name, "sched"), 0);
	info = (struct link_info){.raw_tracepoint = {.name = ptr(name)}};
	expect(p, "tracepoint: a name without a length", -EINVAL, OBJ_INFO, at);
	memset(name, 'x', sizeof(name));
	at = (union attr){.task_fd_query = {.pid = (uint32_t)getpid(), .fd = (uint32_t)link,
	                                    .buf = ptr(name), .buf_len = sizeof(name)}};
	expect(p, "tracepoint: task query", 0, TASK_FD_QUERY, at);
	bpf_at(p, TASK_FD_QUERY, &at, sizeof(at));
	same("tracepoint: task query, name", strcmp(name, "sched_process_exit"), 0);
	same("tracepoint: task query, length", at.task_fd_query.buf_len, 18);
	same("tracepoint: task query, program", at.task_fd_query.prog_id, prog_id(a));
	same("tracepoint: task query, kind", at.task_fd_query.fd_type, 0);
	at.task_fd_query.buf_len = 4;
	expect(p, "tracepoint: task query, cut", -ENOSPC, TASK_FD_QUERY, at);
	at.task_fd_query.fd = (uint32_t)a;
	expect(p, "task query: not a link", -ENOTSUPP, TASK_FD_QUERY, at);
	at.task_fd_query.fd = 9999;
	expect(p, "task query: no descriptor", -EBADF, TASK_FD_QUERY, at);
	expect(p, "tracepoint: update", -EINVAL, LINK_UPDATE,
	       (union attr){.link_update = {(uint32_t)link, (uint32_t)a, 0, 0}});
	expect(p, "tracepoint: detach", -EOPNOTSUPP, LINK_DETACH,
	       (union attr){.link_fd = {.link_fd = (uint32_t)link}});
	at = (union attr){.raw_tracepoint = {.name = ptr("no_such_thing"), .prog_fd = (uint32_t)a}};
	expect(p, "tracepoint: none of that name", -ENOENT, RAW_TP_OPEN, at);
	at.raw_tracepoint.name = 0;
	expect(p, "tracepoint: no name", -EFAULT, RAW_TP_OPEN, at);
	close(link);
	close(a);
}

static void all(const struct place *place)
{
	p = place;
	ordered();
	xdp_links();
	cgroups();
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		tracepoints();
}

int main(void)
{
	own_network();
	return run_places(NULL, all);
}
