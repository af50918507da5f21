/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The skep command: what its commands share.
 *
 * A command is a file (exec.c, asm.c ...) that ends in its struct command, and a row in main.c's table.
 * It parses its own options with getopt_long(), writes its result through one struct out (text or JSON,
 * described once), and says what went wrong in one line on stderr: what, where, why, what to do.
 */
#ifndef SKEP_CLI_CLI_H
#define SKEP_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,      /* rejected by the verifier, failed while running, results differ */
	EXIT_USAGE = 2,       /* an option or argument that makes no sense */
	EXIT_BAD_INPUT = 3,   /* a file that is not there, damaged, or not what it should be */
	EXIT_UNSUPPORTED = 4, /* fine as such, but not in Skep; never used for a rejection */
};

struct command {
	const char *name;
	const char *args;    /* after the name: "OBJ [options]" */
	const char *summary; /* one line of `skep help` */
	const char *help;    /* options and examples: lines of at most 80 columns */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; answers an exit code */
};

extern const struct command command_asm, command_disasm, command_exec, command_explain, command_filter,
	command_ps, command_run, command_seccomp, command_verify;

/* --- Messages -------------------------------------------------------------------------------- */

/* Prints "skep: TEXT" as one line on stderr and answers code: `return fail(EXIT_BAD_INPUT, ...)`. */
int fail(enum exit_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a mistake on the command line, with a pointer to the command's help. */
int fail_usage(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints "skep: TEXT" and goes on. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What -h prints; answers EXIT_OK. */
int command_help(const struct command *c);

/* --- Input ----------------------------------------------------------------------------------- */

/*
 * Reads a whole file, "-" for stdin. *data is malloc()ed, with a 0 byte behind its *len bytes. 0, or the
 * exit code after a message was printed (nothing to free).
 */
int file_read(const char *path, uint8_t **data, size_t *len);
/* What messages call a path: itself, or "standard input" for "-". */
const char *file_name(const char *path);
/* Hexadecimal digits, in which blanks, commas, ':' and 0x in front of a group are skipped. 0 or -EINVAL. */
int hex_parse(const char *text, size_t len, uint8_t **data, size_t *n);

/* elf.c: 0, or the exit code after a message, when the bytes are no little-endian ELF object for BPF. */
int elf_check(const char *path, const uint8_t *data, size_t len);

/* --- Output ---------------------------------------------------------------------------------- */

/*
 * One description of a result, two forms. In JSON the whole is one object, printed at the end; in text a
 * value is a line `name  value`, an object a headline with its members below, a list of objects a table.
 * Names are JSON keys with underscores, which text shows as blanks; within a list they are NULL.
 */
struct out;

struct out *out_new(bool json); /* to stdout; never NULL: ends the process when there is no memory */
/* Prints what is pending and frees. EXIT_OK, or EXIT_FAILED after a message where stdout is gone. */
int out_end(struct out *o);
bool out_is_json(const struct out *o);

void out_object(struct out *o, const char *name);
void out_list(struct out *o, const char *name);
void out_close(struct out *o); /* of the innermost open object or list */

void out_str(struct out *o, const char *name, const char *value); /* NULL: null, in text "-" */
void out_uint(struct out *o, const char *name, uint64_t value);   /* text: 1,234,567 */
void out_int(struct out *o, const char *name, int64_t value);
void out_hex(struct out *o, const char *name, uint64_t value); /* "0x1f", a string in JSON as well */
void out_real(struct out *o, const char *name, double value, int decimals);
void out_bool(struct out *o, const char *name, bool value);       /* text: yes, no */
void out_bytes(struct out *o, const char *name, const void *bytes, size_t len); /* hex digits */

/* For people only: printed as it is, nothing in JSON. At top level it goes out at once. */
void out_text(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
