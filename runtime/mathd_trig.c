/* SPDX-License-Identifier: MIT */
/*
 * mathd_trig.c -- trigonometric functions in double.
 *
 * Arguments are reduced by multiples of pi/2: up to 2^20 with pi/2 in three
 * parts (Cody and Waite), beyond with the bits of 2/pi that matter (Payne and
 * Hanek, 1983).  Arc functions reduce to atan, which adds a tabulated
 * atan(k/8) to the series of a small remainder.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "runtime/mathd.h"

#define PIO2_1 0x1.921fb54400000p+0 /* 33 bits each: n * PIO2_1 is exact */
#define PIO2_2 0x1.0b4611a600000p-34
#define PIO2_3 0x1.3198a2e037073p-69
#define PIO2   0x1.921fb54442d18p+0
#define PIO2_L 0x1.1a62633145c07p-54

/* 2/pi as a binary fraction, after one word of zeros */
static const uint64_t two_over_pi[] = {
	0,
	0xa2f9836e4e441529,
	0xfc2757d1f534ddc0,
	0xdb6295993c439041,
	0xfe5163abdebbc561,
	0xb7246e3a424dd2e0,
	0x06492eea09d1921c,
	0xfe1deb1cb129a73e,
	0xe88235f52ebb4484,
	0xe99c7026b45f7e41,
	0x3991d639835339f4,
	0x9c845f8bbdf9283b,
	0x1ff897ffde05980f,
	0xef2f118b5a0a6d1f,
	0x6d367ecf27cb09b7,
	0x4f463f669e5fea2d,
	0x7527bac7ebe5f17b,
	0x3d0739f78a5292ea,
	0x6bfb5fb11f8d5d08,
	0x56033046fc7b6bab,
	0xf0cfbc209af4361d,
};

__extension__ typedef unsigned __int128 u128;

static uint64_t word_at(unsigned bit)
{
	unsigned w = bit / 64, s = bit % 64;

	if (s == 0)
		return two_over_pi[w];
	return two_over_pi[w] << s | two_over_pi[w + 1] >> (64 - s);
}

/* x >= 2^20: quadrant and remainder of x / (pi/2) from the exact product */
static int reduce_large(double x, double *r)
{
	uint64_t u, m, a[3], hi, mid, lo;
	unsigned at;
	double d;
	int e, q;
	u128 p;

	memcpy(&u, &x, sizeof u);
	m = (u & 0xfffffffffffffu) | (uint64_t)1 << 52;
	e = (int)(u >> 52) - 1075;
	/* Bits of 2/pi above this contribute multiples of 4. */
	at = (unsigned)(64 + e - 2);
	for (unsigned i = 0; i < 3; i++)
		a[i] = word_at(at + 64 * i);
	p = (u128)m * a[2];
	lo = (uint64_t)p;
	p = (u128)m * a[1] + (uint64_t)(p >> 64);
	mid = (uint64_t)p;
	hi = m * a[0] + (uint64_t)(p >> 64);
	q = (int)(hi >> 62);
	hi = hi << 2 | mid >> 62;
	mid = mid << 2 | lo >> 62;
	if (hi >> 63) { /* to the nearest multiple */
		q++;
		hi = ~hi;
		mid = ~mid;
		d = -((double)hi * 0x1p-64 + (double)mid * 0x1p-128);
	} else {
		d = (double)hi * 0x1p-64 + (double)mid * 0x1p-128;
	}
	*r = d * PIO2;
	return q & 3;
}

/* |x| = q pi/2 + r + rl, |r| <= pi/4; the quadrant of |x| */
static int reduce(double ax, double *r, double *rl)
{
	double n, a, b, c, hi;

	*rl = 0;
	if (ax <= 0.78539816339744831) {
		*r = ax;
		return 0;
	}
	if (ax >= 0x1p20)
		return reduce_large(ax, r);
	n = rint(ax / PIO2);
	a = ax - n * PIO2_1;
	b = n * PIO2_2;
	hi = a - b;
	c = n * PIO2_3 - ((a - hi) - b);
	*r = hi - c;
	*rl = (hi - *r) - c;
	return (int)((int64_t)n & 3);
}

