/* SPDX-License-Identifier: MIT */
/*
 * conv_dw.c -- float32 convolution with one input channel per group.
 *
 * Each output plane is a weighted sum of shifted copies of one padded input
 * plane: no matrix product, the vectors run along the flat index.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/conv_f32_p.h"
#include "runtime/kernels/simd_p.h"

enum {
	DW_STRIP = 512, /* flat columns at a time */
	DW_SLICES = 16, /* planes in flight */
};

struct dw {
	const struct conv *v;
	const struct planes *p;
	const struct simd *s;
	const float *x, *w, *b;
	const int64_t *off;
	float *planes, *y;
	int64_t nslices;
};

/* One output plane from the padded plane. */
static void dw_plane(const struct dw *d, const float *plane, int64_t f,
		     float *y)
{
	const struct planes *p = d->p;
	int64_t nflat = planes_flat(p), nk = d->v->w.nkernel;
	float tmp[DW_STRIP + 16];

	for (int64_t sl = 0; sl < p->out[0]; sl++)
		for (int64_t j = 0; j < nflat; j += DW_STRIP) {
			int64_t j1 = min64(j + DW_STRIP, nflat);
			struct simd_taps t = {
				.x = plane + sl * p->q[1] * p->q[2] + j,
				.off = d->off,
				.w = d->w + f * nk,
				.taps = nk,
				.n = j1 - j,
				.init = d->b ? d->b[f] : 0,
			};

			d->s->taps_fma(tmp, &t);
			planes_scatter(p, tmp, 0, 1, j, j1,
				       y + sl * p->out[1] * p->out[2], 0);
		}
}

static void dw_task(void *arg, size_t i)
{
	const struct dw *d = arg;
	const struct conv *v = d->v;
	float *plane = d->planes + (int64_t)i * (d->p->step + PLANE_SLACK);

	for (int64_t t = (int64_t)i; t < v->batch * v->group; t += d->nslices) {
		int64_t g = t % v->group;

		planes_fill_f32(d->p, d->x + t * v->w.nin, plane, 0.0f);
		for (int64_t f = 0; f < v->m; f++)
			dw_plane(d, plane, g * v->m + f,
				 d->y + (t * v->m + f) * v->w.nout);
	}
}

enum status conv_depthwise_f32(struct kcall *c, const struct conv *v,
			       const struct planes *p, float *y)
{
	int64_t nk = v->w.nkernel;
	int64_t *off = nn_scratch(c, nk, sizeof *off);
	struct dw d = {
		.v = v,
		.p = p,
		.s = simd(),
		.x = c->in[0]->data,
		.w = c->in[1]->data,
		.b = kcall_has(c, 2) ? c->in[2]->data : NULL,
		.off = off,
		.y = y,
		.nslices = min64(v->batch * v->group, DW_SLICES),
	};

	d.planes = nn_temp_f32(c, d.nslices * (p->step + PLANE_SLACK));
	if (!off || !d.planes)
		return LIMIT;
	for (int64_t k = 0; k < nk; k++)
		off[k] = planes_offset(p, k);
	pool_for((size_t)d.nslices, dw_task, &d);
	return OK;
}
