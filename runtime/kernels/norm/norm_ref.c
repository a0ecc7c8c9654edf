/* SPDX-License-Identifier: MIT */
/*
 * norm_ref.c -- layer, instance, group, RMS, Lp, local response and
 * mean-variance normalization by their definitions, in double.
 */
#include <math.h>

#include "runtime/kernels/norm/norm_p.h"
#include "runtime/mathd.h"

static double mean_of(const double *x, int64_t n)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += x[i];
	return sum / (double)n;
}

/* Mean of (x - m)^2. */
static double spread_of(const double *x, int64_t n, double m)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += (x[i] - m) * (x[i] - m);
	return sum / (double)n;
}

/* ---- layer normalization ---- */

enum status layer_norm_init(struct kcall *c, struct layer_norm *l,
			    const struct array *x)
{
	int64_t stash = node_attr_int(c->node, "stash_type", DT_F32);
	enum status s = nn_rank(c, 0, 1, KERNEL_MAX_RANK);

	if (s == OK)
		s = kcall_axis(c, node_attr_int(c->node, "axis", -1), x->rank,
			       &l->axis);
	if (s != OK)
		return s;
	if (!dtype_valid(stash) || !dtype_is_float((enum dtype)stash))
		return kcall_error(c, E_value, "attribute stash_type is %lld",
				   (long long)stash);
	l->stash = (enum dtype)stash;
	l->eps = node_attr_float(c->node, "epsilon", 1e-5);
	l->outer = nn_product(x->dim, 0, l->axis);
	l->n = nn_product(x->dim, l->axis, x->rank);
	l->rank = x->rank;
	for (int i = 0; i < x->rank; i++)
		l->dim[i] = i < l->axis ? x->dim[i] : 1;
	return OK;
}

struct layer_run {
	struct layer_norm l;
	bool centred;                   /* false: RMS, no mean */
	const double *x, *scale, *bias; /* bias NULL: none */
	double *y, *mean, *inv;
};

static enum status layer_alloc(struct kcall *c, struct layer_run *r)
{
	r->y = nn_temp(c, r->l.outer * r->l.n);
	r->mean = nn_temp(c, r->l.outer);
	r->inv = nn_temp(c, r->l.outer);
	return r->y && r->mean && r->inv ? OK : LIMIT;
}

static void layer_rows(struct layer_run *r)
{
	int64_t n = r->l.n;

	for (int64_t o = 0; o < r->l.outer; o++) {
		const double *x = r->x + o * n;
		double m = r->centred && n ? mean_of(x, n) : 0;
		double v = n ? spread_of(x, n, m) : 0;
		double inv = 1 / sqrt(v + r->l.eps);

		r->mean[o] = m;
		r->inv[o] = inv;
		for (int64_t i = 0; i < n; i++)
			r->y[o * n + i] = (x[i] - m) * inv * r->scale[i] +
					  (r->bias ? r->bias[i] : 0);
	}
}

static enum status layer_params(struct kcall *c, struct layer_run *r,
				uint32_t scale, uint32_t bias)
{
	const struct array *x = c->in[0];
	int rank = x->rank - r->l.axis;
	enum status s;

	s = nn_expand(c, scale, rank, x->dim + r->l.axis, &r->scale);
	if (s == OK && kcall_has(c, bias))
		s = nn_expand(c, bias, rank, x->dim + r->l.axis, &r->bias);
	return s;
}

enum status k_layer_norm(struct kcall *c)
{
	struct layer_run r = {.centred = true};
	enum status s = nn_floats(c, 2, 3);
	const struct array *x;

