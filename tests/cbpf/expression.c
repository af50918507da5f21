/* SPDX-License-Identifier: BSD-2-Clause */
#include "expression.h"

#include <stdio.h>
#include <string.h>

#include "random.h"

const char *const known_expressions[] = {
	"", "ip", "ip6", "arp", "rarp", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp", "pim", "vrrp", "ah", "esp",
	"tcp port 80", "port 53", "udp port 53", "tcp dst port 22", "portrange 1000-9000", "tcp portrange 20-25",
	"host 10.0.0.1", "src host 10.0.0.1", "dst host 192.168.1.1", "net 10.0.0.0/8", "src net 192.168.0.0/16",
	"host 10.0.0.1 and not port 22", "tcp port 80 or tcp port 443 or tcp port 8080",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[13] = 2", "icmp[icmptype] = icmp-echo",
	"icmp[0] != 8 and icmp[0] != 0", "ip[6:2] & 0x1fff = 0", "ip[0] & 0xf != 5", "ip[8] < 64",
	"tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
	"ether host 00:01:02:03:04:05", "ether broadcast", "ether multicast", "ip broadcast", "ip multicast",
	"ip6 multicast", "vlan", "vlan 5", "vlan 10 and tcp port 80", "vlan 1 and vlan 100", "mpls", "mpls 20 and ip",
	"pppoes", "pppoes 1", "ip6 host fe80::1", "ip6 net 2001:db8::/32", "src port 80 and dst port 1024",
	"greater 100", "less 64", "len > 200 and len < 1000", "ip proto 89", "ip6 proto 58", "proto 17",
	"ip protochain 6", "ip6 protochain 17", "ether proto 0x88cc", "llc", "stp", "iso", "ipx", "netbeui",
	"ether[0] & 1 != 0", "link[0] = 0", "not ip and not ip6", "not (tcp or udp)",
	"(tcp port 22 and host 10.0.0.1) or (udp port 53 and net 192.168.0.0/16)", "inbound", "outbound",
	"tcp[2:2] > 1023 and tcp[0:2] < 1024", "udp[8:4] = 0", "ip[12:4] = ip[16:4]", "1 = 1", "1 = 2",
	"ip6[6] = 58 and ip6[40] = 128", "ether[12:2] = 0x0800 || ether[12:2] = 0x86dd", "tcp src port not 80",
	"host 10.0.0.1 or host 10.0.0.2 or host 10.1.2.3 or host 192.168.1.1 or host 192.168.1.5",
	"type mgt", "type data subtype qos-data", "wlan addr1 00:01:02:03:04:05", "ip[2:2] / 4 > 10", "ip[2:2] % 7 = 3",
	"ip[1] ^ 3 = 5", "(ip[0] << 3) + tcp[13] * 2 - 5 > 100", "radio[0] = 1", "atalk", "aarp", "decnet host 10.1",
	"ether[6] = 0 and ether[7] = 1", "icmp[icmptype] = icmp-unreach", "dst port 53 and udp[10] & 0x80 = 0",
	"ip and not src net 10.0.0.0/8 and not dst net 10.0.0.0/8", "tcp[tcpflags] = tcp-syn|tcp-ack", NULL,
};

struct text {
	char *at;
	size_t room;
	uint64_t *seed;
};

static void put(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (n >= t->room)
		n = t->room - 1;
	memcpy(t->at, s, n);
	t->at += n;
	t->room -= n;
	*t->at = 0;
}

static void one_of(struct text *t, const char *const *of, uint32_t n)
{
	put(t, of[random_below(t->seed, n)]);
}
#define ONE_OF(...) one_of(t, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void number(struct text *t)
{
	char n[16];

	snprintf(n, sizeof(n), "%u", random_below(t->seed, 3) ? random_below(t->seed, 70) : random_below(t->seed, 70000));
	put(t, n);
}

static void arith(struct text *t, unsigned depth)
{
	if (!depth || random_below(t->seed, 3) == 0) {
		number(t);
		return;
	}
	switch (random_below(t->seed, 4)) {
	case 0:
		put(t, "(");
		arith(t, depth - 1);
		ONE_OF("+", "-", "*", "&", "|", "^", "<<1 +", ">>1 +", "/2 +", "%3 +");
		arith(t, depth - 1);
		put(t, ")");
		return;
	case 1: put(t, "len"); return;
	}
	ONE_OF("ip", "tcp", "udp", "icmp", "ip6", "ether", "link", "ip", "tcp");
	put(t, "[");
	if (random_below(t->seed, 6)) {
		char n[16];

		snprintf(n, sizeof(n), "%u", random_below(t->seed, 24));
		put(t, n);
	} else {
		arith(t, depth - 1);
	}
	ONE_OF("", "", ":2", ":4", ":1");
	put(t, "]");
}

static void primitive(struct text *t)
{
	switch (random_below(t->seed, 9)) {
	case 0: ONE_OF("ip", "ip6", "tcp", "udp", "icmp", "icmp6", "arp", "rarp", "sctp", "igmp", "vlan", "mpls", "pppoes"); return;
	case 1:
		ONE_OF("", "tcp ", "udp ", "sctp ");
		ONE_OF("port ", "src port ", "dst port ", "src or dst port ");
		ONE_OF("22", "53", "80", "443", "1024", "5000", "8080");
		return;
	case 2:
		ONE_OF("", "ip ", "arp ");
		ONE_OF("host ", "src host ", "dst host ", "src and dst host ");
		ONE_OF("10.0.0.1", "10.0.0.2", "192.168.1.1", "224.0.0.1", "255.255.255.255");
		return;
	case 3:
		ONE_OF("net ", "src net ", "dst net ");
		ONE_OF("10.0.0.0/8", "10.0.0.0/31", "192.168.0.0/16", "224.0.0.0/4", "2001:db8::/32", "fe80::/10", "0.0.0.0/1");
		return;
	case 4:
		ONE_OF("ip6 host ", "ip6 src host ", "dst host ");
		ONE_OF("fe80::1", "2001:db8::2", "ff02::1", "::1");
		return;
	case 5:
		ONE_OF("ether host ", "ether src ", "ether dst ");
		ONE_OF("00:01:02:03:04:05", "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01");
		return;
	case 6: ONE_OF("greater 60", "less 100", "portrange 20-100", "tcp portrange 53-443", "ip proto 17", "ip6 proto 6",
	               "ether multicast", "ether proto 0x8847", "ip multicast", "proto 6", "vlan 5", "vlan 10"); return;
	}
	arith(t, 2);
	ONE_OF(" = ", " != ", " > ", " < ", " >= ", " <= ");
	arith(t, 1);
}

static void expression(struct text *t, unsigned depth)
{
	if (!depth || random_below(t->seed, 4) == 0) {
		primitive(t);
		return;
	}
	if (random_below(t->seed, 5) == 0)
		put(t, "not ");
	put(t, "(");
	expression(t, depth - 1);
	put(t, ")");
	ONE_OF(" and ", " or ", " and not ", " or not ");
	put(t, "(");
	expression(t, depth - 1);
	put(t, ")");
}

void random_expression(uint64_t *seed, char *to, size_t room)
{
	struct text t = {to, room, seed};

	expression(&t, random_below(seed, 4));
}
