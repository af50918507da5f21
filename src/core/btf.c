/* SPDX-License-Identifier: BSD-2-Clause */
/* A BTF object's birth and end: see btf.h. */
#include "core/btf.h"

#include <errno.h>

#include "core/record.h"

static void btf_obj_free(struct obj *o)
{
	struct btf *btf = (struct btf *)o;
	struct skep *k = o->k;

	for (uint32_t i = 0; i < btf->nstructs; i++)
		record_free(&k->mem, btf->structs[i].record);
	mem_free(&k->mem, btf->structs);
	if (btf->data.bytes)
		btf_free(&btf->data);
	mem_free(&k->mem, btf);
}

int btf_new(struct skep *k, uint8_t *bytes, uint32_t nbytes, struct buf *log, struct btf **out)
{
	struct btf *btf = mem_zalloc(&k->mem, sizeof(*btf));
	int err = btf ? 0 : -ENOMEM;

	if (!err) {
		obj_init(&btf->obj, k, OBJ_BTF, btf_obj_free);
		err = btf_parse(&btf->data, &k->mem, bytes, nbytes, log);
	}
	if (err) {
		mem_free(&k->mem, bytes);
		mem_free(&k->mem, btf);
		return err;
	}
	*out = btf;
	return 0;
}

const struct record *btf_record(const struct btf *btf, uint32_t type_id)
{
	uint32_t low = 0, high = btf->nstructs;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (btf->structs[mid].type_id < type_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < btf->nstructs && btf->structs[low].type_id == type_id
	               ? btf->structs[low].record
	               : NULL;
}
