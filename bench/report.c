/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables, JSON and targets: see report.h. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool bench_wants(const struct bench *b, const char *name)
{
	return !b->filter || strstr(name, b->filter);
}

json_t *report_row(struct bench *b, const char *section)
{
	json_t *list = json_object_get(b->root, section), *row = json_object();

	if (!list) {
		list = json_array();
		json_object_set_new(b->root, section, list);
	}
	json_array_append_new(list, row);
	return row;
}

void report_number(json_t *row, const char *key, double value)
{
	json_object_set_new(row, key, isfinite(value) ? json_real(value) : json_null());
}

void print_cell(double value, int width, int decimals)
{
	if (isfinite(value))
		printf("%*.*f", width, decimals, value);
	else
		printf("%*s", width, "n/a");
}

void target_most(struct bench *b, const char *name, double measured, double limit,
                 const char *unit)
{
	json_t *row = report_row(b, "targets");

	json_object_set_new(row, "name", json_string(name));
	report_number(row, "measured", measured);
	report_number(row, "limit", limit);
	json_object_set_new(row, "unit", json_string(unit));
	json_object_set_new(row, "met",
	                    isfinite(measured) ? json_boolean(measured <= limit) : json_null());
}

void targets_print(struct bench *b)
{
	json_t *list = json_object_get(b->root, "targets"), *row, *met;
	size_t i;

	if (!json_array_size(list))
		return;
	printf("\n%-58s %10s %10s\n", "targets", "measured", "at most");
	json_array_foreach(list, i, row) {
		met = json_object_get(row, "met");
		printf("%-58s ", json_string_value(json_object_get(row, "name")));
		print_cell(json_is_null(met) ? NAN
		                             : json_real_value(json_object_get(row, "measured")), 10, 2);
		print_cell(json_real_value(json_object_get(row, "limit")), 11, 2);
		printf(" %-8s %s\n", json_string_value(json_object_get(row, "unit")),
		       json_is_null(met) ? "not measured" : json_is_true(met) ? "ok" : "MISSED");
	}
}
