/* SPDX-License-Identifier: BSD-2-Clause */
/* How long objects live: descriptors, copies of them, other processes, pins, references. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/caps.h"
#include "core/core.h"
#include "skep.h"
#include "sys/attr.h"
#include "sys/bpf.h"
#include "sys/fd.h"

enum { CREATE = 0, LOOKUP, UPDATE, PIN = 6, GET = 7, NEXT_ID = 12, BY_ID = 14, BTF_LOAD = 18 };

static char dir[] = "/tmp/skep-fd-XXXXXX";

static int setup(void **state)
{
	struct skep_options o = {.size = sizeof(o), .bpffs = dir};

	return skep_new(&o, (struct skep **)state);
}

static int teardown(void **state)
{
	skep_free(*state);
	return 0;
}

static int bpf(struct skep *k, int cmd, union attr a)
{
	return skep_bpf(k, cmd, &a, sizeof(a));
}

static int create(struct skep *k, uint32_t flags)
{
	int fd = bpf(k, CREATE, (union attr){.map_create = {.map_type = BPF_MAP_TYPE_ARRAY,
	                                                    .key_size = 4, .value_size = 8,
	                                                    .max_entries = 1, .map_flags = flags}});

	assert_true(fd >= 0);
	return fd;
}

/* The smallest id of a map, or -ENOENT: there is none any more. */
static int first_id(struct skep *k)
{
	union attr a = {0};
	int err = skep_bpf(k, NEXT_ID, &a, sizeof(a));

	return err ? err : (int)a.id.next_id;
}

static bool any_map(struct skep *k)
{
	int id = first_id(k);

	assert_true(id > 0 || id == -ENOENT);
	return id > 0;
}


static void close_ends_a_map(void **state)
{
	struct skep *k = *state;

	for (int i = 0; i < 2; i++) {
		int fd = create(k, i ? BPF_F_MMAPABLE : 0);

		assert_true(any_map(k));
		close(fd);
		assert_false(any_map(k));
	}
}

static void a_copy_keeps_it(void **state)
{
	struct skep *k = *state;

	for (int i = 0; i < 2; i++) {
		int fd = create(k, i ? BPF_F_MMAPABLE : 0), copy = dup(fd);

		close(fd);
		assert_true(any_map(k));
		close(copy);
		assert_false(any_map(k));
	}
}

static void another_process_keeps_it(void **state)
{
	struct skep *k = *state;

	for (int i = 0; i < 2; i++) {
		int fd = create(k, i ? BPF_F_MMAPABLE : 0);
		pid_t child = fork();

		if (!child) {
			pause();
			_exit(0);
		}
		close(fd);
		assert_true(any_map(k));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_false(any_map(k));
	}
}

static void a_message_keeps_it(void **state)
{
	struct skep *k = *state;
	char space[CMSG_SPACE(sizeof(int))] = {0}, byte = 'x';
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space,
	                     .msg_controllen = sizeof(space)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fd = create(k, 0), ends[2], got;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	assert_int_equal(sendmsg(ends[0], &msg, 0), 1);
	close(fd);
	assert_true(any_map(k));
	assert_int_equal(recvmsg(ends[1], &msg, 0), 1);
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(got));
	assert_int_equal(bpf(k, LOOKUP, (union attr){.elem = {.map_fd = (uint32_t)got, .key = 8}}),
	                 -EFAULT); /* it is a map */
	close(got);
	assert_false(any_map(k));
	close(ends[0]);
	close(ends[1]);
}

static void an_id_leads_to_a_descriptor(void **state)
{
	struct skep *k = *state;

	for (int i = 0; i < 2; i++) {
		int fd = create(k, i ? BPF_F_MMAPABLE : 0), id = first_id(k), second, third;

		second = bpf(k, BY_ID, (union attr){.id = {.id = (uint32_t)id}});
		assert_true(second >= 0);
		close(fd);
		third = bpf(k, BY_ID, (union attr){.id = {.id = (uint32_t)id}});
		assert_true(third >= 0);
		close(second);
		assert_int_equal(first_id(k), id);
		close(third);
		assert_int_equal(bpf(k, BY_ID, (union attr){.id = {.id = (uint32_t)id}}), -ENOENT);
	}
}

