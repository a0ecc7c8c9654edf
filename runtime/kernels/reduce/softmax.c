/* SPDX-License-Identifier: MIT */
/*
 * softmax.c -- Softmax, LogSoftmax and Hardmax.
 *
 * From version 13 along one axis; before, over everything from the axis on.
 * Both are rows of n elements `inner` apart.
 */
#include <math.h>

#include "base/pool.h"
#include "runtime/kernels/shared/nn_p.h"
#include "runtime/kernels/shared/simd_p.h"
#include "runtime/mathd.h"

enum kind { SOFTMAX, LOG_SOFTMAX, HARDMAX };

struct rows {
	int64_t outer, n, inner;
};

static enum status rows_init(struct kcall *c, struct rows *r)
{
	bool flat = c->node->op->since < 13;
	const struct array *x;
	enum status s = nn_floats(c, 1, 1);
	int axis;

	if (s != OK)
		return s;
	x = c->in[0];
	/* The flattening form also takes axis == rank: rows of one. */
	if (flat && node_attr_int(c->node, "axis", 1) == x->rank)
		axis = x->rank;
	else if (x->rank == 0)
		axis = 0;
	else
		s = kcall_axis(c, node_attr_int(c->node, "axis", flat ? 1 : -1),
			       x->rank, &axis);
	if (s != OK)
		return s;
	r->outer = nn_product(x->dim, 0, axis);
	if (flat || x->rank == 0) {
		r->n = nn_product(x->dim, axis, x->rank);
		r->inner = 1;
	} else {
		r->n = x->dim[axis];
		r->inner = nn_product(x->dim, axis + 1, x->rank);
	}
	return OK;
}

/* ---- reference ---- */

static void row_f64(enum kind k, const double *x, double *y, int64_t n,
		    int64_t step)
{
	double m = x[0], sum = 0;
	int64_t best = 0;

	for (int64_t i = 1; i < n; i++)
		if (x[i * step] > m) {
			m = x[i * step];
			best = i;
		}
	for (int64_t i = 0; k != HARDMAX && i < n; i++) {
		double e = md_exp(x[i * step] - m);

		y[i * step] = k == SOFTMAX ? e : x[i * step] - m;
		sum += e;
	}
	if (k == LOG_SOFTMAX)
		sum = md_log(sum);
	for (int64_t i = 0; i < n; i++)
		y[i * step] = k == HARDMAX   ? i == best
			      : k == SOFTMAX ? y[i * step] / sum
					     : y[i * step] - sum;
}

static enum status softmax_f64(struct kcall *c, enum kind k)
{
	struct rows r;
	enum status s = rows_init(c, &r);
	const double *x;
	double *y;

	if (s != OK)
		return s;
	x = nn_load(c, 0);
	y = nn_temp(c, c->in[0]->n);
	if (!x || !y)
		return LIMIT;
	for (int64_t o = 0; r.n > 0 && o < r.outer; o++)
		for (int64_t i = 0; i < r.inner; i++)
			row_f64(k, x + o * r.n * r.inner + i,
				y + o * r.n * r.inner + i, r.n, r.inner);
	return nn_save(c, 0, c->in[0]->dt, c->in[0]->rank, c->in[0]->dim, y);
}

enum status k_softmax(struct kcall *c)
{
	return softmax_f64(c, SOFTMAX);
}

enum status k_log_softmax(struct kcall *c)
{
	return softmax_f64(c, LOG_SOFTMAX);
}

enum status k_hardmax(struct kcall *c)
{
	return softmax_f64(c, HARDMAX);
}

/* ---- float32 ---- */

enum { COLUMNS = 16 }; /* of one task when inner > 1 */

struct row_job {
	struct rows r;
	enum kind k;
	const struct simd *s;
	const float *x;
	float *y, *tmp; /* tmp: COLUMNS rows per task slot */
	int64_t slots;
};

static void row_f32(const struct row_job *j, const float *x, float *y)
{
	int64_t n = j->r.n;
	float m = j->s->max(x, n), sum = j->s->exp_sum(y, x, n, m);

	if (j->k == SOFTMAX) {
		j->s->affine(y, y, n, 1.0f / sum, 0.0f);
		return;
	}
	j->s->affine(y, x, n, 1.0f, -m);
	j->s->affine(y, y, n, 1.0f, -(float)md_log((double)sum));
}

static void row_task(void *arg, size_t i)
{
	const struct row_job *j = arg;

	row_f32(j, j->x + (int64_t)i * j->r.n, j->y + (int64_t)i * j->r.n);
}

/* Columns [c0, c1) of the slab at x: gathered into rows and back. */
static void columns_f32(const struct row_job *j, int64_t at, int64_t c0,
			int64_t c1, float *tmp)
{
	int64_t n = j->r.n, inner = j->r.inner;
	const float *x = j->x + at;
	float *y = j->y + at;

	for (int64_t i = 0; i < n; i++)
		for (int64_t q = c0; q < c1; q++)
			tmp[(q - c0) * n + i] = x[i * inner + q];
	for (int64_t q = c0; q < c1; q++)
		row_f32(j, tmp + (q - c0) * n, tmp + (COLUMNS + q - c0) * n);
	for (int64_t i = 0; i < n; i++)
		for (int64_t q = c0; q < c1; q++)
			y[i * inner + q] = tmp[(COLUMNS + q - c0) * n + i];
}

static void column_task(void *arg, size_t i)
{
	const struct row_job *j = arg;
	int64_t blocks = ceil_div(j->r.inner, COLUMNS);

	for (int64_t t = (int64_t)i; t < j->r.outer * blocks; t += j->slots) {
		int64_t c0 = t % blocks * COLUMNS;

		columns_f32(j, t / blocks * j->r.n * j->r.inner, c0,
			    min64(c0 + COLUMNS, j->r.inner),
			    j->tmp + (int64_t)i * 2 * COLUMNS * j->r.n);
	}
}

static enum status softmax_f32(struct kcall *c, enum kind k)
{
	struct row_job j = {.k = k, .s = simd(), .slots = 16};
	struct array *y;
	enum status s;

	if (!nn_all_f32(c, 1))
		return softmax_f64(c, k);
	s = rows_init(c, &j.r);
	if (s != OK)
		return s;
	y = kcall_out(c, 0, DT_F32, c->in[0]->rank, c->in[0]->dim);
	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	j.x = c->in[0]->data;
	j.y = y->data;
	if (j.r.inner == 1) {
		pool_for((size_t)j.r.outer, row_task, &j);
		return OK;
	}
	j.tmp = nn_temp_f32(c, j.slots * 2 * COLUMNS * j.r.n);
	if (!j.tmp)
		return LIMIT;
	pool_for((size_t)j.slots, column_task, &j);
	return OK;
}

enum status k_softmax_f32(struct kcall *c)
{
	return softmax_f32(c, SOFTMAX);
}

enum status k_log_softmax_f32(struct kcall *c)
{
	return softmax_f32(c, LOG_SOFTMAX);
}
