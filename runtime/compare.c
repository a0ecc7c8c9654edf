/* SPDX-License-Identifier: MIT */
/*
 * compare.c -- how far two results are apart.
 *
 * Sequences are walked element by element.  A NaN against a number, and an
 * infinity against anything else, count as an infinite error.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/exec_p.h"

/* Numbers of a tensor as doubles; complex ones as two each. */
struct numbers {
	enum dtype dt;
	const void *p;
	int64_t n;
};

static struct numbers numbers_of(const struct array *a)
{
	if (a->dt == DT_C64)
		return (struct numbers){DT_F32, a->data, a->n * 2};
	if (a->dt == DT_C128)
		return (struct numbers){DT_F64, a->data, a->n * 2};
	return (struct numbers){a->dt, a->data, a->n};
}

static double number(const struct numbers *v, int64_t i)
{
	if (v->dt == DT_F32)
		return (double)((const float *)v->p)[i];
	return dtype_get(v->dt, v->p, (size_t)i);
}

static void put_dims(struct buf *b, const struct array *a)
{
	int i;

	buf_puts(b, dtype_name(a->dt));
	buf_putc(b, '[');
	for (i = 0; i < a->rank; i++)
		buf_printf(b, i ? ",%lld" : "%lld", (long long)a->dim[i]);
	buf_putc(b, ']');
}

/* Kind, element type and dims; why not, if they differ. */
static bool same_form(const struct array *got, const struct array *want,
		      struct buf *why)
{
	static const char *const kind[] = {"tensor", "sequence", "optional",
					   "map"};

	if (got->kind != want->kind) {
		buf_printf(why, "a %s, expected a %s", kind[got->kind],
			   kind[want->kind]);
		return false;
	}
	if (got->kind != ARR_TENSOR) {
		if (got->nitem == want->nitem)
			return true;
		buf_printf(why, "%u elements, expected %u", got->nitem,
			   want->nitem);
		return false;
	}
	if (got->dt == want->dt && array_same_dims(got, want))
		return true;
	put_dims(why, got);
	buf_puts(why, ", expected ");
	put_dims(why, want);
	return false;
}

static bool is_real(const struct array *a)
{
	return dtype_kind(a->dt) == 'f' || dtype_kind(a->dt) == 'c';
}

static bool same_exactly(const struct array *a, const struct array *b,
			 int64_t i)
{
	if (a->dt == DT_STRING)
		return str_eq(((const struct str *)a->data)[i],
			      ((const struct str *)b->data)[i]);
	return dtype_get_int(a->dt, a->data, (size_t)i) ==
	       dtype_get_int(b->dt, b->data, (size_t)i);
}

/* |a - b|; infinite where no number says it. */
static double distance(double a, double b)
{
	double d;

	if (a == b || (a != a && b != b))
		return 0;
	d = fabs(a - b);
	return d == d ? d : INFINITY;
}

static double largest(const struct numbers *v)
{
	double max = 0, x;
	int64_t i;

	for (i = 0; i < v->n; i++) {
		x = fabs(number(v, i));
		if (x > max && x < INFINITY)
			max = x;
	}
	return max;
}

static void add_real(struct compare *c, const struct array *got,
		     const struct array *want)
{
	struct numbers g = numbers_of(got), w = numbers_of(want);
	double floor = 1e-6 * largest(&w), a, b, d, rel;
	int64_t i;

	for (i = 0; i < w.n; i++) {
		a = number(&g, i);
		b = number(&w, i);
		d = distance(a, b);
		if ((a != a) != (b != b))
			c->mismatched++;
		if (d > c->max_abs)
			c->max_abs = d;
		rel = d > 0 ? d / (fabs(b) + floor) : 0;
		/* inf / inf; and a number where 0 was expected everywhere */
		if (rel != rel || rel > 1e300)
			rel = INFINITY;
		if (rel > c->max_rel)
			c->max_rel = rel;
		c->sum_abs += d;
		c->noise += d * d;
		if (fabs(b) < INFINITY)
			c->signal += b * b;
	}
	c->count += w.n;
}

/* First position of the largest number of a row; NaN is never largest. */
static int64_t argmax(const struct numbers *v, int64_t start, int64_t n)
{
	double best = -INFINITY, x;
	int64_t at = 0, i;

	for (i = 0; i < n; i++) {
		x = number(v, start + i);
		if (x > best) {
			best = x;
			at = i;
		}
	}
	return at;
}

/* Where two are equally large, either is right. */
static void add_rows(struct compare *c, const struct array *got,
		     const struct array *want)
{
	struct numbers g = numbers_of(got), w = numbers_of(want);
	int64_t n = want->rank ? want->dim[want->rank - 1] : 0, row, i, k;

	if (n < 2 || dtype_kind(want->dt) != 'f')
		return;
	for (row = 0; row + n <= want->n; row += n) {
		i = argmax(&g, row, n);
		k = argmax(&w, row, n);
		c->rows++;
		c->agree +=
			i == k || number(&w, row + i) == number(&w, row + k);
	}
}

