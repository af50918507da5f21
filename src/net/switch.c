/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch: see switch.h.
 *
 * Where a station is, is learned from the frames it sends; who is not known gets what everybody gets.
 * A frame lies in a buffer with room around it, as programs may make it longer; going to several ports
 * it is copied for each, since programs at each may change it.
 */
#define _GNU_SOURCE
#include "net/switch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/pkt.h"
#include "net/capture.h"
#include "net/verdict.h"

enum {
	STATIONS = 64,
	AT_ONCE = 64,  /* frames of one port before the next gets its turn */
	HOPS_MAX = 8,  /* redirects of one frame */
	BUFFER = PKT_HEADROOM + SWITCH_FRAME + PKT_TAILROOM,
	ETH = 14,
};

struct station {
	uint8_t mac[6];
	int port;
};

struct switch_ {
	struct switch_options o;
	uint8_t host_mac[6];
	pthread_mutex_t lock; /* of ports; they are only added */
	struct switch_port ports[SWITCH_PORTS];
	_Atomic unsigned nports;
	int wake[2]; /* a pipe: there is another port */
	struct station stations[STATIONS];
	unsigned next_station;
};

static void carry(struct switch_ *s, int from, struct switch_frame *f, struct cpu *cpu, int hops);

static void record(struct switch_ *s, const struct switch_frame *f, const char *what)
{
	struct timespec now;
	uint32_t len = (uint32_t)(f->end - f->data);

	if (!s->o.capture)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	pcapng_write_packet(s->o.capture, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
	                    f->data, len, len, what);
	fflush(s->o.capture);
}

/* A copy of the frame's bytes in a buffer of its own. */
static void copy_frame(struct switch_frame *to, uint8_t buffer[BUFFER], const struct switch_frame *from)
{
	size_t len = (size_t)(from->end - from->data);

	*to = (struct switch_frame){buffer, buffer + PKT_HEADROOM, buffer + PKT_HEADROOM + len,
	                            buffer + BUFFER};
	memcpy(to->data, from->data, len);
}

/* --- Sending ------------------------------------------------------------------------------ */

static void put_out(struct switch_ *s, int port, const struct switch_frame *f)
{
	/* What the device has no room for is lost, as on any wire. */
	if (write(s->ports[port].fd, f->data, (size_t)(f->end - f->data)) < 0)
		return;
}

static int port_of_device(const struct switch_ *s, uint32_t ifindex)
{
	for (unsigned i = 0; i < s->nports; i++)
		if (ifindex && s->ports[i].ifindex == ifindex)
			return (int)i;
	return -1;
}

static void leave(struct switch_ *s, int port, struct switch_frame *f, struct cpu *cpu, int hops);
static void enter(struct switch_ *s, int port, struct switch_frame *f, struct cpu *cpu, int hops);

/* Where a verdict other than PASS leads. `port`: where it was given. */
static void follow(struct switch_ *s, int port, struct verdict v, struct switch_frame *f, bool generic,
                   struct cpu *cpu, int hops)
{
	int to = v.what == VERDICT_BACK ? port : port_of_device(s, v.ifindex);

	if (v.what == VERDICT_DROP || to < 0 || hops >= HOPS_MAX) {
		record(s, f, v.what == VERDICT_DROP ? "dropped" : "redirected to nowhere");
		return;
	}
	if (v.what == VERDICT_REDIRECT_IN)
		enter(s, to, f, cpu, hops + 1);
	else if (generic)
		leave(s, to, f, cpu, hops + 1); /* tc: through its egress programs */
	else
		carry(s, to, f, cpu, hops + 1); /* XDP: from the driver onto the wire */
}

/* A frame that enters a sandbox by this port. */
static void enter(struct switch_ *s, int port, struct switch_frame *f, struct cpu *cpu, int hops)
{
	uint32_t ifindex = s->ports[port].ifindex;
	struct verdict v = {VERDICT_PASS, 0};
	bool generic = false;

	if (ifindex) {
		v = verdict_xdp(s->o.k, ifindex, f, cpu);
		if (v.what == VERDICT_PASS) {
			generic = true;
			v = verdict_tc(&s->o, ifindex, false, f, cpu);
		}
	}
	if (v.what != VERDICT_PASS) {
		follow(s, port, v, f, generic, cpu, hops);
		return;
	}
	record(s, f, ifindex ? s->ports[port].name : "wire");
	put_out(s, port, f);
}

/* A frame that the sandbox sends through this port. */
static void leave(struct switch_ *s, int port, struct switch_frame *f, struct cpu *cpu, int hops)
{
	struct verdict v = {VERDICT_PASS, 0};

	if (s->ports[port].ifindex)
		v = verdict_tc(&s->o, s->ports[port].ifindex, true, f, cpu);
	if (v.what != VERDICT_PASS)
		follow(s, port, v, f, true, cpu, hops);
	else
		carry(s, port, f, cpu, hops);
}

/* --- The switch --------------------------------------------------------------------------- */

static void learn(struct switch_ *s, const uint8_t mac[6], int port)
{
	struct station *at = NULL;

	if (mac[0] & 1)
		return;
	for (unsigned i = 0; i < STATIONS && !at; i++)
		if (!memcmp(s->stations[i].mac, mac, 6))
			at = &s->stations[i];
	if (!at)
		at = &s->stations[s->next_station++ % STATIONS];
	memcpy(at->mac, mac, 6);
	at->port = port;
}

