/* SPDX-License-Identifier: MIT */
/*
 * norm.c -- float32 layer, RMS, instance, group and local response
 * normalization.  Sums of a row use the fixed 16-lane tree of simd_p.h.
 */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/norm/norm_p.h"
#include "runtime/kernels/shared/simd_p.h"
#include "runtime/mathd.h"

/* ---- rows: layer and RMS ---- */

struct layer_job {
	struct layer_norm l;
	const struct simd *s;
	const float *x, *scale, *bias;
	float *y, *mean, *inv; /* mean, inv NULL: not wanted */
	bool centred;
};

static void layer_task(void *arg, size_t i)
{
	const struct layer_job *j = arg;
	int64_t n = j->l.n, at = (int64_t)i * n;
	const float *x = j->x + at;
	float m = j->centred ? j->s->sum(x, n) / (float)n : 0;
	float v = j->s->sum_sq(x, n, m) / (float)n;
	float inv = 1.0f / sqrtf(v + (float)j->l.eps);

	j->s->norm(j->y + at, x, n, m, inv, j->scale, j->bias);
	if (j->mean)
		j->mean[i] = m;
	if (j->inv)
		j->inv[i] = inv;
}

static bool stat_output(struct kcall *c, const struct layer_norm *l, uint32_t i,
			float **p)
{
	struct array *a;

	if (i >= c->nout || !kcall_wants(c, i))
		return true;
	a = kcall_out(c, i, DT_F32, l->rank, l->dim);
	if (a)
		*p = a->data;
	return a != NULL;
}

/* Parameters with one element per column of the row; others: reference. */
static bool plain_params(const struct kcall *c, int64_t n, uint32_t nparam)
{
	for (uint32_t j = 1; j <= nparam && j < c->nin; j++)
		if (c->in[j] && c->in[j]->n != n)
			return false;
	return n > 0;
}

static enum status layer_f32(struct kcall *c, bool centred, kernel_fn *other)
{
	struct layer_job j = {.s = simd(), .centred = centred};
	uint32_t nparam = centred ? 2 : 1;
	struct array *y;
	enum status s;

	if (!nn_all_f32(c, nparam + 1) || c->nin < 2 || !c->in[1])
		return other(c);
	s = layer_norm_init(c, &j.l, c->in[0]);
	if (s != OK)
		return s;
	if (j.l.stash != DT_F32 || !plain_params(c, j.l.n, nparam))
		return other(c);
	y = kcall_out(c, 0, DT_F32, c->in[0]->rank, c->in[0]->dim);
	if (!y || (centred && !stat_output(c, &j.l, 1, &j.mean)) ||
	    !stat_output(c, &j.l, centred ? 2 : 1, &j.inv))
		return LIMIT;
	j.x = c->in[0]->data;
	j.y = y->data;
	j.scale = c->in[1]->data;
	j.bias = centred && kcall_has(c, 2) ? c->in[2]->data : NULL;
	pool_for((size_t)j.l.outer, layer_task, &j);
	return OK;
}

enum status k_layer_norm_f32(struct kcall *c)
{
	return layer_f32(c, true, k_layer_norm);
}

enum status k_rms_norm_f32(struct kcall *c)
{
	return layer_f32(c, false, k_rms_norm);
}

/* ---- rows of a sum: the contributed Skip*Normalization ---- */

struct skip_job {
	struct layer_job l;
	const float *skip, *add; /* add: a row for all, or NULL */
	int64_t nskip;           /* elements; repeats after them */
	float *sum;
};

static void skip_task(void *arg, size_t i)
{
	const struct skip_job *j = arg;
	int64_t n = j->l.l.n, at = (int64_t)i * n;
	struct layer_job rows = j->l;
	float *sum = j->sum + at;

	memcpy(sum, j->l.x + at, (size_t)n * sizeof *sum);
	j->l.s->add_into(sum, j->skip + at % j->nskip, n);
	if (j->add)
		j->l.s->add_into(sum, j->add, n);
	rows.x = j->sum;
	layer_task(&rows, i);
}

/* Does skip repeat over leading dimensions only? */
static bool plain_skip(const struct array *x, const struct array *skip)
{
	bool same = true;

	if (skip->rank > x->rank)
		return false;
	for (int i = 0; i < skip->rank; i++) {
		int64_t d = x->dim[x->rank - skip->rank + i];

		/* Ones may only lead. */
		if (skip->dim[i] != d &&
		    (skip->dim[i] != 1 || nn_product(skip->dim, 0, i) != 1))
			same = false;
	}
	return same && x->rank > 0 && skip->n > 0 &&
	       skip->dim[skip->rank - 1] == x->dim[x->rank - 1];
}

static enum status skip_f32(struct kcall *c, bool centred, kernel_fn *other)
{
	struct skip_job j = {.l = {.s = simd(), .centred = centred}};
	uint32_t jbias = centred ? 4 : 3;
	bool sum = kcall_wants(c, 3);
	struct array *y, *out;
	enum status s = nn_rank(c, 0, 1, KERNEL_MAX_RANK);

