/* SPDX-License-Identifier: MIT */
/*
 * conv.c -- float32 convolution as a matrix product.
 *
 * Y[m, j] = sum over k = (c, kd, kh, kw) of W[m, k] X[k, j]; the weight is
 * packed once as the left operand.  The right operand takes one of three
 * forms, chosen by shape alone:
 *   direct  1x1, stride 1: the image itself, or panels of it
 *   gather  a padded copy of the image in which row k of the operand begins
 *           at a constant offset (conv_plane_p.h): nothing is expanded
 *   pack    16-column panels made from that copy, where rows of the output
 *           are so short that gather would compute too many unused columns
 */
#include "runtime/kernels/conv/conv_plane_p.h"

#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/shared/activate_p.h"
#include "runtime/kernels/conv/conv_f32_p.h"
#include "runtime/kernels/matmul/gemm_p.h"
#include "runtime/kernels/shared/tail_p.h"

enum {
	STRIP = 64,       /* columns of one task */
	ROWS = 96,        /* rows of one task */
	DIRECT_ROWS = 48, /* up to here packing a 1x1 does not pay ... */
	ALIAS = 256,      /* unless rows so far apart share sets of L1 */
	PACK_COST = 8,    /* of a panel row, in tile rows */
};

enum form { FORM_DIRECT, FORM_GATHER, FORM_PACK };

struct plan {
	struct conv v;
	struct planes p;
	enum form form;
	int64_t k;           /* depth of the product */
	int64_t nout, nflat; /* outputs; columns of one depth slice */
	int64_t slices;      /* depth slices that strips stay inside of */
	int64_t strips;      /* per slice */
	int64_t mstep, mtasks;
	const float *a; /* packed weight */
	size_t agroup;  /* floats of one group of it */
	const float *x, *bias;
	float *planes, *y;
	const int64_t *off;    /* of row k of the right operand */
	int64_t image, images; /* first and number in flight */
	struct tail tail;
};

/* ---- packing the weight ---- */

static void pack_weight(const struct conv *v, const float *w, float *dst)
{
	int64_t k = v->c * v->w.nkernel;
	size_t each;

	gemm_a_size(v->m, k, &each);
	for (int64_t g = 0; g < v->group; g++)
		gemm_pack_a(dst + (size_t)g * each, w + g * v->m * k, k, 1,
			    v->m, k, 1.0f);
}

static void make_weight(struct kcall *c, void *dst)
{
	struct conv v;

	if (conv_init(c, &v, 0, 1, 2, DT_F32) == OK)
		pack_weight(&v, c->in[1]->data, dst);
}

const float *conv_packed_weight(struct kcall *c, const struct conv *v,
				size_t each, conv_pack_fn *pack,
				void (*make)(struct kcall *c, void *dst))
{
	size_t total, bytes;
	float *dst;

	if (!mul_size(each, (size_t)v->group, &total) ||
	    !mul_size(total, sizeof(float), &bytes)) {
		kcall_error(c, E_dims, "weight is too large");
		return NULL;
	}
	if (kcall_is_const(c, 1)) {
		dst = kcall_cached(c, bytes ? bytes : 1, make);
		if (dst)
			kcall_packed(c, 1);
		return dst;
	}
	dst = nn_scratch(c, (int64_t)bytes, 1);
	if (dst)
		pack(v, c->in[1]->data, dst);
	return dst;
}

/* ---- one strip of columns ---- */

static const float *group_input(const struct plan *p, int64_t n, int64_t g)
{
	int64_t ch = g * p->v.c;

	if (p->form == FORM_DIRECT)
		return p->x +
		       ((p->image + n) * p->v.group * p->v.c + ch) * p->v.w.nin;
	return p->planes + (n * p->v.group * p->v.c + ch) * p->p.step;
}

static struct gemm_block strip_block(const struct plan *p, int64_t g,
				     int64_t m0, int64_t m1)
{
	return (struct gemm_block){
		.m = m1 - m0,
		.a = p->a + (size_t)g * p->agroup + m0 * p->k,
		.aps = p->k * GEMM_MR,
		.ars = 1,
		.aks = GEMM_MR,
		.start = p->bias ? GEMM_INIT : GEMM_ZERO,
		.init = p->bias ? p->bias + g * p->v.m + m0 : NULL,
		.irs = 1,
	};
}

