/* SPDX-License-Identifier: MIT */
/*
 * conv_transpose.c -- float32 ConvTranspose: one matrix product per image and
 * group, whose rows (m, k) are then added where kernel element k puts them.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/conv/conv_p.h"
#include "runtime/kernels/matmul/gemm_p.h"
#include "runtime/kernels/shared/simd_p.h"

/* Axes 0, 1, 2 are depth, height, width; missing ones have size 1. */
struct spread {
	struct conv v;
	int64_t in[3], out[3]; /* of X; of Y */
	int64_t kernel[3], stride[3], dilation[3], lo[3];
	const float *bias, *cols;
	float *y; /* of one image and group */
	const float *gbias;
	const struct simd *s;
};

static bool spread_axes(struct spread *p)
{
	const struct window *w = &p->v.w;

	if (w->rank > 3)
		return false;
	for (int i = 0; i < 3; i++) {
		int a = i - (3 - w->rank);

		p->in[i] = a < 0 ? 1 : w->out[a];
		p->out[i] = a < 0 ? 1 : w->in[a];
		p->kernel[i] = a < 0 ? 1 : w->kernel[a];
		p->stride[i] = a < 0 ? 1 : w->stride[a];
		p->dilation[i] = a < 0 ? 1 : w->dilation[a];
		p->lo[i] = a < 0 ? 0 : w->lo[a];
	}
	return true;
}

/* Inputs i of an axis with an output: i stride + first in [0, out). */
static void input_range(const struct spread *p, int a, int64_t k,
			int64_t *first, int64_t *from, int64_t *to)
{
	*first = k * p->dilation[a] - p->lo[a];
	*from = *first < 0 ? ceil_div(-*first, p->stride[a]) : 0;
	*to = *first >= p->out[a] ? 0
				  : ceil_div(p->out[a] - *first, p->stride[a]);
	*to = min64(*to, p->in[a]);
}

/* Add the plane that kernel element (kd, kh, kw) contributes. */
static void add_tap(const struct spread *p, const int64_t k[3],
		    const float *cols, float *y)
{
	int64_t first[3], from[3], to[3], s = p->stride[2];

	for (int a = 0; a < 3; a++)
		input_range(p, a, k[a], &first[a], &from[a], &to[a]);
	for (int64_t d = from[0]; d < to[0]; d++)
		for (int64_t h = from[1]; h < to[1]; h++) {
			int64_t od = d * p->stride[0] + first[0];
			int64_t oh = h * p->stride[1] + first[1];
			float *row = y + (od * p->out[1] + oh) * p->out[2];
			const float *src = cols + (d * p->in[1] + h) * p->in[2];

			if (s == 1 && to[2] > from[2])
				p->s->add_into(row + from[2] + first[2],
					       src + from[2], to[2] - from[2]);
			else
				for (int64_t w = from[2]; w < to[2]; w++)
					row[w * s + first[2]] += src[w];
		}
}

static void channel_task(void *arg, size_t m)
{
	const struct spread *p = arg;
	int64_t nout = p->v.w.nin, nin = p->v.w.nout, nk = p->v.w.nkernel;
	float *y = p->y + (int64_t)m * nout;
	const float *cols = p->cols + (int64_t)m * nk * nin;

	for (int64_t i = 0; i < nout; i++)
		y[i] = p->gbias ? p->gbias[m] : 0.0f;
	for (int64_t k = 0; k < nk; k++) {
		int64_t kk[3] = {k / (p->kernel[1] * p->kernel[2]),
				 k / p->kernel[2] % p->kernel[1],
				 k % p->kernel[2]};

		add_tap(p, kk, cols + k * nin, y);
	}
}

/* One image and group: pack X, multiply, add up. */
static void group_run(struct spread *p, const float *x, const float *w,
		      float *packed, float *cols)
{
	int64_t rows = p->v.m * p->v.w.nkernel, npos = p->v.w.nout;
	struct gemm g = {
		.m = rows,
		.n = npos,
		.k = p->v.c,
		.a = w,
		.ars = 1,
		.acs = rows,
		.alpha = 1,
		.b = packed,
		.c = cols,
		.ldc = npos,
		.batch = 1,
	};

	gemm_pack_b(packed, x, npos, 1, p->v.c, npos);
	gemm_run(&g);
	p->cols = cols;
	pool_for((size_t)p->v.m, channel_task, p);
}

static enum status run(struct kcall *c, struct spread *p)
{
	const struct conv *v = &p->v;
	int64_t rows = v->m * v->w.nkernel, ncols;
	const float *x = c->in[0]->data, *w = c->in[1]->data;
	float *packed, *cols, *y = p->y;
	size_t npack;

	if (!gemm_b_size(v->c, v->w.nout, &npack) ||
	    !mul_i64(rows, v->w.nout, &ncols))
		return kcall_error(c, E_dims, "matrices are too large");
	packed = nn_temp_f32(c, (int64_t)npack);
	cols = nn_temp_f32(c, ncols);
	if (!packed || !cols)
		return LIMIT;
	for (int64_t i = 0; i < v->batch * v->group; i++) {
		int64_t g = i % v->group;

		p->y = y + i * v->m * v->w.nin;
		p->gbias = p->bias ? p->bias + g * v->m : NULL;
		group_run(p, x + i * v->c * v->w.nout, w + g * v->c * rows,
			  packed, cols);
	}
	return OK;
}

enum status k_conv_transpose_f32(struct kcall *c)
{
	struct spread p = {.s = simd()};
	struct array *y;
	enum status s;

	if (!nn_all_f32(c, 3) || c->nin < 2 || !c->in[1])
		return k_conv_transpose(c);
	s = conv_init_transposed(c, &p.v);
	if (s != OK)
		return s;
	if (!spread_axes(&p))
		return k_conv_transpose(c);
	y = kcall_out(c, 0, DT_F32, p.v.rank, p.v.dim);
	if (!y)
		return LIMIT;
	p.y = y->data;
	p.bias = kcall_has(c, 2) ? c->in[2]->data : NULL;
	return y->n ? run(c, &p) : OK;
}
