/* SPDX-License-Identifier: BSD-2-Clause */
/* The front of bpf(2): sizes, tails, unknown commands, addresses that are none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "skep.h"
#include "sys/attr.h"

enum { MAP_CREATE = 0, LOOKUP_ELEM = 1, MAP_GET_NEXT_ID = 12, OBJ_GET_INFO_BY_FD = 15 };

static int setup(void **state)
{
	return skep_new(NULL, (struct skep **)state);
}

static int teardown(void **state)
{
	skep_free(*state);
	return 0;
}

static void commands_that_do_not_exist(void **state)
{
	union attr a = {0};

	assert_int_equal(skep_bpf(*state, -1, &a, sizeof(a)), -EINVAL);
	assert_int_equal(skep_bpf(*state, 39, &a, sizeof(a)), -EINVAL);
	assert_int_equal(skep_bpf(*state, INT32_MAX, &a, sizeof(a)), -EINVAL);
}

static void sizes(void **state)
{
	static uint8_t page[8192];
	union attr a = {0};

	memset(page, 0, sizeof(page));
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, page, 4097), -E2BIG);
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, page, 4096), -ENOENT);
	page[4095] = 1;
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, page, 4096), -E2BIG);
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, &a, 0), -ENOENT);
	/* E2BIG comes before the command is looked at. */
	assert_int_equal(skep_bpf(*state, 999, page, 4096), -E2BIG);
}

static void tail_of_a_command(void **state)
{
	union attr a = {0};

	a.bytes[ATTR_SIZE - 1] = 1;
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, &a, sizeof(a)), -EINVAL);
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, &a, sizeof(a) - 1), -ENOENT);
}

static void bad_addresses(void **state)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pages, MAP_FAILED);
	munmap(pages + 4096, 4096);
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, NULL, 8), -EFAULT);
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, (void *)8, 8), -EFAULT);
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, (void *)UINTPTR_MAX, 8), -EFAULT);
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, pages + 4096 - 8, 8), -ENOENT);
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, pages + 4096 - 8, 16), -EFAULT);
	assert_int_equal(skep_bpf(*state, MAP_GET_NEXT_ID, pages + 4096 - 3, 16), -EFAULT);
	munmap(pages, 4096);
}

static void descriptors_that_are_none(void **state)
{
	union attr a = {.elem = {.map_fd = (uint32_t)-1}};
	int pipe_ends[2]; /* a file of the kind that stands for objects, but not one of ours */

	assert_int_equal(skep_bpf(*state, LOOKUP_ELEM, &a, sizeof(a)), -EBADF);
	assert_int_equal(pipe(pipe_ends), 0);
	a.elem.map_fd = (uint32_t)pipe_ends[0];
	assert_int_equal(skep_bpf(*state, LOOKUP_ELEM, &a, sizeof(a)), -EINVAL);
	a = (union attr){.info = {.bpf_fd = (uint32_t)pipe_ends[0]}};
	assert_int_equal(skep_bpf(*state, OBJ_GET_INFO_BY_FD, &a, sizeof(a)), -EINVAL);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static void map_types_that_do_not_exist(void **state)
{
	union attr a = {
		.map_create = {.map_type = 999, .key_size = 4, .value_size = 4, .max_entries = 1}};

	assert_int_equal(skep_bpf(*state, MAP_CREATE, &a, sizeof(a)), -EINVAL);
	a.map_create.map_type = 0;
	assert_int_equal(skep_bpf(*state, MAP_CREATE, &a, sizeof(a)), -EINVAL);
}

static void options_of_other_versions(void **state)
{
	struct {
		struct skep_options o;
		long later;
	} newer = {.o.size = sizeof(newer)};
	struct skep *k;

	(void)state;
	assert_int_equal(skep_new(&newer.o, &k), 0);
	skep_free(k);
	newer.later = 1;
	assert_int_equal(skep_new(&newer.o, &k), -E2BIG);
	newer.o = (struct skep_options){.size = sizeof(size_t)};
	assert_int_equal(skep_new(&newer.o, &k), 0);
	skep_free(k);
	newer.o.size = 0;
	assert_int_equal(skep_new(&newer.o, &k), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_that_do_not_exist),
		cmocka_unit_test(sizes),
		cmocka_unit_test(tail_of_a_command),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(descriptors_that_are_none),
		cmocka_unit_test(map_types_that_do_not_exist),
		cmocka_unit_test(options_of_other_versions),
	};

	return cmocka_run_group_tests_name("attr", tests, setup, teardown);
}
