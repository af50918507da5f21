/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libskep-bpf: unmodified libbpf on Skep.
 *
 * The library defines syscall(), ioctl(), statfs(), epoll_ctl() and epoll_wait(). Listed before the C
 * library when a program is linked (meson: before dependency('libbpf'); by hand: -lskep-bpf -lskep
 * -lbpf), they are the ones that libbpf.so calls. While a kernel is bound,
 *   - bpf(2) goes to it, and perf_event_open(2) of the event that BPF programs write to
 *     (perf_buffer__poll() works),
 *   - statfs() says that its bpffs directory is a BPF file system,
 *   - epoll on a map's descriptor waits for that map (ring_buffer__poll() works);
 * all else, and all of it while none is bound, goes to the operating system.
 */
#ifndef SKEP_BPF_H
#define SKEP_BPF_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct skep;

/*
 * Binds the process to a kernel, or with NULL to the operating system's own again; answers what was
 * bound before. For all threads: none may be inside libbpf.
 */
struct skep *skep_bpf_bind(struct skep *k);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
