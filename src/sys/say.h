/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling an embedder what is wrong: one sentence, to where the call says and to skep_options.diagnose. */
#ifndef SKEP_SYS_SAY_H
#define SKEP_SYS_SAY_H

#include "core/core.h"

/* message: SKEP_MESSAGE bytes or NULL. Answers err. */
int say(struct skep *k, char *message, int err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Is this a child of the process that made k? Its copy of k is not what others see. */
bool is_fork(const struct skep *k);
int say_fork(struct skep *k, char *message); /* -EPERM */

#endif
