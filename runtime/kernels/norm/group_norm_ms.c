/* SPDX-License-Identifier: MIT */
/*
 * group_norm_ms.c -- the contributed GroupNorm and SkipGroupNorm: optional
 * sum with skip and bias, normalization of groups of channels, optional SiLU.
 *
 * In double.  Channels are the last axis, or the second.
 */
#include <math.h>

#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

enum { X, GAMMA, BETA, SKIP, BIAS };

struct group_ms {
	bool last, silu;
	int64_t batch, channels, inner, groups;
	double eps;
	const double *gamma, *beta, *skip, *bias; /* NULL: none */
	bool skip_whole;                          /* else [batch, channels] */
};

static int64_t place(const struct group_ms *g, int64_t b, int64_t ch, int64_t i)
{
	return g->last ? (b * g->inner + i) * g->channels + ch
		       : (b * g->channels + ch) * g->inner + i;
}

static enum status skip_init(struct kcall *c, struct group_ms *g)
{
	const struct array *s = c->in[SKIP];

	g->skip_whole = array_same_dims(s, c->in[X]);
	if (!dtype_is_float(s->dt) ||
	    (!g->skip_whole && (s->rank < 2 || s->dim[0] != g->batch ||
				s->n != g->batch * g->channels)))
		return kcall_error(c, E_shape, "skip does not fit the input");
	g->skip = nn_load(c, SKIP);
	return g->skip ? OK : LIMIT;
}

/* Input j: a float of each channel. */
static enum status channel_vector(struct kcall *c, const struct group_ms *g,
				  uint32_t j, const double **v)
{
	enum status s = nn_rank(c, j, 1, 1);

	if (s != OK)
		return s;
	if (!dtype_is_float(c->in[j]->dt) || c->in[j]->n != g->channels)
		return kcall_error(c, E_shape, "input %u does not fit", j);
	*v = nn_load(c, j);
	return *v ? OK : LIMIT;
}

static enum status init(struct kcall *c, struct group_ms *g, bool skips)
{
	int64_t act = node_attr_int(c->node, "activation", 0);
	const struct array *x;
	enum status s = nn_floats(c, 1, 1);

	if (s == OK)
		s = nn_rank(c, X, 3, KERNEL_MAX_RANK);
	if (s != OK)
		return s;
	x = c->in[X];
	g->last = node_attr_int(c->node, "channels_last", 1) != 0;
	g->silu = act == 1;
	g->groups = node_attr_int(c->node, "groups", 0);
	g->eps = node_attr_float(c->node, "epsilon", 1e-5);
	g->batch = x->dim[0];
	g->channels = x->dim[g->last ? x->rank - 1 : 1];
	g->inner = g->last ? nn_product(x->dim, 1, x->rank - 1)
			   : nn_product(x->dim, 2, x->rank);
	if (act < 0 || act > 1 || g->groups < 1 || g->channels % g->groups != 0)
		return kcall_error(c, E_value,
				   "%lld groups of channels, activation %lld",
				   (long long)g->groups, (long long)act);
	s = channel_vector(c, g, GAMMA, &g->gamma);
	if (s == OK)
		s = channel_vector(c, g, BETA, &g->beta);
	if (s == OK && skips)
		s = skip_init(c, g);
	if (s == OK && skips && kcall_has(c, BIAS))
		s = channel_vector(c, g, BIAS, &g->bias);
	return s;
}

static void add_skip(const struct group_ms *g, int64_t b, int64_t ch, double *x)
{
	for (int64_t i = 0; i < g->inner; i++) {
		int64_t at = place(g, b, ch, i);

		if (g->skip)
			x[at] += g->skip[g->skip_whole ? at
						       : b * g->channels + ch];
		if (g->bias)
			x[at] += g->bias[ch];
	}
}

static void one_group(const struct group_ms *g, int64_t b, int64_t c0,
		      int64_t per, const double *x, double *y)
{
	double mean = 0, spread = 0, n = (double)(per * g->inner), inv;

	for (int64_t ch = c0; ch < c0 + per; ch++)
		for (int64_t i = 0; i < g->inner; i++)
			mean += x[place(g, b, ch, i)];
	mean /= n;
	for (int64_t ch = c0; ch < c0 + per; ch++)
		for (int64_t i = 0; i < g->inner; i++) {
			double d = x[place(g, b, ch, i)] - mean;

			spread += d * d;
		}
	inv = 1 / sqrt(spread / n + g->eps);
	for (int64_t ch = c0; ch < c0 + per; ch++)
		for (int64_t i = 0; i < g->inner; i++) {
			int64_t at = place(g, b, ch, i);
			double v = (x[at] - mean) * inv * g->gamma[ch] +
				   g->beta[ch];

			y[at] = g->silu ? v * md_sigmoid(v) : v;
		}
}

static enum status run(struct kcall *c, bool skips)
{
	struct group_ms g = {0};
	const struct array *x;
	double *sum, *y;
	int64_t per;
	enum status s = init(c, &g, skips);

	if (s != OK)
		return s;
	x = c->in[X];
	sum = nn_temp(c, x->n);
	y = nn_temp(c, x->n);
	if (!sum || !y)
		return LIMIT;
	nn_load_range(x, 0, x->n, sum);
	per = g.channels / g.groups;
	for (int64_t b = 0; x->n > 0 && b < g.batch; b++) {
		for (int64_t ch = 0; ch < g.channels; ch++)
			add_skip(&g, b, ch, sum);
		for (int64_t k = 0; k < g.groups; k++)
			one_group(&g, b, k * per, per, sum, y);
	}
	s = nn_save(c, 0, x->dt, x->rank, x->dim, y);
	return s == OK && skips ? nn_save(c, 1, x->dt, x->rank, x->dim, sum)
				: s;
}

enum status k_ms_group_norm(struct kcall *c)
{
	return run(c, false);
}

enum status k_skip_group_norm(struct kcall *c)
{
	return run(c, true);
}
