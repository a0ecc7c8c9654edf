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

static void add_one(struct observer *o, double v)
{
	int i;

	if (!isfinite(v))
		return;
	o->min = v < o->min ? v : o->min;
	o->max = v > o->max ? v : o->max;
	if (v == 0)     /* exactly representable under any parameters */
		return;
	fit(o, fabs(v));
	i = (int)floor((v + o->limit) / observer_width(o));
	o->bin[i < 0 ? 0 : i >= OBS_BINS ? OBS_BINS - 1 : i]++;
	o->count++;
}

void observer_add(struct observer *o, const struct array *a)
{
	if (a->kind != ARR_TENSOR || a->dt != DT_F32)
		return;
	for (int64_t i = 0; i < a->n; i++)
		add_one(o, (double)((const float *)a->data)[i]);
}
