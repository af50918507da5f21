/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers and workqueues: see async.h.
 *
 * One lock guards all jobs of a kernel; no function runs with it held. A job that is to run is in its
 * thread's queue: timers in a heap for each clock, by time; work in order. A job is freed when its field
 * has let go of it (`ended`) and no thread is at it: whoever is the last of the two does it.
 *
 * The thread takes a CPU slot and enters a read section before it looks whether a job is to run. So when
 * async_end() has returned, a grace period is enough to be sure that the job's map is not in use.
 */
#include "core/async.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/map.h"
#include "core/prog.h"
#include "core/record.h"

struct job {
	struct map *map; /* not referenced: the map ends its jobs */
	void *value;
	enum async_kind kind;
	unsigned clock; /* index in clocks[] */
	const struct callback *cb;
	struct prog *prog; /* referenced while there is a cb */
	uint64_t when;
	uint32_t at; /* in the queue, from 1; 0: not in it */
	int cpu;     /* the slot it wants, or -1 */
	bool ended;
};

static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};

enum { NCLOCKS = 3, IDLE_NS = 500 * 1000 * 1000 };

struct queue {
	struct job **jobs;
	uint32_t n, cap;
};

struct worker {
	struct skep *k;
	enum async_kind kind;
	pthread_t thread;
	bool started;
	_Atomic uint32_t bell; /* changes when there is something new */
	struct queue queues[NCLOCKS]; /* work: the first, in order */
	struct job *running;
	const struct cpu *on; /* the slot that runs it */
};

/* A program that a job has let go of; the thread gives the reference back. */
struct grave {
	struct grave *next;
	struct prog *prog;
};

struct async {
	struct lock lock;
	struct grave *graves;
	_Atomic bool stop;
	struct worker workers[ASYNC_KINDS];
};

