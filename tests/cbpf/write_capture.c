/* SPDX-License-Identifier: BSD-2-Clause */
/* write-capture DLT PACKETS [PASSES] > file: made-up traffic as a capture; the packets PASSES times. */
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "traffic.h"

int main(int argc, char **argv)
{
	int dlt = argc > 1 ? atoi(argv[1]) : DLT_EN10MB;
	unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 1000, passes = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
	pcap_t *p = pcap_open_dead(dlt, 262144);
	pcap_dumper_t *d = p ? pcap_dump_open(p, "-") : NULL;
	uint8_t bytes[TRAFFIC_MAX];

	if (!d)
		return 1;
	for (; passes--;) {
		uint64_t seed = 41;

		for (unsigned i = 0; i < n; i++) {
			struct pcap_pkthdr h = {.ts.tv_sec = 1700000000 + i};

			h.caplen = traffic_packet(&seed, dlt, bytes);
			h.len = h.caplen + (i % 7 ? 0 : 60);
			pcap_dump((u_char *)d, &h, bytes);
		}
	}
	pcap_dump_close(d);
	pcap_close(p);
	return 0;
}
