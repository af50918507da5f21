/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of how special fields end. Requires: the files that make fields work. */
#include "core/special.h"

const special_release_fn special_release[SPECIAL_KINDS] = {
	[SPECIAL_SPIN_LOCK] = NULL,
};
