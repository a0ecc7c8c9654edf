/* SPDX-License-Identifier: MIT */
/*
 * conv_dw.c -- float32 convolution with one input channel per group.
 *
 * Each output plane is a weighted sum of shifted copies of one padded input
 * plane: no matrix product, the vectors run along its rows.  Strides up to 2
 * are taken while reading; for larger ones the copy is split by phase.
 */
#include "base/pool.h"
#include "runtime/kernels/conv/conv_f32_p.h"
#include "runtime/kernels/shared/simd_p.h"

enum { DW_SLICES = 16 /* planes in flight */ };

struct dw {
	const struct conv *v;
	struct planes p;
	int64_t out[3], stride[3]; /* strides that the copy leaves to us */
	const struct simd *s;
	const float *x, *w, *b;
	int64_t *off;
	float *planes, *y;
	int64_t nslices;
	const struct tail *tail;
	bool square3; /* the taps are 3 x 3 neighbours */
};

/* One output plane from the padded plane. */
static void dw_plane(const struct dw *d, const float *plane, int64_t f,
		     float *y)
{
	const struct planes *p = &d->p;
	int64_t nk = d->v->w.nkernel;
	struct simd_rows t = {
		.off = d->off,
		.w = d->w + f * nk,
		.taps = nk,
		.ldx = d->stride[1] * p->q[2],
		.step = d->stride[2],
		.init = d->b ? d->b[f] : 0,
		.square3 = d->square3,
		.rows = d->out[1],
		.cols = d->out[2],
	};

	for (int64_t sl = 0; sl < d->out[0]; sl++) {
		t.x = plane + sl * d->stride[0] * p->q[1] * p->q[2];
		t.y = y + sl * d->out[1] * d->out[2];
		d->s->rows_fma(&t);
	}
}

static void dw_task(void *arg, size_t i)
{
	const struct dw *d = arg;
	const struct conv *v = d->v;
	float *plane = d->planes + (int64_t)i * (d->p.step + PLANE_SLACK);

	for (int64_t t = (int64_t)i; t < v->batch * v->group; t += d->nslices) {
		int64_t g = t % v->group;
		const float *x = d->x + t * v->w.nin;

		if (t == (int64_t)i)
			planes_fill_f32(&d->p, x, plane, 0.0f);
		else
			planes_copy_f32(&d->p, x, plane);
		for (int64_t f = 0; f < v->m; f++)
			dw_plane(d, plane, g * v->m + f,
				 d->y + (t * v->m + f) * v->w.nout);
		tail_run(d->tail, d->y, t * v->m * v->w.nout, v->m * v->w.nout);
	}
}

/* A copy as for stride 1, where the kernel can skip columns itself. */
static void dw_planes(struct dw *d, const struct planes *p)
{
	struct window w = d->v->w;

	for (int i = 0; i < 3; i++) {
		d->out[i] = p->out[i];
		d->stride[i] = 1;
	}
	d->p = *p;
	if (p->stride[2] > 2)
		return;
	for (int i = 0; i < w.rank; i++) {
		w.out[i] = (w.out[i] - 1) * w.stride[i] + 1;
		w.stride[i] = 1;
	}
	if (!planes_init(&d->p, &w)) {
		d->p = *p;
		return;
	}
	for (int i = 0; i < 3; i++)
		d->stride[i] = p->stride[i];
}

static void dw_taps(struct dw *d)
{
	int64_t nk = d->v->w.nkernel;

	d->square3 = nk == 9 && d->stride[1] == 1 && d->stride[2] == 1;
	for (int64_t k = 0; k < nk; k++) {
		d->off[k] = planes_offset(&d->p, k);
		d->square3 &= d->off[k] == k / 3 * d->p.q[2] + k % 3;
	}
}

enum status conv_depthwise_f32(struct kcall *c, const struct conv *v,
			       const struct planes *p, float *y,
			       const struct tail *tail)
{
	struct dw d = {
		.v = v,
		.s = simd(),
		.x = c->in[0]->data,
		.w = c->in[1]->data,
		.b = kcall_has(c, 2) ? c->in[2]->data : NULL,
		.off = nn_scratch(c, v->w.nkernel, sizeof *d.off),
		.y = y,
		.tail = tail,
		.nslices = min64(v->batch * v->group, DW_SLICES),
	};

	dw_planes(&d, p);
	d.planes = nn_temp_f32(c, d.nslices * (d.p.step + PLANE_SLACK));
	if (!d.off || !d.planes)
		return LIMIT;
	dw_taps(&d);
	pool_for((size_t)d.nslices, dw_task, &d);
	return OK;
}
