/* SPDX-License-Identifier: BSD-2-Clause */
/* A BTF object's birth and end: see btf.h. */
#include "core/btf.h"

#include <errno.h>

static void btf_obj_free(struct obj *o)
{
	struct btf *btf = (struct btf *)o;
	struct skep *k = o->k;

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
