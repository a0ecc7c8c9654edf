/* SPDX-License-Identifier: MIT */
/*
 * mathf.h -- transcendental functions in float, for loops that the compiler
 * vectorizes.
 *
 * Branches are selections, and only + - * / occur, so that scalar and vector
 * code of every width give the same bits (build with -ffp-contract=off).
 * Polynomials are fitted at Chebyshev points; each comment gives the largest
 * error against the exact value.
 */
#ifndef RUNTIME_MATHF_H
#define RUNTIME_MATHF_H

#include <stdint.h>
#include <string.h>

static inline float mf_of_bits(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof f);
	return f;
}

static inline uint32_t mf_bits(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof u);
	return u;
}

static inline float mf_abs(float x)
{
	return mf_of_bits(mf_bits(x) & 0x7fffffffu);
}

static inline float mf_copysign(float mag, float sign)
{
	return mf_of_bits((mf_bits(mag) & 0x7fffffffu) |
			  (mf_bits(sign) & 0x80000000u));
}

/* exp(x), 1.5 ULP; results below 2^-126 are 0 */
static inline float mf_exp(float x)
{
	/* Beyond the clamp the result is exactly inf or 0 after scaling. */
	float v = x > 89.0f ? 89.0f : x < -88.0f ? -88.0f : x;
	float t = v * 0x1.715476p+0f + 12582912.0f; /* nearest integer */
	float n = t - 12582912.0f;
	float r = (v - n * 0x1.628p-1f) - n * 0x1.90bfbep-11f;
	float p = 0x1.6d1606p-10f;
	uint32_t e = mf_bits(t) << 23;
	float two;

	p = p * r + 0x1.12106cp-7f;
	p = p * r + 0x1.555516p-5f;
	p = p * r + 0x1.5554d8p-3f;
	p = p * r + 0x1.0p-1f;
	p = 1.0f + (r + r * r * p);
	/* 2^n as 2^(n-1) * 2 where n may be 128 */
	two = n > 0.0f ? 2.0f : 1.0f;
	p = p * mf_of_bits(e + (n > 0.0f ? 0x3f000000u : 0x3f800000u)) * two;
	p = x < -87.33654f ? 0.0f : p;
	return x != x ? x : p;
}

/* log(x), 1 ULP; x < 2^-126 is taken as 2^-126 when positive */
static inline float mf_log(float x)
{
	float v = x < 0x1p-126f ? 0x1p-126f : x;
	uint32_t u = mf_bits(v) - 0x3f3504f3u; /* sqrt(1/2) */
	float n = (float)((int32_t)u >> 23);
	float m = mf_of_bits((u & 0x007fffffu) + 0x3f3504f3u);
	float f = m - 1.0f, s = f / (2.0f + f), z = s * s, h = 0.5f * f * f;
	float p = 0x1.ddd7c2p-3f;

	p = p * z + 0x1.245c1ap-2f;
	p = p * z + 0x1.9999ecp-2f;
	p = p * z + 0x1.555556p-1f;
	p = n * 0x1.628p-1f -
	    ((h - (s * (h + z * p) + n * 0x1.90bfbep-11f)) - f);
	p = x == 0.0f ? mf_of_bits(0xff800000u) : p;
	p = x > 0x1.fffffep127f ? x : p;
	return x < 0.0f || x != x ? mf_of_bits(0x7fc00000u) : p;
}

/* tanh(x), 3 ULP */
static inline float mf_tanh(float x)
{
	float a = mf_abs(x), z = x * x, p = -0x1.8437a2p-8f, q;

	p = p * z + 0x1.55fda4p-6f;
	p = p * z - 0x1.b8ec9ap-5f;
	p = p * z + 0x1.110d22p-3f;
	p = p * z - 0x1.555552p-2f;
	p = x + x * z * p;
	q = 1.0f - 2.0f / (mf_exp(2.0f * a) + 1.0f);
	return a < 0.65f ? mf_copysign(p, x) : x != x ? x : mf_copysign(q, x);
}

/* 1 / (1 + exp(-x)), 3 ULP */
static inline float mf_sigmoid(float x)
{
	return 1.0f / (1.0f + mf_exp(-x));
}

/* erf(x), 3 ULP: x P(x^2) below 1, else 1 - exp(log erfc) */
static inline float mf_erf(float x)
{
	float a = mf_abs(x), z = x * x, p = 0x1.4a569p-14f, q;
	float v = a > 4.1f ? 4.1f : a;

	p = p * z - 0x1.a45088p-11f;
	p = p * z + 0x1.541270p-8f;
	p = p * z - 0x1.b7fabap-6f;
	p = p * z + 0x1.ce2d10p-4f;
	p = p * z - 0x1.81273ep-2f;
	p = p * z + 0x1.20dd74p+0f;
	p = x * p;
	q = 0x1.ade8cep-20f;
	q = q * v - 0x1.7cb030p-15f;
	q = q * v + 0x1.360852p-11f;
	q = q * v - 0x1.3651e2p-8f;
	q = q * v + 0x1.afcb7cp-6f;
	q = q * v - 0x1.c26e26p-4f;
	q = q * v - 0x1.438d98p-1f;
	q = q * v - 0x1.2152ccp+0f;
	q = q * v + 0x1.3fc2d6p-12f;
	q = mf_copysign(1.0f - mf_exp(q), x);
	return a < 1.0f ? p : x != x ? x : q;
}

#endif
