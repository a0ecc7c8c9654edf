/* SPDX-License-Identifier: MIT */
/*
 * quant_conv.c -- 8-bit convolution on the exact integer product.
 *
 * The weight is packed once as the left operand.  The right operand is made
 * per strip of output columns from padded copies of the image in which every
 * tap is a constant offset (conv_plane_p.h).  One channel per group: sums of
 * shifted planes instead.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/movement/channels_last_p.h"
#include "runtime/kernels/quant/igemm_p.h"
#include "runtime/kernels/quant/quant_conv_p.h"

enum {
	STRIP = 64, /* outputs of a task */
	ROWS = 192, /* filters of a task */
	DW_STRIP = 512,
	DW_SLICES = 16,
};

struct plan {
	struct qconv q;
	struct planes p;
	const struct qsimd *s;
	int64_t k, k2; /* depth; even */
	int64_t strips, mtasks;
	const int16_t *a;
	size_t agroup;
	uint8_t *planes;
	int64_t *off;
	int64_t image, images;
};

/* ---- weights ---- */

static void pack_weight(const struct qconv *q, size_t each, int16_t *dst)
{
	int64_t k = q->v.c * q->v.w.nkernel;

	for (int64_t g = 0; g < q->v.group; g++) {
		struct q8_mat m = {
			.p = q->w + g * q->v.m * k,
			.is_signed = q->wsigned,
			.rs = k,
			.cs = 1,
			.zero = q->wzero + g * q->v.m * q->wstep,
			.zstep = q->wstep,
		};

		igemm_pack_a(dst + (size_t)g * each, &m, q->v.m, k);
	}
}

static void make_weight(struct kcall *c, void *dst)
{
	struct qconv q;
	size_t each;
	enum status s = node_is(c->node, OP_ConvInteger)
				? qconv_init_integer(c, &q)
				: qconv_init_linear(c, &q);

	if (s == OK &&
	    igemm_size(q.v.m, IGEMM_MR, q.v.c * q.v.w.nkernel, &each))
		pack_weight(&q, each, dst);
}

static const int16_t *packed_weight(struct kcall *c, struct plan *p)
{
	const struct qconv *q = &p->q;
	size_t total, bytes;
	int16_t *dst;

	if (!igemm_size(q->v.m, IGEMM_MR, p->k, &p->agroup) ||
	    !mul_size(p->agroup, (size_t)q->v.group, &total) ||
	    !mul_size(total, sizeof(int16_t), &bytes)) {
		kcall_error(c, E_dims, "weight is too large");
		return NULL;
	}
	if (kcall_is_const(c, q->v.jw) &&
	    (!kcall_has(c, q->jwz) || kcall_is_const(c, q->jwz)))
		return kcall_cached(c, bytes ? bytes : 1, make_weight);
	dst = nn_scratch(c, (int64_t)bytes, 1);
	if (dst)
		pack_weight(q, p->agroup, dst);
	return dst;
}

/* ---- one strip ---- */

/* The outputs of a panel as runs of neighbours in the flat index. */
struct runs {
	int n;
	int64_t from[IGEMM_NR];
	int to[IGEMM_NR];
};

/* Where output j of an image lies in the flat index. */
static int64_t flat_of(const struct planes *p, int64_t j)
{
	int64_t ow = p->out[2], oh = p->out[1];

	return (j / ow / oh * p->q[1] + j / ow % oh) * p->q[2] + j % ow;
}

static struct runs runs_of(const struct planes *p, int64_t j, int64_t cols)
{
	int64_t ow = p->out[2], wq = p->q[2];
	struct runs r = {.n = 0};

	for (int64_t i = 0; i < cols; r.n++) {
		r.to[r.n] = (int)i;
		r.from[r.n] = flat_of(p, j + i);
		/* Rows without unused columns are neighbours, too. */
		i += wq == ow && p->out[0] == 1
			     ? cols
			     : min64(ow - (j + i) % ow, cols - i);
	}
	return r;
}

