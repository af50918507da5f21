/* SPDX-License-Identifier: BSD-2-Clause */
/* A BPF_PROG_LOAD under way: what its stages, in load.c and load_btf.c, share. */
#ifndef SKEP_SYS_LOAD_H
#define SKEP_SYS_LOAD_H

#include "core/prog.h"
#include "sys/bpf.h"
#include "sys/log.h"

struct load {
	struct call *call;
	const struct attr_prog_load *a;
	struct prog *p;
	struct log log;
	int fd;
};

/* Writes a line of the log, if somebody reads it, and answers err. */
int load_fail(struct load *l, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The program's BTF, func_info and line_info: each record by itself. */
int load_func_info(struct load *l);
int load_line_info(struct load *l);

#endif