/* What follows, on outputs [o0, o1) of rows that begin at y[at]. */
static void strip_tail(const struct plan *p, int64_t at, int64_t rows,
		       int64_t o0, int64_t o1)
{
	for (int64_t i = 0; p->tail.n && i < rows; i++)
		tail_run(&p->tail, p->y, at + i * p->nout + o0, o1 - o0);
}

/* Columns [j0, j1) straight from the image.  Packed where there are rows
 * enough to pay for it, and in the last panel, which could end past it.
 * Rows of the result that share sets of L1 are copied when they are done. */
static void strip_direct(const struct plan *p, struct gemm_block *b,
			 const float *x, int64_t j0, int64_t j1)
{
	float pack[GEMM_KC * STRIP], tmp[ROWS * STRIP];
	int64_t n = j1 - j0, full = n / GEMM_NR * GEMM_NR;
	const float *a = b->a;
	float *to = b->c, *y = to;

	if (p->nout % ALIAS == 0 && b->m <= ROWS) {
		y = tmp;
		b->ldc = STRIP;
	}
	if (p->v.m > DIRECT_ROWS || p->nout % ALIAS == 0)
		full = 0;
	for (int64_t k0 = 0; k0 < p->k; k0 += GEMM_KC) {
		const float *src = x + k0 * p->nout + j0;

		b->k = min64(p->k - k0, GEMM_KC);
		b->a = a + k0 * GEMM_MR;
		b->c = y;
		b->n = full;
		b->b = src;
		b->bps = GEMM_NR;
		b->bks = p->nout;
		gemm_block_run(b);
		gemm_pack_b(pack, src + full, p->nout, 1, b->k, n - full);
		b->c = y + full;
		b->n = n - full;
		b->b = pack;
		b->bps = b->k * GEMM_NR;
		b->bks = GEMM_NR;
		gemm_block_run(b);
		b->start = GEMM_CONTINUE;
	}
	for (int64_t i = 0; y == tmp && i < b->m; i++) {
		memcpy(to + i * p->nout, tmp + i * STRIP,
		       (size_t)n * sizeof *to);
		tail_run(&p->tail, p->y, to - p->y + i * p->nout, n);
	}
	if (y != tmp)
		strip_tail(p, to - p->y, b->m, 0, n);
}

/* Flat columns [j0, j1) of a depth slice; y: its first output. */
static void strip_gather(const struct plan *p, struct gemm_block *b,
			 const float *x, int64_t j0, int64_t j1, float *y)
{
	float tmp[ROWS * STRIP];
	const float *a = b->a;

	b->c = tmp;
	b->ldc = STRIP;
	b->n = ceil_div(j1 - j0, GEMM_NR) * GEMM_NR;
	b->b = x + j0;
	b->bps = GEMM_NR;
	for (int64_t k0 = 0; k0 < p->k; k0 += GEMM_KC) {
		b->k = min64(p->k - k0, GEMM_KC);
		b->a = a + k0 * GEMM_MR;
		b->boff = p->off + k0;
		gemm_block_run(b);
		b->start = GEMM_CONTINUE;
	}
	planes_scatter(&p->p, tmp, STRIP, b->m, j0, j1, y, p->nout);
}

/* Where output j of an image lies in the flat index. */
static int64_t flat_of(const struct plan *p, int64_t j)
{
	int64_t ow = p->p.out[2], oh = p->p.out[1];

	return (j / ow / oh * p->p.q[1] + j / ow % oh) * p->p.q[2] + j % ow;
}

/* One panel of up to 16 outputs at j: each run of neighbours is copied with
 * 16 floats, and what is too much is overwritten by the next run or row. */
