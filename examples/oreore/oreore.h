/* SPDX-License-Identifier: BSD-2-Clause */
/* What host and program agree on: a number goes in, one comes out. */
#ifndef OREORE_H
#define OREORE_H

struct oreore {
	unsigned int in, out;
};

#endif
