/* SPDX-License-Identifier: MIT */
/*
 * norm_batch.c -- BatchNormalization, all versions, inference and training.
 *
 * Statistics belong to a channel, or (attribute spatial 0, before version 9)
 * to each place of a sample.  Training takes them from the batch and also
 * returns the running ones: r * momentum + batch * (1 - momentum).
 */
#include <math.h>

#include "base/pool.h"
#include "runtime/kernels/shared/nn_p.h"
#include "runtime/kernels/shared/simd_p.h"

struct batch_norm {
	int64_t batch, params, inner; /* X is [batch, params, inner] */
	double eps, momentum;
	bool training;
	const double *x, *scale, *bias, *mean, *var;
};

/* Type of a parameter may differ from X's from version 14 on. */
static enum status check_inputs(struct kcall *c)
{
	bool mixed = c->node->op->since >= 14;
	enum status s = nn_floats(c, mixed ? 1 : 5, mixed ? 1 : 5);

	for (uint32_t j = 1; s == OK && j < 5; j++)
		if (j >= c->nin || !c->in[j] || c->in[j]->kind != ARR_TENSOR ||
		    !dtype_is_float(c->in[j]->dt))
			s = kcall_error(c, E_type,
					"input %u is not a float tensor", j);
	return s;
}

static enum status batch_norm_init(struct kcall *c, struct batch_norm *b)
{
	int version = c->node->op->since;
	const struct array *x;
	enum status s = check_inputs(c);

	if (s == OK)
		s = nn_rank(c, 0, 1, KERNEL_MAX_RANK);
	if (s != OK)
		return s;
	x = c->in[0];
	b->batch = x->dim[0];
	b->params = x->rank > 1 ? x->dim[1] : 1;
	b->inner = x->rank > 2 ? nn_product(x->dim, 2, x->rank) : 1;
	if (version < 9 && node_attr_int(c->node, "spatial", 1) == 0) {
		b->params *= b->inner;
		b->inner = 1;
	}
	for (uint32_t j = 1; j < 5; j++)
		if (c->in[j]->n != b->params)
			return kcall_error(c, E_shape,
					   "input %u has %lld elements, "
					   "expected %lld",
					   j, (long long)c->in[j]->n,
					   (long long)b->params);
	b->eps = node_attr_float(c->node, "epsilon", 1e-5);
	b->momentum = node_attr_float(c->node, "momentum", 0.9);
	/* Before version 14 the number of outputs tells. */
	b->training = version >= 14 &&
		      node_attr_int(c->node, "training_mode", 0) != 0;
	for (uint32_t i = 1; version < 14 && i < c->nout; i++)
		b->training |= kcall_wants(c, i);
	if (version >= 14 && !b->training)
		for (uint32_t i = 1; i < c->nout; i++)
			if (kcall_wants(c, i))
				return kcall_error(c, E_arity,
						   "running statistics exist "
						   "in training mode only");
	return OK;
}

static void batch_stats(const struct batch_norm *b, double *mean, double *var)
{
	double n = (double)(b->batch * b->inner);

	for (int64_t p = 0; p < b->params; p++) {
		double sum = 0, sq = 0;

		for (int64_t i = 0; i < b->batch; i++)
			for (int64_t k = 0; k < b->inner; k++)
				sum += b->x[(i * b->params + p) * b->inner + k];
		mean[p] = sum / n;
		for (int64_t i = 0; i < b->batch; i++)
			for (int64_t k = 0; k < b->inner; k++) {
				double d = b->x[(i * b->params + p) * b->inner +
						k] -
					   mean[p];

				sq += d * d;
			}
		var[p] = sq / n;
	}
}