/* 16 bytes per run; what is too much is overwritten by the next run. */
static const uint8_t *gather(const struct runs *r, const uint8_t *row,
			     uint8_t *buf)
{
	if (r->n == 1)
		return row + r->from[0];
	for (int i = 0; i < r->n; i++)
		memcpy(buf + r->to[i], row + r->from[i], IGEMM_NR);
	return buf;
}

/* Rows [k0, k0 + kc) of the right operand for the outputs of one panel. */
static void pack_panel(const struct plan *p, const uint8_t *x,
		       const struct runs *r, int64_t k0, int64_t kc,
		       int16_t *dst)
{
	const struct qconv *q = &p->q;
	uint8_t u[2 * IGEMM_NR], v[2 * IGEMM_NR];

	for (int64_t k = k0; k < k0 + kc; k += 2, dst += 2 * IGEMM_NR) {
		/* The weight of a missing last row is zero. */
		int64_t next = k + 1 < p->k ? k + 1 : k;

		(q->xsigned ? p->s->pair_s8 : p->s->pair_u8)(
			dst, gather(r, x + p->off[k], u),
			gather(r, x + p->off[next], v), q->xzero);
	}
}

/* Outputs [j0, j1) of filters [f0, f0 + rows); at: of the first of both. */
static void strip_run(const struct plan *p, const uint8_t *x, const int16_t *a,
		      int64_t f0, int64_t rows, int64_t at, int64_t j0,
		      int64_t j1)
{
	int16_t pack[STRIP * IGEMM_KC];
	int32_t sum[ROWS * STRIP];
	struct igemm_block g = {
		.m = rows,
		.n = ceil_div(j1 - j0, IGEMM_NR) * IGEMM_NR,
		.aps = p->k2 * IGEMM_MR,
		.b = pack,
		.c = sum,
		.ldc = STRIP,
	};

	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < STRIP; j++)
			sum[i * STRIP + j] = p->q.bias ? p->q.bias[f0 + i] : 0;
	for (int64_t k0 = 0; k0 < p->k; k0 += IGEMM_KC) {
		int64_t kc = min64(p->k - k0, IGEMM_KC);

		g.pairs = (kc + 1) / 2;
		g.a = a + k0 * IGEMM_MR;
		g.bps = g.pairs * 2 * IGEMM_NR;
		for (int64_t j = j0; j < j1; j += IGEMM_NR) {
			struct runs r =
				runs_of(&p->p, j, min64(j1 - j, IGEMM_NR));

			pack_panel(p, x, &r, k0, kc,
				   pack + (j - j0) / IGEMM_NR * g.bps);
		}
		igemm_block_run(&g);
	}
	for (int64_t i = 0; i < rows; i++)
		qconv_store(&p->q, p->s, at + i * p->q.v.w.nout,
			    sum + i * STRIP, f0 + i, j1 - j0);
}

/* Task: image, group, strip, filters. */
static void strip_task(void *arg, size_t i)
{
	const struct plan *p = arg;
	const struct conv *v = &p->q.v;
	int64_t t = (int64_t)i, m0, j0, g, n, f0;

	m0 = t % p->mtasks * ROWS;
	t /= p->mtasks;
	j0 = t % p->strips * STRIP;
	t /= p->strips;
	g = t % v->group;
	n = t / v->group;
	f0 = g * v->m + m0;
	strip_run(p, p->planes + (n * v->group + g) * v->c * p->p.step,
		  p->a + (size_t)g * p->agroup + m0 * p->k2, f0,
		  min64(v->m - m0, ROWS),
		  ((p->image + n) * v->group * v->m + f0) * v->w.nout + j0, j0,
		  min64(j0 + STRIP, v->w.nout));
}

static void fill_task(void *arg, size_t i)
{
	const struct plan *p = arg;
	const struct conv *v = &p->q.v;
	int64_t ch = p->image * v->group * v->c + (int64_t)i;

	planes_fill_8(&p->p, p->q.x + ch * v->w.nin,
		      p->planes + (int64_t)i * p->p.step, (uint8_t)p->q.xzero);
}

