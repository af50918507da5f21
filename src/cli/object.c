/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object file in a kernel: opened, loaded and closed through libbpf, on Skep or on the real one.
 *
 * What libbpf says is collected, not printed (-v prints it). When it fails, the reason is found in this
 * order: a map that could not be made, a program that was refused (with the last line of the verifier's
 * log), libbpf's first complaint. Whatever Skep lacks ends in EXIT_UNSUPPORTED, never in a rejection.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <skep_bpf.h>

#include "cli/exec.h"

enum {
	LOG_SIZE = 1 << 20,
	CHATTER = 16384,
};

/* What libbpf said since the last reset, warnings only: lines without its prefix. */
static struct {
	char text[CHATTER];
	size_t len;
	bool loud;
} chatter;

static int on_print(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[1024];
	const char *text = line;
	size_t len;

	if (level == LIBBPF_DEBUG && !chatter.loud)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	if (chatter.loud)
		fputs(line, stderr);
	if (level != LIBBPF_WARN)
		return 0;
	if (!strncmp(text, "libbpf: ", 8))
		text += 8;
	len = strlen(text);
	if (len >= sizeof(chatter.text) - chatter.len)
		return 0;
	memcpy(chatter.text + chatter.len, text, len + 1);
	chatter.len += len;
	return 0;
}

static void chatter_reset(bool loud)
{
	chatter.len = 0;
	chatter.text[0] = 0;
	chatter.loud = loud;
	libbpf_set_print(on_print);
}

/*
 * Its first line, without the line end; "" when it said nothing. That it cannot raise a limit is no
 * complaint: kernels of today have none, nor has Skep.
 */