static void access_modes(void **state)
{
	struct skep *k = *state;
	static const uint32_t mode[] = {0, BPF_F_RDONLY, BPF_F_WRONLY};
	uint32_t key = 0;
	uint64_t value = 1;

	for (int i = 0; i < 6; i++) {
		uint32_t flags = mode[i % 3];
		int fd = create(k, i < 3 ? 0 : BPF_F_MMAPABLE), second;
		union attr a = {.elem = {.key = (uintptr_t)&key, .value = (uintptr_t)&value}};

		second = bpf(k, BY_ID, (union attr){.id = {.id = (uint32_t)first_id(k),
		                                           .open_flags = flags}});
		assert_true(second >= 0);
		a.elem.map_fd = (uint32_t)second;
		assert_int_equal(bpf(k, LOOKUP, a), flags == BPF_F_WRONLY ? -EPERM : 0);
		assert_int_equal(bpf(k, UPDATE, a), flags == BPF_F_RDONLY ? -EPERM : 0);
		close(fd);
		/* Also the kind that is hard to tell: open for writing only. */
		assert_true(any_map(k));
		close(second);
		assert_false(any_map(k));
	}
	assert_int_equal(bpf(k, CREATE, (union attr){.map_create = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
		.map_flags = BPF_F_RDONLY | BPF_F_WRONLY}}), -EINVAL);
}

static void a_reused_number_is_no_map(void **state)
{
	struct skep *k = *state;
	int fd = create(k, 0), other = open("/dev/null", O_RDONLY);
	uint32_t key = 0;
	uint64_t value;
	union attr a = {.elem = {.map_fd = (uint32_t)fd, .key = (uintptr_t)&key,
	                         .value = (uintptr_t)&value}};

	assert_int_equal(bpf(k, LOOKUP, a), 0);
	assert_int_equal(dup2(other, fd), fd);
	assert_int_equal(bpf(k, LOOKUP, a), -EINVAL);
	close(fd);
	close(other);
	assert_int_equal(bpf(k, LOOKUP, a), -EBADF);
	assert_false(any_map(k));
}

static void shared_memory(void **state)
{
	struct skep *k = *state;
	int fd = create(k, BPF_F_MMAPABLE);
	uint32_t key = 0;
	uint64_t value = 0x1234, *page;
	union attr a = {.elem = {.map_fd = (uint32_t)fd, .key = (uintptr_t)&key,
	                         .value = (uintptr_t)&value}};

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(bpf(k, UPDATE, a), 0);
	assert_int_equal(*page, 0x1234);
	*page = 77;
	assert_int_equal(bpf(k, LOOKUP, a), 0);
	assert_int_equal(value, 77);
	/* A client cannot pull the pages from under us. */
	assert_int_not_equal(ftruncate(fd, 0), 0);
	munmap(page, 4096);
	close(fd);
	assert_false(any_map(k));
}

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void garbage_stays_bounded(void **state)
{
	struct skep *k = *state;
	int before = open_files();

	for (int i = 0; i < 2000; i++)
		close(create(k, i % 2 ? BPF_F_MMAPABLE : 0));
	assert_true(open_files() < before + 16);
	assert_false(any_map(k));
	assert_true(open_files() <= before + 4); /* a few pipes are kept for those to come */
}

static ino_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* Both have what their common past left to reuse; nothing of it may stand for an object of each. */
static void a_forked_child_is_on_its_own(void **state)
{
	struct skep *k = *state;
	int ends[2], fd;
	ino_t theirs;
	pid_t child;

	for (int i = 0; i < 8; i++)
		close(create(k, 0));
	assert_false(any_map(k));
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		fd = create(k, 0);
		theirs = inode(fd);
		_exit(write(ends[1], &theirs, sizeof(theirs)) != sizeof(theirs) || pause());
	}
	assert_int_equal(read(ends[0], &theirs, sizeof(theirs)), sizeof(theirs));
	fd = create(k, 0);
	assert_int_not_equal(inode(fd), theirs);
	close(fd);
	assert_false(any_map(k));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

