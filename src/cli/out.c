/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one writer of results, as text or as JSON.
 *
 * What a command says becomes a small tree. In JSON it is printed whole at the end (by jansson); in text
 * each member of the outermost object is printed and freed as soon as it is complete, so long output
 * flows.
 *
 * Text of a tree:   scalar   name  value
 *                   object   name, and its members indented below
 *                   list     a table when its elements are objects, else the elements in one line;
 *                            members of a small object in a row get columns of their own, whatever is
 *                            nested deeper is one line: {a 1, b [2, 3]}
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"

enum node_kind { NODE_OBJECT, NODE_LIST, NODE_STR, NODE_NULL, NODE_NUMBER, NODE_BOOL, NODE_TEXT };

struct node {
	enum node_kind kind;
	char *name; /* NULL in a list */
	char *text; /* of a scalar, as people read it */
	json_t *json; /* of a scalar */
	struct node **child;
	size_t n, cap;
	struct node *parent;
};

struct out {
	bool json;
	struct node *root, *at; /* at: the innermost open object or list */
};

enum { NAME_WIDTH = 25, MAX_COLUMNS = 32, MAX_SPREAD = 8 };

static void *need(void *block)
{
	if (!block) {
		fail(EXIT_FAILED, "out of memory while printing");
		exit(EXIT_FAILED);
	}
	return block;
}

static char *copy(const char *text)
{
	return text ? need(strdup(text)) : NULL;
}

static void node_free(struct node *n)
{
	for (size_t i = 0; i < n->n; i++)
		node_free(n->child[i]);
	json_decref(n->json);
	free(n->child);
	free(n->name);
	free(n->text);
	free(n);
}

static struct node *node_new(enum node_kind kind, const char *name)
{
	struct node *n = need(calloc(1, sizeof(*n)));

	n->kind = kind;
	n->name = copy(name);
	return n;
}

static bool is_scalar(const struct node *n)
{
	return n->kind != NODE_OBJECT && n->kind != NODE_LIST;
}

/* --- Text ------------------------------------------------------------------------------------- */

/* A name as people read it: blanks for underscores. */
static void print_name(const char *name, int width)
{
	int n = 0;

	for (; name[n]; n++)
		putchar(name[n] == '_' ? ' ' : name[n]);
	for (; n < width; n++)
		putchar(' ');
}

/* Everything in one line. */
static void inline_text(const struct node *n, FILE *to)
{
	if (is_scalar(n)) {
		fputs(n->text, to);
		return;
	}
	fputc(n->kind == NODE_OBJECT ? '{' : '[', to);
	for (size_t i = 0; i < n->n; i++) {
		if (i)
			fputs(", ", to);
		if (n->child[i]->name)
			fprintf(to, "%s ", n->child[i]->name);
		inline_text(n->child[i], to);
	}
	fputc(n->kind == NODE_OBJECT ? '}' : ']', to);
}

static char *inline_string(const struct node *n)
{
	char *text = NULL;
	size_t len;
	FILE *to = need(open_memstream(&text, &len));

	inline_text(n, to);
	fclose(to);
	return need(text);
}

/* Columns on the screen: bytes of UTF-8 that do not continue a character. */
static int width_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

/* A row's cell: a member, or a member of a member, which gets a column of its own. */
struct cell {
	const char *outer, *name; /* outer: NULL, or the member that it is in */
	const struct node *node;
};

struct column {
	const char *outer, *name;
	int width;
	bool right; /* all cells are numbers */
};

/* The cells of a row; answers how many. */
static unsigned cells_of(const struct node *row, struct cell *cells)
{
	unsigned n = 0;

	for (size_t i = 0; i < row->n; i++) {
		const struct node *m = row->child[i];
		bool spread = m->kind == NODE_OBJECT && m->n && m->n <= MAX_SPREAD;

		for (size_t j = 0; j < (spread ? m->n : 1) && n < MAX_COLUMNS; j++)
			cells[n++] = spread ? (struct cell){m->name, m->child[j]->name, m->child[j]}
			                    : (struct cell){NULL, m->name, m};
	}
	return n;
}