static double sin_poly(double r, double rl)
{
	static const double c[] = {
		-1.0 / 6,
		1.0 / 120,
		-1.0 / 5040,
		1.0 / 362880,
		-1.0 / 39916800,
		1.0 / 6227020800.0,
		-1.0 / 1307674368000.0,
		1.0 / 355687428096000.0,
	};
	double z = r * r, s = c[7];

	for (int i = 6; i >= 0; i--)
		s = s * z + c[i];
	return r + (r * z * s + rl * (1 - 0.5 * z));
}

static double cos_poly(double r, double rl)
{
	static const double c[] = {
		1.0 / 24,
		-1.0 / 720,
		1.0 / 40320,
		-1.0 / 3628800,
		1.0 / 479001600,
		-1.0 / 87178291200.0,
		1.0 / 20922789888000.0,
		-1.0 / 6402373705728000.0,
	};
	double z = r * r, h = 0.5 * z, w = 1 - h, s = c[7];

	for (int i = 6; i >= 0; i--)
		s = s * z + c[i];
	return w + (((1 - w) - h) + (z * z * s - r * rl));
}

double md_sin(double x)
{
	double r, rl, s;
	int q;

	if (x != x || isinf(x))
		return NAN;
	q = reduce(fabs(x), &r, &rl);
	s = q & 1 ? cos_poly(r, rl) : sin_poly(r, rl);
	if (q & 2)
		s = -s;
	return x < 0 ? -s : x == 0 ? x : s;
}

double md_cos(double x)
{
	double r, rl, s;
	int q;

	if (x != x || isinf(x))
		return NAN;
	q = reduce(fabs(x), &r, &rl);
	s = q & 1 ? sin_poly(r, rl) : cos_poly(r, rl);
	return q == 1 || q == 2 ? -s : s;
}

double md_tan(double x)
{
	double r, rl, s, c, t;
	int q;

	if (x != x || isinf(x))
		return NAN;
	q = reduce(fabs(x), &r, &rl);
	s = sin_poly(r, rl);
	c = cos_poly(r, rl);
	t = q & 1 ? -c / s : s / c;
	return x < 0 ? -t : x == 0 ? x : t;
}

double md_atan(double x)
{
	static const double hi[] = {
		0x0.0p+0,
		0x1.fd5ba9aac2f6ep-4,
		0x1.f5b75f92c80ddp-3,
		0x1.6f61941e4def1p-2,
		0x1.dac670561bb4fp-2,
		0x1.1e00babdefeb4p-1,
		0x1.4978fa3269ee1p-1,
		0x1.700a7c5784634p-1,
		0x1.921fb54442d18p-1,
	};
	static const double c[] = {
		-1.0 / 3,  1.0 / 5,  -1.0 / 7,  1.0 / 9,
		-1.0 / 11, 1.0 / 13, -1.0 / 15,
	};
	double a = fabs(x), t, z, s, r;
	int k;

	if (x != x || x == 0)
		return x;
	if (a > 1)
		t = 1 / a;
	else
		t = a;
	k = (int)(t * 8 + 0.5);
	t = (t - k / 8.0) / (1 + t * (k / 8.0));
	z = t * t;
	s = c[6];
	for (int i = 5; i >= 0; i--)
		s = s * z + c[i];
	r = hi[k] + (t + t * z * s);
	if (a > 1)
		r = PIO2 - (r - PIO2_L);
	return x < 0 ? -r : r;
}

double md_asin(double x)
{
	double a = fabs(x);

	if (x != x || a > 1)
		return NAN;
	if (a == 1)
		return x * PIO2;
	return md_atan(x / sqrt((1 - a) * (1 + a)));
}

double md_acos(double x)
{
	if (x != x || fabs(x) > 1)
		return NAN;
	if (x == -1)
		return 2 * PIO2;
	return 2 * md_atan(sqrt((1 - x) / (1 + x)));
}
