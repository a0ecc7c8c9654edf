/* SPDX-License-Identifier: MIT */
/*
 * t_mathd.c -- our transcendental functions against the C library's, and the
 * float ones against the double ones.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "base/rng.h"
#include "base/util.h"
#include "runtime/mathd.h"
#include "runtime/mathf.h"

typedef double fn(double);

static const struct {
	const char *name;
	fn *ours, *libm;
	double lo, hi;
} fns[] = {
	{"exp", md_exp, exp, -700, 700},
	{"expm1", md_expm1, expm1, -1, 30},
	{"log", md_log, log, 1e-9, 1e9},
	{"log1p", md_log1p, log1p, -0.9, 10},
	{"erf", md_erf, erf, -6, 6},
	{"sin", md_sin, sin, -1e6, 1e6},
	{"sin", md_sin, sin, 1e15, 1e18},
	{"cos", md_cos, cos, -1e6, 1e6},
	{"cos", md_cos, cos, 1e15, 1e18},
	{"tan", md_tan, tan, -100, 100},
	{"asin", md_asin, asin, -1, 1},
	{"acos", md_acos, acos, -1, 1},
	{"atan", md_atan, atan, -20, 20},
	{"sinh", md_sinh, sinh, -30, 30},
	{"cosh", md_cosh, cosh, -30, 30},
	{"tanh", md_tanh, tanh, -20, 20},
	{"asinh", md_asinh, asinh, -100, 100},
	{"acosh", md_acosh, acosh, 1, 100},
	{"atanh", md_atanh, atanh, -1, 1},
};

static bool close_to(double got, double want, double rel)
{
	if (want != want)
		return got != got;
	return got == want || fabs(got - want) <= rel * fabs(want) + 1e-300;
}

Test(mathd, agrees_with_libm)
{
	struct rng r = rng_make(1, 1);

	for (size_t f = 0; f < countof(fns); f++)
		for (int i = 0; i < 20000; i++) {
			double x = fns[f].lo +
				   rng_unit(&r) * (fns[f].hi - fns[f].lo);
			double got = fns[f].ours(x), want = fns[f].libm(x);

			cr_assert(close_to(got, want, 1e-15),
				  "%s(%.17g) = %.17g, libm %.17g", fns[f].name,
				  x, got, want);
		}
}

Test(mathd, special_values)
{
	static const double v[] = {
		0.0, -0.0,     1,         -1,  2,     -2,     3,      -3,
		0.5, INFINITY, -INFINITY, NAN, 1e300, -1e300, 5e-324, 1024,
	};

	for (size_t f = 0; f < countof(fns); f++)
		for (size_t i = 0; i < countof(v); i++) {
			double got = fns[f].ours(v[i]);
			double want = fns[f].libm(v[i]);

			cr_assert(close_to(got, want, 2e-15), "%s(%g) = %g",
				  fns[f].name, v[i], got);
			cr_assert(got != got || signbit(got) == signbit(want),
				  "%s(%g): sign", fns[f].name, v[i]);
		}
	for (size_t i = 0; i < countof(v); i++)
		for (size_t k = 0; k < countof(v); k++) {
			double got = md_pow(v[i], v[k]), want = pow(v[i], v[k]);

			cr_assert(close_to(got, want, 1e-15),
				  "pow(%g, %g) = %g, libm %g", v[i], v[k], got,
				  want);
		}
}

Test(mathd, pow_is_accurate)
{
	struct rng r = rng_make(2, 1);

	for (int i = 0; i < 50000; i++) {
		double x = md_exp(40 * rng_unit(&r) - 20);
		double y = 60 * rng_unit(&r) - 30;

		cr_assert(close_to(md_pow(x, y), pow(x, y), 4e-16),
			  "pow(%.17g, %.17g)", x, y);
	}
}

typedef float ffn(float);

static float f_exp(float x)
{
	return mf_exp(x);
}

static float f_log(float x)
{
	return mf_log(x);
}

static float f_tanh(float x)
{
	return mf_tanh(x);
}

static float f_erf(float x)
{
	return mf_erf(x);
}

static float f_sigmoid(float x)
{
	return mf_sigmoid(x);
}

/* ulp: of the exact value */
static const struct {
	const char *name;
	ffn *f;
	fn *d;
	double lo, hi, ulp;
} floats[] = {
	{"exp", f_exp, md_exp, -87, 88, 1.5},
	{"log", f_log, md_log, 1e-6, 100, 1},
	{"tanh", f_tanh, md_tanh, -10, 10, 2},
	{"erf", f_erf, md_erf, -5, 5, 3},
	{"sigmoid", f_sigmoid, md_sigmoid, -80, 80, 3},
};

Test(mathf, few_ulp)
{
	struct rng r = rng_make(3, 1);

	for (size_t f = 0; f < countof(floats); f++)
		for (int i = 0; i < 100000; i++) {
			float x = (float)(floats[f].lo +
					  rng_unit(&r) * (floats[f].hi -
							  floats[f].lo));
			double want = floats[f].d((double)x);
			float near = (float)want;
			double ulp = (double)nextafterf(fabsf(near), INFINITY) -
				     (double)fabsf(near);
			double err = fabs((double)floats[f].f(x) - want) / ulp;

			cr_assert(err <= floats[f].ulp, "%s(%.9g): %.2f ulp",
				  floats[f].name, (double)x, err);
		}
}
