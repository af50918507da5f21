/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as instructions: decoding answers a row that fits the bytes, or that there is none.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "isa/insn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t at = 0; at + sizeof(struct insn) <= size; at += sizeof(struct insn)) {
		struct insn i[2] = {0};
		size_t left = size - at;
		enum op op;

		memcpy(i, data + at, left < sizeof(i) ? sizeof(struct insn) : sizeof(i));
		op = insn_op(i);
		if (op == OP_INVALID)
			continue;
		if (op > OP_COUNT || insn_info[op].code != i->code)
			abort();
		if (insn_fields_ok(op, i) && (i->dst > R10 || (i->src > R10)))
			abort();
	}
	return 0;
}
