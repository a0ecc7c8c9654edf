/* SPDX-License-Identifier: MIT */
/*
 * value_text.c -- run-time values for people.
 *
 * Numbers have the fewest digits that give the same number again in their
 * type.  Large tensors show three elements at each end of each axis.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cli/value.h"

enum {
	EDGE = 3,        /* elements shown at each end of a cut axis */
	LINE = 79,       /* columns */
	RANK_SHOWN = 16, /* tensors of higher rank print as one row */
	NESTING = 8,     /* sequences in sequences */
};

void value_type(struct buf *b, const struct array *a)
{
	switch (a->kind) {
	case ARR_SEQ:
		buf_printf(b, "sequence of %u", a->nitem);
		return;
	case ARR_OPTIONAL:
		buf_puts(b, a->nitem ? "optional" : "optional without value");
		return;
	case ARR_MAP:
		buf_printf(b, "map of %" PRId64, a->nitem ? a->item[0]->n : 0);
		return;
	case ARR_TENSOR:
		break;
	}
	buf_puts(b, dtype_name(a->dt));
	for (int k = 0; k < a->rank; k++)
		buf_printf(b, "%c%" PRId64, k ? ',' : '[', a->dim[k]);
	if (a->rank)
		buf_putc(b, ']');
}

struct value_stats value_stats(const struct array *a)
{
	struct value_stats s = {.min = NAN, .max = NAN, .mean = NAN};
	double sum = 0;
	int64_t n = 0;

	s.numeric = a->kind == ARR_TENSOR && strchr("fiub", dtype_kind(a->dt));
	for (int64_t i = 0; s.numeric && i < a->n; i++) {
		double v = dtype_get(a->dt, a->data, (size_t)i);

		s.nan += isnan(v);
		s.inf += isinf(v) != 0;
		if (!isfinite(v))
			continue;
		s.min = n && s.min < v ? s.min : v;
		s.max = n && s.max > v ? s.max : v;
		sum += v;
		n++;
	}
	if (n)
		s.mean = sum / (double)n;
	return s;
}

void value_stats_text(struct buf *b, const struct value_stats *s)
{
	if (!s->numeric)
		return;
	if (!isnan(s->mean))
		buf_printf(b, "min %.6g max %.6g mean %.6g", s->min, s->max,
			   s->mean);
	if (s->nan)
		buf_printf(b, " NaN %" PRId64, s->nan);
	if (s->inf)
		buf_printf(b, " Inf %" PRId64, s->inf);
}

static void float_text(struct buf *b, enum dtype dt, double v)
{
	char text[40] = "nan"; /* whatever its sign */

	for (int digits = 1; digits <= 17 && !isnan(v); digits++) {
		uint64_t again = 0;

		snprintf(text, sizeof text, "%.*g", digits, v);
		dtype_set(dt, &again, 0, strtod(text, NULL));
		if (isinf(v) || dtype_get(dt, &again, 0) == v)
			break;
	}
	buf_puts(b, text);
}

static void complex_text(struct buf *b, const struct array *a, int64_t i)
{
	enum dtype part = a->dt == DT_C64 ? DT_F32 : DT_F64;
	double im = dtype_get(part, a->data, (size_t)(2 * i + 1));

	float_text(b, part, dtype_get(part, a->data, (size_t)(2 * i)));
	buf_puts(b, signbit(im) ? "" : "+");
	float_text(b, part, im);
	buf_putc(b, 'j');
}

static void element_text(struct buf *b, const struct array *a, int64_t i)
{
	size_t k = (size_t)i;

	switch (dtype_kind(a->dt)) {
	case 's':
		buf_putc(b, '\'');
		buf_escaped(b, ((const struct str *)a->data)[i]);
		buf_putc(b, '\'');
		break;
	case 'f':
		float_text(b, a->dt, dtype_get(a->dt, a->data, k));
		break;
	case 'c':
		complex_text(b, a, i);
		break;
	case 'b':
		buf_puts(b,
			 dtype_get_int(a->dt, a->data, k) ? "true" : "false");
		break;
	case 'u':
		buf_printf(b, "%" PRIu64,
			   (uint64_t)dtype_get_int(a->dt, a->data, k));
		break;
	default:
		buf_printf(b, "%" PRId64, dtype_get_int(a->dt, a->data, k));
	}
}