static enum status run_product(struct kcall *c, struct plan *p)
{
	const struct conv *v = &p->q.v;
	int64_t nk = v->w.nkernel, each = v->group * v->c * p->p.step, total;

	p->images = max64(1, min64(v->batch, (1 << 20) / max64(each, 1)));
	p->strips = ceil_div(v->w.nout, STRIP);
	p->mtasks = ceil_div(v->m, ROWS);
	p->a = packed_weight(c, p);
	p->off = nn_scratch(c, p->k, sizeof *p->off);
	if (!p->a || !p->off || !mul_i64(each, p->images, &total))
		return LIMIT;
	for (int64_t k = 0; k < nk; k++)
		for (int64_t ch = 0; ch < v->c; ch++)
			p->off[ch * nk + k] =
				ch * p->p.step + planes_offset(&p->p, k);
	p->planes = nn_scratch(c, total + PLANE_SLACK + STRIP, 1);
	if (!p->planes)
		return LIMIT;
	for (p->image = 0; p->image < v->batch; p->image += p->images) {
		int64_t n = min64(p->images, v->batch - p->image);

		pool_for((size_t)(n * v->group * v->c), fill_task, p);
		pool_for((size_t)(n * v->group * p->strips * p->mtasks),
			 strip_task, p);
	}
	return OK;
}

/* ---- one channel per group ---- */

struct dw {
	struct plan *p;
	int64_t pairs, slices;
	int32_t *w; /* per filter: pairs of weights */
	int32_t *init;
};

/* Flat columns [j0, j1) of a depth slice to the result, leaving out the
 * unused ones; at: the slice's first output. */
static void store_flat(const struct plan *p, const int32_t *sum, int64_t at,
		       int64_t f, int64_t j0, int64_t j1)
{
	const struct qconv *q = &p->q;
	int64_t wq = p->p.q[2], ow = p->p.out[2];
	uint8_t *y = q->y->data, tmp[DW_STRIP];

	if (q->requant)
		p->s->requant(tmp, sum, ceil_div(j1 - j0, 16) * 16, q->mult + f,
			      0, q->range);
	for (int64_t j = j0; j < j1;) {
		int64_t row = j / wq, col = j % wq, to = at + row * ow + col;
		int64_t n = min64(ow - col, j1 - j);

		if (q->requant && n > 0)
			memcpy(y + to, tmp + (j - j0), (size_t)n);
		else if (n > 0)
			qconv_store(q, p->s, to, sum + (j - j0), f, n);
		j += wq - col;
	}
}

static void dw_plane(const struct dw *d, const uint8_t *plane, int64_t f,
		     int64_t at)
{
	const struct plan *p = d->p;
	int64_t nflat = planes_flat(&p->p);
	int32_t sum[DW_STRIP];

	for (int64_t sl = 0; sl < p->p.out[0]; sl++)
		for (int64_t j = 0; j < nflat; j += DW_STRIP) {
			int64_t j1 = min64(j + DW_STRIP, nflat);
			struct q8_taps t = {
				.x = plane + sl * p->p.q[1] * p->p.q[2] + j,
				.off = p->off,
				.w = d->w + f * d->pairs,
				.pairs = d->pairs,
				.n = ceil_div(j1 - j, 16) * 16,
				.init = d->init[f],
				.is_signed = p->q.xsigned,
			};

			p->s->taps(sum, &t);
			store_flat(p, sum, at + sl * p->p.out[1] * p->p.out[2],
				   f, j, j1);
		}
}