	if (s == OK)
		s = layer_norm_init(c, &r.l, c->in[0]);
	if (s == OK)
		s = layer_params(c, &r, 1, 2);
	if (s == OK)
		s = layer_alloc(c, &r);
	if (s != OK)
		return s;
	x = c->in[0];
	r.x = nn_load(c, 0);
	if (!r.x)
		return LIMIT;
	layer_rows(&r);
	s = nn_save(c, 0, x->dt, x->rank, x->dim, r.y);
	if (s == OK)
		s = nn_save(c, 1, r.l.stash, r.l.rank, r.l.dim, r.mean);
	if (s == OK)
		s = nn_save(c, 2, r.l.stash, r.l.rank, r.l.dim, r.inv);
	return s;
}

/* Input and scale may differ in type; the result has the scale's. */
enum status k_rms_norm(struct kcall *c)
{
	struct layer_run r = {.centred = false};
	enum status s = nn_floats(c, 1, 1);
	const struct array *x;

	if (s == OK)
		s = layer_norm_init(c, &r.l, c->in[0]);
	if (s == OK)
		s = layer_params(c, &r, 1, UINT32_MAX);
	if (s == OK)
		s = layer_alloc(c, &r);
	if (s != OK)
		return s;
	x = c->in[0];
	r.x = nn_load(c, 0);
	if (!r.x)
		return LIMIT;
	layer_rows(&r);
	s = nn_save(c, 0, c->in[1]->dt, x->rank, x->dim, r.y);
	if (s == OK)
		s = nn_save(c, 1, r.l.stash, r.l.rank, r.l.dim, r.inv);
	return s;
}

/*
 * The contributed SkipLayerNormalization: normalizes input + skip + bias over
 * the last axis; outputs: result, mean, 1/deviation, the sum.
 */
static enum status skip_norm(struct kcall *c, bool centred, uint32_t jbias)
{
	struct layer_run r = {.centred = centred};
	enum status s = nn_floats(c, 3, centred ? 5 : 4);
	const struct array *x;
	const double *skip, *bias = NULL;
	double *sum;

	if (s == OK)
		s = layer_norm_init(c, &r.l, c->in[0]);
	if (s == OK)
		s = layer_params(c, &r, 2, centred ? 3 : UINT32_MAX);
	if (s == OK)
		s = nn_expand(c, 1, c->in[0]->rank, c->in[0]->dim, &skip);
	if (s == OK && kcall_has(c, jbias))
		s = nn_expand(c, jbias, 1, c->in[0]->dim + c->in[0]->rank - 1,
			      &bias);
	if (s == OK)
		s = layer_alloc(c, &r);
	if (s != OK)
		return s;
	x = c->in[0];
	r.x = nn_load(c, 0);
	sum = nn_temp(c, x->n);
	if (!r.x || !sum)
		return LIMIT;
	for (int64_t i = 0; i < x->n; i++)
		sum[i] = r.x[i] + skip[i] + (bias ? bias[i % r.l.n] : 0);
	r.x = sum;
	layer_rows(&r);
	s = nn_save(c, 0, x->dt, x->rank, x->dim, r.y);
	if (s == OK)
		s = nn_save(c, 1, r.l.stash, r.l.rank, r.l.dim, r.mean);
	if (s == OK)
		s = nn_save(c, 2, r.l.stash, r.l.rank, r.l.dim, r.inv);
	return s == OK ? nn_save(c, 3, x->dt, x->rank, x->dim, sum) : s;
}

enum status k_skip_layer_norm(struct kcall *c)
{
	return skip_norm(c, true, 4);
}

enum status k_skip_rms_norm(struct kcall *c)
{
	return skip_norm(c, false, 3);
}

/* ---- instance and group normalization ---- */