static void add_tensors(struct compare *c, const struct array *got,
			const struct array *want)
{
	int64_t i;

	if (is_real(want)) {
		add_real(c, got, want);
		add_rows(c, got, want);
		return;
	}
	for (i = 0; i < want->n; i++)
		c->mismatched += !same_exactly(got, want, i);
	c->count += want->n;
}

static void add_at(struct compare *c, const struct array *got,
		   const struct array *want, int depth)
{
	struct buf why = {0};
	uint32_t i;

	if (!same_form(got, want, &why)) {
		if (!c->shape_differs)
			snprintf(c->why, sizeof(c->why), "%s", why.p);
		c->shape_differs = true;
		buf_release(&why);
		return;
	}
	if (want->kind == ARR_TENSOR) {
		add_tensors(c, got, want);
		return;
	}
	/* Deeper types are refused by every reader. */
	for (i = 0; i < want->nitem && depth < ARRAY_MAX_DEPTH; i++)
		add_at(c, got->item[i], want->item[i], depth + 1);
}

void compare_add(struct compare *c, const struct array *got,
		 const struct array *want)
{
	add_at(c, got, want, 0);
}

double compare_sqnr(const struct compare *c)
{
	if (c->noise <= 0)
		return INFINITY;
	return 10 * log10(c->signal / c->noise);
}

double compare_agreement(const struct compare *c)
{
	return c->rows ? (double)c->agree / (double)c->rows : 1;
}

double compare_mean(const struct compare *c)
{
	return c->count ? c->sum_abs / (double)c->count : 0;
}

static void put_index(struct buf *b, const struct array *a, int64_t i)
{
	int64_t below = a->n;
	int k;

	buf_putc(b, '[');
	for (k = 0; k < a->rank; k++) {
		below /= a->dim[k];
		buf_printf(b, k ? ",%lld" : "%lld", (long long)(i / below));
		i %= below;
	}
	buf_putc(b, ']');
}

static bool close_reals(const struct array *got, const struct array *want,
			double rtol, double atol, struct buf *why)
{
	struct numbers g = numbers_of(got), w = numbers_of(want);
	int64_t i, bad = 0, worst = 0,
		   each = w.n && want->n ? w.n / want->n : 1;
	double d, over, most = -1;

	for (i = 0; i < w.n; i++) {
		d = distance(number(&g, i), number(&w, i));
		over = d == 0 ? 0 : d - atol - rtol * fabs(number(&w, i));
		if (over <= 0)
			continue;
		bad++;
		if (over > most || most < 0) {
			most = over;
			worst = i;
		}
	}
	if (!bad)
		return true;
	buf_printf(why, "%lld of %lld elements differ, most at ",
		   (long long)bad, (long long)w.n);
	put_index(why, want, worst / each);
	buf_printf(why, ": %.9g, expected %.9g", number(&g, worst),
		   number(&w, worst));
	return false;
}

static bool close_exact(const struct array *got, const struct array *want,
			struct buf *why)
{
	int64_t i, bad = 0, first = 0;

	for (i = want->n - 1; i >= 0; i--)
		if (!same_exactly(got, want, i)) {
			bad++;
			first = i;
		}
	if (!bad)
		return true;
	buf_printf(why, "%lld of %lld elements differ, first at ",
		   (long long)bad, (long long)want->n);
	put_index(why, want, first);
	if (want->dt == DT_STRING)
		return false;
	buf_printf(
		why, ": %lld, expected %lld",
		(long long)dtype_get_int(got->dt, got->data, (size_t)first),
		(long long)dtype_get_int(want->dt, want->data, (size_t)first));
	return false;
}

static bool close_at(const struct array *got, const struct array *want,
		     double rtol, double atol, struct buf *why, int depth)
{
	uint32_t i;

	if (!same_form(got, want, why))
		return false;
	if (want->kind == ARR_TENSOR)
		return is_real(want) ? close_reals(got, want, rtol, atol, why)
				     : close_exact(got, want, why);
	for (i = 0; i < want->nitem && depth < ARRAY_MAX_DEPTH; i++) {
		if (close_at(got->item[i], want->item[i], rtol, atol, why,
			     depth + 1))
			continue;
		buf_printf(why, " (in element %u)", i);
		return false;
	}
	return true;
}

bool arrays_close(const struct array *got, const struct array *want,
		  double rtol, double atol, struct buf *why)
{
	struct buf mine = {0};
	bool same = close_at(got, want, rtol, atol, why ? why : &mine, 0);

	buf_release(&mine);
	return same;
}

static bool alike_at(const struct array *a, const struct array *b, int depth)
{
	if (a->kind != b->kind || a->nitem != b->nitem)
		return false;
	if (a->kind == ARR_TENSOR)
		return a->dt == b->dt && array_same_dims(a, b);
	for (uint32_t i = 0; depth < ARRAY_MAX_DEPTH && i < a->nitem; i++)
		if (!alike_at(a->item[i], b->item[i], depth + 1))
			return false;
	return true;
}

bool arrays_alike(const struct array *a, const struct array *b)
{
	return alike_at(a, b, 0);
}
