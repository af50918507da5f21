/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep-bench: native C, Skep's engines and the kernel, side by side in one run.
 *
 *     skep-bench [OPTION]... [FILTER]    see --help
 *
 * Exit code: 0; 1 when results differ between places or something did not run; 2 usage.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "place.h"
#include "report.h"
#include "sections.h"

static const char usage[] =
	"usage: skep-bench [--json FILE] [--quick] [--tap] [--verbose] [--cpu N] [--rounds N]\n"
	"                  [--dump DIR] [--dir DIR] [FILTER]\n"
	"  --json FILE  write every figure to FILE\n"
	"  --quick      few short rounds: shows that everything runs, not how fast\n"
	"  --tap        no figures: does every program give the same result everywhere? (TAP)\n"
	"  --verbose    show libbpf's messages\n"
	"  --cpu N      stay on this CPU (default: the last one)\n"
	"  --rounds N   of which the median is taken (default: 15, at most 101)\n"
	"  --dump DIR   write the machine code of programs to DIR/PROGRAM.PLACE.bin\n"
	"  --dir DIR    where the compiled programs are (default: " BENCH_DIR ")\n"
	"  FILTER       only sections and programs with this in their name\n";

static const struct section {
	const char *name;
	void (*run)(struct bench *b);
} sections[] = {
	{"programs", section_programs},
	{"costs", section_costs},
	{"maps", section_maps},
	{"user", section_user},
	{"threads", section_threads},
	{"packets", section_packets},
	{"ddos", section_ddos},
	{"load", section_load},
	{"verify", section_verify},
	{"compile", section_compile},
	{"sandbox", section_sandbox},
	{"start", section_start},
};

static int drop_message(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

/* What the figures depend on. */
static void describe_host(struct bench *b, int cpu)
{
	json_t *row = report_row(b, "host");
	struct utsname name;
	char line[256];
	FILE *info = fopen("/proc/cpuinfo", "re");

	if (!uname(&name))
		json_object_set_new(row, "kernel", json_string(name.release));
	while (info && fgets(line, sizeof(line), info))
		if (!strncmp(line, "model name", 10)) {
			const char *value = strchr(line, ':');

			line[strcspn(line, "\n")] = '\0';
			json_object_set_new(row, "cpu_model",
			                    json_string(value ? value + 2 : line));
			break;
		}
	if (info)
		fclose(info);
	json_object_set_new(row, "cpu", json_integer(cpu));
	json_object_set_new(row, "quick", json_boolean(b->quick));
	json_object_set_new(row, "rounds", json_integer(b->plan.rounds));
	json_object_set_new(row, "slice_ns", json_real(b->plan.slice));
	if (b->no_kernel)
		json_object_set_new(row, "no_kernel", json_string(b->no_kernel));
}

static int write_json(const struct bench *b, const char *path)
{
	if (!path || !json_dump_file(b->root, path, JSON_INDENT(2)))
		return 0;
	fprintf(stderr, "bench: %s: cannot be written\n", path);
	return -EIO;
}

static int run_sections(struct bench *b, int cpu, const char *json_path)
{
	cpu = pin_cpu(cpu);
	if (cpu < 0)
		fprintf(stderr, "bench: cannot stay on one CPU: %s\n", strerror(-cpu));
	b->no_kernel = kernel_absent();
	frame_build();
	if (b->tap)
		return programs_check(b) ? 1 : 0;
	if (b->no_kernel)
		printf("kernel: n/a: %s\n", b->no_kernel);
	b->root = json_object();
	describe_host(b, cpu);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		sections[i].run(b);
	if (!b->quick)
		targets_print(b);
	if (b->mismatches || b->errors)
		printf("%u results differ, %u could not be run\n", b->mismatches, b->errors);
	if (write_json(b, json_path))
		b->errors++;
	json_decref(b->root);
	return b->mismatches || b->errors ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", required_argument, NULL, 'j'}, {"quick", no_argument, NULL, 'q'},
		{"verbose", no_argument, NULL, 'v'},    {"cpu", required_argument, NULL, 'c'},
		{"dir", required_argument, NULL, 'd'},  {"help", no_argument, NULL, 'h'},
		{"tap", no_argument, NULL, 't'},        {"dump", required_argument, NULL, 'D'},
		{"rounds", required_argument, NULL, 'r'},
		{0},
	};
	struct bench b = {.dir = BENCH_DIR, .plan = {.rounds = 15, .slice = 2e6}};
	const char *json_path = NULL;
	int verbose = 0, cpu = -1, option;

	while ((option = getopt_long(argc, argv, "hj:qv", options, NULL)) != -1)
		switch (option) {
		case 'j':
			json_path = optarg;
			break;
		case 'q':
			b.quick = true;
			b.plan.rounds = 1;
			b.plan.slice = 2e4;
			break;
		case 'v':
			verbose = 1;
			break;
		case 'c':
			cpu = atoi(optarg);
			break;
		case 'd':
			b.dir = optarg;
			break;
		case 'D':
			b.dump = optarg;
			break;
		case 'r':
			b.plan.rounds = (unsigned)atoi(optarg);
			if (b.plan.rounds < 1 || b.plan.rounds > MEASURE_MAX_ROUNDS) {
				fputs(usage, stderr);
				return 2;
			}
			break;
		case 't':
			b.tap = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (optind < argc)
		b.filter = argv[optind];
	if (!verbose)
		libbpf_set_print(drop_message);
	return run_sections(&b, cpu, json_path);
}
