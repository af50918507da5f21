/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf(2)'s commands on BTF. What is valid: btf/. */
#include <errno.h>
#include <string.h>

#include "core/caps.h"
#include "core/btf.h"
#include "core/record.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/info.h"
#include "sys/log.h"

static int load(struct call *call, struct log *log, struct btf **out)
{
	const struct attr_btf_load *a = &call->a.btf_load;
	void *bytes;
	int err = client_copy(call->k, call->c, a->btf, a->btf_size, &bytes);

	if (!err)
		err = btf_new(call->k, bytes, a->btf_size, log_text(log), out);
	return err ? err : record_parse_all(*out);
}

int cmd_btf_load(struct call *call)
{
	const struct attr_btf_load *a = &call->a.btf_load;
	struct log log = {
		.addr = a->log_buf,
		.level = a->log_level,
		.size = a->log_size,
		.true_size_field = offsetof(struct attr_btf_load, log_true_size),
	};
	struct btf *btf = NULL;
	int err;

	if (a->btf_flags)
		return -EINVAL;
	if (!capable(call->c->caps, CAPABLE_BPF))
		return -EPERM;
	if (a->btf_size > BTF_MAX_SIZE)
		return -E2BIG;
	err = log_check(&log);
	if (err)
		return err;
	err = log_finish(&log, call, load(call, &log, &btf));
	if (!err)
		err = obj_publish(&btf->obj);
	if (!err)
		err = fd_install(call->c, &btf->obj, ACCESS_RW);
	if (btf)
		obj_put(&btf->obj);
	return err;
}

/* A name that does not fit is cut, and the caller told. */
static int answer_name(struct call *call, const struct btf_info *info, const char *name)
{
	uint32_t len = (uint32_t)strlen(name), fit = info->name_len > len ? len : info->name_len - 1;
	int err = client_write(call->c, info->name, name, fit);

	if (!err)
		err = client_write(call->c, info->name + fit, "", 1);
	return err ? err : fit < len ? -ENOSPC : 0;
}

int btf_info_answer(struct call *call, struct obj *o)
{
	const struct btf *btf = (struct btf *)o;
	struct btf_info info = {0};
	uint32_t room;
	int end;
	int err = info_begin(call, &info, sizeof(info));

	if (err)
		return err;
	if (!info.name != !info.name_len)
		return -EINVAL;
	room = info.btf_size < btf->data.nbytes ? info.btf_size : btf->data.nbytes;
	err = client_write(call->c, info.btf, btf->data.bytes, room);
	if (!err && info.name)
		err = answer_name(call, &info, btf->kernel ? "vmlinux" : "");
	if (err && err != -ENOSPC)
		return err;
	info.name_len = btf->kernel ? sizeof("vmlinux") - 1 : 0;
	info.btf_size = btf->data.nbytes;
	info.id = btf->obj.id;
	info.kernel_btf = btf->kernel;
	end = info_end(call, &info, sizeof(info));
	return end ? end : err;
}
