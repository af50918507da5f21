/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attributes of bpf(2) and the structs it answers with, as Linux 6.18 lays them out.
 *
 * union bpf_attr of <linux/bpf.h>, one struct per command here, so that a handler sees its own
 * fields only. Pointers and strings of the caller are 64-bit addresses: see client.h.
 */
#ifndef SKEP_SYS_ATTR_H
#define SKEP_SYS_ATTR_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "core/uapi.h"

struct attr_map_create {
	uint32_t map_type, key_size, value_size, max_entries, map_flags;
	uint32_t inner_map_fd;
	uint32_t numa_node;
	char map_name[BPF_OBJ_NAME_LEN];
	uint32_t map_ifindex;
	uint32_t btf_fd, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;
	uint64_t map_extra;
	int32_t value_type_btf_obj_fd, map_token_fd;
	uint64_t excl_prog_hash;
	uint32_t excl_prog_hash_size;
};

struct attr_map_elem {
	uint32_t map_fd;
	uint64_t key;
	uint64_t value; /* or the place of the next key */
	uint64_t flags;
};

struct attr_map_batch {
	uint64_t in_batch, out_batch;
	uint64_t keys, values;
	uint32_t count, map_fd;
	uint64_t elem_flags, flags;
};

struct attr_prog_load {
	uint32_t prog_type, insn_cnt;
	uint64_t insns, license;
	uint32_t log_level, log_size;
	uint64_t log_buf;
	uint32_t kern_version, prog_flags;
	char prog_name[BPF_OBJ_NAME_LEN];
	uint32_t prog_ifindex, expected_attach_type, prog_btf_fd;
	uint32_t func_info_rec_size;
	uint64_t func_info;
	uint32_t func_info_cnt, line_info_rec_size;
	uint64_t line_info;
	uint32_t line_info_cnt, attach_btf_id;
	uint32_t attach_fd; /* attach_prog_fd or attach_btf_obj_fd */
	uint32_t core_relo_cnt;
	uint64_t fd_array, core_relos;
	uint32_t core_relo_rec_size, log_true_size;
	int32_t prog_token_fd;
	uint32_t fd_array_cnt;
	uint64_t signature;
	uint32_t signature_size;
	int32_t keyring_id;
};

struct attr_obj {
	uint64_t pathname;
	uint32_t bpf_fd, file_flags;
	int32_t path_fd;
};

struct attr_test_run {
	uint32_t prog_fd, retval;
	uint32_t data_size_in, data_size_out;
	uint64_t data_in, data_out;
	uint32_t repeat, duration;
	uint32_t ctx_size_in, ctx_size_out;
	uint64_t ctx_in, ctx_out;
	uint32_t flags, cpu, batch_size;
};

struct attr_id {
	uint32_t id; /* start_id, prog_id, map_id, btf_id */
	uint32_t next_id, open_flags;
	int32_t token_fd;
};

struct attr_info {
	uint32_t bpf_fd, info_len;
	uint64_t info;
};

struct attr_btf_load {
	uint64_t btf, log_buf;
	uint32_t btf_size, log_size, log_level, log_true_size;
	uint32_t btf_flags;
	int32_t btf_token_fd;
};

struct attr_enable_stats {
	uint32_t type;
};

struct attr_attach {
	uint32_t target; /* descriptor or device */
	uint32_t attach_bpf_fd, attach_type, attach_flags, replace_bpf_fd;
	uint32_t relative; /* descriptor or id */
	uint64_t expected_revision;
};

struct attr_query {
	uint32_t target;
	uint32_t attach_type, query_flags, attach_flags;
	uint64_t prog_ids;
	uint32_t count;
	uint32_t unused;
	uint64_t prog_attach_flags, link_ids, link_attach_flags, revision;
};

struct attr_raw_tracepoint {
	uint64_t name;
	uint32_t prog_fd;
	uint32_t unused;
	uint64_t cookie;
};

struct attr_task_fd_query {
	uint32_t pid, fd, flags, buf_len;
	uint64_t buf;
	uint32_t prog_id, fd_type;
	uint64_t probe_offset, probe_addr;
};

struct attr_link_create {
	uint32_t prog_fd; /* or map_fd */
	uint32_t target;
	uint32_t attach_type, flags;
	union {
		struct {
			uint32_t relative;
			uint64_t expected_revision;
		} ordered; /* tcx, netkit, cgroup */
		uint64_t perf_cookie;
		uint8_t bytes[44];
	};
};

struct attr_link_update {
	uint32_t link_fd, new_fd, flags, old_fd;
};

