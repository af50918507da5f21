/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Launch: three processes.
 *
 *   front        the one that called: waits, passes signals on, stops and ends as the command does
 *   supervisor   its child: holds the kernel, serves the filter's notifications, adopts orphans; stays
 *                when the front has gone, until the last process of the sandbox has
 *   command      the supervisor's child, so that the host's ptrace rules let it be looked at
 *
 * The front and the command share a process group, so that the terminal sends both its signals; the
 * front ignores them and does as the command does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/control.h"
#include "sandbox/netlink.h"
#include "sandbox/network.h"
#include "sandbox/perf.h"
#include "sandbox/sandbox.h"

/* What the supervisor tells the front. */
struct news {
	enum { NEWS_STARTED, NEWS_STOPPED, NEWS_ENDED, NEWS_FAILED } kind;
	int value; /* pid, signal, wait status, errno */
	char text[256];
};

/* --- Signals of the front ----------------------------------------------------------------- */

static const int ignored[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
static const int passed[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
enum {
	NIGNORED = sizeof(ignored) / sizeof(ignored[0]),
	NPASSED = sizeof(passed) / sizeof(passed[0]),
};

struct signals {
	struct sigaction ignored[NIGNORED], passed[NPASSED];
};

static volatile sig_atomic_t command_pid;

static void pass_on(int sig)
{
	if (command_pid > 0)
		kill(command_pid, sig);
}

static void signals_take(struct signals *old)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, pass = {.sa_handler = pass_on};

	for (int i = 0; i < NIGNORED; i++)
		sigaction(ignored[i], &ignore, &old->ignored[i]);
	for (int i = 0; i < NPASSED; i++)
		sigaction(passed[i], &pass, &old->passed[i]);
}

static void signals_give_back(const struct signals *old)
{
	for (int i = 0; i < NIGNORED; i++)
		sigaction(ignored[i], &old->ignored[i], NULL);
	for (int i = 0; i < NPASSED; i++)
		sigaction(passed[i], &old->passed[i], NULL);
}

/* --- The command -------------------------------------------------------------------------- */

struct start {
	const struct skep_sandbox_options *options;
	char *const *argv;
	const struct signals *signals;
	struct space space;
	bool joins_spaces;
	int spaces[NETWORK_SPACES];
	unsigned number; /* of the stations of its network */
	sigset_t mask; /* the caller's */
	struct rlimit files;
};

/*
 * Becomes the command. Over `peer` go the listener and whether the mounts are there, then back a byte
 * when it is being served, then, unless the command was executed, what failed.
 */
static void become(const struct start *start, int peer)
{
	int listener, err = 0;
	char mounted, go;

	prctl(PR_SET_DUMPABLE, 1); /* a child of the supervisor is no secret: it writes its own maps of ids */
	mounted = start->joins_spaces ? network_enter(start->spaces) == 0 : space_enter(&start->space);
	if (start->options->net && !start->options->join)
		err = network_make((unsigned)start->options->net, start->number, peer);
	listener = err ? err : filter_install(mounted);
	if (!err)
		err = listener < 0 ? listener : control_send_fd(peer, listener, mounted);
	if (listener >= 0)
		close(listener);
	if (!err && recv(peer, &go, 1, 0) == 1) {
		setrlimit(RLIMIT_NOFILE, &start->files);
		signals_give_back(start->signals);
		signal(SIGPIPE, SIG_DFL);
		sigprocmask(SIG_SETMASK, &start->mask, NULL);
		execvp(start->argv[0], start->argv);
		err = -errno;
	}
	send(peer, &err, sizeof(err), MSG_NOSIGNAL);
	_exit(127);
}

/* What became of the command: 0, it runs; or what failed. */
static int started(int peer)
{
	int err = 0;

	return recv(peer, &err, sizeof(err), 0) == sizeof(err) ? err : 0;
}

/* --- The supervisor ----------------------------------------------------------------------- */

static void tell(int front, int kind, int value, const char *format, ...)
{
	struct news news = {.kind = kind, .value = value};
	va_list args;

	va_start(args, format);
	vsnprintf(news.text, sizeof(news.text), format, args);
	va_end(args);
	send(front, &news, sizeof(news), MSG_NOSIGNAL);
}

/* A line of bpf_trace_printk(), as the kernel's trace_pipe shows it. What nobody reads is lost. */
static void trace_line(void *arg, const char *line, size_t len)
{
	struct sandbox *s = arg;
	char text[1200];
	struct timespec t;
	int n;

	clock_gettime(CLOCK_MONOTONIC, &t);
	n = snprintf(text, sizeof(text), "%16s-%-7d [000] ....1 %5lld.%06ld: bpf_trace_printk: %.*s\n",
	             "skep", (int)getpid(), (long long)t.tv_sec, t.tv_nsec / 1000,
	             (int)(len < 1000 ? len : 1000), line);
	if (n > 0 && write(s->trace_pipe, text, (size_t)n) < 0)
		return;
}

static int open_trace(struct sandbox *s)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/trace_pipe", s->place.tracing) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkfifo(path, 0600) != 0)
		return -errno;
	s->trace_pipe = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return s->trace_pipe < 0 ? -errno : 0;
}

