/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep exec --raw: bare bytecode, for conformance suites and experiments.
 *
 * The program finds the memory's address in r1 and its length in r2. It is loaded as a program of Skep's
 * raw type, whose context holds both: two loads in front of it fetch them. Jumps and calls are relative,
 * so nothing else changes.
 */
#include <ctype.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <skep_bpf.h>

#include "cli/exec.h"

enum { LOG_SIZE = 65536, PROLOGUE = 2, LOAD = BPF_LDX | BPF_MEM | BPF_DW };

static const struct bpf_insn prologue[PROLOGUE] = {
	{.code = LOAD, .dst_reg = 2, .src_reg = 1, .off = offsetof(struct skep_raw, len)},
	{.code = LOAD, .dst_reg = 1, .src_reg = 1, .off = offsetof(struct skep_raw, mem)},
};

static bool is_hex_text(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isxdigit(data[i]) && !strchr("xX \t\r\n,:", data[i]))
			return false;
	return true;
}

/* The instructions of a file, behind the prologue. */
static int read_program(const char *path, struct bpf_insn **insns, size_t *n)
{
	uint8_t *data, *bytes = NULL;
	size_t len;
	int err = file_read(path, &data, &len);

	if (err)
		return err;
	if (len && is_hex_text(data, len)) {
		if (hex_parse((const char *)data, len, &bytes, &len)) {
			free(data);
			return fail(EXIT_BAD_INPUT, "%s: hex text with an odd number of digits",
			            file_name(path));
		}
		free(data);
		data = bytes;
	}
	if (!len || len % sizeof(**insns)) {
		free(data);
		return fail(EXIT_BAD_INPUT, "%s: %zu bytes are no program: instructions have 8 bytes each",
		            file_name(path), len);
	}
	*insns = malloc(sizeof(prologue) + len);
	if (!*insns) {
		free(data);
		return fail(EXIT_FAILED, "out of memory");
	}
	memcpy(*insns, prologue, sizeof(prologue));
	memcpy(*insns + PROLOGUE, data, len);
	*n = PROLOGUE + len / sizeof(**insns);
	free(data);
	return 0;
}

static int load(const char *path, const struct bpf_insn *insns, size_t n, int *fd)
{
	char *log = calloc(1, LOG_SIZE), *end;
	DECLARE_LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = LOG_SIZE);

	if (!log)
		return fail(EXIT_FAILED, "out of memory");
	*fd = bpf_prog_load((enum bpf_prog_type)SKEP_PROG_TYPE_RAW, "raw", "Dual BSD/GPL", insns, n, &opts);
	/* The reason is followed by a line of statistics. */
	end = strstr(log, "\nprocessed ");
	if (!end)
		end = strrchr(log, '\n');
	if (end)
		*end = 0;
	if (*fd < 0)
		fail(*fd == -ENOTSUPP_KERNEL ? EXIT_UNSUPPORTED : EXIT_FAILED, "%s: %s", file_name(path),
		     log[0] ? log : bpf_strerror(-*fd));
	free(log);
	return *fd >= 0 ? 0 : *fd == -ENOTSUPP_KERNEL ? EXIT_UNSUPPORTED : EXIT_FAILED;
}

static int run(struct side *s, const struct exec_options *o)
{
	struct skep_raw raw = {.mem = o->mem.data, .len = o->mem.len};
	struct skep_cpu *cpu = skep_cpu_enter(s->k);
	struct out *out = out_new(o->json);
	char fault[256] = "";
	uint64_t r0 = 0, start = now_ns(), n;

	for (n = 0; n < o->repeat && !interrupted && !fault[0]; n++) {
		r0 = skep_prog_run(s->skep_prog, &raw, cpu);
		if (skep_cpu_fault(cpu))
			snprintf(fault, sizeof(fault), "%s", skep_cpu_fault(cpu));
	}
	start = now_ns() - start;
	skep_cpu_leave(cpu);
	if (fault[0]) {
		out_end(out);
		return fail(EXIT_FAILED, "%s: %s; counted with the two loads that --raw puts in front",
		            file_name(o->raw), fault);
	}
	out_text(out, "0x%" PRIx64 "\n", r0);
	if (o->json)
		out_hex(out, "r0", r0);
	if (o->json || o->repeat > 1) {
		out_str(out, "engine", skep_prog_engine(s->skep_prog));
		out_uint(out, "runs", n);
		out_real(out, "ns_per_run", n ? (double)start / (double)n : 0, 1);
	}
	return out_end(out);
}

int exec_raw(const struct exec_options *o)
{
	struct side s = {.name = "skep", .fd = -1};
	struct bpf_insn *insns = NULL;
	size_t n = 0;
	int err = read_program(o->raw, &insns, &n);

	if (err)
		return err;
	err = side_start(&s, o);
	if (!err)
		err = load(o->raw, insns, n, &s.fd);
	if (!err && skep_prog_from_fd(s.k, s.fd, &s.skep_prog))
		err = fail(EXIT_FAILED, "the loaded program cannot be found again");
	if (!err)
		err = run(&s, o);
	if (s.fd >= 0)
		close(s.fd);
	side_close(&s);
	free(insns);
	return err;
}
