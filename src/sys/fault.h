/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_SYS_FAULT_H
#define SKEP_SYS_FAULT_H

struct fault;

/* One line on what the checked engine found; it stays in f->text. */
const char *fault_text(struct fault *f);

#endif
