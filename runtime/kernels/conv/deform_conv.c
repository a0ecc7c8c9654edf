/* SPDX-License-Identifier: MIT */
/*
 * deform_conv.c -- DeformConv (Dai et al. 2017; with a mask: Zhu et al. 2018),
 * in double, any number of spatial axes.
 *
 * Per output position the image is sampled once per channel and tap, linearly
 * between pixels and zero outside; then the samples meet every filter.
 * Positions go in blocks, of which threads share the samples, then the filters.
 */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/conv/conv_p.h"

enum { DEFORM_BLOCK = 128 }; /* positions */

struct deform {
	struct conv v;
	int64_t groups, per; /* offset groups; channels of each */
	const double *x, *w, *offset, *b, *mask; /* b, mask: may be NULL */
	double *y;
	/* A block of positions of image n, from number `first` on. */
	int64_t n, first, count;
	double *sample; /* [DEFORM_BLOCK, group * c, nkernel] */
};

/* Pixels around one place. */
struct corners {
	int n;
	int64_t at[1 << WINDOW_MAX];
	double weight[1 << WINDOW_MAX];
};

/* Input j is [batch, groups * nkernel * each, out...]. */
static enum status taps_shape(struct kcall *c, const struct deform *d,
			      uint32_t j, int64_t each)
{
	const struct conv *v = &d->v;
	const struct array *a;
	int64_t n;
	enum status s;

	if (!kcall_has(c, j))
		return OK;
	s = nn_rank(c, j, v->rank, v->rank);
	if (s != OK)
		return s;
	a = c->in[j];
	if (!mul_i64(d->groups, v->w.nkernel, &n) || !mul_i64(n, each, &n) ||
	    a->dim[0] != v->batch || a->dim[1] != n)
		return kcall_error(c, E_shape,
				   "input %u does not fit the kernel and %lld "
				   "groups",
				   j, (long long)d->groups);
	for (int i = 2; i < v->rank; i++)
		if (a->dim[i] != v->dim[i])
			return kcall_error(c, E_shape,
					   "input %u has %lld along axis %d, "
					   "the result %lld",
					   j, (long long)a->dim[i], i,
					   (long long)v->dim[i]);
	return OK;
}

static enum status deform_init(struct kcall *c, struct deform *d)
{
	int64_t channels;
	enum status s = nn_floats(c, 3, 5);

	if (s == OK)
		s = conv_init(c, &d->v, 0, 1, 3, c->in[0]->dt);
	if (s != OK)
		return s;
	channels = d->v.group * d->v.c;
	d->groups = node_attr_int(c->node, "offset_group", 1);
	if (d->groups < 1 || channels % d->groups != 0)
		return kcall_error(c, E_value,
				   "%lld channels in %lld offset groups",
				   (long long)channels, (long long)d->groups);
	d->per = channels / d->groups;
	s = taps_shape(c, d, 2, d->v.w.rank);
	return s == OK ? taps_shape(c, d, 4, 1) : s;
}

static bool deform_load(struct kcall *c, struct deform *d, int64_t ny)
{
	int64_t n;

	d->x = nn_load(c, 0);
	d->w = nn_load(c, 1);
	d->offset = nn_load(c, 2);
	d->b = kcall_has(c, 3) ? nn_load(c, 3) : NULL;
	d->mask = kcall_has(c, 4) ? nn_load(c, 4) : NULL;
	d->y = nn_temp(c, ny);
	if (!mul_i64(d->v.group * d->v.c, d->v.w.nkernel, &n) ||
	    !mul_i64(n, DEFORM_BLOCK, &n))
		n = -1;
	d->sample = nn_temp(c, n);
	return d->x && d->w && d->offset && d->y && d->sample &&
	       (d->b || !kcall_has(c, 3)) && (d->mask || !kcall_has(c, 4));
}

static void corners_at(const struct window *w, const double *place,
		       struct corners *t)
{
	t->n = 0;
	for (int k = 0; k < 1 << w->rank; k++) {
		int64_t at = 0;
		double weight = 1;

		for (int i = 0; i < w->rank; i++) {
			double low = floor(place[i]), part = place[i] - low;
			bool up = k >> i & 1;
			double p = up ? low + 1 : low;

			weight *= up ? part : 1 - part;
			if (!(p >= 0 && p < (double)w->in[i]))
				weight = 0;
			else
				at = at * w->in[i] + (int64_t)p;
		}
		if (weight == 0)
			continue;
		t->at[t->n] = at;
		t->weight[t->n++] = weight;
	}
}

