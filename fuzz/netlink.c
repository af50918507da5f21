/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnetlink requests and answers of any shape, and frames to the host end: nothing may be read or written
 * out of place, and each answer is well-formed.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>

#include "fuzz.h"
#include "net/switch.h"
#include "sandbox/rtnl.h"
#include "skep.h"
#include "sys/handle.h"

enum { MESSAGE_MAX = 2048 };

static const uint16_t types[] = {RTM_SETLINK, RTM_NEWLINK, RTM_NEWQDISC, RTM_DELQDISC, RTM_NEWTFILTER,
                                 RTM_DELTFILTER, RTM_GETTFILTER, RTM_GETLINK, NLMSG_DONE, NLMSG_ERROR};

static struct skep *k;
static struct tc tc = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Messages end where the next begins. */
static void check(const struct nl_out *o)
{
	size_t at = 0;

	while (at < o->len) {
		struct nlmsghdr h;

		memcpy(&h, o->data + at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > o->len - at)
			abort();
		at += NLMSG_ALIGN(h.nlmsg_len);
	}
}

static void serve(const uint8_t *data, size_t size)
{
	struct client client = client_self(k);
	struct rtnl q = {.k = k, .tc = &tc, .client = &client};
	uint8_t *m = calloc(1, MESSAGE_MAX);
	struct nlmsghdr *h = (struct nlmsghdr *)m;
	struct nl_out out = {0}, more = {0};

	if (!m)
		return;
	if (size > MESSAGE_MAX - sizeof(*h) - 24)
		size = MESSAGE_MAX - sizeof(*h) - 24;
	*h = (struct nlmsghdr){.nlmsg_len = (uint32_t)(sizeof(*h) + size),
	                       .nlmsg_type = types[data[0] % 10], .nlmsg_flags = (uint16_t)(data[1] | NLM_F_REQUEST | data[2] % 16 << 8)};
	memcpy(m + sizeof(*h), data, size);
	/* Where devices and parents are meant, those that there are. */
	if (size >= 20 && data[3] & 1) {
		uint32_t words[3] = {1, 0, TC_H_MAKE(TC_H_CLSACT, data[3] & 2 ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS)};

		if (data[3] & 4)
			words[2] = TC_H_CLSACT;
		memcpy(m + sizeof(*h) + 4, words, sizeof(words));
	}
	rtnl_serve(&q, h, &out);
	check(&out);
	rtnl_complete(&q, h->nlmsg_type, m, h->nlmsg_len, &more);
	check(&more);
	free(out.data);
	free(more.data);
	free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t mac[6] = {2, 1}, ip4[4] = {10, 77, 0, 1}, ip6[16] = {0xfd, 0x77};
	uint8_t *answer;

	if (size < 4)
		return 0;
	if (!k && skep_new(NULL, &k))
		abort();
	serve(data, size);
	answer = malloc(SWITCH_FRAME);
	if (answer && size <= SWITCH_FRAME && host_answer(mac, ip4, ip6, data, (uint32_t)size, answer) > SWITCH_FRAME)
		abort();
	free(answer);
	return 0;
}
