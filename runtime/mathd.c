/* SPDX-License-Identifier: MIT */
/*
 * mathd.c -- exp, log, pow, erf and the hyperbolic functions in double.
 *
 * Methods: exp reduces by multiples of ln 2 split in two parts (Cody and
 * Waite) and sums the Taylor series; log uses the series of atanh on
 * (m - 1)/(m + 1); pow carries log in two doubles; erf has one polynomial per
 * interval of width 1/2, fitted at Chebyshev points with 60 digits.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "runtime/mathd.h"

#define LN2_HI   0x1.62e42fefa3800p-1 /* 42 bits: n * LN2_HI is exact */
#define LN2_LO   0x1.ef35793c76730p-45
#define INV_LN2  0x1.71547652b82fep+0
#define EXP_MAX  709.782712893384
#define EXP_MIN  (-745.1332191019412)
#define SQRT_1_2 0.70710678118654752440

static uint64_t bits_of(double x)
{
	uint64_t u;

	memcpy(&u, &x, sizeof u);
	return u;
}

static double of_bits(uint64_t u)
{
	double x;

	memcpy(&x, &u, sizeof x);
	return x;
}

static double pow2(int n) /* -1022 <= n <= 1023 */
{
	return of_bits((uint64_t)(n + 1023) << 52);
}

static double scale2(double x, int n)
{
	if (n > 1023)
		return x * pow2(1023) * pow2(n - 1023);
	if (n < -1022)
		return x * pow2(n + 1000) * pow2(-1000);
	return x * pow2(n);
}

static double horner(double x, const double *c, int n)
{
	double s = c[n - 1];

	for (int i = n - 2; i >= 0; i--)
		s = s * x + c[i];
	return s;
}

/* (exp(r) - 1 - r) / r^2 = 1/2! + r/3! + ... for |r| <= ln(2)/2 + a bit */
static double exp_tail(double r)
{
	static const double c[] = {
		1.0 / 2,        1.0 / 6,         1.0 / 24,
		1.0 / 120,      1.0 / 720,       1.0 / 5040,
		1.0 / 40320,    1.0 / 362880,    1.0 / 3628800,
		1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0,
	};

	return horner(r, c, 12);
}

/* exp(hi + lo), lo small against hi */
static double exp_sum(double hi, double lo)
{
	double n, r;

	if (hi != hi)
		return hi;
	if (hi > EXP_MAX + 1)
		return INFINITY;
	if (hi < EXP_MIN - 1)
		return 0;
	n = rint(hi * INV_LN2);
	lo -= n * LN2_LO;
	hi -= n * LN2_HI;
	r = hi + lo;
	lo += hi - r;
	/* exp(r + lo) = exp(r) + lo exp(r); r and the tail last */
	return scale2(1 + (r + (r * r * exp_tail(r) + lo * (1 + r))), (int)n);
}

double md_exp(double x)
{
	return exp_sum(x, 0);
}

double md_expm1(double x)
{
	if (x == 0)
		return x;
	if (fabs(x) < 0.35)
		return x + x * x * exp_tail(x);
	return md_exp(x) - 1;
}

/* x = m 2^e with m in [sqrt(1/2), sqrt(2)); x positive and finite */
static double split(double x, int *e)
{
	uint64_t u;

	*e = 0;
	if (x < 0x1p-1022) {
		x *= 0x1p54;
		*e = -54;
	}
	u = bits_of(x);
	*e += (int)(u >> 52) - 1022;
	x = of_bits((u & 0xfffffffffffffu) | (uint64_t)1022 << 52);
	if (x < SQRT_1_2) {
		x *= 2;
		*e -= 1;
	}
	return x;
}

/* log((1 + s)/(1 - s)) / s - 2 = 2 (s^2/3 + s^4/5 + ...), |s| <= 0.1716 */
static double atanh_tail(double z)
{
	static const double c[] = {
		2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
		2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21,
	};

	return z * horner(z, c, 10);
}

double md_log(double x)
{
	double m, f, s, h;
	int e;

	if (x != x || x == INFINITY)
		return x;
	if (x <= 0)
		return x == 0 ? -INFINITY : NAN;
	m = split(x, &e);
	f = m - 1;
	s = f / (2 + f);
	/* log(1+f) = f - (f^2/2 - s (f^2/2 + tail)) keeps f exact */
	h = 0.5 * f * f;
	return e * LN2_HI -
	       ((h - (s * (h + atanh_tail(s * s)) + e * LN2_LO)) - f);
}

double md_log1p(double x)
{
	double u = 1 + x;

	if (u == 1 || x == INFINITY || x != x)
		return x;
	if (u <= 0)
		return md_log(u);
	/* Kahan: the rounding of 1 + x cancels in the quotient. */
	return md_log(u) * (x / (u - 1));
}

