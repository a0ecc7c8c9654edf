/* SPDX-License-Identifier: MIT */
/*
 * conv_swap.c -- float32 convolution of small images: outputs as rows.
 *
 * Y'[j, m] = sum over k of X[k, j] W[m, k]: the same chains as conv.c's with
 * the operands exchanged, so that few outputs fill panels of 6 rather than
 * of 16, the weight is read once, and nothing is packed twice.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/conv/conv_f32_p.h"
#include "runtime/kernels/matmul/gemm_p.h"

enum {
	SWAP_OUTPUTS = 448, /* above, conv.c has strips enough */
	SWAP_COLS = 32,     /* filters of a task */
	SWAP_ROWS = 96,     /* outputs of a block */
};

struct swap {
	const struct conv *v;
	const struct planes *p;
	bool direct; /* 1x1: X itself, no padded copy */
	int64_t k, nout, panels, tasks;
	const float *w, *x, *bias;
	size_t wgroup; /* floats of one group of w */
	float *planes, *rows, *y;
	const int64_t *off;
	int64_t image; /* where its outputs begin */
	const struct tail *tail;
};

/* Share of a grid of tiles that is not padding. */
static double filled(int64_t n, int64_t tile)
{
	return (double)n / (double)(ceil_div(n, tile) * tile);
}

bool conv_swap_pays(const struct conv *v)
{
	int64_t n = v->w.nout;
	double here = filled(n, GEMM_MR) * filled(v->m, GEMM_NR);
	double there = filled(n, GEMM_NR) * filled(v->m, GEMM_MR);

	return n <= SWAP_OUTPUTS && v->m >= 2 * GEMM_NR && here > there &&
	       v->c * v->w.nkernel >= 64;
}

/* ---- weights: [group][M/16][K][16] ---- */

static void pack_weight(const struct conv *v, const float *w, float *dst)
{
	int64_t k = v->c * v->w.nkernel;
	size_t each;

	gemm_b_size(k, v->m, &each);
	for (int64_t g = 0; g < v->group; g++)
		gemm_pack_b(dst + (size_t)g * each, w + g * v->m * k, 1, k, k,
			    v->m);
}

static void make_weight(struct kcall *c, void *dst)
{
	struct conv v;

	if (conv_init(c, &v, 0, 1, 2, DT_F32) == OK)
		pack_weight(&v, c->in[1]->data, dst);
}

/* ---- one image: rows of outputs, products, transposition ---- */

static void fill_task(void *arg, size_t i)
{
	const struct swap *s = arg;

	planes_fill_f32(s->p, s->x + (int64_t)i * s->v->w.nin,
			s->planes + (int64_t)i * s->p->step, 0.0f);
}

/* Where output j of an image lies in the flat index. */
static int64_t flat_of(const struct planes *p, int64_t j)
{
	int64_t ow = p->out[2], oh = p->out[1];

	return (j / ow / oh * p->q[1] + j / ow % oh) * p->q[2] + j % ow;
}

/* The same of a 1x1, where they are neighbours. */
static void pack_neighbours(const struct swap *s, const float *src, float *dst)
{
	for (int64_t k = 0; k < s->k; k++, dst += GEMM_MR, src += s->nout)
		memcpy(dst, src, GEMM_MR * sizeof *dst);
}

/* Six outputs of a group, all of k; missing ones repeat the last. */
static void pack_task(void *arg, size_t i)
{
	const struct swap *s = arg;
	int64_t g = (int64_t)i / s->panels, j = (int64_t)i % s->panels;
	float *dst = s->rows + (int64_t)i * s->k * GEMM_MR;
	int64_t at[GEMM_MR];

	if (s->direct && (j + 1) * GEMM_MR <= s->nout) {
		pack_neighbours(s, s->x + g * s->k * s->nout + j * GEMM_MR,
				dst);
		return;
	}
	for (int r = 0; r < GEMM_MR; r++) {
		int64_t o = min64(j * GEMM_MR + r, s->nout - 1);

		at[r] = s->direct ? o : flat_of(s->p, o);
	}
	for (int64_t k = 0; k < s->k; k++, dst += GEMM_MR) {
		const float *src =
			s->direct ? s->x + (g * s->k + k) * s->nout
				  : s->planes + g * s->v->c * s->p->step +
					    s->off[k];

		for (int r = 0; r < GEMM_MR; r++)
			dst[r] = src[at[r]];
	}
}

