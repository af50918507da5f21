/* SPDX-License-Identifier: BSD-2-Clause */
/* An application by skeleton: attaches to eth0 in generic mode, says so, and leaves when told to. */
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>

#include "walk.skel.h"

int main(int argc, char **argv)
{
	unsigned device = if_nametoindex(argc > 1 ? argv[1] : "eth0");
	struct walk_bpf *skel = walk_bpf__open_and_load();

	if (!skel || !device)
		return 1;
	if (bpf_xdp_attach((int)device, bpf_program__fd(skel->progs.count_pings), XDP_FLAGS_SKB_MODE,
	                   NULL) != 0)
		return 2;
	printf("attached\n");
	fflush(stdout);
	getchar();
	bpf_xdp_detach((int)device, XDP_FLAGS_SKB_MODE, NULL);
	walk_bpf__destroy(skel);
	return 0;
}
