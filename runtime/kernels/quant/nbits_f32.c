/* SPDX-License-Identifier: MIT */
/*
 * nbits_f32.c -- MatMulNBits in float32.
 *
 * B is rearranged once into panels of 16 columns with 4 or 8 bits per
 * element, row k of a panel being 8 or 16 bytes, and the scales and zero
 * points of its blocks beside it.  A product unpacks a few panels at a time
 * into the form that the float product takes: B is never float as a whole.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/matmul/gemm_p.h"
#include "runtime/kernels/quant/nbits_p.h"
#include "runtime/kernels/shared/simd_p.h"

enum {
	FEW_ROWS = 16, /* up to here columns are split, in strips of a depth */
	STRIP = 64,
	DEPTH = 256,
	MANY_COLS = 1024, /* unpacked at once where there are more rows */
};

/* Where panel p of the rearranged B begins. */
struct panels {
	int64_t row;   /* bytes of 16 elements */
	int64_t count; /* of panels */
	size_t each;   /* bytes of a panel: elements, scales, zeros */
	size_t params; /* offset of the scales in it */
	const uint8_t *p;
};

static bool panels_init(const struct nbits *w, struct panels *t, size_t *bytes)
{
	size_t q, f;

	t->row = w->bits == 8 ? 16 : 8;
	t->count = ceil_div(w->n, GEMM_NR);
	if (!mul_size((size_t)w->k, (size_t)t->row, &q) ||
	    !mul_size((size_t)w->blocks, 2 * GEMM_NR * sizeof(float), &f) ||
	    q > SIZE_MAX / 4 || f > SIZE_MAX / 4)
		return false;
	t->params = (q + 63) / 64 * 64;
	t->each = t->params + f;
	return mul_size(t->each, (size_t)t->count, bytes);
}

/* ---- rearranging ---- */

struct pack_job {
	const struct nbits *w;
	const struct panels *t;
	uint8_t *dst;
};

/* Columns i and i + 8 share a byte where elements have 4 bits. */
static void pack_elements(const struct nbits *w, const struct panels *t,
			  int64_t j0, uint8_t *dst)
{
	int64_t cols = min64(w->n - j0, GEMM_NR);

	memset(dst, 0, (size_t)(w->k * t->row));
	for (int64_t i = 0; i < cols; i++)
		for (int64_t k = 0; k < w->k; k++) {
			int q = nbits_q(w, j0 + i, k);

			if (t->row == 16)
				dst[k * 16 + i] = (uint8_t)q;
			else
				dst[k * 8 + i % 8] |=
					(uint8_t)(i < 8 ? q : q << 4);
		}
}

static void pack_task(void *arg, size_t panel)
{
	const struct pack_job *p = arg;
	const struct nbits *w = p->w;
	uint8_t *dst = p->dst + panel * p->t->each;
	float *par = (float *)(void *)(dst + p->t->params);
	int64_t j0 = (int64_t)panel * GEMM_NR;

	pack_elements(w, p->t, j0, dst);
	for (int64_t g = 0; g < w->blocks; g++)
		for (int64_t i = 0; i < GEMM_NR; i++) {
			bool in = j0 + i < w->n;
			float *v = par + g * 2 * GEMM_NR + i;

			v[0] = in ? ((const float *)w->scale
					     ->data)[(j0 + i) * w->blocks + g]
				  : 0;
			v[GEMM_NR] = in ? (float)nbits_zero(w, j0 + i, g) : 0;
		}
}

static void make_panels(struct kcall *c, void *dst)
{
	struct nbits w;
	struct panels t;
	size_t bytes;
	struct pack_job p = {&w, &t, dst};

	if (nbits_init(c, &w) == OK && panels_init(&w, &t, &bytes))
		pool_for((size_t)t.count, pack_task, &p);
}

static bool panels_get(struct kcall *c, const struct nbits *w, struct panels *t)
{
	struct pack_job p = {w, t, NULL};
	size_t bytes;

	if (!panels_init(w, t, &bytes)) {
		kcall_error(c, E_dims, "the weight is too large");
		return false;
	}
	if (kcall_is_const(c, 1) && kcall_is_const(c, 2) &&
	    (!w->zero || kcall_is_const(c, 3))) {
		t->p = kcall_cached(c, bytes, make_panels);
		return t->p != NULL;
	}
	p.dst = nn_scratch(c, (int64_t)bytes, 1);
	if (!p.dst)
		return false;
	pool_for((size_t)t->count, pack_task, &p);
	t->p = p.dst;
	return true;
}

