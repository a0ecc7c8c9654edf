/* SPDX-License-Identifier: MIT */
/*
 * loss.c -- NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss.
 *
 * X is [N, classes, d1, ...], a target per position of [N, d1, ...].  Every
 * position's loss is -log p[target] weight[target], or 0 where the target is
 * ignore_index; the mean is over the weights of what is not ignored.  Sums run
 * in order of the positions.
 */
#include <math.h>

#include "base/pool.h"
#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

enum { CHUNK = 64 }; /* positions of one task */

struct loss {
	const struct array *x, *target;
	struct array *log_prob; /* NULL: not asked for */
	const double *weight;   /* per class; NULL: all 1 */
	bool softmax, ignores;
	int64_t ignore, classes, inner, n; /* n positions */
	double *value;
};

static double x_at(const struct loss *l, int64_t i, int64_t k)
{
	int64_t at = (i / l->inner * l->classes + k) * l->inner + i % l->inner;

	return dtype_get(l->x->dt, l->x->data, (size_t)at);
}

/* log of the sum of exponentials of position i's scores */
static double normalizer(const struct loss *l, int64_t i)
{
	double max = -INFINITY, sum = 0;

	for (int64_t k = 0; k < l->classes; k++)
		max = fmax(max, x_at(l, i, k));
	if (isinf(max))
		max = 0;
	for (int64_t k = 0; k < l->classes; k++)
		sum += md_exp(x_at(l, i, k) - max);
	return max + md_log(sum);
}

static bool ignored(const struct loss *l, int64_t target)
{
	return l->ignores && target == l->ignore;
}

static void position(const struct loss *l, int64_t i)
{
	int64_t t = dtype_get_int(l->target->dt, l->target->data, (size_t)i);
	bool skip = ignored(l, t);
	double norm = 0;

	if (l->softmax && (!skip || l->log_prob))
		norm = normalizer(l, i);
	l->value[i] =
		skip ? 0
		     : (norm - x_at(l, i, t)) * (l->weight ? l->weight[t] : 1);
	for (int64_t k = 0; l->log_prob && k < l->classes; k++)
		dtype_set(l->x->dt, l->log_prob->data,
			  (size_t)((i / l->inner * l->classes + k) * l->inner +
				   i % l->inner),
			  x_at(l, i, k) - norm);
}

static void task(void *arg, size_t c)
{
	const struct loss *l = arg;
	int64_t from = (int64_t)c * CHUNK;

	for (int64_t i = from; i < min64(from + CHUNK, l->n); i++)
		position(l, i);
}

/* ---- checks ---- */

static enum status check_shapes(struct kcall *c, struct loss *l)
{
	const struct array *x = c->in[0], *t = c->in[1];
	enum status st = nn_rank(c, 0, 2, KERNEL_MAX_RANK);

	if (!st)
		st = nn_floats(c, 1, 1);
	if (st)
		return st;
	if (t->kind != ARR_TENSOR || (t->dt != DT_I32 && t->dt != DT_I64))
		return kcall_error(c, E_type, "targets are not integers");
	if (t->rank != x->rank - 1)
		return kcall_error(c, E_shape,
				   "targets of rank %d, expected %d", t->rank,
				   x->rank - 1);
	for (int i = 0; i < t->rank; i++)
		if (t->dim[i] != x->dim[i ? i + 1 : 0])
			return kcall_error(c, E_shape,
					   "targets have dimension %lld at %d",
					   (long long)t->dim[i], i);
	l->x = x;
	l->target = t;
	l->n = t->n;
	l->classes = x->dim[1];
	l->inner = nn_product(x->dim, 2, x->rank);
	return nn_vector(c, 2, x->dt, l->classes);
}

static enum status check_targets(struct kcall *c, struct loss *l)
{
	const struct attr *a = node_attr(c->node, "ignore_index");

	l->ignores = a != NULL;
	l->ignore = node_attr_int(c->node, "ignore_index", 0);
	for (int64_t i = 0; i < l->n; i++) {
		int64_t t = dtype_get_int(l->target->dt, l->target->data,
					  (size_t)i);

		if (!ignored(l, t) && (t < 0 || t >= l->classes))
			return kcall_error(c, E_value,
					   "target %lld of %lld classes",
					   (long long)t, (long long)l->classes);
	}
	return OK;
}

/* ---- reductions ---- */

static double total_weight(const struct loss *l)
{
	double sum = 0;

	for (int64_t i = 0; i < l->n; i++) {
		int64_t t = dtype_get_int(l->target->dt, l->target->data,
					  (size_t)i);

		if (!ignored(l, t))
			sum += l->weight ? l->weight[t] : 1;
	}
	return sum;
}

static enum status reduce(struct kcall *c, const struct loss *l)
{
	struct str how = node_attr_str(c->node, "reduction", "mean");
	double sum = 0;

	if (str_is(how, "none"))
		return nn_save(c, 0, l->x->dt, l->target->rank, l->target->dim,
			       l->value);
	if (!str_is(how, "sum") && !str_is(how, "mean"))
		return kcall_error(c, E_attr, "attribute reduction is '%.*s'",
				   (int)(how.n < 40 ? how.n : 40), how.p);
	for (int64_t i = 0; i < l->n; i++)
		sum += l->value[i];
	if (str_is(how, "mean"))
		sum /= total_weight(l);
	return nn_save(c, 0, l->x->dt, 0, NULL, &sum);
}

enum status k_loss(struct kcall *c)
{
	struct loss l = {
		.softmax = c->node->op->id == OP_SoftmaxCrossEntropyLoss,
	};
	enum status st = check_shapes(c, &l);

	if (!st)
		st = check_targets(c, &l);
	if (st)
		return st;
	if (kcall_has(c, 2) && !(l.weight = nn_load(c, 2)))
		return LIMIT;
	if (l.softmax && kcall_wants(c, 1)) {
		l.log_prob = kcall_out(c, 1, l.x->dt, l.x->rank, l.x->dim);
		if (!l.log_prob)
			return LIMIT;
	}
	l.value = nn_temp(c, l.n);
	if (!l.value)
		return LIMIT;
	pool_for((size_t)ceil_div(l.n, CHUNK), task, &l);
	return reduce(c, &l);
}
