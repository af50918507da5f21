/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of bpf(2) by the names that .bpf files use: uapi names without prefix, in lower case. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/uapi.h"
#include "corpus.h"

struct name {
	const char *name;
	uint32_t number;
};

struct name_table {
	const struct name *rows;
	size_t n;
};

#define TABLE(what, ...)                                                                           \
	static const struct name rows_##what[] = {__VA_ARGS__};                                    \
	const struct name_table names_##what = {rows_##what, sizeof(rows_##what) / sizeof(struct name)};

/* clang-format off */
TABLE(prog_type,
	{"socket_filter", BPF_PROG_TYPE_SOCKET_FILTER}, {"kprobe", BPF_PROG_TYPE_KPROBE},
	{"sched_cls", BPF_PROG_TYPE_SCHED_CLS}, {"sched_act", BPF_PROG_TYPE_SCHED_ACT},
	{"tracepoint", BPF_PROG_TYPE_TRACEPOINT}, {"xdp", BPF_PROG_TYPE_XDP},
	{"perf_event", BPF_PROG_TYPE_PERF_EVENT}, {"cgroup_skb", BPF_PROG_TYPE_CGROUP_SKB},
	{"cgroup_sock", BPF_PROG_TYPE_CGROUP_SOCK}, {"lwt_in", BPF_PROG_TYPE_LWT_IN},
	{"lwt_out", BPF_PROG_TYPE_LWT_OUT}, {"lwt_xmit", BPF_PROG_TYPE_LWT_XMIT},
	{"sock_ops", BPF_PROG_TYPE_SOCK_OPS}, {"sk_skb", BPF_PROG_TYPE_SK_SKB},
	{"cgroup_device", BPF_PROG_TYPE_CGROUP_DEVICE}, {"sk_msg", BPF_PROG_TYPE_SK_MSG},
	{"raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT},
	{"cgroup_sock_addr", BPF_PROG_TYPE_CGROUP_SOCK_ADDR},
	{"lwt_seg6local", BPF_PROG_TYPE_LWT_SEG6LOCAL}, {"lirc_mode2", BPF_PROG_TYPE_LIRC_MODE2},
	{"sk_reuseport", BPF_PROG_TYPE_SK_REUSEPORT},
	{"flow_dissector", BPF_PROG_TYPE_FLOW_DISSECTOR},
	{"cgroup_sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL},
	{"raw_tracepoint_writable", BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE},
	{"cgroup_sockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT}, {"tracing", BPF_PROG_TYPE_TRACING},
	{"struct_ops", BPF_PROG_TYPE_STRUCT_OPS}, {"ext", BPF_PROG_TYPE_EXT},
	{"lsm", BPF_PROG_TYPE_LSM}, {"sk_lookup", BPF_PROG_TYPE_SK_LOOKUP},
	{"syscall", BPF_PROG_TYPE_SYSCALL}, {"netfilter", BPF_PROG_TYPE_NETFILTER})
TABLE(map_type,
	{"hash", BPF_MAP_TYPE_HASH}, {"array", BPF_MAP_TYPE_ARRAY},
	{"prog_array", BPF_MAP_TYPE_PROG_ARRAY},
	{"perf_event_array", BPF_MAP_TYPE_PERF_EVENT_ARRAY},
	{"percpu_hash", BPF_MAP_TYPE_PERCPU_HASH}, {"percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY},
	{"stack_trace", BPF_MAP_TYPE_STACK_TRACE}, {"cgroup_array", BPF_MAP_TYPE_CGROUP_ARRAY},
	{"lru_hash", BPF_MAP_TYPE_LRU_HASH}, {"lru_percpu_hash", BPF_MAP_TYPE_LRU_PERCPU_HASH},
	{"lpm_trie", BPF_MAP_TYPE_LPM_TRIE}, {"array_of_maps", BPF_MAP_TYPE_ARRAY_OF_MAPS},
	{"hash_of_maps", BPF_MAP_TYPE_HASH_OF_MAPS}, {"devmap", BPF_MAP_TYPE_DEVMAP},
	{"sockmap", BPF_MAP_TYPE_SOCKMAP}, {"cpumap", BPF_MAP_TYPE_CPUMAP},
	{"xskmap", BPF_MAP_TYPE_XSKMAP}, {"sockhash", BPF_MAP_TYPE_SOCKHASH},
	{"cgroup_storage", BPF_MAP_TYPE_CGROUP_STORAGE},
	{"reuseport_sockarray", BPF_MAP_TYPE_REUSEPORT_SOCKARRAY},
	{"percpu_cgroup_storage", BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE},
	{"queue", BPF_MAP_TYPE_QUEUE}, {"stack", BPF_MAP_TYPE_STACK},
	{"sk_storage", BPF_MAP_TYPE_SK_STORAGE}, {"devmap_hash", BPF_MAP_TYPE_DEVMAP_HASH},
	{"struct_ops", BPF_MAP_TYPE_STRUCT_OPS}, {"ringbuf", BPF_MAP_TYPE_RINGBUF},
	{"inode_storage", BPF_MAP_TYPE_INODE_STORAGE}, {"task_storage", BPF_MAP_TYPE_TASK_STORAGE},
	{"bloom_filter", BPF_MAP_TYPE_BLOOM_FILTER}, {"user_ringbuf", BPF_MAP_TYPE_USER_RINGBUF},
	{"cgrp_storage", BPF_MAP_TYPE_CGRP_STORAGE}, {"arena", BPF_MAP_TYPE_ARENA},
	{"insn_array", BPF_MAP_TYPE_INSN_ARRAY}, {"rhash", BPF_MAP_TYPE_RHASH})
TABLE(attach_type,
	{"cgroup_inet_ingress", BPF_CGROUP_INET_INGRESS},
	{"cgroup_inet_egress", BPF_CGROUP_INET_EGRESS},
	{"cgroup_inet_sock_create", BPF_CGROUP_INET_SOCK_CREATE},
	{"cgroup_sock_ops", BPF_CGROUP_SOCK_OPS},
	{"sk_skb_stream_parser", BPF_SK_SKB_STREAM_PARSER},
	{"sk_skb_stream_verdict", BPF_SK_SKB_STREAM_VERDICT}, {"cgroup_device", BPF_CGROUP_DEVICE},
	{"sk_msg_verdict", BPF_SK_MSG_VERDICT}, {"cgroup_inet4_bind", BPF_CGROUP_INET4_BIND},
	{"cgroup_inet6_bind", BPF_CGROUP_INET6_BIND},
	{"cgroup_inet4_connect", BPF_CGROUP_INET4_CONNECT},
	{"cgroup_inet6_connect", BPF_CGROUP_INET6_CONNECT},
	{"cgroup_inet4_post_bind", BPF_CGROUP_INET4_POST_BIND},
	{"cgroup_inet6_post_bind", BPF_CGROUP_INET6_POST_BIND},
	{"cgroup_udp4_sendmsg", BPF_CGROUP_UDP4_SENDMSG},
	{"cgroup_udp6_sendmsg", BPF_CGROUP_UDP6_SENDMSG}, {"lirc_mode2", BPF_LIRC_MODE2},
	{"flow_dissector", BPF_FLOW_DISSECTOR}, {"cgroup_sysctl", BPF_CGROUP_SYSCTL},
	{"cgroup_udp4_recvmsg", BPF_CGROUP_UDP4_RECVMSG},
	{"cgroup_udp6_recvmsg", BPF_CGROUP_UDP6_RECVMSG},
	{"cgroup_getsockopt", BPF_CGROUP_GETSOCKOPT}, {"cgroup_setsockopt", BPF_CGROUP_SETSOCKOPT},
	{"trace_raw_tp", BPF_TRACE_RAW_TP}, {"trace_fentry", BPF_TRACE_FENTRY},
	{"trace_fexit", BPF_TRACE_FEXIT}, {"modify_return", BPF_MODIFY_RETURN},
	{"lsm_mac", BPF_LSM_MAC}, {"trace_iter", BPF_TRACE_ITER},
	{"cgroup_inet4_getpeername", BPF_CGROUP_INET4_GETPEERNAME},
	{"cgroup_inet6_getpeername", BPF_CGROUP_INET6_GETPEERNAME},
	{"cgroup_inet4_getsockname", BPF_CGROUP_INET4_GETSOCKNAME},
	{"cgroup_inet6_getsockname", BPF_CGROUP_INET6_GETSOCKNAME}, {"xdp_devmap", BPF_XDP_DEVMAP},
	{"cgroup_inet_sock_release", BPF_CGROUP_INET_SOCK_RELEASE}, {"xdp_cpumap", BPF_XDP_CPUMAP},
	{"sk_lookup", BPF_SK_LOOKUP}, {"xdp", BPF_XDP}, {"sk_skb_verdict", BPF_SK_SKB_VERDICT},
	{"sk_reuseport_select", BPF_SK_REUSEPORT_SELECT},
	{"sk_reuseport_select_or_migrate", BPF_SK_REUSEPORT_SELECT_OR_MIGRATE},
	{"perf_event", BPF_PERF_EVENT}, {"trace_kprobe_multi", BPF_TRACE_KPROBE_MULTI},
	{"lsm_cgroup", BPF_LSM_CGROUP}, {"struct_ops", BPF_STRUCT_OPS},
	{"netfilter", BPF_NETFILTER}, {"tcx_ingress", BPF_TCX_INGRESS},
	{"tcx_egress", BPF_TCX_EGRESS}, {"trace_uprobe_multi", BPF_TRACE_UPROBE_MULTI},
	{"cgroup_unix_connect", BPF_CGROUP_UNIX_CONNECT},
	{"cgroup_unix_sendmsg", BPF_CGROUP_UNIX_SENDMSG},
	{"cgroup_unix_recvmsg", BPF_CGROUP_UNIX_RECVMSG},
	{"cgroup_unix_getpeername", BPF_CGROUP_UNIX_GETPEERNAME},
	{"cgroup_unix_getsockname", BPF_CGROUP_UNIX_GETSOCKNAME},
	{"netkit_primary", BPF_NETKIT_PRIMARY}, {"netkit_peer", BPF_NETKIT_PEER},
	{"trace_kprobe_session", BPF_TRACE_KPROBE_SESSION},
	{"trace_uprobe_session", BPF_TRACE_UPROBE_SESSION}, {"trace_fsession", BPF_TRACE_FSESSION},
	{"trace_fentry_multi", BPF_TRACE_FENTRY_MULTI},
	{"trace_fexit_multi", BPF_TRACE_FEXIT_MULTI},
	{"trace_fsession_multi", BPF_TRACE_FSESSION_MULTI})
TABLE(flags,
	{"strict_alignment", BPF_F_STRICT_ALIGNMENT}, {"any_alignment", BPF_F_ANY_ALIGNMENT},
	{"test_rnd_hi32", BPF_F_TEST_RND_HI32}, {"test_state_freq", BPF_F_TEST_STATE_FREQ},
	{"sleepable", BPF_F_SLEEPABLE}, {"xdp_has_frags", BPF_F_XDP_HAS_FRAGS},
	{"xdp_dev_bound_only", BPF_F_XDP_DEV_BOUND_ONLY},
	{"test_reg_invariants", BPF_F_TEST_REG_INVARIANTS})
TABLE(caps,
	{"net_admin", 12}, {"sys_admin", 21}, {"perfmon", 38}, {"bpf", 39})
TABLE(errno,
	{"EPERM", EPERM}, {"ENOENT", ENOENT}, {"E2BIG", E2BIG}, {"ENOMEM", ENOMEM},
	{"EACCES", EACCES}, {"EFAULT", EFAULT}, {"EEXIST", EEXIST}, {"EINVAL", EINVAL},
	{"ENOSPC", ENOSPC}, {"ERANGE", ERANGE}, {"EOPNOTSUPP", EOPNOTSUPP}, {"EPROTO", EPROTO},
	{"ENOTSUPP", ENOTSUPP}, {"EBADF", EBADF}, {"ENODEV", ENODEV}, {"ESRCH", ESRCH},
	{"EBUSY", EBUSY}, {"EAGAIN", EAGAIN}, {"EDOM", EDOM}, {"ENOEXEC", ENOEXEC}, {"EINTR", EINTR})
/* clang-format on */

bool name_find(const struct name_table *t, const char *name, uint32_t *out)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->rows[i].name, name)) {
			*out = t->rows[i].number;
			return true;
		}
	return false;
}

const char *name_of(const struct name_table *t, uint32_t number)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].number == number)
			return t->rows[i].name;
	return NULL;
}
