/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2) with any attributes, by a client whose memory and descriptors are made up.
 *
 * The input is a list of steps. A step names a command, takes attributes that would be fine,
 * changes some words of them, and calls; or it writes into the client's memory. Descriptors are
 * numbered in the order in which they are handed out, so that small numbers are likely to hit.
 * Nothing may crash, every answer is 0, a descriptor or an errno, and no memory is left over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/caps.h"
#include "core/attach.h"
#include "fuzz.h"
#include "isa/insn.h"
#include "skep.h"
#include "sys/attr.h"
#include "sys/bpf.h"
#include "sys/fd.h"

enum { MEMORY = 8192, MAX_FDS = 24, MAX_STEPS = 60, FUEL = 5000, BASE = 0x10000 };

/* Where things are in the client's memory at first. */
enum {
	INSNS = 0,
	LICENSE = 256,
	BTF = 512,
	KEY = 1024,
	VALUE = 1088,
	LOG = 2048,
	INFO = 3072,
	DATA = 4096,
};

struct world {
	struct client client; /* first */
	const uint8_t *in;
	size_t left;
	int fd[MAX_FDS];
	unsigned nfds;
	uint8_t memory[MEMORY];
};

static long blocks; /* allocated and not freed */

static void *counted_alloc(void *arg, size_t size)
{
	void *block = size < 1 << 20 ? malloc(size) : NULL;

	(void)arg;
	blocks += block != NULL;
	return block;
}

static void counted_free(void *arg, void *block)
{
	(void)arg;
	blocks--;
	free(block);
}

static bool few_pages(void *arg, size_t size)
{
	(void)arg;
	return size <= 1 << 20;
}

/* --- The client --------------------------------------------------------------------------- */

static uint8_t *at(struct world *w, uint64_t addr, size_t len)
{
	if (addr < BASE || addr - BASE > MEMORY || len > MEMORY - (addr - BASE))
		return NULL;
	return w->memory + (addr - BASE);
}

