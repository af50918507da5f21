/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --fill MAP=FILE: entries for a map from a text file, one a line: KEY VALUE.
 *
 *   12, -1, 0x1f     a number, as wide as the key or value (1, 2, 4, 8 bytes), in host order
 *   10.0.0.0/8       a key of an LPM trie: prefix length and address; ::/8 for one of 20 bytes
 *   192.0.2.1        an address of 4 bytes, or of 16 as ::ffff:192.0.2.1
 *   hex:00112233     bytes as they are, any length
 *   # ...            a comment, to the end of the line
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "cli/exec.h"

enum { MAPPED_OFFSET = 12, IPV4_SIZE = 4, IPV6_SIZE = 16 };

/* An address into size bytes. False: it is none, or of another size. */
static bool parse_address(const char *text, uint8_t *to, size_t size)
{
	static const uint8_t mapped[MAPPED_OFFSET] = {[10] = 0xff, [11] = 0xff};
	uint8_t v4[IPV4_SIZE];

	if (size == IPV6_SIZE && inet_pton(AF_INET6, text, to) == 1)
		return true;
	if (inet_pton(AF_INET, text, v4) != 1 || (size != IPV4_SIZE && size != IPV6_SIZE))
		return false;
	if (size == IPV6_SIZE)
		memcpy(to, mapped, sizeof(mapped));
	memcpy(to + size - IPV4_SIZE, v4, IPV4_SIZE);
	return true;
}

/* ADDRESS/LENGTH as the key of an LPM trie. */
static bool parse_prefix(const char *text, uint8_t *to, size_t size)
{
	const char *slash = strchr(text, '/');
	char address[64], *end;
	unsigned long bits;
	uint32_t len;

	if (!slash || size <= sizeof(len) || (size_t)(slash - text) >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	bits = strtoul(slash + 1, &end, 10);
	if (end == slash + 1 || *end || bits > (size - sizeof(len)) * 8)
		return false;
	len = (uint32_t)bits;
	memcpy(to, &len, sizeof(len));
	return parse_address(address, to + sizeof(len), size - sizeof(len));
}

static bool parse_number(const char *text, uint8_t *to, size_t size)
{
	bool negative = *text == '-';
	uint64_t v, limit;
	char *end;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return false;
	errno = 0;
	v = strtoull(text + negative, &end, 0);
	limit = size == 8 ? UINT64_MAX : (1ull << size * 8) - 1;
	if (errno || end == text + negative || *end || text[negative] == '-' || v > limit)
		return false;
	if (negative)
		v = -v;
	memcpy(to, &v, size); /* little-endian hosts: the low bytes come first */
	return true;
}

static bool parse_bytes(const char *text, uint8_t *to, size_t size)
{
	uint8_t *bytes;
	size_t n;
	bool ok;

	if (strncmp(text, "hex:", 4) || hex_parse(text + 4, strlen(text + 4), &bytes, &n))
		return false;
	ok = n == size;
	if (ok)
		memcpy(to, bytes, n);
	free(bytes);
	return ok;
}

static bool parse_token(const char *text, uint8_t *to, size_t size)
{
	return parse_bytes(text, to, size) || parse_prefix(text, to, size) ||
	       parse_number(text, to, size) || parse_address(text, to, size);
}

/* A per-CPU map takes the value for every CPU. */
static void spread(const struct bpf_map *map, uint8_t *value)
{
	enum bpf_map_type type = bpf_map__type(map);
	size_t one = bpf_map__value_size(map), stride = (one + 7) & ~(size_t)7;
	int ncpus = libbpf_num_possible_cpus();

	if (type != BPF_MAP_TYPE_PERCPU_ARRAY && type != BPF_MAP_TYPE_PERCPU_HASH &&
	    type != BPF_MAP_TYPE_LRU_PERCPU_HASH)
		return;
	for (int cpu = 1; cpu < ncpus; cpu++)
		memcpy(value + (size_t)cpu * stride, value, one);
}

static int fill_line(const struct bpf_map *map, const char *path, unsigned number, char *line, uint8_t *key,
                     uint8_t *value)
{
	char *save, *k, *v, *rest;
	int err;

	line[strcspn(line, "#")] = 0;
	k = strtok_r(line, " \t\r\n", &save);
	if (!k)
		return 0;
	v = strtok_r(NULL, " \t\r\n", &save);
	rest = v ? strtok_r(NULL, " \t\r\n", &save) : NULL;
	if (!v || rest)
		return fail(EXIT_BAD_INPUT, "%s:%u: an entry is KEY VALUE", path, number);
	if (!parse_token(k, key, bpf_map__key_size(map)))
		return fail(EXIT_BAD_INPUT, "%s:%u: '%s' does not fit a key of %u bytes of map %s", path,
		            number, k, bpf_map__key_size(map), bpf_map__name(map));
	if (!parse_token(v, value, bpf_map__value_size(map)))
		return fail(EXIT_BAD_INPUT, "%s:%u: '%s' does not fit a value of %u bytes of map %s", path,
		            number, v, bpf_map__value_size(map), bpf_map__name(map));
	spread(map, value);
	err = bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY);
	if (err)
		return fail(EXIT_BAD_INPUT, "%s:%u: map %s does not take this entry: %s", path, number,
		            bpf_map__name(map), bpf_strerror(-err));
	return 0;
}

static int fill_map(const struct bpf_map *map, const char *path)
{
	size_t value_size = (bpf_map__value_size(map) + 8) * (size_t)libbpf_num_possible_cpus();
	uint8_t *text, *key = calloc(1, bpf_map__key_size(map) + 1), *value = calloc(1, value_size);
	unsigned number = 0;
	size_t len;
	int err;

	if (!key || !value) {
		err = fail(EXIT_FAILED, "out of memory");
		goto out;
	}
	err = file_read(path, &text, &len);
	if (err)
		goto out;
	for (char *at = (char *)text, *line; !err && (line = strsep(&at, "\n")); )
		err = fill_line(map, file_name(path), ++number, line, key, value);
	free(text);
out:
	free(key);
	free(value);
	return err;
}

int maps_fill(struct side *s, const struct exec_options *o)
{
	side_enter(s);
	for (size_t i = 0; i < o->nfill; i++) {
		const char *equals = strchr(o->fill[i], '=');
		struct bpf_map *map;
		char name[64];
		int err;

		if (!equals)
			return fail(EXIT_USAGE, "--fill %s: it takes MAP=FILE", o->fill[i]);
		snprintf(name, sizeof(name), "%.*s", (int)(equals - o->fill[i]), o->fill[i]);
		map = bpf_object__find_map_by_name(s->obj, name);
		if (!map)
			return fail(EXIT_BAD_INPUT, "%s: no map '%s' in it", file_name(o->object), name);
		err = fill_map(map, equals + 1);
		if (err)
			return err;
	}
	return 0;
}