	if (s != OK || !nn_all_f32(c, jbias + 1) || c->nin < 3 || !c->in[2])
		return other(c);
	s = layer_norm_init(c, &j.l.l, c->in[0]);
	if (s != OK)
		return s;
	for (uint32_t k = 2; k <= jbias && k < c->nin; k++)
		if (c->in[k] && c->in[k]->n != j.l.l.n)
			return other(c);
	if (c->in[0]->n == 0 || !plain_skip(c->in[0], c->in[1]))
		return other(c);
	y = kcall_out(c, 0, DT_F32, c->in[0]->rank, c->in[0]->dim);
	out = sum ? kcall_out(c, 3, DT_F32, c->in[0]->rank, c->in[0]->dim)
		  : NULL;
	j.sum = out ? out->data : nn_temp_f32(c, c->in[0]->n);
	if (!y || !j.sum || !stat_output(c, &j.l.l, 1, &j.l.mean) ||
	    !stat_output(c, &j.l.l, 2, &j.l.inv))
		return LIMIT;
	j.l.x = c->in[0]->data;
	j.l.y = y->data;
	j.l.scale = c->in[2]->data;
	j.l.bias = centred && kcall_has(c, 3) ? c->in[3]->data : NULL;
	j.skip = c->in[1]->data;
	j.nskip = c->in[1]->n;
	j.add = kcall_has(c, jbias) ? c->in[jbias]->data : NULL;
	pool_for((size_t)j.l.l.outer, skip_task, &j);
	return OK;
}

enum status k_skip_layer_norm_f32(struct kcall *c)
{
	return skip_f32(c, true, k_skip_layer_norm);
}

enum status k_skip_rms_norm_f32(struct kcall *c)
{
	return skip_f32(c, false, k_skip_rms_norm);
}

/* ---- instance and group ---- */

struct group_job {
	struct group_norm g;
	const struct simd *s;
	const float *x, *scale, *bias;
	float *y;
};

/* y = (x - m) a + b, block by block: with m folded into b, an input far from
 * zero, or without variance, would lose what b says. */
static void centred_affine(const struct simd *s, float *y, const float *x,
			   int64_t n, float m, float a, float b)
{
	enum { BLOCK = 2048 };

	for (int64_t k; n; n -= k, x += k, y += k) {
		k = n < BLOCK ? n : BLOCK;
		s->affine(y, x, k, 1, -m);
		s->affine(y, y, k, a, b);
	}
}

static void group_task(void *arg, size_t i)
{
	const struct group_job *j = arg;
	const struct group_norm *g = &j->g;
	int64_t n = g->per * g->inner, gr = (int64_t)i % g->groups;
	const float *x = j->x + (int64_t)i * n;
	float *y = j->y + (int64_t)i * n;
	float m = j->s->sum(x, n) / (float)n;
	float v = j->s->sum_sq(x, n, m) / (float)n;
	float inv = 1.0f / sqrtf(v + (float)g->eps);

	for (int64_t q = 0; q < g->per; q++) {
		int64_t p = g->per_group ? gr : gr * g->per + q;

		centred_affine(j->s, y + q * g->inner, x + q * g->inner,
			       g->inner, m, inv * j->scale[p], j->bias[p]);
	}
}

static enum status group_f32(struct kcall *c, bool instance)
{
	struct group_job j = {.s = simd()};
	struct array *y;
	enum status s;

	s = group_norm_init(c, &j.g, instance);
	if (s != OK)
		return s;
	if (!nn_all_f32(c, 3))
		return (instance ? k_instance_norm : k_group_norm)(c);
	y = kcall_out(c, 0, DT_F32, c->in[0]->rank, c->in[0]->dim);
	if (!y)
		return LIMIT;
	j.x = c->in[0]->data;
	j.scale = c->in[1]->data;
	j.bias = c->in[2]->data;
	j.y = y->data;
	if (y->n > 0)
		pool_for((size_t)(j.g.batch * j.g.groups), group_task, &j);
	return OK;
}

enum status k_instance_norm_f32(struct kcall *c)
{
	return group_f32(c, true);
}

enum status k_group_norm_f32(struct kcall *c)
{
	return group_f32(c, false);
}

/* ---- local response ---- */

enum { LRN_COLUMNS = 256 };

struct lrn_job {
	struct lrn l;
	const float *x;
	float *y;
	int64_t blocks; /* of columns */
};

/* v^-beta; the usual exponents by square roots. */
static float inverse_power(float v, double beta)
{
	if (beta == 0.75) {
		float r = sqrtf(v);

		return 1.0f / (r * sqrtf(r));
	}
	if (beta == 0.5)
		return 1.0f / sqrtf(v);
	return (float)md_pow((double)v, -beta);
}

/* One channel of a block of columns. */
static void lrn_task(void *arg, size_t i)
{
	const struct lrn_job *j = arg;
	const struct lrn *l = &j->l;
	int64_t t = (int64_t)i / j->blocks, c0 = (int64_t)i % j->blocks;
	int64_t ch = t % l->channels, from = t - min64(ch, l->before);
	int64_t to = t + min64(l->channels - 1 - ch, l->after), n;
	float sum[LRN_COLUMNS] = {0};

	c0 *= LRN_COLUMNS;
	n = min64(l->inner - c0, LRN_COLUMNS);
	for (int64_t q = from; q <= to; q++) {
		const float *x = j->x + q * l->inner + c0;

		for (int64_t k = 0; k < n; k++)
			sum[k] += x[k] * x[k];
	}
	for (int64_t k = 0; k < n; k++) {
		int64_t at = t * l->inner + c0 + k;

		j->y[at] =
			j->x[at] *
			inverse_power((float)l->bias + (float)l->alpha * sum[k],
				      l->beta);
	}
}

enum status k_lrn_f32(struct kcall *c)
{
	struct lrn_job j;
	struct array *y;
	enum status s = lrn_init(c, &j.l);

	if (s != OK)
		return s;
	if (!nn_all_f32(c, 1))
		return k_lrn(c);
	y = kcall_out(c, 0, DT_F32, c->in[0]->rank, c->in[0]->dim);
	if (!y)
		return LIMIT;
	j.x = c->in[0]->data;
	j.y = y->data;
	j.blocks = ceil_div(j.l.inner, LRN_COLUMNS);
	pool_for((size_t)(j.l.batch * j.l.channels * j.blocks), lrn_task, &j);
	return OK;
}