static void pack_panel(const struct plan *p, const float *x, int64_t j,
		       int64_t cols, const int64_t *off, int64_t k, float *dst)
{
	int64_t from[GEMM_NR], to[GEMM_NR], ow = p->p.out[2];
	int n = 0;

	for (int64_t i = 0; i < cols; n++) {
		to[n] = i;
		from[n] = flat_of(p, j + i);
		i += min64(ow - (j + i) % ow, cols - i);
	}
	for (int64_t i = 0; i < k; i++) {
		const float *row = x + off[i];

		for (int r = 0; r < n; r++)
			memcpy(dst + i * GEMM_NR + to[r], row + from[r],
			       GEMM_NR * sizeof *dst);
	}
}

static void strip_pack(const struct plan *p, struct gemm_block *b,
		       const float *x, int64_t j0, int64_t j1)
{
	float pack[GEMM_KC * STRIP + GEMM_NR];
	const float *a = b->a;

	b->n = j1 - j0;
	b->b = pack;
	b->bks = GEMM_NR;
	for (int64_t k0 = 0; k0 < p->k; k0 += GEMM_KC) {
		b->k = min64(p->k - k0, GEMM_KC);
		b->a = a + k0 * GEMM_MR;
		b->bps = b->k * GEMM_NR;
		for (int64_t j = j0; j < j1; j += GEMM_NR)
			pack_panel(p, x, j, min64(j1 - j, GEMM_NR), p->off + k0,
				   b->k, pack + (j - j0) * b->k);
		gemm_block_run(b);
		b->start = GEMM_CONTINUE;
	}
}

/* How many outputs of a depth slice come before flat column j. */
static int64_t outputs_before(const struct plan *p, int64_t j)
{
	int64_t w = p->p.q[2], ow = p->p.out[2];

	return j / w * ow + min64(j % w, ow);
}

/* Task: image, group, depth slice, strip, rows; rows run fastest. */
static void strip_task(void *arg, size_t i)
{
	const struct plan *p = arg;
	int64_t t = (int64_t)i, mt = t % p->mtasks, st, sl, g, n;
	int64_t m0 = mt * p->mstep, m1 = min64(m0 + p->mstep, p->v.m);
	struct gemm_block b;
	const float *x;
	int64_t j0, j1, at;

	t /= p->mtasks;
	st = t % p->strips;
	t /= p->strips;
	sl = t % p->slices;
	t /= p->slices;
	g = t % p->v.group;
	n = t / p->v.group;
	x = group_input(p, n, g);
	b = strip_block(p, g, m0, m1);
	at = (((p->image + n) * p->v.group + g) * p->v.m + m0) * p->nout;
	j0 = st * STRIP;
	j1 = min64(j0 + STRIP, p->nflat);
	if (p->form == FORM_GATHER) {
		at += sl * p->p.out[1] * p->p.out[2];
		strip_gather(p, &b, x + sl * p->p.q[1] * p->p.q[2], j0, j1,
			     p->y + at);
		strip_tail(p, at, m1 - m0, outputs_before(p, j0),
			   outputs_before(p, j1));
		return;
	}
	b.c = p->y + at + j0;
	b.ldc = p->nout;
	if (p->form == FORM_DIRECT) {
		strip_direct(p, &b, x, j0, j1);
		return;
	}
	strip_pack(p, &b, x, j0, j1);
	strip_tail(p, at, m1 - m0, j0, j1);
}

/* ---- the whole convolution ---- */

static void fill_task(void *arg, size_t i)
{
	const struct plan *p = arg;
	int64_t ch = p->v.group * p->v.c;

	planes_fill_f32(&p->p, p->x + (p->image * ch + (int64_t)i) * p->v.w.nin,
			p->planes + (int64_t)i * p->p.step, 0.0f);
}

static bool is_pointwise(const struct window *w)
{
	for (int i = 0; i < w->rank; i++)
		if (w->kernel[i] != 1 || w->stride[i] != 1 || w->lo[i] != 0 ||
		    w->hi[i] != 0)
			return false;
	return true;
}

