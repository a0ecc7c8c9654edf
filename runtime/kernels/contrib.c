/* SPDX-License-Identifier: MIT */
/*
 * contrib.c -- small contributed operators: ExpandDims, CDist, Inverse,
 * IsAllFinite, BiasAdd, BiasSplitGelu.
 */
#include <math.h>
#include <string.h>

#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

enum status k_expand_dims(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t dim[KERNEL_MAX_RANK], at;
	int axis;
	enum status s = kcall_int(c, 1, 0, &at);

	if (s == OK && x->rank >= KERNEL_MAX_RANK)
		s = kcall_error(c, E_unsupported, "rank is above %d",
				KERNEL_MAX_RANK);
	if (s == OK)
		s = kcall_axis(c, at, x->rank + 1, &axis);
	if (s != OK)
		return s;
	for (int i = 0; i <= x->rank; i++)
		dim[i] = i == axis ? 1 : x->dim[i - (i > axis)];
	return kcall_view(c, 0, c->in[0], x->rank + 1, dim);
}

/* ---- CDist: distances between the rows of A and of B ---- */

enum status k_cdist(struct kcall *c)
{
	struct str metric = node_attr_str(c->node, "metric", "sqeuclidean");
	bool root = str_is(metric, "euclidean");
	const double *a, *b;
	int64_t dim[2], n, width;
	double *y;
	enum status s = nn_floats(c, 2, 2);

	for (uint32_t j = 0; s == OK && j < 2; j++)
		s = nn_rank(c, j, 2, 2);
	if (s != OK)
		return s;
	if (!root && !str_is(metric, "sqeuclidean"))
		return kcall_error(c, E_unsupported, "metric '%.*s'",
				   (int)(metric.n < 64 ? metric.n : 64),
				   metric.p);
	width = c->in[0]->dim[1];
	dim[0] = c->in[0]->dim[0];
	dim[1] = c->in[1]->dim[0];
	if (c->in[1]->dim[1] != width || !nn_count(2, dim, &n))
		return kcall_error(c, E_shape, "the rows differ in length");
	a = nn_load(c, 0);
	b = nn_load(c, 1);
	y = nn_temp(c, n);
	if (!a || !b || !y)
		return LIMIT;
	for (int64_t i = 0; i < n; i++) {
		double sum = 0;

		for (int64_t k = 0; k < width; k++) {
			double d = a[i / dim[1] * width + k] -
				   b[i % dim[1] * width + k];

			sum += d * d;
		}
		y[i] = root ? sqrt(sum) : sum;
	}
	return nn_save(c, 0, c->in[0]->dt, 2, dim, y);
}

/* ---- Inverse: Gauss and Jordan, largest pivot of the column ---- */

static void swap_rows(double *m, int64_t n, int64_t i, int64_t j)
{
	for (int64_t k = 0; i != j && k < n; k++) {
		double t = m[i * n + k];

		m[i * n + k] = m[j * n + k];
		m[j * n + k] = t;
	}
}

/* row i minus by times row j */
static void eliminate(double *m, int64_t n, int64_t i, int64_t j, double by)
{
	for (int64_t k = 0; k < n; k++)
		m[i * n + k] -= by * m[j * n + k];
}

/* y = 1 / a; a is used up.  A singular matrix gives infinities and NaN. */
static void invert(double *a, double *y, int64_t n)
{
	for (int64_t i = 0; i < n * n; i++)
		y[i] = i % (n + 1) == 0;
	for (int64_t p = 0; p < n; p++) {
		int64_t best = p;
		double by;

		for (int64_t i = p + 1; i < n; i++)
			if (fabs(a[i * n + p]) > fabs(a[best * n + p]))
				best = i;
		swap_rows(a, n, p, best);
		swap_rows(y, n, p, best);
		by = a[p * n + p];
		for (int64_t k = 0; k < n; k++) {
			a[p * n + k] /= by;
			y[p * n + k] /= by;
		}
		for (int64_t i = 0; i < n; i++)
			if (i != p) {
				by = a[i * n + p];
				eliminate(a, n, i, p, by);
				eliminate(y, n, i, p, by);
			}
	}
}

