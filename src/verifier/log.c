/* SPDX-License-Identifier: BSD-2-Clause */
/* The verifier's words: rejections, by the table in reject.def. */
#include <errno.h>

#include "base/buf.h"
#include "verifier/state.h"

static const struct {
	int error;
	const char *format;
} rejects[] = {
#define REJECT(code, name, error, format) [REJECT_##name] = {error, format},
#include "verifier/reject.def"
#undef REJECT
};

int reject(const struct verifier *v, enum reject why, ...)
{
	struct buf *log = v->env->log;
	va_list args;

	if (log) {
		va_start(args, why);
		buf_vprintf(log, rejects[why].format, args);
		va_end(args);
		buf_puts(log, "\n");
	}
	return -rejects[why].error;
}