/* ---- rows and brackets ---- */

struct layout {
	struct buf *out; /* NULL: only measure */
	const struct array *a;
	bool cut;
	size_t width; /* of the widest element; 0: not aligned */
	size_t line;  /* where the current line starts in out */
};

static void put_element(struct layout *l, int64_t i)
{
	struct buf b = {0};

	element_text(&b, l->a, i);
	if (!l->out) {
		if (l->a->dt != DT_STRING && b.n > l->width)
			l->width = b.n;
	} else {
		for (size_t k = b.n; k < l->width; k++)
			buf_putc(l->out, ' ');
		buf_add(l->out, b.p, b.n);
	}
	buf_release(&b);
}

/* Between two entries of an axis: a blank in rows, new lines outside. */
static void put_gap(struct layout *l, int axis)
{
	int breaks = l->a->rank - 1 - axis;

	if (!l->out)
		return;
	if (breaks == 0 && l->out->n - l->line + l->width < LINE) {
		buf_putc(l->out, ' ');
		return;
	}
	for (int i = 0; i < (breaks ? breaks : 1); i++)
		buf_putc(l->out, '\n');
	l->line = l->out->n;
	for (int i = 0; i <= axis; i++)
		buf_putc(l->out, ' ');
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as RANK_SHOWN */
static void put_axis(struct layout *l, int axis, int64_t base)
{
	const struct array *a = l->a;
	int64_t step = 1;

	if (axis == a->rank) {
		put_element(l, base);
		return;
	}
	for (int k = axis + 1; k < a->rank; k++)
		step *= a->dim[k];
	if (l->out)
		buf_putc(l->out, '[');
	for (int64_t i = 0; i < a->dim[axis]; i++) {
		if (i)
			put_gap(l, axis);
		if (l->cut && i == EDGE && a->dim[axis] > 2 * EDGE) {
			if (l->out)
				buf_puts(l->out, "...");
			i = a->dim[axis] - EDGE - 1;
			continue;
		}
		put_axis(l, axis + 1, base + i * step);
	}
	if (l->out)
		buf_putc(l->out, ']');
}

static void tensor_text(struct buf *b, const struct array *a, int64_t limit)
{
	struct layout l = {.a = a, .cut = limit && a->n > limit};
	struct array *flat = NULL;

	if (a->n == 0) {
		buf_puts(b, "[]\n");
		return;
	}
	if (a->rank > RANK_SHOWN) {
		flat = array_view((struct array *)(uintptr_t)a, 1, &a->n);
		l.a = flat;
	}
	put_axis(&l, 0, 0);
	l.out = b;
	l.line = b->n;
	put_axis(&l, 0, 0);
	buf_putc(b, '\n');
	array_unref(flat);
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is checked */
static void text_at(struct buf *b, const struct array *a, int64_t limit,
		    int depth)
{
	static const char *const part[] = {"keys", "values"};

	if (a->kind == ARR_TENSOR) {
		tensor_text(b, a, limit);
		return;
	}
	for (uint32_t i = 0; i < a->nitem; i++) {
		for (int k = 0; k < 2 * depth; k++)
			buf_putc(b, ' ');
		if (a->kind == ARR_MAP && i < countof(part))
			buf_printf(b, "%s: ", part[i]);
		else if (a->kind == ARR_SEQ)
			buf_printf(b, "[%u]: ", i);
		value_type(b, a->item[i]);
		buf_putc(b, '\n');
		if (depth < NESTING)
			text_at(b, a->item[i], limit, depth + 1);
	}
}

void value_text(struct buf *b, const struct array *a, int64_t limit)
{
	text_at(b, a, limit, 0);
}
