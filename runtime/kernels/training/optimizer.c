/* SPDX-License-Identifier: MIT */
/*
 * optimizer.c -- Adagrad, Adam, Momentum of ai.onnx.preview.training.
 *
 * Inputs: rate R, update count T, then for k tensors all values, all
 * gradients, all moments (of Adam two kinds).  Outputs: new values, new
 * moments.  Computed in double as the operators define it, rounded once.
 */
#include <math.h>

#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

struct update {
	double rate;            /* adjusted for the update count */
	double decay, gain;     /* of the first moment: alpha, 1 - alpha; ... */
	double decay2, gain2;   /* of the second */
	double norm, norm_post; /* regularization */
	double epsilon;
	bool nesterov;
};

/* New value of x; m[] are the moments, replaced by the new ones. */
typedef double update_fn(const struct update *u, double x, double g, double *m);

static double adagrad(const struct update *u, double x, double g, double *m)
{
	g += u->norm * x;
	m[0] += g * g;
	return x - u->rate * g / (sqrt(m[0]) + u->epsilon);
}

static double adam(const struct update *u, double x, double g, double *m)
{
	g += u->norm * x;
	m[0] = u->decay * m[0] + u->gain * g;
	m[1] = u->decay2 * m[1] + u->gain2 * (g * g);
	x -= u->rate * (m[0] / (sqrt(m[1]) + u->epsilon));
	return (1 - u->norm_post) * x;
}

static double momentum(const struct update *u, double x, double g, double *m)
{
	g += u->norm * x;
	m[0] = u->decay * m[0] + u->gain * g;
	return x - u->rate * (u->nesterov ? g + u->decay * m[0] : m[0]);
}

/* ---- parameters ---- */

static void adagrad_init(const struct node *n, int64_t t, struct update *u)
{
	u->epsilon = node_attr_float(n, "epsilon", 1e-6f);
	u->rate /= 1 + (double)t * node_attr_float(n, "decay_factor", 0);
}

static void adam_init(const struct node *n, int64_t t, struct update *u)
{
	u->decay = node_attr_float(n, "alpha", 0.9f);
	u->decay2 = node_attr_float(n, "beta", 0.999f);
	u->gain = 1 - u->decay;
	u->gain2 = 1 - u->decay2;
	u->epsilon = node_attr_float(n, "epsilon", 1e-6f);
	u->norm_post = node_attr_float(n, "norm_coefficient_post", 0);
	if (t > 0)
		u->rate *= sqrt(1 - md_pow(u->decay2, (double)t)) /
			   (1 - md_pow(u->decay, (double)t));
}

static void momentum_init(const struct node *n, int64_t t, struct update *u)
{
	u->decay = node_attr_float(n, "alpha", 0);
	u->gain = t > 0 ? node_attr_float(n, "beta", 0) : 1;
	u->nesterov = str_is(node_attr_str(n, "mode", ""), "nesterov");
}

static const struct method {
	enum op_id id;
	uint32_t moments;
	update_fn *fn;
	void (*init)(const struct node *n, int64_t t, struct update *u);
} methods[] = {
	{OP_train_Adagrad, 1, adagrad, adagrad_init},
	{OP_train_Adam, 2, adam, adam_init},
	{OP_train_Momentum, 1, momentum, momentum_init},
};

/* ---- one tensor ---- */

static enum status check_alike(struct kcall *c, uint32_t j,
			       const struct array *x)
{
	const struct array *a = c->in[j];

	if (!a || a->kind != ARR_TENSOR || a->dt != x->dt)
		return kcall_error(c, E_type,
				   "input %u is not of the type of the values",
				   j);
	if (!array_same_dims(a, x))
		return kcall_error(c, E_shape,
				   "input %u is not of the shape of the values",
				   j);
	return OK;
}

/* Tensor i of k. */
static enum status update_one(struct kcall *c, const struct method *w,
			      const struct update *u, uint32_t i, uint32_t k)
{
	const struct array *x = c->in[2 + i], *in[3] = {NULL};
	struct array *out[3];
	enum status st = nn_rank(c, 2 + i, 0, INT32_MAX);

	if (!st && !dtype_is_float(x->dt))
		st = kcall_error(c, E_type, "input %u is not a float tensor",
				 2 + i);
	for (uint32_t m = 0; !st && m <= w->moments; m++) {
		st = check_alike(c, 2 + k * (m + 1) + i, x);
		in[m] = c->in[2 + k * (m + 1) + i]; /* gradient, moments */
		out[m] = st ? NULL
			    : kcall_out(c, k * m + i, x->dt, x->rank, x->dim);
		if (!st && !out[m])
			st = LIMIT;
	}
	for (int64_t e = 0; !st && e < x->n; e++) {
		size_t at = (size_t)e;
		double m[2] = {0};

		for (uint32_t q = 0; q < w->moments; q++)
			m[q] = dtype_get(x->dt, in[1 + q]->data, at);
		dtype_set(x->dt, out[0]->data, at,
			  w->fn(u, dtype_get(x->dt, x->data, at),
				dtype_get(x->dt, in[0]->data, at), m));
		for (uint32_t q = 0; q < w->moments; q++)
			dtype_set(x->dt, out[1 + q]->data, at, m[q]);
	}
	return st;
}

enum status k_optimizer(struct kcall *c)
{
	const struct method *w = methods;
	struct update u = {0};
	uint32_t k, groups;
	int64_t t;
	enum status st = kcall_float(c, 0, 0, &u.rate);

	if (!st)
		st = kcall_int(c, 1, 0, &t);
	if (st)
		return st;
	while (w->id != c->node->op->id)
		w++;
	groups = 2 + w->moments;
	k = c->nin < 2 ? 0 : (c->nin - 2) / groups;
	if (k == 0 || c->nin != 2 + k * groups ||
	    c->nout != k * (1 + w->moments))
		return kcall_error(c, E_arity,
				   "%u inputs and %u outputs are no groups of "
				   "%u and %u",
				   c->nin, c->nout, groups, 1 + w->moments);
	u.norm = node_attr_float(c->node, "norm_coefficient", 0);
	w->init(c->node, t, &u);
	for (uint32_t i = 0; !st && i < k; i++)
		st = update_one(c, w, &u, i, k);
	return st;
}