static void descriptors_run_out(void **state)
{
	struct skep *k = *state;
	struct rlimit old, few;
	int fds[64], n = 0, fd;
	union attr a = {.map_create = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
	                               .value_size = 8, .max_entries = 1}};

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)open_files() + 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((fd = bpf(k, CREATE, a)) >= 0 && n < 64)
		fds[n++] = fd;
	assert_int_equal(fd, -EMFILE);
	while (n)
		close(fds[--n]);
	for (int i = 0; i < 4; i++) { /* its own half of the descriptors comes back at need */
		fds[i] = bpf(k, CREATE, a);
		assert_true(fds[i] >= 0);
	}
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_false(any_map(k));
}

/* --- Pins --------------------------------------------------------------------------------- */

static int pin(struct skep *k, int fd, const char *path)
{
	return bpf(k, PIN, (union attr){.obj = {.bpf_fd = (uint32_t)fd,
	                                        .pathname = (uintptr_t)path}});
}

static int get(struct skep *k, const char *path, uint32_t flags)
{
	return bpf(k, GET, (union attr){.obj = {.pathname = (uintptr_t)path, .file_flags = flags}});
}

static void a_pin_keeps_it(void **state)
{
	struct skep *k = *state;
	char path[64], moved[64];
	struct stat st;
	int fd = create(k, 0);

	snprintf(path, sizeof(path), "%s/map", dir);
	snprintf(moved, sizeof(moved), "%s/moved", dir);
	assert_int_equal(pin(k, fd, path), 0);
	assert_int_equal(pin(k, fd, path), -EEXIST);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	close(fd);
	assert_true(any_map(k));
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(get(k, path, 0), -ENOENT);
	fd = get(k, moved, 0);
	assert_true(fd >= 0);
	assert_int_equal(unlink(moved), 0);
	assert_true(any_map(k));
	close(fd);
	assert_false(any_map(k));
}

static void where_pins_may_be(void **state)
{
	struct skep *k = *state;
	char path[64], outside[] = "/tmp/skep-fd-outside-XXXXXX";
	int fd = create(k, 0), file = mkstemp(outside);

	snprintf(path, sizeof(path), "%s/no/map", dir);
	assert_int_equal(pin(k, fd, path), -ENOENT);
	snprintf(path, sizeof(path), "%s/with.dot", dir);
	assert_int_equal(pin(k, fd, path), -EPERM);
	snprintf(path, sizeof(path), "%s-outside", dir);
	assert_int_equal(pin(k, fd, path), -EPERM);
	assert_int_equal(pin(k, fd, outside), -EEXIST);
	assert_int_equal(get(k, outside, 0), -EACCES);
	assert_int_equal(pin(k, fd, ""), -ENOENT);
	assert_int_equal(pin(k, fd, dir), -EEXIST);
	assert_int_equal(pin(k, 9999, path), -EINVAL);
	assert_int_equal(pin(k, file, path), -EINVAL);
	assert_int_equal(bpf(k, PIN, (union attr){.obj = {.bpf_fd = (uint32_t)fd, .pathname = 8}}),
	                 -EFAULT);
	/* Relative to a directory of the caller's. */
	int at = open(dir, O_PATH);
	union attr a = {.obj = {.bpf_fd = (uint32_t)fd, .pathname = (uintptr_t)"here",
	                        .path_fd = at}};

	assert_int_equal(bpf(k, PIN, a), -EINVAL);
	a.obj.file_flags = BPF_F_PATH_FD;
	assert_int_equal(bpf(k, PIN, a), 0);
	assert_int_equal(unlinkat(at, "here", 0), 0);
	close(at);
	close(file);
	unlink(outside);
	close(fd);
	assert_false(any_map(k));
}

