/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Without any library: bpf(2) and netlink by hand, linked statically.
 *
 *   walk_raw hold COMMAND       a program `r0 = 2; exit` and a hash map of four elements exist while it runs
 *   walk_raw attach DEVICE      attaches such a program by netlink, in generic mode
 *   walk_raw detach DEVICE
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int cmd, union bpf_attr *a)
{
	return (int)syscall(SYS_bpf, cmd, a, sizeof(*a));
}

static int load(void)
{
	struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr a = {.prog_type = BPF_PROG_TYPE_XDP, .insns = (uintptr_t)code, .insn_cnt = 2,
	                    .license = (uintptr_t)"BSD", .prog_name = "test"};

	return bpf(BPF_PROG_LOAD, &a);
}

static int map(void)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8,
	                    .max_entries = 4, .map_name = "four"};
	int fd = bpf(BPF_MAP_CREATE, &a);

	for (uint32_t key = 0; key < 4; key++) {
		uint64_t value = key * 10;
		union bpf_attr e = {.map_fd = (uint32_t)fd, .key = (uintptr_t)&key,
		                    .value = (uintptr_t)&value};

		if (bpf(BPF_MAP_UPDATE_ELEM, &e) != 0)
			return -1;
	}
	return fd;
}

/* RTM_SETLINK with IFLA_XDP { fd, flags }. */
static int set_xdp(const char *device, int prog)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg info;
		struct nlattr xdp, fd;
		int32_t fd_value;
		struct nlattr flags;
		uint32_t flags_value;
	} m = {
		.h = {sizeof(m), RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		.info = {.ifi_index = (int)if_nametoindex(device)},
		.xdp = {sizeof(m.xdp) + 16, IFLA_XDP | NLA_F_NESTED},
		.fd = {8, IFLA_XDP_FD},
		.fd_value = prog,
		.flags = {8, IFLA_XDP_FLAGS},
		.flags_value = XDP_FLAGS_SKB_MODE,
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[512];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (fd < 0 || send(fd, &m, sizeof(m), 0) != sizeof(m) ||
	    recv(fd, &answer, sizeof(answer), 0) < 20 || answer.h.nlmsg_type != NLMSG_ERROR ||
	    answer.h.nlmsg_seq != 1)
		return 1;
	if (answer.e.error)
		printf("%s\n", strerror(-answer.e.error));
	return answer.e.error != 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "hold"))
		return load() < 0 || map() < 0 ? 1 : system(argv[2]) != 0;
	if (argc == 3 && !strcmp(argv[1], "attach"))
		return set_xdp(argv[2], load());
	if (argc == 3 && !strcmp(argv[1], "detach"))
		return set_xdp(argv[2], -1);
	return 2;
}