static bool same_name(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static const struct cell *cell_find(const struct cell *cells, unsigned n, const struct column *c)
{
	for (unsigned i = 0; i < n; i++)
		if (same_name(cells[i].outer, c->outer) && same_name(cells[i].name, c->name))
			return &cells[i];
	return NULL;
}

static void column_widen(struct column *c, const struct node *cell)
{
	char *text = inline_string(cell);
	int width = width_of(text);

	free(text);
	if (c->width < width)
		c->width = width;
	if (cell->kind != NODE_NUMBER && cell->kind != NODE_NULL)
		c->right = false;
}

/* The columns of a list of objects: every cell's name, in order of first appearance. */
static unsigned columns_find(const struct node *list, struct column *columns)
{
	struct cell cells[MAX_COLUMNS];
	unsigned n = 0, ncells, c;

	for (size_t i = 0; i < list->n; i++) {
		ncells = cells_of(list->child[i], cells);
		for (unsigned j = 0; j < ncells; j++) {
			for (c = 0; c < n && !(same_name(columns[c].outer, cells[j].outer) &&
			                       same_name(columns[c].name, cells[j].name)); c++)
				;
			if (c == MAX_COLUMNS)
				continue;
			if (c == n)
				columns[n++] = (struct column){cells[j].outer, cells[j].name,
				                               width_of(cells[j].name), true};
			column_widen(&columns[c], cells[j].node);
		}
	}
	return n;
}

static void print_cell(const struct column *c, const char *text, bool last)
{
	int pad = c->width - width_of(text);

	printf("%*s%s", c->right ? pad : 0, "", text);
	if (!last)
		printf("%*s", (c->right ? 0 : pad) + 2, "");
}

static void print_table(const struct node *list, int indent)
{
	struct column columns[MAX_COLUMNS];
	unsigned n = columns_find(list, columns);
	char head[64];

	printf("%*s", indent, "");
	for (unsigned c = 0; c < n; c++) {
		snprintf(head, sizeof(head), "%s", columns[c].name);
		for (char *s = head; *s; s++)
			if (*s == '_')
				*s = ' ';
		print_cell(&columns[c], head, c + 1 == n);
	}
	putchar('\n');
	for (size_t i = 0; i < list->n; i++) {
		struct cell cells[MAX_COLUMNS];
		unsigned ncells = cells_of(list->child[i], cells);

		printf("%*s", indent, "");
		for (unsigned c = 0; c < n; c++) {
			const struct cell *cell = cell_find(cells, ncells, &columns[c]);
			char *text = cell ? inline_string(cell->node) : copy("");

			print_cell(&columns[c], text, c + 1 == n);
			free(text);
		}
		putchar('\n');
	}
}

static void print_text(const struct node *n, int indent)
{
	if (n->kind == NODE_TEXT) {
		fputs(n->text, stdout);
		return;
	}
	printf("%*s", indent, "");
	if (n->kind == NODE_OBJECT || (n->kind == NODE_LIST && n->n && !is_scalar(n->child[0]))) {
		if (n->name)
			print_name(n->name, 0);
		putchar('\n');
		if (n->kind == NODE_LIST)
			print_table(n, indent + 2);
		for (size_t i = 0; n->kind == NODE_OBJECT && i < n->n; i++)
			print_text(n->child[i], indent + 2);
		return;
	}
	if (n->name)
		print_name(n->name, NAME_WIDTH - indent);
	if (n->kind == NODE_LIST && !n->n)
		fputs(" none", stdout);
	for (size_t i = 0; i < n->n; i++) {
		fputs(i ? ", " : " ", stdout);
		inline_text(n->child[i], stdout);
	}
	if (is_scalar(n))
		printf(" %s", n->text);
	putchar('\n');
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *to_json(const struct node *n)
{
	json_t *v;

	if (is_scalar(n))
		return json_incref(n->json);
	v = need(n->kind == NODE_OBJECT ? json_object() : json_array());
	for (size_t i = 0; i < n->n; i++) {
		const struct node *c = n->child[i];

		if (c->kind == NODE_TEXT)
			continue;
		if (n->kind == NODE_OBJECT)
			json_object_set_new_nocheck(v, c->name, to_json(c));
		else
			json_array_append_new(v, to_json(c));
	}
	return v;
}

/* --- The tree --------------------------------------------------------------------------------- */

struct out *out_new(bool json)
{
	struct out *o = need(calloc(1, sizeof(*o)));

	o->json = json;
	o->root = o->at = node_new(NODE_OBJECT, NULL);
	return o;
}

bool out_is_json(const struct out *o)
{
	return o->json;
}

/* A complete member of the outermost object is printed at once, as text. */
static void settle(struct out *o)
{
	struct node *root = o->root;

	if (o->json || o->at != root)
		return;
	for (size_t i = 0; i < root->n; i++) {
		print_text(root->child[i], 0);
		node_free(root->child[i]);
	}
	root->n = 0;
}

static void add(struct out *o, struct node *n)
{
	struct node *at = o->at;

	if (at->n == at->cap) {
		at->cap = at->cap ? 2 * at->cap : 8;
		at->child = need(realloc(at->child, at->cap * sizeof(*at->child)));
	}
	at->child[at->n++] = n;
	n->parent = at;
	if (is_scalar(n))
		settle(o);
	else
		o->at = n;
}

static void add_scalar(struct out *o, enum node_kind kind, const char *name, const char *text,
                       json_t *json)
{
	struct node *n = node_new(kind, name);

	n->text = copy(text);
	n->json = need(json);
	add(o, n);
}

void out_object(struct out *o, const char *name)
{
	add(o, node_new(NODE_OBJECT, name));
}

void out_list(struct out *o, const char *name)
{
	add(o, node_new(NODE_LIST, name));
}

void out_close(struct out *o)
{
	o->at = o->at->parent;
	settle(o);
}

void out_str(struct out *o, const char *name, const char *value)
{
	json_t *json = value ? json_string(value) : json_null();

	/* Bytes that are no UTF-8 are none of a JSON string's. */
	if (!json)
		json = json_string("(not text)");
	add_scalar(o, value ? NODE_STR : NODE_NULL, name, value ? value : "-", json);
}

/* 1,234,567 */
static void group(char *to, uint64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, value);

	for (int i = 0; i < n; i++) {
		*to++ = digits[i];
		if ((n - i) % 3 == 1 && i + 1 < n)
			*to++ = ',';
	}
	*to = 0;
}

void out_uint(struct out *o, const char *name, uint64_t value)
{
	char text[40];

	group(text, value);
	/* jansson's integers are signed: what is above is a real, as any reader of JSON would have it. */
	add_scalar(o, NODE_NUMBER, name, text,
	           value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value));
}