enum status group_norm_init(struct kcall *c, struct group_norm *g,
			    bool instance)
{
	enum status s = nn_floats(c, 3, 3);
	const struct array *x;
	int64_t channels, want;

	if (s == OK)
		s = nn_rank(c, 0, 2, KERNEL_MAX_RANK);
	if (s != OK)
		return s;
	x = c->in[0];
	channels = x->dim[1];
	g->batch = x->dim[0];
	g->groups =
		instance ? channels : node_attr_int(c->node, "num_groups", 0);
	if (!instance && (g->groups < 1 || channels % g->groups != 0))
		return kcall_error(c, E_value, "%lld channels in %lld groups",
				   (long long)channels, (long long)g->groups);
	g->per = instance ? 1 : channels / g->groups;
	g->inner = nn_product(x->dim, 2, x->rank);
	g->eps = node_attr_float(c->node, "epsilon", 1e-5);
	g->per_group = !instance && c->node->op->since < 21;
	want = g->per_group ? g->groups : channels;
	s = nn_vector(c, 1, x->dt, want);
	return s == OK ? nn_vector(c, 2, x->dt, want) : s;
}

static enum status group_norm_f64(struct kcall *c, bool instance)
{
	struct group_norm g;
	enum status s = group_norm_init(c, &g, instance);
	const double *x, *scale, *bias;
	int64_t n;
	double *y;

	if (s != OK)
		return s;
	x = nn_load(c, 0);
	scale = nn_load(c, 1);
	bias = nn_load(c, 2);
	y = nn_temp(c, c->in[0]->n);
	if (!x || !scale || !bias || !y)
		return LIMIT;
	n = g.per * g.inner;
	for (int64_t t = 0; n > 0 && t < g.batch * g.groups; t++) {
		double m = mean_of(x + t * n, n);
		double d = sqrt(spread_of(x + t * n, n, m) + g.eps);

		for (int64_t i = 0; i < n; i++) {
			int64_t gr = t % g.groups;
			int64_t p = g.per_group ? gr : gr * g.per + i / g.inner;

			y[t * n + i] =
				(x[t * n + i] - m) / d * scale[p] + bias[p];
		}
	}
	return nn_save(c, 0, c->in[0]->dt, c->in[0]->rank, c->in[0]->dim, y);
}

enum status k_instance_norm(struct kcall *c)
{
	return group_norm_f64(c, true);
}

enum status k_group_norm(struct kcall *c)
{
	return group_norm_f64(c, false);
}

/* ---- local response normalization ---- */

enum status lrn_init(struct kcall *c, struct lrn *l)
{
	int64_t size = node_attr_int(c->node, "size", 0);
	enum status s = nn_floats(c, 1, 1);
	const struct array *x;

	if (s == OK)
		s = nn_rank(c, 0, 2, KERNEL_MAX_RANK);
	if (s != OK)
		return s;
	if (size < 1 || size > INT32_MAX)
		return kcall_error(c, E_value, "attribute size is %lld",
				   (long long)size);
	x = c->in[0];
	l->batch = x->dim[0];
	l->channels = x->dim[1];
	l->inner = nn_product(x->dim, 2, x->rank);
	l->before = (size - 1) / 2;
	l->after = size / 2;
	l->alpha = node_attr_float(c->node, "alpha", 1e-4) / (double)size;
	l->beta = node_attr_float(c->node, "beta", 0.75);
	l->bias = node_attr_float(c->node, "bias", 1);
	return OK;
}

enum status k_lrn(struct kcall *c)
{
	struct lrn l;
	enum status s = lrn_init(c, &l);
	const double *x;
	double *y;

	if (s != OK)
		return s;
	x = nn_load(c, 0);
	y = nn_temp(c, c->in[0]->n);
	if (!x || !y)
		return LIMIT;
	for (int64_t t = 0; t < l.batch * l.channels; t++) {
		int64_t ch = t % l.channels;
		int64_t from = t - min64(ch, l.before);
		int64_t to = t + min64(l.channels - 1 - ch, l.after);

		for (int64_t i = 0; i < l.inner; i++) {
			double sum = 0;

			for (int64_t q = from; q <= to; q++)
				sum += x[q * l.inner + i] * x[q * l.inner + i];
			y[t * l.inner + i] =
				x[t * l.inner + i] /
				md_pow(l.bias + l.alpha * sum, l.beta);
		}
	}
	return nn_save(c, 0, c->in[0]->dt, c->in[0]->rank, c->in[0]->dim, y);
}