/* ---- pow ---- */

struct dd {
	double hi, lo;
};

static struct dd dd_sum(double a, double b) /* |a| >= |b| */
{
	double s = a + b;

	return (struct dd){s, b - (s - a)};
}

/* Dekker's exact product without fma */
static struct dd dd_prod(double a, double b)
{
	double t = 134217729.0 * a, ah = t - (t - a), al = a - ah;
	double u = 134217729.0 * b, bh = u - (u - b), bl = b - bh;
	double p = a * b;

	return (struct dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

/* log x to about 100 bits */
static struct dd log_dd(double x)
{
	int e;
	double m = split(x, &e), f = m - 1, s, r;
	struct dd den = dd_sum(2, f), p, q, sum;

	s = f / den.hi;
	p = dd_prod(s, den.hi);
	/* the remainder of the division */
	r = ((f - p.hi) - p.lo - s * den.lo) / den.hi;
	q = dd_sum(2 * s, 2 * r);
	q.lo += s * atanh_tail(s * s);
	q = dd_sum(q.hi, q.lo);
	if (e == 0)
		return q;
	sum = dd_sum(e * LN2_HI, q.hi);
	sum.lo += q.lo + e * LN2_LO;
	return dd_sum(sum.hi, sum.lo);
}

static bool is_odd(double y)
{
	return fabs(y) < 0x1p53 && fmod(y, 2) != 0;
}

/* x^y for the values where C's pow has a rule of its own; false: none */
static bool pow_special(double x, double y, double *r)
{
	bool integer = y == rint(y);

	if (y == 0 || x == 1) {
		*r = 1;
	} else if (x != x || y != y) {
		*r = x + y;
	} else if (isinf(y)) {
		double ax = fabs(x);

		*r = ax == 1 ? 1 : (ax > 1) == (y > 0) ? INFINITY : 0;
	} else if (x == 0 || isinf(x)) {
		*r = (x == 0) == (y > 0) ? 0 : INFINITY;
		if (signbit(x) && integer && is_odd(y))
			*r = -*r;
	} else if (x < 0 && !integer) {
		*r = NAN;
	} else {
		return false;
	}
	return true;
}

double md_pow(double x, double y)
{
	double r, ax = fabs(x);
	struct dd l, p;

	if (pow_special(x, y, &r))
		return r;
	if (y == 2)
		return x * x;
	if (y == 1)
		return x;
	if (y == -1)
		return 1 / x;
	if (y == 0.5)
		return sqrt(x);
	if (y == 3 && fabs(x) < 0x1p300)
		return x * x * x;
	l = log_dd(ax);
	if (fabs(y) > 0x1p64 || fabs(y * l.hi) > 800) {
		r = y * l.hi > 0 ? INFINITY : 0;
		if (l.hi == 0)
			r = 1;
	} else {
		p = dd_prod(y, l.hi);
		p.lo += y * l.lo;
		p = dd_sum(p.hi, p.lo);
		r = exp_sum(p.hi, p.lo);
	}
	return x < 0 && is_odd(y) ? -r : r;
}

/* ---- error function and sigmoids ---- */

static const double erf_small[] = {
	0x1.20dd750429b6dp+0,   -0x1.812746b0379e7p-2,  0x1.ce2f21a042be0p-4,
	-0x1.b82ce312889f2p-6,  0x1.565bcd0e5f5a0p-8,   -0x1.c02db3f9d6c71p-11,
	0x1.f9a324a327ab3p-14,  -0x1.f4d1cff2cac2fp-17, 0x1.b9d19f664b4c1p-20,
	-0x1.5d7686c510032p-23, 0x1.c60ae6747e9bcp-27,
};

/* erf(c + t), |t| <= 1/4, c = 0.75, 1.25, ... 5.75 */
static const double erf_piece[11][15] = {
	{0x1.6c1c9759d0e5fp-1, 0x1.492e42d78d2c5p-1, -0x1.edc5644353c27p-2,
	 0x1.b6e8591f65e30p-6, 0x1.349b5eaa14681p-3, -0x1.b42a189076e8ap-5,
	 -0x1.b847796701a6dp-6, 0x1.2e0afad7b4ac3p-6, 0x1.2db333b4ce61bp-9,
	 -0x1.04103d05ade71p-8, 0x1.862185356d484p-13, 0x1.4710d00f25d6ep-11,
	 -0x1.bd13d8e7a2e3cp-14, -0x1.36b989ccff556p-14, 0x1.667fa58b0070ap-16},
	{0x1.d8865d98abe01p-1, 0x1.e4652fadcb6b1p-3, -0x1.2ebf3dcc9f22fp-2,
	 0x1.571d01c5c588cp-3, -0x1.93a9a7bb7f98dp-8, -0x1.8281ce0b82f08p-5,
	 0x1.5d0003af90ad9p-6, 0x1.db43cae5db126p-9, -0x1.75672d12391f6p-8,
	 0x1.cc2172222da51p-11, 0x1.a0077eba0fde4p-11, -0x1.538c382602086p-12,
	 -0x1.baa412d8caf14p-15, 0x1.c7dbbabc9602cp-15, -0x1.6b00eb2cb6fdap-19},
	{0x1.f92d077f8d56dp-1, 0x1.b055303221017p-5, -0x1.7a4a8a2bdce13p-4,
	 0x1.7148c3d57c13dp-4, -0x1.8a0da54306125p-5, 0x1.b22257de3e309p-8,
	 0x1.25b378c922971p-7, -0x1.8d10fbc9edc40p-8, 0x1.7ec1d1fe41acfp-11,
	 0x1.d4cf7e6170c7fp-11, -0x1.d041fa2455146p-12, -0x1.722db27883de3p-18,
	 0x1.200b75b2a369cp-14, -0x1.1c9c05c8566aap-16, -0x1.39018723e6d46p-18},
	{0x1.ff404760319b4p-1, 0x1.d4143a9dfe962p-8, -0x1.074b60f8df349p-6,
	 0x1.63ef61e82460cp-6, -0x1.38a9832789088p-6, 0x1.5d3b17bbb7d08p-7,
	 -0x1.7cae0d45d1827p-9, -0x1.5f8312f2e509fp-11, 0x1.0602e34e91dccp-10,
	 -0x1.8353090f6d335p-12, -0x1.80c2a51bfb5f0p-17, 0x1.1145d519c5e72p-14,
	 -0x1.7c9628114e880p-16, -0x1.9a8d6636d4e3dp-20, 0x1.c604970ebb8a5p-19},
	{0x1.fff2cfb0453d9p-1, 0x1.3360ccd23db3ap-11, -0x1.a6a519a114d6ep-10,
	 0x1.69cf466ccdf7bp-9, -0x1.ab0c273ac282fp-9, 0x1.6935960663d09p-9,
	 -0x1.b2755bfd49744p-10, 0x1.52b6264035d58p-11, -0x1.7557732aef7d8p-14,
	 -0x1.2abb3e006ef2ep-14, 0x1.cd5961467fceep-15, -0x1.09d044aa888fcp-16,
	 -0x1.2027571ce8a4bp-20, 0x1.68a5f7de223aap-19, -0x1.ddb4fc18278c9p-21},
	{0x1.ffff6f9f67e55p-1, 0x1.e9b5e8d00cebap-16, -0x1.8de3cd290a7c7p-14,
	 0x1.9aa489e3c996dp-13, -0x1.2c7d5ef053abap-12, 0x1.490a4d2379088p-12,
	 -0x1.145464ea53367p-12, 0x1.647f71dcc8e45p-13, -0x1.567479968d821p-14,
	 0x1.b2c36d6a9697bp-16, -0x1.389435464ebf4p-19, -0x1.80a322aa6be87p-19,
	 0x1.ff5b0dda40037p-20, -0x1.1dec94d465e98p-21, -0x1.9474cda205f5cp-29},
	{0x1.fffffc2f171e3p-1, 0x1.d9371e2ff7a72p-21, -0x1.bba3ac4cf8465p-19,
	 0x1.0b6a7b0f1f753p-17, -0x1.d06f586094603p-17, 0x1.3436bc9e6103ep-16,
	 -0x1.4357b55446d3bp-16, 0x1.110de505de76bp-16, -0x1.7566bf05da612p-17,
	 0x1.99f58493e3d34p-18, -0x1.5d68f52907684p-19, 0x1.a06d7c8613a38p-21,
	 -0x1.835991bf3a5d4p-24, -0x1.046c53922e7b9p-24, 0x1.7133b91983267p-25},
	{0x1.fffffff01a8b6p-1, 0x1.155a09065d31bp-26, -0x1.26afa996c31b1p-24,
	 0x1.95ea6fe003e71p-23, -0x1.96ba7366c5762p-22, 0x1.3b46801847502p-21,
	 -0x1.8868e1d0a7cbcp-21, 0x1.916e929f2bf29p-21, -0x1.566f0257044a5p-21,
	 0x1.eab4c554bb11fp-22, -0x1.275887d66f6cap-22, 0x1.27def3c157d93p-23,
	 -0x1.e05aa8744cbb7p-25, 0x1.2476c65e7e71cp-26, -0x1.8d5063f9bbfebp-29},
	{0x1.ffffffffd759dp-1, 0x1.8a61745ed043cp-33, -0x1.d453ba308dc61p-31,
	 0x1.6a8aeba33b14dp-29, -0x1.9b017abbcce5cp-28, 0x1.6b43c988358b3p-27,
	 -0x1.042f2a6c672b5p-26, 0x1.35dc7b2ef4aa3p-26, -0x1.3834e30c8ba30p-26,
	 0x1.0d4e2a0ce34d5p-26, -0x1.90aaa27e76addp-27, 0x1.01b220cbcdfeep-27,
	 -0x1.1ed38869b1ea0p-28, 0x1.1a4b016ee1dc7p-29, -0x1.c08288e6abc1bp-31},
	{0x1.ffffffffffc05p-1, 0x1.5422ef5dd7e56p-40, -0x1.be6dda2acc178p-38,
	 0x1.7f8a0f32ad772p-36, -0x1.e4cb4ae823368p-35, 0x1.e044b5d9efc14p-34,
	 -0x1.83ea4c05d949fp-33, 0x1.065933e6f4ad0p-32, -0x1.2ec53fc860171p-32,
	 0x1.2e3dfbd49afdfp-32, -0x1.07839e41fb1eep-32, 0x1.933b66aea721ep-33,
	 -0x1.1168f63ca58b4p-33, 0x1.5baa952604b33p-34, -0x1.6ba6bda3b5f6dp-35},
	{0x1.ffffffffffffcp-1, 0x1.63daf8b6ae5eep-48, -0x1.ff8ac58400682p-46,
	 0x1.e2d06d25b3af5p-44, -0x1.505d952c32bedp-42, 0x1.70b70755e016cp-41,
	 -0x1.4aed69c0755d9p-40, 0x1.f3c4a4fbe308bp-40, -0x1.43c0e76ad620ep-39,
	 0x1.6d2b03c9f2290p-39, -0x1.6a577387fbb15p-39, 0x1.3d8ebeeb6b903p-39,
	 -0x1.f42ee04dbf586p-40, 0x1.80e858e46707ep-40, -0x1.e0bebdb52146cp-41},
};

double md_erf(double x)
{
	double a = fabs(x), r;
	int k;

	if (x != x)
		return x;
	if (a < 0.5)
		return x * horner(x * x, erf_small, 11);
	if (a >= 6)
		return x < 0 ? -1 : 1;
	k = (int)(2 * a);
	r = horner(a - (k + 0.5) / 2, erf_piece[k - 1], 15);
	return x < 0 ? -r : r;
}

double md_sigmoid(double x)
{
	double e;

	if (x >= 0)
		return 1 / (1 + md_exp(-x));
	e = md_exp(x);
	return e / (1 + e);
}

double md_softplus(double x)
{
	return x > 0 ? x + md_log1p(md_exp(-x)) : md_log1p(md_exp(x));
}

/* ---- hyperbolic functions ---- */

double md_sinh(double x)
{
	double a = fabs(x), r;

	if (a < 22) {
		double m = md_expm1(a);

		r = 0.5 * (m + m / (m + 1));
	} else {
		double h = md_exp(0.5 * a);

		r = 0.5 * h * h;
	}
	return x < 0 ? -r : x == 0 ? x : r;
}

double md_cosh(double x)
{
	double a = fabs(x), h;

	if (a < 22) {
		h = md_exp(a);
		return 0.5 * (h + 1 / h);
	}
	h = md_exp(0.5 * a);
	return 0.5 * h * h;
}

double md_tanh(double x)
{
	double a = fabs(x), m, r;

	if (x != x || x == 0)
		return x;
	if (a > 22) {
		r = 1;
	} else {
		m = md_expm1(2 * a);
		r = m / (m + 2);
	}
	return x < 0 ? -r : r;
}

double md_asinh(double x)
{
	double a = fabs(x), r;

	if (x != x || isinf(x) || x == 0)
		return x;
	if (a > 0x1p30)
		r = md_log(a) + 0.69314718055994530942;
	else
		r = md_log1p(a + a * a / (1 + sqrt(a * a + 1)));
	return x < 0 ? -r : r;
}

double md_acosh(double x)
{
	double t = x - 1;

	if (x != x || x < 1)
		return NAN;
	if (x > 0x1p30)
		return md_log(x) + 0.69314718055994530942;
	return md_log1p(t + sqrt(2 * t + t * t));
}

double md_atanh(double x)
{
	double a = fabs(x), r;

	if (x != x || a > 1)
		return NAN;
	r = 0.5 * md_log1p(2 * a / (1 - a));
	return x < 0 ? -r : x == 0 ? x : r;
}
