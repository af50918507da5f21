// SPDX-License-Identifier: BSD-2-Clause
// skep.h from C++: the header compiles, its calls link, a map is filled and walked.
#include <cstdint>
#include <cstdio>

#include "skep.h"

int main()
{
	skep *k = nullptr;
	skep_map *m = nullptr;
	skep_walk *w = nullptr;
	skep_map_def def{};
	const void *key, *value;
	unsigned n = 0;

	def.type = 1;
	def.key_size = sizeof(uint32_t);
	def.value_size = sizeof(uint64_t);
	def.max_entries = 16;
	if (skep_new(nullptr, &k) || skep_map_new(k, &def, &m))
		return 1;
	for (uint32_t i = 0; i < 10; i++) {
		uint64_t square = uint64_t(i) * i;

		skep_map_update(m, &i, &square, 0);
	}
	bool fits = SKEP_MAP_HAS_TYPES(m, uint32_t, uint64_t);
	if (skep_walk_new(m, 0, &w) == 0)
		while (skep_walk_next(w, &key, &value) == 1) {
			uint32_t i = *static_cast<const uint32_t *>(key);

			n += *static_cast<const uint64_t *>(value) == uint64_t(i) * i;
		}
	skep_walk_free(w);
	skep_map_put(m);
	skep_free(k);
	std::printf("%sok 1 - skep.h from C++\n1..1\n", fits && n == 10 ? "" : "not ");
	return fits && n == 10 ? 0 : 1;
}