static int open_log(struct sandbox *s, const char *path)
{
	pthread_mutex_init(&s->log_lock, NULL);
	if (!path)
		return 0;
	if (!strcmp(path, "-")) {
		int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

		s->log = fd < 0 ? NULL : fdopen(fd, "w");
	} else {
		s->log = fopen(path, "we");
	}
	if (!s->log)
		return -errno;
	setvbuf(s->log, NULL, _IOLBF, 0);
	return 0;
}

static int open_kernel(struct sandbox *s, const struct skep_options *base)
{
	struct skep_options o = {.size = sizeof(o)};

	if (base)
		memcpy(&o, base, base->size < sizeof(o) ? base->size : sizeof(o));
	o.size = sizeof(o);
	o.bpffs = s->place.bpffs;
	o.trace = trace_line;
	o.trace_arg = s;
	return skep_new(&o, &s->k);
}

static int prepare(struct sandbox *s, const struct skep_sandbox_options *o, char what[256])
{
	int err = place_make(&s->place, o->name, what);

	if (err)
		return err;
	err = open_trace(s);
	if (err) {
		snprintf(what, 256, "cannot make the trace pipe: %s", strerror(-err));
		return err;
	}
	err = open_log(s, o->log);
	if (err) {
		snprintf(what, 256, "cannot write the log %.150s: %s", o->log, strerror(-err));
		return err;
	}
	err = netlink_init(s);
	if (!err)
		err = perf_init(s);
	if (!err)
		err = socket_init(s);
	if (!err)
		err = open_kernel(s, o->kernel);
	if (err)
		snprintf(what, 256, "cannot make a kernel: %s", strerror(-err));
	return err;
}

static void note_command(struct sandbox *s, char *const argv[])
{
	size_t at = 0;

	for (int i = 0; argv[i] && at < sizeof(s->command) - 1; i++)
		at += (size_t)snprintf(s->command + at, sizeof(s->command) - at, i ? " %s" : "%s",
		                       argv[i]);
}

/* Starts the command; its listener is being served on success. Its pid or -errno. */
static pid_t start_command(struct sandbox *s, struct start *start, char what[256])
{
	int pair[2], err, listener;
	bool mounted = false;
	pid_t pid;

	start->space = (struct space){s->place.bpffs, s->place.tracing, start->options->own_user};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		become(start, pair[1]);
	}
	close(pair[1]);
	err = pid < 0 ? -errno : 0;
	if (!err && start->options->net)
		err = network_start(s, pair[0], start->options, what);
	if (err) {
		close(pair[0]);
		return err;
	}
	listener = control_take_fd(pair[0], &mounted);
	if (listener == -ECONNRESET) /* no message with a descriptor: it said what failed */
		listener = started(pair[0]);
	err = listener < 0 ? listener : 0;
	if (err)
		snprintf(what, 256, "cannot install a seccomp filter with a supervisor: %s",
		         strerror(-err));
	s->own_mounts = mounted;
	if (!err) {
		err = listener_add(s, listener);
		if (err)
			snprintf(what, 256, "cannot serve the sandbox: %s", strerror(-err));
	}
	if (!err && send(pair[0], "", 1, MSG_NOSIGNAL) == 1) {
		err = started(pair[0]);
		if (err)
			snprintf(what, 256, "cannot run %.150s: %s", start->argv[0],
			         strerror(-err));
	}
	close(pair[0]);
	return err ? err : pid;
}

/* Children that changed: true when the command has ended. */
static bool reap(pid_t command, int front)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != command)
			continue;
		if (WIFSTOPPED(status)) {
			tell(front, NEWS_STOPPED, WSTOPSIG(status), "");
		} else {
			tell(front, NEWS_ENDED, status, "");
			ended = true;
		}
	}
	return ended;
}

/* From now on the front's files are nobody's business here: whoever reads its output waits for its end. */
static void let_go_of_files(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static void supervise(struct sandbox *s, pid_t command, int front, int children)
{
	struct pollfd on[] = {
		{.fd = children, .events = POLLIN},
		{.fd = s->place.control, .events = POLLIN},
	};
	bool ended = false;

	for (;;) {
		struct signalfd_siginfo info;
		bool more;

		/* Once the command has ended, the last listener's end is looked for five times a second. */
		poll(on, 2, ended && !s->keep ? 200 : -1);
		if (on[0].revents && read(children, &info, sizeof(info)) == sizeof(info) &&
		    info.ssi_signo == SIGTERM)
			break;
		if (reap(command, front)) {
			ended = true;
			let_go_of_files();
		}
		more = !(on[1].revents & POLLIN) || control_serve(s);
		if (!more || (ended && !s->keep && !listeners_in_use(s)))
			break;
	}
}

/* SIGCHLD and SIGTERM arrive as something to read. */
static int open_children(sigset_t *before)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGTERM);
	sigprocmask(SIG_BLOCK, &wanted, before);
	signal(SIGTERM, SIG_DFL);
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Objects of all processes hold descriptors here: as many as the host allows at all. */
static void allow_files(const struct rlimit *own)
{
	struct rlimit most = {.rlim_cur = own->rlim_max, .rlim_max = own->rlim_max};

	setrlimit(RLIMIT_NOFILE, &most);
}

