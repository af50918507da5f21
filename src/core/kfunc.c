/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding kfuncs by name: see kfunc.h. */
#include "core/kfunc.h"

#include <string.h>

#include "core/core.h"

const struct kfunc *kfunc_find(const struct skep *k, const char *name)
{
	unsigned low = 0, high = k->reg.nkfuncs;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;
		int order = strcmp(k->reg.kfuncs[mid].name, name);

		if (order == 0)
			return &k->reg.kfuncs[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
