/* SPDX-License-Identifier: MIT */
/*
 * simd.c -- the row operations in portable C, and the choice of the table.
 */
#include "runtime/kernels/shared/simd_p.h"

#include <math.h>
#include <stdbool.h>

#include "runtime/cpu.h"
#include "runtime/mathf.h"

#define SIMD
#define SIMD_TABLE simd_portable

typedef struct {
	float f[8];
} vf;

#define EACH(expr)                          \
	do {                                \
		vf r;                       \
                                            \
		for (int i = 0; i < 8; i++) \
			r.f[i] = (expr);    \
		return r;                   \
	} while (0)

INLINE vf vload(const float *p)
{
	EACH(p[i]);
}

/* 8 bytes, their low halves, their high halves, as floats. */
INLINE vf vbytes(const uint8_t *p)
{
	EACH((float)p[i]);
}

INLINE vf vlow(const uint8_t *p)
{
	EACH((float)(p[i] & 15));
}

INLINE vf vhigh(const uint8_t *p)
{
	EACH((float)(p[i] >> 4));
}

INLINE void vstore(float *p, vf a)
{
	for (int i = 0; i < 8; i++)
		p[i] = a.f[i];
}

INLINE vf vset(float a)
{
	EACH(a);
}

INLINE vf vadd(vf a, vf b)
{
	EACH(a.f[i] + b.f[i]);
}

INLINE vf vsub(vf a, vf b)
{
	EACH(a.f[i] - b.f[i]);
}

INLINE vf vmul(vf a, vf b)
{
	EACH(a.f[i] * b.f[i]);
}

INLINE vf vdiv(vf a, vf b)
{
	EACH(a.f[i] / b.f[i]);
}

INLINE vf vfma(vf a, vf b, vf c)
{
	EACH(fmaf(a.f[i], b.f[i], c.f[i]));
}

/* As the vector instructions: b where they do not compare. */
INLINE vf vmax(vf a, vf b)
{
	EACH(a.f[i] > b.f[i] ? a.f[i] : b.f[i]);
}

INLINE vf vmin(vf a, vf b)
{
	EACH(a.f[i] < b.f[i] ? a.f[i] : b.f[i]);
}

INLINE vf vneg(vf a)
{
	EACH(-a.f[i]);
}

INLINE vf vabs(vf a)
{
	EACH(mf_abs(a.f[i]));
}

INLINE vf vsign(vf a, vf s)
{
	EACH(mf_copysign(a.f[i], s.f[i]));
}

INLINE vf vzero_lt(vf a, vf x, vf lim)
{
	EACH(x.f[i] < lim.f[i] ? 0.0f : a.f[i]);
}

INLINE vf vpick_lt(vf x, vf lim, vf a, vf b)
{
	EACH(x.f[i] < lim.f[i] ? a.f[i] : b.f[i]);
}

INLINE vf vpairs(vf a, vf b)
{
	EACH(i < 4 ? a.f[2 * i] : b.f[2 * i - 8]);
}

INLINE vf vinorder(vf a)
{
	return a;
}

INLINE float scale2(float p, float t)
{
	uint32_t n = mf_bits(t) - 0x4b400000u;
	uint32_t h = n >> 1 | (n & 0x80000000u), l = n - h;

	return p * mf_of_bits((h + 127) << 23) * mf_of_bits((l + 127) << 23);
}

INLINE vf vscale2(vf p, vf t)
{
	EACH(scale2(p.f[i], t.f[i]));
}

#include "runtime/kernels/shared/simd_body.h"

const struct simd *simd(void)
{
#if defined(__x86_64__)
	if (cpu_level() >= CPU_AVX2)
		return &simd_avx2;
#endif
	return &simd_portable;
}