/* Never answers. Orphans are adopted, so that whoever the command leaves behind stays ours. */
static void supervisor(struct start *start, int front)
{
	struct sandbox s = {.keep = start->options->keep, .trace_pipe = -1, .wire = -1};
	char what[256] = "";
	int children, err;
	pid_t pid = 0;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_DUMPABLE, 0); /* nobody in the sandbox shall look into us, or trace us */
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < NPASSED; i++)
		signal(passed[i], SIG_IGN);
	children = open_children(&start->mask);
	allow_files(&start->files);
	note_command(&s, start->argv);
	err = prepare(&s, start->options, what);
	if (!err && start->options->wire) {
		s.wire = network_ask_wire(start->options->wire, &start->number);
		err = s.wire < 0 ? s.wire : 0;
		if (err)
			snprintf(what, 256, "there is no sandbox '%.60s' with a network: start one with "
			                    "--net --name=%.60s", start->options->wire, start->options->wire);
	}
	s.number = start->number;
	if (!err) {
		pid = start_command(&s, start, what);
		err = pid < 0 ? pid : 0;
	}
	if (err) {
		tell(front, NEWS_FAILED, err, "%s", what);
	} else {
		tell(front, NEWS_STARTED, pid, "");
		supervise(&s, pid, front, children);
	}
	place_remove(&s.place);
	_exit(0);
}

/* --- The front ---------------------------------------------------------------------------- */

/* Waits for the command's end, stopping when it stops. 0 and *status, or -errno and what. */
static int wait_for_end(int news_fd, int *status, char what[256])
{
	struct news news;
	ssize_t n;

	for (;;) {
		n = recv(news_fd, &news, sizeof(news), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof(news)) {
			snprintf(what, 256, "the sandbox's supervisor has ended unexpectedly");
			return -ECONNRESET;
		}
		switch (news.kind) {
		case NEWS_STARTED:
			command_pid = news.value;
			break;
		case NEWS_STOPPED:
			raise(SIGSTOP);
			break;
		case NEWS_ENDED:
			*status = news.value;
			return 0;
		case NEWS_FAILED:
			snprintf(what, 256, "%s", news.text);
			return news.value;
		}
	}
}

static int run_new(struct start *start, int *status, char what[256])
{
	int pair[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
	    (fflush(NULL), pid = fork()) < 0) {
		snprintf(what, 256, "cannot start a supervisor: %s", strerror(errno));
		return -errno;
	}
	if (pid == 0) {
		close(pair[0]);
		supervisor(start, pair[1]);
	}
	close(pair[1]);
	err = wait_for_end(pair[0], status, what);
	close(pair[0]);
	return err;
}

/* --- Joining ------------------------------------------------------------------------------ */

static int wait_for_child(pid_t pid, int *status)
{
	command_pid = pid;
	for (;;) {
		if (waitpid(pid, status, WUNTRACED) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!WIFSTOPPED(*status))
			return 0;
		raise(SIGSTOP);
	}
}

static int run_joined(struct start *start, int *status, char what[256])
{
	struct place_names names;
	int peer = place_connect(start->options->join), err;
	pid_t pid;

	if (peer < 0 || control_join(peer, &names, start->spaces) != 0) {
		snprintf(what, 256, "there is no sandbox '%.60s' of yours: `skep ps` lists them",
		         start->options->join);
		return peer < 0 ? peer : -ENOENT;
	}
	start->space = (struct space){names.bpffs, names.tracing, start->options->own_user};
	start->joins_spaces = names.spaces;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(start, peer);
	/* The child holds the connection until it has executed the command. */
	close(peer);
	err = pid < 0 ? -errno : wait_for_child(pid, status);
	if (err)
		snprintf(what, 256, "cannot run %.150s: %s", start->argv[0], strerror(-err));
	return err;
}

int skep_sandbox_run(const struct skep_sandbox_options *options, char *const argv[], int *status,
                     char message[256])
{
	struct skep_sandbox_options o = {.size = sizeof(o)};
	struct signals old;
	struct start start = {.options = &o, .argv = argv, .signals = &old, .number = 2};
	int err;

	message[0] = '\0';
	if (options)
		memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
	sigprocmask(SIG_SETMASK, NULL, &start.mask);
	getrlimit(RLIMIT_NOFILE, &start.files);
	signals_take(&old);
	err = o.join ? run_joined(&start, status, message) : run_new(&start, status, message);
	signals_give_back(&old);
	if (err && !message[0])
		snprintf(message, 256, "cannot make a sandbox: %s", strerror(-err));
	return err;
}