static void dw_task(void *arg, size_t i)
{
	const struct dw *d = arg;
	const struct plan *p = d->p;
	const struct conv *v = &p->q.v;
	uint8_t *plane = p->planes + (int64_t)i * (p->p.step + PLANE_SLACK);

	for (int64_t t = (int64_t)i; t < v->batch * v->group; t += d->slices) {
		planes_fill_8(&p->p, p->q.x + t * v->w.nin, plane,
			      (uint8_t)p->q.xzero);
		for (int64_t k = 0; k < v->m; k++)
			dw_plane(d, plane, t % v->group * v->m + k,
				 (t * v->m + k) * v->w.nout);
	}
}

/* Pairs of weights, and what a sum begins with: padding holds the zero point
 * too, so that the zero point times the sum of weights comes off once. */
static void dw_weights(const struct dw *d)
{
	const struct qconv *q = &d->p->q;
	int64_t nk = q->v.w.nkernel;

	for (int64_t f = 0; f < q->v.group * q->v.m; f++) {
		uint32_t all = 0;

		for (int64_t k = 0; k < 2 * d->pairs; k++) {
			int32_t w = 0;

			if (k < nk) {
				w = q->w[f * nk + k];
				w = q->wsigned ? (int8_t)w : w;
				w -= q->wzero[f * q->wstep];
			}
			all += (uint32_t)w;
			if (k % 2 == 0)
				d->w[f * d->pairs + k / 2] = w & 0xffff;
			else
				d->w[f * d->pairs + k / 2] |=
					(int32_t)((uint32_t)w << 16);
		}
		d->init[f] = (int32_t)((q->bias ? (uint32_t)q->bias[f] : 0) -
				       (uint32_t)q->xzero * all);
	}
}

static enum status run_depthwise(struct kcall *c, struct plan *p)
{
	const struct conv *v = &p->q.v;
	int64_t nk = v->w.nkernel, filters = v->group * v->m;
	struct dw d = {
		.p = p,
		.pairs = (nk + 1) / 2,
		.slices = min64(v->batch * v->group, DW_SLICES),
	};

	d.w = nn_scratch(c, filters * d.pairs, sizeof *d.w);
	d.init = nn_scratch(c, filters, sizeof *d.init);
	p->off = nn_scratch(c, 2 * d.pairs, sizeof *p->off);
	p->planes = nn_scratch(c, d.slices * (p->p.step + PLANE_SLACK), 1);
	if (!d.w || !d.init || !p->off || !p->planes)
		return LIMIT;
	for (int64_t k = 0; k < 2 * d.pairs; k++)
		p->off[k] = planes_offset(&p->p, min64(k, nk - 1));
	dw_weights(&d);
	pool_for((size_t)d.slices, dw_task, &d);
	return OK;
}

static enum status run_fast(struct kcall *c, struct plan *p, kernel_fn *other)
{
	const struct conv *v = &p->q.v;

	if (v->c == 0 || !planes_init(&p->p, &v->w))
		return other(c);
	p->q.y = kcall_out(c, 0, p->q.to, v->rank, v->dim);
	if (!p->q.y)
		return LIMIT;
	if (p->q.y->n == 0)
		return OK;
	p->s = qsimd();
	p->k = v->c * v->w.nkernel;
	p->k2 = (p->k + 1) / 2 * 2;
	if (v->c == 1 && v->group > 1)
		return run_depthwise(c, p);
	return run_product(c, p);
}

enum status k_qlinear_conv_fast(struct kcall *c)
{
	struct plan p = {0};
	enum status s = qconv_init_linear(c, &p.q);

	return s == OK ? run_fast(c, &p, k_qlinear_conv) : s;
}

enum status k_conv_integer_fast(struct kcall *c)
{
	struct plan p = {0};
	enum status s = qconv_init_integer(c, &p.q);

	return s == OK ? run_fast(c, &p, k_conv_integer) : s;
}

/* The contributed QLinearConv may have its channels last. */
enum status k_ms_qlinear_conv_fast(struct kcall *c)
{
	if (node_attr_int(c->node, "channels_last", 0) != 0)
		return channels_last(c, k_qlinear_conv_fast);
	return k_qlinear_conv_fast(c);
}
