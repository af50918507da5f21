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


/*
 * Flags of an access to elements: only BPF_F_LOCK, where values have a lock. The kernel refuses all
 * others for all commands but MAP_UPDATE_ELEM, whose flags are the type's business.
 */
int map_flags_check(const struct map *m, uint64_t flags);
/* MAP_UPDATE_ELEM of one element, key and value in our memory. */
int map_set_element(struct call *call, struct map *m, const void *key, const void *value,
                    uint64_t flags);

#endif
