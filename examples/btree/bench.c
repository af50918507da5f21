/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups in an index. In one process: the walk in BPF and in C. With the storage behind a socket, as over
 * a network: the client asks for each page of the walk, or the storage walks by the client's program and
 * only the value comes back.
 */
#include <pthread.h>
#include <sys/socket.h>

#include "../kit.h"
#include "store.h"

enum { KEYS = 200000, ASKED = 20000, ROUNDS = 5 };

static struct {
	struct store s;
	struct skep *k;
	struct skep_prog *prog;
	int client, server;
} b;

/* A request is a page number, or with the top bit set a key; the answer a page, or the request done. */
static const unsigned long long KEY = 1ull << 63;

static void *storage(void *arg)
{
	struct skep_cpu *cpu = skep_cpu_enter(b.k);
	unsigned long long n;

	while (recv(b.server, &n, sizeof(n), 0) == sizeof(n)) {
		struct request r = {.seen = {.key = n & ~KEY, .page = (uintptr_t)&b.s.root}, .store = &b.s};

		if (n & KEY)
			skep_run(b.prog, &r, cpu);
		if (send(b.server, n & KEY ? (const void *)&r.seen : store_read(&b.s, n),
		         n & KEY ? sizeof(r.seen) : PAGE, 0) < 0)
			break;
	}
	skep_cpu_leave(cpu);
	return arg;
}

static void ask(unsigned long long request, void *answer, size_t size)
{
	if (send(b.client, &request, sizeof(request), 0) < 0 || recv(b.client, answer, size, 0) < 0)
		exit(1);
}

static void by_page(unsigned long long key)
{
	static struct page page;
	struct page *p = &b.s.root; /* which the client keeps */

	while (!p->leaf) {
		unsigned int at = 0;

		while (at + 1 < p->n && p->key[at + 1] <= key)
			at++;
		ask(p->to[at], &page, PAGE);
		p = &page;
	}
}

static void look_up(int how, unsigned long long key, struct skep_cpu *cpu)
{
	struct request r = {.seen = {.key = key, .page = (uintptr_t)&b.s.root}, .store = &b.s};
	unsigned long long value;

	if (how == 0)
		skep_run(b.prog, &r, cpu);
	else if (how == 1)
		store_lookup(&b.s, key, &value);
	else if (how == 2)
		by_page(key);
	else
		ask(key | KEY, &r.seen, sizeof(r.seen));
}

int main(void)
{
	double best[4] = {1e18, 1e18, 1e18, 1e18};
	struct skep_cpu *cpu;
	pthread_t thread;
	int pair[2];

	b.k = kit_kernel(SKEP_ENGINE_AUTO);
	skep_libbpf_section(&btree_type);
	if (!store_open(&b.s, KEYS) || btree_add(b.k, NULL) || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return 1;
	b.client = pair[0];
	b.server = pair[1];
	b.prog = kit_prog(b.k, kit_load(OBJECTS "/btree.bpf.o"), NULL);
	pthread_create(&thread, NULL, storage, NULL);
	cpu = skep_cpu_enter(b.k);
	for (int round = 0; round < ROUNDS; round++)
		for (int how = 0; how < 4; how++) {
			double t = kit_ns();

			for (unsigned long long i = 0; i < ASKED; i++)
				look_up(how, i * 48271 % (7ull * KEYS), cpu);
			t = (kit_ns() - t) / ASKED;
			best[how] = t < best[how] ? t : best[how];
		}
	close(b.client);
	pthread_join(thread, NULL);
	printf("in one process: BPF %.0f ns, C %.0f ns (x%.2f)\n", best[0], best[1], best[0] / best[1]);
	printf("behind a socket: a call for each page %.0f ns, the walk as a program %.0f ns (x%.2f)\n", best[2],
	       best[3], best[2] / best[3]);
	return 0;
}
