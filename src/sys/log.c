/* SPDX-License-Identifier: BSD-2-Clause */
/* Logs of bpf(2)'s callers: see log.h. */
#include "sys/log.h"

#include <errno.h>

#include "sys/bpf.h"

enum { LOG_FIXED = 8, LOG_LEVELS = 15 };

int log_check(struct log *log)
{
	if (!log->addr != !log->size || (log->addr && !log->level))
		return -EINVAL;
	if (log->level & ~(uint32_t)LOG_LEVELS || log->size > UINT32_MAX >> 2)
		return -EINVAL;
	log->wanted = log->level != 0;
	return 0;
}

struct buf *log_text(struct log *log)
{
	return log->wanted ? &log->text : NULL;
}

static int write_out(const struct log *log, struct call *call)
{
	size_t from = 0, len = log->text.len;
	bool cut = log->addr && len + 1 > log->size;
	int err = 0;

	if (log->text.failed)
		return -ENOMEM;
	if (call->usize >= log->true_size_field + sizeof(uint32_t))
		err = call_answer(call, log->true_size_field, (uint32_t)len + 1);
	if (err || !log->addr)
		return err;
	if (cut) {
		from = log->level & LOG_FIXED ? 0 : len + 1 - log->size;
		len = log->size - 1;
	}
	err = client_write(call->c, log->addr, log->text.data + from, len);
	if (!err)
		err = client_write(call->c, log->addr + len, "", 1);
	return err ? err : cut ? -ENOSPC : 0;
}

int log_finish(struct log *log, struct call *call, int err)
{
	int log_err = log->wanted ? write_out(log, call) : 0;

	buf_free(&log->text);
	return log_err ? log_err : err;
}
