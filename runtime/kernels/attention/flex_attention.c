/* SPDX-License-Identifier: MIT */
/*
 * flex_attention.c -- FlexAttention: attention whose scores and probabilities
 * pass through bodies.
 *
 * Products and softmax are computed in double; what a body sees and returns
 * has the type that softmax_precision names.
 */
#include <math.h>

#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

struct flex {
	int64_t batch, qheads, heads, q, kv, size, vsize;
	double scale;
	enum dtype dt; /* of scores */
	const double *x, *k, *v;
};

static enum status flex_shapes(struct kcall *c, struct flex *t)
{
	const int64_t *q, *k, *v;
	enum status s = nn_floats(c, 3, 3);

	for (uint32_t j = 0; s == OK && j < 3; j++)
		s = nn_rank(c, j, 4, 4);
	if (s != OK)
		return s;
	q = c->in[0]->dim;
	k = c->in[1]->dim;
	v = c->in[2]->dim;
	*t = (struct flex){.batch = q[0],
			   .qheads = q[1],
			   .heads = k[1],
			   .q = q[2],
			   .kv = k[2],
			   .size = q[3],
			   .vsize = v[3]};
	if (k[0] != t->batch || v[0] != t->batch || v[1] != t->heads ||
	    v[2] != t->kv || k[3] != t->size || t->heads < 1 ||
	    t->qheads % t->heads != 0)
		return kcall_error(c, E_shape, "Q, K and V do not fit");
	return OK;
}

static enum status flex_attrs(struct kcall *c, struct flex *t)
{
	bool f64 = c->in[0]->dt == DT_F64;
	int64_t dt = node_attr_int(c->node, "softmax_precision",
				   f64 ? DT_F64 : DT_F32);

	if (!dtype_valid(dt) || !dtype_is_float((enum dtype)dt))
		return kcall_error(c, E_value,
				   "attribute softmax_precision is %lld",
				   (long long)dt);
	t->dt = (enum dtype)dt;
	t->scale = node_has_attr(c->node, "scale")
			   ? node_attr_float(c->node, "scale", 1)
			   : 1 / sqrt((double)max64(t->size, 1));
	return OK;
}

/* Scores [batch, qheads, q, kv]: scale Q K'. */
static void flex_scores(const struct flex *t, struct array *a)
{
	int64_t each = t->qheads / t->heads, at = 0;

	for (int64_t r = 0; a->n > 0 && r < t->batch * t->qheads * t->q; r++) {
		int64_t h = r / t->q % t->qheads, b = r / t->q / t->qheads;
		const double *x = t->x + r * t->size;
		const double *k =
			t->k + (b * t->heads + h / each) * t->kv * t->size;

		for (int64_t j = 0; j < t->kv; j++, k += t->size) {
			double sum = 0;

			for (int64_t d = 0; d < t->size; d++)
				sum += x[d] * k[d];
			dtype_set(a->dt, a->data, (size_t)at++, sum * t->scale);
		}
	}
}

/* Rows of n elements, in place. */
static void flex_softmax(struct array *a, int64_t n, double *row)
{
	for (int64_t at = 0; at < a->n; at += n) {
		double top = -INFINITY, sum = 0;

		nn_load_range(a, at, n, row);
		for (int64_t j = 0; j < n; j++)
			top = row[j] > top ? row[j] : top;
		for (int64_t j = 0; j < n; j++) {
			row[j] = md_exp(row[j] - top);
			sum += row[j];
		}
		for (int64_t j = 0; j < n; j++)
			row[j] /= sum;
		nn_save_range(a, at, n, row);
	}
}

/* *a passes through the body in attribute `name`, if there is one. */
static enum status flex_body(struct kcall *c, const char *name,
			     struct array **a)
{
	struct graph *g = node_attr_graph(c->node, name);
	struct array *y = NULL;
	enum status s;

	if (!g)
		return OK;
	if (g->nin != 1 || g->ret->nin != 1)
		return kcall_error(c, E_arity,
				   "'%s' has %u inputs and %u outputs", name,
				   g->nin, g->ret->nin);
	s = kcall_body(c, g, a, &y);
	if (s == OK && (!y || y->kind != ARR_TENSOR || y->dt != (*a)->dt ||
			!array_same_dims(y, *a)))
		s = kcall_error(c, E_shape, "'%s' changes type or shape", name);
	if (s == OK) {
		array_unref(*a);
		*a = array_writable(c->d, y);
		return *a ? OK : LIMIT;
	}
	array_unref(y);
	return s;
}

/* Probabilities times values. */
static void flex_result(const struct flex *t, const struct array *p,
			double *row, double *y)
{
	int64_t each = t->qheads / t->heads;

	for (int64_t r = 0; r < t->batch * t->qheads * t->q; r++) {
		int64_t h = r / t->q % t->qheads, b = r / t->q / t->qheads;
		const double *v =
			t->v + (b * t->heads + h / each) * t->kv * t->vsize;

		nn_load_range(p, r * t->kv, t->kv, row);
		for (int64_t d = 0; d < t->vsize; d++) {
			double sum = 0;

			for (int64_t j = 0; j < t->kv; j++)
				sum += row[j] * v[j * t->vsize + d];
			y[r * t->vsize + d] = sum;
		}
	}
}

static enum status flex_run(struct kcall *c, struct flex *t, struct array **a)
{
	int64_t dim[4] = {t->batch, t->qheads, t->q, t->vsize}, ny;
	double *row, *y;
	enum status s;

	if (!nn_count(4, dim, &ny))
		return kcall_error(c, E_dims, "dimensions overflow");
	t->x = nn_load(c, 0);
	t->k = nn_load(c, 1);
	t->v = nn_load(c, 2);
	row = nn_temp(c, t->kv);
	y = nn_temp(c, ny);
	if (!t->x || !t->k || !t->v || !row || !y)
		return LIMIT;
	flex_scores(t, *a);
	s = flex_body(c, "score_mod", a);
	if (s == OK)
		flex_softmax(*a, t->kv, row);
	if (s == OK)
		s = flex_body(c, "prob_mod", a);
	if (s != OK)
		return s;
	if (ny > 0)
		flex_result(t, *a, row, y);
	return nn_save(c, 0, c->in[2]->dt, 4, dim, y);
}

enum status k_flex_attention(struct kcall *c)
{
	struct array *a;
	struct flex t;
	enum status s = flex_shapes(c, &t);

	if (s == OK)
		s = flex_attrs(c, &t);
	if (s != OK)
		return s;
	a = array_create(c->d, t.dt, 4,
			 (int64_t[]){t.batch, t.qheads, t.q, t.kv});
	if (!a)
		return LIMIT;
	s = flex_run(c, &t, &a);
	array_unref(a);
	return s;
}