/* ---- unpacking ---- */

/* Rows [k0, k1) of a panel as floats, 16 to a row. */
static void unpack(const struct nbits *w, const struct panels *t, int64_t panel,
		   int64_t k0, int64_t k1, float *dst)
{
	const uint8_t *q = t->p + (size_t)panel * t->each;
	const float *par = (const float *)(const void *)(q + t->params);
	const struct simd *s = simd();

	for (int64_t k = k0; k < k1;) {
		int64_t g = nbits_group(w, k);
		int64_t end = w->group ? k + 1 : min64((g + 1) * w->block, k1);
		const float *v = par + g * 2 * GEMM_NR;

		(t->row == 16 ? s->unpack8 : s->unpack4)(
			dst + (k - k0) * GEMM_NR, q + k * t->row, end - k, v,
			v + GEMM_NR);
		k = end;
	}
}

struct product {
	const struct nbits *w;
	const struct panels *t;
	const float *a, *bias;
	float *y, *b; /* b: unpacked columns from j0 on */
	int64_t j0;
};

/* A strip of columns for a few rows. */
static void strip_task(void *arg, size_t i)
{
	const struct product *p = arg;
	const struct nbits *w = p->w;
	int64_t j0 = (int64_t)i * STRIP, n = min64(w->n - j0, STRIP);
	float b[STRIP * DEPTH];
	struct gemm_block g = {
		.m = w->m,
		.n = n,
		.aps = GEMM_MR * w->k,
		.ars = w->k,
		.aks = 1,
		.b = b,
		.bks = GEMM_NR,
		.c = p->y + j0,
		.ldc = w->n,
		.start = p->bias ? GEMM_INIT : GEMM_ZERO,
		.init = p->bias ? p->bias + j0 : NULL,
		.ics = 1,
	};

	for (int64_t k = 0; k < w->k; k += DEPTH) {
		g.k = min64(w->k - k, DEPTH);
		g.a = p->a + k;
		g.bps = g.k * GEMM_NR;
		for (int64_t j = 0; j < n; j += GEMM_NR)
			unpack(w, p->t, (j0 + j) / GEMM_NR, k, k + g.k,
			       b + j * g.k);
		gemm_block_run(&g);
		g.start = GEMM_CONTINUE;
	}
}

static void unpack_task(void *arg, size_t i)
{
	const struct product *p = arg;

	unpack(p->w, p->t, p->j0 / GEMM_NR + (int64_t)i, 0, p->w->k,
	       p->b + (int64_t)i * GEMM_NR * p->w->k);
}

/* Many rows: the plain product on some columns after the other. */
static enum status many_rows(struct kcall *c, struct product *p)
{
	const struct nbits *w = p->w;
	int64_t cols = min64(ceil_div(w->n, GEMM_NR) * GEMM_NR, MANY_COLS);
	int64_t floats;

	if (!mul_i64(cols, w->k, &floats))
		return kcall_error(c, E_dims, "the weight is too large");
	p->b = nn_temp_f32(c, floats);
	if (!p->b)
		return LIMIT;
	for (p->j0 = 0; p->j0 < w->n; p->j0 += cols) {
		struct gemm g = {
			.m = w->m,
			.n = min64(w->n - p->j0, cols),
			.k = w->k,
			.a = p->a,
			.ars = w->k,
			.acs = 1,
			.alpha = 1,
			.b = p->b,
			.c = p->y + p->j0,
			.ldc = w->n,
			.init = p->bias ? p->bias + p->j0 : NULL,
			.ics = 1,
			.batch = 1,
		};

		pool_for((size_t)ceil_div(g.n, GEMM_NR), unpack_task, p);
		gemm_run(&g);
	}
	return OK;
}

enum status k_matmul_nbits_f32(struct kcall *c)
{
	struct nbits w;
	struct panels t;
	struct product p = {.w = &w, .t = &t};
	struct array *y;
	enum status s = nbits_init(c, &w);

	if (s != OK)
		return s;
	if (!w.q || c->in[0]->dt != DT_F32)
		return k_matmul_nbits(c);
	y = kcall_out(c, 0, DT_F32, w.rank, w.dim);
	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	if (!panels_get(c, &w, &t))
		return LIMIT;
	p.a = c->in[0]->data;
	p.y = y->data;
	p.bias = w.bias ? w.bias->data : NULL;
	if (w.m > FEW_ROWS)
		return many_rows(c, &p);
	pool_for((size_t)ceil_div(w.n, STRIP), strip_task, &p);
	return OK;
}
