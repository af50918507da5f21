/* SPDX-License-Identifier: BSD-2-Clause */
/* Made-up traffic: packets of any link type, the same for the same seed. */
#ifndef SKEP_TESTS_CBPF_TRAFFIC_H
#define SKEP_TESTS_CBPF_TRAFFIC_H

#include <stdint.h>

enum { TRAFFIC_MAX = 1600 };

/*
 * A packet of a DLT: Ethernet with and without tags, cooked, loopback, bare IP, PPP get headers of their own
 * and IP, ARP and others inside; all other types bytes that are small numbers mostly. Answers its length.
 */
uint32_t traffic_packet(uint64_t *seed, int dlt, uint8_t to[TRAFFIC_MAX]);

#endif
