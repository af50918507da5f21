/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client as Go makes them: no C library, system calls by their instruction alone, also from threads that
 * no library knows. Says "ok" or what went wrong.
 */
#include <linux/bpf.h>
#include <linux/sched.h>

enum { NR_WRITE = 1, NR_CLONE = 56, NR_EXIT = 60, NR_BPF = 321, NR_EXIT_GROUP = 231, NR_YIELD = 24, ROUNDS = 500 };

#if !defined(__x86_64__)
int main(void)
{
	return 77; /* this one is written for x86-64 */
}
void _start(void);
void _start(void)
{
	main();
}
#else
static long call(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
	                 : "rcx", "r11", "memory");
	return result;
}

static void say(const char *text)
{
	long n = 0;

	while (text[n])
		n++;
	call(NR_WRITE, 1, (long)text, n, 0, 0);
}

static long bpf(int cmd, union bpf_attr *a)
{
	return call(NR_BPF, cmd, (long)a, sizeof(*a), 0, 0);
}

static void clear(union bpf_attr *a)
{
	for (unsigned long i = 0; i < sizeof(*a); i++)
		((volatile char *)a)[i] = 0;
}

static long element(int cmd, int fd, unsigned *key, unsigned long long *value)
{
	union bpf_attr a;

	clear(&a);
	a.map_fd = (unsigned)fd;
	a.key = (unsigned long)key;
	a.value = (unsigned long)value;
	return bpf(cmd, &a);
}

static volatile int finished, wrong;
static int map_fd;
static char stack[65536] __attribute__((aligned(16)));

static void work(unsigned base)
{
	for (unsigned i = base; i < base + ROUNDS; i++) {
		unsigned long long value = i * 3, back = 0;

		if (element(BPF_MAP_UPDATE_ELEM, map_fd, &i, &value) ||
		    element(BPF_MAP_LOOKUP_ELEM, map_fd, &i, &back) || back != value)
			wrong = 1;
	}
}

static __attribute__((noreturn, used)) void other(void)
{
	work(10000);
	finished = 1;
	call(NR_EXIT, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}

/* A thread that only the kernel knows of. */
static long start_thread(void)
{
	long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, result;
	void *top = stack + sizeof(stack) - 64;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tcall *%3\n1:"
	                 : "=a"(result)
	                 : "a"((long)NR_CLONE), "D"(flags), "r"(other), "S"(top), "d"(0L)
	                 : "rcx", "r11", "memory");
	return result;
}

static __attribute__((used)) void run(void)
{
	struct bpf_insn code[2] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2},
	                           {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr a;
	long prog;

	clear(&a);
	a.map_type = BPF_MAP_TYPE_HASH;
	a.key_size = 4;
	a.value_size = 8;
	a.max_entries = 4096;
	map_fd = (int)bpf(BPF_MAP_CREATE, &a);
	clear(&a);
	a.prog_type = BPF_PROG_TYPE_XDP;
	a.insns = (unsigned long)code;
	a.insn_cnt = 2;
	a.license = (unsigned long)"BSD";
	prog = bpf(BPF_PROG_LOAD, &a);
	if (map_fd < 0 || prog < 0 || start_thread() < 0) {
		say("cannot start\n");
		call(NR_EXIT_GROUP, 1, 0, 0, 0, 0);
	}
	work(0);
	while (!finished)
		call(NR_YIELD, 0, 0, 0, 0, 0);
	clear(&a);
	a.map_fd = 9999;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &a) != -9 /* EBADF */)
		wrong = 1;
	say(wrong ? "wrong answers\n" : "ok\n");
	call(NR_EXIT_GROUP, wrong, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tand $-16, %rsp\n\tcall run\n\thlt\n");
#endif