enum status k_inverse(struct kcall *c)
{
	const struct array *x;
	double *a, *y;
	int64_t n;
	enum status s = nn_floats(c, 1, 1);

	if (s == OK)
		s = nn_rank(c, 0, 2, KERNEL_MAX_RANK);
	if (s != OK)
		return s;
	x = c->in[0];
	n = x->dim[x->rank - 1];
	if (x->dim[x->rank - 2] != n)
		return kcall_error(c, E_shape, "the matrices are not square");
	a = nn_temp(c, x->n);
	y = nn_temp(c, x->n);
	if (!a || !y)
		return LIMIT;
	nn_load_range(x, 0, x->n, a);
	for (int64_t t = 0; x->n > 0 && t < x->n; t += n * n)
		invert(a + t, y + t, n);
	return nn_save(c, 0, x->dt, x->rank, x->dim, y);
}

/* ---- IsAllFinite ---- */

enum status k_is_all_finite(struct kcall *c)
{
	bool inf_only = node_attr_int(c->node, "isinf_only", 0) != 0;
	bool nan_only = node_attr_int(c->node, "isnan_only", 0) != 0;
	bool ok = true;
	struct array *y;

	for (uint32_t j = 0; j < c->nin; j++) {
		const struct array *a = c->in[j];

		if (!a || a->kind != ARR_TENSOR || !dtype_is_float(a->dt))
			return kcall_error(c, E_type,
					   "input %u is not a float tensor", j);
		for (int64_t i = 0; ok && i < a->n; i++) {
			double v = dtype_get(a->dt, a->data, (size_t)i);

			ok = !(isnan(v) && !inf_only) &&
			     !(isinf(v) && !nan_only);
		}
	}
	y = kcall_out(c, 0, DT_BOOL, 0, NULL);
	if (!y)
		return LIMIT;
	*(uint8_t *)y->data = ok;
	return OK;
}

/* ---- biases along the last axis ---- */

static enum status last_axis(struct kcall *c, uint32_t need)
{
	enum status s = nn_floats(c, need, need);

	if (s == OK)
		s = nn_rank(c, 0, 1, KERNEL_MAX_RANK);
	return s == OK ? nn_vector(c, 1, c->in[0]->dt,
				   c->in[0]->dim[c->in[0]->rank - 1])
		       : s;
}

enum status k_bias_add(struct kcall *c)
{
	enum status s = last_axis(c, 3);
	const struct array *x = c->in[0];
	const double *v, *b, *skip;
	double *y;

	if (s == OK && !array_same_dims(x, c->in[2]))
		s = kcall_error(c, E_shape, "skip has not the input's shape");
	if (s != OK)
		return s;
	v = nn_load(c, 0);
	b = nn_load(c, 1);
	skip = nn_load(c, 2);
	y = nn_temp(c, x->n);
	if (!v || !b || !skip || !y)
		return LIMIT;
	for (int64_t i = 0; i < x->n; i++)
		y[i] = v[i] + b[i % c->in[1]->n] + skip[i];
	return nn_save(c, 0, x->dt, x->rank, x->dim, y);
}

/* The left half times Gelu of the right half. */
enum status k_bias_split_gelu(struct kcall *c)
{
	enum status s = last_axis(c, 2);
	const struct array *x = c->in[0];
	int64_t dim[KERNEL_MAX_RANK], n, half;
	const double *v, *b;
	double *y;

	if (s != OK)
		return s;
	n = x->dim[x->rank - 1];
	half = n / 2;
	if (n % 2 != 0)
		return kcall_error(c, E_shape, "the last axis has %lld",
				   (long long)n);
	memcpy(dim, x->dim, (size_t)x->rank * sizeof *dim);
	dim[x->rank - 1] = half;
	v = nn_load(c, 0);
	b = nn_load(c, 1);
	y = nn_temp(c, x->n / 2);
	if (!v || !b || !y)
		return LIMIT;
	for (int64_t i = 0; i < x->n / 2; i++) {
		int64_t row = i / half * n, k = i % half;
		double g = v[row + half + k] + b[half + k];

		g = 0.5 * g * (1 + md_erf(g * 0.70710678118654752440));
		y[i] = (v[row + k] + b[k]) * g;
	}
	return nn_save(c, 0, x->dt, x->rank, dim, y);
}