void out_int(struct out *o, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	add_scalar(o, NODE_NUMBER, name, text, json_integer(value));
}

void out_hex(struct out *o, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	add_scalar(o, NODE_STR, name, text, json_string(text));
}

void out_real(struct out *o, const char *name, double value, int decimals)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*f", decimals, value);
	/* In JSON as many digits as people get: more would be noise. */
	add_scalar(o, NODE_NUMBER, name, text, json_real(strtod(text, NULL)));
}

void out_bool(struct out *o, const char *name, bool value)
{
	add_scalar(o, NODE_BOOL, name, value ? "yes" : "no", json_boolean(value));
}

void out_bytes(struct out *o, const char *name, const void *bytes, size_t len)
{
	char *text = need(malloc(2 * len + 1));

	text[0] = 0;
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
	add_scalar(o, NODE_STR, name, text, json_string(text));
	free(text);
}

void out_text(struct out *o, const char *format, ...)
{
	struct node *n;
	va_list args;
	int len;

	if (o->json)
		return;
	n = node_new(NODE_TEXT, NULL);
	va_start(args, format);
	len = vasprintf(&n->text, format, args);
	va_end(args);
	if (len < 0)
		need(n->text = NULL);
	add(o, n);
}

int out_end(struct out *o)
{
	bool ok = true;

	while (o->at != o->root)
		out_close(o);
	if (o->json) {
		json_t *v = to_json(o->root);

		ok = json_dumpf(v, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0;
		putchar('\n');
		json_decref(v);
	}
	node_free(o->root);
	free(o);
	if (fflush(stdout) || ferror(stdout) || !ok)
		return fail(EXIT_FAILED, "standard output: the result could not be written");
	return EXIT_OK;
}
