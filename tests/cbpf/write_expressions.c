/* SPDX-License-Identifier: BSD-2-Clause */
/* write-expressions N: the well-known expressions and N made-up ones, one a line. */
#include <stdio.h>
#include <stdlib.h>

#include "expression.h"

int main(int argc, char **argv)
{
	uint64_t seed = 51;
	char text[400];

	for (unsigned i = 0; known_expressions[i]; i++)
		puts(known_expressions[i]);
	for (int n = argc > 1 ? atoi(argv[1]) : 100; n-- > 0;) {
		random_expression(&seed, text, sizeof(text));
		puts(text);
	}
	return 0;
}
