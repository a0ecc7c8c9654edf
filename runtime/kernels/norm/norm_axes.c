/* SPDX-License-Identifier: MIT */
/*
 * norm_axes.c -- normalization over chosen axes: MeanVarianceNormalization
 * and LpNormalization, in double.
 */
#include <math.h>

#include "runtime/kernels/shared/nn_p.h"

/* Visit every element with the index of its group; twice is enough here. */
struct groups {
	int rank;
	int64_t dim[KERNEL_MAX_RANK];
	int64_t step[KERNEL_MAX_RANK]; /* 0: the axis is reduced */
	int64_t count;                 /* of groups */
	int64_t each;                  /* elements per group */
};

static void groups_init(struct groups *g, const struct array *x,
			const bool *reduced)
{
	g->rank = x->rank;
	g->count = 1;
	g->each = 1;
	for (int i = x->rank - 1; i >= 0; i--) {
		g->dim[i] = x->dim[i];
		g->step[i] = reduced[i] ? 0 : g->count;
		if (reduced[i])
			g->each *= x->dim[i];
		else
			g->count *= x->dim[i];
	}
}

static int64_t group_of(const struct groups *g, const int64_t *o)
{
	int64_t at = 0;

	for (int i = 0; i < g->rank; i++)
		at += o[i] * g->step[i];
	return at;
}

/* acc[group] += fn(x, acc2[group]) over all elements. */
static void accumulate(const struct groups *g, const double *x, double *acc,
		       const double *mean, double p)
{
	int64_t o[KERNEL_MAX_RANK] = {0}, at = 0;

	for (int64_t i = 0; i < g->count; i++)
		acc[i] = 0;
	do {
		int64_t gr = group_of(g, o);
		double v = x[at++] - (mean ? mean[gr] : 0);

		acc[gr] += p == 0 ? v : p == 1 ? fabs(v) : v * v;
	} while (odometer_next(g->rank, g->dim, o));
}

enum status k_mean_variance_norm(struct kcall *c)
{
	enum status s = nn_floats(c, 1, 1);
	bool reduced[KERNEL_MAX_RANK] = {false};
	int64_t o[KERNEL_MAX_RANK] = {0}, at = 0;
	static const int64_t dflt[] = {0, 2, 3};
	const struct array *x;
	struct groups g;
	const int64_t *axes;
	double *y, *mean, *dev;
	size_t n;

	if (s == OK)
		s = nn_rank(c, 0, 1, KERNEL_MAX_RANK);
	if (s != OK)
		return s;
	x = c->in[0];
	axes = node_attr_ints(c->node, "axes", &n);
	if (!axes) {
		axes = dflt;
		n = countof(dflt);
	}
	for (size_t i = 0; i < n; i++) {
		int axis;

		s = kcall_axis(c, axes[i], x->rank, &axis);
		if (s != OK)
			return s;
		reduced[axis] = true;
	}
	groups_init(&g, x, reduced);
	y = nn_temp(c, x->n);
	mean = nn_temp(c, g.count);
	dev = nn_temp(c, g.count);
	if (!y || !mean || !dev)
		return LIMIT;
	nn_load_range(x, 0, x->n, y);
	if (x->n > 0) {
		accumulate(&g, y, mean, NULL, 0);
		for (int64_t i = 0; i < g.count; i++)
			mean[i] /= (double)g.each;
		accumulate(&g, y, dev, mean, 2);
		for (int64_t i = 0; i < g.count; i++)
			dev[i] = sqrt(dev[i] / (double)g.each) + 1e-9;
		do {
			int64_t gr = group_of(&g, o);

			y[at] = (y[at] - mean[gr]) / dev[gr];
			at++;
		} while (odometer_next(g.rank, g.dim, o));
	}
	return nn_save(c, 0, x->dt, x->rank, x->dim, y);
}

enum status k_lp_norm(struct kcall *c)
{
	int64_t p = node_attr_int(c->node, "p", 2);
	enum status s = nn_floats(c, 1, 1);
	bool reduced[KERNEL_MAX_RANK] = {false};
	int64_t o[KERNEL_MAX_RANK] = {0}, at = 0;
	const struct array *x;
	struct groups g;
	double *y, *norm;
	int axis;

	if (s == OK)
		s = nn_rank(c, 0, 1, KERNEL_MAX_RANK);
	if (s == OK)
		s = kcall_axis(c, node_attr_int(c->node, "axis", -1),
			       c->in[0]->rank, &axis);
	if (s != OK)
		return s;
	if (p != 1 && p != 2)
		return kcall_error(c, E_value, "attribute p is %lld",
				   (long long)p);
	x = c->in[0];
	reduced[axis] = true;
	groups_init(&g, x, reduced);
	y = nn_temp(c, x->n);
	norm = nn_temp(c, g.count);
	if (!y || !norm)
		return LIMIT;
	nn_load_range(x, 0, x->n, y);
	if (x->n > 0) {
		accumulate(&g, y, norm, NULL, (double)p);
		do {
			int64_t gr = group_of(&g, o);
			double d = p == 2 ? sqrt(norm[gr]) : norm[gr];

			y[at] = d == 0 ? 0 : y[at] / d;
			at++;
		} while (odometer_next(g.rank, g.dim, o));
	}
	return nn_save(c, 0, x->dt, x->rank, x->dim, y);
}
