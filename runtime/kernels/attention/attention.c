/* SPDX-License-Identifier: MIT */
/*
 * attention.c -- the attention of all operators, in double, and the
 * arrangement of heads.
 *
 * A query that may attend to nothing gives NaN, as a softmax of nothing does.
 */
#include "runtime/kernels/attention/attention_p.h"

#include <math.h>
#include <string.h>

#include "runtime/mathd.h"

/* ---- arranging ---- */

struct heads heads_of(void *p, bool flat, int64_t heads, int64_t len,
		      int64_t size)
{
	/* An empty tensor's strides may wrap: nothing is read by them. */
	uint64_t n = (uint64_t)heads, l = (uint64_t)len, z = (uint64_t)size;

	return (struct heads){
		.p = p,
		.bs = (int64_t)(n * l * z),
		.hs = (int64_t)(flat ? z : l * z),
		.ss = (int64_t)(flat ? n * z : z),
	};
}

void *heads_load(struct kcall *c, uint32_t j, size_t es)
{
	if (es == sizeof(float))
		return c->in[j]->data;
	return (void *)(uintptr_t)nn_load(c, j);
}

void *heads_temp(struct kcall *c, int64_t n, size_t es)
{
	return nn_scratch(c, n, es);
}

void *heads_out(struct kcall *c, uint32_t i, size_t es, enum dtype dt, int rank,
		const int64_t *dim)
{
	struct array *a;
	int64_t n;

	if (!nn_count(rank, dim, &n)) {
		kcall_error(c, E_dims, "dimensions overflow");
		return NULL;
	}
	if (es != sizeof(float) || !kcall_wants(c, i))
		return heads_temp(c, n, es);
	a = kcall_out(c, i, dt, rank, dim);
	return a ? a->data : NULL;
}

enum status heads_save(struct kcall *c, uint32_t i, size_t es, enum dtype dt,
		       int rank, const int64_t *dim, const void *p)
{
	return es == sizeof(float) ? OK : nn_save(c, i, dt, rank, dim, p);
}

void heads_copy(const struct attention *t, struct heads dst, int64_t at,
		struct heads src, int64_t heads, int64_t len, int64_t size)
{
	size_t row = (size_t)size * t->es;

	for (int64_t b = 0; b < t->batch; b++)
		for (int64_t h = 0; h < heads; h++)
			for (int64_t s = 0; s < len && row; s++)
				memcpy(heads_at(&dst, t->es, b, h, at + s),
				       heads_at(&src, t->es, b, h, s), row);
}

/* ---- one query ---- */

static void softmax(double *x, int64_t n, const double *sink)
{
	double top = sink ? *sink : -INFINITY, sum = 0;

	for (int64_t j = 0; j < n; j++)
		top = x[j] > top ? x[j] : top;
	for (int64_t j = 0; j < n; j++) {
		x[j] = md_exp(x[j] - top);
		sum += x[j];
	}
	if (sink)
		sum += md_exp(*sink - top);
	for (int64_t j = 0; j < n; j++)
		x[j] /= sum;
}

static void show(const struct attention *t, int stage, int64_t row,
		 const double *score)
{
	if (t->shown && t->stage == stage && t->total)
		memcpy(t->shown + row * t->total, score,
		       (size_t)t->total * sizeof *score);
}

static double dot(const double *a, const double *b, int64_t n)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* score and add: total entries each. */
static void query(const struct attention *t, int64_t b, int64_t h, int64_t i,
		  double *score, double *add)
{
	const size_t es = sizeof(double);
	int64_t g = h / (t->qheads / t->heads), n = t->total;
	int64_t row = (b * t->qheads + h) * t->q + i;
	const double *x = (const void *)heads_at(&t->x, es, b, h, i);
	double *y = (void *)heads_at(&t->y, es, b, h, i);

	for (int64_t j = 0; j < n; j++)
		score[j] = t->scale *
			   dot(x, (const void *)heads_at(&t->k, es, b, g, j),
			       t->size);
	show(t, SHOW_PRODUCT, row, score);
	for (int64_t j = 0; t->softcap > 0 && j < n; j++)
		score[j] = t->softcap * md_tanh(score[j] / t->softcap);
	show(t, SHOW_SOFTCAP, row, score);
	if (t->mask)
		t->mask(t, b, h, i, 0, n, add);
	for (int64_t j = 0; t->mask && j < n; j++)
		score[j] += add[j];
	show(t, SHOW_MASKED, row, score);
	softmax(score, n, t->sink ? t->sink + h : NULL);
	show(t, SHOW_SOFTMAX, row, score);
	for (int64_t d = 0; d < t->vsize; d++)
		y[d] = 0;
	for (int64_t j = 0; j < n; j++) {
		const double *v = (const void *)heads_at(&t->v, es, b, g, j);

		for (int64_t d = 0; d < t->vsize; d++)
			y[d] += score[j] * v[d];
	}
}

enum status attention_run(struct kcall *c, const struct attention *t)
{
	double *score = nn_temp(c, t->total), *add = nn_temp(c, t->total);

	if (!score || !add)
		return LIMIT;
	for (int64_t b = 0; b < t->batch; b++)
		for (int64_t h = 0; h < t->qheads; h++)
			for (int64_t i = 0; i < t->q; i++)
				query(t, b, h, i, score, add);
	return OK;
}

enum status attention_check(struct kcall *c, const struct attention *t)
{
	int64_t n;

	if (t->heads < 1 || t->qheads < 1 || t->qheads % t->heads != 0)
		return kcall_error(c, E_shape, "%lld heads share %lld",
				   (long long)t->qheads, (long long)t->heads);
	if (!mul_i64(t->qheads, t->size, &n) ||
	    !mul_i64(t->qheads, t->vsize, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	return OK;
}

enum status attention_compute(struct kcall *c, const struct attention *t)
{
	return t->es == sizeof(float) ? attention_run_f32(c, t)
				      : attention_run(c, t);
}
