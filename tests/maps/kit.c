/* SPDX-License-Identifier: BSD-2-Clause */
/* See kit.h. */
#include "kit.h"

#include "maps/maps.h"

static bool let(struct kit_mem *mem)
{
	mem->asked++;
	if (mem->left == 0)
		return false;
	if (mem->left > 0)
		mem->left--;
	return true;
}

static void *kit_alloc(void *arg, size_t size)
{
	struct kit_mem *mem = arg;
	void *block = let(mem) ? malloc(size) : NULL;

	if (block) {
		memset(block, 0xa5, size);
		mem->alive++;
	}
	return block;
}

static void kit_free(void *arg, void *block)
{
	struct kit_mem *mem = arg;

	mem->alive--;
	free(block);
}

static bool kit_may_map(void *arg, size_t size)
{
	(void)size;
	return let(arg);
}

void kit_open(struct kit *kit, unsigned ncpus)
{
	struct mem mem = {
		.alloc = kit_alloc, .free = kit_free, .arg = &kit->mem, .may_map = kit_may_map};
	struct registry reg = {.map_types = map_types, .nmap_types = NMAP_TYPES};

	memset(kit, 0, sizeof(*kit));
	kit->mem.left = -1;
	assert_int_equal(core_init(&kit->k, &mem, &reg, ncpus), 0);
}

void kit_close(struct kit *kit)
{
	assert_int_equal(obj_next_id(&kit->k, OBJ_MAP, 0), 0);
	core_exit(&kit->k);
	assert_int_equal(kit->mem.alive, 0);
}

int kit_try(struct kit *kit, uint32_t type, uint32_t key, uint32_t value, uint32_t max,
            uint32_t flags, struct map **out)
{
	struct map_attr attr = {.type = type,
	                        .key_size = key,
	                        .value_size = value,
	                        .max_entries = max,
	                        .flags = flags};

	return map_create(&kit->k, &attr, out);
}

struct map *kit_map(struct kit *kit, uint32_t type, uint32_t key, uint32_t value, uint32_t max,
                    uint32_t flags)
{
	struct map *m = NULL;

	assert_int_equal(kit_try(kit, type, key, value, max, flags, &m), 0);
	return m;
}

void kit_put(struct map *m)
{
	obj_put(&m->obj);
}

uint64_t kit_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}
