/* SPDX-License-Identifier: MIT */
/*
 * observe.c -- streaming histograms of activations.
 */
#include <math.h>
#include <string.h>
#include "quant/quant_p.h"

double observer_width(const struct observer *o)
{
	return 2 * o->limit / OBS_BINS;
}

double observer_center(const struct observer *o, int i)
{
	return (i + 0.5) * observer_width(o) - o->limit;
}

/* [-L, L] becomes [-2L, 2L]: pairs of bins merge into the middle half. */
static void widen(struct observer *o)
{
	uint64_t old[OBS_BINS];

	memcpy(old, o->bin, sizeof old);
	memset(o->bin, 0, sizeof o->bin);
	for (int i = 0; i < OBS_BINS; i++)
		o->bin[OBS_BINS / 4 + i / 2] += old[i];
	o->limit *= 2;
}

static void fit(struct observer *o, double magnitude)
{
	int e;

	if (magnitude <= o->limit)
		return;
	if (o->limit == 0) {
		frexp(magnitude, &e);
		o->limit = ldexp(1, e);
	}
	while (magnitude > o->limit)
		widen(o);
}

void observer_add(struct observer *o, const struct array *a)
{
	const float *x = a->data;
	double lo = 0, hi = 0, per_width;

	if (a->kind != ARR_TENSOR || a->dt != DT_F32)
		return;
	for (int64_t i = 0; i < a->n; i++) {
		double v = isfinite(x[i]) ? (double)x[i] : 0;

		lo = v < lo ? v : lo;
		hi = v > hi ? v : hi;
	}
	o->min = lo < o->min ? lo : o->min;
	o->max = hi > o->max ? hi : o->max;
	fit(o, hi > -lo ? hi : -lo);
	if (o->limit == 0)
		return;
	per_width = 1 / observer_width(o); /* exact: a power of two */
	for (int64_t i = 0; i < a->n; i++) {
		int at;

		/* zero is exactly representable under any parameters */
		if (x[i] == 0 || !isfinite(x[i]))
			continue;
		at = (int)(((double)x[i] + o->limit) * per_width);
		o->bin[at < OBS_BINS ? at : OBS_BINS - 1]++;
		o->count++;
	}
}