static void transpose(const struct swap *s, const float *tmp, int64_t rows,
		      int64_t cols, float *y)
{
	int64_t m = 0;

	for (; m + 4 <= cols; m += 4) {
		float *y0 = y + m * s->nout, *y1 = y0 + s->nout;
		float *y2 = y1 + s->nout, *y3 = y2 + s->nout;
		const float *t = tmp + m;

		for (int64_t j = 0; j < rows; j++, t += SWAP_COLS) {
			y0[j] = t[0];
			y1[j] = t[1];
			y2[j] = t[2];
			y3[j] = t[3];
		}
	}
	for (; m < cols; m++)
		for (int64_t j = 0; j < rows; j++)
			y[m * s->nout + j] = tmp[j * SWAP_COLS + m];
}

/* Filters [m0, m1) of a group against all outputs. */
static void product_task(void *arg, size_t i)
{
	const struct swap *s = arg;
	const struct conv *v = s->v;
	int64_t g = (int64_t)i / s->tasks, m0 = (int64_t)i % s->tasks;
	int64_t f0, cols;
	float tmp[SWAP_ROWS * SWAP_COLS];
	struct gemm_block b;

	m0 *= SWAP_COLS;
	f0 = g * v->m + m0;
	cols = min64(v->m - m0, SWAP_COLS);
	for (int64_t j = 0; j < s->nout; j += SWAP_ROWS) {
		int64_t rows = min64(s->nout - j, SWAP_ROWS);

		b = (struct gemm_block){
			.m = rows,
			.n = cols,
			.aps = s->k * GEMM_MR,
			.ars = 1,
			.aks = GEMM_MR,
			.bps = s->k * GEMM_NR,
			.bks = GEMM_NR,
			.c = tmp,
			.ldc = SWAP_COLS,
			.start = s->bias ? GEMM_INIT : GEMM_ZERO,
			.init = s->bias ? s->bias + f0 : NULL,
			.ics = 1,
		};
		for (int64_t k = 0; k < s->k; k += GEMM_KC) {
			b.k = min64(s->k - k, GEMM_KC);
			b.a = s->rows +
			      (g * s->panels + j / GEMM_MR) * s->k * GEMM_MR +
			      k * GEMM_MR;
			b.b = s->w + (size_t)g * s->wgroup + m0 * s->k +
			      k * GEMM_NR;
			gemm_block_run(&b);
			b.start = GEMM_CONTINUE;
		}
		transpose(s, tmp, rows, cols,
			  s->y + s->image + f0 * s->nout + j);
	}
	tail_run(s->tail, s->y, s->image + f0 * s->nout, cols * s->nout);
}

static void image_run(struct swap *s)
{
	const struct conv *v = s->v;

	if (!s->direct)
		pool_for((size_t)(v->group * v->c), fill_task, s);
	pool_for((size_t)(v->group * s->panels), pack_task, s);
	pool_for((size_t)(v->group * s->tasks), product_task, s);
}

enum status conv_swap_f32(struct kcall *c, const struct conv *v,
			  const struct planes *p, bool direct, float *y,
			  const struct tail *tail)
{
	struct swap s = {
		.v = v,
		.p = p,
		.direct = direct,
		.k = v->c * v->w.nkernel,
		.nout = v->w.nout,
		.panels = ceil_div(v->w.nout, GEMM_MR),
		.tasks = ceil_div(v->m, SWAP_COLS),
		.y = y,
		.tail = tail,
		.bias = kcall_has(c, 2) ? c->in[2]->data : NULL,
	};
	int64_t each = v->group * v->c, n;

	if (!gemm_b_size(s.k, v->m, &s.wgroup))
		s.wgroup = SIZE_MAX;
	s.w = conv_packed_weight(c, v, s.wgroup, pack_weight, make_weight);
	if (!s.w || !mul_i64(v->group * s.panels * GEMM_MR, s.k, &n))
		return LIMIT;
	s.rows = nn_temp_f32(c, n);
	if (!s.rows)
		return LIMIT;
	if (!direct) {
		s.off = conv_offsets(c, v, p);
		s.planes = nn_temp_f32(c, each * p->step + PLANE_SLACK);
		if (!s.off || !s.planes)
			return LIMIT;
	}
	for (int64_t i = 0; i < v->batch; i++) {
		s.x = (const float *)c->in[0]->data + i * each * v->w.nin;
		s.image = i * v->group * v->m * s.nout;
		image_run(&s);
	}
	return OK;
}