/* Tap k of offset group g at position `at` (pos per axis). */
static void sample_tap(const struct deform *d, int64_t g, int64_t k, int64_t at,
		       const int64_t *pos, double *sample)
{
	const struct window *w = &d->v.w;
	int64_t tap = (d->n * d->groups + g) * w->nkernel + k, rest = k;
	double place[WINDOW_MAX], scale = 1;
	struct corners t;

	for (int i = w->rank - 1; i >= 0; i--) {
		int64_t o = pos[i] * w->stride[i] - w->lo[i] +
			    rest % w->kernel[i] * w->dilation[i];

		rest /= w->kernel[i];
		place[i] = (double)o +
			   d->offset[(tap * w->rank + i) * w->nout + at];
	}
	corners_at(w, place, &t);
	if (d->mask)
		scale = d->mask[tap * w->nout + at];
	for (int64_t c = g * d->per; c < (g + 1) * d->per; c++) {
		const double *x =
			d->x + (d->n * d->v.group * d->v.c + c) * w->nin;
		double sum = 0;

		for (int i = 0; i < t.n; i++)
			sum += t.weight[i] * x[t.at[i]];
		sample[c * w->nkernel + k] = sum * scale;
	}
}

/* All samples of one position of the block. */
static void sample_task(void *arg, size_t i)
{
	const struct deform *d = arg;
	const struct window *w = &d->v.w;
	int64_t at = d->first + (int64_t)i, rest = at, pos[WINDOW_MAX];
	double *sample =
		d->sample + (int64_t)i * d->v.group * d->v.c * w->nkernel;

	for (int a = w->rank - 1; a >= 0; a--) {
		pos[a] = rest % w->out[a];
		rest /= w->out[a];
	}
	for (int64_t g = 0; g < d->groups && d->per; g++)
		for (int64_t k = 0; k < w->nkernel; k++)
			sample_tap(d, g, k, at, pos, sample);
}

/* y[p] = bias + the product of k with row p of x, for n rows of len that are
 * `step` apart: each in order, four at a time. */
static void products(const double *k, const double *x, int64_t len,
		     int64_t step, double bias, double *y, int64_t n)
{
	int64_t p = 0;

	for (; p + 4 <= n; p += 4) {
		const double *r = x + p * step;
		double s[4] = {bias, bias, bias, bias};

		for (int64_t i = 0; i < len; i++)
			for (int j = 0; j < 4; j++)
				s[j] += k[i] * r[j * step + i];
		memcpy(y + p, s, sizeof s);
	}
	for (; p < n; p++) {
		double s = bias;

		for (int64_t i = 0; i < len; i++)
			s += k[i] * x[p * step + i];
		y[p] = s;
	}
}

/* One filter at every position of the block. */
static void filter_task(void *arg, size_t f)
{
	const struct deform *d = arg;
	const struct conv *v = &d->v;
	int64_t len = v->c * v->w.nkernel;

	products(d->w + (int64_t)f * len, d->sample + (int64_t)f / v->m * len,
		 len, v->group * len, d->b ? d->b[f] : 0,
		 d->y + (d->n * v->group * v->m + (int64_t)f) * v->w.nout +
			 d->first,
		 d->count);
}

enum status k_deform_conv(struct kcall *c)
{
	struct deform d = {0};
	const struct window *w = &d.v.w;
	int64_t ny;
	enum status s = deform_init(c, &d);

	if (s != OK)
		return s;
	nn_count(d.v.rank, d.v.dim, &ny);
	if (ny > 0 && !deform_load(c, &d, ny))
		return LIMIT;
	for (d.n = 0; ny > 0 && d.n < d.v.batch; d.n++)
		for (d.first = 0; d.first < w->nout; d.first += d.count) {
			d.count = min64(w->nout - d.first, DEFORM_BLOCK);
			pool_for((size_t)d.count, sample_task, &d);
			pool_for((size_t)(d.v.group * d.v.m), filter_task, &d);
		}
	return nn_save(c, 0, c->in[0]->dt, d.v.rank, d.v.dim, d.y);
}
