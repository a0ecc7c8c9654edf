/* SPDX-License-Identifier: MIT */
/*
 * det.c -- Det: elimination with the largest pivot of each column, in double.
 */
#include <math.h>
#include <string.h>

#include "runtime/kernels/shared/nn_p.h"

/* Row of the largest entry in column k, from row k on; a NaN is no reason to
 * stay with 0. */
static int64_t pivot_of(const double *a, int64_t n, int64_t k)
{
	int64_t best = k;

	for (int64_t i = k + 1; i < n; i++)
		if (!(fabs(a[i * n + k]) <= fabs(a[best * n + k])))
			best = i;
	return best;
}

/* Determinant of the n x n matrix a, which is overwritten. */
static double det(double *a, int64_t n)
{
	double d = 1;

	for (int64_t k = 0; k < n; k++) {
		int64_t p = pivot_of(a, n, k);

		for (int64_t j = k; p != k && j < n; j++) {
			double v = a[k * n + j];

			a[k * n + j] = a[p * n + j];
			a[p * n + j] = v;
		}
		d *= p == k ? a[k * n + k] : -a[k * n + k];
		if (a[k * n + k] == 0)
			return 0;
		for (int64_t i = k + 1; i < n; i++) {
			double f = a[i * n + k] / a[k * n + k];

			for (int64_t j = k + 1; j < n; j++)
				a[i * n + j] -= f * a[k * n + j];
		}
	}
	return d;
}

enum status k_det(struct kcall *c)
{
	const struct array *x = c->in[0];
	int64_t m, n;
	double *y, *a;
	enum status s = nn_floats(c, 1, 1);

	if (s == OK)
		s = nn_rank(c, 0, 2, KERNEL_MAX_RANK);
	if (s != OK)
		return s;
	m = x->dim[x->rank - 1];
	if (x->dim[x->rank - 2] != m)
		return kcall_error(c, E_shape, "a matrix of %lld x %lld",
				   (long long)x->dim[x->rank - 2],
				   (long long)m);
	if (!nn_count(x->rank - 2, x->dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	y = nn_temp(c, n);
	a = x->n ? nn_temp(c, m * m) : NULL;
	if (!y || (x->n && !a))
		return LIMIT;
	for (int64_t i = 0; i < n; i++) {
		if (m > 0)
			nn_load_range(x, i * m * m, m * m, a);
		y[i] = det(a, m);
	}
	return nn_save(c, 0, x->dt, x->rank - 2, x->dim, y);
}
