/* SPDX-License-Identifier: MIT */
/*
 * random.c -- operators with random results: RandomNormal, RandomUniform and
 * what takes its shape from a tensor, Bernoulli, Multinomial, Dropout.
 *
 * Numbers are a function of the executor's seed, the node's, the node's place
 * among the random nodes and how often it ran before (kcall_rng).
 */
#include <math.h>
#include <string.h>

#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

static enum status random_type(struct kcall *c, enum dtype like,
			       const char *kinds, enum dtype *dt)
{
	int64_t num = node_attr_int(c->node, "dtype", like);

	*dt = dtype_valid(num) ? (enum dtype)num : DT_NONE;
	for (const char *k = kinds; *k; k++)
		if (*dt != DT_NONE && dtype_kind(*dt) == *k)
			return OK;
	return kcall_error(c, E_attr, "dtype %lld", (long long)num);
}

/* ---- RandomNormal, RandomUniform ---- */

static void random_fill(struct kcall *c, struct array *y)
{
	bool normal = c->node->op->id == OP_RandomNormal ||
		      c->node->op->id == OP_RandomNormalLike;
	double a = normal ? node_attr_float(c->node, "mean", 0)
			  : node_attr_float(c->node, "low", 0);
	double b = normal ? node_attr_float(c->node, "scale", 1)
			  : node_attr_float(c->node, "high", 1) - a;
	struct rng r = kcall_rng(c);

	for (int64_t i = 0; i < y->n; i++)
		dtype_set(y->dt, y->data, (size_t)i,
			  a + b * (normal ? rng_normal(&r) : rng_unit(&r)));
}

enum status k_random(struct kcall *c)
{
	size_t n;
	const int64_t *dim = node_attr_ints(c->node, "shape", &n);
	struct array *y;
	enum dtype dt;
	enum status st = random_type(c, DT_F32, "f", &dt);

	if (!st && !node_has_attr(c->node, "shape"))
		st = kcall_error(c, E_attr, "shape is missing");
	if (st)
		return st;
	y = kcall_out(c, 0, dt, n > INT32_MAX ? INT32_MAX : (int)n, dim);
	if (!y)
		return LIMIT;
	random_fill(c, y);
	return OK;
}

enum status k_random_like(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct array *y;
	enum dtype dt;
	enum status st = random_type(c, x->dt, "f", &dt);

	if (st)
		return st;
	y = kcall_out(c, 0, dt, x->rank, x->dim);
	if (!y)
		return LIMIT;
	random_fill(c, y);
	return OK;
}

/* ---- Bernoulli, Multinomial ---- */

enum status k_bernoulli(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct rng r = kcall_rng(c);
	struct array *y;
	enum dtype dt;
	enum status st = nn_floats(c, 1, 1);

	if (!st)
		st = random_type(c, x->dt, "fiub", &dt);
	if (st)
		return st;
	y = kcall_out(c, 0, dt, x->rank, x->dim);
	if (!y)
		return LIMIT;
	for (int64_t i = 0; i < y->n; i++)
		dtype_set(dt, y->data, (size_t)i,
			  rng_unit(&r) < dtype_get(x->dt, x->data, (size_t)i));
	return OK;
}

/* Running sums of n unnormalized probabilities, from their logarithms. */
static enum status cumulate(struct kcall *c, double *p, int64_t n)
{
	double max = -INFINITY, sum = 0;

	for (int64_t k = 0; k < n; k++)
		max = fmax(max, p[k]);
	for (int64_t k = 0; k < n; k++)
		p[k] = sum += md_exp(p[k] - max);
	return sum > 0 && isfinite(sum)
		       ? OK
		       : kcall_error(c, E_value, "no probabilities");
}

/* The first class whose running sum exceeds u. */
static int64_t pick(const double *p, int64_t n, double u)
{
	int64_t lo = 0, hi = n - 1;

	while (lo < hi) {
		int64_t mid = lo + (hi - lo) / 2;

		if (p[mid] > u)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

enum status k_multinomial(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct rng r = kcall_rng(c);
	int64_t dim[2];
	struct array *y;
	enum dtype dt;
	double *p;
	enum status st = nn_floats(c, 1, 1);

	if (!st)
		st = nn_rank(c, 0, 2, 2);
	if (!st)
		st = random_type(c, DT_I32, "i", &dt);
	if (st)
		return st;
	dim[0] = x->dim[0];
	dim[1] = node_attr_int(c->node, "sample_size", 1);
	y = kcall_out(c, 0, dt, 2, dim);
	p = nn_temp(c, x->dim[1]);
	if (!y || !p)
		return LIMIT;
	for (int64_t i = 0; i < dim[0] && dim[1] && !st; i++) {
		nn_load_range(x, i * x->dim[1], x->dim[1], p);
		st = cumulate(c, p, x->dim[1]);
		for (int64_t k = 0; k < dim[1] && !st; k++)
			dtype_set_int(dt, y->data, (size_t)(i * dim[1] + k),
				      pick(p, x->dim[1],
					   rng_unit(&r) * p[x->dim[1] - 1]));
	}
	return st;
}

/* ---- Dropout ---- */

/* Is it training, and with what ratio?  An attribute is_test of 0 means
 * training, and is the default where there is one. */
static enum status dropout_mode(struct kcall *c, bool *training, double *ratio)
{
	int64_t mode = 0;
	enum status st = kcall_float(c, 1, 0.5, ratio);

	if (!st)
		st = kcall_int(c, 2, 0, &mode);
	if (st)
		return st;
	if (c->node->op->since < 12)
		*ratio = node_attr_float(c->node, "ratio", 0.5);
	if (c->node->op->since < 7)
		mode = !node_attr_int(c->node, "is_test", 0);
	*training = mode && *ratio != 0;
	if (*training && !(*ratio > 0 && *ratio < 1))
		return kcall_error(c, E_value, "ratio %g is not in [0, 1)",
				   *ratio);
	return OK;
}

static enum status drop(struct kcall *c, double ratio, struct array *mask)
{
	const struct array *x = c->in[0];
	struct array *y = kcall_out(c, 0, x->dt, x->rank, x->dim);
	struct rng r = kcall_rng(c);

	if (!y)
		return LIMIT;
	for (int64_t i = 0; i < y->n; i++) {
		bool keep = rng_unit(&r) >= ratio;
		double v = dtype_get(x->dt, x->data, (size_t)i);

		dtype_set(y->dt, y->data, (size_t)i,
			  keep ? v / (1 - ratio) : 0);
		if (mask)
			dtype_set(mask->dt, mask->data, (size_t)i, keep);
	}
	return OK;
}

enum status k_dropout(struct kcall *c)
{
	const struct array *x = c->in[0];
	enum dtype dt = c->node->op->since < 10 ? x->dt : DT_BOOL;
	struct array *mask = NULL;
	bool training;
	double ratio;
	enum status st = nn_floats(c, 1, 1);

	if (!st)
		st = dropout_mode(c, &training, &ratio);
	if (st)
		return st;
	if (kcall_wants(c, 1) && !strchr("fiub", dtype_kind(dt)))
		return kcall_error(c, E_type, "a mask of %s", dtype_name(dt));
	if (kcall_wants(c, 1) && !(mask = kcall_out(c, 1, dt, x->rank, x->dim)))
		return LIMIT;
	if (training)
		return drop(c, ratio, mask);
	kcall_pass(c, 0, c->in[0]);
	for (int64_t i = 0; mask && i < mask->n; i++)
		dtype_set(dt, mask->data, (size_t)i, 1);
	return OK;
}
