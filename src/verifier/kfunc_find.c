/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which kernel function does a call by BTF id mean?
 *
 * Requires: op[]. Provides: ref[] of such calls: the row in k->reg.kfuncs. Who may call it, and with what,
 * is asked where the call is followed.
 */
#include <errno.h>

#include "core/kfunc.h"
#include "core/vmlinux.h"
#include "verifier/state.h"

int kfunc_find_at(struct verifier *v, uint32_t pc)
{
	struct skep *k = v->p->obj.k;
	const struct btf *btf = vmlinux(k);
	int32_t id = v->insns[pc].imm;
	const struct btf_type *t = btf && id > 0 ? btf_type(&btf->data, (uint32_t)id) : NULL;
	const struct kfunc *f;
	const char *name;

	if (!btf)
		return reject(v, REJECT_KFUNC_NO_TYPES);
	if (!v->p->gpl)
		return reject(v, REJECT_KFUNC_LICENCE);
	if (v->insns[pc].off < 0) {
		reject(v, REJECT_KFUNC_NEGATIVE);
		reject(v, REJECT_KFUNC_MODULE);
		return -EINVAL;
	}
	if (v->insns[pc].off) /* of a module's: there are none */
		return reject(v, REJECT_KFUNC_MODULE);
	if (!id)
		return reject(v, REJECT_KFUNC_ZERO);
	if (!t || btf_kind(t) != BTF_FUNC)
		return reject(v, REJECT_KFUNC_NONE, id);
	name = btf_string(&btf->data, t->name);
	f = kfunc_find(k, name);
	if (!f)
		return reject(v, REJECT_KFUNC_TYPE, name);
	v->ref[pc] = (uint16_t)(f - k->reg.kfuncs);
	return 0;
}