static const char *first_complaint(void)
{
	static char line[256];
	const char *at = chatter.text;

	while (!strncmp(at, "Failed to bump RLIMIT", 21) && strchr(at, '\n'))
		at = strchr(at, '\n') + 1;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

const char *bpf_strerror(int err)
{
	static char text[128];

	if (err == ENOTSUPP_KERNEL)
		return "Operation not supported";
	libbpf_strerror(err, text, sizeof(text));
	return text;
}

void side_enter(const struct side *s)
{
	skep_bpf_bind(s->k);
}

/* --- A kernel --------------------------------------------------------------------------------- */

static void on_trace(void *arg, const char *line, size_t len)
{
	(void)arg;
	fprintf(stderr, "%.*s\n", (int)len, line);
}

static void on_fault(void *arg, const char *text)
{
	struct side *s = arg;

	snprintf(s->fault, sizeof(s->fault), "%s", text);
}

/* Gives maps that want to be pinned a directory of this run alone. False: none wants to. */
static bool pins_prepare(struct side *s)
{
	const char *path, *name;
	struct bpf_map *map;
	char own[sizeof(s->bpffs) + 256];

	bpf_object__for_each_map(map, s->obj) {
		path = bpf_map__pin_path(map);
		if (!path)
			continue;
		if (!s->bpffs[0]) {
			strcpy(s->bpffs, "/tmp/skep-bpffs-XXXXXX");
			if (!mkdtemp(s->bpffs)) {
				s->bpffs[0] = 0;
				return false;
			}
		}
		name = strrchr(path, '/');
		snprintf(own, sizeof(own), "%s/%s", s->bpffs, name ? name + 1 : path);
		bpf_map__set_pin_path(map, own);
	}
	return s->bpffs[0];
}

int side_start(struct side *s, const struct exec_options *o)
{
	struct skep_options options = {
		.size = sizeof(options),
		.engine = o->engine,
		.trust_programs = o->trust,
		.publish_jit_names = 1,
		.trace = on_trace,
		.fault = on_fault,
		.fault_arg = s,
		.bpffs = s->obj && pins_prepare(s) ? s->bpffs : NULL,
	};
	int err = skep_new(&options, &s->k);

	if (err == -ENOTSUP)
		return fail(EXIT_UNSUPPORTED, "there is no JIT for this CPU; leave --jit out");
	if (err)
		return fail(EXIT_FAILED, "cannot start a Skep: %s", strerror(-err));
	side_enter(s);
	return 0;
}

void side_close(struct side *s)
{
	side_enter(s);
	skep_prog_put(s->skep_prog);
	bpf_object__close(s->obj);
	skep_bpf_bind(NULL);
	run_free(&s->run);
	skep_free(s->k);
	if (s->bpffs[0])
		rmdir(s->bpffs);
}

/* --- Why it failed ---------------------------------------------------------------------------- */

/* In libbpf's "map 'NAME': failed to create: ..." */
static struct bpf_map *failed_map(struct bpf_object *obj, int *err)
{
	const char *at = chatter.text, *end;
	char name[256];
	int n, m;

	for (; (at = strstr(at, "map '")); at += 5) {
		n = m = 0;
		sscanf(at, "map '%255[^']': failed to create: %n%*[^(\n](%d)%n", name, &n, err, &m);
		end = at + n;
		if (n && m && *end) {
			*err = -*err;
			return bpf_object__find_map_by_name(obj, name);
		}
	}
	return NULL;
}

static int fail_map(const struct side *s, const char *path, const struct bpf_map *map, int err)
{
	enum bpf_map_type type = bpf_map__type(map);
	const char *type_name = libbpf_bpf_map_type_str(type);
	const char *where = file_name(path), *name = bpf_map__name(map);

	if (!type_name)
		return fail(EXIT_BAD_INPUT, "%s: map '%s' has type %u, which is no map type; correct its "
		            "definition", where, name, type);
	if (s->k && libbpf_probe_bpf_map_type(type, NULL) == 0)
		return fail(EXIT_UNSUPPORTED, "%s: map '%s' is a %s map, a type that is not in Skep; "
		            "--on kernel can run it", where, name, type_name);
	return fail(err == EPERM ? EXIT_FAILED : EXIT_BAD_INPUT,
	            "%s: the %s refuses map '%s' (%s, key %u, value %u, %u entries, flags %#x): %s; "
	            "correct its definition", where, s->name, name, type_name, bpf_map__key_size(map),
	            bpf_map__value_size(map), bpf_map__max_entries(map), bpf_map__map_flags(map),
	            bpf_strerror(err));
}

/* The line of a verifier's log that says why: the last one that is no statistics. */
static void log_reason(char *log, char *line, size_t size)
{
	char *save = NULL;

	line[0] = 0;
	for (char *at = strtok_r(log, "\n", &save); at; at = strtok_r(NULL, "\n", &save))
		if (strncmp(at, "processed ", 10) && strncmp(at, "verification time", 17) &&
		    strncmp(at, "stack depth", 11))
			snprintf(line, size, "%s", at);
}

/* In libbpf's "prog 'NAME': BPF program load failed: ..." and "prog 'NAME': missing BPF prog type ..." */
static const char *failed_prog(void)
{
	static char name[256];
	const char *at = strstr(chatter.text, "prog '");

	return at && sscanf(at, "prog '%255[^']'", name) == 1 ? name : NULL;
}

static int fail_prog(const struct side *s, const char *path, const char *prog, int err, char *log)
{
	const char *where = file_name(path);
	const struct bpf_program *p = bpf_object__find_program_by_name(s->obj, prog);
	char reason[512];

	if (p && bpf_program__type(p) == BPF_PROG_TYPE_UNSPEC)
		return fail(EXIT_BAD_INPUT, "%s: program '%s' is in section '%s', which stands for no "
		            "program type; name it as libbpf does, like SEC(\"xdp\")", where, prog,
		            bpf_program__section_name(p));
	log_reason(log, reason, sizeof(reason));
	if (err == ENOTSUPP_KERNEL && s->k)
		return fail(EXIT_UNSUPPORTED, "%s: program '%s': %s; --on kernel can run it", where, prog,
		            reason[0] ? reason : "it needs something that is not in Skep");
	if (s->k && !reason[0] && p && libbpf_probe_bpf_prog_type(bpf_program__type(p), NULL) == 0)
		return fail(EXIT_UNSUPPORTED, "%s: program '%s' has type %s, which is not in Skep; "
		            "--on kernel can run it", where, prog,
		            libbpf_bpf_prog_type_str(bpf_program__type(p)));
	if (!s->k && err == EPERM && !reason[0])
		return fail(EXIT_FAILED, "%s: the kernel lets nobody without CAP_BPF load programs; run "
		            "it as root, or without --on", where);
	return fail(EXIT_FAILED, "%s: program '%s' is rejected by the %s: %s", where, prog,
	            s->k ? "verifier" : "kernel", reason[0] ? reason : bpf_strerror(err));
}

static int fail_load(const struct side *s, const char *path, int err, char *log)
{
	int map_err = 0;
	const struct bpf_map *map = failed_map(s->obj, &map_err);
	const char *prog;

	if (map)
		return fail_map(s, path, map, map_err);
	prog = failed_prog();
	if (prog)
		return fail_prog(s, path, prog, err, log);
	if (err == EPERM && !s->k)
		return fail(EXIT_FAILED, "%s: the kernel does not permit bpf(2): run as root, or "
		            "without --on", file_name(path));
	return fail(EXIT_BAD_INPUT, "%s: %s", file_name(path),
	            first_complaint()[0] ? first_complaint() : bpf_strerror(err));
}

/* --- Loading ---------------------------------------------------------------------------------- */

/* "a, b, c" of all programs. */
static void list_programs(struct bpf_object *obj, char *to, size_t size)
{
	struct bpf_program *p;
	size_t len = 0;

	to[0] = 0;
	bpf_object__for_each_program(p, obj)
		if (len < size)
			len += (size_t)snprintf(to + len, size - len, "%s%s", len ? ", " : "",
			                        bpf_program__name(p));
}

static int find_entry(struct side *s, const struct exec_options *o)
{
	struct bpf_program *first = bpf_object__next_program(s->obj, NULL);
	char names[512];

	if (!first)
		return fail(EXIT_BAD_INPUT, "%s: no program in it; programs stand in sections like "
		            "SEC(\"xdp\")", file_name(o->object));
	list_programs(s->obj, names, sizeof(names));
	if (o->prog) {
		s->prog = bpf_object__find_program_by_name(s->obj, o->prog);
		if (!s->prog)
			return fail(EXIT_BAD_INPUT, "%s: no program '%s' in it; there is: %s",
			            file_name(o->object), o->prog, names);
		return 0;
	}
	if (bpf_object__next_program(s->obj, first))
		return fail(EXIT_USAGE, "%s: several programs, choose one with --prog: %s",
		            file_name(o->object), names);
	s->prog = first;
	return 0;
}

static int load(struct side *s, const struct exec_options *o, const uint8_t *elf, size_t len, char *log)
{
	char name[64];
	struct bpf_program *p;
	struct bpf_map *map;
	const char *base = strrchr(o->object, '/');
	DECLARE_LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log,
	                    .kernel_log_size = LOG_SIZE, .object_name = name);
	int err;

	base = base ? base + 1 : o->object;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
	s->obj = bpf_object__open_mem(elf, len, &opts);
	if (!s->obj) {
		err = errno;
		return fail(EXIT_BAD_INPUT, "%s: %s", file_name(o->object),
		            first_complaint()[0] ? first_complaint() : bpf_strerror(err));
	}
	err = find_entry(s, o);
	if (err)
		return err;
	if (s->on_kernel) {
		/* A test leaves nothing on the machine, and changes no map that others have pinned. */
		bpf_object__for_each_map(map, s->obj)
			bpf_map__set_pin_path(map, NULL);
	} else {
		err = side_start(s, o);
		if (err)
			return err;
	}
	/* What the entry may tail-call is of its type; anything else in the object is not needed. */
	bpf_object__for_each_program(p, s->obj)
		bpf_program__set_autoload(p, bpf_program__type(p) == bpf_program__type(s->prog));
	err = bpf_object__load(s->obj);
	if (err)
		return fail_load(s, o->object, -err, log);
	s->fd = bpf_program__fd(s->prog);
	return 0;
}

int side_load(struct side *s, const struct exec_options *o, const uint8_t *elf, size_t len)
{
	char *log = calloc(1, LOG_SIZE);
	struct sigaction before[NDEADLY];
	int err;

	if (!log)
		return fail(EXIT_FAILED, "out of memory");
	s->fd = -1;
	side_enter(s);
	chatter_reset(o->verbose);
	deadly_catch(file_name(o->object), before);
	err = load(s, o, elf, len, log);
	deadly_restore(before);
	free(log);
	if (!err && s->k && skep_prog_from_fd(s->k, s->fd, &s->skep_prog))
		return fail(EXIT_FAILED, "%s: the loaded program cannot be found again", o->object);
	return err;
}