static void choose_form(struct plan *p)
{
	const struct planes *q = &p->p;

	p->nflat = p->nout;
	p->slices = 1;
	p->form = FORM_PACK;
	if (is_pointwise(&p->v.w))
		p->form = FORM_DIRECT;
	else if ((q->q[2] - q->out[2]) * p->v.m <= PACK_COST * q->out[2]) {
		p->form = FORM_GATHER;
		p->slices = q->out[0];
		p->nflat = planes_flat(q);
	}
	p->strips = ceil_div(p->nflat, STRIP);
	p->mstep = ROWS;
	/* Every row task packs anew: few of them where strips abound. */
	if (p->form != FORM_GATHER && p->strips * p->v.group * p->v.batch >= 8)
		p->mstep = p->v.m;
	p->mtasks = ceil_div(p->v.m, p->mstep);
}

const int64_t *conv_offsets(struct kcall *c, const struct conv *v,
			    const struct planes *p)
{
	int64_t nk = v->w.nkernel, *off = nn_scratch(c, v->c * nk, sizeof *off);

	for (int64_t k = 0; off && k < nk; k++) {
		int64_t at = planes_offset(p, k);

		for (int64_t ch = 0; ch < v->c; ch++)
			off[ch * nk + k] = ch * p->step + at;
	}
	return off;
}

/* Offsets of all rows, and room for the padded copies of some images. */
static bool plan_memory(struct kcall *c, struct plan *p)
{
	int64_t each = p->v.group * p->v.c, total;

	p->images = p->v.batch;
	if (p->form == FORM_DIRECT)
		return true;
	each *= p->p.step;
	p->images = max64(1, min64(p->v.batch, (1 << 20) / max64(each, 1)));
	p->off = conv_offsets(c, &p->v, &p->p);
	if (!p->off || !mul_i64(each, p->images, &total))
		return false;
	p->planes = nn_temp_f32(c, total + PLANE_SLACK + STRIP);
	if (p->planes)
		memset(p->planes + total, 0,
		       (PLANE_SLACK + STRIP) * sizeof *p->planes);
	return p->planes != NULL;
}

static void plan_run(struct plan *p)
{
	for (p->image = 0; p->image < p->v.batch; p->image += p->images) {
		int64_t n = min64(p->images, p->v.batch - p->image);

		if (p->form != FORM_DIRECT)
			pool_for((size_t)(n * p->v.group * p->v.c), fill_task,
				 p);
		pool_for((size_t)(n * p->v.group * p->slices * p->strips *
				  p->mtasks),
			 strip_task, p);
	}
}

/* *fast is false where the reference kernel has to do it. */
static enum status conv_run(struct kcall *c, bool *fast)
{
	struct plan p = {0};
	struct array *y;
	enum status s;

	*fast = nn_all_f32(c, 4);
	if (!*fast)
		return OK;
	s = conv_init(c, &p.v, 0, 1, 2, DT_F32);
	if (s != OK)
		return s;
	*fast = p.v.c != 0 && planes_init(&p.p, &p.v.w);
	if (!*fast)
		return OK;
	y = kcall_out(c, 0, DT_F32, p.v.rank, p.v.dim);
	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	s = tail_init(c, y, &p.tail);
	if (s != OK)
		return s;
	p.x = c->in[0]->data;
	p.y = y->data;
	p.bias = kcall_has(c, 2) ? c->in[2]->data : NULL;
	if (p.v.c == 1 && p.v.group > 1)
		return conv_depthwise_f32(c, &p.v, &p.p, p.y, &p.tail);
	if (conv_swap_pays(&p.v))
		return conv_swap_f32(c, &p.v, &p.p, is_pointwise(&p.v.w), p.y,
				     &p.tail);
	p.k = p.v.c * p.v.w.nkernel;
	p.nout = p.v.w.nout;
	choose_form(&p);
	if (!gemm_a_size(p.v.m, p.k, &p.agroup))
		p.agroup = SIZE_MAX;
	p.a = conv_packed_weight(c, &p.v, p.agroup, pack_weight, make_weight);
	if (!p.a || !plan_memory(c, &p))
		return LIMIT;
	plan_run(&p);
	return OK;
}

enum status k_conv_f32(struct kcall *c)
{
	bool fast;
	enum status s = conv_run(c, &fast);

	if (s != OK)
		return s;
	if (fast)
		return activate_f32(c);
	s = kcall_load(c, 1);
	return s != OK ? s : k_conv(c);
}