/* ITER_CREATE has both. */
struct attr_link_fd {
	uint32_t link_fd, flags;
};

struct attr_token_create {
	uint32_t flags, bpffs_fd;
};

struct attr_stream_read {
	uint64_t buf;
	uint32_t buf_len, stream_id, prog_fd;
};

struct attr_bind_map {
	uint32_t prog_fd, map_fd, flags;
};

enum { ATTR_SIZE = 168 }; /* of union bpf_attr */

union attr {
	struct attr_map_create map_create;
	struct attr_map_elem elem;
	struct attr_map_batch batch;
	struct attr_prog_load prog_load;
	struct attr_obj obj;
	struct attr_test_run test_run;
	struct attr_id id;
	struct attr_info info;
	struct attr_btf_load btf_load;
	struct attr_attach attach;
	struct attr_query query;
	struct attr_raw_tracepoint raw_tracepoint;
	struct attr_task_fd_query task_fd_query;
	struct attr_link_create link_create;
	struct attr_link_update link_update;
	struct attr_link_fd link_fd;
	struct attr_token_create token_create;
	struct attr_stream_read stream_read;
	struct attr_bind_map bind_map;
	struct attr_enable_stats enable_stats;
	uint8_t bytes[ATTR_SIZE];
};
static_assert(sizeof(union attr) == ATTR_SIZE, "union bpf_attr of Linux 6.18");
static_assert(offsetof(struct attr_prog_load, keyring_id) == 164, "prog_load is the longest");

struct prog_info {
	uint32_t type, id;
	uint8_t tag[BPF_TAG_SIZE];
	uint32_t jited_prog_len, xlated_prog_len;
	uint64_t jited_prog_insns, xlated_prog_insns;
	uint64_t load_time;
	uint32_t created_by_uid, nr_map_ids;
	uint64_t map_ids;
	char name[BPF_OBJ_NAME_LEN];
	uint32_t ifindex;
	uint32_t gpl_compatible; /* one bit */
	uint64_t netns_dev, netns_ino;
	uint32_t nr_jited_ksyms, nr_jited_func_lens;
	uint64_t jited_ksyms, jited_func_lens;
	uint32_t btf_id, func_info_rec_size;
	uint64_t func_info;
	uint32_t nr_func_info, nr_line_info;
	uint64_t line_info, jited_line_info;
	uint32_t nr_jited_line_info, line_info_rec_size, jited_line_info_rec_size, nr_prog_tags;
	uint64_t prog_tags;
	uint64_t run_time_ns, run_cnt, recursion_misses;
	uint32_t verified_insns, attach_btf_obj_id, attach_btf_id;
};
static_assert(sizeof(struct prog_info) == 232, "struct bpf_prog_info");

struct map_info {
	uint32_t type, id, key_size, value_size, max_entries, map_flags;
	char name[BPF_OBJ_NAME_LEN];
	uint32_t ifindex, btf_vmlinux_value_type_id;
	uint64_t netns_dev, netns_ino;
	uint32_t btf_id, btf_key_type_id, btf_value_type_id, btf_vmlinux_id;
	uint64_t map_extra;
	uint64_t hash;
	uint32_t hash_size;
};
static_assert(sizeof(struct map_info) == 104, "struct bpf_map_info");

struct link_info {
	uint32_t type, id, prog_id;
	uint32_t unused;
	union {
		struct {
			uint64_t name;
			uint32_t name_len;
			uint32_t unused;
			uint64_t cookie;
		} raw_tracepoint;
		struct {
			uint32_t ifindex, attach_type;
		} device; /* xdp has no attach_type */
		struct {
			uint64_t id;
			uint32_t attach_type;
		} cgroup;
		struct {
			uint32_t ino, attach_type;
		} netns;
		struct {
			uint32_t type, unused;
			union {
				struct { /* probes, tracepoints */
					uint64_t name;
					uint32_t name_len, offset;
					union {
						uint64_t uprobe_cookie, tracepoint_cookie;
						uint64_t kprobe_addr;
					};
				};
				struct {
					uint64_t config;
					uint32_t event_type, unused2;
					uint64_t event_cookie;
				};
			};
		} perf_event;
		uint8_t part[48];
	};
};
static_assert(sizeof(struct link_info) == 64, "struct bpf_link_info");

struct btf_info {
	uint64_t btf;
	uint32_t btf_size, id;
	uint64_t name;
	uint32_t name_len, kernel_btf;
};
static_assert(sizeof(struct btf_info) == 32, "struct bpf_btf_info");

#endif