static int world_read(struct client *c, void *to, uint64_t addr, size_t len)
{
	const uint8_t *from = at((struct world *)c, addr, len);

	if (!from)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

static int world_write(struct client *c, uint64_t addr, const void *from, size_t len)
{
	uint8_t *to = at((struct world *)c, addr, len);

	if (!to)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

static int world_install(struct client *c, int fd)
{
	struct world *w = (struct world *)c;

	if (w->nfds == MAX_FDS) {
		close(fd);
		return -EMFILE;
	}
	w->fd[w->nfds] = fd;
	return (int)w->nfds++;
}

static int world_identify(struct client *c, int fd, dev_t *dev, ino_t *ino)
{
	struct world *w = (struct world *)c;
	struct stat st;

	if (fd < 0 || (unsigned)fd >= w->nfds || fstat(w->fd[fd], &st) != 0)
		return -EBADF;
	*dev = st.st_dev;
	*ino = st.st_ino;
	return 0;
}

static int world_status(struct client *c, int fd)
{
	return client_self_ops.status(c, ((struct world *)c)->fd[fd]);
}

static int world_open(struct client *c, int dirfd, const char *path, int flags, mode_t mode)
{
	return -ENOENT;
}

static const struct client_ops world_ops = {
	.read = world_read,
	.write = world_write,
	.install = world_install,
	.identify = world_identify,
	.status = world_status,
	.open = world_open,
};

/* --- Attributes that are fine ------------------------------------------------------------- */

static const struct insn program[] = {
	{.code = 0x18, .dst = 1, .src = 1}, {.code = 0}, /* the map of descriptor 0 */
	{.code = 0xbf, .dst = 2, .src = 10}, {.code = 0x07, .dst = 2, .imm = -8},
	{.code = 0x7a, .dst = 10, .off = -8},
	{.code = 0x85, .imm = 1}, {.code = 0x15, .off = 1}, {.code = 0x7a, .off = 0, .imm = 3},
	{.code = 0xb7, .imm = 2}, {.code = 0x95},
};

static const uint32_t btf[] = {
	0x1eb9f, 24, 0, 16, 16, 5, /* header */
	1, 1 << 24, 4, 1 << 24 | 32, /* int */
	0x746e6900, 0, /* "\0int" */
};

static union attr template(unsigned cmd)
{
	union attr a = {0};

	switch (cmd) {
	case 0:
		a.map_create = (struct attr_map_create){.map_type = 1, .key_size = 4,
		                                        .value_size = 8,
		                                        .max_entries = 4};
		break;
	case 1: case 2: case 3: case 4:
		a.elem = (struct attr_map_elem){.key = BASE + KEY,
		                                .value = cmd == 3 ? 0 : BASE + VALUE};
		break;
	case 5:
		a.prog_load = (struct attr_prog_load){
			.prog_type = 6, .insn_cnt = sizeof(program) / 8, .insns = BASE + INSNS,
			.license = BASE + LICENSE, .log_level = 1, .log_size = 512,
			.log_buf = BASE + LOG,
		};
		break;
	case 10:
		a.test_run = (struct attr_test_run){.prog_fd = 1, .data_size_in = 64,
		                                    .data_in = BASE + DATA, .data_size_out = 1000,
		                                    .data_out = BASE + DATA + 1024};
		break;
	case 15:
		a.info = (struct attr_info){.info_len = 232, .info = BASE + INFO};
		break;
	case 18:
		a.btf_load = (struct attr_btf_load){.btf = BASE + BTF, .btf_size = 24 + 16 + 5,
		                                    .log_buf = BASE + LOG, .log_size = 512,
		                                    .log_level = 1};
		break;
	case 8:
	case 9:
		a.attach = (struct attr_attach){.target = 1, .attach_bpf_fd = 1,
		                                .attach_type = BPF_TCX_INGRESS};
		break;
	case 16:
		a.query = (struct attr_query){.target = 1, .attach_type = BPF_TCX_INGRESS,
		                              .prog_ids = BASE + DATA, .count = 8};
		break;
	case 21:
		a.elem = (struct attr_map_elem){.key = BASE + KEY, .value = BASE + VALUE};
		break;
	case 24: case 25: case 26: case 27:
		a.batch = (struct attr_map_batch){.out_batch = BASE + INFO, .keys = BASE + KEY,
		                                  .values = BASE + VALUE, .count = 4};
		break;
	case 28:
		a.link_create = (struct attr_link_create){.prog_fd = 1, .target = 1,
		                                          .attach_type = BPF_XDP};
		break;
	case 29:
		a.link_update = (struct attr_link_update){.link_fd = 2, .new_fd = 1};
		break;
	case 33: case 34:
		a.link_fd = (struct attr_link_fd){.link_fd = 2};
		break;
	case 37:
		a.stream_read = (struct attr_stream_read){.stream_id = 1, .prog_fd = 1};
		break;
	case 35:
		a.bind_map = (struct attr_bind_map){.prog_fd = 1};
		break;
	}
	return a;
}

/* --- Steps -------------------------------------------------------------------------------- */

static unsigned draw(struct world *w)
{
	if (!w->left)
		return 0;
	w->left--;
	return *w->in++;
}

/* Numbers that are likely to matter: small ones, addresses in the memory, edges. */
static uint64_t draw_value(struct world *w)
{
	unsigned kind = draw(w), low = draw(w);

	switch (kind % 6) {
	case 0:
	case 1:
		return low;
	case 2:
		return BASE + low * 32;
	case 3:
		return (uint64_t)-1 - low;
	case 4:
		return (uint64_t)low << (draw(w) % 56);
	}
	return low | draw(w) << 8 | draw(w) << 16 | (uint64_t)draw(w) << 24;
}

static void step_memory(struct world *w)
{
	unsigned to = (draw(w) | draw(w) << 8) % MEMORY, n = draw(w) % 32;

	for (unsigned i = 0; i < n && to + i < MEMORY; i++)
		w->memory[to + i] = (uint8_t)draw(w);
}

static void step_call(struct world *w, struct skep *k, unsigned what)
{
	static const uint8_t common[] = {0, 1, 2, 3, 4, 5, 10, 15, 18, 22, 35, 8, 9, 16, 21, 24,
	                                 25, 26, 27, 28, 29, 30, 31, 32, 33, 34};
	unsigned cmd = what < 200 ? common[what % sizeof(common)] : what - 200;
	union attr a = template(cmd);
	unsigned patches = draw(w) % 5, size = ATTR_SIZE;
	/* Attributes are read where the client keeps them: behind its memory for all else. */
	uint64_t where = BASE + MEMORY - 512;
	int ret;

	while (patches--) {
		unsigned offset = draw(w) % (ATTR_SIZE / 4) * 4;
		uint64_t value = draw_value(w);

		memcpy(a.bytes + offset, &value, offset + 8 <= ATTR_SIZE && draw(w) % 2 ? 8 : 4);
	}
	if (draw(w) % 8 == 7)
		size = draw(w) * 2;
	a.test_run.repeat &= cmd == 10 ? 7 : ~0u;
	memcpy(w->memory + MEMORY - 512, &a, sizeof(a));
	ret = bpf_command(k, &w->client, (int)cmd, where, size);
	if (ret < -4095 || ret >= MAX_FDS)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct skep_options o = {.size = sizeof(o), .alloc = counted_alloc, .free = counted_free,
	                         .vmlinux = ""};
	struct skep *k;

	blocks = 0;
	if (skep_new(&o, &k) != 0)
		return 0;
	k->mem.may_map = few_pages;
	for (unsigned i = 0; i < k->ncpus; i++)
		k->cpus[i].fuel = FUEL;
	memset(&w, 0, sizeof(w));
	w.client = (struct client){.ops = &world_ops, .caps = CAPS_ALL};
	w.in = data;
	w.left = size;
	memcpy(w.memory + INSNS, program, sizeof(program));
	memcpy(w.memory + LICENSE, "GPL", 4);
	memcpy(w.memory + BTF, btf, sizeof(btf));
	/*
	 * A map, and usually a program that uses it, so that the first steps have something to work
	 * on.
	 */
	step_call(&w, k, 0);
	for (unsigned i = 0; w.left && i < MAX_STEPS; i++) {
		unsigned what = draw(&w);

		if (what % 8 == 7 && what < 200)
			step_memory(&w);
		else
			step_call(&w, k, what);
	}
	for (unsigned i = 0; i < w.nfds; i++)
		close(w.fd[i]);
	fd_sweep(k);
	attach_exit(k); /* what BPF_PROG_ATTACH attached stays otherwise */
	if (attach_init(k) != 0)
		abort();
	for (int kind = 0; kind < OBJ_KINDS; kind++)
		if (k->ids[kind].used)
			abort(); /* something is held by nobody */
	skep_free(k);
	if (blocks)
		abort();
	return 0;
}