static void pins_go_with_the_kernel(void **state)
{
	struct skep_options o = {.size = sizeof(o), .bpffs = dir};
	char path[64], stranger[64];
	struct skep *k;
	int fd;

	(void)state;
	assert_int_equal(skep_new(&o, &k), 0);
	fd = create(k, 0);
	snprintf(path, sizeof(path), "%s/a", dir);
	snprintf(stranger, sizeof(stranger), "%s/b", dir);
	assert_int_equal(pin(k, fd, path), 0);
	close(open(stranger, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(get(k, stranger, 0), -EACCES);
	skep_free(k);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(stranger), 0);
	close(fd);
}

static void no_bpffs_no_pins(void **state)
{
	struct skep_options o = {.size = sizeof(o), .bpffs = "/nowhere/at/all"};
	char path[64];
	struct skep *k;
	int fd;

	(void)state;
	assert_int_equal(skep_new(&o, &k), -ENOENT);
	o.bpffs = "/dev/null";
	assert_int_equal(skep_new(&o, &k), -ENOTDIR);
	o.bpffs = NULL;
	assert_int_equal(skep_new(&o, &k), 0);
	assert_null(skep_bpffs(k));
	fd = create(k, 0);
	snprintf(path, sizeof(path), "%s/a", dir);
	assert_int_equal(pin(k, fd, path), -EPERM);
	close(fd);
	skep_free(k);
}

static void a_handle_is_a_reference(void **state)
{
	struct skep *k = *state;
	struct skep_map *m;
	uint32_t key = 0;
	uint64_t value = 5;
	int fd = create(k, 0);

	assert_int_equal(skep_map_from_fd(k, fd, &m), 0);
	close(fd);
	assert_true(any_map(k));
	assert_int_equal(skep_map_update(m, &key, &value, 0), 0);
	assert_int_equal(skep_map_lookup(m, &key, &value), 0);
	assert_int_equal(value, 5);
	skep_map_put(m);
	assert_false(any_map(k));
	assert_int_equal(skep_map_from_fd(k, 9999, &m), -EBADF);
}

/* A client that looks at names gets memfds. */
static void names(void **state)
{
	struct skep *k = *state;
	struct client c = {.ops = &client_self_ops, .flags = CLIENT_NAMES, .caps = CAPS_ALL};
	union attr a = {.map_create = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
	                               .value_size = 8, .max_entries = 1}};
	char link[32], name[64] = "";
	int fd = bpf_command(k, &c, CREATE, (uintptr_t)&a, sizeof(a)), second;

	assert_true(fd >= 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	assert_true(readlink(link, name, sizeof(name) - 1) > 0);
	assert_non_null(strstr(name, "bpf-map"));
	a = (union attr){.id = {.id = (uint32_t)first_id(k)}};
	second = bpf_command(k, &c, BY_ID, (uintptr_t)&a, sizeof(a));
	close(fd);
	assert_true(any_map(k));
	close(second);
	assert_false(any_map(k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_ends_a_map),
		cmocka_unit_test(a_copy_keeps_it),
		cmocka_unit_test(another_process_keeps_it),
		cmocka_unit_test(a_message_keeps_it),
		cmocka_unit_test(an_id_leads_to_a_descriptor),
		cmocka_unit_test(access_modes),
		cmocka_unit_test(a_reused_number_is_no_map),
		cmocka_unit_test(shared_memory),
		cmocka_unit_test(garbage_stays_bounded),
		cmocka_unit_test(a_forked_child_is_on_its_own),
		cmocka_unit_test(descriptors_run_out),
		cmocka_unit_test(a_pin_keeps_it),
		cmocka_unit_test(where_pins_may_be),
		cmocka_unit_test(pins_go_with_the_kernel),
		cmocka_unit_test(no_bpffs_no_pins),
		cmocka_unit_test(a_handle_is_a_reference),
		cmocka_unit_test(names),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests_name("fd", tests, setup, teardown);
	return rmdir(dir) != 0 || failed;
}