static uint64_t now(unsigned clock)
{
	struct timespec t;

	clock_gettime(clocks[clock], &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- Queues: heaps by time -------------------------------------------------------------------- */

static void put_at(struct queue *q, uint32_t i, struct job *j)
{
	q->jobs[i - 1] = j;
	j->at = i;
}

static void sift_up(struct queue *q, uint32_t i, struct job *j)
{
	while (i > 1 && q->jobs[i / 2 - 1]->when > j->when) {
		put_at(q, i, q->jobs[i / 2 - 1]);
		i /= 2;
	}
	put_at(q, i, j);
}

static void sift_down(struct queue *q, uint32_t i, struct job *j)
{
	for (uint32_t child; (child = i * 2) <= q->n; i = child) {
		if (child < q->n && q->jobs[child]->when < q->jobs[child - 1]->when)
			child++;
		if (q->jobs[child - 1]->when >= j->when)
			break;
		put_at(q, i, q->jobs[child - 1]);
	}
	put_at(q, i, j);
}

/* There is room: queue_reserve(). */
static void queue_add(struct queue *q, struct job *j)
{
	sift_up(q, ++q->n, j);
}

static void queue_remove(struct queue *q, struct job *j)
{
	uint32_t at = j->at;
	struct job *last = q->jobs[--q->n];

	j->at = 0;
	if (last == j)
		return;
	if (at > 1 && q->jobs[at / 2 - 1]->when > last->when)
		sift_up(q, at, last);
	else
		sift_down(q, at, last);
}

static int queue_reserve(const struct mem *mem, struct queue *q)
{
	struct job **wider;

	if (q->n < q->cap)
		return 0;
	wider = mem_zalloc_array(mem, q->cap ? q->cap * 2 : 16, sizeof(*wider));
	if (!wider)
		return -ENOMEM;
	if (q->n)
		memcpy(wider, q->jobs, q->n * sizeof(*wider));
	mem_free(mem, q->jobs);
	q->jobs = wider;
	q->cap = q->cap ? q->cap * 2 : 16;
	return 0;
}

static struct queue *queue_of(struct async *a, const struct job *j)
{
	return &a->workers[j->kind].queues[j->clock];
}

/* --- The threads ------------------------------------------------------------------------------ */

static void ring(struct worker *w)
{
	atomic_fetch_add(&w->bell, 1);
	syscall(SYS_futex, &w->bell, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

/* ns until the first job is due, 0: now; the lock is held. */
static uint64_t until_due(const struct worker *w)
{
	uint64_t least = UINT64_MAX;

	for (unsigned c = 0; c < NCLOCKS; c++) {
		uint64_t t, left;

		if (!w->queues[c].n)
			continue;
		if (w->kind == ASYNC_WORK)
			return 0;
		t = now(c);
		left = w->queues[c].jobs[0]->when > t ? w->queues[c].jobs[0]->when - t : 0;
		least = left < least ? left : least;
	}
	return least;
}

/* The first job that is due; the lock is held. */
static struct job *first_due(const struct worker *w)
{
	for (unsigned c = 0; c < NCLOCKS; c++)
		if (w->queues[c].n &&
		    (w->kind == ASYNC_WORK || w->queues[c].jobs[0]->when <= now(c)))
			return w->queues[c].jobs[0];
	return NULL;
}

/* seen: the bell, before there was nothing left to do. */
static void wait_for_more(struct async *a, struct worker *w, uint32_t seen)
{
	struct timespec t;
	uint64_t ns;

	lock_take(&a->lock);
	ns = until_due(w);
	lock_release(&a->lock);
	if (!ns || atomic_load(&a->stop))
		return;
	/* Clocks may be set: with something to wait for, they are looked at again now and then. */
	if (ns != UINT64_MAX && ns > IDLE_NS)
		ns = IDLE_NS;
	t = (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
	                      .tv_nsec = (long)(ns % 1000000000u)};
	syscall(SYS_futex, &w->bell, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, seen,
	        ns == UINT64_MAX ? NULL : &t, NULL, 0);
}

/*
 * Gives back a reference to a program, in time: the last may free maps and wait for readers, which who
 * asks may be one of, with locks held.
 */
static void bury(struct skep *k, struct async *a, enum async_kind kind, struct prog *p)
{
	struct grave *g = p && !atomic_load(&a->stop) ? mem_zalloc(&k->mem, sizeof(*g)) : NULL;

	if (!g) {
		if (p)
			obj_put(&p->obj);
		return;
	}
	g->prog = p;
	lock_take(&a->lock);
	g->next = a->graves;
	a->graves = g;
	lock_release(&a->lock);
	ring(&a->workers[kind]);
}

static void clear_graves(struct skep *k, struct async *a)
{
	struct grave *g;

	lock_take(&a->lock);
	g = a->graves;
	a->graves = NULL;
	lock_release(&a->lock);
	while (g) {
		struct grave *next = g->next;

		obj_put(&g->prog->obj);
		mem_free(&k->mem, g);
		g = next;
	}
}

static void job_free(struct skep *k, struct async *a, struct job *j)
{
	struct prog *p = j->prog;
	enum async_kind kind = j->kind;

	mem_free(&k->mem, j);
	bury(k, a, kind, p);
}

/* Runs the functions that are due and fit this slot; answers the slot that the next wants, or -1. */
static int run_due(struct async *a, struct worker *w, struct cpu *cpu)
{
	int wants = -1;

	rcu_read_enter(&w->k->rcu, &cpu->rcu);
	lock_take(&a->lock);
	for (struct job *j; !atomic_load(&a->stop) && (j = first_due(w));) {
		struct map *m = j->map;
		const struct callback *cb = j->cb;
		struct prog *p = j->prog;
		void *value = j->value;
		uint32_t index;
		bool ended;

		if (j->cpu >= 0 && (uint32_t)j->cpu != cpu->id) {
			wants = j->cpu;
			break;
		}
		queue_remove(queue_of(a, j), j);
		if (!cb)
			continue;
		obj_get(&p->obj);
		w->running = j;
		w->on = cpu;
		lock_release(&a->lock);
		cpu->prog = p;
		cpu->ctx = NULL;
		cpu->tail_calls = 0;
		cpu->fault = NULL;
		cb->call((uintptr_t)m, (uintptr_t)m->ops->key_of(m, value, &index), (uintptr_t)value,
		         0, 0, cpu, cb);
		lock_take(&a->lock);
		w->running = NULL;
		w->on = NULL;
		ended = j->ended;
		lock_release(&a->lock);
		/* Programs and maps may end here, which may wait for readers: not as one of them. */
		rcu_read_leave(&cpu->rcu);
		if (ended)
			job_free(w->k, a, j);
		obj_put(&p->obj);
		rcu_read_enter(&w->k->rcu, &cpu->rcu);
		lock_take(&a->lock);
	}
	lock_release(&a->lock);
	rcu_read_leave(&cpu->rcu);
	return wants;
}

static struct cpu *enter(struct async *a, struct skep *k, int want)
{
	while (want >= 0 && !atomic_load(&a->stop)) {
		struct cpu *cpu = cpu_enter(k);

		if (cpu->id == (uint32_t)want)
			return cpu;
		cpu_leave(cpu);
		cpu = cpu_try_enter(k, (uint32_t)want);
		if (cpu)
			return cpu;
		sched_yield();
	}
	return cpu_enter(k);
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;
	struct async *a = atomic_load(&w->k->async);

	prctl(PR_SET_NAME, w->kind == ASYNC_TIMER ? "skep-timers" : "skep-work");
	prctl(PR_SET_TIMERSLACK, 1);
	while (!atomic_load(&a->stop)) {
		uint32_t seen = atomic_load(&w->bell);
		int want = -1;
		bool due;

		lock_take(&a->lock);
		due = first_due(w) != NULL;
		lock_release(&a->lock);
		if (due)
			do {
				struct cpu *cpu = enter(a, w->k, want);

				want = run_due(a, w, cpu);
				cpu_leave(cpu);
			} while (want >= 0 && !atomic_load(&a->stop));
		clear_graves(w->k, a);
		wait_for_more(a, w, seen);
	}
	return NULL;
}

/* The lock is held. */
static int worker_start(struct skep *k, struct worker *w, enum async_kind kind)
{
	sigset_t all, before;
	int err;

	if (w->started)
		return 0;
	w->k = k;
	w->kind = kind;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&w->thread, NULL, thread_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->started = !err;
	return err;
}

static struct async *async_of(struct skep *k)
{
	struct async *a = atomic_load_explicit(&k->async, memory_order_acquire), *none = NULL;

	if (a)
		return a;
	a = mem_zalloc(&k->mem, sizeof(*a));
	if (!a || atomic_compare_exchange_strong(&k->async, &none, a))
		return a;
	mem_free(&k->mem, a);
	return none;
}

void async_exit(struct skep *k)
{
	struct async *a = atomic_load(&k->async);

	if (!a)
		return;
	atomic_store(&a->stop, true);
	for (int kind = 0; kind < ASYNC_KINDS; kind++) {
		if (!a->workers[kind].started)
			continue;
		ring(&a->workers[kind]);
		pthread_join(a->workers[kind].thread, NULL);
	}
	clear_graves(k, a);
}

void async_free(struct skep *k)
{
	struct async *a = atomic_load(&k->async);

	for (int kind = 0; a && kind < ASYNC_KINDS; kind++)
		for (unsigned c = 0; c < NCLOCKS; c++)
			mem_free(&k->mem, a->workers[kind].queues[c].jobs);
	mem_free(&k->mem, a);
	atomic_store(&k->async, NULL);
}

/* --- What programs do --------------------------------------------------------------------------- */

static struct job *job_of(void *field)
{
	return __atomic_load_n((struct job **)field, __ATOMIC_ACQUIRE);
}

/* -1: not a clock that timers have. */
static int clock_of(uint64_t flags)
{
	for (unsigned c = 0; c < NCLOCKS; c++)
		if (flags == (uint64_t)clocks[c])
			return (int)c;
	return -1;
}

int async_init(struct map *m, void *field, enum async_kind kind, uint64_t flags)
{
	struct skep *k = m->obj.k;
	const struct special *f = record_find(
		m->record, kind == ASYNC_TIMER ? SPECIAL_TIMER : SPECIAL_WORKQUEUE);
	int clock = kind == ASYNC_TIMER ? clock_of(flags) : flags ? -1 : 0, err;
	struct job *j, *none = NULL;
	struct async *a;

	if (clock < 0 || !f)
		return -EINVAL;
	if (job_of(field))
		return -EBUSY;
	a = async_of(k);
	j = a ? mem_zalloc(&k->mem, sizeof(*j)) : NULL;
	if (!j)
		return -ENOMEM;
	*j = (struct job){.map = m, .value = (uint8_t *)field - f->offset, .kind = kind,
	                  .clock = (unsigned)clock, .cpu = -1};
	lock_take(&a->lock);
	err = atomic_load(&a->stop) ? -EPERM : worker_start(k, &a->workers[kind], kind);
	lock_release(&a->lock);
	if (!err && !__atomic_compare_exchange_n((struct job **)field, &none, j, false,
	                                         __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		err = -EBUSY;
	if (err) {
		mem_free(&k->mem, j);
		return err;
	}
	/* The last user may have gone just now, and found nothing here to end. */
	if (!atomic_load(&m->usercnt)) {
		async_end(k, field);
		return -EPERM;
	}
	return 0;
}

int async_set_callback(struct skep *k, void *field, const struct callback *cb)
{
	struct async *a = async_of(k);
	struct prog *old, *p = prog_of((struct obj *)&cb->prog->obj);
	enum async_kind kind = ASYNC_TIMER;
	struct job *j;
	int err = -EINVAL;

	if (!a)
		return -EINVAL;
	lock_take(&a->lock);
	j = job_of(field);
	kind = j ? j->kind : kind;
	old = NULL;
	if (j && !atomic_load(&j->map->usercnt)) {
		err = -EPERM;
	} else if (j) {
		old = j->prog;
		if (old != p)
			obj_get(&p->obj);
		else
			old = NULL;
		j->prog = p;
		j->cb = cb;
		err = 0;
	}
	lock_release(&a->lock);
	bury(k, a, kind, old);
	return err;
}

static uint64_t deadline(const struct job *j, uint64_t ns, uint64_t flags)
{
	uint64_t t;

	if (flags & TIMER_ABSOLUTE)
		return (int64_t)ns < 0 ? 0 : ns;
	t = now(j->clock);
	return (int64_t)ns < 0 || t + ns > INT64_MAX ? INT64_MAX : t + ns;
}

int async_start(void *field, uint64_t ns, uint64_t flags, const struct cpu *cpu)
{
	struct async *a = async_of(cpu->k);
	enum async_kind kind = ASYNC_TIMER;
	struct queue *q;
	struct job *j;
	int err = -EINVAL;

	if (!a)
		return -EINVAL;
	lock_take(&a->lock);
	j = job_of(field);
	if (!j || !j->cb)
		goto out;
	q = queue_of(a, j);
	kind = j->kind;
	err = j->at ? 0 : queue_reserve(&cpu->k->mem, q);
	if (err || (j->at && j->kind == ASYNC_WORK))
		goto out;
	if (j->at)
		queue_remove(q, j);
	/* Work runs in the order in which it was started. */
	j->when = j->kind == ASYNC_WORK ? now(0) : deadline(j, ns, flags);
	j->cpu = flags & TIMER_CPU_PIN ? (int)cpu->id : -1;
	queue_add(q, j);
out:
	lock_release(&a->lock);
	if (!err)
		ring(&a->workers[kind]);
	return err;
}

int async_cancel(struct cpu *cpu, void *field)
{
	struct async *a = async_of(cpu->k);
	enum async_kind kind = ASYNC_TIMER;
	struct prog *p = NULL;
	struct worker *w;
	struct job *j;
	int ret = -EINVAL;

	if (!a)
		return -EINVAL;
	lock_take(&a->lock);
	j = job_of(field);
	w = j ? &a->workers[j->kind] : NULL;
	if (j && w->running == j && w->on == cpu) {
		ret = -EDEADLK;
	} else if (j) {
		ret = j->at || w->running == j;
		if (j->at)
			queue_remove(queue_of(a, j), j);
		p = j->prog;
		kind = j->kind;
		j->prog = NULL;
		j->cb = NULL;
		while (w->running == j) {
			lock_release(&a->lock);
			sched_yield();
			lock_take(&a->lock);
		}
	}
	lock_release(&a->lock);
	bury(cpu->k, a, kind, p);
	return ret;
}

void async_end(struct skep *k, void *field)
{
	struct async *a = atomic_load_explicit(&k->async, memory_order_acquire);
	struct job *j;

	if (!a || !job_of(field))
		return;
	lock_take(&a->lock);
	j = __atomic_exchange_n((struct job **)field, NULL, __ATOMIC_ACQ_REL);
	if (j && j->at)
		queue_remove(queue_of(a, j), j);
	if (j)
		j->ended = true;
	if (j && a->workers[j->kind].running == j)
		j = NULL; /* its thread frees it */
	lock_release(&a->lock);
	if (j)
		job_free(k, a, j);
}
