/* SPDX-License-Identifier: BSD-2-Clause */
/* Which helper may be called with which map: map_calls.def, asked from both sides. */
#include "core/uapi.h"
#include "verifier/call.h"

enum { OF_MAP = 1, OF_HELPER = 2 };

static const struct {
	uint16_t type, helper;
	uint8_t of;
} pairs[] = {
#define MAP(type, helper) {BPF_MAP_TYPE_##type, helper, OF_MAP},
#define ONLY(helper, type) {BPF_MAP_TYPE_##type, helper, OF_HELPER},
#define BOTH(type, helper) {BPF_MAP_TYPE_##type, helper, OF_MAP | OF_HELPER},
#include "verifier/map_calls.def"
#undef MAP
#undef ONLY
#undef BOTH
};

int call_map_fits(struct verifier *v, const struct call *c)
{
	bool map_chooses = false, map_takes = false, helper_chooses = false, helper_takes = false;

	if (!c->map)
		return 0;
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		bool type = pairs[i].type == c->map->type, helper = pairs[i].helper == c->id;

		map_chooses |= type && pairs[i].of & OF_MAP;
		map_takes |= type && helper && pairs[i].of & OF_MAP;
		helper_chooses |= helper && pairs[i].of & OF_HELPER;
		helper_takes |= helper && type && pairs[i].of & OF_HELPER;
	}
	if (map_chooses == map_takes && helper_chooses == helper_takes)
		return 0;
	return reject(v, REJECT_CALL_MAP, c->map->type, c->h->name, c->id);
}
