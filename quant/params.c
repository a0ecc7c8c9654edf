/* SPDX-License-Identifier: MIT */
/*
 * params.c -- scales, zero points, integer weights and biases.
 *
 * x = s (q - z) as in Jacob et al. 2018 (arXiv:1712.05877) eq. 1; rounding is
 * half to even, before the zero point is added, as QuantizeLinear defines it.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "quant/quant_p.h"

struct qparams qparams_of_range(double lo, double hi)
{
	double s;

	lo = lo < 0 ? lo : 0;
	hi = hi > 0 ? hi : 0;
	s = (double)(float)((hi - lo) / 255);
	if (s < (double)FLT_MIN)
		return (struct qparams){1, 0};
	return (struct qparams){(float)s, (uint8_t)rint(-lo / s)};
}

/* Strides that walk a weight channel by channel. */
struct walk {
	int64_t channels, outer, inner; /* outer x channels x inner */
};

static struct walk walk_axis(const struct tensor *w, int axis)
{
	struct walk k = {1, 1, 1};

	if (axis < 0) {
		k.inner = w->n;
		return k;
	}
	for (int i = 0; i < axis; i++)
		k.outer *= w->dim[i];
	for (int i = axis + 1; i < w->rank; i++)
		k.inner *= w->dim[i];
	k.channels = w->dim[axis];
	return k;
}

static int64_t channel_of(const struct walk *k, int64_t i)
{
	return i / k->inner % k->channels;
}

/*
 * AVX2 without VNNI multiplies u8 by s8 with vpmaddubsw, which adds two
 * neighbouring products in 16 bits with saturation.  255 (a + b) <= 32767
 * holds if the positive parts, and the negative parts, of two neighbours
 * along the contraction sum to at most 128.  Neighbours depend on the
 * kernel's packing, so both the next index of the contraction axis and the
 * next element in memory are looked at.
 */
enum { PAIR_MAX = 128 };

static double pair_sum(double a, double b)
{
	double pos = (a > 0 ? a : 0) + (b > 0 ? b : 0);
	double neg = (a < 0 ? -a : 0) + (b < 0 ? -b : 0);

	return pos > neg ? pos : neg;
}

/* Largest pair sum per channel, in units of 1 / 127 of the channel's max. */
static void worst_pairs(const struct tensor *t, const void *data,
			const struct walk *k, int contraction,
			const float *scale, double *worst)
{
	struct walk c = walk_axis(t, contraction);

	for (int64_t i = 0; i < t->n; i++) {
		int64_t ch = channel_of(k, i);
		double s = (double)scale[ch];
		double a = dtype_get(t->dt, data, (size_t)i) / s, sum;

		if (channel_of(&c, i) + 1 < c.channels) {
			sum = pair_sum(a, dtype_get(t->dt, data,
						    (size_t)(i + c.inner)) /
						  s);
			worst[ch] = sum > worst[ch] ? sum : worst[ch];
		}
		if (i + 1 < t->n && channel_of(k, i + 1) == ch) {
			sum = pair_sum(
				a, dtype_get(t->dt, data, (size_t)i + 1) / s);
			worst[ch] = sum > worst[ch] ? sum : worst[ch];
		}
	}
}

static size_t guard_scales(const struct tensor *t, const void *data,
			   const struct walk *k, int contraction, float *scale)
{
	double *worst = xcalloc((size_t)k->channels, sizeof *worst);
	size_t n = 0;

	worst_pairs(t, data, k, contraction, scale, worst);
	for (int64_t c = 0; c < k->channels; c++) {
		/* rounding may add half a step to each of the two */
		if (worst[c] <= PAIR_MAX - 1)
			continue;
		scale[c] *= (float)(worst[c] / (PAIR_MAX - 1));
		n++;
	}
	free(worst);
	return n;
}

/*
 * The int32 bias b / (x_scale * scale[c]) must leave room for the products:
 * the smallest legal scale is 2 max|b| / (2^31 - 1).
 */
static void fit_bias(const struct qweight_opts *o, int64_t channels,
		     float *scale)
{
	for (int64_t i = 0; o->bias && i < o->nbias; i++) {
		int64_t c = channels == 1 ? 0 : i;
		double least = 2 * fabs((double)o->bias[i]) / 2147483647.0;
		double s = (double)o->x_scale * (double)scale[c];

		if (s < least)
			scale[c] = (float)(least / (double)o->x_scale);
	}
}

/* max|w| / 127 per channel; false on NaN or infinity. */
static bool channel_scales(const struct tensor *t, const void *data,
			   const struct walk *k, float *scale)
{
	double *max = xcalloc((size_t)k->channels, sizeof *max);
	bool finite = true;

	for (int64_t i = 0; i < t->n; i++) {
		double a = fabs(dtype_get(t->dt, data, (size_t)i));
		int64_t c = channel_of(k, i);

		finite &= isfinite(a) != 0;
		max[c] = a > max[c] ? a : max[c];
	}
	for (int64_t c = 0; c < k->channels; c++) {
		scale[c] = (float)(max[c] / 127);
		if (!(scale[c] >= FLT_MIN))
			scale[c] = 1;
	}
	free(max);
	return finite;
}

static void fill_int8(const struct tensor *t, const void *data,
		      const struct walk *k, const float *scale, int8_t *q)
{
	for (int64_t i = 0; i < t->n; i++) {
		double s = (double)scale[channel_of(k, i)];
		double v = rint(dtype_get(t->dt, data, (size_t)i) / s);

		q[i] = (int8_t)(v < -127 ? -127 : v > 127 ? 127 : v);
	}
}

enum status quantize_weight(struct model *m, const struct tensor *w,
			    const struct qweight_opts *o, struct qweight *out)
{
	struct walk k = walk_axis(w, o->channel);
	int rank = o->channel < 0 ? 0 : 1;
	const void *data = tensor_data(m, w);
	struct tensor *q = tensor_create(m, DT_I8, w->rank, w->dim);
	struct tensor *scale = tensor_create(m, DT_F32, rank, &k.channels);
	struct tensor *zero = tensor_create(m, DT_I8, rank, &k.channels);
	float *s;

	if (!data || !q || !scale || !zero)
		return LIMIT;
	s = tensor_data_mut(scale);
	if (!channel_scales(w, data, &k, s))
		return diag_error(m->diag, NULL, E_value,
				  "a weight holds NaN or infinity");
	*out = (struct qweight){q, scale, zero, o->channel, 0};
	if (o->guard)
		out->guarded = guard_scales(w, data, &k, o->contraction, s);
	fit_bias(o, k.channels, s);
	fill_int8(w, data, &k, s, tensor_data_mut(q));
	return OK;
}

enum status quantize_bias(struct model *m, const struct tensor *bias,
			  float x_scale, const struct qweight *w,
			  const struct tensor **q, const struct tensor **scale)
{
	struct tensor *tq = tensor_create(m, DT_I32, 1, &bias->n);
	struct tensor *ts =
		tensor_create(m, DT_F32, w->scale->rank, w->scale->dim);
	const float *ws = tensor_data(m, w->scale);
	int32_t *out;
	float *s;

	if (!tq || !ts || !ws)
		return LIMIT;
	out = tensor_data_mut(tq);
	s = tensor_data_mut(ts);
	for (int64_t i = 0; i < ts->n; i++)
		s[i] = x_scale * ws[i];
	for (int64_t i = 0; i < bias->n; i++)
		out[i] = (int32_t)rint(tensor_float(m, bias, i) /
				       (double)s[ts->n == 1 ? 0 : i]);
	*q = tq;
	*scale = ts;
	return OK;
}
