/* SPDX-License-Identifier: MIT */
/*
 * report.c -- before/after tables for people.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"

void print_bytes(struct buf *b, uint64_t n)
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
	double v = (double)n;
	size_t i = 0;

	while (v >= 999.5 && i + 1 < countof(unit)) {
		v /= 1000;
		i++;
	}
	buf_printf(b, i && v < 99.95 ? "%.1f %s" : "%.0f %s", v, unit[i]);
}

void print_count(struct buf *b, uint64_t n)
{
	char s[24];
	int len = snprintf(s, sizeof s, "%" PRIu64, n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_putc(b, ',');
		buf_putc(b, s[i]);
	}
}

void print_seconds(struct buf *b, double s)
{
	if (s < 1e-3)
		buf_printf(b, "%.1f us", s * 1e6);
	else if (s < 1)
		buf_printf(b, "%.2f ms", s * 1e3);
	else
		buf_printf(b, "%.2f s", s);
}

/* ---- aligned columns ---- */

enum { MAX_COLS = 12 };

struct table {
	VEC(char *) row;
};

struct table *table_create(void)
{
	return xcalloc(1, sizeof(struct table));
}

void table_row(struct table *t, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	vec_push(&t->row, b.p ? b.p : xstrdup(""));
}

static void column_widths(const struct table *t, int *width)
{
	for (size_t i = 0; i < t->row.n; i++) {
		const char *p = t->row.p[i];

		for (int c = 0; c < MAX_COLS; c++) {
			int n = (int)strcspn(p, "|");

			if (n > width[c])
				width[c] = n;
			if (!p[n])
				break;
			p += n + 1;
		}
	}
}

static void print_row(const char *p, const int *width, FILE *f)
{
	for (int c = 0; c < MAX_COLS; c++) {
		int n = (int)strcspn(p, "|");

		if (c)
			fprintf(f, "  %*.*s", width[c], n, p);
		else
			fprintf(f, "%-*.*s", width[c], n, p);
		if (!p[n])
			break;
		p += n + 1;
	}
	fputc('\n', f);
}

void table_print(struct table *t, FILE *f)
{
	int width[MAX_COLS] = {0};

	column_widths(t, width);
	for (size_t i = 0; i < t->row.n; i++) {
		print_row(t->row.p[i], width, f);
		free(t->row.p[i]);
	}
	vec_release(&t->row);
	free(t);
}

/* ---- before/after ---- */

static void change(struct buf *b, uint64_t before, uint64_t after)
{
	if (before == after)
		buf_puts(b, "=");
	else if (before)
		buf_printf(b, "%+.1f %%",
			   100 * ((double)after - (double)before) /
				   (double)before);
	else
		buf_puts(b, "new");
}

static void number_row(struct table *t, const char *name, uint64_t before,
		       uint64_t after, void (*print)(struct buf *, uint64_t))
{
	struct buf b = {0};

	print(&b, before);
	buf_putc(&b, '|');
	print(&b, after);
	buf_putc(&b, '|');
	change(&b, before, after);
	table_row(t, "%s|%s", name, b.p);
	buf_release(&b);
}

/* Operators whose count changed, merged over both sorted lists. */
static void op_rows(struct table *t, const struct cost *a, const struct cost *b)
{
	size_t i = 0, j = 0;

	while (i < a->nop || j < b->nop) {
		int d = i == a->nop   ? 1
			: j == b->nop ? -1
				      : strcmp(a->op[i].name, b->op[j].name);
		const char *name = d <= 0 ? a->op[i].name : b->op[j].name;
		uint64_t x = d <= 0 ? a->op[i++].n : 0;
		uint64_t y = d >= 0 ? b->op[j++].n : 0;
		struct buf label = {0};

		if (x != y) {
			buf_printf(&label, "  %s", name);
			number_row(t, label.p, x, y, print_count);
		}
		buf_release(&label);
	}
}

static void zeros_row(struct table *t, const struct produce *p)
{
	if (p->before.zeros == p->after.zeros)
		return;
	number_row(t, "zero weights", p->before.zeros, p->after.zeros,
		   print_count);
}

static void verify_lines(FILE *f, const struct produce *p)
{
	const struct verify_report *v = &p->verify;

	if (v->mode == VERIFY_NONE) {
		fprintf(f, "not verified: %s\n",
			v->why ? v->why : "--no-check");
		return;
	}
	if (v->mode == VERIFY_REGIONS) {
		fprintf(f,
			"verified region by region (%s): %zu regions, "
			"%zu skipped\n",
			v->why ? v->why : "", v->regions, v->regions_skipped);
		return;
	}
	for (uint32_t i = 0; i < v->nout; i++) {
		const struct compare *k = &v->out[i].c;

		if (v->out[i].random) {
			fprintf(f,
				"output %s: random, compared by type and "
				"shape\n",
				v->out[i].name);
			continue;
		}
		fprintf(f, "output %s: max error %.3g, mean %.3g",
			v->out[i].name, k->max_abs, compare_mean(k));
		if (p->lossy)
			fprintf(f, ", SQNR %.1f dB, top-1 agreement %.2f %%",
				compare_sqnr(k), 100 * compare_agreement(k));
		fputc('\n', f);
	}
	fprintf(f, "verified: %u run%s of original and result\n", v->runs,
		v->runs == 1 ? "" : "s");
}

void report_table(FILE *f, const struct produce *p)
{
	struct table *t = table_create();

	table_row(t, "|before|after|change");
	number_row(t, "nodes", p->before.nodes, p->after.nodes, print_count);
	op_rows(t, &p->before, &p->after);
	number_row(t, "parameters", p->before.params, p->after.params,
		   print_count);
	zeros_row(t, p);
	number_row(t, "weights", p->before.weight_bytes, p->after.weight_bytes,
		   print_bytes);
	number_row(t, "MACs", p->before.macs, p->after.macs, print_count);
	number_row(t, "file", p->bytes_before, p->bytes_after, print_bytes);
	table_print(t, f);
	verify_lines(f, p);
	if (p->text_extra)
		p->text_extra(p->extra_arg, f);
	if (p->unchanged)
		fputs("the result would have been larger: the original was "
		      "written\n",
		      f);
}
