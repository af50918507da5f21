/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oreore SOCKET OBJECT: a socket to which one writes a number and from which one reads what the BPF
 * program makes of it. "+OBJECT" puts another program in its place, "-" takes it away.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <skep_bpf.h>
#include <skep_libbpf.h>
#include "type.h"

static struct skep_point *point;
static struct skep_cpu *cpu;
static struct bpf_object *object;

static int replace(const char *path)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL), *old = object;
	struct skep_prog *prog;
	int err = o ? bpf_object__load(o) : -errno;

	if (!err)
		err = skep_prog_from_fd(skep_cpu_kernel(cpu),
		                        bpf_program__fd(bpf_object__next_program(o, NULL)), &prog);
	if (!err) {
		err = skep_point_set(point, prog);
		skep_prog_put(prog);
	}
	if (!err)
		object = o;
	bpf_object__close(err ? o : old);
	return err;
}

static void answer(FILE *out, char *line)
{
	struct oreore ctx = {0};
	uint64_t ret;

	line[strcspn(line, "\n")] = '\0';
	if (*line == '+' || *line == '-') {
		int err = *line == '+' ? replace(line + 1) : skep_point_set(point, NULL);

		fprintf(out, "%s\n", err ? strerror(-err) : "ok");
		return;
	}
	ctx.in = (unsigned int)strtoul(line, NULL, 0);
	if (skep_point_run(point, &ctx, cpu, &ret))
		fprintf(out, "%u\n", ctx.out);
	else
		fprintf(out, "no program\n");
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char message[SKEP_MESSAGE] = "usage: oreore SOCKET OBJECT", line[256];
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	struct skep *k;

	if (argc != 3 || skep_new(NULL, &k) || skep_type_add(k, &oreore_type, message) ||
	    skep_point_new(k, oreore_type.number, 0, 0, &point, message))
		return fprintf(stderr, "%s\n", message), 2;
	cpu = skep_cpu_enter(k);
	skep_bpf_bind(k);
	skep_libbpf_section(&oreore_type);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[1]);
	unlink(at.sun_path);
	if (replace(argv[2]) || bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 8))
		return fprintf(stderr, "%s or %s cannot be used\n", argv[1], argv[2]), 1;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");

		while (fgets(line, sizeof(line), in)) {
			answer(out, line);
			fflush(out);
		}
		fclose(in);
		fclose(out);
	}
	return 0;
}