/* Outputs 1.. of training: running mean and variance, then the batch's. */
static enum status save_stats(struct kcall *c, const struct batch_norm *b,
			      const double *mean, const double *var)
{
	const double *stat[2] = {mean, var}, *old[2] = {b->mean, b->var};
	double *run = nn_temp(c, b->params);

	if (!run)
		return LIMIT;
	for (uint32_t i = 0; i < 4 && i + 1 < c->nout; i++) {
		const struct array *like = c->in[3 + i % 2];
		enum status s;

		for (int64_t p = 0; p < b->params; p++)
			run[p] = i < 2 ? old[i][p] * b->momentum +
						 stat[i][p] * (1 - b->momentum)
				       : stat[i - 2][p];
		s = nn_save(c, i + 1, like->dt, like->rank, like->dim, run);
		if (s != OK)
			return s;
	}
	return OK;
}

static enum status train(struct kcall *c, struct batch_norm *b)
{
	double *mean = nn_temp(c, b->params), *var = nn_temp(c, b->params);
	enum status s;

	if (!mean || !var)
		return LIMIT;
	batch_stats(b, mean, var);
	s = save_stats(c, b, mean, var);
	b->mean = mean;
	b->var = var;
	return s;
}

enum status k_batch_norm(struct kcall *c)
{
	struct batch_norm b;
	enum status s = batch_norm_init(c, &b);
	double *y;
	int64_t at = 0;

	if (s != OK)
		return s;
	b.x = nn_load(c, 0);
	b.scale = nn_load(c, 1);
	b.bias = nn_load(c, 2);
	b.mean = nn_load(c, 3);
	b.var = nn_load(c, 4);
	y = nn_temp(c, c->in[0]->n);
	if (!b.x || !b.scale || !b.bias || !b.mean || !b.var || !y)
		return LIMIT;
	if (b.training)
		s = train(c, &b);
	if (s != OK)
		return s;
	for (int64_t i = 0; i < b.batch; i++)
		for (int64_t p = 0; p < b.params; p++) {
			double d = sqrt(b.var[p] + b.eps);

			for (int64_t k = 0; k < b.inner; k++, at++)
				y[at] = b.scale[p] * (b.x[at] - b.mean[p]) / d +
					b.bias[p];
		}
	return nn_save(c, 0, c->in[0]->dt, c->in[0]->rank, c->in[0]->dim, y);
}

/* ---- float32 inference: y = a x + b per channel ---- */

struct affine_job {
	const struct simd *s;
	const float *x, *a, *b;
	float *y;
	int64_t params, inner;
};

static void affine_task(void *arg, size_t i)
{
	const struct affine_job *j = arg;
	int64_t p = (int64_t)i % j->params, at = (int64_t)i * j->inner;

	j->s->affine(j->y + at, j->x + at, j->inner, j->a[p], j->b[p]);
}

/* A row of samples at a time where a channel is a single place. */
static void affine_rows_task(void *arg, size_t i)
{
	const struct affine_job *j = arg;
	int64_t at = (int64_t)i * j->params;

	for (int64_t p = 0; p < j->params; p++)
		j->y[at + p] = j->x[at + p] * j->a[p] + j->b[p];
}

enum status k_batch_norm_f32(struct kcall *c)
{
	struct affine_job j = {.s = simd()};
	struct batch_norm b;
	enum status s = batch_norm_init(c, &b);
	struct array *y;
	float *a;

	if (s != OK)
		return s;
	if (!nn_all_f32(c, 5) || b.training)
		return k_batch_norm(c);
	a = nn_temp_f32(c, 2 * b.params);
	y = a ? kcall_inplace(c, 0, 0) : NULL;
	if (!y)
		return LIMIT;
	for (int64_t p = 0; p < b.params; p++) {
		double k = (double)((float *)c->in[1]->data)[p] /
			   sqrt((double)((float *)c->in[4]->data)[p] + b.eps);

		a[p] = (float)k;
		a[b.params + p] =
			(float)((double)((float *)c->in[2]->data)[p] -
				(double)((float *)c->in[3]->data)[p] * k);
	}
	j.x = c->in[0]->data;
	j.y = y->data;
	j.a = a;
	j.b = a + b.params;
	j.params = b.params;
	j.inner = b.inner;
	if (b.inner > 1)
		pool_for((size_t)(b.batch * b.params), affine_task, &j);
	else if (b.inner == 1)
		pool_for((size_t)b.batch, affine_rows_task, &j);
	return OK;
}
