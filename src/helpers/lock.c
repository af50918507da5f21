/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_spin_lock() and bpf_spin_unlock(): see core/special.h. */
#include "core/special.h"
#include "helpers/helpers.h"

HELPER_FN(spin_lock)
{
	special_lock((uint32_t *)(uintptr_t)r1);
	return 0;
}

HELPER_FN(spin_unlock)
{
	special_unlock((uint32_t *)(uintptr_t)r1);
	return 0;
}
