/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEC("name") for programs of your own type, with unmodified libbpf:
 *
 *     skep_libbpf_section(&oreore);             // "oreore" and "oreore/..." from now on
 *     bpf_program__attach(prog);                // to the point of target 0; skeletons' attach as well
 *     bpf_program__attach_cgroup(prog, target); // to that of another target: no cgroup is involved
 */
#ifndef SKEP_LIBBPF_H
#define SKEP_LIBBPF_H

#include <errno.h>
#include <stdio.h>

#include <bpf/libbpf.h>
#include <skep_hook.h>

static inline int skep_libbpf_attach(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	(void)cookie;
	*link = bpf_program__attach_cgroup(prog, 0);
	return *link ? 0 : -errno;
}

/* A number (see libbpf_unregister_prog_handler()), or -errno. For the whole process. */
static inline int skep_libbpf_section(const struct skep_type *type)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_attach_fn = skep_libbpf_attach);
	char section[32];
	uint32_t attach_type = type->attach_types ? type->attach_types[0] : type->number;

	snprintf(section, sizeof(section), "%s+", type->name);
	return libbpf_register_prog_handler(section, (enum bpf_prog_type)type->number,
	                                    (enum bpf_attach_type)attach_type, &opts);
}

#endif
