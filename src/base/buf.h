/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing piece of text or bytes. An allocation that fails is remembered in `failed` and everything
 * appended afterwards is dropped, so a caller checks once, at the end.
 */
#ifndef SKEP_BASE_BUF_H
#define SKEP_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* malloc()ed; NUL-terminated once anything was appended; NULL when empty */
	size_t len, cap;
	bool failed;
};

void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args);
void buf_free(struct buf *b);

#endif
