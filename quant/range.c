/* SPDX-License-Identifier: MIT */
/*
 * range.c -- from a histogram to the range that 8 bits should cover.
 *
 * Percentile and mean squared error as in quantization surveys (Nagel et al.
 * 2021, arXiv:2106.08295, section 3.1); entropy after Migacz, "8-bit
 * inference with TensorRT", GTC 2017 (S7310), on magnitudes.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "quant/quant_p.h"
#include "runtime/mathd.h"

enum { LEVELS = 255 };

static void percentile_range(const struct observer *o, double percent,
			     double *lo, double *hi)
{
	double tail = (1 - percent / 100) * (double)o->count;
	double below = 0, above = 0, w = observer_width(o);
	int i = 0, j = OBS_BINS - 1;

	/* the signed case cuts half of the share at each end */
	if (o->min < 0 && o->max > 0)
		tail /= 2;
	while (i < OBS_BINS && below + (double)o->bin[i] <= tail)
		below += (double)o->bin[i++];
	while (j >= 0 && above + (double)o->bin[j] <= tail)
		above += (double)o->bin[j--];
	*lo = fmax(o->min, fmin(0, i * w - o->limit));
	*hi = fmin(o->max, fmax(0, (j + 1) * w - o->limit));
}

/* Sum of squared errors when [lo, hi] is mapped to 256 levels. */
static double squared_error(const struct observer *o, double lo, double hi)
{
	struct qparams p = qparams_of_range(lo, hi);
	double s = (double)p.scale, e = 0;

	for (int i = 0; i < OBS_BINS; i++) {
		double x, q;

		if (!o->bin[i])
			continue;
		x = observer_center(o, i);
		q = rint(x / s) + p.zero;
		q = q < 0 ? 0 : q > LEVELS ? LEVELS : q;
		q = (q - p.zero) * s - x;
		e += (double)o->bin[i] * q * q;
	}
	return e;
}

/* Shrink either end in steps while that lowers the squared error. */
static void mse_range(const struct observer *o, double *lo, double *hi)
{
	enum { STEPS = 64 };
	double best = squared_error(o, o->min, o->max);

	*lo = o->min;
	*hi = o->max;
	for (int pass = 0; pass < 2; pass++) {
		for (int side = 0; side < 2; side++) {
			double end = side ? o->max : o->min;

			for (int k = 1; end != 0 && k < STEPS; k++) {
				double t = end * (1 - (double)k / STEPS);
				double l = side ? *lo : t, h = side ? t : *hi;
				double e = squared_error(o, l, h);

				if (e < best) {
					best = e;
					*lo = l;
					*hi = h;
				}
			}
		}
	}
}

/* KL divergence of the magnitudes clipped to n bins against 128 levels. */
static double divergence(const double *h, int bins, int n)
{
	double kl = 0, total = 0, tail = 0;

	for (int i = 0; i < bins; i++) {
		total += h[i];
		tail += i >= n ? h[i] : 0;
	}
	for (int level = 0; level < 128; level++) {
		int a = level * n / 128, b = (level + 1) * n / 128;
		double mass = 0;
		int used = 0;

		for (int i = a; i < b; i++) {
			mass += h[i];
			used += h[i] > 0;
		}
		for (int i = a; i < b; i++) {
			double p = (h[i] + (i == n - 1 ? tail : 0)) / total;
			double q = h[i] > 0 ? mass / used / (total - tail)
					    : 1e-4 / total;

			if (p > 0)
				kl += p * md_log(p / q);
		}
	}
	return kl;
}

static void entropy_range(const struct observer *o, double *lo, double *hi)
{
	enum { HALF = OBS_BINS / 2 };
	double h[HALF], best = DBL_MAX, t;
	int at = HALF;

	for (int i = 0; i < HALF; i++)
		h[i] = (double)(o->bin[HALF + i] + o->bin[HALF - 1 - i]);
	for (int n = 128; n <= HALF; n += 8) {
		double kl = divergence(h, HALF, n);

		if (kl < best) {
			best = kl;
			at = n;
		}
	}
	t = at * observer_width(o);
	*lo = fmax(o->min, -t);
	*hi = fmin(o->max, t);
}

void range_choose(const struct observer *o, enum quant_range how,
		  double percentile, double *lo, double *hi)
{
	*lo = o->min;
	*hi = o->max;
	if (!o->count || how == RANGE_MINMAX)
		return;
	if (how == RANGE_PERCENTILE)
		percentile_range(o, percentile, lo, hi);
	else if (how == RANGE_MSE)
		mse_range(o, lo, hi);
	else
		entropy_range(o, lo, hi);
}
