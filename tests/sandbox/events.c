/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An application with plain libbpf: loads events.bpf.o, runs it, and consumes its ring buffer through
 * epoll, from a thread that sleeps in ring_buffer__poll() while another runs the program.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS = 2000 };

static long seen, wrong;

static int got(void *arg, void *data, size_t size)
{
	long value;

	memcpy(&value, data, sizeof(value));
	wrong += size != sizeof(value) || value != seen;
	seen++;
	return 0;
}

static void *run(void *arg)
{
	char packet[64] = {0};
	int fd = *(int *)arg;

	for (int i = 0; i < EVENTS; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = sizeof(packet));

		/* The ring has room for 256: whoever finds it full comes again. */
		while (bpf_prog_test_run_opts(fd, &o) != 0 || o.retval != 2)
			usleep(100);
		if (i % 500 == 0)
			usleep(20000); /* let the consumer fall asleep */
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct bpf_object *o = bpf_object__open(argv[1]);
	struct ring_buffer *ring;
	pthread_t thread;
	int fd, idle = 0;

	if (!o || bpf_object__load(o) != 0)
		return 1;
	fd = bpf_program__fd(bpf_object__find_program_by_name(o, "emit"));
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(o, "events"), got, NULL, NULL);
	if (!ring || pthread_create(&thread, NULL, run, &fd) != 0)
		return 1;
	while (seen < EVENTS && idle < 50)
		idle = ring_buffer__poll(ring, 100) > 0 ? 0 : idle + 1;
	pthread_join(thread, NULL);
	printf("%ld events, %ld wrong\n", seen, wrong);
	ring_buffer__free(ring);
	bpf_object__close(o);
	return seen != EVENTS || wrong;
}