static int lookup(const struct switch_ *s, const uint8_t mac[6])
{
	for (unsigned i = 0; i < STATIONS; i++)
		if (s->stations[i].port >= 0 && !memcmp(s->stations[i].mac, mac, 6))
			return s->stations[i].port;
	return -1;
}

static void ask_host(struct switch_ *s, int from, const struct switch_frame *f, struct cpu *cpu, int hops)
{
	uint8_t *buffer = malloc(BUFFER), ip4[4], ip6[16];
	struct switch_frame answer;
	uint32_t len;

	if (!buffer)
		return;
	answer = (struct switch_frame){buffer, buffer + PKT_HEADROOM, NULL, buffer + BUFFER};
	/* A station on each device's network: its number stands in the address. */
	memcpy(ip4, s->o.ip4, sizeof(ip4));
	memcpy(ip6, s->o.ip6, sizeof(ip6));
	ip4[2] = ip6[7] = (uint8_t)from;
	len = host_answer(s->host_mac, ip4, ip6, f->data, (uint32_t)(f->end - f->data), answer.data);
	answer.end = answer.data + len;
	if (len && hops < HOPS_MAX)
		enter(s, from, &answer, cpu, hops + 1);
	free(buffer);
}

/* A frame on the wire, sent by a port: to whom it is addressed. */
static void carry(struct switch_ *s, int from, struct switch_frame *f, struct cpu *cpu, int hops)
{
	bool for_host = f->end - f->data >= ETH && !memcmp(f->data, s->host_mac, 6);
	int to;

	if (f->end - f->data < ETH || hops >= HOPS_MAX)
		return;
	record(s, f, "sent");
	learn(s, f->data + 6, from);
	to = f->data[0] & 1 ? -1 : lookup(s, f->data);
	for (unsigned i = 0; !for_host && i < s->nports; i++) {
		uint8_t *buffer;
		struct switch_frame copy;

		if ((int)i == from || (to >= 0 && to != (int)i) || !(buffer = malloc(BUFFER)))
			continue;
		copy_frame(&copy, buffer, f);
		enter(s, (int)i, &copy, cpu, hops + 1);
		free(buffer);
	}
	/* A wire's frames are answered by the host end of its own side. */
	if ((for_host || f->data[0] & 1) && s->ports[from].ifindex)
		ask_host(s, from, f, cpu, hops);
}

/* --- The thread --------------------------------------------------------------------------- */

static void take_frames(struct switch_ *s, int port, uint8_t buffer[BUFFER])
{
	for (int i = 0; i < AT_ONCE; i++) {
		struct switch_frame f = {buffer, buffer + PKT_HEADROOM, NULL, buffer + BUFFER};
		ssize_t n = read(s->ports[port].fd, f.data, SWITCH_FRAME);
		struct cpu *cpu;

		if (n <= 0) {
			if (n == 0 || (errno != EAGAIN && errno != EINTR && errno != ENETDOWN)) {
				close(s->ports[port].fd); /* the other end has gone */
				s->ports[port].fd = -1;
			}
			return;
		}
		f.end = f.data + n;
		cpu = cpu_enter(s->o.k);
		leave(s, port, &f, cpu, 0);
		cpu_leave(cpu);
	}
}

static void *work(void *arg)
{
	struct switch_ *s = arg;
	uint8_t *buffer = malloc(BUFFER);
	struct pollfd on[SWITCH_PORTS + 1];

	while (buffer) {
		unsigned n = s->nports;
		char byte;

		for (unsigned i = 0; i < n; i++)
			on[i] = (struct pollfd){.fd = s->ports[i].fd, .events = POLLIN};
		on[n] = (struct pollfd){.fd = s->wake[0], .events = POLLIN};
		if (poll(on, n + 1, -1) < 0 && errno != EINTR)
			break;
		if (on[n].revents && read(s->wake[0], &byte, 1) != 1)
			break;
		for (unsigned i = 0; i < n; i++)
			if (on[i].fd >= 0 && on[i].revents)
				take_frames(s, (int)i, buffer);
	}
	free(buffer);
	return NULL;
}

int switch_new(const struct switch_options *o, struct switch_ **out)
{
	struct switch_ *s = calloc(1, sizeof(*s));
	pthread_t thread;
	int err;

	if (!s)
		return -ENOMEM;
	s->o = *o;
	memcpy(s->host_mac, (uint8_t[6]){2, 's', 'k', 'e', 'p', 1}, 6);
	memcpy(s->host_mac + 2, o->ip4, 3); /* another sandbox's host end has another */
	pthread_mutex_init(&s->lock, NULL);
	for (unsigned i = 0; i < STATIONS; i++)
		s->stations[i].port = -1;
	if (o->capture)
		pcapng_write_head(o->capture, "skep run");
	if (pipe2(s->wake, O_CLOEXEC) != 0) {
		err = -errno;
		free(s);
		return err;
	}
	err = -pthread_create(&thread, NULL, work, s);
	if (!err) {
		pthread_detach(thread);
		*out = s;
		return 0;
	}
	close(s->wake[0]);
	close(s->wake[1]);
	free(s);
	return err;
}

int switch_add(struct switch_ *s, const struct switch_port *port)
{
	int err = 0;

	fcntl(port->fd, F_SETFL, O_RDWR | O_NONBLOCK);
	pthread_mutex_lock(&s->lock);
	if (s->nports == SWITCH_PORTS) {
		err = -ENOSPC;
	} else {
		s->ports[s->nports] = *port;
		s->nports++;
		if (write(s->wake[1], "", 1) != 1)
			err = -EIO;
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}
