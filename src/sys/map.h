/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_SYS_MAP_H
#define SKEP_SYS_MAP_H

#include <stdint.h>

struct call;
struct map;

/*
 * The map of a caller's descriptor, with a reference. -EPERM: the descriptor does not allow `need`.
 */
int map_of_fd(struct call *call, uint32_t fd, unsigned need, struct map **out);

#endif
