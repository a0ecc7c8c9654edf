/* SPDX-License-Identifier: MIT */
/*
 * attention_f32.c -- attention in float32, block by block.
 *
 * Keys and values are packed once for the float product.  A task takes some
 * queries of one head and goes over the keys in blocks of KEYS, keeping the
 * largest score and the sum of exponentials so far; the result is rescaled
 * when a larger score turns up (Milakov and Gimelshein, Online normalizer
 * calculation for softmax, 2018).  Nothing of size queries x keys is stored.
 */
#include "runtime/kernels/attention/attention_p.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/matmul/gemm_p.h"
#include "runtime/kernels/shared/simd_p.h"
#include "runtime/mathf.h"

enum { ROWS = 24, KEYS = 256 };

struct job {
	const struct attention *t;
	const struct simd *s;
	float *k, *v; /* packed, `keach` and `veach` floats a head */
	size_t keach, veach;
	int64_t blocks; /* of rows */
};

static size_t pad16(int64_t n)
{
	return (size_t)(n + GEMM_NR - 1) / GEMM_NR * GEMM_NR;
}

static void pack_task(void *arg, size_t i)
{
	const struct job *j = arg;
	const struct attention *t = j->t;
	int64_t b = (int64_t)i / t->heads, h = (int64_t)i % t->heads;

	gemm_pack_b(j->k + i * j->keach,
		    (const void *)heads_at(&t->k, sizeof(float), b, h, 0), 1,
		    t->k.ss, t->size, t->total);
	/* Values: one packed matrix per block of keys. */
	for (int64_t k = 0; k < t->total; k += KEYS)
		gemm_pack_b(
			j->v + i * j->veach + (size_t)k * pad16(t->vsize),
			(const void *)heads_at(&t->v, sizeof(float), b, h, k),
			t->v.ss, 1, min64(t->total - k, KEYS), t->vsize);
}

/* State of a task: n queries from i on. */
struct rows {
	int64_t b, h, i, n;
	float top[ROWS], sum[ROWS];
	float score[ROWS * KEYS];
	float *y;
};

/* Scores of one row with keys [k, k + n), as they enter the softmax. */
static void finish_scores(const struct job *j, const struct rows *r,
			  int64_t row, int64_t k, int64_t n, float *s)
{
	const struct attention *t = j->t;
	double add[KEYS];

	j->s->affine(s, s, n, (float)t->scale, 0);
	if (t->softcap > 0) {
		j->s->affine(s, s, n, (float)(1 / t->softcap), 0);
		j->s->tanh(s, s, n);
		j->s->affine(s, s, n, (float)t->softcap, 0);
	}
	if (!t->mask)
		return;
	t->mask(t, r->b, r->h, r->i + row, k, n, add);
	for (int64_t i = 0; i < n; i++)
		s[i] = (float)((double)s[i] + add[i]);
}

/* The scores become exponentials; what came before is rescaled. */
static void exponentials(const struct job *j, struct rows *r, int64_t row,
			 int64_t n, float *s)
{
	float top = j->s->max(s, n), old = r->top[row], by;
	float *y = r->y + row * j->t->y.ss;

	top = top > old ? top : old;
	if (top == -INFINITY) {
		memset(s, 0, (size_t)n * sizeof *s);
		return;
	}
	by = old == -INFINITY ? 0.0f : mf_exp(old - top);
	if (by != 1.0f)
		for (int64_t d = 0; d < j->t->vsize; d++)
			y[d] *= by;
	r->top[row] = top;
	r->sum[row] = r->sum[row] * by + j->s->exp_sum(s, s, n, top);
}

static void block_of_keys(const struct job *j, struct rows *r, int64_t k)
{
	const struct attention *t = j->t;
	int64_t n = min64(t->total - k, KEYS);
	size_t g = (size_t)(r->b * t->heads + r->h / (t->qheads / t->heads));
	struct gemm_block qk = {
		.m = r->n,
		.n = n,
		.k = t->size,
		.a = (const void *)heads_at(&t->x, sizeof(float), r->b, r->h,
					    r->i),
		.aps = GEMM_MR * t->x.ss,
		.ars = t->x.ss,
		.aks = 1,
		.b = j->k + g * j->keach + k * t->size,
		.bps = t->size * GEMM_NR,
		.bks = GEMM_NR,
		.c = r->score,
		.ldc = KEYS,
		.start = GEMM_ZERO,
	};
	struct gemm_block pv = {
		.m = r->n,
		.n = t->vsize,
		.k = n,
		.a = r->score,
		.aps = GEMM_MR * KEYS,
		.ars = KEYS,
		.aks = 1,
		.b = j->v + g * j->veach + (size_t)k * pad16(t->vsize),
		.bps = n * GEMM_NR,
		.bks = GEMM_NR,
		.c = r->y,
		.ldc = t->y.ss,
		.start = GEMM_CONTINUE,
	};

	gemm_block_run(&qk);
	for (int64_t i = 0; i < r->n; i++) {
		finish_scores(j, r, i, k, n, r->score + i * KEYS);
		exponentials(j, r, i, n, r->score + i * KEYS);
	}
	gemm_block_run(&pv);
}

static void rows_task(void *arg, size_t i)
{
	const struct job *j = arg;
	const struct attention *t = j->t;
	int64_t hb = (int64_t)i / j->blocks;
	struct rows r = {.b = hb / t->qheads, .h = hb % t->qheads};

	r.i = (int64_t)i % j->blocks * ROWS;
	r.n = min64(t->q - r.i, ROWS);
	r.y = (void *)heads_at(&t->y, sizeof(float), r.b, r.h, r.i);
	for (int64_t q = 0; q < r.n; q++) {
		r.top[q] = t->sink ? (float)t->sink[r.h] : -INFINITY;
		r.sum[q] = t->sink ? 1.0f : 0.0f;
		memset(r.y + q * t->y.ss, 0, (size_t)t->vsize * sizeof *r.y);
	}
	for (int64_t k = 0; k < t->total; k += KEYS)
		block_of_keys(j, &r, k);
	for (int64_t q = 0; q < r.n; q++)
		for (int64_t d = 0; d < t->vsize; d++)
			r.y[q * t->y.ss + d] /= r.sum[q];
}

enum status attention_run_f32(struct kcall *c, const struct attention *t)
{
	struct job j = {.t = t, .s = simd()};
	int64_t heads = t->batch * t->heads, nk, nv;

	if (t->batch == 0 || t->qheads == 0 || t->q == 0 || t->vsize == 0)
		return OK;
	if (!gemm_b_size(t->size, t->total, &j.keach) ||
	    !mul_size(pad16(t->vsize), (size_t)t->total, &j.veach) ||
	    !mul_i64((int64_t)j.keach, heads, &nk) ||
	    !mul_i64((int64_t)j.veach, heads, &nv))
		return kcall_error(c, E_dims, "keys or values are too large");
	j.k = nn_temp_f32(c, nk);
	j.v = nn_temp_f32(c, nv);
	if (!j.k || !j.v)
		return LIMIT;
	if (t->total > 0)
		pool_for((size_t)heads, pack_task, &j);
	j.blocks = ceil_div(t->q, ROWS);
	pool_for((size_t)(t->batch * t->qheads * j.blocks), rows_task, &j);
	return OK;
}
